//! From settings to a node that runs: key, alliance file, catalogue, store and stamp are read and checked, each with its own words.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::field::fields;
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::domain::service::SERVICES;
use holdfast_proto::identity::{ArmorKind, Roster, SecretKey, Signer, dearmor};
use holdfast_proto::node::{Known, Node, RestoreError, Restoring, Setup};
use holdfast_proto::recording;
use holdfast_proto::time::{Now, UtcMillis};

use crate::code::Code;
use crate::config::Settings;
use crate::recorder::Recorder;
use crate::stamp::{StampError, StampFile};
use crate::store::{Opened, Options, Store, StoreError};

/// This program was made after then; a clock that shows less is known to be wrong. Milliseconds since 1970: 2026-11-01.
const MADE_AFTER: i64 = 1_793_491_200_000;
/// Largest key, alliance or catalogue file. 16,000 certificates in text are about 5 MB.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The daemon can't start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file can't be read.
    #[error("the {what} {path} can't be read: {cause}. {fix}")]
    Unreadable {
        /// Which kind of file.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
        /// What to do.
        fix: &'static str,
    },
    /// A file does not hold what it should.
    #[error("the {what} {path} is not usable: {cause}. {fix}")]
    Unusable {
        /// Which kind of file.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
        /// What to do.
        fix: &'static str,
    },
    /// Others on this computer may read the key.
    #[error(
        "the node key {0} may be read by other users of this computer, so it is no secret any more. Make it private: chmod 600 {0}"
    )]
    KeyOpen(PathBuf),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stamp.
    #[error(transparent)]
    Stamp(#[from] StampError),
    /// Key and alliance don't fit.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The system has no randomness.
    #[error(
        "the system gives no random numbers: {0}. Without them no link can be kept secret, so nothing was started. Start it again \
         in a minute; if it stays so, restart this computer"
    )]
    Random(String),
}

impl StartError {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::PaperUnreadable,
            Self::Unusable { .. } => Code::PaperUnusable,
            Self::KeyOpen(_) => Code::KeyOpen,
            Self::Store(error) => error.code(),
            Self::Stamp(_) => Code::Stamp,
            Self::Restore(RestoreError::NoCharter) => Code::NoCharter,
            Self::Restore(RestoreError::Charter(_)) => Code::Charter,
            Self::Restore(RestoreError::NotCertified(_)) => Code::NotCertified,
            Self::Random(_) => Code::Random,
        }
    }
}

/// A node restored, and what is needed to run it.
#[derive(Debug)]
pub struct Started {
    /// The node; its first outputs wait to be taken.
    pub node: Node,
    /// Its store, not yet writing.
    pub store: Store,
    /// Its stamp.
    pub stamp: StampFile,
    /// Seed of its key, for the links.
    pub seed: [u8; 32],
    /// Its name.
    pub me: holdfast_proto::id::NodeId,
    /// `holdfast.catalogue/1` for page and programs.
    pub catalogue: serde_json::Value,
    /// Writes down what happens to the node, where that is wanted.
    pub recorder: Option<Recorder>,
}

/// What a node is given before its first start.
struct Papers {
    secret: SecretKey,
    catalogue: Catalogue,
    roster: Roster,
    /// What the roster was read from.
    objects: Vec<Bytes>,
}

fn papers(settings: &Settings) -> Result<Papers, StartError> {
    let secret = read_key(&settings.key_file)?;
    let alliance = read_alliance(&settings.alliance_file)?;
    let catalogue = read_catalogue(settings.catalogue_file.as_deref())?;
    let roster = roster_of(&alliance, &settings.alliance_file)?;
    Ok(Papers { secret, catalogue, roster, objects: alliance })
}

/// Reads key, alliance and catalogue as a start would, and touches nothing.
///
/// # Errors
/// [`StartError`]; each says what to do.
pub fn check_papers(settings: &Settings) -> Result<(), StartError> {
    papers(settings).map(drop)
}

