//! The board itself: a picture of what is public, taken from the node at most once a second, and what was made of it since.
//!
//! Visitors cost the node little however many there are: one picture serves all of them, one page is made once for each picture, and
//! pages are made one at a time on a thread beside the loop's.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_proto::control::{Answer, BoardView, HiddenView, NodeName, Question};
use holdfast_proto::domain::Item;
use holdfast_proto::id::NodeId;
use holdfast_proto::identity::RealmKind;
use jiff::Zoned;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::answer::{self, Made, Wanted};
use super::asked::{self, Asked, Links, PER_PAGE};
use super::hidden::{Hidden, Shelf};
use super::lang::BOTH;
use super::site::{Names, Site};
use crate::handle::Handle;

/// The loop answers from memory; if it needs longer it is stuck, and the picture before serves on, ageing.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// A picture serves at least so long.
const PICTURE_MIN: Duration = Duration::from_secs(1);
/// And so many times as long as it took: visitors never take more than a twentieth of the loop.
const PICTURE_SHARE: u32 = 20;
/// But not longer.
const PICTURE_MAX: Duration = Duration::from_secs(30);
/// Bytes kept of one picture, beyond which no further page is.
const MADE_BYTES_MAX: usize = 8 << 20;

/// What a board must know.
#[derive(Debug)]
pub struct BoardSettings {
    /// At whose door.
    pub node: NodeName,
    /// Which kind of alliance: anything but an actual one is marked on everything.
    pub kind: RealmKind,
    /// Items with their names.
    pub items: Vec<Item>,
    /// Where the staff's choice of what to hide is kept.
    pub folder: PathBuf,
    /// Where it listens, if it does.
    pub listen: Option<std::net::SocketAddr>,
    /// What people are told to type or scan.
    pub address: Option<String>,
}

/// The board of one node. Cheap to clone; shared by the door and the staff's API.
#[derive(Clone, Debug)]
pub struct Board(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    pub(super) node: NodeName,
    kind: RealmKind,
    names: Names,
    listen: Option<std::net::SocketAddr>,
    address: Option<String>,
    shelf: Shelf,
    hidden: RwLock<Arc<Hidden>>,
    /// One writer of the file at a time.
    hiding: tokio::sync::Mutex<()>,
    held: tokio::sync::Mutex<Held>,
    made: Mutex<Shown>,
    painter: Semaphore,
}

/// The newest picture.
#[derive(Debug)]
struct Held {
    picture: Option<Arc<Picture>>,
    good_until: Instant,
}

/// What was public at one moment.
#[derive(Debug)]
pub(super) struct Picture {
    taken: Instant,
    at: Zoned,
    pub(super) sites: Vec<Site>,
}

/// Of which picture, with what hidden, how many seconds later.
type Edition = (Instant, Arc<Hidden>, u64);

/// What was made of the newest picture.
#[derive(Debug, Default)]
struct Shown {
    edition: Option<Edition>,
    made: BTreeMap<Wanted, Made>,
    bytes: usize,
}

/// All that is needed to make a page of it.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) board: Board,
    pub(super) picture: Arc<Picture>,
    pub(super) hidden: Arc<Hidden>,
    /// Seconds since the picture was taken.
    pub(super) since_s: u64,
    pub(super) now: Zoned,
}

impl Scene {
    fn edition(&self) -> Edition {
        (self.picture.taken, Arc::clone(&self.hidden), self.since_s)
    }

    pub(super) fn node(&self) -> &NodeName {
        &self.board.0.node
    }

    pub(super) fn names(&self) -> &Names {
        &self.board.0.names
    }

    pub(super) fn kind(&self) -> RealmKind {
        self.board.0.kind
    }

    /// Nothing of this is real.
    pub(super) fn is_exercise(&self) -> bool {
        self.board.0.kind != RealmKind::Actual
    }

    /// All sites that are not left out.
    pub(super) fn sites(&self) -> impl Iterator<Item = &Site> {
        self.picture.sites.iter().filter(|site| !self.hidden.hides(&site.id, None))
    }

    /// What a site says, without what is left out.
    pub(super) fn lines<'a>(&'a self, site: &'a Site) -> impl Iterator<Item = &'a super::site::Line> {
        let touched = self.hidden.touches(&site.id);
        let out = move |key| touched && self.hidden.hides(&site.id, Some(&self.names().code(key)));
        site.lines.iter().filter(move |line| !out(&line.key))
    }

    /// Those that were asked for.
    pub(super) fn found(&self, asked: &Asked) -> Vec<&Site> {
        let wanted = asked.folded();
        let fits = |site: &&Site| {
            (wanted.is_empty() || site.is_found_by(&wanted))
                && (asked.county.is_none() || site.region == asked.county)
                && (!asked.open || site.is_open(self.since_s))
        };
        self.sites().filter(fits).collect()
    }

