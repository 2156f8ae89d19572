//! The continuity stamp on disk: a small file with two slots that proves this store was not restored or copied. Not a journal.
//!
//! Kept outside the data folder and outside backups (design section 4 rule 7). Each write goes to the slot that does not hold
//! the newest stamp, so a torn write leaves the stamp before it. The stamp is bound to the machine: carried to another PC, it
//! reads as absent, and the node opens a new incarnation instead of speaking twice under one number.
//!
//! | at | slot, 512 bytes, at offsets 0 and 4,096 |
//! | --- | --- |
//! | 0 | `HFSTAMP1` |
//! | 8 | sequence, u64 big-endian; the higher valid slot wins |
//! | 16 | length of the value, u16 big-endian |
//! | 18 | the value: machine tag 16 B and the stamp, as `codec::encode` writes them |
//! | 18 + length | first 16 bytes of BLAKE3 over everything before |

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use holdfast_proto::codec;
use holdfast_proto::io::Stamp;

const MAGIC: &[u8; 8] = b"HFSTAMP1";
/// Slots stand on pages of their own so that one torn page can't spoil both.
const SLOT_OFFSETS: [u64; 2] = [0, 4_096];
/// A disk sector: written whole.
const SLOT_BYTES: usize = 512;
/// The whole file, preallocated so that a full disk can't stop a stamp.
const FILE_BYTES: usize = 8_192;
/// Magic, sequence, length.
const HEAD_BYTES: usize = 18;
const CHECK_BYTES: usize = 16;

/// The stamp file can't be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "the continuity stamp {path} can't be {action}: {source}. Without it this node can't prove that its store is the newest, \
     so it saves nothing of its own. Check that the folder exists, is writable for this user and that the disk is sound"
)]
pub struct StampError {
    /// Which file.
    pub path: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// What the system said.
    pub source: io::Error,
}

/// Why there is no stamp: the node must open a new incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStamp {
    /// No file, or nothing was ever written: a first start, or the file was lost.
    #[error("no continuity stamp was written here yet")]
    Never,
    /// Both slots are damaged.
    #[error("the continuity stamp is damaged")]
    Damaged,
    /// It was written on another machine: the folder was copied or restored.
    #[error("the continuity stamp was written on another machine")]
    OtherMachine,
}

/// What the machine is, as far as the stamp cares: 16 bytes derived from its id, never the id itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineTag([u8; 16]);

impl MachineTag {
    /// This machine: `/etc/machine-id`, else D-Bus's copy, else host name and hardware addresses.
    ///
    /// Where none is readable all such machines look alike: a copy to another one is then not noticed by the stamp, only by
    /// peers that know later numbers. Said in the log.
    #[must_use]
    pub fn here() -> Self {
        for path in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
            match fs::read_to_string(path) {
                Ok(id) if !id.trim().is_empty() => return Self::of(id.trim()),
                Ok(_) | Err(_) => {}
            }
        }
        let parts = hardware();
        if parts.is_empty() {
            tracing::warn!("this machine has no id: a copied stamp can't be told from the original");
        }
        Self::of(&parts)
    }

    /// The tag of a machine with this id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        // machine-id(5) asks not to show the id itself; a derived value serves as well.
        let hash = blake3::derive_key("holdfast continuity stamp machine v1", id.as_bytes());
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash[..16]);
        Self(tag)
    }
}

/// Host name and hardware addresses, sorted; empty where the system tells neither.
fn hardware() -> String {
    let mut parts: Vec<String> = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|card| fs::read_to_string(card.path().join("address")).ok())
        .map(|address| address.trim().to_owned())
        .filter(|address| !address.is_empty() && address != "00:00:00:00:00:00")
        .collect();
    parts.sort();
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("COMPUTERNAME")) {
        parts.push(name.trim().to_owned());
    }
    parts.join(",")
}

/// The stamp file, held open by the store's writer.
#[derive(Debug)]
pub struct StampFile {
    file: File,
    path: PathBuf,
    machine: MachineTag,
    found: Result<Stamp, NoStamp>,
    sequence: u64,
    /// The slot that does not hold the newest good stamp.
    target: usize,
}

impl StampFile {
    /// Opens or makes the file, its folder included, for this machine.
    ///
    /// # Errors
    /// [`StampError`] if it can't be made, read or preallocated.
    pub fn open(path: &Path) -> Result<Self, StampError> {
        Self::open_as(path, MachineTag::here())
    }

