//! Stations on one virtual channel: what is sent together is lost, a station does not hear while it sends.

use proptest::prelude::*;

use super::*;
use crate::link::airtime::HOUR;

const REALM: [u8; 2] = [7, 7];
const RATE: u32 = 1_200;

fn manner(serial: u16) -> Manner {
    Manner {
        speaker: Speaker { realm: REALM, me: NodeId { issuer: 1, serial }, mtu: 200 },
        framing: Framing::Kiss,
        rate: RATE,
        key_up: Duration::from_millis(300),
        share: 100_000,
        heard_for: Duration::from_secs(600),
        seed: 0,
    }
}

/// One station, what its core would say, and what happened.
struct Post {
    station: Station,
    /// Messages, and whether each is urgent.
    wants: VecDeque<(bool, Vec<u8>)>,
    credit: Option<bool>,
    said: Vec<(u64, Vec<u8>)>,
    heard: Vec<(u64, Bytes)>,
    near: Vec<NodeId>,
}

impl Post {
    fn new(manner: Manner) -> Self {
        Self {
            station: Station::new(manner),
            wants: VecDeque::new(),
            credit: None,
            said: Vec::new(),
            heard: Vec::new(),
            near: Vec::new(),
        }
    }

    /// Everything that is to be done now; gives bursts.
    fn turn(&mut self, now: u64) -> Vec<Vec<u8>> {
        let mut bursts = Vec::new();
        loop {
            while let Some(act) = self.station.poll(Instant(now)) {
                match act {
                    Act::Write(line) => bursts.push(line),
                    Act::Credit { room, urgent } => {
                        assert_eq!(usize::try_from(room), Ok(MESSAGE_MAX));
                        self.credit = Some(urgent);
                    }
                    Act::Near(near) => self.near = near,
                    Act::Message(message) => self.heard.push((now, message)),
                }
            }
            let Some(only_urgent) = self.credit else { return bursts };
            let Some(at) = self.wants.iter().position(|(urgent, _)| *urgent || !only_urgent) else { return bursts };
            let (urgent, message) = self.wants.remove(at).expect("it is there");
            self.credit = None;
            assert!(self.station.say(Instant(now), &message, urgent));
            self.said.push((now, message));
        }
    }
}

/// What a modem takes to notice that somebody is on the air.
const NOTICED: u64 = 100_000;

/// Runs until then; gives the bursts: from when, until when, whose. Modems listen before they send and wait in slots of their own.
fn run(posts: &mut [Post], until: u64) -> Vec<(u64, u64, usize)> {
    let mut modems: Vec<(u64, usize, Vec<u8>)> = Vec::new();
    let mut flights: Vec<(u64, u64, usize, Vec<u8>)> = Vec::new();
    let mut now = 0;
    while now < until {
        let done: Vec<_> = flights.iter().filter(|(_, end, ..)| *end == now).cloned().collect();
        for (begin, end, from, line) in done {
            let clear = flights.iter().all(|(b, e, other, _)| *other == from || *e <= begin || *b >= end);
            for (_, post) in posts.iter_mut().enumerate().filter(|(to, _)| *to != from && clear) {
                post.station.received(Instant(now), &line);
            }
        }
        for (from, post) in posts.iter_mut().enumerate() {
            modems.extend(post.turn(now).into_iter().map(|line| (now, from, line)));
        }
        let (ready, later): (Vec<_>, Vec<_>) = std::mem::take(&mut modems).into_iter().partition(|(at, ..)| *at <= now);
        modems = later;
        for (_, from, line) in ready {
            let taken = flights.iter().filter(|(b, e, ..)| *b + NOTICED <= now && *e > now).map(|(_, e, ..)| *e).max();
            match taken {
                Some(end) => modems.push((end + NOTICED * (1 + u64::try_from(from).expect("few")), from, line)),
                None => {
                    let takes = 300_000 + u64::try_from(line.len()).expect("short") * 8_000_000 / u64::from(RATE);
                    flights.push((now, now + takes, from, line));
                }
            }
        }
        let ends = flights.iter().map(|(_, end, ..)| *end).filter(|end| *end > now).min();
        let tries = modems.iter().map(|(at, ..)| *at).min();
        let wake = posts.iter().map(|post| post.station.deadline(Instant(now)).0).min();
        now = [ends, tries, wake].into_iter().flatten().min().unwrap_or(until).max(now + 1);
    }
    flights.into_iter().map(|(from, until, whose, _)| (from, until, whose)).collect()
}

#[test]
fn who_speaks_is_heard_by_name_and_forgotten_when_silent() {
    let mut posts = [Post::new(manner(1)), Post::new(manner(2))];
    posts[0].wants.push_back((false, vec![5; 500]));
    run(&mut posts, 20_000_000);
    assert_eq!(posts[1].heard.iter().map(|(_, message)| message.len()).collect::<Vec<_>>(), [500]);
    assert_eq!(posts[1].near, [NodeId { issuer: 1, serial: 1 }]);
    assert!(posts[1].heard[0].0 < 15_000_000, "500 bytes are 4 s of air");
    let report = posts[1].station.report(Instant(20_000_000));
    assert!(report.heard.len() == 1 && report.used == 0 && report.received == 3, "{report:?}");
    posts[1].turn(700_000_000);
    assert!(posts[1].near.is_empty());
}

