//! The links against real sockets on loopback: what the core may rely on. Every wait has a limit and a condition.

mod desk;
mod gossip;
mod lobby;
mod sync;

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::tls::Identity;
use super::*;

/// Longer than any of these waits takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
/// Long enough that what could still come has come.
const QUIET: Duration = Duration::from_millis(400);

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn seed(n: u8) -> [u8; 32] {
    [n; 32]
}

fn key(n: u8) -> PublicKey {
    Identity::new(&seed(n)).expect("a key").key()
}

fn sync_only() -> LinkSettings {
    LinkSettings { sync: Some(SyncSettings::new(loopback())), gossip: None, radio: None }
}

/// Links with the credit they granted.
struct End {
    links: Links,
    credit: BTreeMap<LinkId, usize>,
    /// Frames that came while something else was awaited.
    inbox: VecDeque<Bytes>,
}

impl End {
    async fn open(n: u8, settings: LinkSettings, admitted: &[u8]) -> Self {
        let mut links = Links::spawn(settings, &seed(n)).await.expect("loopback can be bound");
        let members: Vec<PublicKey> = admitted.iter().map(|n| key(*n)).collect();
        let denied = others(&members);
        links.admit(members, denied);
        Self { links, credit: BTreeMap::new(), inbox: VecDeque::new() }
    }

    /// Like [`Self::open`] on an address that a closed socket may hold for a moment longer.
    async fn reopen(n: u8, settings: LinkSettings, admitted: &[u8]) -> Self {
        let until = Instant::now() + LIMIT;
        loop {
            match Links::spawn(settings.clone(), &seed(n)).await {
                Ok(mut links) => {
                    let members: Vec<PublicKey> = admitted.iter().map(|n| key(*n)).collect();
                    let denied = others(&members);
                    links.admit(members, denied);
                    return Self { links, credit: BTreeMap::new(), inbox: VecDeque::new() };
                }
                Err(LinkError::Listen { cause, .. }) if Instant::now() < until => {
                    assert!(cause.contains("in use"), "{cause}");
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn address(&self) -> String {
        self.links.sync_address().expect("sync is on").to_string()
    }

    async fn next(&mut self) -> Input {
        let input = timeout(LIMIT, self.links.next()).await.expect("something happens within the limit");
        self.note(&input);
        input
    }

    fn note(&mut self, input: &Input) {
        if let Input::Writable { link, room } = input {
            self.credit.insert(*link, usize::try_from(*room).expect("small"));
        }
        if let Input::Received { frame, .. } = input {
            self.inbox.push_back(frame.clone());
        }
    }

    async fn wait<T>(&mut self, mut wanted: impl FnMut(&Input) -> Option<T>) -> T {
        let until = Instant::now() + LIMIT;
        loop {
            let input = self.next().await;
            if let Some(found) = wanted(&input) {
                return found;
            }
            assert!(Instant::now() < until, "the awaited input did not come; last was {input:?}");
        }
    }

    async fn up(&mut self) -> (LinkId, LinkProfile) {
        self.wait(|input| match input {
            Input::LinkUp { link, profile } => Some((*link, profile.clone())),
            _ => None,
        })
        .await
    }

    async fn down(&mut self) -> (LinkId, String) {
        self.wait(|input| match input {
            Input::LinkDown { link, cause } => Some((*link, cause.clone())),
            _ => None,
        })
        .await
    }

    async fn failed(&mut self) -> String {
        self.wait(|input| match input {
            Input::DialFailed { cause, .. } => Some(cause.clone()),
            _ => None,
        })
        .await
    }

    async fn frame(&mut self) -> Bytes {
        while self.inbox.is_empty() {
            self.next().await;
        }
        self.inbox.pop_front().expect("not empty")
    }

    async fn audible(&mut self, who: &[u8]) {
        let mut wanted: Vec<PublicKey> = who.iter().map(|n| key(*n)).collect();
        wanted.sort();
        self.wait(|input| matches!(input, Input::Audible { keys, .. } if *keys == wanted).then_some(())).await;
    }

    /// Sends if the credit allows.
    fn send(&mut self, link: LinkId, frame: &Bytes) -> bool {
        let Some(credit) = self.credit.get_mut(&link).filter(|credit| **credit >= frame.len()) else { return false };
        *credit -= frame.len();
        self.links.transmit(link, frame.clone());
        true
    }

    /// Sends, waiting for credit.
    async fn send_all(&mut self, link: LinkId, frames: &[Bytes]) {
        for frame in frames {
            while !self.send(link, frame) {
                self.next().await;
            }
        }
    }
}

/// Two ends that met, and their links.
async fn pair(a: u8, b: u8) -> (End, LinkId, End, LinkId) {
    let mut left = End::open(a, sync_only(), &[a, b]).await;
    let mut right = End::open(b, sync_only(), &[a, b]).await;
    let address = right.address();
    left.links.dial(address.clone());
    let (here, profile) = left.up().await;
    assert_eq!(profile.peer, Some(key(b)));
    assert_eq!(profile.dialled, Some(address));
    let (there, profile) = right.up().await;
    assert_eq!(profile.peer, Some(key(a)));
    assert_eq!(profile.dialled, None);
    assert!(profile.reliable && !profile.broadcast && profile.mtu == 65_536);
    (left, here, right, there)
}

fn numbered(n: u32, len: usize) -> Bytes {
    let mut frame = n.to_be_bytes().to_vec();
    frame.resize(len.max(4), 0);
    Bytes::from(frame)
}

/// Everybody the tests know who is not among `members`.
fn others(members: &[PublicKey]) -> Vec<PublicKey> {
    (1..=9).map(key).filter(|known| !members.contains(known)).collect()
}
