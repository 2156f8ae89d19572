//! Where peers might be reached and when to try again. Local and fast, never replicated. It never gives up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::{ADDRESS_BYTES_MAX, CANDIDATES_MAX, Config};
use crate::id::NodeId;
use crate::link::LinkId;
use crate::rng::Rng;
use crate::time::Instant;

/// What is known of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Configured: never forgotten.
    pub is_static: bool,
    /// Of a node that is to be reached whatever the degree: no hint takes its place.
    pub is_wanted: bool,
    /// Who answered there last, or else whose board names the address.
    pub node: Option<NodeId>,
    /// A handshake proved it. What is only claimed keeps no configured address from being dialled.
    pub proven: bool,
    /// A dial is under way.
    pub dialling: bool,
    /// The link that came of dialling it, while it is up.
    pub link: Option<LinkId>,
    /// Dials in a row that came to nothing, or to a link that ended at once.
    pub failures: u32,
    /// The same before the last greeting.
    before: u32,
    /// Not before this.
    pub next: Instant,
    /// How long that was from the last failure.
    pub waited: Duration,
    /// Why the last dial or link ended, in words.
    pub last_error: Option<String>,
}

/// Addresses one node may claim without having answered there. A board names at most as many.
const CLAIMS_MAX: usize = 4;
/// Dials in a row that came to nothing after which another node is tried beside.
const FAILING: u32 = 2;
/// Who is wanted but keeps refusing, as a hub that holds all the links it may, waits so many times longer where there are links enough.
const PATIENT: u32 = 8;
/// Of addresses that were only heard of and do not answer so many are dialled in the longest wait, about, however many there are: a
/// PC without a line runs on its battery.
const REDIALS: usize = 16;
/// A link that ended within so long of its dial was no success.
const LASTING: Duration = Duration::from_secs(10);
/// Of a reason so much is kept.
const CAUSE_CHARS_MAX: usize = 256;

impl Contact {
    /// An address that was only heard of, does not answer, and is nobody's who is wanted.
    fn gives_way(&self) -> bool {
        !self.is_static && !self.is_wanted && self.failures > 0
    }

    /// True where a link to whoever is there is up, or may not be. A configured address counts only by what a handshake proved.
    fn leads_to(&self, linked: &BTreeSet<NodeId>, cut: &BTreeSet<NodeId>) -> bool {
        self.node.filter(|_| self.proven || !self.is_static).is_some_and(|node| linked.contains(&node) || cut.contains(&node))
    }
}

/// The address book.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    contacts: BTreeMap<String, Contact>,
    /// When [`Self::due`] next has something to say, as of its last look.
    next: Option<Instant>,
    /// Something it depends on changed since.
    stale: bool,
    /// Hints there are, and how many of them may make room for another: worked out when contacts change, for a board may bring an
    /// address with every version, and mostly there is nothing to do with it.
    hints: usize,
    failing: usize,
}

/// Why links end and dials fail, by what stands in each cause, first match first.
const CAUSES: &[(&str, &str)] = &[
    ("cut off for a drill", "因演練而切斷"),
    ("that is this node itself", "這是本據點自己"),
    ("does not admit this one", "對方不接受本據點：屬於其他聯盟，或已切斷"),
    ("was revoked", "對方不接受：憑證已被撤銷"),
    ("not of this alliance or not admitted", "對方不屬於這個聯盟，或不被接受"),
    ("not a Holdfast node of this version", "那裡不是這個版本的 Holdfast 據點"),
    ("another version of QUIC", "那裡使用其他版本的 QUIC"),
    ("speaks another protocol", "那裡使用其他協定"),
    ("too busy for another link", "對方太忙，無法再建立連線"),
    ("nobody answers", "沒有回應"),
    ("does not let this one in within", "對方有回應，但沒有及時接受本據點"),
    ("ended the handshake", "對方中斷了連線程序"),
    ("has gone silent", "對方不再回應"),
    ("has started anew", "對方已重新啟動"),
    ("the sync link is switched off", "設定檔關閉了 sync 連線"),
    ("its firm holds more links here than any other", "對方的連線已滿，而本公司的據點已占最多"),
    ("closed here", "由本據點關閉"),
    ("hung up", "對方結束連線"),
];

/// A cause in Chinese, for people; one that no list names as it came.
#[must_use]
pub fn in_chinese(cause: &str) -> String {
    CAUSES.iter().find(|(said, _)| cause.contains(said)).map_or_else(|| cause.to_owned(), |(_, zh)| (*zh).to_owned())
}

