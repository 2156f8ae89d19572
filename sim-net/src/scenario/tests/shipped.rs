//! The scenarios in configs/scenarios: each reads without a doubt, and the README beside them is true.

use std::path::Path;

use super::super::*;
use super::{TEN_LINES, there_and_back};

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/scenarios")
}

#[test]
fn every_shipped_scenario_reads_and_says_that_it_is_synthetic() {
    let sizes = [
        ("c-calm", 25),
        ("f-firm-removal", 500),
        ("l-island", 5_668),
        ("m-county", 1_000),
        ("n-noto", 300),
        ("p-planted", 12),
        ("s-demo", 50),
        ("x-stress", 14_000),
    ];
    for (name, sites) in sizes {
        let folder = shipped().join(name);
        let text = std::fs::read_to_string(folder.join("scenario.toml")).unwrap();
        assert!(text.starts_with("# Synthetic: "), "{name}");
        match read(&folder) {
            Ok((scenario, remarks)) => {
                assert_eq!((scenario.sites.len(), scenario.exercise.id.to_lowercase().as_str()), (sites, name));
                assert!(!scenario.injects.is_empty() && !scenario.expects.is_empty(), "{name}");
                let doubts: Vec<String> =
                    remarks.iter().map(ToString::to_string).filter(|r| !r.contains("read as UTF-8")).collect();
                assert!(doubts.is_empty(), "{name}: {doubts:#?}");
            }
            Err(problems) => panic!("{name}: {:#?}", problems.iter().map(ToString::to_string).collect::<Vec<_>>()),
        }
    }
    let found = std::fs::read_dir(shipped()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(found, sizes.len(), "a scenario that no test reads");
}

#[test]
fn the_readmes_example_is_the_one_tried_here() {
    let readme = std::fs::read_to_string(shipped().join("README.md")).unwrap();
    assert!(readme.contains(TEN_LINES.trim()), "the ten lines of the README");
    for what in words::What::ALL {
        assert!(readme.contains(&format!("`{}`", what.text())), "the README does not explain {}", what.text());
    }
}

#[test]
fn what_is_shipped_is_written_and_reads_back() {
    for name in ["c-calm", "s-demo", "m-county", "n-noto", "p-planted", "f-firm-removal"] {
        let (scenario, _) = read(&shipped().join(name)).unwrap();
        assert_eq!(there_and_back(&scenario).unwrap().0.unplaced(), scenario.unplaced(), "{name}");
    }
}