/// Reads everything and restores the node.
///
/// # Errors
/// [`StartError`]; each says what to do.
pub fn start(settings: &Settings, now: Now) -> Result<Started, StartError> {
    let Papers { secret, catalogue, roster, objects } = papers(settings)?;
    let catalogue_json = catalogue_json(&catalogue);
    let stamp = StampFile::open(&settings.stamp_file)?;
    let found = match stamp.found() {
        Ok(found) => Some(found),
        Err(reason) => {
            tracing::info!(?reason, "no proof of continuity: the first word of this node opens a new incarnation");
            None
        }
    };
    let options = settings.reserve_bytes.map_or_else(Options::default, |reserve| Options { reserve, ..Options::default() });
    let Opened { mut store, set_aside, .. } = Store::open(&settings.data_dir, options)?;
    if let Some(path) = set_aside {
        tracing::warn!(path = %path.display(), "the store was garbled and is set aside; it is filled again from neighbours");
    }
    let key = secret.public();
    let seed = secret.seed();
    let mut config = settings.node.clone();
    let own = roster.node_of_key(&key).and_then(|(node, generation)| roster.certificate(node, generation));
    let certified = own.map_or(0, |certificate| i64::from(certificate.not_before).saturating_mul(86_400_000));
    config.clock_floor = UtcMillis(MADE_AFTER.max(certified));
    let me = roster.node_of_key(&key).map_or(holdfast_proto::id::NodeId { issuer: 0, serial: 0 }, |(node, _)| node);
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| StartError::Random(error.to_string()))?;
    let signer = Signer::from(secret);
    let mut setup = Setup { config, me, signer, known: Known::of(roster), catalogue, seed: random, stamp: found };
    let mut recorder = settings.record.then(|| record(settings, &mut setup, &objects, now)).flatten();
    let node = match restore(&store, setup.clone(), now, recorder.as_mut()) {
        Err(StartError::Store(StoreError::Garbled { .. })) => {
            store = store.set_aside()?.store;
            tracing::warn!("the store was garbled and is set aside; it is filled again from neighbours");
            recorder = recorder.and_then(|_| record(settings, &mut setup, &objects, now));
            Restoring::new(setup, now).finish()?
        }
        other => other?,
    };
    Ok(Started { node, store, stamp, seed, me, catalogue: catalogue_json, recorder })
}

/// Begins a recording of what is built from `setup`, whose signatures are kept for it. Without one the node runs all the same.
fn record(settings: &Settings, setup: &mut Setup, objects: &[Bytes], now: Now) -> Option<Recorder> {
    let begin = recording::Start {
        build: env!("CARGO_PKG_VERSION").to_owned(),
        config: setup.config.clone(),
        me: setup.me,
        key: setup.signer.public(),
        objects: objects.to_vec(),
        catalogue: serde_json::to_string(&setup.catalogue).ok()?,
        seed: setup.seed,
        stamp: setup.stamp,
        now,
    };
    match Recorder::create(&settings.data_dir, begin) {
        Ok(recorder) => {
            setup.signer.keep();
            Some(recorder)
        }
        Err(error) => {
            tracing::warn!(%error, "nothing is recorded; check that the data folder can be written to");
            None
        }
    }
}

/// Hands every stored row to a node as it is read: together they would be the largest thing this program ever held.
fn restore(store: &Store, setup: Setup, now: Now, mut recorder: Option<&mut Recorder>) -> Result<Node, StartError> {
    let mut restoring = Restoring::new(setup, now);
    let loaded = store.load(|row| {
        if let Some(recorder) = &mut recorder {
            recorder.row(&row);
        }
        restoring.take(row);
    })?;
    if loaded.bad > 0 {
        tracing::warn!(bad = loaded.bad, "some stored rows are damaged; neighbours send them again");
    }
    Ok(restoring.finish()?)
}

fn read(what: &'static str, path: &Path, fix: &'static str) -> Result<String, StartError> {
    let unreadable = |cause| StartError::Unreadable { what, path: path.to_owned(), cause, fix };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        return Err(StartError::Unusable { what, path: path.to_owned(), cause: format!("it has {size} bytes"), fix });
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn read_key(path: &Path) -> Result<SecretKey, StartError> {
    const WHAT: &str = "node key";
    const FIX: &str = "It is made by: holdfast alliance issue";
    let text = read(WHAT, path, FIX)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map(|data| data.permissions().mode()).unwrap_or(0);
        if mode & 0o077 != 0 {
            return Err(StartError::KeyOpen(path.to_owned()));
        }
    }
    let unusable = |cause: String| StartError::Unusable { what: WHAT, path: path.to_owned(), cause, fix: FIX };
    let blocks = dearmor(&text).map_err(|error| unusable(error.to_string()))?;
    let block = blocks.into_iter().find(|block| block.kind == ArmorKind::NodeKey);
    let block = block.ok_or_else(|| unusable("there is no NODE KEY block in it".to_owned()))?;
    let seed = <[u8; 32]>::try_from(block.bytes.as_ref()).map_err(|_| unusable("the key is not 32 bytes long".to_owned()))?;
    Ok(SecretKey::from_seed(seed))
}

