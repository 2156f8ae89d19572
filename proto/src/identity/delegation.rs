//! Delegations: who may act through a node without being one, in what, where and until when; and an act of such a person.
//!
//! A person is no author: the act stands in the logbook of the node that serves, and in its body the person's own signature.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::certificate::{TEXT_BYTES_MAX, clean_text, narrow, seal_one, strong};
use super::issue::{check, check_name};
use super::realm::{Realm, Tag, hash32, sign};
use super::{CannotIssue, Kinds, PublicKey, Regions, Rejected, SecretKey, Signature};
use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::id::{EntryId, Generation, ISSUER_MAX, LogId, NodeId};
use crate::time::UtcMillis;

/// Field 1 of every body: which certificate it is.
pub(super) const WHAT_DELEGATION: u64 = 6;
/// Days a delegation holds at most: a key on a laptop must not be worth longer than a crisis. trust.md section 6.
pub const DELEGATION_DAYS_MAX: u32 = 30;
/// Delegations of one node: those who stand at its desk. An issuer has 255.
pub const NODE_DELEGATIONS_MAX: u8 = 8;
/// Logbooks whose acts stand after an end. A person works through a few nodes, each with a new one whenever it lost its
/// place.
pub const PINS_MAX: usize = 128;
/// Seconds in a day.
const DAY_S: u64 = 86_400;

/// Who delegated, and which of its delegations. A number stands for one person for good: what was said under it is read by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DelegationId {
    /// The issuer, or that of the node.
    pub issuer: u16,
    /// The node that delegated for itself; `None`: the issuer did.
    pub serial: Option<u16>,
    /// From 1.
    pub number: u8,
}

impl DelegationId {
    /// The node that delegated, if it was one.
    #[must_use]
    pub fn node(self) -> Option<NodeId> {
        self.serial.map(|serial| NodeId { issuer: self.issuer, serial })
    }

    fn put(self, writer: &mut Writer, first: u32) {
        writer.uint(first, self.issuer.into()).maybe_uint(first + 1, self.serial.map(u64::from));
        writer.uint(first + 2, self.number.into());
    }

    fn read(fields: &Fields<'_>, first: u32) -> Result<Self, Rejected> {
        let id = Self {
            issuer: narrow(fields.uint(first)?)?,
            serial: fields.maybe_uint(first + 1)?.map(narrow).transpose()?,
            number: narrow(fields.uint(first + 2)?)?,
        };
        let most = if id.serial.is_some() { NODE_DELEGATIONS_MAX } else { u8::MAX };
        if id.issuer <= ISSUER_MAX && (1..=most).contains(&id.number) { Ok(id) } else { Err(Rejected::Malformed) }
    }
}

impl fmt::Display for DelegationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node() {
            Some(node) => write!(f, "{node}/{}", self.number),
            None => write!(f, "{}/{}", self.issuer, self.number),
        }
    }
}

/// The text is not `ISSUER/NUMBER` or `ISSUER-SERIAL/NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delegation is called by who gave it and its number, such as 1/3 or 1-118/3")]
pub struct NotADelegationId;

impl FromStr for DelegationId {
    type Err = NotADelegationId;

    fn from_str(text: &str) -> Result<Self, NotADelegationId> {
        let (giver, number) = text.split_once('/').ok_or(NotADelegationId)?;
        let (issuer, serial) = giver.split_once('-').map_or((giver, None), |(issuer, serial)| (issuer, Some(serial)));
        let serial = serial.map(str::parse).transpose().map_err(|_| NotADelegationId)?;
        let (issuer, number) = issuer.parse().ok().zip(number.parse().ok()).ok_or(NotADelegationId)?;
        Ok(Self { issuer, serial, number })
    }
}

/// Up to which number of a logbook the acts of an ended delegation stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// Whose logbook.
    pub log: LogId,
    /// The last number that stands, from 1.
    pub number: u32,
}

impl Pin {
    const BYTES: usize = 14;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        place_bytes(EntryId { log: self.log, number: self.number })
    }
}

