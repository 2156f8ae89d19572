//! `holdfast join`: a fresh PC becomes a node. Its key is made here and stays here; whatever breaks, the same command goes on.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_proto::id::NodeId;
use holdfast_proto::identity::enrol::DOCUMENT_BYTES_MAX;
use holdfast_proto::identity::enrol::{Ask, Code, Offer, Talk, Welcome, roster_of, words_of};
use holdfast_proto::identity::{PublicKey, RealmKind, Roster, SecretKey};
use serde_json::json;

use super::{called, faults, three, wire};
use crate::alliance::held::{ALLIANCE_FILE, Held, read_own_key};
use crate::alliance::revoke;
use crate::args::JoinArgs;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::target::Wish;
use crate::text::clean;

/// How long the people at the other end may take to compare the words.
const PEOPLE_MAX: Duration = Duration::from_secs(900);
/// How long a host may take that asks nobody.
const HOST_MAX: Duration = Duration::from_secs(20);

/// The files of a node, in one folder.
pub(crate) struct Place {
    dir: PathBuf,
}

impl Place {
    /// The folder that a command names, `holdfast` here where it names none.
    ///
    /// # Errors
    /// There can be none of that name.
    pub(crate) fn of(wish: &Wish) -> Result<Self, Failure> {
        let dir = wish.dir.clone().unwrap_or_else(|| PathBuf::from("holdfast"));
        let dir = std::path::absolute(&dir).map_err(|error| Failure::file("H-862", ("use", "使用"), &dir, &error))?;
        Ok(Self { dir })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.join("node.key")
    }

    fn alliance(&self) -> PathBuf {
        self.dir.join(ALLIANCE_FILE)
    }

    fn config(&self) -> PathBuf {
        self.dir.join("holdfast.toml")
    }
}

/// `join`.
///
/// # Errors
/// The code is none, nobody answers to it, or whoever does lets this PC not in; each says what to do.
pub(crate) fn join(desk: &mut Desk<'_>, wish: &Wish, args: &JoinArgs) -> Result<Exit, Failure> {
    let (code, told) = code_of(&args.code)?;
    let place = Place::of(wish)?;
    let before = joined_before(&place)?;
    files::private_folder(&place.dir)?;
    let secret = own_key(&place)?;
    let key = code.key();
    let address = match args.at.or(told) {
        Some(address) => address,
        None => {
            desk.note("Looking for whoever gave the code ...", "正在尋找發碼的人……");
            match wire::find(key.name()) {
                Some(address) => address,
                // Joined is joined, whether the host still waits or not.
                None if before.is_some() => return Ok(say_where(desk, &place, before.as_ref())),
                None => return Err(faults::nobody()),
            }
        }
    };
    let dialled = TcpStream::connect_timeout(&address, wire::DIAL_MAX);
    let mut stream = match dialled {
        Ok(stream) => stream,
        Err(_) if before.is_some() => return Ok(say_where(desk, &place, before.as_ref())),
        Err(error) => return Err(faults::unreachable(address, &error)),
    };
    let mut talk = Talk::new(key);
    let nonce = files::random()?[..16].try_into().unwrap_or([0; 16]);
    let ask = Ask { name: key.name(), key: secret.public(), nonce };
    say(&mut stream, &talk.ask(ask.key, ask.nonce))?;
    let offer = talk.offered(&hear(&mut stream, HOST_MAX)?).map_err(faults::broken)?;
    let roster = roster_of(&offer.objects).map_err(faults::unsound)?;
    // Before anybody signs: the key of a member under a second name would void both.
    let member = before.as_ref().and_then(|before| before.node_of_key(&secret.public())).filter(|(node, _)| !node.is_guest());
    if member.is_some_and(|(node, _)| node != offer.node) {
        return Err(faults::somebody_already(&place.dir));
    }
    compare(desk, &roster, &ask, &offer, args.yes)?;
    say(&mut stream, &talk.same())?;
    if !args.yes {
        desk.note("Waiting until they say so too ...", "等候對方也確認……");
    }
    let welcome = talk.welcomed(&hear(&mut stream, PEOPLE_MAX)?).map_err(faults::broken)?;
    let roster = welcomed(roster, &offer, &welcome, secret.public())?;
    settle(&place, &roster, &welcome.peers, welcome.home_hub)?;
    hand_over_paper(desk, &mut stream, &mut talk, &roster, &offer, &secret);
    Ok(say_where(desk, &place, Some(&roster)))
}

