//! `[log] record = true`: all that happens to the node goes to a file that `holdfast-sim replay` plays again. Diagnosis only: what
//! goes wrong here is logged, ends the recording, and never holds up the node.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use holdfast_proto::identity::Signature;
use holdfast_proto::io::{Input, Output, Row};
use holdfast_proto::recording::{Asking, MAGIC, Part, Start, Step, frame};
use holdfast_proto::time::Now;

/// Folder of the recordings inside the data folder.
pub const FOLDER: &str = "recordings";
/// What the names end with.
const ENDING: &str = "recording";
/// A recording ends at this size: an hour of a busy hub, weeks of a store. Guess; a disk of a store PC has room for it.
const BYTES_MAX: u64 = 256 << 20;
/// Recordings kept, the running one among them; older ones are deleted.
const KEPT: usize = 3;
/// Parts that may wait for the disk. A step is a frame at most, so that these are 16 MiB at the worst.
const WAITING_MAX: usize = 256;

/// A recording that is being written.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    asking: Asking,
    bytes: u64,
    /// Gone once the recording has ended.
    parts: Option<SyncSender<Vec<u8>>>,
    writer: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins a recording beside the store, and deletes the oldest where there are too many.
    ///
    /// # Errors
    /// The folder or the file can't be made.
    pub fn create(data_dir: &Path, start: Start) -> io::Result<Self> {
        let folder = data_dir.join(FOLDER);
        fs::create_dir_all(&folder)?;
        make_room(&folder)?;
        let (mut file, path) = (0_u32..)
            .find_map(|again| {
                let path = folder.join(format!("{:013}-{again}.{ENDING}", start.now.wall.0));
                match private().open(&path) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                    other => Some(other.map(|file| (file, path))),
                }
            })
            .unwrap_or_else(|| Err(io::Error::other("no name is free")))?;
        let head = [MAGIC, &frame(&Part::Start(Box::new(start)))].concat();
        file.write_all(&head)?;
        let (parts, waiting) = sync_channel(WAITING_MAX);
        let writer = std::thread::Builder::new().name("recorder".to_owned()).spawn({
            let path = path.clone();
            move || write(&waiting, file, &path)
        })?;
        tracing::info!(path = %path.display(), "recording");
        let bytes = head.len() as u64;
        Ok(Self { path, asking: Asking::default(), bytes, parts: Some(parts), writer: Some(writer) })
    }

    /// A row of the store, as the node read it. May wait for the disk: nothing runs yet.
    pub fn row(&mut self, row: &Row) {
        let part = self.count(&Part::Row(row.clone()));
        if self.parts.as_ref().is_some_and(|parts| parts.send(part).is_err()) {
            self.end("it can't be written");
        }
    }

    /// The node asks for something.
    pub fn output(&mut self, output: &Output) {
        if self.parts.is_some() {
            self.asking.output(output);
        }
    }

    /// All that came of one input was asked for.
    pub fn step(&mut self, now: Now, input: Option<Input>, signatures: Vec<Signature>) {
        let step = Step { now, input, signatures, asked: self.asking.take() };
        if self.parts.is_none() {
            return;
        }
        let part = self.count(&Part::Step(step));
        match self.parts.as_ref().map(|parts| parts.try_send(part)) {
            Some(Err(TrySendError::Full(_))) => self.end("the disk does not keep up"),
            Some(Err(TrySendError::Disconnected(_))) => self.end("it can't be written"),
            Some(Ok(())) if self.bytes > BYTES_MAX => self.end("it is as large as a recording may be"),
            Some(Ok(())) | None => {}
        }
    }

    fn count(&mut self, part: &Part) -> Vec<u8> {
        let part = frame(part);
        self.bytes = self.bytes.saturating_add(part.len() as u64);
        part
    }

    fn end(&mut self, why: &str) {
        self.parts = None;
        tracing::warn!(path = %self.path.display(), why, "the recording ends here; the node goes on. Start it again for a new one");
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.parts = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to write.
            drop(writer.join());
        }
    }
}

/// Writes what comes, each part at once: what stood before a crash is what matters most.
fn write(parts: &Receiver<Vec<u8>>, mut file: File, path: &Path) {
    while let Ok(part) = parts.recv() {
        if let Err(error) = file.write_all(&part) {
            tracing::warn!(path = %path.display(), %error, "the recording can't be written");
            return;
        }
    }
}

/// Deletes the oldest recordings until one more may be kept. Names sort by their time.
fn make_room(folder: &Path) -> io::Result<()> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == ENDING))
        .collect();
    found.sort();
    let too_many = (found.len() + 1).saturating_sub(KEPT);
    found.iter().take(too_many).try_for_each(fs::remove_file)
}

/// Readable by its owner only: closed words and exact counts are in it.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_recordings_are_kept_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["0000000000007-0.recording", "0000000000009-0.recording", "0000000000008-1.recording", "notes.txt"];
        for name in names {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        make_room(folder.path()).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["0000000000008-1.recording", "0000000000009-0.recording", "notes.txt"], "room for one more");
    }
}
