//! Everyone certified, in the forms a node reads. Made once; nodes of one process share it until one of them learns more.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::start::RestoreError;
use super::word::Shelf;
use crate::domain::{Directory, DirectoryEntry, Former};
use crate::id::{Generation, Names, NodeId};
use crate::identity::{CAPABILITY_EVERYWHERE, NodeCertificate, Offered, OfferedAll, PublicKey, Regions, Rejected, Role, Roster};
use crate::replica::Hash16;

/// Everyone certified. A clone costs nothing until it learns something of its own.
#[derive(Clone, Debug)]
pub struct Known {
    roster: Arc<Roster>,
    hash: Hash16,
    directory: Arc<Directory>,
    names: Names,
    shelf: Option<Arc<dyn Shelf>>,
}

impl Known {
    /// What follows from a roster.
    #[must_use]
    pub fn of(roster: Roster) -> Self {
        let (hash, directory) = (hash_of(&roster), Arc::new(directory_of(&roster)));
        let names = Names::new(directory.nodes.keys().copied());
        Self { roster: Arc::new(roster), hash, directory, names, shelf: None }
    }

    /// Has words found again that another node of this process has read.
    #[must_use]
    pub fn with_shelf(self, shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf: Some(shelf), ..self }
    }

    pub(super) fn shelf(&self) -> Option<&dyn Shelf> {
        self.shelf.as_deref()
    }

    /// What follows from the objects of an alliance file: charter first. What does not fit is left out.
    ///
    /// # Errors
    /// [`RestoreError::NoCharter`] or [`RestoreError::Charter`].
    pub fn read(objects: &[Bytes]) -> Result<Self, RestoreError> {
        let (first, rest) = objects.split_first().ok_or(RestoreError::NoCharter)?;
        let mut roster = Roster::new(first).map_err(RestoreError::Charter)?;
        // Whether the node itself is in is checked when it is restored.
        let _refused = roster.offer_all(rest).refused;
        Ok(Self::of(roster))
    }

    /// The roster itself.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Names, roles and firms as the domain reads them.
    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The same, to be kept.
    pub(super) fn directory_shared(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    /// Who is in the directory.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// Hash of all objects held: equal rosters, equal hashes.
    pub(super) fn hash(&self) -> Hash16 {
        self.hash
    }

    /// Takes an object in, as [`Roster::offer`]; what follows from the roster is stale until [`Self::follow`].
    ///
    /// # Errors
    /// As [`Roster::offer`].
    pub(super) fn offer(&mut self, object: &Bytes) -> Result<Offered, Rejected> {
        if self.roster.holds_all(std::slice::from_ref(object)) {
            return Ok(Offered::Known);
        }
        Arc::make_mut(&mut self.roster).offer(object)
    }

    /// Takes many in, as [`Roster::offer_all`].
    pub(super) fn offer_all(&mut self, objects: &[Bytes]) -> OfferedAll {
        if self.roster.holds_all(objects) {
            return OfferedAll::default();
        }
        Arc::make_mut(&mut self.roster).offer_all(objects)
    }

    /// Takes in the chain a peer presents, as [`Roster::admit_chain`].
    ///
    /// # Errors
    /// As [`Roster::admit_chain`].
    pub(super) fn admit_chain(
        &mut self,
        objects: &[Bytes],
        key: &PublicKey,
        taken: &mut Vec<Bytes>,
    ) -> Result<(NodeId, Generation), Rejected> {
        if self.roster.holds_all(objects) {
            return self.roster.admit_held_chain(objects, key);
        }
        Arc::make_mut(&mut self.roster).admit_chain(objects, key, taken)
    }

    /// The roster changed: all that follows from it does.
    pub(super) fn follow(&mut self) {
        self.hash = hash_of(&self.roster);
        self.directory = Arc::new(directory_of(&self.roster));
        self.names = Names::new(self.directory.nodes.keys().copied());
    }
}

fn hash_of(roster: &Roster) -> Hash16 {
    let mut hasher = blake3::Hasher::new();
    for object in roster.objects() {
        hasher.update(&object.hash);
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

/// Where a certificate lets orders be given.
fn ordering_regions(node: &NodeCertificate) -> Regions {
    match (node.role, node.capabilities & CAPABILITY_EVERYWHERE != 0) {
        (Role::Authority, true) => Regions::ALL,
        (Role::Authority, false) => [node.region].into_iter().collect(),
        (Role::Store | Role::Hub | Role::Guest, _) => Regions(0),
    }
}

fn directory_of(roster: &Roster) -> Directory {
    let entry = |node: &NodeCertificate| DirectoryEntry {
        name: node.name.clone(),
        role: node.role.text().to_owned(),
        tier: node.tier,
        firm: roster.firm(node.node).unwrap_or_default().to_owned(),
        region: node.region.code().to_owned(),
        hub: node.role == Role::Hub && !roster.is_revoked(node.node, node.generation),
        // A guest that too few still vouch for is one no more.
        revoked: roster.current(node.node).is_none(),
        everywhere: node.role == Role::Authority && node.capabilities & CAPABILITY_EVERYWHERE != 0,
    };
    let nodes: BTreeMap<NodeId, DirectoryEntry> = roster.members().map(|node| (node.node, entry(node))).collect();
    let of = |node: &NodeCertificate| Former { role: node.role, regions: ordering_regions(node) };
    let former = roster.former().filter(|before| roster.newest(before.node).is_none_or(|newest| of(newest) != of(before)));
    Directory { former: former.map(|before| ((before.node, before.generation), of(before))).collect(), nodes }
}
