//! The roster: charter, then issuers, then nodes. What it holds follows from the set of objects offered, never from their order.
//!
//! - **Charter**: versions are chained; of two charters of one version the greater hash counts and later versions of the other fall.
//! - **Issuer**: signed by k roots. Roots of an older charter count only while their key stands in the newest one, so that a root
//!   replaced because it was stolen can mint nothing; let all roots at hand sign an issuer, then replacing one root leaves it
//!   standing. The highest version counts, then the greater hash. When an issuer changes, its nodes are judged again.
//! - **Deputy**: named by an issuer within what it has itself. The highest version counts, then the greater hash. It gives serials of its
//!   own range; of others only a next generation, and only where the key before ended itself by its paper.
//! - **Node**: one certificate counts per (name, generation, key): the one with the larger window (never lowered, design section 4
//!   rule 6), then the later `not_before`, then the greater hash.
//! - **Two unlike keys** for one (name, generation): both void until a next generation; the two greatest keys are kept as evidence.
//! - **One key under two names of one issuer**: every certificate with that key is void, all are kept as evidence. Under names of
//!   two issuers both stand and [`Roster::node_of_key`] is silent: otherwise one firm could void another firm's node by certifying
//!   its public key (T14). A link still knows its peer, because the chain it presents names the node.
//! - **Old generations** verify old words; only the newest is current. A void newest generation leaves the node without a current
//!   certificate: the one before it was replaced for a reason.
//! - **Revocation**: stands as long as who signed it does: the issuer as it is now, k roots as for an issuer, or the key itself. Of the
//!   roots' and of the key's own for one (name, generation) one counts, of the issuer's the highest few, and all their cuts at once;
//!   a cut by the roots takes the place of the issuer's. It may come before the certificate it ends, but not before its issuer: what
//!   names a stranger or a serial nobody may have is not kept (T10). A revoked key verifies what it said; it opens no link and says
//!   nothing new.
//! - **Guest**: is held once enough nodes of enough firms vouched for it, by whichever of their keys: what it said can be checked for good.
//!   It is current only while as many of these keys are. Of two lists under one body the longer counts. The issuer of the one that vouched
//!   first may end it as one of its own, and so may the roots.
//! - **Delegation**: of one giver and number the highest version counts, then the greater hash. It falls with the key that signed it.
//! - **Limits**: issuers and the sum of their ranges are bounded. Only where the roots certified more than that does the order of
//!   arrival decide which issuer is [`Rejected::Full`]; the roots must then give some a narrower range.

mod alarms;
mod chain;
mod delegations;
mod deputies;
mod guests;
mod many;
mod revoked;
mod roots;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use super::certificate::{Envelope, Parsed, open};
use super::keys::verify_with;
use super::{
    ArmorKind, Beyond, Charter, Delegation, DelegationId, DeputyCertificate, IssuerCertificate, NodeCertificate, PublicKey,
    Realm, RealmKind, Rejected, Signature, Tag,
};
use crate::id::{Generation, ISSUER_MAX, NodeId};
pub use alarms::Alarm;
pub use many::OfferedAll;
use revoked::Revoked;
use roots::check_roots;

/// Charter versions one alliance may have: a change of roots every year for a lifetime. Each is sent to every new node.
const CHARTERS_MAX: usize = 64;
/// Issuers one alliance may have. Chains and regions of Taiwan need some tens; each costs about 0.5 kB on every node.
const ISSUERS_MAX: usize = 1_024;
/// Generations of one node that are kept, the highest. Above it the oldest words can't be checked again here.
const GENERATIONS_MAX: usize = 8;
/// Keys kept as evidence that an issuer forked a name.
const FORK_KEYS_MAX: usize = 2;

/// What became of an offered object that was good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// The roster changed: store it, tell others.
    New,
    /// Held already; nothing changed.
    Known,
}

