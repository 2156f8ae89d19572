//! Charter, issuer and node certificates: their values and their bytes, and the envelopes of these and of revocations. Whether one
//! counts is decided in `roster`.
//!
//! Envelope on the wire and in files, a canonical document:
//!
//! | field | charter | issuer | node |
//! | --- | --- | --- | --- |
//! | 1 | body | body | body |
//! | 2 | list of (root index u8, signature 64), by this charter's roots | the same, by roots of the charter it names | signature 64, by the issuer |
//! | 3 | list as 2, by the roots of the version before; absent for version 1 | | |
//!
//! Only the body is signed, and an object's name is the hash of its body. Indices ascend, no field is added. A body may carry
//! fields of later versions: they are signed, kept and not understood.

use bytes::Bytes;

use super::delegation::{Delegation, WHAT_DELEGATION};
use super::deputy::{DeputyCertificate, WHAT_DEPUTY};
use super::guest::{GUEST_DAYS_MAX, Vouch, WHAT_GUEST};
use super::realm::hash16;
use super::revocation::{Revocation, RevokedBy, WHAT_REVOCATION};
use super::{PublicKey, RealmKind, Region, Regions, Rejected, Role, Roles, Signature};
use crate::codec::canonical::{Fields, Writer};
use crate::id::{Generation, ISSUER_MAX, NodeId};

/// Largest envelope: a charter of 16 roots signed by all of them and by 16 before takes 3.6 kB.
pub(super) const ENVELOPE_BYTES_MAX: usize = 4_096;
/// Most root keys in a charter. People who meet and sign by hand; 5 to 7 is usual.
pub(super) const ROOTS_MAX: usize = 16;
/// Longest text of a certificate, bytes of UTF-8: 16 Chinese characters, as branches are called. Names are shown beside everything.
pub const TEXT_BYTES_MAX: usize = 48;
/// Largest window an issuer may give: 16 times a hub's. Each number costs a row on every node.
const WINDOW_MAX: u32 = 1 << 20;

/// Field 1 of every body: which certificate it is.
const WHAT_CHARTER: u64 = 1;
const WHAT_ISSUER: u64 = 2;
const WHAT_NODE: u64 = 3;

/// Text from outside: not empty, at most `max` bytes, no control, direction or invisible characters, no space at either end (T34).
///
/// # Errors
/// [`Rejected::Malformed`] otherwise.
pub fn clean_text(text: &str, max: usize) -> Result<&str, Rejected> {
    let clean = !text.is_empty() && text.len() <= max && is_plain(text);
    if clean { Ok(text) } else { Err(Rejected::Malformed) }
}

/// No space at either end and no character that deceives.
pub(super) fn is_plain(text: &str) -> bool {
    text.trim() == text && !text.chars().any(is_unclean)
}

fn is_unclean(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Capability bit 0: an authority's orders are for every region, not for its own alone.
pub const CAPABILITY_EVERYWHERE: u32 = 1;

/// A root key and the firm that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey {
    /// Its key.
    pub key: PublicKey,
    /// Its owner.
    pub firm: String,
}

/// Who the roots are, and how many of them must agree. Never expires.
///
/// Body: 1 what = 1, 2 version, 3 kind, 4 k, 5 list of (key 32, firm), 6 hash16 of the version before (absent for version 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charter {
    /// From 1.
    pub version: u32,
    /// Real, drill or simulation; the same in every version.
    pub kind: RealmKind,
    /// Signatures needed.
    pub k: u8,
    /// At most 16, each key once.
    pub roots: Vec<RootKey>,
    /// Of the version before.
    pub previous: Option<[u8; 16]>,
}

