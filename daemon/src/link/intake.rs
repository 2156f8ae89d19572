//! What links tell the loop, on its way there: a bounded lane for each link, all served in turn by bytes. Who sends most waits
//! longest, and nobody's words wait behind another's flood. Within a lane everything keeps its order.
//!
//! Surplus round robin: a lane is served while it has credit, may overdraw it by the last report, and pays that back before its next
//! turn. So a lane of long frames gets no more bytes than one of short ones, whatever came first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, mpsc};

use super::Report;

/// Bytes waiting in the lane of one peer; then its link is not read any further, and it stops sending. Two of the longest frames; with
/// all links that there may be it is 16 MiB.
pub(super) const LANE_BYTES: u32 = 131_072;
/// The same where all speak through one lane, and what finds no room is lost.
pub(super) const LANE_BYTES_BROADCAST: u32 = 2_097_152;
/// Credit for one turn: a few dozen words, whose signatures take a few milliseconds.
const QUANTUM: i64 = 8_192;
/// The least that a report counts: short ones cost work too.
const REPORT_BYTES_MIN: usize = 256;

/// The loop takes no more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unheard;

/// Why a report was not taken at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotNow;

#[derive(Debug, Default)]
struct Waiting {
    reports: VecDeque<(u32, Report)>,
    /// Negative where more was served than the last turn gave.
    credit: i64,
    /// It stands in the row of those to be served, or is being served.
    queued: bool,
}

#[derive(Debug)]
struct Lane {
    room: Semaphore,
    waiting: Mutex<Waiting>,
}

impl Lane {
    fn new(bytes: u32) -> Arc<Self> {
        Arc::new(Self { room: Semaphore::new(bytes as usize), waiting: Mutex::default() })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here is ever left half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a report takes of its lane.
fn bytes_of(report: &Report) -> u32 {
    let bytes = match report {
        Report::Frame(_, frame) => frame.len(),
        Report::Up(..) | Report::Down(..) | Report::Room(_) | Report::Credit { .. } | Report::Other(_) => 0,
    };
    // More than a whole lane would never fit.
    u32::try_from(bytes.max(REPORT_BYTES_MIN)).unwrap_or(LANE_BYTES).min(LANE_BYTES)
}

/// One link's way to the loop. Copies share the lane.
#[derive(Clone, Debug)]
pub(crate) struct Inlet {
    lane: Arc<Lane>,
    row: mpsc::UnboundedSender<Arc<Lane>>,
    closed: Arc<AtomicBool>,
}

impl Inlet {
    /// A lane of its own, for so many bytes.
    pub(crate) fn apart(&self, bytes: u32) -> Self {
        Self { lane: Lane::new(bytes), row: self.row.clone(), closed: Arc::clone(&self.closed) }
    }

    /// Waits for room in the lane.
    ///
    /// # Errors
    /// [`Unheard`] once the loop has ended.
    pub(crate) async fn send(&self, report: Report) -> Result<(), Unheard> {
        let bytes = bytes_of(&report);
        self.lane.room.acquire_many(bytes).await.map_err(|_| Unheard)?.forget();
        self.put(bytes, report)
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// [`NotNow`] where the lane is full, or the loop has ended.
    pub(crate) fn try_send(&self, report: Report) -> Result<(), NotNow> {
        let bytes = bytes_of(&report);
        self.lane.room.try_acquire_many(bytes).map_err(|_| NotNow)?.forget();
        self.put(bytes, report).map_err(|_| NotNow)
    }

    fn put(&self, bytes: u32, report: Report) -> Result<(), Unheard> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Unheard);
        }
        let mut waiting = self.lane.waiting();
        waiting.reports.push_back((bytes, report));
        if !std::mem::replace(&mut waiting.queued, true) {
            self.row.send(Arc::clone(&self.lane)).map_err(|_| Unheard)?;
        }
        Ok(())
    }
}

/// The loop's end of all lanes.
#[derive(Debug)]
pub(crate) struct Intake {
    row: mpsc::UnboundedReceiver<Arc<Lane>>,
    back: mpsc::UnboundedSender<Arc<Lane>>,
    closed: Arc<AtomicBool>,
    /// The lane whose turn it is.
    serving: Option<Arc<Lane>>,
    /// How often a lane had to wait because its share was spent and others waited too.
    put_off: u64,
}

impl Intake {
    /// The loop's end, and the first lane.
    pub(crate) fn new() -> (Inlet, Self) {
        let (back, row) = mpsc::unbounded_channel();
        let closed = Arc::new(AtomicBool::new(false));
        let inlet = Inlet { lane: Lane::new(LANE_BYTES), row: back.clone(), closed: Arc::clone(&closed) };
        (inlet, Self { row, back, closed, serving: None, put_off: 0 })
    }

    /// The next report. Safe to drop half-way: nothing is lost.
    pub(crate) async fn next(&mut self) -> Report {
        loop {
            if let Some(report) = self.try_next() {
                return report;
            }
            match self.row.recv().await {
                Some(lane) => self.begin(lane),
                // Not reachable while `back` is held; waiting is the answer that harms nobody.
                None => std::future::pending().await,
            }
        }
    }

