//! Making certificates: for the alliance tool, the demo, the simulator and tests. Checks what the roster would refuse, before signing.

use bytes::Bytes;

use super::certificate::{Parsed, RootSignature, TEXT_BYTES_MAX, is_plain, open, seal, seal_one};
use super::cosign::{cosign, draft};
use super::realm::{Realm, Tag, hash16, sign};
use super::{
    Charter, IssuerCertificate, NodeCertificate, PublicKey, RealmKind, Region, Regions, Rejected, Revocation, RevokedBy, Role,
    Roles, RootKey, Roster, SecretKey,
};
use crate::codec::canonical::Fields;
use crate::id::{Generation, NodeId};

/// A certificate can't be made from these values. Nothing was signed; mend the value and try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotIssue {
    /// A name of a node or firm that is empty or too long.
    #[error(
        "a name of {bytes} bytes does not fit: it may have 1 to {TEXT_BYTES_MAX}, which are {TEXT_BYTES_MAX} letters or {} Chinese \
         characters", TEXT_BYTES_MAX / 3
    )]
    NameLength {
        /// What it has, in UTF-8.
        bytes: usize,
    },
    /// A name that could deceive.
    #[error("a name begins or ends with a space, or has a line break or an invisible character in it")]
    NameUnclean,
    /// A key that may not be certified.
    #[error("the key is weak: make a new one")]
    WeakKey,
    /// A number out of its range, or a root key given twice.
    #[error(
        "a number is out of range or a root key is given twice: k is between 1 and the number of roots (at most 16), tiers are 1 to \
         3, a range of serials ends at 65535, the first day is not after the last, a window is not below the role's"
    )]
    BadValue,
    /// A key was given that is not among the roots, or too few of them.
    #[error("too few of the root keys were given: have {have}, need {want}")]
    TooFewRoots {
        /// Distinct root keys given.
        have: usize,
        /// Needed.
        want: usize,
    },
}

impl CannotIssue {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(self) -> String {
        match self {
            Self::NameLength { bytes } => format!(
                "名稱有 {bytes} 位元組，應為 1 到 {TEXT_BYTES_MAX}：最多 {TEXT_BYTES_MAX} 個英文字母或 {} 個中文字",
                TEXT_BYTES_MAX / 3
            ),
            Self::NameUnclean => "名稱的前後有空白，或含有換行或看不見的字元".to_owned(),
            Self::WeakKey => "金鑰強度不足，請產生新的金鑰".to_owned(),
            Self::BadValue => "數值超出範圍，或同一把根金鑰給了兩次：k 應為 1 到根金鑰數（最多 16），等級 1 到 3，\
                 序號範圍不超過 65535，起始日不晚於到期日，額度不低於該角色的額度"
                .to_owned(),
            Self::TooFewRoots { have, want } => format!("根金鑰不足：有 {have} 把，需要 {want} 把"),
        }
    }
}

impl Charter {
    /// Founds an alliance: version 1, signed by the first k of its own roots. Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn found(kind: RealmKind, k: u8, roots: &[(SecretKey, &str)]) -> Result<Bytes, CannotIssue> {
        let keys = roots.iter().map(|(key, firm)| RootKey { key: key.public(), firm: (*firm).to_owned() }).collect();
        let charter = Self { version: 1, kind, k, roots: keys, previous: None };
        charter.roots.iter().try_for_each(|root| check_name(&root.firm))?;
        let body = charter.body();
        check(&body, |fields| Self::read(fields).map(|_| ()))?;
        let message = Realm::of(kind, &body).message(Tag::Charter, &body);
        let signers: Vec<&SecretKey> = roots.iter().map(|(key, _)| key).take(usize::from(k)).collect();
        Ok(seal(&body, &root_signatures(&charter, &signers, &message)?, &[]))
    }

    /// Follows a charter with another: new roots, or another k. `old` are keys of the version before, `new` keys of this one; k of
    /// each are needed. Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue`]; `BadValue` also if `before` is no charter's envelope.
    pub fn follow(
        realm: &Realm,
        before: &[u8],
        k: u8,
        roots: Vec<RootKey>,
        old: &[&SecretKey],
        new: &[&SecretKey],
    ) -> Result<Bytes, CannotIssue> {
        let before = open(before).map_err(|_| CannotIssue::BadValue)?;
        let Parsed::Charter { value: previous, .. } = before.parsed else { return Err(CannotIssue::BadValue) };
        let draft = previous.next(k, roots)?.draft()?;
        let keys = [old, new].concat();
        let signed = cosign(realm, &draft, &[previous], &keys).map_err(|_| CannotIssue::BadValue)?;
        let short = [Some(signed.own), signed.before].into_iter().flatten().find(|tally| tally.have < tally.want);
        short.map_or(Ok(signed.envelope), |tally| Err(CannotIssue::TooFewRoots { have: tally.have, want: tally.want }))
    }

    /// The charter that takes this one's place.
    ///
    /// # Errors
    /// [`CannotIssue::BadValue`] after the last version.
    pub fn next(&self, k: u8, roots: Vec<RootKey>) -> Result<Self, CannotIssue> {
        let version = self.version.checked_add(1).ok_or(CannotIssue::BadValue)?;
        Ok(Self { version, kind: self.kind, k, roots, previous: Some(hash16(&self.body())) })
    }

    /// A draft of it that nobody signed, for [`cosign`].
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn draft(&self) -> Result<Bytes, CannotIssue> {
        self.roots.iter().try_for_each(|root| check_name(&root.firm))?;
        draft(&self.body())
    }
}

