//! Where stations stand: distances in metres and attenuation in tenths of a decibel, by integers, and who stands within a range
//! without looking at everybody.

use std::collections::BTreeMap;

/// Along a great circle of the mean radius, 6,371 km.
const MICROMETRES_PER_MICRODEGREE: u64 = 111_195;
/// All the way round.
const FULL_CIRCLE: i64 = 360_000_000;
/// Cosine of whole degrees in millionths.
#[rustfmt::skip]
const COSINE: [u64; 91] = [
    1000000, 999848, 999391, 998630, 997564, 996195, 994522, 992546, 990268, 987688, 984808, 981627, 978148, 974370, 970296, 965926,
    961262, 956305, 951057, 945519, 939693, 933580, 927184, 920505, 913545, 906308, 898794, 891007, 882948, 874620, 866025, 857167,
    848048, 838671, 829038, 819152, 809017, 798636, 788011, 777146, 766044, 754710, 743145, 731354, 719340, 707107, 694658, 681998,
    669131, 656059, 642788, 629320, 615661, 601815, 587785, 573576, 559193, 544639, 529919, 515038, 500000, 484810, 469472, 453990,
    438371, 422618, 406737, 390731, 374607, 358368, 342020, 325568, 309017, 292372, 275637, 258819, 241922, 224951, 207912, 190809,
    173648, 156434, 139173, 121869, 104528, 87156, 69756, 52336, 34899, 17452, 0,
];
/// Binary logarithm of 1 + n/16 in 65,536ths.
const LOG2: [u64; 17] =
    [0, 5732, 11136, 16248, 21098, 25711, 30109, 34312, 38336, 42196, 45904, 49472, 52911, 56229, 59434, 62534, 65536];
/// Tenths of a decibel per hundred doublings of distance: exponent 3.5, between free space (2) and flat earth with low antennas (4).
const TENTHS_PER_100_DOUBLINGS: u64 = 10_536;

/// A place on earth, in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// North.
    pub lat: i32,
    /// East.
    pub lon: i32,
}

impl Place {
    /// Metres to another place; equirectangular, right to one in a thousand within 300 km below 60 degrees of latitude.
    #[must_use]
    pub fn metres(self, other: Self) -> u32 {
        let middle = (i64::from(self.lat) + i64::from(other.lat)) / 2;
        let north = u64::from(self.lat.abs_diff(other.lat)) * MICROMETRES_PER_MICRODEGREE / 100_000;
        let around = u64::from(self.lon.abs_diff(other.lon)) % FULL_CIRCLE.unsigned_abs();
        let around = around.min(FULL_CIRCLE.unsigned_abs() - around);
        let east = around * MICROMETRES_PER_MICRODEGREE / 100_000 * cosine(middle) / 1_000_000;
        // Decimetres: their squares fit for any two places.
        u32::try_from(((north * north + east * east).isqrt() + 5) / 10).unwrap_or(u32::MAX)
    }
}

/// In millionths.
fn cosine(microdegrees: i64) -> u64 {
    let angle = microdegrees.unsigned_abs().min(90_000_000);
    let whole = usize::try_from(angle / 1_000_000).unwrap_or(90);
    let next = COSINE[(whole + 1).min(90)];
    COSINE[whole] - (COSINE[whole] - next) * (angle % 1_000_000) / 1_000_000
}

/// What so many metres take from a signal, in tenths of a decibel against its strength at one metre.
#[must_use]
pub fn attenuation(metres: u32) -> u32 {
    let metres = u64::from(metres.max(1));
    let doublings = metres.ilog2();
    let rest = ((metres << 16) >> doublings) - (1 << 16);
    let place = usize::try_from(rest >> 12).unwrap_or(0);
    let between = ((LOG2[place + 1] - LOG2[place]) * (rest & 0xfff)) >> 12;
    let log = (u64::from(doublings) << 16) + LOG2[place] + between;
    u32::try_from((log * TENTHS_PER_100_DOUBLINGS / 100) >> 16).unwrap_or(u32::MAX)
}

/// Places in rows as high as the range, each row sorted from west to east.
#[derive(Clone, Debug)]
pub struct Field {
    range_m: u32,
    row: i32,
    rows: BTreeMap<i32, Vec<(i32, usize)>>,
    places: Vec<Place>,
}

