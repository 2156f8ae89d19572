//! Join codes: eight symbols, `7Q4K-M2XD`, the last of them a check on the others, and the key that is made of them.

use std::fmt;
use std::str::FromStr;

/// Crockford's 32 symbols: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols before the check symbol: 35 bits.
const SYMBOLS: usize = 7;
/// Times a guess is hashed before it can be tried: a tenth of a second of one core for each, 60 years of it for all.
const ROUNDS: u32 = 1 << 20;

/// A code as people read it out and type it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; SYMBOLS]);

/// What was typed is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACode {
    /// Too few or too many symbols.
    #[error("a code has 8 letters and digits; {0} were typed")]
    Length(usize),
    /// A symbol no code has.
    #[error("no code has \"{0}\" in it")]
    Symbol(char),
    /// One symbol is wrong, or two were swapped.
    #[error("a letter or digit of it is wrong: read it once more")]
    Check,
}

impl Code {
    /// Of random bytes from the operating system.
    #[must_use]
    pub fn new(random: [u8; SYMBOLS]) -> Self {
        Self(random.map(|byte| byte % 32))
    }

    /// The check symbol: weights differ and 31 is a prime, so that every swap shows and every wrong symbol but 0 for Z.
    fn check(self) -> u8 {
        let sum: u32 = self.0.iter().zip(2_u32..).map(|(symbol, weight)| u32::from(*symbol) * weight).sum();
        u8::try_from(sum % 31).unwrap_or(0)
    }

    /// The key, made slowly on purpose.
    #[must_use]
    pub fn key(self) -> CodeKey {
        let mut key = *blake3::Hasher::new_derive_key("holdfast enrolment code v1").update(&self.0).finalize().as_bytes();
        for _ in 0..ROUNDS {
            key = *blake3::hash(&key).as_bytes();
        }
        CodeKey(key)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.iter().copied().chain([self.check()]);
        for (place, symbol) in all.enumerate() {
            if place == 4 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(ALPHABET[usize::from(symbol)]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A code must not reach a log.
        f.write_str("Code")
    }
}

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let mut symbols = Vec::new();
        for typed in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let read = match typed.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let place = ALPHABET.iter().position(|known| char::from(*known) == read).ok_or(NotACode::Symbol(typed))?;
            symbols.push(u8::try_from(place).unwrap_or(0));
        }
        let [head @ .., check] = &symbols[..] else { return Err(NotACode::Length(0)) };
        let code = Self(head.try_into().map_err(|_| NotACode::Length(symbols.len()))?);
        if code.check() == *check { Ok(code) } else { Err(NotACode::Check) }
    }
}

/// What only who knows the code can make. As secret as the code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeKey([u8; 32]);

impl CodeKey {
    /// From a file only its owner may read.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For a file only its owner may read.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Names the invitation to whoever gave it out.
    #[must_use]
    pub fn name(self) -> [u8; 8] {
        let mut name = [0; 8];
        let hash = blake3::Hasher::new_derive_key("holdfast enrolment name v1").update(&self.0).finalize();
        name.copy_from_slice(&hash.as_bytes()[..8]);
        name
    }

    pub(super) fn hasher(self) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&self.0)
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey")
    }
}
