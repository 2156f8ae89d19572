//! A scenario: who is there, what they are connected by, what happens when, and what is expected of it. Plain data, checked before
//! anything runs. Files are read into it, seeds draw it, the shrinker writes it back: all of them meet here.
//!
//! Times are microseconds since STARTEX; shares are parts per million; places are millionths of a degree. No floats.
//! Lists of sites and of elements are ascending, each once.

mod check;
mod defaults;
mod effect;
mod expected;
mod form;
pub mod generate;
pub mod goods;
mod line;
mod part;
mod problem;
mod read;
mod real;
mod selector;
mod sheet;
mod text;
mod tree;
pub mod words;
mod write;

#[cfg(test)]
mod tests;

use holdfast_proto::identity::Region;

use self::goods::GoodsDeed;
use self::words::{ElementKind, ForgeKind, Medium, SiteRole, Status};

pub use self::check::check;
pub use self::expected::{Check, Counted, Subject};
pub use self::line::{read_fields, read_line};
pub use self::problem::{Place, Problem, Remark};
pub(crate) use self::read::effect::item_names;
pub use self::read::read;
pub use self::real::is_theirs;
pub use self::text::{show_duration, show_time};
pub use self::write::write;

/// Microseconds since STARTEX, or a length of time.
pub type Micros = u64;
/// Parts per million.
pub type Ppm = u32;
/// A site by its place in [`Scenario::sites`]; it is the index of the node in the world, too.
pub type SiteNo = usize;

/// Everything that a run is a function of, with its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What it is called and how long it takes.
    pub exercise: Exercise,
    /// Who is there. At least two, at most 20,000.
    pub sites: Vec<Site>,
    /// What links depend on.
    pub elements: Vec<Element>,
    /// How links, disks, clocks and people behave unless an inject says otherwise.
    pub world: WorldModel,
    /// What happens, by time; contingencies after those with a time.
    pub injects: Vec<Inject>,
    /// What should come of it.
    pub expects: Vec<Expect>,
}

/// An exercise time as people write it: `00:20`, `05:00:30`, `1d 02:00`.
#[must_use]
pub fn exercise_time(text: &str) -> Option<Micros> {
    self::text::time(text).ok()
}

impl Scenario {
    /// BLAKE3 over all of it, hex: what is read from the same files has the same.
    #[must_use]
    pub fn hash(&self) -> String {
        blake3::hash(format!("{self:?}").as_bytes()).to_hex().to_string()
    }

    /// The same without where it was written: two scenarios that only lie in different files become equal.
    #[must_use]
    pub fn unplaced(mut self) -> Self {
        for origin in self.injects.iter_mut().map(|i| &mut i.origin).chain(self.expects.iter_mut().map(|e| &mut e.origin)) {
            *origin = Origin::default();
        }
        self
    }
}

/// The frame of an exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exercise {
    /// Shown on every screen, page and export: `VINTER-27`.
    pub id: String,
    /// One line.
    pub title: String,
    /// Never `actual`.
    pub status: Status,
    /// Milliseconds since 1970 UTC of STARTEX, as people read it off a clock.
    pub startex_ms: i64,
    /// Offset of that clock from UTC in seconds, to show exercise time as wall time.
    pub offset_s: i32,
    /// From STARTEX to ENDEX.
    pub duration: Micros,
    /// All chance comes from it; the command line may give another.
    pub seed: u64,
    /// What the exercise is for: (id, text).
    pub objectives: Vec<(String, String)>,
    /// After the last fault everything is mended and so long is given to become equal; zero: the run ends at ENDEX as it is.
    pub settle: Micros,
}

impl Exercise {
    /// Its title, or what it is called where it has none.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.title.is_empty() { &self.id } else { &self.title }
    }
}

