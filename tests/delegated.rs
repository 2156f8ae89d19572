//! A dispatcher's laptop: a key of its own, a delegation of the firm, and the whole command through a node. Real programs throughout.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use holdfast_tests::{BLINK, Node, Run, SOON, Settings, binaries, eventually, run};
use serde_json::{Value, json};
use tempfile::TempDir;

#[track_caller]
fn holdfast(home: &Path, args: &[&str]) -> Run {
    let mut command = Command::new(&binaries().holdfast);
    command.args(args).env("LC_ALL", "C.UTF-8").env("HOME", home).env("HOLDFASTD", &binaries().holdfastd);
    run(&mut command, BLINK)
}

/// An alliance of two firms, a hub and a store of the first and a store of the second running, and a laptop.
struct Story {
    folder: TempDir,
    nodes: Vec<Node>,
}

impl Story {
    fn start() -> Self {
        Self::with_clocks_off_by([0; 3])
    }

    /// Each node's wall clock off by so many seconds.
    fn with_clocks_off_by(seconds: [i64; 3]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let story = Self { folder, nodes: Vec::new() };
        let _ = story.alliance(&["init", "--kind", "simulation", "--roots", "1/1", "--firm", "One"]).exits(0);
        for (number, firm) in [("1", "One"), ("2", "Two")] {
            let _ = story.alliance(&["issue", "issuer", "--number", number, "--firm", firm]).exits(0);
        }
        let list = [("1-1", "Hub", "hub"), ("1-2", "Store", "store"), ("2-1", "Other", "store")];
        for (id, name, role) in list {
            let line = ["issue", "node", "--id", id, "--name", name, "--role", role, "--region", "TPE"];
            let _ = story.alliance(&line).exits(0);
        }
        let mut nodes: Vec<Node> = Vec::new();
        for ((id, name, _), seconds) in list.into_iter().zip(seconds) {
            let out = story.dir().join("nodes").join(id);
            let mut node = Node::new(name, id.parse().expect("a node id"), out, Settings::on_loopback());
            node.env.insert("HOLDFAST_WALL_OFFSET_S".to_owned(), seconds.to_string());
            node.settings.sync_peers = nodes.iter().map(|other| other.settings.sync_address()).collect();
            nodes.push(node);
        }
        nodes.iter_mut().for_each(Node::start);
        let laptop = holdfast(story.folder.path(), &["person", &story.desk().display().to_string(), "--json"]).exits(0);
        let key = laptop.json()["key"].as_str().expect("a key").to_owned();
        std::fs::write(story.folder.path().join("key"), key).expect("noted");
        Self { nodes, ..story }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("alliance")
    }

    fn desk(&self) -> PathBuf {
        self.folder.path().join("desk")
    }

    #[track_caller]
    fn alliance(&self, args: &[&str]) -> Run {
        let dir = self.dir().display().to_string();
        std::fs::create_dir_all(&dir).expect("a folder");
        let line: Vec<&str> = ["alliance"].into_iter().chain(args.iter().copied()).chain(["--dir", &dir]).collect();
        holdfast(self.folder.path(), &line)
    }

    /// Has the firm delegate, and puts the file where the laptop looks for it.
    #[track_caller]
    fn delegate(&self, more: &[&str]) {
        let lin = self.to_lin();
        let lin: Vec<&str> = lin.iter().map(String::as_str).collect();
        let made = self.alliance(&[&["delegate", "--issuer", "1"][..], &lin, more].concat()).exits(0).json();
        self.carry(&made);
    }

    fn to_lin(&self) -> Vec<String> {
        let key = std::fs::read_to_string(self.folder.path().join("key")).expect("noted");
        ["--to", &key, "--name", "Lin", "--json"].map(str::to_owned).to_vec()
    }

    fn carry(&self, made: &Value) {
        let file = made["files"][0].as_str().expect("a file").to_owned();
        std::fs::copy(file, self.desk().join("delegation.hf")).expect("carried to the laptop");
    }

    /// `holdfast --as desk --hub NODE ARGS`.
    #[track_caller]
    fn person(&self, node: usize, args: &[&str]) -> Run {
        let (desk, hub) = (self.desk().display().to_string(), self.nodes[node].settings.sync_address());
        let line: Vec<&str> = ["--as", &desk, "--hub", &hub].into_iter().chain(args.iter().copied()).collect();
        holdfast(self.folder.path(), &line)
    }

