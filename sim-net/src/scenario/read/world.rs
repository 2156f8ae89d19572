//! How things behave: `[world]` and `[world.defaults]`, each value with a default.

use jiff::civil::Time;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::Offset;

use super::super::form::Form;
use super::super::problem::{Wrong, quoted};
use super::super::text::{self, DAY};
use super::super::{Channel, Micros, Modulation, Operators, Path, Tempo, WorldModel, selector};

/// STARTEX where nothing is said: 2027-01-04T08:00+08:00, a Monday.
pub(in crate::scenario) const STARTEX: (i64, i32) = (1_799_020_800_000, 28_800);

/// A date with time and offset as (milliseconds since 1970 UTC, seconds of the offset).
pub(in crate::scenario) fn wall(typed: &str) -> Result<(i64, i32), Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{} is no date with a time and an offset from UTC.", quoted(typed)),
            "Write such as 2027-02-03T08:00+08:00.",
        )
    };
    let read = || {
        let pieces = DateTimeParser::new().parse_pieces(typed.trim()).ok()?;
        let offset: Offset = pieces.to_numeric_offset()?;
        let stamp = offset.to_timestamp(pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()))).ok()?;
        Some((stamp.as_millisecond(), offset.seconds()))
    };
    read().ok_or_else(wrong)
}

/// As [`wall`] reads it.
pub(in crate::scenario) fn show_wall(ms: i64, offset_s: i32) -> Option<String> {
    let offset = Offset::from_seconds(offset_s).ok()?;
    let stamp = jiff::Timestamp::from_millisecond(ms).ok()?;
    let shown = stamp.display_with_offset(offset).to_string();
    // Offsets finer than minutes were in use; they are rounded in what is shown, so those can't be written.
    (wall(&shown) == Ok((ms, offset_s))).then_some(shown)
}

pub(super) fn read(form: &Form<'_>) -> WorldModel {
    let usual = WorldModel::default();
    let mut world = WorldModel {
        known: form.or("known", usual.known, text::whole),
        slow_disks: form.or("slow_disks", false, text::yes),
        wrong_clocks: form.or("wrong_clocks", false, text::yes),
        partial_roster: form.or("partial_roster", false, text::yes),
        home_hubs: form.or("home_hubs", usual.home_hubs, text::yes),
        ..usual
    };
    let Some(defaults) = form.table("defaults") else { return world };
    if let Some(form) = defaults.table("wan") {
        world.wan = path(&form, Path::WAN);
        form.done();
    }
    if let Some(form) = defaults.table("lan") {
        world.lan = path(&form, Path::LAN);
        form.done();
    }
    world.gossip = gossip(&defaults, world.gossip);
    for form in defaults.tables("radio") {
        world.channels.extend(channel(&form));
        form.done();
    }
    if let Some(form) = defaults.table("operators") {
        world.operators = operators(&form);
        form.done();
    }
    if let Some(form) = defaults.table("tempo") {
        world.tempo = tempo(&form);
        form.done();
    }
    defaults.done();
    world
}

/// A path with everything that is not said as in `usual`.
pub(super) fn path(form: &Form<'_>, usual: Path) -> Path {
    Path {
        delay: form.or("delay", usual.delay, text::duration),
        jitter: form.or("jitter", usual.jitter, text::duration),
        loss: form.or("loss", usual.loss, text::share),
        burst: (
            form.or("burst_enter", usual.burst.0, text::share),
            form.or("burst_leave", usual.burst.1, text::share),
            form.or("burst_loss", usual.burst.2, text::share),
        ),
        duplicate: form.or("duplicate", usual.duplicate, text::share),
        reorder: form.or("reorder", usual.reorder, text::share),
        corrupt: form.or("corrupt", usual.corrupt, text::share),
        rate: form.or("rate", usual.rate, text::rate),
        queue: form.or("queue", usual.queue, text::whole),
        mtu: form.or("mtu", usual.mtu, text::whole),
        reliable: form.or("reliable", usual.reliable, text::yes),
    }
}

fn gossip(defaults: &Form<'_>, usual: Option<Path>) -> Option<Path> {
    use super::super::tree::Value;
    match defaults.node("gossip").map(|node| &node.value) {
        None => usual,
        Some(Value::Text(word)) if text::yes(word) == Ok(false) => None,
        Some(_) => {
            let form = defaults.table("gossip")?;
            let read = path(&form, Path::GOSSIP);
            form.done();
            Some(read)
        }
    }
}

fn channel(form: &Form<'_>) -> Option<Channel> {
    let name = form.need("channel", selector::id);
    let usual = Channel::named(name.as_deref().unwrap_or_default());
    let rate = form.get("rate", |typed| match text::bits(typed).map(u32::try_from) {
        Ok(Ok(bits)) if bits > 0 => Ok(Modulation::Rate(bits)),
        Ok(_) => Err(Wrong::new(format!("{} is no rate of a radio.", quoted(typed)), "Write bits a second, such as 9600.")),
        Err(wrong) => Err(wrong),
    });
    let lora = form.get("lora", lora);
    if form.has("rate") && form.has("lora") {
        form.wrong(Wrong::new("Both rate and lora are given.", "Keep one of them."));
    }
    let mtu = form.or("mtu", usual.mtu, |typed| match text::whole(typed)? {
        mtu @ 60..=1_000 => Ok(mtu),
        mtu => Err(Wrong::new(format!("{mtu} bytes can't be the longest frame of a radio."), "Write 60 to 1000.")),
    });
    Some(Channel {
        modulation: rate.or(lora).unwrap_or(usual.modulation),
        keyup: form.or("keyup", usual.keyup, text::duration),
        turnaround: form.or("turnaround", usual.turnaround, text::duration),
        sense: form.or("sense", usual.sense, text::duration),
        duty: form.or("duty", usual.duty, text::share),
        capture_db: form.or("capture_db", usual.capture_db, text::whole),
        range_m: form.or("range_m", usual.range_m, text::whole),
        mtu,
        loss: form.or("loss", usual.loss, text::share),
        name: name?,
    })
}