impl Field {
    /// These places, looked through by this range.
    #[must_use]
    pub fn new(range_m: u32, places: Vec<Place>) -> Self {
        let row = u64::from(range_m) * 1_000_000 / MICROMETRES_PER_MICRODEGREE + 10;
        let row = i32::try_from(row).unwrap_or(i32::MAX);
        let mut rows: BTreeMap<i32, Vec<(i32, usize)>> = BTreeMap::new();
        for (number, place) in places.iter().enumerate() {
            rows.entry(place.lat.div_euclid(row)).or_default().push((place.lon, number));
        }
        rows.values_mut().for_each(|row| row.sort_unstable());
        Self { range_m, row, rows, places }
    }

    /// Numbers of the places within the range of this one and how far they are, itself included if it is one of them.
    #[must_use]
    pub fn within(&self, center: Place) -> Vec<(usize, u32)> {
        let span = self.span(center);
        let middle = center.lat.div_euclid(self.row);
        let mut found = Vec::new();
        for (_, row) in self.rows.range(middle - 1..=middle + 1) {
            for turn in [-FULL_CIRCLE, 0, FULL_CIRCLE] {
                let west = i64::from(center.lon) + turn - span;
                let first = row.partition_point(|(lon, _)| i64::from(*lon) < west);
                let near = row[first..].iter().take_while(|(lon, _)| i64::from(*lon) <= west + 2 * span);
                let near = near.map(|(_, number)| (*number, self.places[*number].metres(center)));
                found.extend(near.filter(|(_, metres)| *metres <= self.range_m));
            }
        }
        found
    }

    /// How far the range reaches east and west at most, in millionths of a degree; less than half the way round.
    fn span(&self, center: Place) -> i64 {
        let highest = center.lat.unsigned_abs().saturating_add(self.row.unsigned_abs());
        let width = MICROMETRES_PER_MICRODEGREE * cosine(i64::from(highest)) / 1_000_000;
        let half = FULL_CIRCLE / 2 - 1;
        let span = ((u64::from(self.range_m) + 1) * 1_000_000).checked_div(width).and_then(|span| i64::try_from(span).ok());
        span.map_or(half, |span| (span + 20).min(half))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TAIPEI: Place = Place { lat: 25_047_800, lon: 121_517_000 };

    #[test]
    fn distances_are_those_of_the_map() {
        // Great-circle distances of a sphere of 6,371 km.
        for (lat, lon, metres) in [
            (22_639_600, 120_302_100, 294_900), // Kaohsiung
            (26_160_200, 119_951_600, 199_700), // Matsu
            (25_047_800, 121_527_000, 1_007),
            (25_047_800, 121_517_000, 0),
        ] {
            let got = TAIPEI.metres(Place { lat, lon });
            assert!(got.abs_diff(metres) * 500 <= metres, "{got} m, the map says {metres} m");
        }
        let east = Place { lat: 10, lon: 179_999_000 };
        assert_eq!(east.metres(Place { lat: 10, lon: -179_999_000 }), 222);
    }

    #[test]
    fn a_signal_loses_with_distance_what_the_exponent_says() {
        for (metres, tenths) in [(0, 0), (1, 0), (2, 105), (10, 350), (1_000, 1_050), (1_500, 1_112), (20_000, 1_505)] {
            assert!(attenuation(metres).abs_diff(tenths) <= 1, "{metres} m: {} tenths of a decibel", attenuation(metres));
        }
        assert!((1..200_000_u32).map(attenuation).is_sorted());
    }

    proptest! {
        #[test]
        fn the_field_finds_whom_looking_at_everybody_finds(
            range in 1..400_000_u32, base in (-89_000_000..89_000_000_i32, -180_000_000..180_000_000_i32),
            around in prop::collection::vec((-3_000_000..3_000_000_i32, -9_000_000..9_000_000_i32), 1..60)
        ) {
            let wrap = |lon: i64| i32::try_from((lon + 540_000_000).rem_euclid(FULL_CIRCLE) - 180_000_000).unwrap();
            let places: Vec<Place> = around
                .iter()
                .map(|(north, east)| Place { lat: (base.0 + north).clamp(-90_000_000, 90_000_000), lon: wrap(i64::from(base.1) + i64::from(*east)) })
                .collect();
            let field = Field::new(range, places.clone());
            for center in &places {
                let mut found = field.within(*center);
                found.sort_unstable();
                let all = places.iter().map(|place| place.metres(*center)).enumerate();
                let near: Vec<(usize, u32)> = all.filter(|(_, metres)| *metres <= range).collect();
                prop_assert_eq!(found, near);
            }
        }
    }
}
