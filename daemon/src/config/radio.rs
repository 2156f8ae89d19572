//! The section `[radio]`: the modem on a serial port, and what the channel bears.

use std::ops::RangeInclusive;
use std::time::Duration;

use holdfast_proto::id::NodeId;
use holdfast_proto::link::radio::framing::{Callsign, Framing};
use holdfast_proto::link::radio::pieces::Speaker;
use holdfast_proto::link::radio::station::Manner;
use holdfast_proto::link::radio::{MTU_DEFAULT, MTU_MAX, MTU_MIN};
use serde::Deserialize;

use super::{Faults, duration};

/// Speeds of serial ports, in baud: the slowest that anything still has, and the fastest of an USB adapter.
const BAUDS: RangeInclusive<i64> = 300..=4_000_000;
/// Bits a second on the air: below, one board would take minutes; above, it is no radio of this kind.
const RATES: RangeInclusive<i64> = 50..=1_000_000;
/// Per cent of an hour.
const DUTIES: RangeInclusive<i64> = 1..=100;
/// From the key to the first bit. Modems take it in 10 ms up to 2.55 s.
const KEY_UP_MAX: Duration = Duration::from_millis(2_550);

/// As written. Without a port there is no radio.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRadio {
    port: Option<String>,
    framing: Option<String>,
    callsign: Option<String>,
    baud: Option<i64>,
    rate: Option<i64>,
    key_up: Option<String>,
    mtu: Option<i64>,
    duty_percent: Option<i64>,
}

/// A radio as configured.
#[derive(Clone, Debug)]
pub struct RadioPort {
    /// The serial port.
    pub port: String,
    /// Its speed in baud.
    pub baud: u32,
    /// How frames lie on it.
    pub framing: Framing,
    /// Bits a second on the air.
    pub rate: u32,
    /// From the key to the first bit.
    pub key_up: Duration,
    /// Longest frame that the modem takes.
    pub mtu: usize,
    /// Of an hour, in ppm.
    pub share: u32,
}

impl RadioPort {
    /// The station that a node of that name and realm is on it.
    #[must_use]
    pub fn manner(&self, me: NodeId, realm: [u8; 2], heard_for: Duration, seed: u64) -> Manner {
        let Self { framing, rate, key_up, mtu, share, .. } = *self;
        Manner { speaker: Speaker { realm, me, mtu }, framing, rate, key_up, share, heard_for, seed }
    }
}

impl RawRadio {
    /// Sets what is given and the usual for the rest, each within what it is good for.
    pub(super) fn check(self, faults: &mut Faults<'_>) -> Option<RadioPort> {
        let before = faults.found.len();
        let numbers = [self.baud, self.rate, self.mtu, self.duty_percent];
        let is_meant =
            self.framing.is_some() || self.callsign.is_some() || self.key_up.is_some() || numbers.iter().any(Option::is_some);
        let mut number = |key: &str, typed: Option<i64>, usual: i64, fits: RangeInclusive<i64>, unit: (&str, &str)| {
            let value = typed.unwrap_or(usual);
            if !fits.contains(&value) {
                let (least, most) = (fits.start(), fits.end());
                let expected = (format!("it must be {least} to {most} {}", unit.0), format!("應為 {least} 到 {most} {}", unit.1));
                faults.note("radio", key, &value.to_string(), (&expected.0, &expected.1));
            }
            u32::try_from(value).unwrap_or(0)
        };
        let baud = number("baud", self.baud, 9_600, BAUDS, ("baud, as the modem's manual says", "鮑（請看數據機說明書）"));
        let rate = number("rate", self.rate, 1_200, RATES, ("bit/s on the air", "bit/s（空中速率）"));
        let duty = number("duty_percent", self.duty_percent, 10, DUTIES, ("per cent of an hour", "（每小時的百分比）"));
        let usual = i64::try_from(MTU_DEFAULT).unwrap_or(0);
        let [least, most] = [MTU_MIN, MTU_MAX].map(|mtu| i64::try_from(mtu).unwrap_or(0));
        let mtu = number("mtu", self.mtu, usual, least..=most, ("bytes", "位元組"));
        let typed = self.key_up.unwrap_or_else(|| "300ms".to_owned());
        let key_up = duration(&typed).filter(|length| *length <= KEY_UP_MAX);
        if key_up.is_none() {
            let expected = ("it must be a duration up to 2550ms, such as 300ms", "應為 2550ms 以下的時間長度，例如 300ms");
            faults.note("radio", "key_up", &typed, expected);
        }
        let framing = framing(self.framing.as_deref(), self.callsign.as_deref(), faults);
        let Some(port) = self.port else {
            if is_meant {
                let expected = (
                    "it is missing: the path of a serial port, such as /dev/ttyUSB0",
                    "缺少這一項：請填序列埠的路徑，例如 /dev/ttyUSB0",
                );
                faults.note("radio", "port", "", expected);
            }
            return None;
        };
        if port.trim().is_empty() {
            let expected = ("it must be the path of a serial port, such as /dev/ttyUSB0", "應為序列埠的路徑，例如 /dev/ttyUSB0");
            faults.note("radio", "port", &port, expected);
        }
        let radio = RadioPort { port, baud, framing: framing?, rate, key_up: key_up?, mtu: mtu as usize, share: duty * 10_000 };
        let sure = faults.found.len() == before;
        if sure && !radio.manner(NodeId { issuer: u16::MAX, serial: u16::MAX }, [0; 2], Duration::ZERO, 0).can_speak() {
            let expected = (
                "at this rate that share of an hour does not hold one board: give more, or a modem of a higher rate",
                "以這個速率，每小時的份額連一份據點狀態都送不出去：請提高份額，或改用較快的數據機",
            );
            faults.note("radio", "duty_percent", &duty.to_string(), expected);
        }
        (faults.found.len() == before).then_some(radio)
    }
}

