//! One shared half-duplex radio channel. Stations listen before they send; who starts within the time it takes to notice, or out
//! of hearing of each other, disturbs. A frame is two events and one more thing to look at for each hearer, whatever the number
//! of stations.
//!
//! The modem's part of channel access is here: carrier sense, and p-persistence with slots as KISS modems have it. Which frame is
//! next, and when to give it up, is the sender's business. A carrier is what carrier sense notices; noise is none.

pub mod airtime;
pub mod place;

use std::collections::{BTreeMap, BTreeSet};

use self::airtime::airtime;
use self::place::{Field, Place, attenuation};
use super::Cause;
use super::path::Misuse;
use crate::dice::{Dice, Purpose};
use crate::scenario::{Channel, Micros, Ppm, SiteNo};
use holdfast_proto::link::airtime::Ledger;

/// Chance to take a slot when the channel is free: KISS `P` = 63.
const PERSISTENCE: Ppm = 250_000;
/// Slots are counted in these, as KISS does; one is never shorter than it takes to notice that another has begun.
const SLOT_UNIT: Micros = 10_000;
/// Slots a station lets pass at most; one in ten billion waits longer.
const SLOTS_MAX: u64 = 80;

/// A frame on the air, by number.
pub type TransmissionNo = u64;

/// What comes of wanting to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// On the air; [`Radio::finish`] is due at `until`.
    Start {
        /// Its number.
        transmission: TransmissionNo,
        /// When the last bit is out.
        until: Micros,
    },
    /// The channel is taken, or the station sends itself, or this slot is not its own: try again then.
    Busy {
        /// Later than now.
        retry_at: Micros,
    },
    /// It would be more than the station may send within an hour.
    DutyUsed {
        /// When it may; the largest number for a frame that alone is too long for the share.
        until: Micros,
    },
}

/// How a frame came to one station in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// Whole.
    Heard,
    /// Another overlapped that was not weaker by the capture threshold.
    Collided,
    /// The station was sending, turning round, or lost its antenna.
    Deaf,
    /// Noise.
    Jammed,
    /// Nobody disturbed it and it was lost all the same.
    Faded,
}

/// What happened on a channel. `receptions = heard + collided + deaf + jammed + faded` when nothing is on the air.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames put on the air.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames times stations in range.
    pub receptions: u64,
    /// Whole.
    pub heard: u64,
    /// Of these, in spite of another.
    pub captured: u64,
    /// Lost to another frame.
    pub collided: u64,
    /// Lost because the station could not hear.
    pub deaf: u64,
    /// Lost to noise.
    pub jammed: u64,
    /// Lost to nothing in particular.
    pub faded: u64,
    /// Times that a station waited.
    pub deferred: u64,
    /// Times that the share of the hour was used up.
    pub refused: u64,
}

/// A frame as one station in range receives it.
#[derive(Clone, Debug)]
struct Hearing {
    station: usize,
    fate: Reception,
    overlapped: bool,
}

#[derive(Clone, Debug)]
struct Transmission {
    from: usize,
    hearings: Vec<Hearing>,
}

/// What reaches an antenna: lost or not, it is energy.
#[derive(Clone, Copy, Debug)]
struct Incoming {
    transmission: TransmissionNo,
    hearing: usize,
    attenuation: u32,
    since: Micros,
    until: Micros,
}

#[derive(Clone, Debug)]
struct Station {
    site: SiteNo,
    place: Place,
    on: bool,
    sending: Option<(TransmissionNo, Micros)>,
    hears_from: Micros,
    incoming: Vec<Incoming>,
    antenna_lost: BTreeSet<Cause>,
    /// Attenuation of the strongest noise.
    noise: Option<u32>,
    /// The slot it drew.
    turn: Option<Micros>,
    fading: Dice,
    access: Dice,
    ledger: Ledger,
}

/// One channel with its stations.
#[derive(Clone, Debug)]
pub struct Radio {
    channel: Channel,
    stations: Vec<Station>,
    by_site: BTreeMap<SiteNo, usize>,
    field: Field,
    on_air: BTreeMap<TransmissionNo, Transmission>,
    next: TransmissionNo,
    jams: BTreeMap<Cause, Vec<Place>>,
    ledger: Ledger,
    /// What happened.
    pub counts: Counts,
}

