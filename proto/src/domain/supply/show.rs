//! Promises, consignments, conflicts and stock as they are shown.

use super::super::fact::LineItem;
use super::super::fact::supply::{Amount, Journey, Step, Supply};
use super::super::refusal::Refusal;
use super::super::show::{happened_at, history_view_of, utc};
use super::super::spoken::{Heard, Name, hear, name_of, spoken};
use super::super::view::Which;
use super::super::{Directory, Domain};
use super::commitment::CommitmentState;
use super::conflict::{Conflict, Kind, Part, Proposal};
use super::consignment::{ConsignmentState, Outcome, Stage};
use super::view::{CommitmentView, ConflictView, ConsignmentView, GoodsView, HoldView, PartView, ProposalView, ShelfView};
use super::{Goods, refused};
use crate::id::{FactId, NodeId};

/// `P-7Q4KM2X`.
#[must_use]
pub(super) fn spoken_commitment(id: FactId) -> String {
    spoken(id).replacen('R', "P", 1)
}

/// `V-7Q4KM2X`.
#[must_use]
pub(super) fn spoken_consignment(id: FactId) -> String {
    spoken(id).replacen('R', "V", 1)
}

/// The one a person means: case, spaces, dashes and the letter do not matter.
pub(super) fn find(typed: &str, letter: char, all: impl Iterator<Item = FactId>) -> Result<FactId, Refusal> {
    let bare: String = typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let symbols = bare.strip_prefix(letter).filter(|rest| rest.len() >= 6).unwrap_or(&bare);
    let wanted = match hear(symbols) {
        Heard::Right(name) => vec![name],
        Heard::Wrong(near) => near,
    };
    let right = matches!(hear(symbols), Heard::Right(_));
    let found: Vec<FactId> = all.filter(|id| wanted.contains(&name_of(*id))).collect();
    match found.as_slice() {
        [one] if right => Ok(*one),
        many => {
            let near: Vec<String> = many.iter().map(|id| spoken(*id).replacen('R', &letter.to_string(), 1)).collect();
            Err(refused::not_found(typed, letter, &near))
        }
    }
}

fn same_name(one: &Name, typed: &str) -> bool {
    matches!(hear(typed), Heard::Right(name) if name == *one)
}

fn worded(item: &LineItem) -> String {
    match item {
        LineItem::Code(code) => code.clone(),
        LineItem::Other(text) => text.clone(),
    }
}

impl Domain {
    /// A conflict by what people call it, such as `C1-7Q4KM2X`.
    ///
    /// # Errors
    /// [`Refusal`] if there is none of that name.
    pub fn find_conflict(&self, typed: &str) -> Result<Conflict, Refusal> {
        let (kind, name) = typed.trim().split_once('-').unwrap_or(("", typed));
        let fits = |conflict: &Conflict| {
            (kind.is_empty() || conflict.kind.code().eq_ignore_ascii_case(kind)) && same_name(&name_of(conflict.about), name)
        };
        let found = self.conflict_list().into_iter().find(fits);
        found.ok_or_else(|| refused::not_found(typed, 'C', &[]))
    }

    /// What a fact is called: `R-...`, `O-...`, `P-...`, `V-...`; `None` where it is not called anything.
    #[must_use]
    pub fn fact_name(&self, id: FactId) -> Option<String> {
        if self.standing_of(id).is_some() {
            Some(spoken(id))
        } else if self.commit(id).is_some() {
            Some(spoken_commitment(id))
        } else if self.consign(id).is_some() {
            Some(spoken_consignment(id))
        } else if let Some(of) = self.supply_fact(id).and_then(|supply| supply.acts_on()) {
            self.fact_name(of)
        } else {
            self.order_name(id)
        }
    }

    pub(in super::super) fn goods_view(&self, item: &LineItem, quantity: u64, outcome: &Outcome) -> GoodsView {
        let line = self.line_view(item, quantity);
        GoodsView {
            item: line.item,
            text: line.text,
            unit: line.unit,
            quantity,
            committed: outcome.waiting,
            in_transit: outcome.in_transit,
            accepted: outcome.accepted,
            rejected: outcome.rejected,
            damaged: outcome.damaged,
            missing: outcome.missing,
            released: outcome.returned,
            diverted: 0,
        }
    }

