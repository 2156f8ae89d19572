//! `holdfast alliance init` and `rotate`: who the roots are, now and after. Keys that are lost, stolen or retired give way to others;
//! what roots had signed is signed again under the new charter in the same act.

use std::path::{Path, PathBuf};

use holdfast_proto::identity::{ArmorKind, Charter, Drafted, PublicKey, RealmKind, RootKey, Roster, SecretKey, drafted};

use super::drafts::{Drafts, Settle};
use super::faults;
use super::held::{ALLIANCE_FILE, Held, ROOTS_MAX, root_keys};
use super::there_already;
use crate::args::{Kind, Rotate};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::text::clean;

/// `alliance init`.
///
/// # Errors
/// There is an alliance already, or the values are refused; then nothing was made.
pub(super) fn init(
    desk: &mut Desk<'_>,
    dir: &Path,
    kind: Kind,
    roots: &str,
    (firms, elsewhere): (&[String], &[String]),
) -> Result<Exit, Failure> {
    let (k, n) = k_of_n(roots)?;
    let file = dir.join(ALLIANCE_FILE);
    if file.exists() {
        return Err(there_already(&file));
    }
    let there = elsewhere.iter().map(|text| root_elsewhere(text)).collect::<Result<Vec<_>, _>>()?;
    let here = n.checked_sub(there.len()).ok_or_else(|| too_many(n))?;
    let names =
        (0..here).map(|place| if firms.is_empty() { format!("Root {}", place + 1) } else { firms[place % firms.len()].clone() });
    let mut new = NewRoots::make(dir, names.collect())?;
    let mut all = new.roots();
    all.extend(there);
    let charter = Charter { version: 1, kind: realm_kind(kind), k, roots: all, previous: None };
    let draft = charter.draft().map_err(|error| faults::cannot_issue(error, dir))?;
    let mut drafts = Drafts::of(vec![draft], None).map_err(|error| faults::refused_by_nodes(error, None))?;
    drafts.sign(&new.keys()).map_err(|error| faults::refused_by_nodes(error, None))?;
    files::folder(dir)?;
    let made = new.write()?;
    let whole = drafts.is_whole();
    let settle = Settle { act: "founded", dir, file: dir.join("draft-charter-1.hf"), keep: false, made };
    let exit = settle.settle(desk, &drafts, None)?;
    if whole {
        let own = desk.own.clone();
        desk.note(
            &format!("Give each root key to another firm and take it off this computer; {k} of {n} must sign. Then: {own} alliance issue issuer"),
            &format!("請將每把根金鑰交給不同企業保管並移出這台電腦；需 {n} 之 {k} 簽署。接著：{own} alliance issue issuer"),
        );
    }
    tell_who_signs_alone(desk, &charter);
    Ok(exit)
}

/// `alliance key`: a root's key, made where it stays.
///
/// # Errors
/// It can't be written.
pub(super) fn root_key(desk: &mut Desk<'_>, dir: &Path, firm: &str) -> Result<Exit, Failure> {
    let mut new = NewRoots::make(dir, vec![firm.to_owned()])?;
    files::folder(dir)?;
    let made = new.write()?;
    let Some(root) = new.roots().into_iter().next() else { return Ok(Exit::Done) };
    let shown = format!("{}={}", root.firm, super::hex(&root.key));
    if desk.json {
        desk.object(&serde_json::json!({"schema": "holdfast.alliance/1", "done": "key", "files": made, "root": shown}));
        return Ok(Exit::Done);
    }
    desk.say_all(made.iter().map(|path| path.display().to_string()));
    desk.say(&format!("--root \"{shown}\""));
    desk.note(
        "The key stays here. Give the line above to whoever founds or rotates.",
        "金鑰留在這裡。請將上面這一行交給成立或更換根金鑰的人。",
    );
    Ok(Exit::Done)
}

