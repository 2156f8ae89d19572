//! A record as an exercise leaves it: 24 sites in three counties, a blackout, a cut cable, a request that is late, a stolen key, an
//! inject by hand.

use crate::record::{
    ConflictRecord, ExpectRecord, Forged, Happened, InjectRecord, Invariant, Knowledge, Load, Phrase, Place, ProposalRecord,
    Record, RequestRecord, Run, SCHEMA, Title, TurningPoint, Verdict,
};

const S: u64 = 1_000_000;
const MIN: u64 = 60 * S;
const HOUR: u64 = 60 * MIN;

/// Region, names of its sites, and where they stand.
const COUNTIES: [(&str, i32, i32, [&str; 8]); 3] = [
    ("TPE", 25_045_000, 121_545_000, ["信義店", "復興店", "南港倉", "大安店", "內湖店", "文山店", "士林店", "臺北市應變中心"]),
    ("NWT", 25_010_000, 121_440_000, ["板橋店", "三重店", "新莊店", "土城倉", "樹林店", "中和店", "永和店", "蘆洲店"]),
    ("KEE", 25_130_000, 121_740_000, ["基隆站前店", "七堵倉", "暖暖店", "安樂店", "中山店", "仁愛店", "信義路店", "中正店"]),
];

fn sites() -> Vec<Place> {
    let mut out = Vec::new();
    for (county, (region, lat, lon, names)) in COUNTIES.iter().enumerate() {
        for (place, name) in names.iter().enumerate() {
            let step = i32::try_from(place).unwrap();
            let role = if name.ends_with('倉') { "hub" } else { "store" };
            out.push(Place {
                id: format!("S{:02}", county * 8 + place + 1),
                name: (*name).to_owned(),
                at: (lat + (step % 3 - 1) * 21_000 + step * 2_000, lon + (step / 3 - 1) * 24_000 + step % 2 * 9_000),
                role: role.to_owned(),
                owner: "全佳".to_owned(),
                region: (*region).to_owned(),
            });
        }
    }
    out
}

fn inject(nr: u32, what: &str, on: &str, sites: u32, at: u64) -> InjectRecord {
    InjectRecord {
        nr,
        what: what.to_owned(),
        on: on.to_owned(),
        sites,
        planned: Some(at),
        happened: Some(at),
        why_not: None,
        undone: None,
        first_effect: None,
        contingency: false,
        by_hand: false,
        say: String::new(),
        objective: "O1".to_owned(),
        origin: format!("msel.csv:{}", nr + 1),
    }
}

fn injects() -> Vec<InjectRecord> {
    let say = |text: &str| text.to_owned();
    vec![
        InjectRecord {
            undone: Some(3 * HOUR + 20 * MIN),
            first_effect: Some((62 * MIN, note("S19 暖暖店 stopped: UPS empty"))),
            say: say("基隆市東區停電,台電搶修中"),
            ..inject(1, "power-loss", "power_area:K2", 5, 20 * MIN)
        },
        InjectRecord {
            undone: Some(160 * MIN),
            first_effect: Some((50 * MIN + 3 * S, note("8 sites are an island"))),
            ..inject(2, "cut", "CABLE-EAST-1", 8, 50 * MIN)
        },
        InjectRecord {
            happened: Some(74 * MIN),
            first_effect: Some((74 * MIN, note("R-17 acknowledged to staff"))),
            ..inject(3, "request", "S17 基隆站前店", 1, 70 * MIN)
        },
        InjectRecord {
            first_effect: Some((120 * MIN + 2 * S, note("22 sites refuse it"))),
            objective: say("O2"),
            ..inject(4, "forge", "S12 土城倉", 1, 120 * MIN)
        },
        inject(5, "restore", "CABLE-EAST-1", 8, 160 * MIN),
        InjectRecord {
            happened: None,
            contingency: true,
            why_not: Some(Phrase::MetBefore { expect: "X3".to_owned() }),
            say: say("打電話給南港倉,請他們受理 R-17"),
            ..inject(6, "tell-controller", "", 0, 150 * MIN)
        },
        InjectRecord {
            planned: None,
            happened: Some(200 * MIN + 12 * S),
            undone: Some(230 * MIN),
            by_hand: true,
            origin: String::new(),
            first_effect: Some((200 * MIN + 15 * S, note("radio R1 silent"))),
            ..inject(7, "jam", "radio:R1", 24, 0)
        },
    ]
}

fn expect(id: &str, objective: &str, text: &str, result: Verdict, at: [Option<u64>; 3], seen: &str) -> ExpectRecord {
    let [from, due, met_at] = at;
    let late = if result == Verdict::MetLate { met_at.zip(due).map(|(met, due)| met - due) } else { None };
    ExpectRecord {
        id: id.into(),
        text: text.into(),
        objective: objective.into(),
        result,
        from,
        due,
        met_at,
        late,
        seen: vec![note(seen)],
    }
}

