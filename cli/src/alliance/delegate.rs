//! `alliance delegate`, `alliance undelegate` and `person`: who may act through nodes without being one.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::control::person::{hex, unhex};
use holdfast_proto::control::{ActsView, PinView};
use holdfast_proto::domain::FactKind;
use holdfast_proto::domain::authority::{FOR_PERSONS, delegable};
use holdfast_proto::id::{Generation, LogId, NodeId};
use holdfast_proto::identity::{
    ArmorKind, Block, Delegation, DelegationId, Kinds, NODE_DELEGATIONS_MAX, Pin, PublicKey, Regions, Roster, SecretKey,
};
use serde_json::json;

use super::held::{self, ALLIANCE_FILE, Held, read_own_key};
use super::revoke::tell_or_say_how;
use super::{certify, faults, needed, tell_of_the_clock};
use crate::args::{DelegateArgs, UndelegateArgs};
use crate::client::path_part;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::target::{self, Wish};

/// `--allow` for all that is done with goods.
const SUPPLY: &str = "supply";
/// Where a person's key lies.
pub(crate) const PERSON_KEY: &str = "person.key";

/// `person`: makes the key of who works at this computer, and prints what the firm needs of it.
///
/// # Errors
/// A key is there already, or can't be written.
pub(crate) fn person(desk: &mut Desk<'_>, folder: &Path) -> Result<Exit, Failure> {
    files::private_folder(folder)?;
    let key = files::new_key()?;
    let path = folder.join(PERSON_KEY);
    files::key(&path, ArmorKind::PersonKey, &key)?;
    let public = hex(&key.public().0);
    if desk.json {
        desk.object(&json!({"schema": "holdfast.person_key/1", "file": path, "key": public}));
        return Ok(Exit::Done);
    }
    desk.say(&public);
    let own = desk.own.clone();
    desk.note(
        &format!(
            "Read these digits to your firm. It makes delegation.hf with {own} alliance delegate --to KEY; put that file into {}.",
            folder.display()
        ),
        &format!(
            "請將這串數字告知公司，由公司以 {own} alliance delegate --to 金鑰 產生 delegation.hf，再把該檔放入 {}。",
            folder.display()
        ),
    );
    Ok(Exit::Done)
}

/// Who gives it: where the alliance lies, the key, and as whom.
struct Giver {
    held: Held,
    key: SecretKey,
    issuer: u16,
    node: Option<(NodeId, Generation)>,
    out: PathBuf,
}

impl Giver {
    fn of(dir: Option<&Path>, issuer: Option<u16>, by_node: Option<&Path>) -> Result<Self, Failure> {
        if let Some(folder) = by_node {
            let held = Held::read(&folder.join(ALLIANCE_FILE))?;
            let key = read_own_key(&folder.join("node.key"))?;
            let node = held.roster.node_of_key(&key.public());
            let (node, generation) = node.ok_or_else(|| faults::without(&held.path, "NODE"))?;
            return Ok(Self { held, key, issuer: node.issuer, node: Some((node, generation)), out: folder.to_owned() });
        }
        let (dir, issuer) = (needed(dir)?, issuer.unwrap_or_default());
        let held = Held::read(&dir.join(ALLIANCE_FILE))?;
        let key = certify::giver(dir, issuer, 0)?;
        Ok(Self { held, key, issuer, node: None, out: dir.to_owned() })
    }

    fn id(&self, number: u8) -> DelegationId {
        DelegationId { issuer: self.issuer, serial: self.node.map(|(node, _)| node.serial), number }
    }

    /// The next number nobody stands for.
    fn free(&self) -> Option<u8> {
        let most = if self.node.is_some() { NODE_DELEGATIONS_MAX } else { u8::MAX };
        (1..=most).find(|number| self.held.roster.delegation(self.id(*number)).is_none())
    }