impl Radio {
    /// The channel that is number `number` of the scenario, with the stations that speak on it.
    #[must_use]
    pub fn new(seed: u64, number: u32, channel: &Channel, stations: &[(SiteNo, Place)]) -> Self {
        let station = |(site, place): &(SiteNo, Place)| {
            let entity = (u64::from(number) << 32) | *site as u64;
            Station {
                site: *site,
                place: *place,
                on: true,
                sending: None,
                hears_from: 0,
                incoming: Vec::new(),
                antenna_lost: BTreeSet::new(),
                noise: None,
                turn: None,
                fading: Dice::new(seed, Purpose::Radio, entity),
                access: Dice::new(seed, Purpose::Access, entity),
                ledger: Ledger::default(),
            }
        };
        Self {
            channel: channel.clone(),
            stations: stations.iter().map(station).collect(),
            by_site: stations.iter().enumerate().map(|(number, (site, _))| (*site, number)).collect(),
            field: Field::new(channel.range_m, stations.iter().map(|(_, place)| *place).collect()),
            on_air: BTreeMap::new(),
            next: 0,
            jams: BTreeMap::new(),
            ledger: Ledger::default(),
            counts: Counts::default(),
        }
    }

    /// A site wants to send a frame of so many bytes now. A site that is not on the channel may wait for ever.
    ///
    /// # Errors
    /// [`Misuse::TooLong`], and nothing is sent.
    pub fn try_send(&mut self, now: Micros, site: SiteNo, bytes: u32) -> Result<Try, Misuse> {
        if bytes > self.channel.mtu {
            return Err(Misuse::TooLong);
        }
        let Some(who) = self.by_site.get(&site).copied() else { return Ok(Try::DutyUsed { until: Micros::MAX }) };
        let takes = airtime(&self.channel, bytes);
        let until = self.stations[who].ledger.free_at(now, takes, self.channel.duty).unwrap_or(Micros::MAX);
        if until > now {
            self.counts.refused += 1;
            return Ok(Try::DutyUsed { until });
        }
        let slot = (self.channel.sense + self.channel.turnaround).div_ceil(SLOT_UNIT).max(1) * SLOT_UNIT;
        let station = &mut self.stations[who];
        let free_at = station.free_at(now, self.channel.sense);
        // Its turn came and nobody was faster.
        if free_at == now && station.turn == Some(now) {
            self.counts.bytes += u64::from(bytes);
            return Ok(self.start(now, who, takes));
        }
        let slots = (0..SLOTS_MAX).find(|_| station.access.chance_ppm(PERSISTENCE)).unwrap_or(SLOTS_MAX);
        let turn = free_at + slots * slot;
        if turn == now {
            self.counts.bytes += u64::from(bytes);
            return Ok(self.start(now, who, takes));
        }
        station.turn = Some(turn);
        self.counts.deferred += 1;
        Ok(Try::Busy { retry_at: turn })
    }

    fn start(&mut self, now: Micros, who: usize, takes: Micros) -> Try {
        let (transmission, until) = (self.next, now + takes);
        self.next += 1;
        self.counts.sent += 1;
        self.ledger.add(now, until);
        let sender = &mut self.stations[who];
        sender.turn = None;
        sender.sending = Some((transmission, until));
        sender.hears_from = until + self.channel.turnaround;
        sender.ledger.add(now, until);
        let (place, silent) = (sender.place, !sender.works());
        self.spoil_all(who, now, Reception::Deaf);
        let mut near = if silent { Vec::new() } else { self.field.within(place) };
        near.retain(|(station, _)| *station != who && self.stations[*station].on);
        self.counts.receptions += near.len() as u64;
        let mut hearings = Vec::with_capacity(near.len());
        for (station, metres) in near {
            let mut hearing = Hearing { station, fate: Reception::Heard, overlapped: false };
            let incoming =
                Incoming { transmission, hearing: hearings.len(), attenuation: attenuation(metres), since: now, until };
            self.overlap(&incoming, &mut hearing);
            self.stations[station].incoming.push(incoming);
            hearings.push(hearing);
        }
        self.on_air.insert(transmission, Transmission { from: who, hearings });
        Try::Start { transmission, until }
    }

    /// What a frame that begins finds at one antenna, and does there.
    fn overlap(&mut self, incoming: &Incoming, hearing: &mut Hearing) {
        let station = &self.stations[hearing.station];
        let margin = u32::from(self.channel.capture_db) * 10;
        if incoming.since < station.hears_from || !station.works() {
            hearing.fate = Reception::Deaf;
        } else if station.noise.is_some_and(|noise| !stronger(incoming.attenuation, noise, margin)) {
            hearing.fate = Reception::Jammed;
        }
        let now = incoming.since;
        for other in station.incoming.iter().filter(|other| other.until > now) {
            hearing.overlapped = true;
            if !stronger(incoming.attenuation, other.attenuation, margin) {
                hearing.spoil(Reception::Collided);
            }
            let Some(earlier) = self.on_air.get_mut(&other.transmission) else { continue };
            let earlier = &mut earlier.hearings[other.hearing];
            earlier.overlapped = true;
            if !stronger(other.attenuation, incoming.attenuation, margin) {
                earlier.spoil(Reception::Collided);
            }
        }
    }

