//! Readings: one value of one field, item or service, with how long before the document's stamp it was so. And their bytes.
//!
//! A payload is a list of groups; the readings of a group were made together and share what stands at its head.
//!
//! | id | in a group | absent means |
//! | --- | --- | --- |
//! | 1 | whole seconds before the document's (or entry's) wall stamp; 2^32-1 = can't be bounded | 0 |
//! | 2 | seconds it holds | the default of each field |
//! | 3 | basis | self reported |
//! | 4 | services: pairs of bytes (number, availability) | none |
//! | 5 | services not offered: one byte each | none |
//! | 6-9 | list of item codes at level plenty, low, nearly out, none | none |
//! | 10 | list of counts: {1: item code, 2: base units} | none |
//! | 11 | list of floors, as counts: what of the item is never promised | none |
//! | 16 + n | field n: unsigned integer or text | none |

use std::collections::BTreeMap;

use serde::Serialize;

use super::field::{Choice, Kind, choice, choice_of, field_of};
use super::item::{COUNT_MAX, LEVELS, STOCK_VALID_S, is_code};
use super::service::{AVAILABILITY, NOT_OFFERED, SERVICE_VALID_S};
use super::text;
use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::id::DocKind;

/// "Seconds before" that can't be bounded: the author's clock was unknown at one end.
pub const BEFORE_UNKNOWN: u32 = u32::MAX;
/// First id of fields in a group.
const FIELD_BASE: u32 = 16;
/// Groups in one payload. A board of 512 bytes can't hold more that mean anything.
const GROUPS_MAX: usize = 256;
/// Longest validity, in seconds: 30 days.
pub const VALID_S_MAX: u32 = 30 * 86_400;

/// How a reading is known. Numbers are for ever.
pub const BASES: &[Choice] = &[
    choice(0, "self_reported", "self-reported", "自行回報"),
    choice(1, "sensor", "sensor", "感測器"),
    choice(2, "inferred", "inferred", "推估"),
    choice(3, "inspected", "inspected", "現場查核"),
    choice(4, "crowd", "crowd", "民眾回報"),
    choice(5, "carried", "carried", "人員轉述"),
];

/// What a reading is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A row of the field table, known here or not.
    Field(u32),
    /// Level of an item.
    Level(String),
    /// Count of an item in base units.
    Count(String),
    /// What of an item is kept for the people of the place, in base units.
    Floor(String),
    /// Availability of a service, known here or not.
    Service(u8),
}

/// What is said of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A word's number, a scaled integer, a count, a level.
    Number(u64),
    /// Free text.
    Text(String),
    /// Of a field this version does not know: kept as it came.
    Raw(Vec<u8>),
}

/// What the readings of one group share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Seen {
    /// Whole seconds before the wall stamp of the document or entry.
    pub before_s: u32,
    /// Seconds it holds, where not the field's own.
    pub valid_s: Option<u32>,
    /// Number in [`BASES`].
    pub basis: u8,
}

/// One reading; in memory it is always in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The value.
    pub value: Value,
    /// When and how.
    pub seen: Seen,
}

/// All readings of one document or observation, one per subject.
pub type Readings = BTreeMap<Subject, Reading>;

impl Subject {
    /// `power.fuel`, `stock.water`, `stock.water.count`, `service.wifi`; numbers where this version knows no name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Field(id) => field_of(*id).map_or_else(|| format!("field.{id}"), |field| field.name.to_string()),
            Self::Level(code) => format!("stock.{code}"),
            Self::Count(code) => format!("stock.{code}.count"),
            Self::Floor(code) => format!("stock.{code}.floor"),
            Self::Service(number) => super::service::service_of(*number)
                .map_or_else(|| format!("service.{number}"), |service| format!("service.{}", service.code)),
        }
    }

    /// Seconds it holds where nothing else is said.
    #[must_use]
    pub fn valid_s(&self) -> u32 {
        match self {
            // Unknown fields: an hour, the shortest that is of use.
            Self::Field(id) => field_of(*id).map_or(3_600, |field| field.valid_s),
            Self::Level(_) | Self::Count(_) => STOCK_VALID_S,
            // A decision, not an observation: it holds until it is changed.
            Self::Floor(_) => VALID_S_MAX,
            Self::Service(_) => SERVICE_VALID_S,
        }
    }

    /// Where an author writes it. Unknown fields stay where they were found.
    #[must_use]
    pub fn document(&self) -> DocKind {
        match self {
            Self::Field(id) => field_of(*id).map_or(DocKind::Board, |field| field.document),
            Self::Count(_) | Self::Floor(_) => DocKind::Detail,
            Self::Level(_) | Self::Service(_) => DocKind::Board,
        }
    }
}

