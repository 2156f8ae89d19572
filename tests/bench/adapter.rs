//! The adapters behind the driver contract: a Holdfast daemon in this process, and the UDP floor. Measure nothing themselves.

use std::fs::File;
use std::future::Future;
use std::io::{BufRead, Write};
use std::net::UdpSocket;
use std::path::Path;
use std::task::Poll;

use holdfast_daemon::config::Settings;
use holdfast_daemon::handle::{Gone, Handle};
use holdfast_daemon::run;
use holdfast_proto::control::{Answer, Command, Event, Fault, Question, Reply, RequestNew};
use holdfast_proto::id::NodeId;
use tokio::sync::{mpsc, oneshot};

use crate::machine::{Outcome, words};

/// First port of the floor; its round has a network of its own.
const FLOOR_PORT: u16 = 20_000;
/// Largest datagram of the floor.
const DATAGRAM_MAX: usize = 2_048;

fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    // The round that reads this has ended, or reads on; either way there is nothing to do here.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Runs the daemon's library on `config`, exactly as `holdfastd` does, with lines instead of HTTP. `first` is whose words count.
pub(crate) fn node(config: &Path, first: &str) -> Outcome<()> {
    let settings = Settings::load(config).map_err(words)?;
    holdfast_daemon::log::start(settings.log_format, &settings.log_filter).map_err(words)?;
    let first: NodeId = first.parse().map_err(words)?;
    let runtime = run::runtime().map_err(words)?;
    let (lines, mut heard) = mpsc::unbounded_channel::<String>();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    runtime.block_on(async move {
        let (tx, rx) = oneshot::channel::<Handle>();
        let (stop, stopped) = oneshot::channel::<()>();
        let desk = tokio::spawn(async move {
            let Ok(handle) = rx.await else { return };
            tokio::spawn(events(handle.clone(), first));
            while let Some(line) = heard.recv().await {
                obey(&handle, &line).await;
            }
            drop(stop);
        });
        let ended = run::run(settings, async move { drop(stopped.await) }, move |handle| drop(tx.send(handle))).await;
        desk.abort();
        ended.map_err(words)
    })
}

async fn events(handle: Handle, publisher: NodeId) {
    let mut events = handle.events();
    let mut members = 0_usize;
    tell("M 0");
    loop {
        match events.recv().await {
            Ok(Event::Entries { author, first, count }) if author == publisher => {
                for number in first..first.saturating_add(count) {
                    tell(&format!("R {}", number.saturating_sub(1)));
                }
            }
            Ok(Event::PeerUp { .. }) => {
                members += 1;
                tell(&format!("M {members}"));
            }
            Ok(Event::PeerDown { .. }) => {
                members = members.saturating_sub(1);
                tell(&format!("M {members}"));
            }
            Ok(Event::Bug { what } | Event::StoreFailed { cause: what } | Event::Stopped { cause: what }) => eprintln!("{what}"),
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        }
    }
}

async fn obey(handle: &Handle, line: &str) {
    if let Some(order) = line.strip_prefix('!') {
        return control(handle, order).await;
    }
    let Some((seq, text)) = line.split_once(' ') else { return };
    let (other, note) = text.split_once(' ').unwrap_or((text, ""));
    let note = (!note.is_empty()).then(|| note.to_owned());
    let wish = RequestNew { items: vec![format!("other:{other}=40")], note, ..RequestNew::default() };
    let (handle, seq) = (handle.clone(), seq.to_owned());
    let mut saying = Box::pin(async move { handle.command(Command::RequestNew(wish)).await });
    // The first poll queues the command, so that numbers follow the lines; the answer is waited for elsewhere.
    let answered = std::future::poll_fn(|cx| Poll::Ready(saying.as_mut().poll(cx))).await;
    match answered {
        Poll::Ready(reply) => answer(&seq, &reply),
        Poll::Pending => drop(tokio::spawn(async move { answer(&seq, &saying.await) })),
    }
}

fn answer(seq: &str, reply: &Result<Reply, Gone>) {
    match reply {
        Ok(Reply::Saved(_) | Reply::CourierOut(_) | Reply::CourierIn(_)) => tell(&format!("A {seq}")),
        Ok(Reply::Refused(refusal)) => tell(&format!("E {seq} {refusal:?}")),
        Ok(Reply::Drafted(draft)) => tell(&format!("E {seq} {draft:?}")),
        Err(gone) => tell(&format!("E {seq} {gone}")),
    }
}

async fn control(handle: &Handle, order: &str) {
    let mut parts = order.split(' ');
    match parts.next() {
        Some("digest") => {
            if let Ok(Answer::Digest(view)) = handle.ask(Question::Digest).await {
                tell(&format!("D {} {}", view.digest, view.entries));
            }
        }
        Some("metrics") => {
            if let Ok(Answer::Metrics(all)) = handle.ask(Question::Metrics).await {
                let list: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
                tell(&format!("X {}", list.join(" ")));
            }
        }
        Some("cut") => {
            let nodes = parts.filter_map(|id| id.parse().ok()).collect();
            drop(handle.command(Command::Fault(Fault::Cut { nodes })).await);
            tell("C cut");
        }
        Some("heal") => {
            drop(handle.command(Command::Fault(Fault::Heal)).await);
            tell("C healed");
        }
        Some(_) | None => eprintln!("not understood: {order}"),
    }
}

/// The floor: a star of datagrams, no signing, no repair. Node 0 sends, the others only hear; with a `file` each writes what it
/// heard and syncs it before it says so.
pub(crate) fn floor(place: u16, nodes: u16, file: Option<&Path>) -> Outcome<()> {
    let socket = UdpSocket::bind(("127.0.0.1", FLOOR_PORT + place)).map_err(words)?;
    let mut disk = file.map(File::create).transpose().map_err(words)?;
    tell(&format!("M {}", nodes - 1));
    if place > 0 {
        std::thread::spawn(move || {
            let mut buffer = [0; DATAGRAM_MAX];
            while let Ok(length) = socket.recv(&mut buffer) {
                let seq = String::from_utf8_lossy(&buffer[..length.min(8)]).into_owned();
                if let Some(Err(error)) = disk.as_mut().map(|disk| keep(disk, &buffer)) {
                    return eprintln!("the floor's disk: {error}");
                }
                tell(&format!("R {}", seq.trim()));
            }
        });
        // Until the round closes the input.
        return std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).map(|_| ()).map_err(words);
    }
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Some((seq, text)) = line.split_once(' ') else { continue };
        tell(&format!("A {seq}"));
        let mut datagram = format!("{seq:<8}{text}");
        datagram.truncate(crate::world::PAYLOAD_BYTES);
        for other in 1..nodes {
            socket.send_to(datagram.as_bytes(), ("127.0.0.1", FLOOR_PORT + other)).map_err(words)?;
        }
        tell(&format!("R {seq}"));
    }
    Ok(())
}

/// What the cheapest store would do: two pages at the end of a file, and a sync.
fn keep(file: &mut File, text: &[u8]) -> std::io::Result<()> {
    let mut pages = [0; 8_192];
    pages.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    file.write_all(&pages)?;
    file.sync_data()
}