/// Fourteen bytes: logbook, number.
fn place_bytes(entry: EntryId) -> [u8; Pin::BYTES] {
    let mut out = [0; Pin::BYTES];
    out[..10].copy_from_slice(&entry.log.to_bytes());
    out[10..].copy_from_slice(&entry.number.to_be_bytes());
    out
}

/// What a person may do through nodes.
///
/// Body: 1 what = 6, 2 issuer, 3 serial (absent: by the issuer), 4 number, 5 version, 6 key 32, 7 kinds 16, 8 region mask, 9 one node 4
/// (absent: all of the firm), 10 generation 2 (by a node: of the key that signs), 11 not before, 12 not after, 13 name, 14 list of pins
/// (logbook 10, number 4), ascending, 15 present and 1 where it is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Whose, and which of them.
    pub id: DelegationId,
    /// The highest counts.
    pub version: u32,
    /// The person's key.
    pub key: PublicKey,
    /// What may be said.
    pub kinds: Kinds,
    /// Where the nodes stand that may serve, and for which regions orders may be.
    pub regions: Regions,
    /// The one node that may serve; `None`: each of the firm in these regions.
    pub node: Option<NodeId>,
    /// By a node: under which of its keys.
    pub generation: Option<Generation>,
    /// Days since 1970.
    pub not_before: u32,
    /// Days since 1970, at most 30 later. Hard: who acts for others does so for a time.
    pub not_after: u32,
    /// Who it is, for people.
    pub name: String,
    /// Taken away: only what stands at these places counts.
    pub ended: Option<Vec<Pin>>,
}

