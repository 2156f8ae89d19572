//! What roots are still to sign: a file of drafts that goes from one root's computer to the next, and what was signed whole is taken in.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::identity::{
    ArmorKind, Charter, Cosigned, Drafted, Realm, Rejected, Roster, SecretKey, armor, cosign, drafted,
};
use serde_json::{Value, json};

use super::faults;
use super::held::{ALLIANCE_FILE, Held, blocks, root_keys};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::text::clean;

/// What roots are to sign together: a charter, issuers, revocations.
pub(crate) struct Drafts {
    realm: Realm,
    charters: Vec<Charter>,
    parts: Vec<(Drafted, Bytes)>,
    /// What each of them still lacks, once the keys at hand have signed.
    cosigned: Vec<Cosigned>,
}

impl Drafts {
    /// Reads drafts of an alliance; of a new one, whose first charter is among them, where there is none here.
    ///
    /// # Errors
    /// One of them is none, or is of another alliance.
    pub(crate) fn of(drafts: Vec<Bytes>, roster: Option<&Roster>) -> Result<Self, Rejected> {
        let parts = drafts.into_iter().map(|draft| drafted(&draft).map(|what| (what, draft))).collect::<Result<Vec<_>, _>>()?;
        let new = parts.iter().filter_map(|(what, _)| match what {
            Drafted::Charter(charter) => Some(charter),
            Drafted::Issuer(..) | Drafted::Revocation(_) => None,
        });
        let first = new.clone().find(|charter| charter.version == 1);
        let realm_of_first = first.map(|first| Realm::of(first.kind, &first.body()));
        let realm = match (roster, realm_of_first) {
            (Some(roster), None) => roster.realm(),
            (Some(roster), Some(first)) if roster.realm() == first => first,
            (Some(_), Some(_)) => return Err(Rejected::OtherRealm),
            (None, Some(first)) => first,
            (None, None) => return Err(Rejected::UnknownCharter),
        };
        let held = roster.into_iter().flat_map(Roster::charters);
        let charters = held.chain(new).cloned().collect();
        Ok(Self { realm, charters, parts, cosigned: Vec::new() })
    }

    /// Lets the keys at hand sign; says how many signatures that added.
    ///
    /// # Errors
    /// One of them names a charter that is not held here.
    pub(crate) fn sign(&mut self, keys: &[SecretKey]) -> Result<usize, Rejected> {
        let keys: Vec<&SecretKey> = keys.iter().collect();
        let signed = self.parts.iter().map(|(_, draft)| cosign(&self.realm, draft, &self.charters, &keys));
        self.cosigned = signed.collect::<Result<_, _>>()?;
        Ok(self.cosigned.iter().map(|one| one.added).sum())
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.cosigned.len() == self.parts.len() && self.cosigned.iter().all(Cosigned::is_whole)
    }

    /// As signed so far.
    pub(crate) fn envelopes(&self) -> Vec<Bytes> {
        self.cosigned.iter().map(|one| one.envelope.clone()).collect()
    }

    /// The file: drafts while anything is missing.
    fn text(&self) -> String {
        let whole = self.is_whole();
        let kind = |what: &Drafted| if whole { what.armor() } else { ArmorKind::Draft };
        self.parts.iter().zip(&self.cosigned).map(|((what, _), one)| armor(kind(what), &one.envelope)).collect()
    }

    /// What it is about, a line each.
    fn lines(&self, desk: &Desk<'_>) -> Vec<String> {
        self.parts.iter().flat_map(|(what, _)| described(what, desk)).collect()
    }

    fn object(&self) -> Vec<Value> {
        let tally =
            |tally: &holdfast_proto::identity::Tally| json!({"have": tally.have, "want": tally.want, "waiting": tally.waiting});
        let one = |((what, _), one): (&(Drafted, Bytes), &Cosigned)| {
            json!({"what": what.armor().text().to_lowercase(), "whole": one.is_whole(), "own": tally(&one.own),
                "before": one.before.as_ref().map(tally)})
        };
        self.parts.iter().zip(&self.cosigned).map(one).collect()
    }

    /// The firms whose signature would still help, each once.
    fn waiting(&self) -> String {
        let short = self.cosigned.iter().flat_map(|one| [Some(&one.own), one.before.as_ref()]).flatten();
        let short = short.filter(|tally| tally.have < tally.want).flat_map(|tally| &tally.waiting);
        let firms: std::collections::BTreeSet<String> = short.map(|firm| clean(firm)).collect();
        firms.into_iter().collect::<Vec<_>>().join(", ")
    }
}

fn described(what: &Drafted, desk: &Desk<'_>) -> Vec<String> {
    match what {
        Drafted::Charter(charter) => {
            let (k, n, version) = (charter.k, charter.roots.len(), charter.version);
            let head = desk.lang.of(
                format!("charter, version {version}: {k} of these {n} roots sign from then on"),
                format!("章程第 {version} 版：此後由這 {n} 把根金鑰中的 {k} 把簽署"),
            );
            std::iter::once(head)
                .chain(charter.roots.iter().map(|root| format!("  {}  {}", root.key, clean(&root.firm))))
                .collect()
        }
        Drafted::Issuer(number, firm) => {
            let firm = clean(firm);
            vec![desk.lang.of(format!("issuer {number} of {firm}"), format!("核發者 {number}，{firm}"))]
        }
        Drafted::Revocation(revocation) => {
            let (node, count) = (revocation.node, revocation.generation.count);
            vec![desk.lang.of(
                format!("revocation of node {node}, generation {count} ({})", revocation.reason.text()),
                format!("撤銷據點 {node} 第 {count} 代的金鑰（{}）", crate::words::word(revocation.reason.text(), desk.lang)),
            )]
        }
    }
}