#[test]
fn an_urgent_word_breaks_into_a_long_message_after_one_burst() {
    let mut posts = [Post::new(manner(1)), Post::new(manner(2))];
    posts[0].wants.push_back((false, vec![1; MESSAGE_MAX]));
    posts[0].wants.push_back((true, vec![2; 150]));
    run(&mut posts, 60_000_000);
    let order: Vec<u8> = posts[1].heard.iter().map(|(_, message)| message[0]).collect();
    assert_eq!(order, [2, 1], "the urgent one first");
    assert!(posts[1].heard[0].0 < 9_000_000, "{}", posts[1].heard[0].0);
}

#[test]
fn however_much_waits_no_hour_holds_more_than_the_share_and_a_tenth_is_kept() {
    let mut posts = [Post::new(manner(1)), Post::new(manner(2))];
    posts[0].wants.extend(std::iter::repeat_n((false, vec![3; 180]), 2_000));
    let bursts = run(&mut posts, 2 * HOUR);
    let mut within = bursts.iter().map(|(from, ..)| {
        bursts.iter().map(|(b, e, _)| e.clamp(from, &(from + HOUR)) - b.clamp(from, &(from + HOUR))).sum::<u64>()
    });
    assert!(within.all(|held| held <= HOUR / 10 * 9 / 10), "routine leaves the reserve alone");
    let sent: u64 = bursts.iter().map(|(from, until, _)| until - from).sum();
    assert!(sent > HOUR / 10, "and uses what it may: {sent}");
    let mut urgent = Post { wants: VecDeque::from([(true, vec![4; 150])]), ..Post::new(manner(3)) };
    std::mem::swap(&mut urgent.station, &mut posts[0].station);
    let now = bursts.last().expect("it sent").1;
    for step in 0..20 {
        urgent.turn(now + step * 500_000);
    }
    assert!(urgent.said.len() == 1, "the reserve is open to what is urgent");
}

#[test]
fn of_twenty_stations_with_a_word_each_at_the_same_instant_many_are_heard() {
    let mut posts: Vec<Post> = (1..=20).map(|serial| Post::new(manner(serial))).collect();
    posts.iter_mut().for_each(|post| post.wants.push_back((false, vec![1; 60])));
    run(&mut posts, 120_000_000);
    let heard: usize = posts.iter().map(|post| post.heard.len()).sum();
    // Half, when this was written; none where they share their slots.
    assert!(heard >= 380 / 3, "{heard} of 380");
}

#[test]
fn a_port_that_takes_everything_and_gives_nothing_is_found_out() {
    let mut post = Post::new(manner(1));
    post.wants.extend(std::iter::repeat_n((false, vec![1; 100]), 8));
    for step in 0..700 {
        post.turn(step * 1_000_000);
    }
    assert!(post.station.report(Instant(700_000_000)).deaf);
    post.station.received(Instant(701_000_000), &[0xC0]);
    assert!(!post.station.report(Instant(702_000_000)).deaf, "one byte came");
}

#[test]
fn one_who_sends_over_everybody_does_not_silence_the_others() {
    for (urgent, within) in [(true, 6_000_000), (false, 31_000_000)] {
        let mut post = Post::new(Manner { framing: Framing::Cobs, ..manner(1) });
        post.turn(0);
        post.wants.push_back((urgent, vec![1; 50]));
        let (mut now, mut sent) = (0, 0);
        while sent == 0 {
            now += 6_667;
            post.station.received(Instant(now), &[0x55]);
            sent = post.turn(now).len();
            assert!(now < within, "nothing was sent in {now} us of noise");
        }
        assert!(now > within / 2, "it waits for a while: {now}");
    }
}

#[test]
fn each_node_gets_other_chances_at_the_modem() {
    let setups: std::collections::BTreeSet<Vec<u8>> = (1..=16).map(|serial| manner(serial).setup()).collect();
    assert!(setups.len() >= 6, "of eight: {}", setups.len());
    assert_eq!(manner(1).setup()[..4], [0xC0, 1, 30, 0xC0], "300 ms of key-up");
}

#[test]
fn a_share_that_holds_no_message_is_seen_before_anything_starts() {
    assert!(manner(1).can_speak());
    assert!(!Manner { share: 1_000, ..manner(1) }.can_speak());
    assert!(!Manner { rate: 50, share: 10_000, ..manner(1) }.can_speak());
}

proptest! {
    #[test]
    fn whatever_comes_from_the_port_nothing_is_owed_for_it(noise in prop::collection::vec(any::<u8>(), 0..4_000), step in 1..200_usize) {
        for framing in [Framing::Kiss, Framing::Cobs] {
            let mut post = Post::new(Manner { framing, ..manner(1) });
            let mut now = 0;
            for part in noise.chunks(step) {
                post.station.received(Instant(now), part);
                now += 10_000;
                prop_assert!(post.turn(now).is_empty());
            }
            prop_assert!(post.heard.is_empty() && post.near.is_empty(), "no check sum of four bytes by chance");
            post.wants.push_back((true, vec![1]));
            let later = (0..100).map(|step| post.turn(now + step * 100_000).len()).sum::<usize>();
            prop_assert_eq!(later, 1, "it can still speak");
        }
    }
}
