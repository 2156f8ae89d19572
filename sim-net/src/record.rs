//! What a run leaves behind: enough for the report, and for running it again with everything that was done
//! by hand. Plain data, written as `record.json`; the report is a function of it alone.
//!
//! Times are microseconds since STARTEX. Sites are named by their place in [`Record::sites`].

mod phrase;

use serde::{Deserialize, Serialize};

pub use self::phrase::{Both, Phrase, Reading, Told, Whom, Word, effect};

/// Named in every record; another value is refused with both names.
pub const SCHEMA: &str = "holdfast.sim.record/4";

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: String,
    /// What was played.
    pub exercise: Title,
    /// How it was played.
    pub run: Run,
    /// Who took part.
    pub sites: Vec<Place>,
    /// Every inject, planned and by hand, in the order of the list of events.
    pub injects: Vec<InjectRecord>,
    /// Every expectation.
    pub expectations: Vec<ExpectRecord>,
    /// How long words took to get around, per region and altogether (`of` empty).
    pub knowledge: Vec<Knowledge>,
    /// The same by the medium that brought them, named as in [`Load`].
    pub by_medium: Vec<Knowledge>,
    /// Every request that was made.
    pub requests: Vec<RequestRecord>,
    /// What people had to settle, by when it was first seen.
    #[serde(default)]
    pub conflicts: Vec<ConflictRecord>,
    /// The state of the alliance at turning points.
    pub turning_points: Vec<TurningPoint>,
    /// What the media carried.
    pub load: Vec<Load>,
    /// What was forged and what came of it.
    pub forged: Vec<Forged>,
    /// Standing rules.
    pub invariants: Vec<Invariant>,
    /// What happened, ascending by time.
    pub timeline: Vec<Happened>,
    /// Lines of play that were left by going back to a checkpoint, in the order in which they were left.
    pub left: Vec<Line>,
}

/// A line of play that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number.
    pub nr: u32,
    /// The line that it left, and when; `None`: it began at STARTEX.
    pub parent: Option<(u32, u64)>,
    /// Virtual time reached when it was left.
    pub reached: u64,
    /// What was done by hand in it, not before it began.
    pub by_hand: Vec<InjectRecord>,
    /// What evaluators noted in it, and when.
    pub notes: Vec<(u64, String)>,
    /// Every expectation as it stood.
    pub expectations: Vec<ExpectRecord>,
    /// How often rules were broken in it.
    pub violations: u64,
    /// Over everything that crossed the boundary of any node.
    pub fingerprint: String,
}

/// What was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// Of the exercise.
    pub id: String,
    /// One line.
    pub title: String,
    /// `exercise`, `rehearsal` or `test`.
    pub status: String,
    /// STARTEX in milliseconds since 1970 UTC.
    pub startex_ms: i64,
    /// Offset of the clock on the wall from UTC, seconds.
    pub offset_s: i32,
    /// STARTEX to ENDEX.
    pub duration: u64,
    /// (id, text).
    pub objectives: Vec<(String, String)>,
}

/// How it was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Where the scenario was read from; empty: drawn from the seed.
    pub scenario: String,
    /// BLAKE3 of the scenario as written out, hex: the same file, the same hash.
    pub scenario_hash: String,
    /// The same of the scenario as it was played, with what was done by hand.
    pub played_hash: String,
    /// Version of the program.
    pub build: String,
    /// All chance came from it.
    pub seed: u64,
    /// Over everything that crossed the boundary of any node.
    pub fingerprint: String,
    /// Virtual time reached.
    pub reached: u64,
    /// Why it ended before its end: `real-event`, `stopped`, `until`, `time`, `memory`, `interrupted`, `runaway`. `None`: it did not.
    pub ended_early: Option<String>,
    /// Events carried out.
    pub events: u64,
    /// From the last mending until all states were equal; `None`: they never were, or nothing was mended.
    pub converged_after_heal: Option<u64>,
    /// Words acknowledged to people.
    pub words: u64,
    /// Of those, missing in the end anywhere they should be.
    pub lost: u64,
    /// Of the lost, those that went with the only stores that held them.
    pub excused: u64,
    /// Number of the line of play that this is. The first begins at STARTEX; going back to a checkpoint begins another.
    pub line: u32,
    /// The line that it left, and when; `None`: it began at STARTEX.
    pub parent: Option<(u32, u64)>,
}

/// One site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// `S117`.
    pub id: String,
    /// As people name it.
    pub name: String,
    /// Millionths of a degree north and east.
    pub at: (i32, i32),
    /// `store`, `hub`, `authority`.
    pub role: String,
    /// Firm.
    pub owner: String,
    /// `TPE`.
    pub region: String,
}

/// One inject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InjectRecord {
    /// Number in the list.
    pub nr: u32,
    /// The word of the vocabulary.
    pub what: String,
    /// Whom or what it touched, in words.
    pub on: String,
    /// How many sites.
    pub sites: u32,
    /// When it was to happen; `None` for one done by hand.
    pub planned: Option<u64>,
    /// When it happened; `None`: never.
    pub happened: Option<u64>,
    /// Why it never happened, where that is known.
    pub why_not: Option<Phrase>,
    /// When it was undone.
    pub undone: Option<u64>,
    /// The first thing seen to follow from it: when and what.
    pub first_effect: Option<(u64, Phrase)>,
    /// Only if an expectation was not met.
    pub contingency: bool,
    /// Done by the controller during play.
    pub by_hand: bool,
    /// Said to players.
    pub say: String,
    /// Serves this objective.
    pub objective: String,
    /// File and row, or empty.
    pub origin: String,
}