/// Place of an object in the roster's order: charters, issuers, deputies, nodes, revocations, delegations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ObjectKey {
    /// A charter, by version.
    Charter(u32),
    /// An issuer, by number.
    Issuer(u16),
    /// A deputy, by issuer and number.
    Deputy(u16, u8),
    /// A node certificate, by name, generation and key.
    Node(NodeId, Generation, PublicKey),
    /// A revocation, by name, generation and hash.
    Revocation(NodeId, Generation, [u8; 16]),
    /// A delegation, by who gave it and number.
    Delegation(DelegationId),
}

impl ObjectKey {
    /// The kind of block it is in a file.
    #[must_use]
    pub fn armor(self) -> ArmorKind {
        match self {
            Self::Charter(_) => ArmorKind::Charter,
            Self::Issuer(_) => ArmorKind::Issuer,
            Self::Deputy(..) => ArmorKind::Deputy,
            Self::Node(..) => ArmorKind::Node,
            Self::Revocation(..) => ArmorKind::Revocation,
            Self::Delegation(_) => ArmorKind::Delegation,
        }
    }
}

/// One object held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRef<'a> {
    /// Its place.
    pub key: ObjectKey,
    /// Of its body.
    pub hash: [u8; 16],
    /// As it came.
    pub envelope: &'a Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held<T> {
    value: T,
    hash: [u8; 16],
    envelope: Bytes,
}

