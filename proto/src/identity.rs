//! Who may speak: keys, certificates, the roster, and the one gate from [`Signed`] bytes to [`Verified`]. Keeps P3.
//!
//! Not here: what was said (`domain`), how it travels (`link`), what is kept (`replica`). Time decides nothing in here: the dates
//! in a certificate are carried for people to see, and a lapsed node is never cut off.

mod armor;
mod bound;
mod certificate;
mod cosign;
mod delegation;
mod deputy;
pub mod enrol;
mod gate;
mod guest;
mod issue;
mod keys;
mod realm;
mod revocation;
mod roster;
mod signer;
#[cfg(test)]
mod tests;

pub use crate::id::{Kinds, Region, Regions, Role, Roles};
pub use armor::{ArmorError, ArmorFault, ArmorKind, Block, armor, dearmor};
pub use bound::{Machine, NotHere, public_half};
pub use certificate::{CAPABILITY_EVERYWHERE, Charter, IssuerCertificate, NodeCertificate, RootKey, TEXT_BYTES_MAX, clean_text};
pub use cosign::{Cosigned, Drafted, Tally, cosign, drafted};
pub use delegation::{
    Act, DELEGATION_DAYS_MAX, Delegation, DelegationId, NODE_DELEGATIONS_MAX, NoAct, NotADelegationId, NotDelegated, PINS_MAX,
    Pin, delegation_in,
};
pub use deputy::{DEPUTY_NODES_MAX, DeputyCertificate};
pub use gate::{Signed, Verified};
pub use guest::{GUEST_DAYS_MAX, GuestDraft, VOUCHER_FIRMS_MIN, VOUCHERS_MAX, VOUCHERS_MIN, Voucher, invite_guest, vouch_for};
pub use issue::{Alliance, AlliancePlan, CannotIssue, FirmPlan, IssuedNode, NodePlan, found_alliance};
pub use keys::{PublicKey, SecretKey, Signature};
pub use realm::{Realm, RealmKind, Tag, hash16, hash32, sign};
pub use revocation::{Cut, Reason, Revocation, RevokedBy, is_revocation};
pub use roster::{Alarm, ObjectKey, ObjectRef, Offered, OfferedAll, Roster};
pub use signer::{Sign, Signer};

/// What a certificate asked for beyond what its issuer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Serial outside the issuer's range.
    Serial,
    /// Role outside the issuer's mask.
    Role,
    /// Region outside the issuer's mask.
    Region,
    /// A name outside the deputy's own serials whose key before has not ended itself: its paper is not held.
    Giver,
}

