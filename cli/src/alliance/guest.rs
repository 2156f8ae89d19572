//! `holdfast guest`: a PC that no firm certified is let in by the word of nodes of several firms. The file goes from one of them to the
//! next, by whatever carries it; the rules are the roster's.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::control::person::hex;
use holdfast_proto::id::{Generation, NodeId};
use holdfast_proto::identity::{
    ArmorKind, Block, GuestDraft, NodeCertificate, Role, Roster, SecretKey, VOUCHER_FIRMS_MIN, VOUCHERS_MIN, Voucher, armor,
    invite_guest, vouch_for,
};
use serde_json::json;

use super::delegate::public_key;
use super::held::{self, ALLIANCE_FILE, Held, blocks, read_own_key};
use super::revoke::tell_or_say_how;
use super::{certify, date, faults, tell_of_the_clock};
use crate::args::{EnterArgs, GuestCommand, VouchArgs};
use crate::desk::Desk;
use crate::enrol::join::{Place, joined_before, own_key, say_where, settle};
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::target::Wish;
use crate::text::clean;

/// `guest`.
///
/// # Errors
/// A key or file is missing or of another alliance, or the nodes would refuse the guest; then nothing was signed.
pub(crate) fn guest(desk: &mut Desk<'_>, wish: &Wish, command: GuestCommand) -> Result<Exit, Failure> {
    match command {
        GuestCommand::Key => key(desk, wish),
        GuestCommand::Vouch(args) => vouch(desk, wish, &args),
        GuestCommand::Enter(args) => enter(desk, wish, &args),
    }
}

fn key(desk: &mut Desk<'_>, wish: &Wish) -> Result<Exit, Failure> {
    let place = Place::of(wish)?;
    no_member(&place)?;
    files::private_folder(place.dir())?;
    let public = hex(&own_key(&place)?.public().0);
    if desk.json {
        desk.object(&json!({"schema": "holdfast.guest_key/1", "file": place.key(), "key": public}));
        return Ok(Exit::Done);
    }
    desk.say(&public);
    desk.note(
        &format!(
            "Read these digits to a node of the alliance. {VOUCHERS_MIN} nodes of {VOUCHER_FIRMS_MIN} firms vouch for this PC, the first with holdfast guest vouch \
             --key KEY --name NAME --region CODE --by-node FOLDER; what they sign comes back as a file: holdfast guest enter FILE"
        ),
        &format!(
            "請將這串數字告知聯盟的據點，由 {VOUCHER_FIRMS_MIN} 家企業共 {VOUCHERS_MIN} 個據點擔保，第一個據點執行 holdfast guest vouch --key 金鑰 --name 名稱 --region 縣市 --by-node 資料夾；\
             簽妥的檔案拿回來後執行 holdfast guest enter 檔案"
        ),
    );
    Ok(Exit::Done)
}

/// A member of an alliance has a name, and need not be its guest.
fn no_member(place: &Place) -> Result<(), Failure> {
    let Some(roster) = joined_before(place)? else { return Ok(()) };
    let key = read_own_key(&place.key())?.public();
    match roster.node_of_key(&key).filter(|(node, _)| !node.is_guest()) {
        None => Ok(()),
        Some((node, _)) => Err(Failure::new(
            Exit::Failed,
            "H-898",
            words(format!("This PC is {node} already, a member."), format!("這台電腦已是成員 {node}。")),
            words("Nothing was changed.", "沒有任何改變。"),
            words(
                "To be a guest of another alliance, name another folder: --dir DIR.",
                "要當另一個聯盟的訪客，請用 --dir 指定另一個資料夾。",
            ),
        )),
    }
}

/// The node that vouches.
struct Own {
    held: Held,
    node: NodeId,
    generation: Generation,
    key: SecretKey,
}

impl Own {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let held = Held::read(&folder.join(ALLIANCE_FILE))?;
        let key = read_own_key(&folder.join("node.key"))?;
        let (node, generation) = held.roster.node_of_key(&key.public()).ok_or_else(|| faults::without(&held.path, "NODE"))?;
        Ok(Self { held, node, generation, key })
    }

    fn voucher(&self) -> Voucher<'_> {
        Voucher { node: self.node, generation: self.generation, key: &self.key }
    }
}

