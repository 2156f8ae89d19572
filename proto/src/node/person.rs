//! Persons who act through nodes: what one signed is judged here, because it takes the roster, the table of rights and the place in the
//! logbook at once. Wherever an act came from, it is judged by its bytes and by the roster, never by when it was heard.

use std::sync::Arc;

use bytes::Bytes;

use super::Node;
use super::delivery::Ticket;
use super::refuse;
use super::write::{Drafts, Flight, Promise};
use crate::config::BODY_BYTES_MAX;
use crate::control::person::{hex, unhex};
use crate::control::{
    ActsView, Answer, CommandId, DraftView, DraftWish, PersonName, PersonView, PersonWish, PinView, Reply, RequestNew, SignedAct,
};
use crate::domain::authority::{delegable, is_within};
use crate::domain::fact::Inert;
use crate::domain::refusal::Refusal;
use crate::domain::{About, Decoded, EntryMeta, FactKind, Plan, PlanInput, decode_body};
use crate::id::{Class, DocKind, EntryId, FactId, Kinds};
use crate::identity::{Act, Delegation, DelegationId, NoAct, NotDelegated, PublicKey, Signature, hash32};
use crate::io::Output;

/// Drafts that wait to be signed. A person's computer signs within milliseconds.
const DRAFTS_MAX: usize = 64;
/// Bytes that a person's part adds to a body, at most.
const PART_BYTES_MAX: usize = 128;

/// Words of a person, as they stand in a body: what counts of them may change with the roster.
#[derive(Clone, Debug)]
pub(super) struct Said {
    meta: EntryMeta,
    facts: Arc<[Decoded]>,
    act: Result<Act, NoAct>,
    /// Whether the act was signed, by which key: asked once, or a roster that changes often would keep the node verifying.
    signed: Option<(PublicKey, bool)>,
    /// Of whom, where it counts.
    person: Option<Arc<PersonName>>,
}

/// What a person is about to sign.
#[derive(Clone, Debug)]
pub(super) struct Drafted {
    of: DelegationId,
    wish: PersonWish,
    place: EntryId,
    body: Vec<u8>,
    class: Class,
    about: Option<About>,
    facts: [u8; 32],
}

impl Node {
    /// Folds words in, of the author itself or of a person through it.
    pub(super) fn fold_said(&mut self, meta: &EntryMeta, facts: Arc<[Decoded]>, act: Result<Option<Act>, NoAct>) {
        let act = match act {
            Ok(None) => return self.domain.apply_read(meta, facts),
            Ok(Some(act)) => Ok(act),
            Err(no) => Err(no),
        };
        let mut said = Said { meta: *meta, facts, act, signed: None, person: None };
        said.person = self.person_of(&mut said).map(Arc::new);
        self.apply_said(&said);
        self.persons.insert(meta.id, said);
    }

    fn apply_said(&mut self, said: &Said) {
        let facts = if said.person.is_some() { Arc::clone(&said.facts) } else { muted(&said.facts) };
        self.domain.apply_said(&said.meta, facts, said.person.clone());
    }

    /// Takes words back: another may stand at their place one day, and is not the same person's.
    pub(super) fn withdraw_said(&mut self, entry: EntryId) {
        self.domain.withdraw(entry);
        self.persons.remove(&entry);
    }

    /// The roster changed: whose acts count now that did not, and the other way round?
    pub(super) fn judge_persons(&mut self) {
        for (entry, mut said) in std::mem::take(&mut self.persons) {
            let person = self.person_of(&mut said);
            if person.as_ref() != said.person.as_deref() {
                said.person = person.map(Arc::new);
                self.domain.withdraw(entry);
                self.apply_said(&said);
                self.asked_again();
                self.changed_at = self.now.mono;
            }
            self.persons.insert(entry, said);
        }
    }

    fn person_of(&self, said: &mut Said) -> Option<PersonName> {
        let (act, entry) = (said.act.as_ref().ok()?, said.meta.id);
        let roster = self.known.roster();
        let delegation = roster.covering(act, entry, said.meta.wall).ok()?;
        let signed = match said.signed {
            Some((key, signed)) if key == delegation.key => signed,
            Some(_) | None => delegation.is_signed(&roster.realm(), act, entry),
        };
        said.signed = Some((delegation.key, signed));
        (signed && self.is_given(delegation, &said.facts)).then(|| self.person_name(delegation))
    }

    fn person_name(&self, delegation: &Delegation) -> PersonName {
        let delegated_by = self.known.roster().delegator(delegation.id).unwrap_or_default().to_owned();
        PersonName { name: delegation.name.clone(), delegated_by, delegation: delegation.id.to_string() }
    }

