//! What suppliers, carriers and consignees do: from what their node shows them, as a dispatcher would, with mistakes. Judges nothing.

use holdfast_proto::control::{
    CommitWish, CommitmentView, ConflictsView, ConsignWish, ConsignmentView, ConsignmentsView, ReceiveWish, ReleaseWish,
    RequestView, RequestsView, ResolveWish, StepWish, SupplyWish, UnableWish,
};

use crate::dice::{Dice, Purpose};

/// What the dispatcher of a node looks at before doing anything.
#[derive(Debug)]
pub struct Shown {
    /// The node's own id, such as `1-118`.
    pub me: String,
    /// All requests.
    pub requests: RequestsView,
    /// All consignments.
    pub consignments: ConsignmentsView,
    /// What people must settle.
    pub conflicts: ConflictsView,
}

/// Who promises, sends and signs at one node.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    dice: Dice,
    count: u64,
}

impl Dispatcher {
    /// The dispatcher of `node` in the run of `seed`.
    #[must_use]
    pub fn new(seed: u64, node: usize) -> Self {
        Self { dice: Dice::new(seed, Purpose::Goods, node as u64), count: 0 }
    }

    /// Whether the next thing that is done here is about goods.
    pub fn is_next(&mut self) -> bool {
        self.dice.chance(350)
    }

    /// What is done; `None` where there is nothing to do.
    pub fn act(&mut self, shown: &Shown) -> Option<SupplyWish> {
        self.count += 1;
        match self.dice.below(10) {
            0..=2 => self.commit(shown),
            3 => self.plan(shown),
            4..=6 => self.step(shown),
            7 => self.receive(shown),
            8 => self.resolve(shown),
            _ => self.give_up(shown),
        }
    }

    fn pick<'a, T>(&mut self, of: Vec<&'a T>) -> Option<&'a T> {
        self.dice.pick(&of).copied()
    }

    fn open(shown: &Shown) -> Vec<&RequestView> {
        let over = ["cancelled", "closed", "duplicate", "fulfilled"];
        shown.requests.requests.iter().filter(|request| !over.contains(&request.status.as_str())).collect()
    }

    fn own_promises(shown: &Shown) -> Vec<&CommitmentView> {
        let all = shown.requests.requests.iter().flat_map(|request| &request.commitments);
        all.filter(|promise| promise.supplier.id == shown.me).collect()
    }

    fn commit(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let request = self.pick(Self::open(shown))?;
        let line = request.lines.first()?;
        let part = 1 + self.dice.below(line.requested.max(1));
        let name = line.text.as_ref().map_or_else(|| line.item.clone(), |text| format!("other:{text}"));
        let typed = if line.text.is_some() { format!("{name}={part}") } else { format!("{name}:{part}") };
        let some = self.dice.chance(400);
        Some(SupplyWish::Commit(CommitWish {
            request: request.request.clone(),
            items: some.then_some(typed).into_iter().collect(),
            key: self.dice.chance(300).then(|| format!("promise-{}", self.count)),
            ..CommitWish::default()
        }))
    }

    fn plan(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let promise = self.pick(Self::own_promises(shown))?;
        Some(SupplyWish::Consign(ConsignWish { commitments: vec![promise.commitment.clone()], ..ConsignWish::default() }))
    }

    /// Mostly what comes next, now and then something that does not follow, or that another node alone may say.
    fn step(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let others_too = self.dice.chance(50);
        let mine = |one: &&ConsignmentView| one.sender.id == shown.me || others_too;
        let one = self.pick(shown.consignments.consignments.iter().filter(mine).collect())?;
        let next = match one.status.as_str() {
            "planned" => ["load", "depart", "unload"][self.dice.index(3)],
            "loaded" => ["depart", "depart", "unload"][self.dice.index(3)],
            "departed" => ["arrive", "position", "divert", "lost", "hand_over"][self.dice.index(5)],
            "arrived" => "hand_over",
            _ => ["return", "depart", "divert"][self.dice.index(3)],
        };
        let to = self.pick(Self::open(shown)).map(|request| request.request.clone());
        Some(SupplyWish::Step(StepWish {
            consignment: one.consignment.clone(),
            step: next.to_owned(),
            place: (next == "position").then(|| "bridge".to_owned()),
            to: if next == "divert" { to } else { None },
            ..StepWish::default()
        }))
    }

    fn receive(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let here = |one: &&ConsignmentView| one.to.id == shown.me && one.status != "received";
        let one = self.pick(shown.consignments.consignments.iter().filter(here).collect())?;
        let line = one.lines.first()?;
        let less = line.quantity.saturating_sub(self.dice.below(4));
        let counted = self.dice.chance(500) && line.text.is_none() && less > 0;
        Some(SupplyWish::Receive(ReceiveWish {
            consignment: one.consignment.clone(),
            accepted: counted.then(|| format!("{}:{less}", line.item)).into_iter().collect(),
            refuse: self.dice.chance(100),
            ..ReceiveWish::default()
        }))
    }

    fn resolve(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let one = self.pick(shown.conflicts.conflicts.iter().collect())?;
        Some(SupplyWish::Resolve(ResolveWish { conflict: one.conflict.clone(), ..ResolveWish::default() }))
    }

    fn give_up(&mut self, shown: &Shown) -> Option<SupplyWish> {
        if self.dice.chance(500) {
            let request = self.pick(Self::open(shown))?.request.clone();
            return Some(SupplyWish::Unable(UnableWish { request, declined: self.dice.chance(500), ..UnableWish::default() }));
        }
        let commitment = self.pick(Self::own_promises(shown))?.commitment.clone();
        Some(SupplyWish::Release(ReleaseWish { commitment, ..ReleaseWish::default() }))
    }
}
