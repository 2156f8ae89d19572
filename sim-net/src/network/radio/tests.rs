//! The channel against a plain reading of its rules, and each rule alone.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::scenario::Modulation;
use holdfast_proto::link::airtime::HOUR;

/// About a kilometre north in millionths of a degree.
const KM: i32 = 8_993;

fn channel() -> Channel {
    Channel {
        name: "R1".to_owned(),
        modulation: Modulation::Rate(9_600),
        keyup: 60_000,
        turnaround: 20_000,
        sense: 30_000,
        duty: 1_000_000,
        capture_db: 6,
        range_m: 5_000,
        mtu: 500,
        loss: 0,
    }
}

/// Stations on one line, so many kilometres north; sites are numbered from 100.
fn line(seed: u64, channel: &Channel, km: &[i32]) -> Radio {
    let stations: Vec<(SiteNo, Place)> = (100..).zip(km.iter().map(|km| Place { lat: km * KM, lon: 0 })).collect();
    Radio::new(seed, 0, channel, &stations)
}

/// Puts a frame on the air without asking for a turn.
fn put(radio: &mut Radio, now: Micros, who: usize, takes: Micros) -> TransmissionNo {
    let Try::Start { transmission, until } = radio.start(now, who, takes) else { panic!("a frame that is put starts") };
    assert_eq!(until, now + takes);
    transmission
}

#[test]
fn stations_hidden_from_each_other_collide_in_the_middle_and_nowhere_else() {
    let mut radio = line(1, &channel(), &[0, 4, 8, 12]);
    let first = put(&mut radio, 0, 0, 1_000);
    let second = put(&mut radio, 999, 2, 1_000);
    assert_eq!(radio.finish(1_000, first), [(101, Reception::Collided)]);
    assert_eq!(radio.finish(1_999, second), [(101, Reception::Collided), (103, Reception::Heard)]);
    // What begins as the other ends does not touch it, whichever event comes first.
    let first = put(&mut radio, 10_000, 0, 1_000);
    let second = put(&mut radio, 11_000, 2, 1_000);
    assert_eq!(radio.finish(11_000, first), [(101, Reception::Heard)]);
    assert_eq!(radio.finish(12_000, second)[0], (101, Reception::Heard));
}

#[test]
fn the_nearer_of_two_is_heard_by_the_threshold_and_not_below_it() {
    // 35 dB a decade: 1 to 1.5 km are 6.2 dB, 1 to 1.4 km are 5.1 dB.
    for (metres, captured) in [(1_500, true), (1_400, false)] {
        for late in [0, 1] {
            let places = [0, -1_000, metres].map(|metres| Place { lat: metres * KM / 1_000, lon: 0 });
            let mut radio = Radio::new(1, 0, &channel(), &[(0, places[0]), (1, places[1]), (2, places[2])]);
            let earlier = put(&mut radio, 0, 1 + late, 1_000);
            let later = put(&mut radio, 10, 2 - late, 1_000);
            let (near, far) = if late == 0 { (earlier, later) } else { (later, earlier) };
            let at_0 = |receptions: Vec<(SiteNo, Reception)>| receptions.into_iter().find(|(site, _)| *site == 0);
            let expected = if captured { Reception::Heard } else { Reception::Collided };
            assert_eq!(at_0(radio.finish(1_020, near)), Some((0, expected)));
            assert_eq!(at_0(radio.finish(1_020, far)), Some((0, Reception::Collided)));
            assert_eq!(radio.counts.captured, u64::from(captured));
        }
    }
}

#[test]
fn who_sends_hears_nothing_until_it_has_turned_round() {
    let mut radio = line(1, &channel(), &[0, 1]);
    let long = put(&mut radio, 0, 0, 50_000);
    let short = put(&mut radio, 10_000, 1, 1_000);
    assert_eq!(radio.finish(11_000, short), [(100, Reception::Deaf)]);
    assert_eq!(radio.finish(50_000, long), [(101, Reception::Deaf)]);
    for (start, expected) in [(69_999, Reception::Deaf), (170_000, Reception::Heard)] {
        let number = put(&mut radio, start, 1, 1_000);
        assert_eq!(radio.finish(start + 1_000, number), [(100, expected)]);
        let number = put(&mut radio, start + 30_001, 0, 50_000);
        radio.finish(start + 80_001, number);
    }
}

