//! Whole scenarios: read, refused, written, read again.

mod draw;
mod shipped;

use std::path::Path;

use proptest::prelude::*;

use super::*;

/// The shortest scenario of the README.
const TEN_LINES: &str = r#"
[exercise]
id = "TRY-1"
duration = "2h"
[world]
generate = { sites = 25, hubs = 2, region = "HUA" }
[[inject]]
at = "00:20"
what = "partition"
groups = ["power_area:HUA-01"]
lasts = "20m"
"#;

/// A new folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

/// A new folder with this scenario in it.
fn written(scenario: &Scenario) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(scenario, dir.path()).unwrap();
    dir
}

fn read_files(files: &[(&str, &[u8])]) -> Result<(Scenario, Vec<Remark>), Vec<Problem>> {
    read(folder(files).path())
}

fn read_one(text: &str) -> Result<(Scenario, Vec<Remark>), Vec<Problem>> {
    read_files(&[("scenario.toml", text.as_bytes())])
}

#[track_caller]
fn refused(text: &str) -> Vec<String> {
    read_one(text).expect_err("must be refused").iter().map(ToString::to_string).collect()
}

/// One event in an otherwise sound scenario must be refused with these words, at its own line.
#[track_caller]
fn refused_event(event: &str, words: &[&str]) {
    let text = format!("{TEN_LINES}\n[[inject]]\nname = \"tried\"\n{event}\n");
    let problems = read_one(&text).expect_err("must be refused");
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for word in words {
        assert!(shown.iter().any(|problem| problem.contains(word)), "{word:?} is not in {shown:#?}");
    }
    assert!(problems.iter().all(|problem| problem.place.row >= 13 && !problem.place.file.is_empty()), "{shown:#?}");
}

#[test]
fn ten_lines_are_a_scenario() {
    let (scenario, _) = read_one(TEN_LINES).unwrap();
    assert_eq!(scenario.sites.len(), 25);
    assert_eq!((scenario.exercise.id.as_str(), scenario.exercise.duration), ("TRY-1", 7_200_000_000));
    let inject = &scenario.injects[0];
    assert_eq!((inject.nr, &inject.when, inject.lasts), (1, &When::At(1_200_000_000), Some(1_200_000_000)));
    assert_eq!(inject.origin, Origin { file: "scenario.toml".into(), row: 7 });
}

#[test]
fn all_problems_come_at_once_with_their_places() {
    let toml = r#"format = "sim-net/1"
msel = "msel.csv"
[exercise]
id = "E"
status = "actual"
duration = "six hours"
[world]
sites = "sites.csv"
colour = "green"
[world.defaults]
wan = { delya = "18ms" }
"#;
    let sites = "id,region,role\nS1,HUA,store\nS2,HUX,store\nS3,HUA,shop\n";
    let msel = "nr,at,what,where,lasts\n1,00:10,power-los,site:S1,1h\n2,00:20,crash,site:S9,1h\n3,25 past,crash,site:S1,\n";
    let files = [("scenario.toml", toml.as_bytes()), ("sites.csv", sites.as_bytes()), ("msel.csv", msel.as_bytes())];
    let problems = read_files(&files).unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for words in [
        "msel.csv, row 2, column what: \"power-los\" is nothing that can happen. Nearest: power-loss",
        "msel.csv, row 3, column where: There is no site \"S9\". Known: S1, S2, S3.",
        "msel.csv, row 4, column at: \"25 past\" is no exercise time.",
        "scenario.toml, line 5, key exercise.status: \"actual\" is the word for the real thing",
        "scenario.toml, line 6, key exercise.duration: \"six hours\" is no length of time.",
        "scenario.toml, line 9, key world.colour: \"colour\" is not known here.",
        "scenario.toml, line 11, key world.defaults.wan.delya: \"delya\" is not known here. Nearest: delay",
        "sites.csv, row 3, column region: \"HUX\" is no county or city of Taiwan.",
        "sites.csv, row 4, column role: \"shop\" is no role of a site. Known: store, hub, authority.",
    ] {
        assert!(shown.iter().any(|problem| problem.starts_with(words)), "{words:?} is not in {shown:#?}");
    }
    assert_eq!(problems.len(), 9, "{shown:#?}");
}

