//! Radio channels as events: a node's frame waits in its modem for the channel, is on the air, and comes to whoever hears it. Who
//! hears what is decided in [`crate::network::radio`]; this file is the modem and its driver, and makes it happen.
//!
//! A node is given room for one frame at a time, and only when its share of the hour has room for the longest: what it wants to
//! say next is chosen, and its age is told, shortly before it is said.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use holdfast_proto::identity::PublicKey;
use holdfast_proto::io::Input;
use holdfast_proto::link::{LinkId, LinkProfile};

use super::log::Via;
use super::slot::Port;
use super::{CannotRun, Happening, World};
use crate::checker::Sometimes;
use crate::network::Cause;
use crate::network::path::Misuse;
use crate::network::radio::airtime::{airtime, rate};
use crate::network::radio::place::Place;
use crate::network::radio::{Radio, Reception, TransmissionNo, Try};
use crate::scenario::words::Medium;
use crate::scenario::{Channel, Effect, Micros, Scenario, SiteNo};

/// A frame that found the channel taken for so long, and for two frames of others, is given up: the age it tells is no longer true.
const PATIENCE: Micros = 30_000_000;
/// After that the node is not asked at once what it would rather say.
const PAUSE: Micros = 1_000_000;

/// From a node's word until its frame has been sent or given up, at most.
pub(super) fn longest_wait(channel: &Channel) -> Micros {
    PATIENCE + 3 * airtime(channel, channel.mtu)
}

/// One channel with the modems on it.
#[derive(Clone, Debug)]
pub(super) struct Net {
    radio: Radio,
    modems: BTreeMap<SiteNo, Modem>,
    given_up: u64,
    longest_queue: u64,
}

/// What stands between a node and a channel. A modem is off with its PC.
#[derive(Clone, Debug, Default)]
struct Modem {
    /// The node's name for the channel; none: it is off.
    link: Option<LinkId>,
    life: u32,
    credit: u32,
    /// Frames, and until when they are worth sending.
    waiting: VecDeque<(Micros, Bytes)>,
    /// The first of them will be tried, or one is on the air.
    busy: bool,
    /// When the next credit is due.
    grant_at: Option<Micros>,
    heard: Vec<PublicKey>,
}

/// What a channel carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnAir {
    /// Its name.
    pub channel: String,
    /// Frames put on the air.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames times stations in range that did not get them, and frames given up.
    pub lost: u64,
    /// Of these, lost to others that sent at once.
    pub collisions: u64,
    /// Time that anybody was on the air; what overlaps counts once.
    pub airtime: Micros,
    /// The most of it in any hour.
    pub busiest_hour: Micros,
    /// The most that one sender was on the air in any hour.
    pub busiest_sender: Micros,
    /// Bytes of the longest queue.
    pub queue: u64,
}

impl Net {
    /// The channels of a scenario with the sites that have them.
    pub(super) fn all(scenario: &Scenario, seed: u64) -> Result<Vec<Self>, CannotRun> {
        let channels = &scenario.world.channels;
        let mut stations = vec![Vec::new(); channels.len()];
        for (site, here) in scenario.sites.iter().enumerate() {
            for medium in &here.media {
                let Medium::Radio(name) = medium else { continue };
                let known = channels.iter().position(|channel| channel.name == *name);
                let number = known.ok_or_else(|| CannotRun::Bad(format!("site {} has no such channel as {name}", here.id)))?;
                stations[number].push((site, Place { lat: here.lat, lon: here.lon }));
            }
        }
        let net = |((number, channel), stations): ((u32, &Channel), Vec<(SiteNo, Place)>)| Self {
            modems: stations.iter().map(|(site, _)| (*site, Modem::default())).collect(),
            radio: Radio::new(seed, number, channel, &stations),
            given_up: 0,
            longest_queue: 0,
        };
        Ok((0..).zip(channels).zip(stations).map(net).collect())
    }

    /// Two sites are in range of each other.
    pub(super) fn in_reach(&self, a: SiteNo, b: SiteNo) -> bool {
        self.radio.in_reach(a, b)
    }

    pub(super) fn carried(&self) -> OnAir {
        let counts = self.radio.counts;
        OnAir {
            channel: self.radio.channel().name.clone(),
            frames: counts.sent,
            bytes: counts.bytes,
            lost: counts.collided + counts.deaf + counts.jammed + counts.faded + self.given_up,
            collisions: counts.collided,
            airtime: self.radio.airtime().by_hour().iter().sum(),
            busiest_hour: self.radio.airtime().busiest(),
            busiest_sender: self.radio.busiest_sender(),
            queue: self.longest_queue,
        }
    }

