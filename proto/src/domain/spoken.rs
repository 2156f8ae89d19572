//! Spoken ids: `R-7Q4KXCM`, six symbols of a hash and one check symbol, to be read aloud over radio. Names, not keys.

use crate::id::FactId;

/// 31 symbols, a prime, without 0 O 1 I L, which sound or look alike.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Symbols before the check symbol: 887 million ids.
const SYMBOLS: usize = 6;
/// With the check symbol.
const ALL: usize = SYMBOLS + 1;

/// A spoken id as numbers of symbols; ascending as they are spelled.
pub(crate) type Name = [u8; ALL];

/// A fact's spoken id, `R-` and seven symbols.
#[must_use]
pub fn spoken(fact: FactId) -> String {
    show(&name_of(fact))
}

/// The same, unspelled.
pub(crate) fn name_of(fact: FactId) -> Name {
    let hash = blake3::hash(&fact.to_bytes());
    let mut value = hash.as_bytes().iter().take(8).fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let mut digits: Name = [0; ALL];
    for digit in digits.iter_mut().take(SYMBOLS) {
        *digit = u8::try_from(value % 31).unwrap_or(0);
        value /= 31;
    }
    digits[SYMBOLS] = check_of(&digits);
    digits
}

/// The check symbol that makes the weighted sum zero modulo 31. Weights differ, so every wrong symbol and every swap shows.
fn check_of(digits: &Name) -> u8 {
    let sum: u32 =
        digits.iter().take(SYMBOLS).zip((2..).map(|place: u32| 9 - place)).map(|(d, weight)| u32::from(*d) * weight).sum();
    u8::try_from((31 - sum % 31) % 31).unwrap_or(0)
}

fn show(digits: &Name) -> String {
    let symbols = digits.iter().map(|digit| ALPHABET.get(usize::from(*digit)).map_or('?', |symbol| char::from(*symbol)));
    "R-".chars().chain(symbols).collect()
}

/// A spoken id as typed or heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The check symbol is right.
    Right(Name),
    /// Something is wrong; every right one that is one slip away, ascending.
    Wrong(Vec<Name>),
}

/// Reads a spoken id: case, spaces and dashes do not matter, nor does a missing `R-`.
pub(crate) fn hear(typed: &str) -> Heard {
    let plain: Vec<char> = typed.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).take(ALL + 4).collect();
    // With its R it has eight symbols; seven may be an id without R, or one that lost a symbol. Both are tried.
    let without_r = plain.strip_prefix(&['R']);
    for candidate in [without_r, Some(plain.as_slice())].into_iter().flatten() {
        if let Some(digits) = digits_of(candidate)
            && digits[SYMBOLS] == check_of(&digits)
        {
            return Heard::Right(digits);
        }
    }
    let mut near: Vec<Name> = [without_r, Some(plain.as_slice())].into_iter().flatten().flat_map(one_slip_away).collect();
    near.sort();
    near.dedup();
    Heard::Wrong(near)
}

fn digit_of(symbol: char) -> Option<u8> {
    ALPHABET.iter().position(|own| char::from(*own) == symbol).and_then(|place| u8::try_from(place).ok())
}

fn digits_of(symbols: &[char]) -> Option<Name> {
    let digits: Vec<u8> = symbols.iter().map(|symbol| digit_of(*symbol)).collect::<Option<_>>()?;
    digits.try_into().ok()
}

/// Every right id that one wrong, missing, additional or swapped symbol makes of this.
fn one_slip_away(symbols: &[char]) -> Vec<Name> {
    let mut tries: Vec<Vec<char>> = Vec::new();
    for place in 0..=symbols.len() {
        for symbol in ALPHABET.iter().map(|symbol| char::from(*symbol)) {
            let mut changed = symbols.to_vec();
            if symbols.len() == ALL
                && let Some(at) = changed.get_mut(place)
            {
                *at = symbol;
                tries.push(changed);
            } else if symbols.len() + 1 == ALL {
                changed.insert(place, symbol);
                tries.push(changed);
            }
        }
        if place + 1 < symbols.len() {
            let mut swapped = symbols.to_vec();
            swapped.swap(place, place + 1);
            tries.push(swapped);
        }
        if place < symbols.len() {
            let mut shorter = symbols.to_vec();
            shorter.remove(place);
            tries.push(shorter);
        }
    }
    tries.iter().filter_map(|symbols| digits_of(symbols)).filter(|digits| digits[SYMBOLS] == check_of(digits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EntryId, LogId, NodeId};

    fn fact(number: u32) -> FactId {
        let log = LogId {
            author: NodeId { issuer: 1, serial: 118 },
            generation: crate::id::Generation::default(),
            incarnation: crate::id::Incarnation::default(),
        };
        FactId { entry: EntryId { log, number }, index: 0 }
    }

    #[test]
    fn every_wrong_symbol_and_every_swap_of_neighbours_is_noticed_and_mended() {
        for number in 0..40 {
            let right = spoken(fact(number));
            assert_eq!(right.len(), 9);
            let symbols: Vec<char> = right.chars().skip(2).collect();
            for place in 0..ALL {
                for symbol in ALPHABET.iter().map(|symbol| char::from(*symbol)) {
                    let mut wrong = symbols.clone();
                    wrong[place] = symbol;
                    check_wrong(&symbols, &wrong, &right);
                }
                if place + 1 < ALL {
                    let mut swapped = symbols.clone();
                    swapped.swap(place, place + 1);
                    check_wrong(&symbols, &swapped, &right);
                }
            }
        }
    }

    fn check_wrong(symbols: &[char], wrong: &[char], right: &str) {
        let typed: String = ['R', '-'].iter().chain(wrong).collect();
        match hear(&typed) {
            Heard::Right(same) => assert!(symbols == wrong && show(&same) == right, "{typed} taken for {}", show(&same)),
            Heard::Wrong(near) => assert!(near.iter().any(|name| show(name) == right), "{typed} was {right}, offered {near:?}"),
        }
    }

    #[test]
    fn case_spaces_dashes_and_a_missing_r_are_forgiven() {
        for number in 0..200 {
            let right = spoken(fact(number));
            let body = &right[2..];
            let (front, back) = body.split_at(3);
            for typed in [right.to_lowercase(), format!("r {front} {back}"), format!("R{front}-{back}"), format!(" {body} ")] {
                assert_eq!(hear(&typed), Heard::Right(name_of(fact(number))), "{typed}");
            }
        }
    }

    #[test]
    fn a_lost_or_additional_symbol_is_mended_too() {
        let right = spoken(fact(7));
        let mut lost = right.clone();
        lost.remove(4);
        assert!(matches!(hear(&lost), Heard::Wrong(near) if near.contains(&name_of(fact(7)))));
        let more = format!("{right}2");
        assert!(matches!(hear(&more), Heard::Wrong(near) if near.contains(&name_of(fact(7)))));
    }
}
