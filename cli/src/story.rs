//! `holdfast timeline`: all that was done about a request, its promises and its convoys, told in order of time as stated.

use std::collections::BTreeSet;

use holdfast_proto::control::{ConsignmentView, ConsignmentsView, HistoryView, RequestView};
use holdfast_proto::time::UtcMillis;
use serde_json::json;

use crate::client::{Client, path_part};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::look::style_of_goods;
use crate::supply::shown::{amount, amounts};
use crate::text::{Table, clean, plain};
use crate::view::{Style, said_by};
use crate::when;
use crate::words::word;

/// One act, and what it is of.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// `R-...`, `P-...` or `V-...`.
    of: String,
    /// What is wanted, where that is new.
    wanted: Vec<holdfast_proto::control::LineView>,
    act: HistoryView,
    /// Its place where two are of one time: what it came after first.
    at: Option<UtcMillis>,
    rank: usize,
}

/// Acts in the order in which they can follow one another within one minute.
const ORDER: &[&str] = &[
    "request",
    "update",
    "cancel",
    "confirm",
    "acknowledge",
    "decline",
    "unable_to_fill",
    "commit",
    "release",
    "plan_consignment",
    "load",
    "unload",
    "depart",
    "position",
    "divert",
    "lost",
    "arrive",
    "hand_over",
    "receive",
    "refuse",
    "return_goods",
    "close",
];

