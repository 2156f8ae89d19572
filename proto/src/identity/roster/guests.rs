//! Guests: which are held, and who stands behind them.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{CHARTERS_MAX, Generations, Keys, Roster};
use crate::id::{Generation, ISSUER_MAX, NodeId};
use crate::identity::certificate::{Envelope, Parsed, open};
use crate::identity::guest::{VOUCHER_FIRMS_MIN, VOUCHERS_MAX, VOUCHERS_MIN, Vouch};
use crate::identity::{NodeCertificate, Rejected, Tag};

/// Objects that prove one certified node below the charters: its issuer, its certificate; where a deputy gave it, that deputy, the key
/// before, its own deputy and its paper.
pub(super) const CHAIN_OF_NODE_MAX: usize = 6;
/// Objects in a guest's chain: all charters, what proves each that vouches, itself.
pub(super) const CHAIN_OF_GUEST_MAX: usize = CHARTERS_MAX + VOUCHERS_MAX * CHAIN_OF_NODE_MAX + 1;

impl Roster {
    /// Whether it is that node's word, by a key it has or had.
    ///
    /// # Errors
    /// [`Rejected::BadSignature`] where it is not; [`Rejected::UnknownAuthor`] where no such key is held.
    pub(in crate::identity) fn check_vouch(&self, vouch: &Vouch, body: &[u8]) -> Result<(), Rejected> {
        let keys = self.nodes.get(&vouch.node).and_then(|generations| generations.get(&vouch.generation));
        let message = self.realm.message(Tag::Guest, body);
        let signed = keys.ok_or(Rejected::UnknownAuthor)?.keys().any(|key| key.verify(&message, &vouch.signature));
        if signed { Ok(()) } else { Err(Rejected::BadSignature) }
    }

    /// Whether a node is still who it was when it vouched.
    pub(in crate::identity) fn still_vouches(&self, (node, generation): (NodeId, Generation)) -> bool {
        self.current(node).is_some_and(|current| current.generation == generation)
    }

    /// Enough nodes, of enough firms, the one it is named for among them.
    pub(in crate::identity) fn suffice(&self, guest: NodeId, vouchers: &[NodeId]) -> bool {
        let firms: BTreeSet<&str> = vouchers.iter().filter_map(|node| self.firm(*node)).collect();
        vouchers.len() >= VOUCHERS_MIN && firms.len() >= VOUCHER_FIRMS_MIN && vouchers.contains(&guest.host())
    }

    /// Enough vouched for it. Whether they still do is [`Self::is_vouched_for`]'s to say: what it said meanwhile must be checkable by
    /// everybody, whatever came first.
    pub(super) fn check_guest(&self, value: &NodeCertificate, body: &[u8], vouches: &[Vouch]) -> Result<(), Rejected> {
        vouches.iter().try_for_each(|vouch| self.check_vouch(vouch, body))?;
        let vouchers: Vec<NodeId> = vouches.iter().map(|vouch| vouch.node).collect();
        if self.suffice(value.node, &vouchers) { Ok(()) } else { Err(Rejected::TooFewVouchers) }
    }

    /// Whether enough of those who vouched for this generation of a guest still are who they were.
    pub(super) fn is_vouched_for(&self, guest: NodeId, generation: Generation) -> bool {
        let Ok(held) = self.usable(guest, generation) else { return false };
        let standing = held.vouchers.iter().filter(|voucher| self.still_vouches(**voucher)).map(|(node, _)| *node);
        self.suffice(guest, &standing.collect::<Vec<_>>())
    }

    /// After a change of issuers, or where a key gave way: guests that not enough vouched for any more are dropped.
    pub(super) fn judge_guests(&mut self) {
        let first = NodeId { issuer: ISSUER_MAX + 1, serial: 0 };
        let guests = self.nodes.range(first..).flat_map(|(_, generations)| generations.values()).flat_map(Keys::values);
        let stands = |Envelope { body, parsed, .. }: Envelope<'_>| matches!(parsed, Parsed::Guest { value, vouches } if self.check_guest(&value, body, &vouches).is_ok());
        let fallen: Vec<NodeCertificate> =
            guests.filter(|held| !open(&held.held.envelope).is_ok_and(stands)).map(|held| held.held.value.clone()).collect();
        for certificate in fallen {
            self.drop_node(&certificate);
        }
    }

    /// Takes one certificate out, and its name where it was the last.
    fn drop_node(&mut self, certificate: &NodeCertificate) {
        let NodeCertificate { node, generation, key, .. } = certificate;
        let keys = self.nodes.get_mut(node).and_then(|generations| generations.get_mut(generation));
        if let Some(held) = keys.and_then(|keys| keys.remove(key)) {
            self.forget(&held);
        }
        if let Some(generations) = self.nodes.get_mut(node) {
            generations.retain(|_, keys| !keys.is_empty());
            if generations.is_empty() {
                self.nodes.remove(node);
            }
        }
    }

    /// What proves those that vouched, by the keys they did it with, without the charters; each object once.
    pub(super) fn chain_of_guest(&self, vouchers: &[(NodeId, Generation)]) -> Vec<Bytes> {
        let mut chain: Vec<Bytes> = Vec::new();
        for (node, generation) in vouchers {
            let issuer = self.issuers.get(&node.issuer).map(|issuer| issuer.envelope.clone());
            let giver = self.chain_of_giver(*node, *generation);
            let keys = self.nodes.get(node).and_then(|generations: &Generations| generations.get(generation));
            let own = keys.into_iter().flat_map(Keys::values).map(|held| held.held.envelope.clone());
            for object in issuer.into_iter().chain(giver).chain(own) {
                if !chain.contains(&object) {
                    chain.push(object);
                }
            }
        }
        chain
    }
}
