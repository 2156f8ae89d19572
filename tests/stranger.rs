//! Those who do not belong: no certificate, one of another alliance, or only noise. They learn nothing and change nothing.

use std::fs::write;
use std::net::UdpSocket;
use std::time::Duration;

use holdfast_proto::identity::RealmKind;
use holdfast_tests::{Alliance, BLINK, Papers, Plan, SOON, eventually, holds_for};

/// How long it is looked that nothing happens: many redials at the tests' 0.1 to 1 s.
const WATCHED: Duration = Duration::from_secs(5);

/// Points the node at `place` of `from` at all nodes of `to`.
fn acquaint(from: &mut Alliance, place: usize, to: &Alliance) {
    let settings = &mut from.node_mut(place).settings;
    settings.sync_peers = to.nodes().iter().map(|n| n.settings.sync_address()).collect();
    settings.gossip_peers = to.nodes().iter().map(|n| n.settings.gossip_address()).collect();
}

#[test]
fn a_node_of_another_alliance_gets_no_link_and_sees_nothing() {
    let home = Plan::of(2).start();
    let mut other = Plan::of(1).make();
    acquaint(&mut other, 0, &home);
    other.node_mut(0).start();
    home.node(0).api().ask_for("water:1", "ours", None).expect("saved");
    other.node(0).api().ask_for("water:1", "theirs", None).expect("saved");
    home.wait_equal(SOON);
    // Until the stranger has really knocked and been told why not.
    eventually(SOON, "the stranger is told why", || {
        let peers = other.node(0).api().peers()?.peers;
        if peers.iter().any(|p| p.last_error.is_some()) { Ok(()) } else { Err(format!("{peers:?}")) }
    });
    holds_for(WATCHED, "two alliances stay apart", || {
        let (ours, theirs) = (home.node(0).api().digest()?, other.node(0).api().digest()?);
        if ours.neighbours > 1 || theirs.neighbours > 0 {
            return Err(format!("linked: {ours:?} {theirs:?}"));
        }
        match (home.notes(0), home.notes(1), other.notes(0)) {
            (a, b, c) if a == ["ours"] && b == ["ours"] && c == ["theirs"] => Ok(()),
            notes => Err(format!("{notes:?}")),
        }
    });
}

#[test]
fn an_exercise_and_a_simulation_do_not_mix() {
    let home = Plan::of(1).start();
    let mut drill = Plan::of(1).in_realm(RealmKind::Exercise).make();
    acquaint(&mut drill, 0, &home);
    drill.node_mut(0).start();
    drill.node(0).api().ask_for("water:1", "drill", None).expect("saved");
    holds_for(WATCHED, "an exercise stays apart", || {
        let neighbours = home.node(0).api().digest()?.neighbours;
        if neighbours == 0 && home.notes(0).is_empty() { Ok(()) } else { Err(format!("{neighbours} links")) }
    });
}

#[test]
fn a_daemon_without_a_certificate_says_so_and_does_not_start() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    write(node.dir().join("alliance.hf"), alliance.papers().alliance_file_without_nodes()).expect("the alliance file");
    let run = node.refuses().exits(1);
    assert!(run.err.contains("certificate"), "{}", run.err);
}

#[test]
fn a_key_that_is_not_the_certified_one_is_refused_at_the_start() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    write(node.dir().join("node.key"), Papers::found(RealmKind::Simulation, 1).key_file(0)).expect("the key file");
    let run = node.refuses().exits(1);
    assert!(run.err.contains("certificate"), "{}", run.err);
}

#[test]
fn a_certificate_that_was_altered_is_refused_at_the_start() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let file = alliance.papers().alliance_file();
    let place = file.rfind("-----END HOLDFAST NODE-----").expect("a node certificate") - 8;
    let digit = if &file[place..=place] == "0" { "1" } else { "0" };
    write(node.dir().join("alliance.hf"), format!("{}{digit}{}", &file[..place], &file[place + 1..])).expect("the alliance file");
    let run = node.refuses().exits(1);
    assert!(run.err.contains("alliance.hf"), "{}", run.err);
}

#[test]
fn noise_on_the_ports_changes_nothing() {
    let alliance = Plan::of(2).start();
    let node = alliance.node(0);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..2_000_usize {
        // xorshift: the same noise in every run.
        let mut packet = vec![0; 1 + round % 1_400];
        for byte in &mut packet {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
        for port in [node.settings.sync_port, node.settings.gossip_port] {
            socket.send_to(&packet, ("127.0.0.1", port)).expect("loopback takes packets");
        }
    }
    for half in [&b"GET / HTTP/1.1\r\nHost: "[..], b"\x16\x03\x01\x02\x00", &[0xff; 70_000]] {
        let _ = holdfast_tests::raw(node.settings.api_port, half);
    }
    node.api().ask_for("water:1", "after the noise", None).expect("saved");
    alliance.wait_equal(BLINK);
    assert_eq!(alliance.notes(1), ["after the noise"]);
}