    /// What a delegation comes to: what it names, as far as who gave it has that itself.
    fn given(&self, delegation: &Delegation) -> Kinds {
        let roster = self.known.roster();
        let roles = match delegation.id.node() {
            Some(node) => roster.newest(node).map(|certificate| [certificate.role].into_iter().collect()),
            None => roster.issuer(delegation.id.issuer).map(|issuer| issuer.roles),
        };
        Kinds(delegation.kinds.0 & roles.map_or(0, |roles| delegable(roles).0))
    }

    fn is_given(&self, delegation: &Delegation, facts: &[Decoded]) -> bool {
        is_within(facts, self.given(delegation), delegation.regions)
    }

    /// Whether a person may act through this node now, by what this node's clock shows.
    fn admit_person(&self, of: DelegationId) -> Result<&Delegation, NotDelegated> {
        let delegation = self.known.roster().may_serve(of, self.me)?;
        if delegation.ended.is_some() {
            return Err(NotDelegated::Ended);
        }
        if self.wall().is_known() {
            delegation.holds_at(u64::try_from(self.wall().0 / 1_000).unwrap_or(0))?;
        }
        Ok(delegation)
    }

    /// Who is at the other end, and what that one may.
    pub(super) fn tell_person(&self, of: DelegationId, key: PublicKey) -> Answer {
        match self.admit_person(of) {
            Ok(delegation) if delegation.key == key => Answer::Person(PersonView {
                schema: "holdfast.person/1".to_owned(),
                delegation: of.to_string(),
                name: delegation.name.clone(),
                delegated_by: self.known.roster().delegator(of).unwrap_or_default().to_owned(),
                node: self.name_of(self.me),
                allowed: words(self.given(delegation)),
                until: delegation.not_after,
            }),
            Ok(_) => Answer::Refused(refuse::not_delegated(NotDelegated::Signature)),
            Err(why) => Answer::Refused(refuse::not_delegated(why)),
        }
    }

    /// Where acts by a delegation stand: what its end would leave.
    pub(super) fn tell_acts(&self, asked: &str) -> Answer {
        let Some(of) = asked.parse::<DelegationId>().ok().filter(|of| self.known.roster().delegation(*of).is_some()) else {
            return Answer::Refused(refuse::no_such_delegation(asked));
        };
        let mut last = std::collections::BTreeMap::new();
        for (entry, said) in &self.persons {
            if said.person.is_some() && said.act.as_ref().is_ok_and(|act| act.of == of) {
                last.insert(entry.log, entry.number);
            }
        }
        let pin = |(log, number): (crate::id::LogId, u32)| PinView {
            node: self.name_of(log.author),
            log: hex(&log.to_bytes()),
            number,
        };
        Answer::Acts(ActsView {
            schema: "holdfast.acts/1".to_owned(),
            delegation: of.to_string(),
            last: last.into_iter().map(pin).collect(),
        })
    }

    /// What this node would write for a person's wish.
    fn plan_for_person(&self, wish: &PersonWish) -> Result<Plan, Refusal> {
        let home;
        let input = match wish {
            PersonWish::RequestNew(wish) if wish.to.is_none() => {
                home = RequestNew { to: self.home_hub().map(|hub| hub.to_string()), ..wish.clone() };
                PlanInput::RequestNew(&home)
            }
            PersonWish::RequestNew(wish) => PlanInput::RequestNew(wish),
            PersonWish::RequestUpdate(wish) => PlanInput::RequestUpdate(wish),
            PersonWish::RequestCancel(wish) => PlanInput::RequestCancel(wish),
            PersonWish::RequestClose(wish) => PlanInput::RequestClose(wish),
            PersonWish::RequestConfirm(wish) => PlanInput::RequestConfirm(wish),
            PersonWish::Observe(wish) => PlanInput::Observe(wish),
            PersonWish::Order(wish) => self.plan_order(wish)?,
            PersonWish::Judge(wish) => PlanInput::Judge(wish),
            PersonWish::Supply(wish) => PlanInput::Supply(wish),
        };
        self.domain.plan(self.me, self.known.directory(), &input, self.now)
    }

    /// Makes of a wish what the person is to sign.
    pub(super) fn draft_for_person(&mut self, id: CommandId, draft: &DraftWish, flight: &mut Flight) -> Result<(), Refusal> {
        let delegation = self.admit_person(draft.of).map_err(refuse::not_delegated)?;
        let allowed = self.given(delegation);
        let plan = self.plan_for_person(&draft.wish)?;
        self.check_sizes(&plan)?;
        if let Some(fact) = plan.already {
            flight.promises.push(Promise { command: id, about: Some(fact), already: true, ticket: Ticket::Fact(fact) });
            return Ok(());
        }
        // A change of the site's readings without a word that a person signs is the node's own.
        let Some((body, class)) = plan.body else { return Err(refuse::beyond_delegation(&words(allowed))) };
        if body.len() + PART_BYTES_MAX > BODY_BYTES_MAX || !self.is_given(delegation, &decode_body(&body)) {
            return Err(refuse::beyond_delegation(&words(allowed)));
        }
        self.open_incarnation(flight);
        let place = self.next_place();
        let facts = facts_hash(&body);
        let view = DraftView { schema: "holdfast.draft/1".to_owned(), place: place_hex(place), body: hex(&body) };
        if self.own.drafts.len() >= DRAFTS_MAX {
            self.own.drafts.pop_front();
        }
        let (wish, about) = (draft.wish.clone(), plan.about);
        self.own.drafts.push_back(Drafted { of: draft.of, wish, place, body, class, about, facts });
        self.emit(Output::Reply { id, reply: Reply::Drafted(Box::new(view)) });
        Ok(())
    }

