//! The routes, one table: method, address, who may, what answers. `openapi.json` describes the same; a test compares.

use std::future::ready;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use holdfast_loopback::answer::{json, json_bytes};
use holdfast_loopback::body;
use holdfast_loopback::error::ApiError;
use holdfast_loopback::guard::{Access, doorstep, gate};
use holdfast_proto::domain::refusal::Refusal;
use holdfast_sim::control::{Order, Wish};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::api::Desk;
use super::talk::Ask;

/// The API's description.
const OPENAPI: &str = include_str!("openapi.json");

/// One method of one address.
struct Route {
    method: Method,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Desk>,
}

type Answered = Result<Response, ApiError>;

/// Nothing but braces.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Speed {
    speed: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

/// A line in the words of the files, or the fields of `[[inject]]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inject {
    Line(Line),
    Fields(Map<String, Value>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    line: String,
}

/// Everything that is served.
fn table() -> Vec<Route> {
    vec![
        read("/api/v1/openapi.json", get(|| ready(json_bytes(StatusCode::OK, Bytes::from_static(OPENAPI.as_bytes()))))),
        read("/api/v1/state", get(|State(desk): State<Desk>| ask(desk, Ask::State))),
        read("/api/v1/sites", get(sites)),
        read("/api/v1/checkpoints", get(|State(desk): State<Desk>| ask(desk, Ask::Checkpoints))),
        read(
            "/api/v1/events",
            get(|State(desk): State<Desk>, headers: HeaderMap| ready(desk.feed().follow(&headers, desk.stopped()))),
        ),
        write("/api/v1/pause", post(|state, request| order(state, request, |Nothing {}| Ok(Order::Pause)))),
        write("/api/v1/resume", post(|state, request| order(state, request, |Nothing {}| Ok(Order::Resume)))),
        write("/api/v1/speed", post(|state, request| order(state, request, |Speed { speed }| Ok(Order::Speed(speed.parse()?))))),
        write("/api/v1/go", post(|state, request| order(state, request, |To { to }| Ok(Order::Go(to.parse()?))))),
        write("/api/v1/step", post(|state, request| order(state, request, |To { to }| Ok(Order::Step(to.parse()?))))),
        write("/api/v1/inject", post(|state, request| order(state, request, |wish| Ok(Order::Inject(wished(wish)))))),
        write("/api/v1/note", post(|state, request| order(state, request, |Text { text }| Ok(Order::Note(text))))),
        write("/api/v1/checkpoints", post(|state, request| order(state, request, |Name { name }| Ok(Order::Keep(name))))),
        write("/api/v1/back", post(|state, request| order(state, request, |To { to }| Ok(Order::Back(to))))),
        write("/api/v1/real-event", post(|state, request| order(state, request, |Nothing {}| Ok(Order::RealEvent)))),
        write("/api/v1/end", post(|state, request| order(state, request, |Nothing {}| Ok(Order::End)))),
    ]
}

fn read(path: &'static str, handler: MethodRouter<Desk>) -> Route {
    Route { method: Method::GET, path, access: Access::Read, handler }
}

fn write(path: &'static str, handler: MethodRouter<Desk>) -> Route {
    Route { method: Method::POST, path, access: Access::Write, handler }
}

fn wished(inject: Inject) -> Wish {
    match inject {
        Inject::Line(Line { line }) => Wish::Line(line),
        Inject::Fields(fields) => Wish::Fields(fields),
    }
}

/// The table as a service.
pub(super) fn router(desk: &Desk) -> Router {
    let mut router = Router::new();
    for Route { method, path, access, handler } in table() {
        tracing::trace!(%method, path, ?access, "route");
        router = router.route(path, handler.route_layer(middleware::from_fn_with_state((desk.clone(), access), gate::<Desk>)));
    }
    router
        .fallback(|| ready(ApiError::no_such_path()))
        .method_not_allowed_fallback(|| ready(ApiError::method()))
        .layer(middleware::from_fn_with_state(desk.clone(), doorstep::<Desk>))
        .with_state(desk.clone())
}

async fn ask(desk: Desk, ask: Ask) -> Answered {
    Ok(json(StatusCode::OK, &desk.ask(ask).await?))
}

async fn sites(State(desk): State<Desk>, Query(given): Query<Vec<(String, String)>>) -> Answered {
    let as_seen_by = given.into_iter().find(|(key, _)| key == "as_seen_by").map(|(_, site)| site);
    ask(desk, Ask::Sites(as_seen_by)).await
}

