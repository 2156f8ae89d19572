//! What of a node is public, picked from everything this node knows of it, and how fresh each word of it is.
//!
//! A list of what is shown, not of what is left out: counts, notes for colleagues, who saw what, people, addresses and links never
//! come near the board. Texts are stripped once more of what could turn a line around, whoever signed them.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_proto::control::{NodeView, ReadingView, StatusView};
use holdfast_proto::domain::field::{Choice, Kind, OPERATING_STATUS, field_named, field_of};
use holdfast_proto::domain::item::LEVELS;
use holdfast_proto::domain::service::{AVAILABILITY, SERVICES, service_of};
use holdfast_proto::domain::{Item, fold, plain};
use holdfast_proto::id::Region;
use jiff::Zoned;

use super::lang::Lang;

/// Readings of a site that anybody may see, beside its operating status, its levels of stock and its services.
const FIELDS: [&str; 6] =
    ["message.public", "access.status", "capacity.state", "power.source", "network.internet", "network.mobile"];
/// The one line in a site's own words: how to get what is there.
pub(super) const NOTICE: &str = "message.public";
/// Above this age a word "may be out of date". people.md 4.6.
const AGING_AFTER_S: u64 = 3_600;
/// Above this age nobody should set out for it: unknown, even where its author thought it would hold longer. people.md 4.6.
const UNKNOWN_AFTER_S: u64 = 4 * 3_600;
/// Longest code of an item of another catalogue, shown as it is.
const CODE_BYTES_MAX: usize = 24;

/// How far a word can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Freshness {
    /// It holds.
    Fresh,
    /// It may be out of date.
    Aging,
    /// Too old, or nobody knows how old: unknown.
    Unknown,
}

impl Freshness {
    /// As programs read it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Aging => "may_be_out_of_date",
            Self::Unknown => "unknown",
        }
    }
}

/// What a line is of. In the order of a card.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A row of the field table.
    Field(u32),
    /// An item, by its place in the catalogue.
    Item(u16),
    /// An item of another catalogue, by its code.
    Other(Box<str>),
    /// A service.
    Service(u8),
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// One of a list of words.
    Word(&'static Choice),
    /// The site's own words.
    Text(Box<str>),
}

/// A word and how old it was when the picture was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) value: Value,
    age_s: Option<u64>,
    valid_s: u64,
    stale: bool,
}

impl Said {
    fn of(reading: &ReadingView, value: Value) -> Self {
        Self { value, age_s: reading.age_s, valid_s: reading.valid_s, stale: reading.stale }
    }

    /// Its age so many seconds after the picture.
    pub(super) fn age_s(&self, since_s: u64) -> Option<u64> {
        self.age_s.map(|age| age.saturating_add(since_s))
    }

    /// When it ends, where it was said at `at` and holds for less than it would be fresh for.
    pub(super) fn holds_until(&self, at: &Zoned) -> Option<Zoned> {
        let valid_s = i64::try_from(self.valid_s).ok().filter(|_| self.valid_s < AGING_AFTER_S)?;
        at.checked_add(jiff::SignedDuration::from_secs(valid_s)).ok()
    }

    /// How fresh it is so many seconds after the picture. Never fresher than the node itself holds it for.
    pub(super) fn freshness(&self, since_s: u64) -> Freshness {
        match self.age_s(since_s) {
            None => Freshness::Unknown,
            Some(age) if self.stale || age > self.valid_s || age > UNKNOWN_AFTER_S => Freshness::Unknown,
            Some(age) if age > AGING_AFTER_S => Freshness::Aging,
            Some(_) => Freshness::Fresh,
        }
    }

    /// The code of its word, where it is one.
    pub(super) fn code(&self) -> &str {
        match &self.value {
            Value::Word(word) => word.code,
            Value::Text(_) => "",
        }
    }

    /// What it says, for people.
    pub(super) fn words(&self, lang: Lang) -> &str {
        match &self.value {
            Value::Word(word) => lang.of(word.en, word.zh),
            Value::Text(text) => text,
        }
    }
}

/// One thing a site says of itself.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) key: Key,
    pub(super) said: Said,
}

/// One site as anybody may see it.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// `1-118`.
    pub(super) id: String,
    /// From its certificate.
    pub(super) name: String,
    pub(super) region: Option<Region>,
    /// Where goods are gathered and handed on.
    pub(super) is_hub: bool,
    /// The one at whose door this board stands.
    pub(super) is_own: bool,
    /// Absent: it never said, or what it said counts no more.
    pub(super) status: Option<Said>,
    /// In the order of a card.
    pub(super) lines: Vec<Line>,
    found_by: String,
}

impl Site {
    /// The word that counts so many seconds after the picture.
    pub(super) fn operating(&self, since_s: u64) -> &str {
        self.status.as_ref().filter(|said| said.freshness(since_s) != Freshness::Unknown).map_or("unknown", Said::code)
    }

    /// Open now, wholly or in part, as far as anybody knows, and nobody is kept out.
    pub(super) fn is_open(&self, since_s: u64) -> bool {
        let shut = self.lines.iter().any(|line| {
            let kept_out = matches!(line.said.code(), "lockdown" | "quarantine");
            kept_out && line.said.freshness(since_s) != Freshness::Unknown
        });
        matches!(self.operating(since_s), "open" | "limited") && !shut
    }

    /// Whether a search finds it; `wanted` is folded.
    pub(super) fn is_found_by(&self, wanted: &str) -> bool {
        self.found_by.contains(wanted)
    }
}

/// The names of everything a line can be of.
#[derive(Clone, Debug)]
pub(super) struct Names {
    items: Arc<[Item]>,
    places: BTreeMap<String, u16>,
}