/// One node and the place it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// As injects name it: `S117`.
    pub id: String,
    /// As people name it.
    pub name: String,
    /// Millionths of a degree north.
    pub lat: i32,
    /// Millionths of a degree east.
    pub lon: i32,
    /// Store, hub or authority.
    pub role: SiteRole,
    /// The firm.
    pub owner: String,
    /// County, as certificates name it.
    pub region: Region,
    /// Sites that lose mains together.
    pub power_area: String,
    /// Sites of one building or compound with one LAN; empty: alone.
    pub lan: String,
    /// How long the UPS carries the PC.
    pub ups: Micros,
    /// How long the generator's tank lasts; zero: no generator.
    pub generator: Micros,
    /// What it can speak over.
    pub media: Vec<Medium>,
}

/// Something many links depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// `CABLE-EAST-1`.
    pub id: String,
    /// A cable joins its users to everybody else; an exchange, mast or provider joins each user to anybody.
    pub kind: ElementKind,
    /// Whose WAN links pass through it.
    pub used_by: Vec<SiteNo>,
}

/// How things behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldModel {
    /// QUIC-like links between sites.
    pub wan: Path,
    /// Links inside one LAN segment.
    pub lan: Path,
    /// Whether fresh entries are also heard over one lossy broadcast domain (gossip), and how that behaves.
    pub gossip: Option<Path>,
    /// Radio channels by name.
    pub channels: Vec<Channel>,
    /// Addresses each node is configured with.
    pub known: usize,
    /// Stores on worn USB sticks instead of SSDs.
    pub slow_disks: bool,
    /// Clocks drift and may be years off.
    pub wrong_clocks: bool,
    /// Every node's alliance file lacks the certificate of one other.
    pub partial_roster: bool,
    /// Stores ask the nearest hub of their region; otherwise all hubs there are.
    pub home_hubs: bool,
    /// People.
    pub operators: Operators,
    /// What nodes say without being told by an inject.
    pub tempo: Tempo,
}

/// How one link behaves in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// One way.
    pub delay: Micros,
    /// Up to so much more, evenly spread.
    pub jitter: Micros,
    /// Frames lost in the good state; on a reliable link they come late instead.
    pub loss: Ppm,
    /// Gilbert-Elliott: chance per frame to fall into the bad state, to leave it, and the loss in it. Zeros: no bad state.
    pub burst: (Ppm, Ppm, Ppm),
    /// Frames that come twice (unreliable links only).
    pub duplicate: Ppm,
    /// Frames overtaken by later ones (unreliable links only).
    pub reorder: Ppm,
    /// Frames that come with a bit turned (unreliable links only).
    pub corrupt: Ppm,
    /// Bytes a second, 0 for plenty.
    pub rate: u64,
    /// Bytes that wait to be sent; the credit given.
    pub queue: u32,
    /// Bytes of the longest frame.
    pub mtu: u32,
    /// Every frame, once, in order, while the link is up.
    pub reliable: bool,
}

/// One shared half-duplex radio channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// As sites name it in `media`: `radio:R1` there is `R1` here.
    pub name: String,
    /// How long bytes take.
    pub modulation: Modulation,
    /// Transmitter on before the first bit.
    pub keyup: Micros,
    /// From sending to hearing.
    pub turnaround: Micros,
    /// A start is noticed by others after so long.
    pub sense: Micros,
    /// Of an hour so much may be sent.
    pub duty: Ppm,
    /// A frame stronger by so many dB survives an overlap.
    pub capture_db: u8,
    /// Metres within which stations hear each other.
    pub range_m: u32,
    /// Bytes of the longest frame, 60 to 1,000.
    pub mtu: u32,
    /// Frames lost although nobody disturbed them.
    pub loss: Ppm,
}

/// How long bytes take on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modulation {
    /// Bits a second.
    Rate(u32),
    /// LoRa: spreading factor 6 to 12, bandwidth in Hz, coding rate 4/(4 + n), n from 1 to 4.
    Lora {
        /// Spreading factor.
        sf: u8,
        /// Hz.
        bw: u32,
        /// n of 4/(4 + n).
        cr: u8,
    },
}

