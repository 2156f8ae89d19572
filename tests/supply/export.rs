//! A folder of advisories, as RustSec's database or an export of OSV lies on a disk.

use std::collections::BTreeMap;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::advisory::{Advisory, osv, rustsec};

/// What an export says.
#[derive(Debug, Default)]
pub struct Export {
    /// Those that still stand, by id.
    pub advisories: BTreeMap<String, Advisory>,
    /// Sentences about files that could not be read: what they say is not known.
    pub unreadable: Vec<String>,
}

impl Export {
    /// The day of the newest: an old export says nothing of what came later.
    #[must_use]
    pub fn newest(&self) -> Option<Date> {
        self.advisories.values().filter_map(|advisory| advisory.day).max()
    }
}

/// Reads one file, or all of a folder and below that have the name of an advisory: `RUSTSEC-....md` or `....json`.
///
/// # Errors
/// A sentence where there is no advisory at all.
pub fn read_export(path: &Path) -> Result<Export, String> {
    let mut files = Vec::new();
    if !path.exists() {
        return Err(format!("no export: {} is not there", path.display()));
    }
    if path.is_dir() {
        collect(path, &mut files)?;
        files.sort();
    } else {
        files.push(path.to_path_buf());
    }
    let mut export = Export::default();
    for file in files {
        match read(&file) {
            Ok(Some(advisory)) => drop(export.advisories.insert(advisory.id.clone(), advisory)),
            Ok(None) => {}
            Err(why) => export.unreadable.push(format!("{}: {why}", file.display())),
        }
    }
    match export.advisories.is_empty() && export.unreadable.is_empty() {
        true => Err(format!(
            "{} holds no advisory, so that nothing is known. Give the folder of RustSec's advisory-db (with crates/NAME/RUSTSEC-....md) or one with OSV's JSON files",
            path.display()
        )),
        false => Ok(export),
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Folders of git and links elsewhere hold no advisories.
        if path.is_symlink() || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if name.ends_with(".json") || (name.starts_with("RUSTSEC-") && name.ends_with(".md")) {
            files.push(path);
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Option<Advisory>, String> {
    let text = read_to_string(file).map_err(|error| error.to_string())?;
    if file.extension().is_some_and(|extension| extension == "json") { osv(&text) } else { rustsec(&text) }
}
