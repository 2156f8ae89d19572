//! Delegations to persons: which are held, and whether an act is covered by one.
//!
//! They prove themselves as certificates do, and fall with the key that signed them. An end is a higher version of the same, so that
//! what is kept of each giver stays bounded and what counts follows from the set alone.

use bytes::Bytes;

use super::{Held, ObjectKey, ObjectRef, Offered, Roster, object};
use crate::id::{EntryId, NodeId};
use crate::identity::certificate::{Envelope, Parsed, open};
use crate::identity::delegation::{Act, Delegation, DelegationId, NotDelegated};
use crate::identity::{Beyond, PublicKey, Regions, Rejected, Signature, Tag};
use crate::time::UtcMillis;

impl Roster {
    /// A delegation that counts, ended or not.
    #[must_use]
    pub fn delegation(&self, id: DelegationId) -> Option<&Delegation> {
        self.delegations.get(&id).map(|held| &held.value)
    }

    /// All delegations, by who gave them.
    pub fn delegations(&self) -> impl Iterator<Item = &Delegation> {
        self.delegations.values().map(|held| &held.value)
    }

    /// Who gave a delegation, for people: the firm, or the node by name.
    #[must_use]
    pub fn delegator(&self, id: DelegationId) -> Option<&str> {
        match id.node() {
            Some(node) => self.newest(node).map(|certificate| certificate.name.as_str()),
            None => self.issuer(id.issuer).map(|issuer| issuer.firm.as_str()),
        }
    }

    /// Envelopes that prove a delegation to someone who has nothing. Empty if it is not held.
    #[must_use]
    pub fn chain_of_delegation(&self, id: DelegationId) -> Vec<Bytes> {
        let Some(held) = self.delegations.get(&id) else { return Vec::new() };
        let before = id.node().map_or_else(|| self.givers(id.issuer, 0), |node| self.chain(node));
        before.into_iter().chain([held.envelope.clone()]).collect()
    }

    pub(super) fn delegation_objects(&self) -> impl Iterator<Item = ObjectRef<'_>> {
        self.delegations.iter().map(|(id, held)| object(ObjectKey::Delegation(*id), held))
    }

    pub(super) fn offer_delegation(
        &mut self,
        held: Held<Delegation>,
        body: &[u8],
        signature: &Signature,
    ) -> Result<Offered, Rejected> {
        let id = held.value.id;
        self.check_delegation(&held.value, body, signature)?;
        if self.delegations.get(&id).is_some_and(|there| (there.value.version, there.hash) > (held.value.version, held.hash)) {
            return Err(Rejected::Older);
        }
        self.hashes.insert(held.hash);
        if let Some(old) = self.delegations.insert(id, held) {
            self.hashes.remove(&old.hash);
        }
        Ok(Offered::New)
    }

    fn check_delegation(&self, value: &Delegation, body: &[u8], signature: &Signature) -> Result<(), Rejected> {
        let (key, regions) = self.giver_of(value)?;
        if value.regions.0 & !regions.0 != 0 {
            return Err(Rejected::Beyond(Beyond::Region));
        }
        let good = key.verify(&self.realm.message(Tag::Delegation, body), signature);
        if good { Ok(()) } else { Err(Rejected::BadSignature) }
    }

    /// The key that gives it, and where that one may let others act.
    fn giver_of(&self, value: &Delegation) -> Result<(PublicKey, Regions), Rejected> {
        let Some((node, generation)) = value.id.node().zip(value.generation) else {
            let issuer = self.issuer(value.id.issuer).ok_or(Rejected::UnknownIssuer)?;
            return Ok((issuer.key, issuer.regions));
        };
        if node.is_guest() {
            return Err(Rejected::Beyond(Beyond::Role));
        }
        let key = self.usable_key(node, generation)?;
        if self.is_revoked(node, generation) {
            return Err(Rejected::Revoked);
        }
        // Which regions an authority's orders are for is not the roster's to say; where the fact is judged, it is.
        Ok((key, Regions::ALL))
    }

    /// After a change of keys: delegations that nobody stands behind any more fall.
    pub(super) fn judge_delegations(&mut self) {
        if self.delegations.is_empty() {
            return;
        }
        let stands = |roster: &Self, envelope: &[u8]| match open(envelope) {
            Ok(Envelope { body, parsed: Parsed::Delegation { value, signature }, .. }) => {
                roster.check_delegation(&value, body, &signature).is_ok()
            }
            Ok(_) | Err(_) => false,
        };
        let fallen: Vec<_> =
            self.delegations.iter().filter(|(_, held)| !stands(self, &held.envelope)).map(|(id, _)| *id).collect();
        for id in fallen {
            if let Some(held) = self.delegations.remove(&id) {
                self.hashes.remove(&held.hash);
            }
        }
    }

    /// Whether a node may serve by a delegation.
    ///
    /// # Errors
    /// [`NotDelegated::Unknown`] or [`NotDelegated::Elsewhere`].
    pub fn may_serve(&self, id: DelegationId, node: NodeId) -> Result<&Delegation, NotDelegated> {
        let delegation = self.delegation(id).ok_or(NotDelegated::Unknown)?;
        let there = self.newest(node).is_some_and(|certificate| delegation.regions.contains(certificate.region));
        let one = delegation.node.is_none_or(|only| only == node);
        let firm = self.firm(node).is_some() && self.firm(node) == self.issuer(id.issuer).map(|issuer| issuer.firm.as_str());
        if there && one && firm { Ok(delegation) } else { Err(NotDelegated::Elsewhere) }
    }

    /// The delegation that covers what a person said, or is to say, at a place, as far as places and days decide. Whether the person
    /// signed it is [`Delegation::is_signed`]'s to say, once for each key.
    ///
    /// # Errors
    /// [`NotDelegated`].
    pub fn covering(&self, act: &Act, entry: EntryId, wall: UtcMillis) -> Result<&Delegation, NotDelegated> {
        let delegation = self.may_serve(act.of, entry.log.author)?;
        delegation.covers(act, entry, wall)?;
        Ok(delegation)
    }

    /// Judges what a person said, or is to say, at a place, as far as keys, places and days decide.
    ///
    /// # Errors
    /// [`NotDelegated`].
    pub fn check_act(&self, act: &Act, entry: EntryId, wall: UtcMillis) -> Result<&Delegation, NotDelegated> {
        let delegation = self.covering(act, entry, wall)?;
        if delegation.is_signed(&self.realm, act, entry) { Ok(delegation) } else { Err(NotDelegated::Signature) }
    }
}