/// Result of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// In time.
    Met,
    /// After its time.
    MetLate,
    /// Not before the end.
    NotMet,
    /// It could not be looked at: what starts its clock never happened, or play ended before.
    NotObserved,
}

/// One expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectRecord {
    /// `X1`.
    pub id: String,
    /// In words.
    pub text: String,
    /// Serves this objective.
    pub objective: String,
    /// What came of it.
    pub result: Verdict,
    /// From when.
    pub from: Option<u64>,
    /// Until when.
    pub due: Option<u64>,
    /// When it was met.
    pub met_at: Option<u64>,
    /// By how much it was late.
    pub late: Option<u64>,
    /// How far it was in the end: `37 of 41 sites know it`.
    pub seen: Vec<Phrase>,
}

/// How long words took from acknowledged at their author to durable at others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knowledge {
    /// Where the hearers are, empty: everywhere; or by which medium it came.
    pub of: String,
    /// Deliveries seen.
    pub deliveries: u64,
    /// Half of them took at most this.
    pub p50: u64,
    /// 95 of 100 of them took at most this.
    pub p95: u64,
    /// The slowest.
    pub slowest: u64,
    /// Deliveries that never came, by why: hearer off, hearer cut off, still on the way.
    pub never: [u64; 3],
    /// For the plot: (took at most, deliveries), ascending, cumulative.
    pub curve: Vec<(u64, u64)>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// `R-17` of the scenario, or the spoken id where it had none.
    pub label: String,
    /// Spoken id.
    pub id: String,
    /// Who asked.
    pub site: usize,
    /// When it was acknowledged to the asker.
    pub at: u64,
    /// `water 40`.
    pub lines: Vec<String>,
    /// `urgent`.
    pub priority: String,
    /// Hubs that acknowledged it: who and when.
    pub acknowledged: Vec<(usize, u64)>,
    /// What happened to it after: when, by whom, what.
    pub history: Vec<(u64, usize, String)>,
    /// Sites that held it in the end, and sites running then; zeros for a request that no inject made.
    pub known: (u32, u32),
    /// As the asker's own node shows it in the end; `asker-off`: it does not run.
    pub state: String,
}

/// Something that people had to settle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictRecord {
    /// `C1-7Q4KM2X`, as every node calls it.
    pub name: String,
    /// `over_covered`, as nodes show it.
    pub kind: String,
    /// `R-...` or `V-...`.
    pub about: String,
    /// For whom the goods are.
    pub consignee: usize,
    /// Whose goods and how many: `water 40`.
    pub goods: Vec<(usize, String)>,
    /// What was proposed when it was last seen.
    pub proposals: Vec<ProposalRecord>,
    /// When it was first seen, and where. The lists are looked at every five minutes.
    pub first: (u64, usize),
    /// When all who were looked at listed it.
    pub by_all: Option<u64>,
    /// Since when none of them does; `None`: it stands.
    pub settled: Option<u64>,
}

/// What somebody was asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalRecord {
    /// Who.
    pub by: usize,
    /// `release`, as nodes show it.
    pub what: String,
    /// `P-...`, `V-...` or `R-...`.
    pub of: String,
    /// `water 40`, for a release.
    pub goods: Option<String>,
    /// The request to which goods go instead.
    pub to: Option<String>,
}

/// The state of the alliance at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurningPoint {
    /// When.
    pub at: u64,
    /// `inject 2: cut CABLE-EAST-1`.
    pub what: Phrase,
    /// Per site: 0 off, otherwise the number of the island of sites that can reach each other, 1 the largest.
    pub islands: Vec<u16>,
    /// Sites running.
    pub running: u32,
    /// Requests open anywhere.
    pub requests_open: u32,
}

/// What one medium carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// `wan`, `lan`, `gossip`, `radio:R1`, `courier`.
    pub medium: String,
    /// Frames given to it.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames lost, or late where the medium repairs.
    pub lost: u64,
    /// Time on the air.
    pub airtime: u64,
    /// Busiest hour of any one sender, parts per million of the hour.
    pub duty: u32,
    /// Frames lost to others that sent at once.
    pub collisions: u64,
    /// Bytes of the longest queue seen.
    pub queue: u64,
}

/// What one adversary did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forged {
    /// Number of the inject.
    pub inject: u32,
    /// `stolen-key`.
    pub kind: String,
    /// Where.
    pub site: usize,
    /// Words or frames it sent.
    pub sent: u64,
    /// Sites that hold anything of it.
    pub accepted_by: u32,
    /// What it means, in words.
    pub note: String,
}

/// One standing rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invariant {
    /// `P4.spoken`.
    pub id: String,
    /// In words.
    pub text: String,
    /// How often it was checked.
    pub checked: u64,
    /// How often it was broken.
    pub violations: u64,
    /// The first time: when, where, what was seen.
    pub first: Option<(u64, Option<usize>, String)>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When.
    pub at: u64,
    /// `inject`, `undone`, `up`, `down`, `said`, `expectation`, `converged`, `violation`, `real-event`, `note`.
    pub kind: String,
    /// Where, if at one site.
    pub site: Option<usize>,
    /// What.
    pub what: Phrase,
}
