//! Who signs a node's own words: its key, or, where a recording is played again, what that key signed then.

use std::collections::VecDeque;

use super::{PublicKey, SecretKey, Signature};

/// Signs the words of one node.
pub trait Sign {
    /// The key that others check with.
    fn public(&self) -> PublicKey;

    /// Signs a message as it is; `None` where this signer never signed it.
    fn sign(&mut self, message: &[u8]) -> Option<Signature>;
}

impl Sign for &SecretKey {
    fn public(&self) -> PublicKey {
        SecretKey::public(self)
    }

    fn sign(&mut self, message: &[u8]) -> Option<Signature> {
        Some(SecretKey::sign(self, message))
    }
}

/// What a node signs with.
#[derive(Clone, Debug)]
pub enum Signer {
    /// Its key.
    Key(SecretKey),
    /// Its key; what it makes is kept besides until it is taken, for a recording that must not hold the key.
    Recorded(SecretKey, Vec<Signature>),
    /// What that key made, in its order. It can say nothing that was not said then.
    Replayed(PublicKey, VecDeque<Signature>),
}

impl From<SecretKey> for Signer {
    fn from(secret: SecretKey) -> Self {
        Self::Key(secret)
    }
}

impl Signer {
    /// The key that others check with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Key(secret) | Self::Recorded(secret, _) => secret.public(),
            Self::Replayed(key, _) => *key,
        }
    }

    /// Keeps what it makes from now on.
    pub fn keep(&mut self) {
        if let Self::Key(secret) = self {
            *self = Self::Recorded(secret.clone(), Vec::new());
        }
    }

    /// What was made since the last time, where it is kept.
    pub fn take(&mut self) -> Vec<Signature> {
        match self {
            Self::Recorded(_, made) => std::mem::take(made),
            Self::Key(_) | Self::Replayed(..) => Vec::new(),
        }
    }

    /// What the next words were signed with; only a replay listens.
    pub fn foresee(&mut self, signatures: impl IntoIterator<Item = Signature>) {
        if let Self::Replayed(_, made) = self {
            made.extend(signatures);
        }
    }
}

impl Sign for &mut Signer {
    fn public(&self) -> PublicKey {
        Signer::public(self)
    }

    fn sign(&mut self, message: &[u8]) -> Option<Signature> {
        match self {
            Signer::Key(secret) => Some(secret.sign(message)),
            Signer::Recorded(secret, made) => {
                let signature = secret.sign(message);
                made.push(signature);
                Some(signature)
            }
            // Of another message it is no signature, and the replay has left the recording.
            Signer::Replayed(key, made) => made.pop_front().filter(|signature| key.verify(message, signature)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_signs_what_was_signed_and_nothing_else() {
        let secret = SecretKey::from_seed([5; 32]);
        let mut first = Signer::Recorded(secret.clone(), Vec::new());
        let open = (&mut first).sign(b"open").expect("a key signs");
        let shut = (&mut first).sign(b"shut").expect("a key signs");
        let kept = first.take();
        assert_eq!(kept, [open, shut]);
        assert_eq!(first.take(), []);

        let mut again = Signer::Replayed(secret.public(), VecDeque::new());
        again.foresee(kept);
        assert_eq!(again.public(), secret.public());
        assert_eq!((&mut again).sign(b"open"), Some(open));
        assert_eq!((&mut again).sign(b"another"), None, "another message than then");
        assert_eq!((&mut again).sign(b"open"), None, "nothing is left");
    }
}