/// A code as typed, or as a QR says it with the address.
fn code_of(typed: &str) -> Result<(Code, Option<SocketAddr>), Failure> {
    let bare = typed.trim();
    let bare = bare.get(..9).filter(|head| head.eq_ignore_ascii_case("HOLDFAST:")).map_or(bare, |_| &bare[9..]);
    let (code, address) = bare.split_once('/').map_or((bare, None), |(code, address)| (code, address.parse().ok()));
    code.parse().map(|code| (code, address)).map_err(|why| faults::not_a_code(&clean(code), why))
}

/// The roster of a PC that has joined already.
pub(crate) fn joined_before(place: &Place) -> Result<Option<Roster>, Failure> {
    if !place.alliance().exists() {
        return Ok(None);
    }
    let key = place.key().exists().then(|| read_own_key(&place.key())).transpose()?;
    let held = Held::read(&place.alliance())?;
    let own = key.and_then(|key| held.roster.node_of_key(&key.public()));
    own.map(|_| Some(held.roster)).ok_or_else(|| faults::somebody_already(&place.dir))
}

/// The key of this PC: made once, for every try.
pub(crate) fn own_key(place: &Place) -> Result<SecretKey, Failure> {
    if place.key().exists() {
        return read_own_key(&place.key());
    }
    let key = files::new_key()?;
    files::own_key(&place.key(), &key)?;
    Ok(key)
}

/// Shows who invites, and asks whether the words are the same.
fn compare(desk: &mut Desk<'_>, roster: &Roster, ask: &Ask, offer: &Offer, yes: bool) -> Result<(), Failure> {
    let issuer = roster.issuer(offer.node.issuer).map(|issuer| issuer.key);
    let deputy = roster.deputies().next().map(|deputy| deputy.key);
    let giver = deputy.or(issuer).ok_or_else(|| faults::unsound(holdfast_proto::identity::Rejected::UnknownIssuer))?;
    let words = three(&words_of(&roster.realm(), ask, &giver, offer));
    let (alliance, name) = (called(roster, desk.lang), clean(&offer.called));
    let (node, region) = (offer.node, offer.region);
    let role = crate::words::word(offer.role.text(), desk.lang);
    let lines = desk.lang.of(
        [
            format!("Found:      {alliance}"),
            format!("This PC:    {node} {name} ({role}, {})", region.en()),
            format!("Words:      {words}"),
        ],
        [
            format!("找到聯盟：{alliance}"),
            format!("本據點是：{node} {name}（{role}，{}）", region.zh()),
            format!("指紋詞　：{words}"),
        ],
    );
    if !desk.json {
        desk.say_all(lines);
    }
    let same = yes
        || desk.agrees(
            "Compare the three words with whoever gave the code. Are they the same?",
            "請和發碼的人核對這三個詞。一樣嗎？",
        );
    if same { Ok(()) } else { Err(faults::not_the_same()) }
}

/// Takes the certificate in as every node would; it must be for this PC's key and the node that was offered.
fn welcomed(mut roster: Roster, offer: &Offer, welcome: &Welcome, key: PublicKey) -> Result<Roster, Failure> {
    if let Some((_, why)) = roster.offer_all(&welcome.objects).refused.first() {
        return Err(faults::unsound(*why));
    }
    let own = roster.current(offer.node).is_some_and(|certificate| certificate.key == key);
    if own { Ok(roster) } else { Err(faults::of_another()) }
}

/// Keeps the papers and a configuration; one that is there stays as it is.
pub(crate) fn settle(place: &Place, roster: &Roster, peers: &[String], home_hub: Option<NodeId>) -> Result<(), Failure> {
    let held = Held { path: place.alliance(), roster: roster.clone() };
    if !place.config().exists() {
        files::replace(&place.config(), &config(roster.kind(), peers, home_hub))?;
    }
    held.write()
}

/// Ports of a daemon: API, sync, gossip. A drill runs beside the actual alliance on the same PC, so it has its own.
fn ports(kind: RealmKind) -> [u16; 3] {
    match kind {
        RealmKind::Actual => [8_787, 4_401, 4_501],
        RealmKind::Exercise => [8_797, 4_411, 4_511],
        RealmKind::Simulation => [8_807, 4_421, 4_521],
    }
}

