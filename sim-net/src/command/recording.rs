//! A real daemon's recording, played again: where does this build do anything else than that daemon did?

use std::io::Write;
use std::path::Path;

use holdfast_proto::io::Output;
use holdfast_proto::recording::{Played, Replay};

use super::Failed;

/// What can be played again.
pub(super) const KINDS: &str =
    "Give the folder that `run --out` or `play --out` wrote, or a file that a daemon with [log] record = true wrote";
/// How many outputs of the first step that differs are shown.
const SHOWN: usize = 20;
/// How much of one output or input is shown, characters.
const WIDTH: usize = 160;

/// Plays the recording; true where every step was the same. `events` shows what the node told as it went.
pub(super) fn replay(out: &mut impl Write, path: &Path, events: bool) -> Result<bool, Failed> {
    let unreadable = |why: &dyn std::fmt::Display| Failed::Other(format!("{}: {why}. {KINDS}", path.display()));
    let bytes = std::fs::read(path).map_err(|why| unreadable(&why))?;
    let mut replay = Replay::new(&bytes).map_err(|why| unreadable(&why))?;
    let (begin, kind) = (replay.start().clone(), replay.node().roster().kind());
    writeln!(out, "a real daemon's recording: node {}, realm {}, version {}", begin.me, kind.text(), begin.build)?;
    while let Some(played) = replay.step().map_err(|why| unreadable(&why))? {
        let at = seconds(played.step.now.mono.since(begin.now.mono).as_micros());
        if events {
            tell(out, &at, &played)?;
        }
        if !played.same() {
            return left(out, &at, &played, &begin.build);
        }
    }
    writeln!(out, "{} steps in {} of its time, each the same", replay.steps(), seconds(replay.reached().0.into()))?;
    if replay.torn() {
        writeln!(out, "it ends in the middle of a step: the daemon was killed or the disk was full")?;
    }
    writeln!(out, "fingerprint {}", replay.fingerprint())?;
    Ok(true)
}

fn tell(out: &mut impl Write, at: &str, played: &Played) -> std::io::Result<()> {
    for output in &played.outputs {
        if let Output::Notify(event) = output {
            writeln!(out, "{at:>14}  {event:?}")?;
        }
    }
    Ok(())
}

fn left(out: &mut impl Write, at: &str, played: &Played, build: &str) -> Result<bool, Failed> {
    writeln!(out, "step {} at {at} is another one than recorded", played.number)?;
    if let Some(input) = &played.step.input {
        writeln!(out, "  in   {}", short(&format!("{input:?}")))?;
    }
    for output in played.outputs.iter().take(SHOWN) {
        writeln!(out, "  out  {}", short(&format!("{output:?}")))?;
    }
    let (now, then) = (played.asked.count, played.step.asked.count);
    writeln!(out, "  {now} outputs now, {then} then; recorded by version {build}, this is {}", env!("CARGO_PKG_VERSION"))?;
    Ok(false)
}

fn short(text: &str) -> String {
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    text.chars().take(WIDTH).chain("...".chars()).collect()
}

fn seconds(us: u128) -> String {
    super::seconds(u64::try_from(us).unwrap_or(u64::MAX))
}
