//! `holdfast export csv` and `export jsonl`: all that this node knows of sites, requests, promises, convoys and conflicts, and every act
//! in order of time, for whoever works through it after the event. `configs/after-action.sql` asks the usual questions of the sheets.

pub(crate) mod paper;

use std::path::Path;

use holdfast_proto::control::{
    ConflictsView, ConsignmentView, ConsignmentsView, GoodsView, HistoryView, NodeName, OrdersView, RequestView, RequestsView,
    StatusView,
};
use holdfast_proto::domain::no_formula;
use holdfast_proto::time::UtcMillis;
use serde::Serialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::text::clean;
use crate::when;

/// What is known, asked for once.
struct Picture {
    status: StatusView,
    requests: Vec<RequestView>,
    convoys: Vec<ConsignmentView>,
    conflicts: ConflictsView,
    orders: OrdersView,
}

impl Picture {
    fn of(client: &Client) -> Result<Self, Failure> {
        Ok(Self {
            status: client.ask("/api/v1/status")?,
            requests: client.ask::<RequestsView>("/api/v1/requests")?.requests,
            convoys: client.ask::<ConsignmentsView>("/api/v1/consignments")?.consignments,
            conflicts: client.ask("/api/v1/conflicts")?,
            orders: client.ask("/api/v1/orders")?,
        })
    }

    /// Every act once, by the time its author states; those that state none come last.
    fn acts(&self) -> Vec<(&str, &HistoryView)> {
        let requests = self.requests.iter().flat_map(|one| one.history.iter().map(|act| (one.request.as_str(), act)));
        let promises = self.requests.iter().flat_map(|one| &one.commitments);
        let promises = promises.flat_map(|one| one.history.iter().map(|act| (one.commitment.as_str(), act)));
        let convoys = self.convoys.iter().flat_map(|one| one.history.iter().map(|act| (one.consignment.as_str(), act)));
        let mut acts: Vec<_> = requests.chain(promises).chain(convoys).collect();
        acts.sort_by_key(|(of, act)| (act.at.is_none(), act.at, *of));
        acts
    }
}

/// `holdfast export jsonl`.
///
/// # Errors
/// No daemon, or the file can't be written.
pub(crate) fn lines(desk: &mut Desk<'_>, client: &Client, out: Option<&Path>) -> Result<Exit, Failure> {
    let picture = Picture::of(client)?;
    let status = &picture.status;
    let (at, node, realm) = (desk.now().timestamp().as_millisecond(), &status.node, &status.realm);
    let mut rows = vec![json!({"kind": "about", "schema": "holdfast.record/1", "at": at, "node": node, "digest": status.digest})];
    rows.extend(status.nodes.iter().map(|one| tagged("site", one)));
    rows.extend(picture.orders.orders.iter().map(|one| tagged("order", one)));
    rows.extend(picture.requests.iter().map(|one| tagged("request", one)));
    rows.extend(picture.convoys.iter().map(|one| tagged("consignment", one)));
    rows.extend(picture.conflicts.conflicts.iter().map(|one| tagged("conflict", one)));
    for (of, act) in picture.acts() {
        let mut row = tagged("act", act);
        row["of"] = json!(of);
        rows.push(row);
    }
    // The realm stands in each line: one that is copied elsewhere still says that it was an exercise.
    rows.iter_mut().for_each(|row| row["realm"] = json!(realm));
    let Some(out) = out else {
        rows.iter().for_each(|row| desk.say(&row.to_string()));
        return Ok(Exit::Done);
    };
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    files::replace(out, &text)?;
    written(desk, out, rows.len(), ("lines", "行"));
    Ok(Exit::Done)
}

fn tagged(kind: &str, view: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(view).unwrap_or_default();
    value["kind"] = json!(kind);
    value
}

/// `holdfast export csv`.
///
/// # Errors
/// No daemon, or the folder can't be written; each sheet is written whole or not at all.
pub(crate) fn sheets(desk: &mut Desk<'_>, client: &Client, out: &Path) -> Result<Exit, Failure> {
    let picture = Picture::of(client)?;
    files::folder(out)?;
    let sheets =
        [sites(&picture), requests(&picture), promises(&picture), convoys(&picture), conflicts(&picture), acts(&picture)];
    for sheet in &sheets {
        files::replace(&out.join(sheet.name), &sheet.text(&picture.status.realm))?;
    }
    written(desk, out, sheets.len(), ("sheets", "個檔案"));
    Ok(Exit::Done)
}

