//! What is said on one node is on the others: reports, requests, observations, with both links, with either of them, after an absence.

use std::time::Duration;

use holdfast_proto::control::DeliveryState;
use holdfast_tests::{BLINK, LONG, Plan, SOON, eventually, eventually_or};
use serde_json::json;

#[test]
fn a_report_on_one_node_is_on_the_others() {
    let alliance = Plan::of(3).start();
    let values = [("operating.status", "open"), ("stock.water", "120"), ("power.source", "generator")];
    alliance.node(0).api().report(&values).expect("a report is saved");
    for reader in 0..3 {
        alliance.wait_reading(reader, 0, "stock.water", &json!("plenty"), BLINK);
        alliance.wait_reading(reader, 0, "stock.water.count", &json!(120), BLINK);
        alliance.wait_reading(reader, 0, "power.source", &json!("generator"), BLINK);
    }
    let seen = alliance.node(2).api().status().expect("status");
    let a = seen.nodes.iter().find(|n| n.name == "a").expect("a is on everyone's board");
    assert_eq!(a.operating_status, "open");
    assert!(a.age_s.is_some_and(|age| age < 60), "a fresh word has a small age: {:?}", a.age_s);
    assert!(a.reachable);
    alliance.wait_equal(BLINK);
}

#[test]
fn a_newer_report_replaces_what_it_names_and_leaves_the_rest() {
    let alliance = Plan::of(2).start();
    let api = alliance.node(0).api();
    api.report(&[("capacity.people", "120"), ("capacity.occupancy", "30")]).expect("saved");
    api.report(&[("capacity.people", "90")]).expect("saved");
    alliance.wait_reading(1, 0, "capacity.people", &json!(90), BLINK);
    alliance.wait_reading(1, 0, "capacity.occupancy", &json!(30), BLINK);
}

#[test]
fn a_level_can_be_said_without_counting() {
    let alliance = Plan::of(2).start();
    alliance.node(0).api().report(&[("stock.water", "low")]).expect("saved");
    alliance.wait_reading(1, 0, "stock.water", &json!("low"), BLINK);
}

#[test]
fn a_request_reaches_the_hub_and_its_receipt_comes_back() {
    let alliance = Plan::of(3).start();
    let body = json!({ "items": ["water:40", "other:baby formula=6"], "priority": "urgent", "note": "rooftop", "act": { "desk": "front" } });
    let saved: holdfast_proto::control::Saved =
        alliance.node(0).api().post("/api/v1/requests", &body).expect("an answer").into().expect("saved");
    let id = saved.id.expect("a request has a spoken id");
    assert!(id.starts_with("R-") && id.len() == 9, "{id}");
    for reader in 0..3 {
        let view = alliance.wait_request(reader, &id, BLINK);
        assert_eq!(
            (view.priority.as_str(), view.note.as_deref(), view.desk.as_deref()),
            ("urgent", Some("rooftop"), Some("front"))
        );
        assert_eq!((view.lines[0].item.as_str(), view.lines[0].requested), ("water", 40));
        assert_eq!((view.lines[1].item.as_str(), view.lines[1].text.as_deref()), ("other", Some("baby formula")));
        assert_eq!(view.consignee.id, alliance.node(0).id.to_string());
    }
    // The hub is the addressee: its daemon acknowledges without a person.
    eventually(LONG, "received by the hub", || {
        let delivery = alliance.node(0).api().delivery(&saved.ticket)?;
        if matches!(delivery.state, DeliveryState::Received | DeliveryState::ActedOn) {
            Ok(())
        } else {
            Err(format!("{delivery:?}"))
        }
    });
    let view = alliance.node(2).api().request(&id).expect("the third node sees it too");
    eventually(SOON, "the receipt is on the third node", || {
        let view = alliance.node(2).api().request(&id)?;
        if view.acknowledged_by.iter().any(|n| n.name == "b") { Ok(()) } else { Err(format!("{view:?}")) }
    });
    assert_eq!(view.version, 1);
}