#[test]
fn a_start_goes_unnoticed_for_as_long_as_sensing_takes_and_never_longer() {
    let mut starts = 0;
    for seed in 0..100 {
        for late in [0, 29_999, 30_000, 150_000] {
            let mut radio = line(seed, &channel(), &[0, 1]);
            put(&mut radio, 0, 0, 200_000);
            let tried = radio.try_send(late, 101, 100).unwrap();
            match tried {
                Try::Start { .. } => {
                    assert!(late < 30_000);
                    starts += 1;
                }
                Try::Busy { retry_at } => assert!(retry_at >= if late < 30_000 { late + 50_000 } else { 200_000 }),
                Try::DutyUsed { .. } => panic!("{tried:?}"),
            }
        }
    }
    assert!((25..80).contains(&starts), "{starts} of 200 take the first slot at persistence 1/4");
}

#[test]
fn a_station_sends_in_the_slot_it_drew_unless_another_was_faster() {
    let mut waits = Vec::new();
    for seed in 0..400 {
        let mut radio = line(seed, &channel(), &[0, 1]);
        let Try::Busy { retry_at } = radio.try_send(0, 100, 100).unwrap() else { continue };
        // Sensing and turning round take 50 ms.
        assert_eq!(retry_at % 50_000, 0);
        waits.push(retry_at / 50_000);
        let mut other = radio.clone();
        let started = Try::Start { transmission: 0, until: retry_at + 153_334 };
        assert_eq!(radio.try_send(retry_at, 100, 100).unwrap(), started);
        put(&mut other, retry_at - 40_000, 1, 100_000);
        assert!(
            matches!(other.try_send(retry_at, 100, 100).unwrap(), Try::Busy { retry_at: later } if later >= retry_at + 60_000)
        );
    }
    let first = waits.iter().filter(|slots| **slots == 1).count();
    assert!((250..350).contains(&waits.len()), "{} of 400 wait at persistence 1/4", waits.len());
    assert!(first * 5 > waits.len() && first * 3 < waits.len(), "{first} of {} wait one slot", waits.len());
}

#[test]
fn a_station_stops_when_its_share_of_the_hour_is_used_and_goes_on_as_soon_as_it_may() {
    let mut radio = line(1, &Channel { duty: 10_000, ..channel() }, &[0, 1]);
    let (mut now, mut sent) = (0, 0);
    let until = loop {
        match radio.try_send(now, 100, 100).unwrap() {
            Try::Start { transmission, until } => {
                sent += 1;
                now = until;
                radio.finish(now, transmission);
            }
            Try::Busy { retry_at } => now = retry_at,
            Try::DutyUsed { until } => break until,
        }
    };
    // 36 s an hour in frames of 153.334 ms.
    assert_eq!(sent, 234);
    assert!(until > HOUR - 1_000_000 && now < HOUR / 4);
    assert_eq!(radio.airtime_of(100).unwrap().busiest(), 234 * 153_334);
    assert_eq!(radio.airtime().by_hour(), [234 * 153_334]);
    assert_eq!(radio.try_send(until - 1, 100, 100).unwrap(), Try::DutyUsed { until });
    assert!(!matches!(radio.try_send(until, 100, 100).unwrap(), Try::DutyUsed { .. }));
    assert!(!matches!(radio.try_send(now, 101, 100).unwrap(), Try::DutyUsed { .. }), "another station has its own hour");
    let never = Channel { duty: 10, ..channel() };
    assert_eq!(line(1, &never, &[0]).try_send(0, 100, 100), Ok(Try::DutyUsed { until: Micros::MAX }));
    assert_eq!(radio.try_send(until, 100, 501), Err(Misuse::TooLong));
}