    fn requests(&self, node: usize) -> Vec<Value> {
        self.nodes[node].cli(&["request", "list", "--json"]).exits(0).json()["requests"].as_array().cloned().unwrap_or_default()
    }
}

#[track_caller]
fn id_of(run: Run) -> String {
    run.saved().json()["id"].as_str().expect("an id").to_owned()
}

/// Water that a node counts.
fn on_hand(node: &Node) -> Value {
    node.cli(&["stock", "--json"]).exits(0).json()["items"][0]["on_hand"].clone()
}

/// Every act on a request that the hub knows, but for what hubs say by themselves.
fn said(story: &Story) -> BTreeSet<String> {
    let requests = story.requests(0).into_iter();
    let acts = requests.flat_map(|request| {
        let promised = request["commitments"].as_array().cloned().unwrap_or_default().into_iter();
        [request].into_iter().chain(promised).flat_map(|one| one["history"].as_array().cloned().unwrap_or_default())
    });
    acts.filter(|act| act["act"] != "acknowledge").map(|act| act.to_string()).collect()
}

/// The line of the history of a request that tells one act.
#[track_caller]
fn act<'a>(story: &'a str, word: &str) -> &'a str {
    story.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {story}"))
}

#[test]
fn a_dispatcher_works_from_a_laptop_through_a_hub_and_what_it_says_bears_its_name_everywhere() {
    let story = Story::start();
    let (hub, other) = (&story.nodes[0], &story.nodes[2]);
    let _ = hub.cli(&["stock", "count", "water=120"]).saved();
    let _ = other.cli(&["stock", "count", "water=50"]).saved();
    story.delegate(&["--allow", "request", "--allow", "cancel", "--allow", "observation", "--allow", "supply"]);
    let status = story.person(0, &["status", "--json"]).exits(0).json();
    assert_eq!(status["node"]["id"], "1-1", "the hub's own view");
    let checked = story.person(0, &["doctor", "--json"]).json();
    assert_eq!(checked["findings"][0]["check"], "daemon", "{checked}");
    let run = story.person(0, &["request", "new", "--item", "water:40", "--key", "K", "--json"]).saved();
    let id = run.json()["id"].as_str().expect("an id").to_owned();
    let again = story.person(0, &["request", "new", "--item", "water:40", "--key", "K", "--json"]).json();
    assert_eq!((again["id"].as_str(), again["already"].as_bool()), (Some(id.as_str()), Some(true)));
    eventually(SOON, "the other firm's store shows who asked", || {
        let requests = story.requests(2);
        let found = requests.iter().find(|request| request["request"] == id.as_str()).ok_or("it is not there")?;
        assert_eq!(found["requested_by"]["id"], "1-1");
        assert_eq!(found["person"], json!({"name": "Lin", "delegated_by": "One", "delegation": "1/1"}));
        Ok::<(), &str>(())
    });
    let _ = story.person(0, &["observe", "Store", "status=closed"]).saved();
    // What the other firm sends is signed for from the laptop, and the hub's count follows.
    let promise = id_of(other.cli(&["commit", &id, "--json"]));
    let convoy = id_of(other.cli(&["convoy", "plan", &promise, "--json"]));
    let _ = other.cli(&["convoy", "depart", &convoy]).saved();
    eventually(SOON, "the hub hears of the convoy", || {
        let run = story.person(0, &["receive", &convoy, "--accepted", "water:38", "--reason", "two burst"]);
        if run.code == 4 {
            return Err(run.err);
        }
        let _ = run.saved();
        Ok(())
    });
    assert_eq!(on_hand(hub), json!(158));
    eventually(SOON, "the other firm's store shows who signed for it", || {
        let story = other.cli(&["timeline", &id]).exits(0).out;
        if story.contains("signed for") { Ok(story) } else { Err(story) }
    });
    let told = other.cli(&["timeline", &id]).exits(0).out;
    let lin = "Lin (delegated by One) through Hub";
    assert!(act(&told, "asked for").contains(lin) && act(&told, "signed for").contains(lin), "{told}");
    assert!(!act(&told, "promised").contains("Lin"), "{told}");
    let shown = other.cli(&["request", "show", &id]).exits(0).out;
    assert!(act(&shown, "asked by").contains("Lin (delegated by One) through Hub (1-1)"), "{shown}");
}

