//! A person's own computer: `holdfastd --desk FOLDER --hub ADDRESS`. It holds no node. It proves the person's key to a node, sees that
//! node's chain, and carries the API of it to this computer's loopback for as long as who started it wants.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_loopback::token::Token;
use holdfast_proto::control::person::{DeskHello, DeskWelcome, GREETING_BYTES_MAX};
use holdfast_proto::domain::refusal::{RefusalKind, Words};
use holdfast_proto::identity::{ArmorKind, Block, Roster, SecretKey, dearmor};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, TokioRuntime};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::sync::{meet, setup};
use super::tls::{self, Gate, Identity};
use crate::code::Code;

/// Where a person's key lies in its folder.
pub const KEY_FILE: &str = "person.key";
/// Where its delegation lies.
pub const PAPERS_FILE: &str = "delegation.hf";
/// A node that did not answer by then is not there.
const REACH_MAX: Duration = Duration::from_secs(8);

/// The desk could not be opened: as the command tells it, `holdfast.error/1`.
#[derive(Debug)]
pub struct NoDesk(pub Value);

fn no_desk(code: Code, kind: RefusalKind, what: Words, means: (&str, &str), fix: Words) -> NoDesk {
    NoDesk(json!({
        "schema": "holdfast.error/1", "code": code.to_string(), "kind": kind, "what": what,
        "means": Words { en: means.0.to_owned(), zh: means.1.to_owned() }, "fix": fix,
    }))
}

fn words(en: impl Into<String>, zh: impl Into<String>) -> Words {
    Words { en: en.into(), zh: zh.into() }
}

/// Nothing was sent.
const UNSENT: (&str, &str) = ("Nothing was sent.", "沒有送出任何資料。");

/// An open desk.
#[derive(Debug)]
pub struct Desk {
    connection: Connection,
    endpoint: Endpoint,
    listener: TcpListener,
    /// What the program that started it must know: `holdfast.desk/1`.
    pub ready: Value,
}

impl Desk {
    /// Proves the person to the node at an address, and that node to the person.
    ///
    /// # Errors
    /// [`NoDesk`]; each says what to do.
    pub async fn open(folder: &Path, hub: &str) -> Result<Self, NoDesk> {
        let secret = key(&folder.join(KEY_FILE))?;
        let papers = read(&folder.join(PAPERS_FILE))?;
        let roster = roster(&papers, &folder.join(PAPERS_FILE))?;
        let address = hub.parse::<SocketAddr>().map_err(|_| {
            let what = words(format!("\"{hub}\" is no address."), format!("「{hub}」不是位址。"));
            no_desk(
                Code::DeskAddress,
                RefusalKind::Usage,
                what,
                UNSENT,
                words("Write it as 192.168.1.20:4401.", "請寫成 192.168.1.20:4401。"),
            )
        })?;
        let (endpoint, connection) = reach(&secret, address).await?;
        let unheard = |error: &dyn std::fmt::Display| unreached(&format!("{hub}: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| unheard(&error))?;
        let port = listener.local_addr().map_err(|error| unheard(&error))?.port();
        let token = Token::random().map_err(|error| unheard(&error))?;
        let hello = DeskHello { token: token.reveal().to_owned(), port, papers };
        let said = timeout(REACH_MAX, greet(&connection, &hello)).await.ok().flatten();
        let welcome = said.ok_or_else(|| unheard(&"it hung up or did not answer"))?;
        prove(roster, &welcome, &connection, hub)?;
        let person: Value = serde_json::from_str(&welcome.json).map_err(|error| unheard(&error))?;
        if person.get("schema").and_then(Value::as_str) != Some("holdfast.person/1") {
            return Err(NoDesk(person));
        }
        let ready = json!({
            "schema": "holdfast.desk/1", "api": format!("http://127.0.0.1:{port}"), "token": token.reveal(), "person": person,
        });
        Ok(Self { connection, endpoint, listener, ready })
    }

    /// Carries what this computer's programs ask, until `shutdown` resolves or the node hangs up.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                _ = self.connection.closed() => break,
                came = self.listener.accept() => {
                    let Ok((stream, peer)) = came else { continue };
                    if peer.ip().is_loopback() {
                        tokio::spawn(carry(stream, self.connection.clone()));
                    }
                }
            }
        }
        self.connection.close(quinn::VarInt::from_u32(0), b"");
        drop(timeout(Duration::from_millis(300), self.endpoint.wait_idle()).await);
    }
}

async fn carry(mut stream: tokio::net::TcpStream, connection: Connection) {
    let Ok((send, recv)) = connection.open_bi().await else { return };
    let mut talk = tokio::io::join(recv, send);
    // Either end may hang up at any time.
    drop(tokio::io::copy_bidirectional(&mut stream, &mut talk).await);
}

async fn reach(secret: &SecretKey, address: SocketAddr) -> Result<(Endpoint, Connection), NoDesk> {
    let failed = |error: &dyn std::fmt::Display| unreached(&format!("{address}: {error}"));
    let identity = Identity::new(&secret.seed()).map_err(|error| failed(&error))?;
    let mut client = identity.client(&Gate::new(identity.key(), None)).map_err(|error| failed(&error))?;
    client.alpn_protocols = vec![tls::DESK_ALPN.to_vec()];
    let mut client = ClientConfig::new(Arc::new(QuicClientConfig::try_from(client).map_err(|error| failed(&error))?));
    client.transport_config(Arc::new(setup::transport()));
    let local: SocketAddr = if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(local).map_err(|error| failed(&error))?;
    let endpoint = Endpoint::new(setup::endpoint_config(&secret.seed()), None, socket, Arc::new(TokioRuntime));
    let endpoint = endpoint.map_err(|error| failed(&error))?;
    let connecting = endpoint.connect_with(client, address, tls::SERVER_NAME).map_err(|error| failed(&error))?;
    let met = timeout(REACH_MAX, connecting).await.map_err(|_| failed(&"nobody answers"))?;
    let connection = met.map_err(|error| unreached(&meet::refusal(&error, &address.to_string())))?;
    Ok((endpoint, connection))
}