    /// The goods that a word names itself, item by item.
    pub(in super::super) fn goods_named(&self, supply: &Supply) -> Vec<GoodsView> {
        let named = |goods: &[Amount]| -> Vec<GoodsView> {
            goods.iter().map(|amount| self.goods_view(&amount.item, amount.quantity, &Outcome::default())).collect()
        };
        match supply {
            Supply::Commit(commit) => named(&commit.goods),
            Supply::Release(release) => named(&release.goods),
            Supply::Consign(consign) => {
                let mut goods = Goods::new();
                for amount in consign.loads.iter().flat_map(|load| &load.goods) {
                    let sum = goods.entry(amount.item.clone()).or_default();
                    *sum = sum.saturating_add(amount.quantity);
                }
                goods.iter().map(|(item, quantity)| self.goods_view(item, *quantity, &Outcome::default())).collect()
            }
            Supply::Journey(Journey { step: Step::HandOver(goods) | Step::Lost(goods) | Step::Return(goods), .. }) => {
                named(goods)
            }
            Supply::Receive(receipt) => {
                let counted = receipt.counts.iter().map(|counted| GoodsView {
                    accepted: counted.accepted,
                    rejected: counted.rejected,
                    damaged: counted.damaged,
                    missing: counted.missing,
                    ..self.goods_view(&counted.item, counted.sum(), &Outcome::default())
                });
                counted.collect()
            }
            Supply::Journey(_) | Supply::Unable(_) => Vec::new(),
        }
    }

    /// One promise as it is shown.
    #[must_use]
    pub fn commitment_view(&self, state: &CommitmentState, directory: &Directory) -> CommitmentView {
        let (meta, fact) = self.fact(state.id).map_or((None, None), |(meta, fact)| (Some(meta), Some(fact)));
        let acts = std::iter::once(state.id).chain(self.supply.releases.of(state.id));
        let newest = self.request_state(state.request).map(|request| request.version);
        let mut flags = Vec::new();
        let mut flag = |on: bool, word: &str| flags.extend(on.then(|| word.to_owned()));
        flag(newest.is_some_and(|newest| state.seen < newest), "older_version");
        flag(!state.is_sound, "in_question");
        flag(state.is_overloaded, "overloaded");
        let lines = state.lines.iter().map(|line| {
            let view = self.goods_view(&line.item, line.quantity, &line.outcome);
            GoodsView {
                committed: line.committed(),
                released: line.released.saturating_add(line.outcome.returned),
                diverted: line.diverted,
                ..view
            }
        });
        CommitmentView {
            commitment: spoken_commitment(state.id),
            request: spoken(state.request),
            supplier: directory.name(state.supplier),
            status: state.word().to_owned(),
            lines: lines.collect(),
            consignments: state.consignments.iter().map(|id| spoken_consignment(*id)).collect(),
            arrival: utc(state.arrival_s),
            flags,
            note: self.supply_fact(state.id).and_then(|supply| supply.note()).map(str::to_owned),
            at: meta.zip(fact).and_then(|(meta, fact)| happened_at(meta, fact)),
            history: acts.filter_map(|act| history_view_of(self, act, directory)).collect(),
        }
    }

    /// Consignments, those under way first, then by name.
    #[must_use]
    pub fn consignment_views(&self, directory: &Directory, which: Which) -> Vec<ConsignmentView> {
        let shown = self.consignment_ids().filter(|id| which == Which::All || !self.is_over(*id));
        let states = shown.filter_map(|id| self.consignment_state(id));
        let mut views: Vec<_> = states.map(|state| (state.stage.is_over(), self.consignment_view(&state, directory))).collect();
        views.sort_by(|(a, one), (b, other)| (a, &one.consignment).cmp(&(b, &other.consignment)));
        views.into_iter().map(|(_, view)| view).collect()
    }

