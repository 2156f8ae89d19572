//! How often is dialled what does not answer.

use super::*;

/// Hears of so many who are all away and a configured one, and dials for an hour; when each was dialled.
fn hour_of_dials(hints: usize) -> BTreeMap<String, Vec<Instant>> {
    let (config, mut rng, mut peers) = (Config::default(), Rng::new([7; 32]), Peers::default());
    let (start, second) = (Instant::default(), Duration::from_secs(1));
    let mut at = start;
    peers.add("configured".to_owned(), true, None, at);
    (0..hints).for_each(|n| peers.add(format!("hint {n:02}"), false, None, at));
    let nobody = BTreeSet::new();
    let mut dials: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    let mut under_way: Vec<(Instant, String)> = Vec::new();
    while at.since(start) < Duration::from_secs(3_600) {
        for address in peers.due(at, &nobody, &nobody, &nobody, config.degree) {
            dials.entry(address.clone()).or_default().push(at);
            under_way.push((at.after(second * 3), address));
        }
        under_way.retain(|(ends, address)| {
            if *ends <= at {
                peers.failed(address, "nobody answers", at, &config, &mut rng);
            }
            *ends > at
        });
        at = at.after(second);
    }
    dials
}

/// Of one address in the second half of the hour.
fn later(dials: &[Instant]) -> usize {
    dials.iter().filter(|at| at.since(Instant::default()) >= Duration::from_secs(1_800)).count()
}

#[test]
fn where_few_do_not_answer_each_is_dialled_about_once_a_minute() {
    let dials = hour_of_dials(10);
    assert_eq!(dials.len(), 11);
    assert!(dials.values().all(|times| (25..=60).contains(&later(times))), "{dials:?}");
}

#[test]
fn however_many_do_not_answer_no_more_are_dialled_and_none_is_given_up_nor_are_configured_ones_kept_waiting() {
    let dials = hour_of_dials(CANDIDATES_MAX);
    assert_eq!(dials.len(), CANDIDATES_MAX + 1);
    let hints = dials.iter().filter(|(address, _)| *address != "configured");
    let (sum, least) = hints.map(|(_, times)| later(times)).fold((0, usize::MAX), |(sum, least), n| (sum + n, least.min(n)));
    // Waits are half to all of their length, so that there are up to twice as many.
    assert!(sum <= 2 * 30 * REDIALS && least >= 5, "{sum} {least}");
    assert!((25..=60).contains(&later(&dials["configured"])));
}

#[test]
fn who_is_hung_up_on_after_the_greeting_comes_again_ever_more_rarely_and_who_was_a_neighbour_for_long_at_once() {
    let (config, mut rng, mut peers) = (Config::default(), Rng::new([7; 32]), Peers::default());
    let (mut at, nobody) = (Instant::default(), BTreeSet::new());
    let node = NodeId { issuer: 1, serial: 2 };
    peers.add("far".to_owned(), true, None, at);
    let mut waits = Vec::new();
    for n in 0..12 {
        at = peers.due(at, &nobody, &nobody, &nobody, 8).first().map_or(at, |_| at);
        let link = LinkId(n);
        peers.up("far", link);
        peers.proven(link, node);
        at = at.after(if n == 11 { Duration::from_secs(60) } else { Duration::from_millis(20) });
        peers.down(link, "hung up", at, &config, &mut rng);
        let contact = peers.contacts().next().expect("it is known").1;
        waits.push(contact.waited);
        at = contact.next;
    }
    assert!(waits[10] >= Duration::from_secs(30), "{waits:?}");
    assert!(waits[11] <= Duration::from_secs(1), "{waits:?}");
}
