//! What a modem gives: a first byte chooses the framing and how the port cuts it, the rest comes from the air.

use holdfast_proto::id::NodeId;
use holdfast_proto::link::radio::framing::{Deframer, Framing};
use holdfast_proto::link::radio::pieces::{Listener, Speaker};
use holdfast_proto::link::radio::{MESSAGE_MAX, MTU_MAX};
use holdfast_proto::time::Instant;

/// Of which alliance frames must be.
const REALM: [u8; 2] = [7, 7];

/// Whatever comes, frames are bounded, messages are bounded, and one that came whole says the same when it is sent again.
pub(super) fn port(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    let call = "BV2ABC-7".parse().expect("a call sign");
    let framing = [Framing::Kiss, Framing::Ax25(call), Framing::Cobs][usize::from(how % 3)];
    let (mut deframer, mut listener) = (Deframer::new(framing), Listener::new(REALM));
    for (now, part) in (0..).zip(bytes.chunks(1 + usize::from(how / 3))) {
        for frame in deframer.push(part) {
            assert!(frame.len() <= 3 * MTU_MAX, "a frame of {} bytes", frame.len());
            let Ok(said) = listener.take(Instant(now), &frame) else { continue };
            let Some(message) = said.message else { continue };
            let again = Speaker { realm: REALM, me: said.from, mtu: MTU_MAX }.cut(&message);
            assert!(again.is_some() || message.len() > MESSAGE_MAX, "what was heard can be said");
        }
    }
    let after = Speaker { realm: REALM, me: NodeId { issuer: 1, serial: 1 }, mtu: 200 }.cut(b"after").expect("short");
    let heard = deframer.push(&framing.wrap(&after[0]));
    assert_eq!(heard.last(), Some(&after[0]), "what follows noise is not heard");
}
