//! Whether what happens can be noticed by anybody.

use std::collections::BTreeSet;

use super::super::problem::Wrong;
use super::super::text::show_duration;
use super::super::words::Medium;
use super::super::words::SiteRole;
use super::super::{Effect, Inject, Origin, SiteNo, When};
use super::{Checker, place, time};

impl Checker<'_> {
    pub(super) fn effect(&self, inject: &Inject) {
        let origin = &inject.origin;
        match &inject.effect {
            Effect::PowerLoss(sites) => {
                self.there(origin, sites);
                self.carried(inject, sites);
            }
            Effect::PowerBack(sites) => {
                self.there(origin, sites);
                self.undoes(inject, "power-loss", |effect| matches!(effect, Effect::PowerLoss(lost) if meet(lost, sites)));
            }
            Effect::Restart(sites) => {
                self.there(origin, sites);
                let stops = |effect: &Effect| {
                    if let Effect::FirmOutage(owner) = effect {
                        return self.sites_of(sites).any(|site| site.owner == *owner);
                    }
                    matches!(effect, Effect::Crash(stopped) | Effect::PowerLoss(stopped) if meet(stopped, sites))
                };
                self.undoes(inject, "crash", stops);
            }
            Effect::Cut(elements) => self.elements(inject, elements),
            Effect::Restore(elements) => {
                self.elements(inject, elements);
                self.undoes(inject, "cut", |effect| matches!(effect, Effect::Cut(cut) if meet(cut, elements)));
            }
            Effect::Heal(sites) => {
                if !sites.is_empty() {
                    self.there(origin, sites);
                }
                let breaks = |effect: &Effect| {
                    matches!(effect, Effect::Partition { .. } | Effect::Cut(_) | Effect::Jam { .. } | Effect::AntennaDown(_))
                };
                self.undoes(inject, "partition, cut, jam or broken antenna", breaks);
            }
            Effect::Partition { groups, .. } => self.groups(inject, groups),
            Effect::Flap { sites, period } => {
                self.there(origin, sites);
                if *period < 2 {
                    self.wrong(origin, "period", Wrong::new("The period is no time.", "Write such as 2m."));
                }
            }
            Effect::Swizzle(sites) => {
                self.there(origin, sites);
                if inject.lasts.is_none() {
                    self.wrong(
                        origin,
                        "lasts",
                        Wrong::new("lasts is missing.", "Write within how long all are cut off and back, such as 1h."),
                    );
                }
            }
            Effect::FirmOutage(owner) => {
                let owners: BTreeSet<&str> = self.scenario.sites.iter().map(|site| site.owner.as_str()).collect();
                if !owners.contains(owner.as_str()) && !self.gaps.sites {
                    let wrong = Wrong::new(format!("No site belongs to \"{owner}\"."), "Write an owner of the sheet of sites.");
                    self.wrong(origin, "owner", wrong.near(owner, owners));
                }
            }
            Effect::Jam { channel, sites } => {
                self.channel(origin, "channel", channel);
                if !sites.is_empty() {
                    self.there(origin, sites);
                }
                if !self.heard.contains_key(channel.as_str()) && !self.gaps.sites {
                    self.wrong(
                        origin,
                        "channel",
                        Wrong::new(
                            "No site has this channel: nobody would hear the noise.",
                            "Write radio: and its name into media.",
                        ),
                    );
                }
            }
            Effect::AntennaDown(sites) => {
                self.there(origin, sites);
                let radio = |media: &[Medium]| media.iter().any(|medium| matches!(medium, Medium::Radio(_)));
                if !self.gaps.sites && !self.sites_of(sites).any(|site| radio(&site.media)) {
                    self.wrong(
                        origin,
                        "where",
                        Wrong::new("None of these sites has a radio.", "Name sites with radio: in media."),
                    );
                }
            }
            Effect::Courier { from, to } => {
                self.there(origin, &[*from, *to]);
                if from == to && !self.gaps.sites {
                    self.wrong(origin, "to", Wrong::new("The courier goes nowhere.", "Write another site."));
                }
            }
            Effect::Observe { site, of, .. } => {
                self.there(origin, &[*site, *of]);
                if site == of && !self.gaps.sites {
                    self.wrong(
                        origin,
                        "of",
                        Wrong::new("A site reports of itself; it observes others.", "Write report, or another site."),
                    );
                }
            }
            Effect::Request { site, lines, .. } => {
                self.there(origin, &[*site]);
                if lines.is_empty() {
                    self.wrong(origin, "data", Wrong::new("Nothing is asked for.", "Write item and qty."));
                }
            }
            Effect::Cancel(label) | Effect::Close(label) => self.label(origin, "request", label, time(inject)),
            Effect::Goods { site, deed } => {
                self.there(origin, &[*site]);
                deed.requests().for_each(|label| self.label(origin, "request", label, time(inject)));
            }
            Effect::Report { sites, values } => {
                self.there(origin, sites);
                if values.is_empty() {
                    self.wrong(origin, "data", Wrong::new("Nothing is reported.", "Write such as operating.status=closed."));
                }
            }
            Effect::Forge { site, .. } => self.there(origin, &[*site]),
            Effect::Revoke { site, at } => {
                self.there(origin, &[*site, *at]);
                if site == at {
                    let wrong = Wrong::new("A site is revoked at its own desk.", "Write another site into as.");
                    self.wrong(origin, "as", wrong);
                }
            }
            Effect::Order { site, acting_for, .. } => {
                self.there(origin, &std::iter::once(*site).chain(*acting_for).collect::<Vec<_>>());
                self.authority(origin, acting_for.unwrap_or(*site), if acting_for.is_some() { "of" } else { "as" });
            }
            Effect::Deputies { site, of, .. } => {
                self.there(origin, of);
                self.authority(origin, *site, "as");
            }
            Effect::Degrade { sites, path } => {
                self.there(origin, sites);
                self.repaired(place(origin, "path"), path);
            }
            Effect::Crash(sites)
            | Effect::ReplacePc(sites)
            | Effect::DiskFull(sites)
            | Effect::DiskCorrupt(sites)
            | Effect::OldBackup { sites, .. }
            | Effect::ClockJump { sites, .. }
            | Effect::ClockDrift { sites, .. }
            | Effect::OperatorAbsent(sites) => self.there(origin, sites),
            Effect::Say | Effect::TellController => {
                if inject.say.is_none() {
                    self.wrong(origin, "say", Wrong::new("Nothing is said.", "Write what players or the controller are told."));
                }
            }
            Effect::StopExercise => {}
        }
        self.lasting(inject);
    }

    /// Only an authority orders; nobody would follow anybody else.
    fn authority(&self, origin: &Origin, site: SiteNo, key: &str) {
        let role = self.scenario.sites.get(site).map(|site| site.role);
        if !self.gaps.sites && role.is_some_and(|role| role != SiteRole::Authority) {
            self.wrong(
                origin,
                key,
                Wrong::new("That site is no authority: nobody would follow.", "Write a site whose role is authority."),
            );
        }
    }

    fn sites_of<'s>(&'s self, sites: &'s [SiteNo]) -> impl Iterator<Item = &'s super::super::Site> {
        sites.iter().filter_map(|no| self.scenario.sites.get(*no))
    }

    /// A loss of mains that batteries and generators carry all sites over.
    fn carried(&self, inject: &Inject, sites: &[SiteNo]) {
        let Some(lasts) = inject.lasts else { return };
        if !sites.is_empty() && self.sites_of(sites).all(|site| site.ups.saturating_add(site.generator) >= lasts) {
            let what = format!("no site goes dark: all have power of their own for {}.", show_duration(lasts));
            self.notes.remark(place(&inject.origin, "lasts"), what);
        }
    }

    /// Something is to be undone: before, it must have been done.
    fn undoes(&self, inject: &Inject, what: &str, done: impl Fn(&Effect) -> bool) {
        let before = |other: &&Inject| time(other) <= time(inject) || matches!(other.when, When::Unless { .. });
        if !self.scenario.injects.iter().filter(before).any(|other| done(&other.effect)) {
            self.notes.remark(place(&inject.origin, "what"), format!("no {what} of these happens before it."));
        }
    }

    fn elements(&self, inject: &Inject, elements: &[usize]) {
        if self.gaps.sites {
            return;
        }
        let known = &self.scenario.elements;
        if elements.is_empty() || elements.iter().any(|no| *no >= known.len()) {
            self.wrong(
                &inject.origin,
                "where",
                Wrong::new("This names no element of the scenario.", "Write element: and an id."),
            );
        }
        for element in elements.iter().filter_map(|no| known.get(*no)).filter(|element| element.used_by.is_empty()) {
            let wrong = Wrong::new(
                format!("Nobody uses {}: nobody would notice.", element.id),
                "Say in the sheet of elements who uses it.",
            );
            self.wrong(&inject.origin, "where", wrong);
        }
    }

    fn groups(&self, inject: &Inject, groups: &[Vec<SiteNo>]) {
        if self.gaps.sites {
            return;
        }
        let mut seen = BTreeSet::new();
        for group in groups {
            self.there(&inject.origin, group);
            let twice = group.iter().find(|no| seen.contains(*no)).and_then(|no| self.scenario.sites.get(*no));
            if let Some(site) = twice {
                let wrong =
                    Wrong::new(format!("Site {} is in two groups.", site.id), "Mend the selectors so that each site is in one.");
                self.wrong(&inject.origin, "groups", wrong);
            }
            seen.extend(group.iter().copied());
        }
        if groups.is_empty() || (groups.len() == 1 && seen.len() >= self.scenario.sites.len()) {
            let wrong = Wrong::new("Nobody is parted from anybody.", "Write two groups, or one that leaves others out.");
            self.wrong(&inject.origin, "groups", wrong);
        }
    }

    /// What is done at once does not last.
    fn lasting(&self, inject: &Inject) {
        let at_once = matches!(
            inject.effect,
            Effect::PowerBack(_)
                | Effect::Restore(_)
                | Effect::Heal(_)
                | Effect::Restart(_)
                | Effect::Report { .. }
                | Effect::Request { .. }
                | Effect::Cancel(_)
                | Effect::Close(_)
                | Effect::Goods { .. }
                | Effect::Observe { .. }
                | Effect::Order { .. }
                | Effect::Deputies { .. }
                | Effect::Say
                | Effect::TellController
                | Effect::StopExercise
        );
        if at_once && inject.lasts.is_some() {
            self.notes.remark(place(&inject.origin, "lasts"), "this is done at once: lasts is left aside.");
        }
    }
}

/// Whether two ascending lists have something in common.
fn meet(a: &[usize], b: &[usize]) -> bool {
    a.iter().any(|no| b.binary_search(no).is_ok())
}