/// `alliance rotate`.
///
/// # Errors
/// Nothing would change, a root is not found, or the values are refused; then nothing was signed.
pub(super) fn rotate(desk: &mut Desk<'_>, dir: &Path, args: &Rotate) -> Result<Exit, Failure> {
    let held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let before = held.roster.charter().clone();
    let mut roots = before.roots.clone();
    for drop in &args.drop {
        roots.remove(place_of(&roots, drop)?);
    }
    for root in &args.roots {
        roots.push(root_elsewhere(root)?);
    }
    let mut new = NewRoots::make(dir, args.firms.clone())?;
    roots.extend(new.roots());
    let k = match &args.sign {
        Some(text) => k_of_n(text).map(|(k, n)| (n == roots.len()).then_some(k))?.ok_or_else(|| counted(roots.len()))?,
        None => before.k,
    };
    if roots == before.roots && k == before.k {
        return Err(nothing_changes());
    }
    let charter = before.next(k, roots).map_err(|error| faults::cannot_issue(error, dir))?;
    let mut parts = vec![charter.draft().map_err(|error| faults::cannot_issue(error, dir))?];
    parts.extend(again(&held.roster, &charter).map_err(|error| faults::cannot_issue(error, dir))?);
    let refused = |error| faults::refused_by_nodes(error, None);
    let mut drafts = Drafts::of(parts, Some(&held.roster)).map_err(refused)?;
    let mut keys = root_keys(dir)?;
    keys.extend(new.keys());
    drafts.sign(&keys).map_err(refused)?;
    let made = new.write()?;
    tell_who_signs_alone(desk, &charter);
    let file = dir.join(format!("charter-{}.hf", charter.version));
    Settle { act: "rotated", dir, file, keep: true, made }.settle(desk, &drafts, Some(held))
}

/// What the roots signed under the charter before: issuers and revocations, for the next one.
fn again(roster: &Roster, charter: &Charter) -> Result<Vec<bytes::Bytes>, holdfast_proto::identity::CannotIssue> {
    let mut drafts = Vec::new();
    for issuer in roster.issuers() {
        let mut issuer = issuer.clone();
        (issuer.version, issuer.charter) = (issuer.version.saturating_add(1), charter.version);
        drafts.push(issuer.draft()?);
    }
    for object in roster.objects() {
        if let Ok(Drafted::Revocation(mut revocation)) = drafted(object.envelope) {
            (revocation.version, revocation.charter) = (revocation.version.saturating_add(1), charter.version);
            drafts.push(revocation.draft()?);
        }
    }
    Ok(drafts)
}

/// Root keys made here, not yet written.
struct NewRoots {
    new: Vec<(PathBuf, SecretKey, String)>,
}

impl NewRoots {
    fn make(dir: &Path, firms: Vec<String>) -> Result<Self, Failure> {
        firms.iter().try_for_each(|firm| faults::name("--firm", firm))?;
        let free = (1..=ROOTS_MAX * 4).map(|number| dir.join(format!("root-{number}.key"))).filter(|path| !path.exists());
        let new = free.zip(firms).map(|(path, firm)| Ok((path, files::new_key()?, firm))).collect::<Result<_, Failure>>()?;
        Ok(Self { new })
    }

    fn keys(&self) -> Vec<SecretKey> {
        self.new.iter().map(|(_, key, _)| key.clone()).collect()
    }

    fn roots(&self) -> Vec<RootKey> {
        self.new.iter().map(|(_, key, firm)| RootKey { key: key.public(), firm: firm.clone() }).collect()
    }

    fn write(&mut self) -> Result<Vec<PathBuf>, Failure> {
        for (path, key, _) in &self.new {
            files::key(path, ArmorKind::RootKey, key)?;
        }
        Ok(self.new.iter().map(|(path, ..)| path.clone()).collect())
    }
}

