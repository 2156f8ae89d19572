//! An alliance on disk for a round: keys, certificates and configurations of daemons, and stores filled with others' words.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_daemon::store::{Options, Store, StoreEvent};
use holdfast_proto::domain::fact::{Deed, Floor, Line, LineItem, Need, ROUTINE, Request, encode_body, make_floor};
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::domain::{Catalogue, Directory, DirectoryEntry, Domain, Fact, PlanInput};
use holdfast_proto::id::{Class, DocKind, EntryId, Incarnation, LogId, NodeId};
use holdfast_proto::identity::{
    Alliance, AlliancePlan, ArmorKind, FirmPlan, IssuedNode, NodePlan, RealmKind, Region, Role, SecretKey, Signed, Tag, armor,
    found_alliance,
};
use holdfast_proto::io::{AgeMark, DocRow, EntryRow, Row};
use holdfast_proto::replica::{Document, Header, hash16};
use holdfast_proto::time::{Instant, Now, UtcMillis};

use crate::machine::{Dice, Outcome, words};

/// First ports of API, sync and gossip; a round has a network of its own, so they are always free.
const API_PORT: u16 = 10_000;
const SYNC_PORT: u16 = 11_000;
const GOSSIP_PORT: u16 = 12_000;
/// Bytes of the body of a fresh entry: what the peers in the notes were measured with.
pub(crate) const PAYLOAD_BYTES: usize = 154;
/// Rows in one write while a store is filled.
const FILL_ROWS: usize = 2_048;

/// What an alliance looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Certified nodes.
    pub(crate) authors: usize,
    /// How many of them get a folder to run in.
    pub(crate) daemons: usize,
    /// Static addresses each daemon is given: its next so many neighbours in a ring.
    pub(crate) peers: usize,
    /// Gossip beside sync.
    pub(crate) gossip: bool,
}

/// An alliance in a folder.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) alliance: Alliance,
    shape: Shape,
}

/// Makes an alliance of authorities: their window is wide, and unlike hubs they write no receipts of their own.
pub(crate) fn alliance(authors: usize, seed: u64) -> Outcome<Alliance> {
    let region = Region::from_code("TPE").ok_or("no region TPE")?;
    let node = |n: usize| NodePlan { name: format!("Bench {n}"), role: Role::Authority, region, tier: 2 };
    let firms = vec![FirmPlan { firm: "Bench".to_owned(), nodes: (0..authors).map(node).collect() }];
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let today = u32::try_from(jiff::Timestamp::now().as_second() / 86_400).unwrap_or(0);
    let plan = AlliancePlan { seed: bytes, kind: RealmKind::Simulation, roots: 1, k: 1, firms, not_before: today - 1, days: 400 };
    found_alliance(&plan).map_err(words)
}

