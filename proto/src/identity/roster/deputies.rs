//! Deputies of issuers: which are held, and what they may give.

use bytes::Bytes;

use super::{Held, ObjectKey, ObjectRef, Offered, Roster, object};
use crate::id::{Generation, NodeId};
use crate::identity::certificate::{Envelope, Parsed, open};
use crate::identity::{Beyond, DeputyCertificate, PublicKey, Regions, Rejected, Roles, Signature, Tag};

impl Roster {
    /// A deputy's certificate that counts.
    #[must_use]
    pub fn deputy(&self, issuer: u16, giver: u8) -> Option<&DeputyCertificate> {
        self.deputies.get(&(issuer, giver)).map(|held| &held.value)
    }

    /// All deputies, by issuer and number.
    pub fn deputies(&self) -> impl Iterator<Item = &DeputyCertificate> {
        self.deputies.values().map(|held| &held.value)
    }

    pub(super) fn deputy_objects(&self) -> impl Iterator<Item = ObjectRef<'_>> {
        self.deputies.iter().map(|((issuer, giver), held)| object(ObjectKey::Deputy(*issuer, *giver), held))
    }

    pub(super) fn offer_deputy(
        &mut self,
        held: Held<DeputyCertificate>,
        body: &[u8],
        signature: &Signature,
    ) -> Result<Offered, Rejected> {
        let place = (held.value.issuer, held.value.giver);
        self.check_deputy(&held.value, body, signature)?;
        if self.deputies.get(&place).is_some_and(|there| (there.value.version, there.hash) > (held.value.version, held.hash)) {
            return Err(Rejected::Older);
        }
        self.hashes.insert(held.hash);
        if let Some(old) = self.deputies.insert(place, held) {
            self.hashes.remove(&old.hash);
        }
        self.judge_nodes(place.0);
        Ok(Offered::New)
    }

    fn check_deputy(&self, value: &DeputyCertificate, body: &[u8], signature: &Signature) -> Result<(), Rejected> {
        let issuer = &self.issuers.get(&value.issuer).ok_or(Rejected::UnknownIssuer)?.value;
        let last = value.first.saturating_add(value.max_nodes.saturating_sub(1));
        if !issuer.covers(value.first) || !issuer.covers(last) {
            return Err(Rejected::Beyond(Beyond::Serial));
        }
        if value.roles.0 & !issuer.roles.0 != 0 {
            return Err(Rejected::Beyond(Beyond::Role));
        }
        if value.regions.0 & !issuer.regions.0 != 0 {
            return Err(Rejected::Beyond(Beyond::Region));
        }
        let good = issuer.key.verify(&self.realm.message(Tag::Deputy, body), signature);
        if good { Ok(()) } else { Err(Rejected::BadSignature) }
    }

    /// After a change of issuer: deputies it no longer carries fall. Its nodes are judged after them.
    pub(super) fn judge_deputies(&mut self, number: u16) {
        let stands = |roster: &Self, envelope: &[u8]| match open(envelope) {
            Ok(Envelope { body, parsed: Parsed::Deputy { value, signature }, .. }) => {
                roster.check_deputy(&value, body, &signature).is_ok()
            }
            Ok(_) | Err(_) => false,
        };
        let of_it = self.deputies.range((number, 0)..=(number, u8::MAX));
        let fallen: Vec<(u16, u8)> = of_it.filter(|(_, held)| !stands(self, &held.envelope)).map(|(place, _)| *place).collect();
        for place in fallen {
            if let Some(held) = self.deputies.remove(&place) {
                self.hashes.remove(&held.hash);
            }
        }
    }

    /// Envelopes that prove who certifies to someone who has nothing: all charters, the issuer, and the deputy where one is named.
    #[must_use]
    pub fn givers(&self, issuer: u16, giver: u8) -> Vec<Bytes> {
        let charters = self.charters.iter().map(|charter| &charter.envelope);
        let issuer_held = self.issuers.get(&issuer).map(|held| &held.envelope);
        let deputy = self.deputies.get(&(issuer, giver)).map(|held| &held.envelope);
        charters.chain(issuer_held).chain(deputy).cloned().collect()
    }

    /// The key that gives a name and generation, and what it may give.
    ///
    /// # Errors
    /// [`Rejected::UnknownIssuer`], also where the deputy is not known; [`Rejected::Beyond`] where the serial is not its own.
    pub(super) fn giver(&self, node: NodeId, generation: Generation) -> Result<(PublicKey, Roles, Regions), Rejected> {
        let issuer = &self.issuers.get(&node.issuer).ok_or(Rejected::UnknownIssuer)?.value;
        if !issuer.covers(node.serial) {
            return Err(Rejected::Beyond(Beyond::Serial));
        }
        if generation.giver == 0 {
            return Ok((issuer.key, issuer.roles, issuer.regions));
        }
        let deputy = self.deputy(node.issuer, generation.giver).ok_or(Rejected::UnknownIssuer)?;
        if !deputy.covers(node.serial) && self.given_up(node, generation).is_none() {
            return Err(Rejected::Beyond(Beyond::Giver));
        }
        Ok((deputy.key, deputy.roles, deputy.regions))
    }

    /// The key before this one whose paper is held: it ended itself, and anybody's deputy may give the next.
    fn given_up(&self, node: NodeId, generation: Generation) -> Option<Generation> {
        let before = generation.count.checked_sub(1)?;
        let range = Generation { count: before, giver: 0 }..=Generation { count: before, giver: u8::MAX };
        self.revoked.get(&node)?.range(range).find(|(_, revoked)| revoked.itself.is_some()).map(|(generation, _)| *generation)
    }

    /// What proves that a deputy may give this: its certificate and, for a serial that is not its own, the key before with its paper.
    pub(super) fn chain_of_giver(&self, node: NodeId, generation: Generation) -> Vec<Bytes> {
        let mut chain: Vec<_> =
            self.deputies.get(&(node.issuer, generation.giver)).map(|held| held.envelope.clone()).into_iter().collect();
        let own = self.deputy(node.issuer, generation.giver).is_none_or(|deputy| deputy.covers(node.serial));
        if let Some(before) = self.given_up(node, generation).filter(|_| !own) {
            chain.extend(self.deputies.get(&(node.issuer, before.giver)).map(|held| held.envelope.clone()));
            chain.extend(self.usable(node, before).ok().map(|held| held.held.envelope.clone()));
            let paper = self.revoked.get(&node).and_then(|generations| generations.get(&before)?.itself.as_ref());
            chain.extend(paper.map(|held| held.envelope.clone()));
        }
        chain
    }
}
