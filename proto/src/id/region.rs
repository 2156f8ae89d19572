//! Taiwan's 22 counties and cities in the official order. A region is a place in this table; the table only ever grows at its end.

use serde::{Deserialize, Serialize};

/// ISO 3166-2:TW code without `TW-`, English name, name in Traditional Chinese. Order: Ministry of the Interior.
const TABLE: [(&str, &str, &str); 22] = [
    ("NWT", "New Taipei", "新北市"),
    ("TPE", "Taipei", "臺北市"),
    ("TAO", "Taoyuan", "桃園市"),
    ("TXG", "Taichung", "臺中市"),
    ("TNN", "Tainan", "臺南市"),
    ("KHH", "Kaohsiung", "高雄市"),
    ("ILA", "Yilan", "宜蘭縣"),
    ("HSQ", "Hsinchu County", "新竹縣"),
    ("MIA", "Miaoli", "苗栗縣"),
    ("CHA", "Changhua", "彰化縣"),
    ("NAN", "Nantou", "南投縣"),
    ("YUN", "Yunlin", "雲林縣"),
    ("CYQ", "Chiayi County", "嘉義縣"),
    ("PIF", "Pingtung", "屏東縣"),
    ("TTT", "Taitung", "臺東縣"),
    ("HUA", "Hualien", "花蓮縣"),
    ("PEN", "Penghu", "澎湖縣"),
    ("KEE", "Keelung", "基隆市"),
    ("HSZ", "Hsinchu City", "新竹市"),
    ("CYI", "Chiayi City", "嘉義市"),
    ("KIN", "Kinmen", "金門縣"),
    ("LIE", "Lienchiang", "連江縣"),
];

/// One county or city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Region(u8);

impl Region {
    /// The region at a place in the table, from 0; `None` past its end.
    #[must_use]
    pub fn new(index: u8) -> Option<Self> {
        (usize::from(index) < TABLE.len()).then_some(Self(index))
    }

    /// The region of an ISO 3166-2:TW code such as `TPE`, capital letters.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|region| region.code() == code)
    }

    /// All regions, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(Self::new)
    }

    /// Place in the table.
    #[must_use]
    pub fn index(self) -> u8 {
        self.0
    }

    /// ISO 3166-2:TW code without `TW-`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// English name.
    #[must_use]
    pub fn en(self) -> &'static str {
        self.row().1
    }

    /// Name in Traditional Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        TABLE.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

/// A set of regions: bit `n` is the region at place `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Regions(pub u32);

impl Regions {
    /// The whole island and its islands.
    pub const ALL: Self = Self((1 << TABLE.len()) - 1);

    /// Whether a region is in the set.
    #[must_use]
    pub fn contains(self, region: Region) -> bool {
        self.0 & (1 << region.0) != 0
    }

    /// The regions in the set that this version knows, in order.
    pub fn iter(self) -> impl Iterator<Item = Region> {
        Region::all().filter(move |region| self.contains(*region))
    }
}

impl FromIterator<Region> for Regions {
    fn from_iter<I: IntoIterator<Item = Region>>(regions: I) -> Self {
        Self(regions.into_iter().fold(0, |mask, region| mask | (1 << region.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_two_regions_each_with_a_code_of_its_own() {
        let codes: std::collections::BTreeSet<_> = Region::all().map(Region::code).collect();
        assert_eq!(codes.len(), 22);
        assert_eq!(Region::from_code("LIE").map(Region::index), Some(21));
        assert_eq!(Region::new(22), None);
        assert_eq!(Region::all().collect::<Regions>(), Regions::ALL);
        assert_eq!(Regions::ALL.iter().count(), 22);
    }
}
