//! Joining by a code: `invite` waits for a PC and certifies it, `join` is that PC, `replace` lets another PC take a dead one's place.
//! What the two say to each other is `holdfast_proto::identity::enrol`; here are its sockets, files and questions.

mod faults;
mod host;
mod invitation;
mod invite;
pub(crate) mod join;
mod wire;

pub(crate) use invite::{invite, replace};
pub(crate) use join::join;

use holdfast_proto::identity::enrol::CheckWord;
use holdfast_proto::identity::{RealmKind, Roster};

use crate::text::clean;

/// Where hosts wait unless told otherwise: beside the 4401 of the sync link.
const PORT: u16 = 4402;

/// `hill ferry rice` and the same three in Chinese in brackets: in both languages, whatever the other screen speaks.
fn three(words: &[CheckWord; 3]) -> String {
    let of = |one: fn(&CheckWord) -> &'static str| words.iter().map(one).collect::<Vec<_>>().join(" ");
    format!("{} ({})", of(|word| word.en), of(|word| word.zh))
}

/// The alliance as people know it: real or not, and the firms that hold its roots.
fn called(roster: &Roster, lang: crate::lang::Lang) -> String {
    let mut firms: Vec<String> = Vec::new();
    for root in &roster.charter().roots {
        let firm = clean(&root.firm);
        if !firms.contains(&firm) {
            firms.push(firm);
        }
    }
    let firms = firms.join(lang.of(", ", "、"));
    match roster.kind() {
        RealmKind::Actual => lang.of(format!("alliance of {firms}"), format!("{firms} 的聯盟")),
        RealmKind::Exercise => {
            lang.of(format!("EXERCISE alliance of {firms}, not the real one"), format!("{firms} 的演練聯盟，非真實狀況"))
        }
        RealmKind::Simulation => {
            lang.of(format!("practice alliance of {firms}, not the real one"), format!("{firms} 的示範聯盟，非真實狀況"))
        }
    }
}
