//! A certified node that floods: real links, a real key, signed words, and nothing of the program's manners. Everything it says
//! passes every check; that it says a hundred times as much is all that is wrong with it. It serves what it is asked for, and tells
//! once a second how much there is, so that whoever takes it in more slowly has no lack of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_daemon::link::{LinkSettings, Links, SyncSettings};
use holdfast_proto::config::WIRE_VERSION;
use holdfast_proto::identity::Alliance;
use holdfast_proto::io::{EntryRow, Input};
use holdfast_proto::link::LinkId;
use holdfast_proto::message::{Message, Want, WireDoc, WireEntry};
use holdfast_proto::replica::digest::{AuthorLeaf, LogLeaf};
use holdfast_proto::replica::hash16;

use crate::machine::{Dice, Outcome, words};
use crate::world::{Author, board_payload, body, wall};

/// Between two moments at which it speaks.
const TICK: Duration = Duration::from_millis(10);
/// Between two tellings of how much there is, and two dials of whoever hung up.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Entries it can still be asked for.
const KEPT: usize = 4_000;
/// Entries in one frame of an answer.
const ANSWER: usize = 20;
/// Bytes of the longest frame that is none.
const JUNK_BYTES: u64 = 1_200;

/// What it says, a second and to each daemon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Entries, as many boards, and as many frames that can't be read.
    pub(crate) each: u64,
    /// Facts in each entry.
    pub(crate) facts: usize,
    /// It raises its floor over all before after so many entries, so that its window never ends; 0: it never does, and fills it.
    pub(crate) floor: u32,
}

/// What it got rid of: frames that a link had room for.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) entries: AtomicU64,
    pub(crate) boards: AtomicU64,
    pub(crate) junk: AtomicU64,
    /// Entries in answer to what the daemons asked.
    pub(crate) served: AtomicU64,
    /// Frames for which a link had no room.
    pub(crate) withheld: AtomicU64,
    /// Links that ended.
    pub(crate) ended: AtomicU64,
}

/// The flood, until it is stopped.
#[derive(Debug)]
pub(crate) struct Puppet {
    said: Arc<Said>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Outcome<()>>,
}

impl Puppet {
    /// Lets node `place` of the alliance loose on these addresses.
    pub(crate) fn start(alliance: Alliance, place: usize, victims: Vec<String>, load: Load) -> Self {
        let (said, stop) = (Arc::new(Said::default()), Arc::new(AtomicBool::new(false)));
        let (told, stopped) = (Arc::clone(&said), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(words)?;
            runtime.block_on(flood(&alliance, place, victims, load, &told, &stopped))
        });
        Self { said, stop, thread }
    }

    /// Ends it. What it said.
    pub(crate) fn end(self) -> Outcome<Arc<Said>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the hostile node ended badly".to_owned())??;
        Ok(self.said)
    }
}

struct Flood<'a> {
    alliance: &'a Alliance,
    author: Author<'a>,
    hello: Vec<Bytes>,
    links: Links,
    /// Bytes each link has room for; none before it was told the first time.
    room: BTreeMap<LinkId, Option<usize>>,
    rows: VecDeque<EntryRow>,
    floor: u32,
    board: (Bytes, u32),
    dice: Dice,
    said: &'a Said,
}

async fn flood(
    alliance: &Alliance,
    place: usize,
    victims: Vec<String>,
    load: Load,
    said: &Said,
    stop: &AtomicBool,
) -> Outcome<()> {
    let me = &alliance.nodes[place];
    let listen = "127.0.0.1:0".parse().map_err(words)?;
    let settings = LinkSettings { sync: Some(SyncSettings::new(listen)), gossip: None, radio: None };
    let mut flood = Flood {
        alliance,
        author: Author::new(me),
        hello: alliance.roster.chain(me.node),
        links: Links::spawn(settings, &me.secret.seed()).await.map_err(words)?,
        room: BTreeMap::new(),
        rows: VecDeque::new(),
        floor: 1,
        board: (board_payload(alliance)?.into(), 0),
        dice: Dice::new(99),
        said,
    };
    let (begun, mut spoken, mut tick, mut told) = (Instant::now(), 0, tokio::time::interval(TICK), None::<Instant>);
    while !stop.load(Ordering::Relaxed) {
        tokio::select! {
            input = flood.links.next() => flood.hear(input),
            _ = tick.tick() => {
                let due = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX) * load.each / 1_000;
                while spoken < due {
                    spoken += 1;
                    flood.speak(load)?;
                }
                if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
                    told = Some(Instant::now());
                    // An address that is linked already is dialled in vain at worst.
                    if flood.room.len() < victims.len() {
                        victims.iter().for_each(|victim| flood.links.dial(victim.clone()));
                    }
                    flood.tell();
                }
            }
        }
    }
    flood.links.shutdown().await;
    Ok(())
}