    /// As [`Self::open`], for a machine given by its tag.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as(path: &Path, machine: MachineTag) -> Result<Self, StampError> {
        let fail = |action| move |source| StampError { path: path.to_owned(), action, source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        crate::store::make_folder(folder).map_err(fail("given a folder"))?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(fail("opened"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail("read"))?;
        if bytes.len() < FILE_BYTES {
            file.write_all(&vec![0; FILE_BYTES - bytes.len()]).map_err(fail("preallocated"))?;
            file.sync_all().map_err(fail("synced"))?;
            crate::store::sync_folder(folder).map_err(fail("entered in its folder"))?;
        }
        let newest = newest(&bytes);
        let (sequence, target) = newest.as_ref().map_or((0, 0), |slot| (slot.sequence, 1 - slot.place));
        Ok(Self { file, path: path.to_owned(), machine, found: judge(&bytes, newest, machine), sequence, target })
    }

    /// What stood in the file when it was opened.
    ///
    /// # Errors
    /// [`NoStamp`] says why nothing usable did; not a fault of the disk.
    pub fn found(&self) -> Result<Stamp, NoStamp> {
        self.found
    }

    /// From now on every write fails, as on a broken disk.
    #[cfg(test)]
    pub(crate) fn break_it(&mut self) {
        self.file = File::open(&self.path).expect("readable");
    }

    /// Writes and syncs a stamp. On return it is durable.
    ///
    /// # Errors
    /// [`StampError`]; the stamp before it still counts, or, if the disk lies, one that is too new: then the next start opens
    /// a new incarnation, which is safe.
    pub fn write(&mut self, stamp: &Stamp) -> Result<(), StampError> {
        // Counted even where the write fails: a slot that half took must never equal a later one.
        self.sequence = self.sequence.saturating_add(1);
        let slot = encode_slot(self.sequence, self.machine, stamp);
        let offset = SLOT_OFFSETS.get(self.target).copied().unwrap_or_default();
        let done =
            self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.write_all(&slot)).and_then(|()| self.file.sync_data());
        done.map_err(|source| StampError { path: self.path.clone(), action: "written", source })?;
        self.target = 1 - self.target;
        Ok(())
    }
}

/// Reads the stamp without making anything: for tools and checks.
///
/// # Errors
/// [`StampError`] if the file is there but can't be read.
pub fn read(path: &Path) -> Result<Result<Stamp, NoStamp>, StampError> {
    match fs::read(path) {
        Ok(bytes) => Ok(judge(&bytes, newest(&bytes), MachineTag::here())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err(NoStamp::Never)),
        Err(source) => Err(StampError { path: path.to_owned(), action: "read", source }),
    }
}

/// Looks whether the stamp could be opened or made, and makes nothing.
///
/// # Errors
/// [`StampError`]: something is in the way.
pub fn check(path: &Path) -> Result<(), StampError> {
    let fail = |action| move |source| StampError { path: path.to_owned(), action, source };
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            crate::store::check_folder(folder).map_err(fail("given a folder"))
        }
        opened => opened.map(drop).map_err(fail("opened")),
    }
}

struct Slot {
    place: usize,
    sequence: u64,
    machine: MachineTag,
    stamp: Stamp,
}

fn encode_slot(sequence: u64, machine: MachineTag, stamp: &Stamp) -> Vec<u8> {
    let value = codec::encode(&(machine.0, stamp));
    let mut slot = Vec::with_capacity(SLOT_BYTES);
    slot.extend_from_slice(MAGIC);
    slot.extend_from_slice(&sequence.to_be_bytes());
    // The value is below 80 bytes: every field of a stamp has a fixed bound.
    slot.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    slot.extend_from_slice(&value);
    let check = blake3::hash(&slot);
    slot.extend_from_slice(&check.as_bytes()[..CHECK_BYTES]);
    slot.resize(SLOT_BYTES, 0);
    slot
}

fn newest(file: &[u8]) -> Option<Slot> {
    (0..SLOT_OFFSETS.len()).filter_map(|place| decode_slot(file, place)).max_by_key(|slot| slot.sequence)
}

