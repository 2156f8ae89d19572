//! `holdfast alliance`: founding, certifying, reading. Keys are made in place for their owner only; the rules are the roster's.

mod faults;
mod revoke;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::id::{Generation, NodeId};
use holdfast_proto::identity::{
    ArmorKind, Block, Charter, IssuerCertificate, NodeCertificate, PublicKey, RealmKind, Region, Regions, Role, Roles, Roster,
    SecretKey, armor, dearmor,
};
use serde_json::{Value, json};

use crate::args::{AllianceCommand, IssueCommand, IssueIssuer, IssueNode, Kind};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::target::Wish;
use crate::text::{Table, clean, plain};

/// Most root keys a charter can name.
const ROOTS_MAX: usize = 16;
/// The file all certificates of an alliance stand in.
const ALLIANCE_FILE: &str = "alliance.hf";

/// `holdfast alliance`.
///
/// # Errors
/// A file is there already or missing, or the values are refused; then nothing was signed.
pub(crate) fn alliance(desk: &mut Desk<'_>, wish: &Wish, command: AllianceCommand) -> Result<Exit, Failure> {
    let dir = wish.dir.as_deref();
    match command {
        AllianceCommand::Init { kind, roots, firms } => init(desk, needed(dir)?, kind, &roots, &firms),
        AllianceCommand::Issue(IssueCommand::Issuer(args)) => issue_issuer(desk, needed(dir)?, &args),
        AllianceCommand::Issue(IssueCommand::Node(args)) => issue_node(desk, needed(dir)?, &args),
        AllianceCommand::Revoke(args) => revoke::revoke(desk, needed(wish.dir.as_deref())?, wish, &args),
        AllianceCommand::HandIn { file } => revoke::hand_in(desk, wish, &file),
        AllianceCommand::Show { file } => show(desk, &file),
    }
}

fn needed(dir: Option<&Path>) -> Result<&Path, Failure> {
    dir.ok_or_else(|| {
        Failure::usage(
            "H-864",
            words("Which alliance is meant is not said.", "沒有指定聯盟。"),
            words("Give its folder: --dir DIR.", "請用 --dir 資料夾 指定。"),
        )
    })
}

fn init(desk: &mut Desk<'_>, dir: &Path, kind: Kind, roots: &str, firms: &[String]) -> Result<Exit, Failure> {
    let (k, n) = k_of_n(roots)?;
    let file = dir.join(ALLIANCE_FILE);
    if file.exists() {
        return Err(there_already(&file));
    }
    let names: Vec<String> = (0..n)
        .map(|place| if firms.is_empty() { format!("Root {}", place + 1) } else { firms[place % firms.len()].clone() })
        .collect();
    for firm in &names {
        faults::name("--firm", firm)?;
    }
    let keys = (0..n).map(|_| files::new_key()).collect::<Result<Vec<_>, _>>()?;
    let pairs: Vec<(SecretKey, &str)> = keys.iter().cloned().zip(names.iter().map(String::as_str)).collect();
    let charter = Charter::found(realm_kind(kind), k, &pairs).map_err(|error| faults::cannot_issue(error, dir))?;
    files::folder(dir)?;
    let mut made = Vec::new();
    for (number, key) in (1..).zip(&keys) {
        let path = dir.join(format!("root-{number}.key"));
        files::key(&path, ArmorKind::RootKey, key)?;
        made.push(path);
    }
    files::replace(&file, &armor(ArmorKind::Charter, &charter))?;
    made.push(file);
    told(desk, "founded", &made);
    let own = desk.own.clone();
    desk.note(
        &format!("Give each root key to another firm and take it off this computer; {k} of {n} must sign. Then: {own} alliance issue issuer"),
        &format!("請將每把根金鑰交給不同企業保管並移出這台電腦；需 {n} 之 {k} 簽署。接著：{own} alliance issue issuer"),
    );
    tell_who_signs_alone(desk, k, &names);
    Ok(Exit::Done)
}

