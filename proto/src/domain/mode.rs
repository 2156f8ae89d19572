//! In which mode a node works, who said so and why: what is planned and what is shown. A node's mode is its own word: an order is
//! followed by writing one's own change that names it, so that nobody's mode is ever somebody else's claim.

use super::authority::{OrderState, Right, right};
use super::fact::order::{CAUSES, DEPUTIES_MAX, ORDERED, STAFF};
use super::fact::{Deed, Judged, ModeChange, Order, Scope};
use super::field::{self, MODE, choice_named};
use super::plan::{EVERYWHERE, Plan, body, common, duration_s, note_of};
use super::reading::{self, Reading, Readings, Subject, Value};
use super::refusal::{self, Refusal, authority as refused};
use super::view::{ModeView, OrderView};
use super::wish::{Act, JudgeWish, ModeWish, OrderWish, ScopeWish};
use super::{Directory, DocKind, Domain, FactKind, spoken};
use crate::id::{FactId, NodeId};
use crate::id::{Region, Regions};
use crate::time::Now;

/// Says "nothing is ordered" where a mode is typed.
const NONE: [&str; 2] = ["none", "解除"];

impl Domain {
    /// The newest change of mode that a node wrote.
    #[must_use]
    pub fn mode_of(&self, node: NodeId) -> Option<(FactId, &ModeChange)> {
        self.modes_of(node).next()
    }

    /// Its changes, newest first.
    pub(crate) fn modes_of(&self, node: NodeId) -> impl Iterator<Item = (FactId, &ModeChange)> {
        let newest_first = self.modes.range(super::first_of(node)..=super::last_of(node)).rev();
        newest_first.filter_map(|id| {
            let Deed::Mode(mode) = &self.fact(*id)?.1.deed else { return None };
            Some((*id, mode))
        })
    }

    /// A change must stay while it is the newest, or the one that an order interrupted and that comes back after it.
    pub(crate) fn is_mode_live(&self, id: FactId) -> bool {
        let node = id.entry.log.author;
        let newest = self.modes_of(node).next().map(|(id, _)| id);
        let before = self.modes_of(node).find(|(_, mode)| mode.order.is_none()).map(|(id, _)| id);
        newest == Some(id) || before == Some(id)
    }

    /// What this node must do about orders: nothing, or change its mode. An order is followed once; what its people choose afterwards
    /// stands until another order comes into force. When the one it follows ends, it goes back to what it was in before.
    #[must_use]
    pub fn mode_due(&self, me: NodeId) -> Option<ModeChange> {
        let region = self.directory.nodes.get(&me).and_then(|entry| Region::from_code(&entry.region))?;
        let ordered = self.orders_in(region).into_iter().next();
        let newest = self.mode_of(me).map(|(_, mode)| mode);
        let followed = self.modes_of(me).find_map(|(_, mode)| mode.order.map(|order| (order, mode.cause)));
        match ordered {
            Some(one) if followed != Some((one.id, ORDERED)) => Some(ModeChange {
                mode: one.order.mode.unwrap_or_default(),
                cause: ORDERED,
                order: Some(one.id),
                reason: one.order.reason.clone(),
            }),
            Some(_) => None,
            None => newest.filter(|mode| mode.cause == ORDERED).map(|mode| ModeChange {
                mode: self.modes_of(me).find(|(_, before)| before.order.is_none()).map_or(0, |(_, before)| before.mode),
                cause: super::fact::order::ORDER_ENDED,
                order: mode.order,
                reason: None,
            }),
        }
    }

    /// A change of mode: the word in the logbook and the reading on the board, in one write.
    ///
    /// # Errors
    /// Never for a change worked out by [`Self::mode_due`].
    pub fn plan_mode_change(&self, me: NodeId, change: ModeChange, act: &Act, now: Now) -> Result<Plan, Refusal> {
        let (_, seen) = common(act, now)?;
        let mut board = self.own_readings(me, DocKind::Board, now);
        let value = Value::Number(u64::from(change.mode));
        board.insert(Subject::Field(field::NODE_MODE), Reading { value, seen });
        let (body, class) = body(act, now, Deed::Mode(change))?;
        Ok(Plan { board: Some(reading::encode(&board)), body: Some((body, class)), ..Plan::default() })
    }

    /// The reading that says whether the central systems answer.
    ///
    /// # Errors
    /// Never: no time is given.
    pub fn plan_central(&self, me: NodeId, word: u8, now: Now) -> Result<Plan, Refusal> {
        let (_, seen) = common(&Act::default(), now)?;
        let mut board = self.own_readings(me, DocKind::Board, now);
        board.insert(Subject::Field(field::CENTRAL), Reading { value: Value::Number(u64::from(word)), seen });
        Ok(Plan { board: Some(reading::encode(&board)), ..Plan::default() })
    }

    pub(super) fn plan_mode(&self, me: NodeId, wish: &ModeWish, now: Now) -> Result<Plan, Refusal> {
        let mode = mode_named(&wish.mode)?;
        let change = ModeChange { mode, cause: STAFF, order: None, reason: note_of("reason", wish.reason.as_deref())? };
        self.plan_mode_change(me, change, &wish.act, now)
    }

