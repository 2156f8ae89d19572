//! Who may say what: one table, asked for every word of everybody, whatever way it came. And what follows for orders: which of an
//! authority's acts counts, who acts in its stead, and what is in force in a region.
//!
//! A word of somebody who may not say it is kept and carried like any other, is shown with the reason, and has no effect: it stands
//! under its author's signature, and nobody's logbook gets a hole for it.

use std::collections::BTreeSet;

use super::fact::{Decoded, Deed, Fact, FactKind, Inert, Judged, Order, Scope};
use super::field::MODE;
use super::request::as_request;
use super::{Directory, Domain};
use crate::id::{FactId, Generation, Kinds, LogId, NodeId, Region, Regions, Role, Roles};

/// What somebody may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// It has no effect.
    No,
    /// About itself, or what it wrote itself.
    Own,
    /// About another node.
    OfOthers,
    /// Where it was asked: by name, or as one of all hubs.
    Asked,
    /// In the stead of an authority that named it.
    Deputy,
    /// Of a consignment it sends, or carries as its sender says.
    Carrier,
    /// Of a consignment it is or was sent.
    Consignee,
    /// For the regions it has.
    InItsRegions,
    /// Always.
    Yes,
}

/// The table: kind of fact; store, hub, authority. A board, a detail and a logbook are always their author's own, because nothing
/// else is ever read from them; certificates are judged by the roster, which knows no roles of nodes.
const TABLE: [(FactKind, [Right; 3]); 29] = [
    (FactKind::Floor, [Right::Own; 3]),
    (FactKind::RequestResource, [Right::Yes; 3]),
    (FactKind::UpdateRequest, [Right::Own; 3]),
    (FactKind::CancelRequest, [Right::Own; 3]),
    (FactKind::ConfirmStillNeeded, [Right::Own; 3]),
    (FactKind::CloseRequest, [Right::Own; 3]),
    (FactKind::Acknowledge, [Right::Asked; 3]),
    (FactKind::Observation, [Right::OfOthers; 3]),
    (FactKind::ModeChange, [Right::Own; 3]),
    (FactKind::Order, [Right::No, Right::Deputy, Right::InItsRegions]),
    (FactKind::Ratify, [Right::No, Right::No, Right::InItsRegions]),
    (FactKind::Countermand, [Right::No, Right::No, Right::InItsRegions]),
    (FactKind::AuthorityScope, [Right::No, Right::No, Right::Own]),
    (FactKind::CommitResource, [Right::Yes; 3]),
    (FactKind::ReleaseCommitment, [Right::Own; 3]),
    (FactKind::UnableToFill, [Right::Asked; 3]),
    (FactKind::DeclineRequest, [Right::Asked; 3]),
    (FactKind::PlanConsignment, [Right::Yes; 3]),
    (FactKind::Load, [Right::Own; 3]),
    (FactKind::Depart, [Right::Carrier; 3]),
    (FactKind::Position, [Right::Carrier; 3]),
    (FactKind::Arrive, [Right::Carrier; 3]),
    (FactKind::HandOver, [Right::Carrier; 3]),
    (FactKind::Divert, [Right::Carrier; 3]),
    (FactKind::Lost, [Right::Carrier; 3]),
    (FactKind::Unload, [Right::Own; 3]),
    (FactKind::ReturnGoods, [Right::Own; 3]),
    (FactKind::Receive, [Right::Consignee; 3]),
    (FactKind::Refuse, [Right::Consignee; 3]),
];

/// What a guest may say besides its board: what keeps its own logbook short, and its mode. All else of its is [`Inert::OfGuest`]: that
/// it is one stands in its name, so that no roster need be asked.
const GUEST: [FactKind; 2] = [FactKind::Floor, FactKind::ModeChange];

/// Takes out what a guest may not say.
pub(super) fn leave_to_guest(facts: &mut [Decoded]) {
    for decoded in facts {
        if matches!(decoded, Decoded::Fact(fact) if right(Role::Guest, fact.kind()) == Right::No) {
            *decoded = Decoded::Inert(Inert::OfGuest);
        }
    }
}

