//! Details are outside the digest, for not all may hold them: what two entitled peers hold of them is compared apart.

use crate::id::{DocKind, NodeId};
use crate::link::LinkId;
use crate::message::Message;
use crate::node::Node;
use crate::replica::digest::{DocLeaf, Hash8, cut, keyed};

impl Node {
    /// Authors whose details both this node and the peer may hold.
    fn shared_details(&self, id: LinkId) -> Vec<(NodeId, DocLeaf)> {
        let Some(peer) = self.links.get(&id).and_then(|link| link.node) else { return Vec::new() };
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

    pub(super) fn details_root(&self, id: LinkId, nonce: u64) -> Hash8 {
        let mut hasher = blake3::Hasher::new();
        for (author, leaf) in self.shared_details(id) {
            hasher.update(&author.to_bytes());
            hasher.update(&leaf.order.version.to_be_bytes());
            hasher.update(&leaf.hash);
        }
        let mut root = [0; 16];
        root.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        cut(keyed(root, nonce))
    }

    pub(in crate::node) fn details(&mut self, id: LinkId, answer: bool, leaves: &[(NodeId, DocLeaf)]) {
        if answer && !self.does_not_read(id) {
            self.send_details(id, false);
        }
        let lacks = |(author, leaf): &&(NodeId, DocLeaf)| {
            self.entitled(self.me, *author) && self.replica.lacks_doc(*author, DocKind::Detail, leaf)
        };
        let docs: Vec<_> = leaves.iter().filter(lacks).map(|(author, _)| (*author, DocKind::Detail)).collect();
        if !docs.is_empty() {
            self.want(id, Vec::new(), docs, Vec::new());
        }
    }
}