fn expectations() -> Vec<ExpectRecord> {
    use Verdict::{Met, MetLate, NotMet, NotObserved};
    let from = Some(74 * MIN);
    vec![
        expect(
            "X1",
            "O1",
            "基隆市所有運作中的據點在 15 分鐘內經無線電知道 R-17",
            MetLate,
            [from, Some(89 * MIN), Some(95 * MIN + 41 * S)],
            "8 of 8 sites know it",
        ),
        expect(
            "X2",
            "O1",
            "恢復連線後 10 分鐘內所有據點知道 R-17",
            Met,
            [Some(160 * MIN), Some(170 * MIN), Some(160 * MIN + 9 * S)],
            "24 of 24 sites know it",
        ),
        expect("X3", "O1", "02:30 以前有集散中心受理 R-17", Met, [Some(0), Some(150 * MIN), Some(131 * MIN)], "1 hub"),
        expect(
            "X4",
            "O2",
            "遭竊的金鑰不被任何據點接受",
            NotMet,
            [Some(120 * MIN), Some(6 * HOUR), None],
            "1 of 24 sites holds something of it",
        ),
        expect("X5", "", "無線電占用低於 10 %", NotObserved, [None, None, None], "the channel was jammed"),
    ]
}

/// Cumulative steps up to `all`, starting at `from`, doubling.
fn knowledge(region: &str, all: u64, from: u64, never: [u64; 3]) -> Knowledge {
    let shares = [2, 9, 24, 50, 71, 84, 92, 95, 97, 99, 100];
    let mut took = from;
    let mut curve = Vec::new();
    for share in shares {
        curve.push((took, all * share / 100));
        took = took * 19 / 10;
    }
    Knowledge { of: region.into(), deliveries: all, p50: curve[3].0, p95: curve[7].0, slowest: curve[10].0, never, curve }
}

fn turning(at: u64, what: &str, island: impl Fn(usize) -> u16) -> TurningPoint {
    let islands: Vec<u16> = (0..24).map(island).collect();
    let running = u32::try_from(islands.iter().filter(|island| **island > 0).count()).unwrap();
    TurningPoint { at, what: note(what), islands, running, requests_open: u32::from(at > 70 * MIN) }
}

fn request(label: &str, site: usize, at: u64, line: &str, priority: &str) -> RequestRecord {
    RequestRecord {
        label: label.into(),
        id: "R-7Q4K".into(),
        site,
        at,
        lines: vec![line.into()],
        priority: priority.into(),
        acknowledged: Vec::new(),
        history: Vec::new(),
        known: (24, 24),
        state: "submitted".into(),
    }
}

fn load(medium: &str, frames: u64, bytes: u64) -> Load {
    Load { medium: medium.into(), frames, bytes, ..Load::default() }
}

fn rule(id: &str, text: &str, checked: u64) -> Invariant {
    Invariant { id: id.into(), text: text.into(), checked, violations: 0, first: None }
}

fn happened(at: u64, kind: &str, site: Option<usize>, what: &str) -> Happened {
    Happened { at, kind: kind.into(), site, what: note(what) }
}