fn unreached(cause: &str) -> NoDesk {
    let zh = holdfast_proto::peers::in_chinese(cause);
    no_desk(
        Code::DeskUnreached,
        RefusalKind::Unable,
        words(format!("The node could not be reached: {cause}."), format!("無法連上據點：{zh}。")),
        UNSENT,
        words(
            "Check the address: it is [sync] listen of that node's configuration, not its page's. Then try again.",
            "請確認位址：應為該據點設定檔中 [sync] 的 listen，而不是網頁的位址。然後再試一次。",
        ),
    )
}

async fn greet(connection: &Connection, hello: &DeskHello) -> Option<DeskWelcome> {
    let (mut send, mut recv) = connection.open_bi().await.ok()?;
    let bytes = hello.to_bytes();
    send.write_all(&[&u32::try_from(bytes.len()).ok()?.to_be_bytes()[..], &bytes].concat()).await.ok()?;
    send.finish().ok()?;
    DeskWelcome::read(&counted(&mut recv).await?).ok()
}

/// One document after its length.
pub(crate) async fn counted(recv: &mut RecvStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    recv.read_exact(&mut length).await.ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok().filter(|length| *length <= GREETING_BYTES_MAX)?;
    // Grows as bytes come: a length alone reserves nothing.
    let mut document = Vec::new();
    while document.len() < length {
        let chunk = recv.read_chunk(length - document.len(), true).await.ok()??;
        document.extend_from_slice(&chunk.bytes);
    }
    Some(document)
}

/// The other half of mutual authentication: the key at the other end is a node's of the alliance that delegated.
fn prove(mut roster: Roster, welcome: &DeskWelcome, connection: &Connection, hub: &str) -> Result<(), NoDesk> {
    let key = meet::peer_key(connection);
    let proven = key.and_then(|key| roster.admit_chain(&welcome.chain, &key, &mut Vec::new()).ok());
    proven.map(|_| ()).ok_or_else(|| {
        no_desk(
            Code::DeskStranger,
            RefusalKind::Rights,
            words(
                format!("What answers at {hub} is no node of the alliance that delegated to you."),
                format!("{hub} 的據點不屬於授權給您的聯盟。"),
            ),
            ("Nothing but your delegation was shown to it.", "除了您的授權，沒有向它透露任何內容。"),
            words("Check the address.", "請確認位址。"),
        )
    })
}

fn key(path: &Path) -> Result<SecretKey, NoDesk> {
    let text = read(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map(|data| data.permissions().mode()).unwrap_or(0);
        if mode & 0o077 != 0 {
            let shown = path.display();
            return Err(no_desk(
                Code::DeskKeyOpen,
                RefusalKind::Rights,
                words(format!("Others may read your key {shown}."), format!("其他使用者可讀取您的金鑰 {shown}。")),
                UNSENT,
                words(
                    format!("If nobody can have copied it: chmod 600 {shown}. Otherwise have the delegation taken away."),
                    format!("若確定無人複製過，請執行 chmod 600 {shown}；否則請申請收回授權。"),
                ),
            ));
        }
    }
    let block = blocks(&text).into_iter().find(|block| block.kind == ArmorKind::PersonKey);
    let seed = block.and_then(|block| <[u8; 32]>::try_from(block.bytes.as_ref()).ok());
    seed.map(SecretKey::from_seed).ok_or_else(|| unusable(path))
}

fn roster(papers: &str, path: &Path) -> Result<Roster, NoDesk> {
    let blocks = blocks(papers);
    let charter = blocks.iter().find(|block| block.kind == ArmorKind::Charter).ok_or_else(|| unusable(path))?;
    Roster::new(&charter.bytes).map_err(|_| unusable(path))
}

fn blocks(text: &str) -> Vec<Block> {
    dearmor(text).unwrap_or_default()
}

fn read(path: &Path) -> Result<String, NoDesk> {
    std::fs::read_to_string(path).map_err(|error| {
        let shown = PathBuf::from(path).display().to_string();
        no_desk(
            Code::DeskUnreadable,
            RefusalKind::NotFound,
            words(format!("{shown} can't be read: {error}."), format!("無法讀取 {shown}：系統訊息「{error}」。")),
            UNSENT,
            words(
                "The folder named with --as holds person.key, made here with `holdfast person`, and delegation.hf, which your firm made.",
                "--as 指定的資料夾應有 person.key（在此電腦以 `holdfast person` 產生）與公司核發的 delegation.hf。",
            ),
        )
    })
}

fn unusable(path: &Path) -> NoDesk {
    let shown = path.display();
    no_desk(
        Code::DeskUnusable,
        RefusalKind::Usage,
        words(format!("{shown} does not hold what it should."), format!("{shown} 的內容不正確。")),
        UNSENT,
        words("Copy the file again as it was made.", "請重新複製原始檔案。"),
    )
}
