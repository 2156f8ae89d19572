//! A node's key at rest, bound to the machine it lives on: a copy of the file alone, in a backup or on a stick, opens nowhere else.
//!
//! It keeps two PCs from being one node by accident and a lost copy from being a lost key. Who takes the whole PC has what binds, too:
//! against a thief stands revocation, not this.
//!
//! | bytes | what |
//! | --- | --- |
//! | 32 | public half of the key |
//! | 16 | nonce |
//! | 32 | seed, exclusive-or with the first 32 bytes of a stream |
//! | 16 | check over all before, keyed with the next 32 of it |
//!
//! The stream is BLAKE3's, context `holdfast key at rest v1`, over what names the machine and the nonce.

use super::{PublicKey, SecretKey};

/// Bytes of a bound key.
pub(super) const BOUND_KEY_BYTES: usize = 96;
/// Before the check.
const CHECKED: usize = 80;

/// What names a machine: made when its system was installed, not shown to anybody, not copied with a folder.
#[derive(Clone, PartialEq, Eq)]
pub struct Machine([u8; 32]);

/// A bound key can't be opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// It is not of this form.
    #[error("it is not a key as one is kept")]
    Malformed,
    /// It lives on another machine, or was changed.
    #[error("it was bound to another machine")]
    Elsewhere,
}

impl Machine {
    /// Where a Linux system keeps it (machine-id(5)); the first that holds one counts.
    pub const FILES: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

    /// From the text of such a file: 32 hex digits. Nothing where the system has none, as on a first boot.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let known =
            text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.bytes().any(|byte| byte != b'0');
        known.then(|| Self(blake3::derive_key("holdfast machine v1", text.to_ascii_lowercase().as_bytes())))
    }

    fn stream(&self, nonce: &[u8]) -> [u8; 64] {
        let mut stream = [0; 64];
        let mut hasher = blake3::Hasher::new_derive_key("holdfast key at rest v1");
        hasher.update(&self.0).update(nonce).finalize_xof().fill(&mut stream);
        stream
    }

    fn check(stream: &[u8; 64], checked: &[u8]) -> blake3::Hash {
        let mut key = [0; 32];
        key.copy_from_slice(&stream[32..]);
        blake3::keyed_hash(&key, checked)
    }

    /// The bytes to keep. The nonce is new for each.
    #[must_use]
    pub fn bind(&self, key: &SecretKey, nonce: [u8; 16]) -> Vec<u8> {
        let stream = self.stream(&nonce);
        let hidden = key.seed().into_iter().zip(stream).map(|(seed, stream)| seed ^ stream);
        let mut bytes = [&key.public().0[..], &nonce].concat();
        bytes.extend(hidden);
        let check = Self::check(&stream, &bytes);
        bytes.extend_from_slice(&check.as_bytes()[..16]);
        bytes
    }

    /// The key again.
    ///
    /// # Errors
    /// [`NotHere`].
    pub fn open(&self, bytes: &[u8]) -> Result<SecretKey, NotHere> {
        let public = public_half(bytes).ok_or(NotHere::Malformed)?;
        let (checked, check) = bytes.split_at(CHECKED);
        let stream = self.stream(&checked[32..48]);
        if check != &Self::check(&stream, checked).as_bytes()[..16] {
            return Err(NotHere::Elsewhere);
        }
        let mut seed = [0; 32];
        for ((to, hidden), stream) in seed.iter_mut().zip(&checked[48..]).zip(stream) {
            *to = hidden ^ stream;
        }
        let key = SecretKey::from_seed(seed);
        if key.public() == public { Ok(key) } else { Err(NotHere::Elsewhere) }
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Machine")
    }
}

/// The public half of a bound key, which anybody may read.
#[must_use]
pub fn public_half(bytes: &[u8]) -> Option<PublicKey> {
    let public = (bytes.len() == BOUND_KEY_BYTES).then(|| bytes.first_chunk::<32>()).flatten()?;
    Some(PublicKey(*public))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "0123456789abcdef0123456789ABCDEF\n";

    #[test]
    fn a_bound_key_opens_on_its_machine_and_nowhere_else() {
        let (here, there) = (Machine::of(HERE).unwrap(), Machine::of("1123456789abcdef0123456789abcdef").unwrap());
        let key = SecretKey::from_seed([7; 32]);
        let bound = here.bind(&key, [9; 16]);
        assert_eq!(bound.len(), BOUND_KEY_BYTES);
        assert_eq!(public_half(&bound), Some(key.public()));
        assert!(!bound.windows(32).any(|bytes| bytes == [7; 32]), "the seed does not stand in it");
        assert_eq!(here.open(&bound).unwrap().seed(), key.seed());
        assert_eq!(there.open(&bound).unwrap_err(), NotHere::Elsewhere);
        assert_ne!(here.bind(&key, [8; 16])[48..80], bound[48..80]);
    }

    #[test]
    fn whatever_is_changed_in_it_opens_nowhere() {
        let here = Machine::of(HERE).unwrap();
        let bound = here.bind(&SecretKey::from_seed([7; 32]), [9; 16]);
        for place in 0..bound.len() {
            let mut changed = bound.clone();
            changed[place] ^= 1;
            assert_eq!(here.open(&changed).unwrap_err(), NotHere::Elsewhere, "byte {place}");
        }
        assert_eq!(here.open(&bound[..95]).unwrap_err(), NotHere::Malformed);
    }

    #[test]
    fn a_system_without_a_name_of_its_own_is_no_machine() {
        for text in ["", "\n", "uninitialized\n", "00000000000000000000000000000000", "0123", "0123456789abcdef0123456789abcdeg"]
        {
            assert_eq!(Machine::of(text), None, "{text:?}");
        }
        assert_eq!(Machine::of(HERE), Machine::of("0123456789abcdef0123456789abcdef"));
    }
}