impl Delegation {
    /// The bytes that are signed.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, WHAT_DELEGATION);
        self.id.put(&mut writer, 2);
        writer.uint(5, self.version.into()).bytes(6, &self.key.0).bytes(7, &self.kinds.0.to_be_bytes());
        writer.uint(8, self.regions.0.into());
        if let Some(node) = self.node {
            writer.bytes(9, &node.to_bytes());
        }
        if let Some(generation) = self.generation {
            writer.bytes(10, &[generation.count, generation.giver]);
        }
        writer.uint(11, self.not_before.into()).uint(12, self.not_after.into()).text(13, &self.name);
        if let Some(pins) = &self.ended {
            writer.list(14, pins.iter().map(|pin| pin.to_bytes())).uint(15, 1);
        }
        writer.finish()
    }

    /// Reads a body; checks shape and ranges, no signature.
    ///
    /// # Errors
    /// [`Rejected::Malformed`] or [`Rejected::WeakKey`].
    pub fn read(fields: &Fields<'_>) -> Result<Self, Rejected> {
        let ended = match fields.maybe_uint(15)? {
            None if fields.get(14).is_none() => None,
            Some(1) => Some(pins(fields)?),
            None | Some(_) => return Err(Rejected::Malformed),
        };
        let two = |[count, giver]: [u8; 2]| Generation { count, giver };
        let delegation = Self {
            id: DelegationId::read(fields, 2)?,
            version: narrow(fields.uint(5)?)?,
            key: strong(fields.array(6)?)?,
            kinds: Kinds(u128::from_be_bytes(fields.array(7)?)),
            regions: Regions(narrow(fields.uint(8)?)?),
            node: fields.get(9).map(|_| fields.array(9).map(NodeId::from_bytes)).transpose()?,
            generation: fields.get(10).map(|_| fields.array(10).map(two)).transpose()?,
            not_before: narrow(fields.uint(11)?)?,
            not_after: narrow(fields.uint(12)?)?,
            name: clean_text(fields.text(13)?, TEXT_BYTES_MAX)?.to_owned(),
            ended,
        };
        let by_node = delegation.id.node();
        let sound = delegation.version >= 1
            && delegation.not_after.checked_sub(delegation.not_before).is_some_and(|days| days <= DELEGATION_DAYS_MAX)
            && by_node.is_some() == delegation.generation.is_some()
            // A node delegates what is done through itself, and nothing else.
            && by_node.is_none_or(|node| delegation.node == Some(node));
        if sound { Ok(delegation) } else { Err(Rejected::Malformed) }
    }

    /// Signs it with the issuer's or the node's key. Whether that one may give it is the roster's to say. Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn issue(&self, realm: &Realm, signer: &SecretKey) -> Result<Bytes, CannotIssue> {
        check_name(&self.name)?;
        let body = self.body();
        check(&body, |fields| Self::read(fields).map(|_| ()))?;
        Ok(seal_one(&body, &sign(signer, realm, Tag::Delegation, &body)))
    }

    /// Whether a time lies before, within (0) or after its days.
    fn side(&self, second: u64) -> std::cmp::Ordering {
        let (from, to) = (u64::from(self.not_before) * DAY_S, (u64::from(self.not_after) + 1) * DAY_S);
        if second < from {
            std::cmp::Ordering::Less
        } else if second < to {
            std::cmp::Ordering::Equal
        } else {
            std::cmp::Ordering::Greater
        }
    }

    /// Whether it holds at a time, seconds since 1970.
    ///
    /// # Errors
    /// [`NotDelegated::Early`] or [`NotDelegated::Late`].
    pub fn holds_at(&self, second: u64) -> Result<(), NotDelegated> {
        match self.side(second) {
            std::cmp::Ordering::Less => Err(NotDelegated::Early),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(NotDelegated::Late),
        }
    }

    /// Whether what stands at a place counts, as far as its end decides.
    fn stands(&self, entry: EntryId) -> bool {
        self.ended.as_ref().is_none_or(|pins| pins.iter().any(|pin| pin.log == entry.log && entry.number <= pin.number))
    }

    /// Judges by place and days an act that stands, or is to stand, at a place. `wall`: the serving node's stamp on it.
    ///
    /// # Errors
    /// [`NotDelegated::Ended`], [`NotDelegated::Early`] or [`NotDelegated::Late`].
    pub fn covers(&self, act: &Act, entry: EntryId, wall: UtcMillis) -> Result<(), NotDelegated> {
        if !self.stands(entry) {
            return Err(NotDelegated::Ended);
        }
        self.holds_at(act.at_s)?;
        // The other clock that was there. A person whose own is turned back acts through a node that knows better.
        if wall.is_known() {
            self.holds_at(u64::try_from(wall.0 / 1_000).unwrap_or(0))?;
        }
        Ok(())
    }

    /// Whether the person signed an act, for that place.
    #[must_use]
    pub fn is_signed(&self, realm: &Realm, act: &Act, entry: EntryId) -> bool {
        self.key.verify(&realm.message(Tag::Act, &act.message(entry)), &act.signature)
    }
}

fn pins(fields: &Fields<'_>) -> Result<Vec<Pin>, Rejected> {
    let mut pins: Vec<Pin> = Vec::new();
    for item in fields.list(14)? {
        let bytes: [u8; Pin::BYTES] = item.try_into().map_err(|_| Rejected::Malformed)?;
        let (mut log, mut number) = ([0; 10], [0; 4]);
        log.copy_from_slice(&bytes[..10]);
        number.copy_from_slice(&bytes[10..]);
        let pin = Pin { log: LogId::from_bytes(log), number: u32::from_be_bytes(number) };
        if pin.number == 0 || pins.last().is_some_and(|last| last.log >= pin.log) {
            return Err(Rejected::Malformed);
        }
        pins.push(pin);
    }
    // An empty list is spelt by leaving the field out.
    if pins.len() > PINS_MAX || (pins.is_empty() && fields.get(14).is_some()) { Err(Rejected::Malformed) } else { Ok(pins) }
}

/// What a person signed of a body, beside its facts.
///
/// Field 2 of a body: 1 issuer, 2 serial, 3 number, 4 the person's clock, seconds since 1970, 5 signature 64. It is over 1 to 4 as here, 5
/// the place: logbook 10, number 4, 6 the hash of the facts as they stand in field 1. The place is what no act can be repeated at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// By which delegation.
    pub of: DelegationId,
    /// The person's clock, seconds since 1970.
    pub at_s: u64,
    /// BLAKE3-256 of the facts.
    pub facts: [u8; 32],
    /// By the person's key.
    pub signature: Signature,
}