/// How people act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operators {
    /// What an inject tells a site to do is done after so long, at least and at most.
    pub confirm: (Micros, Micros),
    /// Between these times of day (microseconds after local midnight) it takes `night_slower` times as long; equal: no night.
    pub night: (Micros, Micros),
    /// Factor, at least 1.
    pub night_slower: u32,
}

/// What every node says by itself, mean times between two; zero: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// Reports that re-issue the board (status, power, stock).
    pub boards: Micros,
    /// Requests and what follows from them.
    pub entries: Micros,
    /// Each store asks for goods so often; hubs send them and stores sign for them, as people do who do it well.
    pub needs: Micros,
    /// Whatever an operator could do, tests of all acts; for swarms.
    pub acts: Micros,
}

/// Something that is made to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inject {
    /// Number in the list of events; unique.
    pub nr: u32,
    /// When.
    pub when: When,
    /// What.
    pub effect: Effect,
    /// It is undone after so long.
    pub lasts: Option<Micros>,
    /// Others refer to it by this.
    pub name: Option<String>,
    /// Said to players and written into the log.
    pub say: Option<String>,
    /// Which objective it serves.
    pub objective: Option<String>,
    /// Expectations this inject is meant to bring about.
    pub expect: Vec<String>,
    /// Done by hand during play.
    pub by_hand: bool,
    /// Where it was written.
    pub origin: Origin,
}

impl Inject {
    /// What injects are sorted by: those with a time first, then by time, then by number.
    #[must_use]
    pub fn order(&self) -> (bool, Micros, u32) {
        match self.when {
            When::At(at) => (false, at, self.nr),
            When::Unless { by, .. } => (true, by, self.nr),
        }
    }
}

/// When an inject happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Then.
    At(Micros),
    /// Then, but only if the expectation is not met by then.
    Unless {
        /// Its id.
        expect: String,
        /// Until then.
        by: Micros,
    },
}

/// Where something was written, for errors and the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// File name; empty: made by the program.
    pub file: String,
    /// Line of the file, or row of the sheet, from 1.
    pub row: u32,
}

