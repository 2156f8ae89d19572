//! The rules by name, and what a sweep must have seen.

/// A rule; a sweep prints how often each was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Outputs, wakes and gauges stay within the limits of `config.rs`.
    AlwaysP2Bounded,
    /// Frames within mtu and credit, only over links that are up.
    AlwaysLinkContract,
    /// What a store keeps of another author, that author made durable.
    AlwaysP3NothingFromThinAir,
    /// No own word in a frame before the store said it is durable.
    AlwaysP4DurableBeforeSpoken,
    /// No own word acknowledged before it is durable.
    AlwaysP4DurableBeforeAcknowledged,
    /// What a store keeps of another author is byte for byte what that author wrote.
    AlwaysP5Unchanged,
    /// Nothing of another realm is kept: no certificate, no word.
    AlwaysOwnRealm,
    /// What was asked again with the same key is one fact.
    AlwaysOneFactPerKey,
    /// Same seed, same fingerprint.
    AlwaysP6SameFingerprint,
    /// No author writes two contents under one number.
    AlwaysOneStory,
    /// A node starts again from whatever its store holds.
    AlwaysRestarts,
    /// A crash alone opens no new incarnation.
    AlwaysContinuity,
    /// An age shown is never below the true age; nothing is shown fresh past its validity.
    AlwaysHonestAge,
    /// A node that stays up answers every command.
    AlwaysAnswers,
    /// No node finds a bug in itself.
    NeverBug,
    /// A fork is found only where one was planted.
    NeverForked,
    /// Nothing that an adversary made without the key it needs is kept by anybody.
    NeverForgedKept,
    /// Of what was promised and sent nothing is lost or made.
    EventuallyConserved,
    /// After the heal all digests are equal.
    EventuallyP7SameDigest,
    /// After the heal all entitled nodes show the same picture.
    EventuallyP7SamePicture,
    /// Every acknowledged word is with everybody, unless every store that held it was destroyed.
    EventuallyNoWordLost,
}

impl Rule {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 21] = [
        Self::AlwaysP2Bounded,
        Self::AlwaysLinkContract,
        Self::AlwaysP3NothingFromThinAir,
        Self::AlwaysP4DurableBeforeSpoken,
        Self::AlwaysP4DurableBeforeAcknowledged,
        Self::AlwaysP5Unchanged,
        Self::AlwaysOwnRealm,
        Self::AlwaysOneFactPerKey,
        Self::AlwaysP6SameFingerprint,
        Self::AlwaysOneStory,
        Self::AlwaysRestarts,
        Self::AlwaysContinuity,
        Self::AlwaysHonestAge,
        Self::AlwaysAnswers,
        Self::NeverBug,
        Self::NeverForked,
        Self::NeverForgedKept,
        Self::EventuallyConserved,
        Self::EventuallyP7SameDigest,
        Self::EventuallyP7SamePicture,
        Self::EventuallyNoWordLost,
    ];

    /// How reports and programs name it, and what it says.
    #[must_use]
    pub fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::AlwaysP2Bounded => ("P2.bounded", "Outputs, wakes and gauges stay within the limits of `config.rs`."),
            Self::AlwaysLinkContract => ("link-contract", "Frames within mtu and credit, only over links that are up."),
            Self::AlwaysP3NothingFromThinAir => {
                ("P3.nothing-from-thin-air", "What a store keeps of another author, that author made durable.")
            }
            Self::AlwaysP4DurableBeforeSpoken => {
                ("P4.durable-before-spoken", "No own word in a frame before the store said it is durable.")
            }
            Self::AlwaysP4DurableBeforeAcknowledged => {
                ("P4.durable-before-acknowledged", "No own word acknowledged before it is durable.")
            }
            Self::AlwaysP5Unchanged => {
                ("P5.unchanged", "What a store keeps of another author is byte for byte what that author wrote.")
            }
            Self::AlwaysOwnRealm => ("I5.own-realm", "No certificate and no word of another realm is ever kept (I5)."),
            Self::AlwaysOneFactPerKey => {
                ("I9.one-fact-per-key", "A command tried again with the same key adds no second fact (I9).")
            }
            Self::AlwaysP6SameFingerprint => ("P6.same-fingerprint", "Same seed, same fingerprint."),
            Self::AlwaysOneStory => ("one-story", "No author writes two contents under one number."),
            Self::AlwaysRestarts => ("restarts", "A node starts again from whatever its store holds."),
            Self::AlwaysContinuity => ("continuity", "A crash alone opens no new incarnation."),
            Self::AlwaysHonestAge => {
                ("honest-age", "An age shown is never below the true age; nothing is shown fresh past its validity (I8).")
            }
            Self::AlwaysAnswers => ("answers", "A node that stays up answers every command."),
            Self::NeverBug => ("bug", "No node finds a bug in itself."),
            Self::NeverForked => ("forked", "A fork is found only where one was planted."),
            Self::NeverForgedKept => {
                ("forged-kept", "Nothing that an adversary made without the key it needs is kept by anybody.")
            }
            Self::EventuallyConserved => (
                "I10.conserved",
                "Every unit promised or sent is in exactly one stage, and none is taken in without its consignee's word (I7, I10).",
            ),
            Self::EventuallyP7SameDigest => {
                ("P7.same-digest", "After the heal all digests are equal: facts only grow, and all hold the same (I4, I6).")
            }
            Self::EventuallyP7SamePicture => (
                "P7.same-picture",
                "After the heal all entitled nodes show the same picture, in whatever order facts came (I3, I6).",
            ),
            Self::EventuallyNoWordLost => {
                ("no-word-lost", "Every acknowledged word is with everybody, unless every store that held it was destroyed.")
            }
        }
    }
}

