//! Answers that said too little or too much: what a command leaves out, where its hints lead, which time it understood.

use super::*;

/// A demo as its folder tells it: node `a` is the made-up daemon, `b` does not run.
fn demo_of(fake: &Fake) -> String {
    let dir = fake.dir.path().join("demo");
    let node = |name: &str, pid: Option<u32>| {
        let config = dir.join(name).join("holdfast.toml");
        json!({"name": name, "id": "1-1", "api": fake.api, "token_file": fake.token_file(), "pid": pid, "config": config})
    };
    let file = json!({"schema": "holdfast.demo/1", "nodes": [node("a", Some(1)), node("b", None)], "supervisor_pid": 1});
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("demo.json"), file.to_string()).unwrap();
    dir.display().to_string()
}

fn equal(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/digest" => {
            let view = json!({"schema": "holdfast.digest/1", "digest": "00ff", "converged": true, "neighbours": 1, "entries": 1,
                "boards": 1, "holes": 0});
            (200, view)
        }
        other => rule(other),
    }
}

#[test]
fn a_demo_with_a_node_that_does_not_run_is_not_converged() {
    let fake = Fake::new(equal);
    let dir = demo_of(&fake);
    let did = typed(&["--dir", &dir, "wait", "converged", "--timeout", "1s"], &[]);
    assert!(did.code == 7 && did.err.contains("b of the demo does not run"), "{did:?}");
    let did = typed(&["--dir", &dir, "wait", "converged", "--timeout", "1s", "--json"], &[]);
    let object: Value = serde_json::from_str(&did.err).unwrap();
    assert!(object["what"]["zh"].as_str().unwrap().contains("示範據點 b 沒有在執行"), "{object}");
    let did = typed(&["--dir", &dir, "--demo-node", "a", "wait", "converged", "--timeout", "1s"], &[]);
    assert_eq!(did.code, 0, "who names the one asks only of it: {did:?}");
}
