//! Promises, convoys, stock and coverage as people read them. Pure: objects in, lines out.

use holdfast_proto::control::{
    CommitmentView, ConsignmentView, ConsignmentsView, GoodsView, LineView, NodeName, RequestView, StockView,
};
use serde_json::{Value, json};

use crate::fields;
use crate::lang::Lang;
use crate::story;
use crate::text::{Hue, Table, clean, plain};
use crate::view::Style;
use crate::when;
use crate::words::word;

/// `Drinking water 40 L`.
pub(crate) fn amount(item: &str, text: Option<&String>, unit: &str, quantity: u64, style: &Style) -> String {
    let what = text.cloned().unwrap_or_else(|| style.goods.name(item, style.lang));
    format!("{what} {quantity}{}", fields::unit(unit, style.lang))
}

/// Several goods by one of their numbers; those that are zero are left out.
pub(crate) fn amounts(goods: &[GoodsView], of: fn(&GoodsView) -> u64, style: &Style) -> String {
    let some = goods.iter().filter(|one| of(one) > 0);
    let texts: Vec<String> = some.map(|one| amount(&one.item, one.text.as_ref(), &one.unit, of(one), style)).collect();
    texts.join(style.lang.of(", ", "、"))
}

/// Where the goods of a promise or convoy are, stage by stage: `there 38, missing 2`.
fn stages(line: &GoodsView, lang: Lang) -> String {
    let all = [
        (line.committed, "promised", "已承諾"),
        (line.in_transit, "on the road", "運送中"),
        (line.accepted, "there", "已簽收"),
        (line.rejected, "sent back", "退回"),
        (line.damaged, "unusable", "損壞"),
        (line.missing, "missing", "短缺"),
        (line.released, "taken back", "已釋出"),
        (line.diverted, "sent elsewhere", "改送"),
    ];
    joined(&all, lang)
}

fn joined(all: &[(u64, &str, &str)], lang: Lang) -> String {
    let told = all.iter().filter(|(quantity, ..)| *quantity > 0);
    let texts: Vec<String> = told.map(|(quantity, en, zh)| format!("{} {quantity}", lang.of(en, zh))).collect();
    texts.join(lang.of(", ", "、"))
}

/// What nobody covers of a line.
pub(crate) fn lacking(line: &LineView) -> u64 {
    line.requested.saturating_sub(line.committed).saturating_sub(line.in_transit).saturating_sub(line.accepted)
}

/// Stages of a line of a request; empty where nobody said anything of it.
pub(crate) fn line_stages(line: &LineView, lang: Lang) -> String {
    let all = [
        (line.committed, "promised", "已承諾"),
        (line.in_transit, "on the road", "運送中"),
        (line.accepted, "there", "已簽收"),
        (line.rejected, "sent back", "退回"),
        (line.damaged, "unusable", "損壞"),
        (line.missing, "missing", "短缺"),
    ];
    let told = joined(&all, lang);
    if told.is_empty() { told } else { joined(&[all.as_slice(), &[(lacking(line), "lacking", "尚缺")]].concat(), lang) }
}

fn flags(flags: &[String], lang: Lang) -> (String, Hue) {
    if flags.is_empty() {
        return plain("");
    }
    let told: Vec<String> = flags.iter().map(|flag| word(flag, lang)).collect();
    (format!("⚠ {}", told.join(lang.of("; ", "；"))), Hue::Yellow)
}

fn with_id(node: &NodeName, lang: Lang) -> String {
    lang.of(format!("{} ({})", node.name, node.id), format!("{}（{}）", node.name, node.id))
}

/// Promises and convoys of a request, below what `request show` says.
pub(crate) fn answers(request: &RequestView, convoys: &[ConsignmentView], style: &Style) -> Vec<String> {
    let lang = style.lang;
    let mut lines = Vec::new();
    if !request.commitments.is_empty() {
        lines.push(lang.of("  promises", "  承諾").to_owned());
        let mut table = Table::default();
        for promise in &request.commitments {
            promise_rows(promise, &mut table, style);
        }
        lines.extend(table.lines(style.colour));
    }
    if !convoys.is_empty() {
        lines.push(lang.of("  convoys", "  運送").to_owned());
        let mut table = Table::default();
        for convoy in convoys {
            let mut cells = vec![plain("   ")];
            cells.extend(convoy_cells(convoy, style));
            table.row(cells);
        }
        lines.extend(table.lines(style.colour));
    }
    for node in &request.unable {
        lines.push(clean(&lang.of(format!("  {} sends nothing", node.name), format!("  {} 無法提供", node.name))));
    }
    lines
}

