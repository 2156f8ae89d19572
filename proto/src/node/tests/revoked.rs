//! Rule 9 in whole nodes: keys taken away, in any order of arrival, over restarts, and what people see of it.

use super::forks::{entry_in, hash, log_of, push, send, wire};
use super::*;
use crate::control::{Certify, HeadsView};
use crate::identity::{ArmorKind, Cut, Reason, Revocation, RevokedBy, armor};
use crate::message::Message;
use crate::rng::Rng;

/// Host `n` loses its key: by its issuer, with these cuts.
fn revocation(world: &World, n: usize, version: u32, cuts: Option<Vec<Cut>>) -> bytes::Bytes {
    let issued = &world.alliance.nodes[n];
    let (node, generation) = (issued.node, issued.generation);
    let revocation = Revocation { node, generation, by: RevokedBy::Issuer, version, charter: 0, reason: Reason::Stolen, cuts };
    revocation.issue(&world.alliance.roster.realm(), &world.alliance.issuers[0]).unwrap()
}

fn by_roots(world: &World, n: usize, version: u32, cuts: Vec<Cut>) -> bytes::Bytes {
    let issued = &world.alliance.nodes[n];
    let (node, generation, cuts) = (issued.node, issued.generation, Some(cuts));
    let revocation = Revocation { node, generation, by: RevokedBy::Roots, version, charter: 1, reason: Reason::Misused, cuts };
    let roster = &world.alliance.roster;
    revocation.issue_by_roots(&roster.realm(), roster.charter(), &world.alliance.roots.iter().collect::<Vec<_>>()).unwrap()
}

fn cut(row: &EntryRow) -> Cut {
    Cut { incarnation: row.id.log.incarnation, number: row.id.number, hash: hash(row) }
}

/// Entries of host `n` from `first`, chained behind `prev`.
fn chain(world: &World, n: usize, first: u32, count: u32, prev: [u8; 16], story: &str) -> Vec<EntryRow> {
    let log = log_of(world, n);
    let mut rows: Vec<EntryRow> = Vec::new();
    for number in first..first + count {
        let prev = rows.last().map_or(prev, hash);
        rows.push(entry_in(world, n, log, number, prev, &format!("{story} {number}")));
    }
    rows
}

fn hand_in(world: &mut World, n: usize, objects: &[&bytes::Bytes]) -> Reply {
    let objects = objects.iter().map(|object| armor(ArmorKind::Revocation, object)).collect();
    world.order(n, Command::Certify(Certify { objects }))
}

/// Host `n` loses its key behind the last word that `teller` holds of it.
pub(super) fn take_key_away(world: &mut World, teller: usize, n: usize) {
    let held = world.hosts[teller].node.replica.logs_of(world.alliance.nodes[n].node).next_back();
    let cut = held.map(|(id, log)| Cut { incarnation: id.incarnation, number: log.head(), hash: log.head_hash() });
    let revoked = revocation(world, n, 1, Some(cut.into_iter().collect()));
    assert!(taken(&hand_in(world, teller, &[&revoked])));
}

fn taken(reply: &Reply) -> bool {
    matches!(reply, Reply::Saved(saved) if !saved.already)
}

fn numbers(world: &World, n: usize, log: LogId) -> Vec<(u32, [u8; 16])> {
    let log = world.hosts[n].node.replica.log(log);
    log.into_iter().flat_map(|log| log.slots().map(|(number, slot)| (number, slot.hash)).collect::<Vec<_>>()).collect()
}

