//! Answers to questions, from memory and without effect.

use std::collections::{BTreeMap, BTreeSet};

use super::Node;
use super::refuse;
use crate::config::{INCARNATIONS_WARN, WINDOW_WARN_PERCENT};
use crate::control::{
    Answer, ConflictsView, ConsignmentsView, DigestView, NodeView, PeerView, PeersView, Question, RequestView, RequestsView,
    StatusView, StockView, Warning, Which,
};
use crate::id::{DocKind, EntryId, FactId, NodeId};
use crate::identity::Alarm;

/// A neighbour's clock that differs by more than this is worth a word.
const SKEW_WARN_S: i64 = 600;

impl Node {
    pub(super) fn tell(&mut self, question: &Question) -> Answer {
        self.domain.settle();
        match question {
            Question::Status => Answer::Status(self.status()),
            Question::Requests(which) => Answer::Requests(self.requests(*which)),
            Question::Request(spoken) => match self.domain.find_request(spoken) {
                Ok(fact) => match self.request_view(fact) {
                    Some(request) => Answer::Request(Box::new(request)),
                    None => Answer::Refused(refuse::no_such_ticket(spoken)),
                },
                Err(refusal) => Answer::Refused(refusal),
            },
            Question::Peers => Answer::Peers(self.peers_view()),
            Question::Digest => Answer::Digest(self.digest_view()),
            Question::Delivery(text) => match self.ticket(text) {
                Some(ticket) => Answer::Delivery(self.delivery(ticket)),
                None => Answer::Refused(refuse::no_such_ticket(text)),
            },
            Question::Metrics => Answer::Metrics(self.metrics()),
            Question::Heads(asked) => self.heads_of(asked),
            Question::Orders => Answer::Orders(self.orders_view()),
            Question::Consignments(which) => Answer::Consignments(self.consignments_view(*which)),
            Question::Conflicts => Answer::Conflicts(self.conflicts_view()),
            Question::Stock => Answer::Stock(self.stock_view()),
            Question::Person { of, key } => self.tell_person(*of, *key),
            Question::Acts(of) => self.tell_acts(of),
        }
    }

    /// The domain's canonical view: equal bytes on nodes that hold the same (P7). For tests and the simulator.
    #[must_use]
    pub fn canonical_view(&self) -> Vec<u8> {
        self.domain.canonical_view()
    }

    fn status(&mut self) -> StatusView {
        let mut ids: Vec<NodeId> = self.known.directory().nodes.keys().copied().filter(|node| *node != self.me).collect();
        ids.insert(0, self.me);
        StatusView {
            schema: "holdfast.status/1".to_owned(),
            node: self.name_of(self.me),
            home_hub: self.home_hub().map(|hub| self.name_of(hub)),
            realm: self.known.roster().kind().text().to_owned(),
            digest: self.digest_hex(),
            nodes: ids.into_iter().map(|node| self.node_view(node)).collect(),
            requests_open: self.domain.requests_open(),
            conflicts: self.domain.conflicts().saturating_add(u32::try_from(self.replica.forks().count()).unwrap_or(0)),
            neighbours: u32::try_from(self.linked().len()).unwrap_or(u32::MAX),
            warnings: self.warnings(),
            radio: None,
            board: None,
        }
    }

    fn node_view(&self, node: NodeId) -> NodeView {
        let entry = self.known.directory().nodes.get(&node).cloned().unwrap_or_default();
        let board_age = self.doc_age(node, DocKind::Board);
        let operating = self.domain.operating_status(node, board_age);
        let linked = self.links.values().any(|link| link.node == Some(node) || link.audible.contains(&node));
        let age_of = |id: EntryId| self.held_age(id);
        NodeView {
            id: node.to_string(),
            name: if entry.name.is_empty() { node.to_string() } else { entry.name },
            role: entry.role,
            tier: entry.tier,
            firm: entry.firm,
            region: entry.region,
            operating_status: operating.word.to_owned(),
            was: operating.was.map(str::to_owned),
            unknown_because: operating.because.map(str::to_owned),
            age_s: board_age.map(|age| age / 1_000),
            reachable: linked || node == self.me,
            via: self.via.get(&node).cloned(),
            readings: self.domain.readings(node, board_age, self.doc_age(node, DocKind::Detail)),
            observations: self.domain.observations_of(node, self.known.directory(), &age_of),
            forked: self
                .replica
                .forks()
                .any(|(log, _)| log.author == node && self.replica.log(log).is_none_or(|log| log.pin().is_none())),
            mode: self.domain.mode_view(node, self.known.directory()),
            lapsed: self.has_lapsed(node),
            revoked: self.why_revoked(node),
        }
    }