    /// The modem of a site as long as this life of its PC lasts.
    fn modem(&mut self, node: SiteNo, life: u32) -> Option<&mut Modem> {
        self.modems.get_mut(&node).filter(|modem| modem.link.is_some() && modem.life == life)
    }
}

impl World {
    /// The modems of a PC that just started come up with it.
    pub(super) fn join_radio(&mut self, node: SiteNo) {
        for net in 0..self.radios.len() {
            let (slot, on) = (&mut self.slots[node], &mut self.radios[net]);
            let Some(modem) = on.modems.get_mut(&node) else { continue };
            let (link, life) = (slot.new_link(), slot.life);
            slot.ports.insert(link, Port::Radio(net));
            *modem = Modem { link: Some(link), life, grant_at: Some(self.now + 1), ..Modem::default() };
            on.radio.switch(self.now, node, true);
            let channel = on.radio.channel();
            let profile = LinkProfile {
                mtu: channel.mtu,
                rate: rate(channel),
                reliable: false,
                broadcast: true,
                peer: None,
                dialled: None,
                label: format!("sim radio {}", channel.name),
            };
            self.after(0, Happening::Give { node, life, input: Box::new(Input::LinkUp { link, profile }) });
            self.after(1, Happening::RadioGrant { net, node, life });
            self.hear_soon();
        }
    }

    /// They are off with the PC.
    pub(super) fn leave_radio(&mut self, node: SiteNo) {
        for on in &mut self.radios {
            if let Some(modem) = on.modems.get_mut(&node) {
                *modem = Modem::default();
                on.radio.switch(self.now, node, false);
            }
        }
    }

    pub(super) fn send_radio(&mut self, net: usize, node: SiteNo, frame: &Bytes) -> Result<(), Misuse> {
        let on = &mut self.radios[net];
        let channel = on.radio.channel();
        let (mtu, due) = (channel.mtu, self.now + PATIENCE + 2 * airtime(channel, channel.mtu));
        let Some(modem) = on.modems.get_mut(&node) else { return Ok(()) };
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        if len > mtu {
            return Err(Misuse::TooLong);
        }
        modem.credit = modem.credit.checked_sub(len).ok_or(Misuse::BeyondCredit)?;
        modem.waiting.push_back((due, frame.clone()));
        let queue = modem.waiting.iter().map(|(_, frame)| frame.len() as u64).sum();
        on.longest_queue = on.longest_queue.max(queue);
        if !modem.busy {
            modem.busy = true;
            let life = modem.life;
            self.after(0, Happening::RadioTry { net, node, life });
        }
        Ok(())
    }

    /// The first frame that waits goes on the air, or waits on, or is given up.
    pub(super) fn radio_try(&mut self, net: usize, node: SiteNo, life: u32) {
        let on = &mut self.radios[net];
        let Some(modem) = on.modems.get_mut(&node).filter(|modem| modem.link.is_some() && modem.life == life) else { return };
        while let Some((due, frame)) = modem.waiting.front() {
            let tried = on.radio.try_send(self.now, node, u32::try_from(frame.len()).unwrap_or(u32::MAX));
            match tried {
                Ok(Try::Start { transmission, until }) => {
                    let frame = frame.clone();
                    modem.waiting.pop_front();
                    return self.at(until, Happening::RadioDone { net, node, life, transmission, frame });
                }
                Ok(Try::Busy { retry_at: at } | Try::DutyUsed { until: at }) if at <= *due => {
                    return self.at(at, Happening::RadioTry { net, node, life });
                }
                Ok(Try::Busy { .. } | Try::DutyUsed { .. }) | Err(_) => {
                    modem.waiting.pop_front();
                    on.given_up += 1;
                }
            }
        }
        modem.busy = false;
        self.next_grant(net, node, life, PAUSE);
    }

    /// The last bit of a frame is out.
    pub(super) fn radio_done(&mut self, net: usize, from: (SiteNo, u32), transmission: TransmissionNo, frame: &Bytes) {
        let (node, life) = from;
        for (to, reception) in self.radios[net].radio.finish(self.now, transmission) {
            let link = self.radios[net].modems.get(&to).and_then(|modem| modem.link);
            if reception == Reception::Collided {
                self.checker.saw(Sometimes::Collided);
            }
            if let Some(link) = link.filter(|_| reception == Reception::Heard && self.hears(to, node)) {
                self.checker.saw(Sometimes::ByRadio);
                self.bring(to, Via::Radio(net), link, frame.clone());
            }
        }
        let Some(modem) = self.radios[net].modem(node, life) else { return };
        modem.busy = !modem.waiting.is_empty();
        if modem.busy {
            self.after(0, Happening::RadioTry { net, node, life });
        } else {
            self.next_grant(net, node, life, 0);
        }
    }

