//! Keys taken away: which revocations count and what they leave standing.

use std::collections::BTreeMap;

use super::{GENERATIONS_MAX, Held, ObjectKey, ObjectRef, Offered, Roster, check_roots};
use crate::id::{Generation, NodeId, Standing};
use crate::identity::certificate::{Parsed, Proof, open};
use crate::identity::{Beyond, Cut, Rejected, Revocation, RevokedBy, Tag};

/// Revocations of one key that are kept of its issuer, the highest: an issuer and its deputies, who may not know of each other.
const BY_ISSUER_MAX: usize = 4;

/// All that is held of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Revoked {
    roots: Option<Held<Revocation>>,
    /// Its paper.
    pub(super) itself: Option<Held<Revocation>>,
    /// The highest first.
    issuer: Vec<Held<Revocation>>,
}

fn rank(held: &Held<Revocation>) -> (u32, [u8; 16]) {
    (held.value.version, held.hash)
}

impl Revoked {
    fn held(&self) -> impl Iterator<Item = &Held<Revocation>> {
        self.roots.iter().chain(&self.itself).chain(&self.issuer)
    }

    /// Puts one in its place; what falls out, which may be itself.
    fn put(&mut self, new: Held<Revocation>) -> Option<Held<Revocation>> {
        let place = match new.value.by {
            RevokedBy::Roots => &mut self.roots,
            RevokedBy::Itself => &mut self.itself,
            RevokedBy::Issuer => {
                let at = self.issuer.partition_point(|other| rank(other) > rank(&new));
                self.issuer.insert(at, new);
                return (self.issuer.len() > BY_ISSUER_MAX).then(|| self.issuer.pop()).flatten();
            }
        };
        if place.as_ref().is_some_and(|there| rank(there) > rank(&new)) { Some(new) } else { place.replace(new) }
    }

    fn standing(&self) -> Standing {
        let cuts = |held: &'_ Held<Revocation>| held.value.cuts.is_some();
        let lists = |held: &mut dyn Iterator<Item = &Held<Revocation>>| {
            let lists: Vec<Vec<Cut>> = held.filter_map(|one| one.value.cuts.clone()).collect();
            Standing::of(&lists.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        let counts =
            if self.roots.as_ref().is_some_and(cuts) { lists(&mut self.roots.iter()) } else { lists(&mut self.issuer.iter()) };
        counts.unwrap_or(if self.held().next().is_some() { Standing::InQuestion } else { Standing::Whole })
    }
}

impl Roster {
    /// A key was taken away.
    #[must_use]
    pub fn is_revoked(&self, node: NodeId, generation: Generation) -> bool {
        !self.revoked.is_empty() && self.revoked.get(&node).is_some_and(|generations| generations.contains_key(&generation))
    }

    /// Which words of a key count.
    #[must_use]
    pub fn standing(&self, node: NodeId, generation: Generation) -> Standing {
        self.revoked.get(&node).and_then(|generations| generations.get(&generation)).map_or(Standing::Whole, Revoked::standing)
    }

    /// Keys taken away, by name and generation.
    pub fn revoked(&self) -> impl Iterator<Item = (NodeId, Generation)> + '_ {
        self.revoked.iter().flat_map(|(node, generations)| generations.keys().map(|generation| (*node, *generation)))
    }

    /// Who took a key away and why, what counts most first.
    pub fn revocations_of(&self, node: NodeId, generation: Generation) -> impl Iterator<Item = &Revocation> {
        let held = self.revoked.get(&node).and_then(|generations| generations.get(&generation));
        held.into_iter().flat_map(Revoked::held).map(|held| &held.value)
    }

    pub(super) fn revocation_objects(&self) -> impl Iterator<Item = ObjectRef<'_>> {
        self.revoked.iter().flat_map(|(node, generations)| {
            generations.iter().flat_map(move |(generation, revoked)| {
                let key = move |hash| ObjectKey::Revocation(*node, *generation, hash);
                let mut held: Vec<_> = revoked.held().collect();
                held.sort_unstable_by_key(|held| held.hash);
                held.into_iter().map(move |held| ObjectRef { key: key(held.hash), hash: held.hash, envelope: &held.envelope })
            })
        })
    }

