//! Desks elsewhere, at the door: who may wait there.

use holdfast_loopback::token::Token;
use holdfast_proto::control::NodeName;
use holdfast_proto::identity::RealmKind;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::api::ApiSettings;
use crate::api::{Hall, receive};
use crate::handle::{Desk, Handle};
use crate::link::Visitor;
use crate::link::tls::{self, Gate, Identity};
use crate::public::{Board, BoardSettings};

/// A node's door for desks, whose loop never answers.
fn door() -> (SocketAddr, Desk, TempDir) {
    let (handle, desk) = Handle::new();
    let folder = tempfile::tempdir().expect("a folder");
    let node = NodeName { id: "1-1".to_owned(), name: "a".to_owned() };
    let (kind, at) = (RealmKind::Exercise, folder.path().to_owned());
    let board = BoardSettings { node: node.clone(), kind, items: Vec::new(), folder: at, listen: None, address: None };
    let board = Board::open(handle.clone(), board).expect("nothing is hidden yet");
    let token = Token::random().expect("random");
    let settings = ApiSettings { token, catalogue: serde_json::Value::Null, node, realm: "simulation".to_owned(), board };
    let identity = Identity::new(&[1; 32]).expect("a key");
    let config = identity.server(&Gate::new(identity.key(), None)).expect("a config");
    let quic = QuicServerConfig::try_from(config).expect("has the suites");
    let loopback = "127.0.0.1:0".parse().expect("an address");
    let endpoint = Endpoint::server(ServerConfig::with_crypto(Arc::new(quic)), loopback).expect("binds");
    let address = endpoint.local_addr().expect("bound");
    let (come, visitors) = mpsc::channel(8);
    tokio::spawn(receive(visitors, Hall { handle, settings, chain: Vec::new() }));
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let Ok(connection) = incoming.await else { continue };
            let key = holdfast_proto::identity::PublicKey([1; 32]);
            if come.send(Visitor { connection, key }).await.is_err() {
                break;
            }
        }
    });
    (address, desk, folder)
}

/// Comes from an address, and says nothing.
async fn stand(from: &str, at: SocketAddr) -> Connection {
    let identity = Identity::new(&[2; 32]).expect("a key");
    let mut client = identity.client(&Gate::new(identity.key(), None)).expect("a config");
    client.alpn_protocols = vec![tls::DESK_ALPN.to_vec()];
    let client = ClientConfig::new(Arc::new(QuicClientConfig::try_from(client).expect("has the suites")));
    let endpoint = Endpoint::client(format!("{from}:0").parse().expect("an address")).expect("binds");
    endpoint.connect_with(client, at, tls::SERVER_NAME).expect("dials").await.expect("is answered")
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_of_one_address_keep_no_desk_of_another_waiting() {
    let (address, _desk, _folder) = door();
    let mut crowd = Vec::new();
    for _ in 0..12 {
        crowd.push(stand("127.0.0.1", address).await);
    }
    for turned_away in crowd.iter().skip(8) {
        let closed = timeout(LIMIT, turned_away.closed()).await.expect("in time");
        assert!(closed.to_string().contains("no more desks"), "{closed}");
    }
    let other = stand("127.0.0.2", address).await;
    assert!(other.close_reason().is_none() && crowd[0].close_reason().is_none());
    // All who say nothing are sent away after five seconds, and then the first address may come again.
    let closed = timeout(LIMIT, other.closed()).await.expect("in time");
    assert!(!closed.to_string().contains("no more desks"), "it had a place at the door: {closed}");
    timeout(LIMIT, crowd[7].closed()).await.expect("in time");
    let again = stand("127.0.0.1", address).await;
    let closed = timeout(LIMIT, again.closed()).await.expect("in time");
    assert!(!closed.to_string().contains("no more desks"), "{closed}");
}