    /// Whatever this station was receiving is lost to it.
    fn spoil_all(&mut self, who: usize, now: Micros, why: Reception) {
        for incoming in self.stations[who].incoming.iter().filter(|incoming| incoming.until > now) {
            if let Some(transmission) = self.on_air.get_mut(&incoming.transmission) {
                transmission.hearings[incoming.hearing].spoil(why);
            }
        }
    }

    /// The last bit is out: how it came to each station in range. Nothing for a number that is not on the air.
    pub fn finish(&mut self, now: Micros, number: TransmissionNo) -> Vec<(SiteNo, Reception)> {
        let Some(transmission) = self.on_air.remove(&number) else { return Vec::new() };
        let sender = &mut self.stations[transmission.from];
        sender.sending = sender.sending.filter(|(_, until)| *until > now);
        let mut out = Vec::with_capacity(transmission.hearings.len());
        for hearing in transmission.hearings {
            // Drawn for every hearer, so that what others send changes no later draw.
            let fades = self.stations[transmission.from].fading.chance_ppm(self.channel.loss);
            let station = &mut self.stations[hearing.station];
            station.incoming.retain(|incoming| incoming.transmission != number);
            let fate = if fades && hearing.fate == Reception::Heard { Reception::Faded } else { hearing.fate };
            *self.counts.of(fate) += 1;
            self.counts.captured += u64::from(hearing.overlapped && fate == Reception::Heard);
            out.push((station.site, fate));
        }
        out
    }

    /// Noise within the range of these places, everywhere for none, until [`Self::end`] of the same cause. As strong as a station
    /// that stood there, so a near enough sender still comes through.
    pub fn jam(&mut self, now: Micros, cause: Cause, places: &[Place]) {
        self.jams.insert(cause, places.to_vec());
        self.measure_noise();
        let margin = u32::from(self.channel.capture_db) * 10;
        for station in &self.stations {
            let Some(noise) = station.noise else { continue };
            for incoming in station.incoming.iter().filter(|incoming| incoming.until > now) {
                if !stronger(incoming.attenuation, noise, margin)
                    && let Some(transmission) = self.on_air.get_mut(&incoming.transmission)
                {
                    transmission.hearings[incoming.hearing].spoil(Reception::Jammed);
                }
            }
        }
    }

    fn measure_noise(&mut self) {
        let everywhere = self.jams.values().any(Vec::is_empty);
        self.stations.iter_mut().for_each(|station| station.noise = everywhere.then_some(0));
        for place in self.jams.values().flatten() {
            for (station, metres) in self.field.within(*place) {
                let noise = &mut self.stations[station].noise;
                let here = attenuation(metres);
                *noise = Some(noise.map_or(here, |noise| noise.min(here)));
            }
        }
    }

    /// These sites neither send nor hear until [`Self::end`] of the same cause; what is under way is lost. Their modems don't know.
    pub fn antenna_down(&mut self, now: Micros, cause: Cause, sites: &[SiteNo]) {
        for site in sites {
            let Some(who) = self.by_site.get(site).copied() else { continue };
            self.stations[who].antenna_lost.insert(cause);
            self.break_off(who, now);
        }
    }

    /// What a station was receiving is lost to it, and what it was sending to everybody.
    fn break_off(&mut self, who: usize, now: Micros) {
        self.spoil_all(who, now, Reception::Deaf);
        if let Some((number, until)) = self.stations[who].sending
            && until > now
            && let Some(transmission) = self.on_air.get_mut(&number)
        {
            transmission.hearings.iter_mut().for_each(|hearing| hearing.spoil(Reception::Faded));
        }
    }

    /// The station of a site is switched on or off. Off, it neither sends nor hears, and is nobody's hearer; what it was sending
    /// breaks off. What it has used of its hour stays used.
    pub fn switch(&mut self, now: Micros, site: SiteNo, on: bool) {
        let Some(who) = self.by_site.get(&site).copied() else { return };
        if !on {
            self.break_off(who, now);
        }
        let station = &mut self.stations[who];
        station.on = on;
        station.sending = None;
        station.hears_from = now;
        station.turn = None;
    }