fn decode_slot(file: &[u8], place: usize) -> Option<Slot> {
    let start = usize::try_from(*SLOT_OFFSETS.get(place)?).ok()?;
    let slot = file.get(start..start.checked_add(SLOT_BYTES)?)?;
    if slot.get(..MAGIC.len())? != MAGIC {
        return None;
    }
    let sequence = u64::from_be_bytes(slot.get(8..16)?.try_into().ok()?);
    let len = usize::from(u16::from_be_bytes(slot.get(16..HEAD_BYTES)?.try_into().ok()?));
    let end = HEAD_BYTES.checked_add(len)?;
    let check = slot.get(end..end.checked_add(CHECK_BYTES)?)?;
    if blake3::hash(slot.get(..end)?).as_bytes().get(..CHECK_BYTES)? != check {
        return None;
    }
    let (machine, stamp) = codec::decode::<([u8; 16], Stamp)>(slot.get(HEAD_BYTES..end)?, SLOT_BYTES).ok()?;
    Some(Slot { place, sequence, machine: MachineTag(machine), stamp })
}

fn judge(file: &[u8], newest: Option<Slot>, here: MachineTag) -> Result<Stamp, NoStamp> {
    match newest {
        Some(slot) if slot.machine == here => Ok(slot.stamp),
        Some(_) => Err(NoStamp::OtherMachine),
        None if file.iter().all(|byte| *byte == 0) => Err(NoStamp::Never),
        None => Err(NoStamp::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_proto::id::{Incarnation, NodeId};

    fn stamp(number: u32) -> Stamp {
        Stamp {
            node: NodeId { issuer: 1, serial: 2 },
            incarnation: Incarnation { count: 1, random: 7 },
            number,
            hash: [number.to_le_bytes()[0]; 16],
            board: 1,
            detail: 0,
        }
    }

    #[test]
    fn the_newest_stamp_is_found_and_the_folder_is_made() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("deep/er/continuity.stamp");
        let mut file = StampFile::open(&path).expect("open");
        assert_eq!(file.found(), Err(NoStamp::Never));
        for number in 1..=5 {
            file.write(&stamp(number)).expect("write");
        }
        assert_eq!(StampFile::open(&path).expect("again").found(), Ok(stamp(5)));
        assert_eq!(read(&path).expect("read"), Ok(stamp(5)));
    }

    #[test]
    fn a_torn_slot_leaves_the_stamp_before_it_wherever_it_tears() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("s");
        let mut file = StampFile::open(&path).expect("open");
        file.write(&stamp(1)).expect("write");
        let before = fs::read(&path).expect("read");
        file.write(&stamp(2)).expect("write");
        let after = fs::read(&path).expect("read");
        for cut in 0..SLOT_BYTES {
            let at = 4_096 + cut;
            let torn = [&after[..at], &before[at..]].concat();
            fs::write(&path, &torn).expect("tear");
            let found = StampFile::open(&path).expect("open").found();
            let whole = torn == after;
            assert_eq!(found, Ok(stamp(if whole { 2 } else { 1 })), "torn at {cut}");
        }
    }

    #[test]
    fn writing_goes_on_after_a_torn_slot_without_touching_the_good_one() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("s");
        let mut file = StampFile::open(&path).expect("open");
        file.write(&stamp(1)).expect("write");
        file.write(&stamp(2)).expect("write");
        let mut bytes = fs::read(&path).expect("read");
        bytes[4_096 + 20] ^= 1;
        fs::write(&path, &bytes).expect("spoil");
        let mut file = StampFile::open(&path).expect("open");
        assert_eq!(file.found(), Ok(stamp(1)));
        file.write(&stamp(3)).expect("write");
        assert_eq!(fs::read(&path).expect("read")[..512], bytes[..512]);
        assert_eq!(StampFile::open(&path).expect("open").found(), Ok(stamp(3)));
    }

    #[test]
    fn a_stamp_of_another_machine_and_a_damaged_one_are_refused_with_a_reason() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("s");
        StampFile::open_as(&path, MachineTag::of("pc-a")).expect("open").write(&stamp(1)).expect("write");
        let there = StampFile::open_as(&path, MachineTag::of("pc-b")).expect("open");
        assert_eq!(there.found(), Err(NoStamp::OtherMachine));
        assert_eq!(StampFile::open_as(&path, MachineTag::of("pc-a")).expect("open").found(), Ok(stamp(1)));
        let mut bytes = fs::read(&path).expect("read");
        bytes[9] ^= 0x40;
        fs::write(&path, bytes).expect("spoil");
        assert_eq!(StampFile::open_as(&path, MachineTag::of("pc-a")).expect("open").found(), Err(NoStamp::Damaged));
    }
}