impl Peers {
    /// All addresses, ascending.
    pub fn contacts(&self) -> impl Iterator<Item = (&str, &Contact)> {
        self.contacts.iter().map(|(address, contact)| (address.as_str(), contact))
    }

    /// Notes an address; a known one only gains. Of one node's claims and of all hints so many are kept; of those that answer
    /// least one makes room.
    pub fn add(&mut self, address: String, is_static: bool, node: Option<NodeId>, now: Instant) {
        if address.len() > ADDRESS_BYTES_MAX {
            return;
        }
        if let Some(contact) = self.contacts.get_mut(&address) {
            self.stale |= is_static && !contact.is_static;
            contact.is_static |= is_static;
            if !contact.proven && contact.node != node {
                self.stale = true;
                // Two claim it, or somebody claims what was configured: who is there is found out by dialling.
                contact.node = None;
            }
            if is_static {
                self.count();
            }
            return;
        }
        if !is_static {
            let claims = |contact: &Contact| node.is_some() && contact.node == node && !contact.proven && !contact.is_static;
            let many = self.contacts.values().filter(|contact| claims(contact)).count() >= CLAIMS_MAX;
            let room = self.takes_hints();
            let full = self.hints >= CANDIDATES_MAX;
            if (many && !self.forget_worst(claims)) || (!many && full && !(room && self.forget_worst(Contact::gives_way))) {
                return;
            }
        }
        self.stale = true;
        let proven = false;
        let contact = Contact {
            is_static,
            is_wanted: false,
            node,
            proven,
            dialling: false,
            link: None,
            failures: 0,
            before: 0,
            next: now,
            waited: Duration::ZERO,
            last_error: None,
        };
        self.contacts.insert(address, contact);
        self.count();
    }

    /// True where an address that nobody asked for would be kept.
    #[must_use]
    pub fn takes_hints(&self) -> bool {
        self.hints < CANDIDATES_MAX || self.failing > 0
    }

    fn count(&mut self) {
        self.hints = self.contacts.values().filter(|contact| !contact.is_static).count();
        self.failing = self.contacts.values().filter(|contact| contact.gives_way()).count();
    }

    /// Forgets the idle address among `which` that failed most often. False where there is none.
    fn forget_worst(&mut self, which: impl Fn(&Contact) -> bool) -> bool {
        let idle = self.contacts.iter().filter(|(_, contact)| contact.link.is_none() && !contact.dialling && which(contact));
        let worst = idle.max_by_key(|(_, contact)| contact.failures).map(|(address, _)| address.clone());
        let forgotten = worst.is_some_and(|address| self.contacts.remove(&address).is_some());
        self.count();
        forgotten
    }

    /// Notes an address of a node that is wanted: any idle hint makes room for it.
    pub fn add_wanted(&mut self, address: String, node: NodeId, now: Instant) {
        if !self.contacts.contains_key(&address) && self.hints >= CANDIDATES_MAX {
            self.forget_worst(|contact| !contact.is_static && !contact.is_wanted && contact.node != Some(node));
        }
        self.add(address.clone(), false, Some(node), now);
        if let Some(contact) = self.contacts.get_mut(&address).filter(|contact| !contact.is_wanted) {
            contact.is_wanted = true;
            self.count();
        }
    }

    /// Whoever was wanted once and is no more makes room for others again.
    fn release(&mut self, wanted: &BTreeSet<NodeId>) {
        let over = |contact: &&mut Contact| contact.is_wanted && contact.node.is_none_or(|node| !wanted.contains(&node));
        let released = self.contacts.values_mut().filter(over).map(|contact| contact.is_wanted = false).count();
        if released > 0 {
            self.count();
        }
    }

    /// True where an address of the node is known.
    #[must_use]
    pub fn knows(&self, node: NodeId) -> bool {
        self.contacts.values().any(|contact| contact.node == Some(node))
    }

    /// True where an address of the node is known that did not just fail again and again.
    #[must_use]
    pub fn may_answer(&self, node: NodeId) -> bool {
        self.contacts.values().any(|contact| contact.node == Some(node) && contact.failures < FAILING)
    }

    /// Links or cuts changed: who is to be dialled may have, too.
    pub fn look_again(&mut self) {
        self.stale = true;
    }

