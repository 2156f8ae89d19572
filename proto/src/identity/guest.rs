//! Guests: a PC that no firm certified, for which nodes of several firms vouch. It says how it is itself, for a week.
//!
//! Its certificate has the layout of a node's (what = 7) and is signed by the nodes that vouch, each with its own key. Envelope, a
//! canonical document: 1 body, 2 list of (node id 4, generation 2, signature 64) by ascending node id. A draft is the same with fewer
//! signatures; no node takes it.

use bytes::Bytes;

use super::certificate::{Parsed, open};
use super::issue::{check, check_name};
use super::realm::{Realm, Tag, sign};
use super::{CannotIssue, NodeCertificate, Rejected, Roster, SecretKey, Signature};
use crate::codec::canonical::{Fields, Writer};
use crate::id::{Generation, NodeId};

/// Field 1 of the body.
pub(super) const WHAT_GUEST: u64 = 7;
/// Nodes that must vouch. trust.md section 6.
pub const VOUCHERS_MIN: usize = 3;
/// Nodes that may: two more, so that a guest outlasts the loss of some of their keys.
pub const VOUCHERS_MAX: usize = 5;
/// Firms that these nodes must be of: no firm alone lets anybody in.
pub const VOUCHER_FIRMS_MIN: usize = 2;
/// Days a guest may be given. trust.md section 6.
pub const GUEST_DAYS_MAX: u32 = 7;

/// One node's word for a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vouch {
    /// Who vouches.
    pub node: NodeId,
    /// With which of its keys.
    pub generation: Generation,
    /// Over the body.
    pub signature: Signature,
}

impl Vouch {
    fn to_bytes(self) -> Vec<u8> {
        [&self.node.to_bytes()[..], &[self.generation.count, self.generation.giver], &self.signature.0].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Rejected> {
        let (node, rest) = bytes.split_first_chunk::<4>().ok_or(Rejected::Malformed)?;
        let ([count, giver], signature) = rest.split_first_chunk::<2>().ok_or(Rejected::Malformed)?;
        let signature = Signature(signature.try_into().map_err(|_| Rejected::Malformed)?);
        let node = NodeId::from_bytes(*node);
        if node.is_guest() {
            return Err(Rejected::Malformed);
        }
        Ok(Self { node, generation: Generation { count: *count, giver: *giver }, signature })
    }

    /// Reads the list of an envelope.
    pub(super) fn list(outer: &Fields<'_>) -> Result<Vec<Self>, Rejected> {
        let mut list: Vec<Self> = Vec::new();
        for item in outer.list(2)? {
            let vouch = Self::from_bytes(item)?;
            if list.len() >= VOUCHERS_MAX || list.last().is_some_and(|last| last.node >= vouch.node) {
                return Err(Rejected::Malformed);
            }
            list.push(vouch);
        }
        if list.is_empty() { Err(Rejected::Malformed) } else { Ok(list) }
    }
}

fn seal(body: &[u8], vouches: &[Vouch]) -> Bytes {
    let mut writer = Writer::new();
    writer.bytes(1, body).list(2, vouches.iter().map(|vouch| vouch.to_bytes()));
    writer.finish().into()
}

/// Who vouches: a node with its key.
#[derive(Clone, Copy, Debug)]
pub struct Voucher<'a> {
    /// Its name.
    pub node: NodeId,
    /// Which key it is.
    pub generation: Generation,
    /// The key.
    pub key: &'a SecretKey,
}

/// Begins a guest's certificate with the word of the first who vouches; the certificate's name must be that one's [`NodeId::guest`].
///
/// # Errors
/// [`CannotIssue`].
pub fn invite_guest(realm: &Realm, guest: &NodeCertificate, first: Voucher<'_>) -> Result<Bytes, CannotIssue> {
    check_name(&guest.name)?;
    let body = guest.body();
    check(&body, |fields| NodeCertificate::read(fields).map(|_| ()))?;
    if guest.node != first.node.guest() || guest.node == first.node {
        return Err(CannotIssue::BadValue);
    }
    Ok(seal(&body, &[vouched(realm, &body, first)]))
}

/// Adds a node's word to what others began. One that stands there already takes the place of its former.
///
/// # Errors
/// [`Rejected::WrongKind`] if it is no guest's; [`Rejected::Full`] where enough have vouched.
pub fn vouch_for(realm: &Realm, draft: &[u8], voucher: Voucher<'_>) -> Result<Bytes, Rejected> {
    let opened = open(draft)?;
    let Parsed::Guest { mut vouches, .. } = opened.parsed else { return Err(Rejected::WrongKind) };
    vouches.retain(|vouch| vouch.node != voucher.node);
    if vouches.len() >= VOUCHERS_MAX {
        return Err(Rejected::Full);
    }
    vouches.push(vouched(realm, opened.body, voucher));
    vouches.sort_unstable_by_key(|vouch| vouch.node);
    Ok(seal(opened.body, &vouches))
}

fn vouched(realm: &Realm, body: &[u8], voucher: Voucher<'_>) -> Vouch {
    let signature = sign(voucher.key, realm, Tag::Guest, body);
    Vouch { node: voucher.node, generation: voucher.generation, signature }
}

/// A guest's certificate on its way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestDraft {
    /// What it will be.
    pub guest: NodeCertificate,
    /// Nodes whose word in it holds.
    pub vouchers: Vec<NodeId>,
    /// Their firms, each once.
    pub firms: Vec<String>,
    whole: bool,
}

impl GuestDraft {
    /// Reads it, and which words in it hold by this roster.
    ///
    /// # Errors
    /// [`Rejected`]; [`Rejected::WrongKind`] if it is no guest's.
    pub fn read(roster: &Roster, draft: &[u8]) -> Result<Self, Rejected> {
        let opened = open(draft)?;
        let Parsed::Guest { value, vouches } = opened.parsed else { return Err(Rejected::WrongKind) };
        let holds = |vouch: &&Vouch| {
            roster.check_vouch(vouch, opened.body).is_ok() && roster.still_vouches((vouch.node, vouch.generation))
        };
        let vouchers: Vec<NodeId> = vouches.iter().filter(holds).map(|vouch| vouch.node).collect();
        let firms: std::collections::BTreeSet<&str> = vouchers.iter().filter_map(|node| roster.firm(*node)).collect();
        let firms = firms.into_iter().map(str::to_owned).collect();
        let whole = roster.suffice(value.node, &vouchers);
        Ok(Self { guest: value, vouchers, firms, whole })
    }

    /// Whether every node would take it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }
}
