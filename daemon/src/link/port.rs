//! The loop's end of one link: a bounded queue of frames, and the credit that keeps it so. Knows no transport.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// Frames queued for one link at once. The byte budget fills first unless frames are under 16 bytes, which none of ours is.
const FRAMES_MAX: usize = 16_384;

/// How full one link is. Written by the loop and the link's task; every report of room is reckoned afresh by the loop.
#[derive(Debug)]
pub(crate) struct Gauge {
    /// Bytes that may be queued.
    budget: u32,
    /// Bytes queued now.
    queued: AtomicU32,
    /// What the core may still send by what it was last told.
    credit: AtomicU32,
    /// A report of room is on its way to the loop.
    told: AtomicBool,
}

impl Gauge {
    pub(crate) fn new(budget: u32) -> Arc<Self> {
        Arc::new(Self { budget, queued: AtomicU32::new(0), credit: AtomicU32::new(0), told: AtomicBool::new(false) })
    }

    /// Bytes left the queue. True if the loop should be told that there is room: once at a time, and only when the core has
    /// less than half the budget left, so that many small frames cost one report.
    pub(crate) fn release(&self, bytes: u32) -> bool {
        self.queued.fetch_sub(bytes, Ordering::SeqCst);
        self.credit.load(Ordering::SeqCst) < self.budget / 2 && !self.told.swap(true, Ordering::SeqCst)
    }
}

/// More was given than there was room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overrun;

/// Held by the loop for as long as the link may be used. Dropping it is a friendly goodbye.
#[derive(Debug)]
pub(crate) struct Port {
    frames: mpsc::Sender<Bytes>,
    gauge: Arc<Gauge>,
    mtu: u32,
    hangup: oneshot::Sender<String>,
}

/// The task's end of a [`Port`].
#[derive(Debug)]
pub(crate) struct Desk {
    /// What to send, in order.
    pub(crate) frames: mpsc::Receiver<Bytes>,
    /// To be released after each frame.
    pub(crate) gauge: Arc<Gauge>,
    /// Why the loop hung up; an error if it just went away.
    pub(crate) hangup: oneshot::Receiver<String>,
}

impl Port {
    /// A port and its other end, with a budget in bytes.
    pub(crate) fn new(budget: u32, mtu: u32) -> (Self, Desk) {
        let (frames, rx) = mpsc::channel(FRAMES_MAX);
        let (hangup, hung) = oneshot::channel();
        let gauge = Gauge::new(budget);
        (Self { frames, gauge: Arc::clone(&gauge), mtu, hangup }, Desk { frames: rx, gauge, hangup: hung })
    }

    /// False where the link's task says what may be given, and not how full the queue is.
    pub(crate) fn grants(&self) -> bool {
        self.gauge.budget > 0
    }

    /// Room in bytes, from now on the core's credit.
    pub(crate) fn grant(&self) -> u32 {
        // Cleared first: what is released after this line makes a new report.
        self.gauge.told.store(false, Ordering::SeqCst);
        let room = self.gauge.budget.saturating_sub(self.gauge.queued.load(Ordering::SeqCst));
        self.gauge.credit.store(room, Ordering::SeqCst);
        room
    }

    /// So much and no more may be given, whatever was allowed before.
    pub(crate) fn allow(&self, room: u32) {
        self.gauge.credit.store(room, Ordering::SeqCst);
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// [`Overrun`] if it is longer than the mtu or than the credit; nothing is queued.
    pub(crate) fn push(&self, frame: Bytes) -> Result<(), Overrun> {
        let bytes = u32::try_from(frame.len()).map_err(|_| Overrun)?;
        let credit = self.gauge.credit.load(Ordering::SeqCst);
        if bytes > self.mtu || bytes > credit {
            return Err(Overrun);
        }
        // Before the frame can be seen: the task decides by these whether to report room.
        self.gauge.credit.store(credit - bytes, Ordering::SeqCst);
        self.gauge.queued.fetch_add(bytes, Ordering::SeqCst);
        match self.frames.try_send(frame) {
            // A link whose task has ended is about to be reported down; the frame is lost with it.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Overrun),
        }
    }

    /// Ends the link with a reason.
    pub(crate) fn hangup(self, reason: String) {
        // The task may have ended by itself; then there is nobody to tell.
        drop(self.hangup.send(reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_beyond_the_budget_is_never_granted_nor_taken() {
        let (port, mut desk) = Port::new(100, 60);
        assert_eq!(port.push(Bytes::from_static(&[0; 1])), Err(Overrun), "nothing was granted yet");
        assert_eq!(port.grant(), 100);
        assert_eq!(port.push(Bytes::from(vec![0; 61])), Err(Overrun), "above the mtu");
        assert_eq!(port.push(Bytes::from(vec![0; 60])), Ok(()));
        assert_eq!(port.push(Bytes::from(vec![0; 41])), Err(Overrun));
        assert_eq!(port.push(Bytes::from(vec![0; 40])), Ok(()));
        assert_eq!(port.grant(), 0);
        assert_eq!(desk.frames.try_recv().map(|frame| frame.len()), Ok(60));
        assert!(desk.gauge.release(60), "the core has no credit left, so it is told");
        assert_eq!(desk.frames.try_recv().map(|frame| frame.len()), Ok(40));
        assert!(!desk.gauge.release(40), "once is enough until the loop took the report");
        assert_eq!(port.grant(), 100);
        assert_eq!(port.push(Bytes::from(vec![0; 10])), Ok(()));
        assert!(!desk.gauge.release(10), "plenty of credit: no report");
    }
}
