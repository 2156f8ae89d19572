//! `holdfast alliance revoke` and `hand-in`: a key is taken away, and everybody in reach is told. What it said before counts as far as
//! the daemon here holds it, unless somebody says otherwise.

use std::path::{Path, PathBuf};

use holdfast_proto::control::person::unhex;
use holdfast_proto::control::{Certify, HeadsView, Saved};
use holdfast_proto::id::{Generation, Incarnation, NodeId};
use holdfast_proto::identity::{ArmorKind, Block, CannotIssue, Cut, Reason, Revocation, RevokedBy, Roster, SecretKey, armor};
use serde_json::json;

use super::certify;
use super::drafts::{Drafts, Settle};
use super::faults;
use super::heads;
use super::held::{ALLIANCE_FILE, Held, blocks, root_keys};
use crate::args::Revoke;
use crate::client::{path_part, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::target::{self, Wish};
use crate::when;

/// Bytes of text in one request, which may hold 64 KiB: the rest is for one more object at its largest.
const AT_ONCE: usize = 48 << 10;

/// `alliance revoke`.
///
/// # Errors
/// The node is not certified, a key is missing, or no daemon says what it holds; then nothing was signed.
pub(crate) fn revoke(desk: &mut Desk<'_>, dir: &Path, wish: &Wish, args: &Revoke) -> Result<Exit, Failure> {
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let (node, generation) = named(&held.roster, &args.id)?;
    // The folder is the alliance's, not a demo's.
    let wish = Wish { dir: None, ..wish.clone() };
    let cuts = if args.in_question {
        None
    } else if !args.cuts.is_empty() {
        Some(heads::cuts(&args.cuts)?)
    } else if args.nothing_counts {
        Some(Vec::new())
    } else {
        Some(held_there(desk, &wish, &held.roster, (node, generation), args.lost.as_deref())?)
    };
    let by = if args.by_roots { RevokedBy::Roots } else { RevokedBy::Issuer };
    let before = held.roster.revocations_of(node, generation).filter(|other| other.by == by).map(|other| other.version).max();
    let version = before.unwrap_or(0).saturating_add(1);
    let charter = if args.by_roots { held.roster.charter().version } else { 0 };
    let revocation = Revocation { node, generation, by, version, charter, reason: reason(&args.reason), cuts };
    if args.by_roots {
        return by_roots(desk, dir, &wish, &revocation, held);
    }
    let signed = revocation.issue(&held.roster.realm(), &certify::giver(dir, node.host().issuer, 0)?);
    let envelope = signed.map_err(|error| faults::cannot_issue(error, dir))?;
    held.add(&envelope, Some(node.host().issuer))?;
    let path = file_of(dir, &revocation)?;
    let block = Block { kind: ArmorKind::Revocation, bytes: envelope, line: 0 };
    files::replace(&path, &text_of(std::slice::from_ref(&block)))?;
    held.write()?;
    said(desk, &revocation, &path);
    tell_or_say_how(desk, &wish, &[block], &path)
}

/// Signs with the root keys at hand; where they are too few, it is a draft for the next root.
fn by_roots(desk: &mut Desk<'_>, dir: &Path, wish: &Wish, revocation: &Revocation, mut held: Held) -> Result<Exit, Failure> {
    let draft = revocation.draft().map_err(|error| faults::cannot_issue(error, dir))?;
    let refused = |error| faults::refused_by_nodes(error, None);
    let mut drafts = Drafts::of(vec![draft], Some(&held.roster)).map_err(refused)?;
    drafts.sign(&root_keys(dir)?).map_err(refused)?;
    let path = file_of(dir, revocation)?;
    if !drafts.is_whole() {
        return Settle { act: "drafted", dir, file: path, keep: true, made: Vec::new() }.settle(desk, &drafts, Some(held));
    }
    let envelopes = drafts.envelopes();
    held.add_all(&envelopes)?;
    let blocks: Vec<Block> = envelopes.into_iter().map(|bytes| Block { kind: ArmorKind::Revocation, bytes, line: 0 }).collect();
    files::replace(&path, &text_of(&blocks))?;
    held.write()?;
    said(desk, revocation, &path);
    tell_or_say_how(desk, wish, &blocks, &path)
}

fn file_of(dir: &Path, revocation: &Revocation) -> Result<PathBuf, Failure> {
    let folder = dir.join("revoked");
    files::folder(&folder)?;
    let Revocation { node, generation, by, version, .. } = revocation;
    Ok(folder.join(format!("{node}-{}-{}-{version}.hf", generation.count, by.text())))
}

/// Blocks as a file holds them.
pub(super) fn text_of(blocks: &[Block]) -> String {
    blocks.iter().map(|block| armor(block.kind, &block.bytes)).collect()
}

/// Tells everybody, or says how somebody can.
pub(super) fn tell_or_say_how(desk: &mut Desk<'_>, wish: &Wish, blocks: &[Block], path: &Path) -> Result<Exit, Failure> {
    // The folder is the alliance's, not a demo's.
    let wish = Wish { dir: None, ..wish.clone() };
    match tell_everybody(desk, &wish, blocks, path) {
        Err(failure) if failure.exit() == Exit::NotRunning => {
            let (own, file) = (desk.own.clone(), path.display().to_string());
            desk.note(
                &format!("No daemon was told: hand it in at any node of the alliance with {own} alliance hand-in {file}"),
                &format!("尚未告知任何據點：請在聯盟任一據點執行 {own} alliance hand-in {file}"),
            );
            Ok(Exit::SavedHere)
        }
        told => told,
    }
}

/// The newest key of a node that is certified.
pub(crate) fn named(roster: &Roster, id: &str) -> Result<(NodeId, Generation), Failure> {
    let newest = id.parse().ok().and_then(|node: NodeId| roster.newest(node));
    newest.map(|certificate| (certificate.node, certificate.generation)).ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            "H-872",
            words(format!("No certificate of \"{id}\" is in the alliance file."), format!("聯盟檔裡沒有「{id}」的憑證。")),
            words("Nothing was signed.", "沒有簽署任何內容。"),
            words(
                "Write ISSUER-SERIAL; `holdfast alliance show` lists those given. One given elsewhere: `holdfast alliance take FILE` first.",
                "請寫成 核發者-序號；`holdfast alliance show` 會列出已核發的。在別處核發的請先執行 `holdfast alliance take 檔案`。",
            ),
        )
    })
}

