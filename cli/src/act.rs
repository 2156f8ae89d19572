//! The commands that write: report, request, observe. After each, how far the word got; exit 6 where no neighbour has it yet.

use std::time::{Duration, Instant};

use holdfast_proto::control::{
    self, Delivery, DeliveryState, Observe, Report, RequestAct, RequestNew, RequestUpdate, StatusView,
};
use holdfast_proto::time::UtcMillis;
use serde::Serialize;
use serde_json::Value;

use crate::args::{ActArgs, ObserveArgs, RequestActArgs, RequestNewArgs, RequestUpdateArgs};
use crate::client::{Client, path_part, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::fields::full_name;
use crate::look::style;
use crate::report_args::ReportArgs;
use crate::view;
use crate::when::{self, Way};

/// How long a write is watched for its first neighbour: several times a round on a LAN, short enough for a person to wait.
const FOLLOW_MAX: Duration = Duration::from_millis(1_500);
/// Looks at a request and its delivery until both are of one moment. It moves once a neighbour: a busy minute ends before.
const RENEWALS_MAX: u32 = 8;
/// First wait between two looks; it grows by half each time.
const LOOK_MIN: Duration = Duration::from_millis(20);
/// Longest wait between two looks.
const LOOK_MAX: Duration = Duration::from_millis(200);

/// A pause that grows: quick at first, gentle later.
#[derive(Debug)]
pub(crate) struct Pause {
    next: Duration,
    until: Instant,
}

impl Pause {
    /// Pauses until so much time has passed.
    pub(crate) fn within(limit: Duration) -> Self {
        let now = Instant::now();
        Self { next: LOOK_MIN, until: now.checked_add(limit).unwrap_or(now) }
    }

    /// Waits a little; false once the time is up.
    pub(crate) fn wait(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(self.next.min(left));
        self.next = (self.next * 3 / 2).min(LOOK_MAX);
        true
    }
}

/// `holdfast report`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn report(desk: &mut Desk<'_>, client: &Client, args: ReportArgs) -> Result<Exit, Failure> {
    let act = act(desk, &args.act)?;
    let times = Times::at(act.at);
    write(desk, client, "/api/v1/report", &Report { values: args.values, act }, times).map(|(exit, _)| exit)
}

/// `holdfast observe`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn observe(desk: &mut Desk<'_>, client: &Client, args: ObserveArgs) -> Result<Exit, Failure> {
    let mut values = std::collections::BTreeMap::new();
    for pair in &args.values {
        let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(Failure::usage(
                "H-823",
                words(format!("\"{pair}\" is no reading."), format!("「{pair}」不是回報項目。")),
                words(
                    "Write FIELD=VALUE, such as status=closed or stock.water=low.",
                    "請寫成 項目=值，例如 status=closed 或 stock.water=low。",
                ),
            ));
        };
        if values.insert(full_name(name.trim()), value.trim().to_owned()).is_some() {
            return Err(given_twice(name.trim()));
        }
    }
    if values.is_empty() && args.note.is_none() {
        return Err(Failure::usage(
            "H-824",
            words("Nothing was seen.", "沒有填寫觀察內容。"),
            words("Give a reading such as status=closed, or --note TEXT.", "請填寫如 status=closed 的項目，或 --note 文字。"),
        ));
    }
    let act = act(desk, &args.act)?;
    let times = Times::at(act.at);
    let body = Observe { node: args.node, values, note: args.note, act };
    write(desk, client, "/api/v1/observe", &body, times).map(|(exit, _)| exit)
}

/// Which of two values is meant nobody can tell.
pub(crate) fn given_twice(name: &str) -> Failure {
    let what = words(format!("{name} is given twice."), format!("{name} 重複了。"));
    Failure::usage("H-826", what, words("Give it once.", "請只填一次。"))
}

