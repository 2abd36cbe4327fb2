//! gzip for whole answers (RFC 1952). Streams are never compressed: an event must leave when it is written.
//!
//! A ready answer differs from request to request only in its first bytes (the id), so what follows them is compressed once
//! and kept: the start goes before it as a stored block, and the checksum of the whole is put together from two.

use std::collections::HashMap;
use std::io::Write;
use std::rc::Rc;

use bytes::Bytes;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// Longer answers are compressed beside the I/O thread: so many bytes take about a millisecond.
pub(crate) const BESIDE_FROM: usize = 128 * 1024;

/// No name, no time, no flags; the last byte says "unknown system".
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The parts of a message as one gzip member.
pub(crate) fn gzip(parts: &[Bytes; 3]) -> Bytes {
    let length: usize = parts.iter().map(Bytes::len).sum();
    // A page of text usually halves at least; writing into memory does not fail.
    let mut encoder = GzEncoder::new(Vec::with_capacity(length / 2), Compression::fast());
    for part in parts {
        let _ = encoder.write_all(part);
    }
    encoder.finish().unwrap_or_default().into()
}

/// Ready answers in their compressed form, as long as one generation of the registry lasts.
#[derive(Default)]
pub(crate) struct Kept {
    generation: u32,
    /// By address; the bytes are held, so that no other ones can come to stand there.
    answers: HashMap<usize, Rc<Deflated>>,
}

pub(crate) struct Deflated {
    of: Bytes,
    blocks: Bytes,
    crc: Crc,
}

impl Kept {
    pub(crate) fn get(&mut self, generation: u32, answer: &Bytes) -> Rc<Deflated> {
        if self.generation != generation {
            self.generation = generation;
            self.answers.clear();
        }
        self.answers
            .entry(answer.as_ptr() as usize)
            .or_insert_with(|| Rc::new(Deflated::new(answer)))
            .clone()
    }
}

impl Deflated {
    fn new(answer: &Bytes) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(answer.len() / 2), Compression::best());
        let _ = encoder.write_all(answer);
        let mut crc = Crc::new();
        crc.update(answer);
        Deflated {
            of: answer.clone(),
            blocks: encoder.finish().unwrap_or_default().into(),
            crc,
        }
    }

    /// `start` and the answer as one gzip member. `start` must be shorter than a stored block may be.
    pub(crate) fn after(&self, start: &[u8]) -> [Bytes; 3] {
        let length = u16::try_from(start.len()).expect("an id has a limit far below a stored block's");
        let mut head = Vec::with_capacity(HEAD.len() + 5 + start.len());
        head.extend_from_slice(&HEAD);
        head.push(0); // stored, and not the last block (RFC 1951, 3.2.4)
        head.extend_from_slice(&length.to_le_bytes());
        head.extend_from_slice(&(!length).to_le_bytes());
        head.extend_from_slice(start);
        let mut crc = Crc::new();
        crc.update(start);
        crc.combine(&self.crc);
        let whole = (start.len() + self.of.len()) as u32;
        let tail = [crc.sum().to_le_bytes(), whole.to_le_bytes()].concat();
        [head.into(), self.blocks.clone(), tail.into()]
    }
}

/// Whether gzip is among the accepted codings (RFC 9110, 12.5.3).
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut named, mut all) = (None, false);
    for part in headers.get_all(ACCEPT_ENCODING).iter().flat_map(codings) {
        let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
        let coding = coding.trim();
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            named = Some(!refuses(parameters));
        } else if coding == "*" {
            all = !refuses(parameters);
        }
    }
    named.unwrap_or(all)
}

fn codings(value: &HeaderValue) -> std::str::Split<'_, char> {
    value.to_str().unwrap_or("").split(',')
}

/// `q=0`, in any of its spellings.
fn refuses(parameters: &str) -> bool {
    parameters.split(';').any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|q| q == 0.0)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn unzip(parts: &[Bytes]) -> Vec<u8> {
        let (whole, mut out) = (parts.concat(), Vec::new());
        // One member exactly: whatever came behind it would be left over.
        let mut decoder = GzDecoder::new(&whole[..]);
        decoder.read_to_end(&mut out).unwrap();
        assert!(decoder.into_inner().is_empty());
        out
    }

    #[test]
    fn a_kept_answer_with_any_start_is_one_valid_member() {
        let mut kept = Kept::default();
        for body in ["}", r#"{"tools":[]}}"#, &"all the same ".repeat(20_000)] {
            let answer = Bytes::from(body.to_owned());
            for start in ["", "x", r#"{"jsonrpc":"2.0","id":1,"result":"#, &"y".repeat(400)] {
                let zipped = kept.get(1, &answer).after(start.as_bytes());
                assert_eq!(unzip(&zipped), format!("{start}{body}").into_bytes());
            }
        }
        let answer = Bytes::from_static(b"kept");
        let (first, second) = (kept.get(1, &answer), kept.get(1, &answer));
        assert!(Rc::ptr_eq(&first, &second));
        assert!(!Rc::ptr_eq(&first, &kept.get(2, &answer)));
        assert_eq!(kept.answers.len(), 1);
    }

    #[test]
    fn parts_become_one_member() {
        let parts = [
            "a".repeat(1000).into(),
            "b".repeat(100_000).into(),
            Bytes::from_static(b"c"),
        ];
        assert_eq!(unzip(&[gzip(&parts)]), parts.concat());
    }

    #[test]
    fn reads_accept_encoding() {
        for (value, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0, *", false),
            ("x-gzip", true),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
