//! What must hold for every input. `Ok(true)`: held, and the input was accepted; `Err`: what did not hold.

use super::mutate::Random;
use serde_json::Value;
use serde_json::value::RawValue;
use thirdrail_codec as codec;
use thirdrail_codec::{Envelope, Events, Level, Lines, Refusal, field};

/// Few enough for serde_json's recursion in a debug build.
const DEPTH: u32 = 100;

macro_rules! holds {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

/// Whether another parser takes it: UTF-8 without a byte order mark, and one JSON value.
fn is_json(input: &[u8]) -> bool {
    // serde_json skips nested values without building them, so neither big numbers nor lone surrogates stop it.
    std::str::from_utf8(input).is_ok_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}

/// Values as serde_json builds them; `None` when it does not take a lone surrogate.
fn parse(input: &[u8]) -> Option<Value> {
    serde_json::from_slice(input).ok()
}

/// The envelope agrees with serde_json, at every SIMD level alike, and skipping finds what proving finds.
pub fn scan(input: &[u8]) -> Result<bool, String> {
    let mut out = Envelope::new();
    let found = codec::scan(input, DEPTH, &mut out);
    for level in Level::available() {
        for prove in [true, false] {
            let mut other = Envelope::new();
            let again = codec::scan_at(level, prove, input, DEPTH, &mut other);
            if prove || found.is_ok() {
                holds!(
                    again == found,
                    "{level:?} (prove: {prove}) says {again:?}, not {found:?}"
                );
                holds!(
                    found.is_err() || other == out,
                    "{level:?} (prove: {prove}) finds other ranges"
                );
            }
        }
    }
    let json = is_json(input);
    match found {
        Ok(_) | Err(Refusal::NotAnObject) => holds!(json, "{found:?}, but it is no JSON"),
        Err(Refusal::Malformed | Refusal::Utf8 | Refusal::Bom) => holds!(!json, "{found:?}, but it is JSON"),
        // Met before the rest was read.
        Err(_) => {}
    }
    if found.is_err() {
        return Ok(false);
    }
    if let Some(Value::Object(message)) = parse(input) {
        same_envelope(input, &out, &Value::Object(message))?;
    }
    Ok(true)
}

fn same_envelope(input: &[u8], out: &Envelope, message: &Value) -> Result<(), String> {
    let params = &message["params"];
    let meta = &params["_meta"];
    let token = |value: &Value| {
        if value.is_string() || value.is_number() {
            value.clone()
        } else {
            Value::Null
        }
    };
    let text = |value: &Value| if value.is_string() { value.clone() } else { Value::Null };
    for (name, at, quoted, value) in [
        ("id", field::ID, false, token(&message["id"])),
        ("method", field::METHOD, true, message["method"].clone()),
        ("params", field::PARAMS, false, params.clone()),
        ("name", field::NAME, true, params["name"].clone()),
        ("uri", field::URI, true, params["uri"].clone()),
        ("arguments", field::ARGUMENTS, false, params["arguments"].clone()),
        ("_meta", field::META, false, meta.clone()),
        (
            "version",
            field::META_VERSION,
            true,
            text(&meta["io.modelcontextprotocol/protocolVersion"]),
        ),
        (
            "progressToken",
            field::PROGRESS_TOKEN,
            false,
            token(&meta["progressToken"]),
        ),
    ] {
        let found = match out.range(at) {
            None => Value::Null,
            Some(range) if quoted => parse(&input[range.start - 1..range.end + 1]).ok_or(format!("{name}: no text"))?,
            Some(range) => parse(&input[range]).ok_or(format!("{name}: not a whole value"))?,
        };
        holds!(found == value, "{name} is {value}, found {found}");
    }
    Ok(())
}

type Outcomes = Vec<Result<Vec<u8>, Refusal>>;

/// Any chunking gives the same frames as one chunk; lines are what splitting at newlines gives; nothing is hoarded.
pub fn frames(input: &[u8], random: &mut Random) -> Result<bool, String> {
    let max_bytes = 1 + random.below(60);
    let (mut whole, mut cut) = (Lines::new(max_bytes), Lines::new(max_bytes));
    let lines = collect(input, usize::MAX, random, |chunk, all| {
        whole.feed(chunk, |one| all.push(one.map(<[u8]>::to_vec)))
    });
    let again = collect(input, 12, random, |chunk, all| {
        cut.feed(chunk, |one| all.push(one.map(<[u8]>::to_vec)));
        assert!(cut.held() <= max_bytes + 1, "holds {} of {max_bytes}", cut.held());
    });
    holds!(
        lines == again,
        "lines of at most {max_bytes}: {lines:?}, in chunks {again:?}"
    );
    let (end, again) = (whole.end(), cut.end());
    holds!(end == again, "rest {end:?}, in chunks {again:?}");
    let simple = split(input, max_bytes);
    let mut all = lines;
    all.extend(end.map(Ok));
    holds!(
        all == simple,
        "lines of at most {max_bytes}: {all:?}, by splitting {simple:?}"
    );

    let (mut whole, mut cut) = (Events::new(max_bytes), Events::new(max_bytes));
    let events = collect(input, usize::MAX, random, |chunk, all| {
        whole.feed(chunk, |one| all.push(one.map(<[u8]>::to_vec)))
    });
    let again = collect(input, 12, random, |chunk, all| {
        cut.feed(chunk, |one| all.push(one.map(<[u8]>::to_vec)));
        assert!(cut.held() <= 2 * max_bytes + 9, "holds {} of {max_bytes}", cut.held());
    });
    holds!(
        events == again,
        "events of at most {max_bytes}: {events:?}, in chunks {again:?}"
    );
    holds!(whole.last_event_id() == cut.last_event_id(), "ids differ");
    holds!(whole.last_event_type() == cut.last_event_type(), "types differ");
    holds!(whole.retry() == cut.retry(), "retries differ");
    Ok(events.iter().any(Result::is_ok))
}

/// Feeds the input in chunks of random sizes up to `most`.
fn collect(input: &[u8], most: usize, random: &mut Random, mut feed: impl FnMut(&[u8], &mut Outcomes)) -> Outcomes {
    let (mut all, mut rest) = (Vec::new(), input);
    while !rest.is_empty() {
        let size = if most == usize::MAX {
            rest.len()
        } else {
            random.below(most).min(rest.len())
        };
        feed(&rest[..size], &mut all);
        rest = &rest[size..];
    }
    all
}

/// Lines the simple way, the unterminated rest included.
fn split(input: &[u8], max_bytes: usize) -> Outcomes {
    let lines = input
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let outcome = |line: &[u8]| {
        if line.len() > max_bytes {
            Err(Refusal::TooLarge)
        } else {
            Ok(line.to_vec())
        }
    };
    lines.filter(|line| !line.is_empty()).map(outcome).collect()
}

/// The canonical form means the same, is its own canonical form, and is what any other spelling gives.
pub fn canonical(input: &[u8]) -> Result<bool, String> {
    let form = match codec::canonical(input, DEPTH) {
        Ok(form) => form,
        Err(refusal) => {
            refused_rightly(input, refusal)?;
            return Ok(false);
        }
    };
    let (before, after) = (
        parse(input).ok_or("it is no JSON")?,
        parse(&form).ok_or("its form is no JSON")?,
    );
    holds!(same(&before, &after), "{before} became {after}");
    let again = codec::canonical(&form, DEPTH);
    holds!(again.as_ref() == Ok(&form), "not stable: {again:?}");
    let spelled = serde_json::to_vec_pretty(&before).map_err(|error| error.to_string())?;
    let again = codec::canonical(&spelled, DEPTH);
    holds!(again.as_ref() == Ok(&form), "depends on the spelling: {again:?}");
    holds!(
        codec::digest(&spelled, DEPTH) == codec::digest(input, DEPTH),
        "digests differ"
    );
    Ok(true)
}

fn refused_rightly(input: &[u8], refusal: Refusal) -> Result<(), String> {
    if !is_json(input) {
        return Ok(());
    }
    // A lone surrogate is what serde_json does not build; a number that is no double it keeps as text.
    let finite = parse(input).is_some_and(|value| all_finite(&value));
    match refusal {
        Refusal::Malformed => holds!(!finite, "malformed, but it is JSON with finite numbers"),
        Refusal::DuplicateKey => holds!(parse(input).is_some(), "no strings to compare"),
        Refusal::TooDeep => {}
        other => return Err(format!("{other:?}, but it is JSON")),
    }
    Ok(())
}

fn double(number: &serde_json::Number) -> f64 {
    number.to_string().parse().unwrap_or(f64::NAN)
}

fn all_finite(value: &Value) -> bool {
    match value {
        // Duplicate keys hide values here, which errs on the side of a complaint; the corpus never met one.
        Value::Object(members) => members.values().all(all_finite),
        Value::Array(items) => items.iter().all(all_finite),
        Value::Number(number) => double(number).is_finite(),
        _ => true,
    }
}

/// Equal, with numbers compared as doubles.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => double(a) == double(b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
