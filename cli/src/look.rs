//! The commands that read once: status, requests, peers, digest. They change nothing.

use holdfast_proto::control::{DigestView, PeersView, RequestView, RequestsView, StatusView};
use serde_json::Value;

use crate::act::is_no_hub_to_ask;
use crate::client::{Client, path_part, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::fields::Goods;
use crate::text::clean;
use crate::view::{self, Style};

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
    Ok(Exit::Done)
}

/// `holdfast request list`.
///
/// # Errors
/// No daemon, or what it refused.
pub(crate) fn requests(desk: &mut Desk<'_>, client: &Client, all: bool) -> Result<Exit, Failure> {
    if desk.json {
        return client.get_raw("/api/v1/requests").map(|text| said(desk, &text));
    }
    let view: RequestsView = client.ask("/api/v1/requests")?;
    let lines = view::requests(&view, all, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
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
    let lines = view::request(&view, is_no_hub, &style_of_goods(desk, client)?);
    desk.say_all(lines);
    Ok(Exit::Done)
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