/// The record.
pub(super) fn record() -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        exercise: Title {
            id: "HF-2027-02".to_owned(),
            title: "東區斷纜與基隆停電演練".to_owned(),
            status: "exercise".to_owned(),
            // 2027-02-03 08:00 in Taipei.
            startex_ms: 1_801_612_800_000,
            offset_s: 28_800,
            duration: 6 * HOUR,
            objectives: vec![
                ("O1".to_owned(), "分隔期間集散中心持續受理補給需求".to_owned()),
                ("O2".to_owned(), "偽造訊息不影響調度".to_owned()),
                ("O3".to_owned(), "疏散據點的人員能由鄰近據點收容".to_owned()),
            ],
        },
        run: Run {
            scenario: "configs/exercise-east/scenario.toml".to_owned(),
            scenario_hash: "5c1f0b7e9a3d4421c0ffee00aa11bb22cc33dd44ee55ff6600112233445566aa".to_owned(),
            played_hash: "5c1f0b7e9a3d4421".to_owned(),
            build: "0.1.0".to_owned(),
            seed: 42,
            fingerprint: "3f9c1d22a0b4e877".to_owned(),
            reached: 6 * HOUR,
            ended_early: None,
            events: 1_284_330,
            converged_after_heal: Some(4_230_000),
            words: 1_846,
            lost: 0,
            excused: 0,
            line: 1,
            parent: None,
        },
        sites: sites(),
        injects: injects(),
        expectations: expectations(),
        by_medium: vec![knowledge("wan", 31_000, 40_000, [0; 3]), knowledge("radio:R1", 9_212, 2_400_000, [0; 3])],
        knowledge: vec![
            knowledge("", 40_212, 60_000, [310, 96, 4]),
            knowledge("TPE", 14_800, 55_000, [0, 0, 0]),
            knowledge("NWT", 14_760, 60_000, [0, 0, 4]),
            knowledge("KEE", 10_652, 2_100_000, [310, 96, 0]),
        ],
        requests: vec![
            RequestRecord {
                acknowledged: vec![(2, 131 * MIN)],
                history: vec![
                    (180 * MIN, 2, "note: convoy 3 leaves at 11:10".into()),
                    (300 * MIN, 16, "closed: received".into()),
                ],
                state: "closed".into(),
                ..request("R-17", 16, 74 * MIN, "infant formula 40", "immediate")
            },
            RequestRecord {
                acknowledged: vec![(2, 140 * MIN), (17, 143 * MIN + 8 * S)],
                state: "acknowledged".into(),
                id: "R-9MTD".into(),
                ..request("R-18", 19, 90 * MIN, "water 120", "urgent")
            },
            RequestRecord { known: (22, 24), id: "R-3XKA".into(), ..request("R-19", 9, 350 * MIN, "diesel 200", "routine") },
        ],
        conflicts: vec![
            ConflictRecord {
                name: "C1-9MTD2QX".into(),
                kind: "over_covered".into(),
                about: "R-9MTD2QX".into(),
                consignee: 19,
                goods: vec![(2, "water 120".into()), (17, "water 120".into())],
                proposals: vec![ProposalRecord {
                    by: 17,
                    what: "release".into(),
                    of: "P-4H2KD8Z".into(),
                    goods: Some("water 120".into()),
                    to: None,
                }],
                first: (245 * MIN, 2),
                by_all: Some(250 * MIN),
                settled: Some(290 * MIN),
            },
            ConflictRecord {
                name: "C7-3XKA7TB".into(),
                kind: "unconfirmed".into(),
                about: "V-3XKA7TB".into(),
                consignee: 9,
                goods: vec![(2, "diesel 200".into())],
                proposals: vec![ProposalRecord { by: 9, what: "receive".into(), of: "V-3XKA7TB".into(), goods: None, to: None }],
                first: (355 * MIN, 17),
                by_all: None,
                settled: None,
            },
        ],
        turning_points: vec![
            turning(0, "STARTEX", |_| 1),
            turning(50 * MIN, "inject 2: cut CABLE-EAST-1", |site| if site >= 16 { 2 } else { 1 }),
            turning(110 * MIN, "power gone", |site| match site {
                18..=20 => 0,
                16 | 17 | 21.. => 2,
                9 => 3,
                12 | 13 => 4,
                _ => 1,
            }),
            turning(160 * MIN, "inject 5: restore CABLE-EAST-1", |site| u16::from(!(18..=20).contains(&site))),
        ],
        load: vec![
            load("wan", 812_004, 288_120_400),
            load("gossip", 120_931, 30_842_000),
            Load {
                lost: 41,
                airtime: 3_120 * S,
                duty: 84_300,
                collisions: 388,
                queue: 4_210,
                ..load("radio:R1", 9_204, 1_802_441)
            },
        ],
        forged: vec![Forged {
            inject: 4,
            kind: "stolen-key".into(),
            site: 11,
            sent: 60,
            accepted_by: 1,
            note: "one site was cut off from the revocation until 02:40".into(),
        }],
        invariants: vec![
            rule("P2.bounded", "Outputs, wakes and gauges stay within their limits", 1_284_330),
            rule("P3.thin-air", "What a store keeps of another author, that author made durable", 88_412),
            rule("P4.spoken", "No own word in a frame before the store said it is durable", 402_117),
            rule("P7.same", "After the heal all digests are equal", 24),
        ],
        timeline: vec![
            happened(20 * MIN, "inject", None, "1: power-loss power_area:K2"),
            happened(62 * MIN, "down", Some(18), "UPS empty"),
            happened(74 * MIN, "said", Some(16), "request R-17"),
            happened(95 * MIN + 41 * S, "expectation", None, "X1 met, 6 min 41 s late"),
            happened(160 * MIN, "undone", None, "2: cut CABLE-EAST-1"),
            happened(160 * MIN + 4 * S, "converged", None, "24 sites show the same picture"),
            happened(210 * MIN, "note", None, "Evaluator: desk at S03 asked twice for the quantity"),
        ],
        left: Vec::new(),
    }
}

/// As many sites as chains have in the whole country, on a grid, with as many turning points as a long day has.
pub(super) fn country(sites: u32, points: u16) -> Record {
    let mut record = record();
    let template = record.sites[0].clone();
    let place = |n: u32| Place {
        id: format!("S{n}"),
        at: (22_000_000 + i32::try_from(n / 75).unwrap() * 44_000, 120_200_000 + i32::try_from(n % 75).unwrap() * 22_000),
        ..template.clone()
    };
    record.sites = (0..sites).map(place).collect();
    let islands = |at: u16| (0..sites).map(|site| u16::try_from(site % 7).unwrap() * u16::from(!at.is_multiple_of(3))).collect();
    record.turning_points = (0..points)
        .map(|at| TurningPoint {
            at: u64::from(at) * MIN,
            what: note(&format!("point {at}")),
            islands: islands(at),
            running: 1,
            requests_open: 0,
        })
        .collect();
    record
}

/// Words that are nobody's but the sample's.
pub(super) fn note(text: &str) -> Phrase {
    Phrase::Note { text: text.to_owned() }
}
