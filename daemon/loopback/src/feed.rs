//! Server-sent events: everything that is said, numbered, with a short memory so that a listener can resume.
//!
//! One task numbers the events; listeners copy what they missed from the memory and then follow. A listener that fell behind
//! or comes back too late hears `lagged` once: what it shows may be old, so it must read everything again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::error::ApiError;
use crate::server::until;

/// Listeners at once. A page holds one; the CLI's `watch` one. Each costs about 2 kB and its place in the queue.
pub const LISTENERS_MAX: usize = 64;
/// Events remembered for those who come back: minutes of a busy alliance, about 200 kB.
const MEMORY_MAX: usize = 1_024;
/// Events a slow listener may fall behind before it hears `lagged`.
const BEHIND_MAX: usize = 1_024;
/// Comment on a quiet stream, so that both ends notice a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Browsers dial again after so long.
const RETRY: Duration = Duration::from_secs(2);

/// One event as sent.
#[derive(Clone, Debug)]
struct Line {
    number: u64,
    name: Arc<str>,
    data: Arc<str>,
}

#[derive(Debug, Default)]
struct Memory {
    /// Number of the newest event, 0 before the first.
    newest: u64,
    lines: VecDeque<Line>,
}

/// The numbered events of this run.
#[derive(Debug)]
pub struct Feed {
    /// Of every event.
    schema: &'static str,
    /// Tells the runs of the program apart: numbers begin again with each.
    run: String,
    memory: Mutex<Memory>,
    live: broadcast::Sender<Line>,
    seats: Arc<Semaphore>,
}

impl Feed {
    /// `schema` names the shape of the events.
    #[must_use]
    pub fn new(schema: &'static str) -> Self {
        let (live, _) = broadcast::channel(BEHIND_MAX);
        // Without randomness the clock still tells two runs apart; nothing secret hangs on it.
        let run = getrandom::u32().unwrap_or_else(|_| {
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos())
        });
        Self {
            schema,
            run: format!("{run:08x}"),
            memory: Mutex::new(Memory::default()),
            live,
            seats: Arc::new(Semaphore::new(LISTENERS_MAX)),
        }
    }

    /// Listeners now.
    #[must_use]
    pub fn listeners(&self) -> usize {
        LISTENERS_MAX - self.seats.available_permits()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing that can panic runs under the lock, so a poisoned one is still whole.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some events were missed; 0 where it is not known how many.
    pub fn say_lagged(&self, missed: u64) {
        self.say("lagged", &self.lagged(missed));
    }

    fn lagged(&self, missed: u64) -> String {
        serde_json::json!({ "schema": self.schema, "event": "lagged", "missed": missed }).to_string()
    }

    /// Tells every listener, and those who come back soon. `data` is JSON on one line.
    pub fn say(&self, name: &str, data: &str) {
        let mut memory = self.memory();
        memory.newest += 1;
        let line = Line { number: memory.newest, name: name.into(), data: data.into() };
        if memory.lines.len() == MEMORY_MAX {
            memory.lines.pop_front();
        }
        memory.lines.push_back(line.clone());
        // Sent under the lock, so that a listener who just copied the memory misses nothing and hears nothing twice.
        let _listeners = self.live.send(line);
    }

    /// What a listener that last heard `last` must hear first, and what comes after.
    fn listen(&self, last: Option<&str>) -> (VecDeque<Line>, bool, u64, broadcast::Receiver<Line>) {
        let memory = self.memory();
        let live = self.live.subscribe();
        let Some(last) = last else { return (VecDeque::new(), false, memory.newest, live) };
        let number = last.split_once('-').filter(|(run, _)| *run == self.run).and_then(|(_, number)| number.parse().ok());
        let oldest = memory.lines.front().map_or(memory.newest + 1, |line| line.number);
        match number {
            Some(number) if number <= memory.newest && number + 1 >= oldest => {
                let missed = memory.lines.iter().filter(|line| line.number > number).cloned().collect();
                (missed, false, number, live)
            }
            Some(_) | None => (VecDeque::new(), true, memory.newest, live),
        }
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    /// The events from now on, or from what the caller last heard, until `stopped`.
    ///
    /// # Errors
    /// Every seat is taken.
    pub fn follow(self: &Arc<Self>, headers: &HeaderMap, stopped: watch::Receiver<bool>) -> Result<Response, ApiError> {
        let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() else { return Err(ApiError::too_many_listeners()) };
        let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or(""));
        let (missed, lagged, number, live) = self.listen(last);
        let feed = Arc::clone(self);
        let listener = Listener { feed, greeting: Some(number), lagged, missed, live, stopped, _seat: seat };
        let frames = stream::unfold(listener, Listener::next);
        Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
    }
}

/// One listener.
struct Listener {
    feed: Arc<Feed>,
    greeting: Option<u64>,
    lagged: bool,
    missed: VecDeque<Line>,
    live: broadcast::Receiver<Line>,
    stopped: watch::Receiver<bool>,
    /// Given back when the connection ends.
    _seat: OwnedSemaphorePermit,
}

impl Listener {
    fn frame(&self, line: &Line) -> Frame {
        Frame::default().id(self.feed.id(line.number)).event(&*line.name).data(&*line.data)
    }

    async fn next(mut self) -> Option<(Result<Frame, Infallible>, Self)> {
        if let Some(number) = self.greeting.take() {
            // Only an id: a browser remembers it for its next dial, nobody is told anything.
            return Some((Ok(Frame::default().id(self.feed.id(number)).retry(RETRY)), self));
        }
        if std::mem::take(&mut self.lagged) {
            return Some((Ok(Frame::default().event("lagged").data(self.feed.lagged(0))), self));
        }
        if let Some(line) = self.missed.pop_front() {
            return Some((Ok(self.frame(&line)), self));
        }
        let heard = tokio::select! {
            // What was said before the end is heard before it.
            biased;
            heard = self.live.recv() => heard,
            () = until(&mut self.stopped) => return None,
        };
        let frame = match heard {
            Ok(line) => self.frame(&line),
            Err(RecvError::Lagged(missed)) => Frame::default().event("lagged").data(self.feed.lagged(missed)),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(frame), self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_comes_back_hears_what_it_missed_and_nothing_twice() {
        let feed = Feed::new("test/1");
        for _ in 0..5 {
            feed.say("fault", "{}");
        }
        let (missed, lagged, _, _live) = feed.listen(Some(&feed.id(3)));
        assert_eq!(missed.iter().map(|line| line.number).collect::<Vec<_>>(), [4, 5]);
        assert!(!lagged);
        let (missed, lagged, _, _live) = feed.listen(Some(&feed.id(5)));
        assert!(missed.is_empty() && !lagged);
        let (missed, lagged, number, _live) = feed.listen(None);
        assert!(missed.is_empty() && !lagged);
        assert_eq!(number, 5);
    }

    #[test]
    fn who_comes_back_too_late_or_from_another_run_is_told_to_read_again() {
        let feed = Feed::new("test/1");
        for _ in 0..MEMORY_MAX + 2 {
            feed.say("fault", "{}");
        }
        for last in [&feed.id(1), "00000000000-7", "", "nonsense", &feed.id(u64::MAX), &feed.id(99_999)] {
            let (missed, lagged, _, _live) = feed.listen(Some(last));
            assert!(missed.is_empty() && lagged, "{last}");
        }
        let (missed, lagged, _, _live) = feed.listen(Some(&feed.id(2)));
        assert_eq!(missed.len(), MEMORY_MAX);
        assert!(!lagged);
    }
}
