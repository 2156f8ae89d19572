//! The gossip link: reach, strangers, restarts, hints.

use super::*;

fn gossip_only(peers: &[SocketAddr]) -> LinkSettings {
    let mut settings = GossipSettings::new(loopback(), "simulation 00ff".to_owned());
    settings.peers = peers.iter().map(ToString::to_string).collect();
    settings.mdns = false;
    settings.nodes_expected = 3;
    settings.redial_max = Duration::from_secs(2);
    LinkSettings { sync: None, gossip: Some(settings), radio: None }
}

/// A frame of our version.
fn spoken(n: u32, len: usize) -> Bytes {
    let mut frame = vec![holdfast_proto::config::WIRE_VERSION];
    frame.extend_from_slice(&numbered(n, len - 1));
    Bytes::from(frame)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_reaches_three_nodes_in_a_line() {
    let mut a = End::open(1, gossip_only(&[]), &[1, 2, 3]).await;
    let to_a = a.links.gossip_address().expect("gossip is on");
    let mut b = End::open(2, gossip_only(&[to_a]), &[1, 2, 3]).await;
    let to_b = b.links.gossip_address().expect("gossip is on");
    let mut c = End::open(3, gossip_only(&[to_b]), &[1, 2, 3]).await;
    let (link, profile) = a.up().await;
    assert!(profile.broadcast && !profile.reliable && profile.peer.is_none());
    let mtu = usize::try_from(profile.mtu).expect("small");
    a.audible(&[2]).await;
    b.audible(&[1, 3]).await;
    c.audible(&[2]).await;
    for (n, len) in [(1, 100), (2, mtu)] {
        let frame = spoken(n, len);
        a.send_all(link, std::slice::from_ref(&frame)).await;
        assert_eq!(b.frame().await, frame);
        assert_eq!(c.frame().await, frame);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_hears_nothing_of_the_broadcast_until_it_is_admitted() {
    let mut a = End::open(1, gossip_only(&[]), &[1, 2]).await;
    let to_a = a.links.gossip_address().expect("gossip is on");
    let mut b = End::open(2, gossip_only(&[to_a]), &[1, 2]).await;
    let mut stranger = End::open(3, gossip_only(&[to_a]), &[1, 2, 3]).await;
    let (link, _) = a.up().await;
    a.audible(&[2]).await;
    let until = Instant::now() + LIMIT;
    while a.links.counts().refused == 0 {
        assert!(Instant::now() < until, "the stranger did not even try");
        tokio::task::yield_now().await;
    }
    a.send_all(link, &[spoken(1, 100)]).await;
    assert_eq!(b.frame().await, spoken(1, 100));
    let heard = timeout(QUIET, async {
        loop {
            if let Input::Received { frame, .. } = stranger.links.next().await {
                return frame;
            }
        }
    });
    assert!(heard.await.is_err(), "a stranger heard the broadcast");
    a.links.admit(vec![key(1), key(2), key(3)], others(&[key(1), key(2), key(3)]));
    stranger.audible(&[1]).await;
    a.links.admit(vec![key(1), key(2)], others(&[key(1), key(2)]));
    stranger.audible(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_gossip_peer_is_found_again_after_its_restart() {
    let mut b = End::open(2, gossip_only(&[]), &[1, 2]).await;
    let to_b = b.links.gossip_address().expect("gossip is on");
    let mut a = End::open(1, gossip_only(&[to_b]), &[1, 2]).await;
    a.audible(&[2]).await;
    b.audible(&[1]).await;
    b.links.shutdown().await;
    a.audible(&[]).await;
    let mut settings = gossip_only(&[]);
    if let Some(gossip) = &mut settings.gossip {
        gossip.listen = to_b;
    }
    let mut b = End::reopen(2, settings, &[1, 2]).await;
    a.audible(&[2]).await;
    b.audible(&[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_dial_each_other_at_once_end_up_connected() {
    let free = || std::net::UdpSocket::bind(loopback()).expect("a port").local_addr().expect("bound");
    let (to_a, to_b) = (free(), free());
    let mut settings = (gossip_only(&[to_b]), gossip_only(&[to_a]));
    for (settings, address) in [(&mut settings.0, to_a), (&mut settings.1, to_b)] {
        settings.gossip.as_mut().expect("gossip is on").listen = address;
    }
    let (mut a, mut b) = tokio::join!(End::reopen(1, settings.0, &[1, 2]), End::reopen(2, settings.1, &[1, 2]));
    a.audible(&[2]).await;
    b.audible(&[1]).await;
}

#[test]
#[ignore = "takes about ten seconds: the doubt and the next dial"]
fn a_gossip_peer_that_died_without_a_word_is_heard_again_after_its_restart() {
    let other = tokio::runtime::Runtime::new().expect("a runtime");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut b = other.block_on(End::open(2, gossip_only(&[]), &[1, 2]));
    let to_b = b.links.gossip_address().expect("gossip is on");
    let mut a = runtime.block_on(End::open(1, gossip_only(&[to_b]), &[1, 2]));
    runtime.block_on(a.audible(&[2]));
    other.block_on(b.audible(&[1]));
    other.shutdown_background();
    drop(b);
    let mut settings = gossip_only(&[a.links.gossip_address().expect("gossip is on")]);
    settings.gossip.as_mut().expect("gossip is on").listen = to_b;
    runtime.block_on(async {
        let start = Instant::now();
        let mut b = End::reopen(2, settings, &[1, 2]).await;
        b.audible(&[1]).await;
        let link = LinkId(1);
        a.audible(&[2]).await;
        a.credit.insert(link, 1_000);
        a.send_all(link, &[spoken(1, 100)]).await;
        assert_eq!(b.frame().await, spoken(1, 100));
        eprintln!("heard again after {:?}", start.elapsed());
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a network with multicast"]
async fn two_nodes_on_one_network_find_each_other_without_being_told() {
    let open = || {
        let mut settings = gossip_only(&[]);
        let gossip = settings.gossip.as_mut().expect("gossip is on");
        gossip.mdns = true;
        gossip.listen = SocketAddr::from(([0, 0, 0, 0], 0));
        settings
    };
    let mut a = End::open(1, open(), &[1, 2]).await;
    let mut b = End::open(2, open(), &[1, 2]).await;
    a.audible(&[2]).await;
    b.audible(&[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gossip_contact_names_where_its_sync_link_is() {
    let mut settings = gossip_only(&[]);
    settings.sync = Some(SyncSettings::new(loopback()));
    let a = End::open(1, settings, &[1, 2]).await;
    let mut b = End::open(2, gossip_only(&[a.links.gossip_address().expect("gossip is on")]), &[1, 2]).await;
    let address = b
        .wait(|input| match input {
            Input::Candidate { address, is_static: false } => Some(address.clone()),
            _ => None,
        })
        .await;
    assert_eq!(address, a.address());
}
