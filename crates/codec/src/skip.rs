//! Getting past one JSON value: proven (RFC 8259, every byte) or skipped (brackets and quotes counted, nothing proven).
//!
//! Iterative and without memory of its own but one bit per open bracket, so no input can exhaust the stack. UTF-8 is not
//! looked at here; whoever calls has validated it.

use crate::errors::Refusal;
use crate::simd::{BLOCK, Simd};

/// Deepest nesting that is ever accepted, whatever the caller allows: the bits of open brackets live on the stack.
pub const DEPTH_CEILING: u32 = 1024;

/// A string that was passed: where its closing quote is, and whether a backslash stands in it.
pub(crate) struct Text {
    pub close: usize,
    pub escaped: bool,
}

/// Index of the first byte at or after `at` that is not JSON whitespace.
#[inline(always)]
pub(crate) fn space(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    // One comparison tells the common case, no whitespace at all.
    while at < bytes.len() && bytes[at] <= b' ' && matches!(bytes[at], b' ' | b'\t' | b'\n' | b'\r') {
        at += 1;
    }
    at
}

/// Past a colon and the whitespace around it.
#[inline(always)]
pub(crate) fn colon(bytes: &[u8], at: usize) -> Result<usize, Refusal> {
    let at = space(bytes, at);
    if bytes.get(at) != Some(&b':') {
        return Err(Refusal::Malformed);
    }
    Ok(space(bytes, at + 1))
}

/// Passes the string that must start at `at`.
#[inline(always)]
pub(crate) fn string<S: Simd>(simd: S, bytes: &[u8], at: usize) -> Result<Text, Refusal> {
    if bytes.get(at) != Some(&b'"') {
        return Err(Refusal::Malformed);
    }
    let close = simd.plain(bytes, at + 1);
    if bytes.get(close) == Some(&b'"') {
        return Ok(Text { close, escaped: false });
    }
    let mut at = close;
    loop {
        match bytes.get(at) {
            Some(b'"') => {
                return Ok(Text {
                    close: at,
                    escaped: true,
                });
            }
            Some(b'\\') => at = simd.plain(bytes, escape(bytes, at + 1)?),
            _ => return Err(Refusal::Malformed),
        }
    }
}

/// Past an escape whose backslash stands before `at`. Surrogates need not be paired (`JSON.parse` takes them too).
#[inline(always)]
fn escape(bytes: &[u8], at: usize) -> Result<usize, Refusal> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match bytes.get(at + 1..at + 5) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 5),
            _ => Err(Refusal::Malformed),
        },
        _ => Err(Refusal::Malformed),
    }
}

#[inline(always)]
fn digits(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        at += 1;
    }
    at
}

/// Passes a number of any size; what follows it is the caller's to judge.
#[inline(always)]
pub(crate) fn number(bytes: &[u8], at: usize) -> Result<usize, Refusal> {
    let first = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    let mut at = match bytes.get(first) {
        Some(b'0') => first + 1,
        Some(b'1'..=b'9') => digits(bytes, first + 1),
        _ => return Err(Refusal::Malformed),
    };
    if bytes.get(at) == Some(&b'.') {
        let end = digits(bytes, at + 1);
        if end == at + 1 {
            return Err(Refusal::Malformed);
        }
        at = end;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let first = if matches!(bytes.get(at + 1), Some(b'+' | b'-')) {
            at + 2
        } else {
            at + 1
        };
        let end = digits(bytes, first);
        if end == first {
            return Err(Refusal::Malformed);
        }
        at = end;
    }
    Ok(at)
}

/// Passes `true`, `false` or `null`.
#[inline(always)]
fn literal(bytes: &[u8], at: usize) -> Result<usize, Refusal> {
    let rest = &bytes[at..];
    if rest.starts_with(b"true") || rest.starts_with(b"null") {
        Ok(at + 4)
    } else if rest.starts_with(b"false") {
        Ok(at + 5)
    } else {
        Err(Refusal::Malformed)
    }
}

/// Passes whatever is no bracket.
#[inline(always)]
fn scalar<S: Simd>(simd: S, bytes: &[u8], at: usize) -> Result<usize, Refusal> {
    match bytes.get(at) {
        Some(b'"') => Ok(string(simd, bytes, at)?.close + 1),
        Some(b'-' | b'0'..=b'9') => number(bytes, at),
        Some(_) => literal(bytes, at),
        None => Err(Refusal::Malformed),
    }
}

/// Passes one value. `depth` brackets are open around it, at most `max_depth` may be. Without `PROVE` a container is only
/// skipped; scalars are proven always.
#[inline(always)]
pub(crate) fn value<S: Simd, const PROVE: bool>(
    simd: S,
    bytes: &[u8],
    at: usize,
    depth: u32,
    max_depth: u32,
) -> Result<usize, Refusal> {
    if !matches!(bytes.get(at), Some(b'{' | b'[')) {
        scalar(simd, bytes, at)
    } else if PROVE {
        prove(simd, bytes, at, depth, max_depth)
    } else {
        skip(simd, bytes, at, depth, max_depth)
    }
}

/// Which of the open brackets are braces.
struct Nesting([u64; DEPTH_CEILING as usize / 64]);

impl Nesting {
    #[inline(always)]
    fn set(&mut self, level: usize, object: bool) {
        let (word, bit) = (level / 64, level % 64);
        self.0[word] = self.0[word] & !(1 << bit) | (object as u64) << bit;
    }