impl Reading {
    /// Seconds it holds.
    #[must_use]
    pub fn valid_s(&self, subject: &Subject) -> u32 {
        self.seen.valid_s.unwrap_or_else(|| subject.valid_s())
    }
}

/// Writes a payload. Equal readings give equal bytes.
#[must_use]
pub fn encode(readings: &Readings) -> Vec<u8> {
    let mut groups: BTreeMap<Seen, Vec<(&Subject, &Value)>> = BTreeMap::new();
    for (subject, reading) in readings {
        let mut seen = reading.seen;
        // One reading, one spelling: the default validity is never written.
        seen.valid_s = seen.valid_s.filter(|valid_s| *valid_s != subject.valid_s());
        groups.entry(seen).or_default().push((subject, &reading.value));
    }
    groups_to_bytes(&groups)
}

fn groups_to_bytes(groups: &BTreeMap<Seen, Vec<(&Subject, &Value)>>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.list(1, groups.iter().map(|(seen, readings)| encode_group(*seen, readings)));
    writer.finish()
}

fn encode_group(seen: Seen, readings: &[(&Subject, &Value)]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.maybe_uint(1, (seen.before_s != 0).then_some(u64::from(seen.before_s)));
    writer.maybe_uint(2, seen.valid_s.map(u64::from));
    writer.maybe_uint(3, (seen.basis != 0).then_some(u64::from(seen.basis)));
    let (mut services, mut not_offered, mut counts, mut floors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut levels: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (subject, value) in readings {
        match (subject, value) {
            (Subject::Service(number), Value::Number(NOT_OFFERED)) => not_offered.push(*number),
            (Subject::Service(number), Value::Number(availability)) => {
                services.extend([*number, u8::try_from(*availability).unwrap_or(u8::MAX)]);
            }
            (Subject::Level(code), Value::Number(level)) => levels.entry(*level).or_default().push(code),
            (Subject::Count(code), Value::Number(count)) => counts.push(count_to_bytes(code, *count)),
            (Subject::Floor(code), Value::Number(kept)) => floors.push(count_to_bytes(code, *kept)),
            // Only fields hold text or raw bytes, and those are written below.
            (Subject::Field(_) | Subject::Service(_) | Subject::Level(_) | Subject::Count(_) | Subject::Floor(_), _) => {}
        }
    }
    if !services.is_empty() {
        writer.bytes(4, &services);
    }
    if !not_offered.is_empty() {
        writer.bytes(5, &not_offered);
    }
    for (level, codes) in &levels {
        writer.list(6 + u32::try_from(*level).unwrap_or(3).min(3), codes);
    }
    writer.list(10, &counts);
    writer.list(11, &floors);
    for (subject, value) in readings {
        if let Subject::Field(id) = subject {
            let id = FIELD_BASE.saturating_add(*id);
            match value {
                Value::Number(number) => writer.uint(id, *number),
                Value::Text(text) => writer.text(id, text),
                Value::Raw(bytes) => writer.bytes(id, bytes),
            };
        }
    }
    writer.finish()
}

fn count_to_bytes(code: &str, count: u64) -> Vec<u8> {
    let mut item = Writer::new();
    item.text(1, code).uint(2, count);
    item.finish()
}

/// Reads a payload. What is malformed is left out and makes nothing else unreadable (rule 1); of two readings of one subject
/// the first counts.
#[must_use]
pub fn decode(payload: &[u8]) -> Readings {
    let mut readings = Readings::new();
    let Ok(groups) = Fields::parse(payload).and_then(|fields| fields.list(1)) else { return readings };
    for group in groups.into_iter().take(GROUPS_MAX) {
        let Ok(fields) = Fields::parse(group) else { continue };
        let Ok(seen) = seen_of(&fields) else { continue };
        decode_group(&fields, seen, &mut readings);
    }
    readings
}

/// True where the outer layout is right: what a fact's readings must be, not to be inert.
pub(crate) fn is_laid_out(payload: &[u8]) -> bool {
    Fields::parse(payload).and_then(|fields| fields.list(1)).is_ok()
}

fn seen_of(fields: &Fields<'_>) -> Result<Seen, Malformed> {
    let before_s = u32::try_from(fields.maybe_uint(1)?.unwrap_or(0)).map_err(|_| Malformed)?;
    let valid_s = fields.maybe_uint(2)?.map(u32::try_from).transpose().map_err(|_| Malformed)?;
    let basis = basis_of(fields.maybe_uint(3)?)?;
    if valid_s.is_some_and(|valid_s| valid_s == 0 || valid_s > VALID_S_MAX) {
        return Err(Malformed);
    }
    Ok(Seen { before_s, valid_s, basis })
}

/// A basis from the wire; one that a later version knows is kept as its number.
pub(crate) fn basis_of(value: Option<u64>) -> Result<u8, Malformed> {
    u8::try_from(value.unwrap_or(0)).map_err(|_| Malformed)
}

/// The word for a basis.
pub(crate) fn basis_word(basis: u8) -> String {
    choice_of(BASES, u64::from(basis)).map_or_else(|| format!("basis_{basis}"), |word| word.code.to_string())
}

fn decode_group(fields: &Fields<'_>, seen: Seen, out: &mut Readings) {
    let mut put = |subject: Subject, value: Value| {
        let mut seen = seen;
        seen.valid_s = seen.valid_s.filter(|valid_s| *valid_s != subject.valid_s());
        out.entry(subject).or_insert(Reading { value, seen });
    };
    for pair in fields.get(4).unwrap_or_default().chunks_exact(2) {
        if let [number, availability] = *pair
            && choice_of(AVAILABILITY, u64::from(availability)).is_some()
        {
            put(Subject::Service(number), Value::Number(u64::from(availability)));
        }
    }
    for number in fields.get(5).unwrap_or_default() {
        put(Subject::Service(*number), Value::Number(NOT_OFFERED));
    }
    for level in LEVELS {
        for code in fields.list(6 + level.number).unwrap_or_default() {
            if let Some(code) = code_of(code) {
                put(Subject::Level(code), Value::Number(u64::from(level.number)));
            }
        }
    }
    for item in fields.list(10).unwrap_or_default() {
        if let Some((code, count)) = count_of(item) {
            put(Subject::Count(code), Value::Number(count));
        }
    }
    for item in fields.list(11).unwrap_or_default() {
        if let Some((code, kept)) = count_of(item) {
            put(Subject::Floor(code), Value::Number(kept));
        }
    }
    for (id, bytes) in fields.iter() {
        if let Some(id) = id.checked_sub(FIELD_BASE)
            && let Some(value) = field_value(id, bytes)
        {
            put(Subject::Field(id), value);
        }
    }
}

fn code_of(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().filter(|code| is_code(code)).map(str::to_string)
}

fn count_of(item: &[u8]) -> Option<(String, u64)> {
    let fields = Fields::parse(item).ok()?;
    let count = fields.uint(2).ok().filter(|count| *count <= COUNT_MAX)?;
    Some((code_of(fields.bytes(1).ok()?)?, count))
}

/// The value of a field, `None` where it does not fit its row. A field without a row is kept as bytes.
fn field_value(id: u32, bytes: &[u8]) -> Option<Value> {
    let Some(field) = field_of(id) else { return Some(Value::Raw(bytes.to_vec())) };
    let number =
        || (bytes.len() <= 8 && bytes.first() != Some(&0)).then(|| bytes.iter().fold(0, |n, b| (n << 8) | u64::from(*b)));
    match field.value {
        Kind::Choice { words } => number().filter(|number| choice_of(words, *number).is_some()).map(Value::Number),
        Kind::Integer { max, .. } => number().filter(|number| *number <= max).map(Value::Number),
        Kind::Text { bytes_max } => std::str::from_utf8(bytes)
            .ok()
            .filter(|said| text::is_clean(said, bytes_max))
            .map(|said| Value::Text(said.to_string())),
    }
}
