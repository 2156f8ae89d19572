//! From need to receipt: `commit`, `unable`, `release`, `convoy`, `receive`, `refuse`, `stock` and `coverage`.

pub(crate) mod shown;

use std::collections::BTreeMap;

use holdfast_proto::control::{
    CommitWish, ConsignWish, ConsignmentsView, ReceiveWish, ReleaseWish, Report, RequestsView, StepWish, StockView, StockWish,
    UnableWish,
};
use serde_json::{Value, json};

use crate::act::{self, Times, given_twice, needed_by, write};
use crate::args::{
    CommitArgs, ConvoyCommand, GoodsArgs, PlanArgs, PositionArgs, ReceiveArgs, RefuseArgs, ReleaseArgs, StepArgs, StockArgs,
    StockCommand, StockLines, UnableArgs,
};
use crate::client::Client;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::look::style_of_goods;
use crate::view;

/// `holdfast commit`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn commit(desk: &mut Desk<'_>, client: &Client, args: CommitArgs) -> Result<Exit, Failure> {
    let wish = CommitWish {
        request: args.id,
        items: args.items,
        arrival: needed_by(desk, args.arrival.as_deref())?,
        note: args.note,
        key: args.key,
        act: act::act(desk, &args.act)?,
    };
    let times = Times { arrival: wish.arrival, ..Times::at(wish.act.at) };
    let (exit, saved) = write(desk, client, "/api/v1/commitments", &wish, times)?;
    if let Some(id) = saved.get("id").and_then(Value::as_str).filter(|_| !desk.json) {
        let own = desk.own.clone();
        desk.note(&format!("To send it: {own} convoy plan {id}"), &format!("要運送時：{own} convoy plan {id}"));
    }
    Ok(exit)
}

/// `holdfast unable`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn unable(desk: &mut Desk<'_>, client: &Client, args: UnableArgs) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = UnableWish { request: args.id, declined: args.decline, reason: args.reason, act };
    write(desk, client, "/api/v1/requests/unable", &wish, times).map(|(exit, _)| exit)
}

/// `holdfast release`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn release(desk: &mut Desk<'_>, client: &Client, args: ReleaseArgs) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = ReleaseWish { commitment: args.id, items: args.items, cause: args.cause, reason: args.reason, act };
    write(desk, client, "/api/v1/commitments/release", &wish, times).map(|(exit, _)| exit)
}

/// `holdfast convoy`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn convoy(desk: &mut Desk<'_>, client: &Client, command: ConvoyCommand) -> Result<Exit, Failure> {
    match command {
        ConvoyCommand::Plan(args) => plan(desk, client, args),
        ConvoyCommand::Load(args) => step(desk, client, "load", args, StepWish::default()),
        ConvoyCommand::Depart(args) => step(desk, client, "depart", args, StepWish::default()),
        ConvoyCommand::Unload(args) => step(desk, client, "unload", args, StepWish::default()),
        ConvoyCommand::Arrive(args) => step(desk, client, "arrive", args, StepWish::default()),
        ConvoyCommand::Position(PositionArgs { id, place, note, act }) => {
            let more = StepWish { place: Some(place), ..StepWish::default() };
            step(desk, client, "position", StepArgs { id, note, act }, more)
        }
        ConvoyCommand::Divert(args) => {
            step(desk, client, "divert", args.step, StepWish { to: Some(args.to), ..StepWish::default() })
        }
        ConvoyCommand::HandOver(args) => goods_step(desk, client, "hand_over", args),
        ConvoyCommand::Lost(args) => goods_step(desk, client, "lost", args),
        ConvoyCommand::Return(args) => goods_step(desk, client, "return", args),
        ConvoyCommand::List => convoys(desk, client),
        ConvoyCommand::Show { id } => convoy_show(desk, client, &id),
    }
}

fn plan(desk: &mut Desk<'_>, client: &Client, args: PlanArgs) -> Result<Exit, Failure> {
    let wish = ConsignWish {
        commitments: args.promises,
        items: args.items,
        to: args.to,
        carrier: args.carrier,
        arrival: needed_by(desk, args.arrival.as_deref())?,
        note: args.note,
        act: act::act(desk, &args.act)?,
    };
    let times = Times { arrival: wish.arrival, ..Times::at(wish.act.at) };
    write(desk, client, "/api/v1/consignments", &wish, times).map(|(exit, _)| exit)
}

fn step(desk: &mut Desk<'_>, client: &Client, step: &str, args: StepArgs, more: StepWish) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = StepWish { consignment: args.id, step: step.to_owned(), note: args.note, act, ..more };
    write(desk, client, "/api/v1/consignments/step", &wish, times).map(|(exit, _)| exit)
}

fn goods_step(desk: &mut Desk<'_>, client: &Client, word: &str, args: GoodsArgs) -> Result<Exit, Failure> {
    step(desk, client, word, args.step, StepWish { items: args.items, ..StepWish::default() })
}