/// Reads `2/3`.
fn k_of_n(text: &str) -> Result<(u8, usize), Failure> {
    let parts = text.split_once('/').and_then(|(k, n)| Some((k.trim().parse::<u8>().ok()?, n.trim().parse::<usize>().ok()?)));
    parts.filter(|(k, n)| *k >= 1 && usize::from(*k) <= *n && *n <= ROOTS_MAX).ok_or_else(|| {
        Failure::usage(
            "H-865",
            words(
                format!("\"{text}\" does not say how many roots must sign."),
                format!("「{text}」沒有說明需要幾把根金鑰簽署。"),
            ),
            words("Write K/N with K up to N and N up to 16, such as 2/3.", "請寫成 K/N，K 不大於 N，N 最多 16，例如 2/3。"),
        )
    })
}

fn realm_kind(kind: Kind) -> RealmKind {
    match kind {
        Kind::Actual => RealmKind::Actual,
        Kind::Exercise => RealmKind::Exercise,
        Kind::Simulation => RealmKind::Simulation,
    }
}

fn issue_issuer(desk: &mut Desk<'_>, dir: &Path, args: &IssueIssuer) -> Result<Exit, Failure> {
    faults::name("--firm", &args.firm)?;
    faults::serials(args.first, args.max_nodes)?;
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let key_path = dir.join(format!("issuer-{}.key", args.number));
    if held.roster.issuer(args.number).is_some() {
        return Err(certified_already(&format!("issuer {}", args.number), &format!("核發者 {}", args.number)));
    }
    if key_path.exists() {
        return Err(there_already(&key_path));
    }
    let roots = root_keys(dir)?;
    let key = files::new_key()?;
    let certificate = IssuerCertificate {
        number: args.number,
        version: 1,
        charter: held.roster.charter().version,
        key: key.public(),
        firm: args.firm.clone(),
        regions: Regions::ALL,
        roles: [Role::Store, Role::Hub, Role::Authority].into_iter().collect::<Roles>(),
        first: args.first,
        max_nodes: args.max_nodes,
    };
    let signers: Vec<&SecretKey> = roots.iter().collect();
    let envelope = certificate
        .issue(&held.roster.realm(), held.roster.charter(), &signers)
        .map_err(|error| faults::cannot_issue(error, dir))?;
    held.add(&envelope, None)?;
    files::key(&key_path, ArmorKind::IssuerKey, &key)?;
    held.write()?;
    told(desk, "issued", &[key_path, held.path.clone()]);
    let roots = &held.roster.charter().roots;
    if roots.iter().all(|root| root.firm != args.firm) {
        let holders: std::collections::BTreeSet<&str> = roots.iter().map(|root| root.firm.as_str()).collect();
        let holders: Vec<String> = holders.into_iter().map(clean).collect();
        let firm = clean(&args.firm);
        desk.note(
            &format!(
                "Note: \"{firm}\" holds no root key; those are held by {}. If it is one of them, it is misspelt here.",
                holders.join(", ")
            ),
            &format!("注意：「{firm}」沒有保管根金鑰；保管者為 {}。若是其中之一，請檢查名稱是否寫錯。", holders.join("、")),
        );
    }
    Ok(Exit::Done)
}

fn issue_node(desk: &mut Desk<'_>, dir: &Path, args: &IssueNode) -> Result<Exit, Failure> {
    let node: NodeId = args.id.parse().map_err(|_: holdfast_proto::id::NotANodeId| {
        let id = &args.id;
        Failure::usage(
            "H-866",
            words(format!("\"{id}\" is no node id."), format!("「{id}」不是據點代號。")),
            words(
                "Write ISSUER-SERIAL with an issuer of 1 to 32767 and a serial up to 65535, such as 1-118.",
                "請寫成 核發者-序號，核發者為 1 到 32767、序號最多 65535，例如 1-118。",
            ),
        )
    })?;
    let region = region(&args.region)?;
    faults::name("--name", &args.name)?;
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let out = args.out.clone().unwrap_or_else(|| dir.join("nodes").join(&args.id));
    let key_path = out.join("node.key");
    // A key that was taken away is followed by another generation; a second one of the same would void both.
    let before = held.roster.highest_generation(node);
    if held.roster.current(node).is_some() {
        return Err(certified_already(&node.to_string(), &node.to_string()));
    }
    let count = before.map_or(1, |generation| generation.count.saturating_add(1));
    if key_path.exists() {
        return Err(there_already(&key_path));
    }
    let issuer = read_key(&dir.join(format!("issuer-{}.key", node.issuer)), ArmorKind::IssuerKey)?;
    let key = files::new_key()?;
    let today = u32::try_from(desk.now().timestamp().as_second() / 86_400).unwrap_or(0);
    let certificate = NodeCertificate {
        node,
        generation: Generation { count, giver: 0 },
        key: key.public(),
        region,
        role: role(&args.role),
        tier: args.tier,
        capabilities: 0,
        not_before: today,
        not_after: today.saturating_add(args.days),
        name: args.name.clone(),
        window: None,
    };
    let envelope = certificate.issue(&held.roster.realm(), &issuer).map_err(|error| faults::cannot_issue(error, dir))?;
    held.add(&envelope, Some(node.issuer))?;
    files::folder(&out)?;
    files::key(&key_path, ArmorKind::NodeKey, &key)?;
    held.write()?;
    let copy = out.join(ALLIANCE_FILE);
    files::replace(&copy, &held.text())?;
    let paper = revoke::paper(dir, &held.roster, node, &key)?;
    told(desk, "issued", &[key_path, copy, paper]);
    Ok(Exit::Done)
}

