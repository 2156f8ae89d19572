//! What the staff left out of this node's board: a small file in the data folder, written whole or not at all.
//!
//! A setting of this node, not a signed word: it must hold from the next visitor on, whatever links are up, and what a site says of
//! itself stays readable for the dispatchers who need it. Who wants a word gone everywhere withdraws the reading.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use holdfast_proto::control::HiddenView;
use serde::{Deserialize, Serialize};

/// Its name in the data folder.
const FILE: &str = "board.json";
/// More would not be a choice of people any more.
const HIDDEN_MAX: usize = 1_000;

/// What is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    all: BTreeSet<HiddenView>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    schema: String,
    hidden: BTreeSet<HiddenView>,
}

impl Hidden {
    /// Whether this line of a site, or all of it, is left out.
    pub(super) fn hides(&self, site: &str, line: Option<&str>) -> bool {
        self.all.iter().any(|one| one.site == site && (one.line.is_none() || one.line.as_deref() == line))
    }

    /// Whether anything of a site is left out: most sites need no further look.
    pub(super) fn touches(&self, site: &str) -> bool {
        self.all.iter().any(|one| one.site == site)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &HiddenView> {
        self.all.iter()
    }

    /// Adds these; nothing if there is no room for all of them.
    pub(super) fn with(&self, more: Vec<HiddenView>) -> Option<Self> {
        let mut all = self.all.clone();
        for one in more {
            // The words of a thing may have changed since.
            all.retain(|old| old.site != one.site || old.line != one.line);
            all.insert(one);
        }
        (all.len() <= HIDDEN_MAX).then_some(Self { all })
    }

    /// Takes these away. A whole site shown again is shown wholly.
    pub(super) fn without(&self, less: &[HiddenView]) -> Self {
        let goes = |old: &HiddenView| less.iter().any(|one| one.site == old.site && (one.line.is_none() || one.line == old.line));
        Self { all: self.all.iter().filter(|old| !goes(old)).cloned().collect() }
    }
}

/// Where it is kept.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    path: PathBuf,
}

impl Shelf {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// What was kept; nothing where nothing ever was.
    ///
    /// # Errors
    /// It can't be read, or is not what was written: then nobody knows what must not be shown.
    pub(super) fn read(&self) -> io::Result<Hidden> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Hidden::default()),
            other => other?,
        };
        let kept: Kept = serde_json::from_str(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Hidden { all: kept.hidden })
    }

    /// Keeps it, durably, before anybody is told.
    ///
    /// # Errors
    /// What the disk said; then what was kept before stands.
    pub(super) fn write(&self, hidden: &Hidden) -> io::Result<()> {
        let kept = Kept { schema: "holdfast.hidden/1".to_owned(), hidden: hidden.all.clone() };
        let beside = self.path.with_extension("json.new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(&kept)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        File::open(self.path.parent().unwrap_or(&self.path))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(site: &str, line: Option<&str>) -> HiddenView {
        HiddenView { site: site.to_owned(), line: line.map(str::to_owned), en: "Water".to_owned(), zh: "水".to_owned() }
    }

    #[test]
    fn what_is_hidden_is_kept_and_a_broken_file_is_not_taken_for_nothing_hidden() {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(folder.path());
        assert_eq!(shelf.read().expect("nothing yet"), Hidden::default());
        let hidden = Hidden::default().with(vec![one("1-1", Some("stock.water")), one("1-2", None)]).expect("room");
        shelf.write(&hidden).expect("written");
        assert_eq!(Shelf::new(folder.path()).read().expect("kept"), hidden);
        fs::write(folder.path().join(FILE), "{").expect("written");
        assert!(shelf.read().is_err());
    }

    #[test]
    fn a_site_hides_all_its_lines_and_nobody_elses() {
        let hidden = Hidden::default().with(vec![one("1-1", Some("stock.water")), one("1-2", None)]).expect("room");
        assert!(
            hidden.hides("1-1", Some("stock.water")) && !hidden.hides("1-1", Some("stock.rice")) && !hidden.hides("1-1", None)
        );
        assert!(hidden.hides("1-2", Some("stock.rice")) && hidden.hides("1-2", None) && !hidden.hides("1-12", None));
        let shown = hidden.without(&[one("1-2", None), one("1-1", Some("stock.rice"))]);
        assert!(shown.hides("1-1", Some("stock.water")) && !shown.touches("1-2"));
        let many = (0..=HIDDEN_MAX).map(|n| one(&format!("1-{n}"), None)).collect();
        assert_eq!(hidden.with(many), None);
    }
}
