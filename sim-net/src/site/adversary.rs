//! Somebody who speaks without the right to, or with a right that was stolen. What is said badly is made by the real program
//! first: a node of its own, started from what was stolen, writes real words; then they are spoiled.

use std::collections::VecDeque;

use bytes::Bytes;
use holdfast_proto::config::{Config, WIRE_VERSION};
use holdfast_proto::control::{Act, Command, CommandId, Report, RequestNew};
use holdfast_proto::identity::{PublicKey, Signature};
use holdfast_proto::io::{Input, Output, Row, Stamp};
use holdfast_proto::message::{Message, WireDoc, WireEntry};
use holdfast_proto::time::Now;

use crate::dice::Dice;
use crate::driver::{Alliance, Driver, Start};
use crate::scenario::words::ForgeKind;

/// Words of a flood: each costs every node a signature check and a row.
const FLOOD: usize = 300;
/// Frames that are no frames.
const MALFORMED: usize = 60;
/// Nodes that a hostile issuer certifies beyond what it may have.
pub const SYBILS: usize = 5;
/// Rows sent in one frame.
const ROWS_A_FRAME: usize = 8;

/// What the adversary has.
#[derive(Debug)]
pub struct Loot<'a> {
    /// The alliance it attacks.
    pub alliance: &'a Alliance,
    /// One of its own, of the same names; of a hostile issuer the alliance as it would have it: [`SYBILS`] more nodes of its own.
    pub foreign: &'a Alliance,
    /// Index of the site at whose place it sits, or whose key it has.
    pub site: usize,
    /// What that site's clocks show.
    pub now: Now,
    /// What that site's store holds.
    pub rows: Vec<Row>,
    /// And its proof of continuity.
    pub stamp: Option<Stamp>,
    /// What that site said long ago.
    pub overheard: Vec<Row>,
    /// Bytes of the longest frame of the links it uses.
    pub mtu: u32,
}

impl Loot<'_> {
    /// Whose key it has, and what the clocks there show.
    fn who(&self) -> (usize, Now) {
        (self.site, self.now)
    }
}

/// What it says.
#[derive(Clone, Debug)]
pub struct Forgery {
    /// The key its links prove.
    pub key: PublicKey,
    /// What it says, one list per neighbour, then from the first again.
    pub stories: Vec<Vec<Bytes>>,
    /// Words in it that nobody may keep: no key that may speak signed them.
    pub worthless: Vec<Row>,
    /// What nobody may keep belongs to another realm.
    pub foreign: bool,
    /// Words in it that only the theft makes false: everybody will keep them.
    pub stolen: Vec<Row>,
}

/// Prepares an attack.
#[must_use]
pub fn forge(kind: ForgeKind, loot: &Loot<'_>, dice: &mut Dice) -> Forgery {
    let key = loot.alliance.members[loot.site].key;
    let hello = greeting(loot.alliance, loot);
    let one = |frames: Vec<Bytes>| vec![[vec![hello.clone()], frames].concat()];
    let plain = Forgery { key, stories: Vec::new(), worthless: Vec::new(), stolen: Vec::new(), foreign: false };
    match kind {
        ForgeKind::BadSignature => {
            let words = write(loot.alliance, loot.who(), Vec::new(), None, &[report("closed"), request(40)], dice);
            let worthless: Vec<Row> = words.into_iter().map(|row| spoil(row, dice)).collect();
            Forgery { stories: one(frames(&worthless)), worthless, ..plain }
        }
        ForgeKind::ForeignCertificate => {
            let words = write(loot.foreign, loot.who(), Vec::new(), None, &[report("closed"), request(40)], dice);
            let frames = [vec![greeting(loot.foreign, loot)], frames(&words)].concat();
            let key = loot.foreign.members[loot.site].key;
            Forgery { key, stories: vec![frames], worthless: words, foreign: true, ..plain }
        }
        ForgeKind::Replay => Forgery { stories: one(frames(&loot.overheard)), ..plain },
        ForgeKind::Malformed => {
            let words = write(loot.alliance, loot.who(), Vec::new(), None, &[report("closed")], dice);
            // Even what is read after all may not be believed.
            let words: Vec<Row> = words.into_iter().map(|row| spoil(row, dice)).collect();
            let good = frames(&words);
            let spoiled = (0..MALFORMED).filter_map(|_| dice.pick(&good).cloned().map(|frame| garble(&frame, loot.mtu, dice)));
            Forgery { stories: one(spoiled.collect()), worthless: words, ..plain }
        }
        ForgeKind::Equivocate => {
            let tell = |quantity, dice: &mut Dice| {
                write(loot.alliance, loot.who(), loot.rows.clone(), loot.stamp, &[request(quantity)], dice)
            };
            let stories = [tell(11, dice), tell(22, dice)];
            Forgery { stories: stories.iter().flat_map(|story| one(frames(story))).collect(), stolen: stories.concat(), ..plain }
        }
        ForgeKind::Flood => {
            let commands: Vec<Command> = (0..FLOOD as u64).map(request).collect();
            stolen(loot, one, plain, &commands, dice)
        }
        ForgeKind::AbsurdQuantity => {
            // The largest that a node would sign.
            let sizes = (1..=12).map(|zeros| request(9 * 10_u64.pow(zeros))).collect::<Vec<_>>();
            stolen(loot, one, plain, &sizes, dice)
        }
        ForgeKind::HostileIssuer => {
            let (worthless, said) = overreach(loot, dice);
            Forgery { stories: one(said), worthless, ..plain }
        }
        ForgeKind::StolenKey => stolen(loot, one, plain, &[report("evacuating"), request(77)], dice),
    }
}

