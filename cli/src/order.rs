//! `holdfast mode` and `holdfast order`: in which mode sites work, who said so, and who acts for whom.

use holdfast_proto::control::{
    JudgeWish, ModeView, ModeWish, NodeName, NodeView, OrderView, OrderWish, OrdersView, ScopeWish, StatusView,
};
use serde_json::json;

use crate::act::{self, Times, write};
use crate::args::{DeputiesArgs, GiveArgs, JudgeArgs, ModeArgs, OrderCommand};
use crate::client::Client;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::lang::Lang;
use crate::text::{Table, clean, plain};
use crate::view::said_by;
use crate::when;
use crate::words::word;

/// `holdfast mode`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn mode(desk: &mut Desk<'_>, client: &Client, args: ModeArgs) -> Result<Exit, Failure> {
    let Some(mode) = args.mode else { return show_mode(desk, client) };
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    write(desk, client, "/api/v1/mode", &ModeWish { mode, reason: args.reason, act }, times).map(|(exit, _)| exit)
}

fn show_mode(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    let status: StatusView = client.ask("/api/v1/status")?;
    let own = status.nodes.into_iter().next();
    let mode = own.as_ref().and_then(|node| node.mode.clone());
    if desk.json {
        desk.object(&json!({"schema": "holdfast.mode/1", "node": status.node, "mode": mode}));
        return Ok(Exit::Done);
    }
    let line = match (&own, &mode) {
        (Some(node), Some(mode)) => mode_line(node, mode, desk.lang),
        _ => desk.lang.of("No mode was ever set here: standby.".to_owned(), "這裡從未設定運作模式：待命。".to_owned()),
    };
    desk.say(&line);
    Ok(Exit::Done)
}

/// `Fuxing Store: resilience mode, by an order (O-7Q4KM2X of Hualien EOC: typhoon)`.
pub(crate) fn mode_line(node: &NodeView, mode: &ModeView, lang: Lang) -> String {
    let by = match (&mode.order, &mode.ordered_by) {
        (Some(order), Some(by)) => Some(lang.of(format!("{order} of {}", by.name), format!("{} 的 {order}", by.name))),
        _ => mode.desk.clone(),
    };
    let why = [by, mode.reason.clone()].into_iter().flatten().collect::<Vec<_>>().join(lang.of(": ", "："));
    let why = if why.is_empty() { why } else { lang.of(format!(" ({why})"), format!("（{why}）")) };
    let (name, mode, cause) = (&node.name, word(&mode.mode, lang), word(&mode.cause, lang));
    clean(&lang.of(format!("{name}: {mode}, {cause}{why}"), format!("{name}：{mode}，{cause}{why}")))
}

/// `holdfast order`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn order(desk: &mut Desk<'_>, client: &Client, command: OrderCommand) -> Result<Exit, Failure> {
    match command {
        OrderCommand::Give(args) => give(desk, client, args),
        OrderCommand::List => list(desk, client),
        OrderCommand::Ratify(args) => judge(desk, client, args, true, None),
        OrderCommand::Countermand(args) => judge(desk, client, args.judge, false, args.mode),
        OrderCommand::Deputies(args) => deputies(desk, client, args),
    }
}

fn give(desk: &mut Desk<'_>, client: &Client, args: GiveArgs) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = OrderWish { mode: args.mode, regions: args.regions, acting_for: args.acting_for, reason: args.reason, act };
    write(desk, client, "/api/v1/orders", &wish, times).map(|(exit, _)| exit)
}

fn judge(desk: &mut Desk<'_>, client: &Client, args: JudgeArgs, ratify: bool, mode: Option<String>) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = JudgeWish { order: args.id, ratify, mode, reason: args.reason, act };
    write(desk, client, "/api/v1/orders/judge", &wish, times).map(|(exit, _)| exit)
}

fn deputies(desk: &mut Desk<'_>, client: &Client, args: DeputiesArgs) -> Result<Exit, Failure> {
    let act = act::act(desk, &args.act)?;
    let times = Times::at(act.at);
    let wish = ScopeWish { deputies: args.nodes, after: args.after, act };
    write(desk, client, "/api/v1/scope", &wish, times).map(|(exit, _)| exit)
}

fn list(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/orders").map(|text| {
            desk.raw(&text);
            Exit::Done
        });
    }
    let view: OrdersView = client.ask("/api/v1/orders")?;
    let lang = desk.lang;
    if view.orders.is_empty() && view.scopes.is_empty() {
        desk.say(lang.of("Nothing was ordered.", "沒有任何命令。"));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&lang.of(
        ["", "ORDER", "BY", "WHERE", "MODE", "STATE", "WHEN", "WHY"],
        ["", "命令", "下令者", "縣市", "模式", "狀態", "時間", "原因"],
    ));
    for order in &view.orders {
        let mark = if view.followed.as_ref() == Some(&order.order) { "→" } else { "" };
        let at = order.at.map(|at| when::short(at, desk.now())).unwrap_or_default();
        table.row(vec![
            plain(mark),
            plain(order.order.clone()),
            plain(by(order, lang)),
            plain(order.regions.join(" ")),
            plain(order.mode.as_deref().map_or_else(|| lang.of("nothing", "解除").to_owned(), |mode| word(mode, lang))),
            plain(state(order, lang)),
            plain(at),
            plain(order.reason.clone().unwrap_or_default()),
        ]);
    }
    desk.say_all(table.lines(desk.colour));
    for scope in &view.scopes {
        let names = scope.deputies.iter().map(called).collect::<Vec<_>>().join(lang.of(", then ", "，其次 "));
        let (principal, minutes) = (called(&scope.principal), scope.after_s.div_ceil(60));
        let line = lang.of(
            format!("{principal} unheard for {minutes} min: {names} may act for it"),
            format!("{principal} 失聯 {minutes} 分鐘後，由 {names} 代理"),
        );
        desk.say(&clean(&line));
    }
    Ok(Exit::Done)
}

fn called(node: &NodeName) -> String {
    format!("{} {}", node.id, node.name)
}

/// `Hualien Hub for Hualien EOC, unheard for 130 min`.
fn by(order: &OrderView, lang: Lang) -> String {
    let author = said_by(&order.by.name, order.person.as_ref(), lang);
    let Some(principal) = &order.acting_for else { return author };
    let unheard = match order.last_heard_s.map(|seconds| seconds / 60) {
        Some(minutes) => lang.of(format!(", unheard for {minutes} min"), format!("（已失聯 {minutes} 分鐘）")),
        None => lang.of(", never heard".to_owned(), "（從未聯繫）".to_owned()),
    };
    lang.of(format!("{author} for {}{unheard}", principal.name), format!("{author} 代理 {}{unheard}", principal.name))
}

fn state(order: &OrderView, lang: Lang) -> String {
    let state = word(&order.state, lang);
    let of = order.of.as_ref().map(|of| {
        let act = word(&order.act, lang);
        lang.of(format!(", {act} {of}"), format!("，{act} {of}"))
    });
    format!("{state}{}", of.unwrap_or_default())
}