/// A scenario of two sites and one event, and these rows.
#[track_caller]
fn mistakes(sites: &str, toml: &str, msel: &str) -> Vec<String> {
    let toml = format!("msel = \"msel.csv\"\n[exercise]\nid = \"E\"\nduration = \"1h\"\n[world]\nsites = \"sites.csv\"\n{toml}");
    let (sites, msel) = (format!("id,name,region,owner\n{sites}"), format!("nr,at,what,where,name,lasts\n{msel}"));
    let files = [("scenario.toml", toml.as_bytes()), ("sites.csv", sites.as_bytes()), ("msel.csv", msel.as_bytes())];
    read_files(&files).expect_err("must be refused").iter().map(ToString::to_string).collect()
}

#[track_caller]
fn only(found: &[String], wanted: &[&str]) {
    assert!(found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| a.starts_with(b)), "{found:#?}");
}

#[test]
fn a_wrong_county_or_a_missing_id_blames_no_other_column_and_no_other_row() {
    let expect = "[[expect]]\nid = \"X\"\nwithin = \"1h\"\ncheck = { count = \"running\", of = \"*\", at_least = 2 }\n";
    let found = mistakes("S1,One,Mars,A\nS2,Two,HUA,A\n", expect, "1,00:10,crash,site:S1,,\n2,00:20,crash,region:TPE,,\n");
    only(&found, &["sites.csv, row 2, column region: \"Mars\" is no county"]);
    let found = mistakes(",One,HUA,A\nS2,Two,HUA,A\n", expect, "1,00:10,crash,site:S1,,\n");
    only(&found, &["sites.csv, row 2, column id: id is missing"]);
    let two = "S1,One,HUA,A\nS2,Two,HUA,A\n";
    let found = mistakes(two, "", "1,00:10,crash,site:S3,,\n2,02:00,crash,site:S1,,\n");
    only(
        &found,
        &["msel.csv, row 2, column where: There is no site \"S3\"", "msel.csv, row 3, column at: 02:00 is not before the end"],
    );
}

#[test]
fn whoever_speaks_of_what_is_misspelt_is_not_blamed_for_it() {
    let two = "S1,One,HUA,A\nS2,Two,HUA,A\n";
    let expects = "[[expect]]\nid = \"X1\"\nafter = \"name:split\"\nwithin = \"5m\"\ncheck = { equal = \"*\" }\n\
                   [[expect]]\nid = \"X2\"\nafter = \"inject:1\"\nwithin = \"half an hour\"\ncheck = { equal = \"*\" }\n\
                   [[expect]]\nid = \"X3\"\nwithin = \"2h\"\ncheck = { equal = \"*\" }\n\
                   [[inject]]\nif_not = \"X2\"\nby = \"00:40\"\nwhat = \"say\"\nsay = \"call\"\n";
    let found = mistakes(two, expects, "1,00:10,partitoin,site:S1,split,\n2,00:20,crash,site:S1,,20 m1nutes\n");
    only(
        &found,
        &[
            "msel.csv, row 2, column what: \"partitoin\" is nothing that can happen",
            "msel.csv, row 3, column lasts: \"20 m1nutes\" is no length",
            "scenario.toml, line 15, key expect.within: \"half an hour\" is no length",
            "scenario.toml, line 17, key within: From 00:00 on, 2h do not lie within",
        ],
    );
    let text = TEN_LINES.replace("HUA\" }", "HUX\" }").replace("2h", "two hours");
    only(
        &refused(&text),
        &["scenario.toml, line 4, key exercise.duration", "scenario.toml, line 6, key world.generate.region: \"HUX\""],
    );
}