fn written(desk: &mut Desk<'_>, out: &Path, count: usize, of: (&str, &str)) {
    if desk.json {
        desk.object(&json!({"schema": "holdfast.export/1", "out": out, "count": count}));
        return;
    }
    let shown = out.display();
    let text = desk.lang.of(format!("{count} {} written to {shown}", of.0), format!("已寫入 {count} {}到 {shown}", of.1));
    desk.say(&clean(&text));
}

/// One file.
struct Sheet {
    name: &'static str,
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// UTF-8 with a mark in front, so that spreadsheets do not take it for Big5.
    fn text(&self, realm: &str) -> String {
        let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        // Writing to memory can't fail.
        drop(rows.write_record(std::iter::once(&"realm").chain(self.head)));
        for row in &self.rows {
            drop(rows.write_record(std::iter::once(realm.to_owned()).chain(row.iter().map(|cell| no_formula(cell)))));
        }
        let text = rows.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        format!("\u{feff}{text}")
    }
}

fn time(at: Option<UtcMillis>) -> String {
    at.and_then(when::rfc3339).unwrap_or_default()
}

fn node(name: &NodeName) -> [String; 2] {
    [name.id.clone(), name.name.clone()]
}

fn maybe_node(name: Option<&NodeName>) -> [String; 2] {
    name.map(node).unwrap_or_default()
}

fn number(number: u64) -> String {
    number.to_string()
}

/// What it is, and in words where it has no code.
fn goods(one: &GoodsView) -> [String; 3] {
    [one.item.clone(), one.text.clone().unwrap_or_default(), one.unit.clone()]
}

fn sites(picture: &Picture) -> Sheet {
    let rows = picture.status.nodes.iter().map(|one| {
        let mode = one.mode.as_ref().map(|mode| mode.mode.clone()).unwrap_or_default();
        let age = one.age_s.map(number).unwrap_or_default();
        vec![
            one.id.clone(),
            one.name.clone(),
            one.role.clone(),
            one.firm.clone(),
            one.region.clone(),
            one.operating_status.clone(),
            age,
            mode,
        ]
    });
    let head = &["site", "name", "role", "firm", "region", "operating_status", "age_s", "mode"];
    Sheet { name: "sites.csv", head, rows: rows.collect() }
}

fn requests(picture: &Picture) -> Sheet {
    let mut rows = Vec::new();
    for one in &picture.requests {
        for line in &one.lines {
            let mut row = vec![one.request.clone(), line.item.clone(), line.text.clone().unwrap_or_default(), line.unit.clone()];
            let stages =
                [line.requested, line.committed, line.in_transit, line.accepted, line.rejected, line.damaged, line.missing];
            row.extend(stages.map(number));
            row.extend([one.priority.clone(), one.status.clone()]);
            row.extend(node(&one.consignee));
            row.extend(maybe_node(one.to.as_ref()));
            row.extend([time(one.asked_at), time(one.needed_by), one.flags.join(" "), one.note.clone().unwrap_or_default()]);
            rows.push(row);
        }
    }
    let head = &[
        "request",
        "item",
        "text",
        "unit",
        "requested",
        "committed",
        "in_transit",
        "accepted",
        "rejected",
        "damaged",
        "missing",
        "priority",
        "status",
        "consignee",
        "consignee_name",
        "asked",
        "asked_name",
        "asked_at",
        "needed_by",
        "flags",
        "note",
    ];
    Sheet { name: "requests.csv", head, rows }
}