#[test]
fn noise_drowns_what_is_weaker_at_the_hearer_and_only_within_its_range() {
    let mut radio = line(1, &channel(), &[0, 4, 8]);
    let send = |radio: &mut Radio, now| {
        let number = put(radio, now, 1, 1_000);
        radio.finish(now + 1_000, number)
    };
    let at = |km| Place { lat: km * KM, lon: 0 };
    radio.jam(0, 7, &[at(-1)]);
    assert_eq!(send(&mut radio, 100_000), [(100, Reception::Jammed), (102, Reception::Heard)]);
    // A sender next door comes through noise from afar.
    let mut near = line(1, &channel(), &[0, 1]);
    near.jam(0, 7, &[at(-4)]);
    let number = put(&mut near, 0, 1, 1_000);
    assert_eq!(near.finish(1_000, number), [(100, Reception::Heard)]);
    // Noise that begins and ends in the middle of a frame.
    radio.end(7);
    let number = put(&mut radio, 200_000, 1, 1_000);
    radio.jam(200_500, 8, &[]);
    radio.end(8);
    assert_eq!(radio.finish(201_000, number), [(100, Reception::Jammed), (102, Reception::Jammed)]);
    assert_eq!(send(&mut radio, 300_000), [(100, Reception::Heard), (102, Reception::Heard)]);
}

#[test]
fn without_an_antenna_a_station_neither_sends_nor_hears_and_does_not_know() {
    let mut radio = line(1, &channel(), &[0, 1, 2]);
    let (from_1, now) = (put(&mut radio, 0, 1, 1_000), 500);
    radio.antenna_down(now, 3, &[101, 999]);
    radio.antenna_down(now, 4, &[101]);
    assert_eq!(radio.finish(1_000, from_1), [(100, Reception::Faded), (102, Reception::Faded)]);
    radio.end(3);
    let from_0 = put(&mut radio, 100_000, 0, 500_000);
    assert_eq!(radio.finish(600_000, from_0), [(101, Reception::Deaf), (102, Reception::Heard)]);
    let from_1 = put(&mut radio, 900_000, 1, 1_000);
    assert!(radio.finish(901_000, from_1).is_empty());
    radio.end(4);
    let from_1 = put(&mut radio, 1_900_000, 1, 1_000);
    assert_eq!(radio.finish(1_901_000, from_1), [(100, Reception::Heard), (102, Reception::Heard)]);
}

#[test]
fn a_station_that_is_switched_off_breaks_off_and_is_nobodys_hearer() {
    let mut radio = line(1, &channel(), &[0, 1, 2, 90]);
    assert_eq!(radio.around(101), [100, 102]);
    let from_1 = put(&mut radio, 0, 1, 1_000);
    radio.switch(500, 101, false);
    assert!(radio.around(101).is_empty() && radio.around(100) == [102]);
    assert!(radio.in_reach(100, 101) && !radio.in_reach(100, 103) && !radio.in_reach(100, 999));
    assert_eq!(radio.finish(1_000, from_1), [(100, Reception::Faded), (102, Reception::Faded)]);
    let from_0 = put(&mut radio, 100_000, 0, 1_000);
    radio.switch(100_500, 101, true);
    assert_eq!(radio.finish(101_000, from_0), [(102, Reception::Heard)]);
    let from_1 = put(&mut radio, 200_000, 1, 1_000);
    assert_eq!(radio.finish(201_000, from_1), [(100, Reception::Heard), (102, Reception::Heard)]);
    // On again it may go on at once, and what it used of its hour stays used.
    assert_eq!(radio.airtime_of(101).unwrap().by_hour(), [2_000]);
    radio.antenna_down(300_000, 3, &[101]);
    assert!(!radio.in_reach(100, 101) && radio.around(101).is_empty());
    radio.mend(&[101]);
    assert!(radio.in_reach(100, 101));
}

