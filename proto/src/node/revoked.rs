//! Keys taken away, in a whole node: which words count follows, boards go, links of that key end, and where the key is our own we
//! fall silent (rule 9).

use std::collections::BTreeSet;

use bytes::Bytes;

use super::Node;
use super::ingest::Job;
use super::link::Link;
use super::refuse;
use super::word::ReadEntry;
use super::write::plainly_saved;
use crate::control::person::hex;
use crate::control::{Answer, Certify, CommandId, Delivery, DeliveryState, Event, HeadView, HeadsView, Reply};
use crate::id::{DocKind, EntryId, Generation, Incarnation, LogId, NodeId, Standing};
use crate::identity::{ArmorKind, Offered, Rejected, dearmor, is_revocation};
use crate::io::{Output, Row};
use crate::link::LinkId;
use crate::message::Message;
use crate::replica::{Hash16, Log, Slot, hash16};

impl Node {
    /// The roster changed: whose key was taken away, or is no more?
    pub(super) fn judge_keys(&mut self) {
        let told: Vec<_> = self.replica.revoked().collect();
        let known: BTreeSet<_> = self.known.roster().revoked().collect();
        if told.is_empty() && known.is_empty() {
            return;
        }
        for (node, generation) in told.into_iter().filter(|key| !known.contains(key)) {
            self.judge_key(node, generation, Standing::Whole);
        }
        for (node, generation) in known {
            let standing = self.known.roster().standing(node, generation);
            if *self.replica.standing(node, generation) != standing {
                self.judge_key(node, generation, standing);
            }
        }
        self.hang_up_revoked();
    }

    fn judge_key(&mut self, node: NodeId, generation: Generation, standing: Standing) {
        let news = *self.replica.standing(node, generation) == Standing::Whole;
        let change = self.replica.set_standing(node, generation, standing);
        let rows = change
            .docs
            .iter()
            .flat_map(|(author, kind)| [0, 1].map(|slot| Row::Doc { slot, doc: None, author: *author, kind: *kind }));
        let rows: Vec<Row> = rows.collect();
        if !rows.is_empty() {
            self.persist(rows, None, Job::Quiet);
        }
        for (author, kind) in &change.docs {
            self.ages.remove(*author, *kind);
        }
        self.absorb(change);
        self.show_document(node, DocKind::Board);
        self.show_document(node, DocKind::Detail);
        let logs: Vec<LogId> = self.replica.logs_of(node).map(|(id, _)| id).filter(|id| id.generation == generation).collect();
        logs.into_iter().for_each(|log| self.question(log));
        if news {
            let reason = self.known.roster().revocations_of(node, generation).next().map_or("other", |why| why.reason.text());
            self.notify(Event::Revoked { node, reason: reason.to_owned() });
        }
        self.changed_at = self.now.mono;
    }

    /// Tells the domain which words of a logbook are in question, and whether its fork is settled.
    pub(super) fn question(&mut self, id: LogId) {
        let standing = self.replica.standing(id.author, id.generation);
        if *standing == Standing::Whole {
            return self.domain.set_question(id, None);
        }
        let below = match self.replica.log(id) {
            Some(_) if *standing == Standing::InQuestion => Some(u32::MAX),
            Some(log) => log.in_question_below(),
            None => None,
        };
        self.domain.set_question(id, below);
        let settled = matches!(standing, Standing::Cut(_));
        self.domain.set_frozen(id, self.replica.fork(id).is_some() && !settled);
    }

    /// What waits for the store is the next word up, and this one leads to it.
    pub(super) fn leads_to_pending(&self, read: &ReadEntry) -> bool {
        let Some(number) = read.id().number.checked_add(1) else { return false };
        let next = EntryId { log: read.id().log, number };
        self.pending.get(&next).is_some_and(|pending| pending.read.header.prev == read.hash)
    }

    fn hang_up_revoked(&mut self) {
        let roster = self.known.roster();
        let revoked = |key| roster.owner_of_key(&key).is_some_and(|(node, generation)| roster.is_revoked(node, generation));
        let nodes = &self.known.directory().nodes;
        let lost = |node: NodeId| nodes.get(&node).is_some_and(|entry| entry.revoked);
        let theirs = |link: &Link| link.node.is_some_and(|node| lost(node) || link.profile.peer.is_some_and(revoked));
        let links = self.links.iter().filter(|(_, link)| theirs(link));
        let links: Vec<_> = links.map(|(id, _)| id).collect();
        for link in links {
            self.hang_up(link, "its key was revoked");
        }
        let known = &self.known;
        let gone = |node: &NodeId| known.directory().nodes.get(node).is_some_and(|entry| entry.revoked);
        for id in self.links.ids() {
            if let Some(link) = self.links.get_mut(&id) {
                link.audible.retain(|node| !gone(node));
            }
        }
    }
}

/// Of one logbook: the last word that is old enough, of an unbroken run.
fn last_of(log: &Log, old_enough: impl Fn(&Slot) -> bool) -> Option<(u32, Hash16)> {
    let held = log.slots().take_while(|(number, slot)| *number <= log.head() && old_enough(slot));
    let last = held.last().map(|(number, slot)| (number, slot.hash));
    let none = log.is_empty() && log.head() > 0;
    last.or_else(|| none.then(|| (log.head(), log.head_hash())))
}