/// What a role may say of a kind.
#[must_use]
pub fn right(role: Role, kind: FactKind) -> Right {
    if role == Role::Guest {
        return if GUEST.contains(&kind) { Right::Own } else { Right::No };
    }
    let row = TABLE.iter().find(|(of, _)| *of == kind).map(|(_, rights)| rights);
    row.and_then(|rights| rights.get(usize::from(role.code()))).copied().unwrap_or(Right::No)
}

/// What a person may be given to say through a node: what people decide about goods, journeys, sites and orders. Floors,
/// acknowledgements and modes are the node's own, and who names deputies delegates what was delegated.
pub const FOR_PERSONS: [FactKind; 25] = [
    FactKind::RequestResource,
    FactKind::UpdateRequest,
    FactKind::CancelRequest,
    FactKind::ConfirmStillNeeded,
    FactKind::CloseRequest,
    FactKind::Observation,
    FactKind::Order,
    FactKind::Ratify,
    FactKind::Countermand,
    FactKind::CommitResource,
    FactKind::ReleaseCommitment,
    FactKind::UnableToFill,
    FactKind::DeclineRequest,
    FactKind::PlanConsignment,
    FactKind::Load,
    FactKind::Depart,
    FactKind::Position,
    FactKind::Arrive,
    FactKind::HandOver,
    FactKind::Divert,
    FactKind::Lost,
    FactKind::Unload,
    FactKind::ReturnGoods,
    FactKind::Receive,
    FactKind::Refuse,
];

/// What somebody with these roles below may give to a person: nothing that none of them may say.
#[must_use]
pub fn delegable(roles: Roles) -> Kinds {
    let may = |kind: &FactKind| Role::ALL.into_iter().any(|role| roles.contains(role) && right(role, *kind) != Right::No);
    FOR_PERSONS.into_iter().filter(may).map(FactKind::number).collect()
}

/// Whether all that a body says lies within what a person was given. The node that serves needs its own right besides.
#[must_use]
pub fn is_within(facts: &[Decoded], kinds: Kinds, regions: Regions) -> bool {
    facts.iter().all(|decoded| match decoded {
        Decoded::Fact(fact) => {
            let there = if let Deed::Order(order) = &fact.deed { within(order.regions, regions) } else { true };
            there && kinds.contains(fact.kind().number())
        }
        Decoded::Inert(_) => true,
    })
}

/// What every role may say alike: then nobody need be looked up, and a node whose certificate is void goes on ending what it began.
fn same_for_all(kind: FactKind) -> Option<Right> {
    let (_, [first, rest @ ..]) = TABLE.iter().find(|(of, _)| *of == kind)?;
    rest.iter().all(|right| right == first).then_some(*first)
}

impl Directory {
    /// What a node is, by its newest certificate. `None`: nobody certified it, or it is void.
    #[must_use]
    pub fn role(&self, node: NodeId) -> Option<Role> {
        let role = &self.nodes.get(&node)?.role;
        Role::ALL.into_iter().find(|known| known.text() == role)
    }

    /// Where an authority may give orders: its own region, or everywhere its certificate says so.
    #[must_use]
    pub fn regions_of(&self, authority: NodeId) -> Regions {
        let Some(entry) = self.nodes.get(&authority).filter(|_| self.role(authority) == Some(Role::Authority)) else {
            return Regions(0);
        };
        if entry.everywhere { Regions::ALL } else { Region::from_code(&entry.region).into_iter().collect() }
    }

    /// What the key was that wrote a logbook.
    fn role_at(&self, log: LogId) -> Option<Role> {
        self.former.get(&(log.author, log.generation)).map(|former| former.role).or_else(|| self.role(log.author))
    }

    /// Where any key of an authority might ever give orders.
    fn regions_ever(&self, authority: NodeId) -> Regions {
        let range = (authority, Generation::default())..=(authority, Generation { count: u8::MAX, giver: u8::MAX });
        let former = self.former.range(range).fold(0, |mask, (_, former)| mask | former.regions.0);
        Regions(self.regions_of(authority).0 | former)
    }
}

