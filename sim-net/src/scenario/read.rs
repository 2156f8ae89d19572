//! Files into a scenario: `scenario.toml` and the sheets it names. Goes on after every problem, so that all are told at once.

pub(super) mod effect;
pub(super) mod expect;
pub(super) mod inject;
pub(super) mod sites;
pub(super) mod world;

use std::collections::BTreeSet;
use std::path::{Path as FilePath, PathBuf};

use super::form::Form;
use super::problem::{Notes, Place, Problem, Remark, Wrong, quoted};
use super::selector::{self, Index};
use super::text::{self, MINUTE};
use super::words::Status;
use super::{Exercise, Origin, Scenario, check, real, tree};

/// What the first key of a scenario file says.
pub(super) const FORMAT: &str = "sim-net/1";
/// The name of the file in a folder.
pub(super) const FILE: &str = "scenario.toml";
/// The name the sheet of events usually has.
const MSEL: &str = "msel.csv";
/// Bytes of the longest file: a sheet of 20,000 sites has 3 million.
const BYTES_MAX: u64 = 64 << 20;

/// Reads and checks a scenario: its file, or the folder of a `scenario.toml`.
///
/// # Errors
/// Every [`Problem`] of all files, sorted by place; at least one.
pub fn read(path: &FilePath) -> Result<(Scenario, Vec<Remark>), Vec<Problem>> {
    let notes = Notes::default();
    let read = Files::find(path, &notes).and_then(|files| files.scenario(&notes));
    let (mut remarks, mut problems) = notes.done();
    if let Some((scenario, gaps)) = &read {
        let (more, found) = check::check_rest(scenario, gaps);
        remarks.extend(more);
        problems.extend(found);
        problems.sort();
    }
    match read.filter(|_| problems.is_empty()) {
        Some((scenario, _)) => Ok((scenario, remarks)),
        None => Err(problems),
    }
}

/// What could not be read as it stands: whatever depends on it is looked at once that is mended, so that one slip is told once.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Something of `[exercise]`: its length, its objectives.
    pub(super) exercise: bool,
    /// Some site or element.
    pub(super) sites: bool,
    /// Something else of `[world]`.
    pub(super) world: bool,
    /// Some inject.
    pub(super) injects: bool,
    /// Some expectation.
    pub(super) expects: bool,
    /// Where injects and expectations stand that could not be read.
    pub(super) torn: BTreeSet<(String, u32)>,
}

impl Gaps {
    /// The inject or expectation that stands there was not read as it is meant.
    pub(super) fn is_torn(&self, origin: &Origin) -> bool {
        self.torn.contains(&(origin.file.clone(), origin.row))
    }
}

/// Where the files of a scenario lie.
struct Files {
    folder: PathBuf,
    file: String,
}

impl Files {
    fn find(path: &FilePath, notes: &Notes) -> Option<Self> {
        let folder = if path.is_dir() { path.to_owned() } else { path.parent().map(FilePath::to_owned).unwrap_or_default() };
        let file = if path.is_dir() { FILE.into() } else { path.file_name().unwrap_or_default().to_string_lossy().into_owned() };
        let whole = |file: &str| Place { file: file.to_owned(), ..Place::default() };
        if let Some(wrong) = real::folder(&folder) {
            notes.problem(wrong.at(whole(&path.display().to_string())));
            return None;
        }
        Some(Self { folder, file })
    }