#[test]
fn events_that_make_no_sense_are_refused_at_their_line() {
    refused_event("what = \"crash\"\nwhere = \"site:S1\"", &["key inject.at: at is missing"]);
    refused_event(
        "at = \"00:30\"\nwhat = \"crash\"\nwehre = \"site:S1\"",
        &["line 17, key inject.where", "Should \"wehre\" be where?"],
    );
    refused_event(
        "at = \"00:30\"\nwhat = \"flap\"\nwhere = \"site:S0\"\nperiod = \"x\"\nlasts = \"y\"",
        &["key inject.where", "key inject.period", "key inject.lasts"],
    );
    refused_event("at = \"03:00\"\nwhat = \"crash\"\nwhere = \"site:S1\"", &["not before the end of the exercise, 02:00"]);
    refused_event("at = \"00:30\"\nwhat = \"allot\"", &["not there yet"]);
    refused_event("at = \"00:30\"\nwhat = \"crash\"\nwhere = \"region:TPE\"", &["matches no site"]);
    refused_event("at = \"00:30\"\nwhat = \"cut\"\nwhere = \"element:EX-HUA-9\"", &["no element", "EX-HUA-01"]);
    refused_event("at = \"00:30\"\nwhat = \"partition\"\ngroups = [\"*\"]", &["Nobody is parted"]);
    refused_event("at = \"00:30\"\nwhat = \"partition\"\ngroups = [\"site:S1\", \"site:S1; site:S2\"]", &["S1 is in two groups"]);
    refused_event("at = \"00:30\"\nwhat = \"swizzle\"\nwhere = \"*\"", &["lasts is missing"]);
    refused_event("at = \"00:30\"\nwhat = \"firm-outage\"\nowner = \"Chain X\"", &["no owner \"Chain X\""]);
    refused_event("at = \"00:30\"\nwhat = \"jam\"\nchannel = \"R1\"", &["no radio channel", "No site has this channel"]);
    refused_event("at = \"00:30\"\nwhat = \"antenna-down\"\nwhere = \"*\"", &["None of these sites has a radio"]);
    refused_event("at = \"00:30\"\nwhat = \"courier\"\nfrom = \"site:S1\"\nto = \"site:S1\"", &["goes nowhere"]);
    refused_event("at = \"00:30\"\nwhat = \"cancel\"\nrequest = \"R-1\"", &["No inject makes a request \"R-1\""]);
    refused_event(
        "at = \"00:30\"\nwhat = \"report\"\nas = \"site:S1\"\ndata = { operating.status = \"shut\" }",
        &["no word of operating.status", "closed"],
    );
    refused_event(
        "at = \"00:30\"\nwhat = \"report\"\nas = \"site:S1\"\ndata = { \"stock.watre\" = 3 }",
        &["no item of the catalogue", "water"],
    );
    refused_event(
        "at = \"00:30\"\nwhat = \"request\"\nas = \"*\"\ndata = { id = \"R-1\", item = \"water\" }",
        &["matches 25 sites", "One of item and qty"],
    );
    refused_event("at = \"00:30\"\nwhat = \"say\"", &["Nothing is said"]);
    refused_event("at = \"00:30\"\nwhat = \"crash\"\nwhere = \"site:S1\"\nobjective = \"O9\"", &["no objective \"O9\""]);
    refused_event("at = \"00:30\"\nwhat = \"crash\"\nwhere = \"site:S1\"\nkind = \"hard\"", &["\"kind\" is not known here"]);
    refused_event("if_not = \"X9\"\nby = \"00:30\"\nwhat = \"tell-controller\"\nsay = \"call\"", &["no expectation \"X9\""]);
    refused_event(
        "at = \"00:10\"\nif_not = \"X1\"\nby = \"00:30\"\nwhat = \"say\"\nsay = \"a\"",
        &["both a time and a condition"],
    );
    let crash = "nr = 5\nat = \"00:30\"\nwhat = \"crash\"\nwhere = \"site:S1\"";
    refused_event(&format!("{crash}\n[[inject]]\n{crash}"), &["line 19", "number \"5\" is there twice"]);
    refused_event(
        "at = \"00:30\"\nwhat = \"forge\"\nkind = \"magic\"\nwhere = \"site:S1\"",
        &["no kind of forgery", "stolen-key"],
    );
}

