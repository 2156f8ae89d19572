//! Several nodes of one alliance that know each other, and what a test asks of all of them together.

use std::collections::BTreeSet;
use std::fs::create_dir;
use std::time::Duration;

use holdfast_proto::control::{DigestView, RequestView};
use holdfast_proto::id::NodeId;
use holdfast_proto::identity::RealmKind;
use tempfile::TempDir;

use crate::node::{Node, Settings};
use crate::papers::Papers;
use crate::wait::{SOON, eventually};

/// What kind of alliance to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Nodes: a store, a hub, then stores.
    pub nodes: usize,
    /// Faults are obeyed in the simulation realm only.
    pub kind: RealmKind,
    /// Sync switched on.
    pub sync: bool,
    /// Gossip switched on.
    pub gossip: bool,
    /// Everybody has everybody's static addresses.
    pub acquainted: bool,
}

impl Plan {
    /// A simulation alliance of `nodes` that know each other, with both links.
    #[must_use]
    pub fn of(nodes: usize) -> Self {
        Self { nodes, kind: RealmKind::Simulation, sync: true, gossip: true, acquainted: true }
    }

    /// Without gossip.
    #[must_use]
    pub fn without_gossip(self) -> Self {
        Self { gossip: false, ..self }
    }

    /// Without sync.
    #[must_use]
    pub fn without_sync(self) -> Self {
        Self { sync: false, ..self }
    }

    /// Nobody has anybody's address.
    #[must_use]
    pub fn strangers(self) -> Self {
        Self { acquainted: false, ..self }
    }

    /// In another realm.
    #[must_use]
    pub fn in_realm(self, kind: RealmKind) -> Self {
        Self { kind, ..self }
    }

    /// Makes folders, keys and certificates; starts nothing.
    #[must_use]
    pub fn make(&self) -> Alliance {
        Alliance::new(self)
    }

    /// Makes and starts all nodes, and waits until each answers and all are linked.
    #[must_use]
    #[track_caller]
    pub fn start(&self) -> Alliance {
        let mut alliance = self.make();
        alliance.start();
        alliance
    }
}

/// Nodes of one alliance. Dropping it ends its daemons and removes its folders.
#[derive(Debug)]
pub struct Alliance {
    // Before the folder: daemons end before their files go.
    nodes: Vec<Node>,
    papers: Papers,
    plan: Plan,
    folder: TempDir,
}

impl Alliance {
    fn new(plan: &Plan) -> Self {
        let folder = tempfile::Builder::new().prefix("holdfast-test-").tempdir().expect("a temporary folder");
        let papers = Papers::found(plan.kind, plan.nodes);
        let settings: Vec<Settings> = (0..plan.nodes).map(|_| Settings::on_loopback()).collect();
        let mut alliance = Self { nodes: Vec::new(), papers, plan: plan.clone(), folder };
        for (n, (id, name)) in alliance.papers.ids().into_iter().zip('a'..='z').enumerate() {
            let mut own = settings[n].clone();
            (own.sync, own.gossip) = (plan.sync, plan.gossip);
            if plan.acquainted {
                let others = || settings.iter().enumerate().filter(|(other, _)| *other != n).map(|(_, s)| s);
                own.sync_peers = others().map(Settings::sync_address).collect();
                own.gossip_peers = others().map(Settings::gossip_address).collect();
            }
            let name = name.to_string();
            let dir = alliance.folder.path().join(&name);
            create_dir(&dir).expect("a folder below the temporary one");
            alliance.papers.hand_out(n, &dir);
            alliance.nodes.push(Node::new(&name, id, dir, own));
        }
        alliance
    }

    /// Starts all nodes and waits until each answers and, where they know each other, all are linked.
    ///
    /// # Panics
    /// If that does not happen.
    #[track_caller]
    pub fn start(&mut self) {
        for node in &mut self.nodes {
            node.spawn();
        }
        for node in &mut self.nodes {
            node.wait_ready();
        }
        if self.plan.acquainted && self.plan.sync {
            self.wait_linked();
        }
    }

    /// Certificates and keys of this alliance.
    #[must_use]
    pub fn papers(&self) -> &Papers {
        &self.papers
    }