fn read_alliance(path: &Path) -> Result<Vec<Bytes>, StartError> {
    const WHAT: &str = "alliance file";
    const FIX: &str = "Get it from whoever issued this node's certificate";
    let text = read(WHAT, path, FIX)?;
    let unusable = |cause: String| StartError::Unusable { what: WHAT, path: path.to_owned(), cause, fix: FIX };
    let blocks = dearmor(&text).map_err(|error| unusable(error.to_string()))?;
    if let Some(secret) =
        blocks.iter().find(|block| !matches!(block.kind, ArmorKind::Charter | ArmorKind::Issuer | ArmorKind::Node))
    {
        return Err(unusable(format!("line {} holds a secret key, which must not be in here", secret.line)));
    }
    Ok(blocks.into_iter().map(|block| block.bytes).collect())
}

fn roster_of(alliance: &[Bytes], path: &Path) -> Result<Roster, StartError> {
    let first = alliance.first().ok_or(RestoreError::NoCharter)?;
    let mut roster = Roster::new(first).map_err(RestoreError::Charter)?;
    for object in alliance.iter().skip(1) {
        if let Err(why) = roster.offer(object) {
            tracing::warn!(path = %path.display(), %why, "a certificate in the alliance file is left out");
        }
    }
    Ok(roster)
}

fn read_catalogue(path: Option<&Path>) -> Result<Catalogue, StartError> {
    const WHAT: &str = "catalogue of items";
    const FIX: &str = "Compare it with configs/items.toml";
    let text = match path {
        Some(path) => read(WHAT, path, FIX)?,
        None => BUILT_IN.to_owned(),
    };
    let path = path.map_or_else(|| "built in".into(), Path::to_owned);
    let unusable = |cause: String| StartError::Unusable { what: WHAT, path: path.clone(), cause, fix: FIX };
    let catalogue: Catalogue = toml::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    catalogue.check().map_err(|error| unusable(error.to_string()))?;
    Ok(catalogue)
}

/// What page and programs must know to show and ask: items, fields and services with their words.
#[must_use]
pub fn catalogue_json(catalogue: &Catalogue) -> serde_json::Value {
    let services = SERVICES.iter().map(|service| serde_json::json!({ "code": service.code, "en": service.en, "zh": service.zh }));
    serde_json::json!({
        "schema": "holdfast.catalogue/1",
        "items": catalogue.items,
        "fields": fields().map(field_json).collect::<Vec<_>>(),
        "services": services.collect::<Vec<_>>(),
    })
}

fn field_json(field: &holdfast_proto::domain::Field) -> serde_json::Value {
    use holdfast_proto::domain::field::Kind;
    use holdfast_proto::id::DocKind;
    let document = match field.document {
        DocKind::Board => "board",
        DocKind::Detail => "detail",
    };
    let mut json = serde_json::json!({
        "name": field.name, "group": field.group, "flag": field.flag, "en": field.en, "zh": field.zh,
        "doc": field.doc, "document": document, "valid_s": field.valid_s,
    });
    let more = match field.value {
        Kind::Choice { words } => {
            let words: Vec<_> = words.iter().map(|w| serde_json::json!({ "word": w.code, "en": w.en, "zh": w.zh })).collect();
            serde_json::json!({ "kind": "choice", "words": words })
        }
        Kind::Integer { unit, decimals, max } => {
            let top = max / 10_u64.pow(u32::from(decimals));
            serde_json::json!({ "kind": "integer", "unit": unit, "decimals": decimals, "min": 0, "max": top })
        }
        Kind::Text { bytes_max } => serde_json::json!({ "kind": "text", "bytes_max": bytes_max }),
    };
    if let (Some(json), Some(more)) = (json.as_object_mut(), more.as_object()) {
        json.extend(more.clone());
    }
    json
}
