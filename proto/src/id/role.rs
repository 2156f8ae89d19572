//! What a node is: the one thing of its certificate that decides what it may say.

use serde::{Deserialize, Serialize};

use crate::config::{WINDOW_GUEST, WINDOW_HUB, WINDOW_STORE};

/// What a node is in the alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A place people go to.
    Store,
    /// A place goods come from; dispatchers work there.
    Hub,
    /// A county's or township's operations centre.
    Authority,
    /// Certified by no firm; nodes of several firms vouch for it. No issuer can give it.
    Guest,
}

impl Role {
    /// All of them, by [`Self::code`].
    pub const ALL: [Self; 4] = [Self::Store, Self::Hub, Self::Authority, Self::Guest];
    /// Those that an issuer may give.
    pub const CERTIFIED: [Self; 3] = [Self::Store, Self::Hub, Self::Authority];

    /// The byte in a certificate and the bit in [`Roles`].
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Store => 0,
            Self::Hub => 1,
            Self::Authority => 2,
            Self::Guest => 3,
        }
    }

    /// Reads [`Self::code`]; `None` for a role this version does not know.
    #[must_use]
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| u64::from(role.code()) == code)
    }

    /// The word for it in files and on screens.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Hub => "hub",
            Self::Authority => "authority",
            Self::Guest => "guest",
        }
    }

    /// Numbers above the floor a node of this role may use, unless its certificate gives more.
    #[must_use]
    pub fn window(self) -> u32 {
        match self {
            Self::Store => WINDOW_STORE,
            Self::Hub | Self::Authority => WINDOW_HUB,
            Self::Guest => WINDOW_GUEST,
        }
    }
}

/// A set of roles: bit `n` is the role of code `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Roles(pub u32);

impl Roles {
    /// Whether a role is in the set.
    #[must_use]
    pub fn contains(self, role: Role) -> bool {
        self.0 & (1 << role.code()) != 0
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |mask, role| mask | (1 << role.code())))
    }
}
