//! Our own side of the replica: where our chain stands, whether its continuity is proven, and what is done when it is not (rule 7).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::Node;
use super::delivery::Ticket;
use crate::config::FLOOR_AFTER;
use crate::control::{Command, CommandId, Delivery, Event};
use crate::id::{DocKind, EntryId, FactId, Incarnation, LogId, NodeId};
use crate::io::Stamp;
use crate::link::LinkId;
use crate::replica::{DocOrder, Document};
use crate::time::Instant;

/// Where our own chain stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) incarnation: Incarnation,
    pub(super) number: u32,
    pub(super) hash: [u8; 16],
    pub(super) urgent: u32,
    pub(super) board: u32,
    pub(super) detail: u32,
}

/// Our own side of the replica.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) stamp: Option<Stamp>,
    pub(super) mark: Mark,
    /// Continuity is proven, or this incarnation was opened in this run.
    pub(super) open: bool,
    pub(super) why_new: &'static str,
    pub(super) written: bool,
    /// The store stands beyond the stamp: nothing is spoken before a stamp that covers it is durable.
    pub(super) unstamped: bool,
    pub(super) stopped: Option<String>,
    /// Our key signs for our name, as far as the roster goes.
    pub(super) certified: bool,
    /// Highest incarnation count heard of ourselves.
    pub(super) heard: u16,
    pub(super) queue: VecDeque<(CommandId, Command)>,
    pub(super) in_flight: bool,
    pub(super) flying: Vec<EntryId>,
    pub(super) started: Option<Instant>,
    pub(super) acknowledged: Option<Instant>,
    pub(super) acknowledge_at: Option<Instant>,
    /// Requests that may ask for an acknowledgement since the last look.
    pub(super) asking: BTreeSet<FactId>,
    /// Any may ask, whatever came.
    pub(super) asked: bool,
    /// A request of ours was acknowledged since those who follow it were told.
    pub(super) answered: bool,
    pub(super) announce_board: bool,
    /// Orders were looked at in this state of them, see `Domain::orders_version`.
    pub(super) orders_seen: Option<u64>,
    /// Whether the central systems answered last, and since when they do or don't.
    pub(super) central: Option<(bool, Instant)>,
    /// They were probed, and what follows is not written yet.
    pub(super) central_due: bool,
    /// Our board says where we can be reached: as our configuration does.
    pub(super) found: bool,
    pub(super) tickets: VecDeque<(Ticket, Delivery)>,
    /// What persons are about to sign.
    pub(super) drafts: VecDeque<super::person::Drafted>,
    pub(super) floor_at: Option<Instant>,
    /// No automatic words before this: the store failed the last ones.
    pub(super) not_before: Option<Instant>,
    /// No first write before this: a neighbour claims to know words of ours that we lack.
    pub(super) wait_until: Option<Instant>,
    /// Who claimed so in this run.
    pub(super) claimed: BTreeSet<NodeId>,
    /// Documents of a life that turned out to rank below an earlier one: to be said again.
    pub(super) outranked: BTreeMap<DocKind, Bytes>,
}

impl Own {
    pub(super) fn new(stamp: Option<Stamp>) -> Self {
        Self {
            stamp,
            mark: Mark::default(),
            open: false,
            why_new: "first start",
            written: false,
            unstamped: false,
            stopped: None,
            certified: false,
            heard: stamp.map_or(0, |stamp| stamp.incarnation.count),
            queue: VecDeque::new(),
            in_flight: false,
            flying: Vec::new(),
            started: None,
            acknowledged: None,
            acknowledge_at: None,
            asking: BTreeSet::new(),
            asked: false,
            answered: false,
            announce_board: false,
            orders_seen: None,
            central: None,
            central_due: false,
            found: false,
            tickets: VecDeque::new(),
            drafts: VecDeque::new(),
            floor_at: None,
            not_before: None,
            wait_until: None,
            claimed: BTreeSet::new(),
            outranked: BTreeMap::new(),
        }
    }

    pub(super) fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    pub(super) fn wrote(&self) -> bool {
        self.written
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len() + usize::from(self.in_flight)
    }
}

