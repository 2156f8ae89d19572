//! The commands that read once: status, requests, peers, digest. They change nothing.

use holdfast_proto::control::{
    ConsignmentView, ConsignmentsView, DigestView, LineView, PeersView, RequestView, RequestsView, StatusView, StockView,
};
use holdfast_proto::time::UtcMillis;
use serde_json::Value;

use crate::act::is_no_hub_to_ask;
use crate::args::ListArgs;
use crate::client::{Client, path_part, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::fields::Goods;
use crate::story::serves;
use crate::supply::shown::lacking;
use crate::text::clean;
use crate::view::{self, Style};
use crate::when;

/// Id, consignee, priority, status, time and the blanks between them.
const REQUEST_PLACES: usize = 64;

/// How this desk wants things written.
pub(crate) fn style(desk: &Desk<'_>) -> Style {
    Style {
        lang: desk.lang,
        colour: desk.colour,
        now: desk.now().clone(),
        supplies_max: supplies_max(desk),
        goods: Goods::default(),
        own: desk.own.clone(),
    }
}

/// On a terminal the rest of a line of requests takes some 60 places; elsewhere nothing is cut.
fn supplies_max(desk: &Desk<'_>) -> usize {
    desk.width().map_or(usize::MAX, |places| places.saturating_sub(REQUEST_PLACES))
}

/// The same where goods are told: by the names that the daemon's own catalogue has for them.
pub(crate) fn style_of_goods(desk: &Desk<'_>, client: &Client) -> Result<Style, Failure> {
    Ok(Style { goods: client.ask("/api/v1/catalogue")?, ..style(desk) })
}

fn said(desk: &mut Desk<'_>, text: &str) -> Exit {
    desk.raw(text);
    Exit::Done
}

/// `holdfast status`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn status(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/status").map(|text| said(desk, &text));
    }
    let view: StatusView = client.ask("/api/v1/status")?;
    let requests: Option<RequestsView> = if view.requests_open > 0 { Some(client.ask("/api/v1/requests")?) } else { None };
    let lines = view::status(&view, requests.as_ref(), &style_of_goods(desk, client)?);
    desk.say_all(lines);
    if view.conflicts > 0 {
        let own = desk.own.clone();
        desk.note(&format!("To settle: {own} conflicts list"), &format!("待確認：{own} conflicts list"));
    }
    Ok(Exit::Done)
}

/// `holdfast request list`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn requests(desk: &mut Desk<'_>, client: &Client, args: &ListArgs) -> Result<Exit, Failure> {
    let which = Which::of(desk, client, args)?;
    if desk.json && which.is_all() {
        return client.get_raw("/api/v1/requests").map(|text| said(desk, &text));
    }
    let mut value = client.get(if which.is_of_open() { "/api/v1/requests?open=true" } else { "/api/v1/requests" })?;
    if let Some(list) = value.get_mut("requests").and_then(Value::as_array_mut).filter(|_| !which.is_all()) {
        // What cannot be read is kept: reading the whole says why.
        list.retain(|one| serde_json::from_value(one.clone()).map_or(true, |request| which.takes(&request)));
    }
    if desk.json {
        desk.object(&value);
        return Ok(Exit::Done);
    }
    let view: RequestsView = read(value)?;
    let lines = view::requests(&view, args.all, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// Which requests a list shows, beside those that are over.
#[derive(Debug, Default)]
struct Which {
    open: bool,
    /// This node, where only its own are wanted.
    mine: Option<String>,
    /// Asked for before this, and still not all there.
    before: Option<UtcMillis>,
}

impl Which {
    fn of(desk: &Desk<'_>, client: &Client, args: &ListArgs) -> Result<Self, Failure> {
        let waiting = args.waiting_over.as_deref().map(when::length).transpose()?;
        let now = desk.now().timestamp().as_millisecond();
        let before = waiting.map(|length| UtcMillis(now.saturating_sub(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))));
        let mine = if args.mine { Some(client.ask::<StockView>("/api/v1/stock")?.node.id) } else { None };
        Ok(Self { open: args.open, mine, before })
    }

    fn is_all(&self) -> bool {
        !self.open && self.mine.is_none() && self.before.is_none()
    }

    /// Whether only those that wait for goods are in it.
    fn is_of_open(&self) -> bool {
        self.open || self.before.is_some()
    }

    fn takes(&self, request: &RequestView) -> bool {
        let open = !self.open || (!view::is_over(request) && request.lines.iter().any(|line| lacking(line) > 0));
        let mine = self.mine.as_ref().is_none_or(|me| {
            let asked = [Some(&request.consignee), Some(&request.requested_by), request.to.as_ref()];
            let promised = request.commitments.iter().map(|promise| &promise.supplier);
            asked.into_iter().flatten().chain(promised).any(|node| node.id == *me)
        });
        let waits = self.before.is_none_or(|before| {
            let all_there = request.lines.iter().all(|line| line.accepted >= line.requested);
            !view::is_over(request) && !all_there && request.asked_at.is_some_and(|at| at <= before)
        });
        open && mine && waits
    }
}

/// `holdfast request show`.
///
/// # Errors
/// No such request, more than one, or no daemon.
pub(crate) fn request(desk: &mut Desk<'_>, client: &Client, id: &str) -> Result<Exit, Failure> {
    let mut value = client.get(&format!("/api/v1/requests/{}", path_part(id.trim())))?;
    if desk.json {
        with_schema(&mut value, "holdfast.request/1");
        desk.object(&value);
        return Ok(Exit::Done);
    }
    let view: RequestView = read(value)?;
    let is_no_hub = view.to.is_none() && is_no_hub_to_ask(client);
    let lines = view::request(&view, &convoys_for(client, &view)?, is_no_hub, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// Convoys with goods for a request; nobody is asked where nothing was promised and nothing moved.
fn convoys_for(client: &Client, request: &RequestView) -> Result<Vec<ConsignmentView>, Failure> {
    let moved = |line: &LineView| line.in_transit + line.accepted + line.rejected + line.damaged + line.missing > 0;
    if request.commitments.is_empty() && !request.lines.iter().any(moved) {
        return Ok(Vec::new());
    }
    let all: ConsignmentsView = client.ask("/api/v1/consignments")?;
    Ok(all.consignments.into_iter().filter(|convoy| serves(convoy, request)).collect())
}

/// `holdfast peers`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn peers(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/peers").map(|text| said(desk, &text));
    }
    let view: PeersView = client.ask("/api/v1/peers")?;
    let lines = view::peers(&view, &style(desk));
    desk.say_all(lines);
    Ok(Exit::Done)
}

/// `holdfast digest`: one hex line.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn digest(desk: &mut Desk<'_>, client: &Client) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/digest").map(|text| said(desk, &text));
    }
    let view: DigestView = client.ask("/api/v1/digest")?;
    desk.say(&clean(&view.digest));
    Ok(Exit::Done)
}

/// Every object a person or script gets names its schema.
pub(crate) fn with_schema(value: &mut Value, schema: &str) {
    if let Some(object) = value.as_object_mut() {
        object.entry("schema").or_insert_with(|| Value::from(schema));
        if let Some(id) = object.get("request").cloned() {
            object.entry("id").or_insert(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_alone_gets_its_schema_and_id() {
        let mut value = json!({"request": "R-7Q4KABC"});
        with_schema(&mut value, "holdfast.request/1");
        assert_eq!(value["schema"], "holdfast.request/1");
        assert_eq!(value["id"], "R-7Q4KABC");
    }
}