    /// When something of this age was so, by the clock of this computer.
    pub(super) fn at(&self, age_s: u64) -> Zoned {
        let span = jiff::SignedDuration::from_secs(i64::try_from(age_s).unwrap_or(i64::MAX));
        self.now.checked_sub(span).unwrap_or_else(|_| self.now.clone())
    }
}

/// Why something could not be hidden or shown. Nothing was changed.
#[derive(Debug)]
pub(crate) enum NotHidden {
    /// No such site.
    Site(String),
    /// No such line, or none that is public.
    Line(String),
    /// So much is hidden already.
    TooMuch,
    /// The node does not answer.
    Late,
    /// The disk.
    Disk(io::Error),
}

impl Board {
    /// A board with what was hidden before.
    ///
    /// # Errors
    /// What is hidden can't be read: then nothing may be shown.
    pub fn open(handle: Handle, settings: BoardSettings) -> io::Result<Self> {
        let shelf = Shelf::new(&settings.folder);
        let hidden = RwLock::new(Arc::new(shelf.read()?));
        Ok(Self(Arc::new(Inner {
            handle,
            node: settings.node,
            kind: settings.kind,
            names: Names::new(settings.items),
            listen: settings.listen,
            address: settings.address,
            shelf,
            hidden,
            hiding: tokio::sync::Mutex::default(),
            held: tokio::sync::Mutex::new(Held { picture: None, good_until: Instant::now() }),
            made: Mutex::default(),
            painter: Semaphore::new(1),
        })))
    }

