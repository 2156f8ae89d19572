//! The host: waits for PCs, compares words with its people, certifies. One thread for each line only carries documents; all that is
//! decided is decided here, one after the other.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use holdfast_proto::identity::enrol::{Ask, Broken, Offer, Refused, Talk, Welcome, invitation_of, words_of};
use holdfast_proto::identity::{Offered, PublicKey};
use jiff::Timestamp;
use serde_json::json;

use super::invitation::Invitation;
use super::{faults, three, wire};
use crate::alliance::certify::{giver, today};
use crate::alliance::held::Held;
use crate::alliance::{revoke, tell_of_the_clock};
use crate::args::HostArgs;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::text::clean;

/// Lines open at once. A store's network has a handful of fresh PCs.
const LINES_MAX: usize = 32;
/// Who has not said a first document by then is hung up on. trust.md T17.
const FIRST_MAX: Duration = Duration::from_secs(5);
/// Largest first document: a name, a key, a nonce, a seal.
const FIRST_BYTES_MAX: usize = 256;
/// How long people may compare words.
const PEOPLE_MAX: Duration = Duration::from_secs(900);
/// How long a line that was refused is kept open: who guesses codes waits so long for each.
const PENALTY: Duration = Duration::from_secs(1);
/// How often the end of codes is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What a line says to the host.
enum Heard {
    Opened(u64, TcpStream),
    Said(u64, Vec<u8>),
    Closed(u64),
}

/// One PC on a line.
struct Guest {
    stream: TcpStream,
    talk: Option<(Talk, usize)>,
    stage: Stage,
}

enum Stage {
    Nobody,
    Offered(Ask),
    Welcomed,
}

/// What came of one invitation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Joined,
    /// Its time is over: a PC has the certificate and did not say so, or nobody came.
    Over,
}

/// A host that waits.
pub(super) struct Host<'a, 'b> {
    desk: &'a mut Desk<'b>,
    dir: &'a Path,
    held: Held,
    invitations: Vec<(Invitation, Fate)>,
    guests: BTreeMap<u64, Guest>,
    yes: bool,
}

/// The sockets of a host.
pub(super) struct Doors {
    lines: TcpListener,
    questions: Option<UdpSocket>,
}

impl Doors {
    /// Opens them.
    ///
    /// # Errors
    /// The place is taken or not this computer's.
    pub(super) fn open(args: &HostArgs) -> Result<Self, Failure> {
        let lines = TcpListener::bind(args.listen).map_err(|error| faults::listen(args.listen, &error))?;
        // Without it PCs must be told the address.
        let questions = UdpSocket::bind(args.listen).ok();
        Ok(Self { lines, questions })
    }

    /// Where PCs reach it.
    pub(super) fn address(&self, args: &HostArgs) -> Option<SocketAddr> {
        let port = self.lines.local_addr().map_or(args.listen.port(), |address| address.port());
        let ip = if args.listen.ip().is_unspecified() { wire::own_address() } else { Some(args.listen.ip()) };
        args.address.or_else(|| ip.map(|ip| SocketAddr::new(ip, port)))
    }
}

impl<'a, 'b> Host<'a, 'b> {
    pub(super) fn new(desk: &'a mut Desk<'b>, dir: &'a Path, held: Held, invitations: Vec<Invitation>, yes: bool) -> Self {
        let invitations = invitations.into_iter().map(|invitation| (invitation, Fate::Open)).collect();
        Self { desk, dir, held, invitations, guests: BTreeMap::new(), yes }
    }

    /// Waits until each invitation was used or is over.
    ///
    /// # Errors
    /// The time of one is over and nobody came.
    pub(super) fn wait(mut self, doors: Doors) -> Result<(), Failure> {
        let (tx, heard) = sync_channel(LINES_MAX);
        let names: Vec<[u8; 8]> = self.invitations.iter().map(|(invitation, _)| invitation.key.name()).collect();
        answer_questions(&doors, names);
        open_lines(doors.lines, tx);
        self.turn(&heard);
        let nobody = self.invitations.iter().find(|(invitation, fate)| *fate == Fate::Over && invitation.given.is_none());
        nobody.map_or(Ok(()), |(invitation, _)| Err(faults::nobody_came(&clean(&invitation.who()))))
    }

