//! Where issuers contradicted themselves.

use std::collections::BTreeSet;

use super::Roster;
use crate::id::{Generation, NodeId};
use crate::identity::PublicKey;

/// Something a person must hear about an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// Two unlike keys for one name and generation; both are void.
    ForkedName(NodeId, Generation),
    /// One key under several names. Void where one issuer gave both.
    SharedKey(PublicKey, NodeId),
}

impl Roster {
    /// Where issuers contradicted themselves, in order.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        let forked =
            self.nodes.iter().flat_map(|(node, generations)| generations.iter().map(move |(at, keys)| (*node, *at, keys)));
        let forked = forked.filter(|(_, _, keys)| keys.len() > 1).map(|(node, at, _)| Alarm::ForkedName(node, at));
        let shared = self.names.iter().filter(|(_, names)| names.first().map(|name| name.0) != names.last().map(|name| name.0));
        let shared = shared.flat_map(|(key, names)| {
            names.iter().map(|name| name.0).collect::<BTreeSet<_>>().into_iter().map(|name| Alarm::SharedKey(*key, name))
        });
        forked.chain(shared).collect()
    }
}
