//! Text from people: what may stand in a signed word, how names are compared, and which known name was probably meant.

/// Why a text may not stand in a signed word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadText {
    /// More bytes of UTF-8 than allowed.
    TooLong,
    /// Control characters, invisible or direction-changing ones: they make a line read as what it is not.
    Invisible,
}

/// Trims and checks a text of at most `bytes_max` bytes.
pub(crate) fn clean(text: &str, bytes_max: usize) -> Result<&str, BadText> {
    let text = text.trim();
    if text.len() > bytes_max {
        return Err(BadText::TooLong);
    }
    if text.chars().any(is_invisible) {
        return Err(BadText::Invisible);
    }
    Ok(text)
}

/// Text received: the same rule, and already trimmed.
pub(crate) fn is_clean(text: &str, bytes_max: usize) -> bool {
    clean(text, bytes_max) == Ok(text)
}

/// Programs that open spreadsheets take a cell that begins so for something to carry out.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|'];

/// Text for a cell that no spreadsheet takes for a formula.
#[must_use]
pub fn no_formula(text: &str) -> String {
    if text.trim_start().starts_with(FORMULA) || text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// The text without what may not stand in a signed word: for text that comes from elsewhere, such as a certificate.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect::<String>().trim().to_owned()
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Folds case, spaces, dashes and 臺/台, so that "Hot water", "hot-water" and "hot_water" are one name.
#[must_use]
pub fn fold(name: &str) -> String {
    name.trim()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            ' ' | '-' | '\u{3000}' => '_',
            '臺' => '台',
            other => other,
        })
        .collect()
}

/// Up to three of `known` nearest to `typed` by edit distance over any of their names, nearest first, ties in table order.
pub fn nearest<'a, T, N>(typed: &str, known: impl IntoIterator<Item = (T, N)>) -> Vec<T>
where
    N: IntoIterator<Item = &'a str>,
{
    let typed: Vec<char> = fold(typed).chars().take(NAME_CHARS_MAX).collect();
    let mut ranked: Vec<(usize, usize, T)> = known
        .into_iter()
        .enumerate()
        .map(|(place, (item, names))| {
            let best = names.into_iter().map(|name| distance(&typed, &fold(name).chars().collect::<Vec<_>>())).min();
            (best.unwrap_or(usize::MAX), place, item)
        })
        .collect();
    ranked.sort_by_key(|(distance, place, _)| (*distance, *place));
    ranked.into_iter().take(3).map(|(_, _, item)| item).collect()
}

/// Longer names than this are compared by their beginning: the distance costs length times length.
const NAME_CHARS_MAX: usize = 64;

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. A name that contains what was typed costs one.
fn distance(a: &[char], b: &[char]) -> usize {
    if !a.is_empty() && b.len() > a.len() && b.windows(a.len()).any(|part| part == a) {
        return 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let swap = if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                before.get(j - 1).map_or(usize::MAX, |cost| cost + 1)
            } else {
                usize::MAX
            };
            let change = last.get(j).map_or(usize::MAX, |cost| cost + usize::from(x != y));
            let add = row.get(j).map_or(usize::MAX, |cost| cost + 1);
            let drop = last.get(j + 1).map_or(usize::MAX, |cost| cost + 1);
            row.push(swap.min(change).min(add).min(drop));
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_a_formula() {
        for bad in ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "＝1", "\r\n=1", "|x"] {
            assert!(no_formula(bad).starts_with('\''), "{bad:?}");
        }
        assert_eq!(no_formula("每人限領 2 瓶"), "每人限領 2 瓶");
    }

    #[test]
    fn what_turns_a_line_around_may_not_be_signed() {
        for bad in ["a\u{202e}b", "a\u{2066}b", "a\nb", "a\u{0}b", "a\u{200f}b", "a\u{7f}b"] {
            assert_eq!(clean(bad, 64), Err(BadText::Invisible), "{bad:?}");
        }
        assert_eq!(clean("  電池 AA  ", 64), Ok("電池 AA"));
        assert_eq!(clean("水水", 5), Err(BadText::TooLong));
        assert_eq!(plain(" a\u{202e}b\n\u{7f} "), "ab");
    }

    #[test]
    fn a_slip_of_the_finger_finds_what_was_meant() {
        let known = [("water", ["water"]), ("wipes", ["wipes"]), ("rice", ["rice"]), ("batteries", ["batteries"])];
        assert_eq!(nearest("watre", known).first(), Some(&"water"));
        assert_eq!(nearest("ricee", known).first(), Some(&"rice"));
        assert_eq!(nearest("batter", known).first(), Some(&"batteries"));
    }
}
