//! The commands that read: status, requests, peers, digest, watch. They change nothing.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use holdfast_proto::control::{DigestView, Event, PeersView, RequestView, RequestsView, StatusView};
use holdfast_proto::time::UtcMillis;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::act::{Pause, is_no_hub_to_ask};
use crate::client::{Client, path_part, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::fields::Goods;
use crate::lang::Lang;
use crate::text::clean;
use crate::view::{self, Style};
use crate::when;
use crate::words::delivery;

/// Id, consignee, priority, status, time and the blanks between them.
const REQUEST_PLACES: usize = 64;

/// How this desk wants things written.
pub(crate) fn style(desk: &Desk<'_>) -> Style {
    Style {
        lang: desk.lang,
        colour: desk.colour,
        now: desk.now().clone(),
        supplies_max: supplies_max(desk),
        goods: Goods::default(),
        own: desk.own.clone(),
    }
}

/// On a terminal the rest of a line of requests takes some 60 places; elsewhere nothing is cut.
fn supplies_max(desk: &Desk<'_>) -> usize {
    desk.width().map_or(usize::MAX, |places| places.saturating_sub(REQUEST_PLACES))
}

/// The same where goods are told: by the names that the daemon's own catalogue has for them.
fn style_of_goods(desk: &Desk<'_>, client: &Client) -> Result<Style, Failure> {
    Ok(Style { goods: client.ask("/api/v1/catalogue")?, ..style(desk) })
}

fn said(desk: &mut Desk<'_>, text: &str) -> Exit {
    desk.raw(text);
    Exit::Done
}

/// `holdfast status`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn status(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/status").map(|text| said(desk, &text));
    }
    let view: StatusView = client.ask("/api/v1/status")?;
    let requests: Option<RequestsView> = if view.requests_open > 0 { Some(client.ask("/api/v1/requests")?) } else { None };
    let lines = view::status(&view, requests.as_ref(), &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// `holdfast request list`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn requests(desk: &mut Desk<'_>, client: &Client, all: bool) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/requests").map(|text| said(desk, &text));
    }
    let view: RequestsView = client.ask("/api/v1/requests")?;
    let lines = view::requests(&view, all, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// `holdfast request show`.
///
/// # Errors
/// No such request, more than one, or no daemon.
pub(crate) fn request(desk: &mut Desk<'_>, client: &Client, id: &str) -> Result<Exit, Failure> {
    let mut value = client.get(&format!("/api/v1/requests/{}", path_part(id.trim())))?;
    if desk.json {
        with_schema(&mut value, "holdfast.request/1");
        desk.object(&value);
        return Ok(Exit::Done);
    }
    let view: RequestView = read(value)?;
    let is_no_hub = view.to.is_none() && is_no_hub_to_ask(client);
    let lines = view::request(&view, is_no_hub, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// `holdfast peers`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn peers(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/peers").map(|text| said(desk, &text));
    }
    let view: PeersView = client.ask("/api/v1/peers")?;
    let lines = view::peers(&view, &style(desk));
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// `holdfast digest`: one hex line.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn digest(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/digest").map(|text| said(desk, &text));
    }
    let view: DigestView = client.ask("/api/v1/digest")?;
    desk.say(&clean(&view.digest));
    Ok(Exit::Done)
}

/// Every object a person or script gets names its schema.
fn with_schema(value: &mut Value, schema: &str) {
    if let Some(object) = value.as_object_mut() {
        object.entry("schema").or_insert_with(|| Value::from(schema));
        if let Some(id) = object.get("request").cloned() {
            object.entry("id").or_insert(id);
        }
    }
}

