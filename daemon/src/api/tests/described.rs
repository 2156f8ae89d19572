//! `openapi.json` is held against the routes and against what is really answered.

use std::collections::BTreeSet;

use super::*;
use crate::api::page::OPENAPI;
use crate::api::routes;
use holdfast_loopback::guard::Access;

fn description() -> Value {
    serde_json::from_str(OPENAPI).expect("the description is JSON")
}

/// Follows `$ref`.
fn resolved<'a>(all: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(pointer) => all.pointer(pointer.trim_start_matches('#')).unwrap_or_else(|| panic!("{pointer} is nowhere")),
        None => schema,
    }
}

/// Holds a value against a schema: only named properties, all required ones, the right types and words.
fn check(all: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(all, schema);
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let fits = choices.iter().find(|choice| value.is_null() == (choice["type"] == "null"));
            return check(all, fits.unwrap_or_else(|| panic!("{at}: nothing fits {value}")), value, at);
        }
    }
    match schema["type"].as_str() {
        Some("object") => check_object(all, schema, value, at),
        Some("array") => {
            for item in value.as_array().unwrap_or_else(|| panic!("{at}: no list: {value}")) {
                check(all, &schema["items"], item, &format!("{at}[]"));
            }
        }
        Some("string") => {
            let text = value.as_str().unwrap_or_else(|| panic!("{at}: no text: {value}"));
            assert!(schema["enum"].as_array().is_none_or(|words| words.iter().any(|word| word == text)), "{at}: {text}");
            assert!(schema["const"].as_str().is_none_or(|word| word == text), "{at}: {text}");
        }
        Some("integer") => assert!(value.is_i64() || value.is_u64(), "{at}: no integer: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{at}: neither true nor false: {value}"),
        Some("null") => assert!(value.is_null(), "{at}: {value}"),
        Some(other) => panic!("{at}: unknown type {other}"),
        None => {}
    }
}

fn check_object(all: &Value, schema: &Value, value: &Value, at: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("{at}: no object: {value}"));
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(object.contains_key(name), "{at}: {name} is missing");
    }
    for (name, inner) in object {
        let named = &schema["properties"][name];
        let described = if named.is_null() { &schema["additionalProperties"] } else { named };
        // An object without any description (a row of the catalogue) is open.
        if schema["properties"].is_null() && schema["additionalProperties"].is_null() {
            continue;
        }
        assert!(described.is_object(), "{at}: {name} is not described");
        check(all, described, inner, &format!("{at}.{name}"));
    }
}

#[test]
fn the_description_names_exactly_the_routes_there_are_and_who_may_use_them() {
    let all = description();
    let mut described = BTreeSet::new();
    for (path, methods) in all["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let real: BTreeSet<String> = routes::table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, real);
    for route in routes::table() {
        let entry = &all["paths"][route.path][route.method.as_str().to_lowercase()];
        let guarded = entry["security"].as_array().is_some_and(|ways| !ways.is_empty());
        assert_eq!(guarded, route.access != Access::Open, "{}", route.path);
        assert_eq!(entry["requestBody"].is_object(), route.access == Access::Write, "{}", route.path);
    }
}

#[tokio::test]
async fn every_view_answers_with_only_the_properties_described() {
    let server = Server::start().await;
    let all = description();
    let hidden = server.post("/api/v1/board/hide", r#"{"line":"water"}"#).await;
    check(&all, &all["components"]["schemas"]["BoardView"], &hidden.json(), "BoardView");
    for route in routes::table().into_iter().filter(|route| route.access == Access::Read && route.path != "/api/v1/events") {
        let got =
            server.get(&route.path.replace("{id}", "R-7Q4K2M9").replace("{ticket}", "t1").replace("{name}", "index.html")).await;
        assert_eq!(got.status, 200, "{}", route.path);
        let schema = &all["paths"][route.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        check(&all, schema, &got.json(), route.path);
    }
    let saved = server.post("/api/v1/requests", r#"{"items":["water:40"]}"#).await;
    check(&all, &all["components"]["schemas"]["Saved"], &saved.json(), "Saved");
    let refused = server.get("/api/v1/nothing").await;
    check(&all, &all["components"]["schemas"]["Error"], &refused.json(), "Error");
}

#[test]
fn every_event_is_described_and_spells_nodes_as_all_answers_do() {
    let all = description();
    let node = holdfast_proto::id::NodeId { issuer: 1, serial: 118 };
    let (label, cause, reason, what, ticket) =
        ("quic".to_owned(), "c".to_owned(), "r".to_owned(), "w".to_owned(), "t".to_owned());
    for event in [
        Event::Board { node, version: 1 },
        Event::Entries { author: node, first: 1, count: 2 },
        Event::Withdrawn { author: node, number: 1 },
        Event::PeerUp { node, label },
        Event::PeerDown { node: None, cause: cause.clone() },
        Event::PeerDown { node: Some(node), cause: cause.clone() },
        Event::Healed { node, took_ms: 1, received: 2, sent: 3 },
        Event::Rejected { node: Some(node), reason },
        Event::Forked { author: node, number: 1 },
        Event::Incarnation { count: 1, cause: cause.clone() },
        Event::Stopped { cause: cause.clone() },
        Event::StoreFailed { cause },
        Event::Delivery { ticket, delivery: delivery() },
        Event::Fault { what: what.clone() },
        Event::Revoked { node, reason: "stolen".to_owned() },
        Event::Bug { what },
    ] {
        let told = crate::api::events::told(&event).expect("events are JSON");
        check(&all, &all["components"]["schemas"]["Event"], &told, "Event");
        for name in ["node", "author"] {
            assert!(matches!(told[name].as_str(), None | Some("1-118")), "{told}");
        }
        assert_eq!(serde_json::from_value::<Event>(told.clone()).expect("reads back"), event, "{told}");
    }
}

#[tokio::test]
async fn every_described_property_of_a_body_is_taken_and_no_other() {
    let server = Server::start().await;
    let all = description();
    for route in routes::table().into_iter().filter(|route| route.access == Access::Write && route.path != "/api/v1/fault") {
        let schema = &all["paths"][route.path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        let mut body = example(&all, schema);
        if route.path.starts_with("/api/v1/board/") {
            // What these name must be there.
            body = json!({"site": "1-1", "line": "water"});
        }
        let got = server.post(route.path, &body.to_string()).await;
        assert_eq!(got.status, 200, "{} with {body}: {}", route.path, got.body);
        body["not_described"] = json!(1);
        assert_eq!(server.post(route.path, &body.to_string()).await.status, 400, "{}", route.path);
    }
}

/// A body with every described property.
fn example(all: &Value, schema: &Value) -> Value {
    let schema = resolved(all, schema);
    if let Some(choices) = schema["anyOf"].as_array() {
        return example(all, &choices[0]);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let named = schema["properties"].as_object().into_iter().flatten();
            Value::Object(named.map(|(name, inner)| (name.clone(), example(all, inner))).collect())
        }
        Some("array") => json!([example(all, &schema["items"])]),
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        Some(_) | None => schema["enum"][0].as_str().map_or_else(|| json!("x"), |word| json!(word)),
    }
}
