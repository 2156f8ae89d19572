//! Everybody's logbooks: by author, and of each author by life. Almost everybody has one.

use super::Log;
use crate::id::{Generation, Incarnation, LogId, Names, NodeId, PerNode};

/// Key's and store's life.
type Life = (Generation, Incarnation);

/// All logbooks.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs(PerNode<Vec<(Life, Log)>>);

fn place(lives: &[(Life, Log)], id: LogId) -> Result<usize, usize> {
    lives.binary_search_by_key(&(id.generation, id.incarnation), |(life, _)| *life)
}

impl Logs {
    pub(super) fn rename(&mut self, names: &Names) {
        self.0.rename(names);
    }

    pub(super) fn get(&self, id: LogId) -> Option<&Log> {
        let lives = self.0.get(id.author)?;
        place(lives, id).ok().and_then(|at| lives.get(at)).map(|(_, log)| log)
    }

    pub(super) fn get_mut(&mut self, id: LogId) -> Option<&mut Log> {
        let lives = self.0.get_mut(id.author)?;
        place(lives, id).ok().and_then(|at| lives.get_mut(at)).map(|(_, log)| log)
    }

    pub(super) fn has(&self, id: LogId) -> bool {
        self.get(id).is_some()
    }

    pub(super) fn insert(&mut self, id: LogId, log: Log) {
        let lives = self.0.or_default(id.author);
        match place(lives, id) {
            Ok(at) => lives[at].1 = log,
            Err(at) => {
                // A second life is rare, and there are thousands of authors.
                lives.reserve_exact(1);
                lives.insert(at, ((id.generation, id.incarnation), log));
            }
        }
    }

    pub(super) fn remove(&mut self, id: LogId) -> Option<Log> {
        let lives = self.0.get_mut(id.author)?;
        place(lives, id).ok().map(|at| lives.remove(at).1)
    }

    /// Those of one author, ascending.
    pub(super) fn of(&self, author: NodeId) -> impl DoubleEndedIterator<Item = (LogId, &Log)> {
        let lives = self.0.get(author).map_or(&[][..], Vec::as_slice);
        lives.iter().map(move |((generation, incarnation), log)| {
            (LogId { author, generation: *generation, incarnation: *incarnation }, log)
        })
    }

    /// Those of one life of a key, from one life of its store on, ascending.
    pub(super) fn from(&self, first: LogId) -> impl Iterator<Item = LogId> {
        let later = move |id: &LogId| id.generation == first.generation && id.incarnation >= first.incarnation;
        self.of(first.author).map(|(id, _)| id).filter(later)
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LogId, &Log)> {
        self.0.iter().flat_map(|(author, _)| self.of(author))
    }
}
