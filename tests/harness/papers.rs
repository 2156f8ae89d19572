//! Keys and certificates of a test alliance, made by the code that makes the demo's.

use std::fs::write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_proto::id::NodeId;
use holdfast_proto::identity::{
    Alliance, AlliancePlan, ArmorKind, FirmPlan, NodePlan, RealmKind, Region, Role, armor, found_alliance,
};

/// Day the certificates of a test begin: 2026-01-01, in days since 1970. Dates decide nothing.
const NOT_BEFORE: u32 = 20_454;

/// One alliance, all of its keys included.
#[derive(Debug)]
pub struct Papers {
    alliance: Alliance,
}

impl Papers {
    /// A new alliance, unlike any other of this or another test run: node a is a store, b the hub, all others stores.
    ///
    /// # Panics
    /// With more than 26 nodes.
    #[must_use]
    pub fn found(kind: RealmKind, nodes: usize) -> Self {
        static FOUNDED: AtomicU32 = AtomicU32::new(0);
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&std::process::id().to_le_bytes());
        seed[4..8].copy_from_slice(&FOUNDED.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        let region = Region::all().next().expect("invariant: there are regions");
        let roles = [Role::Store, Role::Hub].into_iter().chain(std::iter::repeat(Role::Store));
        let named = ('a'..='z').zip(roles).map(|(name, role)| NodePlan { name: name.to_string(), role, region, tier: 1 });
        let firm = FirmPlan { firm: "Test firm".to_owned(), nodes: named.take(nodes).collect() };
        let plan = AlliancePlan { seed, kind, roots: 3, k: 2, firms: vec![firm], not_before: NOT_BEFORE, days: 400 };
        Self { alliance: found_alliance(&plan).expect("invariant: the values of the plan are in range") }
    }

    /// Ids of its nodes.
    #[must_use]
    pub fn ids(&self) -> Vec<NodeId> {
        self.alliance.nodes.iter().map(|n| n.node).collect()
    }

    /// Charter, issuer and all node certificates.
    #[must_use]
    pub fn alliance_file(&self) -> String {
        self.file_with(self.alliance.objects.len())
    }

    /// Charter and issuer alone: what a node may know that was never certified.
    #[must_use]
    pub fn alliance_file_without_nodes(&self) -> String {
        self.file_with(2)
    }

    fn file_with(&self, objects: usize) -> String {
        let kinds = [ArmorKind::Charter, ArmorKind::Issuer].into_iter().chain(std::iter::repeat(ArmorKind::Node));
        kinds
            .zip(self.alliance.objects.iter().take(objects))
            .map(|(kind, bytes)| armor(kind, bytes))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The key file of the node at a place.
    #[must_use]
    pub fn key_file(&self, place: usize) -> String {
        armor(ArmorKind::NodeKey, &self.alliance.nodes[place].secret.seed())
    }

    /// Writes the node's key and the alliance file into its folder.
    ///
    /// # Panics
    /// If the folder can't be written.
    pub fn hand_out(&self, place: usize, dir: &Path) {
        let key = dir.join("node.key");
        write(&key, self.key_file(place)).expect("the node's folder can be written");
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).expect("the key can be closed to others");
        write(dir.join("alliance.hf"), self.alliance_file()).expect("the node's folder can be written");
    }
}

#[cfg(test)]
mod tests {
    use holdfast_proto::identity::{RealmKind, dearmor};

    use super::Papers;

    #[test]
    fn an_alliance_file_holds_charter_issuer_and_nodes_in_this_order() {
        let papers = Papers::found(RealmKind::Simulation, 3);
        let blocks = dearmor(&papers.alliance_file()).expect("readable armor");
        let kinds: Vec<&str> = blocks.iter().map(|b| b.kind.text()).collect();
        assert_eq!(kinds, ["CHARTER", "ISSUER", "NODE", "NODE", "NODE"]);
    }

    #[test]
    fn two_alliances_share_no_key() {
        let (one, two) = (Papers::found(RealmKind::Simulation, 1), Papers::found(RealmKind::Simulation, 1));
        assert_ne!(one.key_file(0), two.key_file(0));
    }
}
