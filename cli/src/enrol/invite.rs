//! `holdfast invite` and `replace`: make a code, show it, wait.

use std::path::Path;

use holdfast_proto::id::NodeId;
use holdfast_proto::identity::Offered;
use holdfast_proto::identity::enrol::ADDRESSES_MAX;
use holdfast_proto::time::UtcMillis;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use super::host::{Doors, Host};
use super::invitation::Invitation;
use super::{called, faults};
use crate::alliance::certify::{Draft, capabilities, giver, node_id, region, role};
use crate::alliance::held::{ALLIANCE_FILE, Held, blocks};
use crate::alliance::{certified_already, faults as papers, needed, revoke};
use crate::args::{CodeArgs, HostArgs, InviteArgs, ReplaceArgs, Revoke};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::target::Wish;
use crate::text::clean;
use crate::when;

/// `invite`.
///
/// # Errors
/// The node is certified already, its giver's key is missing, or the time of a code is over and nobody came.
pub(crate) fn invite(desk: &mut Desk<'_>, wish: &Wish, args: &InviteArgs) -> Result<Exit, Failure> {
    let dir = needed(wish.dir.as_deref())?;
    let held = Held::read(&dir.join(ALLIANCE_FILE))?;
    if let (Some(id), Some(name), Some(code)) = (&args.id, &args.name, &args.region) {
        let node = node_id(id)?;
        papers::name("--name", name)?;
        let region = region(code)?;
        if held.roster.current(node).is_some() {
            return Err(certified_already(&node.to_string(), &node.to_string()));
        }
        let draft = Draft {
            node,
            name: name.clone(),
            role: role(&args.role),
            tier: args.tier,
            region,
            days: args.days,
            capabilities: capabilities(args.everywhere),
            giver: args.code.deputy,
        };
        make(desk, dir, &held, draft, &args.code)?;
    }
    wait(desk, dir, held, &args.host)
}

/// `replace`.
///
/// # Errors
/// The node is not certified, what still counts of its words can't be said, or as [`invite`].
pub(crate) fn replace(desk: &mut Desk<'_>, wish: &Wish, args: &ReplaceArgs) -> Result<Exit, Failure> {
    let dir = needed(wish.dir.as_deref())?;
    let mut held = Held::read(&dir.join(ALLIANCE_FILE))?;
    let (node, generation) = revoke::named(&held.roster, &args.id)?;
    let before = held.roster.newest(node).cloned();
    let Some(before) = before else { return Err(faults::nobody_invited()) };
    if args.code.deputy != 0 {
        by_paper(&mut held, dir, node, generation, args.paper.as_deref())?;
    } else if !held.roster.is_revoked(node, generation) {
        // The old key ends first: its words are cut where the new one's begin.
        let revoke = Revoke {
            id: args.id.clone(),
            reason: "replaced".to_owned(),
            by_roots: false,
            lost: args.lost.clone(),
            cuts: Vec::new(),
            in_question: args.in_question,
            nothing_counts: args.nothing_counts,
        };
        let _told = revoke::revoke(desk, dir, wish, &revoke)?;
        held = Held::read(&dir.join(ALLIANCE_FILE))?;
    }
    let draft = Draft {
        node,
        name: before.name,
        role: before.role,
        tier: before.tier,
        region: before.region,
        days: args.days,
        capabilities: before.capabilities,
        giver: args.code.deputy,
    };
    make(desk, dir, &held, draft, &args.code)?;
    wait(desk, dir, held, &args.host)
}

/// A deputy ends the key before with its paper: what it said is then in question until its issuer says what counts.
fn by_paper(
    held: &mut Held,
    dir: &Path,
    node: NodeId,
    generation: holdfast_proto::id::Generation,
    named: Option<&Path>,
) -> Result<(), Failure> {
    let path = named.map_or_else(|| revoke::paper_file(dir, node, generation), Path::to_owned);
    for block in blocks(&path)? {
        let offered = held.roster.offer(&block.bytes);
        offered.map(|_: Offered| ()).map_err(|why| papers::unsound(&path, block.line, &papers::of_roster(why)))?;
    }
    if !held.roster.is_revoked(node, generation) {
        return Err(papers::without(&path, "REVOCATION"));
    }
    held.write()
}