/// Where what was signed is kept, and what else was made.
pub(crate) struct Settle<'a> {
    /// What was done, in one word, for programs.
    pub(crate) act: &'static str,
    /// The alliance's folder.
    pub(crate) dir: &'a Path,
    /// The file of drafts.
    pub(crate) file: PathBuf,
    /// Whether that file is kept once nothing is missing: to be handed in at the nodes.
    pub(crate) keep: bool,
    /// Other files that were made.
    pub(crate) made: Vec<PathBuf>,
}

impl Settle<'_> {
    /// Takes in what is signed whole, or keeps it for the next root.
    ///
    /// # Errors
    /// The nodes would refuse it, or a file can't be written.
    pub(crate) fn settle(mut self, desk: &mut Desk<'_>, drafts: &Drafts, held: Option<Held>) -> Result<Exit, Failure> {
        let whole = drafts.is_whole();
        if whole {
            let mut held = match held {
                Some(held) => held,
                None => Held::found(&self.dir.join(ALLIANCE_FILE), &drafts.envelopes())?,
            };
            held.add_all(&drafts.envelopes())?;
            held.write()?;
            self.made.push(held.path);
        }
        if !whole || self.keep {
            files::replace(&self.file, &drafts.text())?;
            self.made.push(self.file.clone());
        }
        if desk.json {
            desk.object(&json!({"schema": "holdfast.alliance/1", "done": self.act, "whole": whole, "files": self.made,
                "drafts": drafts.object()}));
        } else {
            desk.say_all(self.made.iter().map(|path| path.display().to_string()));
        }
        let (own, file) = (desk.own.clone(), self.file.display().to_string());
        if !whole {
            let firms = drafts.waiting();
            desk.note(
                &format!("Not in force yet: more roots must sign; not yet signed by {firms}. Take {file} to one of them: {own} alliance sign FILE --dir FOLDER. Signed by enough, bring it back and do the same here."),
                &format!("尚未生效：還需要更多根金鑰簽署，尚未簽署的有 {firms}。請將 {file} 帶給其中之一，在那裡執行 {own} alliance sign 檔案 --dir 資料夾。簽足之後帶回來，在這裡執行同一指令。"),
            );
            return Ok(Exit::SavedHere);
        }
        if self.keep {
            desk.note(
                &format!("In force here. Let the nodes know, at any of them: {own} alliance hand-in {file}"),
                &format!("在這裡已生效。請在任一據點告知其他據點：{own} alliance hand-in {file}"),
            );
        }
        Ok(Exit::Done)
    }
}

/// `alliance sign`.
///
/// # Errors
/// The file holds no drafts, no key here can sign what is missing, or nobody agreed; then nothing was signed.
pub(crate) fn sign(desk: &mut Desk<'_>, dir: &Path, file: &Path, yes: bool) -> Result<Exit, Failure> {
    let found = blocks(file)?;
    if let Some(secret) = found.iter().find(|block| block.kind.is_secret()) {
        return Err(faults::a_secret(file, secret.line));
    }
    let line = found.first().ok_or_else(|| faults::without(file, ArmorKind::Draft.text()))?.line;
    let path = dir.join(ALLIANCE_FILE);
    let held = path.exists().then(|| Held::read(&path)).transpose()?;
    let unsound = |why: Rejected| faults::unsound(file, line, &faults::of_roster(why));
    let mut drafts = Drafts::of(found.into_iter().map(|block| block.bytes).collect(), held.as_ref().map(|held| &held.roster))
        .map_err(unsound)?;
    let keys = root_keys(dir)?;
    let added = drafts.sign(&keys).map_err(unsound)?;
    let about = drafts.lines(desk);
    for line in about {
        desk.note(&line, &line);
    }
    if added == 0 && !drafts.is_whole() {
        return Err(Failure::new(
            Exit::NotFound,
            "H-893",
            words(
                format!("No root key in {} can sign what is missing.", dir.display()),
                format!("{} 裡沒有能補上簽章的根金鑰。", dir.display()),
            ),
            words(
                format!("Nothing was signed. Not yet signed by: {}.", drafts.waiting()),
                format!("沒有簽署。尚未簽署的有：{}。", drafts.waiting()),
            ),
            words("Take the file to a folder with one of their root-N.key files.", "請將檔案帶到有他們 root-N.key 的資料夾。"),
        ));
    }
    if added > 0 && !yes && !desk.agrees("Sign this?", "要簽署嗎？") {
        return Err(Failure::new(
            Exit::Failed,
            "H-894",
            words("Nobody here said yes.", "這裡沒有人同意。"),
            words("Nothing was signed.", "沒有簽署。"),
            words("Run the command again, or with --yes where nobody is asked.", "請再執行一次；無人可問時請加 --yes。"),
        ));
    }
    Settle { act: "signed", dir, file: file.to_owned(), keep: true, made: Vec::new() }.settle(desk, &drafts, held)
}
