//! How far our own words got: neighbours' receipts, the addressee's acknowledgement, and the tickets people follow them by.

use std::collections::BTreeMap;

use crdts::{Dot, VClock};

use super::Node;
use crate::control::{Delivery, DeliveryState, Event};
use crate::id::{DocKind, EntryId, FactId, LogId, NodeId};
use crate::replica::DocOrder;

/// What one neighbour said it holds durably of our words.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldBy {
    pub(super) heads: Heads,
    pub(super) docs: BTreeMap<DocKind, DocOrder>,
}

/// Heads of logbooks: a vector clock, so that merging old and new words is safe in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct Heads(VClock<LogId>);

impl Heads {
    /// True where it is news.
    pub(super) fn apply_head(&mut self, log: LogId, head: u32) -> bool {
        let news = self.0.get(&log) < u64::from(head);
        crdts::CmRDT::apply(&mut self.0, Dot::new(log, u64::from(head)));
        news
    }

    fn covers(&self, id: EntryId) -> bool {
        self.0.get(&id.log) >= u64::from(id.number)
    }
}

impl HeldBy {
    fn covers(&self, ticket: Ticket) -> bool {
        match ticket {
            Ticket::Fact(fact) => self.heads.covers(fact.entry),
            Ticket::Board(log, version) => self.docs.get(&DocKind::Board).is_some_and(|order| *order >= order_of(log, version)),
        }
    }
}

/// Names a write for those who follow its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    Fact(FactId),
    /// Whose board, of which life, and its version there.
    Board(LogId, u32),
}

impl Node {
    /// How far a write got: neighbours' receipts, then the addressee's word.
    pub(super) fn delivery(&self, ticket: Ticket) -> Delivery {
        let neighbours = u32::try_from(self.held_by.values().filter(|held| held.covers(ticket)).count()).unwrap_or(u32::MAX);
        let acknowledged_by = match ticket {
            Ticket::Fact(fact) => self.acknowledgers(fact),
            Ticket::Board(..) => Vec::new(),
        };
        let state = match (acknowledged_by.is_empty(), neighbours) {
            (false, _) => DeliveryState::Received,
            (true, 0) => DeliveryState::SavedHere,
            (true, _) => DeliveryState::Reached,
        };
        Delivery { state, neighbours, acknowledged_by }
    }

    fn acknowledgers(&self, fact: FactId) -> Vec<String> {
        self.domain.acknowledged_by(fact).into_iter().map(|node| self.name_of(node).name).collect()
    }

    /// A neighbour's digest equals ours: it holds every entry and the board we wrote, also those it gave no receipt for in this
    /// run. So a node that starts again learns how far its words got.
    pub(super) fn holds_ours(&mut self, peer: NodeId) {
        let held = self.held_by.entry(peer).or_default();
        let before = held.clone();
        let mut moved = false;
        for (log, entries) in self.replica.logs_of(self.me) {
            moved |= held.heads.apply_head(log, entries.head());
        }
        if let Some(board) = self.replica.doc(self.me, DocKind::Board) {
            let order = board.doc.order();
            moved |= held.docs.insert(DocKind::Board, order) != Some(order);
        }
        if moved {
            self.holds_more(peer, &before);
        }
    }

    /// A neighbour holds more of our words than `before`: tell those who follow one of these.
    pub(super) fn holds_more(&mut self, peer: NodeId, before: &HeldBy) {
        let Some(now) = self.held_by.get(&peer) else { return };
        let more = |ticket: &Ticket| now.covers(*ticket) && !before.covers(*ticket);
        let more: Vec<Ticket> = self.own.tickets.iter().map(|(ticket, _)| *ticket).filter(more).collect();
        self.tell_tickets(&|ticket| more.contains(ticket));
    }

    /// Acknowledgements came: tell those who follow a ticket.
    pub(super) fn acknowledgements_came(&mut self) {
        self.own.answered = false;
        self.tell_tickets(&|_| true);
    }

    fn tell_tickets(&mut self, which: &dyn Fn(&Ticket) -> bool) {
        let mut tickets = std::mem::take(&mut self.own.tickets);
        for (ticket, last) in tickets.iter_mut().filter(|(ticket, _)| which(ticket)) {
            let delivery = self.delivery(*ticket);
            if delivery != *last {
                *last = delivery.clone();
                self.notify(Event::Delivery { ticket: ticket.to_string(), delivery });
            }
        }
        self.own.tickets = tickets;
    }

    /// Reads a ticket given out by [`Saved::ticket`]. None where it names no word of ours that is held here: nothing could ever
    /// be said of it, such as after the store was lost.
    pub(super) fn ticket(&self, text: &str) -> Option<Ticket> {
        let ticket = Self::read_ticket(text)?;
        let held = match ticket {
            Ticket::Fact(FactId { entry, .. }) => {
                entry.log.author == self.me && self.replica.log(entry.log).is_some_and(|log| entry.number <= log.highest())
            }
            Ticket::Board(log, version) => {
                let board = self.replica.doc(self.me, DocKind::Board);
                log.author == self.me && board.is_some_and(|board| order_of(log, version) <= board.doc.order())
            }
        };
        held.then_some(ticket)
    }

    fn read_ticket(text: &str) -> Option<Ticket> {
        let (kind, hex) = text.split_at_checked(1)?;
        let fact = |bytes| FactId::from_bytes(bytes);
        match kind {
            "e" => read_hex(hex).map(|bytes| Ticket::Fact(fact(bytes))),
            // A board's life and version are written as a fact's logbook and number.
            "b" => read_hex(hex)
                .map(fact)
                .filter(|fact| fact.index == 0)
                .map(|fact| Ticket::Board(fact.entry.log, fact.entry.number)),
            _ => None,
        }
    }

    /// A node's name for people; its id where it has no certificate here.
    pub(super) fn name_of(&self, node: NodeId) -> crate::control::NodeName {
        let name = self.known.directory().nodes.get(&node).map_or_else(|| node.to_string(), |entry| entry.name.clone());
        crate::control::NodeName { id: node.to_string(), name }
    }
}

fn order_of(log: LogId, version: u32) -> DocOrder {
    DocOrder { generation: log.generation, incarnation: log.incarnation, version }
}

/// Thirty hex digits.
fn read_hex(hex: &str) -> Option<[u8; 15]> {
    let mut bytes = [0; 15];
    if hex.len() != 30 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl std::fmt::Display for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, fact) = match *self {
            Self::Board(log, number) => ("b", FactId { entry: EntryId { log, number }, index: 0 }),
            Self::Fact(fact) => ("e", fact),
        };
        f.write_str(kind)?;
        fact.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
