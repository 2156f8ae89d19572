//! Deputies: who may certify in an issuer's stead, for some of its serials, where and what they may.

use bytes::Bytes;

use super::certificate::{TEXT_BYTES_MAX, clean_text, narrow, seal_one, strong};
use super::issue::{check, check_name};
use super::realm::{Realm, Tag, sign};
use super::{CannotIssue, PublicKey, Regions, Rejected, Roles, SecretKey};
use crate::codec::canonical::{Fields, Writer};
use crate::id::ISSUER_MAX;

/// Field 1 of every body: which certificate it is.
pub(super) const WHAT_DEPUTY: u64 = 5;
/// Nodes one deputy may certify: a key in a manager's pocket must not be worth a firm. trust.md section 6.
pub const DEPUTY_NODES_MAX: u16 = 50;

/// Named by its issuer while all is well, so that PCs can join and dead ones be replaced when the issuer can't be reached.
///
/// It certifies the serials of its own range; any other name of its issuer only where the paper of the key before is held, so that a
/// stolen deputy's key takes nobody's place. Its nodes bear its number in their generation.
///
/// Body: 1 what = 5, 2 issuer, 3 giver, 4 version, 5 key 32, 6 region mask, 7 role mask, 8 first serial, 9 nodes at most, 10 not before,
/// 11 not after, 12 name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeputyCertificate {
    /// Whose deputy.
    pub issuer: u16,
    /// Its number below the issuer, 1..=255: the giver in generations.
    pub giver: u8,
    /// The highest counts.
    pub version: u32,
    /// Its key.
    pub key: PublicKey,
    /// Within the issuer's.
    pub regions: Regions,
    /// Within the issuer's.
    pub roles: Roles,
    /// First serial of its range, which lies in the issuer's.
    pub first: u16,
    /// Width of its range, at most 50; 0 ends the deputy and its nodes.
    pub max_nodes: u16,
    /// Days since 1970.
    pub not_before: u32,
    /// Days since 1970. Soft, as a node's.
    pub not_after: u32,
    /// Who it is, for people.
    pub name: String,
}

impl DeputyCertificate {
    /// The bytes that are signed.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, WHAT_DEPUTY).uint(2, self.issuer.into()).uint(3, self.giver.into()).uint(4, self.version.into());
        writer.bytes(5, &self.key.0).uint(6, self.regions.0.into()).uint(7, self.roles.0.into()).uint(8, self.first.into());
        writer.uint(9, self.max_nodes.into()).uint(10, self.not_before.into()).uint(11, self.not_after.into());
        writer.text(12, &self.name);
        writer.finish()
    }

    /// Reads a body; checks shape and ranges, no signature.
    ///
    /// # Errors
    /// [`Rejected::Malformed`] or [`Rejected::WeakKey`].
    pub fn read(fields: &Fields<'_>) -> Result<Self, Rejected> {
        let deputy = Self {
            issuer: narrow(fields.uint(2)?)?,
            giver: narrow(fields.uint(3)?)?,
            version: narrow(fields.uint(4)?)?,
            key: strong(fields.array(5)?)?,
            regions: Regions(narrow(fields.uint(6)?)?),
            roles: Roles(narrow(fields.uint(7)?)?),
            first: narrow(fields.uint(8)?)?,
            max_nodes: narrow(fields.uint(9)?)?,
            not_before: narrow(fields.uint(10)?)?,
            not_after: narrow(fields.uint(11)?)?,
            name: clean_text(fields.text(12)?, TEXT_BYTES_MAX)?.to_owned(),
        };
        let fits = u32::from(deputy.first) + u32::from(deputy.max_nodes) <= 1 << 16;
        let sound = deputy.issuer <= ISSUER_MAX
            && deputy.giver >= 1
            && deputy.version >= 1
            && deputy.max_nodes <= DEPUTY_NODES_MAX
            && deputy.not_before <= deputy.not_after
            && fits;
        if sound { Ok(deputy) } else { Err(Rejected::Malformed) }
    }

    /// Whether a serial lies in its range.
    #[must_use]
    pub fn covers(&self, serial: u16) -> bool {
        serial.checked_sub(self.first).is_some_and(|place| place < self.max_nodes)
    }

    /// Signs it with the issuer's key. Whether the issuer may give it is the roster's to say. Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn issue(&self, realm: &Realm, issuer: &SecretKey) -> Result<Bytes, CannotIssue> {
        check_name(&self.name)?;
        let body = self.body();
        check(&body, |fields| Self::read(fields).map(|_| ()))?;
        Ok(seal_one(&body, &sign(issuer, realm, Tag::Deputy, &body)))
    }
}
