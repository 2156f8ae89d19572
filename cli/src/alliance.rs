//! `holdfast alliance`: founding, certifying, reading. Keys are made in place for their owner only; the rules are the roster's.

pub(crate) mod certify;
pub(crate) mod delegate;
mod drafts;
pub(crate) mod faults;
pub(crate) mod guest;
mod heads;
pub(crate) mod held;
mod renew;
pub(crate) mod revoke;
mod rotate;
mod verify;

use std::path::{Path, PathBuf};

use holdfast_proto::identity::{
    ArmorKind, DeputyCertificate, IssuerCertificate, PublicKey, Regions, Role, Roles, Roster, SecretKey, public_half,
};
use serde_json::{Value, json};

use self::certify::Draft;
use self::drafts::{Drafts, Settle};
use self::held::{ALLIANCE_FILE, Held, blocks, root_keys};
use crate::args::{AllianceCommand, IssueCommand, IssueDeputy, IssueIssuer, IssueNode};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::target::Wish;
use crate::text::{Table, clean, plain};

/// `holdfast alliance`.
///
/// # Errors
/// A file is there already or missing, or the values are refused; then nothing was signed.
pub(crate) fn alliance(desk: &mut Desk<'_>, wish: &Wish, command: AllianceCommand) -> Result<Exit, Failure> {
    let dir = wish.dir.as_deref();
    match command {
        AllianceCommand::Init { kind, roots, firms, elsewhere } => {
            rotate::init(desk, needed(dir)?, kind, &roots, (&firms, &elsewhere))
        }
        AllianceCommand::Key { firm } => rotate::root_key(desk, needed(dir)?, &firm),
        AllianceCommand::Rotate(args) => rotate::rotate(desk, needed(dir)?, &args),
        AllianceCommand::Sign { file, yes } => drafts::sign(desk, needed(dir)?, &file, yes),
        AllianceCommand::Renew(args) => renew::renew(desk, needed(wish.dir.as_deref())?, wish, &args),
        AllianceCommand::Verify { path } => verify::verify(desk, &path),
        AllianceCommand::Issue(IssueCommand::Issuer(args)) => issue_issuer(desk, needed(dir)?, &args),
        AllianceCommand::Issue(IssueCommand::Deputy(args)) => issue_deputy(desk, needed(dir)?, &args),
        AllianceCommand::Issue(IssueCommand::Node(args)) => issue_node(desk, needed(dir)?, &args),
        AllianceCommand::Revoke(args) => revoke::revoke(desk, needed(wish.dir.as_deref())?, wish, &args),
        AllianceCommand::Delegate(args) => delegate::delegate(desk, wish, &args),
        AllianceCommand::Undelegate(args) => delegate::undelegate(desk, wish, &args),
        AllianceCommand::Heads { id } => heads::heads(desk, wish, &id),
        AllianceCommand::Take { file } => take(desk, needed(dir)?, &file),
        AllianceCommand::HandIn { file } => revoke::hand_in(desk, wish, &file),
        AllianceCommand::Show { file } => show(desk, &file),
    }
}

/// The alliance's folder.
///
/// # Errors
/// None was named.
pub(crate) fn needed(dir: Option<&Path>) -> Result<&Path, Failure> {
    dir.ok_or_else(|| {
        Failure::usage(
            "H-864",
            words("Which alliance is meant is not said.", "沒有指定聯盟。"),
            words("Give its folder: --dir DIR.", "請用 --dir 資料夾 指定。"),
        )
    })
}

/// `alliance take`: what stands in a file counts here too; all of it or nothing.
fn take(desk: &mut Desk<'_>, dir: &Path, file: &Path) -> Result<Exit, Failure> {
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let found = blocks(file)?;
    if let Some(secret) = found.iter().find(|block| block.kind.is_secret()) {
        return Err(faults::a_secret(file, secret.line));
    }
    let before = held.roster.objects().count();
    held.add_all(&found.iter().map(|block| block.bytes.clone()).collect::<Vec<_>>())?;
    held.write()?;
    let new = held.roster.objects().count().saturating_sub(before);
    if desk.json {
        desk.object(&json!({"schema": "holdfast.alliance/1", "done": "taken", "files": [held.path], "new": new}));
    } else {
        desk.say(
            &desk.lang.of(format!("{new} new in {}", held.path.display()), format!("{} 新增 {new} 份", held.path.display())),
        );
    }
    Ok(Exit::Done)
}