impl Names {
    pub(super) fn new(items: Vec<Item>) -> Self {
        let places = items.iter().zip(0..).map(|(item, place)| (item.code.clone(), place)).collect();
        Self { items: items.into(), places }
    }

    /// `stock.water`, `service.wifi`, `power.source`.
    pub(super) fn code(&self, key: &Key) -> String {
        match key {
            Key::Field(id) => field_of(*id).map_or_else(String::new, |field| field.name.to_owned()),
            Key::Item(place) => format!("stock.{}", self.item(*place).map_or("", |item| &item.code)),
            Key::Other(code) => format!("stock.{code}"),
            Key::Service(number) => format!("service.{}", service_of(*number).map_or("", |service| service.code)),
        }
    }

    /// For people.
    pub(super) fn label<'a>(&'a self, key: &'a Key, lang: Lang) -> &'a str {
        match key {
            Key::Field(id) => field_of(*id).map_or("", |field| lang.of(field.en, field.zh)),
            Key::Item(place) => self.item(*place).map_or("", |item| lang.of(&item.en, &item.zh)),
            Key::Other(code) => code,
            Key::Service(number) => service_of(*number).map_or("", |service| lang.of(service.en, service.zh)),
        }
    }

    fn item(&self, place: u16) -> Option<&Item> {
        self.items.get(usize::from(place))
    }

    /// What a reading of this name is on a board; nothing if it is not public.
    fn key(&self, name: &str) -> Option<Key> {
        if FIELDS.contains(&name) {
            return field_named(name).map(|field| Key::Field(field.id));
        }
        if let Some(code) = name.strip_prefix("service.") {
            return SERVICES.iter().find(|service| service.code == code).map(|service| Key::Service(service.number));
        }
        // `stock.water.count` and its like are counts.
        let code = name.strip_prefix("stock.").filter(|code| !code.contains('.'))?;
        let spelled = code.len() <= CODE_BYTES_MAX && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match self.places.get(code) {
            Some(place) => Some(Key::Item(*place)),
            None => spelled.then(|| Key::Other(code.into())),
        }
    }

    /// Everything public that answers to what was typed, in either language. Two things may have one name: then both are meant.
    pub(super) fn meant(&self, typed: &str) -> Vec<Key> {
        let typed = fold(typed);
        let fields = FIELDS.iter().filter_map(|name| field_named(name)).map(|field| Key::Field(field.id));
        let items = (0..).zip(self.items.iter()).map(|(place, _)| Key::Item(place));
        let services = SERVICES.iter().map(|service| Key::Service(service.number));
        let answers = |key: &Key| {
            let code = self.code(key);
            let bare = code.split_once('.').map_or("", |(_, bare)| bare);
            let own = [&*code, bare, self.label(key, Lang::En), self.label(key, Lang::Zh)];
            own.iter().any(|own| fold(own) == typed)
        };
        fields.chain(items).chain(services).filter(answers).collect()
    }

    /// The public site of each node that the public may go to, this node's first, then its county's, then the others'.
    pub(super) fn sites(&self, view: StatusView) -> Vec<Site> {
        let own = view.node.id;
        let mut sites: Vec<Site> = view
            .nodes
            .into_iter()
            .filter(|node| matches!(node.role.as_str(), "store" | "hub"))
            .map(|node| {
                let is_own = node.id == own;
                self.site(node, is_own)
            })
            .collect();
        let home = sites.iter().find(|site| site.is_own).and_then(|site| site.region);
        // Stable: within a county they stay in the order of their ids.
        sites.sort_by_key(|site| (!site.is_own, site.region != home, site.region.map_or(u8::MAX, Region::index)));
        sites
    }

    fn site(&self, node: NodeView, is_own: bool) -> Site {
        let mut lines = Vec::new();
        for (name, reading) in &node.readings {
            if let Some(key) = self.key(name).filter(|_| !reading.derived)
                && let Some(value) = value(&key, reading)
            {
                lines.push(Line { key, said: Said::of(reading, value) });
            }
        }
        lines.sort_by(|one, other| one.key.cmp(&other.key));
        let operating = node.readings.get("operating.status");
        // Revoked, or two stories: what stands there is nobody's word.
        let is_void = matches!(node.unknown_because.as_deref(), Some("revoked" | "two_stories"));
        let status = operating
            .filter(|_| !is_void)
            .and_then(|reading| Some(Said::of(reading, value(&Key::Field(OPERATING_STATUS), reading)?)))
            .filter(|said| said.code() != "unknown");
        if is_void {
            lines.clear();
        }
        let name = Some(plain(&node.name)).filter(|name| !name.is_empty()).unwrap_or_else(|| node.id.clone());
        let region = Region::from_code(&node.region);
        let county = region.map_or_else(String::new, |region| format!("{} {}", region.zh(), region.en()));
        let found_by = fold(&format!("{name} {} {county}", node.id));
        Site { id: node.id, name, region, is_hub: node.role == "hub", is_own, status, lines, found_by }
    }
}

/// What a reading says, if it is one of the words or texts that such a thing can have.
fn value(key: &Key, reading: &ReadingView) -> Option<Value> {
    let said = reading.value.as_str()?;
    let words = match key {
        Key::Item(_) | Key::Other(_) => LEVELS,
        Key::Service(_) => AVAILABILITY,
        Key::Field(id) => match field_of(*id)?.value {
            Kind::Choice { words } => words,
            Kind::Text { .. } => return Some(plain(said)).filter(|text| !text.is_empty()).map(|text| Value::Text(text.into())),
            Kind::Integer { .. } => return None,
        },
    };
    words.iter().find(|word| word.code == said).map(Value::Word)
}