#[test]
fn a_stolen_key_ends_at_the_cut_whatever_the_thief_wrote_and_in_whatever_order_it_came() {
    let mut base = World::new(3);
    base.connect(2, 1);
    let mine = chain(&base, 0, 1, 8, [0; 16], "mine");
    let ahead = chain(&base, 0, 9, 3, hash(&mine[7]), "thief");
    let back = chain(&base, 0, 5, 3, hash(&mine[3]), "backdated");
    let revoked = revocation(&base, 0, 1, Some(vec![cut(&mine[7])]));
    let all: Vec<EntryRow> = [&mine[..], &ahead, &back].concat();
    let log = log_of(&base, 0);
    let right: Vec<_> = mine.iter().map(|row| (row.id.number, hash(row))).collect();
    let link = base.wires.keys().find(|(host, _)| *host == 1).map(|(_, link)| *link).unwrap();
    let fork = Message::Forks { proofs: vec![(wire(&mine[4]), wire(&back[0]))] };
    let mut views = BTreeSet::new();
    for seed in 0..1_000 {
        let mut rng = Rng::new([seed as u8; 32]);
        (0..seed / 256).for_each(|_| _ = rng.next_u64());
        let mut host = base.hosts[1].node.clone();
        let mut disk: BTreeMap<EntryId, EntryRow> = BTreeMap::new();
        let mut messages: Vec<Message> =
            all.iter().map(|row| Message::Entries { want: None, entries: vec![wire(row)] }).collect();
        messages.push(Message::Roster { objects: vec![revoked.clone()] });
        for place in (1..messages.len()).rev() {
            messages.swap(place, rng.below(place as u64 + 1) as usize);
        }
        // Then everybody says everything again, as reconciliation does, until nothing is lacking.
        let again = |rows: &[EntryRow]| Message::Entries { want: None, entries: rows.iter().map(wire).collect() };
        messages.extend((0..4).flat_map(|_| [again(&all), fork.clone()]));
        for message in messages {
            let mut inputs = VecDeque::from([Input::Received { link, frame: message.to_frame() }]);
            while let Some(input) = inputs.pop_front() {
                host.handle(base.now, input);
                while let Some(output) = host.poll_output() {
                    match output {
                        Output::Persist { token, rows, .. } => {
                            for row in rows.iter().filter_map(entry_of) {
                                disk.insert(row.id, row.clone());
                            }
                            inputs.push_back(Input::Persisted { token });
                        }
                        Output::Fetch { token, entries } => {
                            let rows = entries.iter().filter_map(|id| disk.get(id).cloned()).collect();
                            inputs.push_back(Input::Fetched { token, rows });
                        }
                        _ => {}
                    }
                }
            }
        }
        let held: Vec<_> = host.replica.log(log).unwrap().slots().map(|(number, slot)| (number, slot.hash)).collect();
        assert_eq!(held, right, "seed {seed}");
        views.insert((host.canonical_view(), host.replica.root([0; 16])));
    }
    assert_eq!(views.len(), 1, "one end state");
}

#[test]
fn whose_key_is_taken_away_is_shown_so_loses_its_links_and_can_say_nothing_more() {
    let mut world = World::new(3);
    world.connect(0, 1);
    world.connect(1, 2);
    world.report(0, "operating.status", "open");
    world.request(0, "water:5", None);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.status_of(2, 0).operating_status, "open");
    let Answer::Heads(HeadsView { logbooks, .. }) = world.hosts[1].node.answer(world.now, &Question::Heads("1-1".into())) else {
        panic!("heads")
    };
    let held = world.hosts[1].node.replica.logs_of(world.alliance.nodes[0].node).next().unwrap();
    let (incarnation, number, hash) = (held.0.incarnation, held.1.head(), held.1.head_hash());
    assert_eq!((logbooks.len(), logbooks[0].number, logbooks[0].beyond), (1, number, 0));
    let revoked = revocation(&world, 0, 1, Some(vec![Cut { incarnation, number, hash }]));
    // Handed in where the thief is not linked: it is told onwards at once.
    assert!(taken(&hand_in(&mut world, 2, &[&revoked])));
    for seer in [1, 2] {
        let seen = world.status_of(seer, 0);
        assert_eq!((seen.operating_status.as_str(), seen.unknown_because.as_deref()), ("unknown", Some("revoked")), "{seer}");
        assert_eq!((seen.revoked.as_deref(), seen.forked), (Some("stolen"), false));
        assert_eq!(world.requests(seer).len(), 1, "what it asked before stands");
        assert!(world.requests(seer)[0].flags.is_empty(), "{:?}", world.requests(seer)[0].flags);
    }
    let key = world.alliance.nodes[0].secret.public();
    assert!(
        !world.hosts[1].admitted.contains(&key) && world.hosts[1].node.links.values().all(|link| link.profile.peer != Some(key))
    );
    assert!(world.hosts[1].events.iter().any(|event| matches!(event, Event::Revoked { reason, .. } if reason == "stolen")));
    // A later board of that key, and a later word, are nothing to anybody.
    let digest = world.digests()[1].clone();
    let log = held_log(&world, 1);
    let late = entry_in(&world, 0, log, number + 1, hash, "late");
    push(&mut world, 1, &[&late]);
    assert_eq!(world.digests()[1], digest);
    for n in [1, 2] {
        let view = world.hosts[n].node.canonical_view();
        world.restart(n);
        assert_eq!(world.hosts[n].node.canonical_view(), view);
        assert_eq!(world.status_of(n, 0).revoked.as_deref(), Some("stolen"));
    }
    // The PC itself, when it is told: it is still there to be read, and says why it takes nothing.
    assert!(taken(&hand_in(&mut world, 0, &[&revoked])));
    let reply = world.order(
        0,
        Command::Report(Report { values: BTreeMap::from([("power.source".into(), "mains".into())]), ..Default::default() }),
    );
    assert!(matches!(reply, Reply::Refused(refusal) if refusal.code == "H-506"));
    world.restart(0);
    assert!(world.warnings(0).contains(&"H-506".to_owned()));
}

