//! `holdfast watch`: a line for each change, with what it is about. A daemon that restarts is waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use holdfast_proto::control::{ConsignmentsView, Event, HistoryView, RequestsView, StatusView};
use holdfast_proto::domain::spoken;
use holdfast_proto::id::FactId;
use holdfast_proto::peers::in_chinese;
use holdfast_proto::time::UtcMillis;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::act::Pause;
use crate::client::Client;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::fields;
use crate::lang::Lang;
use crate::look::{style_of_goods, with_schema};
use crate::story;
use crate::text::clean;
use crate::view::{self, Style};
use crate::when;
use crate::words::delivery;

/// `holdfast watch`: one line per change until Ctrl-C or until nobody reads. A daemon that ends is said and waited for.
///
/// # Errors
/// No daemon at first, or it did not come back.
pub(crate) fn watch(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    let mut events = client.events()?;
    let mut picture = if desk.json { None } else { Some(Picture::of(client, style_of_goods(desk, client)?)?) };
    desk.note("(one line per change; Ctrl-C to leave)", "（每有變化顯示一行，按 Ctrl-C 離開）");
    while desk.is_heard() {
        let Ok(event) = events.recv() else {
            show(desk, json!({"event": LOST}), None);
            events = listen_again(client)?;
            show(desk, json!({"event": BACK}), None);
            continue;
        };
        // What came together is looked up together.
        let together: Vec<Value> = std::iter::once(event).chain(events.try_iter()).collect();
        if let Some(picture) = &mut picture {
            picture.renew(client, &together);
        }
        for event in together {
            show(desk, event, picture.as_mut());
        }
    }
    Ok(Exit::Done)
}

/// What `watch` says of the daemon itself, beside the daemon's own events.
const LOST: &str = "daemon_lost";
const BACK: &str = "daemon_back";
/// A daemon that ended is waited for so long: a PC that restarts is back by then.
const BACK_WITHIN: Duration = Duration::from_secs(600);