    /// There will be room for a frame as soon as the longest may be sent, and not before this pause is over.
    fn next_grant(&mut self, net: usize, node: SiteNo, life: u32, pause: Micros) {
        let now = self.now;
        let on = &mut self.radios[net];
        let at = on.radio.ready_at(now, node).map(|at| at.max(now + pause));
        let Some(modem) = on.modem(node, life) else { return };
        modem.grant_at = at;
        if let Some(at) = at {
            self.at(at, Happening::RadioGrant { net, node, life });
        }
    }

    pub(super) fn radio_grant(&mut self, net: usize, node: SiteNo, life: u32) {
        let now = self.now;
        let on = &mut self.radios[net];
        let room = on.radio.channel().mtu;
        let Some(modem) = on.modem(node, life).filter(|modem| modem.grant_at == Some(now)) else { return };
        modem.grant_at = None;
        // When what it sends out of the last room is through there is the next.
        if modem.busy {
            return;
        }
        modem.credit = room;
        if let Some(link) = modem.link {
            self.give(node, Input::Writable { link, room });
        }
    }

    /// Each modem tells its node whom it can hear, where that is news.
    pub(super) fn hear_radios(&mut self) {
        for net in 0..self.radios.len() {
            let sites: Vec<SiteNo> = self.radios[net].modems.keys().copied().collect();
            for node in sites {
                let on = &self.radios[net];
                let Some(link) = on.modems.get(&node).and_then(|modem| modem.link) else { continue };
                let near = on.radio.around(node).into_iter().filter(|other| self.hears(node, *other));
                let keys: Vec<PublicKey> = near.map(|other| self.alliance.members[other].key).collect();
                let Some(modem) = self.radios[net].modems.get_mut(&node).filter(|modem| modem.heard != keys) else { continue };
                modem.heard.clone_from(&keys);
                self.give(node, Input::Audible { link, keys });
            }
        }
    }

    /// The number of a channel.
    pub(super) fn channel(&self, name: &str) -> Option<usize> {
        self.radios.iter().position(|on| on.radio.channel().name == name)
    }

    pub(super) fn jam(&mut self, cause: Cause, channel: &str, sites: &[SiteNo]) {
        let place = |site: &SiteNo| Place { lat: self.scenario.sites[*site].lat, lon: self.scenario.sites[*site].lon };
        let places: Vec<Place> = sites.iter().map(place).collect();
        if let Some(net) = self.channel(channel) {
            self.radios[net].radio.jam(self.now, cause, &places);
        }
    }

    pub(super) fn antenna_down(&mut self, cause: Cause, sites: &[SiteNo]) {
        self.radios.iter_mut().for_each(|on| on.radio.antenna_down(self.now, cause, sites));
        self.hear_soon();
    }

    /// Something that this cause did to a channel or an antenna is still there.
    pub(super) fn is_on_air(&self, cause: Cause) -> bool {
        self.radios.iter().any(|on| on.radio.holds(cause))
    }

    /// Noise or a broken antenna is over.
    pub(super) fn end_radio(&mut self, cause: Cause) {
        self.radios.iter_mut().for_each(|on| on.radio.end(cause));
        self.hear_soon();
    }

    /// No noise, all antennas up; with sites, their antennas, and noise around none but them.
    pub(super) fn mend_radio(&mut self, sites: &[SiteNo]) {
        if self.radios.is_empty() {
            return;
        }
        if sites.is_empty() {
            self.radios.iter_mut().for_each(|on| on.radio.mend_all());
            return self.hear_soon();
        }
        let theirs = |nr: &&u32| match self.injects.get(*nr).map(|inject| &inject.effect) {
            Some(Effect::Jam { sites: around, .. }) => !around.is_empty() && around.iter().all(|site| sites.contains(site)),
            Some(_) | None => false,
        };
        let over: Vec<Cause> = self.standing.iter().filter(theirs).map(|nr| Cause::from(*nr)).collect();
        for on in &mut self.radios {
            on.radio.mend(sites);
            over.iter().for_each(|cause| on.radio.end(*cause));
        }
        self.hear_soon();
    }

    /// What each radio channel carried.
    pub fn on_air(&self) -> impl Iterator<Item = OnAir> {
        self.radios.iter().map(Net::carried)
    }
}
