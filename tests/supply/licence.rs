//! Whether an SPDX expression can be met with the licences that are allowed: `AND` needs both sides, `OR` one.

/// Whether `expression` can be met; `Err` where it is none.
///
/// # Errors
/// A sentence about the expression.
pub fn permitted(expression: &str, allowed: &[String]) -> Result<bool, String> {
    // "/" for OR is the old way of crates.io.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let met = reader.either();
    match (met, reader.words) {
        (Some(met), []) => Ok(met),
        _ => Err(format!("{expression:?} is no licence expression")),
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let there = self.words.first() == Some(&word);
        if there {
            self.words = &self.words[1..];
        }
        there
    }

    /// Sides of `OR`. Each side is read even where the answer is known.
    fn either(&mut self) -> Option<bool> {
        let mut met = self.both()?;
        while self.takes("OR") {
            met |= self.both()?;
        }
        Some(met)
    }

    fn both(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.takes("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("(") {
            let met = self.either()?;
            return self.takes(")").then_some(met);
        }
        let (name, rest) = self.words.split_first().filter(|(name, _)| !["AND", "OR", "WITH", ")"].contains(name))?;
        self.words = rest;
        let mut name = (*name).to_owned();
        if self.takes("WITH") {
            let (exception, rest) = self.words.split_first()?;
            self.words = rest;
            name = format!("{name} WITH {exception}");
        }
        Some(self.allowed.contains(&name))
    }
}