fn held_log(world: &World, n: usize) -> LogId {
    world.hosts[n].node.replica.logs_of(world.alliance.nodes[0].node).next().unwrap().0
}

#[test]
fn without_a_cut_what_was_said_stays_and_is_in_question_until_somebody_says_what_stands() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:5", None);
    world.pass(Duration::from_secs(3));
    let (node, generation) = (world.alliance.nodes[0].node, world.alliance.nodes[0].generation);
    let paper =
        Revocation { node, generation, by: RevokedBy::Itself, version: 0, charter: 0, reason: Reason::Stolen, cuts: None };
    let paper = paper.issue(&world.alliance.roster.realm(), &world.alliance.nodes[0].secret).unwrap();
    assert!(taken(&hand_in(&mut world, 1, &[&paper])));
    assert_eq!(world.requests(1)[0].flags, ["in_question"]);
    world.restart(1);
    assert_eq!(world.requests(1)[0].flags, ["in_question"]);
    let held = world.hosts[1].node.replica.logs_of(node).next().unwrap();
    let stands = Cut { incarnation: held.0.incarnation, number: held.1.head(), hash: held.1.head_hash() };
    let later = revocation(&world, 0, 1, Some(vec![stands]));
    assert!(taken(&hand_in(&mut world, 1, &[&later])));
    assert!(world.requests(1)[0].flags.is_empty());
    // And an issuer who says that nothing stands.
    let nothing = revocation(&world, 0, 2, Some(Vec::new()));
    assert!(taken(&hand_in(&mut world, 1, &[&nothing])));
    assert!(world.requests(1).is_empty() && numbers(&world, 1, held_or(&world, node)).is_empty());
}

fn held_or(world: &World, node: NodeId) -> LogId {
    world.hosts[1].node.replica.logs_of(node).next().map_or_else(|| LogId::lowest(node), |(id, _)| id)
}

#[test]
fn the_roots_may_raise_what_an_issuer_cut_and_it_comes_back_from_disk() {
    let mut world = World::new(2);
    world.connect(0, 1);
    let rows = chain(&world, 0, 1, 6, [0; 16], "word");
    push(&mut world, 1, &rows.iter().collect::<Vec<_>>());
    let log = log_of(&world, 0);
    let all = numbers(&world, 1, log);
    assert_eq!(all.len(), 6);
    let low = revocation(&world, 0, 1, Some(vec![cut(&rows[2])]));
    assert!(taken(&hand_in(&mut world, 1, &[&low])));
    assert_eq!(numbers(&world, 1, log), all[..3]);
    let raised = by_roots(&world, 0, 1, vec![cut(&rows[4])]);
    assert!(taken(&hand_in(&mut world, 1, &[&raised])));
    assert_eq!(numbers(&world, 1, log), all[..5]);
    world.restart(1);
    assert_eq!(numbers(&world, 1, log), all[..5]);
}

#[test]
fn a_fork_is_settled_by_the_cut_that_names_one_of_its_stories() {
    let mut world = World::new(3);
    world.connect(2, 1);
    let mine = chain(&world, 0, 1, 5, [0; 16], "mine");
    let thief = chain(&world, 0, 3, 3, hash(&mine[1]), "thief");
    push(&mut world, 1, &thief.iter().collect::<Vec<_>>());
    push(&mut world, 1, &mine.iter().collect::<Vec<_>>());
    let log = log_of(&world, 0);
    assert!(world.status_of(1, 0).forked);
    assert_eq!(numbers(&world, 1, log).len(), 2, "frozen where the stories part");
    let now = world.now;
    let Answer::Heads(heads) = world.hosts[1].node.answer(now, &Question::Heads(log.author.to_string())) else {
        panic!("no heads")
    };
    let (number, mut stories) = heads.logbooks[0].forked.clone().expect("whoever settles it is shown both");
    stories.sort_unstable();
    let mut told = [&mine[2], &thief[0]].map(|row| crate::control::person::hex(&hash(row)));
    told.sort_unstable();
    assert_eq!((number, stories), (3, told));
    let settled = revocation(&world, 0, 1, Some(vec![cut(&mine[4])]));
    assert!(taken(&hand_in(&mut world, 1, &[&settled])));
    push(&mut world, 1, &mine.iter().collect::<Vec<_>>());
    let right: Vec<_> = mine.iter().map(|row| (row.id.number, hash(row))).collect();
    assert_eq!(numbers(&world, 1, log), right);
    assert!(!world.status_of(1, 0).forked, "settled");
    world.restart(1);
    assert_eq!(numbers(&world, 1, log), right);
}