fn framing(word: Option<&str>, callsign: Option<&str>, faults: &mut Faults<'_>) -> Option<Framing> {
    match word.unwrap_or("kiss") {
        "kiss" => Some(Framing::Kiss),
        "cobs" => Some(Framing::Cobs),
        "ax25" => {
            let typed = callsign.unwrap_or_default();
            let call = typed.parse::<Callsign>();
            if call.is_err() {
                let expected = (
                    "with framing = \"ax25\" it must be this station's call sign: up to six letters and digits, perhaps with a \
                     number, such as BV2ABC-7",
                    "framing = \"ax25\" 時，應為本電台的呼號：最多六個英數字，可加編號，例如 BV2ABC-7",
                );
                faults.note("radio", "callsign", typed, expected);
            }
            call.ok().map(Framing::Ax25)
        }
        other => {
            let expected = (
                "it must be kiss (a modem that carries any bytes), ax25 (one that wants call signs, such as Direwolf) or cobs (one \
                 that carries plain bytes)",
                "應為 kiss（可傳任何位元組的數據機）、ax25（需要呼號，例如 Direwolf）或 cobs（只傳位元組流）",
            );
            faults.note("radio", "framing", other, expected);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults_of;

    #[test]
    fn a_radio_that_makes_no_sense_is_told_line_by_line_and_a_good_one_is_taken() {
        let radio = |lines: &str| faults_of(&format!("[radio]\n{lines}"));
        assert!(radio("").is_empty() && radio("port = \"/dev/ttyUSB0\"\n").is_empty());
        let direwolf = "port = \"/tmp/kisstnc\"\nframing = \"ax25\"\ncallsign = \"BV2ABC-7\"\nrate = 9600\nmtu = 60\n";
        assert!(radio(direwolf).is_empty());
        for (lines, key) in [
            ("rate = 0", "rate"),
            ("rate = 1000001", "rate"),
            ("baud = 12", "baud"),
            ("mtu = 59", "mtu"),
            ("mtu = 1001", "mtu"),
            ("duty_percent = 0", "duty_percent"),
            ("duty_percent = 101", "duty_percent"),
            ("rate = 300\nduty_percent = 1", "duty_percent"),
            ("key_up = \"3s\"", "key_up"),
            ("framing = \"morse\"", "framing"),
            ("framing = \"ax25\"", "callsign"),
            ("framing = \"ax25\"\ncallsign = \"much too long\"", "callsign"),
        ] {
            let faults = radio(&format!("port = \"/dev/ttyUSB0\"\n{lines}\n"));
            assert_eq!(faults.len(), 1, "{lines}: {faults:?}");
            assert!(faults[0].contains(&format!("[radio] {key} ")), "{lines}: {faults:?}");
        }
        assert!(radio("rate = 9600\n")[0].contains("[radio] port"));
        assert!(radio("port = \" \"\n")[0].contains("serial port"));
    }
}
