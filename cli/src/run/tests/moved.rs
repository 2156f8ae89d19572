//! Promises, convoys, receipts, stock and conflicts: what is sent for a line typed, and what is told.

use super::*;

fn node(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name})
}

fn water(quantity: u64, more: &Value) -> Value {
    let mut line = json!({"item": "water", "unit": "LTR", "quantity": quantity});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([line])
}

fn promised() -> Value {
    let (store, hub) = (node("1-1", "甲店"), node("1-2", "乙倉"));
    let promise = json!({"commitment": "P-7Q4KABC", "request": "R-7Q4KABC", "supplier": hub, "status": "departed",
        "lines": water(30, &json!({"in_transit": 30})), "consignments": ["V-7Q4KABC"]});
    let mut request = request("in_transit");
    request["lines"] = json!([{"item": "water", "unit": "LTR", "requested": 40, "in_transit": 30}]);
    request["commitments"] = json!([promise]);
    request["asked_at"] = request["history"][0]["at"].clone();
    request["requested_by"] = store;
    request
}

fn conflict() -> Value {
    let (store, hub) = (node("1-1", "甲店"), node("1-2", "乙倉"));
    json!({"conflict": "C1-7Q4KABC", "kind": "over_covered", "about": "R-7Q4KABC", "consignee": store,
        "parts": [{"item": "water", "supplier": hub, "commitment": "P-7Q4KABC", "held": "committed", "kept": 30, "surplus": 10}],
        "proposals": [{"by": hub, "what": "release", "of": "P-7Q4KABC", "item": "water", "quantity": 10}]})
}

fn supplied(asked: &str) -> (u16, Value) {
    let (store, hub) = (node("1-1", "甲店"), node("1-2", "乙倉"));
    match asked {
        "GET /api/v1/requests" | "GET /api/v1/requests?open=true" => {
            (200, json!({"schema": "holdfast.requests/1", "requests": [promised()]}))
        }
        "GET /api/v1/requests/R-7Q4KABC" => (200, promised()),
        "GET /api/v1/consignments" => (
            200,
            json!({"schema": "holdfast.consignments/1", "consignments": [{"consignment": "V-7Q4KABC", "sender": hub, "to": store,
                "status": "departed", "lines": water(30, &json!({"in_transit": 30})), "commitments": ["P-7Q4KABC"],
                "requests": ["R-7Q4KABC"], "position": "大橋\u{1b}", "history": [
                    {"act": "plan_consignment", "by": hub, "version": 0, "at": 1_795_000_000_000_i64, "to": store, "goods": water(30, &json!({}))},
                    {"act": "depart", "by": hub, "version": 0, "at": 1_795_000_060_000_i64}]}]}),
        ),
        "GET /api/v1/stock" => (
            200,
            json!({"schema": "holdfast.stock/1", "node": hub, "items": [{"item": "water", "unit": "LTR", "on_hand": 120, "floor": 20,
                "promised": 30, "available": 70, "holds": [{"by": "P-7Q4KABC", "quantity": 30}]}]}),
        ),
        "GET /api/v1/conflicts" => (200, json!({"schema": "holdfast.conflicts/1", "conflicts": [conflict()]})),
        "POST /api/v1/commitments" | "POST /api/v1/commitments/release" | "POST /api/v1/conflicts/resolve" => {
            let mut answer = saved("saved_here");
            answer["id"] = json!("P-7Q4KABC");
            (200, answer)
        }
        "POST /api/v1/requests/unable" | "POST /api/v1/stock/adjust" => (200, saved("saved_here")),
        _ if asked.starts_with("POST /api/v1/consignments") => {
            let mut answer = saved("saved_here");
            answer["id"] = json!("V-7Q4KABC");
            (200, answer)
        }
        other => rule(other),
    }
}