#[test]
fn an_element_nobody_uses_and_a_stop_in_the_middle_are_noticed() {
    let toml = TEN_LINES.replace("[[inject]]", "elements = \"e.csv\"\n[[inject]]");
    let toml = format!("{toml}\n[[inject]]\nat = \"00:40\"\nwhat = \"cut\"\nwhere = \"element:C1\"\n");
    let elements = "id,kind,used_by\nC1,cable,\nC2,mast,site:S1; site:S2\n";
    let problems = read_files(&[("scenario.toml", toml.as_bytes()), ("e.csv", elements.as_bytes())]).unwrap_err();
    assert!(problems.len() == 1 && problems[0].what.contains("Nobody uses C1"), "{problems:?}");
    let stop = "[[inject]]\nat = \"00:10\"\nwhat = \"stop-exercise\"\n";
    assert!(refused(&format!("{TEN_LINES}\n{stop}"))[0].contains("never happens: the exercise is stopped at 00:10"));
}

#[test]
fn expectations_that_cannot_be_met_or_seen_are_refused() {
    for (expect, words) in [
        ("id = \"X\"\nwithin = \"3h\"\ncheck = { equal = \"*\" }", "do not lie within the exercise of 2h"),
        (
            "id = \"X\"\nafter = \"inject:9\"\nwithin = \"1h\"\ncheck = { equal = \"*\" }",
            "There is no inject 9: this never happens",
        ),
        ("id = \"X\"\nafter = \"name:haal\"\nwithin = \"1h\"\ncheck = { equal = \"*\" }", "No inject has the name \"haal\""),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { every = \"*\", knows = \"request:R-9\" }", "No inject makes a request \"R-9\""),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { every = \"*\", knows = \"inject:1\" }", "makes nobody say anything"),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { never_accepted = \"inject:1\" }", "forges nothing"),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { count = \"running\", of = \"*\", at_least = 26 }", "At least 26 of 25"),
        (
            "id = \"X\"\nwithin = \"1h\"\ncheck = { count = \"hubs holding commitment:R-17\", equals = 1 }",
            "Known: requests-open, conflicts, suppliers",
        ),
        (
            "id = \"X\"\nwithin = \"1h\"\ncheck = { sum = \"stock\", at = \"site:S1\", of = \"*\", equals = 1 }",
            "no field of a report",
        ),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { never = \"yes\", never_accepted_from = \"site:S1\" }", "looked at as a whole"),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { every = \"*\", knows = \"commitment:R-17\" }", "Nobody promises anything"),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { airtime = \"R1\", below = 10 }", "no radio channel \"R1\""),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { every = \"*\" }", "Nothing is looked at here"),
        ("id = \"X\"\nwithin = \"1h\"", "check is missing"),
        ("id = \"X\"\ncheck = { equal = \"*\" }", "within is missing"),
        ("id = \"X\"\nwithin = \"1h\"\ncheck = { every = \"*\", of = \"*\", shows = \"weather=fine\" }", "no field of a report"),
    ] {
        let problems = refused(&format!("{TEN_LINES}\n[[expect]]\n{expect}\n"));
        assert!(problems.iter().any(|problem| problem.contains(words)), "{words:?} is not in {problems:#?}");
    }
    let late = "[[inject]]\nif_not = \"X\"\nby = \"00:30\"\nwhat = \"tell-controller\"\nsay = \"call\"\n";
    let expect = "[[expect]]\nid = \"X\"\nafter = \"01:00\"\nwithin = \"10m\"\ncheck = { equal = \"*\" }\n";
    assert!(refused(&format!("{TEN_LINES}\n{late}{expect}"))[0].contains("can't be met by then"));
}

#[test]
fn what_may_be_meant_so_is_only_remarked() {
    let (_, remarks) = read_one(&TEN_LINES.replace("20m", "3h")).unwrap();
    assert!(remarks.iter().any(|remark| remark.what.contains("still lasts at the end")), "{remarks:?}");
    let loss = "[[inject]]\nat = \"00:30\"\nwhat = \"power-loss\"\nwhere = \"role:hub\"\nlasts = \"1h\"\n";
    let back = "[[inject]]\nat = \"00:35\"\nwhat = \"restore\"\nwhere = \"element:ISP-1\"\n";
    let (_, remarks) = read_one(&format!("{TEN_LINES}\n{loss}{back}")).unwrap();
    for words in ["no site goes dark", "no cut of these happens before it"] {
        assert!(remarks.iter().any(|remark| remark.what.contains(words)), "{remarks:?}");
    }
    let idle = [("scenario.toml", TEN_LINES.as_bytes()), ("msel.csv", &b"nr\n"[..])];
    assert!(read_files(&idle).unwrap().1.iter().any(|remark| remark.what.contains("is not read")));
}

