//! A PC that no firm certified: three nodes of two firms vouch for it, it says how it is, and nothing else. Real programs throughout.

use std::path::PathBuf;
use std::process::Command;

use holdfast_tests::{BLINK, Node, Run, SOON, Settings, binaries, eventually, run};
use serde_json::Value;
use tempfile::TempDir;

const GUEST: &str = "32769-1";

/// An alliance of two firms: two nodes of the first and one of the second, of which the first two run.
struct Story {
    folder: TempDir,
    nodes: Vec<Node>,
}

impl Story {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut story = Self { folder, nodes: Vec::new() };
        std::fs::create_dir_all(story.at("alliance")).expect("a folder");
        let _ = story.alliance(&["init", "--kind", "simulation", "--roots", "1/1", "--firm", "One"]).exits(0);
        for (number, firm) in [("1", "One"), ("2", "Two")] {
            let _ = story.alliance(&["issue", "issuer", "--number", number, "--firm", firm]).exits(0);
        }
        for (id, name) in [("1-1", "Hub"), ("1-2", "Store"), ("2-1", "Other")] {
            let _ = story.alliance(&["issue", "node", "--id", id, "--name", name, "--role", "hub", "--region", "TPE"]).exits(0);
        }
        for (id, name) in [("1-1", "Hub"), ("2-1", "Other")] {
            let mut node = Node::new(name, id.parse().expect("a node id"), story.node(id), Settings::on_loopback());
            node.settings.sync_peers = story.nodes.iter().map(|other| other.settings.sync_address()).collect();
            node.start();
            story.nodes.push(node);
        }
        story
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn node(&self, id: &str) -> PathBuf {
        self.at("alliance").join("nodes").join(id)
    }

    #[track_caller]
    fn holdfast(&self, args: &[&str]) -> Run {
        let mut command = Command::new(&binaries().holdfast);
        command.args(args).env("LC_ALL", "C.UTF-8").env("HOME", self.folder.path()).env("HOLDFASTD", &binaries().holdfastd);
        run(&mut command, BLINK)
    }

    #[track_caller]
    fn alliance(&self, args: &[&str]) -> Run {
        let dir = self.at("alliance").display().to_string();
        self.holdfast(&[&["alliance"], args, &["--dir", &dir]].concat())
    }

    /// `holdfast guest ARGS --dir temple`.
    #[track_caller]
    fn temple(&self, args: &[&str]) -> Run {
        let dir = self.at("temple").display().to_string();
        self.holdfast(&[&["guest"], args, &["--dir", &dir]].concat())
    }

    /// The word of a node, told to the daemon of the first.
    #[track_caller]
    fn vouch(&self, id: &str, args: &[&str]) -> Run {
        let (folder, hub) = (self.node(id).display().to_string(), &self.nodes[0]);
        let (api, token) =
            (format!("http://127.0.0.1:{}", hub.settings.api_port), hub.dir().join("api.token").display().to_string());
        self.holdfast(&[&["guest", "vouch"], args, &["--by-node", &folder, "--api", &api, "--token-file", &token]].concat())
    }

    /// A file that these vouched for, of this key.
    #[track_caller]
    fn vouched(&self, key: &str, by: &[&str]) -> PathBuf {
        let begun = self.vouch(by[0], &["--key", key, "--name", "Temple", "--region", "TPE", "--json"]).exits(0).json();
        let file = PathBuf::from(begun["file"].as_str().expect("a file"));
        for id in &by[1..] {
            let _ = self.vouch(id, &[&file.display().to_string(), "--yes"]).exits(0);
        }
        file
    }
}

/// What a node shows of the guest.
fn shown(node: &Node) -> Option<Value> {
    let status = node.cli(&["status", "--json"]).exits(0).json();
    status["nodes"].as_array()?.iter().find(|one| one["id"] == GUEST).cloned()
}

