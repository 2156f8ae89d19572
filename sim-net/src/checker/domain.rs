//! What the domain promises beyond the mesh: a realm keeps to itself (I5), a key stands for one fact (I9).

use bytes::Bytes;
use holdfast_proto::io::Row;

use super::{Checker, Rule, half, signature};
use crate::site::disk::Job;

impl Checker {
    /// A job of a node became durable: whatever it is, it belongs to the realm in which `issued` says what was issued.
    pub fn own_realm(&mut self, node: usize, at: u64, job: &Job, issued: impl Fn(&Bytes) -> bool) {
        for row in &job.rows {
            let own = match row {
                Row::Roster { bytes } => issued(bytes),
                Row::Entry(_) | Row::Doc { doc: Some(_), .. } if self.foreign.is_empty() => continue,
                Row::Entry(_) | Row::Doc { doc: Some(_), .. } => {
                    signature(row).is_none_or(|signature| !self.foreign.contains(&half(&signature.0)))
                }
                Row::Doc { doc: None, .. } | Row::Fork { .. } | Row::Meta { .. } => continue,
            };
            self.check(Rule::AlwaysOwnRealm, own, at, Some(node), || "keeps something of another realm".to_owned());
        }
    }

    /// A key stands for one fact, as long as the store that knows it is there.
    pub(super) fn once(&mut self, node: usize, at: u64, (key, id): (String, String), already: bool) {
        let first = self.keys.entry((node, key)).or_insert_with(|| (at, id.clone())).clone();
        let kept = self.lost.get(&node).is_none_or(|lost| *lost < first.0) && !self.planted.contains(&node);
        let again = first.0 < at;
        let same = first.1 == id && (already || !again);
        self.check(Rule::AlwaysOneFactPerKey, same || !kept, at, Some(node), || {
            format!("made {id} with a key that stands for {}", first.1)
        });
    }
}
