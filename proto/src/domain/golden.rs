//! Golden vectors: the bytes of each kind of fact and of a typical board. A change here is a change of the wire: say so in `PROTOCOL.md`.

use super::bench::*;
use super::fact::{Deed, Fact, Floor, Line, LineItem, Need, Observation, Request, RequestRef, Update, decode_body, encode_body};
use super::reading::{self, Reading, Readings, Seen, Subject, Value};
use super::{Decoded, DocKind, PlanInput, spoken};
use crate::id::{EntryId, FactId, Incarnation};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn full_need() -> Need {
    let code = |code: &str, requested| Line { item: LineItem::Code(code.into()), requested };
    let lines = vec![code("water", 40), Line { item: LineItem::Other("tent".into()), requested: 2 }];
    Need { priority: 1, lines, needed_by_s: Some(1_767_229_200), note: Some("dock 2".into()) }
}

fn id() -> FactId {
    FactId { entry: EntryId { log: log(118, 1), number: 9 }, index: 0 }
}

fn reference() -> RequestRef {
    RequestRef { request: id(), seen: 2, reason: Some("came".into()) }
}

#[test]
fn each_kind_of_fact_has_these_bytes() {
    let seen = Readings::from([(Subject::Field(1), Reading { value: Value::Number(3), seen: Seen::default() })]);
    let floor = Floor { incarnation: Incarnation { count: 1, random: 7 }, number: 300, previous: [0xab; 16], stay: vec![3, 290] };
    let update = Update { of: RequestRef { reason: None, ..reference() }, version: 3, need: full_need() };
    let request = Request { need: full_need(), consignee: Some(node(3)), to: Some(node(2)), key: Some([5; 8]) };
    let deeds = [
        Deed::Floor(floor),
        Deed::Request(request),
        Deed::Update(update),
        Deed::Cancel(reference()),
        Deed::Confirm(reference()),
        Deed::Close(reference()),
        Deed::Acknowledge(vec![id()]),
        Deed::Observation(Observation { node: node(3), readings: seen, note: Some("dark".into()) }),
    ];
    let written = deeds.map(|deed| {
        let fact = Fact { desk: Some("Lin".into()), before_s: 600, basis: 5, deed };
        let body = encode_body(std::slice::from_ref(&fact));
        let word = fact.kind().word();
        assert_eq!(decode_body(&body), [Decoded::Fact(Box::new(fact))]);
        (word, body.len(), hex(&body))
    });
    let written: Vec<_> = written.iter().map(|(word, len, bytes)| (*word, *len, bytes.as_str())).collect();
    assert_eq!(written, GOLDEN_FACTS);
    assert_eq!(spoken(id()), GOLDEN_SPOKEN);
}

#[test]
fn a_plain_request_for_one_item_is_small() {
    let body = encode_body(&[request(40)]);
    assert_eq!((hex(&body).as_str(), body.len()), ("01111000010a090b0a01057761746572030128", 19));
}

/// What a store with a generator says on an ordinary bad day: 7 fields, 5 items, 6 services, 2 not offered.
#[test]
fn a_typical_board_is_about_80_bytes() {
    let mut bench = Bench::new();
    let said = [
        ("operating.status", "open"),
        ("access.status", "normal"),
        ("node.mode", "resilience"),
        ("capacity.people", "120"),
        ("power.utility", "off"),
        ("power.source", "generator"),
        ("power.hours", "14"),
        ("stock.water", "plenty"),
        ("stock.rice", "low"),
        ("stock.salt", "plenty"),
        ("stock.gas", "none"),
        ("stock.ready_meal", "nearly_out"),
        ("service.charging", "adequate"),
        ("service.wifi", "adequate"),
        ("service.drinking_water", "adequate"),
        ("service.hot_water", "insufficient"),
        ("service.first_aid", "adequate"),
        ("service.aed", "adequate"),
        ("service.shelter", "not_offered"),
        ("service.toilet", "not_offered"),
    ];
    let values = said.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
    let report = super::wish::Report { values, act: super::wish::Act::default() };
    let (plan, _) = bench.wish(1, &PlanInput::Report(&report)).unwrap();
    let board = plan.board.unwrap();
    assert_eq!((hex(&board).as_str(), board.len()), (GOLDEN_BOARD, GOLDEN_BOARD.len() / 2));
    assert!(board.len() <= 85, "{}", board.len());
    assert_eq!(plan.detail, None);
    // Twenty minutes later a report of three things opens a second group.
    bench.pass(1_200);
    let later = said.iter().take(3).map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
    let report = super::wish::Report { values: later, act: super::wish::Act::default() };
    let (plan, _) = bench.wish(1, &PlanInput::Report(&report)).unwrap();
    assert!(plan.board.as_ref().is_some_and(|board| board.len() <= 95), "{:?}", plan.board.map(|board| board.len()));
    assert_eq!(reading::decode(&bench.domain.reissue(node(1), DocKind::Board, bench.now)).len(), said.len());
}

/// Kind, bytes, body of one fact.
#[rustfmt::skip]
const GOLDEN_FACTS: [(&str, usize, &str); 8] = [
    ("floor", 53, "01333200010101034c696e020202580301051804000100071902012c1a10abababababababababababababababab1b05010302011f"),
    ("request", 80, "014e4d00010a01034c696e0202025803010508010109150a0105776174657203012809020474656e740301020a046955c7100b04000100030c04000100020d06646f636b20320e080505050505050505"),
    ("update", 81, "014f4e00010b01034c696e0202025803010508010109150a0105776174657203012809020474656e740301020a046955c7100d06646f636b2032100f000100760000000100070000000900110103120102"),
    ("cancel", 44, "012a2900010c01034c696e020202580301050d0463616d65100f000100760000000100070000000900120102"),
    ("confirm", 44, "012a2900010d01034c696e020202580301050d0463616d65100f000100760000000100070000000900120102"),
    ("close", 44, "012a2900010e01034c696e020202580301050d0463616d65100f000100760000000100070000000900120102"),
    ("acknowledge", 36, "01222100010f01034c696e0202025803010513100f000100760000000100070000000900"),
    ("observation", 38, "01242300011e01034c696e020202580301050d046461726b1404000100031506010403110103"),
];
const GOLDEN_SPOKEN: &str = "R-5B2SH27";
const GOLDEN_BOARD: &str = "014e4d040c01000200040005010600070005020308060b0473616c7405776174657207050472696365080b0a72656164795f6d65616c09040367617311010112001301021a017824010225010229010e";
