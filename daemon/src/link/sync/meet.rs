//! How two ends of a sync link meet: the handshake, the stream, the word that one was let in, and words for what failed.

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_proto::identity::PublicKey;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, Incoming, RecvStream, SendStream, TransportErrorCode, VarInt};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout, timeout_at};

use crate::link::tls;

/// First byte of the stream, each way: the dialler's opens it, the answer says that the dialler was let in.
const HELLO: u8 = 0;
/// Longest reason sent with a close, in bytes.
const REASON_BYTES_MAX: usize = 200;

/// Close codes. Only the words are for people; the codes are for tests and other versions.
pub(super) const CODE_ENDED: u32 = 0;
pub(super) const CODE_NOT_ADMITTED: u32 = 1;
pub(super) const CODE_TOO_SLOW: u32 = 2;
pub(super) const CODE_BAD_FRAME: u32 = 3;

/// TLS alerts as QUIC carries them: RFC 8446 section 6, RFC 9001 section 4.8.
const ALERT_ACCESS_DENIED: u8 = 49;
const ALERT_BAD_CERTIFICATE: u8 = 42;
const ALERT_NO_APPLICATION_PROTOCOL: u8 = 120;

/// How long the reason of an end may come after the end.
pub(super) const REASON_WAIT: Duration = Duration::from_millis(250);

/// A connection that was let in, and its stream.
pub(super) struct Met {
    pub(super) connection: Connection,
    pub(super) key: PublicKey,
    pub(super) send: SendStream,
    pub(super) recv: RecvStream,
}

/// Who was let in.
pub(super) enum Welcomed {
    /// What claims to be a node: its chain comes next.
    Peer(Met),
    /// A person: its delegation comes next.
    Person(Connection, PublicKey),
}

/// Closes a connection with words.
pub(super) fn close(connection: &Connection, code: u32, cause: &str) {
    let mut end = cause.len().min(REASON_BYTES_MAX);
    while !cause.is_char_boundary(end) {
        end -= 1;
    }
    connection.close(VarInt::from_u32(code), &cause.as_bytes()[..end]);
}

/// Why a connection is at its end, waiting a moment for the peer's own words.
pub(super) async fn ended(connection: &Connection) -> String {
    match timeout(REASON_WAIT, connection.closed()).await {
        Ok(error) => words(&error),
        Err(_) => "the other end finished".to_owned(),
    }
}

/// Dials, proves who both are, and waits for the word that we were let in.
pub(super) async fn reach(
    endpoint: &Endpoint,
    client: ClientConfig,
    own: PublicKey,
    address: &str,
    limit: Duration,
) -> Result<Met, String> {
    let Ok(target) = address.parse::<SocketAddr>() else {
        return Err(format!("\"{address}\" is not an address; write it as 192.168.1.20:4401"));
    };
    let until = Instant::now() + limit;
    let silent = || format!("nobody answers at {address}");
    let connecting = endpoint
        .connect_with(client, target, tls::SERVER_NAME)
        .map_err(|error| format!("{address} cannot be dialled from here: {error}"))?;
    let connection = match timeout_at(until, connecting).await {
        Err(_) => return Err(silent()),
        Ok(Err(ConnectionError::TimedOut)) => return Err(silent()),
        Ok(Err(error)) => return Err(refusal(&error, address)),
        Ok(Ok(connection)) => connection,
    };
    let key = peer_key(&connection).ok_or_else(|| format!("the node at {address} showed no readable key"))?;
    if key == own {
        close(&connection, CODE_NOT_ADMITTED, "this is the same node");
        return Err("that address leads to this node itself".to_owned());
    }
    let streams = async {
        let (mut send, mut recv) = connection.open_bi().await.ok()?;
        send.write_all(&[HELLO]).await.ok()?;
        let mut answer = [0];
        recv.read_exact(&mut answer).await.ok()?;
        (answer == [HELLO]).then_some((send, recv))
    };
    match timeout_at(until, streams).await {
        Ok(Some((send, recv))) => Ok(Met { connection, key, send, recv }),
        Ok(None) => {
            let error = timeout(REASON_WAIT, connection.closed()).await.ok();
            close(&connection, CODE_ENDED, "no link came of it");
            Err(error.map_or_else(|| format!("the node at {address} speaks another protocol"), |error| refusal(&error, address)))
        }
        Err(_) => {
            close(&connection, CODE_TOO_SLOW, "no answer in time");
            Err(format!("the node at {address} answers but does not let this one in within {} s", limit.as_secs()))
        }
    }
}

