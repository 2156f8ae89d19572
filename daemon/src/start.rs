//! From settings to a node that runs: papers, store and stamp are read and checked, each with its own words.

use bytes::Bytes;
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::field::fields;
use holdfast_proto::domain::refusal::Words;
use holdfast_proto::domain::service::SERVICES;
use holdfast_proto::identity::Signer;
use holdfast_proto::node::{Known, Node, RestoreError, Restoring, Setup};
use holdfast_proto::recording;
use holdfast_proto::time::{Now, UtcMillis};

use crate::code::Code;
use crate::config::Settings;
use crate::paper::{PaperError, Papers};
use crate::recorder::Recorder;
use crate::stamp::{StampError, StampFile};
use crate::store::{Opened, Options, Store, StoreError};
use crate::told;

/// This program was made after then; a clock that shows less is known to be wrong. Milliseconds since 1970: 2026-11-01.
const MADE_AFTER: i64 = 1_793_491_200_000;

/// The daemon can't start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Key, alliance file or catalogue.
    #[error(transparent)]
    Paper(#[from] PaperError),
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
    /// What happened, what it means, what to do.
    #[must_use]
    pub fn words(&self) -> Words {
        Words { en: self.to_string(), zh: told::start(self) }
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Paper(error) => error.code(),
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
    /// Its name.
    pub me: holdfast_proto::id::NodeId,
    /// `holdfast.catalogue/1` for page and programs.
    pub catalogue: serde_json::Value,
    /// Writes down what happens to the node, where that is wanted.
    pub recorder: Option<Recorder>,
}

/// Opens store and stamp and restores the node.
///
/// # Errors
/// [`StartError`]; each says what to do.
pub(crate) fn start(settings: &Settings, papers: Papers, now: Now) -> Result<Started, StartError> {
    let Papers { me, secret, catalogue, roster, objects } = papers;
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
    let mut config = settings.node.clone();
    let own = roster.node_of_key(&key).and_then(|(node, generation)| roster.certificate(node, generation));
    let certified = own.map_or(0, |certificate| i64::from(certificate.not_before).saturating_mul(86_400_000));
    config.clock_floor = UtcMillis(MADE_AFTER.max(certified));
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
    Ok(Started { node, store, stamp, me, catalogue: catalogue_json, recorder })
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
    for row in restoring.left_out() {
        tracing::warn!(
            author = %row.author, kind = ?row.kind, bytes = row.bytes.len(),
            "a stored board or detail is larger than nodes take it today and is left out: the next one of its author takes its place"
        );
    }
    Ok(restoring.finish()?)
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
