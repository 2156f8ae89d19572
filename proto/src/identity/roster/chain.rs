//! The chain a peer presents on a link: charters, its issuer or those that vouch for it, itself. It says who is at the other end.

use bytes::Bytes;

use super::guests::{CHAIN_OF_GUEST_MAX, CHAIN_OF_NODE_MAX};
use super::{CHARTERS_MAX, Held, Offered, Roster};
use crate::id::{Generation, NodeId};
use crate::identity::certificate::{Parsed, open};
use crate::identity::{Charter, NodeCertificate, PublicKey, Rejected};

impl Roster {
    /// Takes in the chain a peer presents on a link and says who it is. `key` is the key the link proved. What was new, and so
    /// proved itself here, is added to `taken`; of what is held already the peer's bytes may have any signature.
    ///
    /// # Errors
    /// [`Rejected::OtherRealm`] if it does not begin with our first charter, [`Rejected::KeyMismatch`], [`Rejected::Replaced`],
    /// [`Rejected::Revoked`], [`Rejected::Void`], or why an object in it was refused. Objects before a refused one are kept: they proved themselves.
    pub fn admit_chain(
        &mut self,
        objects: &[Bytes],
        key: &PublicKey,
        taken: &mut Vec<Bytes>,
    ) -> Result<(NodeId, Generation), Rejected> {
        let last = self.end_of_chain(objects, key)?;
        for object in objects {
            match self.offer(object) {
                Ok(Offered::New) => taken.push(object.clone()),
                Ok(Offered::Known) | Err(Rejected::Older) => {}
                Err(other) => return Err(other),
            }
        }
        self.admitted(&last, key)
    }

    /// The same for a chain of which every object is held: nothing changes.
    ///
    /// # Errors
    /// As [`Self::admit_chain`].
    pub fn admit_held_chain(&self, objects: &[Bytes], key: &PublicKey) -> Result<(NodeId, Generation), Rejected> {
        self.end_of_chain(objects, key).and_then(|last| self.admitted(&last, key))
    }

    /// Whose chain it claims to be, if it begins with our first charter.
    fn end_of_chain(&self, objects: &[Bytes], key: &PublicKey) -> Result<NodeCertificate, Rejected> {
        if objects.len() > CHAIN_OF_GUEST_MAX {
            return Err(Rejected::TooLong);
        }
        let (first, last) = objects.first().zip(objects.last()).ok_or(Rejected::WrongKind)?;
        let ours =
            |charter: &Held<Charter>| charter.envelope == *first || open(first).map(|first| first.hash) == Ok(charter.hash);
        if !self.charters.first().is_some_and(ours) {
            return Err(Rejected::OtherRealm);
        }
        let value = match open(last)?.parsed {
            Parsed::Guest { value, .. } => value,
            Parsed::Node { .. } if objects.len() > CHARTERS_MAX + CHAIN_OF_NODE_MAX => return Err(Rejected::TooLong),
            Parsed::Node { value, .. } => value,
            Parsed::Charter { .. }
            | Parsed::Issuer { .. }
            | Parsed::Deputy { .. }
            | Parsed::Revocation { .. }
            | Parsed::Delegation { .. } => return Err(Rejected::WrongKind),
        };
        if value.key != *key {
            return Err(Rejected::KeyMismatch);
        }
        Ok(value)
    }

    /// The end of a chain, judged by what is held.
    fn admitted(&self, last: &NodeCertificate, key: &PublicKey) -> Result<(NodeId, Generation), Rejected> {
        if self.usable_key(last.node, last.generation)? != *key {
            return Err(Rejected::KeyMismatch);
        }
        match self.current(last.node) {
            Some(current) if current.generation == last.generation => Ok((last.node, last.generation)),
            None if self.is_revoked(last.node, last.generation) => Err(Rejected::Revoked),
            None if last.node.is_guest() && self.highest_generation(last.node) == Some(last.generation) => {
                Err(Rejected::TooFewVouchers)
            }
            Some(_) | None => Err(Rejected::Replaced),
        }
    }
}
