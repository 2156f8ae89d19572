//! Room on a board: how large readings can become by being issued again, and what of the board only words of safety may use.

use super::field::{self, field_of};
use super::reading::{self, Reading, Readings, Seen, Subject, VALID_S_MAX, Value};

/// Seconds, about 18 h: an offset as old as this takes the three bytes that do for 194 days.
const AGED_S: u32 = 1 << 16;

/// How large readings can become, as payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// All readings.
    pub all: Vec<u8>,
    /// Without those that may use what is kept for words of safety.
    pub plain: Vec<u8>,
}

/// The fields for which room is kept on every board: whether the site runs, who may enter, in which mode, on what power.
fn is_of_safety(subject: &Subject) -> bool {
    let Subject::Field(id) = subject else { return false };
    field_of(*id).is_some_and(|field| matches!(field.group, "status" | "power"))
}

/// The readings of a payload at their largest. Each group's offset grows as it is issued again; and whether the site runs stands
/// in a group of its own with everything a group may say, so that there is always room to change it.
#[must_use]
pub fn of_board(payload: &[u8]) -> Room {
    let mut readings = aged(payload);
    let seen = Seen { before_s: (1 << 24) - 1, valid_s: Some(VALID_S_MAX), basis: u8::MAX };
    readings.insert(Subject::Field(field::OPERATING_STATUS), Reading { value: Value::Number(1), seen });
    let all = reading::encode(&readings);
    readings.retain(|subject, _| *subject == Subject::Field(field::OPERATING_STATUS) || !is_of_safety(subject));
    Room { all, plain: reading::encode(&readings) }
}

/// The same of a detail, where nothing is kept for anybody.
#[must_use]
pub fn of_detail(payload: &[u8]) -> Room {
    let all = reading::encode(&aged(payload));
    Room { plain: all.clone(), all }
}

fn aged(payload: &[u8]) -> Readings {
    let mut readings = reading::decode(payload);
    for reading in readings.values_mut() {
        reading.seen.before_s = reading.seen.before_s.saturating_add(AGED_S);
    }
    readings
}

/// What a person could withdraw to make room, by name: never words of safety.
#[must_use]
pub fn withdrawable(payload: &[u8]) -> Vec<String> {
    reading::decode(payload).keys().filter(|subject| !is_of_safety(subject)).map(Subject::name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::field::fields;
    use super::*;
    use crate::config::BOARD_BYTES_KEPT;
    use crate::id::DocKind;

    #[test]
    fn what_is_kept_is_what_the_words_of_safety_take_each_in_a_group_of_its_own() {
        let mut readings = Readings::new();
        for (place, field) in fields().filter(|field| field.document == DocKind::Board).enumerate() {
            let subject = Subject::Field(field.id);
            if is_of_safety(&subject) && field.id != field::OPERATING_STATUS {
                // Only the hours are worked out.
                let hours = field.id == field::POWER_HOURS;
                let seen = Seen { before_s: AGED_S + place as u32, basis: if hours { 2 } else { 0 }, valid_s: None };
                readings.insert(subject, Reading { value: Value::Number(if hours { 10_000 } else { 1 }), seen });
            }
        }
        // The list's own id and length stand on every board.
        assert_eq!((readings.len(), reading::encode(&readings).len() - 2), (7, BOARD_BYTES_KEPT));
    }
}