fn convoys(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        let text = client.get_raw("/api/v1/consignments")?;
        desk.raw(&text);
        return Ok(Exit::Done);
    }
    let view: ConsignmentsView = client.ask("/api/v1/consignments")?;
    let lines = shown::convoys(&view, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

fn convoy_show(desk: &mut Desk<'_>, client: &Client, id: &str) -> Result<Exit, Failure> {
    let view: ConsignmentsView = client.ask("/api/v1/consignments")?;
    let found = view.consignments.into_iter().find(|convoy| is_called(&convoy.consignment, id));
    let Some(convoy) = found else { return Err(not_here("convoy", "運送", id, "convoy list")) };
    if desk.json {
        let mut object = serde_json::to_value(&convoy).unwrap_or_default();
        crate::look::with_schema(&mut object, "holdfast.consignment/1");
        desk.object(&object);
        return Ok(Exit::Done);
    }
    let lines = shown::convoy(&convoy, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// Whether a typed name is this one: case, blanks and dashes do not matter, and the letter may be left out.
pub(crate) fn is_called(name: &str, typed: &str) -> bool {
    let bare =
        |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase() };
    let symbols = name.split_once('-').map_or(name, |(_, symbols)| symbols);
    bare(name) == bare(typed) || bare(symbols) == bare(typed)
}

/// Nothing of that name is held here.
pub(crate) fn not_here(en: &str, zh: &str, typed: &str, list: &str) -> Failure {
    let typed = typed.trim();
    Failure::new(
        Exit::NotFound,
        "H-827",
        words(format!("There is no {en} \"{typed}\" here."), format!("這裡沒有{zh}「{typed}」。")),
        words("It may not have come yet, or the name was misheard.", "可能尚未傳到，也可能聽錯了名稱。"),
        words(format!("See `holdfast {list}`."), format!("請查看 `holdfast {list}`。")),
    )
}

/// `holdfast receive`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn receive(desk: &mut Desk<'_>, client: &Client, args: ReceiveArgs) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = ReceiveWish {
        consignment: args.id,
        accepted: args.accepted,
        rejected: args.rejected,
        damaged: args.damaged,
        refuse: false,
        reason: args.reason,
        act,
    };
    write(desk, client, "/api/v1/consignments/receive", &wish, times).map(|(exit, _)| exit)
}

/// `holdfast refuse`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn refuse(desk: &mut Desk<'_>, client: &Client, args: RefuseArgs) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = ReceiveWish { consignment: args.id, refuse: true, reason: args.reason, act, ..ReceiveWish::default() };
    write(desk, client, "/api/v1/consignments/receive", &wish, times).map(|(exit, _)| exit)
}

/// `holdfast stock`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn stock(desk: &mut Desk<'_>, client: &Client, args: StockArgs) -> Result<Exit, Failure> {
    match args.command {
        None | Some(StockCommand::List) => stock_list(desk, client),
        Some(StockCommand::Count(args)) => stock_said(desk, client, args, ""),
        Some(StockCommand::Floor(args)) => stock_said(desk, client, args, ".floor"),
        Some(StockCommand::Adjust(args)) => {
            let act = act::act(desk, &args.act)?;
            let times = Times::at(act.at);
            write(desk, client, "/api/v1/stock/adjust", &StockWish { changes: args.lines, act }, times).map(|(exit, _)| exit)
        }
    }
}

/// A count, a level or a floor is a reading of this site.
fn stock_said(desk: &mut Desk<'_>, client: &Client, args: StockLines, ending: &str) -> Result<Exit, Failure> {
    let mut values = BTreeMap::new();
    for pair in &args.lines {
        let split = pair.split_once(['=', '＝']).map(|(item, value)| (item.trim(), value.trim()));
        let Some((item, value)) = split.filter(|(item, _)| !item.is_empty()) else {
            return Err(Failure::usage(
                "H-828",
                words(format!("\"{pair}\" is no line of stock."), format!("「{pair}」不是庫存項目。")),
                words("Write ITEM=NUMBER, such as water=120.", "請寫成 品項=數量，例如 water=120。"),
            ));
        };
        if values.insert(format!("stock.{item}{ending}"), value.to_owned()).is_some() {
            return Err(given_twice(item));
        }
    }
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    write(desk, client, "/api/v1/report", &Report { values, act }, times).map(|(exit, _)| exit)
}

fn stock_list(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        let text = client.get_raw("/api/v1/stock")?;
        desk.raw(&text);
        return Ok(Exit::Done);
    }
    let view: StockView = client.ask("/api/v1/stock")?;
    let lines = shown::stock(&view, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// `holdfast coverage`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn coverage(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    let view: RequestsView = client.ask("/api/v1/requests")?;
    let open: Vec<_> = view::by_urgency(&view.requests).into_iter().filter(|request| !view::is_over(request)).collect();
    if desk.json {
        let rows: Vec<Value> = open.iter().flat_map(|request| shown::covered(request)).collect();
        desk.object(&json!({"schema": "holdfast.coverage/1", "lines": rows}));
        return Ok(Exit::Done);
    }
    let lines = shown::coverage(&open, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_heard_as_people_type_it() {
        for typed in ["V-7Q4KM2X", "v-7q4km2x", "7Q4K M2X", " V 7Q4K-M2X"] {
            assert!(is_called("V-7Q4KM2X", typed), "{typed}");
        }
        assert!(!is_called("V-7Q4KM2X", "V-7Q4KM2Y"));
        assert!(is_called("C1-7Q4KM2X", "c1-7q4km2x") && !is_called("C1-7Q4KM2X", "C3-7Q4KM2X"));
    }
}
