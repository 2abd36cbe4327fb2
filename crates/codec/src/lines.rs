//! Newline-delimited messages (stdio). A line's size is counted without its terminator, `\n` or `\r\n`.
//!
//! [`Lines::feed`] hands out every frame and refusal as it is met. [`Lines::push`] has the shape of the seam: when a chunk
//! holds a refused line among good ones nothing is lost: it returns what comes up to the refusal, the next call the refusal,
//! the one after it the rest; calling with an empty chunk until nothing comes back takes everything.

use crate::errors::Refusal;
use crate::frames::Outcomes;

/// Cuts a byte stream at newlines. Linear whatever the chunking.
#[derive(Debug)]
pub struct Lines {
    max_bytes: usize,
    rest: Vec<u8>,
    skipping: bool,
    outcomes: Outcomes,
}

impl Lines {
    /// A framer for messages of at most `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Lines {
            max_bytes,
            rest: Vec::new(),
            skipping: false,
            outcomes: Outcomes::default(),
        }
    }

    /// Bytes held: of the unterminated line and of frames not yet taken.
    pub fn held(&self) -> usize {
        self.rest.len() + self.outcomes.bytes()
    }

    /// Frames up to the next refusal, or the refusal.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        self.feed(chunk, |outcome| outcomes.add(outcome));
        self.outcomes = outcomes;
        self.outcomes.take()
    }

    /// Hands every frame (without terminator, never empty) and every [`Refusal::TooLarge`] to `sink`, in order.
    pub fn feed(&mut self, chunk: &[u8], mut sink: impl FnMut(Result<&[u8], Refusal>)) {
        let mut start = 0;
        for stop in memchr::memchr_iter(b'\n', chunk) {
            self.line(&chunk[start..stop], &mut sink);
            start = stop + 1;
        }
        self.hold(&chunk[start..], &mut sink);
    }

    /// The unterminated rest at the end of input, if any. Starts afresh.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        let mut rest = std::mem::take(&mut self.rest);
        rest.truncate(without_return(&rest).len());
        self.skipping = false;
        self.outcomes.clear();
        if rest.is_empty() { None } else { Some(rest) }
    }

    /// The last part of a line, its newline found.
    fn line(&mut self, part: &[u8], sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        if !self.rest.is_empty() {
            self.hold(part, sink);
        }
        if std::mem::take(&mut self.skipping) {
            return;
        }
        let rest = std::mem::take(&mut self.rest);
        let line = without_return(if rest.is_empty() { part } else { &rest });
        if line.len() > self.max_bytes {
            sink(Err(Refusal::TooLarge));
        } else if !line.is_empty() {
            sink(Ok(line));
        }
    }

    /// Part of a line whose newline is not here yet. One byte more than allowed may be the `\r` of the terminator.
    fn hold(&mut self, part: &[u8], sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        if self.skipping || part.is_empty() {
            return;
        }
        let length = self.rest.len() + part.len();
        let may_end = length == self.max_bytes.saturating_add(1) && part.ends_with(b"\r");
        if length > self.max_bytes && !may_end {
            self.rest = Vec::new();
            self.skipping = true;
            sink(Err(Refusal::TooLarge));
        } else {
            self.rest.extend_from_slice(part);
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
