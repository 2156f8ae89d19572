//! What the roots give: charters and issuers, and what falls when they change their mind.

use super::{CHARTERS_MAX, Held, ISSUERS_MAX, Offered, Roster};
use crate::config::AUTHORS_MAX;
use crate::identity::certificate::{Envelope, Parsed, RootSignature, open};
use crate::identity::{Charter, IssuerCertificate, Rejected, Tag};

impl Roster {
    pub(super) fn offer_charter(
        &mut self,
        held: Held<Charter>,
        body: &[u8],
        own: &[RootSignature],
        before: &[RootSignature],
    ) -> Result<Offered, Rejected> {
        if held.value.version == 1 || held.value.kind != self.kind {
            return Err(Rejected::OtherRealm);
        }
        let place = usize::try_from(held.value.version - 1).map_err(|_| Rejected::Malformed)?;
        let previous = self.charters.get(place - 1).ok_or(Rejected::UnknownCharter)?;
        if held.value.previous != Some(previous.hash) {
            return Err(Rejected::UnknownCharter);
        }
        if place >= CHARTERS_MAX {
            return Err(Rejected::Full);
        }
        if self.charters.get(place).is_some_and(|there| there.hash > held.hash) {
            return Err(Rejected::Older);
        }
        let message = self.realm.message(Tag::Charter, body);
        check_roots(&held.value, &held.value, own, &message)?;
        check_roots(&previous.value, &previous.value, before, &message)?;
        for fallen in self.charters.drain(place..) {
            self.hashes.remove(&fallen.hash);
        }
        self.hashes.insert(held.hash);
        self.charters.push(held);
        self.judge_issuers();
        Ok(Offered::New)
    }

    /// After a change of charter: issuers it no longer carries fall, and their nodes with them.
    fn judge_issuers(&mut self) {
        let fallen = |roster: &Self, held: &Held<IssuerCertificate>| match open(&held.envelope) {
            Ok(Envelope { body, parsed: Parsed::Issuer { value, own }, .. }) => roster.check_issuer(&value, body, &own).is_err(),
            Ok(_) | Err(_) => true,
        };
        let numbers: Vec<u16> = self.issuers.iter().filter(|(_, held)| fallen(self, held)).map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(held) = self.issuers.remove(&number) {
                self.hashes.remove(&held.hash);
            }
            self.judge_nodes(number);
        }
        self.judge_guests();
        self.judge_revocations(|_| true);
        self.judge_delegations();
    }

    fn check_issuer(&self, value: &IssuerCertificate, body: &[u8], own: &[RootSignature]) -> Result<(), Rejected> {
        let place = usize::try_from(value.charter).ok().and_then(|version| version.checked_sub(1)).ok_or(Rejected::Malformed)?;
        let named = self.charters.get(place).ok_or(Rejected::UnknownCharter)?;
        check_roots(&named.value, self.charter(), own, &self.realm.message(Tag::Issuer, body))
    }

    pub(super) fn offer_issuer(
        &mut self,
        held: Held<IssuerCertificate>,
        body: &[u8],
        own: &[RootSignature],
    ) -> Result<Offered, Rejected> {
        let number = held.value.number;
        let there = self.issuers.get(&number);
        // Before its signatures: a peer that has not heard of the newest charter may present one that no longer has enough of them.
        if there.is_some_and(|there| (there.value.version, there.hash) > (held.value.version, held.hash)) {
            return Err(Rejected::Older);
        }
        self.check_issuer(&held.value, body, own)?;
        let others = self.issuers.values().filter(|other| other.value.number != number);
        let nodes: usize = others.map(|other| usize::from(other.value.max_nodes)).sum();
        if nodes + usize::from(held.value.max_nodes) > AUTHORS_MAX || (there.is_none() && self.issuers.len() >= ISSUERS_MAX) {
            return Err(Rejected::Full);
        }
        self.hashes.insert(held.hash);
        if let Some(old) = self.issuers.insert(number, held) {
            self.hashes.remove(&old.hash);
        }
        self.judge_nodes(number);
        Ok(Offered::New)
    }
}

/// Checks that enough roots of `standing` signed, their indices read in `named`. Every signature given must hold: nothing unsigned
/// may ride along in an envelope.
pub(super) fn check_roots(
    named: &Charter,
    standing: &Charter,
    signatures: &[RootSignature],
    message: &[u8],
) -> Result<(), Rejected> {
    let mut have = 0;
    for (index, signature) in signatures {
        let root = named.roots.get(usize::from(*index)).ok_or(Rejected::BadSignature)?;
        if !root.key.verify(message, signature) {
            return Err(Rejected::BadSignature);
        }
        have += usize::from(standing.roots.iter().any(|other| other.key == root.key));
    }
    let want = usize::from(standing.k);
    if have < want { Err(Rejected::TooFewRoots { have, want }) } else { Ok(()) }
}
