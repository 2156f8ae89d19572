//! Revocations: which words of a key count, said by whoever may take it away. Their values and bytes; whether one counts is decided
//! in `roster`.
//!
//! Envelope, a canonical document: 1 body, 2 signature 64 by the issuer or by the key itself; by roots a list as in a charter.

use crate::codec::canonical::{Fields, Writer};
use crate::id::{Generation, Incarnation, NodeId, Standing};

use super::Rejected;
use super::certificate::narrow;

/// Field 1 of the body.
pub(super) const WHAT_REVOCATION: u64 = 4;
/// Lives that one cut may name: as many as count of a generation.
const CUTS_MAX: usize = crate::config::INCARNATIONS_MAX;

/// Who takes a key away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RevokedBy {
    /// The node's own issuer.
    Issuer,
    /// k of the roots.
    Roots,
    /// The key itself, on paper since it was made: whoever stole it can only end it.
    Itself,
}

impl RevokedBy {
    const ALL: [Self; 3] = [Self::Issuer, Self::Roots, Self::Itself];

    fn code(self) -> u64 {
        match self {
            Self::Issuer => 0,
            Self::Roots => 1,
            Self::Itself => 2,
        }
    }

    /// The word for it in files and on screens.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Roots => "roots",
            Self::Itself => "itself",
        }
    }
}

/// Why, for people; nothing is decided by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Somebody else has the PC or its key.
    Stolen,
    /// Another PC took its place.
    Replaced,
    /// The site is no more.
    Closed,
    /// It did what it may not.
    Misused,
    /// None of these, or one of a later version.
    Other,
}

impl Reason {
    /// All of them, in the order people are shown.
    pub const ALL: [Self; 5] = [Self::Stolen, Self::Replaced, Self::Closed, Self::Misused, Self::Other];

    fn code(self) -> u64 {
        match self {
            Self::Other => 0,
            Self::Stolen => 1,
            Self::Replaced => 2,
            Self::Closed => 3,
            Self::Misused => 4,
        }
    }

    /// The word for it in files and on screens.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Stolen => "stolen",
            Self::Replaced => "replaced",
            Self::Closed => "closed",
            Self::Misused => "misused",
            Self::Other => "other",
        }
    }
}

/// One life of a store that stands, up to and with one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Cut {
    /// The life.
    pub incarnation: Incarnation,
    /// The last number that counts.
    pub number: u32,
    /// Hash of that entry.
    pub hash: [u8; 16],
}

impl Cut {
    const BYTES: usize = 24;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..2].copy_from_slice(&self.incarnation.count.to_be_bytes());
        out[2..4].copy_from_slice(&self.incarnation.random.to_be_bytes());
        out[4..8].copy_from_slice(&self.number.to_be_bytes());
        out[8..].copy_from_slice(&self.hash);
        out
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, hash @ ..] = bytes;
        Self {
            incarnation: Incarnation { count: u16::from_be_bytes([a, b]), random: u16::from_be_bytes([c, d]) },
            number: u32::from_be_bytes([e, f, g, h]),
            hash,
        }
    }
}

/// One key taken away: from now on it says nothing, and of what it said only what stands in the cuts counts.
///
/// Body: 1 what = 4, 2 node id 4, 3 generation 2, 4 by, 5 version, 6 charter version (by roots only), 7 reason, 8 list of cuts
/// (incarnation 4, number 4, hash 16), ascending, 9 present and 1 where cuts are stated: a list without any voids all it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Whose key.
    pub node: NodeId,
    /// Which of them.
    pub generation: Generation,
    /// Who says so.
    pub by: RevokedBy,
    /// The highest counts among the roots'; 0 of the key itself.
    pub version: u32,
    /// The charter version whose root indices the signatures name; 0 unless by roots.
    pub charter: u32,
    /// Why.
    pub reason: Reason,
    /// What stands; `None`: nobody could say, and all of it is in question.
    pub cuts: Option<Vec<Cut>>,
}

