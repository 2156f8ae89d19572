//! What people read for the objects of the API: tables and sentences in either language. Pure: objects in, lines out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::control::{
    ConsignmentView, Delivery, HistoryView, LineView, NodeView, PeersView, PersonName, ReadingView, RequestView, RequestsView,
    StatusView, Warning,
};
use holdfast_proto::time::UtcMillis;
use jiff::Zoned;

use crate::board as door;
use crate::fields::{self, Goods};
use crate::lang::Lang;
use crate::order::mode_line;
use crate::supply::shown::{answers, line_stages};
use crate::text::{Hue, Table, clean, plain, width};
use crate::when;
use crate::words::{age, delivery, status_line, status_mark, word};

/// Requests named on the status page.
const ATTENTION_MAX: usize = 5;
/// Stock items named per node on the status page.
const STOCK_MAX: usize = 4;
/// Sites in another mode than standby that the status lists one by one.
const MODES_MAX: usize = 12;

/// How to write: language, colour, the time here, what goods are called.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    /// Language.
    pub(crate) lang: Lang,
    /// Colour is shown.
    pub(crate) colour: bool,
    /// The time and zone here.
    pub(crate) now: Zoned,
    /// Places for what a request asks for, beside its other columns.
    pub(crate) supplies_max: usize,
    /// The names of goods; empty where none are told.
    pub(crate) goods: Goods,
    /// `holdfast` with the flags that reach the same daemon.
    pub(crate) own: String,
}

/// `holdfast status`.
pub(crate) fn status(view: &StatusView, requests: Option<&RequestsView>, style: &Style) -> Vec<String> {
    let lang = style.lang;
    let realm = word(&view.realm, lang);
    let (name, id) = (clean(&view.node.name), clean(&view.node.id));
    let here = lang.of(format!("{name} ({id})"), format!("{name}（{id}）"));
    let mut lines = vec![lang.of(
        format!("Holdfast ({realm})   here: {here}   neighbours: {}", view.neighbours),
        format!("Holdfast（{realm}）   本據點：{here}   鄰近據點：{}", view.neighbours),
    )];
    lines.push(counts(view, lang));
    lines.extend(view.radio.as_ref().map(|radio| clean(&lang.of(&radio.en, &radio.zh).clone())));
    lines.extend(view.board.as_ref().map(|board| door::line(board, lang)));
    lines.extend(view.warnings.iter().map(|warning| warning_line(warning, style)));
    lines.push(String::new());
    lines.extend(board(&view.nodes, style).lines(style.colour));
    let modes = modes(&view.nodes, lang);
    if !modes.is_empty() {
        lines.push(String::new());
        lines.extend(modes);
    }
    let observed = observations(&view.nodes, style);
    if !observed.is_empty() {
        lines.push(String::new());
        lines.extend(observed);
    }
    if let Some(requests) = requests {
        lines.extend(attention(requests, style));
    }
    lines
}

fn counts(view: &StatusView, lang: Lang) -> String {
    let count = |status: &str| view.nodes.iter().filter(|node| node.operating_status == status).count();
    let mut parts: Vec<String> = ["open", "limited", "closed", "evacuating", "unknown"]
        .iter()
        .map(|status| (status, count(status)))
        .filter(|(_, n)| *n > 0)
        .map(|(status, n)| format!("{} {n}", word(status, lang)))
        .collect();
    parts.push(lang.of(format!("requests open {}", view.requests_open), format!("補給需求 {}", view.requests_open)));
    if view.conflicts > 0 {
        parts.push(lang.of(format!("to settle {}", view.conflicts), format!("待確認 {}", view.conflicts)));
    }
    parts.join("   ")
}

/// A warning of the daemon with its code.
pub(crate) fn warning_line(warning: &Warning, style: &Style) -> String {
    let code = clean(&warning.code);
    let text = style.lang.of(format!("! {} ({code})", clean(&warning.en)), format!("! {}（{code}）", clean(&warning.zh)));
    Hue::Yellow.paint(&text, style.colour)
}