impl<T> Held<T> {
    fn new(value: T, hash: [u8; 16], envelope: &[u8]) -> Self {
        // A copy: a slice of a network frame would keep the whole frame alive.
        Self { value, hash, envelope: Bytes::copy_from_slice(envelope) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct HeldNode {
    held: Held<NodeCertificate>,
    key: VerifyingKey,
    /// Of a guest: who vouched, and with which key.
    vouchers: Vec<(NodeId, Generation)>,
}

impl HeldNode {
    /// Which of two certificates of one name, generation and key counts.
    fn rank(&self) -> (usize, u32, u32, [u8; 16]) {
        (self.vouchers.len(), self.held.value.window(), self.held.value.not_before, self.held.hash)
    }
}

/// Boxed: almost every map holds one, and a map makes room for eleven.
type Keys = BTreeMap<PublicKey, Box<HeldNode>>;
type Generations = BTreeMap<Generation, Keys>;

/// Everyone who may speak. See the head of this file for the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    realm: Realm,
    kind: RealmKind,
    /// Version n at place n - 1.
    charters: Vec<Held<Charter>>,
    issuers: BTreeMap<u16, Held<IssuerCertificate>>,
    deputies: BTreeMap<(u16, u8), Held<DeputyCertificate>>,
    delegations: BTreeMap<DelegationId, Held<Delegation>>,
    nodes: BTreeMap<NodeId, Generations>,
    revoked: BTreeMap<NodeId, BTreeMap<Generation, Revoked>>,
    /// Under which names each key is held.
    names: BTreeMap<PublicKey, BTreeSet<(NodeId, Generation)>>,
    /// Keys held under more than one name: mostly none, and then no word costs a look.
    shared: usize,
    hashes: BTreeSet<[u8; 16]>,
}

impl Roster {
    /// A roster of the alliance that this first charter founds. Whoever chooses the charter chooses whom to trust.
    ///
    /// # Errors
    /// [`Rejected::WrongKind`] if it is no first charter; otherwise as [`Self::offer`].
    pub fn new(first_charter: &[u8]) -> Result<Self, Rejected> {
        let Envelope { body, hash, parsed } = open(first_charter)?;
        let Parsed::Charter { value, own, .. } = parsed else { return Err(Rejected::WrongKind) };
        if value.version != 1 {
            return Err(Rejected::WrongKind);
        }
        let realm = Realm::of(value.kind, body);
        check_roots(&value, &value, &own, &realm.message(Tag::Charter, body))?;
        Ok(Self {
            realm,
            kind: value.kind,
            charters: vec![Held::new(value, hash, first_charter)],
            issuers: BTreeMap::new(),
            deputies: BTreeMap::new(),
            delegations: BTreeMap::new(),
            nodes: BTreeMap::new(),
            revoked: BTreeMap::new(),
            names: BTreeMap::new(),
            shared: 0,
            hashes: BTreeSet::from([hash]),
        })
    }

    /// The alliance.
    #[must_use]
    pub fn realm(&self) -> Realm {
        self.realm
    }

    /// Real, drill or simulation.
    #[must_use]
    pub fn kind(&self) -> RealmKind {
        self.kind
    }

    /// Takes an object in, from whomever: it proves itself. After an issuer or charter changed, objects that no longer stand are
    /// dropped and refused objects may be good: offer them again.
    ///
    /// # Errors
    /// [`Rejected`], each with whose fault it is; nothing was changed.
    pub fn offer(&mut self, envelope: &[u8]) -> Result<Offered, Rejected> {
        let Envelope { body, hash, parsed } = open(envelope)?;
        if self.hashes.contains(&hash) {
            return Ok(Offered::Known);
        }
        match parsed {
            Parsed::Charter { value, own, before } => self.offer_charter(Held::new(value, hash, envelope), body, &own, &before),
            Parsed::Issuer { value, own } => self.offer_issuer(Held::new(value, hash, envelope), body, &own),
            Parsed::Deputy { value, signature } => self.offer_deputy(Held::new(value, hash, envelope), body, &signature),
            Parsed::Node { value, signature } => {
                let key = self.check_node(&value, body, &signature)?;
                self.offer_node(HeldNode { held: Held::new(value, hash, envelope), key, vouchers: Vec::new() })
            }
            Parsed::Guest { value, vouches } => {
                self.check_guest(&value, body, &vouches)?;
                let key = value.key.strong().ok_or(Rejected::WeakKey)?;
                let vouchers = vouches.iter().map(|vouch| (vouch.node, vouch.generation)).collect();
                self.offer_node(HeldNode { held: Held::new(value, hash, envelope), key, vouchers })
            }
            Parsed::Revocation { value, proof } => {
                let offered = self.offer_revocation(Held::new(value, hash, envelope), body, &proof)?;
                self.judge_delegations();
                Ok(offered)
            }
            Parsed::Delegation { value, signature } => self.offer_delegation(Held::new(value, hash, envelope), body, &signature),
        }
    }

    /// The certificate that counts for a name and generation; `None` if unknown or void.
    #[must_use]
    pub fn certificate(&self, node: NodeId, generation: Generation) -> Option<&NodeCertificate> {
        self.usable(node, generation).ok().map(|held| &held.held.value)
    }

    /// The newest certificate of a node; `None` if unknown, void or revoked, and of a guest where too few still vouch for it.
    #[must_use]
    pub fn current(&self, node: NodeId) -> Option<&NodeCertificate> {
        let stands = |certificate: &&NodeCertificate| !node.is_guest() || self.is_vouched_for(node, certificate.generation);
        self.newest(node).filter(|certificate| !self.is_revoked(node, certificate.generation)).filter(stands)
    }

    /// The generation of the next key of a name: above all that were given or taken away.
    #[must_use]
    pub fn next_count(&self, node: NodeId) -> u8 {
        let given = self.highest_generation(node).map_or(0, |generation| generation.count);
        let revoked = self.revoked.get(&node).and_then(|generations| generations.last_key_value());
        given.max(revoked.map_or(0, |(generation, _)| generation.count)).saturating_add(1)
    }

    /// The highest generation that a node was certified in, void or revoked too.
    #[must_use]
    pub fn highest_generation(&self, node: NodeId) -> Option<Generation> {
        self.nodes.get(&node)?.last_key_value().map(|(generation, _)| *generation)
    }

    /// The newest certificate of a node, revoked or not; `None` if unknown or void.
    #[must_use]
    pub fn newest(&self, node: NodeId) -> Option<&NodeCertificate> {
        let generation = self.nodes.get(&node)?.last_key_value()?.0;
        self.certificate(node, *generation)
    }

    /// The key of a name and generation; `None` if unknown or void.
    #[must_use]
    pub fn key(&self, node: NodeId, generation: Generation) -> Option<PublicKey> {
        self.usable_key(node, generation).ok()
    }

    /// Whose key this is: the newest generation that holds it. `None` if unknown, void, revoked, or certified under names of two
    /// issuers (then only a presented chain tells).
    #[must_use]
    pub fn node_of_key(&self, key: &PublicKey) -> Option<(NodeId, Generation)> {
        self.owner_of_key(key).filter(|(node, generation)| !self.is_revoked(*node, *generation))
    }

    /// The same, revoked or not.
    #[must_use]
    pub fn owner_of_key(&self, key: &PublicKey) -> Option<(NodeId, Generation)> {
        let names = self.names.get(key)?;
        // A firm's word goes before that of those who vouch: nobody loses its name because others vouched for its key.
        let guests = names.range((NodeId { issuer: ISSUER_MAX + 1, serial: 0 }, Generation::default())..);
        let mut certified = names.iter().filter(|(node, _)| !node.is_guest());
        let (node, generation) = match certified.next_back() {
            Some((node, _)) if names.first().is_some_and(|first| first.0 != *node) => return None,
            Some(newest) => *newest,
            None => *guests.max_by_key(|(node, generation)| self.certificate(*node, *generation).map(|held| held.not_before))?,
        };
        self.usable(node, generation).ok().filter(|held| held.held.value.key == *key).map(|_| (node, generation))
    }

    /// An issuer's certificate that counts.
    #[must_use]
    pub fn issuer(&self, number: u16) -> Option<&IssuerCertificate> {
        self.issuers.get(&number).map(|held| &held.value)
    }

    /// All issuers, by number.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerCertificate> {
        self.issuers.values().map(|held| &held.value)
    }

    /// The newest charter.
    #[must_use]
    pub fn charter(&self) -> &Charter {
        &self.charters.last().expect("invariant: a roster is made with its first charter and only truncated above it").value
    }

    /// All charters, by version.
    pub fn charters(&self) -> impl Iterator<Item = &Charter> {
        self.charters.iter().map(|held| &held.value)
    }

    /// The firm of a node: its issuer's.
    #[must_use]
    pub fn firm(&self, node: NodeId) -> Option<&str> {
        self.issuer(node.issuer).map(|issuer| issuer.firm.as_str())
    }

    /// Newest certificates, by name, of revoked nodes too.
    pub fn members(&self) -> impl Iterator<Item = &NodeCertificate> {
        self.nodes.keys().filter_map(|node| self.newest(*node))
    }

    /// Certificates of generations before the newest, by name and generation.
    pub fn former(&self) -> impl Iterator<Item = &NodeCertificate> {
        self.nodes.iter().flat_map(|(node, generations)| {
            let before = generations.len().saturating_sub(1);
            generations.keys().take(before).filter_map(|generation| self.certificate(*node, *generation))
        })
    }

    /// Current certificates, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeCertificate> {
        self.nodes.keys().filter_map(|node| self.current(*node))
    }

