//! Certifying a node: by its issuer's key or a deputy's, whichever is at hand. `issue node`, `invite` and `replace` meet here.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::id::{Generation, NodeId};
use holdfast_proto::identity::{ArmorKind, CAPABILITY_EVERYWHERE, NodeCertificate, PublicKey, Region, Role, SecretKey};
use jiff::Zoned;

use super::faults;
use super::held::{Held, read_key};
use crate::failure::{Failure, words};

/// This program was made after then, in days since 1970: 2026-11-01. A clock that shows less is known to be wrong.
const MADE_AFTER: u32 = 20_758;

/// What a node's certificate shall say.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Who.
    pub(crate) node: NodeId,
    /// As people say it.
    pub(crate) name: String,
    /// What.
    pub(crate) role: Role,
    /// 1..=3.
    pub(crate) tier: u8,
    /// Where.
    pub(crate) region: Region,
    /// How long.
    pub(crate) days: u32,
    /// See [`NodeCertificate::capabilities`].
    pub(crate) capabilities: u32,
    /// Whose key signs: 0 the issuer's, else the deputy of this number.
    pub(crate) giver: u8,
}

/// Where the key lies that signs for an issuer.
pub(crate) fn key_file(dir: &Path, issuer: u16, giver: u8) -> PathBuf {
    match giver {
        0 => dir.join(format!("issuer-{issuer}.key")),
        giver => dir.join(format!("deputy-{issuer}-{giver}.key")),
    }
}

/// The key that signs for an issuer.
///
/// # Errors
/// It is not there or is no key.
pub(crate) fn giver(dir: &Path, issuer: u16, giver: u8) -> Result<SecretKey, Failure> {
    let path = key_file(dir, issuer, giver);
    let key = read_key(&path, ArmorKind::IssuerKey);
    key.map_err(|failure| {
        if path.exists() {
            return failure;
        }
        failure.with_fix(words(
            "The key lies with whoever certifies for that firm: name that folder with --dir.",
            "這把金鑰在該企業的核發者手上，請用 --dir 指定那個資料夾。",
        ))
    })
}

impl Draft {
    /// The generation that its certificate will have: the next.
    pub(crate) fn generation(&self, held: &Held) -> Generation {
        let count = held.roster.highest_generation(self.node).map_or(1, |before| before.count.saturating_add(1));
        Generation { count, giver: self.giver }
    }

    /// Signs it for a key and takes it in, as every node would; the file is not written yet.
    ///
    /// # Errors
    /// The nodes would refuse it; then nothing was changed.
    pub(crate) fn certify(&self, held: &mut Held, key: PublicKey, signer: &SecretKey, today: u32) -> Result<Bytes, Failure> {
        let certificate = NodeCertificate {
            node: self.node,
            generation: self.generation(held),
            key,
            region: self.region,
            role: self.role,
            tier: self.tier,
            capabilities: self.capabilities,
            not_before: today,
            not_after: today.saturating_add(self.days),
            name: self.name.clone(),
            window: None,
        };
        let signed = certificate.issue(&held.roster.realm(), signer);
        let envelope = signed.map_err(|error| faults::cannot_issue(error, &held.path))?;
        held.add(&envelope, Some(self.node.issuer))?;
        Ok(envelope)
    }
}

/// Today for a certificate, in days since 1970, and whether the clock here can be right. Dates are for people: a PC with a dead clock
/// certifies all the same, with the earliest day it can be.
pub(crate) fn today(now: &Zoned) -> (u32, bool) {
    let day = u32::try_from(now.timestamp().as_second() / 86_400).unwrap_or(0);
    (day.max(MADE_AFTER), day >= MADE_AFTER)
}

/// A node id as it is typed.
///
/// # Errors
/// It is none.
pub(crate) fn node_id(text: &str) -> Result<NodeId, Failure> {
    text.parse().map_err(|_: holdfast_proto::id::NotANodeId| {
        Failure::usage(
            "H-866",
            words(format!("\"{text}\" is no node id."), format!("「{text}」不是據點代號。")),
            words(
                "Write ISSUER-SERIAL with an issuer of 1 to 32767 and a serial up to 65535, such as 1-118.",
                "請寫成 核發者-序號，核發者為 1 到 32767、序號最多 65535，例如 1-118。",
            ),
        )
    })
}

/// What an authority may do beyond its own region.
pub(crate) fn capabilities(everywhere: bool) -> u32 {
    if everywhere { CAPABILITY_EVERYWHERE } else { 0 }
}

/// A role as it is typed.
pub(crate) fn role(text: &str) -> Role {
    match text {
        "hub" => Role::Hub,
        "authority" => Role::Authority,
        _ => Role::Store,
    }
}

/// A county as it is typed.
///
/// # Errors
/// There is none of that code.
pub(crate) fn region(code: &str) -> Result<Region, Failure> {
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