/// By what right an order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Warrant {
    /// By none.
    None,
    /// By one that was taken away, which its author need not have known: it stays until somebody who may decides.
    Withdrawn,
    /// By one that holds.
    Full,
}

/// An order that counts in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce<'a> {
    /// Whose order it is, whoever wrote it.
    pub principal: NodeId,
    /// Its name.
    pub id: FactId,
    /// What it says.
    pub order: &'a Order,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// It counts somewhere.
    InForce,
    /// It counts, and the right to give it was taken away since: ratify or countermand it.
    UnderReview,
    /// A later act took its place, or the principal was heard again.
    Ended,
    /// Its principal made it its own.
    Ratified(FactId),
    /// Its principal ended it.
    Countermanded(FactId),
    /// Whoever wrote it may not.
    NotAuthorised,
    /// The key that wrote it was taken away, and whether it stands is not known: nobody follows it.
    InQuestion,
}

/// How much a mode asks of a site: where two orders meet, the one that asks more counts.
fn severity(mode: u8) -> usize {
    const ASCENDING: [&str; 6] = ["standby", "drill", "recovery", "alert", "resilience", "suspended"];
    let word = MODE.iter().find(|choice| choice.number == u32::from(mode)).map_or("", |choice| choice.code);
    ASCENDING.iter().position(|known| *known == word).unwrap_or(0)
}

impl Domain {
    /// The one check: whether this fact of this author has an effect.
    #[must_use]
    pub fn is_authorised(&self, id: FactId, fact: &Fact) -> bool {
        let author = id.entry.log.author;
        let right = match same_for_all(fact.kind()) {
            Some(right) => right,
            None => self.directory.role_at(id.entry.log).map_or(Right::No, |role| right(role, fact.kind())),
        };
        match right {
            Right::No => false,
            Right::Yes => true,
            Right::Own => owner_of(fact).is_none_or(|owner| owner == author),
            Right::OfOthers => !matches!(&fact.deed, Deed::Observation(seen) if seen.node == author),
            Right::Asked => true,
            Right::Carrier => self.carries(author, fact),
            Right::Consignee => self.is_sent_to(author, fact),
            Right::Deputy => {
                matches!(&fact.deed, Deed::Order(order) if order.acting_for.is_some() && self.is_warranted(id, order))
            }
            Right::InItsRegions => matches!(&fact.deed, Deed::Order(order) if self.is_warranted(id, order)),
        }
    }

    /// Whether an acknowledgement of this node says something of this request: it was asked, by name or as one of all hubs.
    #[must_use]
    pub fn is_asked(&self, node: NodeId, request: FactId) -> bool {
        let asked = self.fact(request).and_then(|(_, fact)| as_request(fact));
        asked.is_some_and(|asked| asked.to.map_or_else(|| self.directory.is_hub(node), |to| to == node))
    }

    fn is_warranted(&self, id: FactId, order: &Order) -> bool {
        self.warrant(id, order) != Warrant::None
    }

    fn warrant(&self, id: FactId, order: &Order) -> Warrant {
        let log = id.entry.log;
        let principal = order.acting_for.unwrap_or(log.author);
        let named = order.acting_for.map_or(Warrant::Full, |principal| self.named_by(principal, log.author, order.seen));
        // On its own behalf a key has what it was given, and never what one before it was.
        let once = match order.acting_for {
            None => self.directory.former.get(&(log.author, log.generation)).map_or(Regions(0), |former| former.regions),
            Some(principal) => self.directory.regions_ever(principal),
        };
        if within(order.regions, self.directory.regions_of(principal)) {
            named
        } else if within(order.regions, once) {
            named.min(Warrant::Withdrawn)
        } else {
            Warrant::None
        }
    }

    /// Whether an authority names a node to act for it, or did until an act that the node had not seen.
    fn named_by(&self, principal: NodeId, deputy: NodeId, seen: Option<FactId>) -> Warrant {
        let mut scopes = self.scopes_of(principal);
        match scopes.next() {
            Some((_, newest)) if principal != deputy && newest.deputies.contains(&deputy) => Warrant::Full,
            Some((withdrawn, _)) if principal != deputy && seen.is_none_or(|seen| seen < withdrawn) => {
                if scopes.any(|(_, scope)| scope.deputies.contains(&deputy)) { Warrant::Withdrawn } else { Warrant::None }
            }
            Some(_) | None => Warrant::None,
        }
    }

