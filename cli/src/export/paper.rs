//! `holdfast export ics213rr`: a request on paper, by the numbers of the form that emergency managers know (ICS 213 RR, resource request),
//! and the same empty, for the time without a PC. One file that any browser shows and prints; nothing in it is loaded from anywhere.

use std::path::Path;

use holdfast_proto::control::{CommitmentView, LineView, RequestView, StatusView};
use holdfast_proto::time::UtcMillis;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::client::{Client, path_part};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::fields;
use crate::files;
use crate::lang::Lang;
use crate::look::style_of_goods;
use crate::view::{Style, said_by};
use crate::when;
use crate::words::word;

/// Lines of an empty form: a shop asks for a few things at a time.
const EMPTY_LINES: usize = 8;
/// A4, black on white, with room to write by hand.
const CSS: &str = "\
@page{size:A4;margin:12mm}*{box-sizing:border-box}\
body{font:11pt/1.4 'Noto Sans CJK TC','PingFang TC','Microsoft JhengHei',system-ui,sans-serif;color:#000;background:#fff;\
max-width:190mm;margin:0 auto;padding:4mm}\
h1{font-size:16pt;margin:0 0 2mm}.mark{border:1mm solid #000;text-align:center;font-weight:700;font-size:14pt;padding:1mm;margin:0 0 3mm}\
table{border-collapse:collapse;width:100%;margin:0 0 3mm}td,th{border:.3mm solid #000;padding:1.5mm 2mm;vertical-align:top;text-align:left}\
th{font-weight:400;background:#eee}small{display:block;font-size:8pt;color:#333}td.q{text-align:right;white-space:nowrap}\
tr.empty td{height:10mm}td.room{height:14mm}p{margin:0 0 2mm}code{font-family:inherit;font-weight:700;overflow-wrap:anywhere}\
.codes{columns:3;font-size:8pt}.codes span{display:block}\
@media(max-width:600px){td,th{padding:1mm}body{font-size:9pt}}";

/// Both languages, for a sheet goes from hand to hand.
fn label(number: &str, zh: &str, en: &str) -> Markup {
    html! { small { (number) "  " span lang="zh-Hant-TW" { (zh) } " " span lang="en" { (en) } } }
}

/// `holdfast export ics213rr`.
///
/// # Errors
/// No such request, no daemon, or the file can't be written.
pub(crate) fn request_sheet(desk: &mut Desk<'_>, client: &Client, id: Option<&str>, out: &Path) -> Result<Exit, Failure> {
    let status: StatusView = client.ask("/api/v1/status")?;
    let style = style_of_goods(desk, client)?;
    let request: Option<RequestView> = match id {
        Some(id) => Some(client.ask(&format!("/api/v1/requests/{}", path_part(id.trim())))?),
        None => None,
    };
    let page = sheet(&status, request.as_ref(), &style);
    files::replace(out, &page)?;
    super::written(desk, out, 1, ("sheet", "張表單"));
    Ok(Exit::Done)
}

fn sheet(status: &StatusView, request: Option<&RequestView>, style: &Style) -> String {
    let title = request.map_or_else(|| "物資需求單 Resource request".to_owned(), |one| format!("物資需求單 {}", one.request));
    let page = html! {
        (DOCTYPE)
        html lang="zh-Hant-TW" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(CSS)) }
            }
            body {
                @if status.realm != "actual" { p.mark { "演練，非真實狀況 · EXERCISE, NOT REAL" } }
                @if let Some(over) = request.map(|one| one.status.as_str()).filter(|status| ["cancelled", "closed", "fulfilled"].contains(status)) {
                    p.mark { (word(over, Lang::Zh)) " · " (word(over, Lang::En)) }
                }
                h1 { "物資需求單 Resource request " small { "ICS 213 RR" } }
                (head_of(request, style))
                (lines_of(request, style))
                (people_of(request))
                (answers_of(request, style))
                (foot(status, request, style))
            }
        }
    };
    page.into_string()
}