fn stolen(
    loot: &Loot<'_>,
    one: impl Fn(Vec<Bytes>) -> Vec<Vec<Bytes>>,
    plain: Forgery,
    commands: &[Command],
    dice: &mut Dice,
) -> Forgery {
    let words = write(loot.alliance, loot.who(), Vec::new(), None, commands, dice);
    Forgery { stories: one(frames(&words)), stolen: words, ..plain }
}

/// Certificates beyond the issuer's range and an end to nodes that are not its own; then words of those it certified.
fn overreach(loot: &Loot<'_>, dice: &mut Dice) -> (Vec<Row>, Vec<Bytes>) {
    let sybils = loot.alliance.members.len()..loot.foreign.members.len();
    let certificates = sybils.clone().filter_map(|sybil| loot.foreign.chain(sybil).pop());
    let objects: Vec<Bytes> = certificates.chain(loot.alliance.revoke_beyond(loot.site)).collect();
    let tell = |sybil| write(loot.foreign, (sybil, loot.now), Vec::new(), None, &[report("closed"), request(40)], dice);
    let words: Vec<Row> = sybils.flat_map(tell).collect();
    let said = [vec![Message::Roster { objects: objects.clone() }.to_frame()], frames(&words)].concat();
    (objects.into_iter().map(|bytes| Row::Roster { bytes }).chain(words).collect(), said)
}

fn report(status: &str) -> Command {
    let values = [("operating.status".to_owned(), status.to_owned())].into();
    Command::Report(Report { values, act: Act::default() })
}

fn request(quantity: u64) -> Command {
    Command::RequestNew(RequestNew { items: vec![format!("water:{}", quantity.max(1))], ..RequestNew::default() })
}

/// What a node with this name and key writes when it is told to: its own program, its own store.
fn write(
    alliance: &Alliance,
    (me, now): (usize, Now),
    rows: Vec<Row>,
    stamp: Option<Stamp>,
    commands: &[Command],
    dice: &mut Dice,
) -> Vec<Row> {
    let config = Config { clock_floor: now.wall, ..Config::default() };
    let start = Start { me, unknown: Vec::new(), seed: dice.bytes32(), rows, stamp, now, config };
    let Ok(mut driver) = Driver::start(alliance, start) else { return Vec::new() };
    let mut written = settle(&mut driver, now);
    for (number, command) in (1..).zip(commands) {
        driver.handle(now, Input::Command { id: CommandId(number), command: command.clone() });
        written.extend(settle(&mut driver, now));
    }
    written.retain(|row| matches!(row, Row::Entry(_) | Row::Doc { doc: Some(_), .. }));
    written
}

/// Until it asks for nothing more; its store is quick.
fn settle(driver: &mut Driver, now: Now) -> Vec<Row> {
    let (mut written, mut tokens) = (Vec::new(), VecDeque::new());
    loop {
        while let Some(output) = driver.poll() {
            if let Output::Persist { token, rows, .. } = output {
                written.extend(rows);
                tokens.push_back(token);
            }
        }
        let Some(token) = tokens.pop_front() else { return written };
        driver.handle(now, Input::Persisted { token });
    }
}

fn greeting(alliance: &Alliance, loot: &Loot<'_>) -> Bytes {
    Message::Hello { chain: alliance.chain(loot.site), wall: loot.now.wall, roster: [0; 16] }.to_frame()
}

/// Words as they are pushed.
fn frames(rows: &[Row]) -> Vec<Bytes> {
    let mut entries = Vec::new();
    let mut docs = Vec::new();
    for row in rows {
        match row {
            Row::Entry(entry) => entries.extend(WireEntry::pack(entry, true, None)),
            Row::Doc { doc: Some(doc), .. } => docs.push(WireDoc::pack(doc, None)),
            Row::Doc { doc: None, .. } | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => {}
        }
    }
    let docs = docs.chunks(ROWS_A_FRAME).map(|docs| Message::Docs { want: None, docs: docs.to_vec() });
    let entries = entries.chunks(ROWS_A_FRAME).map(|entries| Message::Entries { want: None, entries: entries.to_vec() });
    docs.chain(entries).map(|message| message.to_frame()).collect()
}

/// The same word with a signature that nobody made.
fn spoil(row: Row, dice: &mut Dice) -> Row {
    let mut turn = |signature: Signature| {
        let mut bytes = signature.0;
        bytes[dice.index(bytes.len())] ^= 1 << dice.below(8);
        Signature(bytes)
    };
    match row {
        Row::Entry(mut entry) => {
            entry.signature = turn(entry.signature);
            Row::Entry(entry)
        }
        Row::Doc { slot, doc: Some(mut doc), author, kind } => {
            doc.signature = turn(doc.signature);
            Row::Doc { slot, doc: Some(doc), author, kind }
        }
        other @ (Row::Doc { doc: None, .. } | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. }) => other,
    }
}

/// Cut, too long, of a future version, empty, or with bytes that lie.
fn garble(frame: &Bytes, mtu: u32, dice: &mut Dice) -> Bytes {
    let mut bytes = frame.to_vec();
    match dice.below(5) {
        0 => bytes.truncate(dice.index(bytes.len())),
        1 => bytes.resize(usize::try_from(mtu).unwrap_or(0) + 1, 0xFF),
        2 => bytes[0] = WIRE_VERSION + 1,
        3 => bytes.clear(),
        4.. => {
            // The head of a frame says what follows and how much of it.
            let place = 1 + dice.index(24.min(bytes.len() - 1));
            bytes[place] = bytes[place].wrapping_add(1 + u8::try_from(dice.below(255)).unwrap_or(0));
        }
    }
    bytes.into()
}