impl Node {
    /// After the rows are in: is the store at or beyond what the stamp says was spoken?
    pub(super) fn own_restored(&mut self) {
        self.own.started = Some(self.now.mono);
        self.own.floor_at = Some(self.now.mono.after(FLOOR_AFTER));
        let orders: Vec<DocOrder> = [DocKind::Board, DocKind::Detail]
            .into_iter()
            .filter_map(|kind| self.replica.doc(self.me, kind))
            .map(|doc| doc.doc.order())
            .filter(|order| order.generation == self.generation)
            .collect();
        let logs = self.replica.logs_of(self.me).filter(|(id, _)| id.generation == self.generation).map(|(id, _)| id.incarnation);
        let Some(newest) = logs.chain(orders.iter().map(|order| order.incarnation)).max() else {
            self.own.why_new =
                if self.own.stamp.is_some() { "the store is empty but this node had spoken before" } else { "first start" };
            return;
        };
        self.own.heard = self.own.heard.max(newest.count);
        let log = self.own_log(newest);
        let held = self.replica.log(log);
        let number = held.map_or(0, crate::replica::Log::highest);
        let top = held.and_then(|held| held.slot(number));
        let version = |kind| self.replica.doc(self.me, kind).map(|doc| doc.doc.order());
        let version = |kind| version(kind).filter(|order| order.incarnation == newest).map_or(0, |order| order.version);
        let mark = Mark {
            incarnation: newest,
            number,
            hash: top.map_or([0; 16], |slot| slot.hash),
            urgent: top.map_or(0, |slot| slot.urgent),
            board: version(DocKind::Board),
            detail: version(DocKind::Detail),
        };
        let continuous = self.own.stamp.is_some_and(|stamp| {
            let reached =
                stamp.number == 0 || held.and_then(|held| held.slot(stamp.number)).is_some_and(|slot| slot.hash == stamp.hash);
            stamp.node == self.me
                && stamp.incarnation == newest
                && reached
                && number >= stamp.number
                && mark.board >= stamp.board
                && mark.detail >= stamp.detail
        });
        let whole = held.is_none_or(|held| held.frozen().is_none() && held.head() == number);
        self.own.mark = mark;
        self.own.open = continuous && whole;
        // What a crash left without its stamp was never spoken; spoken now, an older store must not pass for continuous.
        self.own.unstamped = self.own.open && self.own.stamp != Some(self.new_stamp());
        self.stamp_again();
        if !self.own.open {
            self.own.why_new = "this store is a copy, a backup or older than what was spoken";
        }
    }

    /// The stamp of where our chain stands.
    pub(super) fn new_stamp(&self) -> Stamp {
        let Mark { incarnation, number, hash, board, detail, .. } = self.own.mark;
        Stamp { node: self.me, incarnation, number, hash, board, detail }
    }

    pub(super) fn own_log(&self, incarnation: Incarnation) -> LogId {
        LogId { author: self.me, generation: self.generation, incarnation }
    }

    /// The logbook now written, where one is open.
    pub(super) fn current_log(&self) -> Option<LogId> {
        self.own.open.then(|| self.own_log(self.own.mark.incarnation))
    }

    /// A neighbour claims to hold words of ours that we lack. Claims are cheap, so it holds up the first write only once a run and
    /// neighbour, and opens nothing: the signed entries do (rule 7).
    pub(super) fn wait_for_own_past(&mut self, link: LinkId) {
        let Some(peer) = self.links.get(&link).and_then(|state| state.node) else { return };
        if self.own.claimed.insert(peer) {
            // Long enough for a want and its answer over a lossy link.
            let until = self.now.mono.after(self.config.want_timeout.saturating_mul(4));
            self.own.wait_until = Some(self.own.wait_until.map_or(until, |at| at.max(until)));
        }
    }

    /// Until when the first write waits.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.own.wait_until.filter(|at| !self.own.written && *at > self.now.mono)
    }

    /// When commands that wait for that may be carried out.
    pub(super) fn queue_deadline(&self) -> Option<Instant> {
        self.waits_until().filter(|_| !self.own.queue.is_empty() && !self.own.in_flight)
    }

    /// Somebody handed us an entry under our own name that we don't hold.
    pub(super) fn heard_of_myself(&mut self, id: EntryId) {
        if id.log.generation != self.generation || self.own_in_flight(id) {
            return;
        }
        let mine = id.log.incarnation;
        self.own.heard = self.own.heard.max(mine.count);
        if self.own.open && mine.count == self.own.mark.incarnation.count && mine > self.own.mark.incarnation {
            return self.outrank();
        }
        let foreign = mine == self.own.mark.incarnation || mine.count > self.own.mark.incarnation.count;
        if !foreign {
            return;
        }
        if self.own.written {
            self.stop_writing("an entry in this node's name came in that it did not write");
        } else if self.own.open {
            self.own.open = false;
            self.own.why_new = "a peer holds words of this node that its store lacks";
        }
    }

    /// A store that lost everything opened its first life again, and peers hold the true first one, which happens to rank higher:
    /// what was written since would never be shown. It is said again in a new life above both.
    pub(super) fn outrank(&mut self) {
        self.note_own_ages(&BTreeMap::new());
        let mark = self.own.mark;
        for (kind, version) in [(DocKind::Board, mark.board), (DocKind::Detail, mark.detail)] {
            if version > 0 {
                let payload = self.domain.reissue(self.me, kind, self.now).into();
                self.own.outranked.insert(kind, payload);
            }
        }
        self.own.open = false;
        self.own.why_new = "peers hold an earlier life of this node that its store lost";
    }

    /// The same for a board or detail in our own name.
    pub(super) fn heard_own_doc(&mut self, doc: &Document) {
        // What we wrote is held here before it is spoken; so whatever comes as news was written by another, or lost here.
        self.heard_of_myself(EntryId { log: doc.log, number: 0 });
    }

    pub(super) fn forked_myself(&mut self, log: LogId) {
        if self.current_log() == Some(log) {
            self.stop_writing("two stories under one number stand in this node's own logbook");
        }
    }

    pub(super) fn stop_writing(&mut self, cause: &str) {
        if self.own.stopped.is_none() {
            self.own.stopped = Some(cause.to_owned());
            self.own.open = false;
            self.notify(Event::Stopped { cause: format!("{cause}: does another PC run as this one?") });
        }
    }

    /// True for what we have signed and the store has not yet confirmed.
    pub(super) fn own_in_flight(&self, id: EntryId) -> bool {
        self.own.flying.contains(&id)
    }
}