fn board(nodes: &[NodeView], style: &Style) -> Table {
    let lang = style.lang;
    let mut table = Table::new(&lang.of(
        ["", "NODE", "ID", "ROLE", "STATE", "POWER", "STOCK", "AS OF", "LINK"],
        ["", "據點", "代號", "類型", "狀態", "供電", "存量", "最後回報", "連線"],
    ));
    for (place, node) in nodes.iter().enumerate() {
        let (mark, hue) = status_mark(&node.operating_status);
        let link = match (place, node.reachable) {
            (0, _) => lang.of("this node", "本據點").to_owned(),
            (_, true) => match node.via.as_ref().filter(|via| via.starts_with("radio ")) {
                Some(via) => lang.of(format!("up; last by {via}"), format!("連線中；上次經 {via}")),
                None => lang.of("up", "連線中").to_owned(),
            },
            (_, false) => {
                let via = node.via.as_ref().map(|via| word(via, lang));
                let last = via.map(|via| lang.of(format!("none; last by {via}"), format!("未連線；上次經 {via}")));
                last.unwrap_or_else(|| lang.of("none", "未連線").to_owned())
            }
        };
        table.row(vec![
            (mark.to_owned(), hue),
            plain(node.name.clone()),
            plain(node.id.clone()),
            plain(word(&node.role, lang)),
            (status_line(node, lang), hue),
            plain(power(&node.readings, lang)),
            plain(stock(&node.readings, style)),
            plain(if has_spoken(node) { as_of(node.age_s, style) } else { String::new() }),
            (link, if node.reachable || place == 0 { Hue::Plain } else { Hue::Dim }),
        ]);
    }
    table
}

/// A board is there from the first start; until somebody said something its age tells nothing.
fn has_spoken(node: &NodeView) -> bool {
    !node.readings.is_empty() || node.unknown_because.as_deref() != Some("never_said")
}

/// `14:05 (3 min ago)`.
fn as_of(age_s: Option<u64>, style: &Style) -> String {
    let ago = age(age_s, style.lang);
    let Some(seconds) = age_s.filter(|seconds| *seconds > 1) else { return ago };
    let then =
        style.now.timestamp().as_millisecond().saturating_sub(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000));
    style.lang.of(
        format!("{} ({ago})", when::short(UtcMillis(then), &style.now)),
        format!("{}（{ago}）", when::short(UtcMillis(then), &style.now)),
    )
}

fn power(readings: &BTreeMap<String, ReadingView>, lang: Lang) -> String {
    let fresh = |name: &str| readings.get(name).filter(|reading| !reading.stale);
    let mut parts = Vec::new();
    if let Some(source) = fresh("power.source") {
        parts.push(fields::value_text("power.source", source, lang));
    }
    if let Some(hours) = fresh("power.hours") {
        parts.push(fields::value_text("power.hours", hours, lang));
    }
    parts.join(" ")
}

fn stock(readings: &BTreeMap<String, ReadingView>, style: &Style) -> String {
    let lang = style.lang;
    let fresh = |name: &str| {
        let reading = readings.get(name).filter(|reading| !reading.stale)?;
        Some(fields::value_text(name, reading, lang))
    };
    let items: BTreeSet<&str> = readings.keys().filter_map(|name| fields::item_of(name)).collect();
    let all: Vec<String> = items
        .into_iter()
        .filter_map(|item| {
            let (level, count) = (fresh(&format!("stock.{item}")), fresh(&format!("stock.{item}.count")));
            let said = level.into_iter().chain(count).collect::<Vec<_>>().join(" ");
            (!said.is_empty()).then(|| format!("{} {said}", style.goods.name(item, lang)))
        })
        .collect();
    let more = all.len().saturating_sub(STOCK_MAX);
    let mut text = all.into_iter().take(STOCK_MAX).collect::<Vec<_>>().join(lang.of(", ", "、"));
    if more > 0 {
        text.push_str(&format!(" +{more}"));
    }
    text
}

/// Sites that work in another mode than standby, and why.
fn modes(nodes: &[NodeView], lang: Lang) -> Vec<String> {
    let switched = nodes.iter().filter_map(|node| Some((node, node.mode.as_ref().filter(|mode| mode.mode != "standby")?)));
    let mut lines: Vec<String> = switched.map(|(node, mode)| format!("  {}", mode_line(node, mode, lang))).collect();
    let more = lines.len().saturating_sub(MODES_MAX);
    if more > 0 {
        lines.truncate(MODES_MAX);
        lines.push(
            lang.of(format!("  and {more} more sites in another mode than standby"), format!("  另有 {more} 個據點不在待命模式")),
        );
    }
    lines
}