/// A convoy from the hub, all of it from the laptop.
#[test]
fn a_dispatcher_promises_and_sends_a_hubs_goods_and_what_was_not_given_is_refused_without_effect() {
    let story = Story::start();
    let (hub, other) = (&story.nodes[0], &story.nodes[2]);
    let _ = hub.cli(&["stock", "count", "water=120"]).saved();
    story.delegate(&["--allow", "commit", "--allow", "plan_consignment", "--allow", "depart"]);
    let request = id_of(other.cli(&["request", "new", "--item", "water:30", "--json"]));
    let promise = eventually(SOON, "the hub hears of the request", || {
        let run = story.person(0, &["commit", &request, "--json"]);
        if run.code == 4 { Err(run.err) } else { Ok(id_of(run)) }
    });
    let convoy = id_of(story.person(0, &["convoy", "plan", &promise, "--json"]));
    let _ = story.person(0, &["convoy", "depart", &convoy]).saved();
    assert_eq!(on_hand(hub), json!(90));
    let before = said(&story);
    for (args, code) in [
        (&["convoy", "position", &convoy, "bridge"][..], "H-526"),
        (&["request", "new", "--item", "rice:5"], "H-526"),
        (&["report", "status", "closed"], "H-856"),
        (&["stock", "adjust", "water=-5"], "H-856"),
        (&["mode", "alert"], "H-856"),
    ] {
        let run = story.person(0, args).exits(5);
        assert!(run.err.contains(code), "{args:?}: {run:?}");
    }
    let refused = story.person(2, &["status"]).exits(5);
    assert!(refused.err.contains("H-521"), "of another firm: {refused:?}");
    assert_eq!((said(&story), on_hand(hub)), (before, json!(90)), "nothing was said");
    eventually(SOON, "who asked sees who sends it", || {
        let told = other.cli(&["timeline", &request]).exits(0).out;
        let sent = told.lines().filter(|line| line.contains("Lin (delegated by One) through Hub")).count();
        if sent == 3 { Ok(()) } else { Err(told) }
    });
}