    fn consignment_view(&self, state: &ConsignmentState, directory: &Directory) -> ConsignmentView {
        let mut flags = Vec::new();
        let mut flag = |on: bool, word: &str| flags.extend(on.then(|| word.to_owned()));
        flag(state.is_diverted, "diverted");
        flag(state.stage == Stage::HandedOver, "unconfirmed_delivery");
        flag(state.differs, "short_shipped");
        flag(!state.more_receipts.is_empty(), "second_receipt");
        flag(!self.is_sound(state.id), "in_question");
        flag(state.loads.iter().any(|load| load.commitment.is_none()), "unasked");
        let commitments: Vec<FactId> = state.loads.iter().filter_map(|load| load.commitment).collect();
        let served = commitments.iter().filter_map(|id| self.commit(*id)).map(|commit| commit.of.request);
        let requests: Vec<FactId> = if state.is_diverted { state.diverted_to.into_iter().collect() } else { served.collect() };
        let acts = std::iter::once(state.id).chain(self.supply.acts.of(state.id));
        ConsignmentView {
            consignment: spoken_consignment(state.id),
            sender: directory.name(state.sender),
            carrier: state.carrier.map(|carrier| directory.name(carrier)),
            to: directory.name(state.to),
            status: state.stage.word().to_owned(),
            lines: state.lines.iter().map(|line| self.goods_view(&line.item, line.sent, &line.outcome)).collect(),
            commitments: commitments.iter().map(|id| spoken_commitment(*id)).collect(),
            requests: requests.into_iter().map(spoken).collect(),
            position: state.position.and_then(|act| self.journey(act)).and_then(|journey| place_of(&journey.step)),
            arrival: self.consign(state.id).and_then(|consign| utc(consign.arrival_s)),
            flags,
            note: self.consign(state.id).and_then(|consign| consign.note.clone()),
            history: acts.filter_map(|act| history_view_of(self, act, directory)).collect(),
        }
    }

    /// Everything that people must settle.
    #[must_use]
    pub fn conflict_views(&self, directory: &Directory) -> Vec<ConflictView> {
        self.conflict_list().iter().map(|conflict| self.conflict_view(conflict, directory)).collect()
    }

    fn conflict_view(&self, conflict: &Conflict, directory: &Directory) -> ConflictView {
        let about = conflict.about;
        let (consignee, name) = match conflict.kind {
            Kind::Unconfirmed => (self.consignment_state(about).map(|state| state.to), spoken_consignment(about)),
            Kind::OverCovered | Kind::Unneeded | Kind::OlderVersion => {
                (self.request_state(about).map(|state| state.consignee), spoken(about))
            }
        };
        ConflictView {
            conflict: conflict.name(),
            kind: match conflict.kind {
                Kind::OverCovered => "over_covered",
                Kind::Unneeded => "unneeded",
                Kind::OlderVersion => "older_version",
                Kind::Unconfirmed => "unconfirmed",
            }
            .to_owned(),
            about: name,
            consignee: directory.name(consignee.unwrap_or(about.entry.log.author)),
            parts: conflict.parts.iter().map(|part| part_view(part, directory)).collect(),
            proposals: conflict.proposals.iter().map(|(by, proposal)| proposal_view(*by, proposal, directory)).collect(),
        }
    }

    /// A site's stock by item.
    #[must_use]
    pub fn shelf_views(&self, node: NodeId) -> Vec<ShelfView> {
        let shelf = self.shelf(node).into_iter();
        let views = shelf.map(|(item, shelf)| ShelfView {
            unit: self.line_view(&item, 1).unit,
            item: worded(&item),
            on_hand: shelf.on_hand,
            floor: shelf.floor,
            promised: shelf.promised(),
            available: shelf.available(),
            short: shelf.short(),
            holds: shelf
                .holds
                .iter()
                .filter_map(|(id, quantity)| Some(HoldView { by: self.fact_name(*id)?, quantity: *quantity }))
                .collect(),
        });
        views.collect()
    }
}

fn place_of(step: &super::Step) -> Option<String> {
    if let super::Step::Position(place) = step { Some(place.clone()) } else { None }
}

fn part_view(part: &Part, directory: &Directory) -> PartView {
    PartView {
        item: worded(&part.item),
        supplier: directory.name(part.supplier),
        commitment: part.commitment.map(spoken_commitment),
        consignment: part.consignment.map(spoken_consignment),
        held: part.held.word().to_owned(),
        kept: part.kept,
        surplus: part.surplus,
    }
}

fn proposal_view(by: NodeId, proposal: &Proposal, directory: &Directory) -> ProposalView {
    let (what, of, to) = proposal.names();
    let of = match proposal {
        Proposal::Release { .. } => spoken_commitment(of),
        Proposal::Confirm { .. } => spoken(of),
        Proposal::Unload { .. } | Proposal::Divert { .. } | Proposal::Surplus { .. } | Proposal::Receive { .. } => {
            spoken_consignment(of)
        }
    };
    let released = if let Proposal::Release { item, quantity, .. } = proposal { Some((worded(item), *quantity)) } else { None };
    let (item, quantity) = released.unzip();
    ProposalView { by: directory.name(by), what: what.to_owned(), of, item, quantity, to: to.map(spoken) }
}