/// `holdfast request new`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn request_new(desk: &mut Desk<'_>, client: &Client, args: RequestNewArgs) -> Result<Exit, Failure> {
    let body = RequestNew {
        needed_by: needed_by(desk, args.needed_by.as_deref())?,
        act: act(desk, &args.act)?,
        items: args.items,
        priority: args.priority,
        on_behalf_of: args.on_behalf_of,
        to: args.to,
        note: args.note,
        key: args.key,
    };
    let times = Times { needed_by: body.needed_by, ..Times::at(body.act.at) };
    let (exit, saved) = write(desk, client, "/api/v1/requests", &body, times)?;
    if !desk.json && saved.get("to").is_none() && is_no_hub_to_ask(client) {
        desk.note(
            "There is no other hub to ask: nobody acknowledges this by itself. Every node sees it; --to NODE asks one of them.",
            "沒有其他集散中心可以詢問，因此不會有人自動確認收到。所有據點都看得到；可用 --to 據點 指定詢問對象。",
        );
    }
    Ok(exit)
}

/// `holdfast request update`.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn request_update(desk: &mut Desk<'_>, client: &Client, args: RequestUpdateArgs) -> Result<Exit, Failure> {
    let body = RequestUpdate {
        needed_by: needed_by(desk, args.needed_by.as_deref())?,
        act: act(desk, &args.act)?,
        request: args.id,
        version: args.version,
        items: args.items,
        priority: args.priority,
        note: args.note,
    };
    if body.items.is_empty() && body.priority.is_none() && body.needed_by.is_none() && body.note.is_none() {
        return Err(Failure::usage(
            "H-825",
            words("Nothing to change was given.", "沒有指定要更改的內容。"),
            words("Give --item, --priority, --needed-by or --note.", "請加上 --item、--priority、--needed-by 或 --note。"),
        ));
    }
    let times = Times { needed_by: body.needed_by, ..Times::at(body.act.at) };
    write(desk, client, "/api/v1/requests/update", &body, times).map(|(exit, _)| exit)
}

/// `holdfast request cancel`, `close`, `confirm`: the word is the last part of the path.
///
/// # Errors
/// What the daemon refused; then nothing was changed.
pub(crate) fn request_act(desk: &mut Desk<'_>, client: &Client, verb: &str, args: RequestActArgs) -> Result<Exit, Failure> {
    let act = act(desk, &args.act)?;
    let times = Times::at(act.at);
    let body = RequestAct { request: args.id, version: args.version, reason: args.reason, act };
    write(desk, client, &format!("/api/v1/requests/{verb}"), &body, times).map(|(exit, _)| exit)
}

/// The times typed with a write, as they were understood: `12:00` has another day before noon than after.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) at: Option<UtcMillis>,
    pub(crate) needed_by: Option<UtcMillis>,
    pub(crate) arrival: Option<UtcMillis>,
}

impl Times {
    /// Only when it was so.
    pub(crate) fn at(at: Option<UtcMillis>) -> Self {
        Self { at, ..Self::default() }
    }

    fn tell(self, desk: &mut Desk<'_>) {
        let (mut en, mut zh) = (Vec::new(), Vec::new());
        if let Some(at) = self.at.map(|at| when::full(at, desk.now())) {
            en.push(format!("it was so at {at}"));
            zh.push(format!("當時為 {at}"));
        }
        if let Some(by) = self.needed_by.map(|by| when::full(by, desk.now())) {
            en.push(format!("needed by {by}"));
            zh.push(format!("需要時間為 {by}"));
        }
        if let Some(by) = self.arrival.map(|by| when::full(by, desk.now())) {
            en.push(format!("there by {by}"));
            zh.push(format!("預計抵達時間為 {by}"));
        }
        if !en.is_empty() {
            desk.note(&format!("Understood: {}", en.join("; ")), &format!("已理解：{}", zh.join("；")));
        }
    }
}

/// Where every hub is asked: whether there is none but who asks. Where the daemon does not say, there may be one.
pub(crate) fn is_no_hub_to_ask(client: &Client) -> bool {
    let Ok(status) = client.ask::<StatusView>("/api/v1/status") else { return false };
    status.nodes.iter().all(|node| node.role != "hub" || node.id == status.node.id)
}

/// A point in time to come, as typed.
pub(crate) fn needed_by(desk: &Desk<'_>, typed: Option<&str>) -> Result<Option<UtcMillis>, Failure> {
    typed.map(|text| when::moment(text, Way::Future, desk.now())).transpose()
}

