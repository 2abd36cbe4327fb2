//! `text/event-stream` (WHATWG HTML, 9.2) into the data of its events.
//!
//! Events without data are not handed up, but their id counts. An event that the stream ends in is dropped, as the standard
//! says. [`Events::feed`] and [`Events::push`] relate as for [`crate::Lines`].

use crate::errors::Refusal;
use crate::frames::Outcomes;

/// What a line may have besides `max_bytes` of data: a byte order mark and `data: `.
const LINE_EXTRA: usize = 9;
/// More digits would not be a number of milliseconds that anybody means, nor a safe integer in JavaScript.
const MAX_RETRY_DIGITS: usize = 15;

/// Parses server-sent events. Linear whatever the chunking.
#[derive(Debug)]
pub struct Events {
    max_bytes: usize,
    outcomes: Outcomes,
    line: Vec<u8>,
    data: Vec<u8>,
    data_lines: usize,
    id: String,
    event_type: String,
    last_event_id: String,
    last_event_type: String,
    retry: Option<u64>,
    started: bool,
    after_return: bool,
    /// The line being read is a comment: not held, whatever its length.
    comment: bool,
    line_refused: bool,
    event_refused: bool,
}

impl Events {
    /// A parser for events with at most `max_bytes` of data.
    pub fn new(max_bytes: usize) -> Self {
        Events {
            max_bytes,
            outcomes: Outcomes::default(),
            line: Vec::new(),
            data: Vec::new(),
            data_lines: 0,
            id: String::new(),
            event_type: String::new(),
            last_event_id: String::new(),
            last_event_type: String::new(),
            retry: None,
            started: false,
            after_return: false,
            comment: false,
            line_refused: false,
            event_refused: false,
        }
    }

    /// Bytes held: of the unterminated line, of the event's data so far and of frames not yet taken.
    pub fn held(&self) -> usize {
        self.line.len() + self.data.len() + self.outcomes.bytes()
    }

    /// The id that a reconnecting client sends; empty when none came. Set by the event that ended last.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Type of the event with data that ended last; empty before the first.
    pub fn last_event_type(&self) -> &str {
        &self.last_event_type
    }

    /// Reconnection time that the server asked for in milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// Frames up to the next refusal, or the refusal.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        self.feed(chunk, |outcome| outcomes.add(outcome));
        self.outcomes = outcomes;
        self.outcomes.take()
    }

    /// Hands the data of every event and every [`Refusal::TooLarge`] to `sink`, in order.
    pub fn feed(&mut self, chunk: &[u8], mut sink: impl FnMut(Result<&[u8], Refusal>)) {
        if chunk.is_empty() {
            return;
        }
        // The second half of a CRLF that was cut in two.
        let mut start = (std::mem::take(&mut self.after_return) && chunk[0] == b'\n') as usize;
        while let Some(length) = memchr::memchr2(b'\n', b'\r', &chunk[start..]) {
            let stop = start + length;
            self.end_line(&chunk[start..stop], &mut sink);
            start = stop + 1;
            if chunk[stop] == b'\r' {
                match chunk.get(start) {
                    Some(b'\n') => start += 1,
                    Some(_) => {}
                    None => self.after_return = true,
                }
            }
        }
        self.part(&chunk[start..], &mut sink);
    }

    /// Always `None`: an event without its blank line is dropped. Id and retry stay, for the next connection.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        let fresh = Events::new(self.max_bytes);
        let last = std::mem::replace(self, fresh);
        self.id.clone_from(&last.last_event_id);
        self.last_event_id = last.last_event_id;
        self.last_event_type = last.last_event_type;
        self.retry = last.retry;
        None
    }

    fn part(&mut self, part: &[u8], sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        if self.comment || self.line_refused || part.is_empty() {
            return;
        }
        if self.line.is_empty() && part[0] == b':' {
            self.comment = true;
        } else if self.line.len() + part.len() > self.max_bytes.saturating_add(LINE_EXTRA) {
            self.line = Vec::new();
            self.line_refused = true;
            self.refuse(sink);
        } else {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self, part: &[u8], sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        let whole = self.line.is_empty() && part.len() <= self.max_bytes;
        if !whole {
            self.part(part, sink);
        }
        let held = std::mem::take(&mut self.line);
        let comment = std::mem::take(&mut self.comment);
        let refused = std::mem::take(&mut self.line_refused);
        let first = !std::mem::replace(&mut self.started, true);
        if comment || refused {
            return;
        }
        let mut line = if whole { part } else { &held };
        if first {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(sink)
        } else {
            self.field(line, sink)
        }
    }

    fn field(&mut self, line: &[u8], sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        let (name, value) = match memchr::memchr(b':', line) {
            Some(end) => (&line[..end], &line[end + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => self.append(value, sink),
            b"id" if !value.contains(&0) => self.id = String::from_utf8_lossy(value).into_owned(),
            b"event" => self.event_type = String::from_utf8_lossy(value).into_owned(),
            b"retry" if value.len() <= MAX_RETRY_DIGITS && value.iter().all(u8::is_ascii_digit) => {
                // Fails on the empty value only, which says nothing.
                if let Some(time) = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
                    self.retry = Some(time);
                }
            }
            // Comments too: their name is empty.
            _ => {}
        }
    }

    fn append(&mut self, value: &[u8], sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        if self.event_refused {
            return;
        }
        let separator = (self.data_lines > 0) as usize;
        self.data_lines += 1;
        if self.data.len() + separator + value.len() > self.max_bytes {
            return self.refuse(sink);
        }
        if separator == 1 {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
    }

    /// Once per event; its other lines are still read, because its id counts.
    fn refuse(&mut self, sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        self.data = Vec::new();
        if !std::mem::replace(&mut self.event_refused, true) {
            sink(Err(Refusal::TooLarge));
        }
    }

    fn dispatch(&mut self, sink: &mut impl FnMut(Result<&[u8], Refusal>)) {
        self.last_event_id.clone_from(&self.id);
        let event_type = std::mem::take(&mut self.event_type);
        let data = std::mem::take(&mut self.data);
        if !data.is_empty() {
            self.last_event_type = if event_type.is_empty() {
                "message".into()
            } else {
                event_type
            };
            sink(Ok(&data));
        }
        self.data_lines = 0;
        self.event_refused = false;
    }
}