fn reason(text: &str) -> Reason {
    Reason::ALL.into_iter().find(|reason| reason.text() == text).unwrap_or(Reason::Other)
}

/// What the daemon here holds of the node: that stands.
fn held_there(
    desk: &mut Desk<'_>,
    wish: &Wish,
    roster: &Roster,
    (node, generation): (NodeId, Generation),
    lost: Option<&str>,
) -> Result<Vec<Cut>, Failure> {
    let older = lost.map(when::length).transpose()?.map_or_else(String::new, |length| format!("@{}", length.as_secs()));
    let asked = target::open(desk, wish).and_then(|(target, client)| {
        target::tell_default(desk, &target);
        client.ask::<HeadsView>(&format!("/api/v1/heads/{}", path_part(&format!("{node}{older}"))))
    });
    let heads = asked.map_err(|failure| {
        failure.with_fix(words(
            "A revocation says what of the stolen key's words still counts, and asks a running daemon for it: name one with --api and \
             --token-file. Without one, --in-question leaves that open and --nothing-counts voids all.",
            "撤銷書要寫明遭竊金鑰的哪些訊息仍然有效，因此需要詢問執行中的背景程式：請用 --api 與 --token-file 指定。\
             沒有的話，可用 --in-question 暫不決定，或 --nothing-counts 全部作廢。",
        ))
    })?;
    let realm: String = roster.realm().0.iter().map(|byte| format!("{byte:02x}")).collect();
    if heads.realm != realm {
        return Err(Failure::new(
            Exit::Refused,
            "H-875",
            words("The daemon that was asked belongs to another alliance.", "所詢問的背景程式屬於其他聯盟。"),
            words("Nothing was signed.", "沒有簽署任何內容。"),
            words(
                "Name a daemon of this alliance with --api and --token-file.",
                "請用 --api 與 --token-file 指定這個聯盟的背景程式。",
            ),
        ));
    }
    if heads.generation != [generation.count, generation.giver] {
        return Err(Failure::new(
            Exit::Refused,
            "H-873",
            words(
                format!("The daemon here knows another key of {node} than the alliance file."),
                format!("這裡的背景程式所知的 {node} 金鑰與聯盟檔不同。"),
            ),
            words("Nothing was signed.", "沒有簽署任何內容。"),
            words(
                "Hand the alliance file in first: `holdfast alliance hand-in FILE`.",
                "請先交入聯盟檔：`holdfast alliance hand-in 檔案`。",
            ),
        ));
    }
    let cut = |head: &holdfast_proto::control::HeadView| {
        let [count, random] = head.incarnation;
        Some(Cut { incarnation: Incarnation { count, random }, number: head.number, hash: unhex(&head.hash)? })
    };
    let standing = heads.logbooks.iter().filter(|head| head.number > 0);
    let mut cuts: Vec<Cut> = standing.filter_map(cut).collect();
    cuts.sort_unstable();
    // With --lost a life that is wholly younger is the thief's; without, its first word is only missing here.
    let torn = lost.is_none() && cuts.len() < heads.logbooks.len();
    if cuts.is_empty() && heads.wrote_nothing {
        return Ok(cuts);
    }
    if cuts.is_empty() || torn {
        return Err(Failure::new(
            Exit::Refused,
            "H-876",
            words(
                format!("The daemon here does not hold enough of what {node} said to tell what still counts."),
                format!("這裡的背景程式沒有足夠的 {node} 紀錄，無法判斷哪些仍然有效。"),
            ),
            words("Nothing was signed.", "沒有簽署任何內容。"),
            words(
                "Ask a daemon that was in touch with it, with a shorter --lost where one is given. Or leave it open with --in-question, or \
                 void all with --nothing-counts.",
                "請改問曾與它連線的據點；有填 --lost 時請縮短。或用 --in-question 暫不決定，或 --nothing-counts 全部作廢。",
            ),
        ));
    }
    let later: u32 = heads.logbooks.iter().map(|head| head.beyond).sum();
    if later > 0 {
        desk.note(
            &format!("{later} later words of {node} that are held here fall."),
            &format!("這裡保存的 {node} 之後 {later} 筆將作廢。"),
        );
    }
    Ok(cuts)
}

