//! `holdfast conflicts`: what people must settle, and this node's part of it after a yes.

use holdfast_proto::control::{ConflictView, ConflictsView, NodeName, PartView, ProposalView, ResolveWish, StockView};

use crate::act::{self, Times, write};
use crate::args::{ConflictsCommand, ResolveArgs};
use crate::client::Client;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::look::{style_of_goods, with_schema};
use crate::supply::{is_called, not_here};
use crate::text::{Hue, Table, clean, plain};
use crate::view::Style;
use crate::words::word;

/// `holdfast conflicts`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn conflicts(desk: &mut Desk<'_>, client: &Client, command: ConflictsCommand) -> Result<Exit, Failure> {
    match command {
        ConflictsCommand::List => list(desk, client),
        ConflictsCommand::Show { id } => show(desk, client, &id),
        ConflictsCommand::Resolve(args) => resolve(desk, client, args),
    }
}

fn list(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        let text = client.get_raw("/api/v1/conflicts")?;
        desk.raw(&text);
        return Ok(Exit::Done);
    }
    let view: ConflictsView = client.ask("/api/v1/conflicts")?;
    let me = me(client)?;
    let lines = listed(&view, &me, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

fn find(client: &Client, id: &str) -> Result<ConflictView, Failure> {
    let view: ConflictsView = client.ask("/api/v1/conflicts")?;
    let found = view.conflicts.into_iter().find(|conflict| is_called(&conflict.conflict, id));
    found.ok_or_else(|| not_here("conflict", "衝突", id, "conflicts list"))
}

fn show(desk: &mut Desk<'_>, client: &Client, id: &str) -> Result<Exit, Failure> {
    let conflict = find(client, id)?;
    if desk.json {
        let mut object = serde_json::to_value(&conflict).unwrap_or_default();
        with_schema(&mut object, "holdfast.conflict/1");
        desk.object(&object);
        return Ok(Exit::Done);
    }
    let me = me(client)?;
    let lines = shown(&conflict, &me, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// Says what this node will do, asks, and does it.
fn resolve(desk: &mut Desk<'_>, client: &Client, args: ResolveArgs) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let conflict = find(client, &args.id)?;
    let own = mine(&conflict, &me(client)?);
    if own.iter().any(|proposal| is_done_by_yes(proposal)) && !args.yes {
        let style = style_of_goods(desk, client)?;
        for proposal in own.iter().filter(|proposal| is_done_by_yes(proposal)) {
            let line = proposed(proposal, &style);
            desk.note(&line, &line);
        }
        if !desk.agrees("Do this?", "要這樣做嗎？") {
            return Err(Failure::new(
                Exit::Failed,
                "H-829",
                words("Nobody here said yes.", "這裡沒有人同意。"),
                words("Nothing was done.", "沒有做任何處理。"),
                words("Run the command again, or with --yes where nobody is asked.", "請再執行一次；無人可問時請加 --yes。"),
            ));
        }
    }
    // Where nothing is this node's to do the daemon says who it waits for.
    let times = Times::at(act.at);
    write(desk, client, "/api/v1/conflicts/resolve", &ResolveWish { conflict: conflict.conflict, act }, times)
        .map(|(exit, _)| exit)
}

/// Who this node is.
fn me(client: &Client) -> Result<NodeName, Failure> {
    client.ask::<StockView>("/api/v1/stock").map(|stock| stock.node)
}

fn mine<'a>(conflict: &'a ConflictView, me: &NodeName) -> Vec<&'a ProposalView> {
    conflict.proposals.iter().filter(|proposal| proposal.by.id == me.id).collect()
}

/// A receipt is counted and a need is confirmed by people: these take more than a yes.
fn is_done_by_yes(proposal: &ProposalView) -> bool {
    matches!(proposal.what.as_str(), "release" | "unload" | "divert")
}

fn listed(view: &ConflictsView, me: &NodeName, style: &Style) -> Vec<String> {
    let lang = style.lang;
    if view.conflicts.is_empty() {
        return vec![lang.of("Nothing is to be settled.", "沒有待確認的事項。").to_owned()];
    }
    let mut table =
        Table::new(&lang.of(["CONFLICT", "WHAT", "ABOUT", "FOR", "WHAT IS PROPOSED"], ["衝突", "情況", "對象", "送往", "建議"]));
    for conflict in &view.conflicts {
        let (first, more) = (conflict.proposals.first(), conflict.proposals.len().saturating_sub(1));
        let mut proposal = first.map(|first| proposed(first, style)).unwrap_or_default();
        if more > 0 {
            proposal.push_str(&lang.of(format!("; {more} more"), format!("；另 {more} 項")));
        }
        let hue = if mine(conflict, me).is_empty() { Hue::Plain } else { Hue::Yellow };
        table.row(vec![
            plain(conflict.conflict.clone()),
            plain(kind(&conflict.kind, style)),
            plain(conflict.about.clone()),
            plain(conflict.consignee.name.clone()),
            (proposal, hue),
        ]);
    }
    let mut lines = table.lines(style.colour);
    let own: Vec<&ConflictView> =
        view.conflicts.iter().filter(|conflict| mine(conflict, me).iter().any(|proposal| is_done_by_yes(proposal))).collect();
    if let Some(first) = own.first() {
        let next = format!("{} conflicts resolve {}", style.own, clean(&first.conflict));
        lines.push(lang.of(format!("next: {next}"), format!("下一步：{next}")));
    }
    lines
}

fn kind(kind: &str, style: &Style) -> String {
    let pair = match kind {
        "over_covered" => ("more is promised than asked for", "承諾超過需求"),
        "unneeded" => ("goods for a request that is over", "需求已結束，仍有物資"),
        "older_version" => ("a cancel of an older version", "有人取消了較舊的版本"),
        "unconfirmed" => ("handed over, nobody signed", "已交付，尚未簽收"),
        other => (other, other),
    };
    style.lang.of(pair.0, pair.1).to_owned()
}

fn shown(conflict: &ConflictView, me: &NodeName, style: &Style) -> Vec<String> {
    let lang = style.lang;
    let (name, about, to) = (&conflict.conflict, &conflict.about, &conflict.consignee.name);
    let mut lines = vec![clean(&format!("{name}  {}  {about} → {to}", kind(&conflict.kind, style)))];
    if !conflict.parts.is_empty() {
        let mut table = Table::new(&lang.of(
            ["   ", "GOODS", "WHOSE", "OF", "STATE", "KEPT", "TOO MANY"],
            ["   ", "物資", "供應者", "編號", "狀態", "保留", "多出"],
        ));
        conflict.parts.iter().for_each(|part| table.row(part_cells(part, style)));
        lines.extend(table.lines(style.colour));
    }
    lines.push(lang.of("  proposed", "  建議").to_owned());
    for proposal in &conflict.proposals {
        let mark = if proposal.by.id == me.id { "→" } else { " " };
        lines.push(format!("  {mark} {}", proposed(proposal, style)));
    }
    if mine(conflict, me).iter().any(|proposal| is_done_by_yes(proposal)) {
        let next = format!("{} conflicts resolve {}", style.own, clean(name));
        lines.push(lang.of(format!("  next: {next}"), format!("  下一步：{next}")));
    }
    lines
}

fn part_cells(part: &PartView, style: &Style) -> Vec<(String, Hue)> {
    let lang = style.lang;
    let names: Vec<String> = part.consignment.iter().chain(&part.commitment).cloned().collect();
    vec![
        plain("   "),
        plain(style.goods.name(&part.item, lang)),
        plain(part.supplier.name.clone()),
        plain(names.join(" ")),
        plain(word(&part.held, lang)),
        plain(part.kept.to_string()),
        (if part.surplus == 0 { String::new() } else { part.surplus.to_string() }, Hue::Yellow),
    ]
}

/// `Hub B releases Drinking water 40 L of P-7Q4KM2X`.
fn proposed(proposal: &ProposalView, style: &Style) -> String {
    let lang = style.lang;
    let (by, of) = (&proposal.by.name, &proposal.of);
    let to = proposal.to.as_deref().unwrap_or("?");
    let goods = proposal.item.as_deref().zip(proposal.quantity).map(|(item, quantity)| style.goods.amount(item, quantity, lang));
    let goods = goods.unwrap_or_default();
    let pair = match proposal.what.as_str() {
        "release" => (format!("{by} takes back {goods} of {of}"), format!("{by} 釋出 {of} 的 {goods}")),
        "unload" => (format!("{by} unloads {of}"), format!("{by} 卸下 {of}")),
        "divert" => (format!("{by} sends {of} on to {to}"), format!("{by} 將 {of} 改送 {to}")),
        "surplus" => (format!("{of} of {by} arrives as surplus, or is refused"), format!("{by} 的 {of} 作為餘量簽收，或拒收")),
        "receive" => (format!("{by} counts and signs for {of}"), format!("{by} 清點並簽收 {of}")),
        "confirm" => (
            format!("{by} says whether {of} is still needed (request confirm, or cancel)"),
            format!("{by} 說明 {of} 是否仍需要（request confirm 或 cancel）"),
        ),
        other => (format!("{by}: {other} {of}"), format!("{by}：{other} {of}")),
    };
    clean(&lang.of(pair.0, pair.1))
}