    /// Age of a held entry: as told when it came, plus what passed, never below our clock minus the author's stamp.
    fn held_age(&self, id: EntryId) -> Option<u64> {
        let slot = self.replica.log(id.log)?.slot(id.number)?;
        let plain = slot.age.at_wall(self.now.wall)?;
        Some(plain.max(self.now.wall.since(slot.wall)))
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |code: &str, en: String, zh: &str| warnings.push(Warning { code: code.to_owned(), en, zh: zh.to_owned() });
        if let Some(cause) = self.own.stopped() {
            warn(
                "H-502",
                format!("Writing has stopped: {cause}. Does another PC run as this one?"),
                &format!("已停止寫入：{cause}。是不是有另一台電腦用同一個身分在執行？"),
            );
        }
        if self.known.roster().is_revoked(self.me, self.generation) {
            let refusal = refuse::revoked();
            let (en, zh) = (format!("{} {}", refusal.what.en, refusal.fix.en), format!("{}{}", refusal.what.zh, refusal.fix.zh));
            warn("H-506", en, &zh);
        }
        let skews = self.links.values().filter_map(|link| link.clock_skew_ms).map(|ms| ms / 1_000);
        if let Some(skew) = skews.filter(|skew| skew.abs() > SKEW_WARN_S).max_by_key(|skew| skew.abs()) {
            let en = format!(
                "This PC's clock and a neighbour's differ by {} min. Ages may be shown as unknown: check the clock.",
                skew.abs() / 60
            );
            let zh = format!("這台電腦的時間和鄰近據點相差 {} 分鐘，資料的時間可能顯示為不明，請校正時間。", skew.abs() / 60);
            warn("H-402", en, &zh);
        }
        if let Some(log) = self.current_log().and_then(|log| self.replica.log(log))
            && log.window_percent() >= WINDOW_WARN_PERCENT
        {
            warn(
                "H-403",
                "This node's logbook is nearly full of open matters: close old requests.".to_owned(),
                "這個據點未結案的紀錄太多，請結束舊的需求。",
            );
        }
        let lives = self.replica.logs_of(self.me).filter(|(id, _)| id.generation == self.generation).count();
        if lives >= INCARNATIONS_WARN {
            warn(
                "H-404",
                "This node has started anew many times: is its disk failing, or is it restored from backups?".to_owned(),
                "這個據點多次從頭開始：硬碟是不是快壞了？",
            );
        }
        if let Some(hub) = self.config.home_hub.filter(|hub| *hub != self.me && self.home_hub().is_none()) {
            warn(
                "H-406",
                format!("The home hub {hub} of the configuration is not a hub certified here: requests ask every hub."),
                &format!("設定的 home_hub {hub} 不是這裡已認證的集散中心：補給需求會通知所有集散中心。"),
            );
        }
        if self.replica.forks().count() > 0 {
            warn(
                "H-405",
                "A logbook holds two stories under one number and is frozen there.".to_owned(),
                "有據點的紀錄出現兩種說法，已凍結。",
            );
        }
        let (mut forked, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for alarm in self.known.roster().alarms() {
            match alarm {
                Alarm::ForkedName(node, _) => forked.insert(node),
                Alarm::SharedKey(_, node) => shared.insert(node),
            };
        }
        let names = |nodes: &BTreeSet<NodeId>| nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if !forked.is_empty() {
            let nodes = names(&forked);
            warn(
                "H-407",
                format!(
                    "Certified twice under one name: {nodes}. Neither certificate counts until their issuer gives a new one."
                ),
                &format!("同一個據點有兩份不同的憑證：{nodes}。發證單位重新發證之前，兩份都不算數。"),
            );
        }
        if !shared.is_empty() {
            let nodes = names(&shared);
            warn(
                "H-408",
                format!(
                    "Certified with one key: {nodes}. Whoever has that key can speak for each: ask their issuers for new ones."
                ),
                &format!("這些據點的憑證用了同一支金鑰：{nodes}。持有金鑰的人可以冒用任何一個，請發證單位重新發證。"),
            );
        }
        let loud = self.quotas.loud(self.now.mono).collect::<BTreeSet<_>>();
        if !loud.is_empty() {
            let nodes = names(&loud);
            warn(
                "H-409",
                format!(
                    "Far more comes from {nodes} than staff could write. Nothing is lost, and others go first. Ask there whether a \
                     program writes it; if nobody knows of it, have the key revoked by its issuer."
                ),
                &format!(
                    "{nodes} 送來的訊息多到不像是人寫的。沒有遺失任何內容，其他據點的訊息優先。請詢問對方是否有程式在寫；若沒有人知道，請發證單位撤銷金鑰。"
                ),
            );
        }
        warnings
    }

    fn consignments_view(&self, which: Which) -> ConsignmentsView {
        let consignments = self.domain.consignment_views(self.known.directory(), which);
        ConsignmentsView { schema: "holdfast.consignments/1".to_owned(), consignments }
    }

    fn conflicts_view(&self) -> ConflictsView {
        let conflicts = self.domain.conflict_views(self.known.directory());
        ConflictsView { schema: "holdfast.conflicts/1".to_owned(), conflicts }
    }

    fn stock_view(&self) -> StockView {
        let node = self.known.directory().name(self.me);
        StockView { schema: "holdfast.stock/1".to_owned(), node, items: self.domain.shelf_views(self.me) }
    }

    fn requests(&self, which: Which) -> RequestsView {
        let requests = self.domain.requests(self.known.directory(), self.now, which).into_iter();
        let requests = requests.map(|(fact, view)| self.with_delivery(fact, view)).collect();
        RequestsView { schema: "holdfast.requests/1".to_owned(), requests }
    }

    /// One request as shown, with its delivery where we wrote it.
    pub(super) fn request_view(&self, fact: FactId) -> Option<RequestView> {
        let view = self.domain.request(fact, self.known.directory(), self.now)?;
        Some(self.with_delivery(fact, view))
    }

    fn with_delivery(&self, fact: FactId, view: RequestView) -> RequestView {
        let own = fact.entry.log.author == self.me;
        RequestView { delivery: own.then(|| self.delivery(super::delivery::Ticket::Fact(fact))), ..view }
    }

    fn peers_view(&mut self) -> PeersView {
        let root = self.root();
        let mut peers: BTreeMap<NodeId, PeerView> = BTreeMap::new();
        let blank = |id: Option<String>, name: Option<String>| PeerView {
            id,
            name,
            addresses: Vec::new(),
            links: Vec::new(),
            state: "waiting".to_owned(),
            retry_s: None,
            last_error: None,
            last_error_zh: None,
            clock_skew_s: None,
            in_step: false,
        };
        for node in self.known.directory().nodes.keys().copied().filter(|node| *node != self.me) {
            let name = self.name_of(node);
            peers.insert(node, blank(Some(name.id), Some(name.name)));
        }
        for link in self.links.values() {
            for node in link.node.iter().chain(&link.audible) {
                let Some(peer) = peers.get_mut(node) else { continue };
                peer.links.push(link.profile.label.clone());
                peer.state = "up".to_owned();
                peer.clock_skew_s = peer.clock_skew_s.or(link.clock_skew_ms.map(|ms| ms / 1_000));
                peer.in_step |= Self::is_in_step(link, root);
            }
        }
        let mut strangers = Vec::new();
        for (address, contact) in self.peers.contacts() {
            let mut unknown = blank(None, None);
            let peer = contact.node.and_then(|node| peers.get_mut(&node)).unwrap_or(&mut unknown);
            peer.addresses.push(address.to_owned());
            if peer.links.is_empty() {
                peer.state =
                    if contact.dialling || contact.link.is_some() { "connecting".to_owned() } else { peer.state.clone() };
                peer.retry_s = (!contact.dialling).then(|| contact.next.since(self.now.mono).as_secs());
                peer.last_error = contact.last_error.clone().or(peer.last_error.take());
                peer.last_error_zh = peer.last_error.as_deref().map(crate::peers::in_chinese);
            }
            if contact.node.is_none_or(|node| !self.known.directory().nodes.contains_key(&node)) {
                strangers.push(unknown);
            }
        }
        for node in &self.cut {
            if let Some(peer) = peers.get_mut(node) {
                peer.state = "cut".to_owned();
            }
        }
        PeersView { schema: "holdfast.peers/1".to_owned(), peers: peers.into_values().chain(strangers).collect() }
    }

    fn digest_view(&mut self) -> DigestView {
        let root = self.root();
        let linked: Vec<_> = self.links.values().filter(|link| link.node.is_some()).collect();
        let idle = self.jobs.is_empty() && self.wants.is_empty() && self.own.queued() == 0;
        let converged = idle && linked.iter().all(|link| link.outbox.is_empty() && Self::is_in_step(link, root));
        DigestView {
            schema: "holdfast.digest/1".to_owned(),
            converged,
            neighbours: u32::try_from(linked.len()).unwrap_or(u32::MAX),
            entries: self.replica.entries(),
            boards: self.replica.docs(DocKind::Board).count() as u64,
            holes: self.replica.holes(),
            digest: self.digest_hex(),
        }
    }

    fn digest_hex(&mut self) -> String {
        use std::fmt::Write;
        self.root().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    fn metrics(&self) -> BTreeMap<String, u64> {
        let mut metrics: BTreeMap<String, u64> = self.counters.counted().map(|(name, value)| (name.to_owned(), value)).collect();
        let waiting = self.links.values().map(|link| link.outbox.len() as u64).sum();
        let dropped = self.links.values().map(|link| link.outbox.dropped()).sum();
        let gauges = [
            ("entries", self.replica.entries()),
            ("boards", self.replica.docs(DocKind::Board).count() as u64),
            ("neighbours", self.linked().len() as u64),
            ("links", self.links.len() as u64),
            ("outbox_items", waiting),
            ("outbox_dropped_total", dropped),
            ("store_jobs_waiting", self.jobs.len() as u64),
            ("entries_waiting_for_store", self.pending.len() as u64),
            ("wants_waiting", self.wants.len() as u64),
            ("entries_wanted", self.wanted.len() as u64),
            ("grafts_waiting", self.grafts.len() as u64),
            ("commands_waiting", self.own.queued() as u64),
            ("requests_open", u64::from(self.domain.requests_open())),
            ("forks", self.replica.forks().count() as u64),
        ];
        metrics.extend(gauges.into_iter().map(|(name, value)| (name.to_owned(), value)));
        metrics
    }
}
