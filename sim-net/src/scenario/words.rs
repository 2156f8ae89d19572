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
    }
}

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