/// The daemon's configuration: all of it beside the key, and neighbours as they were told.
fn config(kind: RealmKind, peers: &[String], home_hub: Option<NodeId>) -> String {
    let [api, sync, gossip] = ports(kind);
    let peers: Vec<String> = peers.iter().map(|peer| format!("\"{peer}\"")).collect();
    let hub = home_hub.map_or_else(String::new, |hub| format!("home_hub = \"{hub}\"\n"));
    format!(
        "# Written when this PC joined; configs/store.toml explains every key. Relative paths are relative to this file.\n\
         [node]\ndata_dir = \"data\"\nkey_file = \"node.key\"\nalliance_file = \"{ALLIANCE_FILE}\"\nstamp_file = \"continuity.stamp\"\n{hub}\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\ntoken_file = \"api.token\"\n\n\
         [sync]\nenabled = true\nlisten = \"0.0.0.0:{sync}\"\npeers = [{}]\nadvertise = []\n\n\
         [gossip]\nenabled = true\nlisten = \"0.0.0.0:{gossip}\"\nmdns = true\npeers = []\n\n\
         [log]\nformat = \"text\"\nfilter = \"info\"\n",
        peers.join(", ")
    )
}

/// The paper that ends this key goes to whoever keeps papers, and does not stay here.
fn hand_over_paper(
    desk: &mut Desk<'_>,
    stream: &mut TcpStream,
    talk: &mut Talk,
    roster: &Roster,
    offer: &Offer,
    secret: &SecretKey,
) {
    let generation = roster.current(offer.node).map(|certificate| certificate.generation);
    let paper = generation.and_then(|generation| revoke::paper_of(roster, offer.node, generation, secret).ok());
    let sent = paper.is_some_and(|paper| say(stream, &talk.done(&paper)).is_ok());
    if !sent {
        desk.note(
            "This PC has joined, but could not hand over the paper of its key: run the same command again while they wait.",
            "這台電腦已加入，但未能交出金鑰紙本：請在對方等候時再執行一次相同的指令。",
        );
    }
}

pub(crate) fn say_where(desk: &mut Desk<'_>, place: &Place, roster: Option<&Roster>) -> Exit {
    let key = read_own_key(&place.key()).ok();
    let own = roster.and_then(|roster| key.and_then(|key| roster.node_of_key(&key.public())));
    let name = own.and_then(|(node, _)| roster.and_then(|roster| roster.current(node))).map(|node| clean(&node.name));
    let (node, name) = (own.map(|(node, _)| node.to_string()).unwrap_or_default(), name.unwrap_or_default());
    let config = place.config().display().to_string();
    if desk.json {
        desk.object(&json!({"schema": "holdfast.join/1", "id": node, "name": name, "dir": place.dir, "config": config}));
        return Exit::Done;
    }
    let lines = desk.lang.of(
        [format!("This PC is {node} {name}."), format!("Start it:  holdfastd --config {config}")],
        [format!("這台電腦是 {node} {name}。"), format!("啟動：holdfastd --config {config}")],
    );
    desk.say_all(lines);
    Exit::Done
}

fn say(stream: &mut TcpStream, document: &[u8]) -> Result<(), Failure> {
    let sent = stream.set_write_timeout(Some(HOST_MAX)).and_then(|()| wire::write(stream, document));
    sent.map_err(|error| faults::interrupted(&error))
}

fn hear(stream: &mut TcpStream, limit: Duration) -> Result<Vec<u8>, Failure> {
    let heard = stream.set_read_timeout(Some(limit)).and_then(|()| wire::read(stream, DOCUMENT_BYTES_MAX));
    heard.map_err(|error| faults::interrupted(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_and_the_actual_alliance_on_one_pc_are_given_no_port_in_common() {
        let kinds = [RealmKind::Actual, RealmKind::Exercise, RealmKind::Simulation];
        let all: std::collections::BTreeSet<u16> = kinds.into_iter().flat_map(ports).collect();
        assert_eq!(all.len(), 9);
    }

    #[test]
    fn a_code_is_taken_bare_and_as_a_qr_says_it() {
        let code: Code = "7Q4K-M2X2".parse().expect("a code");
        for (typed, address) in [
            ("7q4k m2x2", None),
            ("HOLDFAST:7Q4K-M2X2", None),
            ("holdfast:7Q4K-M2X2/192.0.2.7:4402", Some("192.0.2.7:4402".parse().expect("an address"))),
        ] {
            assert_eq!(code_of(typed).expect("taken"), (code, address), "{typed}");
        }
        assert!(code_of("").is_err() && code_of("HOLDFAST:").is_err() && code_of("加入碼加入碼加入").is_err());
    }
}
