//! A node is recorded while it works, then played again from the bytes alone.

use super::*;
use crate::control::{Answer, Command, CommandId, Question, Report};
use crate::identity::{Alliance, AlliancePlan, FirmPlan, NodePlan, RealmKind, Role, found_alliance};
use crate::time::UtcMillis;

fn alliance() -> Alliance {
    let region = crate::identity::Region::from_code("TPE").unwrap();
    let node = NodePlan { name: "Store".to_owned(), role: Role::Store, region, tier: 1 };
    let plan = AlliancePlan {
        seed: [3; 32],
        kind: RealmKind::Simulation,
        roots: 3,
        k: 2,
        firms: vec![FirmPlan { firm: "Example Mart".to_owned(), nodes: vec![node.clone(), node] }],
        not_before: 20_000,
        days: 3_650,
    };
    found_alliance(&plan).unwrap()
}

/// A node and the file that is written of it.
struct Recorded {
    node: Node,
    asking: Asking,
    now: Now,
    file: Vec<u8>,
    rows: Vec<Row>,
    persisted: Vec<u64>,
}

impl Recorded {
    fn new(alliance: &Alliance, rows: Vec<Row>) -> Self {
        let now = Now { mono: Instant(7), wall: UtcMillis(1_795_000_000_000) };
        let issued = &alliance.nodes[0];
        let catalogue: crate::domain::Catalogue = toml::from_str(crate::domain::item::BUILT_IN).unwrap();
        let start = Start {
            build: "test".to_owned(),
            config: Config::default(),
            me: issued.node,
            key: issued.secret.public(),
            objects: alliance.objects.clone(),
            catalogue: serde_json::to_string(&catalogue).unwrap(),
            seed: [9; 32],
            stamp: None,
            now,
        };
        let setup = Setup {
            config: start.config.clone(),
            me: start.me,
            signer: Signer::Recorded(issued.secret.clone(), Vec::new()),
            known: Known::read(&start.objects).unwrap(),
            catalogue,
            seed: start.seed,
            stamp: start.stamp,
        };
        let mut file = [MAGIC, &frame(&Part::Start(Box::new(start)))].concat();
        let mut restoring = Restoring::new(setup, now);
        for row in rows {
            file.extend(frame(&Part::Row(row.clone())));
            restoring.take(row);
        }
        let node = restoring.finish().unwrap();
        let mut recorded = Self { node, asking: Asking::default(), now, file, rows: Vec::new(), persisted: Vec::new() };
        recorded.note(None);
        recorded
    }

    fn hand_in(&mut self, input: Input) {
        self.now.mono = self.now.mono.after(std::time::Duration::from_millis(40));
        self.node.handle(self.now, input.clone());
        self.note(Some(input));
    }

    fn note(&mut self, input: Option<Input>) {
        while let Some(output) = self.node.poll_output() {
            self.asking.output(&output);
            if let Output::Persist { token, rows, .. } = output {
                self.rows.extend(rows);
                self.persisted.push(token);
            }
        }
        let step = Step { now: self.now, input, signatures: self.node.signatures(), asked: self.asking.take() };
        self.file.extend(frame(&Part::Step(step)));
        for token in std::mem::take(&mut self.persisted) {
            self.hand_in(Input::Persisted { token });
        }
    }

    fn picture(&mut self) -> Answer {
        self.node.answer(self.now, &Question::Status)
    }

    fn report(&mut self, id: u64, level: &str) {
        let values = [("stock.water".to_owned(), level.to_owned())].into();
        let report = Report { values, act: crate::control::Act::default() };
        self.hand_in(Input::Command { id: CommandId(id), command: Command::Report(report) });
    }
}

fn picture_of(replay: &mut Replay<'_>) -> Answer {
    let now = replay.now();
    replay.node().answer(now, &Question::Status)
}

/// The replay of all steps; true where each was the same.
fn play(file: &[u8]) -> (Replay<'_>, bool) {
    let mut replay = Replay::new(file).unwrap();
    let mut same = true;
    while let Some(played) = replay.step().unwrap() {
        same &= played.same();
    }
    (replay, same)
}

#[test]
fn a_recorded_node_does_the_same_again_and_its_key_is_not_in_the_file() {
    let alliance = alliance();
    let mut first = Recorded::new(&alliance, Vec::new());
    first.report(1, "low");
    first.report(2, "plenty");
    first.report(3, "no such level");
    let picture = first.picture();
    let (mut replay, same) = play(&first.file);
    assert!(same);
    assert!(!replay.torn());
    assert_eq!(picture_of(&mut replay), picture);
    assert!(replay.steps() > 5, "{}", replay.steps());
    let seed = alliance.nodes[0].secret.seed();
    assert!(!first.file.windows(32).any(|window| window == seed));

    // A second life, from what the store holds.
    let mut second = Recorded::new(&alliance, first.rows.clone());
    second.report(1, "low");
    let (mut replay, same) = play(&second.file);
    assert!(same);
    assert_eq!(picture_of(&mut replay), second.picture());
}

#[test]
fn a_replay_tells_the_step_at_which_it_leaves_the_recording() {
    let alliance = alliance();
    let mut first = Recorded::new(&alliance, Vec::new());
    first.report(1, "low");
    let mut parts = Parts::new(&first.file).unwrap();
    let mut steps = Vec::new();
    let mut file = MAGIC.to_vec();
    while let Some(mut part) = parts.next().unwrap() {
        if let Part::Step(step) = &mut part {
            if let Some(Input::Command { command: Command::Report(report), .. }) = &mut step.input {
                report.values = [("stock.water".to_owned(), "plenty".to_owned())].into();
                steps.push(true);
            } else {
                steps.push(false);
            }
        }
        file.extend(frame(&part));
    }
    let changed = steps.iter().position(|changed| *changed).unwrap();
    let mut replay = Replay::new(&file).unwrap();
    let mut left = None;
    while let Some(played) = replay.step().unwrap() {
        if !played.same() {
            left = left.or(Some(played.number));
        }
    }
    // What it would say now was never signed, so it can't say it.
    assert_eq!(left, Some(changed as u64));
}

#[test]
fn what_is_no_recording_is_refused_and_what_was_cut_is_played_as_far_as_it_goes() {
    let alliance = alliance();
    let mut first = Recorded::new(&alliance, Vec::new());
    first.report(1, "low");
    let file = &first.file;
    assert_eq!(Replay::new(b"PK\x03\x04").unwrap_err(), Unreadable::NoRecording);
    let later = [b"holdfast.recording/2\n", &file[MAGIC.len()..]].concat();
    assert_eq!(Replay::new(&later).unwrap_err(), Unreadable::OtherVersion("holdfast.recording/2".to_owned()));
    assert_eq!(Replay::new(&file[..MAGIC.len() + 40]).unwrap_err(), Unreadable::NoStart);

    let (whole, _) = play(file);
    let (cut, same) = play(&file[..file.len() - 1]);
    assert!(same && cut.torn());
    assert_eq!(cut.steps(), whole.steps() - 1);

    let mut lying = file.clone();
    let last = file.len() - 30;
    lying.truncate(last);
    lying.extend([0xff; 30]);
    let mut replay = Replay::new(&lying).unwrap();
    let end = loop {
        match replay.step() {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(why) => break Some(why),
        }
    };
    assert!(replay.torn() || matches!(end, Some(Unreadable::Damaged(_))), "{end:?}");
}
