//! Stock items: the catalogue as configured, and levels. Not stock itself: that is a [`super::reading::Reading`].

use serde::{Deserialize, Serialize};

use super::field::{Choice, choice};
use super::text;
use super::unit::unit_of;

/// The catalogue in `configs/items.toml`, for programs that are given no other. The caller parses it.
pub const BUILT_IN: &str = include_str!("../../../configs/items.toml");

/// How much is left. Numbers are for ever.
pub const LEVELS: &[Choice] = &[
    choice(0, "plenty", "plenty", "充足"),
    choice(1, "low", "low", "偏少"),
    choice(2, "nearly_out", "nearly out", "快沒了"),
    choice(3, "none", "none", "沒有"),
];
/// Number of "plenty".
pub const PLENTY: u64 = 0;
/// Number of "low".
pub const LOW: u64 = 1;
/// Number of "nearly out".
pub const NEARLY_OUT: u64 = 2;
/// Number of "none".
pub const NONE: u64 = 3;

/// Largest count of one item, in base units: far above what a logistics hub holds, so beyond it is a slip of the finger.
pub const COUNT_MAX: u64 = 10_000_000;
/// Largest item code in bytes.
pub const CODE_BYTES_MAX: usize = 24;
/// Counts and levels hold so long by default, in seconds. Guess: a shop sells on.
pub const STOCK_VALID_S: u32 = 6 * 3_600;
/// Below so many base units an item is low, where the catalogue says nothing. Guess.
const LOW_BELOW: u64 = 50;
/// Below so many base units an item is nearly out, where the catalogue says nothing. Guess.
const NEARLY_OUT_BELOW: u64 = 10;
/// Items one catalogue may hold: a crisis catalogue has 30-60 kinds (domain.md 5.1).
const ITEMS_MAX: usize = 1_000;

/// One kind of goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Wire name: lower case letters, digits and `_`, at most 24 bytes. For ever.
    pub code: String,
    /// English.
    pub en: String,
    /// Traditional Chinese (Taiwan).
    pub zh: String,
    /// Rec 20 code of the base unit all counts are in.
    pub unit: String,
    /// What it stands with on a form.
    pub group: String,
    /// Base units in one pack, for `water:3packs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_size: Option<u64>,
    /// Fewer base units than this is low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<u64>,
    /// Fewer base units than this is nearly out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearly_out: Option<u64>,
    /// Base units a thousand people need in a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_1000_person_days: Option<u64>,
}

impl Item {
    /// The level a count means.
    #[must_use]
    pub fn level(&self, count: u64) -> u64 {
        level_of(count, self.low.unwrap_or(LOW_BELOW), self.nearly_out.unwrap_or(NEARLY_OUT_BELOW))
    }
}

fn level_of(count: u64, low: u64, nearly_out: u64) -> u64 {
    match count {
        0 => NONE,
        count if count < nearly_out => NEARLY_OUT,
        count if count < low => LOW,
        _ => PLENTY,
    }
}

/// What is wrong with a catalogue. It is a file of this node's: nothing started, mend the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCatalogue {
    /// A code that can't be a wire name.
    #[error(
        "item code {0:?}: use 1 to {CODE_BYTES_MAX} lower case letters, digits or _, beginning with a letter; `other` is taken"
    )]
    Code(String),
    /// Two items answer to one name.
    #[error("two items answer to {0:?}: every code and name may stand once only")]
    Twice(String),
    /// Not on the allow-list.
    #[error("item {item}: unit {unit:?} is not known; use a Rec 20 code such as LTR, KGM, H87 or 13")]
    Unit {
        /// Which item.
        item: String,
        /// What stood there.
        unit: String,
    },
    /// A name that is empty, too long or holds invisible characters.
    #[error("item {0}: en, zh and group must be 1 to 64 bytes without control characters")]
    Name(String),
    /// Thresholds that contradict each other.
    #[error("item {0}: nearly_out must not be above low, and pack_size must be 1 to {COUNT_MAX}")]
    Levels(String),
    /// More than the daemon keeps.
    #[error("{0} items: at most {ITEMS_MAX} fit")]
    TooMany(usize),
}

impl BadCatalogue {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Code(code) => {
                format!("品項代碼「{code}」：請用 1 到 {CODE_BYTES_MAX} 個小寫英文字母、數字或 _，以字母開頭；不可用 `other`")
            }
            Self::Twice(name) => format!("有兩個品項都叫「{name}」：每個代碼與名稱只能出現一次"),
            Self::Unit { item, unit } => {
                format!("品項 {item}：不認得單位「{unit}」，請用 Rec 20 代碼，例如 LTR、KGM、H87 或 13")
            }
            Self::Name(item) => format!("品項 {item}：en、zh 與 group 應為 1 到 64 位元組，不含控制字元"),
            Self::Levels(item) => format!("品項 {item}：nearly_out 不可高於 low，pack_size 應為 1 到 {COUNT_MAX}"),
            Self::TooMany(items) => format!("有 {items} 個品項，最多 {ITEMS_MAX} 個"),
        }
    }
}

