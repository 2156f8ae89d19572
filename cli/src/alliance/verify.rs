//! `holdfast alliance verify`: a folder or file as the nodes would judge it. Says everything it finds, and changes nothing.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::identity::{Alarm, ArmorKind, Block, PublicKey, Roster, public_half};
use serde_json::{Value, json};

use super::held::{ALLIANCE_FILE, blocks, read_own_key};
use super::{certify, date, faults};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::text::clean;

/// A certificate that ends so soon is named: trust.md section 6, "renew at 90".
const SOON_DAYS: u32 = 90;

/// What was found, in both languages; `bad` where the nodes or the daemon refuse something because of it.
struct Finding {
    bad: bool,
    en: String,
    zh: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn bad(&mut self, en: String, zh: String) {
        self.0.push(Finding { bad: true, en, zh });
    }

    fn note(&mut self, en: String, zh: String) {
        self.0.push(Finding { bad: false, en, zh });
    }
}

/// `alliance verify`.
///
/// # Errors
/// There is no such file, it is damaged, or its charter can't be used.
pub(super) fn verify(desk: &mut Desk<'_>, path: &Path) -> Result<Exit, Failure> {
    let file = if path.is_dir() { path.join(ALLIANCE_FILE) } else { path.to_owned() };
    let certificates: Vec<Block> = blocks(&file)?.into_iter().filter(|block| !block.kind.is_secret()).collect();
    let charter = certificates.iter().find(|block| block.kind == ArmorKind::Charter);
    let charter = charter.ok_or_else(|| faults::without(&file, ArmorKind::Charter.text()))?;
    let mut roster =
        Roster::new(&charter.bytes).map_err(|error| faults::unsound(&file, charter.line, &faults::of_roster(error)))?;
    let mut found = Findings::default();
    let objects: Vec<Bytes> = certificates.iter().map(|block| block.bytes.clone()).collect();
    for (place, why) in roster.offer_all(&objects).refused {
        let (line, why) = (certificates[place].line, faults::of_roster(why));
        found.bad(format!("line {line}: {}", why.en), format!("第 {line} 行：{}", why.zh));
    }
    alarms(&roster, &mut found);
    dates(desk, &roster, &mut found);
    let keys = if path.is_dir() { keys_in(path) } else { Vec::new() };
    for key in &keys {
        look_at_key(key, &roster, &mut found);
    }
    Ok(tell(desk, &roster, objects.len(), keys.len(), &found))
}

fn alarms(roster: &Roster, found: &mut Findings) {
    for alarm in roster.alarms() {
        match alarm {
            Alarm::ForkedName(node, _) => found.bad(
                format!("{node} was given to two keys, so nobody believes either: give it a new generation"),
                format!("{node} 給了兩把金鑰，兩把都不被採信：請核發新的一代"),
            ),
            Alarm::SharedKey(_, node) => {
                found.bad(format!("the key of {node} stands under another name too"), format!("{node} 的金鑰也用在另一個名稱"))
            }
        }
    }
}

fn dates(desk: &Desk<'_>, roster: &Roster, found: &mut Findings) {
    let (today, known) = certify::today(desk.now());
    if !known {
        found.note("the clock here is wrong, so dates were not looked at".to_owned(), "這裡的時鐘不正確，未檢查日期".to_owned());
        return;
    }
    let mut look = |who: String, zh: String, until: u32| {
        let shown = date(until);
        if until < today {
            found.note(
                format!("{who} lapsed on {shown}: renew it; it is not cut off"),
                format!("{zh}已於 {shown} 到期：請延長；不會因此被切斷"),
            );
        } else if until < today.saturating_add(SOON_DAYS) {
            found.note(format!("{who} ends on {shown}: renew it"), format!("{zh}將於 {shown} 到期：請延長"));
        }
    };
    for node in roster.members().filter(|node| !roster.is_revoked(node.node, node.generation)) {
        look(format!("{} {}", node.node, clean(&node.name)), format!("{} {} ", node.node, clean(&node.name)), node.not_after);
    }
    for deputy in roster.deputies().filter(|deputy| deputy.max_nodes > 0) {
        let place = format!("{}-{}", deputy.issuer, deputy.giver);
        look(format!("deputy {place}"), format!("代理者 {place} "), deputy.not_after);
    }
}

