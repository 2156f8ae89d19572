//! Kinds of facts, one row each: number on the wire, word in lists, meaning.

macro_rules! kinds {
    ($($kind:ident $number:literal $word:literal $doc:literal;)*) => {
        /// Kinds of facts: their numbers are for ever, their names are those of EDXL-RM.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FactKind {
            $(#[doc = $doc] $kind,)*
        }

        impl FactKind {
            /// Every kind, in order of its number.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Wire number, for ever.
            #[must_use]
            pub fn number(self) -> u32 {
                match self { $(Self::$kind => $number),* }
            }

            /// As in history lists.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word),* }
            }
        }
    };
}

kinds! {
    Floor 1 "floor" "Everything below a number is settled, but for the numbers that stay. For the replica.";
    RequestResource 10 "request" "A need.";
    UpdateRequest 11 "update" "A newer version of a need.";
    CancelRequest 12 "cancel" "The need is gone.";
    ConfirmStillNeeded 13 "confirm" "A cancel was of an older version; the need stands.";
    CloseRequest 14 "close" "Met or given up; ends the request.";
    Acknowledge 15 "acknowledge" "Received, not yet processed.";
    Observation 30 "observation" "What was seen of another node.";
    ModeChange 40 "mode" "The author works in another mode now, and why.";
    Order 41 "order" "In which mode the nodes of some regions shall work.";
    Ratify 42 "ratify" "A deputy's order is the principal's own.";
    Countermand 43 "countermand" "A deputy's order counts no more.";
    AuthorityScope 44 "scope" "Who acts for an authority that is not heard.";
    CommitResource 60 "commit" "A supplier promises goods.";
    ReleaseCommitment 61 "release" "It takes a promise back, or part of it.";
    UnableToFill 62 "unable_to_fill" "An addressed node can't send anything.";
    DeclineRequest 63 "decline" "It will not.";
    PlanConsignment 70 "plan_consignment" "Goods go on a journey.";
    Load 71 "load" "They are on the vehicle.";
    Depart 72 "depart" "It left.";
    Position 73 "position" "Where it is.";
    Arrive 74 "arrive" "It is there.";
    HandOver 75 "hand_over" "Goods were handed over, says the carrier.";
    Divert 76 "divert" "It goes to somebody else.";
    Lost 77 "lost" "Goods are lost.";
    Unload 78 "unload" "It does not leave.";
    ReturnGoods 79 "return_goods" "Goods came back to the supplier.";
    Receive 80 "receive" "The consignee signs for what came.";
    Refuse 81 "refuse" "The consignee takes nothing.";
}

impl FactKind {
    /// The kind with this number.
    #[must_use]
    pub fn of(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| u64::from(kind.number()) == number)
    }
}