/// Bytes that were refused at the gate. **Nothing was changed** in any of these cases; each says whose fault it is and what next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Giver's fault, or damage on the way. Drop it; count it against the link it came by.
    #[error("not a certificate or signed word in canonical form, or a value in it is out of range")]
    Malformed,
    /// Giver's fault: larger than any object of this kind may be. Drop it unread.
    #[error("larger than any certificate may be")]
    TooLong,
    /// Issuer's fault: the key in it is weak (small order or not in its one spelling). The node needs a new key.
    #[error("the key in it is weak: make a new one")]
    WeakKey,
    /// Nobody's fault or the operator's: it belongs to another alliance, or to a drill. The link is of no use to us.
    #[error("of another alliance, or of an exercise where this is real (or the other way round)")]
    OtherRealm,
    /// Giver's fault, damage, or an issuer key replaced meanwhile. Drop it; it comes again with the next roster exchange if it is good.
    #[error("the signature does not fit the bytes, the key and this alliance")]
    BadSignature,
    /// Roots' fault, or the charter changed since: fewer roots signed than the charter wants. The roots must sign it again.
    #[error("signed by {have} of the {want} root keys it needs")]
    TooFewRoots {
        /// Distinct standing roots whose signature holds.
        have: usize,
        /// What the charter asks for.
        want: usize,
    },
    /// Nobody's fault: too few nodes, or of too few firms, stand behind this guest, or some did and were taken away. It asks more of them.
    #[error(
        "a guest needs the word of {} nodes of {} firms, the one it is named for among them",
        VOUCHERS_MIN,
        VOUCHER_FIRMS_MIN
    )]
    TooFewVouchers,
    /// Nobody's fault: it came before the charter it builds on. Offer it again after that charter.
    #[error("names a charter version not held yet")]
    UnknownCharter,
    /// Nobody's fault: it came before the certificate of its issuer or deputy, or is a stranger's. Offer it again after that.
    #[error("its issuer is not known here")]
    UnknownIssuer,
    /// Nobody's fault: the author's certificate has not arrived. Fetch the roster, then verify again.
    #[error("its author has no certificate here")]
    UnknownAuthor,
    /// Issuer's fault: it gave what it was not given. Ignore it; tell the roots if it happens often.
    #[error("its issuer may not give that: {0:?}")]
    Beyond(Beyond),
    /// Nobody's fault: a newer one that replaces it is already held. Send the giver ours.
    #[error("older than what is held")]
    Older,
    /// Issuer's fault: two unlike keys under one name and generation, or one key under two names. Both are void until the issuer
    /// gives a next generation (or another key).
    #[error("void: the issuer gave one name to two keys, or one key two names; it must issue a next generation")]
    Void,
    /// Operator's fault, or a thief: the key at the other end is not the one the certificate names. Hang up.
    #[error("the key of the link is not the key in the certificate")]
    KeyMismatch,
    /// Operator's fault, or a thief: a newer generation of this node is known. Hang up; the other end must use its new key.
    #[error("this key was replaced by a newer generation")]
    Replaced,
    /// Operator's fault, or a thief: the key was taken away. Hang up; the other end needs a new generation from its issuer.
    #[error("this key was revoked")]
    Revoked,
    /// Giver's fault: a certificate where an author's word belongs, or no node certificate at the end of a chain.
    #[error("not the kind of object that belongs here")]
    WrongKind,
    /// Roots' fault: more issuers, nodes or charter versions than the limits in `config`. The roots must take some back.
    #[error("the roster is full: the alliance has certified more than one node can carry")]
    Full,
}

impl Rejected {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(self) -> String {
        match self {
            Self::Malformed => "不是正確格式的憑證或簽署內容，或其中的數值超出範圍",
            Self::TooLong => "比任何憑證都大",
            Self::WeakKey => "其中的金鑰強度不足：請產生新的金鑰",
            Self::OtherRealm => "屬於其他聯盟，或演練與真實混用",
            Self::BadSignature => "簽章與內容、金鑰或這個聯盟不符",
            Self::TooFewRoots { have, want } => return format!("需要 {want} 把根金鑰簽署，只有 {have} 把"),
            Self::TooFewVouchers => {
                return format!("訪客需要 {VOUCHER_FIRMS_MIN} 家企業共 {VOUCHERS_MIN} 個據點擔保，並須包括其代號所屬的據點");
            }
            Self::UnknownCharter => "所依據的聯盟章程版本還沒收到",
            Self::UnknownIssuer => "不認得它的發證單位",
            Self::UnknownAuthor => "這裡沒有填寫據點的憑證",
            Self::Beyond(_) => "發證單位無權核發這個內容",
            Self::Older => "比已有的舊",
            Self::Void => "無效：同一個名稱給了兩把金鑰，或同一把金鑰給了兩個名稱，發證單位須重新核發",
            Self::KeyMismatch => "連線使用的金鑰不是憑證上的金鑰",
            Self::Replaced => "這把金鑰已被新的取代",
            Self::Revoked => "這把金鑰已被撤銷",
            Self::WrongKind => "這裡不該出現這種內容",
            Self::Full => "名冊已滿：聯盟核發的憑證超過一個據點能保存的數量",
        }
        .to_owned()
    }
}

impl From<crate::codec::canonical::Malformed> for Rejected {
    fn from(_: crate::codec::canonical::Malformed) -> Self {
        Self::Malformed
    }
}
