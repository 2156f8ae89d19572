//! Everything that happened to a running node, so that it can be played again elsewhere, step by step (P6). Bytes only: the daemon
//! writes them to a file, the simulator reads them.
//!
//! A recording holds what the node held, closed words and exact counts among it, but not its key: instead of the key it has the
//! signatures that were made, and each is checked against what the replay wants to sign.
//!
//! | at | what |
//! | --- | --- |
//! | 0 | [`MAGIC`] |
//! | then, again and again | length of a part, u32 big-endian; the part, as [`codec::encode`] writes it |
//!
//! The first part is [`Part::Start`], then come the stored rows, then the steps. A file whose writer was killed ends in the middle
//! of a part; what stands before counts.

use std::collections::VecDeque;
use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::config::Config;
use crate::id::NodeId;
use crate::identity::{PublicKey, Signature, Signer, hash16};
use crate::io::{Input, Output, Row, Stamp};
use crate::node::{Known, Node, RestoreError, Restoring, Setup};
use crate::time::{Instant, Now};

/// The first bytes of every recording; another number is another format and is refused.
pub const MAGIC: &[u8] = b"holdfast.recording/1\n";
/// What the magic of any version begins with.
const FAMILY: &[u8] = b"holdfast.recording/";
/// Largest part: the certificates of 16,000 nodes take about 4 MB.
const PART_BYTES_MAX: usize = 16 << 20;

/// One part of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// What the node was built from.
    Start(Box<Start>),
    /// A row of its store, in the order in which it was read.
    Row(Row),
    /// One input and what came of it.
    Step(Step),
}

/// What a node was built from, its key left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Version of the program.
    pub build: String,
    /// Limits and periods.
    pub config: Config,
    /// Its name.
    pub me: NodeId,
    /// Its public key.
    pub key: PublicKey,
    /// Objects of its alliance file, charter first.
    pub objects: Vec<Bytes>,
    /// Items it knew, as JSON: what an item leaves open is left out, which the wire's encoder can't spell.
    pub catalogue: String,
    /// Seed of its randomness.
    pub seed: [u8; 32],
    /// Proof of continuity, where one was found.
    pub stamp: Option<Stamp>,
    /// Its clocks when its rows were read.
    pub now: Now,
}

/// One input and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Both clocks.
    pub now: Now,
    /// What came in; `None` for what a node asks for before anything does.
    pub input: Option<Input>,
    /// What it signed meanwhile.
    pub signatures: Vec<Signature>,
    /// What it asked for.
    pub asked: Asked,
}

/// Outputs in short: how many, and a hash over all of them in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// How many.
    pub count: u32,
    /// First 16 bytes of BLAKE3 over frames and words.
    pub hash: [u8; 16],
}

/// Sums outputs up to an [`Asked`].
#[derive(Clone, Debug, Default)]
pub struct Asking {
    count: u32,
    hasher: blake3::Hasher,
}

impl Asking {
    /// One more output.
    pub fn output(&mut self, output: &Output) {
        self.count = self.count.saturating_add(1);
        if let Output::Transmit { link, frame } = output {
            self.hasher.update(&u64::from(link.0).to_be_bytes()).update(frame);
        } else {
            // In words: replies hold what the wire's encoder can't spell. Writing into a hash never fails.
            let _ = write!(Words(&mut self.hasher), "{output:?}");
        }
        self.hasher.update(&self.count.to_be_bytes());
    }

    /// The sum of all since the last time.
    pub fn take(&mut self) -> Asked {
        let Self { count, hasher } = std::mem::take(self);
        Asked { count, hash: hash16(hasher.finalize().as_bytes()) }
    }
}

struct Words<'a>(&'a mut blake3::Hasher);

impl std::fmt::Write for Words<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// A part as it stands in a file.
#[must_use]
pub fn frame(part: &Part) -> Vec<u8> {
    let body = codec::encode(part);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body.as_slice()].concat()
}

/// These bytes are no recording that can be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Something else.
    #[error("this is no recording: its first line is not holdfast.recording/1")]
    NoRecording,
    /// Of another version of the format.
    #[error("this recording is {0}; this program reads holdfast.recording/1. Play it with the version that made it")]
    OtherVersion(String),
    /// The part is damaged.
    #[error("the recording is damaged at byte {0}; what stands behind can't be read")]
    Damaged(usize),
    /// It ends before the node ran.
    #[error("the recording ends before the node had started")]
    NoStart,
    /// The node would not start from what is recorded.
    #[error("the node does not start from what is recorded: {0}")]
    Restore(#[from] RestoreError),
}

/// Parts of a recording, one after the other.
#[derive(Clone, Debug)]
struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
    /// It ends in the middle of a part.
    torn: bool,
}

