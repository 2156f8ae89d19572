//! Details are outside the digest, for not all may hold them: what two entitled peers hold of them is compared apart.

use std::collections::BTreeMap;

use crate::id::{DocKind, NodeId};
use crate::identity::Role;
use crate::link::LinkId;
use crate::message::Message;
use crate::node::Node;
use crate::replica::digest::{DocLeaf, Hash8, cut, keyed};

/// What is compared of one detail, as bytes: author, version, hash.
type DetailLine = [u8; 16];
/// Ways peers are entitled for which the compared details are kept; links come and go, so they are forgotten together.
const SCOPES_MAX: usize = 16;

/// Whose details a peer may hold follows from its firm, and from its region where it is a hub or an authority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    firm: String,
    region: Option<String>,
}

/// Details held here that peers may hold, too, by how those are entitled. Follows from replica and roster.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Scopes(BTreeMap<Scope, Shared>);

/// What is compared with all peers of one scope.
#[derive(Clone, Debug)]
struct Shared {
    /// One of them: who is entitled as it is.
    like: NodeId,
    lines: Vec<DetailLine>,
    /// Of the lines, once it was asked for.
    hash: Option<blake3::Hash>,
}

impl Scopes {
    /// The roster changed, and with it who is entitled to what.
    pub(in crate::node) fn forget(&mut self) {
        self.0.clear();
    }
}

fn line(author: NodeId, leaf: &DocLeaf) -> DetailLine {
    let mut line = [0; 16];
    line[..4].copy_from_slice(&author.to_bytes());
    line[4..8].copy_from_slice(&leaf.order.version.to_be_bytes());
    line[8..].copy_from_slice(&leaf.hash);
    line
}

impl Node {
    /// How a peer is entitled to details.
    fn scope_of(&self, peer: NodeId) -> Option<Scope> {
        let entry = self.known.directory().nodes.get(&peer)?;
        let wide = entry.hub || entry.role == Role::Authority.text();
        // Guests are of no firm, and so of none together.
        let firm = if peer.is_guest() { peer.to_string() } else { entry.firm.clone() };
        Some(Scope { firm, region: wide.then(|| entry.region.clone()) })
    }

    /// A detail is held now that was not.
    pub(in crate::node) fn detail_changed(&mut self, author: NodeId) {
        let Some(leaf) = self.replica.doc_leaf(author, DocKind::Detail) else { return };
        let line = line(author, &leaf);
        let mut scopes = std::mem::take(&mut self.scopes);
        for Shared { like, lines, hash } in scopes.0.values_mut() {
            if self.entitled(*like, author) && self.entitled(self.me, author) {
                *hash = None;
                match lines.binary_search_by(|held| held[..4].cmp(&line[..4])) {
                    Ok(place) => lines[place] = line,
                    Err(place) => lines.insert(place, line),
                }
            }
        }
        self.scopes = scopes;
    }

    /// Authors whose details both this node and the peer may hold.
    fn shared_details(&self, id: LinkId) -> Vec<(NodeId, DocLeaf)> {
        let Some(peer) = self.links.get(&id).and_then(|link| link.node) else { return Vec::new() };
        self.details_shared_with(peer)
    }

    fn details_shared_with(&self, peer: NodeId) -> Vec<(NodeId, DocLeaf)> {
        let both = |author: &NodeId| self.entitled(peer, *author) && self.entitled(self.me, *author);
        let authors = self.replica.docs(DocKind::Detail).map(|(author, _)| author).filter(both);
        authors.filter_map(|author| Some((author, self.replica.doc_leaf(author, DocKind::Detail)?))).collect()
    }

    /// Tells what is held of shared details; only the last frame asks for an answer.
    pub(super) fn send_details(&mut self, id: LinkId, answer: bool) {
        /// A leaf costs about 24 B.
        const LEAVES_MAX: usize = 1_000;
        let mut leaves = self.shared_details(id);
        while leaves.len() > LEAVES_MAX {
            let rest = leaves.split_off(LEAVES_MAX);
            self.control(id, Message::Details { answer: false, leaves: std::mem::replace(&mut leaves, rest) });
        }
        self.control(id, Message::Details { answer, leaves });
    }

    pub(super) fn details_root(&mut self, id: LinkId, nonce: u64) -> Hash8 {
        let mut root = [0; 16];
        root.copy_from_slice(&self.details_hash(id).as_bytes()[..16]);
        cut(keyed(root, nonce))
    }

    fn details_hash(&mut self, id: LinkId) -> blake3::Hash {
        let peer = self.links.get(&id).and_then(|link| link.node);
        let Some((peer, scope)) = peer.and_then(|peer| Some((peer, self.scope_of(peer)?))) else { return blake3::hash(&[]) };
        if !self.scopes.0.contains_key(&scope) {
            if self.scopes.0.len() >= SCOPES_MAX {
                self.scopes.forget();
            }
            let lines = self.details_shared_with(peer).iter().map(|(author, leaf)| line(*author, leaf)).collect();
            self.scopes.0.insert(scope.clone(), Shared { like: peer, lines, hash: None });
        }
        let Some(Shared { lines, hash, .. }) = self.scopes.0.get_mut(&scope) else { return blake3::hash(&[]) };
        *hash.get_or_insert_with(|| blake3::hash(lines.as_flattened()))
    }

    pub(in crate::node) fn details(&mut self, id: LinkId, answer: bool, leaves: &[(NodeId, DocLeaf)]) {
        if answer && !self.does_not_read(id) {
            self.send_details(id, false);
        }
        let lacks = |(author, leaf): &&(NodeId, DocLeaf)| {
            self.entitled(self.me, *author)
                && self.replica.lacks_doc(*author, DocKind::Detail, leaf)
                && !self.wanted_docs.contains(&(*author, DocKind::Detail))
        };
        let docs: Vec<_> = leaves.iter().filter(lacks).map(|(author, _)| (*author, DocKind::Detail)).collect();
        if !docs.is_empty() {
            self.want(id, Vec::new(), docs, Vec::new());
        }
    }
}
