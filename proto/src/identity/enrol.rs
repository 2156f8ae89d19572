//! Joining by a code: what a fresh PC and whoever invited it say to each other, and how each knows the other. No socket, no file.
//!
//! | no | who | says | fields |
//! | --- | --- | --- | --- |
//! | 1 | PC | Ask | 2 name of the invitation 8, 3 its new key 32, 4 nonce 16 |
//! | 2 | host | Offer | 2 list of envelopes (charters, issuer, deputy), 3 node id 4, 4 name, 5 role, 6 region, 7 nonce 16 |
//! | 3 | PC | Same | - |
//! | 4 | host | Welcome | 2 list of envelopes (what proves the node, its certificate last), 3 list of addresses, 4 home hub 4 |
//! | 5 | PC | Done | 2 the paper of its key |
//! | 6 | host | Refused | 2 why |
//!
//! Each is a canonical document: field 1 its number, field 15 a keyed hash over all that was said so far and this, under a key that only
//! who knows the code can make. A Refused has none: anybody may be refused. The code is short, so the key is made slowly: who listens
//! and guesses needs weeks where a code lives minutes. Three words follow from alliance, keys and nonces; two people who read the same
//! three to each other know that nobody stands between their screens.

use bytes::Bytes;

use super::certificate::{TEXT_BYTES_MAX, clean_text, narrow};
use super::{PublicKey, Realm, Region, Rejected, Role, Roster};
use crate::codec::canonical::{Fields, Writer};
use crate::id::NodeId;

mod code;
mod words;

pub use code::{Code, CodeKey, NotACode};
pub use words::{CheckWord, check_words};

/// Largest document: 64 charters at their largest, an issuer, a deputy and a node with its paper.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 19;
/// Addresses of neighbours that a new node is told.
pub const ADDRESSES_MAX: usize = 8;
/// Longest address, bytes: a name of 253 and a port.
const ADDRESS_BYTES_MAX: usize = 260;

/// 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Of the invitation, see [`CodeKey::name`].
    pub name: [u8; 8],
    /// The PC's new key, which never leaves it but for this half.
    pub key: PublicKey,
    /// Made for this talk.
    pub nonce: [u8; 16],
}

/// 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Charters, issuer, deputy: whom to believe.
    pub objects: Vec<Bytes>,
    /// Who the PC will be.
    pub node: NodeId,
    /// As people say it.
    pub called: String,
    /// What it will be.
    pub role: Role,
    /// Where.
    pub region: Region,
    /// Made for this talk.
    pub nonce: [u8; 16],
}

/// 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// What proves the node beyond the offer; its certificate is the last.
    pub objects: Vec<Bytes>,
    /// Neighbours to try, `IP:PORT`.
    pub peers: Vec<String>,
    /// The hub that its requests ask.
    pub home_hub: Option<NodeId>,
}

/// Why a host lets nobody in. Nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refused {
    /// No invitation has this code: mistyped, withdrawn, or of another alliance.
    #[error("nobody here gave out this code")]
    Unknown,
    /// Its time is over.
    #[error("this code has expired")]
    Expired,
    /// Another PC joined with it.
    #[error("this code was used by another PC")]
    Used,
    /// The people there said that the words differ, or nobody answered.
    #[error("the people there did not confirm the words")]
    NotTheSame,
    /// The certificate could not be given.
    #[error("the certificate could not be given; the other screen says why")]
    Unable,
    /// Something in the talk was not as it must be.
    #[error("what this PC said was not understood")]
    Malformed,
}

impl Refused {
    const ALL: [Self; 6] = [Self::Unknown, Self::Expired, Self::Used, Self::NotTheSame, Self::Unable, Self::Malformed];

    fn code(self) -> u64 {
        match self {
            Self::Unknown => 1,
            Self::Expired => 2,
            Self::Used => 3,
            Self::NotTheSame => 4,
            Self::Unable => 5,
            Self::Malformed => 6,
        }
    }

