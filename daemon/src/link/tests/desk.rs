//! A person's desk against what answers at the address it was given.

use std::path::Path;

use holdfast_proto::control::person::{DeskHello, DeskWelcome};
use holdfast_proto::domain::fact::FactKind;
use holdfast_proto::id::Role;
use holdfast_proto::identity::{
    Alliance, AlliancePlan, ArmorKind, Delegation, DelegationId, FirmPlan, NodePlan, RealmKind, Region, Regions, SecretKey,
    armor, found_alliance,
};
use tempfile::TempDir;

use super::*;
use crate::link::desk::{Desk, KEY_FILE, PAPERS_FILE, counted};
use crate::link::tls;

fn alliance(seed: u8) -> Alliance {
    let nodes = [Role::Hub, Role::Store].map(|role| NodePlan {
        name: format!("a {}", role.text()),
        role,
        region: Region::from_code("TPE").expect("known"),
        tier: 2,
    });
    let firms = vec![FirmPlan { firm: "Example Mart".to_owned(), nodes: nodes.to_vec() }];
    let plan =
        AlliancePlan { seed: [seed; 32], kind: RealmKind::Simulation, roots: 1, k: 1, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).expect("issues")
}

/// What a person's folder holds: its key, and a delegation of the first firm with what proves it.
fn folder(alliance: &Alliance) -> TempDir {
    let person = SecretKey::from_seed([90; 32]);
    let id = DelegationId { issuer: 1, serial: None, number: 1 };
    let delegation = Delegation {
        id,
        version: 1,
        key: person.public(),
        kinds: [FactKind::RequestResource.number()].into_iter().collect(),
        regions: Regions::ALL,
        node: None,
        generation: None,
        not_before: 20_000,
        not_after: 20_010,
        name: "Lin".to_owned(),
        ended: None,
    };
    let mut roster = alliance.roster.clone();
    let envelope = delegation.issue(&roster.realm(), &alliance.issuers[0]).expect("issues");
    roster.offer(&envelope).expect("is the firm's");
    let kinds = [ArmorKind::Charter, ArmorKind::Issuer, ArmorKind::Delegation];
    let papers: String = kinds.into_iter().zip(roster.chain_of_delegation(id)).map(|(kind, bytes)| armor(kind, &bytes)).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    private(&folder.path().join(KEY_FILE), &armor(ArmorKind::PersonKey, &person.seed()));
    private(&folder.path().join(PAPERS_FILE), &papers);
    folder
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("set");
    }
}

/// Answers desks with this key and this chain, as a node does that lets everybody in.
fn answering(secret: &SecretKey, chain: Vec<Bytes>) -> SocketAddr {
    let identity = Identity::new(&secret.seed()).expect("a key");
    let config = identity.server(&tls::Gate::new(identity.key(), None)).expect("a config");
    let quic = quinn::crypto::rustls::QuicServerConfig::try_from(config).expect("has the suites");
    let endpoint = quinn::Endpoint::server(quinn::ServerConfig::with_crypto(Arc::new(quic)), loopback()).expect("binds");
    let address = endpoint.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let Ok(connection) = incoming.await else { continue };
            let Ok((mut send, mut recv)) = connection.accept_bi().await else { continue };
            let hello = counted(&mut recv).await.and_then(|bytes| DeskHello::read(&bytes).ok()).expect("a hello");
            assert!(hello.papers.contains("HOLDFAST DELEGATION") && !hello.papers.contains("KEY"), "{}", hello.papers);
            let json = r#"{"schema":"holdfast.person/1","delegation":"1/1"}"#.to_owned();
            let welcome = DeskWelcome { chain: chain.clone(), json }.to_bytes();
            let length = u32::try_from(welcome.len()).expect("small").to_be_bytes();
            send.write_all(&[&length[..], &welcome].concat()).await.expect("sent");
            send.finish().expect("open");
            connection.closed().await;
        }
    });
    address
}

async fn code(folder: &TempDir, hub: &str) -> String {
    match Desk::open(folder.path(), hub).await {
        Ok(desk) => desk.ready["schema"].as_str().unwrap_or_default().to_owned(),
        Err(why) => why.0["code"].as_str().unwrap_or_default().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_opens_at_a_node_of_the_alliance_and_at_nothing_that_only_shows_its_papers() {
    let (alliance, foreign) = (alliance(7), alliance(8));
    let folder = folder(&alliance);
    let (hub, store) = (&alliance.nodes[0], &alliance.nodes[1]);
    let chain = alliance.roster.chain(hub.node);
    let honest = answering(&hub.secret, chain.clone());
    assert_eq!(code(&folder, &honest.to_string()).await, "holdfast.desk/1");
    // The hub's papers in other hands: a thief of papers, another node of the alliance, and a node of another alliance.
    for secret in [&SecretKey::from_seed([66; 32]), &store.secret, &foreign.nodes[0].secret] {
        let address = answering(secret, chain.clone());
        assert_eq!(code(&folder, &address.to_string()).await, "H-783");
    }
    let elsewhere = answering(&foreign.nodes[0].secret, foreign.roster.chain(foreign.nodes[0].node));
    assert_eq!(code(&folder, &elsewhere.to_string()).await, "H-783");
    let bare = answering(&hub.secret, Vec::new());
    assert_eq!(code(&folder, &bare.to_string()).await, "H-783");
}
