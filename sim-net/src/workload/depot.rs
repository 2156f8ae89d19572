//! How a hub and its stores work when people do it well: stores ask for goods now and then, the hub that is asked promises what it has,
//! sends it, and the store signs for what came. By what each node's own screen shows. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::control::{
    Command, CommitWish, CommitmentView, ConflictView, ConsignWish, ConsignmentView, ReceiveWish, Report, RequestNew,
    RequestView, ResolveWish, StepWish, SupplyWish, UnableWish,
};

use super::goods::Shown;
use crate::dice::{Dice, Purpose};
use crate::scenario::Micros;

/// What stores ask for and hubs hold: items of the catalogue and how many are asked for at most.
const GOODS: [(&str, u64); 6] =
    [("ready_meal", 120), ("rice", 60), ("blankets", 40), ("batteries_aa", 80), ("face_masks", 200), ("toilet_paper", 60)];
/// What a hub has of each when play begins: for a day or two of a bad week.
const ON_HAND: u64 = 5_000;
/// So much is typed at one look: a person at a keyboard, not a program.
const TYPED_MAX: usize = 8;
/// A receipt of a hundred is short by something: broken, miscounted, gone.
const SHORT_PER_MILLE: u32 = 30;

/// The people of one site who ask for goods, send them or sign for them.
#[derive(Clone, Debug)]
pub struct Depot {
    dice: Dice,
    /// What it has was counted.
    counted: bool,
    /// Own convoys on the road: when each is there.
    on_road: BTreeMap<String, Micros>,
    /// Convoys that stood at the door and are not signed for yet, and whether a receipt was typed.
    at_door: BTreeMap<String, bool>,
}

impl Depot {
    /// The people of `node` in the run of `seed`.
    #[must_use]
    pub fn new(seed: u64, node: usize) -> Self {
        let dice = Dice::new(seed, Purpose::Depot, node as u64);
        Self { dice, counted: false, on_road: BTreeMap::new(), at_door: BTreeMap::new() }
    }

    /// One to three lines, as a store asks for them.
    pub fn need(&mut self) -> Command {
        let first = self.dice.index(GOODS.len());
        let lines = 1 + self.dice.index(3);
        let items = (first..first + lines).map(|place| {
            let (item, most) = GOODS[place % GOODS.len()];
            format!("{item}:{}", 1 + self.dice.below(most))
        });
        let items = items.collect();
        let priority = ["immediate", "urgent", "routine", "routine"][self.dice.index(4)].to_owned();
        Command::RequestNew(RequestNew { items, priority: Some(priority), ..RequestNew::default() })
    }

    /// What is there, counted; once.
    pub fn count(&mut self) -> Option<Command> {
        (!std::mem::replace(&mut self.counted, true)).then(|| {
            let values = GOODS.map(|(item, _)| (format!("stock.{item}"), ON_HAND.to_string()));
            Command::Report(Report { values: values.into(), ..Report::default() })
        })
    }

    /// A convoy stands at the door.
    pub fn arrived(&mut self, consignment: String) {
        self.at_door.insert(consignment, false);
    }

    /// True while something at the door is not signed for.
    #[must_use]
    pub fn has_to_sign(&self) -> bool {
        !self.at_door.is_empty()
    }

    /// What is typed after a look at the screen at `now`. `takes`: how long a convoy drives to a node of that name.
    pub fn look(&mut self, shown: &Shown, now: Micros, takes: impl Fn(&str) -> Micros) -> Vec<SupplyWish> {
        let mut typed = self.sign(shown);
        typed.extend(self.drive(shown, now, takes));
        typed.extend(settle(shown));
        typed.extend(answer(shown));
        typed.truncate(TYPED_MAX);
        typed
    }