fn observations(nodes: &[NodeView], style: &Style) -> Vec<String> {
    let lang = style.lang;
    let mut lines = Vec::new();
    for node in nodes {
        for seen in &node.observations {
            let readings: Vec<String> = seen
                .readings
                .iter()
                .map(|(name, reading)| {
                    format!("{} {}", fields::label(name, &style.goods, lang), fields::value_text(name, reading, lang))
                })
                .collect();
            let note =
                seen.note.as_deref().map(|note| lang.of(format!(" \"{note}\""), format!("「{note}」"))).unwrap_or_default();
            let (of, by, ago) = (&node.name, said_by(&seen.by.name, seen.person.as_ref(), lang), age(seen.age_s, lang));
            let said = readings.join(lang.of(", ", "、"));
            lines.push(clean(&lang.of(
                format!("  seen of {of}: {said}{note}, by {by}, {ago}"),
                format!("  他人所見 {of}：{said}{note}，{by}，{ago}"),
            )));
        }
    }
    lines
}

/// Nothing more is to come of it.
pub(crate) fn is_over(request: &RequestView) -> bool {
    matches!(request.status.as_str(), "cancelled" | "closed" | "expired" | "declined")
}

/// Open ones first, then by priority, then the newest: an old routine one never hides a new urgent one.
pub(crate) fn by_urgency(requests: &[RequestView]) -> Vec<&RequestView> {
    let rank = |request: &RequestView| match request.priority.as_str() {
        "immediate" => 0,
        "urgent" => 1,
        "routine" => 2,
        _ => 3,
    };
    let mut sorted: Vec<&RequestView> = requests.iter().collect();
    sorted.sort_by_key(|request| (is_over(request), rank(request), Reverse(request.asked_at)));
    sorted
}

fn attention(requests: &RequestsView, style: &Style) -> Vec<String> {
    let open: Vec<&RequestView> = by_urgency(&requests.requests).into_iter().filter(|request| !is_over(request)).collect();
    let Some(first) = open.first() else { return Vec::new() };
    let mut lines = vec![String::new(), style.lang.of("needs attention", "待處理").to_owned()];
    let mut table = Table::default();
    for request in open.iter().take(ATTENTION_MAX) {
        let mut cells = vec![plain("")];
        cells.extend(request_cells(request, style));
        table.row(cells);
    }
    lines.extend(table.lines(style.colour));
    let more = open.len().saturating_sub(ATTENTION_MAX);
    if more > 0 {
        lines.push(
            style
                .lang
                .of(format!("{more} more: {} request list", style.own), format!("另有 {more} 筆：{} request list", style.own)),
        );
    }
    let next = format!("{} request show {}", style.own, clean(&first.request));
    lines.push(style.lang.of(format!("next: {next}"), format!("下一步：{next}")));
    lines
}

fn line_text(line: &LineView, style: &Style) -> String {
    let lang = style.lang;
    let what = line.text.clone().unwrap_or_else(|| style.goods.name(&line.item, lang));
    format!("{what} {}{}", line.requested, fields::unit(&line.unit, lang))
}

/// As many as fit into so many places, at least one, and how many more there are.
fn few(items: &[String], places: usize, lang: Lang) -> String {
    let mut text = items.first().cloned().unwrap_or_default();
    for (number, item) in (1..).zip(items.iter().skip(1)) {
        let longer = format!("{text}{}{item}", lang.of(", ", "、"));
        if width(&longer) > places {
            let more = items.len() - number;
            return lang.of(format!("{text} +{more} more"), format!("{text}，另 {more} 項"));
        }
        text = longer;
    }
    text
}

fn request_cells(request: &RequestView, style: &Style) -> Vec<(String, Hue)> {
    let lang = style.lang;
    let items: Vec<String> = request.lines.iter().map(|line| line_text(line, style)).collect();
    let urgent = matches!(request.priority.as_str(), "immediate" | "urgent") && !is_over(request);
    let by = request.needed_by.map(|at| when::short(at, &style.now)).unwrap_or_default();
    let flag = if request.flags.is_empty() {
        String::new()
    } else {
        format!("⚠ {}", request.flags.iter().map(|flag| word(flag, lang)).collect::<Vec<_>>().join(lang.of("; ", "；")))
    };
    vec![
        plain(request.request.clone()),
        plain(few(&items, style.supplies_max, lang)),
        plain(format!("→ {}", request.consignee.name)),
        (word(&request.priority, lang), if urgent { Hue::Yellow } else { Hue::Plain }),
        plain(word(&request.status, lang)),
        plain(by),
        (flag, Hue::Yellow),
    ]
}