fn said(desk: &mut Desk<'_>, revocation: &Revocation, path: &Path) {
    if desk.json {
        return;
    }
    let node = revocation.node;
    let what = match &revocation.cuts {
        None => desk.lang.of(
            format!("The key of {node} is revoked. What it said is in question until somebody says what counts."),
            format!("{node} 的金鑰已撤銷。它說過的內容在有人決定之前都視為尚未確定。"),
        ),
        Some(cuts) if cuts.is_empty() => desk.lang.of(
            format!("The key of {node} is revoked. Nothing it ever said counts."),
            format!("{node} 的金鑰已撤銷。它說過的內容全部作廢。"),
        ),
        Some(cuts) => {
            let last: Vec<String> = cuts.iter().map(|cut| format!("{}/{}", cut.incarnation.count, cut.number)).collect();
            desk.lang.of(
                format!("The key of {node} is revoked. What it said counts up to word {} of its logbook.", last.join(", ")),
                format!("{node} 的金鑰已撤銷。紀錄簿到第 {} 筆為止仍然有效。", last.join("、")),
            )
        }
    };
    desk.say(&what);
    desk.say(&path.display().to_string());
}

/// Gives them to the daemon here, which tells everybody in reach: in their order, as many at once as one request may hold.
fn tell_everybody(desk: &mut Desk<'_>, wish: &Wish, blocks: &[Block], path: &Path) -> Result<Exit, Failure> {
    let file = path.display().to_string();
    let (_, client) = target::open(desk, wish)?;
    let (mut neighbours, mut already) = (0, true);
    let mut left = blocks.iter().peekable();
    while left.peek().is_some() {
        let mut objects = String::new();
        while let Some(block) = left.next_if(|_| objects.len() < AT_ONCE) {
            objects.push_str(&armor(block.kind, &block.bytes));
        }
        let saved: Saved = read(client.post("/api/v1/certify", &Certify { objects })?)?;
        (neighbours, already) = (saved.delivery.neighbours, already && saved.already);
    }
    if desk.json {
        desk.object(&json!({"schema": "holdfast.handed_in/1", "file": file, "already": already, "neighbours": neighbours}));
    } else if already {
        desk.say(&desk.lang.of("All of it was known here already.".to_owned(), "這裡原本就已知道其中全部內容。".to_owned()));
    } else {
        desk.say(&desk.lang.of(
            format!("Saved here and told to {neighbours} neighbours, who tell theirs."),
            format!("已存於此，並告知 {neighbours} 個相鄰據點，由它們繼續轉告。"),
        ));
    }
    Ok(if neighbours == 0 && !already { Exit::SavedHere } else { Exit::Done })
}

