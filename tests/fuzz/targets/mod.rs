//! What is fuzzed: one function for each reader of bytes from outside. Each panics where the reader breaks a promise.
//!
//! The same list is replayed by the tests (`tests/fuzzed.rs`) and driven by libFuzzer (`tests/fuzz/main.rs`). Any bytes are input; those that
//! don't parse are an answer too. Length, time and memory of one input are limited by whoever runs them.

mod air;
mod api;
mod courier;
pub(crate) mod papers;
pub(crate) mod siege;
mod talk;
mod words;

/// One reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Its folder in `tests/fuzz/corpus`.
    pub(crate) name: &'static str,
    /// Reads the bytes and checks what must hold.
    pub(crate) run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// All readers of the protocol and of the API.
pub(crate) const TARGETS: &[Target] = &[
    target("air", air::port),
    target("frame", words::frame),
    target("entry", words::entry),
    target("body", words::body),
    target("board", words::board),
    target("readings", words::readings),
    target("charter", papers::charter),
    target("issuer", papers::issuer),
    target("certificate", papers::certificate),
    target("deputy", papers::deputy),
    target("delegation", papers::delegation),
    target("act", papers::act),
    target("desk", papers::desk),
    target("revocation", papers::revocation),
    target("roster", papers::roster),
    target("draft", papers::draft),
    target("armor", papers::armored),
    target("enrol", talk::enrol),
    target("recording", siege::recording),
    target("node", siege::node),
    target("courier", courier::file),
    target("api", api::bodies),
];

/// Bytes taken one after the other; nothing is taken twice, and an end that comes early gives less.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A length in two bytes, then so many bytes or what is left.
    pub(crate) fn counted(&mut self) -> &'a [u8] {
        let (high, low) = (self.byte().unwrap_or(0), self.byte().unwrap_or(0));
        let length = usize::from(u16::from_be_bytes([high, low])).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}
