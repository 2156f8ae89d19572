//! What operators do: a seeded stream of commands for each node, as a person would type them. It keeps what it needs to go on
//! (which requests it made) and judges nothing.

pub mod depot;
pub mod goods;

use std::collections::BTreeMap;

use holdfast_proto::control::{Act, Command, Fault, ModeWish, Observe, Report, RequestAct, RequestNew, RequestUpdate};
use holdfast_proto::id::NodeId;

use crate::dice::{Dice, Purpose};

/// Readings operators report: field and values as typed.
const READINGS: [(&str, &[&str]); 6] = [
    ("operating.status", &["open", "limited", "closed"]),
    ("power.source", &["mains", "generator"]),
    ("power.fuel", &["120", "80", "15"]),
    ("stock.water", &["120", "40", "0"]),
    ("stock.rice", &["30", "12"]),
    ("stock.blankets", &["25", "5"]),
];

/// Lines of requests.
const LINES: [&str; 4] = ["water:40", "rice:12", "blankets:30", "other:tarpaulin, large=3"];

/// Kinds of commands, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Readings.
    Report,
    /// A new request.
    New,
    /// The same new request again, with its key.
    Again,
    /// A newer version.
    Update,
    /// Cancel.
    Cancel,
    /// Close.
    Close,
    /// Confirm.
    Confirm,
    /// Another node was seen.
    Observe,
    /// The site works in another mode.
    Mode,
    /// An authority orders, or names who acts for it.
    Order,
    /// Goods are promised, sent or received.
    Goods,
    /// A drill fault.
    Fault,
    /// A revocation is handed in.
    Certify,
    /// A piece of a courier's file is handed in.
    Courier,
}

impl Kind {
    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::New => "request",
            Self::Again => "request with a used key",
            Self::Update => "update",
            Self::Cancel => "cancel",
            Self::Close => "close",
            Self::Confirm => "confirm",
            Self::Observe => "observe",
            Self::Mode => "mode",
            Self::Order => "order",
            Self::Goods => "goods",
            Self::Fault => "fault",
            Self::Courier => "courier",
            Self::Certify => "certify",
        }
    }
}

/// The desk of one node.
#[derive(Clone, Debug)]
pub struct Desk {
    dice: Dice,
    node: usize,
    count: u64,
    mine: Vec<String>,
    keyed: Option<RequestNew>,
    cut: bool,
    /// What a plain report says of the site: what staff were last told to say.
    status: String,
}

impl Desk {
    /// The desk of `node` in the run of `seed`.
    #[must_use]
    pub fn new(seed: u64, node: usize) -> Self {
        Self {
            dice: Dice::new(seed, Purpose::Work, node as u64),
            node,
            count: 0,
            mine: Vec::new(),
            keyed: None,
            cut: false,
            status: "open".to_owned(),
        }
    }

    /// A request was made here under this spoken id.
    pub fn learn(&mut self, id: String) {
        if !self.mine.contains(&id) {
            self.mine.push(id);
        }
    }

    /// Staff were told to report this: from now on they say so by themselves, too.
    pub fn told(&mut self, values: &BTreeMap<String, String>) {
        if let Some(status) = values.get("operating.status") {
            self.status.clone_from(status);
        }
    }

    /// Something wakes the node for nothing, now and then.
    pub fn wakes_early(&mut self) -> bool {
        self.dice.chance(30)
    }

    /// What the operator does next, in an alliance of `count` with these names; with `drills` perhaps a cut, or its end.
    pub fn act(&mut self, count: usize, drills: bool, names: impl Fn(usize) -> NodeId) -> (Kind, Command) {
        self.count += 1;
        if drills && self.dice.chance(if self.cut { 200 } else { 20 }) {
            return (Kind::Fault, Command::Fault(self.drill(count, names)));
        }
        match self.dice.below(20) {
            0 if self.dice.chance(500) => (Kind::Mode, Command::Mode(self.mode())),
            0..=6 => (Kind::Report, Command::Report(self.report())),
            7..=11 => (Kind::New, Command::RequestNew(self.request())),
            12 => match self.keyed.clone() {
                Some(again) => (Kind::Again, Command::RequestNew(again)),
                None => (Kind::New, Command::RequestNew(self.request())),
            },
            13..=14 => {
                let other = (self.node + 1 + self.dice.index(count - 1)) % count;
                (Kind::Observe, Command::Observe(self.observe(names(other))))
            }
            15..=16 => self.update(),
            17 => self.end(Kind::Cancel, Command::RequestCancel),
            18 => self.end(Kind::Close, Command::RequestClose),
            19.. => self.end(Kind::Confirm, Command::RequestConfirm),
        }
    }