#[test]
fn each_line_typed_is_sent_as_its_wish() {
    for (line, path, wanted) in [
        (
            "commit R-7Q4KABC --item water:30 --note truck --key K",
            "commitments",
            json!({"request": "R-7Q4KABC", "items": ["water:30"], "note": "truck", "key": "K"}),
        ),
        ("commit R-7Q4KABC", "commitments", json!({"request": "R-7Q4KABC", "items": []})),
        ("unable R-7Q4KABC --decline --reason full", "requests/unable", json!({"declined": true, "reason": "full"})),
        (
            "release P-7Q4KABC --item water:10 --cause shortfall",
            "commitments/release",
            json!({"commitment": "P-7Q4KABC", "items": ["water:10"], "cause": "shortfall"}),
        ),
        (
            "convoy plan P-1 P-2 --item rice:5 --to 1-1 --carrier 1-3",
            "consignments",
            json!({"commitments": ["P-1", "P-2"], "items": ["rice:5"], "to": "1-1", "carrier": "1-3"}),
        ),
        ("convoy load V-1 --note full", "consignments/step", json!({"consignment": "V-1", "step": "load", "note": "full"})),
        ("convoy depart V-1", "consignments/step", json!({"consignment": "V-1", "step": "depart"})),
        ("convoy position V-1 bridge", "consignments/step", json!({"step": "position", "place": "bridge"})),
        ("convoy arrive V-1", "consignments/step", json!({"step": "arrive"})),
        ("convoy hand-over V-1 --item water:8", "consignments/step", json!({"step": "hand_over", "items": ["water:8"]})),
        ("convoy divert V-1 --to R-2", "consignments/step", json!({"step": "divert", "to": "R-2"})),
        ("convoy lost V-1", "consignments/step", json!({"step": "lost", "items": []})),
        ("convoy unload V-1", "consignments/step", json!({"step": "unload"})),
        ("convoy return V-1", "consignments/step", json!({"step": "return"})),
        (
            "receive V-1 --accepted water:8 --damaged water:1 --rejected water:1 --reason wet",
            "consignments/receive",
            json!({"consignment": "V-1", "accepted": ["water:8"], "damaged": ["water:1"], "rejected": ["water:1"], "refuse": false}),
        ),
        ("refuse V-1 --reason wrong", "consignments/receive", json!({"refuse": true, "reason": "wrong"})),
        ("stock count water=120 rice=low", "report", json!({"values": {"stock.water": "120", "stock.rice": "low"}})),
        ("stock floor water=40", "report", json!({"values": {"stock.water.floor": "40"}})),
        ("stock adjust water=-3 rice=+2", "stock/adjust", json!({"changes": ["water=-3", "rice=+2"]})),
    ] {
        let fake = Fake::new(supplied);
        let did = at(&fake, &format!("{line} --at 20m --desk 1F"));
        assert_eq!(did.code, 0, "{line}: {did:?}");
        let heard = fake.heard.recv().unwrap();
        assert_eq!(heard.line, format!("POST /api/v1/{path}"), "{line}");
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&heard.body[name], value, "{line}: {name}");
        }
        assert_eq!(heard.body["act"]["desk"], "1F", "{line}");
    }
}

#[test]
fn times_of_a_promise_are_told_as_understood_and_the_next_step_is_named() {
    let fake = Fake::new(supplied);
    let did = at(&fake, "commit R-7Q4KABC --arrival 6h");
    assert!(did.err.contains("there by 2026-11-23 16:00") && did.err.contains("convoy plan P-7Q4KABC"), "{did:?}");
    let did = at(&fake, "convoy plan P-7Q4KABC");
    assert!(did.err.contains("convoy show V-7Q4KABC"), "{did:?}");
}