/// A body whose field 2 is no act in canonical form: nobody knows who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAct;

impl Act {
    /// Signs the facts of a body for a place.
    ///
    /// # Errors
    /// [`Malformed`] where the body has none.
    pub fn sign(
        realm: &Realm,
        key: &SecretKey,
        of: DelegationId,
        at_s: u64,
        place: EntryId,
        body: &[u8],
    ) -> Result<Self, Malformed> {
        let facts = hash32(Fields::parse(body)?.bytes(1)?);
        let mut act = Self { of, at_s, facts, signature: Signature([0; 64]) };
        act.signature = sign(key, realm, Tag::Act, &act.message(place));
        Ok(act)
    }

    /// The bytes that are signed.
    fn message(&self, place: EntryId) -> Vec<u8> {
        let mut writer = Writer::new();
        self.of.put(&mut writer, 1);
        writer.uint(4, self.at_s).bytes(5, &place_bytes(place)).bytes(6, &self.facts);
        writer.finish()
    }

    /// The body with it.
    ///
    /// # Errors
    /// [`Malformed`] where the body holds anything but facts.
    pub fn put(&self, body: &[u8]) -> Result<Vec<u8>, Malformed> {
        let fields = Fields::parse(body)?;
        if fields.iter().any(|(id, _)| id != 1) {
            return Err(Malformed);
        }
        let mut part = Writer::new();
        self.of.put(&mut part, 1);
        part.uint(4, self.at_s).bytes(5, &self.signature.0);
        let mut writer = Writer::new();
        writer.bytes(1, fields.bytes(1)?).bytes(2, &part.finish());
        Ok(writer.finish())
    }

    /// Who acts in a body; `None`: the node itself.
    ///
    /// # Errors
    /// [`NoAct`].
    pub fn of_body(body: &[u8]) -> Result<Option<Self>, NoAct> {
        let Ok(fields) = Fields::parse(body) else { return Ok(None) };
        let Some(part) = fields.get(2) else { return Ok(None) };
        Self::read(part, fields.get(1).unwrap_or_default()).map(Some).map_err(|_| NoAct)
    }

    fn read(part: &[u8], facts: &[u8]) -> Result<Self, Rejected> {
        let part = Fields::parse(part)?;
        if part.iter().any(|(id, _)| id == 0 || id > 5) {
            return Err(Rejected::Malformed);
        }
        let of = DelegationId::read(&part, 1)?;
        Ok(Self { of, at_s: part.uint(4)?, facts: hash32(facts), signature: Signature(part.array(5)?) })
    }
}

/// Why what a person said, or is about to say, has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotDelegated {
    /// Nobody delegated that here, or who did may no longer.
    #[error("the delegation is not known here")]
    Unknown,
    /// The serving node is of another firm or region, or not the one named.
    #[error("the delegation is not for this node")]
    Elsewhere,
    /// It was taken away.
    #[error("the delegation was taken away")]
    Ended,
    /// By the person's clock or the node's.
    #[error("the delegation does not hold yet by that clock")]
    Early,
    /// By the person's clock or the node's.
    #[error("the delegation is past its end")]
    Late,
    /// Of another key, place, alliance or text.
    #[error("the person's signature does not fit what is said, where it stands and this alliance")]
    Signature,
    /// It allows less than that, or who gave it may less.
    #[error("the delegation does not allow that")]
    Beyond,
}

/// The delegation in an envelope; nothing is checked but its form.
#[must_use]
pub fn delegation_in(envelope: &[u8]) -> Option<Delegation> {
    match super::certificate::open(envelope).ok()?.parsed {
        super::certificate::Parsed::Delegation { value, .. } => Some(value),
        super::certificate::Parsed::Charter { .. }
        | super::certificate::Parsed::Issuer { .. }
        | super::certificate::Parsed::Node { .. }
        | super::certificate::Parsed::Guest { .. }
        | super::certificate::Parsed::Deputy { .. }
        | super::certificate::Parsed::Revocation { .. } => None,
    }
}