/// `holdfast timeline`.
///
/// # Errors
/// No such request, more than one, or no daemon.
pub(crate) fn timeline(desk: &mut Desk<'_>, client: &Client, id: &str) -> Result<Exit, Failure> {
    let request: RequestView = client.ask(&format!("/api/v1/requests/{}", path_part(id.trim())))?;
    let convoys: ConsignmentsView = client.ask("/api/v1/consignments")?;
    let mut told = of_request(&request);
    for convoy in convoys.consignments.iter().filter(|convoy| serves(convoy, &request)) {
        told.extend(acts(&convoy.consignment, &convoy.history));
    }
    let told = in_time(told);
    if desk.json {
        let acts: Vec<_> = told.iter().map(as_json).collect();
        desk.object(&json!({"schema": "holdfast.timeline/1", "request": request.request, "acts": acts}));
        return Ok(Exit::Done);
    }
    let lines = lines(&told, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

fn as_json(told: &Told) -> serde_json::Value {
    let mut value = serde_json::to_value(&told.act).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("of".to_owned(), json!(told.of));
    }
    value
}

/// Whether a convoy carries goods of a request, did so before it was diverted, or does so now.
pub(crate) fn serves(convoy: &ConsignmentView, request: &RequestView) -> bool {
    let promises: BTreeSet<&str> = request.commitments.iter().map(|promise| promise.commitment.as_str()).collect();
    let keeps = convoy.commitments.iter().any(|promise| promises.contains(promise.as_str()));
    keeps || convoy.requests.contains(&request.request)
}

/// What happened to one convoy, in order of time.
pub(crate) fn of_convoy(convoy: &ConsignmentView) -> Vec<Told> {
    in_time(acts(&convoy.consignment, &convoy.history).collect())
}

fn of_request(request: &RequestView) -> Vec<Told> {
    let mut told: Vec<Told> = acts(&request.request, &request.history).collect();
    let makes = |act: &HistoryView| matches!(act.act.as_str(), "request" | "update") && act.version == request.version;
    if let Some(newest) = told.iter_mut().find(|told| makes(&told.act)) {
        newest.wanted.clone_from(&request.lines);
    }
    told.extend(request.commitments.iter().flat_map(|promise| acts(&promise.commitment, &promise.history)));
    told
}

/// Acts with the time each is told under: one that states none stands behind what it came after.
fn acts(of: &str, history: &[HistoryView]) -> impl Iterator<Item = Told> {
    let mut last = None;
    let told: Vec<Told> = history
        .iter()
        .map(|act| {
            last = act.at.or(last);
            let rank = ORDER.iter().position(|word| *word == act.act).unwrap_or(ORDER.len());
            Told { of: of.to_owned(), wanted: Vec::new(), act: act.clone(), at: last, rank }
        })
        .collect();
    told.into_iter()
}

fn in_time(mut told: Vec<Told>) -> Vec<Told> {
    told.sort_by_key(|told| (told.at, told.rank));
    told
}

/// `14:05  Taipei Hub promised Drinking water 40 L (P-7Q4KM2X)`, an act a line.
pub(crate) fn lines(told: &[Told], style: &Style) -> Vec<String> {
    let lang = style.lang;
    let mut table = Table::default();
    for one in told {
        let at = one.act.at.map(|at| when::short(at, &style.now));
        let at = at.unwrap_or_else(|| lang.of("time unknown", "時間不明").to_owned());
        table.row(vec![plain(at), plain(sentence(one, style))]);
    }
    table.lines(style.colour)
}

/// One act on a promise or convoy, without its time.
pub(crate) fn line_of(of: &str, act: &HistoryView, style: &Style) -> String {
    acts(of, std::slice::from_ref(act)).map(|told| sentence(&told, style)).collect()
}

fn sentence(told: &Told, style: &Style) -> String {
    let lang = style.lang;
    let (en, zh) = deed(told, style);
    let (by, of) = (said_by(&told.act.by.name, told.act.person.as_ref(), lang), &told.of);
    let mut line = lang.of(format!("{by} {en} ({of})"), format!("{by} {zh}（{of}）"));
    if let Some(reason) = &told.act.reason {
        line.push_str(&lang.of(format!(": \"{reason}\""), format!("：「{reason}」")));
    }
    if let Some(desk) = &told.act.desk {
        line.push_str(&format!(" [{desk}]"));
    }
    if let Some(why) = &told.act.flagged {
        line.push_str(&format!("  ⚠ {}", word(why, lang)));
    }
    clean(&line)
}

/// What was done, in both languages.
fn deed(told: &Told, style: &Style) -> (String, String) {
    let lang = style.lang;
    let act = &told.act;
    let goods = amounts(&act.goods, |line| line.quantity, style);
    let to = act.to.as_ref().map(|to| to.name.clone()).unwrap_or_default();
    let place = act.place.clone().unwrap_or_default();
    let wanted: Vec<String> =
        told.wanted.iter().map(|line| amount(&line.item, line.text.as_ref(), &line.unit, line.requested, style)).collect();
    let wanted = wanted.join(lang.of(", ", "、"));
    let or = |goods: &str, en: &str, zh: &str| if goods.is_empty() { lang.of(en, zh).to_owned() } else { goods.to_owned() };
    match act.act.as_str() {
        "request" => (format!("asked for {}", or(&wanted, "supplies", "")), format!("提出需求：{}", or(&wanted, "", "物資"))),
        "update" => {
            let (version, more) = (act.version, if wanted.is_empty() { String::new() } else { lang.of(": ", "：").to_owned() });
            (format!("changed the request, version {version}{more}{wanted}"), format!("更新需求，第 {version} 版{more}{wanted}"))
        }
        "cancel" => same("cancelled the request", "取消需求"),
        "confirm" => same("confirmed that it is still needed", "確認仍需要"),
        "close" => same("closed the request", "結案"),
        "acknowledge" => same("received the request", "收到需求"),
        "decline" => same("will not send anything", "不予提供"),
        "unable_to_fill" => same("can't send anything", "無法提供"),
        "commit" => (format!("promised {goods}"), format!("承諾 {goods}")),
        "release" => {
            let goods = or(&goods, "all that was left", "其餘全部");
            (format!("took back {goods}"), format!("釋出 {goods}"))
        }
        "plan_consignment" => (format!("planned a convoy to {to} with {goods}"), format!("安排運送 {goods} 到 {to}")),
        "load" => same("loaded the convoy", "完成裝車"),
        "unload" => same("took the goods off the vehicle", "卸下物資，不出發"),
        "depart" => same("sent the convoy off", "出發"),
        "position" => (format!("saw the convoy at {place}"), format!("回報位置：{place}")),
        "arrive" => same("said that the convoy is there", "回報抵達"),
        "hand_over" => (format!("said that {goods} were handed over"), format!("回報已交付 {goods}")),
        "divert" => (format!("sent the convoy on to {to}"), format!("改送 {to}")),
        "lost" => {
            let goods = or(&goods, "all", "全部");
            (format!("lost {goods} on the way"), format!("途中遺失 {goods}"))
        }
        "return_goods" => {
            let goods = or(&goods, "what was not taken in", "未簽收的物資");
            (format!("got {goods} back"), format!("收回 {goods}"))
        }
        "receive" => counted(act, style),
        "refuse" => same("took nothing of it", "全部拒收"),
        other => same(other, other),
    }
}

fn same(en: &str, zh: &str) -> (String, String) {
    (en.to_owned(), zh.to_owned())
}

/// `signed for Drinking water 38 L; missing: Drinking water 2 L`.
fn counted(act: &HistoryView, style: &Style) -> (String, String) {
    let nothing = style.lang.of("nothing", "無");
    let taken = amounts(&act.goods, |line| line.accepted, style);
    let taken = if taken.is_empty() { nothing.to_owned() } else { taken };
    let (mut en, mut zh) = (format!("signed for {taken}"), format!("簽收 {taken}"));
    let rest = [
        (amounts(&act.goods, |line| line.missing, style), "missing", "短缺"),
        (amounts(&act.goods, |line| line.damaged, style), "unusable", "損壞"),
        (amounts(&act.goods, |line| line.rejected, style), "sent back", "退回"),
    ];
    for (goods, name, chinese) in rest.iter().filter(|(goods, ..)| !goods.is_empty()) {
        en.push_str(&format!("; {name}: {goods}"));
        zh.push_str(&format!("；{chinese}：{goods}"));
    }
    (en, zh)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fields::Goods;
    use crate::lang::Lang;

    fn style(lang: Lang) -> Style {
        let item = json!({"code": "water", "en": "Drinking water", "zh": "飲用水", "unit": "LTR", "group": "drink"});
        let goods: Goods = serde_json::from_value(json!({"items": [item]})).unwrap();
        let now = "2026-11-23T20:00:00+08:00[Asia/Taipei]".parse().unwrap();
        Style { lang, colour: false, now, supplies_max: usize::MAX, goods, own: "holdfast".to_owned() }
    }

    /// Minutes after 10:00 in Taipei.
    fn at(minutes: i64) -> Value {
        let ten = "2026-11-23T02:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        json!(ten + minutes * 60_000)
    }

    fn water(quantity: u64, more: &[(&str, u64)]) -> Value {
        let mut line = json!({"item": "water", "unit": "LTR", "quantity": quantity});
        more.iter().for_each(|(name, count)| line[*name] = json!(count));
        json!([line])
    }

    #[test]
    fn a_request_is_told_from_need_to_receipt_in_order_of_time_as_stated() {
        let (store, hub) = (json!({"id": "1-1", "name": "Store"}), json!({"id": "1-2", "name": "Hub"}));
        let promise = json!({"commitment": "P-1", "request": "R-1", "supplier": hub, "status": "received", "lines": [], "history": [
            {"act": "commit", "by": hub, "version": 1, "at": at(5), "goods": water(50, &[])},
            {"act": "release", "by": hub, "version": 0, "at": at(6), "goods": water(10, &[]), "reason": "too many"},
        ]});
        let request: RequestView = serde_json::from_value(json!({
            "request": "R-1", "consignee": store, "requested_by": store, "version": 1, "priority": "urgent", "status": "closed",
            "lines": [{"item": "water", "unit": "LTR", "requested": 40}], "flags": [], "acknowledged_by": [], "commitments": [promise],
            "history": [{"act": "request", "by": store, "version": 1, "at": at(0)}, {"act": "close", "by": store, "version": 1, "at": at(60)}],
        }))
        .unwrap();
        let convoy: ConsignmentView = serde_json::from_value(json!({
            "consignment": "V-1", "sender": hub, "to": store, "status": "received", "lines": [], "commitments": ["P-1"], "history": [
                {"act": "receive", "by": store, "version": 0, "at": at(50), "goods": water(40, &[("accepted", 38), ("missing", 2)])},
                {"act": "depart", "by": hub, "version": 0, "at": at(20)},
                {"act": "plan_consignment", "by": hub, "version": 0, "at": at(20), "to": store, "goods": water(40, &[])},
            ],
        }))
        .unwrap();
        assert!(serves(&convoy, &request));
        let told = || in_time(of_request(&request).into_iter().chain(acts(&convoy.consignment, &convoy.history)).collect());
        assert_eq!(
            lines(&told(), &style(Lang::En)),
            [
                "10:00  Store asked for Drinking water 40 L (R-1)",
                "10:05  Hub promised Drinking water 50 L (P-1)",
                "10:06  Hub took back Drinking water 10 L (P-1): \"too many\"",
                "10:20  Hub planned a convoy to Store with Drinking water 40 L (V-1)",
                "10:20  Hub sent the convoy off (V-1)",
                "10:50  Store signed for Drinking water 38 L; missing: Drinking water 2 L (V-1)",
                "11:00  Store closed the request (R-1)",
            ]
        );
        let zh = lines(&told(), &style(Lang::Zh));
        assert_eq!(zh[1], "10:05  Hub 承諾 飲用水 50 公升（P-1）");
        assert_eq!(zh[5], "10:50  Store 簽收 飲用水 38 公升；短缺：飲用水 2 公升（V-1）");
    }
}
