//! Who may say what: one table, asked for every word of everybody, whatever way it came. And what follows for orders: which of an
//! authority's acts counts, who acts in its stead, and what is in force in a region.
//!
//! A word of somebody who may not say it is kept and carried like any other, is shown with the reason, and has no effect: it stands
//! under its author's signature, and nobody's logbook gets a hole for it.

use std::collections::BTreeSet;

use super::fact::{Decoded, Deed, Fact, FactKind, Inert, Judged, Order};
use super::field::MODE;
use super::request::as_request;
use super::{Directory, Domain};
use crate::id::{FactId, NodeId};
use crate::id::{Kinds, Region, Regions, Role, Roles};

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
            None => self.directory.role(author).map_or(Right::No, |role| right(role, fact.kind())),
        };
        match right {
            Right::No => false,
            Right::Yes => true,
            Right::Own => owner_of(fact).is_none_or(|owner| owner == author),
            Right::OfOthers => !matches!(&fact.deed, Deed::Observation(seen) if seen.node == author),
            Right::Asked => true,
            Right::Carrier => self.carries(author, fact),
            Right::Consignee => self.is_sent_to(author, fact),
            Right::Deputy => matches!(&fact.deed, Deed::Order(order) if self.acts_for(author, order)),
            Right::InItsRegions => matches!(&fact.deed, Deed::Order(order) if self.orders_there(author, order)),
        }
    }

    /// Whether an acknowledgement of this node says something of this request: it was asked, by name or as one of all hubs.
    #[must_use]
    pub fn is_asked(&self, node: NodeId, request: FactId) -> bool {
        let asked = self.fact(request).and_then(|(_, fact)| as_request(fact));
        asked.is_some_and(|asked| asked.to.map_or_else(|| self.directory.is_hub(node), |to| to == node))
    }

    fn orders_there(&self, author: NodeId, order: &Order) -> bool {
        match order.acting_for {
            None => within(order.regions, self.directory.regions_of(author)),
            Some(_) => self.acts_for(author, order),
        }
    }

    /// Whether a node is named by the authority it acts for, for regions of that one.
    fn acts_for(&self, author: NodeId, order: &Order) -> bool {
        let Some(principal) = order.acting_for else { return false };
        principal != author
            && within(order.regions, self.directory.regions_of(principal))
            && self.deputies_of(principal).contains(&author)
    }

    /// The newest word of an authority on who acts for it.
    #[must_use]
    pub fn deputies_of(&self, principal: NodeId) -> &[NodeId] {
        self.scope_of(principal).map_or(&[], |(_, scope)| scope.deputies.as_slice())
    }

    /// The same, with its name and after how long.
    pub(crate) fn scope_of(&self, principal: NodeId) -> Option<(FactId, &super::fact::Scope)> {
        let scopes = self.scopes.range(super::first_of(principal)..=super::last_of(principal)).rev();
        scopes.filter(|id| !self.is_in_question(id.entry)).find_map(|id| {
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
        let deputies = self.deputies_of(principal).iter();
        let of_deputy = deputies
            .filter_map(|deputy| self.newest_order(*deputy, Some(principal), region))
            .find(|(_, order)| order.mode.is_some() && knew(order));
        let (id, order) = of_deputy.or(own)?;
        order.mode.map(|_| InForce { principal, id, order })
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
        if order.acting_for.is_some()
            && let Some((by, judged)) = self.judgement_of(principal, id)
        {
            return match judged {
                Judged::Ratified => OrderState::Ratified(by),
                Judged::Countermanded => OrderState::Countermanded(by),
            };
        }
        let counts = |region: Region| self.of_principal(principal, region).is_some_and(|one| one.id == id);
        if order.regions.iter().any(counts) { OrderState::InForce } else { OrderState::Ended }
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