    pub(super) fn offer_revocation(&mut self, held: Held<Revocation>, body: &[u8], proof: &Proof) -> Result<Offered, Rejected> {
        let Revocation { node, generation, .. } = held.value;
        self.check_revocation(&held.value, body, proof)?;
        let generations = self.revoked.entry(node).or_default();
        let hash = held.hash;
        self.hashes.insert(hash);
        let mut fallen: Vec<_> = generations.entry(generation).or_default().put(held).into_iter().collect();
        // An issuer may name any generation, and must not push out what the roots or the key itself said.
        while generations.values().filter(|revoked| !revoked.issuer.is_empty()).count() > GENERATIONS_MAX {
            let lowest = generations.iter_mut().find(|(_, revoked)| !revoked.issuer.is_empty());
            fallen.extend(lowest.into_iter().flat_map(|(_, revoked)| std::mem::take(&mut revoked.issuer)));
            generations.retain(|_, revoked| revoked.held().next().is_some());
        }
        for old in &fallen {
            self.hashes.remove(&old.hash);
        }
        if self.hashes.contains(&hash) { Ok(Offered::New) } else { Err(Rejected::Older) }
    }

    fn check_revocation(&self, value: &Revocation, body: &[u8], proof: &Proof) -> Result<(), Rejected> {
        // A guest ends by whoever gave the one that vouched for it first.
        let issuer = &self.issuers.get(&value.node.host().issuer).ok_or(Rejected::UnknownIssuer)?.value;
        if !issuer.covers(value.node.serial) {
            return Err(Rejected::Beyond(Beyond::Serial));
        }
        let message = self.realm.message(Tag::Revocation, body);
        let key = match (value.by, proof) {
            (RevokedBy::Roots, Proof::Roots(signatures)) => {
                let place = usize::try_from(value.charter).ok().and_then(|version| version.checked_sub(1));
                let named = self.charters.get(place.ok_or(Rejected::Malformed)?).ok_or(Rejected::UnknownCharter)?;
                return check_roots(&named.value, self.charter(), signatures, &message);
            }
            (RevokedBy::Issuer, Proof::One(_)) => issuer.key,
            // Any key held under that name: whether it is void may change, and with it nobody's mind.
            (RevokedBy::Itself, Proof::One(signature)) => {
                let keys = self.nodes.get(&value.node).and_then(|generations| generations.get(&value.generation));
                let keys = keys.ok_or(Rejected::UnknownAuthor)?;
                *keys.keys().find(|key| key.verify(&message, signature)).ok_or(Rejected::BadSignature)?
            }
            (RevokedBy::Roots, Proof::One(_)) | (RevokedBy::Issuer | RevokedBy::Itself, Proof::Roots(_)) => {
                return Err(Rejected::Malformed);
            }
        };
        match proof {
            Proof::One(signature) if key.verify(&message, signature) => Ok(()),
            Proof::One(_) | Proof::Roots(_) => Err(Rejected::BadSignature),
        }
    }

    /// After a change of charter, issuer or nodes: revocations of these nodes are taken out and offered again.
    pub(super) fn judge_revocations(&mut self, whose: impl Fn(NodeId) -> bool) {
        let names: Vec<NodeId> = self.revoked.keys().copied().filter(|node| whose(*node)).collect();
        for name in names {
            let generations: BTreeMap<Generation, Revoked> = self.revoked.remove(&name).unwrap_or_default();
            for held in generations.values().flat_map(Revoked::held) {
                self.hashes.remove(&held.hash);
                if let Ok(opened) = open(&held.envelope)
                    && let Parsed::Revocation { value, proof } = opened.parsed
                {
                    // Refused now means: who signed it does so no more.
                    let _refused = self.offer_revocation(Held::new(value, opened.hash, &held.envelope), opened.body, &proof);
                }
            }
        }
    }
}
