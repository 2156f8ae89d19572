//! `holdfast courier`: a file that somebody carries where no link goes. What is in it and what is taken of it the daemon decides.

mod codes;
mod faults;
mod shown;

use std::fs::{self, File};
#[cfg(unix)]
use std::io::ErrorKind;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use holdfast_proto::control::{
    ConflictsView, CourierCounts, CourierIn, CourierOut, CourierPiece, CourierRefused, CourierTaken, NodeName,
};
use holdfast_proto::message::courier::{Cutter, FILE_BYTES_MAX, Flaw, MAGIC, Part, Reader};
use serde_json::json;

use crate::args::{CourierCommand, CourierInArgs, CourierOutArgs};
use crate::client::{Client, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::when;

/// Bytes read from a file at a time.
const CHUNK: usize = 65_536;
/// How often a file is read at most: what was not yet provable the first time may be the next.
const ROUNDS_MAX: usize = 4;

/// `holdfast courier`.
///
/// # Errors
/// What the daemon or the disk refused; what was taken in until then stays.
pub(crate) fn courier(desk: &mut Desk<'_>, client: &Client, command: CourierCommand) -> Result<Exit, Failure> {
    match command {
        CourierCommand::Out(args) if args.qr => codes::show(desk, client, args.to),
        CourierCommand::Out(args) => out(desk, client, args),
        CourierCommand::In(args) => take(desk, client, &args),
    }
}

/// A file that was written.
struct Written {
    path: PathBuf,
    to: NodeName,
    holds: CourierCounts,
    bytes: u64,
    /// Records that are in it, and that were planned.
    records: (u32, u32),
}

fn out(desk: &mut Desk<'_>, client: &Client, args: CourierOutArgs) -> Result<Exit, Failure> {
    let ask = |after| -> Result<CourierPiece, Failure> {
        read(client.post("/api/v1/courier/out", &CourierOut { to: args.to.clone(), after, most: None })?)
    };
    // Before any file is touched: the daemon may refuse.
    let first = ask(None)?;
    let path = args.out.unwrap_or_else(|| PathBuf::from(format!("courier-{}.hfc", first.to.id)));
    let stranger = File::open(&path).is_ok_and(|mut file| {
        let mut begin = [0; MAGIC.len()];
        path.is_file() && file.read_exact(&mut begin).map_or(true, |()| begin != MAGIC)
    });
    if stranger {
        return Err(faults::something_else(&path));
    }
    let beside = beside(&path);
    let written = write(&beside, first, ask).and_then(|(to, holds)| {
        let (bytes, records) = verify(&beside)?;
        fs::rename(&beside, &path).and_then(|()| sync_folder(&path)).map_err(|error| faults::write(&path, &error))?;
        Ok(Written { path, to, holds, bytes, records })
    });
    if written.is_err() {
        // Half a file is of no use to anybody.
        drop(fs::remove_file(&beside));
    }
    let written = written?;
    if desk.json {
        let (records, planned) = written.records;
        desk.object(&json!({
            "schema": "holdfast.courier-file/1", "file": written.path.display().to_string(), "to": written.to, "holds": written.holds,
            "bytes": written.bytes, "records": records, "whole": records >= planned,
        }));
    } else {
        desk.say_all(shown::written(&written, desk.lang));
    }
    Ok(Exit::Done)
}

fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    PathBuf::from(beside)
}

/// Writes all pieces and sees them onto the disk.
fn write(
    path: &Path,
    first: CourierPiece,
    ask: impl Fn(Option<String>) -> Result<CourierPiece, Failure>,
) -> Result<(NodeName, CourierCounts), Failure> {
    let failed = |error: std::io::Error| faults::write(path, &error);
    let mut file = File::create(path).map_err(failed)?;
    let (to, mut holds, mut piece) = (first.to.clone(), CourierCounts::default(), first);
    loop {
        let bytes = BASE64.decode(piece.piece.as_bytes()).map_err(|_| faults::strange_piece())?;
        file.write_all(&bytes).map_err(failed)?;
        holds = holds.and(&piece.holds);
        match piece.next.take() {
            Some(next) => piece = ask(Some(next))?,
            None => break,
        }
    }
    file.sync_all().map_err(failed)?;
    Ok((to, holds))
}

