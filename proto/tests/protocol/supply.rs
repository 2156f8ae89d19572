//! Golden vectors of promises, journeys and receipts.

use holdfast_proto::domain::fact::supply::{
    Amount, Commit, Consign, Counted, Journey, Load, Receipt, Release, Step, Supply, Unable,
};
use holdfast_proto::domain::fact::{Decoded, Deed, Fact, LineItem, RequestRef, decode_body, encode_body};
use holdfast_proto::id::{FactId, NodeId};

/// Bodies of promises, journeys and receipts.
pub(crate) fn bodies(first: FactId) -> Vec<(&'static str, Vec<u8>)> {
    let to = first.entry.log.author;
    let water = |quantity| vec![Amount { item: LineItem::Code("water".into()), quantity }];
    let of = |reason: Option<&str>| RequestRef { request: first, seen: 1, reason: reason.map(Into::into) };
    let step = |step| Supply::Journey(Journey { consignment: first, step, note: None });
    let counted = Counted { item: LineItem::Code("water".into()), accepted: 37, rejected: 0, damaged: 1, missing: 2 };
    let loads = vec![
        Load { commitment: Some(first), goods: water(40) },
        Load { commitment: None, goods: vec![Amount { item: LineItem::Other("tent".into()), quantity: 2 }] },
    ];
    let consign = Consign { to, carrier: Some(NodeId { serial: 3, ..to }), loads, arrival_s: Some(1_767_229_200), note: None };
    let receipt =
        |counts, reason: Option<&str>| Supply::Receive(Receipt { consignment: first, counts, reason: reason.map(Into::into) });
    let all = [
        Supply::Commit(Commit { of: of(Some("by noon")), goods: water(40), arrival_s: Some(1_767_229_200), key: Some([5; 8]) }),
        Supply::Release(Release { commitment: first, goods: water(10), cause: 1, reason: Some("wet".into()) }),
        Supply::Unable(Unable { of: of(None), declined: false }),
        Supply::Unable(Unable { of: of(Some("road")), declined: true }),
        Supply::Consign(consign),
        step(Step::Load),
        step(Step::Depart),
        step(Step::Position("bridge".into())),
        step(Step::Arrive),
        step(Step::HandOver(water(40))),
        step(Step::Divert { to, request: Some(first) }),
        step(Step::Lost(water(1))),
        step(Step::Unload),
        step(Step::Return(Vec::new())),
        receipt(vec![counted], None),
        receipt(Vec::new(), Some("full")),
    ];
    all.into_iter()
        .map(|supply| {
            let fact = Fact::new(Deed::Supply(supply));
            let body = encode_body(std::slice::from_ref(&fact));
            assert_eq!(decode_body(&body), [Decoded::Fact(Box::new(fact.clone()))]);
            (fact.kind().word(), body)
        })
        .collect()
}
