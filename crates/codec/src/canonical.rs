//! RFC 8785 canonical form: keys sorted by UTF-16 code units, numbers and strings as ECMAScript writes them.
//!
//! Refuses, in this order: what the scanner refuses as text; what is not well-formed or too deep; numbers that are not
//! finite doubles and lone surrogates (both malformed); duplicate keys. simd-json decodes the strings and finds the
//! structure. It never decides what is JSON and never reads a number: it rejects 1e400 and turns `"\ud800"` into U+0000
//! without a word, so both are settled before it sees the text.

use crate::errors::Refusal;
use crate::scan::text;
use crate::simd::{Job, Simd, dispatch};
use crate::skip::{DEPTH_CEILING, number, space, value};
use simd_json::{Buffers, Node, StaticNode};

/// The canonical form of one JSON text. `max_depth` is capped at [`DEPTH_CEILING`].
pub fn canonical(json: &[u8], max_depth: u32) -> Result<Vec<u8>, Refusal> {
    dispatch(Proof {
        json,
        max_depth: max_depth.min(DEPTH_CEILING),
    })?;
    let (mut json, numbers) = settle(json)?;
    let mut buffers = Buffers::with_max_depth(json.len(), DEPTH_CEILING as usize + 1);
    let tape = simd_json::to_tape_with_buffers(&mut json, &mut buffers).map_err(|_| Refusal::Malformed)?;
    write(&tape.0, &numbers)
}

/// Proves a whole text, whatever value it is; UTF-8 first.
struct Proof<'a> {
    json: &'a [u8],
    max_depth: u32,
}

impl Job for Proof<'_> {
    type Output = Result<(), Refusal>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        text(simd, self.json)?;
        let start = space(self.json, 0);
        let end = value::<S, true>(simd, self.json, start, 0, self.max_depth)?;
        if space(self.json, end) == self.json.len() {
            Ok(())
        } else {
            Err(Refusal::Malformed)
        }
    }
}

/// Takes the numbers out of a proven text, in order, and leaves a zero in the place of each.
fn settle(json: &[u8]) -> Result<(Vec<u8>, Vec<f64>), Refusal> {
    let (mut copy, mut numbers, mut at) = (json.to_vec(), Vec::new(), 0);
    while at < json.len() {
        match json[at] {
            b'"' => at = paired(json, at + 1)?,
            b'-' | b'0'..=b'9' => {
                let end = number(json, at)?;
                // The standard library rounds correctly, as ECMAScript demands of its own.
                let token = std::str::from_utf8(&json[at..end]).map_err(|_| Refusal::Utf8)?;
                match token.parse::<f64>() {
                    Ok(double) if double.is_finite() => numbers.push(double),
                    _ => return Err(Refusal::Malformed),
                }
                copy[at] = b'0';
                copy[at + 1..end].fill(b' ');
                at = end;
            }
            _ => at += 1,
        }
    }
    Ok((copy, numbers))
}

/// Past the closing quote of a proven string whose surrogate escapes all come in pairs.
fn paired(json: &[u8], at: usize) -> Result<usize, Refusal> {
    let mut at = at;
    let mut high = false;
    loop {
        let rest = &json[at..];
        let unit = match rest {
            [b'\\', b'u', digits @ ..] => {
                let digits = std::str::from_utf8(&digits[..4]).map_err(|_| Refusal::Utf8)?;
                u32::from_str_radix(digits, 16).map_err(|_| Refusal::Malformed)?
            }
            _ => 0,
        };
        let low = (0xdc00..0xe000).contains(&unit);
        if high != low {
            return Err(Refusal::Malformed);
        }
        high = (0xd800..0xdc00).contains(&unit);
        at += match rest {
            [b'"', ..] => return Ok(at + 1),
            [b'\\', b'u', ..] => 6,
            [b'\\', ..] => 2,
            _ => 1,
        };
    }
}

/// What is left to write, the next on top.
enum Todo<'a> {
    Value(usize),
    Key(&'a str, usize),
    Comma,
    Close(u8),
}