/// The kinds of goods this alliance counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// In the order of the form.
    #[serde(rename = "item", default)]
    pub items: Vec<Item>,
}

impl Catalogue {
    /// Checks what the parser can't: codes, names, units, thresholds.
    ///
    /// # Errors
    /// [`BadCatalogue`] names the first item that is wrong.
    pub fn check(&self) -> Result<(), BadCatalogue> {
        if self.items.len() > ITEMS_MAX {
            return Err(BadCatalogue::TooMany(self.items.len()));
        }
        let mut seen = std::collections::BTreeSet::new();
        for item in &self.items {
            if !is_code(&item.code) || item.code == "other" {
                return Err(BadCatalogue::Code(item.code.clone()));
            }
            if [&item.en, &item.zh, &item.group].iter().any(|name| name.is_empty() || !text::is_clean(name, 64)) {
                return Err(BadCatalogue::Name(item.code.clone()));
            }
            if unit_of(&item.unit).is_none() {
                return Err(BadCatalogue::Unit { item: item.code.clone(), unit: item.unit.clone() });
            }
            let low = item.low.unwrap_or(LOW_BELOW);
            let pack_fits = item.pack_size.is_none_or(|size| (1..=COUNT_MAX).contains(&size));
            if item.nearly_out.is_some_and(|nearly_out| nearly_out > low) || !pack_fits {
                return Err(BadCatalogue::Levels(item.code.clone()));
            }
            let names: std::collections::BTreeSet<String> = [&item.code, &item.en, &item.zh].map(|name| text::fold(name)).into();
            for name in names {
                if !seen.insert(name.clone()) {
                    return Err(BadCatalogue::Twice(name));
                }
            }
        }
        Ok(())
    }

    /// The item with this code.
    #[must_use]
    pub fn item(&self, code: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.code == code)
    }

    /// The item with this code, or this name in either language.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Item> {
        let folded = text::fold(name);
        self.items.iter().find(|item| [&item.code, &item.en, &item.zh].iter().any(|own| text::fold(own) == folded))
    }

    /// The three items a mistyped name probably meant.
    #[must_use]
    pub fn nearest(&self, typed: &str) -> Vec<&Item> {
        text::nearest(typed, self.items.iter().map(|item| (item, [item.code.as_str(), item.en.as_str(), item.zh.as_str()])))
    }
}

/// A wire name of an item, known here or not.
pub(crate) fn is_code(code: &str) -> bool {
    code.len() <= CODE_BYTES_MAX
        && code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::bench::built_in;
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_sound_and_has_the_official_goods() {
        let catalogue = built_in();
        assert_eq!(catalogue.check(), Ok(()));
        assert!((35..=60).contains(&catalogue.items.len()), "{}", catalogue.items.len());
        for code in ["rice", "cooking_oil", "salt", "gas", "infant_formula", "water", "blankets", "portable_toilet"] {
            assert!(catalogue.item(code).is_some(), "{code}");
        }
        assert_eq!(catalogue.named("飲用水").map(|item| item.code.as_str()), Some("water"));
    }

    #[test]
    fn a_catalogue_that_would_confuse_people_is_refused() {
        let good = built_in();
        let with = |change: fn(&mut Item)| {
            let mut bad = good.clone();
            change(&mut bad.items[1]);
            bad.check()
        };
        assert!(matches!(with(|item| item.code = "Water".into()), Err(BadCatalogue::Code(_))));
        assert!(matches!(with(|item| item.code = "other".into()), Err(BadCatalogue::Code(_))));
        assert!(matches!(with(|item| item.code = "water".into()), Err(BadCatalogue::Twice(_))));
        assert!(matches!(with(|item| item.unit = "litre".into()), Err(BadCatalogue::Unit { .. })));
        assert!(matches!(with(|item| item.zh = "\u{202e}".into()), Err(BadCatalogue::Name(_))));
        assert!(matches!(with(|item| item.nearly_out = Some(1_000_000)), Err(BadCatalogue::Levels(_))));
    }

    #[test]
    fn a_count_means_a_level() {
        let counts = [(0, NONE), (9, NEARLY_OUT), (10, LOW), (49, LOW), (50, PLENTY)];
        for (count, level) in counts {
            assert_eq!(level_of(count, LOW_BELOW, NEARLY_OUT_BELOW), level, "{count}");
        }
    }
}
