//! The radio link on pseudo terminals: real ports as far as a program can tell. Every wait has a limit and a condition.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::id::NodeId;
use holdfast_proto::link::radio::framing::Framing;
use holdfast_proto::link::radio::pieces::Speaker;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::time::timeout;

use super::*;
use crate::code::Code;
use crate::link::{LinkSettings, Links};

/// Longer than any of these waits takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
const REALM: [u8; 2] = [3, 4];

/// The far end of a port, and the port's own path.
fn terminal() -> (File, PathBuf) {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal");
    grantpt(&far).expect("it is ours");
    unlockpt(&far).expect("it can be unlocked");
    let path = ptsname(&far, Vec::new()).expect("it has a name").into_string().expect("a plain one");
    (File::from(far), PathBuf::from(path))
}

fn node(serial: u16) -> NodeId {
    NodeId { issuer: 1, serial }
}

fn settings(serial: u16, port: &Path, framing: Framing) -> RadioSettings {
    let manner = Manner {
        speaker: Speaker { realm: REALM, me: node(serial), mtu: 200 },
        framing,
        rate: 50_000,
        key_up: Duration::from_millis(20),
        share: 1_000_000,
        heard_for: Duration::from_secs(600),
        seed: 0,
    };
    RadioSettings { port: port.display().to_string(), baud: 9_600, manner }
}

async fn open(serial: u16, port: &Path, framing: Framing) -> Links {
    let settings = LinkSettings { radio: Some(settings(serial, port, framing)), ..LinkSettings::default() };
    Links::spawn(settings, &[1; 32]).await.expect("a radio alone listens nowhere")
}

/// Waits for an input that is of use.
async fn wait<T>(links: &mut Links, mut wanted: impl FnMut(&Input) -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = wanted(&links.next().await) {
                return found;
            }
        }
    };
    timeout(LIMIT, waiting).await.expect("it happens within the limit")
}

async fn credit(links: &mut Links) -> LinkId {
    wait(links, |input| if let Input::Writable { link, .. } = input { Some(*link) } else { None }).await
}

async fn frame(links: &mut Links) -> Bytes {
    wait(links, |input| if let Input::Received { frame, .. } = input { Some(frame.clone()) } else { None }).await
}

/// What one end of a cable says comes out at the other. Ends with either port.
fn cable(from: &File, to: &File) {
    let (mut from, mut to) = (from.try_clone().expect("a file"), to.try_clone().expect("a file"));
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        // An error while nobody has the port open yet.
        loop {
            match from.read(&mut buffer) {
                Ok(count) => drop(to.write_all(&buffer[..count])),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    });
}

#[tokio::test]
async fn long_and_short_messages_pass_between_two_ports_in_every_framing() {
    let call = "BV2ABC-7".parse().expect("a call sign");
    for framing in [Framing::Kiss, Framing::Ax25(call), Framing::Cobs] {
        let ((far_a, a), (far_b, b)) = (terminal(), terminal());
        let (mut a, mut b) = (open(1, &a, framing).await, open(2, &b, framing).await);
        let (link, _) = (credit(&mut a).await, credit(&mut b).await);
        cable(&far_a, &far_b);
        cable(&far_b, &far_a);
        for length in [1, MESSAGE_MAX] {
            let said = Bytes::from(vec![0xC0; length]);
            a.transmit(link, said.clone());
            assert_eq!(frame(&mut b).await, said, "{framing:?}");
            credit(&mut a).await;
        }
        let state = b.radio().expect("it has a radio");
        assert_eq!(state.report.heard.first().map(|(node, _)| *node), Some(node(1)));
        // The cable hands on the four commands that were meant for the other's modem.
        assert!(state.report.noise <= 4 && state.trouble.is_none(), "{state:?}");
        a.shutdown().await;
        b.shutdown().await;
    }
}

#[tokio::test]
async fn a_port_that_vanishes_within_a_frame_comes_back_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = folder.path().join("modem");
    let mut links = open(1, &port, Framing::Kiss).await;
    let missing = async {
        while links.radio().is_none_or(|state| state.trouble != Some(Trouble::Missing)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, missing).await.expect("it is told that there is no such port");
    let speaker = Speaker { realm: REALM, me: node(2), mtu: 200 };
    let line = |text: &[u8]| Framing::Kiss.wrap(&speaker.cut(text).expect("short")[0]);
    for text in [&b"first"[..], b"second"] {
        let (mut far, path) = terminal();
        drop(std::fs::remove_file(&port));
        std::os::unix::fs::symlink(path, &port).expect("a link can be made");
        let link = credit(&mut links).await;
        far.write_all(&line(text)).expect("it is open");
        assert_eq!(frame(&mut links).await, text);
        far.write_all(&line(b"half")[..9]).expect("it is open");
        drop(far);
        let gone =
            wait(
                &mut links,
                |input| {
                    if let Input::LinkDown { link, cause } = input { Some((*link, cause.clone())) } else { None }
                },
            );
        let (down, cause) = gone.await;
        assert!(down == link && cause.contains("went away"), "{cause}");
    }
    links.shutdown().await;
}

#[tokio::test]
async fn a_port_held_by_another_program_is_told_with_its_name() {
    let (_far, path) = terminal();
    let held = File::options().read(true).write(true).open(&path).expect("it can be opened");
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).expect("it can be locked");
    let links = open(1, &path, Framing::Kiss).await;
    let told = async {
        loop {
            match links.radio().and_then(|state| state.trouble) {
                Some(trouble) => return trouble,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let trouble = timeout(LIMIT, told).await.expect("it is told");
    assert_eq!(trouble.code(), Code::RadioHeld);
    let number = format!("({})", std::process::id());
    assert!(trouble.words("x").en.contains(&number) && trouble.words("x").zh.contains(&number), "{trouble:?}");
    drop(held);
    let mut links = links;
    credit(&mut links).await;
    assert_eq!(links.radio().and_then(|state| state.trouble), None);
    links.shutdown().await;
}

#[tokio::test]
async fn what_is_no_serial_port_is_told() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let links = open(1, file.path(), Framing::Kiss).await;
    let told = async {
        while links.radio().is_none_or(|state| !matches!(state.trouble, Some(Trouble::Unfit(_)))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, told).await.expect("it is told");
    links.shutdown().await;
}

#[test]
fn each_trouble_says_what_to_do_in_both_languages() {
    let cause = || "the cause".to_owned();
    let troubles = [
        Trouble::Missing,
        Trouble::Held(None),
        Trouble::Held(Some("direwolf (12)".to_owned())),
        Trouble::NoRight,
        Trouble::Unfit(cause()),
        Trouble::Gone(cause()),
        Trouble::Stuck,
    ];
    for trouble in troubles {
        let words = trouble.words("/dev/ttyUSB0");
        assert!(words.en.contains("/dev/ttyUSB0") && words.en.contains(". "), "{}", words.en);
        assert!(words.zh.contains("/dev/ttyUSB0") && words.zh.contains('請') || trouble == Trouble::Stuck, "{}", words.zh);
    }
}