    /// The address that people are given, where the configuration says one.
    pub(super) fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    fn hidden(&self) -> Arc<Hidden> {
        Arc::clone(&self.0.hidden.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The board as the staff sees it.
    pub(crate) fn view(&self) -> BoardView {
        BoardView {
            schema: "holdfast.board/1".to_owned(),
            listen: self.0.listen.map(|at| at.to_string()),
            address: self.0.address.clone(),
            hidden: self.hidden().iter().cloned().collect(),
        }
    }

    /// Whether there is anything to tell the staff of it.
    pub(crate) fn is_used(&self) -> bool {
        self.0.listen.is_some() || self.hidden().iter().next().is_some()
    }

    /// Leaves something out, or shows it again, from the next visitor on and for as long as nobody says otherwise.
    pub(crate) async fn hide(&self, site: Option<&str>, line: Option<&str>, hide: bool) -> Result<BoardView, NotHidden> {
        let _one = self.0.hiding.lock().await;
        let meant = self.meant(site, line, hide).await?;
        let hidden = self.hidden();
        let next = if hide { hidden.with(meant).ok_or(NotHidden::TooMuch)? } else { hidden.without(&meant) };
        if next != *hidden {
            let (shelf, kept) = (self.0.shelf.clone(), next.clone());
            let written = tokio::task::spawn_blocking(move || shelf.write(&kept)).await;
            written.unwrap_or_else(|_| Err(io::Error::other("the writing was broken off"))).map_err(NotHidden::Disk)?;
            *self.0.hidden.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
        Ok(self.view())
    }

    /// What somebody meant by a site and a line of it.
    async fn meant(&self, site: Option<&str>, line: Option<&str>, hide: bool) -> Result<Vec<HiddenView>, NotHidden> {
        let (id, name) = self.site(site.map(str::trim).filter(|site| !site.is_empty()), hide).await?;
        let one = |line: Option<String>, en: &str, zh: &str| {
            let (en, zh) = match &name {
                Some(name) => (format!("{name}: {en}"), format!("{name}：{zh}")),
                None => (en.to_owned(), zh.to_owned()),
            };
            HiddenView { site: id.clone(), line, en, zh }
        };
        let Some(typed) = line.map(str::trim).filter(|line| !line.is_empty()) else {
            return Ok(vec![one(None, "the whole site", "整個據點")]);
        };
        let names = &self.0.names;
        let mut meant: Vec<HiddenView> = names
            .meant(typed)
            .iter()
            .map(|key| {
                one(Some(names.code(key)), names.label(key, super::lang::Lang::En), names.label(key, super::lang::Lang::Zh))
            })
            .collect();
        // What the catalogue no longer names can still be shown again.
        meant.extend(self.hidden().iter().filter(|old| !hide && old.site == id && old.line.as_deref() == Some(typed)).cloned());
        if meant.is_empty() { Err(NotHidden::Line(typed.to_owned())) } else { Ok(meant) }
    }

    /// Id of the site meant, and its name where it is not the own one.
    async fn site(&self, typed: Option<&str>, hide: bool) -> Result<(String, Option<String>), NotHidden> {
        let own = &self.0.node;
        let Some(typed) = typed.filter(|typed| *typed != own.id && *typed != own.name) else { return Ok((own.id.clone(), None)) };
        let picture = self.picture().await.ok_or(NotHidden::Late)?;
        let folded = holdfast_proto::domain::fold(typed);
        let found = |site: &&Site| site.id == typed || holdfast_proto::domain::fold(&site.name) == folded;
        if let Some(site) = picture.sites.iter().find(found) {
            return Ok((site.id.clone(), Some(site.name.clone())));
        }
        // One that is known no more can still be shown again.
        let hidden = !hide && typed.parse::<NodeId>().is_ok() && self.hidden().touches(typed);
        if hidden { Ok((typed.to_owned(), None)) } else { Err(NotHidden::Site(typed.to_owned())) }
    }

    /// The newest picture, a new one where it has served long enough. None if the node never answered.
    async fn picture(&self) -> Option<Arc<Picture>> {
        let mut held = self.0.held.lock().await;
        let begun = Instant::now();
        if held.picture.is_some() && begun < held.good_until {
            return held.picture.clone();
        }
        if let Ok(Ok(Answer::Status(view))) = timeout(ANSWER_WAIT, self.0.handle.ask(Question::Status)).await {
            let names = self.0.names.clone();
            let (taken, at) = (Instant::now(), Zoned::now());
            let picked = tokio::task::spawn_blocking(move || names.sites(view)).await;
            held.picture = picked.ok().map(|sites| Arc::new(Picture { taken, at, sites })).or(held.picture.take());
        }
        let took = begun.elapsed();
        held.good_until = Instant::now() + (took * PICTURE_SHARE).clamp(PICTURE_MIN, PICTURE_MAX);
        held.picture.clone()
    }

    /// What can be shown now; nothing if the node never answered.
    pub(super) async fn scene(&self) -> Option<Scene> {
        let picture = self.picture().await?;
        let since_s = picture.taken.elapsed().as_secs();
        let passed = jiff::SignedDuration::from_secs(i64::try_from(since_s).unwrap_or(0));
        let now = picture.at.checked_add(passed).unwrap_or_else(|_| picture.at.clone());
        Some(Scene { board: self.clone(), picture, hidden: self.hidden(), since_s, now })
    }

    /// What was wanted, made anew or as it was made within this second.
    pub(super) async fn show(&self, wanted: Wanted) -> Option<Made> {
        if let Some(made) = self.made(&self.scene().await?.edition(), &wanted) {
            return Some(made);
        }
        let _turn = self.0.painter.acquire().await.ok()?;
        // Time has passed, and whoever had the turn before may have made it: a crowd that waits is served with one making.
        let scene = self.scene().await?;
        let edition = scene.edition();
        if let Some(made) = self.made(&edition, &wanted) {
            return Some(made);
        }
        let of = wanted.clone();
        let made = tokio::task::spawn_blocking(move || answer::make(&scene, &of)).await.ok()?;
        self.keep(edition, wanted, &made);
        Some(made)
    }

    fn made(&self, edition: &Edition, wanted: &Wanted) -> Option<Made> {
        let shown = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        shown.made.get(wanted).filter(|_| shown.edition.as_ref() == Some(edition)).cloned()
    }

    fn keep(&self, edition: Edition, wanted: Wanted, made: &Made) {
        let mut shown = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.edition.as_ref() != Some(&edition) {
            *shown = Shown { edition: Some(edition), ..Shown::default() };
        }
        let bytes = made.plain.len() + made.packed.as_ref().map_or(0, Bytes::len);
        // Of the files for programs there are three, and they are the dearest to make.
        if !wanted.is_page() || shown.bytes + bytes <= MADE_BYTES_MAX {
            shown.bytes += bytes;
            shown.made.insert(wanted, made.clone());
        }
    }

    /// Names of the files that the board is made of, for any other server.
    pub(crate) async fn files(&self) -> Option<Vec<String>> {
        let scene = self.scene().await?;
        let mut files = Vec::new();
        for lang in BOTH {
            for open in [false, true] {
                let first = Asked { open, ..Asked::in_lang(lang) };
                let pages = scene.found(&first).len().div_ceil(PER_PAGE).max(1);
                files.extend((1..=pages).map(|page| Links::Files.to(&Asked { page, ..first.clone() })));
            }
        }
        files.extend(answer::FILES.iter().map(|(name, _)| (*name).to_owned()));
        Some(files)
    }

    /// One of them. `Err`: the node does not answer.
    pub(crate) async fn file(&self, name: &str) -> Result<Option<String>, ()> {
        let wanted = match answer::FILES.iter().find(|(own, _)| *own == name) {
            Some((_, wanted)) => Some(wanted.clone()),
            None => asked::of_file(name).map(|asked| Wanted::Page(Links::Files, asked)),
        };
        let Some(wanted) = wanted else { return Ok(None) };
        let made = self.show(wanted).await.ok_or(())?;
        Ok(Some(String::from_utf8_lossy(&made.plain).into_owned()))
    }
}