#[test]
fn update_cancel_and_close_are_seen_everywhere() {
    let alliance = Plan::of(2).start();
    let api = alliance.node(0).api();
    let id = api.ask_for("water:40", "updated", None).expect("saved").id.expect("an id");
    let gone = api.ask_for("rice:5", "cancelled", None).expect("saved").id.expect("an id");
    let update =
        api.post("/api/v1/requests/update", &json!({ "request": id, "version": 1, "items": ["water:60"] })).expect("an answer");
    assert_eq!(update.status, 200, "{}", update.body);
    let cancel = api
        .post("/api/v1/requests/cancel", &json!({ "request": gone, "version": 1, "reason": "found some" }))
        .expect("an answer");
    assert_eq!(cancel.status, 200, "{}", cancel.body);
    eventually(BLINK, "the newer version on the other node", || {
        let view = alliance.node(1).api().request(&id)?;
        if view.version == 2 && view.lines[0].requested == 60 { Ok(()) } else { Err(format!("{view:?}")) }
    });
    eventually(BLINK, "the cancel on the other node", || {
        let view = alliance.node(1).api().request(&gone)?;
        if view.status == "cancelled" { Ok(()) } else { Err(format!("{view:?}")) }
    });
    let close = api.post("/api/v1/requests/close", &json!({ "request": id, "version": 2 })).expect("an answer");
    assert_eq!(close.status, 200, "{}", close.body);
    eventually(BLINK, "no open request left", || {
        let status = alliance.node(1).api().status()?;
        if status.requests_open == 0 { Ok(()) } else { Err(format!("{} open", status.requests_open)) }
    });
    alliance.wait_equal(SOON);
}

#[test]
fn a_cancel_of_an_older_version_is_flagged_and_the_need_stands() {
    let alliance = Plan::of(2).start();
    let api = alliance.node(0).api();
    let id = api.ask_for("water:40", "still needed", None).expect("saved").id.expect("an id");
    let update =
        api.post("/api/v1/requests/update", &json!({ "request": id, "version": 1, "items": ["water:80"] })).expect("an answer");
    assert_eq!(update.status, 200, "{}", update.body);
    let cancel = api.post("/api/v1/requests/cancel", &json!({ "request": id, "version": 1 })).expect("an answer");
    assert_eq!(cancel.status, 200, "{}", cancel.body);
    eventually(BLINK, "the flag on the other node", || {
        let view = alliance.node(1).api().request(&id)?;
        let flagged = view.flags.iter().any(|f| f == "cancel_of_older_version");
        if flagged && view.status != "cancelled" { Ok(()) } else { Err(format!("{view:?}")) }
    });
    let confirm = api.post("/api/v1/requests/confirm", &json!({ "request": id })).expect("an answer");
    assert_eq!(confirm.status, 200, "{}", confirm.body);
    eventually(BLINK, "the flag is gone once confirmed", || {
        let view = alliance.node(1).api().request(&id)?;
        if view.flags.iter().all(|f| f != "cancel_of_older_version") { Ok(()) } else { Err(format!("{:?}", view.flags)) }
    });
}

#[test]
fn an_observation_stands_beside_the_nodes_own_word() {
    let alliance = Plan::of(3).start();
    alliance.node(2).api().report(&[("operating.status", "open")]).expect("saved");
    let seen = json!({ "node": "c", "values": { "operating.status": "closed" }, "note": "said a runner" });
    let answer = alliance.node(0).api().post("/api/v1/observe", &seen).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    eventually(SOON, "both words on b", || {
        let status = alliance.node(1).api().status()?;
        let c = status.nodes.iter().find(|n| n.name == "c").ok_or("c is not on the board")?;
        let observed = c.observations.iter().any(|o| o.by.name == "a" && o.note.as_deref() == Some("said a runner"));
        if c.operating_status == "open" && observed { Ok(()) } else { Err(format!("{c:?}")) }
    });
}