/// `guest vouch`.
fn vouch(desk: &mut Desk<'_>, wish: &Wish, args: &VouchArgs) -> Result<Exit, Failure> {
    let mut own = Own::of(&args.by_node)?;
    let (draft, path) = match &args.file {
        Some(file) => (another(desk, &mut own, file, args.yes)?, file.clone()),
        None => first(desk, &own, args)?,
    };
    let read = GuestDraft::read(&own.held.roster, &draft).map_err(|why| faults::refused_by_nodes(why, None))?;
    if read.is_whole() {
        own.held.add(&draft, None)?;
        own.held.write()?;
    }
    files::replace(&path, &text(&own.held.roster, &read, &draft))?;
    tell(desk, wish, &path, &read)
}

/// Begins it, with this node's word.
fn first(desk: &mut Desk<'_>, own: &Own, args: &VouchArgs) -> Result<(Bytes, PathBuf), Failure> {
    let name = args.name.clone().unwrap_or_default();
    faults::name("--name", &name)?;
    let node = own.node.guest();
    let folder = args.by_node.join("guests");
    let file = |count: u8| folder.join(format!("guest-{node}-{count}.hf"));
    // Others may have finished what was begun here, which this node's alliance file need not know.
    let count = (own.held.roster.next_count(node)..u8::MAX).find(|count| !file(*count).exists()).unwrap_or(u8::MAX);
    let (today, known) = certify::today(desk.now());
    let certificate = NodeCertificate {
        node,
        generation: Generation { count, giver: 0 },
        key: public_key(args.key.as_deref().unwrap_or_default())?,
        region: certify::region(args.region.as_deref().unwrap_or_default())?,
        role: Role::Guest,
        tier: 3,
        capabilities: 0,
        not_before: today,
        not_after: today.saturating_add(args.days),
        name,
        window: None,
    };
    tell_of_the_clock(desk, known);
    let draft = invite_guest(&own.held.roster.realm(), &certificate, own.voucher());
    let draft = draft.map_err(|error| faults::cannot_issue(error, &args.by_node))?;
    files::folder(&folder)?;
    Ok((draft, file(count)))
}

/// Adds this node's word to the file of those before, whose certificates come with it.
fn another(desk: &mut Desk<'_>, own: &mut Own, file: &Path, yes: bool) -> Result<Bytes, Failure> {
    let blocks = blocks(file)?;
    if let Some(secret) = blocks.iter().find(|block| block.kind.is_secret()) {
        return Err(faults::a_secret(file, secret.line));
    }
    let draft = blocks.last().map(|block| block.bytes.clone()).ok_or_else(|| faults::without(file, "DRAFT"))?;
    let others = blocks.iter().filter(|block| block.bytes != draft).map(|block| block.bytes.clone()).collect::<Vec<_>>();
    // A certificate here may be newer than the one in the file.
    let _older = own.held.roster.offer_all(&others);
    let read = GuestDraft::read(&own.held.roster, &draft).map_err(|why| faults::refused_by_nodes(why, None))?;
    let (today, known) = certify::today(desk.now());
    if known && read.guest.not_before > today.saturating_add(1) {
        return Err(Failure::new(
            Exit::Failed,
            "H-899",
            words(
                format!("The guest's days begin on {}, which is not now.", date(read.guest.not_before)),
                format!("訪客的期間從 {} 開始，不是現在。", date(read.guest.not_before)),
            ),
            words("Nothing was signed.", "沒有簽署任何內容。"),
            words("Who began it has a wrong clock: let it begin again.", "發起者的時鐘不正確，請對方重新發起。"),
        ));
    }
    let lines = described(desk, &own.held.roster, &read);
    if !desk.json {
        desk.say_all(lines);
    }
    let agreed = yes || desk.agrees("Do you know this PC and vouch for it?", "您認識這台電腦並願意擔保嗎？");
    if !agreed {
        return Err(Failure::new(
            Exit::Failed,
            "H-848",
            words("You did not vouch.", "您沒有擔保。"),
            words("Nothing was signed.", "沒有簽署任何內容。"),
            words("Ask those who gave you the file who that is.", "請向交給您檔案的人確認對方是誰。"),
        ));
    }
    let signed = vouch_for(&own.held.roster.realm(), &draft, own.voucher());
    signed.map_err(|why| faults::refused_by_nodes(why, None))
}

fn described(desk: &Desk<'_>, roster: &Roster, read: &GuestDraft) -> Vec<String> {
    let guest = &read.guest;
    let (name, until) = (clean(&guest.name), date(guest.not_after));
    let who =
        |node: &NodeId| roster.newest(*node).map_or_else(|| node.to_string(), |one| format!("{} ({node})", clean(&one.name)));
    let by = read.vouchers.iter().map(who).collect::<Vec<_>>().join(desk.lang.of(", ", "、"));
    desk.lang
        .of(
            [
                format!("Guest:      {} {name}, {}, until {until}", guest.node, guest.region.en()),
                format!("Key:        {}", hex(&guest.key.0)),
                format!("Vouched by: {by}"),
            ],
            [
                format!("訪客　：{} {name}，{}，至 {until}", guest.node, guest.region.zh()),
                format!("金鑰　：{}", hex(&guest.key.0)),
                format!("擔保者：{by}"),
            ],
        )
        .into()
}