fn issue_issuer(desk: &mut Desk<'_>, dir: &Path, args: &IssueIssuer) -> Result<Exit, Failure> {
    faults::name("--firm", &args.firm)?;
    faults::serials(args.first, args.max_nodes)?;
    let held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let key_path = dir.join(format!("issuer-{}.key", args.number));
    if held.roster.issuer(args.number).is_some() {
        return Err(certified_already(&format!("issuer {}", args.number), &format!("核發者 {}", args.number)));
    }
    if key_path.exists() {
        return Err(there_already(&key_path));
    }
    let key = files::new_key()?;
    let certificate = IssuerCertificate {
        number: args.number,
        version: 1,
        charter: held.roster.charter().version,
        key: key.public(),
        firm: args.firm.clone(),
        regions: Regions::ALL,
        roles: Role::CERTIFIED.into_iter().collect::<Roles>(),
        first: args.first,
        max_nodes: args.max_nodes,
    };
    let refused = |error| faults::refused_by_nodes(error, None);
    let draft = certificate.draft().map_err(|error| faults::cannot_issue(error, dir))?;
    let mut drafts = Drafts::of(vec![draft], Some(&held.roster)).map_err(refused)?;
    drafts.sign(&root_keys(dir)?).map_err(refused)?;
    if drafts.is_whole() {
        held.roster.clone().offer(&drafts.envelopes()[0]).map_err(refused)?;
    }
    tell_of_an_unknown_firm(desk, &held.roster, &args.firm);
    files::key(&key_path, ArmorKind::IssuerKey, &key)?;
    let file = dir.join(format!("draft-issuer-{}.hf", args.number));
    Settle { act: "issued", dir, file, keep: false, made: vec![key_path] }.settle(desk, &drafts, Some(held))
}

/// Says that a firm that certifies is none of those that founded: often a slip of the hand.
fn tell_of_an_unknown_firm(desk: &mut Desk<'_>, roster: &Roster, firm: &str) {
    let roots = &roster.charter().roots;
    if roots.iter().any(|root| root.firm == firm) {
        return;
    }
    let holders: std::collections::BTreeSet<&str> = roots.iter().map(|root| root.firm.as_str()).collect();
    let holders: Vec<String> = holders.into_iter().map(clean).collect();
    let firm = clean(firm);
    desk.note(
        &format!(
            "Note: \"{firm}\" holds no root key; those are held by {}. If it is one of them, it is misspelt here.",
            holders.join(", ")
        ),
        &format!("注意：「{firm}」沒有保管根金鑰；保管者為 {}。若是其中之一，請檢查名稱是否寫錯。", holders.join("、")),
    );
}

fn issue_node(desk: &mut Desk<'_>, dir: &Path, args: &IssueNode) -> Result<Exit, Failure> {
    let draft = Draft {
        node: certify::node_id(&args.id)?,
        name: args.name.clone(),
        role: certify::role(&args.role),
        tier: args.tier,
        region: certify::region(&args.region)?,
        days: args.days,
        capabilities: certify::capabilities(args.everywhere),
        giver: args.deputy,
    };
    faults::name("--name", &args.name)?;
    let node = draft.node;
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let out = args.out.clone().unwrap_or_else(|| dir.join("nodes").join(&args.id));
    let key_path = out.join("node.key");
    // A key that was taken away is followed by another generation; a second one of the same would void both.
    if held.roster.current(node).is_some() {
        return Err(certified_already(&node.to_string(), &node.to_string()));
    }
    if key_path.exists() {
        return Err(there_already(&key_path));
    }
    let signer = certify::giver(dir, node.issuer, draft.giver)?;
    let key = files::new_key()?;
    let (today, known) = certify::today(desk.now());
    let _envelope = draft.certify(&mut held, key.public(), &signer, today)?;
    files::folder(&out)?;
    files::key(&key_path, ArmorKind::NodeKey, &key)?;
    held.write()?;
    let copy = out.join(ALLIANCE_FILE);
    files::replace(&copy, &held.text())?;
    let paper = revoke::paper(dir, &held.roster, node, &key)?;
    told(desk, "issued", &[key_path, copy, paper]);
    tell_of_the_clock(desk, known);
    Ok(Exit::Done)
}

/// Says that the dates of a certificate are guessed.
pub(crate) fn tell_of_the_clock(desk: &mut Desk<'_>, known: bool) {
    if !known {
        desk.note(
            "Note: the clock of this computer is wrong, so the dates in the certificate are guessed. It holds all the same; dates decide nothing.",
            "注意：這台電腦的時鐘不正確，憑證上的日期是推估的。憑證仍然有效，日期不影響任何判斷。",
        );
    }
}

