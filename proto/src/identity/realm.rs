//! The signed domain: what stands, unsent, before every signed byte. Not the signed bytes themselves (`codec::canonical`).
//!
//! | part | bytes |
//! | --- | --- |
//! | `holdfast-v1:` | 12, ASCII |
//! | tag, see [`Tag`] | 3..=10, ASCII |
//! | `:` | 1 |
//! | realm | 32 |
//! | canonical bytes | the rest |

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{SecretKey, Signature};

/// What a signature is about. One tag's signature is worthless under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tag {
    /// By root keys: who the roots are.
    Charter,
    /// By root keys: who may certify nodes.
    Issuer,
    /// By an issuer: who may speak.
    Node,
    /// By a node: header of a logbook entry.
    Entry,
    /// By a node: its public board.
    Board,
    /// By a node: its detail, for entitled peers.
    Detail,
    /// By an issuer, by roots or by the key itself: revocation.
    Revocation,
    /// By an issuer: who may certify nodes in its stead.
    Deputy,
    /// By an issuer or a node: who may act through nodes without being one.
    Delegation,
    /// By such a person: what it says, at one place of one logbook.
    Act,
    /// By nodes that vouch: who may say how it is itself without a firm's certificate.
    Guest,
}

impl Tag {
    /// The text in the signed domain. Later kinds get texts of their own; none is ever reused.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Charter => "charter",
            Self::Issuer => "issuer",
            Self::Node => "node",
            Self::Entry => "entry",
            Self::Board => "board",
            Self::Detail => "detail",
            Self::Revocation => "revocation",
            Self::Deputy => "deputy",
            Self::Delegation => "delegation",
            Self::Act => "act",
            Self::Guest => "guest",
        }
    }

    /// Whether a node's own key may sign this; certificates are signed by roots and issuers only.
    #[must_use]
    pub fn is_word(self) -> bool {
        match self {
            Self::Entry | Self::Board | Self::Detail => true,
            Self::Charter | Self::Issuer | Self::Node | Self::Revocation => false,
            Self::Deputy | Self::Delegation | Self::Act | Self::Guest => false,
        }
    }
}

/// Kinds of alliance; they can't mix, because the kind is in every signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RealmKind {
    /// Real.
    Actual,
    /// A drill on real machines.
    Exercise,
    /// Demo, tests, simulator: the only one that obeys faults.
    Simulation,
}

impl RealmKind {
    /// The byte in the charter and in the realm.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Actual => 0,
            Self::Exercise => 1,
            Self::Simulation => 2,
        }
    }

    /// Reads [`Self::code`]; `None` for a kind this version does not know.
    #[must_use]
    pub fn from_code(code: u64) -> Option<Self> {
        [Self::Actual, Self::Exercise, Self::Simulation].into_iter().find(|kind| u64::from(kind.code()) == code)
    }

    /// The word for it in files and on screens.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Actual => "actual",
            Self::Exercise => "exercise",
            Self::Simulation => "simulation",
        }
    }
}

/// One alliance: BLAKE3-256 of the kind and the first charter. In every signature, never sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Realm(pub [u8; 32]);

impl Realm {
    /// The realm a first charter founds.
    #[must_use]
    pub fn of(kind: RealmKind, first_charter_body: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[kind.code()]).update(first_charter_body);
        Self(*hasher.finalize().as_bytes())
    }

    /// The exact message a signature is over: prefix, tag, realm, bytes.
    #[must_use]
    pub fn message(&self, tag: Tag, bytes: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(52 + bytes.len());
        message.extend_from_slice(b"holdfast-v1:");
        message.extend_from_slice(tag.text().as_bytes());
        message.push(b':');
        message.extend_from_slice(&self.0);
        message.extend_from_slice(bytes);
        message
    }
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Realm({self})")
    }
}

impl fmt::Display for Realm {
    /// All 64 hex digits: this is what two people read to each other to know they are in one alliance.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Signs canonical bytes under a tag within a realm.
#[must_use]
pub fn sign(secret: &SecretKey, realm: &Realm, tag: Tag, bytes: &[u8]) -> Signature {
    secret.sign(&realm.message(tag, bytes))
}

/// BLAKE3-256 of signed bytes without their signature: the full name of what was said.
#[must_use]
pub fn hash32(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// The first 16 bytes of [`hash32`]: what chains and digests use.
#[must_use]
pub fn hash16(bytes: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&hash32(bytes)[..16]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_realm_and_bytes_are_all_signed() {
        let secret = SecretKey::from_seed([3; 32]);
        let realm = Realm([7; 32]);
        let signature = sign(&secret, &realm, Tag::Entry, b"body");
        assert!(secret.public().verify(&realm.message(Tag::Entry, b"body"), &signature));
        assert!(!secret.public().verify(&realm.message(Tag::Board, b"body"), &signature));
        assert!(!secret.public().verify(&Realm([8; 32]).message(Tag::Entry, b"body"), &signature));
        assert!(!secret.public().verify(&realm.message(Tag::Entry, b"bodz"), &signature));
    }

    #[test]
    fn the_kind_alone_makes_another_realm() {
        assert_ne!(Realm::of(RealmKind::Actual, b"charter"), Realm::of(RealmKind::Exercise, b"charter"));
    }
}