    /// All nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at a place, from 0.
    #[must_use]
    pub fn node(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// The node at a place, to start and stop it.
    pub fn node_mut(&mut self, place: usize) -> &mut Node {
        &mut self.nodes[place]
    }

    /// Ids of all nodes.
    #[must_use]
    pub fn ids(&self) -> Vec<NodeId> {
        self.nodes.iter().map(|n| n.id).collect()
    }

    /// Waits until every node has a link to every other.
    ///
    /// # Panics
    /// If that does not happen.
    #[track_caller]
    pub fn wait_linked(&self) {
        let others = self.nodes.len() - 1;
        for node in &self.nodes {
            eventually(SOON, &format!("{} is linked to {others} others", node.name), || {
                let up = node.api().digest()?.neighbours;
                if up as usize >= others { Ok(()) } else { Err(format!("{up} links")) }
            });
        }
    }

    /// Waits until all nodes show the same digest and each says that it is in step with its neighbours.
    ///
    /// # Panics
    /// After `limit`, with the digests.
    #[track_caller]
    pub fn wait_equal(&self, limit: Duration) -> DigestView {
        let places: Vec<usize> = (0..self.nodes.len()).collect();
        self.wait_equal_among(&places, limit)
    }

    /// [`Self::wait_equal`] among some of the nodes.
    ///
    /// # Panics
    /// After `limit`, with the digests.
    #[track_caller]
    pub fn wait_equal_among(&self, places: &[usize], limit: Duration) -> DigestView {
        eventually(limit, "equal digests", || {
            let mut views = Vec::new();
            for place in places {
                views.push(self.nodes[*place].api().digest()?);
            }
            let digests: BTreeSet<&str> = views.iter().map(|v| v.digest.as_str()).collect();
            match views.first() {
                Some(first) if digests.len() == 1 && views.iter().all(|v| v.converged) => Ok(first.clone()),
                _ => Err(format!("{views:?}")),
            }
        })
    }

    /// Waits until the node at `place` shows `value` as reading `field` of the node at `of`.
    ///
    /// # Panics
    /// After `limit`, with what it shows.
    #[track_caller]
    pub fn wait_reading(&self, place: usize, of: usize, field: &str, value: &serde_json::Value, limit: Duration) {
        let (reader, id) = (&self.nodes[place], self.nodes[of].id.to_string());
        eventually(limit, &format!("{} shows {field} = {value} of {id}", reader.name), || {
            let status = reader.api().status()?;
            let node = status.nodes.iter().find(|n| n.id == id).ok_or("not on the board")?;
            match node.readings.get(field) {
                Some(reading) if reading.value == *value => Ok(()),
                other => Err(format!("{other:?} of {:?}", node.readings.keys())),
            }
        });
    }

    /// Waits until the node at `place` shows request `id`.
    ///
    /// # Panics
    /// After `limit`.
    #[track_caller]
    pub fn wait_request(&self, place: usize, id: &str, limit: Duration) -> RequestView {
        let reader = &self.nodes[place];
        eventually(limit, &format!("{} shows request {id}", reader.name), || reader.api().request(id))
    }

    /// Notes of all requests that the node at `place` shows, sorted; twice where there are two.
    ///
    /// # Panics
    /// If it does not answer.
    #[track_caller]
    #[must_use]
    pub fn notes(&self, place: usize) -> Vec<String> {
        let requests = self.nodes[place].api().requests().expect("requests").requests;
        let mut notes: Vec<String> = requests.into_iter().filter_map(|r| r.note).collect();
        notes.sort();
        notes
    }

    /// Cuts the node at `place` off from all others, on both sides of every link.
    ///
    /// # Panics
    /// If a node refuses.
    #[track_caller]
    pub fn cut_off(&self, place: usize) {
        let alone = self.nodes[place].id;
        for node in &self.nodes {
            let from = if node.id == alone { self.ids().into_iter().filter(|id| *id != alone).collect() } else { vec![alone] };
            node.api().cut(&from).expect("a simulation node obeys a cut");
        }
        for node in &self.nodes {
            let left = if node.id == alone { 0 } else { self.nodes.len() - 2 };
            eventually(SOON, &format!("{} has {left} links", node.name), || {
                let up = node.api().digest()?.neighbours as usize;
                if up <= left { Ok(()) } else { Err(format!("{up} links")) }
            });
        }
    }

    /// Ends all cuts.
    ///
    /// # Panics
    /// If a node refuses.
    #[track_caller]
    pub fn heal(&self) {
        for node in &self.nodes {
            node.api().heal().expect("a simulation node obeys a heal");
        }
    }
}