    /// Stores sign for what stands at the door, once their screen shows it.
    fn sign(&mut self, shown: &Shown) -> Vec<SupplyWish> {
        let mut typed = Vec::new();
        let waiting: BTreeSet<&str> = shown.consignments.iter().map(|one| one.consignment.as_str()).collect();
        self.at_door.retain(|one, is_typed| !*is_typed || waiting.contains(one.as_str()));
        for one in shown.consignments.iter().filter(|one| one.to.id == shown.me) {
            if one.status == "refused" {
                self.at_door.remove(&one.consignment);
            } else if let Some(is_typed) = self.at_door.get_mut(&one.consignment) {
                *is_typed = true;
                let accepted = if self.dice.chance(SHORT_PER_MILLE) { self.short(one) } else { Vec::new() };
                typed.push(SupplyWish::Receive(ReceiveWish {
                    consignment: one.consignment.clone(),
                    accepted,
                    ..ReceiveWish::default()
                }));
            }
        }
        typed
    }

    /// All that was sent but for a few of the first line.
    fn short(&mut self, one: &ConsignmentView) -> Vec<String> {
        let missing = 1 + self.dice.below(3);
        let lines = one.lines.iter().enumerate().map(|(place, line)| {
            let less = if place == 0 { missing } else { 0 };
            (line, line.quantity.saturating_sub(less))
        });
        lines
            .filter(|(line, left)| *left > 0 && line.text.is_none())
            .map(|(line, left)| format!("{}:{left}", line.item))
            .collect()
    }

    /// The next step of each own convoy.
    fn drive(&mut self, shown: &Shown, now: Micros, takes: impl Fn(&str) -> Micros) -> Vec<SupplyWish> {
        let mut typed = Vec::new();
        for one in shown.consignments.iter().filter(|one| one.sender.id == shown.me) {
            let there = *self.on_road.entry(one.consignment.clone()).or_insert_with(|| now.saturating_add(takes(&one.to.id)));
            let step = match one.status.as_str() {
                "planned" => "load",
                "loaded" => {
                    self.on_road.insert(one.consignment.clone(), now.saturating_add(takes(&one.to.id)));
                    "depart"
                }
                "departed" if now >= there => "arrive",
                "arrived" => "hand_over",
                _ => continue,
            };
            let (consignment, step) = (one.consignment.clone(), step.to_owned());
            typed.push(SupplyWish::Step(StepWish { consignment, step, ..StepWish::default() }));
        }
        for request in &shown.requests {
            let waiting = |promise: &&CommitmentView| {
                promise.supplier.id == shown.me && promise.lines.iter().any(|line| line.committed > 0)
            };
            let commitments: Vec<String> =
                request.commitments.iter().filter(waiting).map(|promise| promise.commitment.clone()).collect();
            if is_open(request) && !commitments.is_empty() {
                typed.push(SupplyWish::Consign(ConsignWish { commitments, ..ConsignWish::default() }));
            }
        }
        typed
    }
}

fn is_open(request: &RequestView) -> bool {
    !["cancelled", "closed", "duplicate", "fulfilled"].contains(&request.status.as_str())
}

/// What is asked of this hub and nobody promised is promised, or declined where nothing of it is there.
fn answer(shown: &Shown) -> Vec<SupplyWish> {
    let asks_me = |request: &&RequestView| {
        is_open(request) && request.to.as_ref().is_some_and(|to| to.id == shown.me) && request.commitments.is_empty()
    };
    let unanswered = shown.requests.iter().filter(asks_me).filter(|request| request.status != "unable_to_fill");
    let answers = unanswered.map(|request| {
        let held = |item: &str| GOODS.iter().any(|(name, _)| *name == item);
        if request.lines.iter().any(|line| held(&line.item)) {
            SupplyWish::Commit(CommitWish { request: request.request.clone(), ..CommitWish::default() })
        } else {
            SupplyWish::Unable(UnableWish { request: request.request.clone(), ..UnableWish::default() })
        }
    });
    answers.collect()
}

/// This node's part of what is proposed.
fn settle(shown: &Shown) -> Vec<SupplyWish> {
    let mine = |conflict: &&ConflictView| {
        conflict
            .proposals
            .iter()
            .any(|proposal| proposal.by.id == shown.me && ["release", "unload", "divert"].contains(&proposal.what.as_str()))
    };
    let conflicts = shown.conflicts.iter().filter(mine);
    conflicts
        .map(|conflict| SupplyWish::Resolve(ResolveWish { conflict: conflict.conflict.clone(), ..ResolveWish::default() }))
        .collect()
}