    /// Writes what a person signed, if its place is still the next and it could still be said. How it changes this site's stock is
    /// worked out now: what staff counted meanwhile stays counted.
    pub(super) fn act_of_person(
        &mut self,
        id: CommandId,
        act: &SignedAct,
        flight: &mut Flight,
        drafts: &mut Drafts,
    ) -> Result<(), Refusal> {
        let delegation = self.admit_person(act.of).map_err(refuse::not_delegated)?;
        let allowed = self.given(delegation);
        let parts = unhex::<32>(&act.signing.facts).zip(unhex::<64>(&act.signing.signature));
        let (facts, signature) = parts.ok_or_else(|| refuse::not_delegated(NotDelegated::Signature))?;
        let found = self.own.drafts.iter().rposition(|draft| draft.of == act.of && draft.facts == facts);
        let draft = found.and_then(|at| self.own.drafts.remove(at)).ok_or_else(refuse::place_taken)?;
        if !self.own.open || draft.place != self.next_place() {
            return Err(refuse::place_taken());
        }
        let signed = Act { of: act.of, at_s: act.signing.at_s, facts, signature: Signature(signature) };
        let roster = self.known.roster();
        let delegation = roster.check_act(&signed, draft.place, self.wall()).map_err(refuse::not_delegated)?;
        if !self.is_given(delegation, &decode_body(&draft.body)) {
            return Err(refuse::beyond_delegation(&words(allowed)));
        }
        self.note_own_ages(drafts);
        let plan = self.plan_for_person(&draft.wish)?;
        self.check_sizes(&plan)?;
        let moves = plan.board.is_some() || plan.detail.is_some();
        if moves && !plan.body.is_some_and(|(body, _)| says_the_same(&body, &draft.body)) {
            return Err(refuse::place_taken());
        }
        let body = signed.put(&draft.body).map_err(|_| refuse::place_taken())?;
        for (kind, payload) in [(DocKind::Board, plan.board), (DocKind::Detail, plan.detail)] {
            if let Some(payload) = payload {
                self.draft(kind, Bytes::from(payload), flight, drafts);
            }
        }
        let Some(entry) = self.append(body.into(), draft.class, flight) else { return Err(refuse::place_taken()) };
        let about = draft.about.map(|about| match about {
            About::Held(fact) => fact,
            About::New { index } => FactId { entry, index },
        });
        let ticket = Ticket::Fact(FactId { entry, index: 0 });
        flight.promises.push(Promise { command: id, about, already: false, ticket });
        Ok(())
    }

    fn next_place(&self) -> EntryId {
        let log = self.own_log(self.own.mark.incarnation);
        EntryId { log, number: self.own.mark.number.saturating_add(1) }
    }
}

/// Whether two bodies state the same facts, each as of another second.
fn says_the_same(one: &[u8], other: &[u8]) -> bool {
    let timeless = |body: &[u8]| {
        let mut facts = decode_body(body);
        for decoded in &mut facts {
            if let Decoded::Fact(fact) = decoded {
                fact.before_s = 0;
            }
        }
        facts
    };
    timeless(one) == timeless(other)
}

/// Facts that count no more.
fn muted(facts: &[Decoded]) -> Arc<[Decoded]> {
    let mute = |decoded: &Decoded| match decoded {
        Decoded::Fact(_) => Decoded::Inert(Inert::NotDelegated),
        Decoded::Inert(why) => Decoded::Inert(*why),
    };
    facts.iter().map(mute).collect()
}

fn facts_hash(body: &[u8]) -> [u8; 32] {
    let fields = crate::codec::canonical::Fields::parse(body);
    hash32(fields.ok().and_then(|fields| fields.get(1)).unwrap_or_default())
}

fn place_hex(place: EntryId) -> String {
    hex(&[&place.log.to_bytes()[..], &place.number.to_be_bytes()].concat())
}

/// Kinds as in history lists.
fn words(kinds: Kinds) -> Vec<String> {
    FactKind::ALL.iter().filter(|kind| kinds.contains(kind.number())).map(|kind| kind.word().to_owned()).collect()
}