#[test]
fn sheets_of_events_and_the_file_say_the_same() {
    let head = TEN_LINES.split("[[inject]]").next().unwrap();
    let toml = format!(
        "{head}[[inject]]\nnr = 4\nat = \"00:20\"\nwhat = \"request\"\nas = \"site:S3\"\nexpect = []\n\
         data = {{ id = \"R-1\", item = \"infant formula\", qty = 40, need_by = \"01:20\" }}\n"
    );
    let csv = "nr,at,what,as,data\n4,00:20,request,site:S3,id=R-1; item=嬰兒奶粉; qty=40; need_within=1h\n";
    let with_sheet = format!("msel = \"msel.csv\"\n{head}");
    let from_toml = read_one(&toml).unwrap().0;
    let from_csv = read_files(&[("scenario.toml", with_sheet.as_bytes()), ("msel.csv", csv.as_bytes())]).unwrap().0;
    assert_eq!(from_csv.injects[0].origin, Origin { file: "msel.csv".into(), row: 2 });
    assert_eq!(from_toml.unplaced(), from_csv.unplaced());
}

#[test]
fn missing_files_and_folders_are_told_without_a_panic() {
    assert!(read(Path::new("/nowhere/at/all")).unwrap_err()[0].what.contains("can't be read"));
    let text = TEN_LINES.replace("generate = { sites = 25, hubs = 2, region = \"HUA\" }", "sites = \"gone.csv\"");
    assert!(refused(&text).iter().any(|problem| problem.contains("gone.csv") && problem.contains("line 6")));
    assert!(refused("").iter().any(|problem| problem.contains("exercise is missing")));
    let far = "generate = { sites = 25, hubs = 2, region = \"HUA\" }";
    for wrong in [
        "{ sites = 25 }",
        "{ sites = 1, region = \"HUA\" }",
        "{ sites = 30000, region = \"*\" }",
        "{ sites = 5, hubs = 5, region = \"HUA\" }",
    ] {
        assert!(!refused(&TEN_LINES.replace(far, &format!("generate = {wrong}"))).is_empty());
    }
}

/// Writes a scenario and reads it back.
fn there_and_back(scenario: &Scenario) -> Result<(Scenario, Vec<Remark>), Vec<Problem>> {
    read(written(scenario).path())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_back_equal(seed: u64) {
        let drawn = draw::scenario(seed);
        match there_and_back(&drawn) {
            Ok((back, _)) => prop_assert_eq!(back.unplaced(), drawn),
            Err(problems) => prop_assert!(false, "{:#?}", problems.iter().map(ToString::to_string).collect::<Vec<_>>()),
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(seed: u64, edits in proptest::collection::vec((any::<u16>(), any::<u8>(), 0_u8..4), 1..8)) {
        let dir = written(&draw::scenario(seed));
        let mut files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for (place, byte, kind) in edits {
            let path = &files[usize::from(byte) % files.len()];
            let mut bytes = std::fs::read(path).unwrap();
            let at = usize::from(place) % (bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(at..(at + usize::from(byte)).min(bytes.len()))),
                _ => {
                    let piece: Vec<u8> = bytes.iter().copied().skip(usize::from(byte) * 7).take(40).collect();
                    drop(bytes.splice(at..at, piece));
                }
            }
            std::fs::write(path, bytes).unwrap();
        }
        if let Err(problems) = read(dir.path()) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(!problem.to_string().is_empty());
            }
        }
    }
}

#[test]
fn files_nested_without_end_are_refused() {
    for text in [
        format!("a = {}", "[".repeat(200_000)),
        format!("{} = 1", vec!["a"; 200_000].join(".")),
        format!("[{}]\nb = 1", vec!["a"; 200_000].join(".")),
        format!("x = {{ {} = 1 }}", vec!["a"; 200_000].join(" . ")),
    ] {
        assert!(!refused(&text).is_empty());
    }
}
