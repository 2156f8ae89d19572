//! How long a frame is on the air: bits at a rate with what a serial modem adds, or the LoRa formula (Semtech AN1200.13, SX1276
//! data sheet 4.1.1.7) with preamble 8, explicit header and checksum. Integers, rounded up.

use crate::scenario::{Channel, Micros, Modulation};

/// Bytes a serial modem adds to a frame: training and sync, delimiters, check.
const FRAMING: u64 = 12;
/// LoRa preamble in quarters of a symbol: 8 symbols, 4.25 of sync and start.
const PREAMBLE_QUARTERS: u64 = 49;

/// From keying up to the last bit of a frame of so many bytes.
#[must_use]
pub fn airtime(channel: &Channel, bytes: u32) -> Micros {
    let sends = match channel.modulation {
        Modulation::Rate(rate) => ((u64::from(bytes) + FRAMING) * 8 * 1_000_000).div_ceil(u64::from(rate.max(1))),
        Modulation::Lora { sf, bw, cr } => {
            let quarters = PREAMBLE_QUARTERS + 4 * lora_symbols(u64::from(bytes), u64::from(sf), u64::from(bw), u64::from(cr));
            ((quarters * 1_000_000) << sf).div_ceil(4 * u64::from(bw.max(1)))
        }
    };
    channel.keyup + sends
}

/// Bytes a second while a frame is sent, without what surrounds it; at least one.
#[must_use]
pub fn rate(channel: &Channel) -> u32 {
    let bits = match channel.modulation {
        Modulation::Rate(rate) => u64::from(rate),
        Modulation::Lora { sf, bw, cr } => (u64::from(sf) * u64::from(bw) * 4 / (4 + u64::from(cr))) >> sf,
    };
    u32::try_from(bits / 8).unwrap_or(u32::MAX).max(1)
}

/// Symbols after the preamble.
fn lora_symbols(bytes: u64, sf: u64, bw: u64, cr: u64) -> u64 {
    // Low data rate optimisation from symbols above 16 ms, as the chips demand it: two bits of each symbol are given up.
    let slow = u64::from((1_000 << sf) > 16 * bw);
    // 28 and 16: the explicit header and the checksum.
    let bits = (8 * bytes + 28 + 16).saturating_sub(4 * sf);
    8 + bits.div_ceil(4 * (sf - 2 * slow).max(1)) * (cr + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(modulation: Modulation, keyup_ms: u64) -> Channel {
        Channel {
            name: "R1".to_owned(),
            modulation,
            keyup: keyup_ms * 1_000,
            turnaround: 0,
            sense: 0,
            duty: 1_000_000,
            capture_db: 6,
            range_m: 10_000,
            mtu: 255,
            loss: 0,
        }
    }

    fn ms(channel: &Channel) -> [u64; 3] {
        [40, 100, 220].map(|bytes| (airtime(channel, bytes) + 500) / 1_000)
    }

    #[test]
    fn airtimes_are_those_of_the_design() {
        let lora = |sf, bw| channel(Modulation::Lora { sf, bw, cr: 1 }, 0);
        assert_eq!(ms(&channel(Modulation::Rate(57_600), 10)), [17, 26, 42]);
        assert_eq!(ms(&channel(Modulation::Rate(9_600), 60)), [103, 153, 253]);
        assert_eq!(ms(&channel(Modulation::Rate(1_200), 300)), [647, 1_047, 1_847]);
        assert_eq!(ms(&lora(7, 125_000)), [82, 174, 348]);
        assert_eq!(ms(&lora(9, 125_000)), [288, 554, 1_107]);
        assert_eq!(ms(&lora(12, 125_000)), [1_974, 3_940, 7_873]);
        // The design's table has 559, 1,010 and 1,870 ms here: a preamble of 16 symbols, which adds 66 ms.
        assert_eq!(ms(&lora(11, 250_000)), [494, 944, 1_804]);
    }

    #[test]
    fn rates_are_those_of_the_data_sheet() {
        let lora = |sf, bw| rate(&channel(Modulation::Lora { sf, bw, cr: 1 }, 0));
        // 5,469, 1,758 and 293 bit/s.
        assert_eq!([lora(7, 125_000), lora(9, 125_000), lora(12, 125_000)], [683, 219, 36]);
        assert_eq!(rate(&channel(Modulation::Rate(1_200), 300)), 150);
    }

    #[test]
    fn symbols_above_sixteen_milliseconds_carry_two_bits_less() {
        // 2^12 / 250 kHz is 16.384 ms, 2^11 / 250 kHz half of it.
        assert_eq!(lora_symbols(100, 12, 250_000, 1), 8 + 20 * 5);
        assert_eq!(lora_symbols(100, 11, 250_000, 1), 8 + 19 * 5);
        // An empty frame is still a preamble and eight symbols; more redundancy takes longer.
        assert_eq!(lora_symbols(0, 12, 125_000, 4), 8);
        assert_eq!(lora_symbols(100, 7, 125_000, 4), 8 + 30 * 8);
    }
}
