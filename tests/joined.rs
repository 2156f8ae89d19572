//! PCs that join an alliance with codes, as their people would do it: codes that are wrong, used or old, lines that break, deputies,
//! and a PC that takes the place of a dead one. Real programs, real daemons.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use holdfast_tests::{BLINK, Node, Run, SOON, Settings, binaries, eventually, run, run_typed};
use serde_json::Value;
use tempfile::TempDir;

fn holdfast(args: &[&str], home: &Path) -> Command {
    let mut command = Command::new(&binaries().holdfast);
    command.args(args).env("LC_ALL", "C.UTF-8").env("HOME", home);
    command
}

/// An alliance of three roots and two firms that issue, in `folder/alliance`.
fn founded() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("alliance");
    let shown = dir.display().to_string();
    for line in [
        &["init", "--kind", "simulation", "--firm", "One", "--firm", "Two", "--firm", "County"][..],
        &["issue", "issuer", "--number", "1", "--firm", "One", "--max-nodes", "100"],
        &["issue", "issuer", "--number", "2", "--firm", "Two"],
    ] {
        let line: Vec<&str> = ["alliance"].into_iter().chain(line.iter().copied()).chain(["--dir", &shown]).collect();
        let _ = run(&mut holdfast(&line, folder.path()), BLINK).exits(0);
    }
    (folder, dir)
}

/// A running `holdfast invite` or `replace`, and what it says.
struct Host {
    child: Child,
    lines: Receiver<String>,
    code: String,
    address: String,
}

impl Host {
    /// `holdfast ARGS --dir DIR`, waiting on loopback.
    fn start(dir: &Path, args: &[&str]) -> Self {
        Self::told(dir, args, &[])
    }

    fn told(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let shown = dir.display().to_string();
        let line: Vec<&str> = args.iter().copied().chain(["--dir", &shown, "--listen", "127.0.0.1:0", "--json"]).collect();
        let mut command = holdfast(&line, dir);
        command.envs(env.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let (tx, lines) = channel();
        for pipe in [
            Box::new(child.stdout.take().expect("a pipe")) as Box<dyn std::io::Read + Send>,
            Box::new(child.stderr.take().expect("a pipe")),
        ] {
            let tx = tx.clone();
            std::thread::spawn(move || BufReader::new(pipe).lines().map_while(Result::ok).all(|line| tx.send(line).is_ok()));
        }
        let mut host = Self { child, lines, code: String::new(), address: String::new() };
        let invited = host.until("holdfast.invitation/1");
        host.code = invited["code"].as_str().expect("a code").to_owned();
        host.address = invited["address"].as_str().expect("an address").to_owned();
        host
    }

    fn until_line(&self, part: &str) -> String {
        let mut heard = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            if line.contains(part) {
                return line;
            }
            heard.push(line);
        }
        panic!("{part}: not among {heard:#?}");
    }

    fn until(&self, schema: &str) -> Value {
        serde_json::from_str(&self.until_line(schema)).expect("an object")
    }

