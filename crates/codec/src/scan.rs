//! The envelope scanner: one pass over a JSON-RPC message, out come its kind and the byte ranges of what is acted on.
//!
//! Order of refusals, the same on both engines: too many bytes for an offset, byte order mark, UTF-8 of the whole message;
//! then from left to right the first problem met decides, where a depth is met at its opening bracket, a duplicate at the
//! closing quote of the second key, and a wrong type at the end of a value that is well-formed; then bytes after the
//! value; then [`conclude`]. It never decodes values, never allocates and never looks into a batch.

use crate::envelope::{Envelope, Kind, MAX_ID_BYTES, conclude, field, flag};
use crate::errors::Refusal;
use crate::keys;
use crate::simd::{Job, Level, Simd, dispatch, dispatch_at};
use crate::skip::{DEPTH_CEILING, Text, colon, space, string, value};

/// Scans one message and proves all of it well-formed JSON in UTF-8.
///
/// `max_depth` counts the nested brackets of the whole message and is capped at [`DEPTH_CEILING`]. On a refusal `out`
/// holds what was found until then and means nothing.
pub fn scan(message: &[u8], max_depth: u32, out: &mut Envelope) -> Result<Kind, Refusal> {
    dispatch(Scan::<true> {
        message,
        max_depth,
        out,
    })
}

/// Like [`scan`], but containers that are not acted on (arguments, results, other params) are only skipped: their end is
/// found by counting brackets outside strings, and what is in them is not proven. A message that [`scan`] accepts gives
/// the same ranges here. Nothing found this way may be cached, forwarded or answered before it was proven.
pub fn scan_ranges(message: &[u8], max_depth: u32, out: &mut Envelope) -> Result<Kind, Refusal> {
    dispatch(Scan::<false> {
        message,
        max_depth,
        out,
    })
}

/// [`scan`] (or [`scan_ranges`] without `prove`) at a chosen level, so that a test can compare all of them.
#[doc(hidden)]
pub fn scan_at(level: Level, prove: bool, message: &[u8], max_depth: u32, out: &mut Envelope) -> Result<Kind, Refusal> {
    if prove {
        dispatch_at(
            level,
            Scan::<true> {
                message,
                max_depth,
                out,
            },
        )
    } else {
        dispatch_at(
            level,
            Scan::<false> {
                message,
                max_depth,
                out,
            },
        )
    }
}

/// What every reader of JSON text checks first. `Ok(true)`: all ASCII.
#[inline(always)]
pub(crate) fn text<S: Simd>(simd: S, bytes: &[u8]) -> Result<bool, Refusal> {
    if bytes.len() > i32::MAX as usize {
        return Err(Refusal::TooLarge);
    }
    // ASCII is the common case and cheaper to see than UTF-8, which it makes superfluous.
    if simd.is_ascii(bytes) {
        return Ok(true);
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Refusal::Bom);
    }
    match simdutf8::basic::from_utf8(bytes) {
        Ok(_) => Ok(false),
        Err(_) => Err(Refusal::Utf8),
    }
}

struct Scan<'a, const PROVE: bool> {
    message: &'a [u8],
    max_depth: u32,
    out: &'a mut Envelope,
}

impl<const PROVE: bool> Job for Scan<'_, PROVE> {
    type Output = Result<Kind, Refusal>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        *self.out = Envelope::new();
        if text(simd, self.message)? {
            self.out.raise(flag::ASCII);
        }
        let max_depth = self.max_depth.min(DEPTH_CEILING);
        let mut pass = Pass::<S, PROVE> {
            simd,
            bytes: self.message,
            max_depth,
            out: self.out,
        };
        let start = space(pass.bytes, 0);
        match pass.bytes.get(start) {
            Some(b'{') => pass.message(start),
            first => {
                let batch = first == Some(&b'[');
                let end = pass.value(start, 0)?;
                pass.nothing_after(end)?;
                if batch {
                    Ok(Kind::Batch)
                } else {
                    Err(Refusal::NotAnObject)
                }
            }
        }
    }
}