    /// What it may give.
    fn most(&self) -> (Kinds, Regions) {
        match self.node {
            Some((node, _)) => {
                let role = self.held.roster.newest(node).map(|certificate| certificate.role);
                (delegable(role.into_iter().collect()), Regions::ALL)
            }
            None => {
                let issuer = self.held.roster.issuer(self.issuer);
                issuer.map_or((Kinds(0), Regions(0)), |issuer| (delegable(issuer.roles), issuer.regions))
            }
        }
    }

    /// Signs it, takes it in as every node would, and writes the person's file.
    fn give(&mut self, delegation: &Delegation) -> Result<(Bytes, PathBuf), Failure> {
        let realm = self.held.roster.realm();
        let envelope = delegation.issue(&realm, &self.key).map_err(|error| faults::cannot_issue(error, &self.out))?;
        self.held.add(&envelope, Some(self.issuer))?;
        let folder = self.out.join("persons");
        files::folder(&folder)?;
        let path = folder.join(format!("{}.hf", delegation.id.to_string().replace('/', "-p")));
        files::replace(&path, &papers(&self.held.roster, delegation.id))?;
        self.held.write()?;
        Ok((envelope, path))
    }
}

/// A delegation and all that proves it, as the person's computer shows it to a node.
fn papers(roster: &Roster, id: DelegationId) -> String {
    held::text_of(&roster.chain_of_delegation(id))
}

/// `alliance delegate`.
///
/// # Errors
/// What is to be given is more than who gives it has, or can't be read; then nothing was signed.
pub(super) fn delegate(desk: &mut Desk<'_>, wish: &Wish, args: &DelegateArgs) -> Result<Exit, Failure> {
    faults::name("--name", &args.name)?;
    let key = public_key(&args.to)?;
    let mut giver = Giver::of(wish.dir.as_deref(), args.issuer, args.by_node.as_deref())?;
    let (may, where_most) = giver.most();
    let kinds = args.allow.iter().map(|word| kinds(word, may)).collect::<Result<Vec<_>, Failure>>()?;
    let kinds: Kinds = kinds.into_iter().flatten().collect();
    let regions = args.regions.iter().map(|code| certify::region(code)).collect::<Result<Regions, Failure>>()?;
    let node = args.node.as_deref().map(certify::node_id).transpose()?;
    let number = args
        .number
        .or_else(|| giver.free())
        .ok_or_else(|| super::certified_already(&format!("every number of delegations of {}", giver.issuer), "所有授權編號都"))?;
    let id = giver.id(number);
    let before = giver.held.roster.delegation(id).cloned();
    if before.as_ref().is_some_and(|before| before.key != key) {
        return Err(super::certified_already(&format!("delegation {id}"), &format!("授權 {id} ")));
    }
    let (today, known) = certify::today(desk.now());
    let delegation = Delegation {
        id,
        version: before.as_ref().map_or(1, |before| before.version.saturating_add(1)),
        key,
        kinds,
        regions: if args.regions.is_empty() { where_most } else { regions },
        node: giver.node.map_or(node, |(node, _)| Some(node)),
        generation: giver.node.map(|(_, generation)| generation),
        not_before: today.saturating_add(args.after),
        not_after: today.saturating_add(args.after).saturating_add(args.days),
        name: args.name.clone(),
        ended: None,
    };
    let (_, path) = giver.give(&delegation)?;
    if desk.json {
        desk.object(
            &json!({"schema": "holdfast.alliance/1", "done": "delegated", "delegation": id.to_string(), "files": [path]}),
        );
    } else {
        desk.say(&path.display().to_string());
    }
    tell_of_the_clock(desk, known);
    desk.note(
        &format!(
            "Give this file to {} as delegation.hf, beside person.key. To take it away: {} alliance undelegate {id}",
            args.name,
            desk.own.clone()
        ),
        &format!(
            "請將此檔交給 {}，命名為 delegation.hf，與 person.key 放在一起。收回授權：{} alliance undelegate {id}",
            args.name,
            desk.own.clone()
        ),
    );
    Ok(Exit::Done)
}