/// The closed vocabulary of what may happen. Undone: when [`Inject::lasts`] is over, by its named opposite, or at the settling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Mains are gone; UPS and generator carry on for as long as they last, then the PC stops without a word.
    PowerLoss(Vec<SiteNo>),
    /// Mains are back; stopped PCs start.
    PowerBack(Vec<SiteNo>),
    /// Elements fail; every link that depends on them goes.
    Cut(Vec<usize>),
    /// Elements work again.
    Restore(Vec<usize>),
    /// The WAN links of these sites get this path.
    Degrade {
        /// Whose.
        sites: Vec<SiteNo>,
        /// What they become.
        path: Path,
    },
    /// Between these groups nothing passes on any IP link. Sites in no group are untouched.
    Partition {
        /// At least one; a single group is cut from everybody else.
        groups: Vec<Vec<SiteNo>>,
        /// Only what the first group sends to the others is lost.
        one_way: bool,
    },
    /// All partitions, element cuts, noise and broken antennas end; with sites, only theirs.
    Heal(Vec<SiteNo>),
    /// Links of these sites go down and up again with this period.
    Flap {
        /// Whose.
        sites: Vec<SiteNo>,
        /// Down for half of it, up for half.
        period: Micros,
    },
    /// Sites are cut off one by one and come back in another order, within `lasts`.
    Swizzle(Vec<SiteNo>),
    /// Every site of this owner stops.
    FirmOutage(String),
    /// The PC stops without a word; `lasts` or `restart` ends it.
    Crash(Vec<SiteNo>),
    /// It starts again.
    Restart(Vec<SiteNo>),
    /// The disk is lost and another PC stands there with the same paper.
    ReplacePc(Vec<SiteNo>),
    /// Writes fail.
    DiskFull(Vec<SiteNo>),
    /// Bits of the stored rows are turned; found at the next start, which this forces.
    DiskCorrupt(Vec<SiteNo>),
    /// A backup taken `age` ago is put back, of the data folder or of the whole machine.
    OldBackup {
        /// Whose.
        sites: Vec<SiteNo>,
        /// How old.
        age: Micros,
        /// The stamp outside the folder goes back too: the PC can't know.
        machine: bool,
    },
    /// The wall clock jumps.
    ClockJump {
        /// Whose.
        sites: Vec<SiteNo>,
        /// Milliseconds, forward or back.
        by_ms: i64,
    },
    /// The clock runs fast or slow.
    ClockDrift {
        /// Whose.
        sites: Vec<SiteNo>,
        /// Parts per million, forward or back.
        ppm: i32,
    },
    /// Noise on a radio channel within a range of a place.
    Jam {
        /// Which channel.
        channel: String,
        /// Around these sites; empty: everywhere.
        sites: Vec<SiteNo>,
    },
    /// The radios of these sites neither send nor hear.
    AntennaDown(Vec<SiteNo>),
    /// Somebody carries what one site holds to another; the journey takes `lasts`, one hour where it is not said.
    Courier {
        /// From.
        from: SiteNo,
        /// To.
        to: SiteNo,
    },
    /// An adversary speaks with what it took or made.
    Forge {
        /// How.
        kind: ForgeKind,
        /// At whose place, or with whose key.
        site: SiteNo,
    },
    /// The key of a site is taken away.
    Revoke {
        /// Whose.
        site: SiteNo,
        /// At whose desk.
        at: SiteNo,
    },
    /// Staff of these sites report: (field, value) as the CLI takes them.
    Report {
        /// Who.
        sites: Vec<SiteNo>,
        /// `water=low`, `operating.status=closed`, `power.source=generator`.
        values: Vec<(String, String)>,
    },
    /// Staff of a site ask for something.
    Request {
        /// Who asks.
        site: SiteNo,
        /// How this scenario calls it: `R-17`; checks refer to it as `request:R-17`.
        label: String,
        /// Item and quantity.
        lines: Vec<(String, u64)>,
        /// `immediate`, `urgent`, `routine`, `low`.
        priority: String,
        /// Needed within so long.
        needed_by: Option<Micros>,
    },
    /// Who asked for it takes it back.
    Cancel(String),
    /// A site promises, sends, signs for or counts goods.
    Goods {
        /// Who.
        site: SiteNo,
        /// What.
        deed: GoodsDeed,
    },
    /// Who asked for it says the need is met.
    Close(String),
    /// Staff of a site say what they saw of another.
    Observe {
        /// Who.
        site: SiteNo,
        /// Of whom.
        of: SiteNo,
        /// What.
        values: Vec<(String, String)>,
    },
    /// A site orders a mode for an authority's region: its own, or that of whom it acts for.
    Order { site: SiteNo, acting_for: Option<SiteNo>, mode: String },
    /// An authority names who acts for it once it is unheard for so long.
    Deputies { site: SiteNo, of: Vec<SiteNo>, after: Micros },
    /// Nobody is at the desks: what staff should do waits.
    OperatorAbsent(Vec<SiteNo>),
    /// Words into the log and to players, nothing else.
    Say,
    /// Words to the controller alone.
    TellController,
    /// ENDEX now.
    StopExercise,
}

/// What should come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Unique.
    pub id: String,
    /// Which objective it serves.
    pub objective: Option<String>,
    /// In words.
    pub text: String,
    /// The clock starts here.
    pub after: After,
    /// And ends so much later, or at this time.
    pub within: Micros,
    /// All of them must hold at one moment in between; a `never` must hold in all of it.
    pub checks: Vec<Check>,
    /// Where it was written.
    pub origin: Origin,
}

/// When an expectation begins to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// STARTEX, or this time after it.
    Time(Micros),
    /// When this inject happened; an inject that never happens leaves the expectation not observed.
    Inject(u32),
}