/// `holdfast watch`: one line per change until Ctrl-C or until nobody reads. A daemon that ends is said and waited for.
///
/// # Errors
/// No daemon at first, or it did not come back.
pub(crate) fn watch(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    let mut events = client.events()?;
    desk.note("(one line per change; Ctrl-C to leave)", "（每有變化顯示一行，按 Ctrl-C 離開）");
    while desk.is_heard() {
        let Ok(event) = events.recv() else {
            show(desk, json!({"event": LOST}));
            events = listen_again(client)?;
            show(desk, json!({"event": BACK}));
            continue;
        };
        show(desk, event);
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

fn show(desk: &mut Desk<'_>, mut event: Value) {
    let at = when::rfc3339(UtcMillis(Timestamp::now().as_millisecond()));
    if desk.json {
        with_schema(&mut event, "holdfast.event/1");
        if let (Some(object), Some(at)) = (event.as_object_mut(), at) {
            object.entry("heard_at").or_insert_with(|| Value::from(at));
        }
        return desk.object(&event);
    }
    let time = at.and_then(|text| text.get(11..19).map(str::to_owned)).unwrap_or_default();
    let line = event_line(event, desk.lang);
    desk.say(&format!("{time}  {line}"));
}

/// One event as a sentence; one this version does not know stands as it came.
fn event_line(value: Value, lang: Lang) -> String {
    match value.get("event").and_then(Value::as_str) {
        Some(LOST) => return lang.of("the daemon has ended; waiting for it", "背景程式已結束，等待恢復").to_owned(),
        Some(BACK) => {
            let en = "the daemon is back; for what changed meanwhile see `holdfast status`";
            return lang.of(en, "背景程式已恢復；期間的變化請看 `holdfast status`").to_owned();
        }
        Some(_) | None => {}
    }
    let Ok(event) = serde_json::from_value::<Event>(value.clone()) else { return clean(&value.to_string()) };
    let unknown = || lang.of("unknown", "不明").to_owned();
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
            lang.of(format!("link to {node} is down: {cause}"), format!("與 {node} 斷線：{cause}"))
        }
        Event::Healed { node, took_ms, received, sent } => lang.of(
            format!("equal with {node} again after {took_ms} ms ({received} received, {sent} sent)"),
            format!("與 {node} 已一致，費時 {took_ms} 毫秒（收 {received}、送 {sent}）"),
        ),
        Event::Rejected { node, reason } => {
            let node = node.map_or_else(unknown, |node| node.to_string());
            lang.of(format!("refused something from {node}: {reason}"), format!("拒收來自 {node} 的資料：{reason}"))
        }
        Event::Forked { author, number } => lang.of(
            format!("two stories under number {number} of {author}: frozen there"),
            format!("{author} 第 {number} 筆有兩種內容，已在此凍結"),
        ),
        Event::Incarnation { count, cause } => {
            lang.of(format!("this node began logbook {count}: {cause}"), format!("本據點開始第 {count} 本紀錄簿：{cause}"))
        }
        Event::Stopped { cause } => lang.of(format!("this node stopped writing: {cause}"), format!("本據點停止寫入：{cause}")),
        Event::StoreFailed { cause } => lang.of(format!("the store refused a write: {cause}"), format!("儲存失敗：{cause}")),
        Event::Delivery { ticket, delivery: state } => format!("{ticket}  {}", delivery(&state, lang)),
        Event::Fault { what } => lang.of(format!("drill: {what}"), format!("演練：{what}")),
        Event::Bug { what } => lang.of(format!("a bug, please report: {what}"), format!("程式錯誤，請回報：{what}")),
    };
    clean(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_sentences_in_both_languages_and_strange_ones_pass_through() {
        let up = json!({"event": "peer_up", "node": "1-2", "label": "quic\u{1b}"});
        assert_eq!(event_line(up.clone(), Lang::En), "link to 1-2 is up (quic\\u{1b})");
        assert!(event_line(up, Lang::Zh).starts_with("與 1-2 連線"));
        assert!(event_line(json!({"event": "later"}), Lang::En).contains("later"));
    }

    #[test]
    fn a_request_alone_gets_its_schema_and_id() {
        let mut value = json!({"request": "R-7Q4KABC"});
        with_schema(&mut value, "holdfast.request/1");
        assert_eq!(value["schema"], "holdfast.request/1");
        assert_eq!(value["id"], "R-7Q4KABC");
    }
}
