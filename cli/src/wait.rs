//! `holdfast wait`: looks until something is so. Exit 7 where it is not in time, with how far it got.

use std::time::Duration;

use holdfast_proto::control::{Delivery, DeliveryState, DigestView, RequestView};
use serde_json::{Value, json};

use crate::act::Pause;
use crate::args::{Reach, RequestState, WaitArgs, WaitFor};
use crate::client::{Client, path_part};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::target::{DemoFile, Target};
use crate::when;
use crate::words::delivery;

/// The daemon's code for a request that it does not hold.
const NOT_HERE: &str = "H-212";

/// One look at what is waited for.
struct Look {
    done: bool,
    /// The object for `--json`.
    object: Value,
    /// How it stands, in both languages.
    en: String,
    zh: String,
}

/// `holdfast wait`.
///
/// # Errors
/// Exit 7 after the time; exit 3 where a daemon that was there at first is gone.
pub(crate) fn wait(desk: &mut Desk<'_>, target: &Target, client: &Client, args: &WaitArgs) -> Result<Exit, Failure> {
    let limit = when::length(&args.timeout)?;
    let look: Box<dyn Fn() -> Result<Look, Failure>> = match &args.what {
        WaitFor::Converged => {
            let (target, client) = (target.clone(), client.clone());
            Box::new(move || converged(&target, &client))
        }
        WaitFor::Delivered { ticket, state } => {
            let (client, ticket, state) = (client.clone(), ticket.clone(), *state);
            Box::new(move || delivered(&client, &ticket, state))
        }
        WaitFor::Request { id, state } => {
            let (client, id, state) = (client.clone(), id.trim().to_owned(), *state);
            Box::new(move || request(&client, &id, state))
        }
    };
    until(desk, limit, &*look)
}

fn until(desk: &mut Desk<'_>, limit: Duration, look: &dyn Fn() -> Result<Look, Failure>) -> Result<Exit, Failure> {
    let mut pause = Pause::within(limit);
    loop {
        let seen = look()?;
        if seen.done {
            if desk.json {
                desk.object(&seen.object);
            } else {
                let line = desk.lang.of(seen.en, seen.zh);
                desk.say(&crate::text::clean(&line));
            }
            return Ok(Exit::Done);
        }
        if !pause.wait() {
            return Err(late(limit, &seen, &desk.own));
        }
    }
}

fn late(limit: Duration, seen: &Look, own: &str) -> Failure {
    let seconds = limit.as_secs_f64();
    Failure::new(
        Exit::TimedOut,
        "H-841",
        words(format!("It is not so after {seconds} s: {}", seen.en), format!("等了 {seconds} 秒仍未達成：{}", seen.zh)),
        words("Nothing is lost; it may still come.", "資料沒有遺失，之後仍可能達成。"),
        words(
            format!("See `{own} peers` for who is reachable, then wait longer with --timeout."),
            format!("請用 `{own} peers` 查看連線，再以 --timeout 延長等待。"),
        ),
    )
}

/// All nodes of a demo where none is named, else the one.
struct Meant {
    running: Vec<(String, Client)>,
    /// Names of those that do not run.
    stopped: Vec<String>,
}

fn nodes_meant(target: &Target, client: &Client) -> Result<Meant, Failure> {
    let mut meant = Meant { running: Vec::new(), stopped: Vec::new() };
    let Some(demo) = target.demo.as_ref().filter(|_| target.whole_demo) else {
        meant.running.push((client.base().to_owned(), client.clone()));
        return Ok(meant);
    };
    // Read anew: a node may be started meanwhile.
    let now = demo.folder().and_then(DemoFile::read);
    for node in &now.as_ref().unwrap_or(demo).nodes {
        if node.pid.is_some() {
            meant.running.push((node.name.clone(), Client::open(&node.address())?));
        } else {
            meant.stopped.push(node.name.clone());
        }
    }
    Ok(meant)
}

