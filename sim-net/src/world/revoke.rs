//! A site's key is taken away at the desk of another: what that one's node holds of it still counts, and it tells its neighbours.

use holdfast_proto::control::{Answer, Certify, Command, HeadView, Question};
use holdfast_proto::id::Incarnation;
use holdfast_proto::identity::{ArmorKind, Cut, armor};

use super::World;
use crate::scenario::SiteNo;
use crate::site::disk::Disk;
use crate::workload::Kind;

impl World {
    /// Not done where no node runs at that desk, or where it holds nothing that could be cut.
    pub(super) fn revoke(&mut self, nr: u32, site: SiteNo, at: SiteNo) {
        let id = self.id(site).to_string();
        let Some(Answer::Heads(heads)) = self.ask(at, &Question::Heads(id)) else { return };
        let cut = |head: &HeadView| {
            let [count, random] = head.incarnation;
            Some(Cut { incarnation: Incarnation { count, random }, number: head.number, hash: hash(&head.hash)? })
        };
        let cuts = heads.logbooks.iter().filter_map(cut).collect();
        // A later inject says it again, and the higher counts besides.
        let Ok(envelope) = std::sync::Arc::make_mut(&mut self.alliance).revoke(site, nr, cuts) else { return };
        self.revoked.insert(site);
        // What it says from now on is nobody's to keep.
        self.checker.planted.insert(site);
        // Nor what it alone holds of others: nobody asks it any more.
        let disks: Vec<&Disk> = self.trusted().map(|site| &self.slots[site].disk).collect();
        let alliance = &self.alliance;
        self.checker.only_held_by(&disks, &|author| alliance.members[author].id);
        let objects = armor(ArmorKind::Revocation, &envelope);
        self.command(at, Kind::Certify, Command::Certify(Certify { objects }));
    }

    /// Sites that all must be equal in the end: those whose key was not taken away.
    pub(super) fn trusted(&self) -> impl Iterator<Item = SiteNo> + '_ {
        (0..self.slots.len()).filter(|site| !self.revoked.contains(site))
    }
}

fn hash(text: &str) -> Option<[u8; 16]> {
    let mut out = [0; 16];
    for (place, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}
