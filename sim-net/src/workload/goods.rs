//! What suppliers, carriers and consignees do: from what their node shows them, as a dispatcher would, with mistakes. Judges nothing.

use holdfast_proto::control::{
    CommitWish, CommitmentView, ConflictView, ConsignWish, ConsignmentView, Question, ReceiveWish, ReleaseWish, RequestView,
    ResolveWish, StepWish, SupplyWish, UnableWish, Which,
};

use crate::dice::{Dice, Purpose};

/// What somebody at a node looks at before doing anything. What is not looked at is empty.
#[derive(Debug, Default)]
pub struct Shown {
    /// The node's own id, such as `1-118`.
    pub me: String,
    /// Requests.
    pub requests: Vec<RequestView>,
    /// Consignments.
    pub consignments: Vec<ConsignmentView>,
    /// What people must settle.
    pub conflicts: Vec<ConflictView>,
}

/// What a dispatcher is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// To promise.
    Commit,
    /// To plan a journey.
    Plan,
    /// To say of a journey what comes next, or something else.
    Step,
    /// To say that one's own journey goes to somebody else.
    Divert,
    /// To sign.
    Receive,
    /// To do what is proposed.
    Resolve,
    /// To decline a request.
    Decline,
    /// To take a promise back.
    Release,
}

impl Next {
    /// The screens that are looked at for it.
    #[must_use]
    pub fn screens(self) -> &'static [Question] {
        match self {
            Self::Commit | Self::Plan | Self::Decline | Self::Release => &[Question::Requests(Which::Open)],
            // Acts on what is over belong to what people do wrong.
            Self::Step => &[Question::Consignments(Which::All)],
            Self::Divert => &[Question::Requests(Which::Open), Question::Consignments(Which::Open)],
            Self::Receive => &[Question::Consignments(Which::Open)],
            Self::Resolve => &[Question::Conflicts],
        }
    }
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

    /// What is done next here, where that is about goods.
    pub fn next_deed(&mut self) -> Option<Next> {
        if !self.dice.chance(350) {
            return None;
        }
        self.count += 1;
        Some(match self.dice.below(20) {
            0..=5 => Next::Commit,
            6..=7 => Next::Plan,
            8..=12 => Next::Step,
            13 => Next::Divert,
            14..=15 => Next::Receive,
            16..=17 => Next::Resolve,
            18 => Next::Decline,
            _ => Next::Release,
        })
    }

    /// How it is done by what [`Next::screens`] show; `None` where there is nothing to do.
    pub fn act(&mut self, next: Next, shown: &Shown) -> Option<SupplyWish> {
        match next {
            Next::Commit => self.commit(shown),
            Next::Plan => self.plan(shown),
            Next::Step => self.step(shown),
            Next::Divert => self.divert(shown),
            Next::Receive => self.receive(shown),
            Next::Resolve => self.resolve(shown),
            Next::Decline => self.decline(shown),
            Next::Release => self.release(shown),
        }
    }

    fn pick<'a, T>(&mut self, of: Vec<&'a T>) -> Option<&'a T> {
        self.dice.pick(&of).copied()
    }

    fn own_promises(shown: &Shown) -> Vec<&CommitmentView> {
        let all = shown.requests.iter().flat_map(|request| &request.commitments);
        all.filter(|promise| promise.supplier.id == shown.me).collect()
    }

    fn commit(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let request = self.pick(shown.requests.iter().collect())?;
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

    /// One of this node's own journeys, now and then of another node's, which that one alone may speak of.
    fn journey<'a>(&mut self, shown: &'a Shown) -> Option<&'a ConsignmentView> {
        let others_too = self.dice.chance(50);
        let mine = |one: &&ConsignmentView| one.sender.id == shown.me || others_too;
        self.pick(shown.consignments.iter().filter(mine).collect())
    }

    /// Mostly what comes next, now and then something that does not follow.
    fn step(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let one = self.journey(shown)?;
        let next = match one.status.as_str() {
            "planned" => ["load", "depart", "unload"][self.dice.index(3)],
            "loaded" => ["depart", "depart", "unload"][self.dice.index(3)],
            "departed" => ["arrive", "position", "lost", "hand_over"][self.dice.index(4)],
            "arrived" => "hand_over",
            _ => ["return", "depart"][self.dice.index(2)],
        };
        Some(SupplyWish::Step(StepWish {
            consignment: one.consignment.clone(),
            step: next.to_owned(),
            place: (next == "position").then(|| "bridge".to_owned()),
            ..StepWish::default()
        }))
    }

    fn divert(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let one = self.journey(shown)?.consignment.clone();
        let to = self.pick(shown.requests.iter().collect()).map(|request| request.request.clone());
        Some(SupplyWish::Step(StepWish { consignment: one, step: "divert".to_owned(), to, ..StepWish::default() }))
    }

    fn receive(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let here = |one: &&ConsignmentView| one.to.id == shown.me;
        let one = self.pick(shown.consignments.iter().filter(here).collect())?;
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
        let one = self.pick(shown.conflicts.iter().collect())?;
        Some(SupplyWish::Resolve(ResolveWish { conflict: one.conflict.clone(), ..ResolveWish::default() }))
    }

    fn decline(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let request = self.pick(shown.requests.iter().collect())?.request.clone();
        Some(SupplyWish::Unable(UnableWish { request, declined: self.dice.chance(500), ..UnableWish::default() }))
    }

    fn release(&mut self, shown: &Shown) -> Option<SupplyWish> {
        let commitment = self.pick(Self::own_promises(shown))?.commitment.clone();
        Some(SupplyWish::Release(ReleaseWish { commitment, ..ReleaseWish::default() }))
    }
}