    /// Keys of current certificates: who may open a link.
    pub fn keys(&self) -> impl Iterator<Item = PublicKey> {
        self.nodes().map(|certificate| certificate.key)
    }

    /// Envelopes that prove a node to someone who has only the first charter: all charters, its issuer and deputy, or those that vouch for
    /// it, itself. Empty if unknown or void.
    #[must_use]
    pub fn chain(&self, node: NodeId) -> Vec<Bytes> {
        let Some(certificate) = self.current(node) else { return Vec::new() };
        let Ok(held) = self.usable(node, certificate.generation) else { return Vec::new() };
        let issuer = self.issuers.get(&node.issuer).map(|issuer| &issuer.envelope);
        let charters = self.charters.iter().map(|charter| &charter.envelope);
        let giver =
            if node.is_guest() { self.chain_of_guest(&held.vouchers) } else { self.chain_of_giver(node, certificate.generation) };
        charters.chain(issuer).cloned().chain(giver).chain([held.held.envelope.clone()]).collect()
    }

    /// Everything held, evidence too, in the order of [`ObjectKey`]: equal rosters list the same keys and hashes.
    pub fn objects(&self) -> impl Iterator<Item = ObjectRef<'_>> {
        let charters = self.charters.iter().map(|held| object(ObjectKey::Charter(held.value.version), held));
        let issuers = self.issuers.iter().map(|(number, held)| object(ObjectKey::Issuer(*number), held));
        let nodes = self.nodes.values().flat_map(|generations| generations.values()).flat_map(|keys| keys.values());
        charters
            .chain(issuers)
            .chain(self.deputy_objects())
            .chain(nodes.map(|node| object(node_key(&node.held.value), &node.held)))
            .chain(self.revocation_objects())
            .chain(self.delegation_objects())
    }

    /// Whether offering these objects would change nothing: each is held already.
    #[must_use]
    pub fn holds_all(&self, objects: &[Bytes]) -> bool {
        objects.iter().all(|object| open(object).is_ok_and(|object| self.hashes.contains(&object.hash)))
    }

    /// Whether an object with this body hash is held.
    #[must_use]
    pub fn has(&self, hash: &[u8; 16]) -> bool {
        self.hashes.contains(hash)
    }

    /// Numbers above its floor a node may use: the newest certificate's, or the last known where that is void. `None` if unknown.
    #[must_use]
    pub fn window(&self, node: NodeId) -> Option<u32> {
        self.nodes.get(&node)?.last_key_value().and_then(|(generation, _)| self.window_of(node, *generation))
    }

    /// The same for one generation: a number is judged by the window of the generation it was written in.
    #[must_use]
    pub fn window_of(&self, node: NodeId, generation: Generation) -> Option<u32> {
        self.nodes.get(&node)?.get(&generation)?.values().map(|held| held.held.value.window()).max()
    }

    /// Checks an author's word.
    pub(super) fn check_word(
        &self,
        author: NodeId,
        generation: Generation,
        tag: Tag,
        bytes: &[u8],
        signature: &Signature,
    ) -> Result<(), Rejected> {
        let held = self.usable(author, generation)?;
        let message = self.realm.message(tag, bytes);
        let good = verify_with(&held.key, &message, signature);
        if good { Ok(()) } else { Err(Rejected::BadSignature) }
    }

    /// The key that may speak for a name and generation.
    ///
    /// # Errors
    /// [`Rejected::UnknownAuthor`]; [`Rejected::Void`] where certificates contradict each other.
    pub fn usable_key(&self, node: NodeId, generation: Generation) -> Result<PublicKey, Rejected> {
        self.usable(node, generation).map(|held| held.held.value.key)
    }

    fn usable(&self, node: NodeId, generation: Generation) -> Result<&HeldNode, Rejected> {
        let keys = self.nodes.get(&node).and_then(|generations| generations.get(&generation)).ok_or(Rejected::UnknownAuthor)?;
        let mut keys = keys.iter();
        match (keys.next(), keys.next()) {
            (Some((key, held)), None) if !self.is_shared(key, node) => Ok(held.as_ref()),
            (None, _) => Err(Rejected::UnknownAuthor),
            (Some(_), _) => Err(Rejected::Void),
        }
    }

    /// Whether the issuer of `node` gave this key to another of its names too.
    fn is_shared(&self, key: &PublicKey, node: NodeId) -> bool {
        let same_issuer = |other: &(NodeId, Generation)| other.0 != node && other.0.issuer == node.issuer;
        !node.is_guest() && self.shared > 0 && self.names.get(key).is_some_and(|names| names.iter().any(same_issuer))
    }

    /// After a change of issuer or deputy: takes the issuer's nodes out and offers them again, so that only what may be given stays.
    fn judge_nodes(&mut self, number: u16) {
        self.judge_deputies(number);
        let range = NodeId { issuer: number, serial: 0 }..=NodeId { issuer: number, serial: u16::MAX };
        let names: Vec<NodeId> = self.nodes.range(range).map(|(node, _)| *node).collect();
        let mut envelopes = Vec::new();
        for name in names {
            let keys = self.nodes.remove(&name).into_iter().flat_map(Generations::into_values);
            for held in keys.flat_map(Keys::into_values).collect::<Vec<_>>() {
                self.forget(&held);
                envelopes.push(held.held.envelope);
            }
        }
        for envelope in envelopes {
            // Refused now means: its issuer may no longer give it. It comes again if that changes.
            if let Ok(Envelope { body, hash, parsed: Parsed::Node { value, signature } }) = open(&envelope)
                && let Ok(key) = self.check_node(&value, body, &signature)
            {
                let _older = self.put_node(HeldNode { held: Held::new(value, hash, &envelope), key, vouchers: Vec::new() });
            }
        }
        self.judge_guests();
        self.judge_revocations(|node| node.is_guest() || node.issuer == number);
        self.judge_delegations();
    }

    fn check_node(&self, value: &NodeCertificate, body: &[u8], signature: &Signature) -> Result<VerifyingKey, Rejected> {
        // Before its signature: names there can't be are refused at no cost.
        let (giver, roles, regions) = self.giver(value.node, value.generation)?;
        if !giver.verify(&self.realm.message(Tag::Node, body), signature) {
            return Err(Rejected::BadSignature);
        }
        let beyond = [(!roles.contains(value.role), Beyond::Role), (!regions.contains(value.region), Beyond::Region)];
        if let Some((_, what)) = beyond.into_iter().find(|(is, _)| *is) {
            return Err(Rejected::Beyond(what));
        }
        value.key.strong().ok_or(Rejected::WeakKey)
    }

    /// Puts a checked certificate in its place, and judges what its node stands behind.
    fn offer_node(&mut self, new: HeldNode) -> Result<Offered, Rejected> {
        let node = new.held.value.node;
        if self.put_node(new)? {
            self.judge_guests();
            // A paper stands on the key that signed it.
            self.judge_revocations(|other| other == node || other.is_guest());
        }
        // A second key under a name, or a second name of a key, voids what it signed.
        self.judge_delegations();
        Ok(Offered::New)
    }

    /// Whether another key gave way, by which somebody may have vouched.
    fn put_node(&mut self, new: HeldNode) -> Result<bool, Rejected> {
        let NodeCertificate { node, generation, key, .. } = new.held.value;
        let generations = self.nodes.entry(node).or_default();
        let lowest = generations.first_key_value().map(|(lowest, _)| *lowest);
        if generations.len() >= GENERATIONS_MAX && lowest.is_some_and(|lowest| generation < lowest) {
            return Err(Rejected::Older);
        }
        let keys = generations.entry(generation).or_default();
        if keys.get(&key).is_some_and(|there| there.rank() > new.rank()) {
            return Err(Rejected::Older);
        }
        if keys.len() >= FORK_KEYS_MAX && keys.first_key_value().is_some_and(|(lowest, _)| key < *lowest) {
            // A third key adds nothing to the proof.
            return Err(Rejected::Void);
        }
        let hash = new.held.hash;
        let mut fallen: Vec<_> = keys.insert(key, Box::new(new)).into_iter().collect();
        while keys.len() > FORK_KEYS_MAX {
            fallen.extend(keys.pop_first().map(|(_, held)| held));
        }
        while generations.len() > GENERATIONS_MAX {
            fallen.extend(generations.pop_first().into_iter().flat_map(|(_, keys)| keys.into_values()));
        }
        for old in &fallen {
            self.forget(old);
        }
        let gave_way = fallen.iter().any(|old| old.held.value.key != key || old.held.value.generation != generation);
        self.hashes.insert(hash);
        let names = self.names.entry(key).or_default();
        self.shared += usize::from(names.insert((node, generation)) && names.len() == 2);
        Ok(gave_way)
    }

    /// Takes a certificate that is held no more out of the indexes.
    fn forget(&mut self, old: &HeldNode) {
        let NodeCertificate { node, generation, key, .. } = old.held.value;
        self.hashes.remove(&old.held.hash);
        if let Some(names) = self.names.get_mut(&key) {
            self.shared -= usize::from(names.remove(&(node, generation)) && names.len() == 1);
            if names.is_empty() {
                self.names.remove(&key);
            }
        }
    }
}

fn object<T>(key: ObjectKey, held: &Held<T>) -> ObjectRef<'_> {
    ObjectRef { key, hash: held.hash, envelope: &held.envelope }
}

fn node_key(certificate: &NodeCertificate) -> ObjectKey {
    ObjectKey::Node(certificate.node, certificate.generation, certificate.key)
}