fn issue_deputy(desk: &mut Desk<'_>, dir: &Path, args: &IssueDeputy) -> Result<Exit, Failure> {
    faults::name("--name", &args.name)?;
    faults::serials(args.first, args.max_nodes)?;
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let place = format!("{}-{}", args.issuer, args.number);
    let key_path = certify::key_file(dir, args.issuer, args.number);
    if held.roster.deputy(args.issuer, args.number).is_some() {
        return Err(certified_already(&format!("deputy {place}"), &format!("代理者 {place}")));
    }
    if key_path.exists() {
        return Err(there_already(&key_path));
    }
    let issuer = held.roster.issuer(args.issuer).cloned();
    let roles = if args.roles.is_empty() {
        [Role::Store].into_iter().collect()
    } else {
        args.roles.iter().map(|role| certify::role(role)).collect()
    };
    let regions = args.regions.iter().map(|code| certify::region(code)).collect::<Result<Regions, Failure>>()?;
    let signer = certify::giver(dir, args.issuer, 0)?;
    let key = files::new_key()?;
    let (today, known) = certify::today(desk.now());
    let certificate = DeputyCertificate {
        issuer: args.issuer,
        giver: args.number,
        version: 1,
        key: key.public(),
        regions: if args.regions.is_empty() { issuer.map_or(Regions::ALL, |issuer| issuer.regions) } else { regions },
        roles,
        first: args.first,
        max_nodes: args.max_nodes,
        not_before: today,
        not_after: today.saturating_add(args.days),
        name: args.name.clone(),
    };
    let envelope = certificate.issue(&held.roster.realm(), &signer).map_err(|error| faults::cannot_issue(error, dir))?;
    held.add(&envelope, Some(args.issuer))?;
    files::key(&key_path, ArmorKind::IssuerKey, &key)?;
    held.write()?;
    told(desk, "issued", &[key_path, held.path.clone()]);
    tell_of_the_clock(desk, known);
    let own = desk.own.clone();
    desk.note(
        &format!(
            "Give this key and alliance.hf to the deputy, in a folder of their own. With it: {own} invite ID --deputy {}",
            args.number
        ),
        &format!("請將此金鑰與 alliance.hf 交給代理者，另存一個資料夾。使用方式：{own} invite 代號 --deputy {}", args.number),
    );
    Ok(Exit::Done)
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
pub(crate) fn certified_already(en: &str, zh: &str) -> Failure {
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
        .filter(|block| block.kind.is_secret())
        .map(|block| {
            let plain = || <[u8; 32]>::try_from(block.bytes.as_ref()).ok().map(|seed| SecretKey::from_seed(seed).public());
            let public = if block.kind == ArmorKind::BoundKey { public_half(&block.bytes) } else { plain() };
            json!({"kind": block.kind.text().to_lowercase(), "public": public.map(|key| hex(&key)).unwrap_or_default()})
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
        "deputies": roster.deputies().map(|deputy| json!({"issuer": deputy.issuer, "number": deputy.giver, "name": deputy.name,
            "first": deputy.first, "max_nodes": deputy.max_nodes, "regions": deputy.regions.iter().map(|region| region.code()).collect::<Vec<_>>(),
            "not_before": date(deputy.not_before), "not_after": date(deputy.not_after), "key": hex(&deputy.key)})).collect::<Vec<_>>(),
        "nodes": roster.members().map(|node| json!({"revoked": roster.revocations_of(node.node, node.generation).next().map(|why| why.reason.text()),"id": node.node.to_string(), "name": node.name, "role": node.role.text(),
            "tier": node.tier, "region": node.region.code(), "firm": roster.firm(node.node), "not_before": date(node.not_before),
            "not_after": date(node.not_after), "key": hex(&node.key)})).collect::<Vec<_>>(),
    })
}

/// Days since 1970 as a date.
pub(crate) fn date(days: u32) -> String {
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
    if roster.deputies().next().is_some() {
        let mut table = Table::new(
            &lang.of(["", "DEPUTY", "NAME", "SERIALS", "UNTIL", "KEY"], ["", "代理者", "名稱", "序號範圍", "有效至", "金鑰"]),
        );
        for deputy in roster.deputies() {
            let serials = match deputy.max_nodes {
                0 => lang.of("ended".to_owned(), "已結束".to_owned()),
                width => format!("{}-{}", deputy.first, u32::from(deputy.first) + u32::from(width) - 1),
            };
            table.row(vec![
                plain(""),
                plain(format!("{}-{}", deputy.issuer, deputy.giver)),
                plain(deputy.name.clone()),
                plain(serials),
                plain(date(deputy.not_after)),
                plain(deputy.key.to_string()),
            ]);
        }
        lines.extend(table.lines(desk.colour));
    }
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