    /// The newest word of an authority on who acts for it.
    #[must_use]
    pub fn deputies_of(&self, principal: NodeId) -> &[NodeId] {
        self.scope_of(principal).map_or(&[], |(_, scope)| scope.deputies.as_slice())
    }

    /// The same, with its name and after how long.
    pub(crate) fn scope_of(&self, principal: NodeId) -> Option<(FactId, &Scope)> {
        self.scopes_of(principal).next()
    }

    /// All it said of that, the newest first.
    fn scopes_of(&self, principal: NodeId) -> impl Iterator<Item = (FactId, &Scope)> {
        let scopes = self.scopes.range(super::first_of(principal)..=super::last_of(principal)).rev();
        scopes.filter(|id| !self.is_in_question(id.entry)).filter_map(|id| {
            let (_, fact) = self.fact(*id)?;
            let Deed::Scope(scope) = &fact.deed else { return None };
            self.is_authorised(*id, fact).then_some((*id, scope))
        })
    }

    pub(crate) fn order(&self, id: FactId) -> Option<&Order> {
        if let Deed::Order(order) = &self.fact(id)?.1.deed { Some(order) } else { None }
    }

    /// Orders that were given at all, by name.
    pub(crate) fn order_ids(&self) -> impl DoubleEndedIterator<Item = FactId> {
        self.orders.iter().copied()
    }

    /// The newest order of an author, on its own behalf or acting for another, for a region.
    fn newest_order(&self, author: NodeId, acting_for: Option<NodeId>, region: Region) -> Option<(FactId, &Order)> {
        let of_author = self.orders.range(super::first_of(author)..=super::last_of(author)).rev();
        let fits = |order: &&Order| order.acting_for == acting_for && order.regions.contains(region);
        of_author.filter(|id| !self.is_in_question(id.entry)).find_map(|id| {
            let order = self.order(*id).filter(fits)?;
            self.is_authorised(*id, self.fact(*id)?.1).then_some((*id, order))
        })
    }