    fn drill(&mut self, count: usize, names: impl Fn(usize) -> NodeId) -> Fault {
        self.cut = !self.cut;
        if self.cut {
            let others = (0..count).filter(|other| *other != self.node);
            Fault::Cut { nodes: others.filter(|_| self.dice.chance(500)).map(names).collect() }
        } else {
            Fault::Heal
        }
    }

    /// What follows from serving the public: mostly a new request, sometimes the end of an older one.
    pub fn routine(&mut self) -> (Kind, Command) {
        self.count += 1;
        match self.dice.below(4) {
            0..=2 => (Kind::New, self.plain_request()),
            3.. if self.mine.is_empty() => (Kind::New, self.plain_request()),
            3.. => {
                let oldest = self.mine.remove(0);
                (Kind::Close, Command::RequestClose(RequestAct { request: oldest, ..RequestAct::default() }))
            }
        }
    }

    /// A request nobody else ever made: for figures.
    pub fn plain_request(&mut self) -> Command {
        self.count += 1;
        Command::RequestNew(RequestNew {
            items: vec![format!("water:{}", 1 + self.count % 90)],
            note: Some(format!("figure {}-{}", self.node, self.count)),
            ..RequestNew::default()
        })
    }

    /// A report of two readings, one of them the stock of water counted anew.
    pub fn plain_report(&mut self) -> Command {
        self.count += 1;
        let values = BTreeMap::from([
            ("operating.status".to_owned(), self.status.clone()),
            ("stock.water".to_owned(), format!("{}", self.count % 900)),
        ]);
        Command::Report(Report { values, act: Act::default() })
    }

    fn desk(&mut self) -> Act {
        Act { desk: self.dice.chance(300).then(|| "till 2".to_owned()), ..Act::default() }
    }

    fn values(&mut self) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        for _ in 0..=self.dice.below(3) {
            let place = self.dice.index(READINGS.len());
            let (field, choices) = READINGS[place];
            let value = choices[self.dice.index(choices.len())];
            values.insert(field.to_owned(), value.to_owned());
        }
        values
    }

    fn mode(&mut self) -> ModeWish {
        let mode = ["standby", "alert", "resilience", "recovery"][self.dice.index(4)].to_owned();
        ModeWish { mode, reason: self.dice.chance(300).then(|| "no mains".to_owned()), act: self.desk() }
    }

    fn report(&mut self) -> Report {
        let mut act = self.desk();
        act.valid = self.dice.chance(300).then(|| ["1m", "3m", "2h"][self.dice.index(3)].to_owned());
        Report { values: self.values(), act }
    }

    fn request(&mut self) -> RequestNew {
        let priority = ["immediate", "urgent", "routine", "low"][self.dice.index(4)];
        let request = RequestNew {
            items: vec![LINES[self.dice.index(LINES.len())].to_owned()],
            priority: Some(priority.to_owned()),
            key: self.dice.chance(500).then(|| format!("key-{}-{}", self.node, self.count)),
            note: self.dice.chance(300).then(|| format!("note {}", self.count)),
            act: self.desk(),
            ..RequestNew::default()
        };
        if request.key.is_some() {
            self.keyed = Some(request.clone());
        }
        request
    }

    fn observe(&mut self, of: NodeId) -> Observe {
        let node = of.to_string();
        let values = BTreeMap::from([("operating.status".to_owned(), "closed".to_owned())]);
        Observe { node, values, note: Some("said a runner".to_owned()), act: self.desk() }
    }

    fn update(&mut self) -> (Kind, Command) {
        let Some(request) = self.dice.pick(&self.mine).cloned() else { return (Kind::New, Command::RequestNew(self.request())) };
        let items = vec![LINES[self.dice.index(LINES.len())].to_owned()];
        (Kind::Update, Command::RequestUpdate(RequestUpdate { request, items, act: self.desk(), ..RequestUpdate::default() }))
    }

    fn end(&mut self, kind: Kind, command: fn(RequestAct) -> Command) -> (Kind, Command) {
        let Some(request) = self.dice.pick(&self.mine).cloned() else { return (Kind::Report, Command::Report(self.report())) };
        (kind, command(RequestAct { request, act: self.desk(), ..RequestAct::default() }))
    }
}