/// A stick may lie about what it took: the file is read again, and its end must fit.
fn verify(path: &Path) -> Result<(u64, (u32, u32)), Failure> {
    let mut file = File::open(path).map_err(|error| faults::write(path, &error))?;
    // From the stick, not from memory; where that can't be asked for, what is in memory is looked at.
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    let (mut reader, mut bytes, mut chunk) = (Reader::default(), 0, vec![0; CHUNK]);
    loop {
        let read = file.read(&mut chunk).map_err(|error| faults::write(path, &error))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        reader.push(&chunk[..read]);
        while let Some(part) = reader.next_part().map_err(|_| faults::not_as_written(path))? {
            let (Part::Head(_) | Part::Word(_) | Part::End) = part;
        }
    }
    if !reader.is_whole() {
        return Err(faults::not_as_written(path));
    }
    Ok((bytes, (reader.words(), reader.planned())))
}

/// The name of a file is durable once its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let synced = File::open(folder)?.sync_all();
        // Some file systems of sticks have no such thing for folders.
        if !synced.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)) {
            synced?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// What came of a whole file.
#[derive(Default)]
struct Taken {
    from: Option<NodeName>,
    to: Option<NodeName>,
    made: Option<i64>,
    new: CourierCounts,
    held: u64,
    withheld: u64,
    refused: Vec<CourierRefused>,
    contradictions: u64,
    again: bool,
}

impl Taken {
    fn add(&mut self, piece: CourierTaken) {
        (self.from, self.to, self.made) = (Some(piece.from), Some(piece.to), piece.made);
        self.new = self.new.and(&piece.new);
        self.held += piece.held;
        self.withheld += piece.withheld;
        self.contradictions += piece.contradictions;
        self.again |= piece.again;
        for more in piece.refused {
            match self.refused.iter_mut().find(|known| known.en == more.en) {
                Some(known) => known.words += more.words,
                None => self.refused.push(more),
            }
        }
    }

    /// The same file read once more: what it brings is new, and what else there is to say of it is as of the last time.
    fn again(&mut self, mut later: Self) {
        later.new = self.new.and(&later.new);
        later.held = self.held;
        later.withheld = self.withheld;
        later.contradictions = later.contradictions.max(self.contradictions);
        *self = later;
    }
}

/// How a reading of a file ended.
enum Ending {
    Whole,
    /// After so many records of so many.
    Cut(u32, u32),
    Damaged(Flaw, u32),
}

fn take(desk: &mut Desk<'_>, client: &Client, args: &CourierInArgs) -> Result<Exit, Failure> {
    let carried_s = args.carried.as_deref().map(when::length).transpose()?.map(|length| length.as_secs());
    let path = &args.file;
    let gathered = (path.as_os_str() == "-").then(|| codes::gather(desk)).transpose()?;
    let source = match &gathered {
        Some(gathered) if gathered.file().is_empty() => return Err(faults::lacking(&codes::lacking(gathered))),
        Some(gathered) => Source::Codes(gathered.file()),
        None => {
            let size = fs::metadata(path).map_err(|error| faults::no_file(path, &error))?.len();
            if size > FILE_BYTES_MAX {
                return Err(faults::too_large(path, size));
            }
            Source::File(path)
        }
    };
    let before = conflicts(client)?;
    let mut taken = Taken::default();
    let mut ending = hand_in(client, &source, carried_s, &mut taken);
    for _ in 1..ROUNDS_MAX {
        if ending.is_err() || !taken.again {
            break;
        }
        let mut later = Taken::default();
        ending = hand_in(client, &source, carried_s, &mut later);
        let brought = later.new.all() > 0;
        taken.again(later);
        if !brought {
            break;
        }
    }
    // Where the daemon took nothing at all there is nothing to tell.
    if taken.from.is_none()
        && let Err(failure) = ending
    {
        return Err(failure);
    }
    let after = if ending.is_ok() { conflicts(client)? } else { before.clone() };
    let news: Vec<String> = after.into_iter().filter(|conflict| !before.contains(conflict)).collect();
    tell(desk, path, &taken, &news, &ending);
    match ending? {
        Ending::Whole => Ok(Exit::Done),
        Ending::Cut(..) if gathered.is_some() => Err(faults::lacking(&gathered.as_ref().map(codes::lacking).unwrap_or_default())),
        Ending::Cut(after, of) => Err(faults::cut(path, after, of)),
        Ending::Damaged(flaw, after) => Err(faults::damaged(path, flaw, after)),
    }
}

fn conflicts(client: &Client) -> Result<Vec<String>, Failure> {
    let view: ConflictsView = client.ask("/api/v1/conflicts")?;
    Ok(view.conflicts.into_iter().map(|conflict| conflict.conflict).collect())
}

/// From where a file is read.
enum Source<'a> {
    File(&'a Path),
    /// As it was put together from codes.
    Codes(Vec<u8>),
}

/// Hands the file in, piece by piece; the next when the last is durable.
fn hand_in(client: &Client, source: &Source<'_>, carried_s: Option<u64>, taken: &mut Taken) -> Result<Ending, Failure> {
    let path = match source {
        Source::File(path) => path,
        Source::Codes(_) => Path::new("-"),
    };
    let failed = |error: std::io::Error| faults::no_file(path, &error);
    let bytes: Box<dyn Read + '_> = match source {
        Source::File(path) => Box::new(File::open(path).map_err(failed)?),
        Source::Codes(file) => Box::new(file.as_slice()),
    };
    // A device or a pipe has no length that could be asked.
    let mut file = bytes.take(FILE_BYTES_MAX + 1);
    let (mut cutter, mut chunk, mut flaw) = (Cutter::default(), vec![0; CHUNK], None);
    let give = |piece: Vec<u8>, taken: &mut Taken| -> Result<(), Failure> {
        let wish = CourierIn { piece: BASE64.encode(&piece), carried_s };
        taken.add(read(client.post("/api/v1/courier/in", &wish)?)?);
        Ok(())
    };
    while flaw.is_none() {
        let read = file.read(&mut chunk).map_err(failed)?;
        if read == 0 {
            break;
        }
        cutter.push(&chunk[..read]);
        loop {
            match cutter.next_piece() {
                Ok(Some(piece)) => give(piece, taken)?,
                Ok(None) => break,
                Err(found) => {
                    flaw = Some(found);
                    break;
                }
            }
        }
    }
    if file.limit() == 0 {
        return Err(faults::too_large(path, FILE_BYTES_MAX + 1));
    }
    if let Some(piece) = cutter.last_piece() {
        give(piece, taken)?;
    }
    let (words, planned) = (cutter.reader().words(), cutter.reader().planned());
    match flaw {
        Some(flaw @ (Flaw::NotACourierFile | Flaw::Format(_) | Flaw::Head)) => Err(faults::not_a_courier_file(path, flaw)),
        Some(flaw @ (Flaw::Check | Flaw::After)) => Ok(Ending::Damaged(flaw, words)),
        None if cutter.head().is_none() => Err(faults::not_a_courier_file(path, Flaw::NotACourierFile)),
        None if cutter.reader().is_whole() => Ok(Ending::Whole),
        None => Ok(Ending::Cut(words, planned)),
    }
}

fn tell(desk: &mut Desk<'_>, path: &Path, taken: &Taken, conflicts: &[String], ending: &Result<Ending, Failure>) {
    if desk.json {
        desk.object(&json!({
            "schema": "holdfast.courier/1", "file": path.display().to_string(), "from": taken.from, "to": taken.to, "made": taken.made,
            "new": taken.new, "held": taken.held, "withheld": taken.withheld, "refused": taken.refused,
            "contradictions": taken.contradictions, "conflicts": conflicts, "whole": matches!(ending, Ok(Ending::Whole)),
        }));
        return;
    }
    let lines = shown::taken(taken, conflicts, desk.lang, desk.now());
    desk.say_all(lines);
}