fn converged(target: &Target, client: &Client) -> Result<Look, Failure> {
    let Meant { running, stopped } = nodes_meant(target, client)?;
    if !stopped.is_empty() {
        return Ok(Look {
            done: false,
            object: Value::Null,
            en: format!("{} of the demo does not run.", stopped.join(", ")),
            zh: format!("示範據點 {} 沒有在執行。", stopped.join("、")),
        });
    }
    let mut views = Vec::new();
    for (name, client) in &running {
        views.push((name, client.ask::<DigestView>("/api/v1/digest")?));
    }
    let first = views.first().map(|(_, view)| view.digest.clone()).unwrap_or_default();
    let equal = !views.is_empty() && views.iter().all(|(_, view)| view.digest == first);
    let waiting: Vec<&str> =
        views.iter().filter(|(_, view)| !view.converged || view.neighbours == 0).map(|(name, _)| name.as_str()).collect();
    let object = json!({
        "schema": "holdfast.wait/1", "for": "converged", "done": equal && waiting.is_empty(), "digest": first,
        "nodes": views.iter().map(|(name, view)| json!({"name": name, "digest": view.digest, "converged": view.converged,
            "neighbours": view.neighbours})).collect::<Vec<_>>(),
    });
    let done = equal && waiting.is_empty();
    let (en, zh) = if done {
        (format!("converged  {first}"), format!("已一致  {first}"))
    } else if !waiting.is_empty() {
        let alone: Vec<&str> = views.iter().filter(|(_, view)| view.neighbours == 0).map(|(name, _)| name.as_str()).collect();
        if alone.is_empty() {
            (
                format!("{} not yet in step with its neighbours.", waiting.join(", ")),
                format!("{} 尚未與鄰近據點一致。", waiting.join("、")),
            )
        } else {
            (
                format!("{} has no neighbour with a link up.", alone.join(", ")),
                format!("{} 沒有連線中的鄰近據點。", alone.join("、")),
            )
        }
    } else {
        ("the nodes' digests differ.".to_owned(), "各據點的摘要不同。".to_owned())
    };
    Ok(Look { done, object, en, zh })
}

fn delivered(client: &Client, ticket: &str, state: Reach) -> Result<Look, Failure> {
    let seen: Delivery = client.ask(&format!("/api/v1/delivery/{}", path_part(ticket)))?;
    let wanted: &[DeliveryState] = match state {
        Reach::Reached => &[DeliveryState::Reached, DeliveryState::Received, DeliveryState::ActedOn],
        Reach::Received => &[DeliveryState::Received, DeliveryState::ActedOn],
    };
    let done = wanted.contains(&seen.state);
    Ok(Look {
        done,
        object: json!({"schema": "holdfast.wait/1", "for": "delivered", "done": done, "ticket": ticket, "delivery": seen}),
        en: delivery(&seen, crate::lang::Lang::En),
        zh: delivery(&seen, crate::lang::Lang::Zh),
    })
}

fn request(client: &Client, id: &str, state: RequestState) -> Result<Look, Failure> {
    let view = match client.get(&format!("/api/v1/requests/{}", path_part(id))) {
        Ok(value) => crate::client::read::<RequestView>(value)?,
        // Not here yet. An id that is mistyped or means two requests never comes right by waiting.
        Err(failure) if failure.code() == NOT_HERE => {
            return Ok(Look {
                done: false,
                object: Value::Null,
                en: format!("{id} is not known here."),
                zh: format!("此據點還沒有 {id}。"),
            });
        }
        Err(failure) => return Err(failure),
    };
    let over = matches!(view.status.as_str(), "closed" | "cancelled" | "expired");
    let done = match state {
        RequestState::Known => true,
        RequestState::Acknowledged => over || !view.acknowledged_by.is_empty(),
        RequestState::Closed => over,
    };
    let (en, zh) =
        (crate::words::word(&view.status, crate::lang::Lang::En), crate::words::word(&view.status, crate::lang::Lang::Zh));
    Ok(Look {
        done,
        en: format!("{id}  {en}"),
        zh: format!("{id}  {zh}"),
        object: json!({"schema": "holdfast.wait/1", "for": "request", "done": done, "id": id, "status": view.status}),
    })
}
