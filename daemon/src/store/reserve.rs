//! Room held back on the disk: a file of noise, deleted when the disk is full so that small urgent rows still fit.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file.
const RESERVE: &str = "holdfast.reserve";
/// Under this name while it is being filled.
const FILLING: &str = "holdfast.reserve.new";
const CHUNK: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Reserve {
    folder: PathBuf,
    bytes: u64,
}

impl Reserve {
    pub(super) fn new(folder: &Path, bytes: u64) -> Self {
        Self { folder: folder.to_owned(), bytes }
    }

    /// True if the room is held, or none is wanted.
    pub(super) fn is_held(&self) -> bool {
        self.bytes == 0 || fs::metadata(self.folder.join(RESERVE)).is_ok_and(|file| file.len() >= self.bytes)
    }

    /// Takes away what a daemon that died while filling left behind. True if there was any.
    pub(super) fn drop_half(&self) -> bool {
        fs::remove_file(self.folder.join(FILLING)).is_ok()
    }

    /// Gives the room back. True if there was any.
    pub(super) fn free(&self) -> bool {
        let half = self.drop_half();
        fs::remove_file(self.folder.join(RESERVE)).is_ok() || half
    }

    /// Takes the room, if there is as much again besides: else the very next row would find the disk full anew.
    ///
    /// # Errors
    /// What the system says, most likely that the disk is full; nothing is held then.
    pub(super) fn hold(&self) -> io::Result<()> {
        if self.is_held() {
            return Ok(());
        }
        let filling = self.folder.join(FILLING);
        let done = self.fill(&filling).and_then(|()| fs::rename(&filling, self.folder.join(RESERVE)));
        if done.is_err() {
            // What is left of it would be in the way of rows.
            self.free();
        }
        done
    }

    fn fill(&self, path: &Path) -> io::Result<()> {
        let mut file = File::create(path)?;
        // Noise: a compressing file system would hold zeros in no room at all.
        let mut noise = blake3::Hasher::new().update(b"holdfast reserve").finalize_xof();
        let mut chunk = vec![0; CHUNK];
        let mut left = self.bytes.saturating_mul(2);
        while left > 0 {
            noise.fill(&mut chunk);
            let len = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            file.write_all(chunk.get(..len).unwrap_or_default())?;
            left -= len as u64;
        }
        file.set_len(self.bytes)?;
        file.sync_all()
    }
}