fn promise_rows(promise: &CommitmentView, table: &mut Table, style: &Style) {
    let lang = style.lang;
    for (place, line) in promise.lines.iter().enumerate() {
        let first = place == 0;
        let once = |text: String| plain(if first { text } else { String::new() });
        let arrival = promise.arrival.map(|at| lang.of("by ", "預計 ").to_owned() + &when::short(at, &style.now));
        table.row(vec![
            plain("   "),
            once(promise.commitment.clone()),
            once(promise.supplier.name.clone()),
            plain(amount(&line.item, line.text.as_ref(), &line.unit, line.quantity, style)),
            once(word(&promise.status, lang)),
            plain(stages(line, lang)),
            once(arrival.unwrap_or_default()),
            once(promise.note.clone().unwrap_or_default()),
            if first { flags(&promise.flags, lang) } else { plain("") },
        ]);
    }
}

fn convoy_cells(convoy: &ConsignmentView, style: &Style) -> Vec<(String, Hue)> {
    let lang = style.lang;
    let at = convoy.position.as_ref().map(|place| lang.of(format!("at {place}"), format!("位於 {place}")));
    let arrival = convoy.arrival.map(|at| lang.of("by ", "預計 ").to_owned() + &when::short(at, &style.now));
    vec![
        plain(convoy.consignment.clone()),
        plain(convoy.sender.name.clone()),
        plain(format!("→ {}", convoy.to.name)),
        plain(amounts(&convoy.lines, |line| line.quantity, style)),
        plain(word(&convoy.status, lang)),
        plain(at.unwrap_or_default()),
        plain(arrival.unwrap_or_default()),
        flags(&convoy.flags, lang),
    ]
}

/// `holdfast convoy list`.
pub(crate) fn convoys(view: &ConsignmentsView, style: &Style) -> Vec<String> {
    let lang = style.lang;
    if view.consignments.is_empty() {
        return vec![lang.of("No convoys.", "沒有運送。").to_owned()];
    }
    let mut table = Table::new(&lang.of(
        ["CONVOY", "FROM", "TO", "GOODS", "STATE", "WHERE", "ARRIVAL", ""],
        ["運送", "送出", "送往", "物資", "狀態", "位置", "預計抵達", ""],
    ));
    for convoy in &view.consignments {
        table.row(convoy_cells(convoy, style));
    }
    table.lines(style.colour)
}

/// `holdfast convoy show`.
pub(crate) fn convoy(view: &ConsignmentView, style: &Style) -> Vec<String> {
    let lang = style.lang;
    let mut lines = vec![format!("{}  {}", clean(&view.consignment), word(&view.status, lang))];
    let mut put = |en: &str, zh: &str, text: String| {
        lines.push(format!("  {}{}", lang.of(format!("{en}: "), format!("{zh}：")), clean(&text)));
    };
    put("from", "送出", with_id(&view.sender, lang));
    if let Some(carrier) = &view.carrier {
        put("driven by", "承運", with_id(carrier, lang));
    }
    put("to", "送往", with_id(&view.to, lang));
    for line in &view.lines {
        let goods = amount(&line.item, line.text.as_ref(), &line.unit, line.quantity, style);
        let told = stages(line, lang);
        put("goods", "物資", lang.of(format!("{goods} ({told})"), format!("{goods}（{told}）")));
    }
    for (en, zh, names) in [("promises", "承諾", &view.commitments), ("requests", "需求", &view.requests)] {
        if !names.is_empty() {
            put(en, zh, names.join(lang.of(", ", "、")));
        }
    }
    if let Some(place) = &view.position {
        put("last seen", "最後位置", place.clone());
    }
    if let Some(at) = view.arrival {
        put("to be there", "預計抵達", when::short(at, &style.now));
    }
    if let Some(note) = &view.note {
        put("note", "備註", note.clone());
    }
    for flag in &view.flags {
        put("⚠", "⚠", word(flag, lang));
    }
    lines.push(lang.of("  history", "  經過").to_owned());
    lines.extend(story::lines(&story::of_convoy(view), style).into_iter().map(|line| format!("    {line}")));
    lines
}