fn head_of(request: Option<&RequestView>, style: &Style) -> Markup {
    let at = request.and_then(|one| one.asked_at).map(|at| when::full(at, &style.now));
    html! {
        table { tr {
            td { (label("1", "事件名稱", "Incident name")) br; }
            td { (label("2", "日期與時間", "Date and time")) (at.unwrap_or_default()) }
            td { (label("3", "需求編號", "Request number")) @if let Some(one) = request { strong { (one.request) } } }
        } }
    }
}

fn lines_of(request: Option<&RequestView>, style: &Style) -> Markup {
    let by = request.and_then(|one| one.needed_by).map(|at| when::full(at, &style.now)).unwrap_or_default();
    html! {
        table {
            tr {
                th { (label("4", "數量", "Quantity")) }
                th { (label("", "品項與說明", "Item and description")) }
                th { (label("", "希望送達", "Needed by")) }
                th { (label("", "預計送達", "Estimated")) }
            }
            @if let Some(one) = request {
                @for line in &one.lines {
                    tr {
                        td.q { (line.requested) (fields::unit(&line.unit, Lang::Zh)) (fields::unit(&line.unit, Lang::En)) }
                        td { (named(&line.item, line.text.as_ref(), style)) }
                        td { (by) }
                        td { @for at in arrivals(one, line) { (when::full(at, &style.now)) br; } }
                    }
                }
            } @else {
                @for _ in 0..EMPTY_LINES { tr.empty { td {} td {} td {} td {} } }
            }
        }
    }
}

/// When promises of these goods are to be there.
fn arrivals<'a>(request: &'a RequestView, line: &'a LineView) -> impl Iterator<Item = UtcMillis> + 'a {
    let promises = request.commitments.iter();
    let of_it =
        promises.filter(|promise| promise.lines.iter().any(|goods| (&goods.item, &goods.text) == (&line.item, &line.text)));
    of_it.filter_map(|promise| promise.arrival)
}

fn people_of(request: Option<&RequestView>) -> Markup {
    let place = request.map(|one| format!("{}（{}）", one.consignee.name, one.consignee.id));
    let who = request.map(|one| {
        let desk = one.desk.as_ref().map_or_else(String::new, |desk| format!("，{desk}"));
        format!("{}{desk}", said_by(&one.requested_by.name, one.person.as_ref(), Lang::Zh))
    });
    // The form knows three; what is asked for at once goes with the urgent.
    let boxes = [("urgent", "immediate"), ("routine", "routine"), ("low", "low")];
    let is_on = |(one, other): (&str, &str)| request.is_some_and(|request| [one, other].contains(&request.priority.as_str()));
    html! {
        table {
            tr {
                td { (label("5", "送達地點", "Delivery location")) (place.unwrap_or_default()) }
                td { (label("6", "可替代品或建議來源", "Substitutes or suggested sources"))
                    @if let Some(to) = request.and_then(|one| one.to.as_ref()) { (to.name) "（" (to.id) "）" } }
            }
            tr {
                td { (label("7", "申請人", "Requested by")) (who.unwrap_or_default()) }
                td { (label("8", "優先順序", "Priority"))
                    @for pair in boxes { span { (if is_on(pair) { "☒ " } else { "☐ " }) (word(pair.0, Lang::Zh)) " " (word(pair.0, Lang::En)) "   " } } }
            }
            tr { td.room { (label("9", "核准人簽名", "Approved by, signature")) } td.room { (label("13", "備註", "Notes"))
                @if let Some(note) = request.and_then(|one| one.note.as_ref()) { (note) } } }
        }
    }
}

/// In both languages; what somebody wrote in words stands as it is.
fn named(item: &str, text: Option<&String>, style: &Style) -> String {
    text.cloned().unwrap_or_else(|| format!("{} {}", style.goods.name(item, Lang::Zh), style.goods.name(item, Lang::En)))
}

fn promised(promise: &CommitmentView, style: &Style) -> String {
    let goods = promise.lines.iter().map(|line| {
        let unit = fields::unit(&line.unit, Lang::Zh);
        format!("{} {}{unit}", named(&line.item, line.text.as_ref(), style), line.quantity)
    });
    goods.collect::<Vec<_>>().join("、")
}