impl<'a> Parts<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        if bytes.starts_with(MAGIC) {
            return Ok(Self { bytes, at: MAGIC.len(), torn: false });
        }
        if !bytes.starts_with(FAMILY) {
            return Err(Unreadable::NoRecording);
        }
        let line = bytes.iter().take(64).take_while(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte)).collect();
        Err(Unreadable::OtherVersion(line))
    }

    fn next(&mut self) -> Result<Option<Part>, Unreadable> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk() else {
            self.torn = !rest.is_empty();
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > PART_BYTES_MAX {
            return Err(Unreadable::Damaged(self.at));
        }
        let Some(body) = rest.get(..length) else {
            self.torn = true;
            return Ok(None);
        };
        let part = codec::decode(body, PART_BYTES_MAX).map_err(|_| Unreadable::Damaged(self.at))?;
        self.at += 4 + length;
        Ok(Some(part))
    }
}

/// A recorded node that runs again.
#[derive(Debug)]
pub struct Replay<'a> {
    parts: Parts<'a>,
    start: Box<Start>,
    node: Node,
    /// The part that comes next; it was read to see where the rows end.
    next: Option<Step>,
    steps: u64,
    last: Now,
    hasher: blake3::Hasher,
}

/// One step played again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Its number, from 0: what the node asked for before anything came in.
    pub number: u64,
    /// As recorded.
    pub step: Step,
    /// What the node asks for now.
    pub outputs: Vec<Output>,
    /// That in short; another one than recorded says that the replay has left the recording.
    pub asked: Asked,
}

impl Played {
    /// The node does what it did.
    #[must_use]
    pub fn same(&self) -> bool {
        self.asked == self.step.asked
    }
}

impl<'a> Replay<'a> {
    /// Builds the node from the beginning of a recording.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut parts = Parts::new(bytes)?;
        let Some(Part::Start(start)) = parts.next()? else {
            return Err(Unreadable::NoStart);
        };
        let setup = Setup {
            config: start.config.clone(),
            me: start.me,
            signer: Signer::Replayed(start.key, VecDeque::new()),
            known: Known::read(&start.objects)?,
            catalogue: serde_json::from_str(&start.catalogue).map_err(|_| Unreadable::Damaged(MAGIC.len()))?,
            seed: start.seed,
            stamp: start.stamp,
        };
        let mut restoring = Restoring::new(setup, start.now);
        let next = loop {
            match parts.next()? {
                Some(Part::Row(row)) => restoring.take(row),
                Some(Part::Step(step)) => break step,
                Some(Part::Start(_)) | None => return Err(Unreadable::NoStart),
            }
        };
        let last = start.now;
        let node = restoring.finish()?;
        Ok(Self { parts, start, node, next: Some(next), steps: 0, last, hasher: blake3::Hasher::new() })
    }

    /// What the node was built from.
    #[must_use]
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The node as it is after the steps played so far.
    pub fn node(&mut self) -> &mut Node {
        &mut self.node
    }

    /// Steps played so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Its own time since its start.
    #[must_use]
    pub fn reached(&self) -> Instant {
        Instant(self.last.mono.0.saturating_sub(self.start.now.mono.0))
    }

    /// Both clocks at the last step.
    #[must_use]
    pub fn now(&self) -> Now {
        self.last
    }

    /// The recording ends in the middle of a part, because its writer was killed or the disk was full.
    #[must_use]
    pub fn torn(&self) -> bool {
        self.parts.torn
    }

    /// Over all steps played so far: clocks, inputs and outputs.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// Plays the next step; `None` at the end.
    ///
    /// # Errors
    /// [`Unreadable::Damaged`].
    pub fn step(&mut self) -> Result<Option<Played>, Unreadable> {
        let step = match self.next.take() {
            Some(step) => step,
            None => match self.parts.next()? {
                Some(Part::Step(step)) => step,
                Some(Part::Start(_) | Part::Row(_)) => return Err(Unreadable::Damaged(self.parts.at)),
                None => return Ok(None),
            },
        };
        self.node.foresee(step.signatures.iter().copied());
        if let Some(input) = &step.input {
            self.node.handle(step.now, input.clone());
        }
        let mut asking = Asking::default();
        let outputs: Vec<Output> = std::iter::from_fn(|| self.node.poll_output()).collect();
        outputs.iter().for_each(|output| asking.output(output));
        let asked = asking.take();
        self.hasher.update(&codec::encode(&(step.now, &step.input, asked)));
        let number = self.steps;
        self.steps += 1;
        self.last = step.now;
        Ok(Some(Played { number, step, outputs, asked }))
    }
}

#[cfg(test)]
mod tests;
