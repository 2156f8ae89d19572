//! Ed25519 keys and signatures. Not where keys are stored (the daemon), not what they may sign (`roster`).

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// A secret key: certificate key, TLS key and libp2p key in one. Wiped from memory when dropped; never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key that follows from 32 random bytes. The caller takes them from the operating system and from nowhere else.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The 32 bytes it was made from, to be written to a file only its owner may read.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a message as it is. Words of the alliance go through [`super::sign`], which adds the domain; only a transport that
    /// has its own (TLS, libp2p) may call this.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

/// An Ed25519 public key: certificate key, TLS key and libp2p peer key in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The point behind the bytes, if it is one that may be certified: on the curve, in its one spelling, not of small order.
    #[must_use]
    pub fn strong(&self) -> Option<VerifyingKey> {
        let key = VerifyingKey::from_bytes(&self.0).ok()?;
        (!key.is_weak() && key.to_edwards().compress().to_bytes() == self.0).then_some(key)
    }

    /// Whether `signature` is this key's over exactly `message`, by the one strict rule.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        self.strong().is_some_and(|key| verify_with(&key, message, signature))
    }
}

impl fmt::Display for PublicKey {
    /// The first eight hex digits: enough for a log line, never for a decision.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The one rule by which any signature is checked: `verify_strict`. Batches obey another equation and are not used (T25).
pub(super) fn verify_with(key: &VerifyingKey, message: &[u8], signature: &Signature) -> bool {
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
}

/// An Ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (low, high) = self.0.split_at(32);
        (<[u8; 32]>::try_from(low).unwrap_or_default(), <[u8; 32]>::try_from(high).unwrap_or_default()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (low, high) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut out = [0; 64];
        out[..32].copy_from_slice(&low);
        out[32..].copy_from_slice(&high);
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_key_is_never_printed() {
        let secret = SecretKey::from_seed([0xab; 32]);
        let shown = format!("{secret:?}");
        assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
    }

    #[test]
    fn small_order_and_second_spellings_are_not_keys() {
        // The points of order 1, 2, 4 and 8 in all their spellings: with and without the sign bit, below and above p.
        let ends = |low: u8, fill: u8| std::array::from_fn(|place| if place == 0 { low } else { fill });
        let octet = |text: &str| -> [u8; 32] {
            std::array::from_fn(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).expect("hex"))
        };
        let points: [[u8; 32]; 7] = [
            ends(0, 0),
            ends(1, 0),
            octet("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
            octet("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
            ends(0xec, 0xff),
            ends(0xed, 0xff),
            ends(0xee, 0xff),
        ];
        for (point, sign) in points.iter().flat_map(|point| [(point, 0), (point, 0x80)]) {
            let mut weak = *point;
            weak[31] = weak[31] & 0x7f | sign;
            assert!(PublicKey(weak).strong().is_none(), "{weak:02x?}");
            assert!(!PublicKey(weak).verify(b"", &Signature([0; 64])));
            // The identity as R and zero as S: what a lax verifier accepts for any message.
            let mut forged = [0; 64];
            forged[0] = 1;
            assert!(!PublicKey(weak).verify(b"anything", &Signature(forged)));
        }
    }

    #[test]
    fn a_signature_fits_one_message_and_one_key() {
        let (ours, other) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
        let signature = ours.sign(b"open");
        assert!(ours.public().verify(b"open", &signature));
        assert!(!ours.public().verify(b"shut", &signature));
        assert!(!other.public().verify(b"open", &signature));
    }
}
