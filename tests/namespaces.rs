//! Two PCs on one cable, as two network namespaces: they find each other by multicast, without any address configured.

use std::process::Command;

use holdfast_tests::{BLINK, LONG, Plan, eventually, missing, namespaces_joined, run};

#[test]
fn two_namespaces_are_joined_and_gone_afterwards() {
    let Ok(joined) = namespaces_joined() else { return missing("two namespaces", "the right to make network namespaces") };
    let [a, b] = &joined;
    let script = format!("ip -o route get {} | grep -q 'dev wire'", b.address);
    let inside = ["netns", "exec", a.name.as_str(), "sh", "-c", script.as_str()];
    let _ = run(Command::new("ip").args(inside), BLINK).exits(0);
    let names = [a.name.clone(), b.name.clone()];
    drop(joined);
    let left = run(Command::new("ip").args(["netns", "list"]), BLINK).exits(0).out;
    assert!(names.iter().all(|name| !left.contains(name.as_str())), "{left}");
}

#[test]
fn two_nodes_on_one_cable_find_each_other_by_mdns() {
    let joined = match namespaces_joined() {
        Ok(joined) => joined,
        Err(error) => return missing("finding each other by mDNS", &format!("the right to make network namespaces ({error})")),
    };
    let mut alliance = Plan::of(2).strangers().make();
    for (n, namespace) in joined.iter().enumerate() {
        let node = alliance.node_mut(n);
        node.namespace = Some(namespace.name.clone());
        node.settings.address.clone_from(&namespace.address);
        node.settings.mdns = true;
    }
    alliance.start();
    let _ = alliance.node(0).cli(&["report", "stock", "water=120"]);
    let _ = alliance.node(1).cli(&["request", "new", "--item", "rice:5"]);
    eventually(LONG, "both hold the same, linked by sync", || {
        let digests = [0, 1].map(|n| alliance.node(n).cli(&["digest"]).out);
        let peers = alliance.node(0).cli(&["peers", "--json"]).json();
        let up = peers["peers"].as_array().is_some_and(|peers| peers.iter().any(|p| p["state"] == "up"));
        if up && digests[0] == digests[1] { Ok(()) } else { Err(format!("{digests:?} {peers}")) }
    });
    let list = alliance.node(0).cli(&["request", "list", "--json"]).exits(0).json();
    assert_eq!(list["requests"].as_array().map(Vec::len), Some(1), "{list}");
    // The daemons end before their cable goes.
    drop(alliance);
    drop(joined);
}