    #[inline(always)]
    fn is_object(&self, level: usize) -> bool {
        self.0[level / 64] >> (level % 64) & 1 == 1
    }
}

enum Step {
    Open,
    Member,
    Value,
    After,
}

/// Passes a container and proves it. `max_depth` must not exceed [`DEPTH_CEILING`].
#[inline(always)]
pub(crate) fn prove<S: Simd>(simd: S, bytes: &[u8], at: usize, depth: u32, max_depth: u32) -> Result<usize, Refusal> {
    debug_assert!(max_depth <= DEPTH_CEILING);
    let room = max_depth.saturating_sub(depth) as usize;
    let mut nesting = Nesting([0; DEPTH_CEILING as usize / 64]);
    let mut at = at;
    let mut open = 0;
    let mut object = false;
    let mut step = Step::Open;
    loop {
        match step {
            Step::Open => {
                if open == room {
                    return Err(Refusal::TooDeep);
                }
                object = bytes[at] == b'{';
                nesting.set(open, object);
                open += 1;
                at = space(bytes, at + 1);
                step = match (bytes.get(at), object) {
                    (Some(b'}'), true) | (Some(b']'), false) => Step::After,
                    (_, true) => Step::Member,
                    (_, false) => Step::Value,
                };
            }
            Step::Member => {
                let key = string(simd, bytes, at)?;
                at = colon(bytes, key.close + 1)?;
                step = Step::Value;
            }
            Step::Value => {
                if matches!(bytes.get(at), Some(b'{' | b'[')) {
                    step = Step::Open;
                } else {
                    at = space(bytes, scalar(simd, bytes, at)?);
                    step = Step::After;
                }
            }
            // At what follows a value, or at the bracket that closes an empty container.
            Step::After => match (bytes.get(at), object) {
                (Some(b','), _) => {
                    at = space(bytes, at + 1);
                    step = if object { Step::Member } else { Step::Value };
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    open -= 1;
                    if open == 0 {
                        return Ok(at + 1);
                    }
                    object = nesting.is_object(open - 1);
                    at = space(bytes, at + 1);
                }
                _ => return Err(Refusal::Malformed),
            },
        }
    }
}

/// Which bytes are escaped by a backslash; `carry` is 1 when the first byte of the next block is.
#[inline(always)]
fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    if backslash == 0 {
        return std::mem::take(carry);
    }
    // A run of backslashes escapes the byte after it when its length is odd: subtracting the run from the odd positions
    // lets the borrow travel along it and tells both parities apart without a loop.
    let starts = backslash & !*carry;
    let ends = ((starts << 1 | ODD).wrapping_sub(starts)) ^ ODD;
    let escaped = ends ^ (backslash | *carry);
    *carry = (ends & backslash) >> 63;
    escaped
}

/// The block at `at`, and how many of its first bytes stand before `at`: the last block of a message overlaps the one
/// before it, which is cheaper than copying. `None` at the end.
#[inline(always)]
fn block<'a>(bytes: &'a [u8], at: usize, short: &'a mut [u8; BLOCK]) -> Option<(&'a [u8; BLOCK], usize)> {
    let rest = bytes.get(at..)?;
    if let Some(block) = rest.first_chunk::<BLOCK>() {
        return Some((block, 0));
    }
    if rest.is_empty() {
        return None;
    }
    if let Some(block) = bytes.last_chunk::<BLOCK>() {
        return Some((block, BLOCK - rest.len()));
    }
    short[..rest.len()].copy_from_slice(rest);
    Some((short, 0))
}

/// Skips a container by counting brackets outside strings, a block at a time. Proves nothing about what is inside.
#[inline(always)]
pub(crate) fn skip<S: Simd>(simd: S, bytes: &[u8], at: usize, depth: u32, max_depth: u32) -> Result<usize, Refusal> {
    let room = max_depth.saturating_sub(depth);
    let (mut at, mut open) = (at, 0);
    let (mut carry, mut in_string) = (0, 0);
    let mut short = [b' '; BLOCK];
    loop {
        let (block, before) = block(bytes, at, &mut short).ok_or(Refusal::Malformed)?;
        let (quote, backslash) = simd.quotes(block);
        let (quote, backslash) = (quote >> before, backslash >> before);
        // A block in the middle of a long string holds nothing else: its brackets need not be looked for.
        if in_string == 0 || quote | backslash | carry != 0 {
            let quote = quote & !escaped(backslash, &mut carry);
            let inside = simd.prefix_xor(quote) ^ in_string;
            in_string = (inside as i64 >> 63) as u64;
            let (opens, closes) = simd.brackets(block);
            let (opens, closes) = (opens >> before & !inside, closes >> before & !inside);
            let (more, fewer) = (opens.count_ones(), closes.count_ones());
            // Neither the end nor the limit can be in a block with fewer closing brackets than are open before it and
            // room for all that it opens, in whatever order they stand. Otherwise each closing bracket is looked at:
            // right before one the nesting is deepest.
            if fewer >= open || open + more > room {
                let (mut left, mut passed) = (closes, 0);
                while left != 0 {
                    let index = left.trailing_zeros();
                    let deepest = open + (opens & ((1 << index) - 1)).count_ones() - passed;
                    if deepest > room {
                        return Err(Refusal::TooDeep);
                    }
                    if deepest == 1 {
                        return Ok(at + index as usize + 1);
                    }
                    passed += 1;
                    left &= left - 1;
                }
            }
            open = open + more - fewer;
            if open > room {
                return Err(Refusal::TooDeep);
            }
        }
        at += BLOCK;
    }
}