impl IssuerCertificate {
    /// A draft of it that nobody signed, for [`cosign`].
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn draft(&self) -> Result<Bytes, CannotIssue> {
        check_name(&self.firm)?;
        draft(&self.body())
    }

    /// Signs it with root keys of `charter`, whose version it must name. Let all roots at hand sign: then replacing one later
    /// leaves the issuer standing. Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn issue(&self, realm: &Realm, charter: &Charter, roots: &[&SecretKey]) -> Result<Bytes, CannotIssue> {
        check_name(&self.firm)?;
        let body = self.body();
        check(&body, |fields| Self::read(fields).map(|_| ()))?;
        if self.charter != charter.version {
            return Err(CannotIssue::BadValue);
        }
        Ok(seal(&body, &root_signatures(charter, roots, &realm.message(Tag::Issuer, &body))?, &[]))
    }
}

impl NodeCertificate {
    /// Signs it with the issuer's key. Whether the issuer may give it is the roster's to say: offer it there before handing it out.
    /// Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn issue(&self, realm: &Realm, issuer: &SecretKey) -> Result<Bytes, CannotIssue> {
        check_name(&self.name)?;
        let body = self.body();
        check(&body, |fields| Self::read(fields).map(|_| ()))?;
        Ok(seal_one(&body, &sign(issuer, realm, Tag::Node, &body)))
    }
}

impl Revocation {
    /// Signs it with the issuer's key, or with the key it ends. Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue::BadValue`], also where roots must sign it.
    pub fn issue(&self, realm: &Realm, key: &SecretKey) -> Result<Bytes, CannotIssue> {
        let body = self.body();
        check(&body, |fields| Self::read(fields).map(|_| ()))?;
        if self.by == RevokedBy::Roots {
            return Err(CannotIssue::BadValue);
        }
        Ok(seal_one(&body, &sign(key, realm, Tag::Revocation, &body)))
    }

    /// A draft of one by the roots that nobody signed, for [`cosign`].
    ///
    /// # Errors
    /// [`CannotIssue::BadValue`], also where it is not the roots'.
    pub fn draft(&self) -> Result<Bytes, CannotIssue> {
        draft(&self.body())
    }

    /// Signs it with root keys of `charter`, whose version it must name. Returns the envelope.
    ///
    /// # Errors
    /// [`CannotIssue`].
    pub fn issue_by_roots(&self, realm: &Realm, charter: &Charter, roots: &[&SecretKey]) -> Result<Bytes, CannotIssue> {
        let body = self.body();
        check(&body, |fields| Self::read(fields).map(|_| ()))?;
        if self.by != RevokedBy::Roots || self.charter != charter.version {
            return Err(CannotIssue::BadValue);
        }
        Ok(seal(&body, &root_signatures(charter, roots, &realm.message(Tag::Revocation, &body))?, &[]))
    }
}

pub(super) fn check(body: &[u8], read: impl FnOnce(&Fields<'_>) -> Result<(), Rejected>) -> Result<(), CannotIssue> {
    let fields = Fields::parse(body).map_err(|_| CannotIssue::BadValue)?;
    read(&fields).map_err(|why| if why == Rejected::WeakKey { CannotIssue::WeakKey } else { CannotIssue::BadValue })
}

pub(super) fn check_name(name: &str) -> Result<(), CannotIssue> {
    match name.len() {
        bytes if bytes == 0 || bytes > TEXT_BYTES_MAX => Err(CannotIssue::NameLength { bytes }),
        _ if is_plain(name) => Ok(()),
        _ => Err(CannotIssue::NameUnclean),
    }
}

/// One signature per distinct root key given, by ascending index.
fn root_signatures(charter: &Charter, secrets: &[&SecretKey], message: &[u8]) -> Result<Vec<RootSignature>, CannotIssue> {
    let mut signatures = Vec::new();
    for (index, root) in (0_u8..).zip(&charter.roots) {
        if let Some(secret) = secrets.iter().find(|secret| secret.public() == root.key) {
            signatures.push((index, secret.sign(message)));
        }
    }
    let want = usize::from(charter.k);
    if signatures.len() < want {
        return Err(CannotIssue::TooFewRoots { have: signatures.len(), want });
    }
    Ok(signatures)
}

/// A whole alliance to be made from one seed: for the demo, the simulator and tests. A real one is made by people, key by key.
#[derive(Clone, Debug)]
pub struct AlliancePlan {
    /// All keys follow from it.
    pub seed: [u8; 32],
    /// Simulation, unless you know why not.
    pub kind: RealmKind,
    /// Number of root keys.
    pub roots: u8,
    /// How many of them must sign.
    pub k: u8,
    /// Issuers 1, 2, ... in this order.
    pub firms: Vec<FirmPlan>,
    /// First day of all certificates, since 1970.
    pub not_before: u32,
    /// Days they are meant to last.
    pub days: u32,
}

/// One firm, which is one issuer, and its nodes: serials 1, 2, ... in this order.
#[derive(Clone, Debug)]
pub struct FirmPlan {
    /// Its name.
    pub firm: String,
    /// Its nodes.
    pub nodes: Vec<NodePlan>,
}

/// One node of a plan.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Shown to people.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Where it stands.
    pub region: Region,
    /// 1..=3.
    pub tier: u8,
}

