//! Guests: which are held, and who stands behind them.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{CHARTERS_MAX, HeldNode, Roster};
use crate::id::NodeId;
use crate::identity::certificate::{Envelope, Parsed, open};
use crate::identity::guest::{VOUCHER_FIRMS_MIN, VOUCHERS_MAX, VOUCHERS_MIN, Vouch};
use crate::identity::{NodeCertificate, Rejected, Tag};

/// Objects that prove one certified node below the charters: its issuer, its certificate; where a deputy gave it, that deputy, the key
/// before, its own deputy and its paper.
pub(super) const CHAIN_OF_NODE_MAX: usize = 6;
/// Objects in a guest's chain: all charters, what proves each that vouches, itself.
pub(super) const CHAIN_OF_GUEST_MAX: usize = CHARTERS_MAX + VOUCHERS_MAX * CHAIN_OF_NODE_MAX + 1;

impl Roster {
    /// Whether a node's word for a guest stands: it is that node's current key.
    ///
    /// # Errors
    /// [`Rejected::BadSignature`] where it is not its word at all; [`Rejected::UnknownAuthor`] where nobody here knows.
    pub(in crate::identity) fn vouches(&self, vouch: &Vouch, body: &[u8]) -> Result<bool, Rejected> {
        let key = match self.usable_key(vouch.node, vouch.generation) {
            Ok(key) => key,
            Err(Rejected::Void) => return Ok(false),
            Err(other) => return Err(other),
        };
        if !key.verify(&self.realm.message(Tag::Guest, body), &vouch.signature) {
            return Err(Rejected::BadSignature);
        }
        Ok(self.current(vouch.node).is_some_and(|current| current.generation == vouch.generation))
    }

    /// Enough nodes, of enough firms, vouch, the one it is named for among them. A word that no longer stands does not count and spoils
    /// nothing.
    pub(super) fn check_guest(&self, value: &NodeCertificate, body: &[u8], vouches: &[Vouch]) -> Result<(), Rejected> {
        let mut standing = Vec::new();
        for vouch in vouches {
            if self.vouches(vouch, body)? {
                standing.push(vouch.node);
            }
        }
        let firms: BTreeSet<&str> = standing.iter().filter_map(|node| self.firm(*node)).collect();
        let enough = standing.len() >= VOUCHERS_MIN && firms.len() >= VOUCHER_FIRMS_MIN && standing.contains(&value.node.host());
        if enough { Ok(()) } else { Err(Rejected::TooFewVouchers) }
    }

    /// After a change of this node's keys, or of anything where `None`: guests that too few stand behind any more fall.
    pub(super) fn judge_guests(&mut self, voucher: Option<NodeId>) {
        let first = NodeId { issuer: crate::id::ISSUER_MAX + 1, serial: 0 };
        let of_it = |held: &HeldNode| match open(&held.held.envelope).map(|opened| opened.parsed) {
            Ok(Parsed::Guest { vouches, .. }) => voucher.is_none_or(|node| vouches.iter().any(|vouch| vouch.node == node)),
            Ok(_) | Err(_) => false,
        };
        let guests = self.nodes.range(first..).flat_map(|(_, generations)| generations.values()).flat_map(|keys| keys.values());
        let touched: Vec<(NodeCertificate, Bytes)> =
            guests.filter(|held| of_it(held)).map(|held| (held.held.value.clone(), held.held.envelope.clone())).collect();
        for (certificate, envelope) in touched {
            let stands = |Envelope { body, parsed, .. }: Envelope<'_>| matches!(parsed, Parsed::Guest { value, vouches } if self.check_guest(&value, body, &vouches).is_ok());
            if !open(&envelope).is_ok_and(stands) {
                self.drop_node(&certificate);
            }
        }
    }

    /// Takes one certificate out, and its name where it was the last.
    fn drop_node(&mut self, certificate: &NodeCertificate) {
        let NodeCertificate { node, generation, key, .. } = certificate;
        let Some(generations) = self.nodes.get_mut(node) else { return };
        let Some(keys) = generations.get_mut(generation) else { return };
        let fallen = keys.remove(key);
        if keys.is_empty() {
            generations.remove(generation);
        }
        if generations.is_empty() {
            self.nodes.remove(node);
        }
        if let Some(held) = fallen {
            self.forget(&held);
        }
    }

    /// What proves those that vouch for a guest, without the charters; each object once.
    pub(super) fn chain_of_guest(&self, envelope: &[u8]) -> Vec<Bytes> {
        let Ok(Parsed::Guest { vouches, .. }) = open(envelope).map(|opened| opened.parsed) else { return Vec::new() };
        let mut chain: Vec<Bytes> = Vec::new();
        for object in vouches.iter().flat_map(|vouch| self.chain(vouch.node).into_iter().skip(self.charters.len())) {
            if !chain.contains(&object) {
                chain.push(object);
            }
        }
        chain
    }
}
