//! Floors: where a logbook begins now, and its bytes.

use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::config::WINDOW_HUB;
use crate::id::Incarnation;

/// Where an author's logbook begins now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Floor {
    /// Of which incarnation of the author, in the generation of the entry it stands in.
    pub incarnation: Incarnation,
    /// Lowest number that is not below the floor.
    pub number: u32,
    /// Hash of the entry before it.
    pub previous: [u8; 16],
    /// Numbers below that stay, ascending.
    pub stay: Vec<u32>,
}

pub(super) fn put(out: &mut Writer, floor: &Floor) {
    let [a, b] = floor.incarnation.count.to_be_bytes();
    let [c, d] = floor.incarnation.random.to_be_bytes();
    out.bytes(24, &[a, b, c, d]).uint(25, u64::from(floor.number)).bytes(26, &floor.previous);
    out.list(27, gaps(&floor.stay));
}

pub(super) fn read(fields: &Fields<'_>) -> Result<Floor, Malformed> {
    let [a, b, c, d] = fields.array::<4>(24)?;
    let incarnation = Incarnation { count: u16::from_be_bytes([a, b]), random: u16::from_be_bytes([c, d]) };
    let number = u32::try_from(fields.uint(25)?).ok().filter(|number| *number >= 1).ok_or(Malformed)?;
    let list = fields.list(27)?;
    if list.len() > usize::try_from(WINDOW_HUB).unwrap_or(usize::MAX) {
        return Err(Malformed);
    }
    let (mut stay, mut last) = (Vec::with_capacity(list.len()), 0_u32);
    for gap in list {
        if gap.is_empty() || gap.len() > 4 || gap.first() == Some(&0) {
            return Err(Malformed);
        }
        let gap = gap.iter().fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
        last = last.checked_add(gap).filter(|next| *next < number).ok_or(Malformed)?;
        stay.push(last);
    }
    Ok(Floor { incarnation, number, previous: fields.array::<16>(26)?, stay })
}

/// Ascending numbers as the distances between them, shortest integers.
fn gaps(numbers: &[u32]) -> Vec<Vec<u8>> {
    let mut last = 0;
    numbers
        .iter()
        .map(|number| {
            let gap = number.saturating_sub(last);
            last = *number;
            gap.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
        })
        .collect()
}