fn answers_of(request: Option<&RequestView>, style: &Style) -> Markup {
    html! {
        table {
            tr {
                th { (label("10", "承諾編號", "Order number")) }
                th { (label("12", "供應者", "Supplier")) }
                th { (label("", "承諾數量與現況", "Promised, and how it stands")) }
            }
            @for promise in request.into_iter().flat_map(|one| &one.commitments) {
                tr {
                    td { (promise.commitment) }
                    td { (promise.supplier.name) "（" (promise.supplier.id) "）" }
                    td { (promised(promise, style)) "；" (word(&promise.status, Lang::Zh)) " " (word(&promise.status, Lang::En)) }
                }
            }
            @if request.is_none_or(|one| one.commitments.is_empty()) { tr.empty { td {} td {} td {} } }
            tr { td.room colspan="2" { (label("14–15", "核准簽名、日期時間", "Approval: signature, date and time")) }
                td.room { (label("17–19", "財務意見、簽名、日期時間", "Finance: reply, signature, date and time")) } }
        }
    }
}

/// Where it comes from; on an empty form how it is typed in later.
fn foot(status: &StatusView, request: Option<&RequestView>, style: &Style) -> Markup {
    let (node, now) = (&status.node, style.now.strftime("%Y-%m-%d %H:%M").to_string());
    let realm = format!("{} {}", word(&status.realm, Lang::Zh), word(&status.realm, Lang::En));
    html! {
        @if request.is_none() {
            p { "電腦恢復後請照填單時間補登：" code { "holdfast request new --item water:40 --priority urgent --at 14:30" }
                br; "Type it in later with the time on the sheet, as above; the node keeps who asked and when." }
            p.codes { @for code in style.goods.codes() { span { (code) " " (named(code, None, style)) } } }
        }
        p { small { (node.name) "（" (node.id) "） · " (realm) " · 列印 printed " (now) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn style() -> Style {
        let goods =
            json!({"items": [{"code": "water", "en": "Drinking water", "zh": "飲用水", "unit": "LTR", "group": "water"}]});
        let now = "2026-11-24T14:05[Asia/Taipei]".parse().expect("a time");
        let goods = serde_json::from_value(goods).expect("a catalogue");
        Style { lang: Lang::Zh, colour: false, now, supplies_max: 0, goods, own: "holdfast".to_owned() }
    }

    fn status(realm: &str) -> StatusView {
        serde_json::from_value(json!({
            "schema": "holdfast.status/1", "node": {"id": "1-2", "name": "花蓮集散中心"}, "realm": realm, "digest": "00", "nodes": [],
            "requests_open": 1, "conflicts": 0, "neighbours": 0, "warnings": [],
        }))
        .expect("a status")
    }

    #[test]
    fn a_request_fills_the_form_and_nothing_in_it_becomes_markup() {
        let request: RequestView = serde_json::from_value(json!({
            "request": "R-7Q4K2M9", "consignee": {"id": "1-1", "name": "甲店"}, "requested_by": {"id": "1-1", "name": "甲店"},
            "version": 1, "priority": "immediate", "status": "committed", "note": "<img src=x>", "flags": [], "acknowledged_by": [],
            "lines": [{"item": "water", "unit": "LTR", "requested": 40}], "history": [],
            "commitments": [{"commitment": "P-7Q4K2M9", "request": "R-7Q4K2M9", "supplier": {"id": "1-2", "name": "花蓮集散中心"},
                "status": "committed", "lines": [{"item": "water", "unit": "LTR", "quantity": 40, "committed": 40}]}],
        }))
        .expect("a request");
        let page = sheet(&status("exercise"), Some(&request), &style());
        for part in [
            "演練，非真實狀況",
            "R-7Q4K2M9",
            "40 公升 L",
            "飲用水 Drinking water",
            "☒ 速件 urgent",
            "P-7Q4K2M9",
            "&lt;img src=x&gt;",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<img") && !page.contains("http"), "{page}");
    }

    #[test]
    fn an_empty_form_says_how_it_is_typed_in_later() {
        let page = sheet(&status("actual"), None, &style());
        assert!(!page.contains("EXERCISE") && !page.contains('☒'), "{page}");
        assert!(
            page.contains("holdfast request new --item water:40 --priority urgent --at 14:30") && page.contains("water 飲用水")
        );
        assert_eq!(page.matches("<tr class=\"empty\">").count(), EMPTY_LINES + 1);
    }
}