    /// True where [`Self::due`] may have something to say.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.stale || self.next.is_some_and(|at| at <= now)
    }

    /// Addresses to dial now. `linked` are nodes with a link already, `cut` those not to be reached, `wanted` those to be reached
    /// whatever the degree.
    pub fn due(
        &mut self,
        now: Instant,
        linked: &BTreeSet<NodeId>,
        cut: &BTreeSet<NodeId>,
        wanted: &BTreeSet<NodeId>,
        degree: usize,
    ) -> Vec<String> {
        // A dial under way may become a link: hints wait for what comes of it.
        let on_the_way = |contact: &&Contact| contact.dialling || (contact.link.is_some() && !contact.leads_to(linked, cut));
        let on_the_way = self.contacts.values().filter(on_the_way).count();
        let mut budget = degree.saturating_sub(linked.len()).saturating_sub(on_the_way);
        let mut due = Vec::new();
        (self.next, self.stale) = (None, false);
        self.release(wanted);
        for (address, contact) in &mut self.contacts {
            let busy = contact.dialling || contact.link.is_some() || contact.leads_to(linked, cut);
            // Static addresses are dialled whatever the degree: somebody wrote them down on purpose.
            let asked_for = contact.is_static || contact.node.is_some_and(|node| wanted.contains(&node));
            if busy || (!asked_for && budget == 0) {
                continue;
            }
            let patient = budget == 0 && !contact.is_static && contact.failures >= FAILING;
            let next = if patient { contact.next.after(contact.waited.saturating_mul(PATIENT - 1)) } else { contact.next };
            if next <= now {
                budget = budget.saturating_sub(1);
                contact.dialling = true;
                due.push(address.clone());
            } else {
                self.next = Some(self.next.map_or(next, |first| first.min(next)));
            }
        }
        due
    }

    /// When [`Self::due`] may next have something to say, as far as it has looked.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// A dial came to nothing: wait longer, jittered, never for ever.
    pub fn failed(&mut self, address: &str, cause: &str, now: Instant, config: &Config, rng: &mut Rng) {
        self.stale = true;
        let crowd = u32::try_from(self.failing.div_ceil(REDIALS).max(1)).unwrap_or(u32::MAX);
        if let Some(contact) = self.contacts.get_mut(address) {
            contact.dialling = false;
            contact.failures = contact.failures.saturating_add(1);
            contact.last_error = Some(cause.chars().take(CAUSE_CHARS_MAX).collect());
            let longest = if contact.gives_way() { config.redial_max.saturating_mul(crowd) } else { config.redial_max };
            let wait = config.redial_min.saturating_mul(1 << contact.failures.saturating_sub(1).min(10)).min(longest);
            let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
            contact.waited = Duration::from_micros(micros / 2 + rng.below(micros / 2 + 1));
            contact.next = now.after(contact.waited);
        }
        self.count();
    }

    /// A dialled link is up.
    pub fn up(&mut self, address: &str, link: LinkId) {
        self.stale = true;
        if let Some(contact) = self.contacts.get_mut(address) {
            contact.dialling = false;
            contact.link = Some(link);
        }
    }

    /// The greeting proved who is there.
    pub fn proven(&mut self, link: LinkId, node: NodeId) {
        for contact in self.contacts.values_mut().filter(|contact| contact.link == Some(link)) {
            contact.before = contact.failures;
            contact.failures = 0;
            contact.last_error = None;
        }
        self.count();
        self.identified(link, node);
    }

    /// A handshake showed whose key answers there; whether the link is any good is another matter.
    pub fn identified(&mut self, link: LinkId, node: NodeId) {
        self.stale = true;
        for contact in self.contacts.values_mut().filter(|contact| contact.link == Some(link)) {
            contact.node = Some(node);
            contact.proven = true;
        }
    }

    /// A link ended. Dialled again soon; at once only after the usual first wait.
    pub fn down(&mut self, link: LinkId, cause: &str, now: Instant, config: &Config, rng: &mut Rng) {
        self.stale = true;
        let address = self.contacts.iter().find(|(_, contact)| contact.link == Some(link)).map(|(address, _)| address.clone());
        if let Some(address) = address {
            if let Some(contact) = self.contacts.get_mut(&address) {
                contact.link = None;
                // Who greets and is hung up on, as a revoked PC is, must not come again every second for ever.
                if now.since(contact.next) < LASTING {
                    contact.failures = contact.failures.max(contact.before);
                }
            }
            self.failed(&address, cause, now, config, rng);
        }
    }

    /// Forget the waiting: the network changed or a fault ended.
    pub fn retry_now(&mut self, now: Instant) {
        self.stale = true;
        for contact in self.contacts.values_mut() {
            contact.failures = 0;
            contact.next = contact.next.min(now);
        }
        self.count();
    }
}

#[cfg(test)]
mod tests;