/// A root whose key is elsewhere: `FIRM=` and 64 hex digits.
fn root_elsewhere(text: &str) -> Result<RootKey, Failure> {
    let read = text.rsplit_once('=').and_then(|(firm, digits)| {
        let bytes = (0..32).map(|place| u8::from_str_radix(digits.get(place * 2..place * 2 + 2)?, 16).ok());
        let key = bytes.collect::<Option<Vec<u8>>>().filter(|_| digits.len() == 64)?;
        Some(RootKey { key: PublicKey(key.try_into().ok()?), firm: firm.trim().to_owned() })
    });
    let root = read.ok_or_else(|| {
        Failure::usage(
            "H-865",
            words(format!("\"{}\" names no root.", clean(text)), format!("「{}」不是根金鑰的寫法。", clean(text))),
            words(
                "Write FIRM=KEY as `holdfast alliance key --firm FIRM` printed it where the key was made.",
                "請寫成 企業=金鑰，照產生金鑰處 `holdfast alliance key --firm 企業` 印出的那一行。",
            ),
        )
    })?;
    faults::name("--root", &root.firm)?;
    Ok(root)
}

/// The one root meant by the name of a firm, or by the first digits of a key.
fn place_of(roots: &[RootKey], text: &str) -> Result<usize, Failure> {
    let fits =
        |root: &RootKey| root.firm == text || (text.len() >= 4 && super::hex(&root.key).starts_with(&text.to_ascii_lowercase()));
    let mut places = (0..).zip(roots).filter(|(_, root)| fits(root)).map(|(place, _)| place);
    let place = places.next();
    if let (Some(place), None) = (place, places.next()) {
        return Ok(place);
    }
    let (en, zh) = if place.is_some() { ("more than one root", "不只一把根金鑰") } else { ("no root", "沒有根金鑰") };
    Err(Failure::usage(
        "H-865",
        words(format!("\"{}\" names {en}.", clean(text)), format!("「{}」：{zh}符合。", clean(text))),
        words(
            "Write the firm, or the first digits of the key, as `holdfast alliance show` lists them.",
            "請填企業名稱或金鑰開頭的數字，可用 `holdfast alliance show` 查看。",
        ),
    ))
}

fn nothing_changes() -> Failure {
    Failure::usage(
        "H-865",
        words("Nothing would change.", "沒有任何變更。"),
        words(
            "Say who goes and who comes: --drop FIRM, --firm FIRM for a key made here, --root FIRM=KEY for one made elsewhere.",
            "請說明誰退出、誰加入：--drop 企業、--firm 企業（在這裡產生金鑰）、--root 企業=金鑰（金鑰在別處）。",
        ),
    )
}

fn too_many(n: usize) -> Failure {
    Failure::usage(
        "H-865",
        words(format!("More than the {n} roots of --roots are named."), format!("列出的根金鑰多於 --roots 所說的 {n} 把。")),
        words("Raise N in --roots K/N, or name fewer.", "請加大 --roots K/N 的 N，或少列幾把。"),
    )
}

fn counted(n: usize) -> Failure {
    Failure::usage(
        "H-865",
        words(format!("There would be {n} roots."), format!("更換後共有 {n} 把根金鑰。")),
        words(format!("Write --sign K/{n}."), format!("請寫 --sign K/{n}。")),
    )
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

/// Says which firm reaches the number of signatures alone, where several were to share them.
fn tell_who_signs_alone(desk: &mut Desk<'_>, charter: &Charter) {
    let (k, names) = (charter.k, charter.roots.iter().map(|root| &root.firm));
    let firms: std::collections::BTreeSet<&String> = names.clone().collect();
    let held = |firm: &String| names.clone().filter(|name| *name == firm).count();
    let Some(firm) = firms.iter().find(|firm| held(firm) >= usize::from(k)).filter(|_| firms.len() > 1 && k > 1) else { return };
    let (n, firm) = (held(firm), clean(firm));
    desk.note(
        &format!("Note: \"{firm}\" holds {n} of the root keys and so reaches the {k} that must sign alone. Name more firms with --firm if no firm shall."),
        &format!("注意：「{firm}」持有 {n} 把根金鑰，一家就能達到所需的 {k} 把簽署。若不希望如此，請用 --firm 加列更多企業。"),
    );
}