#[test]
fn a_delegation_taken_away_is_refused_everywhere_and_what_was_said_by_it_stands() {
    let story = Story::start();
    story.delegate(&["--allow", "request"]);
    let id = id_of(story.person(0, &["request", "new", "--item", "water:40", "--json"]));
    // A desk that stays open: the program under the command.
    let mut open = Command::new(&binaries().holdfastd);
    open.arg("--desk").arg(story.desk()).args(["--hub", &story.nodes[0].settings.sync_address()]);
    let mut open =
        open.stdin(Stdio::piped()).stdout(Stdio::piped()).env("HOLDFAST_EXIT_WITH_STDIN", "1").spawn().expect("starts");
    let mut line = String::new();
    let _read = BufReader::new(open.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    assert!(line.contains("holdfast.desk/1"), "{line}");
    let (api, token) = (story.nodes[0].api().base().to_owned(), story.nodes[0].token_file().display().to_string());
    let _ = story.alliance(&["undelegate", "1/1", "--api", &api, "--token-file", &token]).saved();
    for node in [0, 1] {
        eventually(SOON, "each node of the firm refuses", || {
            let run = story.person(node, &["request", "new", "--item", "water:1"]);
            if run.code == 5 && run.err.contains("H-522") { Ok(()) } else { Err(format!("{run:?}")) }
        });
    }
    eventually(SOON, "the open desk is closed", || match open.try_wait() {
        Ok(Some(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    for node in 0..3 {
        eventually(SOON, "what was said before stands", || {
            let all: Vec<Value> = story.requests(node).into_iter().map(|request| request["request"].clone()).collect();
            if all == [json!(id)] { Ok(()) } else { Err(format!("{node}: {all:?}")) }
        });
    }
    // Given anew under the same number it holds again.
    story.delegate(&["--allow", "request", "--number", "1"]);
    let _ = story.person(1, &["request", "new", "--item", "water:2"]).saved();
}

#[test]
fn a_delegation_holds_neither_before_nor_after_its_days() {
    let day = 86_400;
    let mut story = Story::with_clocks_off_by([3 * day, 40 * day, 0]);
    story.delegate(&["--allow", "request", "--after", "2", "--days", "7"]);
    let refuses = |story: &Story, node: usize, code: &str| {
        let run = story.person(node, &["request", "new", "--item", "water:40"]).exits(5);
        assert!(run.err.contains(code), "{run:?}");
        assert_eq!(said(story), BTreeSet::new());
    };
    // By the hub's clock it holds, by the laptop's not yet; by the store's it is over.
    let _ = story.person(0, &["status"]).exits(0);
    refuses(&story, 0, "H-523");
    refuses(&story, 1, "H-524");
    let hub = &mut story.nodes[0];
    hub.stop();
    hub.env.insert("HOLDFAST_WALL_OFFSET_S".to_owned(), "0".to_owned());
    hub.start();
    let early = story.person(0, &["status"]).exits(5);
    assert!(early.err.contains("H-523"), "{early:?}");
    refuses(&story, 0, "H-523");
    story.delegate(&["--allow", "request", "--number", "1"]);
    let _ = story.person(0, &["request", "new", "--item", "water:40"]).saved();
}

#[test]
fn a_node_delegates_for_itself_alone() {
    let story = Story::start();
    let own = story.folder.path().join("alliance/nodes/1-2").display().to_string();
    let line = vec!["alliance", "delegate", "--by-node", &own, "--allow", "request"];
    let given = story.to_lin();
    let made = holdfast(story.folder.path(), &[line, given.iter().map(String::as_str).collect()].concat()).exits(0).json();
    assert_eq!(made["delegation"], "1-2/1");
    story.carry(&made);
    let refused = story.person(0, &["status"]).exits(5);
    assert!(refused.err.contains("H-521"), "through another node of the firm: {refused:?}");
    let _ = story.person(1, &["request", "new", "--item", "water:40"]).saved();
    let shown = story.requests(1);
    assert_eq!(shown[0]["person"], json!({"name": "Lin", "delegated_by": "Store", "delegation": "1-2/1"}));
    let too_much =
        [&["alliance", "delegate", "--by-node", &own, "--allow", "order"][..], &["--to", &"1".repeat(64), "--name", "X"]];
    let run = holdfast(story.folder.path(), &too_much.concat()).exits(2);
    assert!(run.err.contains("H-858"), "a store orders nothing: {run:?}");
}

#[test]
fn a_key_that_is_open_or_anothers_and_a_delegation_of_another_alliance_open_no_desk() {
    let story = Story::start();
    let nothing = story.person(0, &["status"]).exits(4);
    assert!(nothing.err.contains("H-785"), "{nothing:?}");
    story.delegate(&["--allow", "request"]);
    let key = story.desk().join("person.key");
    let refuses = |node: usize, code: &str| {
        let run = story.person(node, &["request", "new", "--item", "water:40"]);
        assert!(run.code != 0 && run.err.contains(code), "{code}: {run:?}");
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("set");
        assert_eq!(std::fs::metadata(&key).expect("made").permissions().mode() & 0o777, 0o600);
        mode(0o644);
        refuses(0, "H-784");
        mode(0o600);
    }
    let beside = story.folder.path().join("beside");
    let _ = holdfast(story.folder.path(), &["person", &beside.display().to_string()]).exits(0);
    let mine = std::fs::read(&key).expect("a key");
    std::fs::copy(beside.join("person.key"), &key).expect("another key");
    refuses(0, "H-525");
    std::fs::write(&key, "no key").expect("written");
    refuses(0, "H-786");
    std::fs::write(&key, mine).expect("the right one again");
    // A hub of another alliance at that address, and a person of another alliance at this hub.
    let elsewhere = Story::start();
    elsewhere.delegate(&["--allow", "request"]);
    let (desk, hub) = (story.desk().display().to_string(), elsewhere.nodes[0].settings.sync_address());
    let stranger =
        holdfast(story.folder.path(), &["--as", &desk, "--hub", &hub, "request", "new", "--item", "water:40"]).exits(5);
    assert!(stranger.err.contains("H-783"), "{stranger:?}");
    assert_eq!(elsewhere.requests(0), Vec::<Value>::new());
    std::fs::copy(elsewhere.desk().join("delegation.hf"), story.desk().join("delegation.hf")).expect("copied");
    refuses(0, "H-783");
    let nobody = holdfast(story.folder.path(), &["--as", &desk, "--hub", "127.0.0.1:9", "status"]);
    assert!(nobody.code != 0 && nobody.err.contains("H-782"), "{nobody:?}");
    let nowhere = holdfast(story.folder.path(), &["--as", &desk, "--hub", "the hub", "status"]).exits(2);
    assert!(nowhere.err.contains("H-781"), "{nowhere:?}");
    assert_eq!(said(&story), BTreeSet::new(), "nothing was said");
    let too_much = story.alliance(&["delegate", "--to", &"1".repeat(64), "--name", "X", "--issuer", "1", "--allow", "scope"]);
    assert!(too_much.code == 2, "{too_much:?}");
}