struct Pass<'a, S, const PROVE: bool> {
    simd: S,
    bytes: &'a [u8],
    max_depth: u32,
    out: &'a mut Envelope,
}

impl<S: Simd, const PROVE: bool> Pass<'_, S, PROVE> {
    #[inline(always)]
    fn value(&self, at: usize, depth: u32) -> Result<usize, Refusal> {
        value::<S, PROVE>(self.simd, self.bytes, at, depth, self.max_depth)
    }

    #[inline(always)]
    fn nothing_after(&self, at: usize) -> Result<(), Refusal> {
        if space(self.bytes, at) == self.bytes.len() {
            Ok(())
        } else {
            Err(Refusal::Malformed)
        }
    }

    #[inline(always)]
    fn is(&self, at: usize, byte: u8) -> bool {
        self.bytes.get(at) == Some(&byte)
    }

    /// Past the opening brace of an acted-on object inside `depth` brackets; `None` with its end when it is empty.
    #[inline(always)]
    fn enter(&self, at: usize, depth: u32) -> Result<(usize, bool), Refusal> {
        if depth >= self.max_depth {
            return Err(Refusal::TooDeep);
        }
        let at = space(self.bytes, at + 1);
        Ok(if self.is(at, b'}') { (at + 1, true) } else { (at, false) })
    }

    /// Reads a key and its colon: the bit of the key, and where the value starts. Refuses a second one with the same bit.
    #[inline(always)]
    fn key(
        &self,
        at: usize,
        seen: &mut u32,
        guess: impl Fn(&[u8]) -> (u32, usize),
        find: fn(&[u8]) -> u32,
    ) -> Result<(u32, usize), Refusal> {
        let (mut key, mut close) = (0, at);
        if self.is(at, b'"') {
            let (guessed, length) = guess(&self.bytes[at + 1..]);
            (key, close) = (guessed, at + 1 + length);
        }
        if key == 0 {
            let text = string(self.simd, self.bytes, at)?;
            close = text.close;
            // What is spelled plainly would have been guessed.
            if text.escaped {
                key = keys::find_escaped(&self.bytes[at + 1..close], find);
            }
        }
        if *seen & key != 0 {
            return Err(Refusal::DuplicateKey);
        }
        *seen |= key;
        Ok((key, colon(self.bytes, close + 1)?))
    }

    /// After a member: at the next key, or past the closing brace (`true`).
    #[inline(always)]
    fn next(&self, at: usize) -> Result<(usize, bool), Refusal> {
        let at = space(self.bytes, at);
        match self.bytes.get(at) {
            Some(b',') => Ok((space(self.bytes, at + 1), false)),
            Some(b'}') => Ok((at + 1, true)),
            _ => Err(Refusal::Malformed),
        }
    }

    /// A value that has to be a string: its range goes to `field`, without the quotes.
    #[inline(always)]
    fn text(&mut self, at: usize, depth: u32, field: usize, otherwise: Refusal) -> Result<usize, Refusal> {
        if !self.is(at, b'"') {
            self.value(at, depth)?;
            return Err(otherwise);
        }
        let Text { close, escaped } = string(self.simd, self.bytes, at)?;
        if escaped {
            self.out.raise(flag::ESCAPED);
        }
        self.out.set(field, at + 1, close);
        Ok(close + 1)
    }

    #[inline(always)]
    fn message(&mut self, at: usize) -> Result<Kind, Refusal> {
        use keys::envelope as key;
        let (mut at, mut done) = self.enter(at, 0)?;
        let (mut seen, mut null_id) = (0, false);
        while !done {
            let (found, start) = self.key(at, &mut seen, key::guess, key::find)?;
            at = match found {
                key::METHOD => self.text(start, 1, field::METHOD, Refusal::BadMethod)?,
                key::PARAMS => self.params(start)?,
                key::JSONRPC => self.version(start)?,
                key::ID => {
                    let end = self.value(start, 1)?;
                    match self.bytes[start] {
                        b'"' | b'-' | b'0'..=b'9' if end - start <= MAX_ID_BYTES => {
                            self.out.set(field::ID, start, end);
                        }
                        b'n' => null_id = true,
                        _ => return Err(Refusal::BadId),
                    }
                    end
                }
                _ => self.value(start, 1)?,
            };
            (at, done) = self.next(at)?;
        }
        self.nothing_after(at)?;
        conclude(
            seen & key::JSONRPC != 0,
            seen & key::METHOD != 0,
            seen & (key::RESULT | key::ERROR) != 0,
            seen & key::ID != 0,
            null_id,
        )
    }

    #[inline(always)]
    fn version(&mut self, at: usize) -> Result<usize, Refusal> {
        if !self.is(at, b'"') {
            self.value(at, 1)?;
            return Err(Refusal::BadVersion);
        }
        if self.bytes[at..].starts_with(b"\"2.0\"") {
            return Ok(at + 5);
        }
        let Text { close, escaped } = string(self.simd, self.bytes, at)?;
        let raw = &self.bytes[at + 1..close];
        if escaped && keys::equals_escaped(raw, b"2.0") {
            Ok(close + 1)
        } else {
            Err(Refusal::BadVersion)
        }
    }

    #[inline(always)]
    fn params(&mut self, start: usize) -> Result<usize, Refusal> {
        use keys::params as key;
        if !self.is(start, b'{') {
            let end = self.value(start, 1)?;
            if self.bytes[start] != b'[' {
                return Err(Refusal::BadParams);
            }
            self.out.raise(flag::PARAMS_ARRAY);
            self.out.set(field::PARAMS, start, end);
            return Ok(end);
        }
        let (mut at, mut done) = self.enter(start, 1)?;
        let mut seen = 0;
        while !done {
            let (found, start) = self.key(at, &mut seen, key::guess, key::find)?;
            at = match found {
                key::NAME => self.text(start, 2, field::NAME, Refusal::BadParams)?,
                key::URI => self.text(start, 2, field::URI, Refusal::BadParams)?,
                key::META => self.meta(start)?,
                key::ARGUMENTS => {
                    let end = self.value(start, 2)?;
                    if !self.is(start, b'{') {
                        return Err(Refusal::BadParams);
                    }
                    self.out.set(field::ARGUMENTS, start, end);
                    end
                }
                _ => {
                    self.out.raise(flag::OTHER_PARAMS);
                    self.value(start, 2)?
                }
            };
            (at, done) = self.next(at)?;
        }
        self.out.set(field::PARAMS, start, at);
        Ok(at)
    }

    #[inline(always)]
    fn meta(&mut self, start: usize) -> Result<usize, Refusal> {
        use keys::meta as key;
        if !self.is(start, b'{') {
            self.value(start, 2)?;
            return Err(Refusal::BadParams);
        }
        let (mut at, mut done) = self.enter(start, 2)?;
        let mut seen = 0;
        while !done {
            let (found, start) = self.key(at, &mut seen, key::guess, key::find)?;
            at = match found {
                key::VERSION if self.is(start, b'"') => self.text(start, 3, field::META_VERSION, Refusal::BadParams)?,
                _ => self.value(start, 3)?,
            };
            match (found, self.bytes[start]) {
                (key::VERSION, _) => self.out.raise(flag::META_VERSION_PRESENT),
                (key::CAPABILITIES, b'{') => self.out.raise(flag::META_CAPABILITIES),
                (key::PROGRESS_TOKEN, b'"' | b'-' | b'0'..=b'9') => {
                    self.out.set(field::PROGRESS_TOKEN, start, at);
                }
                _ => {}
            }
            (at, done) = self.next(at)?;
        }
        self.out.set(field::META, start, at);
        Ok(at)
    }
}