#[test]
fn the_same_idempotency_key_twice_adds_nothing() {
    let alliance = Plan::of(2).start();
    let api = alliance.node(0).api();
    let first = api.ask_for("water:40", "once", Some("till-7")).expect("saved");
    let again = api.ask_for("water:40", "once", Some("till-7")).expect("the same answer again");
    assert_eq!(first.id, again.id);
    assert!(again.already && !first.already);
    alliance.wait_request(1, first.id.as_deref().expect("an id"), BLINK);
    assert_eq!(alliance.notes(1), ["once"]);
}

#[test]
fn an_idempotency_key_still_holds_after_a_restart() {
    let mut alliance = Plan::of(1).start();
    let first = alliance.node(0).api().ask_for("water:40", "once", Some("till-7")).expect("saved");
    alliance.node_mut(0).kill();
    alliance.node_mut(0).start();
    let again = alliance.node(0).api().ask_for("water:40", "once", Some("till-7")).expect("the same answer again");
    assert_eq!((first.id, true), (again.id, again.already));
}

#[test]
fn with_gossip_off_everything_still_converges() {
    let alliance = Plan::of(3).without_gossip().start();
    for (n, node) in alliance.nodes().iter().enumerate() {
        node.api().report(&[("capacity.people", &(10 + n).to_string())]).expect("saved");
        node.api().ask_for("rice:3", &format!("from {n}"), None).expect("saved");
    }
    alliance.wait_equal(SOON);
    assert_eq!(alliance.notes(2), ["from 0", "from 1", "from 2"]);
}

#[test]
fn with_sync_off_fresh_entries_still_arrive() {
    let alliance = Plan::of(3).without_sync().start();
    // Gossip is a lossy broadcast: what was said before the mesh stood may be lost, so each look says something fresh.
    let mut said = 0;
    eventually(LONG, "a fresh request reaches both others", || {
        said += 1;
        let id = alliance.node(0).api().ask_for("water:1", &format!("try {said}"), None)?.id.ok_or("no id")?;
        for reader in [1, 2] {
            let reader = alliance.node(reader);
            eventually_or(Duration::from_secs(4), || reader.api().request(&id))?;
        }
        Ok::<(), String>(())
    });
}

#[test]
fn a_node_that_missed_everything_catches_up() {
    let mut alliance = Plan::of(3).make();
    alliance.node_mut(0).start();
    alliance.node_mut(1).start();
    for n in 0..60 {
        let node = alliance.node(n % 2);
        node.api().ask_for("water:1", &format!("early {n:02}"), None).expect("saved");
        node.api().report(&[("capacity.people", &n.to_string())]).expect("saved");
    }
    alliance.wait_equal_among(&[0, 1], SOON);
    alliance.node_mut(2).start();
    let view = alliance.wait_equal(SOON);
    assert!(view.entries >= 60, "{view:?}");
    assert_eq!(alliance.notes(2).len(), 60);
}

#[test]
fn the_page_hears_of_a_neighbours_word_by_server_sent_events() {
    let alliance = Plan::of(2).start();
    let api = alliance.node(1).api();
    let port = alliance.node(1).settings.api_port;
    let request =
        format!("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {}\r\n\r\n", api.token());
    let (tx, heard) = std::sync::mpsc::channel();
    let listener = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the API listens");
        stream.set_read_timeout(Some(SOON)).expect("a limit can be set");
        stream.write_all(request.as_bytes()).expect("the request goes out");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if tx.send(line).is_err() {
                return;
            }
        }
    });
    let wait_for = |part: &str| {
        while let Ok(line) = heard.recv_timeout(SOON) {
            if line.contains(part) {
                return line;
            }
        }
        panic!("no line with {part:?} came");
    };
    assert!(wait_for("HTTP/1.1").contains("200"));
    wait_for("text/event-stream");
    // The subscription is made before the headers are sent, so nothing can be missed from here on.
    alliance.node(0).api().ask_for("water:1", "heard", None).expect("saved");
    let line = wait_for("\"event\":\"entries\"");
    assert!(line.starts_with("data:"), "{line}");
    drop(heard);
    drop(alliance);
    listener.join().expect("the listener ends with the daemon");
}