/// Makes a code and shows it.
fn make(desk: &mut Desk<'_>, dir: &Path, held: &Held, draft: Draft, args: &CodeArgs) -> Result<(), Failure> {
    // Before anybody types a code that could not be kept: the key is at hand, and the nodes would take what it signs.
    let signer = giver(dir, draft.node.issuer, draft.giver)?;
    let trial = crate::files::new_key()?;
    let (today, _) = crate::alliance::certify::today(desk.now());
    let mut tried = Held { path: held.path.clone(), roster: held.roster.clone() };
    let _envelope = draft.certify(&mut tried, trial.public(), &signer, today)?;
    let home_hub = args.home_hub.as_deref().map(node_id).transpose()?;
    if args.peers.len() > ADDRESSES_MAX {
        return Err(Failure::usage(
            "H-801",
            words(format!("{} neighbours are named.", args.peers.len()), format!("指定了 {} 個相鄰據點。", args.peers.len())),
            words(format!("Name {ADDRESSES_MAX} or fewer with --peer."), format!("--peer 最多 {ADDRESSES_MAX} 個。")),
        ));
    }
    let until = desk.now().timestamp().as_second() + i64::from(args.minutes) * 60;
    let peers = args.peers.iter().map(ToString::to_string).collect();
    let _kept = Invitation::make(dir, draft, until, peers, home_hub)?;
    Ok(())
}

/// Waits for all PCs that are invited.
fn wait(desk: &mut Desk<'_>, dir: &Path, held: Held, args: &HostArgs) -> Result<Exit, Failure> {
    let now = desk.now().timestamp().as_second();
    let (open, over): (Vec<_>, Vec<_>) = Invitation::all(dir)?.into_iter().partition(|invitation| invitation.until > now);
    over.iter().for_each(Invitation::forget);
    if open.is_empty() {
        return Err(faults::nobody_invited());
    }
    if args.no_wait {
        open.iter().for_each(|invitation| show(desk, &held, invitation, None));
        return Ok(Exit::Done);
    }
    let doors = Doors::open(args)?;
    let address = doors.address(args);
    for invitation in &open {
        show(desk, &held, invitation, address);
    }
    desk.note(
        "(waiting for the PC; Ctrl-C to leave, `holdfast invite` goes on)",
        "（等候電腦加入；按 Ctrl-C 離開，之後可用 `holdfast invite` 繼續）",
    );
    Host::new(desk, dir, held, open, args.yes).wait(doors)?;
    Ok(Exit::Done)
}

/// The code as it is read out, and as a picture for a phone or another screen.
fn show(desk: &mut Desk<'_>, held: &Held, invitation: &Invitation, address: Option<std::net::SocketAddr>) {
    let code = invitation.code;
    let scanned = match address {
        Some(address) => format!("HOLDFAST:{code}/{address}"),
        None => format!("HOLDFAST:{code}"),
    };
    if desk.json {
        desk.object(&json!({
            "schema": "holdfast.invitation/1", "id": invitation.draft.node.to_string(), "code": code.to_string(), "qr": scanned,
            "address": address.map(|address| address.to_string()), "until": invitation.until,
        }));
        return;
    }
    let until = when::short(UtcMillis(invitation.until.saturating_mul(1_000)), desk.now());
    let who = clean(&invitation.who());
    let alliance = called(&held.roster, desk.lang);
    if let Ok(picture) = QrCode::new(&scanned) {
        let picture = picture.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
        desk.say_all(picture.lines().map(str::to_owned));
    }
    let lines = desk.lang.of(
        [format!("Join code   {code}   for {who}, until {until}"), alliance.clone()],
        [format!("加入碼   {code}   供 {who} 使用，{until} 前有效"), alliance],
    );
    desk.say_all(lines);
    let at = address.map_or_else(String::new, |address| format!(" --at {address}"));
    let lines = desk.lang.of(format!("On that PC:  holdfast join {code}{at}"), format!("在那台電腦上：holdfast join {code}{at}"));
    desk.say(&lines);
}