impl Flood<'_> {
    fn hear(&mut self, input: Input) {
        match input {
            Input::LinkUp { link, .. } => drop(self.room.insert(link, None)),
            Input::Writable { link, room } => {
                if self.room.insert(link, Some(room as usize)) == Some(None) {
                    let hello = Message::Hello { chain: self.hello.clone(), wall: wall(), roster: [0; 16] };
                    self.give(link, hello.to_frame());
                }
            }
            Input::LinkDown { link, .. } => {
                self.room.remove(&link);
                self.said.ended.fetch_add(1, Ordering::Relaxed);
            }
            Input::Received { link, frame } => {
                if let Ok(Message::Want(want)) = Message::from_frame(&frame) {
                    self.serve(link, &want);
                }
            }
            Input::Audible { .. }
            | Input::Near { .. }
            | Input::WritableUrgent { .. }
            | Input::DialFailed { .. }
            | Input::Candidate { .. }
            | Input::Central { .. }
            | Input::Command { .. }
            | Input::Persisted { .. }
            | Input::PersistFailed { .. }
            | Input::Fetched { .. }
            | Input::Wake => {}
        }
    }

    /// True where there was room for it.
    fn give(&mut self, link: LinkId, frame: Bytes) -> bool {
        let room = self.room.get_mut(&link).and_then(Option::as_mut);
        let Some(room) = room.filter(|room| **room >= frame.len()) else {
            self.said.withheld.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        *room -= frame.len();
        self.links.transmit(link, frame);
        true
    }

    fn give_all(&mut self, frame: &Bytes) -> u64 {
        let links: Vec<LinkId> = self.room.keys().copied().collect();
        links.into_iter().map(|link| u64::from(self.give(link, frame.clone()))).sum()
    }

    /// One entry, one board, one frame that is none.
    fn speak(&mut self, load: Load) -> Outcome<()> {
        let number = self.rows.back().map_or(1, |row| row.id.number + 1);
        let row = if load.floor > 0 && number.is_multiple_of(load.floor) {
            self.floor = number;
            self.author.floor(self.alliance)?
        } else {
            let body = body(&mut self.dice, load.facts);
            self.author.entry(self.alliance, body)?
        };
        let entries = WireEntry::pack(&row, true, Some(0)).into_iter().collect();
        self.rows.push_back(row);
        if self.rows.len() > KEPT {
            self.rows.pop_front();
        }
        let gone = self.give_all(&Message::Entries { want: None, entries }.to_frame());
        self.said.entries.fetch_add(gone, Ordering::Relaxed);
        self.board.1 += 1;
        let doc = self.author.board(self.alliance, &self.board.0, self.board.1)?;
        let gone = self.give_all(&Message::Docs { want: None, docs: vec![WireDoc::pack(&doc, Some(0))] }.to_frame());
        self.said.boards.fetch_add(gone, Ordering::Relaxed);
        let length = 1 + self.dice.below(JUNK_BYTES);
        let noise = (0..length).map(|_| self.dice.next().to_le_bytes()[0]);
        let junk: Bytes = std::iter::once(WIRE_VERSION).chain(noise).collect();
        let gone = self.give_all(&junk);
        self.said.junk.fetch_add(gone, Ordering::Relaxed);
        Ok(())
    }

    /// How much there is, as a digest would say it.
    fn tell(&mut self) {
        let Some(last) = self.rows.back() else { return };
        let (log, hash) = (last.id.log, hash16(&last.header));
        let mut head_hash = [0; 8];
        head_hash.copy_from_slice(&hash[..8]);
        let leaf = LogLeaf {
            generation: log.generation,
            incarnation: log.incarnation,
            floor: self.floor,
            head: last.id.number,
            head_hash,
            ahead: Vec::new(),
            ahead_hash: [0; 8],
            frozen: None,
        };
        let leaves = vec![AuthorLeaf { author: log.author, logs: vec![leaf], board: None }];
        self.give_all(&Message::Leaves { count: 64, answer: Vec::new(), leaves }.to_frame());
    }

    fn serve(&mut self, link: LinkId, want: &Want) {
        let first = self.rows.front().map_or(1, |row| row.id.number);
        let numbers = want.entries.iter().flat_map(|(_, ranges)| ranges).flat_map(|(from, to)| *from..=*to);
        let asked = numbers.filter_map(|number| self.rows.get(number.checked_sub(first)? as usize));
        let packed: Vec<WireEntry> = asked.filter_map(|row| WireEntry::pack(row, true, Some(0))).collect();
        for entries in packed.chunks(ANSWER) {
            let count = entries.len() as u64;
            if self.give(link, Message::Entries { want: Some(want.id), entries: entries.to_vec() }.to_frame()) {
                self.said.served.fetch_add(count, Ordering::Relaxed);
            }
        }
        self.give(link, Message::Done { id: want.id }.to_frame());
    }
}