impl Node {
    /// Certificates or revocations that an operator hands in. They are judged as from any peer, and all of them or none is taken.
    pub(super) fn certify(&mut self, command: CommandId, handed: &Certify) {
        let refused = |node: &mut Self, refusal| node.emit(Output::Reply { id: command, reply: Reply::Refused(refusal) });
        let blocks = match dearmor(&handed.objects) {
            Ok(blocks) if !blocks.is_empty() => blocks,
            Ok(_) => return refused(self, refuse::not_taken("it holds no certificate", "其中沒有憑證")),
            Err(error) => {
                let (en, zh) = (format!("line {}: {}", error.line, error.fault), format!("第 {} 行格式不正確", error.line));
                return refused(self, refuse::not_taken(&en, &zh));
            }
        };
        // Tried on a copy: what is refused, or not kept by the store, changes nothing.
        let mut known = self.known.clone();
        if blocks.iter().any(|block| block.kind.is_secret()) {
            return refused(self, refuse::not_taken("it holds a secret key", "其中含有機密金鑰"));
        }
        let offered: Vec<Bytes> = blocks.iter().map(|block| block.bytes.clone()).collect();
        let all = known.offer_all(&offered);
        // An alliance file may be older than what is held; a revocation that counts nowhere must be said to.
        let stale = |(place, why): &(usize, Rejected)| *why == Rejected::Older && blocks[*place].kind != ArmorKind::Revocation;
        if let Some((place, why)) = all.refused.into_iter().find(|refused| !stale(refused)) {
            let line = blocks[place].line;
            let (en, zh) = (format!("line {line}: {why}"), format!("第 {line} 行：{}", why.zh()));
            return refused(self, refuse::not_taken(&en, &zh));
        }
        let objects: Vec<Bytes> = all.new.into_iter().map(|place| offered[place].clone()).collect();
        if objects.is_empty() {
            return self.told(command, true);
        }
        let rows = objects.iter().map(|bytes| Row::Roster { bytes: bytes.clone() }).collect();
        self.persist(rows, None, Job::Certified { command, objects });
    }

    /// They are durable: now they count, are told to whoever handed them in, and to everybody in reach.
    pub(super) fn certified(&mut self, command: CommandId, objects: &[Bytes]) {
        let mut news = Vec::new();
        for object in objects {
            if self.known.offer(object) == Ok(Offered::New) {
                news.push(object.clone());
            }
        }
        if !news.is_empty() {
            self.roster_changed();
            self.moved();
        }
        news.retain(|object| is_revocation(object));
        self.spread_revocations(&news, None);
        self.told(command, false);
    }

    fn told(&mut self, command: CommandId, already: bool) {
        let neighbours = u32::try_from(self.linked().len()).unwrap_or(u32::MAX);
        let delivery = Delivery { state: DeliveryState::SavedHere, neighbours, acknowledged_by: Vec::new() };
        self.emit(Output::Reply { id: command, reply: plainly_saved(delivery, already) });
    }

    /// Revocations go on at once, over every link but the one they came by; what is missed comes with the next roster exchange. On a
    /// broadcast link only whoever was told by an operator says them; by radio, where rosters are not exchanged, also one of those who
    /// heard it by a line, each revocation in a message of its own and a few times, before all other words.
    pub(super) fn spread_revocations(&mut self, objects: &[Bytes], from: Option<LinkId>) {
        if objects.is_empty() {
            return;
        }
        for id in self.links.ids() {
            let Some(link) = self.links.get(&id) else { continue };
            if link.by_name {
                if Some(id) != from && self.says_revocations_on(id, from.is_none()) {
                    self.say_revocations(id, objects);
                }
            } else if Some(id) != from && (link.node.is_some() || (link.profile.broadcast && from.is_none())) {
                self.control(id, Message::Roster { objects: objects.to_vec() });
            }
        }
    }

    /// Why a node's newest key was taken away, if it was.
    pub(super) fn why_revoked(&self, node: NodeId) -> Option<String> {
        let roster = self.known.roster();
        let generation = roster.newest(node)?.generation;
        roster.revocations_of(node, generation).next().map(|why| why.reason.text().to_owned())
    }

    /// What is held of a node's logbooks: what a cut would leave standing.
    pub(super) fn heads_of(&self, asked: &str) -> Answer {
        let (id, older_s) = asked.split_once('@').map_or((asked, Some(0)), |(id, older)| (id, older.parse::<u64>().ok()));
        let newest = id.parse().ok().and_then(|node: NodeId| self.known.roster().newest(node));
        let (Some(newest), Some(older_s)) = (newest, older_s) else { return Answer::Refused(refuse::no_such_node(id)) };
        let (node, generation) = (newest.node, newest.generation);
        let mut logbooks = Vec::new();
        for (id, log) in self.replica.logs_of(node).filter(|(id, _)| id.generation == generation) {
            let old_enough = |slot: &Slot| {
                older_s == 0 || slot.age.at_wall(self.now.wall).is_some_and(|age| age >= older_s.saturating_mul(1_000))
            };
            // Of a life of which nothing is old enough, or the first word is missing, nothing would stand.
            let (number, hash) = last_of(log, old_enough).unwrap_or_default();
            let forked = self
                .replica
                .fork(id)
                .map(|proof| (proof.number, [&proof.one, &proof.other].map(|row| hex(&hash16(&row.header)))));
            let hash = hex(&hash);
            let Incarnation { count, random } = id.incarnation;
            let beyond = u32::try_from(log.slots().filter(|(held, _)| *held > number).count()).unwrap_or(u32::MAX);
            logbooks.push(HeadView { incarnation: [count, random], number, hash, beyond, forked });
        }
        let schema = "holdfast.heads/1".to_owned();
        let board = self.replica.doc(node, DocKind::Board).map(|held| &held.doc);
        let wrote_nothing = logbooks.is_empty() && board.is_some_and(|doc| doc.log.generation == generation && doc.head == 0);
        let node = self.name_of(node);
        let realm = hex(&self.known.roster().realm().0);
        Answer::Heads(HeadsView {
            schema,
            realm,
            node,
            generation: [generation.count, generation.giver],
            logbooks,
            wrote_nothing,
        })
    }
}