fn listen_again(client: &Client) -> Result<Receiver<Value>, Failure> {
    let mut pause = Pause::within(BACK_WITHIN);
    while pause.wait() {
        match client.events() {
            Ok(events) => return Ok(events),
            // It is not there yet, or is just ending.
            Err(failure) if matches!(failure.exit(), Exit::NotRunning | Exit::Failed) => {}
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::new(
        Exit::NotRunning,
        "H-817",
        words("The daemon has ended and did not come back.", "背景程式已結束，也沒有恢復。"),
        words("Nothing more will be heard from it.", "不會再收到任何變化。"),
        words("Start it again, then watch again.", "請重新啟動後再執行 watch。"),
    ))
}

fn show(desk: &mut Desk<'_>, mut event: Value, picture: Option<&mut Picture>) {
    let at = when::rfc3339(UtcMillis(Timestamp::now().as_millisecond()));
    if desk.json {
        with_schema(&mut event, "holdfast.event/1");
        if let (Some(object), Some(at)) = (event.as_object_mut(), at) {
            object.entry("heard_at").or_insert_with(|| Value::from(at));
        }
        return desk.object(&event);
    }
    let time = at.and_then(|text| text.get(11..19).map(str::to_owned)).unwrap_or_default();
    let line = event_line(event, desk.lang, picture, &desk.own);
    desk.say(&format!("{time}  {line}"));
}

/// One event as a sentence; one this version does not know stands as it came.
fn event_line(value: Value, lang: Lang, picture: Option<&mut Picture>, own: &str) -> String {
    match value.get("event").and_then(Value::as_str) {
        Some(LOST) => return lang.of("the daemon has ended; waiting for it", "背景程式已結束，等待恢復").to_owned(),
        Some(BACK) => {
            let en = format!("the daemon is back; for what changed meanwhile see `{own} status`");
            return lang.of(en, format!("背景程式已恢復；期間的變化請看 `{own} status`"));
        }
        Some(_) | None => {}
    }
    let Ok(event) = serde_json::from_value::<Event>(value.clone()) else { return clean(&value.to_string()) };
    let unknown = || lang.of("unknown", "不明").to_owned();
    let content = picture.map(|picture| picture.content(&event)).unwrap_or_default();
    let quoted = |cause: &str| lang.of(cause.to_owned(), cause_in_chinese(cause));
    let text = match event {
        Event::Board { node, version } => {
            lang.of(format!("{node} said how it is (v{version})"), format!("{node} 更新了現況（v{version}）"))
        }
        Event::Entries { author, first, count: 1 } => {
            lang.of(format!("{author} wrote entry {first}"), format!("{author} 寫入第 {first} 筆"))
        }
        Event::Entries { author, first, count } => {
            lang.of(format!("{author} wrote {count} entries from {first}"), format!("{author} 自第 {first} 筆起寫入 {count} 筆"))
        }
        Event::Withdrawn { author, number } => {
            lang.of(format!("entry {number} of {author} no longer counts"), format!("{author} 第 {number} 筆不再計入"))
        }
        Event::PeerUp { node, label } => lang.of(format!("link to {node} is up ({label})"), format!("與 {node} 連線（{label}）")),
        Event::PeerDown { node, cause } => {
            let node = node.map_or_else(unknown, |node| node.to_string());
            lang.of(format!("link to {node} is down: {cause}"), format!("與 {node} 斷線：{}", in_chinese(&cause)))
        }
        Event::Healed { node, took_ms, received, sent } => lang.of(
            format!("equal with {node} again after {took_ms} ms ({received} received, {sent} sent)"),
            format!("與 {node} 已一致，費時 {took_ms} 毫秒（收 {received}、送 {sent}）"),
        ),
        Event::Rejected { node, reason } => {
            let node = node.map_or_else(unknown, |node| node.to_string());
            let reason = quoted(&reason);
            lang.of(format!("refused something from {node}: {reason}"), format!("拒收來自 {node} 的資料：{reason}"))
        }
        Event::Forked { author, number } => lang.of(
            format!("two stories under number {number} of {author}: frozen there"),
            format!("{author} 第 {number} 筆有兩種內容，已在此凍結"),
        ),
        Event::Revoked { node, reason } => {
            let why = crate::words::word(&reason, lang);
            lang.of(
                format!("the key of {node} was revoked ({why}): what it says from now on counts no more"),
                format!("{node} 的憑證已撤銷（{why}）：之後的訊息不再採信"),
            )
        }
        Event::Incarnation { count, cause } => {
            let cause = quoted(&cause);
            lang.of(format!("this node began logbook {count}: {cause}"), format!("本據點開始第 {count} 本紀錄簿：{cause}"))
        }
        Event::Stopped { cause } => {
            lang.of(format!("this node stopped writing: {cause}"), format!("本據點停止寫入：{}", quoted(&cause)))
        }
        Event::StoreFailed { cause } => {
            lang.of(format!("the store refused a write: {cause}"), format!("儲存失敗：{}", quoted(&cause)))
        }
        Event::Delivery { ticket, delivery: state } => {
            let what = if content.is_empty() { ticket } else { content.clone() };
            return clean(&format!("{what}  {}", delivery(&state, lang)));
        }
        Event::Fault { what } => {
            let zh = match what.strip_prefix("cut off from ") {
                Some(nodes) => format!("切斷與 {} 的連線", nodes.replace(", ", "、")),
                None if what == "all cuts ended" => "恢復所有連線".to_owned(),
                None => format!("系統訊息「{what}」"),
            };
            lang.of(format!("drill: {what}"), format!("演練：{zh}"))
        }
        Event::Bug { what } => lang.of(format!("a bug, please report: {what}"), format!("程式錯誤，請回報：{what}")),
    };
    if content.is_empty() {
        return clean(&text);
    }
    clean(&lang.of(format!("{text}: {content}"), format!("{text}：{content}")))
}

/// Why a node began a new logbook or stopped writing, by what stands in each cause.
const CAUSES: &[(&str, &str)] = &[
    ("first start", "第一次啟動"),
    ("the store is empty but this node had spoken before", "資料庫是空的，但本據點以前發過訊息"),
    ("this store is a copy, a backup or older", "資料庫是複本、備份，或比已發出的內容舊"),
    ("a peer holds words of this node that its store lacks", "其他據點有本據點資料庫所缺的內容"),
    ("peers hold an earlier life of this node", "其他據點有本據點資料庫所遺失的舊紀錄簿"),
    ("in this node's name came in that it did not write", "收到以本據點名義、但不是它寫的資料：是否有另一台電腦冒用它？"),
    ("two stories under one number", "本據點的紀錄簿中同一編號有兩種內容：是否有另一台電腦冒用它？"),
];

fn cause_in_chinese(cause: &str) -> String {
    let known = CAUSES.iter().find(|(said, _)| cause.contains(said));
    known.map_or_else(|| format!("系統訊息「{cause}」"), |(_, zh)| (*zh).to_owned())
}

/// One act on a request, as far as it can be told from others.
type ActKey = (String, String, String, u32, Option<i64>);

/// What the daemon held at the last look: what came since is what a change is about.
struct Picture {
    style: Style,
    /// Readings by node and field.
    boards: BTreeMap<String, BTreeMap<String, Value>>,
    /// Ids of the requests, and all acts on them.
    requests: BTreeSet<String>,
    acts: BTreeSet<ActKey>,
    /// What came with the last look, by node, until it is told.
    said: BTreeMap<String, Vec<String>>,
    written: BTreeMap<String, Vec<String>>,
}

impl Picture {
    fn of(client: &Client, style: Style) -> Result<Self, Failure> {
        let mut picture = Self {
            style,
            boards: BTreeMap::new(),
            requests: BTreeSet::new(),
            acts: BTreeSet::new(),
            said: BTreeMap::new(),
            written: BTreeMap::new(),
        };
        picture.look_at_boards(&client.ask("/api/v1/status")?);
        picture.look_at_requests(&client.ask("/api/v1/requests")?);
        if let Ok(view) = client.ask("/api/v1/consignments") {
            picture.look_at_convoys(&view);
        }
        picture.said.clear();
        picture.written.clear();
        Ok(picture)
    }

    /// Looks again at what these events speak of. A look that fails leaves them without their content.
    fn renew(&mut self, client: &Client, events: &[Value]) {
        let speak_of = |name: &str| events.iter().any(|event| event.get("event").and_then(Value::as_str) == Some(name));
        self.said.clear();
        self.written.clear();
        if speak_of("board")
            && let Ok(view) = client.ask("/api/v1/status")
        {
            self.look_at_boards(&view);
        }
        if (speak_of("entries") || speak_of("delivery"))
            && let Ok(view) = client.ask("/api/v1/requests")
        {
            self.look_at_requests(&view);
            if let Ok(view) = client.ask("/api/v1/consignments") {
                self.look_at_convoys(&view);
            }
        }
    }

    fn look_at_boards(&mut self, view: &StatusView) {
        for node in &view.nodes {
            let before = self.boards.entry(node.id.clone()).or_default();
            for (name, reading) in &node.readings {
                if before.get(name) != Some(&reading.value) {
                    let (label, value) = (
                        fields::label(name, &self.style.goods, self.style.lang),
                        fields::value_text(name, reading, self.style.lang),
                    );
                    self.said.entry(node.id.clone()).or_default().push(format!("{label} {value}"));
                }
            }
            *before = node.readings.iter().map(|(name, reading)| (name.clone(), reading.value.clone())).collect();
        }
    }

    /// What is new of a promise or a convoy, as its story tells it.
    fn look_at_acts(&mut self, of: &str, history: &[HistoryView]) {
        for act in history {
            let key = (of.to_owned(), act.act.clone(), act.by.id.clone(), act.version, act.at.map(|at| at.0));
            if self.acts.insert(key) {
                self.written.entry(act.by.id.clone()).or_default().push(story::line_of(of, act, &self.style));
            }
        }
    }

    fn look_at_convoys(&mut self, view: &ConsignmentsView) {
        for convoy in &view.consignments {
            self.look_at_acts(&convoy.consignment, &convoy.history);
        }
    }

    fn look_at_requests(&mut self, view: &RequestsView) {
        for request in &view.requests {
            self.requests.insert(request.request.clone());
            for act in &request.history {
                let at = act.at.map(|at| at.0);
                let key = (request.request.clone(), act.act.clone(), act.by.id.clone(), act.version, at);
                if self.acts.insert(key) {
                    let line = view::act_line(request, act, &self.style);
                    self.written.entry(act.by.id.clone()).or_default().push(line);
                }
            }
            for promise in &request.commitments {
                self.look_at_acts(&promise.commitment, &promise.history);
            }
        }
    }

    /// What an event is about; empty where it is nothing that is shown.
    fn content(&mut self, event: &Event) -> String {
        let all = |told: Option<Vec<String>>, gap: &str| told.unwrap_or_default().join(gap);
        let lang = self.style.lang;
        match event {
            Event::Board { node, .. } => all(self.said.remove(&node.to_string()), lang.of(", ", "、")),
            Event::Entries { author, .. } => all(self.written.remove(&author.to_string()), lang.of("; ", "；")),
            Event::Delivery { ticket, .. } if ticket.starts_with('b') => lang.of("this node's report", "本據點的回報").to_owned(),
            Event::Delivery { ticket, .. } => {
                let id = fact_of(ticket).map(spoken).filter(|id| self.requests.contains(id));
                id.unwrap_or_else(|| lang.of("what was written here", "本據點寫入的資料").to_owned())
            }
            Event::Withdrawn { .. }
            | Event::PeerUp { .. }
            | Event::PeerDown { .. }
            | Event::Healed { .. }
            | Event::Rejected { .. }
            | Event::Forked { .. }
            | Event::Revoked { .. }
            | Event::Incarnation { .. }
            | Event::Stopped { .. }
            | Event::StoreFailed { .. }
            | Event::Fault { .. }
            | Event::Bug { .. } => String::new(),
        }
    }
}

/// The fact that a ticket names: `e` and its fifteen bytes in hex.
fn fact_of(ticket: &str) -> Option<FactId> {
    let number = u128::from_str_radix(ticket.strip_prefix('e').filter(|hex| hex.len() == 30)?, 16).ok()?;
    let [_, bytes @ ..] = number.to_be_bytes();
    Some(FactId::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_sentences_in_both_languages_and_strange_ones_pass_through() {
        let up = json!({"event": "peer_up", "node": "1-2", "label": "quic\u{1b}"});
        assert_eq!(event_line(up.clone(), Lang::En, None, "holdfast"), "link to 1-2 is up (quic\\u{1b})");
        assert!(event_line(up, Lang::Zh, None, "holdfast").starts_with("與 1-2 連線"));
        assert!(event_line(json!({"event": "later"}), Lang::En, None, "holdfast").contains("later"));
    }

    #[test]
    fn causes_are_told_in_chinese_where_chinese_is_spoken() {
        let zh = |event: Value| event_line(event, Lang::Zh, None, "holdfast");
        let down = json!({"event": "peer_down", "node": "1-1", "cause": "the other end hung up: cut off for a drill"});
        assert_eq!(zh(down), "與 1-1 斷線：因演練而切斷");
        assert_eq!(zh(json!({"event": "fault", "what": "cut off from 1-2, 1-3"})), "演練：切斷與 1-2、1-3 的連線");
        assert_eq!(zh(json!({"event": "fault", "what": "all cuts ended"})), "演練：恢復所有連線");
        assert_eq!(
            zh(json!({"event": "incarnation", "count": 1, "cause": "first start"})),
            "本據點開始第 1 本紀錄簿：第一次啟動"
        );
        let strange = zh(json!({"event": "store_failed", "cause": "disk full"}));
        assert_eq!(strange, "儲存失敗：系統訊息「disk full」");
    }
}
