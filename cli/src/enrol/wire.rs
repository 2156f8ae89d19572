//! Documents over TCP, each after its length, and the question on the local network who gave out a code.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use holdfast_proto::identity::enrol::DOCUMENT_BYTES_MAX;

use super::PORT;

/// The question and its answer on the local network, before the name of the invitation.
const WHO: &[u8; 16] = b"holdfast-who/0\r\n";
const HERE: &[u8; 16] = b"holdfast-here/0\n";
/// How often is asked, and how long.
const ASK_EVERY: Duration = Duration::from_millis(400);
const ASK_FOR: Duration = Duration::from_secs(6);
/// A dial that did not get through by then has failed.
pub(super) const DIAL_MAX: Duration = Duration::from_secs(5);

/// Reads one document of at most `most` bytes.
///
/// # Errors
/// The other end is gone, is too slow for the stream's limit, or sends more.
pub(super) fn read(stream: &mut TcpStream, most: usize) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > most.min(DOCUMENT_BYTES_MAX) {
        return Err(Error::new(ErrorKind::InvalidData, "longer than any document may be"));
    }
    // Grows as bytes come: a length alone reserves nothing.
    let mut document = Vec::new();
    let want = u64::try_from(length).unwrap_or(u64::MAX);
    if stream.take(want).read_to_end(&mut document)? < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(document)
}

/// Sends one document.
///
/// # Errors
/// The other end is gone.
pub(super) fn write(stream: &mut TcpStream, document: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(document.len()).map_err(|_| ErrorKind::InvalidData)?;
    stream.write_all(&[&length.to_be_bytes()[..], document].concat())?;
    stream.flush()
}

/// Asks the local network who gave out the code of this name. A hint at most: the code decides.
pub(super) fn find(name: [u8; 8]) -> Option<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.set_broadcast(true).ok()?;
    socket.set_read_timeout(Some(ASK_EVERY)).ok()?;
    let question = [&WHO[..], &name].concat();
    let begun = Instant::now();
    while begun.elapsed() < ASK_FOR {
        // The second is this computer itself, where a broadcast of the network does not come back, or there is no network.
        for all in [Ipv4Addr::BROADCAST, Ipv4Addr::new(127, 255, 255, 255)] {
            // No route is no network of that kind.
            let _sent = socket.send_to(&question, (all, PORT));
        }
        let mut answer = [0; 32];
        while let Ok((length, from)) = socket.recv_from(&mut answer) {
            let port = answer.get(24..26).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
            if length == 26 && answer.starts_with(HERE) && answer.get(16..24) == Some(&name[..]) {
                return Some(SocketAddr::new(from.ip(), port));
            }
        }
    }
    None
}

/// Reads a question of the local network: the name in it.
pub(super) fn asked(packet: &[u8]) -> Option<[u8; 8]> {
    packet.strip_prefix(WHO).and_then(|name| name.try_into().ok())
}

/// The answer, no longer than a question and a port.
pub(super) fn here(name: [u8; 8], port: u16) -> Vec<u8> {
    [&HERE[..], &name, &port.to_be_bytes()].concat()
}

/// This computer's address as the rest of the network sees it, if it has one. Nothing is sent.
pub(super) fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address for documentation, RFC 5737: only the way to it is asked.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
}