    fn answer(&mut self, word: &str) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{word}").expect("taken");
    }

    fn ends(mut self, code: i32) {
        let status = eventually(SOON, "the host ends", || self.child.try_wait().ok().flatten().ok_or("it waits"));
        assert_eq!(status.code(), Some(code));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `holdfast join CODE` in a folder, with what is typed when it asks.
fn join(folder: &Path, code: &str, at: &str, typed: &str) -> Run {
    let shown = folder.display().to_string();
    run_typed(&mut holdfast(&["join", code, "--at", at, "--dir", &shown], Path::new("/")), typed, SOON)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A PC that joined in this folder, as a daemon.
fn node(name: &str, id: &str, dir: PathBuf, peers: &[&Node]) -> Node {
    let mut node = Node::new(name, id.parse().expect("a node id"), dir, Settings::on_loopback());
    node.settings.sync_peers = peers.iter().map(|other| other.settings.sync_address()).collect();
    node
}

fn equal(nodes: &[&Node]) {
    eventually(SOON, "these are equal", || {
        let digests = nodes.iter().map(|node| Ok(node.api().digest()?.digest)).collect::<Result<Vec<String>, String>>()?;
        if digests.windows(2).all(|two| two[0] == two[1]) { Ok(()) } else { Err(format!("{digests:?}")) }
    });
}

#[test]
fn a_member_that_joins_again_into_its_own_folder_is_refused_before_its_key_gets_a_second_name() {
    let (folder, dir) = founded();
    let pc = folder.path().join("pc");
    let invite = |id: &str| Host::start(&dir, &["invite", id, "--name", id, "--region", "TPE", "--yes"]);
    let host = invite("1-1");
    let _ = join(&pc, &host.code, &host.address, "y\n").exits(0);
    host.ends(0);
    let host = invite("1-2");
    let again = join(&pc, &host.code, &host.address, "y\n");
    assert!(again.code != 0, "{again:?}");
    let _ = host.until_line("1-1");
    let verified = run(&mut holdfast(&["alliance", "verify", &dir.display().to_string()], &dir), BLINK);
    assert!(!verified.out.contains("under another name"), "{verified:?}");
    let held = text(&dir.join("alliance.hf"));
    assert_eq!(held.matches("BEGIN HOLDFAST NODE-").count(), 1, "{held}");
    let other = join(&folder.path().join("other"), &host.code, &host.address, "y\n").exits(0);
    assert!(other.out.contains("1-2"), "the code is still good: {other:?}");
}

#[test]
fn four_pcs_of_two_firms_join_with_codes_one_by_a_deputy_and_know_each_other() {
    let (folder, dir) = founded();
    let shown = dir.display().to_string();
    let deputy =
        ["alliance", "issue", "deputy", "--issuer", "1", "--number", "3", "--name", "north", "--first", "50", "--dir", &shown];
    let _ = run(&mut holdfast(&deputy, folder.path()), BLINK).exits(0);
    // What a deputy has at hand: its own key, and who is in the alliance.
    let pocket = folder.path().join("pocket");
    std::fs::create_dir(&pocket).expect("made");
    for file in ["alliance.hf", "deputy-1-3.key"] {
        std::fs::rename(dir.join(file), pocket.join(file))
            .and_then(|()| std::fs::copy(pocket.join(file), dir.join(file)))
            .expect("moved");
    }
    std::fs::remove_file(dir.join("deputy-1-3.key")).expect("gone");
    let mut nodes: Vec<Node> = Vec::new();
    for (id, name, role, by, home) in [
        ("1-1", "甲倉", "hub", "0", &dir),
        ("2-1", "乙店", "store", "0", &dir),
        ("2-2", "丙店", "store", "0", &dir),
        ("1-50", "丁店", "store", "3", &pocket),
    ] {
        let host = Host::start(home, &["invite", id, "--name", name, "--role", role, "--region", "TPE", "--deputy", by, "--yes"]);
        let pc = folder.path().join(id);
        let joined = join(&pc, &host.code, &host.address, "y\n").exits(0);
        let words = host.until("holdfast.guest/1")["words"].as_array().expect("words").clone();
        for word in words {
            assert!(joined.out.contains(word.as_str().expect("a word")), "{word}: {joined:?}");
        }
        assert!(joined.out.contains(name) && joined.out.contains("One, Two, County"), "{joined:?}");
        let told = host.until("holdfast.joined/1");
        let paper = text(Path::new(told["paper"].as_str().expect("a paper")));
        assert!(paper.contains("REVOCATION"), "{paper}");
        host.ends(0);
        let peers: Vec<&Node> = nodes.iter().collect();
        let mut node = node(name, id, pc, &peers);
        node.start();
        nodes.push(node);
    }
    let all: Vec<&Node> = nodes.iter().collect();
    for node in &all {
        node.api().ask_for("water:1", &format!("from {}", node.name), None).expect("saved");
    }
    equal(&all);
    eventually(SOON, "all know all", || {
        let names: Vec<String> = all[1].api().status()?.nodes.into_iter().map(|node| node.name).collect();
        if names.len() == 4 { Ok(()) } else { Err(format!("{names:?}")) }
    });
    assert_eq!(all[0].api().requests().expect("requests").requests.len(), 4);
}

#[test]
fn codes_that_are_wrong_used_or_old_each_say_so_and_leave_nothing_behind() {
    let (folder, dir) = founded();
    let mut host = Host::start(&dir, &["invite", "1-1", "--name", "甲店", "--region", "TPE"]);
    let before = text(&dir.join("alliance.hf"));
    let pc = folder.path().join("pc");
    // A slip is told before anything is asked; another code is known to nobody.
    let mut slip = host.code.clone().into_bytes();
    slip.swap(0, 1);
    let slipped = String::from_utf8(slip).expect("ASCII");
    if slipped != host.code {
        let run = join(&pc, &slipped, &host.address, "y\n").exits(2);
        assert!(run.err.contains("H-901"), "{run:?}");
    }
    let foreign = join(&pc, "0000-0000", &host.address, "y\n").exits(5);
    assert!(foreign.err.contains("H-903"), "{foreign:?}");
    // Nobody is there.
    let nobody = join(&pc, &host.code, "127.0.0.1:1", "y\n").exits(3);
    assert!(nobody.err.contains("H-902"), "{nobody:?}");
    // The people here say no, then those there; nobody answering is no.
    let here = join(&pc, &host.code, &host.address, "n\n").exits(5);
    assert!(here.err.contains("H-906") && here.err.contains("not confirmed here"), "{here:?}");
    let _ = join(&pc, &host.code, &host.address, "").exits(5);
    host.answer("n");
    let there = join(&pc, &host.code, &host.address, "y\n").exits(5);
    assert!(there.err.contains("H-906") && there.err.contains("Whoever gave the code"), "{there:?}");
    assert_eq!(text(&dir.join("alliance.hf")), before, "nothing was signed");
    assert!(pc.join("node.key").exists() && !pc.join("alliance.hf").exists());
    // Then it joins, and the code is good for no other PC.
    host.answer("y");
    let key = text(&pc.join("node.key"));
    let _ = join(&pc, &host.code, &host.address, "y\n").exits(0);
    assert_eq!(text(&pc.join("node.key")), key, "one key for all tries");
    host.ends(0);

    let open = Host::start(&dir, &["invite", "1-2", "--name", "乙店", "--region", "TPE", "--yes"]);
    let again = run(
        &mut holdfast(&["invite", "1-1", "--name", "x", "--region", "TPE", "--dir", &dir.display().to_string()], &dir),
        BLINK,
    );
    assert!(again.exits(1).err.contains("H-861"), "a number is given once");
    let taken = join(&folder.path().join("alliance"), &open.code, &open.address, "y\n");
    assert!(taken.code != 0 && taken.err.contains("H-913"), "a folder of other papers: {taken:?}");
    drop(open);
    // An old code, beside one that is open still.
    let kept = dir.join("invitations").join("1-2.json");
    let mut old: Value = serde_json::from_str(&text(&kept)).expect("an object");
    let code = old["code"].as_str().expect("a code").to_owned();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    old["until"] = (now + 3).into();
    let open = Host::start(&dir, &["invite", "1-3", "--name", "丙店", "--region", "TPE", "--yes"]);
    drop(open);
    std::fs::write(&kept, old.to_string()).expect("written");
    let open = Host::start(&dir, &["invite", "--yes"]);
    eventually(SOON, "it is old", || {
        let run = join(&folder.path().join("late"), &code, &open.address, "n\n");
        if run.err.contains("H-904") { Ok(()) } else { Err(format!("{run:?}")) }
    });
}

#[test]
fn whatever_is_interrupted_goes_on_with_the_same_command_and_a_code_is_good_for_one_pc() {
    let (folder, dir) = founded();
    let mut host = Host::start(&dir, &["invite", "1-1", "--name", "甲店", "--region", "TPE"]);
    let (code, address) = (host.code.clone(), host.address.clone());
    let pc = folder.path().join("pc");
    let shown = pc.display().to_string();
    // The PC loses its power while the people there compare; they say yes to nobody.
    let mut joining = holdfast(&["join", &code, "--at", &address, "--dir", &shown], folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    writeln!(joining.stdin.as_mut().expect("a pipe"), "y").expect("taken");
    let mut said = BufReader::new(joining.stderr.take().expect("a pipe")).lines();
    assert!(said.any(|line| line.expect("text").contains("Waiting until they say so")));
    joining.kill().and_then(|()| joining.wait()).expect("killed");
    host.answer("y");
    eventually(SOON, "the certificate is kept before it is handed out", || {
        let kept: Value = serde_json::from_str(&text(&dir.join("invitations").join("1-1.json"))).map_err(|e| e.to_string())?;
        if kept["given"].is_string() { Ok(()) } else { Err(kept.to_string()) }
    });
    // The host's PC loses its power too.
    drop(host);
    let host = Host::start(&dir, &["invite"]);
    assert_eq!(host.code, code, "the same invitation");
    let other = join(&folder.path().join("other"), &code, &host.address, "y\n").exits(5);
    assert!(other.err.contains("H-905"), "{other:?}");
    let joined = join(&pc, &code, &host.address, "y\n").exits(0);
    assert!(joined.out.contains("1-1 甲店"), "{joined:?}");
    host.ends(0);
    // Once more, with nobody there: it is who it is.
    let again = join(&pc, &code, &address, "").exits(0);
    assert!(again.out.contains("1-1 甲店"), "{again:?}");
    let shown = run(&mut holdfast(&["alliance", "show", &dir.join("alliance.hf").display().to_string()], folder.path()), BLINK);
    assert_eq!(shown.exits(0).out.matches("甲店").count(), 1);
}

#[test]
fn another_pc_takes_a_dead_ones_place_and_goes_on_with_what_it_asked_for() {
    let (folder, dir) = founded();
    let mut nodes: Vec<Node> = Vec::new();
    for (id, name, role) in [("1-1", "甲倉", "hub"), ("1-2", "乙店", "store")] {
        let host = Host::start(&dir, &["invite", id, "--name", name, "--role", role, "--region", "TPE", "--yes"]);
        let pc = folder.path().join(id);
        let _ = join(&pc, &host.code, &host.address, "y\n").exits(0);
        host.ends(0);
        let peers: Vec<&Node> = nodes.iter().collect();
        let mut node = node(name, id, pc, &peers);
        node.start();
        nodes.push(node);
    }
    let [hub, dead] = &mut nodes[..] else { panic!("two nodes") };
    dead.api().ask_for("water:40", "before it died", None).expect("saved");
    equal(&[hub, dead]);
    dead.kill();
    let hub_api = format!("http://127.0.0.1:{}", hub.settings.api_port);
    let token = hub.token_file().display().to_string();
    let host = Host::told(&dir, &["replace", "1-2", "--yes"], &[("HOLDFAST_API", &hub_api), ("HOLDFAST_TOKEN_FILE", &token)]);
    let pc = folder.path().join("successor");
    let joined = join(&pc, &host.code, &host.address, "y\n").exits(0);
    assert!(joined.out.contains("1-2 乙店"), "{joined:?}");
    host.ends(0);
    let mut successor = node("乙店", "1-2", pc, &[hub]);
    successor.start();
    equal(&[hub, &successor]);
    // Its predecessor's words count, and what is open is its own to end.
    let requests = successor.api().requests().expect("requests").requests;
    let notes: Vec<Option<String>> = requests.iter().map(|request| request.note.clone()).collect();
    assert_eq!(notes, [Some("before it died".to_owned())]);
    let _ = successor.cli(&["report", "status", "open"]);
    let _ = successor.cli(&["request", "cancel", &requests[0].request, "--reason", "found"]);
    eventually(SOON, "the hub sees it", || {
        let request = hub.api().request(&requests[0].request)?;
        let board = hub.api().status()?.nodes.into_iter().find(|node| node.id == "1-2").ok_or("unknown")?;
        match (request.status.as_str(), board.operating_status.as_str()) {
            ("cancelled", "open") => Ok(()),
            seen => Err(format!("{seen:?}")),
        }
    });
    // The dead PC comes back: its key opens no link.
    dead.settings.sync_peers = vec![hub.settings.sync_address()];
    dead.start();
    eventually(SOON, "it is told that it was replaced", || {
        let why: Vec<String> = dead.api().peers()?.peers.into_iter().filter_map(|peer| peer.last_error).collect();
        if why.iter().any(|why| why.contains("replaced") || why.contains("revoked")) { Ok(()) } else { Err(format!("{why:?}")) }
    });
}
