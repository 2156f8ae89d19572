//! Persons who act through a node without being one: what is asked and answered over their connection.
//!
//! A person's word is made in two steps. The node makes of a wish what it would write and where, [`DraftView`]; the person's own
//! computer signs exactly that, [`SignedAct`]. So the key stays where it is, and what is signed is what everybody reads.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{JudgeWish, NodeName, Observe, OrderWish, RequestAct, RequestNew, RequestUpdate, SupplyWish};
use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::identity::DelegationId;

/// What a person may wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonWish {
    /// A new resupply request.
    RequestNew(RequestNew),
    /// A newer version of a request.
    RequestUpdate(RequestUpdate),
    /// The need is gone.
    RequestCancel(RequestAct),
    /// The need is met or given up.
    RequestClose(RequestAct),
    /// The need still stands.
    RequestConfirm(RequestAct),
    /// What was seen of another node.
    Observe(Observe),
    /// An order of an authority.
    Order(OrderWish),
    /// It ratifies or countermands one.
    Judge(JudgeWish),
    /// What a supplier, a carrier or a consignee does.
    Supply(SupplyWish),
}

/// A wish and by which delegation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftWish {
    /// Which delegation: the connection's, whatever was sent.
    pub of: DelegationId,
    /// What.
    pub wish: PersonWish,
}

/// What is to be signed: these bytes at this place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftView {
    /// `holdfast.draft/1`.
    pub schema: String,
    /// Logbook 10 B and number 4 B, hex.
    pub place: String,
    /// The body, hex.
    pub body: String,
}

/// A person's signature over a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// The person's clock, seconds since 1970.
    pub at_s: u64,
    /// Hash of the facts in the draft, 64 hex digits.
    pub facts: String,
    /// 128 hex digits.
    pub signature: String,
}

/// The same and by which delegation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAct {
    /// Which delegation: the connection's, whatever was sent.
    pub of: DelegationId,
    /// The signature.
    pub signing: Signing,
}

/// `GET /api/v1/person`: who acts over this connection, and what that one may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// `holdfast.person/1`.
    pub schema: String,
    /// `1/3` or `1-118/3`.
    pub delegation: String,
    /// From the delegation.
    pub name: String,
    /// Who delegated it: the firm, or the node.
    pub delegated_by: String,
    /// The node that serves.
    pub node: NodeName,
    /// What may be said, as in history lists.
    pub allowed: Vec<String>,
    /// The last day, days since 1970.
    pub until: u32,
}

/// `GET /api/v1/acts/ID`: where what was said by a delegation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActsView {
    /// `holdfast.acts/1`.
    pub schema: String,
    /// `1/3` or `1-118/3`.
    pub delegation: String,
    /// The last word in each logbook.
    pub last: Vec<PinView>,
}

/// The last word by a delegation in one logbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinView {
    /// Whose logbook.
    pub node: NodeName,
    /// Logbook, 10 B, hex.
    pub log: String,
    /// Its number there.
    pub number: u32,
}

/// Small hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads exactly `N` bytes of small hex digits.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    unhex_all(text)?.try_into().ok()
}

/// Reads any number of bytes of small hex digits.
#[must_use]
pub fn unhex_all(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| digit(&byte)) {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Longest [`DeskHello`] and [`DeskWelcome`], bytes: an alliance's charters, two certificates and a few words.
pub const GREETING_BYTES_MAX: usize = 65_536;

/// The first word of a person's computer, on the first stream: canonical fields 1 token (64 hex digits), 2 port, 3 papers (text).
///
/// Token and port are what the API shall know that computer's own programs by: it asks for them as it does at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskHello {
    /// 64 hex digits.
    pub token: String,
    /// Of its loopback listener.
    pub port: u16,
    /// Armored blocks: the delegation and what proves it.
    pub papers: String,
}

impl DeskHello {
    /// As it travels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.text(1, &self.token).uint(2, self.port.into()).text(3, &self.papers);
        writer.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes)?;
        let token = fields.text(1)?;
        if token.len() != 64 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Malformed);
        }
        let port = u16::try_from(fields.uint(2)?).map_err(|_| Malformed)?;
        Ok(Self { token: token.to_owned(), port, papers: fields.text(3)?.to_owned() })
    }
}

/// The node's answer: canonical fields 1 chain, list of envelopes as in a greeting, 2 JSON: a [`PersonView`], or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskWelcome {
    /// What proves the node.
    pub chain: Vec<Bytes>,
    /// `holdfast.person/1` or `holdfast.error/1`.
    pub json: String,
}

impl DeskWelcome {
    /// As it travels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.list(1, &self.chain).text(2, &self.json);
        writer.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes)?;
        let chain = fields.list(1)?.into_iter().map(Bytes::copy_from_slice).collect();
        Ok(Self { chain, json: fields.text(2)?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_come_back_and_nothing_else_is_one() {
        let hello = DeskHello { token: "ab".repeat(32), port: 4_711, papers: "# papers".to_owned() };
        assert_eq!(DeskHello::read(&hello.to_bytes()), Ok(hello.clone()));
        let welcome = DeskWelcome { chain: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")], json: "{}".to_owned() };
        assert_eq!(DeskWelcome::read(&welcome.to_bytes()), Ok(welcome.clone()));
        for cut in 0..hello.to_bytes().len() {
            assert!(DeskHello::read(&hello.to_bytes()[..cut]).is_err(), "{cut}");
        }
        assert!(DeskHello::read(&DeskHello { token: "ab".to_owned(), ..hello }.to_bytes()).is_err());
    }

    #[test]
    fn hex_is_small_and_in_pairs() {
        assert_eq!(unhex::<2>("00ff"), Some([0, 255]));
        for wrong in ["0", "00FF", "00fg", "00ff00", "+1+1"] {
            assert_eq!(unhex::<2>(wrong), None, "{wrong}");
        }
    }
}
