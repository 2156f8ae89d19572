//! The closed vocabulary of scenario files: each word once, with how it is written. Errors list the accepted words from here.

/// A set of words with their spelling in files.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$one])* $variant,)+ }

        impl $name {
            /// All of them, in the order people are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As files spell it.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The word of a spelling.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.text() == text)
            }
        }
    };
}

words! {
    /// What kind of play. There is no word for the real thing.
    Status {
        /// With people.
        Exercise = "exercise",
        /// Of the exercise itself.
        Rehearsal = "rehearsal",
        /// Of the program.
        Test = "test",
    }
}

words! {
    /// What a site is.
    SiteRole {
        /// Serves the public.
        Store = "store",
        /// Supplies stores.
        Hub = "hub",
        /// A county's or the state's desk.
        Authority = "authority",
    }
}

words! {
    /// What links depend on.
    ElementKind {
        /// Joins its users to everybody else; among themselves they go on.
        Cable = "cable",
        /// Each user's way to anybody.
        Exchange = "exchange",
        /// The same, by air.
        Mast = "mast",
        /// The same, by contract.
        Provider = "provider",
    }
}

words! {
    /// How an adversary speaks.
    ForgeKind {
        /// A site's words with a signature that is not its own.
        BadSignature = "bad-signature",
        /// A node of an alliance founded by the adversary.
        ForeignCertificate = "foreign-certificate",
        /// What the site said long ago, said again.
        Replay = "replay",
        /// With the site's key: two contents under one number.
        Equivocate = "equivocate",
        /// With the site's key: as fast as the wire takes it.
        Flood = "flood",
        /// Frames that are cut, oversized, of a future version, or lie about lengths.
        Malformed = "malformed",
        /// With the site's key: quantities nobody has.
        AbsurdQuantity = "absurd-quantity",
        /// With the site's key, from another place, while the site runs.
        StolenKey = "stolen-key",
        /// With the key of the site's issuer: more nodes than it may have, and an end to those of others.
        HostileIssuer = "hostile-issuer",
    }
}

words! {
    /// How far goods come on their way to whom they were promised.
    JourneyStep {
        /// They are set apart for a journey.
        Plan = "plan",
        /// On the vehicle.
        Load = "load",
        /// It leaves.
        Depart = "depart",
        /// It is there.
        Arrive = "arrive",
        /// The carrier hands them over.
        HandOver = "hand-over",
        /// They go to another request.
        Divert = "divert",
        /// They are gone.
        Lost = "lost",
        /// Off the vehicle again, before it left.
        Unload = "unload",
        /// Back at the sender.
        Return = "return",
    }
}

words! {
    /// What may happen; [`crate::scenario::Effect`] holds the rest.
    What {
        /// Mains gone.
        PowerLoss = "power-loss",
        /// Mains back.
        PowerBack = "power-back",
        /// Elements fail.
        Cut = "cut",
        /// Elements work again.
        Restore = "restore",
        /// WAN links get another path.
        Degrade = "degrade",
        /// Nothing passes between groups.
        Partition = "partition",
        /// Partitions and cuts end.
        Heal = "heal",
        /// Links up and down.
        Flap = "flap",
        /// Cut off one by one.
        Swizzle = "swizzle",
        /// One owner's sites stop.
        FirmOutage = "firm-outage",
        /// PCs stop.
        Crash = "crash",
        /// They start.
        Restart = "restart",
        /// Another PC, same paper.
        ReplacePc = "replace-pc",
        /// Writes fail.
        DiskFull = "disk-full",
        /// Bits turned.
        DiskCorrupt = "disk-corrupt",
        /// An old copy put back.
        OldBackup = "old-backup",
        /// Clock set.
        ClockJump = "clock-jump",
        /// Clock fast or slow.
        ClockDrift = "clock-drift",
        /// Noise on a channel.
        Jam = "jam",
        /// Radios deaf and mute.
        AntennaDown = "antenna-down",
        /// Somebody carries a copy.
        Courier = "courier",
        /// An adversary speaks.
        Forge = "forge",
        /// A site's key is taken away.
        Revoke = "revoke",
        /// Staff report.
        Report = "report",
        /// Staff ask for something.
        Request = "request",
        /// They take it back.
        Cancel = "cancel",
        /// The need is met.
        Close = "close",
        /// A supplier promises what nobody covers yet.
        Commit = "commit",
        /// What was promised goes on its way.
        Consign = "consign",
        /// What came is signed for.
        Receive = "receive",
        /// What is proposed in a conflict is done.
        Resolve = "resolve",
        /// Goods became more or less.
        Stock = "stock",
        /// Staff say what they saw.
        Observe = "observe",
        /// An authority orders a mode.
        Order = "order",
        /// It names who acts for it.
        Deputies = "deputies",
        /// Nobody at the desks.
        OperatorAbsent = "operator-absent",
        /// Words to players.
        Say = "say",
        /// Words to the controller.
        TellController = "tell-controller",
        /// ENDEX now.
        StopExercise = "stop-exercise",
    }
}

/// Effects that are designed and not there yet.
pub const EFFECTS_TO_COME: &[&str] = &["allot"];

/// What a site can speak over; `wan`, `lan`, or `radio:CHANNEL`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// The internet.
    Wan,
    /// The LAN of its compound.
    Lan,
    /// A radio channel by name.
    Radio(String),
}

impl Medium {
    /// As files spell it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Wan => "wan".to_owned(),
            Self::Lan => "lan".to_owned(),
            Self::Radio(channel) => format!("radio:{channel}"),
        }
    }

    /// The medium of a spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "wan" => Some(Self::Wan),
            "lan" => Some(Self::Lan),
            _ => text.strip_prefix("radio:").filter(|name| !name.is_empty()).map(|name| Self::Radio(name.to_owned())),
        }
    }
}

impl ForgeKind {
    /// What it means if somebody keeps what was said.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::BadSignature | Self::ForeignCertificate | Self::Malformed => {
                "no key that may speak signed it: nobody may keep it"
            }
            Self::HostileIssuer => "signed with an issuer's key, beyond what the roots gave it: nobody may keep it",
            Self::Replay => "true words said again: who has them drops them, who lacks them may take them",
            Self::Equivocate => "two contents under one number: the author is frozen, both are shown",
            Self::Flood | Self::AbsurdQuantity | Self::StolenKey => {
                "signed with a certified key: believed until the key is revoked"
            }
        }
    }
}
