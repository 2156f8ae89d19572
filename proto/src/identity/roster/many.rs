//! Many objects at once, whatever their order.

use bytes::Bytes;

use super::{Offered, Roster};
use crate::identity::Rejected;

/// What became of many offered at once, by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferedAll {
    /// These changed the roster, in the order they did.
    pub new: Vec<usize>,
    /// These were refused in the end.
    pub refused: Vec<(usize, Rejected)>,
}

impl Roster {
    /// Takes many in, whatever their order: they are offered again until nothing is new, because one may have come too early, and one
    /// that was in may have fallen with its issuer and stand again under the next.
    pub fn offer_all(&mut self, objects: &[Bytes]) -> OfferedAll {
        let mut all = OfferedAll::default();
        // Each round lets in at least one more for good, or is the last.
        for _ in 0..=objects.len() {
            let mut grown = false;
            all.refused.clear();
            for (place, object) in objects.iter().enumerate() {
                match self.offer(object) {
                    Ok(Offered::New) => {
                        grown = true;
                        if !all.new.contains(&place) {
                            all.new.push(place);
                        }
                    }
                    Ok(Offered::Known) => {}
                    Err(why) => all.refused.push((place, why)),
                }
            }
            if !grown {
                break;
            }
        }
        all
    }
}
