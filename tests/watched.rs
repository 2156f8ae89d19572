//! `holdfast watch` on a real daemon: a neighbour's word shows, a restart is said and outlived, a signal ends it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use holdfast_tests::{BLINK, Node, Plan, SOON, eventually, signal};
use serde_json::{Value, json};

/// A running `holdfast watch --json` and all lines it says.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn on(node: &Node) -> Self {
        let mut child =
            node.command(&["watch", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        let (tx, lines) = channel();
        read_lines(child.stdout.take().expect("a pipe"), tx.clone());
        read_lines(child.stderr.take().expect("a pipe"), tx);
        let watch = Self { child, lines };
        watch.until("it listens", |line| line.contains("Ctrl-C"));
        watch
    }

    fn until(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let mut heard = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            if is_it(&line) {
                return line;
            }
            heard.push(line);
        }
        panic!("{what}: not among {heard:#?}");
    }

    fn until_event(&self, name: &str, of: Option<&Node>) -> Value {
        let line = self.until(name, |line| {
            let event: Value = serde_json::from_str(line).unwrap_or_default();
            let who = of.is_none_or(|node| [&event["node"], &event["author"]].contains(&&json!(node.id.to_string())));
            event["event"] == name && who
        });
        let event: Value = serde_json::from_str(&line).expect("read before");
        assert_eq!(event["schema"], "holdfast.event/1", "{line}");
        assert!(event["heard_at"].is_string(), "{line}");
        event
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(pipe: impl Read + Send + 'static, tx: Sender<String>) {
    std::thread::spawn(move || BufReader::new(pipe).lines().map_while(Result::ok).all(|line| tx.send(line).is_ok()));
}

#[test]
fn a_word_of_a_neighbour_shows_and_a_restart_is_said_and_outlived() {
    let mut alliance = Plan::of(2).start();
    let watch = Watch::on(alliance.node(1));
    alliance.node(0).api().report(&[("operating.status", "open")]).expect("saved");
    watch.until_event("board", Some(alliance.node(0)));
    alliance.node(0).api().ask_for("water:1", "before", None).expect("saved");
    watch.until_event("entries", Some(alliance.node(0)));

    alliance.node_mut(1).stop();
    watch.until_event("daemon_lost", None);
    alliance.node_mut(1).start();
    watch.until_event("daemon_back", None);
    alliance.node(0).api().ask_for("water:2", "after", None).expect("saved");
    watch.until_event("entries", Some(alliance.node(0)));

    alliance.node_mut(1).kill();
    watch.until_event("daemon_lost", None);
}

#[test]
fn a_signal_ends_it_at_once() {
    let alliance = Plan::of(1).start();
    for name in ["INT", "TERM"] {
        let mut watch = Watch::on(alliance.node(0));
        signal(watch.child.id(), name);
        eventually(BLINK, "watch has ended", || match watch.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            still => Err(format!("{still:?}")),
        });
    }
    alliance.node(0).api().digest().expect("the daemon does not mind");
}
