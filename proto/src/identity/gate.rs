//! The gate: [`Signed`] bytes in, [`Verified`] out. There is no other way to make a [`Verified`]. Keeps P3.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Rejected, Roster, Sign, Signature, Tag};
use crate::id::{Generation, NodeId};

/// What an author said, as it travels: not yet believed.
///
/// `author` and `generation` name the key to check with; they are covered by the signature only through what stands in `bytes`.
/// Whoever reads the verified bytes compares the author and generation in them with these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What kind of word it is.
    pub tag: Tag,
    /// Whose word it claims to be.
    pub author: NodeId,
    /// Under which of the author's keys.
    pub generation: Generation,
    /// The canonical bytes, exactly as signed.
    pub bytes: Bytes,
    /// Over domain and bytes.
    pub signature: Signature,
}

impl Signed {
    /// Checks the signature with the author's certified key.
    ///
    /// # Errors
    /// [`Rejected::WrongKind`] for a certificate's tag, [`Rejected::UnknownAuthor`], [`Rejected::Void`] or
    /// [`Rejected::BadSignature`].
    pub fn verify(self, roster: &Roster) -> Result<Verified<Self>, Rejected> {
        if !self.tag.is_word() {
            return Err(Rejected::WrongKind);
        }
        roster.check_word(self.author, self.generation, self.tag, &self.bytes, &self.signature)?;
        Ok(Verified(self))
    }

    /// Signs a word of our own. Holding the certified secret key is the proof, so nothing is checked twice.
    ///
    /// # Errors
    /// As [`Self::verify`]; [`Rejected::KeyMismatch`] if `signer` has not the certified key of that author and generation.
    pub fn seal(
        mut signer: impl Sign,
        roster: &Roster,
        author: NodeId,
        generation: Generation,
        tag: Tag,
        bytes: Bytes,
    ) -> Result<Verified<Self>, Rejected> {
        if !tag.is_word() {
            return Err(Rejected::WrongKind);
        }
        if roster.usable_key(author, generation)? != signer.public() {
            return Err(Rejected::KeyMismatch);
        }
        let signature = signer.sign(&roster.realm().message(tag, &bytes)).ok_or(Rejected::BadSignature)?;
        Ok(Verified(Self { tag, author, generation, bytes, signature }))
    }
}

/// Something that follows from bytes whose signature was checked. Made only by [`Signed::verify`] and [`Signed::seal`].
///
/// ```compile_fail
/// let forged = holdfast_proto::identity::Verified("no one outside the gate can say this");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// What was verified.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What was verified, out of its proof.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}