    /// The fact that goes with a reading of the mode that staff typed among others.
    pub(super) fn staff_mode(values: &Readings) -> Option<ModeChange> {
        let Value::Number(mode) = values.get(&Subject::Field(field::NODE_MODE))?.value else { return None };
        Some(ModeChange { mode: u8::try_from(mode).ok()?, cause: STAFF, order: None, reason: None })
    }

    /// `heard_s`: how long ago each node was last heard here, see [`OrderWish::acting_for`].
    pub(super) fn plan_order(
        &self,
        me: NodeId,
        directory: &Directory,
        wish: &OrderWish,
        heard_s: Option<u32>,
        now: Now,
    ) -> Result<Plan, Refusal> {
        let mode = ordered_mode(&wish.mode)?;
        let regions = regions_of(&wish.regions)?;
        let reason = note_of("reason", wish.reason.as_deref())?;
        let acting_for = wish.acting_for.as_deref().map(|name| directory.find(name)).transpose()?;
        let principal = acting_for.unwrap_or(me);
        let role = directory.role(me);
        let may = role.map_or(Right::No, |role| right(role, FactKind::Order));
        if may == Right::No || (may == Right::Deputy && acting_for.is_none()) {
            return Err(refused::no_authority(role.map_or("", |role| role.text())));
        }
        let has = directory.regions_of(principal);
        if regions.0 & !has.0 != 0 {
            return Err(refused::not_its_regions(principal, directory, has));
        }
        let mut order = Order { mode, regions, acting_for, last_heard_s: None, seen: None, judged: None, reason };
        if acting_for.is_some() {
            let scope = self.scope_of(principal).map(|(_, scope)| scope);
            let scope = scope.filter(|scope| scope.deputies.contains(&me));
            let scope = scope.ok_or_else(|| refused::no_deputy(principal, directory, self.deputies_of(principal)))?;
            if let Some(heard_s) = heard_s.filter(|heard_s| *heard_s < scope.after_s) {
                return Err(refused::heard_lately(principal, directory, heard_s, scope.after_s));
            }
            (order.last_heard_s, order.seen) = (heard_s, self.newest_act_of(principal));
        }
        Ok(Plan { body: Some(body(&wish.act, now, Deed::Order(order))?), ..Plan::default() })
    }

    pub(super) fn plan_judge(&self, me: NodeId, directory: &Directory, wish: &JudgeWish, now: Now) -> Result<Plan, Refusal> {
        let (id, judged) = self.find_order(&wish.order)?;
        if judged.acting_for != Some(me) && self.order_state(id) != OrderState::UnderReview {
            return Err(refused::not_to_judge(&wish.order));
        }
        let has = directory.regions_of(me);
        if judged.acting_for != Some(me) && judged.regions.0 & !has.0 != 0 {
            return Err(refused::not_its_regions(me, directory, has));
        }
        let kind = if wish.ratify { Judged::Ratified } else { Judged::Countermanded };
        let mode = match (&wish.mode, kind) {
            (Some(mode), Judged::Countermanded) => ordered_mode(mode)?,
            (None, Judged::Countermanded) => None,
            (_, Judged::Ratified) => judged.mode,
        };
        let order = Order {
            mode,
            regions: Regions(judged.regions.0 & has.0),
            acting_for: None,
            last_heard_s: None,
            seen: None,
            judged: Some((kind, id)),
            reason: note_of("reason", wish.reason.as_deref())?,
        };
        if order.regions.0 == 0 {
            return Err(refused::not_its_regions(me, directory, has));
        }
        Ok(Plan { body: Some(body(&wish.act, now, Deed::Order(order))?), ..Plan::default() })
    }

    pub(super) fn plan_scope(&self, me: NodeId, directory: &Directory, wish: &ScopeWish, now: Now) -> Result<Plan, Refusal> {
        let role = directory.role(me);
        if role.map_or(Right::No, |role| right(role, FactKind::AuthorityScope)) == Right::No {
            return Err(refused::no_authority(role.map_or("", |role| role.text())));
        }
        let deputies = wish.deputies.iter().map(|name| directory.find(name)).collect::<Result<Vec<_>, _>>()?;
        let fits = |deputy: &NodeId| {
            let may = directory.role(*deputy).map_or(Right::No, |role| right(role, FactKind::Order));
            *deputy != me && may != Right::No && deputies.iter().filter(|other| *other == deputy).count() == 1
        };
        if deputies.len() > DEPUTIES_MAX || !deputies.iter().all(fits) {
            return Err(refused::unfit_deputies(DEPUTIES_MAX));
        }
        let after_s = duration_s(&wish.after)?;
        Ok(Plan { body: Some(body(&wish.act, now, Deed::Scope(Scope { deputies, after_s }))?), ..Plan::default() })
    }