#[test]
fn a_conflict_is_settled_only_after_a_yes_and_what_will_be_done_is_said_first() {
    let fake = Fake::new(supplied);
    let did = at(&fake, "conflicts resolve c1-7q4kabc");
    assert!(did.code == 1 && did.err.contains("H-829"), "{did:?}");
    assert!(did.err.contains("乙倉 takes back Drinking water 10 L of P-7Q4KABC"), "{did:?}");
    let sent = |fake: &Fake| fake.heard.try_iter().filter(|heard| heard.line.starts_with("POST")).collect::<Vec<_>>();
    assert!(sent(&fake).is_empty(), "nothing was done");
    let did = at(&fake, "conflicts resolve c1-7q4kabc --yes");
    assert_eq!(did.code, 0, "{did:?}");
    let sent = sent(&fake);
    assert_eq!((sent.len(), &sent[0].body["conflict"]), (1, &json!("C1-7Q4KABC")));
    let did = at(&fake, "conflicts resolve C3-7Q4KABC --yes");
    assert!(did.code == 4 && did.err.contains("H-827"), "{did:?}");
}

#[test]
fn lists_are_told_in_both_languages_without_an_escape() {
    let fake = Fake::new(supplied);
    for (line, en, zh) in [
        ("stock", &["Drinking water  120 L", "20 L", "70 L", "P-7Q4KABC 30"][..], &["飲用水", "保留給本地", "70 公升"][..]),
        (
            "convoy list",
            &["V-7Q4KABC", "乙倉", "→ 甲店", "Drinking water 30 L", "on the road", "at 大橋"],
            &["已出發", "位於 大橋"],
        ),
        (
            "convoy show V-7Q4KABC",
            &["last seen: 大橋", "planned a convoy to 甲店", "sent the convoy off"],
            &["安排運送 飲用水 30 公升 到 甲店"],
        ),
        ("coverage", &["R-7Q4KABC", "40 L", "30 L", "10 L", "LACKING"], &["尚缺", "10 公升"]),
        (
            "conflicts list",
            &["C1-7Q4KABC", "more is promised than asked for", "next:"],
            &["承諾超過需求", "釋出 P-7Q4KABC 的 飲用水 10 公升"],
        ),
        ("conflicts show C1-7Q4KABC", &["TOO MANY", "→ 乙倉 takes back Drinking water 10 L"], &["多出", "建議"]),
        (
            "request show R-7Q4KABC",
            &["on the road 30, lacking 10", "promises", "P-7Q4KABC", "convoys"],
            &["運送中 30、尚缺 10", "承諾"],
        ),
        (
            "timeline R-7Q4KABC",
            &["asked for Drinking water 40 L (R-7Q4KABC)", "sent the convoy off (V-7Q4KABC)"],
            &["提出需求：飲用水 40 公升"],
        ),
    ] {
        let did = at(&fake, line);
        assert_eq!(did.code, 0, "{line}: {did:?}");
        assert!(en.iter().all(|part| did.out.contains(part)) && !did.out.contains('\u{1b}'), "{line}: {did:?}");
        let did = at(&fake, &format!("{line} --lang zh-TW"));
        assert!(zh.iter().all(|part| did.out.contains(part)), "{line}: {did:?}");
        let did = at(&fake, &format!("{line} --json"));
        let object: Value = serde_json::from_str(&did.out).unwrap();
        assert!(object["schema"].as_str().is_some_and(|schema| schema.starts_with("holdfast.")), "{line}: {did:?}");
    }
    let did = at(&fake, "coverage --json");
    let object: Value = serde_json::from_str(&did.out).unwrap();
    assert_eq!((&object["lines"][0]["lacking"], &object["lines"][0]["committed"]), (&json!(10), &json!(0)));
}

#[test]
fn a_list_of_requests_is_narrowed_to_what_a_shift_must_look_at() {
    let fake = Fake::new(supplied);
    let shown = |filter: &str| {
        let did = at(&fake, &format!("request list {filter} --json"));
        assert_eq!(did.code, 0, "{did:?}");
        serde_json::from_str::<Value>(&did.out).unwrap()["requests"].as_array().unwrap().len()
    };
    // This node is the hub that promised 30 of 40; the request is of 2026-11-18.
    for (filter, count) in
        [("", 1), ("--open", 1), ("--mine", 1), ("--waiting-over 1h", 1), ("--waiting-over 9d", 0), ("--open --mine", 1)]
    {
        assert_eq!(shown(filter), count, "{filter}");
    }
    assert_eq!(at(&fake, "request list --all --open").code, 2);
}