/// Answers a dial: handshake, then the stream, all within the limit.
pub(super) async fn welcome(incoming: Incoming, limit: Duration) -> Result<Welcomed, String> {
    let until = Instant::now() + limit;
    let connecting = incoming.accept().map_err(|error| words(&error))?;
    let connection = timeout_at(until, connecting).await.map_err(|_| "the handshake took too long".to_owned())?;
    let connection = connection.map_err(|error| words(&error))?;
    if is_desk(&connection) {
        let key = peer_key(&connection).ok_or_else(|| "no readable key".to_owned())?;
        return Ok(Welcomed::Person(connection, key));
    }
    let streams = async {
        let (mut send, mut recv) = connection.accept_bi().await.ok()?;
        let mut hello = [0];
        recv.read_exact(&mut hello).await.ok()?;
        if hello != [HELLO] {
            return None;
        }
        send.write_all(&[HELLO]).await.ok()?;
        Some((send, recv))
    };
    match timeout_at(until, streams).await {
        Ok(Some((send, recv))) => {
            let key = peer_key(&connection).ok_or_else(|| "no readable key".to_owned())?;
            Ok(Welcomed::Peer(Met { connection, key, send, recv }))
        }
        Ok(None) => {
            close(&connection, CODE_BAD_FRAME, "the stream was not opened as this protocol wants it");
            Err("the stream was not opened as this protocol wants it".to_owned())
        }
        Err(_) => {
            close(&connection, CODE_TOO_SLOW, "the stream was not opened in time");
            Err("the stream was not opened in time".to_owned())
        }
    }
}

/// Whether the other end asked for what a person's desk speaks.
fn is_desk(connection: &Connection) -> bool {
    let data = connection.handshake_data().and_then(|data| data.downcast::<quinn::crypto::rustls::HandshakeData>().ok());
    data.and_then(|data| data.protocol).is_some_and(|protocol| protocol == tls::DESK_ALPN)
}

/// The key that the other end proved in the handshake.
pub(in crate::link) fn peer_key(connection: &Connection) -> Option<PublicKey> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    tls::key_of(chain.first()?).ok()
}

/// Why a dial failed, for a person.
pub(in crate::link) fn refusal(error: &ConnectionError, address: &str) -> String {
    let by_alert = |code: TransportErrorCode, ours: bool| {
        if code == TransportErrorCode::crypto(ALERT_ACCESS_DENIED) || code == TransportErrorCode::crypto(ALERT_BAD_CERTIFICATE) {
            return Some(if ours {
                format!("the node at {address} is not of this alliance or not admitted")
            } else {
                format!("the node at {address} does not admit this one: it is of another alliance, or cut off")
            });
        }
        if code == TransportErrorCode::crypto(ALERT_NO_APPLICATION_PROTOCOL) {
            return Some(format!("what answers at {address} is not a Holdfast node of this version"));
        }
        (code == TransportErrorCode::CONNECTION_REFUSED).then(|| format!("the node at {address} is too busy for another link"))
    };
    let known = match error {
        ConnectionError::TransportError(error) => by_alert(error.code, true),
        ConnectionError::ConnectionClosed(close) => by_alert(close.error_code, false),
        ConnectionError::TimedOut => Some(format!("nobody answers at {address}")),
        ConnectionError::VersionMismatch => Some(format!("what answers at {address} speaks another version of QUIC")),
        ConnectionError::ApplicationClosed(_)
        | ConnectionError::Reset
        | ConnectionError::LocallyClosed
        | ConnectionError::CidsExhausted => None,
    };
    known.unwrap_or_else(|| format!("the node at {address} ended the handshake: {}", words(error)))
}

/// Why a connection ended, for a person.
fn words(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ApplicationClosed(close) if close.reason.is_empty() => "the other end hung up".to_owned(),
        ConnectionError::ApplicationClosed(close) => {
            // A peer's words are shown, so they must not drive a terminal.
            let said: String = String::from_utf8_lossy(&close.reason).chars().filter(|c| !c.is_control()).collect();
            format!("the other end hung up: {said}")
        }
        ConnectionError::TimedOut => "the other end has gone silent".to_owned(),
        ConnectionError::Reset => "the other end has started anew and forgot this link".to_owned(),
        ConnectionError::LocallyClosed => "closed here".to_owned(),
        ConnectionError::TransportError(_)
        | ConnectionError::ConnectionClosed(_)
        | ConnectionError::VersionMismatch
        | ConnectionError::CidsExhausted => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_link_from_coming_up_can_be_told_in_chinese() {
        for error in
            [ConnectionError::TimedOut, ConnectionError::VersionMismatch, ConnectionError::Reset, ConnectionError::LocallyClosed]
        {
            for said in [refusal(&error, "127.0.0.1:1"), words(&error)] {
                let zh = holdfast_proto::peers::in_chinese(&said);
                assert!(error == ConnectionError::VersionMismatch || zh != said, "{said}");
            }
        }
    }
}