/// Writes the tape without recursion; `numbers` are taken by the position of their zeros on the tape.
fn write(tape: &[Node<'_>], numbers: &[f64]) -> Result<Vec<u8>, Refusal> {
    let places = places(tape);
    let mut out = Vec::with_capacity(tape.len() * 8);
    let mut todo = vec![Todo::Value(0)];
    let mut format = ryu_js::Buffer::new();
    while let Some(next) = todo.pop() {
        let at = match next {
            Todo::Comma => {
                out.push(b',');
                continue;
            }
            Todo::Close(bracket) => {
                out.push(bracket);
                continue;
            }
            Todo::Key(key, at) => {
                quote(&mut out, key);
                out.push(b':');
                at
            }
            Todo::Value(at) => at,
        };
        match tape[at] {
            Node::String(text) => quote(&mut out, text),
            Node::Static(StaticNode::Null) => out.extend_from_slice(b"null"),
            Node::Static(StaticNode::Bool(true)) => out.extend_from_slice(b"true"),
            Node::Static(StaticNode::Bool(false)) => out.extend_from_slice(b"false"),
            Node::Static(_) => out.extend_from_slice(format.format_finite(numbers[places[at]]).as_bytes()),
            Node::Array { len, .. } => {
                out.push(b'[');
                todo.push(Todo::Close(b']'));
                let first = todo.len();
                let mut child = at + 1;
                for _ in 0..len {
                    todo.push(Todo::Value(child));
                    todo.push(Todo::Comma);
                    child = after(tape, child);
                }
                turn(&mut todo, first);
            }
            Node::Object { len, .. } => {
                out.push(b'{');
                todo.push(Todo::Close(b'}'));
                let first = todo.len();
                for (key, value) in members(tape, at, len)? {
                    todo.push(Todo::Key(key, value));
                    todo.push(Todo::Comma);
                }
                turn(&mut todo, first);
            }
        }
    }
    Ok(out)
}

/// Children were pushed first to last, each with a comma after it: the last comma goes, the first child comes on top.
fn turn(todo: &mut Vec<Todo<'_>>, first: usize) {
    if todo.len() > first {
        todo.pop();
        todo[first..].reverse();
    }
}

/// For each zero on the tape, how many stand before it.
fn places(tape: &[Node<'_>]) -> Vec<usize> {
    let mut count = 0;
    let is_number = |node: &Node<'_>| {
        matches!(
            node,
            Node::Static(StaticNode::I64(_) | StaticNode::U64(_) | StaticNode::F64(_))
        )
    };
    tape.iter()
        .map(|node| {
            let place = count;
            count += is_number(node) as usize;
            place
        })
        .collect()
}

/// Index of the node after a value.
fn after(tape: &[Node<'_>], at: usize) -> usize {
    match tape[at] {
        Node::Object { count, .. } | Node::Array { count, .. } => at + 1 + count,
        _ => at + 1,
    }
}

/// The members of an object, sorted. Keys are compared as UTF-16 would be, which differs from UTF-8 above U+FFFF.
fn members<'t>(tape: &[Node<'t>], at: usize, len: usize) -> Result<Vec<(&'t str, usize)>, Refusal> {
    let mut members = Vec::with_capacity(len);
    let mut key = at + 1;
    for _ in 0..len {
        // simd-json only ever puts a string in the place of a key.
        let Node::String(text) = tape[key] else {
            return Err(Refusal::Malformed);
        };
        members.push((text, key + 1));
        key = after(tape, key + 1);
    }
    members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Refusal::DuplicateKey);
    }
    Ok(members)
}

/// A string with the fewest escapes that JSON allows.
fn quote(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..0x20 => 0,
            _ => continue,
        };
        out.extend_from_slice(&bytes[start..at]);
        start = at + 1;
        if short != 0 {
            out.extend_from_slice(&[b'\\', short]);
        } else {
            let digits = [HEX[byte as usize >> 4], HEX[byte as usize & 15]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}
