//! Invitations: kept in the alliance's folder until a PC has joined with them or their time is over, so that a host that was
//! interrupted goes on where it was.

use std::path::{Path, PathBuf};

use holdfast_proto::id::NodeId;
use holdfast_proto::identity::enrol::{Code, CodeKey};
use holdfast_proto::identity::{PublicKey, Region, Role};
use serde::{Deserialize, Serialize};

use crate::alliance::certify::Draft;
use crate::failure::{Exit, Failure, words};
use crate::files;

/// Folder of an alliance that invitations are kept in.
const FOLDER: &str = "invitations";

/// One invitation as it is kept, for its owner's eyes only: the code stands in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    schema: String,
    id: String,
    name: String,
    role: Role,
    tier: u8,
    region: Region,
    days: u32,
    #[serde(default)]
    capabilities: u32,
    giver: u8,
    code: String,
    /// Unix seconds.
    until: i64,
    peers: Vec<String>,
    home_hub: Option<String>,
    /// The key that was certified with it, in hex.
    given: Option<String>,
}

const SCHEMA: &str = "holdfast.invitation/1";

/// One invitation.
#[derive(Clone, Debug)]
pub(super) struct Invitation {
    path: PathBuf,
    pub(super) draft: Draft,
    pub(super) code: Code,
    pub(super) key: CodeKey,
    /// Unix seconds.
    pub(super) until: i64,
    pub(super) peers: Vec<String>,
    pub(super) home_hub: Option<NodeId>,
    /// The key that was certified with it.
    pub(super) given: Option<PublicKey>,
}

impl Invitation {
    /// Makes an invitation and keeps it; an earlier one for the same node is worth nothing from now on.
    ///
    /// # Errors
    /// There is no randomness, or it can't be written.
    pub(super) fn make(
        dir: &Path,
        draft: Draft,
        until: i64,
        peers: Vec<String>,
        home_hub: Option<NodeId>,
    ) -> Result<Self, Failure> {
        let random = files::random()?;
        let mut seed = [0; 7];
        seed.copy_from_slice(&random[..7]);
        let code = Code::new(seed);
        files::private_folder(&dir.join(FOLDER))?;
        let path = dir.join(FOLDER).join(format!("{}.json", draft.node));
        let invitation = Self { path, draft, code, key: code.key(), until, peers, home_hub, given: None };
        invitation.keep()?;
        Ok(invitation)
    }

    /// All that are kept in an alliance's folder.
    ///
    /// # Errors
    /// One can't be read.
    pub(super) fn all(dir: &Path) -> Result<Vec<Self>, Failure> {
        let Ok(entries) = std::fs::read_dir(dir.join(FOLDER)) else { return Ok(Vec::new()) };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::file("H-862", ("read", "讀取"), &path, &error))?;
        let read = || {
            let kept: Kept = serde_json::from_str(&text).ok().filter(|kept: &Kept| kept.schema == SCHEMA)?;
            let code: Code = kept.code.parse().ok()?;
            let given = kept.given.as_deref().map(key_of_hex);
            let home_hub = kept.home_hub.as_deref().map(str::parse);
            let draft = Draft {
                node: kept.id.parse().ok()?,
                name: kept.name,
                role: kept.role,
                tier: kept.tier,
                region: kept.region,
                days: kept.days,
                capabilities: kept.capabilities,
                giver: kept.giver,
            };
            Some(Self {
                path: path.clone(),
                draft,
                code,
                key: code.key(),
                until: kept.until,
                peers: kept.peers,
                home_hub: home_hub.transpose().ok()?,
                given: given.map(|key| key.ok_or(())).transpose().ok()?,
            })
        };
        read().ok_or_else(|| {
            let shown = path.display();
            Failure::new(
                Exit::Failed,
                "H-870",
                words(format!("{shown} is no invitation."), format!("{shown} 不是邀請檔。")),
                words("Nobody can join with it; nothing was opened.", "無法用它加入；沒有開啟任何連線。"),
                words("Delete it and invite that PC again.", "請刪除它並重新邀請那台電腦。"),
            )
        })
    }

    fn keep(&self) -> Result<(), Failure> {
        let kept = Kept {
            schema: SCHEMA.to_owned(),
            id: self.draft.node.to_string(),
            name: self.draft.name.clone(),
            role: self.draft.role,
            tier: self.draft.tier,
            region: self.draft.region,
            days: self.draft.days,
            capabilities: self.draft.capabilities,
            giver: self.draft.giver,
            code: self.code.to_string(),
            until: self.until,
            peers: self.peers.clone(),
            home_hub: self.home_hub.map(|hub| hub.to_string()),
            given: self.given.map(|key| key.0.iter().map(|byte| format!("{byte:02x}")).collect()),
        };
        let text = serde_json::to_string_pretty(&kept).unwrap_or_default();
        files::replace_secret(&self.path, &format!("{text}\n"))
    }

    /// From now on it is good for this key alone.
    ///
    /// # Errors
    /// It can't be written; then it is as it was.
    pub(super) fn give(&mut self, key: PublicKey) -> Result<(), Failure> {
        let before = self.given.replace(key);
        self.keep().inspect_err(|_| self.given = before)
    }

    /// It has done what it was for, or its time is over.
    pub(super) fn forget(&self) {
        // Left behind it could do no more than be refused.
        drop(std::fs::remove_file(&self.path));
    }

    /// `1-118 Fuxing Store`.
    pub(super) fn who(&self) -> String {
        format!("{} {}", self.draft.node, self.draft.name)
    }
}

fn key_of_hex(text: &str) -> Option<PublicKey> {
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    (text.len() == 64).then_some(PublicKey(key))
}
