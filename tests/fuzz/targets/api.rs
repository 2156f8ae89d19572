//! Bodies of the API: what this computer's programs may send, as it is read and carried out.

use std::fmt::Debug;

use holdfast_proto::control::{Command, Question, Reply, SupplyWish};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Reader;
use super::siege::siege;

/// The first byte says to which address, the rest is the body, or the name in the address.
pub(super) fn bodies(data: &[u8]) {
    let mut reader = Reader(data);
    let Some(address) = reader.byte() else { return };
    let body = reader.0;
    match address % 16 {
        0 => wish(body, Command::Report),
        1 => wish(body, Command::RequestNew),
        2 => wish(body, Command::RequestUpdate),
        3 => wish(body, Command::RequestCancel),
        4 => wish(body, Command::RequestClose),
        5 => wish(body, Command::RequestConfirm),
        6 => wish(body, Command::Observe),
        7 => wish(body, Command::Certify),
        8 => wish(body, Command::Fault),
        9 => named(body, Question::Request),
        10 => named(body, Question::Heads),
        11 => supply(body),
        12 => wish(body, Command::Mode),
        13 => wish(body, Command::Order),
        14 => wish(body, Command::Judge),
        15 => wish(body, Command::Scope),
        _ => named(body, Question::Delivery),
    }
}

/// What suppliers, carriers and consignees send: one more byte says where to.
fn supply(body: &[u8]) {
    let mut reader = Reader(body);
    let Some(address) = reader.byte() else { return };
    let body = reader.0;
    match address % 8 {
        0 => wish(body, |wish| Command::Supply(SupplyWish::Commit(wish))),
        1 => wish(body, |wish| Command::Supply(SupplyWish::Unable(wish))),
        2 => wish(body, |wish| Command::Supply(SupplyWish::Release(wish))),
        3 => wish(body, |wish| Command::Supply(SupplyWish::Consign(wish))),
        4 => wish(body, |wish| Command::Supply(SupplyWish::Step(wish))),
        5 => wish(body, |wish| Command::Supply(SupplyWish::Receive(wish))),
        6 => wish(body, |wish| Command::Supply(SupplyWish::Resolve(wish))),
        _ => wish(body, |wish| Command::Supply(SupplyWish::Stock(wish))),
    }
}

fn wish<T: Serialize + DeserializeOwned + PartialEq + Debug>(body: &[u8], make: fn(T) -> Command) {
    let Ok(wish) = serde_json::from_slice::<T>(body) else { return };
    let again = serde_json::to_vec(&wish).expect("a wish can be written");
    assert_eq!(serde_json::from_slice::<T>(&again).expect("what is written reads"), wish, "a wish reads back otherwise");
    let mut siege = siege();
    let before = siege.digest();
    let reply = siege.order(make(wish)).expect("every command is answered");
    let saved = matches!(reply, Reply::Saved(_) | Reply::CourierIn(_));
    assert!(saved || siege.digest() == before, "a refused command changed something");
    siege.restart();
}

fn named(name: &[u8], ask: fn(String) -> Question) {
    let mut siege = siege();
    let _ = siege.node.answer(siege.now, &ask(String::from_utf8_lossy(name).into_owned()));
}