fn promises(picture: &Picture) -> Sheet {
    let mut rows = Vec::new();
    for one in picture.requests.iter().flat_map(|request| &request.commitments) {
        for line in &one.lines {
            let mut row = vec![one.commitment.clone(), one.request.clone()];
            row.extend(node(&one.supplier));
            row.extend(goods(line));
            let stages =
                [line.quantity, line.committed, line.in_transit, line.accepted, line.rejected, line.damaged, line.missing];
            row.extend(stages.map(number));
            row.extend([number(line.released), number(line.diverted), one.status.clone()]);
            row.extend([time(one.at), time(one.arrival), one.flags.join(" "), one.note.clone().unwrap_or_default()]);
            rows.push(row);
        }
    }
    let head = &[
        "promise",
        "request",
        "supplier",
        "supplier_name",
        "item",
        "text",
        "unit",
        "quantity",
        "committed",
        "in_transit",
        "accepted",
        "rejected",
        "damaged",
        "missing",
        "released",
        "diverted",
        "status",
        "promised_at",
        "arrival",
        "flags",
        "note",
    ];
    Sheet { name: "promises.csv", head, rows }
}

fn convoys(picture: &Picture) -> Sheet {
    let mut rows = Vec::new();
    for one in &picture.convoys {
        for line in &one.lines {
            let mut row = vec![one.consignment.clone()];
            row.extend([node(&one.sender), maybe_node(one.carrier.as_ref()), node(&one.to)].concat());
            row.extend(goods(line));
            let stages =
                [line.quantity, line.in_transit, line.accepted, line.rejected, line.damaged, line.missing, line.released];
            row.extend(stages.map(number));
            row.extend([one.status.clone(), one.requests.join(" "), one.commitments.join(" ")]);
            row.extend([one.position.clone().unwrap_or_default(), time(one.arrival), one.flags.join(" ")]);
            rows.push(row);
        }
    }
    let head = &[
        "convoy",
        "sender",
        "sender_name",
        "carrier",
        "carrier_name",
        "consignee",
        "consignee_name",
        "item",
        "text",
        "unit",
        "sent",
        "in_transit",
        "accepted",
        "rejected",
        "damaged",
        "missing",
        "returned",
        "status",
        "requests",
        "promises",
        "position",
        "arrival",
        "flags",
    ];
    Sheet { name: "convoys.csv", head, rows }
}

fn conflicts(picture: &Picture) -> Sheet {
    let mut rows = Vec::new();
    for one in &picture.conflicts.conflicts {
        for proposal in &one.proposals {
            let mut row = vec![one.conflict.clone(), one.kind.clone(), one.about.clone()];
            row.extend([node(&one.consignee), node(&proposal.by)].concat());
            let quantity = proposal.quantity.map(number).unwrap_or_default();
            row.extend([proposal.what.clone(), proposal.of.clone(), proposal.item.clone().unwrap_or_default(), quantity]);
            row.push(proposal.to.clone().unwrap_or_default());
            rows.push(row);
        }
    }
    let head = &[
        "conflict",
        "kind",
        "about",
        "consignee",
        "consignee_name",
        "by",
        "by_name",
        "proposed",
        "of",
        "item",
        "quantity",
        "to",
    ];
    Sheet { name: "conflicts.csv", head, rows }
}

fn acts(picture: &Picture) -> Sheet {
    let rows = picture.acts().into_iter().map(|(of, act)| {
        let mut row = vec![time(act.at), of.to_owned(), act.act.clone()];
        row.extend(node(&act.by));
        row.push(act.person.as_ref().map(|person| person.name.clone()).unwrap_or_default());
        row.extend(maybe_node(act.to.as_ref()));
        let named =
            act.goods.iter().map(|one| format!("{} {} {}", one.text.as_ref().unwrap_or(&one.item), one.quantity, one.unit));
        row.extend([named.collect::<Vec<_>>().join("; "), act.place.clone().unwrap_or_default()]);
        row.extend([act.reason.clone(), act.desk.clone(), act.flagged.clone()].map(Option::unwrap_or_default));
        row
    });
    let head =
        &["at", "of", "act", "by", "by_name", "person", "to", "to_name", "goods", "place", "reason", "desk", "without_effect"];
    Sheet { name: "acts.csv", head, rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_says_its_realm_in_each_row_and_no_cell_is_a_formula() {
        let rows = vec![vec!["R-1".to_owned(), "=1+1".to_owned()], vec!["2 L, 每人".to_owned(), "a\nb".to_owned()]];
        let text = Sheet { name: "x.csv", head: &["request", "note"], rows }.text("exercise");
        assert_eq!(text, "\u{feff}realm,request,note\r\nexercise,R-1,'=1+1\r\nexercise,\"2 L, 每人\",\"a\nb\"\r\n");
    }
}