    fn turn(&mut self, heard: &Receiver<Heard>) {
        while self.look_at_the_time() && self.desk.is_heard() {
            match heard.recv_timeout(LOOK) {
                Ok(Heard::Opened(line, stream)) => {
                    drop(self.guests.insert(line, Guest { stream, talk: None, stage: Stage::Nobody }))
                }
                Ok(Heard::Closed(line)) => drop(self.guests.remove(&line)),
                Ok(Heard::Said(line, document)) => {
                    if let Some(mut guest) = self.guests.remove(&line) {
                        match self.said(&mut guest, &document) {
                            Ok(true) => drop(self.guests.insert(line, guest)),
                            Ok(false) => {}
                            // Whoever guesses learns only that it was wrong; the line ends a little later.
                            Err(why) => drop(wire::write(&mut guest.stream, &why.document())),
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Ends what is over; whether anything is still open.
    fn look_at_the_time(&mut self) -> bool {
        let now = Timestamp::now().as_second();
        for (invitation, fate) in &mut self.invitations {
            if *fate == Fate::Open && invitation.until <= now {
                *fate = Fate::Over;
                invitation.forget();
                if invitation.given.is_some() {
                    let who = clean(&invitation.who());
                    self.desk.note(
                        &format!(
                            "{who} has its certificate; it has not said that it kept it. If it asks again, invite it again."
                        ),
                        &format!("{who} 已拿到憑證，但尚未回覆已保存。若它再次詢問，請重新邀請。"),
                    );
                }
            }
        }
        self.invitations.iter().any(|(_, fate)| *fate == Fate::Open)
    }

    /// Takes the next document of a PC; whether its line goes on.
    fn said(&mut self, guest: &mut Guest, document: &[u8]) -> Result<bool, Refused> {
        let malformed = |_: Broken| Refused::Malformed;
        match std::mem::replace(&mut guest.stage, Stage::Nobody) {
            Stage::Nobody => {
                let (mut talk, place, ask) = self.asked(document)?;
                let offer = self.offer(place)?;
                self.tell_of_guest(place, &ask, &offer)?;
                let document = talk.offer(&offer);
                guest.talk = Some((talk, place));
                guest.stage = Stage::Offered(ask);
                Ok(wire::write(&mut guest.stream, &document).is_ok())
            }
            Stage::Offered(ask) => {
                let (mut talk, place) = guest.talk.take().ok_or(Refused::Malformed)?;
                talk.is_same(document).map_err(malformed)?;
                let welcome = self.certify(place, &ask)?;
                let document = talk.welcome(&welcome);
                guest.talk = Some((talk, place));
                guest.stage = Stage::Welcomed;
                Ok(wire::write(&mut guest.stream, &document).is_ok())
            }
            Stage::Welcomed => {
                let (mut talk, place) = guest.talk.take().ok_or(Refused::Malformed)?;
                let paper = talk.is_done(document).map_err(malformed)?;
                self.joined(place, &paper);
                Ok(false)
            }
        }
    }

    /// Who asks, with which invitation.
    fn asked(&mut self, document: &[u8]) -> Result<(Talk, usize, Ask), Refused> {
        let name = invitation_of(document).ok_or(Refused::Malformed)?;
        let place = self.invitations.iter().position(|(invitation, _)| invitation.key.name() == name).ok_or(Refused::Unknown)?;
        let mut talk = Talk::new(self.invitations[place].0.key);
        let ask = talk.asked(document).map_err(|_| Refused::Unknown)?;
        let (invitation, fate) = &self.invitations[place];
        let owner = self.held.roster.owner_of_key(&ask.key).filter(|(node, _)| !node.is_guest());
        if let Some((other, _)) = owner.filter(|(node, _)| *node != invitation.draft.node) {
            self.desk.note(
                &format!("The PC that asks is {other} already: it was not let in. Let it join in another folder: --dir DIR."),
                &format!("來詢問的電腦已是 {other}，未讓它加入。請讓它用另一個資料夾加入：--dir 資料夾。"),
            );
            return Err(Refused::Unable);
        }
        match (fate, invitation.given) {
            (_, Some(given)) if given != ask.key => {
                let who = clean(&invitation.who());
                self.desk.note(
                    &format!(
                        "Another PC asked with the code of {who}, which was used. If the one that joined is not yours, revoke it."
                    ),
                    &format!("另一台電腦用了 {who} 已使用過的加入碼。若已加入的不是您的電腦，請撤銷它。"),
                );
                Err(Refused::Used)
            }
            (Fate::Over, None) => Err(Refused::Expired),
            (Fate::Open | Fate::Joined | Fate::Over, _) => Ok((talk, place, ask)),
        }
    }

    fn offer(&mut self, place: usize) -> Result<Offer, Refused> {
        let draft = &self.invitations[place].0.draft;
        Ok(Offer {
            objects: self.held.roster.givers(draft.node.issuer, draft.giver),
            node: draft.node,
            called: draft.name.clone(),
            role: draft.role,
            region: draft.region,
            nonce: files::random().map_err(|failure| self.unable(&failure))?[..16].try_into().map_err(|_| Refused::Unable)?,
        })
    }

    /// The key that signs for an invitation.
    fn signer(&self, place: usize) -> Option<PublicKey> {
        let draft = &self.invitations[place].0.draft;
        let roster = &self.held.roster;
        match draft.giver {
            0 => roster.issuer(draft.node.issuer).map(|issuer| issuer.key),
            giver => roster.deputy(draft.node.issuer, giver).map(|deputy| deputy.key),
        }
    }

    fn tell_of_guest(&mut self, place: usize, ask: &Ask, offer: &Offer) -> Result<(), Refused> {
        let words = words_of(&self.held.roster.realm(), ask, &self.signer(place).ok_or(Refused::Unable)?, offer);
        let who = clean(&self.invitations[place].0.who());
        let line = self.desk.lang.of(
            format!("A PC asks to be {who}. Words: {}", three(&words)),
            format!("有一台電腦要加入為 {who}。指紋詞：{}", three(&words)),
        );
        if self.desk.json {
            let words: Vec<&str> = words.iter().map(|word| word.en).collect();
            self.desk.object(&json!({"schema": "holdfast.guest/1", "id": offer.node.to_string(), "words": words}));
        } else {
            self.desk.say(&line);
        }
        Ok(())
    }

    /// Asks the people here, signs, and keeps what was signed before it is handed out.
    fn certify(&mut self, place: usize, ask: &Ask) -> Result<Welcome, Refused> {
        if self.invitations[place].0.given.is_none() {
            let who = clean(&self.invitations[place].0.who());
            let same = self.yes
                || self.desk.agrees(
                    &format!("{who}: they say the words are the same there. Are they?"),
                    &format!("{who}：對方表示指紋詞一樣。一樣嗎？"),
                );
            if !same {
                return Err(Refused::NotTheSame);
            }
            self.sign(place, ask.key).map_err(|failure| self.unable(&failure))?;
        }
        let invitation = &self.invitations[place].0;
        let (peers, home_hub) = (invitation.peers.clone(), invitation.home_hub);
        Ok(Welcome { objects: self.held.roster.chain(invitation.draft.node), peers, home_hub })
    }

    fn sign(&mut self, place: usize, key: PublicKey) -> Result<(), Failure> {
        // Another window may have certified meanwhile.
        self.held = Held::read(&self.held.path)?;
        let invitation = &mut self.invitations[place].0;
        let signer = giver(self.dir, invitation.draft.node.issuer, invitation.draft.giver)?;
        let (today, known) = today(self.desk.now());
        let _envelope = invitation.draft.certify(&mut self.held, key, &signer, today)?;
        self.held.write()?;
        invitation.give(key)?;
        tell_of_the_clock(self.desk, known);
        Ok(())
    }

    fn unable(&mut self, failure: &Failure) -> Refused {
        self.desk.fail(failure);
        Refused::Unable
    }

    /// A PC has kept its certificate and hands over the paper of its key.
    fn joined(&mut self, place: usize, paper: &[u8]) {
        let node = self.invitations[place].0.draft.node;
        let generation = self.held.roster.highest_generation(node);
        let mut tried = self.held.roster.clone();
        let good =
            tried.offer(paper) == Ok(Offered::New) && generation.is_some_and(|generation| tried.is_revoked(node, generation));
        let kept = generation.filter(|_| good).map(|generation| {
            // The same paper again, of a PC that asked twice, is there already.
            let path = revoke::paper_file(self.dir, node, generation);
            if path.exists() { Ok(path) } else { revoke::keep_paper(self.dir, node, generation, paper) }
        });
        let (invitation, fate) = &mut self.invitations[place];
        *fate = Fate::Joined;
        invitation.forget();
        let who = clean(&invitation.who());
        if self.desk.json {
            self.desk.object(&json!({"schema": "holdfast.joined/1", "id": node.to_string(), "paper": kept.as_ref().and_then(|kept| kept.as_ref().ok())}));
        } else {
            let line = self.desk.lang.of(format!("{who} has joined."), format!("{who} 已加入。"));
            self.desk.say(&line);
        }
        match kept {
            Some(Ok(path)) => {
                let path = path.display();
                self.desk.note(
                    &format!("The paper of its key: {path}. Print it and keep it with the firm."),
                    &format!("它的金鑰紙本：{path}。請列印並由公司保管。"),
                );
            }
            Some(Err(failure)) => self.desk.fail(&failure),
            None => self.desk.note("It handed over no paper of its key.", "它沒有交出金鑰紙本。"),
        }
    }
}

/// Answers on the local network that these codes were given out here.
fn answer_questions(doors: &Doors, names: Vec<[u8; 8]>) {
    let port = doors.lines.local_addr().map_or(0, |address| address.port());
    let Some(socket) = doors.questions.as_ref().and_then(|socket| socket.try_clone().ok()) else { return };
    std::thread::spawn(move || {
        let mut packet = [0; 64];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            if let Some(name) = packet.get(..length).and_then(wire::asked).filter(|name| names.contains(name)) {
                // Whoever asked asks again.
                let _sent = socket.send_to(&wire::here(name, port), from);
            }
        }
    });
}

/// Takes lines and carries what comes over them.
fn open_lines(listener: TcpListener, tx: SyncSender<Heard>) {
    let open = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for (line, stream) in (0..).zip(listener.incoming()) {
            let Ok(stream) = stream else { continue };
            if open.load(Ordering::SeqCst) >= LINES_MAX {
                continue;
            }
            open.fetch_add(1, Ordering::SeqCst);
            let (tx, open) = (tx.clone(), Arc::clone(&open));
            std::thread::spawn(move || {
                carry(line, stream, &tx);
                std::thread::sleep(PENALTY);
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
}

fn carry(line: u64, mut stream: TcpStream, tx: &SyncSender<Heard>) {
    let Ok(answers) = stream.try_clone() else { return };
    let limits = stream.set_read_timeout(Some(FIRST_MAX)).and_then(|()| stream.set_write_timeout(Some(FIRST_MAX)));
    let Ok(first) = limits.and_then(|()| wire::read(&mut stream, FIRST_BYTES_MAX)) else { return };
    let said = |document| tx.send(Heard::Said(line, document)).is_ok();
    if tx.send(Heard::Opened(line, answers)).is_err() || !said(first) || stream.set_read_timeout(Some(PEOPLE_MAX)).is_err() {
        return;
    }
    while let Ok(document) = wire::read(&mut stream, holdfast_proto::identity::enrol::DOCUMENT_BYTES_MAX) {
        if !said(document) {
            return;
        }
    }
    // Nobody is left to tell where the host has ended.
    drop(tx.send(Heard::Closed(line)));
}