    /// What an authority's orders come to in a region: its newest act, or that of its first deputy who had seen that act.
    fn of_principal(&self, principal: NodeId, region: Region) -> Option<InForce<'_>> {
        let own = self.newest_order(principal, None, region);
        let knew = |order: &Order| own.is_none_or(|(id, _)| order.seen.is_some_and(|seen| seen >= id));
        let mut deputies: Vec<NodeId> = Vec::new();
        for deputy in self.scopes_of(principal).flat_map(|(_, scope)| &scope.deputies) {
            if !deputies.contains(deputy) {
                deputies.push(*deputy);
            }
        }
        let of_deputy = deputies
            .into_iter()
            .filter_map(|deputy| self.newest_order(deputy, Some(principal), region))
            .find(|(_, order)| order.mode.is_some() && knew(order));
        let (id, order) = of_deputy.or(own)?;
        let ended = || self.warrant(id, order) == Warrant::Withdrawn && self.is_countermanded(id, order);
        order.mode.filter(|_| !ended()).map(|_| InForce { principal, id, order })
    }

    /// Whether somebody who may order there ended an order whose own right was taken away.
    fn is_countermanded(&self, id: FactId, order: &Order) -> bool {
        matches!(self.judgement_on_withdrawn(id, order), Some((_, Judged::Countermanded)))
    }

    /// What an authority of all its regions says of it, the newest by name.
    fn judgement_on_withdrawn(&self, id: FactId, order: &Order) -> Option<(FactId, Judged)> {
        self.orders.iter().rev().copied().filter(|by| !self.is_in_question(by.entry)).find_map(|by| {
            let act = self.order(by)?;
            let (judged, _) = act.judged.filter(|(_, fact)| *fact == id)?;
            let may = self.warrant(by, act) == Warrant::Full && within(order.regions, act.regions);
            may.then_some((by, judged))
        })
    }

    /// Every order in force in a region, the one that asks most first: that one is followed.
    #[must_use]
    pub fn orders_in(&self, region: Region) -> Vec<InForce<'_>> {
        let given = self.orders.iter().filter_map(|id| self.order(*id).map(|order| (id, order)));
        let principals: BTreeSet<NodeId> = given.map(|(id, order)| order.acting_for.unwrap_or(id.entry.log.author)).collect();
        let mut all: Vec<InForce<'_>> =
            principals.into_iter().filter_map(|principal| self.of_principal(principal, region)).collect();
        all.sort_by_key(|one| (std::cmp::Reverse(severity(one.order.mode.unwrap_or(0))), one.id));
        all
    }

    /// Where an order stands.
    #[must_use]
    pub fn order_state(&self, id: FactId) -> OrderState {
        let Some((_, fact)) = self.fact(id) else { return OrderState::Ended };
        let Some(order) = self.order(id) else { return OrderState::Ended };
        if self.is_in_question(id.entry) {
            return OrderState::InQuestion;
        }
        if !self.is_authorised(id, fact) {
            return OrderState::NotAuthorised;
        }
        let principal = order.acting_for.unwrap_or(id.entry.log.author);
        let withdrawn = self.warrant(id, order) == Warrant::Withdrawn;
        let own = order.acting_for.and_then(|_| self.judgement_of(principal, id));
        let judgement = own.or_else(|| if withdrawn { self.judgement_on_withdrawn(id, order) } else { None });
        if let Some((by, judged)) = judgement {
            return match judged {
                Judged::Ratified => OrderState::Ratified(by),
                Judged::Countermanded => OrderState::Countermanded(by),
            };
        }
        let counts = |region: Region| self.of_principal(principal, region).is_some_and(|one| one.id == id);
        match order.regions.iter().any(counts) {
            true if withdrawn => OrderState::UnderReview,
            true => OrderState::InForce,
            false => OrderState::Ended,
        }
    }

    /// The principal's newest judgement of an order.
    fn judgement_of(&self, principal: NodeId, of: FactId) -> Option<(FactId, Judged)> {
        let acts = self.orders.range(super::first_of(principal)..=super::last_of(principal)).rev();
        acts.copied().filter(|id| !self.is_in_question(id.entry)).find_map(|id| {
            let (judged, _) = self.order(id)?.judged.filter(|(_, fact)| *fact == of)?;
            self.is_authorised(id, self.fact(id)?.1).then_some((id, judged))
        })
    }

    /// The newest of an authority's own acts that is held: what a deputy says it had seen.
    pub(crate) fn newest_act_of(&self, principal: NodeId) -> Option<FactId> {
        let acts = self.orders.range(super::first_of(principal)..=super::last_of(principal)).rev();
        acts.copied().find(|id| self.order(*id).is_some_and(|order| order.acting_for.is_none()))
    }

    /// Counted up whenever what is in force may have changed; not part of the fold.
    #[must_use]
    pub fn orders_version(&self) -> u64 {
        self.orders_version
    }

    /// True where this order still says something: it is its author's newest for one of its regions, and a scope its newest.
    pub(crate) fn is_order_live(&self, id: FactId, order: &Order) -> bool {
        let author = id.entry.log.author;
        order.regions.iter().any(|region| {
            let later = self.orders.range(id..=super::last_of(author)).skip(1);
            let mut later = later.filter_map(|other| self.order(*other));
            !later.any(|other| other.acting_for == order.acting_for && other.regions.contains(region))
        })
    }
}

/// Who wrote what this fact acts on, where it acts on something.
fn owner_of(fact: &Fact) -> Option<NodeId> {
    let of = fact.request_ref().map(|of| of.request);
    let of = of.or_else(|| if let Deed::Supply(supply) = &fact.deed { supply.acts_on() } else { None });
    of.map(|of| of.entry.log.author)
}

fn within(regions: Regions, of: Regions) -> bool {
    regions.0 & !of.0 == 0
}