impl World {
    /// Writes keys, certificates and configurations.
    pub(crate) fn make(dir: &Path, shape: Shape, seed: u64) -> Outcome<Self> {
        let alliance = alliance(shape.authors, seed)?;
        let kinds = [ArmorKind::Charter, ArmorKind::Issuer].into_iter().chain(std::iter::repeat(ArmorKind::Node));
        let text: String = kinds.zip(&alliance.objects).map(|(kind, bytes)| armor(kind, bytes)).collect();
        let world = Self { dir: dir.to_owned(), alliance, shape };
        for place in 0..shape.daemons {
            let folder = world.folder(place);
            std::fs::create_dir_all(&folder).map_err(words)?;
            let key = folder.join("node.key");
            std::fs::write(&key, armor(ArmorKind::NodeKey, &world.alliance.nodes[place].secret.seed())).map_err(words)?;
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&key, private).map_err(words)?;
            std::fs::write(folder.join("alliance.hf"), &text).map_err(words)?;
            std::fs::write(world.config(place), world.settings(place)).map_err(words)?;
        }
        Ok(world)
    }

    pub(crate) fn folder(&self, place: usize) -> PathBuf {
        self.dir.join(format!("n{place}"))
    }

    pub(crate) fn config(&self, place: usize) -> PathBuf {
        self.folder(place).join("node.toml")
    }

    /// Where a daemon listens for links.
    pub(crate) fn sync(place: usize) -> String {
        format!("127.0.0.1:{}", usize::from(SYNC_PORT) + place)
    }

    pub(crate) fn api(place: usize) -> String {
        format!("http://127.0.0.1:{}", usize::from(API_PORT) + place)
    }

    fn settings(&self, place: usize) -> String {
        let port = |base: u16, place: usize| usize::from(base) + place;
        let near = |base: u16| {
            let ring =
                (1..=self.shape.peers.min(self.shape.daemons.saturating_sub(1))).map(|step| (place + step) % self.shape.daemons);
            ring.map(|other| format!("\"127.0.0.1:{}\"", port(base, other))).collect::<Vec<_>>().join(", ")
        };
        let mut text =
            "[node]\ndata_dir = \"data\"\nkey_file = \"node.key\"\nalliance_file = \"alliance.hf\"\nstamp_file = \"stamp\"\n"
                .to_owned();
        let (api, sync, gossip) = (port(API_PORT, place), port(SYNC_PORT, place), port(GOSSIP_PORT, place));
        // Writing to a String can't fail.
        let _ = write!(text, "[api]\nlisten = \"127.0.0.1:{api}\"\ntoken_file = \"api.token\"\n");
        let _ = write!(
            text,
            "[sync]\nlisten = \"127.0.0.1:{sync}\"\npeers = [{}]\nadvertise = [\"127.0.0.1:{sync}\"]\n",
            near(SYNC_PORT)
        );
        let _ = write!(
            text,
            "[gossip]\nenabled = {}\nlisten = \"127.0.0.1:{gossip}\"\nmdns = false\npeers = [{}]\n[log]\nfilter = \"warn\"\n",
            self.shape.gossip,
            near(GOSSIP_PORT)
        );
        text
    }

    /// Fills a daemon's store with `entries` of the other authors and a board of each. Bytes of all rows on the wire's terms.
    pub(crate) fn fill(&self, place: usize, entries: usize) -> Outcome<()> {
        let folder = self.folder(place).join("data");
        let opened = Store::open(&folder, Options::default()).map_err(words)?;
        let stamp = holdfast_daemon::stamp::StampFile::open(&self.folder(place).join("stamp")).map_err(words)?;
        let (answers, done) = std::sync::mpsc::channel();
        let writer = opened.store.start(stamp, move |event| drop(answers.send(event))).map_err(words)?;
        let mut rows = others_words(&self.alliance, place, entries, 1)?;
        let mut token = 0;
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(FILL_ROWS));
            token += 1;
            writer.persist(token, rows, None).map_err(words)?;
            rows = rest;
            match done.recv().map_err(words)? {
                StoreEvent::Persisted { .. } => {}
                StoreEvent::PersistFailed { cause, .. } => return Err(cause),
                StoreEvent::Fetched { .. } => return Err("the store answered what was not asked".to_owned()),
            }
        }
        writer.close().map_err(words)
    }
}

/// A board of every author but `me`, and `entries` entries spread evenly over them.
pub(crate) fn others_words(alliance: &Alliance, me: usize, entries: usize, facts: usize) -> Outcome<Vec<Row>> {
    let mut dice = Dice::new(7);
    let others: Vec<&IssuedNode> = alliance.nodes.iter().enumerate().filter(|(n, _)| *n != me).map(|(_, node)| node).collect();
    let board = Bytes::from(board_payload(alliance)?);
    let mut rows = Vec::with_capacity(entries + others.len());
    for (n, node) in others.iter().enumerate() {
        let author = Author::new(node);
        let row = author.board(alliance, &board, 1)?;
        rows.push(Row::Doc { slot: 0, doc: Some(row), author: node.node, kind: DocKind::Board });
        let count = entries / others.len() + usize::from(n < entries % others.len());
        let mut author = author;
        for _ in 0..count {
            rows.push(Row::Entry(author.entry(alliance, body(&mut dice, facts))?));
        }
    }
    Ok(rows)
}

/// An author who writes a logbook in memory.
#[derive(Debug)]
pub(crate) struct Author<'a> {
    issued: &'a IssuedNode,
    log: LogId,
    number: u32,
    prev: [u8; 16],
}

impl<'a> Author<'a> {
    pub(crate) fn new(issued: &'a IssuedNode) -> Self {
        let incarnation = Incarnation { count: 1, random: 7 };
        let log = LogId { author: issued.node, generation: issued.generation, incarnation };
        Self { issued, log, number: 0, prev: [0; 16] }
    }

    fn seal(&self, alliance: &Alliance, tag: Tag, bytes: &Bytes) -> Outcome<holdfast_proto::identity::Signature> {
        let secret: &SecretKey = &self.issued.secret;
        let signed = Signed::seal(secret, &alliance.roster, self.issued.node, self.issued.generation, tag, bytes.clone());
        Ok(signed.map_err(words)?.get().signature)
    }

    /// Goes on after what `rows` hold of this author.
    pub(crate) fn follow(&mut self, rows: &[Row]) {
        let own = rows.iter().filter_map(|row| if let Row::Entry(entry) = row { Some(entry) } else { None });
        if let Some(last) = own.filter(|entry| entry.id.log == self.log).max_by_key(|entry| entry.id.number) {
            self.number = last.id.number;
            self.prev = hash16(&last.header);
        }
    }

    /// The next entry.
    pub(crate) fn entry(&mut self, alliance: &Alliance, body: Vec<u8>) -> Outcome<EntryRow> {
        self.write(alliance, body, Class::ROUTINE)
    }