#[test]
fn without_an_antenna_no_carrier_is_noticed() {
    let starts = |down: bool| {
        let started = |seed: &u64| {
            let mut radio = line(*seed, &channel(), &[0, 1]);
            put(&mut radio, 0, 0, 500_000);
            if down {
                radio.antenna_down(0, 3, &[101]);
            }
            matches!(radio.try_send(200_000, 101, 50), Ok(Try::Start { .. }))
        };
        (0..100).filter(started).count()
    };
    assert!(starts(true) > 10 && starts(false) == 0);
}

#[test]
fn frames_that_nobody_disturbs_are_lost_as_the_channel_says() {
    let mut radio = line(5, &Channel { loss: 200_000, ..channel() }, &[0, 1, 2, 3]);
    for frame in 0..20_000 {
        let number = put(&mut radio, frame * 10_000, 0, 1_000);
        radio.finish(frame * 10_000 + 1_000, number);
    }
    assert_eq!(radio.counts.heard + radio.counts.faded, 60_000);
    assert!(radio.counts.faded.abs_diff(12_000) < 300, "{} of 60,000", radio.counts.faded);
}

/// What was on the air and what became of it.
#[derive(Debug, Default, PartialEq)]
struct Log {
    /// By sender and start: end, and what each station in range received.
    frames: BTreeMap<(usize, Micros), (Micros, BTreeMap<usize, Reception>)>,
    refused: u64,
}

/// What a station does.
enum Next {
    /// It wants to send so many bytes.
    Ask(usize, u32),
    /// Its frame ends, that began then.
    End(TransmissionNo, usize, Micros),
}

/// Stations ask at these times for frames of these lengths, and again when they are told to.
fn play(radio: &mut Radio, asks: &[(Micros, usize, u32)], finish_first: bool) -> Log {
    let mut log = Log::default();
    // By (time, which first, sequence).
    let mut todo: BTreeMap<(Micros, bool, usize), Next> = BTreeMap::new();
    for (number, (at, who, bytes)) in asks.iter().enumerate() {
        todo.insert((*at, finish_first, number), Next::Ask(*who, *bytes));
    }
    while let Some(((now, _, sequence), next)) = todo.pop_first() {
        match next {
            Next::Ask(who, bytes) => match radio.try_send(now, who, bytes).unwrap() {
                Try::Start { transmission, until } => {
                    todo.insert((until, !finish_first, sequence), Next::End(transmission, who, now));
                }
                Try::Busy { retry_at } => {
                    assert!(retry_at > now);
                    todo.insert((retry_at, finish_first, sequence), Next::Ask(who, bytes));
                }
                Try::DutyUsed { .. } => log.refused += 1,
            },
            Next::End(transmission, who, start) => {
                let receptions = radio.finish(now, transmission);
                let by_site: BTreeMap<usize, Reception> = receptions.iter().copied().collect();
                assert_eq!(by_site.len(), receptions.len());
                assert!(log.frames.insert((who, start), (now, by_site)).is_none());
                assert!(radio.finish(now, transmission).is_empty(), "a frame ends once");
            }
        }
    }
    log
}

/// What a station should have received of a frame, from all that was on the air.
fn expected(log: &Log, channel: &Channel, places: &[Place], frame: (usize, Micros), hearer: usize) -> bool {
    let (from, start) = frame;
    let until = log.frames[&frame].0;
    let signal = |sender: usize| attenuation(places[sender].metres(places[hearer]));
    log.frames.iter().filter(|(other, _)| **other != frame).all(|((sender, begins), (ends, _))| {
        let overlap = *begins < until && start < *ends;
        let turning = *begins <= start && start < *ends + channel.turnaround;
        if *sender == hearer {
            !overlap && !turning
        } else {
            let in_range = places[*sender].metres(places[hearer]) <= channel.range_m;
            let margin = u32::from(channel.capture_db) * 10;
            !overlap || !in_range || (signal(from) < signal(*sender) && signal(*sender) - signal(from) >= margin)
        }
    })
}