impl Charter {
    /// The bytes that are signed.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let roots = self.roots.iter().map(|root| [&root.key.0[..], root.firm.as_bytes()].concat());
        let mut writer = Writer::new();
        writer.uint(1, WHAT_CHARTER).uint(2, self.version.into()).uint(3, self.kind.code().into()).uint(4, self.k.into());
        writer.list(5, roots);
        if let Some(previous) = self.previous {
            writer.bytes(6, &previous);
        }
        writer.finish()
    }

    /// Reads a body; checks shape and ranges, no signature.
    ///
    /// # Errors
    /// [`Rejected::Malformed`] or [`Rejected::WeakKey`].
    pub fn read(fields: &Fields<'_>) -> Result<Self, Rejected> {
        let mut roots: Vec<RootKey> = Vec::new();
        for item in fields.list(5)? {
            let (key, firm) = item.split_first_chunk::<32>().ok_or(Rejected::Malformed)?;
            let firm = std::str::from_utf8(firm).map_err(|_| Rejected::Malformed)?;
            let key = strong(*key)?;
            if roots.iter().any(|root| root.key == key) {
                return Err(Rejected::Malformed);
            }
            roots.push(RootKey { key, firm: clean_text(firm, TEXT_BYTES_MAX)?.to_owned() });
        }
        let charter = Self {
            version: narrow(fields.uint(2)?)?,
            kind: RealmKind::from_code(fields.uint(3)?).ok_or(Rejected::Malformed)?,
            k: narrow(fields.uint(4)?)?,
            roots,
            previous: fields.get(6).map(|_| fields.array(6)).transpose()?,
        };
        let sound = charter.version >= 1
            && (charter.version == 1) == charter.previous.is_none()
            && charter.k >= 1
            && usize::from(charter.k) <= charter.roots.len()
            && charter.roots.len() <= ROOTS_MAX;
        if sound { Ok(charter) } else { Err(Rejected::Malformed) }
    }
}

/// Who may certify which nodes: a firm in its regions, within a range of serials.
///
/// Body: 1 what = 2, 2 number, 3 version, 4 charter version, 5 key 32, 6 firm, 7 region mask, 8 role mask, 9 first serial, 10 nodes at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerCertificate {
    /// Given by the roots, never reused; at most 32,767.
    pub number: u16,
    /// The highest counts.
    pub version: u32,
    /// The charter version whose root indices the signatures name.
    pub charter: u32,
    /// The issuer's key.
    pub key: PublicKey,
    /// The firm of all its nodes.
    pub firm: String,
    /// Regions its nodes may stand in.
    pub regions: Regions,
    /// Roles its nodes may have.
    pub roles: Roles,
    /// First serial of its range.
    pub first: u16,
    /// Width of its range.
    pub max_nodes: u16,
}

impl IssuerCertificate {
    /// The bytes that are signed.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, WHAT_ISSUER).uint(2, self.number.into()).uint(3, self.version.into()).uint(4, self.charter.into());
        writer.bytes(5, &self.key.0).text(6, &self.firm).uint(7, self.regions.0.into()).uint(8, self.roles.0.into());
        writer.uint(9, self.first.into()).uint(10, self.max_nodes.into());
        writer.finish()
    }

    /// Reads a body; checks shape and ranges, no signature.
    ///
    /// # Errors
    /// [`Rejected::Malformed`] or [`Rejected::WeakKey`].
    pub fn read(fields: &Fields<'_>) -> Result<Self, Rejected> {
        let issuer = Self {
            number: narrow(fields.uint(2)?)?,
            version: narrow(fields.uint(3)?)?,
            charter: narrow(fields.uint(4)?)?,
            key: strong(fields.array(5)?)?,
            firm: clean_text(fields.text(6)?, TEXT_BYTES_MAX)?.to_owned(),
            regions: Regions(narrow(fields.uint(7)?)?),
            roles: Roles(narrow(fields.uint(8)?)?),
            first: narrow(fields.uint(9)?)?,
            max_nodes: narrow(fields.uint(10)?)?,
        };
        let fits = u32::from(issuer.first) + u32::from(issuer.max_nodes) <= 1 << 16;
        let sound = issuer.number <= ISSUER_MAX && issuer.version >= 1 && issuer.charter >= 1 && issuer.max_nodes >= 1 && fits;
        if sound { Ok(issuer) } else { Err(Rejected::Malformed) }
    }

    /// Whether a serial lies in its range.
    #[must_use]
    pub fn covers(&self, serial: u16) -> bool {
        serial.checked_sub(self.first).is_some_and(|place| place < self.max_nodes)
    }
}

/// One life of one node: its name, its key, what it is and where. Its firm is its issuer's; a guest has none.
///
/// Body: 1 what = 3, of a guest 7, 2 node id 4, 3 generation 2, 4 key 32, 5 region, 6 role, 7 tier, 8 capability bits, 9 not before, 10 not after,
/// 11 name, 12 window (absent: the role's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCertificate {
    /// Its name.
    pub node: NodeId,
    /// Which of its keys.
    pub generation: Generation,
    /// Its key.
    pub key: PublicKey,
    /// Where it stands.
    pub region: Region,
    /// What it is.
    pub role: Role,
    /// 1..=3.
    pub tier: u8,
    /// What it may do beyond its role; bits are given meaning where facts are judged.
    pub capabilities: u32,
    /// Days since 1970.
    pub not_before: u32,
    /// Days since 1970. Soft: a lapsed node is shown as lapsed and never cut off.
    pub not_after: u32,
    /// Shown to people.
    pub name: String,
    /// Its own window, where it has more than its role's.
    pub window: Option<u32>,
}

