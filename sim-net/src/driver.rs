//! The one file that touches the node itself: how an alliance is founded and how a [`Node`] is built from what its store holds.
//! Everything else drives it through these few functions and the boundary types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::config::Config;
use holdfast_proto::control::{Answer, Question};
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::id::{Generation, NodeId};
use holdfast_proto::identity::{
    AlliancePlan, Cut, FirmPlan, NodePlan, PublicKey, RealmKind, Reason, Revocation, RevokedBy, Role, Roster, SecretKey,
    found_alliance,
};
use holdfast_proto::io::{Input, Output, Row, Stamp};
use holdfast_proto::node::{Known, Node, Setup, Shelf};
use holdfast_proto::time::{Instant, Now};

use crate::dice::{Dice, Purpose};
use crate::scenario::Site;
use crate::scenario::words::SiteRole;
use crate::shelf::Words;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Days that certificates last.
const CERTIFIED_DAYS: u32 = 3_650;

/// One node of the alliance.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub id: NodeId,
    /// Its key.
    pub key: PublicKey,
    /// Which firm, from 0.
    pub firm: usize,
    /// What it is.
    pub role: SiteRole,
    /// Which life of its key.
    pub generation: Generation,
    secret: SecretKey,
}

/// All nodes of a run and what their alliance file holds.
#[derive(Clone, Debug)]
pub struct Alliance {
    /// By index of the node.
    pub members: Vec<Member>,
    /// Firms by name, in the order of their first sites.
    pub firms: Vec<String>,
    indices: BTreeMap<NodeId, usize>,
    issuers: Vec<SecretKey>,
    objects: Vec<Bytes>,
    /// The same, to be found quickly.
    issued: BTreeSet<Bytes>,
    /// Everybody's roster, made once.
    known: Known,
    /// Words that somebody has read.
    words: Arc<dyn Shelf>,
    catalogue: Catalogue,
}

/// What a node is built from.
#[derive(Debug)]
pub struct Start {
    /// Index of the node.
    pub me: usize,
    /// Fresh for every start.
    pub seed: [u8; 32],
    /// What its store holds.
    pub rows: Vec<Row>,
    /// The proof of continuity.
    pub stamp: Option<Stamp>,
    /// Its clocks.
    pub now: Now,
    /// Its periods and limits.
    pub config: Config,
    /// Nodes whose certificates its alliance file lacks.
    pub unknown: Vec<usize>,
}

impl Alliance {
    /// Founds the alliance of these sites: each owner is an issuer.
    ///
    /// # Errors
    /// In words, why such an alliance can't be.
    pub fn make(seed: u64, sites: &[Site], startex_ms: i64) -> Result<Self, String> {
        let mut firms: Vec<String> = Vec::new();
        let mut staff: Vec<Vec<usize>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (node, site) in sites.iter().enumerate() {
            let firm = *places.entry(&site.owner).or_insert_with(|| {
                firms.push(site.owner.clone());
                staff.push(Vec::new());
                firms.len() - 1
            });
            staff[firm].push(node);
        }
        let plan = |node: &usize| NodePlan {
            name: sites[*node].name.clone(),
            role: role(sites[*node].role),
            region: sites[*node].region,
            tier: 1,
        };
        let plan = AlliancePlan {
            seed: Dice::new(seed, Purpose::Keys, 0).bytes32(),
            kind: RealmKind::Simulation,
            roots: 3,
            k: 2,
            firms: firms
                .iter()
                .zip(&staff)
                .map(|(firm, nodes)| FirmPlan { firm: firm.clone(), nodes: nodes.iter().map(plan).collect() })
                .collect(),
            not_before: u32::try_from(startex_ms / DAY_MS).unwrap_or(0),
            days: CERTIFIED_DAYS,
        };
        let made = found_alliance(&plan).map_err(|why| format!("no alliance can be founded of these sites: {why}"))?;
        // Issued firm by firm; members are counted across firms.
        let order = staff.iter().enumerate().flat_map(|(firm, nodes)| nodes.iter().map(move |node| (*node, firm)));
        let mut members: Vec<(usize, Member)> = order
            .zip(made.nodes)
            .map(|((node, firm), issued)| {
                let (id, key, generation) = (issued.node, issued.secret.public(), issued.generation);
                (node, Member { id, key, firm, role: sites[node].role, generation, secret: issued.secret })
            })
            .collect();
        members.sort_by_key(|(node, _)| *node);
        let members: Vec<Member> = members.into_iter().map(|(_, member)| member).collect();
        let indices = members.iter().enumerate().map(|(node, member)| (member.id, node)).collect();
        let catalogue = toml::from_str(BUILT_IN).map_err(|why| format!("the built-in list of items can't be read: {why}"))?;
        let issued = made.objects.iter().cloned().collect();
        let words: Arc<dyn Shelf> = Arc::new(Words::default());
        Ok(Self {
            members,
            firms,
            indices,
            issuers: made.issuers,
            objects: made.objects,
            issued,
            known: Known::of(made.roster).with_shelf(Arc::clone(&words)),
            words,
            catalogue,
        })
    }