/// `holdfast request list`.
pub(crate) fn requests(view: &RequestsView, all: bool, style: &Style) -> Vec<String> {
    let lang = style.lang;
    let shown: Vec<&RequestView> = by_urgency(&view.requests).into_iter().filter(|request| all || !is_over(request)).collect();
    let hidden = view.requests.len() - shown.len();
    let mut lines = Vec::new();
    if shown.is_empty() {
        lines.push(lang.of("No open requests.", "沒有未結的補給需求。").to_owned());
    } else {
        let mut table = Table::new(&lang.of(
            ["ID", "SUPPLIES", "FOR", "PRIORITY", "STATUS", "NEEDED BY", ""],
            ["代號", "物資", "送往", "優先", "狀態", "需要時間", ""],
        ));
        for request in shown {
            table.row(request_cells(request, style));
        }
        lines.extend(table.lines(style.colour));
    }
    if hidden > 0 {
        lines.push(
            lang.of(format!("({hidden} more are over; --all shows them)"), format!("（另有 {hidden} 筆已結束，加 --all 顯示）")),
        );
    }
    lines
}

/// `holdfast request show`; `is_no_hub` where all hubs are asked and there is none, `convoys` those with goods for it.
pub(crate) fn request(view: &RequestView, convoys: &[ConsignmentView], is_no_hub: bool, style: &Style) -> Vec<String> {
    let lang = style.lang;
    let mut lines = vec![format!(
        "{}  {}  {}  v{}",
        clean(&view.request),
        word(&view.status, lang),
        word(&view.priority, lang),
        view.version
    )];
    let mut put = |en: &str, zh: &str, text: String| {
        lines.push(format!("  {}{}", lang.of(format!("{en}: "), format!("{zh}：")), clean(&text)))
    };
    let both = |name: &holdfast_proto::control::NodeName| {
        lang.of(format!("{} ({})", name.name, name.id), format!("{}（{}）", name.name, name.id))
    };
    put("for", "送往", both(&view.consignee));
    put("asked by", "提出", said_by(&both(&view.requested_by), view.person.as_ref(), lang));
    let every = match is_no_hub {
        true => lang.of("every hub (there is no other one)", "所有集散中心（沒有其他集散中心）"),
        false => lang.of("every hub", "所有集散中心"),
    };
    put("asks", "對象", view.to.as_ref().map_or_else(|| every.to_owned(), both));
    for line in &view.lines {
        let (text, stages) = (line_text(line, style), line_stages(line, lang));
        put(
            "supplies",
            "物資",
            if stages.is_empty() { text } else { lang.of(format!("{text} ({stages})"), format!("{text}（{stages}）")) },
        );
    }
    let time = |at: UtcMillis| when::short(at, &style.now);
    if let Some(at) = view.needed_by.map(time) {
        put("needed by", "需要時間", at);
    }
    if let Some(at) = view.asked_at.map(time) {
        put("asked at", "提出時間", at);
    }
    if let Some(note) = &view.note {
        put("note", "備註", note.clone());
    }
    if let Some(desk) = &view.desk {
        put("desk", "櫃檯", desk.clone());
    }
    if !view.acknowledged_by.is_empty() {
        put("received by", "已收到", view.acknowledged_by.iter().map(both).collect::<Vec<_>>().join(lang.of(", ", "、")));
    }
    for flag in &view.flags {
        put("⚠", "⚠", word(flag, lang));
    }
    if let Some(state) = &view.delivery {
        put("delivery", "送達", delivery(state, lang));
    }
    lines.extend(answers(view, convoys, style));
    lines.push(lang.of("  history", "  經過").to_owned());
    let mut table = Table::default();
    for act in in_time(&view.history) {
        let flagged = act.flagged.as_deref().map(|why| format!("⚠ {}", word(why, lang))).unwrap_or_default();
        table.row(vec![
            plain("   "),
            plain(act.at.map(time).unwrap_or_else(|| lang.of("time unknown", "時間不明").to_owned())),
            // A receipt is of no version.
            plain(if act.version == 0 { String::new() } else { format!("v{}", act.version) }),
            plain(word(&act.act, lang)),
            plain(said_by(&act.by.name, act.person.as_ref(), lang)),
            plain(act.desk.clone().unwrap_or_default()),
            plain(act.reason.clone().unwrap_or_default()),
            (flagged, Hue::Yellow),
        ]);
    }
    lines.extend(table.lines(style.colour));
    lines
}

/// `Lin (delegated by One) through Hub`; the node alone where nobody acts through it.
pub(crate) fn said_by(node: &str, person: Option<&PersonName>, lang: Lang) -> String {
    person.map_or_else(
        || node.to_owned(),
        |PersonName { name, delegated_by, .. }| {
            lang.of(
                format!("{name} (delegated by {delegated_by}) through {node}"),
                format!("{name}（{delegated_by} 授權）透過 {node}"),
            )
        },
    )
}