/// Something a sweep must have seen, or it proved nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sometimes {
    /// Links were cut.
    Cut,
    /// A node crashed.
    Crashed,
    /// A crash lost writes nobody had been told about.
    LostUnsynced,
    /// A crash kept writes nobody had been told about.
    KeptUnanswered,
    /// A crash came between rows and stamp.
    TornStamp,
    /// A store was lost or put back.
    LostStore,
    /// Frames were lost.
    LostFrames,
    /// Frames came twice, late or garbled on links that may do so.
    BadFrames,
    /// A write was refused by a full disk.
    DiskFull,
    /// A node opened a second incarnation.
    NewIncarnation,
    /// A wall clock jumped.
    ClockStepped,
    /// An operator ordered a cut.
    OrderedCut,
    /// Readings were saved.
    SavedReport,
    /// A request was saved.
    SavedRequest,
    /// A newer version of a request, or its end, was saved.
    SavedFollowUp,
    /// An observation was saved.
    SavedObservation,
    /// A used key added nothing.
    KeyUsedAgain,
    /// A frame carried an own word that was durable: the check of P4 can see words in frames.
    WordInFrame,
    /// Nodes differed at the moment of the heal.
    DifferedAtHeal,
    /// The store was asked for entries.
    Fetched,
    /// A reading was shown stale.
    ShownStale,
    /// Frames travelled over the broadcast domain.
    OnAir,
    /// A PC stopped because its UPS and its tank were empty.
    PowerRanOut,
    /// Bits of a store were turned.
    Corrupted,
    /// Staff did what an inject told them.
    Told,
    /// An adversary's frame reached a node.
    Forged,
    /// A frame was heard by radio.
    ByRadio,
    /// Two frames disturbed each other on a radio channel.
    Collided,
    /// A courier's stick was plugged in where it was going.
    Carried,
    /// A key was taken away.
    Revoked,
    /// Goods were promised, sent or received.
    SavedGoods,
    /// More was promised to a request than it asks for, and listed as a conflict.
    OverCovered,
    /// A consignee signed for goods.
    Received,
}

impl Sometimes {
    /// Those every sweep of a few dozen seeds must see.
    pub const EXPECTED: [Self; 31] = [
        Self::Cut,
        Self::Crashed,
        Self::LostUnsynced,
        Self::LostStore,
        Self::LostFrames,
        Self::BadFrames,
        Self::DiskFull,
        Self::NewIncarnation,
        Self::ClockStepped,
        Self::SavedReport,
        Self::SavedRequest,
        Self::SavedFollowUp,
        Self::SavedObservation,
        Self::WordInFrame,
        Self::DifferedAtHeal,
        Self::OnAir,
        Self::OrderedCut,
        Self::KeyUsedAgain,
        Self::Fetched,
        Self::TornStamp,
        Self::KeptUnanswered,
        Self::PowerRanOut,
        Self::Told,
        Self::Forged,
        Self::ByRadio,
        Self::Collided,
        Self::Carried,
        Self::Revoked,
        Self::SavedGoods,
        Self::OverCovered,
        Self::Received,
    ];
}