#[test]
fn a_guest_says_how_it_is_and_nothing_else_until_the_issuer_of_who_vouched_first_ends_it() {
    let mut story = Story::start();
    let key = story.temple(&["key", "--json"]).exits(0).json()["key"].as_str().expect("a key").to_owned();
    let file = story.vouched(&key, &["1-1", "1-2"]);
    let shown_file = file.display().to_string();
    let few = story.temple(&["enter", &shown_file]).exits(2);
    assert!(few.err.contains("H-849") && few.err.contains("3 nodes of 2 firms"), "{few:?}");
    let text = std::fs::read_to_string(&file).expect("reads");
    assert!(text.contains("HOLDFAST DRAFT"), "{text}");
    let handed = story.holdfast(&["alliance", "hand-in", &shown_file]);
    assert!(handed.err.contains("H-895"), "no node takes a draft: {handed:?}");

    let last = story.vouch("2-1", &[&shown_file, "--yes"]).exits(0);
    assert!(last.out.contains("Temple") && last.out.contains("Vouched by: Hub (1-1), Store (1-2)"), "{last:?}");
    let peer = story.nodes[0].settings.sync_address();
    let entered = story.temple(&["enter", &shown_file, "--peer", &peer]).exits(0);
    assert!(entered.out.contains(GUEST) && entered.out.contains("Temple"), "{entered:?}");

    let mut temple = Node::new("Temple", GUEST.parse().expect("a node id"), story.at("temple"), Settings::on_loopback());
    temple.settings.sync_peers = vec![peer];
    temple.start();
    let _ = temple.cli(&["report", "status", "limited"]).saved();
    for node in &story.nodes {
        eventually(SOON, "the guest's board is there", || match shown(node) {
            Some(guest) if guest["operating_status"] == "limited" => Ok(()),
            other => Err(format!("{other:?}")),
        });
        assert_eq!(shown(node).expect("shown")["role"], "guest");
        let table = node.cli(&["status"]).exits(0);
        assert!(table.out.lines().any(|line| line.contains("Temple") && line.contains("not certified")), "{}", table.out);
    }
    for line in [&["request", "new", "--item", "water:40"][..], &["observe", "Hub", "status=closed"]] {
        let refused = temple.cli(line).exits(5);
        assert!(refused.err.contains("H-227"), "{refused:?}");
    }

    let _ = story.alliance(&["take", &shown_file]).exits(0);
    let hub = &story.nodes[0];
    let (api, token) = (format!("http://127.0.0.1:{}", hub.settings.api_port), hub.dir().join("api.token").display().to_string());
    let ended =
        story.alliance(&["revoke", GUEST, "--reason", "misused", "--nothing-counts", "--api", &api, "--token-file", &token]);
    let _ = ended.exits(0);
    eventually(SOON, "the other firm's node knows that it is over", || match shown(&story.nodes[1]) {
        Some(guest) if guest["revoked"] == "misused" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    story.nodes.push(temple);
}

#[test]
fn a_file_for_another_key_a_draft_of_a_strangers_and_one_firm_alone_let_nobody_in() {
    let story = Story::start();
    let key = story.temple(&["key", "--json"]).exits(0).json()["key"].as_str().expect("a key").to_owned();
    let again = story.temple(&["key", "--json"]).exits(0).json();
    assert_eq!(again["key"], key, "asked again it is the same");
    let bad = story.vouch("1-1", &["--key", "1234", "--name", "Temple", "--region", "TPE"]).exits(2);
    assert!(bad.err.contains("H-859"), "{bad:?}");
    let bad = story.vouch("1-1", &["--key", &key, "--name", "Temple", "--region", "XXX"]).exits(2);
    assert!(bad.err.contains("H-867"), "{bad:?}");

    let other = story.holdfast(&["guest", "key", "--json", "--dir", &story.at("other").display().to_string()]).exits(0).json();
    let file = story.vouched(other["key"].as_str().expect("a key"), &["2-1", "1-1", "1-2"]).display().to_string();
    let wrong = story.temple(&["enter", &file]).exits(1);
    assert!(wrong.err.contains("H-847") && wrong.err.contains(&key), "{wrong:?}");
    assert!(!story.at("temple").join("alliance.hf").exists(), "nothing was changed");

    let folder = story.node("1-1").display().to_string();
    let declined = story.holdfast(&["guest", "vouch", &file, "--by-node", &folder]);
    assert!(declined.err.contains("H-848"), "nobody is there to agree: {declined:?}");
    let node = story.node("1-1").join("alliance.hf").display().to_string();
    let not_a_guest = story.vouch("1-2", &[&node, "--yes"]);
    assert!(!not_a_guest.err.is_empty(), "an alliance file is no guest's: {not_a_guest:?}");
    for member in [&["key"][..], &["enter", &file]] {
        let refused = story.holdfast(&[&["guest"], member, &["--dir", &folder]].concat()).exits(1);
        assert!(refused.err.contains("H-898") && refused.err.contains("1-1"), "{refused:?}");
    }
    let second = story.vouched(&key, &["2-1", "1-1", "1-2"]);
    assert_ne!(second.display().to_string(), file, "the next guest of one node has a number of its own");
}