impl NodeCertificate {
    /// The bytes that are signed.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, if self.node.is_guest() { WHAT_GUEST } else { WHAT_NODE }).bytes(2, &self.node.to_bytes());
        writer.bytes(3, &[self.generation.count, self.generation.giver]).bytes(4, &self.key.0);
        writer.uint(5, self.region.index().into()).uint(6, self.role.code().into()).uint(7, self.tier.into());
        writer.uint(8, self.capabilities.into()).uint(9, self.not_before.into()).uint(10, self.not_after.into());
        writer.text(11, &self.name).maybe_uint(12, self.window.map(u64::from));
        writer.finish()
    }

    /// Reads a body; checks shape and ranges, no signature.
    ///
    /// # Errors
    /// [`Rejected::Malformed`] or [`Rejected::WeakKey`].
    pub fn read(fields: &Fields<'_>) -> Result<Self, Rejected> {
        let [count, giver] = fields.array(3)?;
        let region: u8 = narrow(fields.uint(5)?)?;
        let certificate = Self {
            node: NodeId::from_bytes(fields.array(2)?),
            generation: Generation { count, giver },
            key: strong(fields.array(4)?)?,
            region: Region::new(region).ok_or(Rejected::Malformed)?,
            role: Role::from_code(fields.uint(6)?).ok_or(Rejected::Malformed)?,
            tier: narrow(fields.uint(7)?)?,
            capabilities: narrow(fields.uint(8)?)?,
            not_before: narrow(fields.uint(9)?)?,
            not_after: narrow(fields.uint(10)?)?,
            name: clean_text(fields.text(11)?, TEXT_BYTES_MAX)?.to_owned(),
            window: fields.maybe_uint(12)?.map(narrow).transpose()?,
        };
        let window = certificate.window.is_none_or(|window| (certificate.role.window()..=WINDOW_MAX).contains(&window));
        let days = certificate.not_after.checked_sub(certificate.not_before).ok_or(Rejected::Malformed)?;
        let fits = match (fields.uint(1)?, certificate.role == Role::Guest) {
            (WHAT_GUEST, true) => {
                let bare = certificate.capabilities == 0 && certificate.window.is_none();
                certificate.node.is_guest() && certificate.generation.giver == 0 && days <= GUEST_DAYS_MAX && bare
            }
            (WHAT_NODE, false) => !certificate.node.is_guest(),
            (_, _) => false,
        };
        let sound = fits && (1..=3).contains(&certificate.tier) && window;
        if sound { Ok(certificate) } else { Err(Rejected::Malformed) }
    }

    /// Numbers above the floor it may use.
    #[must_use]
    pub fn window(&self) -> u32 {
        self.window.unwrap_or(self.role.window())
    }
}

/// A root's signature and its place in the charter's list.
pub(super) type RootSignature = (u8, Signature);

/// An envelope taken apart: layout and ranges are sound, no signature is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Charter { value: Charter, own: Vec<RootSignature>, before: Vec<RootSignature> },
    Issuer { value: IssuerCertificate, own: Vec<RootSignature> },
    Node { value: NodeCertificate, signature: Signature },
    Guest { value: NodeCertificate, vouches: Vec<Vouch> },
    Deputy { value: DeputyCertificate, signature: Signature },
    Revocation { value: Revocation, proof: Proof },
    Delegation { value: Delegation, signature: Signature },
}

/// Who signed a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    One(Signature),
    Roots(Vec<RootSignature>),
}

/// An envelope's body, the body's hash and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    pub(super) body: &'a [u8],
    pub(super) hash: [u8; 16],
    pub(super) parsed: Parsed,
}