#[test]
fn what_is_handed_in_is_taken_whole_or_not_at_all() {
    let mut world = World::new(2);
    world.connect(0, 1);
    let good = revocation(&world, 0, 1, None);
    let stranger = found_alliance(&AlliancePlan {
        seed: [9; 32],
        kind: RealmKind::Simulation,
        roots: 1,
        k: 1,
        firms: Vec::new(),
        not_before: 20_000,
        days: 400,
    });
    let foreign = stranger.unwrap().objects[0].clone();
    let key = armor(ArmorKind::NodeKey, &[1; 32]);
    let refused = [
        String::new(),
        "what?".to_owned(),
        key,
        format!("{}{}", armor(ArmorKind::Revocation, &good), armor(ArmorKind::Charter, &foreign)),
    ];
    for objects in refused {
        let reply = world.order(1, Command::Certify(Certify { objects: objects.clone() }));
        assert!(matches!(&reply, Reply::Refused(refusal) if refusal.code == "H-507"), "{objects}: {reply:?}");
        assert_eq!(world.status_of(1, 0).revoked, None, "{objects}");
    }
    assert!(taken(&hand_in(&mut world, 1, &[&good])));
    let again = hand_in(&mut world, 1, &[&good]);
    assert!(matches!(again, Reply::Saved(saved) if saved.already));
    send(&mut world, 0, &Message::Roster { objects: vec![good] });
}

/// Two nodes that hold different parts of what the owner and the thief wrote, some frozen and some not, and hear of the revocation at
/// different times: what one lacks it asks the other for, and nothing is said again by itself.
#[test]
fn two_halves_of_a_stolen_keys_story_become_one_by_asking_alone() {
    for seed in 0..120_u8 {
        let mut rng = Rng::new([seed; 32]);
        let mut world = World::new(4);
        world.connect(3, 1);
        world.connect(3, 2);
        let mine = chain(&world, 0, 1, 8, [0; 16], "mine");
        let ahead = chain(&world, 0, 9, 2, hash(&mine[7]), "thief");
        let from = 2 + rng.below(6) as u32;
        let back = chain(&world, 0, from, 3, hash(&mine[from as usize - 2]), "backdated");
        let revoked = revocation(&world, 0, 1, Some(vec![cut(&mine[7])]));
        // Host 3 holds what the owner wrote, as somebody must, and is heard by nobody yet: frames come over its links by hand.
        world.deaf.extend([(1, 3), (2, 3), (3, 1), (3, 2)]);
        let whole = Message::Entries { want: None, entries: mine.iter().map(wire).collect() };
        let link = world.wires.keys().find(|(of, _)| *of == 3).map(|(_, link)| *link).unwrap();
        world.inputs.push_back((3, Input::Received { link, frame: whole.to_frame() }));
        world.settle();
        let first = rng.below(2) as usize + 1;
        let early = rng.below(3);
        if early == 0 {
            assert!(taken(&hand_in(&mut world, first, &[&revoked])));
        }
        for host in [1, 2] {
            let other = |n: usize| (n + usize::from(seed)).is_multiple_of(2) == (host == 1);
            let mut rows: Vec<&EntryRow> =
                mine.iter().enumerate().filter(|(n, _)| other(*n) || rng.below(3) > 0).map(|(_, row)| row).collect();
            rows.extend(ahead.iter().chain(&back).filter(|_| rng.below(2) == 0));
            for place in (1..rows.len()).rev() {
                rows.swap(place, rng.below(place as u64 + 1) as usize);
            }
            rows.iter().for_each(|row| push_to(&mut world, host, row));
        }
        if early == 1 {
            assert!(taken(&hand_in(&mut world, first, &[&revoked])));
        }
        world.disconnect_all(3);
        world.deaf.clear();
        world.connect(1, 2);
        world.connect(3, 1);
        world.pass(Duration::from_secs(5));
        if early == 2 {
            assert!(taken(&hand_in(&mut world, first, &[&revoked])));
        }
        world.pass(Duration::from_secs(240));
        let right: Vec<_> = mine.iter().map(|row| (row.id.number, hash(row))).collect();
        let log = log_of(&world, 0);
        for host in [1, 2, 3] {
            assert_eq!(numbers(&world, host, log), right, "seed {seed} host {host} from {from} early {early}");
            assert_eq!(world.hosts[host].node.replica.log(log).unwrap().head(), 8, "seed {seed}");
        }
        let digests = world.digests();
        assert_eq!(digests[1], digests[2], "seed {seed} from {from} early {early}");
        assert_eq!(world.hosts[1].node.canonical_view(), world.hosts[2].node.canonical_view(), "seed {seed}");
    }
}

/// Over the link to host 3, as if it had been said there.
fn push_to(world: &mut World, host: usize, row: &EntryRow) {
    let link = world.wires.iter().find(|((of, _), (to, _))| *of == host && *to == 3).map(|((_, link), _)| *link).unwrap();
    let message = Message::Entries { want: None, entries: vec![wire(row)] };
    world.inputs.push_back((host, Input::Received { link, frame: message.to_frame() }));
    world.settle();
}