/// One act on a request in a line: which request, what was done, and what is wanted where that is new.
pub(crate) fn act_line(request: &RequestView, act: &HistoryView, style: &Style) -> String {
    let lang = style.lang;
    let mut line = format!("{} {}", request.request, word(&act.act, lang));
    if matches!(act.act.as_str(), "request" | "update") {
        let supplies = request.lines.iter().map(|line| line_text(line, style)).collect::<Vec<_>>().join(lang.of(", ", "、"));
        let (who, priority) = (&request.consignee.name, word(&request.priority, lang));
        line.push_str(&lang.of(format!(" ({supplies} → {who}, {priority})"), format!("（{supplies} → {who}，{priority}）")));
    }
    line
}

/// By the time each was so; what has no known time stays behind what it came after.
fn in_time(history: &[HistoryView]) -> Vec<&HistoryView> {
    let mut last = None;
    let mut timed: Vec<(Option<UtcMillis>, &HistoryView)> = Vec::new();
    for act in history {
        last = act.at.or(last);
        timed.push((last, act));
    }
    timed.sort_by_key(|(at, _)| *at);
    timed.into_iter().map(|(_, act)| act).collect()
}

/// `holdfast peers`.
pub(crate) fn peers(view: &PeersView, style: &Style) -> Vec<String> {
    let lang = style.lang;
    if view.peers.is_empty() {
        return vec![
            lang.of(
                "No peers known: set `peers` under [sync] in the configuration.",
                "不認識任何鄰近據點：請在設定的 [sync] 加入 `peers`。",
            )
            .to_owned(),
        ];
    }
    let mut table = Table::new(&lang.of(
        ["NODE", "ID", "STATE", "IN STEP", "CLOCK", "LINKS", "ADDRESS", "LAST ERROR"],
        ["據點", "代號", "狀態", "同步", "時差", "連線方式", "位址", "上次錯誤"],
    ));
    for peer in &view.peers {
        let hue = match peer.state.as_str() {
            "up" => Hue::Green,
            "cut" => Hue::Red,
            _ => Hue::Yellow,
        };
        let mut state = word(&peer.state, lang);
        if let Some(retry) = peer.retry_s {
            state.push_str(&lang.of(format!(", again in {retry} s"), format!("，{retry} 秒後重試")));
        }
        let step = match (peer.state.as_str(), peer.in_step) {
            ("up", true) => lang.of("yes", "是"),
            ("up", false) => lang.of("no", "否"),
            _ => "",
        };
        table.row(vec![
            plain(peer.name.clone().unwrap_or_else(|| lang.of("?", "不明").to_owned())),
            plain(peer.id.clone().unwrap_or_default()),
            (state, hue),
            plain(step),
            plain(peer.clock_skew_s.map(|skew| format!("{skew:+} s")).unwrap_or_default()),
            plain(peer.links.join(", ")),
            plain(peer.addresses.first().cloned().unwrap_or_default()),
            (lang.of(&peer.last_error, &peer.last_error_zh).clone().unwrap_or_default(), Hue::Dim),
        ]);
    }
    table.lines(style.colour)
}

/// The line after a write.
pub(crate) fn written(id: Option<&str>, already: bool, state: &Delivery, style: &Style) -> String {
    let lang = style.lang;
    let mut line = String::new();
    if let Some(id) = id {
        line.push_str(&clean(id));
        line.push_str("  ");
    }
    line.push_str(&clean(&delivery(state, lang)));
    if already {
        line.push_str(lang.of("  (written before under this key; nothing added)", "  （此 key 先前已寫入，未重複新增）"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_request_is_cut_where_the_line_ends_and_says_how_much_is_left() {
        let items: Vec<String> = (0..30).map(|n| format!("thing{n:02} 10 kg")).collect();
        assert_eq!(few(&items, 30, Lang::En), "thing00 10 kg, thing01 10 kg +28 more");
        assert_eq!(few(&items, 30, Lang::Zh), "thing00 10 kg、thing01 10 kg，另 28 項");
        assert_eq!(few(&items, 3, Lang::En), "thing00 10 kg +29 more", "one stands in any case");
        assert!(!few(&items, usize::MAX, Lang::En).contains("more"));
        assert_eq!(few(&[], 30, Lang::En), "");
    }
}