    /// The next report, if one waits.
    pub(crate) fn try_next(&mut self) -> Option<Report> {
        loop {
            let lane = match self.serving.take() {
                Some(lane) => lane,
                None => {
                    let lane = self.row.try_recv().ok()?;
                    self.begin(lane);
                    continue;
                }
            };
            let alone = self.row.is_empty();
            let mut waiting = lane.waiting();
            let has_turn = waiting.credit > 0;
            let Some((bytes, report)) = has_turn.then(|| waiting.reports.pop_front()).flatten() else {
                drop(waiting);
                self.put_off += u64::from(!alone);
                // Fails only where nobody holds the other end, which is here.
                drop(self.back.send(lane));
                continue;
            };
            waiting.credit -= i64::from(bytes);
            if alone {
                // Nobody had to wait for it.
                waiting.credit = waiting.credit.max(0);
            }
            waiting.queued = !waiting.reports.is_empty();
            if waiting.queued {
                self.serving = Some(Arc::clone(&lane));
            } else {
                // What was not used is not saved up.
                waiting.credit = waiting.credit.min(0);
            }
            drop(waiting);
            lane.room.add_permits(bytes as usize);
            return Some(report);
        }
    }

    fn begin(&mut self, lane: Arc<Lane>) {
        lane.waiting().credit += QUANTUM;
        self.serving = Some(lane);
    }

    /// How often a lane had to wait because its share was spent and others waited too.
    pub(crate) fn put_off(&self) -> u64 {
        self.put_off
    }

    /// Takes no more. What waits is dropped, and whoever waits for room is told.
    pub(crate) fn close(&mut self) {
        self.closed.store(true, Ordering::Release);
        self.row.close();
        let serving = self.serving.take();
        let row = std::iter::from_fn(|| self.row.try_recv().ok());
        for lane in serving.into_iter().chain(row) {
            lane.room.close();
            lane.waiting().reports.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use holdfast_proto::link::LinkId;

    use super::*;

    fn frame(link: u32, bytes: usize) -> Report {
        Report::Frame(LinkId(link), Bytes::from(vec![0; bytes]))
    }

    fn whose(report: Option<Report>) -> Option<(u32, usize)> {
        match report {
            Some(Report::Frame(link, frame)) => Some((link.0, frame.len())),
            _ => None,
        }
    }

    #[test]
    fn a_flood_keeps_another_lane_waiting_for_one_frame_at_most() {
        for length in [65_536, 16_384, 300] {
            let (flood, mut intake) = Intake::new();
            let quiet = flood.apart(LANE_BYTES);
            while flood.try_send(frame(1, length)).is_ok() {}
            // In the midst of its turn.
            intake.try_next();
            quiet.try_send(frame(2, 300)).expect("its lane is empty");
            let before = std::iter::from_fn(|| whose(intake.try_next())).position(|(link, _)| link == 2).expect("it comes");
            assert!(before * length <= 8_192, "{before} of {length} bytes went before");
        }
    }

    #[test]
    fn lanes_share_by_bytes_and_not_by_frames() {
        let (long, mut intake) = Intake::new();
        let short = long.apart(LANE_BYTES);
        let mut served = [0; 2];
        while served.iter().sum::<usize>() < 10_000_000 {
            while long.try_send(frame(0, 65_536)).is_ok() {}
            while short.try_send(frame(1, 400)).is_ok() {}
            let (link, bytes) = whose(intake.try_next()).expect("both wait");
            served[link as usize] += bytes;
        }
        let [more, less] = [served[0].max(served[1]), served[0].min(served[1])];
        assert!(more - less <= 2 * 65_536, "{served:?}");
        assert!(intake.put_off() > 0);
    }

    #[test]
    fn a_full_lane_takes_no_more_and_leaves_the_others_alone() {
        let (flood, mut intake) = Intake::new();
        let other = flood.apart(LANE_BYTES);
        let taken = std::iter::repeat_with(|| flood.try_send(frame(1, 1_000))).take_while(Result::is_ok).count();
        assert_eq!(taken, LANE_BYTES as usize / 1_000);
        assert_eq!(other.try_send(frame(2, 65_536)), Ok(()));
        let order: Vec<(u32, usize)> = std::iter::from_fn(|| whose(intake.try_next())).collect();
        assert_eq!(order.len(), taken + 1, "everything comes, and room is given back");
        assert_eq!(flood.try_send(frame(1, 65_536)), Ok(()));
    }

    #[tokio::test]
    async fn who_waits_for_room_gets_it_or_hears_that_it_is_over() {
        let (flood, mut intake) = Intake::new();
        while flood.try_send(frame(1, 65_536)).is_ok() {}
        let waiting = tokio::spawn({
            let flood = flood.clone();
            async move {
                let short = flood.send(frame(1, 7)).await;
                let long = [flood.send(frame(1, 65_536)).await, flood.send(frame(1, 65_536)).await];
                (short, long, flood.send(frame(1, 65_536)).await)
            }
        });
        let mut seen = Vec::new();
        while seen.len() < 3 {
            seen.extend(whose(Some(intake.next().await)));
        }
        assert_eq!(seen, [(1, 65_536), (1, 65_536), (1, 7)], "in order");
        tokio::task::yield_now().await;
        intake.close();
        assert_eq!(waiting.await.expect("it ends"), (Ok(()), [Ok(()), Ok(())], Err(Unheard)));
        assert_eq!(flood.send(frame(1, 1)).await, Err(Unheard));
        assert_eq!(flood.apart(LANE_BYTES).send(frame(1, 1)).await, Err(Unheard));
    }
}