/// `alliance undelegate`: what stands is what the daemon here holds of it, or nothing.
///
/// # Errors
/// It is not in the alliance file, or no daemon can say what stands; then nothing was signed.
pub(super) fn undelegate(desk: &mut Desk<'_>, wish: &Wish, args: &UndelegateArgs) -> Result<Exit, Failure> {
    let unknown = || {
        Failure::new(
            Exit::NotFound,
            "H-857",
            words(
                format!("No delegation \"{}\" is in the alliance file.", args.delegation),
                format!("聯盟檔裡沒有授權「{}」。", args.delegation),
            ),
            words("Nothing was signed.", "沒有簽署任何內容。"),
            words("Write who gave it and its number, such as 1/3.", "請寫授權單位與編號，例如 1/3。"),
        )
    };
    let id: DelegationId = args.delegation.parse().map_err(|_| unknown())?;
    let mut giver = Giver::of(wish.dir.as_deref(), Some(id.issuer), args.by_node.as_deref())?;
    let before = giver.held.roster.delegation(id).cloned().ok_or_else(unknown)?;
    let pins = if args.nothing_counts { Vec::new() } else { standing(desk, wish, id)? };
    let ended = Delegation { version: before.version.saturating_add(1), ended: Some(pins), ..before };
    let (bytes, path) = giver.give(&ended)?;
    let shown = path.display().to_string();
    if !desk.json {
        desk.say(&shown);
    }
    tell_or_say_how(desk, wish, &[Block { kind: ArmorKind::Delegation, bytes, line: 0 }], &path)
}

fn standing(desk: &mut Desk<'_>, wish: &Wish, id: DelegationId) -> Result<Vec<Pin>, Failure> {
    // The folder is the alliance's, not a demo's.
    let wish = Wish { dir: None, ..wish.clone() };
    let (_, client) = target::open(desk, &wish)?;
    let acts = client.ask::<ActsView>(&format!("/api/v1/acts/{}", path_part(&id.to_string())));
    let acts = match acts {
        // It was never used where that daemon could hear of it.
        Err(failure) if failure.code() == "H-528" => return Ok(Vec::new()),
        other => other?,
    };
    let pin = |pin: &PinView| Some(Pin { log: LogId::from_bytes(unhex(&pin.log)?), number: pin.number });
    Ok(acts.last.iter().filter_map(pin).collect())
}

/// What an `--allow` stands for: one kind, or all of what suppliers, carriers and consignees do.
fn kinds(word: &str, may: Kinds) -> Result<Vec<u32>, Failure> {
    let all = || FOR_PERSONS.into_iter().filter(|kind| may.contains(kind.number()));
    let found: Vec<u32> = match word {
        SUPPLY => all().map(FactKind::number).filter(|kind| *kind >= FactKind::CommitResource.number()).collect(),
        word => all().filter(|kind| kind.word() == word).map(FactKind::number).collect(),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let list = all().map(FactKind::word).chain([SUPPLY]).collect::<Vec<_>>().join(", ");
    Err(Failure::usage(
        "H-858",
        words(format!("\"{word}\" is nothing that can be given here."), format!("「{word}」不是這裡可以授權的項目。")),
        words(
            format!("Who gives it may itself say, and so give: {list}."),
            format!("授權單位自己可做、因此可授權的項目：{list}。"),
        ),
    ))
}

/// A public key as it was read out.
///
/// # Errors
/// It is none.
pub(super) fn public_key(text: &str) -> Result<PublicKey, Failure> {
    let key = unhex::<32>(&text.trim().to_ascii_lowercase()).map(PublicKey).filter(|key| key.strong().is_some());
    key.ok_or_else(|| {
        Failure::usage(
            "H-859",
            words(format!("\"{text}\" is no public key."), format!("「{text}」不是公開金鑰。")),
            words(
                "Give the 64 hex digits that `holdfast person` or `holdfast guest key` printed on that computer.",
                "請填那台電腦執行 `holdfast person` 或 `holdfast guest key` 時顯示的 64 個十六進位數字。",
            ),
        )
    })
}