impl Revocation {
    /// The bytes that are signed.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.uint(1, WHAT_REVOCATION).bytes(2, &self.node.to_bytes());
        writer.bytes(3, &[self.generation.count, self.generation.giver]).uint(4, self.by.code()).uint(5, self.version.into());
        writer.maybe_uint(6, (self.by == RevokedBy::Roots).then_some(self.charter.into())).uint(7, self.reason.code());
        if let Some(cuts) = &self.cuts {
            writer.list(8, cuts.iter().map(|cut| cut.to_bytes())).uint(9, 1);
        }
        writer.finish()
    }

    /// Reads a body; checks shape and ranges, no signature.
    ///
    /// # Errors
    /// [`Rejected::Malformed`].
    pub fn read(fields: &Fields<'_>) -> Result<Self, Rejected> {
        let [count, giver] = fields.array(3)?;
        let by = fields.uint(4)?;
        let mut cuts: Vec<Cut> = Vec::new();
        for item in fields.list(8)? {
            let cut = Cut::from_bytes(item.try_into().map_err(|_| Rejected::Malformed)?);
            if cut.number == 0 || cuts.last().is_some_and(|last| last.incarnation >= cut.incarnation) {
                return Err(Rejected::Malformed);
            }
            cuts.push(cut);
        }
        let stated = match fields.maybe_uint(9)? {
            None => false,
            Some(1) => true,
            Some(_) => return Err(Rejected::Malformed),
        };
        let reason = fields.uint(7)?;
        let revocation = Self {
            node: NodeId::from_bytes(fields.array(2)?),
            generation: Generation { count, giver },
            by: RevokedBy::ALL.into_iter().find(|known| known.code() == by).ok_or(Rejected::Malformed)?,
            version: narrow(fields.uint(5)?)?,
            charter: fields.maybe_uint(6)?.map(narrow).transpose()?.unwrap_or(0),
            reason: Reason::ALL.into_iter().find(|known| known.code() == reason).unwrap_or(Reason::Other),
            cuts: stated.then_some(cuts.clone()),
        };
        // What a thief may say with the key alone is only that it is over.
        let own = match revocation.by {
            RevokedBy::Itself => !stated && revocation.version == 0,
            RevokedBy::Issuer | RevokedBy::Roots => revocation.version >= 1,
        };
        let sound = own
            && (stated || cuts.is_empty())
            && cuts.len() <= CUTS_MAX
            && (revocation.by == RevokedBy::Roots) == (revocation.charter >= 1);
        if sound { Ok(revocation) } else { Err(Rejected::Malformed) }
    }
}

/// Whether an envelope holds a revocation; nothing is checked.
#[must_use]
pub fn is_revocation(envelope: &[u8]) -> bool {
    let body = Fields::parse(envelope).ok().and_then(|outer| outer.get(1));
    body.and_then(|body| Fields::parse(body).ok()).is_some_and(|fields| fields.uint(1) == Ok(WHAT_REVOCATION))
}

impl Standing {
    /// What stands by all of these lists; `None` where there is none. A life that one of them does not name does not stand.
    pub(super) fn of(lists: &[&[Cut]]) -> Option<Self> {
        let (first, rest) = lists.split_first()?;
        let stands = |cut: &&Cut| rest.iter().all(|list| list.iter().any(|other| other.incarnation == cut.incarnation));
        let pins = first.iter().filter(stands).filter_map(|cut| {
            let cuts = || lists.iter().flat_map(|list| list.iter()).filter(|other| other.incarnation == cut.incarnation);
            let number = cuts().map(|other| other.number).min()?;
            let mut lowest = cuts().filter(|other| other.number == number).map(|other| other.hash);
            let hash = lowest.next()?;
            // Nothing leads into two entries of one number but, perhaps, what is below them.
            let pin = if lowest.all(|other| other == hash) { (number, Some(hash)) } else { (number - 1, None) };
            Some((cut.incarnation, pin)).filter(|(_, (number, _))| *number > 0)
        });
        Some(Self::Cut(pins.collect()))
    }
}