fn role(text: &str) -> Role {
    match text {
        "hub" => Role::Hub,
        "authority" => Role::Authority,
        _ => Role::Store,
    }
}

fn region(code: &str) -> Result<Region, Failure> {
    Region::from_code(code.trim().to_ascii_uppercase().trim_start_matches("TW-")).ok_or_else(|| {
        let codes = Region::all().map(|region| region.code()).collect::<Vec<_>>().join(" ");
        Failure::usage(
            "H-867",
            words(
                format!("\"{code}\" is no county or city of ISO 3166-2:TW."),
                format!("「{code}」不是 ISO 3166-2:TW 的縣市代碼。"),
            ),
            words(format!("Write one of: {codes}."), format!("請填其中之一：{codes}。")),
        )
    })
}

/// An alliance file read and checked: every object stands in the roster.
struct Held {
    path: PathBuf,
    roster: Roster,
}

impl Held {
    fn read(path: &Path) -> Result<Self, Failure> {
        let blocks = blocks(path)?;
        let charter =
            blocks.iter().find(|block| block.kind == ArmorKind::Charter).ok_or_else(|| faults::without(path, "CHARTER"))?;
        let mut roster =
            Roster::new(&charter.bytes).map_err(|error| faults::unsound(path, charter.line, &faults::of_roster(error)))?;
        let certificate = |kind| matches!(kind, ArmorKind::Charter | ArmorKind::Issuer | ArmorKind::Node | ArmorKind::Revocation);
        for block in blocks.iter().filter(|block| certificate(block.kind)) {
            roster.offer(&block.bytes).map_err(|error| faults::unsound(path, block.line, &faults::of_roster(error)))?;
        }
        Ok(Self { path: path.to_owned(), roster })
    }

    /// Takes a new certificate in, as every node would.
    fn add(&mut self, envelope: &Bytes, issuer: Option<u16>) -> Result<(), Failure> {
        let offered = self.roster.offer(envelope).map(|_| ());
        offered.map_err(|error| faults::refused_by_nodes(error, issuer.and_then(|number| self.roster.issuer(number))))
    }

    /// Charters, issuers, nodes, in this order.
    fn text(&self) -> String {
        self.roster
            .objects()
            .map(|object| {
                let kind = match object.key {
                    holdfast_proto::identity::ObjectKey::Charter(_) => ArmorKind::Charter,
                    holdfast_proto::identity::ObjectKey::Issuer(_) => ArmorKind::Issuer,
                    holdfast_proto::identity::ObjectKey::Node(..) => ArmorKind::Node,
                    holdfast_proto::identity::ObjectKey::Revocation(..) => ArmorKind::Revocation,
                };
                armor(kind, object.envelope)
            })
            .collect()
    }

    fn write(&self) -> Result<(), Failure> {
        files::replace(&self.path, &self.text())
    }
}