    /// Something that this cause brought about is still there.
    #[must_use]
    pub fn holds(&self, cause: Cause) -> bool {
        self.jams.contains_key(&cause) || self.stations.iter().any(|station| station.antenna_lost.contains(&cause))
    }

    /// Takes back whatever this cause brought about.
    pub fn end(&mut self, cause: Cause) {
        self.stations.iter_mut().for_each(|station| _ = station.antenna_lost.remove(&cause));
        if self.jams.remove(&cause).is_some() {
            self.measure_noise();
        }
    }

    /// The antennas of these sites are up again.
    pub fn mend(&mut self, sites: &[SiteNo]) {
        for who in sites.iter().filter_map(|site| self.by_site.get(site)) {
            self.stations[*who].antenna_lost.clear();
        }
    }

    /// No noise, all antennas up.
    pub fn mend_all(&mut self) {
        self.jams.clear();
        self.measure_noise();
        self.stations.iter_mut().for_each(|station| station.antenna_lost.clear());
    }

    /// When the share of the hour lets a site send the longest frame; none: never, or it is not on the channel.
    #[must_use]
    pub fn ready_at(&self, now: Micros, site: SiteNo) -> Option<Micros> {
        let station = &self.stations[*self.by_site.get(&site)?];
        station.ledger.free_at(now, airtime(&self.channel, self.channel.mtu), self.channel.duty)
    }

    /// Sites within range of this one whose stations are on and have their antennas, as this one has; ascending.
    #[must_use]
    pub fn around(&self, site: SiteNo) -> Vec<SiteNo> {
        let Some(own) = self.by_site.get(&site).map(|who| &self.stations[*who]).filter(|own| own.works()) else {
            return Vec::new();
        };
        let near = self.field.within(own.place).into_iter().map(|(who, _)| &self.stations[who]);
        let mut sites: Vec<SiteNo> = near.filter(|other| other.site != site && other.works()).map(|other| other.site).collect();
        sites.sort_unstable();
        sites
    }

    /// Two sites are on the channel, within range, and both have their antennas.
    #[must_use]
    pub fn in_reach(&self, a: SiteNo, b: SiteNo) -> bool {
        let [Some(a), Some(b)] = [a, b].map(|site| self.by_site.get(&site).map(|who| &self.stations[*who])) else {
            return false;
        };
        let antennas = a.antenna_lost.is_empty() && b.antenna_lost.is_empty();
        antennas && a.place.metres(b.place) <= self.channel.range_m
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The most that any one station was on the air within an hour.
    #[must_use]
    pub fn busiest_sender(&self) -> Micros {
        self.stations.iter().map(|station| station.ledger.busiest()).max().unwrap_or(0)
    }

    /// Time that one site was on the air; none: it is not on the channel.
    #[must_use]
    pub fn airtime_of(&self, site: SiteNo) -> Option<&Ledger> {
        self.by_site.get(&site).map(|who| &self.stations[*who].ledger)
    }

    /// Time that anybody was on the air; what overlaps counts once.
    #[must_use]
    pub fn airtime(&self) -> &Ledger {
        &self.ledger
    }
}

impl Station {
    /// It is on and has its antenna.
    fn works(&self) -> bool {
        self.on && self.antenna_lost.is_empty()
    }

    /// When the station may listen for its turn: now, or when it has sent and what it notices is over.
    fn free_at(&self, now: Micros, sense: Micros) -> Micros {
        let sent = if self.sending.is_some() || self.hears_from > now { self.hears_from } else { now };
        let noticed = |incoming: &&Incoming| incoming.until > now && incoming.since + sense <= now;
        let carriers = self.incoming.iter().filter(|_| self.works()).filter(noticed);
        carriers.map(|incoming| incoming.until).fold(sent.max(now), Micros::max)
    }
}

impl Hearing {
    /// The first thing that goes wrong is the one that counts.
    fn spoil(&mut self, why: Reception) {
        if self.fate == Reception::Heard {
            self.fate = why;
        }
    }
}

impl Counts {
    fn of(&mut self, fate: Reception) -> &mut u64 {
        match fate {
            Reception::Heard => &mut self.heard,
            Reception::Collided => &mut self.collided,
            Reception::Deaf => &mut self.deaf,
            Reception::Jammed => &mut self.jammed,
            Reception::Faded => &mut self.faded,
        }
    }
}

/// One signal survives the other.
fn stronger(attenuation: u32, other: u32, margin: u32) -> bool {
    attenuation < other && other - attenuation >= margin
}

#[cfg(test)]
mod tests;