/// The file: what proves those who vouched, then the guest's certificate, a draft while somebody is lacking.
fn text(roster: &Roster, read: &GuestDraft, draft: &Bytes) -> String {
    if read.is_whole() {
        return held::text_of(&roster.chain(read.guest.node));
    }
    let mut chain: Vec<Bytes> = Vec::new();
    for object in read.vouchers.iter().flat_map(|node| roster.chain(*node)) {
        if !chain.contains(&object) {
            chain.push(object);
        }
    }
    held::text_of(&chain) + &armor(ArmorKind::Draft, draft)
}

fn tell(desk: &mut Desk<'_>, wish: &Wish, path: &Path, read: &GuestDraft) -> Result<Exit, Failure> {
    let whole = read.is_whole();
    let (have, firms, shown) = (read.vouchers.len(), read.firms.len(), path.display().to_string());
    if desk.json && !whole {
        desk.object(&json!({"schema": "holdfast.vouched/1", "id": read.guest.node.to_string(), "file": path, "vouchers": have,
            "firms": read.firms, "whole": whole}));
        return Ok(Exit::Done);
    }
    if !desk.json {
        desk.say(&shown);
    }
    if !whole {
        desk.note(
            &format!(
                "Vouched: {have} of {VOUCHERS_MIN} nodes, {firms} of {VOUCHER_FIRMS_MIN} firms. Take the file to another node: holdfast guest vouch FILE --by-node FOLDER"
            ),
            &format!(
                "已擔保：{VOUCHERS_MIN} 個據點中的 {have} 個、{VOUCHER_FIRMS_MIN} 家企業中的 {firms} 家。請將檔案帶到另一個據點執行：holdfast guest vouch 檔案 --by-node 資料夾"
            ),
        );
        return Ok(Exit::Done);
    }
    desk.note(
        "Enough vouch for it. Give this file to the guest: holdfast guest enter FILE",
        "擔保已足夠。請將此檔交給訪客執行：holdfast guest enter 檔案",
    );
    tell_or_say_how(desk, wish, &blocks(path)?, path)
}

/// `guest enter`.
fn enter(desk: &mut Desk<'_>, wish: &Wish, args: &EnterArgs) -> Result<Exit, Failure> {
    let place = Place::of(wish)?;
    no_member(&place)?;
    let key = read_own_key(&place.key())?;
    let found: Vec<Block> = blocks(&args.file)?;
    if found.iter().any(|block| block.kind == ArmorKind::Draft) {
        return Err(Failure::usage(
            "H-849",
            words(
                format!("Too few nodes have vouched in {}.", args.file.display()),
                format!("{} 的擔保還不足。", args.file.display()),
            ),
            words(
                format!(
                    "It takes {VOUCHERS_MIN} nodes of {VOUCHER_FIRMS_MIN} firms. Take it to another: `holdfast guest vouch FILE --by-node FOLDER`."
                ),
                format!(
                    "需要 {VOUCHER_FIRMS_MIN} 家企業共 {VOUCHERS_MIN} 個據點。請帶到另一個據點執行 `holdfast guest vouch 檔案 --by-node 資料夾`。"
                ),
            ),
        ));
    }
    let held = Held::read(&args.file)?;
    let own = held.roster.node_of_key(&key.public()).filter(|(node, _)| node.is_guest());
    if own.is_none() {
        return Err(Failure::new(
            Exit::Failed,
            "H-847",
            words(
                format!("{} is not for the key of this PC.", args.file.display()),
                format!("{} 不是給這台電腦的金鑰。", args.file.display()),
            ),
            words("Nothing was changed here.", "這裡沒有任何改變。"),
            words(
                format!("This PC's key is {}. They must vouch for that one.", hex(&key.public().0)),
                format!("這台電腦的金鑰是 {}，請對方擔保這一把。", hex(&key.public().0)),
            ),
        ));
    }
    let peers: Vec<String> = args.peers.iter().map(ToString::to_string).collect();
    settle(&place, &held.roster, &peers, None)?;
    Ok(say_where(desk, &place, Some(&held.roster)))
}