pub(crate) fn act(desk: &Desk<'_>, args: &ActArgs) -> Result<control::Act, Failure> {
    let at = args.at.as_deref().map(|text| when::moment(text, Way::Past, desk.now())).transpose()?;
    Ok(control::Act { at, desk: args.desk.clone(), basis: args.basis.clone(), valid: args.valid.clone() })
}

/// Sends a write and follows it to its first neighbour; gives back what the daemon said of it.
pub(crate) fn write(
    desk: &mut Desk<'_>,
    client: &Client,
    path: &str,
    body: &impl Serialize,
    times: Times,
) -> Result<(Exit, Value), Failure> {
    let mut saved = client.post(path, body)?;
    let ticket = saved.get("ticket").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut state: Delivery = read(saved.get("delivery").cloned().unwrap_or_default())?;
    if state.state == DeliveryState::SavedHere && !ticket.is_empty() {
        state = follow(client, &ticket, state);
        if state.state != DeliveryState::SavedHere {
            state = renew(client, &mut saved, &ticket, state);
        }
    }
    tell(desk, &saved, &ticket, &state, times);
    Ok((if state.state == DeliveryState::SavedHere { Exit::SavedHere } else { Exit::Done }, saved))
}

/// Looks until a neighbour has it or the time is up. The word is safe already: a look that fails changes nothing about that.
fn follow(client: &Client, ticket: &str, mut state: Delivery) -> Delivery {
    let path = format!("/api/v1/delivery/{}", path_part(ticket));
    let mut pause = Pause::within(FOLLOW_MAX);
    while state.state == DeliveryState::SavedHere && pause.wait() {
        match client.ask::<Delivery>(&path) {
            Ok(news) => state = news,
            Err(_) => return state,
        }
    }
    state
}

/// Brings the answer up to the moment of `state`: how the request reads stands beside how far it got, so both are of one time.
/// Where the daemon no longer answers, the answer stays whole as it was, of the moment of saving.
fn renew(client: &Client, saved: &mut Value, ticket: &str, mut state: Delivery) -> Delivery {
    let id = saved.get("request").and_then(Value::as_str).map(str::to_owned);
    let mut view = Value::Null;
    for _ in 0..RENEWALS_MAX {
        let Some(id) = &id else { break };
        let Ok(seen) = client.get(&format!("/api/v1/requests/{}", path_part(id))) else { return state };
        let Ok(news) = client.ask::<Delivery>(&format!("/api/v1/delivery/{}", path_part(ticket))) else { return state };
        view = seen;
        // It only grows: the same before and after the look, it was the same at the look.
        let still = news == state;
        state = news;
        if still {
            break;
        }
    }
    let now = serde_json::to_value(&state).unwrap_or_default();
    if let Some(answer) = saved.as_object_mut() {
        let seen = view.as_object_mut().map(std::mem::take).unwrap_or_default();
        answer.extend(seen.into_iter().filter(|(name, _)| name != "schema"));
        answer.insert("delivery".to_owned(), now);
    }
    state
}

fn tell(desk: &mut Desk<'_>, saved: &Value, ticket: &str, state: &Delivery, times: Times) {
    if desk.json {
        desk.object(saved);
        return;
    }
    let id = saved.get("id").and_then(Value::as_str);
    let already = saved.get("already").and_then(Value::as_bool).unwrap_or(false);
    let line = view::written(id, already, state, &style(desk));
    desk.say(&line);
    times.tell(desk);
    let own = desk.own.clone();
    if state.state == DeliveryState::SavedHere {
        desk.note(
            &format!("It goes out by itself when a link is back. To wait: {own} wait delivered {ticket}"),
            &format!("連線恢復後會自動送出。若要等待：{own} wait delivered {ticket}"),
        );
    } else if let Some(id) = id {
        let look = match id.get(..2) {
            Some("O-") => "order list".to_owned(),
            Some("P-") => "coverage".to_owned(),
            Some("V-") => format!("convoy show {id}"),
            Some(_) | None => format!("request show {id}"),
        };
        desk.note(&format!("To look: {own} {look}"), &format!("查看：{own} {look}"));
    }
}