    /// The next entry, which makes itself the first that counts: all before it may be forgotten, and its window is open again.
    pub(crate) fn floor(&mut self, alliance: &Alliance) -> Outcome<EntryRow> {
        let (incarnation, number, previous) = (self.log.incarnation, self.number + 1, self.prev);
        let (body, class) = make_floor(Floor { incarnation, number, previous, stay: Vec::new() });
        self.write(alliance, body, class)
    }

    fn write(&mut self, alliance: &Alliance, body: Vec<u8>, class: Class) -> Outcome<EntryRow> {
        self.number += 1;
        let id = EntryId { log: self.log, number: self.number };
        let wall = wall();
        let body_hash = *blake3::hash(&body).as_bytes();
        let header = Header { id, prev: self.prev, class, closed: false, urgent: 0, wall, body_hash, extra: Bytes::new() };
        let bytes = header.to_bytes();
        self.prev = hash16(&bytes);
        let signature = self.seal(alliance, Tag::Entry, &bytes)?;
        let age = AgeMark { age_ms: Some(0), at: wall };
        Ok(EntryRow { id, header: bytes, signature, body: Some(body.into()), age })
    }

    /// A version of its board.
    pub(crate) fn board(&self, alliance: &Alliance, readings: &Bytes, version: u32) -> Outcome<DocRow> {
        let wall = wall();
        let contact = vec![format!("10.0.{}.{}:4401", self.log.author.serial / 250, self.log.author.serial % 250)];
        let doc = Document { log: self.log, version, wall, floor: 0, head: 0, readings: readings.clone(), contact };
        let bytes = doc.to_bytes();
        let signature = self.seal(alliance, Tag::Board, &bytes)?;
        let age = AgeMark { age_ms: Some(0), at: wall };
        Ok(DocRow { author: self.log.author, kind: DocKind::Board, bytes, signature, age })
    }
}

pub(crate) fn wall() -> UtcMillis {
    UtcMillis(jiff::Timestamp::now().as_millisecond())
}

pub(crate) fn catalogue() -> Outcome<Catalogue> {
    toml::from_str(BUILT_IN).map_err(words)
}

/// A store's usual board: open, access, power and a few levels.
pub(crate) fn board_payload(alliance: &Alliance) -> Outcome<Vec<u8>> {
    let mut directory = Directory::default();
    let entry = |name: &str| DirectoryEntry {
        name: name.to_owned(),
        role: "store".to_owned(),
        tier: 2,
        firm: "Bench".to_owned(),
        region: "TPE".to_owned(),
        hub: false,
        revoked: false,
        everywhere: false,
    };
    let me: NodeId = alliance.nodes.first().ok_or("no nodes")?.node;
    directory.nodes.insert(me, entry("Bench"));
    let values = [("operating.status", "open"), ("power.source", "generator"), ("stock.water", "low"), ("stock.rice", "plenty")];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let report = holdfast_proto::control::Report { values, act: Default::default() };
    let now = Now { mono: Instant(0), wall: wall() };
    let plan = Domain::new(catalogue()?).plan(me, &directory, &PlanInput::Report(&report), now);
    plan.map_err(|refusal| format!("{refusal:?}"))?.board.ok_or_else(|| "a report without a board".to_owned())
}

/// A body of one request of [`PAYLOAD_BYTES`], or of several plain ones. Text is random: nothing may be gained by compressing it.
pub(crate) fn body(dice: &mut Dice, facts: usize) -> Vec<u8> {
    if facts == 1 {
        let (other, note) = texts(dice, PAYLOAD_BYTES);
        let line = Line { item: LineItem::Other(other), requested: 40 };
        return encode_body(&[fact(line, Some(note))]);
    }
    let line = |dice: &mut Dice| Line { item: LineItem::Code("water".to_owned()), requested: dice.below(1_000) + 1 };
    let all: Vec<Fact> = (0..facts).map(|_| fact(line(dice), None)).collect();
    encode_body(&all)
}

fn fact(line: Line, note: Option<String>) -> Fact {
    let need = Need { priority: ROUTINE, lines: vec![line], needed_by_s: None, note };
    Fact::new(Deed::Request(Request { need, consignee: None, to: None, key: None }))
}

/// The free text of a line and a note that together make a body of `bytes`; of a short one the note is empty.
pub(crate) fn texts(dice: &mut Dice, bytes: usize) -> (String, String) {
    /// Both texts at their longest.
    const LONGEST: usize = 64;
    let (other, note) = (dice.text(LONGEST), dice.text(LONGEST));
    let line = |other: &str| Line { item: LineItem::Other(other.to_owned()), requested: 40 };
    let with_note = encode_body(&[fact(line(&other), Some(note.clone()))]).len();
    let without = encode_body(&[fact(line(&other), None)]).len();
    let (full, note) = if bytes < without { (without, String::new()) } else { (with_note, note) };
    let keep = LONGEST - full.saturating_sub(bytes).min(LONGEST - 1);
    (other[..keep].to_owned(), note)
}
