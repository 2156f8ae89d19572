//! `holdfast alliance renew`: certificates hold longer. Same node, same generation, same key: only the dates move, so that a node that
//! never hears of it goes on with the old one.

use std::path::Path;

use holdfast_proto::id::NodeId;
use holdfast_proto::identity::{ArmorKind, Block, SecretKey};
use serde_json::json;

use super::held::{ALLIANCE_FILE, Held};
use super::{certify, date, faults, revoke};
use crate::args::Renew;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::target::Wish;

/// Days a node's certificate holds from today where nothing else is said: trust.md section 6, "400 days, renew at 90".
const NODE_DAYS: u32 = 400;
/// A deputy's.
const DEPUTY_DAYS: u32 = 30;

/// Whose certificate.
#[derive(Clone, Copy)]
enum Whose {
    Node(NodeId),
    Deputy(u16, u8),
}

/// `alliance renew`.
///
/// # Errors
/// Somebody is not certified, or a key to sign with is missing; then nothing was signed.
pub(super) fn renew(desk: &mut Desk<'_>, dir: &Path, wish: &Wish, args: &Renew) -> Result<Exit, Failure> {
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let (today, known) = certify::today(desk.now());
    let whose = match args.within {
        Some(days) => ending(desk, &held, dir, today.saturating_add(days)),
        None => named(&held, args)?,
    };
    if whose.is_empty() {
        desk.note("Nothing ends so soon; nothing was signed.", "近期沒有到期的憑證；沒有簽署任何內容。");
        return Ok(Exit::Done);
    }
    let mut renewed = Vec::new();
    for one in whose {
        renewed.push(signed(&mut held, dir, one, today, args.days)?);
    }
    held.write()?;
    let folder = dir.join("renewed");
    files::folder(&folder)?;
    let path = folder.join(format!("{}-{}.hf", renewed[0].1, date(today)));
    let blocks: Vec<Block> = renewed.iter().map(|(block, ..)| block.clone()).collect();
    files::replace(&path, &revoke::text_of(&blocks))?;
    let list: Vec<_> = renewed.iter().map(|(_, id, until)| json!({"id": id, "not_after": date(*until)})).collect();
    if desk.json {
        desk.object(&json!({"schema": "holdfast.alliance/1", "done": "renewed", "renewed": list, "files": [path, held.path]}));
    } else {
        for (_, id, until) in &renewed {
            let until = date(*until);
            desk.say(&desk.lang.of(format!("{id} holds until {until}"), format!("{id} 有效至 {until}")));
        }
        desk.say(&path.display().to_string());
    }
    super::tell_of_the_clock(desk, known);
    revoke::tell_or_say_how(desk, wish, &blocks, &path)
}

fn named(held: &Held, args: &Renew) -> Result<Vec<Whose>, Failure> {
    let nodes = args.ids.iter().map(|id| revoke::named(&held.roster, id).map(|(node, _)| Whose::Node(node)));
    let deputies = args.deputies.iter().map(|text| {
        let place = text.split_once('-').and_then(|(issuer, number)| Some((issuer.parse().ok()?, number.parse().ok()?)));
        let known = place.filter(|(issuer, number)| held.roster.deputy(*issuer, *number).is_some());
        known.map(|(issuer, number)| Whose::Deputy(issuer, number)).ok_or_else(|| no_deputy(text))
    });
    nodes.chain(deputies).collect()
}

fn no_deputy(text: &str) -> Failure {
    Failure::new(
        Exit::NotFound,
        "H-872",
        words(format!("No deputy \"{text}\" is in the alliance file."), format!("聯盟檔裡沒有代理者「{text}」。")),
        words("Nothing was signed.", "沒有簽署任何內容。"),
        words(
            "Write ISSUER-NUMBER; `holdfast alliance show` lists those given.",
            "請寫成 核發者-編號；`holdfast alliance show` 會列出已核發的。",
        ),
    )
}

/// Those that end by then and that can be renewed here. Who else ends is told.
fn ending(desk: &mut Desk<'_>, held: &Held, dir: &Path, by: u32) -> Vec<Whose> {
    let roster = &held.roster;
    let here = |issuer: u16, giver: u8| certify::key_file(dir, issuer, giver).exists();
    let nodes = roster.members().filter(|node| node.not_after <= by && !roster.is_revoked(node.node, node.generation));
    let (nodes, others): (Vec<_>, Vec<_>) = nodes.partition(|node| here(node.node.issuer, node.generation.giver));
    let deputies = roster.deputies().filter(|deputy| deputy.not_after <= by && deputy.max_nodes > 0 && here(deputy.issuer, 0));
    let deputies: Vec<Whose> = deputies.map(|deputy| Whose::Deputy(deputy.issuer, deputy.giver)).collect();
    let others: Vec<String> = others.iter().map(|node| node.node.to_string()).collect();
    if !others.is_empty() {
        let list = others.join(" ");
        desk.note(
            &format!("These end too, and the key that signs for them is not here: {list}"),
            &format!("以下也將到期，但簽署所需的金鑰不在這裡：{list}"),
        );
    }
    nodes.into_iter().map(|node| Whose::Node(node.node)).chain(deputies).collect()
}

/// Signs one again; returns it with its name and end. Later than the one before by a day at least, so that it counts.
fn signed(held: &mut Held, dir: &Path, whose: Whose, today: u32, days: Option<u32>) -> Result<(Block, String, u32), Failure> {
    let realm = held.roster.realm();
    let cannot = |error| faults::cannot_issue(error, dir);
    let signer = |issuer: u16, giver: u8| -> Result<SecretKey, Failure> { certify::giver(dir, issuer, giver) };
    let (kind, id, until, envelope, issuer) = match whose {
        Whose::Node(node) => {
            let mut certificate = held.roster.current(node).cloned().ok_or_else(|| revoked(node))?;
            certificate.not_before = today.max(certificate.not_before.saturating_add(1));
            certificate.not_after = certificate.not_before.max(today.saturating_add(days.unwrap_or(NODE_DAYS)));
            let envelope = certificate.issue(&realm, &signer(node.issuer, certificate.generation.giver)?).map_err(cannot)?;
            (ArmorKind::Node, node.to_string(), certificate.not_after, envelope, node.issuer)
        }
        Whose::Deputy(issuer, number) => {
            let mut deputy =
                held.roster.deputy(issuer, number).cloned().ok_or_else(|| no_deputy(&format!("{issuer}-{number}")))?;
            deputy.version = deputy.version.saturating_add(1);
            deputy.not_before = today;
            deputy.not_after = today.saturating_add(days.unwrap_or(DEPUTY_DAYS));
            let envelope = deputy.issue(&realm, &signer(issuer, 0)?).map_err(cannot)?;
            (ArmorKind::Deputy, format!("deputy-{issuer}-{number}"), deputy.not_after, envelope, issuer)
        }
    };
    held.add(&envelope, Some(issuer))?;
    Ok((Block { kind, bytes: envelope, line: 0 }, id, until))
}

fn revoked(node: NodeId) -> Failure {
    Failure::new(
        Exit::Refused,
        "H-896",
        words(format!("The key of {node} is revoked."), format!("{node} 的金鑰已撤銷。")),
        words("A revoked key is not renewed; nothing was signed.", "已撤銷的金鑰不能延長；沒有簽署任何內容。"),
        words(
            format!("Give another PC its place: holdfast replace {node}"),
            format!("請讓另一台電腦接替：holdfast replace {node}"),
        ),
    )
}