/// Takes an envelope apart.
pub(super) fn open(bytes: &[u8]) -> Result<Envelope<'_>, Rejected> {
    if bytes.len() > ENVELOPE_BYTES_MAX {
        return Err(Rejected::TooLong);
    }
    let outer = Fields::parse(bytes)?;
    let body = outer.bytes(1)?;
    let fields = Fields::parse(body)?;
    let (parsed, known) = match fields.uint(1)? {
        WHAT_CHARTER => {
            let value = Charter::read(&fields)?;
            let known = if value.previous.is_some() { 3 } else { 2 };
            (Parsed::Charter { value, own: signatures(&outer, 2)?, before: signatures(&outer, 3)? }, known)
        }
        WHAT_ISSUER => (Parsed::Issuer { value: IssuerCertificate::read(&fields)?, own: signatures(&outer, 2)? }, 2),
        WHAT_NODE => {
            let value = NodeCertificate::read(&fields)?;
            (Parsed::Node { value, signature: Signature(outer.array(2)?) }, 2)
        }
        WHAT_GUEST => (Parsed::Guest { value: NodeCertificate::read(&fields)?, vouches: Vouch::list(&outer)? }, 2),
        WHAT_DEPUTY => {
            let value = DeputyCertificate::read(&fields)?;
            (Parsed::Deputy { value, signature: Signature(outer.array(2)?) }, 2)
        }
        WHAT_DELEGATION => {
            let value = Delegation::read(&fields)?;
            (Parsed::Delegation { value, signature: Signature(outer.array(2)?) }, 2)
        }
        WHAT_REVOCATION => {
            let value = Revocation::read(&fields)?;
            let proof = match value.by {
                RevokedBy::Roots => Proof::Roots(signatures(&outer, 2)?),
                RevokedBy::Issuer | RevokedBy::Itself => Proof::One(Signature(outer.array(2)?)),
            };
            (Parsed::Revocation { value, proof }, 2)
        }
        _ => return Err(Rejected::Malformed),
    };
    // Nothing unsigned may ride along.
    if outer.iter().any(|(id, _)| id == 0 || id > known) {
        return Err(Rejected::Malformed);
    }
    // Who vouches is part of what a guest's certificate says, and grows.
    let said = if matches!(parsed, Parsed::Guest { .. }) { bytes } else { body };
    Ok(Envelope { body, hash: hash16(said), parsed })
}

/// Puts an envelope together.
pub(super) fn seal(body: &[u8], own: &[RootSignature], before: &[RootSignature]) -> Bytes {
    let items =
        |list: &[RootSignature]| list.iter().map(|(index, signature)| [&[*index][..], &signature.0].concat()).collect::<Vec<_>>();
    let mut writer = Writer::new();
    writer.bytes(1, body).list(2, items(own)).list(3, items(before));
    writer.finish().into()
}

/// Puts an envelope together that one key signs.
pub(super) fn seal_one(body: &[u8], signature: &Signature) -> Bytes {
    let mut writer = Writer::new();
    writer.bytes(1, body).bytes(2, &signature.0);
    writer.finish().into()
}

fn signatures(outer: &Fields<'_>, id: u32) -> Result<Vec<RootSignature>, Rejected> {
    let mut list: Vec<RootSignature> = Vec::new();
    for item in outer.list(id)? {
        let (index, signature) = item.split_first().ok_or(Rejected::Malformed)?;
        let signature = Signature(signature.try_into().map_err(|_| Rejected::Malformed)?);
        if list.last().is_some_and(|(last, _)| last >= index) {
            return Err(Rejected::Malformed);
        }
        list.push((*index, signature));
    }
    // An empty list is spelt by leaving the field out.
    if list.is_empty() && outer.get(id).is_some() { Err(Rejected::Malformed) } else { Ok(list) }
}

pub(super) fn strong(bytes: [u8; 32]) -> Result<PublicKey, Rejected> {
    let key = PublicKey(bytes);
    key.strong().map(|_| key).ok_or(Rejected::WeakKey)
}

pub(super) fn narrow<T: TryFrom<u64>>(value: u64) -> Result<T, Rejected> {
    T::try_from(value).map_err(|_| Rejected::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_could_deceive_is_refused() {
        for bad in
            ["", " a", "a ", "a\nb", "a\u{202e}b", "a\u{200b}b", "a\u{7f}", "\u{feff}a", "0123456789012345678901234567890123"]
        {
            assert_eq!(clean_text(bad, 32), Err(Rejected::Malformed), "{bad:?}");
        }
        for good in ["全家 信義店", "7-ELEVEN <b>", "Ōsaka"] {
            assert_eq!(clean_text(good, 32), Ok(good));
        }
    }
}