    /// The document that says so.
    #[must_use]
    pub fn document(self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, REFUSED).uint(2, self.code());
        writer.finish()
    }
}

/// A document is not what comes next. The talk is over; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not a document of this talk.
    #[error("not a document of this talk")]
    Malformed,
    /// Its keyed hash does not fit: another code, or somebody changed it on the way.
    #[error("it was not said by somebody who knows the code")]
    Forged,
    /// The host lets nobody in.
    #[error(transparent)]
    Refused(Refused),
}

impl From<crate::codec::canonical::Malformed> for Broken {
    fn from(_: crate::codec::canonical::Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Rejected> for Broken {
    fn from(_: Rejected) -> Self {
        Self::Malformed
    }
}

const ASK: u64 = 1;
const OFFER: u64 = 2;
const SAME: u64 = 3;
const WELCOME: u64 = 4;
const DONE: u64 = 5;
const REFUSED: u64 = 6;
/// Where the keyed hash stands.
const SEAL: u32 = 15;

/// One talk as one of its two ends hears it: each document is sealed over all before it, so that none can be left out, changed, or
/// taken from another talk.
#[derive(Clone, Debug)]
pub struct Talk {
    key: CodeKey,
    said: blake3::Hasher,
}

impl Talk {
    /// A talk of those who know this code.
    #[must_use]
    pub fn new(key: CodeKey) -> Self {
        let said = key.hasher();
        Self { key, said }
    }

    fn seal(&mut self, mut writer: Writer) -> Vec<u8> {
        self.said.update(writer.so_far());
        writer.bytes(SEAL, self.said.finalize().as_bytes());
        let document = writer.finish();
        self.said.update(&document);
        document
    }

    /// Checks that a document is the one that comes next and was said by who knows the code.
    fn open<'a>(&mut self, document: &'a [u8], what: u64) -> Result<Fields<'a>, Broken> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(Broken::Malformed);
        }
        let fields = Fields::parse(document)?;
        if fields.uint(1)? == REFUSED && what != REFUSED {
            let why = fields.uint(2)?;
            return Err(Broken::Refused(Refused::ALL.into_iter().find(|known| known.code() == why).unwrap_or(Refused::Unable)));
        }
        let seal: [u8; 32] = fields.array(SEAL)?;
        // Field 15 has one byte of id and one of length, and is the last.
        let length = document.len().checked_sub(seal.len() + 2).ok_or(Broken::Malformed)?;
        let last = fields.iter().last().is_some_and(|(id, _)| id == SEAL);
        let mut said = self.said.clone();
        said.update(&document[..length]);
        // The comparison of blake3's own type takes the same time for all.
        if !last || said.finalize() != blake3::Hash::from_bytes(seal) {
            return Err(Broken::Forged);
        }
        if fields.uint(1)? != what {
            return Err(Broken::Malformed);
        }
        said.update(document);
        self.said = said;
        Ok(fields)
    }

    /// The PC's first word.
    pub fn ask(&mut self, key: PublicKey, nonce: [u8; 16]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, ASK).bytes(2, &self.key.name()).bytes(3, &key.0).bytes(4, &nonce);
        self.seal(writer)
    }

    /// Reads it as the host.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn asked(&mut self, document: &[u8]) -> Result<Ask, Broken> {
        let fields = self.open(document, ASK)?;
        Ok(Ask { name: fields.array(2)?, key: PublicKey(fields.array(3)?), nonce: fields.array(4)? })
    }

    /// The host's answer.
    pub fn offer(&mut self, offer: &Offer) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, OFFER).list(2, &offer.objects).bytes(3, &offer.node.to_bytes()).text(4, &offer.called);
        writer.uint(5, offer.role.code().into()).uint(6, offer.region.index().into()).bytes(7, &offer.nonce);
        self.seal(writer)
    }

    /// Reads it as the PC.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn offered(&mut self, document: &[u8]) -> Result<Offer, Broken> {
        let fields = self.open(document, OFFER)?;
        Ok(Offer {
            objects: objects(&fields, 2)?,
            node: NodeId::from_bytes(fields.array(3)?),
            called: clean_text(fields.text(4)?, TEXT_BYTES_MAX)?.to_owned(),
            role: Role::from_code(fields.uint(5)?).ok_or(Broken::Malformed)?,
            region: Region::new(narrow(fields.uint(6)?)?).ok_or(Broken::Malformed)?,
            nonce: fields.array(7)?,
        })
    }

    /// The PC's people say that the words are the same.
    pub fn same(&mut self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, SAME);
        self.seal(writer)
    }

    /// Reads it as the host.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn is_same(&mut self, document: &[u8]) -> Result<(), Broken> {
        self.open(document, SAME).map(|_| ())
    }

    /// The host gives the certificate.
    pub fn welcome(&mut self, welcome: &Welcome) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, WELCOME).list(2, &welcome.objects).list(3, &welcome.peers);
        if let Some(hub) = welcome.home_hub {
            writer.bytes(4, &hub.to_bytes());
        }
        self.seal(writer)
    }

    /// Reads it as the PC.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn welcomed(&mut self, document: &[u8]) -> Result<Welcome, Broken> {
        let fields = self.open(document, WELCOME)?;
        let mut peers = Vec::new();
        for address in fields.list(3)? {
            let address = std::str::from_utf8(address).map_err(|_| Broken::Malformed)?;
            peers.push(clean_text(address, ADDRESS_BYTES_MAX)?.to_owned());
        }
        if peers.len() > ADDRESSES_MAX {
            return Err(Broken::Malformed);
        }
        let home_hub = fields.get(4).map(|_| fields.array(4)).transpose()?.map(NodeId::from_bytes);
        Ok(Welcome { objects: objects(&fields, 2)?, peers, home_hub })
    }

    /// The PC has kept it, and gives the paper of its key to whoever keeps papers.
    pub fn done(&mut self, paper: &Bytes) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, DONE).bytes(2, paper);
        self.seal(writer)
    }

    /// Reads it as the host.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn is_done(&mut self, document: &[u8]) -> Result<Bytes, Broken> {
        let fields = self.open(document, DONE)?;
        Ok(Bytes::copy_from_slice(fields.bytes(2)?))
    }
}