/// An alliance made from a plan.
#[derive(Clone, Debug)]
pub struct Alliance {
    /// All of it as a roster.
    pub roster: Roster,
    /// Root keys, in the charter's order.
    pub roots: Vec<SecretKey>,
    /// Issuer keys; issuer n at place n - 1.
    pub issuers: Vec<SecretKey>,
    /// Nodes in the plan's order.
    pub nodes: Vec<IssuedNode>,
    /// Envelopes: charter, issuers, nodes. This is what an alliance file holds.
    pub objects: Vec<Bytes>,
}

/// One node made from a plan.
#[derive(Clone, Debug)]
pub struct IssuedNode {
    /// Its name.
    pub node: NodeId,
    /// Its generation.
    pub generation: Generation,
    /// Its key.
    pub secret: SecretKey,
    /// Its certificate's envelope.
    pub envelope: Bytes,
}

/// Makes an alliance; the same plan gives the same bytes.
///
/// # Errors
/// [`CannotIssue`] if a value of the plan is out of range.
pub fn found_alliance(plan: &AlliancePlan) -> Result<Alliance, CannotIssue> {
    let roots: Vec<SecretKey> = (0..plan.roots).map(|n| derived(plan, "root", u32::from(n))).collect();
    let named: Vec<String> = (1..=plan.roots).map(|n| format!("Root {n}")).collect();
    let pairs: Vec<(SecretKey, &str)> = roots.iter().cloned().zip(named.iter().map(String::as_str)).collect();
    let first = Charter::found(plan.kind, plan.k, &pairs)?;
    let mut roster = Roster::new(&first).map_err(|_| CannotIssue::BadValue)?;
    let (realm, mut objects) = (roster.realm(), vec![first]);
    let signers: Vec<&SecretKey> = roots.iter().collect();
    let (mut issuers, mut nodes) = (Vec::new(), Vec::new());
    for (number, firm) in (1_u16..).zip(&plan.firms) {
        let secret = derived(plan, "issuer", u32::from(number));
        let envelope = issuer_of(number, firm, secret.public())?.issue(&realm, roster.charter(), &signers)?;
        objects.push(envelope);
        for (serial, planned) in (1_u16..).zip(&firm.nodes) {
            nodes.push(node_of(plan, NodeId { issuer: number, serial }, planned, &realm, &secret)?);
        }
        issuers.push(secret);
    }
    objects.extend(nodes.iter().map(|node: &IssuedNode| node.envelope.clone()));
    for object in &objects {
        roster.offer(object).map_err(|_| CannotIssue::BadValue)?;
    }
    Ok(Alliance { roster, roots, issuers, nodes, objects })
}

fn issuer_of(number: u16, firm: &FirmPlan, key: PublicKey) -> Result<IssuerCertificate, CannotIssue> {
    Ok(IssuerCertificate {
        number,
        version: 1,
        charter: 1,
        key,
        firm: firm.firm.clone(),
        regions: Regions::ALL,
        roles: Role::CERTIFIED.into_iter().collect::<Roles>(),
        first: 1,
        max_nodes: u16::try_from(firm.nodes.len()).map_err(|_| CannotIssue::BadValue)?.max(1),
    })
}

fn node_of(
    plan: &AlliancePlan,
    node: NodeId,
    planned: &NodePlan,
    realm: &Realm,
    issuer: &SecretKey,
) -> Result<IssuedNode, CannotIssue> {
    let secret = derived(plan, "node", u32::from_be_bytes(node.to_bytes()));
    let certificate = NodeCertificate {
        node,
        generation: Generation { count: 1, giver: 0 },
        key: secret.public(),
        region: planned.region,
        role: planned.role,
        tier: planned.tier,
        capabilities: 0,
        not_before: plan.not_before,
        not_after: plan.not_before.saturating_add(plan.days),
        name: planned.name.clone(),
        window: None,
    };
    let envelope = certificate.issue(realm, issuer)?;
    Ok(IssuedNode { node, generation: certificate.generation, secret, envelope })
}

/// Keys of an exercise are never those of the real alliance, even from one seed.
fn derived(plan: &AlliancePlan, what: &str, number: u32) -> SecretKey {
    let mut hasher = blake3::Hasher::new_derive_key("holdfast found_alliance v1");
    hasher.update(&plan.seed).update(&[plan.kind.code()]).update(what.as_bytes()).update(&number.to_be_bytes());
    SecretKey::from_seed(*hasher.finalize().as_bytes())
}
