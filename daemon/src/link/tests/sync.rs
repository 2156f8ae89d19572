//! The sync link: order, refusal, credit, ends and beginnings, ill-behaved peers.

use quinn::VarInt;

use super::*;
use crate::link::{sync, tls};

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_every_size_cross_both_ways_whole_and_in_order() {
    let (mut a, here, mut b, there) = pair(1, 2).await;
    let frames: Vec<Bytes> = [1, 2, 63, 1_200, 1_500, 16_384, 65_535, 65_536, 4, 65_536, 65_536, 65_536, 65_536, 5]
        .into_iter()
        .map(|n| Bytes::from(vec![u8::try_from(n % 251).expect("small"); n]))
        .collect();
    a.send_all(here, &frames).await;
    b.send_all(there, &frames).await;
    for frame in &frames {
        assert_eq!(&b.frame().await, frame);
        assert_eq!(&a.frame().await, frame);
    }
    let counts = a.links.counts();
    assert_eq!((counts.frames_out, counts.frames_in, counts.refused), (14, 14, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_admitted_is_refused_and_told_so() {
    let mut stranger = End::open(3, sync_only(), &[1, 3]).await;
    let mut member = End::open(1, sync_only(), &[1, 2]).await;
    let (to_member, to_stranger) = (member.address(), stranger.address());
    stranger.links.dial(to_member);
    let cause = stranger.failed().await;
    assert!(cause.contains("does not admit this one"), "{cause}");
    member.links.dial(to_stranger);
    let cause = member.failed().await;
    assert!(cause.contains("not of this alliance or not admitted"), "{cause}");
    assert_eq!(member.links.counts().refused, 1);
    assert!(timeout(QUIET, member.links.next()).await.is_err(), "no link came of either");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dial_that_comes_to_nothing_says_why() {
    let mut settings = SyncSettings::new(loopback());
    settings.dial_max = Duration::from_millis(300);
    let mut a = End::open(1, LinkSettings { sync: Some(settings), gossip: None, radio: None }, &[1, 2]).await;
    let empty = std::net::UdpSocket::bind(loopback()).expect("a port").local_addr().expect("bound").to_string();
    a.links.dial(empty.clone());
    a.links.dial(empty.clone());
    assert_eq!(a.failed().await, format!("nobody answers at {empty}"));
    assert!(timeout(QUIET, a.links.next()).await.is_err(), "the second dial of the same address was ignored");
    a.links.dial("store.example:4401".to_owned());
    assert!(a.failed().await.contains("is not an address"));
    let own = a.address();
    a.links.dial(own);
    assert!(a.failed().await.contains("this node itself"));

    let mut without = End::open(1, LinkSettings::default(), &[1]).await;
    without.links.dial("127.0.0.1:4401".to_owned());
    assert!(without.failed().await.contains("switched off"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_stalls_the_writer_and_nothing_is_lost() {
    let (mut a, here, mut b, _) = pair(1, 2).await;
    let mut sent = 0;
    loop {
        while a.send(here, &numbered(sent, 16_384)) {
            sent += 1;
        }
        let Ok(input) = timeout(QUIET, a.links.next()).await else { break };
        a.note(&input);
    }
    // The lane of the reader, its window, the writer's window and queue: all bounded.
    assert!(sent > 16 && sent < 200, "{sent} frames of 16 KiB were taken while nobody read");
    for n in 0..sent {
        assert_eq!(b.frame().await, numbered(n, 16_384));
    }
    a.send_all(here, &[numbered(sent, 65_536)]).await;
    assert_eq!(b.frame().await, numbered(sent, 65_536));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_frames_cost_few_reports_of_room() {
    let (mut a, here, mut b, _) = pair(1, 2).await;
    let (frames, mut reports) = (20_000u32, 0u32);
    let reader = tokio::spawn(async move {
        for n in 0..frames {
            assert_eq!(b.frame().await, numbered(n, 300));
        }
        b
    });
    for n in 0..frames {
        while !a.send(here, &numbered(n, 300)) {
            reports += u32::from(matches!(a.next().await, Input::Writable { .. }));
        }
    }
    reader.await.expect("all came in order");
    assert!(reports < 1_000, "{reports} reports of room for {frames} frames");
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_beyond_the_credit_ends_the_link_instead_of_losing_a_frame() {
    let (mut a, here, mut b, _) = pair(1, 2).await;
    a.wait(|input| matches!(input, Input::Writable { .. }).then_some(())).await;
    for _ in 0..5 {
        a.links.transmit(here, numbered(0, 65_536));
    }
    assert!(a.down().await.1.contains("than it had room for"));
    assert!(b.down().await.1.contains("than it had room for"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_delivers_what_was_given_and_says_goodbye() {
    let (mut a, here, mut b, there) = pair(1, 2).await;
    let frames: Vec<Bytes> = (0..15).map(|n| numbered(n, 16_000)).collect();
    a.send_all(here, &frames).await;
    a.links.shutdown().await;
    for frame in &frames {
        assert_eq!(&b.frame().await, frame);
    }
    let (link, cause) = b.down().await;
    assert_eq!(link, there);
    assert!(cause.contains("shutting down"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_hung_up_is_silent_at_once_and_the_other_end_hears_why() {
    let (mut a, here, mut b, there) = pair(1, 2).await;
    a.links.hangup(here, "one link to you is enough".to_owned());
    b.send_all(there, &[numbered(1, 100)]).await;
    assert!(b.down().await.1.contains("one link to you is enough"));
    let input = a.wait(|input| matches!(input, Input::Received { .. } | Input::LinkDown { .. }).then(|| input.clone())).await;
    assert!(matches!(input, Input::LinkDown { link, .. } if link == here));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_no_longer_admitted_loses_its_link_and_does_not_come_back() {
    let (mut a, _, mut b, _) = pair(1, 2).await;
    b.links.admit(vec![key(2)], others(&[key(2)]));
    assert!(b.down().await.1.contains("cut off for a drill"));
    assert!(a.down().await.1.contains("cut off for a drill"));
    let address = b.address();
    a.links.dial(address.clone());
    assert!(a.failed().await.contains("does not admit this one"));
    b.links.admit(vec![key(1), key(2)], others(&[key(1), key(2)]));
    a.links.dial(address);
    a.up().await;
}

#[test]
fn a_peer_that_dies_without_a_word_and_restarts_is_noticed_and_reached_again() {
    let other = tokio::runtime::Runtime::new().expect("a runtime");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let b = other.block_on(End::open(2, sync_only(), &[1, 2]));
    let address = b.address();
    let (mut a, here) = runtime.block_on(async {
        let mut a = End::open(1, sync_only(), &[1, 2]).await;
        a.links.dial(address.clone());
        let (here, _) = a.up().await;
        a.wait(|input| matches!(input, Input::Writable { .. }).then_some(())).await;
        (a, here)
    });
    other.shutdown_background();
    drop(b);
    runtime.block_on(async {
        let mut settings = sync_only();
        settings.sync = Some(SyncSettings::new(address.parse().expect("an address")));
        let mut b = End::reopen(2, settings, &[1, 2]).await;
        a.send_all(here, &[numbered(1, 100)]).await;
        let (link, cause) = a.down().await;
        assert_eq!(link, here);
        assert!(cause.contains("started anew") || cause.contains("hung up"), "{cause}");
        a.links.dial(address);
        let (again, _) = a.up().await;
        assert_ne!(again, here, "numbers are never used again");
        b.up().await;
    });
}

/// Links whose certificate has other dates.
fn dated(n: u8, from: i32, to: i32) -> Links {
    let identity = Identity::with_years(&seed(n), from, to).expect("a key");
    let (shared, reports, admitted, denied) = shared();
    let sync = sync::SyncLink::open_as(SyncSettings::new(loopback()), &identity, &seed(n), shared.clone()).expect("opens");
    Links {
        reports,
        ready: VecDeque::new(),
        ports: BTreeMap::new(),
        admitted,
        denied,
        shared,
        sync: Some(sync),
        gossip: None,
        radio: None,
    }
}

fn shared() -> (Shared, Intake, watch::Sender<Admitted>, watch::Sender<Admitted>) {
    let (inlet, reports) = Intake::new();
    let (admitted, rx) = watch::channel(Admitted::default());
    let (denied, denied_rx) = watch::channel(Admitted::default());
    (
        Shared { reports: inlet, admitted: rx, denied: denied_rx, ids: Arc::default(), counters: Arc::default() },
        reports,
        admitted,
        denied,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_of_certificates_never_matter() {
    for (from, to) in [(1975, 1976), (2500, 2501)] {
        let mut a = End { links: dated(1, from, to), credit: BTreeMap::new(), inbox: VecDeque::new() };
        let mut b = End { links: dated(2, to, from), credit: BTreeMap::new(), inbox: VecDeque::new() };
        a.links.admit(vec![key(2)], others(&[key(2)]));
        b.links.admit(vec![key(1)], others(&[key(1)]));
        let address = b.address();
        a.links.dial(address);
        a.up().await;
        b.up().await;
    }
}

/// A dialler of our own making, admitted but ill-behaved.
async fn rogue(n: u8, address: &str) -> (quinn::Endpoint, quinn::Connection) {
    let (shared, _, admitted, denied) = shared();
    let gate = tls::Gate::new(key(n), Some(shared));
    let tls = Identity::new(&seed(n)).expect("a key").client(&gate).expect("a config");
    let quic = quinn::crypto::rustls::QuicClientConfig::try_from(tls).expect("has the suites");
    let endpoint = quinn::Endpoint::client(loopback()).expect("binds");
    let config = quinn::ClientConfig::new(Arc::new(quic));
    let connecting = endpoint.connect_with(config, address.parse().expect("an address"), tls::SERVER_NAME).expect("dials");
    let connection = connecting.await.expect("the handshake passes");
    drop((admitted, denied));
    (endpoint, connection)
}

fn code_of(error: &quinn::ConnectionError) -> Option<VarInt> {
    match error {
        quinn::ConnectionError::ApplicationClosed(close) => Some(close.error_code),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_above_the_mtu_closes_the_link() {
    let mut b = End::open(2, sync_only(), &[1, 2]).await;
    let (_endpoint, connection) = rogue(1, &b.address()).await;
    let (mut send, _recv) = connection.open_bi().await.expect("a stream");
    send.write_all(&[0]).await.expect("the hello");
    b.up().await;
    send.write_all(&65_537u32.to_be_bytes()).await.expect("a lie");
    assert!(b.down().await.1.contains("65537"));
    assert_eq!(code_of(&connection.closed().await), Some(VarInt::from_u32(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_opens_no_stream_is_closed_after_its_time() {
    let mut settings = SyncSettings::new(loopback());
    settings.admission_max = Duration::from_millis(300);
    let b = End::open(2, LinkSettings { sync: Some(settings), gossip: None, radio: None }, &[1, 2]).await;
    let (_endpoint, connection) = rogue(1, &b.address()).await;
    let error = timeout(LIMIT, connection.closed()).await.expect("closed within the limit");
    assert_eq!(code_of(&error), Some(VarInt::from_u32(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_the_door_keeps_no_member_out() {
    let mut b = End::open(2, sync_only(), &[1, 2]).await;
    let address = b.address();
    let mut crowd = Vec::new();
    for _ in 0..30 {
        crowd.push(rogue(1, &address).await);
    }
    let mut a = End::open(1, sync_only(), &[1, 2]).await;
    a.links.dial(address);
    a.up().await;
    b.up().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: run it in release with --ignored --nocapture"]
async fn measured_round_trip_and_throughput_on_loopback() {
    let (mut a, here, mut b, there) = pair(1, 2).await;
    let rounds = 5_000;
    let echo = tokio::spawn(async move {
        for _ in 0..rounds {
            let frame = b.frame().await;
            b.send_all(there, &[frame]).await;
        }
        b
    });
    let mut took = Vec::with_capacity(rounds);
    for n in 0..rounds {
        let frame = numbered(u32::try_from(n).expect("small"), 200);
        let start = Instant::now();
        a.send_all(here, std::slice::from_ref(&frame)).await;
        assert_eq!(a.frame().await, frame);
        took.push(start.elapsed());
    }
    took.sort();
    let mut b = echo.await.expect("the echo runs");
    eprintln!("round trip of 200 B: p50 {:?}, p99 {:?}, max {:?}", took[rounds / 2], took[rounds * 99 / 100], took[rounds - 1]);

    for (size, frames) in [(300, 20_000u32), (16_384, 4_000)] {
        let start = Instant::now();
        let reader = tokio::spawn(async move {
            for n in 0..frames {
                assert_eq!(b.frame().await, numbered(n, size));
            }
            b
        });
        for n in 0..frames {
            a.send_all(here, &[numbered(n, size)]).await;
        }
        b = reader.await.expect("all came in order");
        eprintln!("{frames} frames of {size} B in {:?}", start.elapsed());
    }
}