fn blocks(path: &Path) -> Result<Vec<Block>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        if path.is_dir() {
            let inside = path.join(ALLIANCE_FILE).display().to_string();
            let failure = Failure::file("H-862", ("read", "讀取"), path, &error);
            return failure.with_fix(words(format!("Name the file in it: {inside}."), format!("請指定其中的檔案：{inside}。")));
        }
        if error.kind() != std::io::ErrorKind::NotFound {
            return Failure::file("H-862", ("read", "讀取"), path, &error);
        }
        Failure::new(
            Exit::NotFound,
            "H-869",
            words(format!("There is no file {}.", path.display()), format!("沒有檔案 {}。", path.display())),
            words("Nothing was read or signed.", "沒有讀取或簽署任何內容。"),
            words(
                "Check the path; a new alliance begins with `holdfast alliance init`.",
                "請確認路徑；新聯盟請先執行 `holdfast alliance init`。",
            ),
        )
    })?;
    dearmor(&text).map_err(|error| faults::unsound(path, error.line, &faults::of_armor(error.fault)))
}

fn read_key(path: &Path, kind: ArmorKind) -> Result<SecretKey, Failure> {
    let found = blocks(path)?.into_iter().find(|block| block.kind == kind);
    let seed = found.and_then(|block| <[u8; 32]>::try_from(block.bytes.as_ref()).ok());
    seed.map(SecretKey::from_seed).ok_or_else(|| faults::without(path, kind.text()))
}

/// All root keys at hand; the charter says how many are needed.
fn root_keys(dir: &Path) -> Result<Vec<SecretKey>, Failure> {
    let paths = (1..=ROOTS_MAX).map(|number| dir.join(format!("root-{number}.key"))).filter(|path| path.exists());
    paths.map(|path| read_key(&path, ArmorKind::RootKey)).collect()
}

fn there_already(path: &Path) -> Failure {
    Failure::new(
        Exit::Failed,
        "H-861",
        words(format!("{} is there already.", path.display()), format!("{} 已存在。", path.display())),
        words("Keys are never written over; nothing was written.", "金鑰不會被覆寫；沒有寫入任何檔案。"),
        words("Choose another folder, or move it away first.", "請換一個資料夾，或先移走它。"),
    )
}

/// A number stands for one key for good.
fn certified_already(en: &str, zh: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "H-861",
        words(format!("{en} is certified already."), format!("{zh} 已核發過憑證。")),
        words("Numbers are never given twice; nothing was written.", "編號不會重複核發；沒有寫入任何檔案。"),
        words(
            "Choose another number; `holdfast alliance show` lists those given.",
            "請換一個編號；`holdfast alliance show` 會列出已核發的。",
        ),
    )
}

/// Says which firm reaches the number of signatures alone, where several were to share them.
fn tell_who_signs_alone(desk: &mut Desk<'_>, k: u8, names: &[String]) {
    let firms: std::collections::BTreeSet<&String> = names.iter().collect();
    let held = |firm: &String| names.iter().filter(|name| *name == firm).count();
    let Some(firm) = firms.iter().find(|firm| held(firm) >= usize::from(k)).filter(|_| firms.len() > 1 && k > 1) else { return };
    let (n, firm) = (held(firm), clean(firm));
    desk.note(
        &format!("Note: \"{firm}\" holds {n} of the root keys and so reaches the {k} that must sign alone. Name more firms with --firm if no firm shall."),
        &format!("注意：「{firm}」持有 {n} 把根金鑰，一家就能達到所需的 {k} 把簽署。若不希望如此，請用 --firm 加列更多企業。"),
    );
}

fn told(desk: &mut Desk<'_>, act: &str, made: &[PathBuf]) {
    if desk.json {
        desk.object(&json!({"schema": "holdfast.alliance/1", "done": act, "files": made}));
        return;
    }
    for path in made {
        desk.say(&path.display().to_string());
    }
}

fn show(desk: &mut Desk<'_>, file: &Path) -> Result<Exit, Failure> {
    let blocks = blocks(file)?;
    let keys: Vec<Value> = blocks
        .iter()
        .filter(|block| matches!(block.kind, ArmorKind::NodeKey | ArmorKind::RootKey | ArmorKind::IssuerKey))
        .map(|block| {
            let public = <[u8; 32]>::try_from(block.bytes.as_ref()).map(|seed| hex(&SecretKey::from_seed(seed).public()));
            json!({"kind": block.kind.text().to_lowercase(), "public": public.unwrap_or_default()})
        })
        .collect();
    let held = blocks.iter().any(|block| block.kind == ArmorKind::Charter).then(|| Held::read(file)).transpose()?;
    if desk.json {
        let mut object = held.as_ref().map_or_else(|| json!({}), |held| object(&held.roster));
        if let Some(fields) = object.as_object_mut() {
            fields.insert("schema".to_owned(), "holdfast.alliance_file/1".into());
            fields.insert("keys".to_owned(), keys.into());
        }
        desk.object(&object);
        return Ok(Exit::Done);
    }
    for key in keys {
        let (kind, public) = (key["kind"].as_str().unwrap_or_default(), key["public"].as_str().unwrap_or_default());
        let line = desk.lang.of(
            format!("{kind} (secret, not shown); public half {public}"),
            format!("{kind}（機密，不顯示）；公開金鑰 {public}"),
        );
        desk.say(&line);
    }
    if let Some(held) = held {
        let lines = lines(&held.roster, desk);
        desk.say_all(lines);
    }
    Ok(Exit::Done)
}