/// Which invitation a first document names; it is not checked yet who says so.
#[must_use]
pub fn invitation_of(document: &[u8]) -> Option<[u8; 8]> {
    let fields = Fields::parse(document).ok()?;
    (fields.uint(1) == Ok(ASK)).then(|| fields.array(2).ok()).flatten()
}

fn objects(fields: &Fields<'_>, id: u32) -> Result<Vec<Bytes>, Broken> {
    Ok(fields.list(id)?.into_iter().map(Bytes::copy_from_slice).collect())
}

/// What an offer leads to: the roster that its objects make.
///
/// # Errors
/// [`Rejected`] where one of them does not stand; [`Rejected::WrongKind`] where there is none.
pub fn roster_of(objects: &[Bytes]) -> Result<Roster, Rejected> {
    let mut roster = Roster::new(objects.first().ok_or(Rejected::WrongKind)?)?;
    match roster.offer_all(objects).refused.first() {
        Some((_, why)) => Err(*why),
        None => Ok(roster),
    }
}

/// All that makes the three words of a talk.
#[must_use]
pub fn words_of(realm: &Realm, ask: &Ask, giver: &PublicKey, offer: &Offer) -> [CheckWord; 3] {
    let mut hasher = blake3::Hasher::new_derive_key("holdfast enrolment words v1");
    hasher.update(&realm.0).update(&ask.key.0).update(&giver.0).update(&offer.node.to_bytes());
    hasher.update(&ask.nonce).update(&offer.nonce);
    check_words(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests;