/// `sf9 bw125000 cr4/5`.
fn lora(typed: &str) -> Result<Modulation, Wrong> {
    let words: Vec<&str> = typed.split_whitespace().collect();
    let read = || {
        let [sf, bw, cr] = words.as_slice() else { return None };
        let sf = sf.strip_prefix("sf")?.parse().ok().filter(|sf| (6..=12).contains(sf))?;
        let bw = bw.strip_prefix("bw")?.parse().ok().filter(|bw| (7_800..=500_000).contains(bw))?;
        let cr = cr.strip_prefix("cr4/")?.parse::<u8>().ok()?.checked_sub(4).filter(|n| (1..=4).contains(n))?;
        Some(Modulation::Lora { sf, bw, cr })
    };
    read().ok_or_else(|| {
        let todo = "Write spreading factor 6 to 12, bandwidth in Hz and coding rate 4/5 to 4/8, such as sf9 bw125000 cr4/5.";
        Wrong::new(format!("{} is no LoRa setting.", quoted(typed)), todo)
    })
}

/// `confirm = "2m..15m", night = "22:00-06:00 slower x4"`.
fn operators(form: &Form<'_>) -> Operators {
    let usual = Operators::default();
    let confirm = form.or("confirm", usual.confirm, |typed| {
        let (low, high) = typed.split_once("..").unwrap_or((typed, typed));
        let (low, high) = (text::duration(low)?, text::duration(high)?);
        if low > high {
            return Err(Wrong::new(format!("{} ends before it begins.", quoted(typed)), "Write the shorter length first."));
        }
        Ok((low, high))
    });
    let (night, night_slower) = form.or("night", (usual.night, usual.night_slower), night);
    Operators { confirm, night, night_slower }
}

fn night(typed: &str) -> Result<((Micros, Micros), u32), Wrong> {
    if typed.trim() == "none" {
        return Ok(((0, 0), 1));
    }
    let wrong = || Wrong::new(format!("{} is no night.", quoted(typed)), "Write such as 22:00-06:00 slower x4, or none.");
    let (hours, slower) = typed.split_once("slower").ok_or_else(wrong)?;
    let (from, until) = hours.split_once('-').ok_or_else(wrong)?;
    let clock = |part: &str| text::time(part).ok().filter(|time| *time < DAY).ok_or_else(wrong);
    let factor = slower.trim().strip_prefix(['x', '×']).and_then(|digits| digits.trim().parse().ok());
    Ok(((clock(from)?, clock(until)?), factor.filter(|factor| *factor >= 1).ok_or_else(wrong)?))
}

fn tempo(form: &Form<'_>) -> Tempo {
    let usual = Tempo::default();
    let mean = |typed: &str| if typed.trim() == "never" { Ok(0) } else { text::duration(typed) };
    Tempo {
        boards: form.or("boards", usual.boards, mean),
        entries: form.or("entries", usual.entries, mean),
        needs: form.or("needs", usual.needs, mean),
        acts: form.or("acts", usual.acts, mean),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::text::{HOUR, MINUTE};
    use super::*;

    #[test]
    fn dates_keep_their_offset() {
        assert_eq!(wall("2027-02-03T08:00+01:00"), Ok((1_801_638_000_000, 3_600)));
        assert_eq!(wall("2027-01-04T08:00+08:00"), Ok(STARTEX));
        assert_eq!(wall("2027-02-03 08:00:00.5Z"), Ok((1_801_641_600_500, 0)));
        for slip in ["", "2027-02-03", "2027-02-30T08:00+08:00", "08:00", "2027-02-03T08:00"] {
            assert!(wall(slip).is_err(), "{slip}");
        }
        for at in [STARTEX, (0, -16_200), (1_801_641_600_500, 0)] {
            assert_eq!(wall(&show_wall(at.0, at.1).unwrap()), Ok(at));
        }
    }

    #[test]
    fn nights_and_lora_as_people_write_them() {
        assert_eq!(night("22:00-06:00 slower x4"), Ok(((22 * HOUR, 6 * HOUR), 4)));
        assert_eq!(night("none"), Ok(((0, 0), 1)));
        assert!(night("22:00-06:00").is_err() && night("22:00-30:00 slower x4").is_err() && night("a-b slower x0").is_err());
        assert_eq!(lora("sf9 bw125000 cr4/5"), Ok(Modulation::Lora { sf: 9, bw: 125_000, cr: 1 }));
        assert!(lora("sf5 bw125000 cr4/5").is_err() && lora("sf9").is_err() && lora("sf9 bw125000 cr4/9").is_err());
        assert_eq!(30 * MINUTE, HOUR / 2);
    }
}