fn hex(key: &PublicKey) -> String {
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn object(roster: &Roster) -> Value {
    let charter = roster.charter();
    json!({
        "realm": roster.realm().0.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "kind": roster.kind(),
        "charter": {"version": charter.version, "k": charter.k,
            "roots": charter.roots.iter().map(|root| json!({"firm": root.firm, "key": hex(&root.key)})).collect::<Vec<_>>()},
        "issuers": roster.issuers().map(|issuer| json!({"number": issuer.number, "version": issuer.version, "firm": issuer.firm,
            "first": issuer.first, "max_nodes": issuer.max_nodes, "key": hex(&issuer.key)})).collect::<Vec<_>>(),
        "nodes": roster.members().map(|node| json!({"revoked": roster.revocations_of(node.node, node.generation).next().map(|why| why.reason.text()),"id": node.node.to_string(), "name": node.name, "role": node.role.text(),
            "tier": node.tier, "region": node.region.code(), "firm": roster.firm(node.node), "not_before": date(node.not_before),
            "not_after": date(node.not_after), "key": hex(&node.key)})).collect::<Vec<_>>(),
    })
}

/// Days since 1970 as a date.
fn date(days: u32) -> String {
    let span = jiff::ToSpan::days(i64::from(days));
    jiff::civil::date(1970, 1, 1).checked_add(span).map_or_else(|_| days.to_string(), |date| date.to_string())
}

fn lines(roster: &Roster, desk: &Desk<'_>) -> Vec<String> {
    let (lang, charter) = (desk.lang, roster.charter());
    let kind = crate::words::word(roster.kind().text(), lang);
    let (k, n) = (charter.k, charter.roots.len());
    let mut lines = vec![lang.of(
        format!("alliance ({kind}), charter {}: {k} of {n} roots sign", charter.version),
        format!("聯盟（{kind}），章程第 {} 版：{n} 之 {k} 根金鑰簽署", charter.version),
    )];
    lines.extend(charter.roots.iter().map(|root| format!("  {}  {}", root.key, clean(&root.firm))));
    let mut table = Table::new(&lang.of(["", "ISSUER", "FIRM", "SERIALS", "KEY"], ["", "核發者", "企業", "序號範圍", "金鑰"]));
    for issuer in roster.issuers() {
        let last = u32::from(issuer.first) + u32::from(issuer.max_nodes) - 1;
        table.row(vec![
            plain(""),
            plain(issuer.number.to_string()),
            plain(issuer.firm.clone()),
            plain(format!("{}-{last}", issuer.first)),
            plain(issuer.key.to_string()),
        ]);
    }
    lines.extend(table.lines(desk.colour));
    let mut table = Table::new(&lang.of(
        ["", "NODE", "NAME", "ROLE", "TIER", "REGION", "UNTIL", "KEY"],
        ["", "據點", "名稱", "類型", "級別", "縣市", "有效至", "金鑰"],
    ));
    for node in roster.members() {
        table.row(vec![
            plain(""),
            plain(node.node.to_string()),
            plain(node.name.clone()),
            plain(crate::words::word(node.role.text(), lang)),
            plain(node.tier.to_string()),
            plain(node.region.code()),
            plain(if roster.is_revoked(node.node, node.generation) {
                lang.of("revoked".to_owned(), "已撤銷".to_owned())
            } else {
                date(node.not_after)
            }),
            plain(node.key.to_string()),
        ]);
    }
    lines.extend(table.lines(desk.colour));
    lines
}