    /// The order a spoken id names: case, spaces and dashes don't matter, nor does a missing `O-`.
    fn find_order(&self, typed: &str) -> Result<(FactId, &Order), Refusal> {
        let bare =
            |text: &str| text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect::<String>();
        let wanted = bare(typed);
        let fits = |id: &FactId| {
            let own = bare(&spoken_order(*id));
            own == wanted || own.strip_prefix('O') == Some(&wanted)
        };
        let found = self.order_ids().find(fits).and_then(|id| Some((id, self.order(id)?)));
        found.ok_or_else(|| refused::order_not_found(typed, &self.order_ids().rev().map(spoken_order).collect::<Vec<_>>()))
    }

    /// A node's mode, who switched it and why. `None`: it never said one with a reason.
    #[must_use]
    pub fn mode_view(&self, node: NodeId, directory: &Directory) -> Option<ModeView> {
        let (id, mode) = self.mode_of(node)?;
        let (meta, fact) = self.fact(id)?;
        let ordered_by = mode.order.map(|order| directory.name(order.entry.log.author));
        Some(ModeView {
            mode: word(MODE, mode.mode),
            cause: word(CAUSES, mode.cause),
            order: mode.order.map(spoken_order),
            ordered_by,
            reason: mode.reason.clone(),
            desk: fact.desk.clone(),
            at: meta.wall.is_known().then_some(meta.wall),
        })
    }

    /// An order's spoken id; `None` where this is none.
    #[must_use]
    pub fn order_name(&self, id: FactId) -> Option<String> {
        self.order(id).map(|_| spoken_order(id))
    }

    /// The order in force in a node's region that asks most, by its spoken id.
    #[must_use]
    pub fn followed(&self, node: NodeId) -> Option<String> {
        let region = self.directory.nodes.get(&node).and_then(|entry| Region::from_code(&entry.region))?;
        self.orders_in(region).first().map(|one| spoken_order(one.id))
    }

    /// Who acts for whom, by authority.
    pub(crate) fn scopes(&self, directory: &Directory) -> Vec<(NodeId, &Scope)> {
        let known = directory.nodes.keys().filter_map(|node| Some((*node, self.scope_of(*node)?.1)));
        known.filter(|(_, scope)| !scope.deputies.is_empty()).collect()
    }

    /// All orders held, newest of each author first.
    #[must_use]
    pub fn order_views(&self, directory: &Directory) -> Vec<OrderView> {
        self.order_ids().rev().filter_map(|id| self.order_view(id, directory)).collect()
    }

    fn order_view(&self, id: FactId, directory: &Directory) -> Option<OrderView> {
        let (order, (meta, fact)) = (self.order(id)?, self.fact(id)?);
        let (state, judged_by) = match self.order_state(id) {
            OrderState::InForce => ("in_force", None),
            OrderState::UnderReview => ("under_review", None),
            OrderState::Ended => ("ended", None),
            OrderState::Ratified(by) => ("ratified", Some(by)),
            OrderState::Countermanded(by) => ("countermanded", Some(by)),
            OrderState::NotAuthorised => ("not_authorised", None),
            OrderState::InQuestion => ("in_question", None),
        };
        Some(OrderView {
            order: spoken_order(id),
            act: fact.kind().word().to_owned(),
            by: directory.name(id.entry.log.author),
            person: self.person(id.entry),
            mode: order.mode.map(|mode| word(MODE, mode)),
            regions: order.regions.iter().map(|region| region.code().to_owned()).collect(),
            acting_for: order.acting_for.map(|principal| directory.name(principal)),
            last_heard_s: order.last_heard_s,
            of: order.judged.map(|(_, of)| spoken_order(of)),
            reason: order.reason.clone(),
            desk: fact.desk.clone(),
            at: meta.wall.is_known().then_some(meta.wall),
            state: state.to_owned(),
            judged_by: judged_by.map(spoken_order),
        })
    }
}

/// An order's spoken id: as a request's, with an O.
fn spoken_order(id: FactId) -> String {
    spoken(id).replacen('R', "O", 1)
}

fn word(words: &[field::Choice], number: u8) -> String {
    words.iter().find(|choice| choice.number == u32::from(number)).map_or_else(String::new, |choice| choice.code.to_owned())
}

fn mode_named(typed: &str) -> Result<u8, Refusal> {
    let choice = choice_named(MODE, typed).ok_or_else(|| refusal::unknown_word("mode", typed, MODE))?;
    Ok(u8::try_from(choice.number).unwrap_or_default())
}

fn ordered_mode(typed: &str) -> Result<Option<u8>, Refusal> {
    if NONE.contains(&typed.trim()) { Ok(None) } else { mode_named(typed).map(Some) }
}

fn regions_of(typed: &[String]) -> Result<Regions, Refusal> {
    let codes = typed.iter().flat_map(|text| text.split([',', '、'])).map(str::trim).filter(|code| !code.is_empty());
    let mut regions = Regions(0);
    for code in codes {
        if EVERYWHERE.contains(&code) {
            return Ok(Regions::ALL);
        }
        let upper = code.to_ascii_uppercase();
        let named =
            Region::from_code(upper.trim_start_matches("TW-")).or_else(|| Region::all().find(|region| region.zh() == code));
        regions.0 |= std::iter::once(named.ok_or_else(|| refused::unknown_region(code))?).collect::<Regions>().0;
    }
    if regions.0 == 0 { Err(refused::unknown_region("")) } else { Ok(regions) }
}
