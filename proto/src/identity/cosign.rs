//! Signing by roots that are not in one place: each adds its signature to a draft, until there are enough. A draft is the envelope to
//! be, with fewer signatures; no node takes it.

use bytes::Bytes;

use super::certificate::{Envelope, Parsed, Proof, RootSignature, open, seal};
use super::realm::hash16;
use super::{ArmorKind, CannotIssue, Charter, Realm, Rejected, Revocation, SecretKey, Tag};

/// What a draft is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drafted {
    /// A charter.
    Charter(Charter),
    /// An issuer's certificate: number and firm.
    Issuer(u16, String),
    /// A revocation by the roots.
    Revocation(Revocation),
}

impl Drafted {
    /// The block it will be.
    #[must_use]
    pub fn armor(&self) -> ArmorKind {
        match self {
            Self::Charter(_) => ArmorKind::Charter,
            Self::Issuer(..) => ArmorKind::Issuer,
            Self::Revocation(_) => ArmorKind::Revocation,
        }
    }
}

/// Signatures there are, of those needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// By distinct roots.
    pub have: usize,
    /// What the charter asks for.
    pub want: usize,
    /// Firms of the roots that have not signed.
    pub waiting: Vec<String>,
}

impl Tally {
    fn of(charter: &Charter, list: &[RootSignature]) -> Self {
        let unsigned = (0_u8..).zip(&charter.roots).filter(|(index, _)| list.iter().all(|(other, _)| other != index));
        let waiting = unsigned.map(|(_, root)| root.firm.clone()).collect();
        Self { have: list.len(), want: usize::from(charter.k), waiting }
    }

    fn is_reached(&self) -> bool {
        self.have >= self.want
    }
}

/// A draft after the keys at hand have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The draft, or the whole envelope once nothing is missing.
    pub envelope: Bytes,
    /// Signatures added here.
    pub added: usize,
    /// By roots of the charter it is, or names.
    pub own: Tally,
    /// By roots of the charter before, for a charter that follows one.
    pub before: Option<Tally>,
}

impl Cosigned {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.own.is_reached() && self.before.as_ref().is_none_or(Tally::is_reached)
    }
}

/// Reads what a draft is of. Looks at no signature.
///
/// # Errors
/// [`Rejected`]; also where it is of something that roots don't sign.
pub fn drafted(draft: &[u8]) -> Result<Drafted, Rejected> {
    match open(draft)?.parsed {
        Parsed::Charter { value, .. } => Ok(Drafted::Charter(value)),
        Parsed::Issuer { value, .. } => Ok(Drafted::Issuer(value.number, value.firm)),
        Parsed::Revocation { value, proof: Proof::Roots(_) } => Ok(Drafted::Revocation(value)),
        Parsed::Revocation { .. }
        | Parsed::Node { .. }
        | Parsed::Guest { .. }
        | Parsed::Deputy { .. }
        | Parsed::Delegation { .. } => Err(Rejected::WrongKind),
    }
}

/// Begins a draft: the body, signed by nobody.
///
/// # Errors
/// [`CannotIssue::BadValue`] where no roster would read it.
pub(super) fn draft(body: &[u8]) -> Result<Bytes, CannotIssue> {
    let draft = seal(body, &[], &[]);
    match drafted(&draft) {
        Ok(_) => Ok(draft),
        Err(Rejected::WeakKey) => Err(CannotIssue::WeakKey),
        Err(_) => Err(CannotIssue::BadValue),
    }
}

/// Adds to a draft what these keys can sign, and drops signatures in it that don't hold. `charters` are those that the alliance has or
/// drafts beside this one.
///
/// # Errors
/// [`Rejected::UnknownCharter`] where the charter it names, or follows, is not among them; otherwise as [`drafted`].
pub fn cosign(realm: &Realm, draft: &[u8], charters: &[Charter], keys: &[&SecretKey]) -> Result<Cosigned, Rejected> {
    let Envelope { body, parsed, .. } = open(draft)?;
    let named = |version: u32| charters.iter().find(|charter| charter.version == version).ok_or(Rejected::UnknownCharter);
    let (tag, charter, own, before) = match parsed {
        Parsed::Charter { value, own, before } => {
            let previous = value.previous.map(|hash| {
                charters.iter().find(|charter| hash16(&charter.body()) == hash).cloned().ok_or(Rejected::UnknownCharter)
            });
            (Tag::Charter, value, own, previous.transpose()?.map(|previous| (previous, before)))
        }
        Parsed::Issuer { value, own } => (Tag::Issuer, named(value.charter)?.clone(), own, None),
        Parsed::Revocation { value, proof: Proof::Roots(own) } => (Tag::Revocation, named(value.charter)?.clone(), own, None),
        Parsed::Revocation { .. }
        | Parsed::Node { .. }
        | Parsed::Guest { .. }
        | Parsed::Deputy { .. }
        | Parsed::Delegation { .. } => {
            return Err(Rejected::WrongKind);
        }
    };
    let message = realm.message(tag, body);
    let (own, added) = signed(&charter, &own, keys, &message);
    let own_tally = Tally::of(&charter, &own);
    let Some((previous, before)) = before else {
        return Ok(Cosigned { envelope: seal(body, &own, &[]), added, own: own_tally, before: None });
    };
    let (before, more) = signed(&previous, &before, keys, &message);
    let before_tally = Some(Tally::of(&previous, &before));
    Ok(Cosigned { envelope: seal(body, &own, &before), added: added + more, own: own_tally, before: before_tally })
}

/// The signatures that hold, with those of the keys at hand, by ascending index; and how many are new.
fn signed(charter: &Charter, there: &[RootSignature], keys: &[&SecretKey], message: &[u8]) -> (Vec<RootSignature>, usize) {
    let mut added = 0;
    let mut list = Vec::new();
    for (index, root) in (0_u8..).zip(&charter.roots) {
        let held = there.iter().find(|(other, signature)| *other == index && root.key.verify(message, signature));
        let new = || keys.iter().find(|key| key.public() == root.key).map(|key| (index, key.sign(message)));
        match (held, new()) {
            (Some(held), _) => list.push(*held),
            (None, Some(new)) => {
                added += 1;
                list.push(new);
            }
            (None, None) => {}
        }
    }
    (list, added)
}