    /// What a node shows who it is with: charter, issuer, itself.
    #[must_use]
    pub fn chain(&self, node: usize) -> Vec<Bytes> {
        self.known.roster().chain(self.members[node].id)
    }

    /// The issuer of a node takes its key away: `cuts` of what it said still count.
    ///
    /// # Errors
    /// In words: the cuts can't be signed.
    pub fn revoke(&mut self, node: usize, version: u32, cuts: Vec<Cut>) -> Result<Bytes, String> {
        let member = &self.members[node];
        let revocation = Revocation {
            node: member.id,
            generation: member.generation,
            by: RevokedBy::Issuer,
            version,
            charter: 0,
            reason: Reason::Stolen,
            cuts: Some(cuts),
        };
        let envelope =
            revocation.issue(&self.known.roster().realm(), &self.issuers[member.firm]).map_err(|why| why.to_string())?;
        self.issued.insert(envelope.clone());
        Ok(envelope)
    }

    /// The end of nodes that are not its own, by the issuer of a node: one of each other firm, one of a firm that is not there, and one
    /// beyond its own range.
    #[must_use]
    pub fn revoke_beyond(&self, node: usize) -> Vec<Bytes> {
        let (roster, hostile) = (self.known.roster(), &self.members[node]);
        let others = roster.issuers().map(|issuer| issuer.number).filter(|number| *number != hostile.id.issuer);
        let first = |issuer| NodeId { issuer, serial: 1 };
        let nobody = NodeId { issuer: u16::try_from(self.firms.len()).unwrap_or(0).saturating_add(1), serial: 1 };
        let beyond = NodeId { serial: u16::MAX, ..hostile.id };
        let revoke = |node| {
            let revocation = Revocation {
                node,
                generation: hostile.generation,
                by: RevokedBy::Issuer,
                version: 1,
                charter: 0,
                reason: Reason::Stolen,
                cuts: Some(Vec::new()),
            };
            revocation.issue(&roster.realm(), &self.issuers[hostile.firm]).ok()
        };
        others.map(first).chain([nobody, beyond]).filter_map(revoke).collect()
    }

    /// Charter, certificate or whatever else of the roster was issued, when the alliance was founded or since.
    #[must_use]
    pub fn has_issued(&self, object: &Bytes) -> bool {
        self.issued.contains(object)
    }

    /// The index of a node.
    #[must_use]
    pub fn index_of(&self, id: NodeId) -> Option<usize> {
        self.indices.get(&id).copied()
    }

    /// Whom a node knows before it meets anybody.
    fn known_without(&self, unknown: &[usize]) -> Known {
        if unknown.is_empty() {
            return self.known.clone();
        }
        let first = self.objects.len() - self.members.len();
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.sort_by_key(|node| self.members[*node].id);
        let known = order.iter().zip(&self.objects[first..]).filter(|(node, _)| !unknown.contains(node));
        let objects: Vec<Bytes> = self.objects[..first].iter().chain(known.map(|(_, object)| object)).cloned().collect();
        let mut roster = Roster::new(&objects[0]).expect("invariant: the first object is the charter that was just founded");
        for object in &objects[1..] {
            roster.offer(object).expect("invariant: each object was just issued");
        }
        Known::of(roster).with_shelf(Arc::clone(&self.words))
    }
}

fn role(role: SiteRole) -> Role {
    match role {
        SiteRole::Store => Role::Store,
        SiteRole::Hub => Role::Hub,
        SiteRole::Authority => Role::Authority,
    }
}

/// A running node.
#[derive(Clone, Debug)]
pub struct Driver(Node);

impl Driver {
    /// Builds a node of `alliance`.
    ///
    /// # Errors
    /// In words, why the core refused to start.
    pub fn start(alliance: &Alliance, start: Start) -> Result<Self, String> {
        let member = &alliance.members[start.me];
        let setup = Setup {
            config: start.config,
            me: member.id,
            signer: member.secret.clone().into(),
            known: alliance.known_without(&start.unknown),
            catalogue: alliance.catalogue.clone(),
            seed: start.seed,
            stamp: start.stamp,
        };
        Node::restore(setup, start.rows, start.now).map(Self).map_err(|error| error.to_string())
    }

    /// Hands in one input.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.0.handle(now, input);
    }

    /// The next thing it asks of the world.
    pub fn poll(&mut self) -> Option<Output> {
        self.0.poll_output()
    }

    /// When it wants to be woken, by its own clock.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline().map(|(at, _)| at)
    }

    /// Who asked to be woken, in words.
    #[must_use]
    pub fn alarm(&self) -> String {
        self.0.deadline().map_or_else(String::new, |(at, timer)| format!("{timer:?} at {}", at.0))
    }

    /// Asks it.
    pub fn answer(&mut self, now: Now, question: &Question) -> Answer {
        self.0.answer(now, question)
    }
}