/// Key files of a folder and of the folders of nodes below it.
fn keys_in(folder: &Path) -> Vec<PathBuf> {
    let listed = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let below = listed(&folder.join("nodes")).into_iter().flat_map(|node| listed(&node));
    let all = listed(folder).into_iter().chain(below);
    all.filter(|path| path.extension().is_some_and(|extension| extension == "key")).collect()
}

fn look_at_key(path: &Path, roster: &Roster, found: &mut Findings) {
    let shown = path.display();
    if is_open(path) {
        found.bad(
            format!("{shown} may be read by others on this computer: chmod 600 {shown}"),
            format!("這台電腦的其他使用者能讀取 {shown}：chmod 600 {shown}"),
        );
    }
    let block = blocks(path).ok().and_then(|blocks| blocks.into_iter().find(|block| block.kind.is_secret()));
    let Some(block) = block else {
        found.bad(format!("{shown} holds no key, or is damaged"), format!("{shown} 裡沒有金鑰，或檔案已損壞"));
        return;
    };
    let bound = block.kind == ArmorKind::BoundKey;
    if bound && read_own_key(path).is_err() {
        found.bad(
            format!("{shown} is another computer's and opens nowhere else"),
            format!("{shown} 是另一台電腦的金鑰，在這裡無法使用"),
        );
    }
    let plain = || {
        <[u8; 32]>::try_from(block.bytes.as_ref()).ok().map(|seed| holdfast_proto::identity::SecretKey::from_seed(seed).public())
    };
    let public = if bound { public_half(&block.bytes) } else { plain() };
    if !public.is_some_and(|key| is_certified(roster, block.kind, &key)) {
        found.bad(format!("no certificate in force names the key in {shown}"), format!("沒有生效的憑證使用 {shown} 裡的金鑰"));
    }
}

fn is_certified(roster: &Roster, kind: ArmorKind, key: &PublicKey) -> bool {
    let is_root = || roster.charter().roots.iter().any(|root| root.key == *key);
    let is_issuer = || roster.issuers().any(|issuer| issuer.key == *key) || roster.deputies().any(|deputy| deputy.key == *key);
    if kind == ArmorKind::RootKey {
        is_root()
    } else if kind == ArmorKind::IssuerKey {
        is_issuer()
    } else {
        roster.node_of_key(key).is_some()
    }
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

fn tell(desk: &mut Desk<'_>, roster: &Roster, objects: usize, keys: usize, found: &Findings) -> Exit {
    let bad = found.0.iter().filter(|finding| finding.bad).count();
    let (nodes, revoked) =
        (roster.members().count(), roster.members().filter(|node| roster.is_revoked(node.node, node.generation)).count());
    let exit = if bad == 0 { Exit::Done } else { Exit::Failed };
    if desk.json {
        let list: Vec<Value> = found.0.iter().map(|finding| json!({"bad": finding.bad, "what": finding.en})).collect();
        desk.object(&json!({"schema": "holdfast.alliance_verify/1", "sound": bad == 0, "objects": objects, "keys": keys,
            "nodes": nodes, "revoked": revoked, "findings": list}));
        return exit;
    }
    for finding in &found.0 {
        let mark = if finding.bad { "✗" } else { "!" };
        let line = format!("{mark} {}", desk.lang.of(&finding.en, &finding.zh));
        desk.say(&line);
    }
    let (version, issuers) = (roster.charter().version, roster.issuers().count());
    let line = desk.lang.of(
        format!("charter {version}, {issuers} issuers, {nodes} nodes ({revoked} revoked); {objects} objects and {keys} keys looked at"),
        format!("章程第 {version} 版、{issuers} 個核發者、{nodes} 個據點（已撤銷 {revoked} 個）；檢查了 {objects} 項內容與 {keys} 把金鑰"),
    );
    desk.say(&line);
    let last = if bad == 0 {
        desk.lang.of("✓ sound: every node would take it".to_owned(), "✓ 完好：每個據點都會採信".to_owned())
    } else {
        desk.lang.of(format!("✗ {bad} things are wrong"), format!("✗ 有 {bad} 處問題"))
    };
    desk.say(&last);
    exit
}