fn any_channel() -> impl Strategy<Value = Channel> {
    (0..200_000_u64, 0..100_000_u64, 0..300_000_u64, prop_oneof![Just(1_000_000_u32), 100..2_000_u32], 0..12_u8, 500..9_000_u32)
        .prop_map(|(keyup, turnaround, sense, duty, capture_db, range_m)| Channel {
            keyup,
            turnaround,
            sense,
            duty,
            capture_db,
            range_m,
            ..channel()
        })
}

fn any_places() -> impl Strategy<Value = Vec<Place>> {
    prop::collection::vec((0..9 * KM, 0..9 * KM).prop_map(|(lat, lon)| Place { lat, lon }), 2..9)
}

proptest! {
    #[test]
    fn every_frame_ends_once_at_every_station_in_range_as_the_rules_say(
        seed: u64, channel in any_channel(), places in any_places(),
        asks in prop::collection::vec((0..3_000_000_u64, 0..9_usize, 0..300_u32), 1..40)
    ) {
        let stations: Vec<(SiteNo, Place)> = places.iter().copied().enumerate().collect();
        let asks: Vec<_> = asks.into_iter().map(|(at, who, bytes)| (at, who % places.len(), bytes)).collect();
        let mut radio = Radio::new(seed, 0, &channel, &stations);
        let log = play(&mut radio, &asks, true);
        let counts = radio.counts;
        prop_assert_eq!(counts.sent + log.refused, asks.len() as u64);
        prop_assert_eq!(counts.refused, log.refused);
        prop_assert_eq!(counts.sent, log.frames.len() as u64);
        prop_assert_eq!(counts.receptions, counts.heard + counts.collided + counts.deaf + counts.jammed + counts.faded);
        let mut heard = 0;
        for (frame, (_, receptions)) in &log.frames {
            let near = (0..places.len()).filter(|to| *to != frame.0 && places[*to].metres(places[frame.0]) <= channel.range_m);
            prop_assert!(near.eq(receptions.keys().copied()));
            for (hearer, reception) in receptions {
                let whole = *reception == Reception::Heard;
                prop_assert_eq!(whole, expected(&log, &channel, &places, *frame, *hearer), "{:?} at {}", frame, hearer);
                heard += u64::from(whole);
            }
        }
        prop_assert_eq!(heard, counts.heard);
        prop_assert!(radio.on_air.is_empty() && radio.stations.iter().all(|station| station.incoming.is_empty()));
        // Nobody is on the air twice at once, and nobody for longer than its share.
        for who in 0..places.len() {
            let mine: Vec<_> = log.frames.iter().filter(|((from, _), _)| *from == who).map(|((_, at), (end, _))| (*at, *end)).collect();
            prop_assert!(mine.is_sorted_by(|a, b| a.1 <= b.0));
            let used = radio.airtime_of(who).unwrap().busiest();
            prop_assert!(used <= HOUR / 1_000_000 * u64::from(channel.duty));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_air_whichever_of_two_events_at_one_moment_comes_first(
        seed: u64, channel in any_channel(), places in any_places(), loss in 0..500_000_u32,
        asks in prop::collection::vec((0..3_000_000_u64, 0..9_usize, 0..300_u32), 1..30)
    ) {
        let stations: Vec<(SiteNo, Place)> = places.iter().copied().enumerate().collect();
        let asks: Vec<_> = asks.into_iter().map(|(at, who, bytes)| (at / 1_000 * 1_000, who % places.len(), bytes)).collect();
        let channel = Channel { loss, ..channel };
        let mut logs = [true, true, false].map(|finish_first| {
            play(&mut Radio::new(seed, 0, &channel, &stations), &asks, finish_first)
        }).into_iter();
        let first = logs.next().unwrap();
        prop_assert!(logs.all(|log| log == first));
    }
}