/// An order with its JSON. It is read whole before anything is done.
async fn order<T: DeserializeOwned>(
    State(desk): State<Desk>,
    request: Request,
    make: fn(T) -> Result<Order, Box<Refusal>>,
) -> Answered {
    let wish = body::read(request).await?;
    ask(desk, Ask::Order(make(wish)?)).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::command::play::talk::Ask;
    use holdfast_sim::control::{Control, News};
    use holdfast_sim::exercise::Play;
    use holdfast_sim::swarm::{Scale, draw};
    use serde_json::json;

    fn description() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    /// Only named properties, all required ones, the right types and words.
    fn check(all: &Value, schema: &Value, value: &Value, at: &str) {
        let pointed = schema["$ref"].as_str().map(|pointer| all.pointer(pointer.trim_start_matches('#')).unwrap());
        let schema = pointed.unwrap_or(schema);
        if let Some(choices) = schema["anyOf"].as_array() {
            let fits = choices.iter().find(|choice| value.is_null() == (choice["type"] == "null"));
            return check(all, fits.unwrap_or_else(|| panic!("{at}: {value}")), value, at);
        }
        match schema["type"].as_str() {
            Some("object") => {
                let object = value.as_object().unwrap_or_else(|| panic!("{at}: no object: {value}"));
                for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    assert!(object.contains_key(name), "{at}: {name} is missing");
                }
                for (name, inner) in object {
                    let described = &schema["properties"][name];
                    if described.is_null() && schema["additionalProperties"] == true {
                        continue;
                    }
                    assert!(described.is_object(), "{at}: {name} is not described");
                    check(all, described, inner, &format!("{at}.{name}"));
                }
            }
            Some("array") => value.as_array().unwrap().iter().for_each(|item| check(all, &schema["items"], item, at)),
            Some("string") => {
                let text = value.as_str().unwrap_or_else(|| panic!("{at}: no text: {value}"));
                assert!(schema["enum"].as_array().is_none_or(|words| words.iter().any(|word| word == text)), "{at}: {text}");
                assert!(schema["const"].as_str().is_none_or(|word| word == text), "{at}: {text}");
            }
            Some("integer") => assert!(value.is_i64() || value.is_u64(), "{at}: no integer: {value}"),
            Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
            Some("null") => assert!(value.is_null(), "{at}: {value}"),
            other => panic!("{at}: type {other:?}"),
        }
    }

    #[test]
    fn the_description_names_exactly_the_routes_there_are() {
        let all = description();
        let described: BTreeSet<String> = all["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let real: BTreeSet<String> = table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
        assert_eq!(described, real);
        for route in table() {
            let entry = &all["paths"][route.path][route.method.as_str().to_lowercase()];
            assert_eq!(entry["security"].as_array().map(Vec::len), Some(1), "{}", route.path);
            assert_eq!(entry["requestBody"].is_object(), route.access == Access::Write, "{}", route.path);
        }
    }

    #[test]
    fn every_answer_and_event_has_only_the_properties_described() {
        let all = description();
        let scenario = draw(1, Scale { nodes: 3, minutes: 2 });
        let mut control = Control::new(Play::new(scenario, 1, "").unwrap());
        let schema = |name: &str| all["components"]["schemas"][name].clone();
        let orders =
            [Order::Keep("one".to_owned()), Order::Go("+1m".parse().unwrap()), Order::Inject(Wish::Line("heal".to_owned()))];
        for order in orders {
            let done = Ask::Order(order).of(&mut control).unwrap();
            check(&all, &schema("Done"), &serde_json::to_value(&done).unwrap(), "Done");
            while control.is_playing() {
                control.play_on(u64::MAX);
            }
        }
        let asks = [(Ask::State, "State"), (Ask::Sites(None), "Sites"), (Ask::Checkpoints, "Checkpoints")];
        for (ask, name) in asks {
            let answer = serde_json::to_value(ask.of(&mut control).unwrap()).unwrap();
            check(&all, &schema(name), &answer, name);
        }
        let ended = News::Ended { at: 1, early: None, fingerprint: "f".to_owned() };
        let more =
            [News::Branch { at: 1, line: 2, of: 1 }, News::Time { at: 1 }, News::Speed { at: 1, speed: "max".to_owned() }, ended];
        let news = control.take_news();
        assert!(news.iter().any(|one| matches!(one, News::Happened { .. })), "{news:?}");
        for one in news.iter().chain(&more) {
            let mut told = serde_json::to_value(one).unwrap();
            told["schema"] = json!("holdfast.sim.event/1");
            check(&all, &schema("Event"), &told, "Event");
        }
        let refused = Ask::Order(Order::Back("nowhere".to_owned())).of(&mut control).unwrap_err();
        let mut refused = serde_json::to_value(refused).unwrap();
        refused["schema"] = json!("holdfast.error/1");
        check(&all, &schema("Error"), &refused, "Error");
    }
}