/// `alliance hand-in`.
///
/// # Errors
/// The file holds no certificate or a secret, or the daemon refuses it; then nothing was changed.
pub(super) fn hand_in(desk: &mut Desk<'_>, wish: &Wish, file: &Path) -> Result<Exit, Failure> {
    let objects = blocks(file)?;
    if let Some(secret) = objects.iter().find(|block| block.kind.is_secret()) {
        return Err(faults::a_secret(file, secret.line));
    }
    if objects.iter().any(|block| block.kind == ArmorKind::Draft) {
        return Err(Failure::usage(
            "H-895",
            words(
                format!("{} is not signed by enough roots yet.", file.display()),
                format!("{} 還沒有足夠的根金鑰簽署。", file.display()),
            ),
            words(
                "No node takes a draft. Let more roots sign it: `holdfast alliance sign FILE --dir FOLDER`.",
                "據點不接受草案。請讓更多根金鑰簽署：`holdfast alliance sign 檔案 --dir 資料夾`。",
            ),
        ));
    }
    let wish = Wish { dir: None, ..wish.clone() };
    tell_everybody(desk, &wish, &objects, file)
}

/// Makes the paper of a new key: handed in by whoever finds the PC gone, it ends the key, and nothing else can be done with it.
///
/// # Errors
/// It can't be written.
pub(super) fn paper(dir: &Path, roster: &Roster, node: NodeId, key: &SecretKey) -> Result<PathBuf, Failure> {
    let generation = roster.newest(node).map_or(Generation { count: 1, giver: 0 }, |certificate| certificate.generation);
    let envelope = paper_of(roster, node, generation, key).map_err(|error| faults::cannot_issue(error, dir))?;
    keep_paper(dir, node, generation, &envelope)
}

/// The key says that it is over, for whenever that is.
///
/// # Errors
/// The values can't be signed.
pub(crate) fn paper_of(
    roster: &Roster,
    node: NodeId,
    generation: Generation,
    key: &SecretKey,
) -> Result<bytes::Bytes, CannotIssue> {
    let (by, reason) = (RevokedBy::Itself, Reason::Stolen);
    Revocation { node, generation, by, version: 0, charter: 0, reason, cuts: None }.issue(&roster.realm(), key)
}

/// Where the paper of a key is kept.
pub(crate) fn paper_file(dir: &Path, node: NodeId, generation: Generation) -> PathBuf {
    dir.join("papers").join(format!("{node}-{}.hf", generation.count))
}

/// Puts the paper of a key with the others.
///
/// # Errors
/// It can't be written.
pub(crate) fn keep_paper(dir: &Path, node: NodeId, generation: Generation, envelope: &[u8]) -> Result<PathBuf, Failure> {
    let path = paper_file(dir, node, generation);
    files::folder(&dir.join("papers"))?;
    let text = format!(
        "# The paper of node {node}. Print it and keep it with the firm, not with the PC. Is the PC stolen or lost, hand this in at any\n\
         # node of the alliance: `holdfast alliance hand-in FILE`. It ends the PC's key and can do nothing else.\n\
         # 據點 {node} 的撤銷紙本。請列印並由公司保管，不要和電腦放在一起。電腦遭竊或遺失時，在聯盟任一據點\n\
         # 執行 `holdfast alliance hand-in 檔案` 即可停用它的金鑰，除此之外沒有其他用途。\n{}",
        armor(ArmorKind::Revocation, envelope)
    );
    files::secret(&path, &text)?;
    Ok(path)
}