    /// The bytes of one file of the scenario.
    fn bytes(&self, file: &str, asked: Place, notes: &Notes) -> Option<Vec<u8>> {
        let path = self.folder.join(file);
        let read = std::fs::metadata(&path).and_then(|meta| {
            if meta.is_dir() {
                return Err(std::io::Error::other("it is a folder"));
            }
            if meta.len() > BYTES_MAX { Err(std::io::Error::other("it is longer than 64 MiB")) } else { std::fs::read(&path) }
        });
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) => {
                let wrong = Wrong::new(
                    format!("{} can't be read: {error}.", quoted(&path.display().to_string())),
                    "Check the name and the folder.",
                );
                notes.problem(wrong.at(asked));
                return None;
            }
        };
        if let Some(wrong) = real::file(&bytes) {
            notes.problem(wrong.at(Place { file: file.to_owned(), ..Place::default() }));
            return None;
        }
        Some(bytes)
    }

    /// A sheet that a key names.
    fn sheet(&self, form: &Form<'_>, key: &'static str, columns: &[&str]) -> Option<(String, Vec<super::sheet::Row>)> {
        let name = form.text(key)?;
        let bytes = self.bytes(&name, form.place(key, form.row_of(key)), form.notes)?;
        let rows = super::sheet::rows(&name, &bytes, columns, form.notes)?;
        Some((name, rows))
    }

    fn scenario(&self, notes: &Notes) -> Option<(Scenario, Gaps)> {
        let bytes = self.bytes(&self.file, Place { file: self.file.clone(), ..Place::default() }, notes)?;
        let top = Form::new(&self.file, 0, tree::toml(&self.file, &bytes, notes)?, notes);
        if let Some(format) = top.text("format").filter(|format| format != FORMAT) {
            let wrong = Wrong::new(
                format!("{} is no format of this version.", quoted(&format)),
                "Write that one, or use the version it was written for.",
            );
            top.wrong_at("format", top.row_of("format"), wrong.among([FORMAT]));
        }
        let mut gaps = Gaps::default();
        let mut seen = notes.count();
        // Whether something was wrong with what was read since the last call.
        let mut torn = || std::mem::replace(&mut seen, notes.count()) != notes.count();
        torn();
        let exercise = exercise(&top).unwrap_or_else(|| Exercise { duration: 0, ..Scenario::blank(1).exercise });
        gaps.exercise = torn();
        let world_form = top.table("world");
        let empty = Form::new(&self.file, 0, Vec::new(), notes);
        let form = world_form.as_ref().unwrap_or(&empty);
        let (sites, elements, nameless) = sites::read(self, form, exercise.seed);
        gaps.sites = torn();
        let world = world::read(form);
        form.done();
        gaps.world = torn();
        let index = if gaps.sites { Index::of_some(&sites, &elements, nameless) } else { Index::new(&sites, &elements) };
        let injects = self.injects(&top, &index, &mut gaps.torn);
        gaps.injects = torn();
        let expects = expect::all(&top, &index, &injects, &mut gaps.torn);
        gaps.expects = torn();
        top.done();
        Some((Scenario { exercise, world, injects: injects.done, expects, sites, elements }, gaps))
    }

    fn injects(&self, top: &Form<'_>, index: &Index<'_>, torn: &mut BTreeSet<(String, u32)>) -> inject::Injects {
        let mut injects = inject::Injects::default();
        let mut take = |form: &Form<'_>| {
            let before = form.notes.count();
            injects.take(form, index);
            if form.notes.count() > before {
                torn.insert((form.file.to_owned(), form.row));
            }
        };
        top.tables("inject").iter().for_each(&mut take);
        match self.sheet(top, "msel", inject::COLUMNS) {
            Some((file, rows)) => {
                for row in rows {
                    take(&Form::new(&file, row.row, row.cells, top.notes));
                }
            }
            None if !top.has("msel") && self.folder.join(MSEL).is_file() => {
                let place = Place { file: MSEL.to_owned(), ..Place::default() };
                top.notes.remark(
                    place,
                    format!("lies in the folder and is not read; to use it, add msel = \"{MSEL}\" at the top of {FILE}."),
                );
            }
            None => {}
        }
        injects.number();
        injects
    }
}

fn exercise(top: &Form<'_>) -> Option<Exercise> {
    let Some(form) = top.table("exercise") else { return top.missing("exercise") };
    let status = form.get("status", |word| {
        match Status::parse(word.trim()) {
            Some(status) => Ok(status),
            None if word.trim().eq_ignore_ascii_case("actual") => Err(Wrong::new(
                "\"actual\" is the word for the real thing; nothing played here may bear it.",
                "Write what it is.",
            )),
            None => Err(Wrong::new(format!("{} is no status of an exercise.", quoted(word)), "")),
        }
        .map_err(|wrong| wrong.among(Status::ALL.iter().map(|status| status.text())))
    });
    let (startex_ms, offset_s) = form.or("startex", world::STARTEX, world::wall);
    let objectives = form.tables("objectives").into_iter().filter_map(|form| {
        let read = (form.need("id", selector::id), form.text("text").unwrap_or_default());
        form.done();
        Some((read.0?, read.1))
    });
    let objectives = objectives.collect();
    let exercise = Exercise {
        id: form.or("id", "EXERCISE".to_owned(), selector::name),
        title: form.text("title").unwrap_or_default(),
        status: status.unwrap_or(Status::Exercise),
        startex_ms,
        offset_s,
        duration: form.need("duration", text::duration).unwrap_or(0),
        seed: form.or("seed", 1, text::whole),
        objectives,
        settle: form.or("settle", 10 * MINUTE, text::duration),
    };
    form.done();
    Some(exercise)
}