/// `holdfast stock`.
pub(crate) fn stock(view: &StockView, style: &Style) -> Vec<String> {
    let lang = style.lang;
    if view.items.is_empty() {
        let line = lang.of(
            format!("Nothing was counted here. To count: {} stock count water=120", style.own),
            format!("這裡還沒有清點。清點方式：{} stock count water=120", style.own),
        );
        return vec![line];
    }
    let mut table = Table::new(&lang.of(
        ["ITEM", "THERE", "KEPT HERE", "PROMISED", "LEFT", "HELD BY", ""],
        ["品項", "現有", "保留給本地", "已承諾", "可承諾", "占用者", ""],
    ));
    for shelf in &view.items {
        let number = |quantity: u64| format!("{quantity}{}", fields::unit(&shelf.unit, lang));
        let counted = |quantity: Option<u64>| quantity.map_or_else(|| lang.of("not counted", "未清點").to_owned(), number);
        let some = |quantity: u64| if quantity == 0 { String::new() } else { number(quantity) };
        let holds: Vec<String> = shelf.holds.iter().map(|hold| format!("{} {}", hold.by, hold.quantity)).collect();
        let short = shelf.short;
        let lacks = lang.of(
            format!("⚠ {short} promised and not there: release as a shortfall"),
            format!("⚠ 已承諾但短缺 {short}：請以短缺釋出"),
        );
        let none_left = shelf.available == Some(0);
        table.row(vec![
            plain(style.goods.name(&shelf.item, lang)),
            plain(counted(shelf.on_hand)),
            plain(some(shelf.floor)),
            plain(some(shelf.promised)),
            (counted(shelf.available), if none_left { Hue::Yellow } else { Hue::Plain }),
            plain(holds.join(lang.of(", ", "、"))),
            if short == 0 { plain("") } else { (lacks, Hue::Red) },
        ]);
    }
    table.lines(style.colour)
}

/// Lines of one request for `coverage --json`.
pub(crate) fn covered(request: &RequestView) -> Vec<Value> {
    let row = |line: &LineView| {
        let mut row = serde_json::to_value(line).unwrap_or_default();
        if let Some(object) = row.as_object_mut() {
            object.insert("request".to_owned(), json!(request.request));
            object.insert("consignee".to_owned(), json!(request.consignee));
            object.insert("priority".to_owned(), json!(request.priority));
            object.insert("lacking".to_owned(), json!(lacking(line)));
            for stage in ["committed", "in_transit", "accepted"] {
                object.entry(stage).or_insert_with(|| json!(0));
            }
        }
        row
    };
    request.lines.iter().map(row).collect()
}

/// `holdfast coverage`.
pub(crate) fn coverage(requests: &[&RequestView], style: &Style) -> Vec<String> {
    let lang = style.lang;
    if requests.is_empty() {
        return vec![lang.of("No open requests.", "沒有未結的補給需求。").to_owned()];
    }
    let mut table = Table::new(&lang.of(
        ["ID", "FOR", "PRIORITY", "SUPPLIES", "ASKED", "PROMISED", "ON THE ROAD", "THERE", "LACKING", ""],
        ["代號", "送往", "優先", "物資", "需求", "已承諾", "運送中", "已簽收", "尚缺", ""],
    ));
    for request in requests {
        for line in &request.lines {
            let unit = fields::unit(&line.unit, lang);
            let some = |quantity: u64| plain(if quantity == 0 { String::new() } else { format!("{quantity}{unit}") });
            let what = line.text.clone().unwrap_or_else(|| style.goods.name(&line.item, lang));
            let covered = line.committed.saturating_add(line.in_transit).saturating_add(line.accepted);
            let beyond = covered.saturating_sub(line.requested);
            let note = lang.of(format!("⚠ {beyond} too many"), format!("⚠ 多了 {beyond}"));
            table.row(vec![
                plain(request.request.clone()),
                plain(request.consignee.name.clone()),
                plain(word(&request.priority, lang)),
                plain(what),
                some(line.requested),
                some(line.committed),
                some(line.in_transit),
                some(line.accepted),
                (some(lacking(line)).0, Hue::Yellow),
                if beyond == 0 { plain("") } else { (note, Hue::Yellow) },
            ]);
        }
    }
    table.lines(style.colour)
}
