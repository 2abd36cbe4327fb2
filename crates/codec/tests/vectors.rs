//! The shared vectors, `test/vectors/codec/*.json`: the JavaScript twin reads the same files.

use serde_json::Value;
use thirdrail_codec::{
    Envelope, Events, Kind, Level, Lines, Refusal, canonical, digest, encode_error, encode_event, encode_refusal,
    encode_result, field, flag, scan_at,
};

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../test/vectors/codec/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    let list = of[name].as_array().unwrap_or_else(|| panic!("no list {name}"));
    assert!(!list.is_empty(), "{name} is empty");
    list
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no text {name} in {of}"))
}

/// The bytes of a case: `text`, `base64`, or `prefix` + `repeat` + `suffix`.
fn input(case: &Value) -> Vec<u8> {
    if let Some(text) = case["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(text) = case["base64"].as_str() {
        return base64(text);
    }
    let times = case["repeat"][1].as_u64().expect("a number of times") as usize;
    let middle = case["repeat"][0].as_str().expect("a text to repeat").repeat(times);
    [
        case["prefix"].as_str().unwrap_or(""),
        &middle,
        case["suffix"].as_str().unwrap_or(""),
    ]
    .concat()
    .into_bytes()
}

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::new());
    for letter in text.bytes().take_while(|&letter| letter != b'=') {
        let value = LETTERS
            .iter()
            .position(|&known| known == letter)
            .expect("a base64 letter");
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

fn refusal(name: &str) -> Refusal {
    let cases = vectors("errors");
    let case = list(&cases, "cases").iter().find(|case| text(case, "name") == name);
    let number = case
        .and_then(|case| case["refusal"].as_i64())
        .unwrap_or_else(|| panic!("no refusal {name}"));
    Refusal::ALL
        .into_iter()
        .find(|refusal| i64::from(refusal.number()) == number)
        .expect("a refusal with that number")
}

fn kind(name: &str) -> Kind {
    match name {
        "request" => Kind::Request,
        "notification" => Kind::Notification,
        "response" => Kind::Response,
        "batch" => Kind::Batch,
        _ => panic!("no kind {name}"),
    }
}

fn expected(case: &Value) -> Result<Kind, Refusal> {
    match case["kind"].as_str() {
        Some(name) => Ok(kind(name)),
        None => Err(refusal(text(case, "refusal"))),
    }
}

fn depth(case: &Value) -> u32 {
    case["maxDepth"].as_u64().unwrap_or(64) as u32
}

const FIELDS: [(&str, usize); 9] = [
    ("id", field::ID),
    ("method", field::METHOD),
    ("params", field::PARAMS),
    ("name", field::NAME),
    ("uri", field::URI),
    ("arguments", field::ARGUMENTS),
    ("meta", field::META),
    ("metaVersion", field::META_VERSION),
    ("progressToken", field::PROGRESS_TOKEN),
];

const FLAGS: [(&str, u32); 6] = [
    ("escaped", flag::ESCAPED),
    ("otherParams", flag::OTHER_PARAMS),
    ("metaCapabilities", flag::META_CAPABILITIES),
    ("ascii", flag::ASCII),
    ("metaVersionPresent", flag::META_VERSION_PRESENT),
    ("paramsArray", flag::PARAMS_ARRAY),
];

fn check_envelope(case: &Value, message: &[u8], out: &Envelope) {
    if let Some(fields) = case["fields"].as_object() {
        for (name, at) in FIELDS {
            let found = out
                .range(at)
                .map(|range| String::from_utf8_lossy(&message[range]).into_owned());
            assert_eq!(
                found.as_deref(),
                fields.get(name).and_then(Value::as_str),
                "{name} of {}",
                case["name"]
            );
        }
    }
    if let Some(flags) = case["flags"].as_array() {
        for (name, bit) in FLAGS {
            let wanted = flags.iter().any(|flag| flag == name);
            assert_eq!(out.flags() & bit != 0, wanted, "flag {name} of {}", case["name"]);
        }
    }
}

#[test]
fn scan_gives_kinds_fields_and_refusals_at_every_level() {
    let cases = vectors("scan");
    for case in list(&cases, "cases") {
        let message = input(case);
        for level in Level::available() {
            let mut out = Envelope::new();
            let found = scan_at(level, true, &message, depth(case), &mut out);
            assert_eq!(found, expected(case), "{} at {level:?}", case["name"]);
            if found.is_ok() {
                check_envelope(case, &message, &out);
                let mut ranges = Envelope::new();
                assert_eq!(
                    scan_at(level, false, &message, depth(case), &mut ranges),
                    found,
                    "{}",
                    case["name"]
                );
                assert_eq!(ranges, out, "ranges of {}", case["name"]);
            }
        }
    }
}

#[test]
fn every_prefix_of_a_message_is_malformed() {
    let cases = vectors("scan");
    let mut checked = 0;
    for case in list(&cases, "cases").iter().filter(|case| case["truncate"] == true) {
        let message = input(case);
        for end in 0..message.len() {
            for prove in [true, false] {
                let found = scan_at(Level::Scalar, prove, &message[..end], 64, &mut Envelope::new());
                assert_eq!(found, Err(Refusal::Malformed), "{} cut at {end}", case["name"]);
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "only {checked} prefixes");
}

#[test]
fn single_values_are_well_formed_or_not_wherever_they_stand() {
    let places: [(&str, &str); 6] = [
        ("[", "]"),
        ("[[],", ",1]"),
        (r#"{"jsonrpc":"2.0","method":"m","x":"#, "}"),
        (r#"{"jsonrpc":"2.0","method":"m","params":{"x":"#, "}}"),
        (r#"{"jsonrpc":"2.0","method":"m","params":{"_meta":{"x":["#, "]}}}"),
        (
            r#"{"jsonrpc":"2.0","method":"m","params":{"arguments":{"x":"#,
            ",\"y\":\"a longer tail, for the vectors\"}}}",
        ),
    ];
    let cases = vectors("scan");
    for (name, well_formed) in [("wellFormed", true), ("malformed", false)] {
        for value in list(&cases, name).iter().map(|value| value.as_str().expect("a text")) {
            for level in Level::available() {
                let alone = scan_at(level, true, value.as_bytes(), 64, &mut Envelope::new());
                assert_eq!(
                    alone != Err(Refusal::Malformed),
                    well_formed,
                    "{value:?} at {level:?}: {alone:?}"
                );
                for (before, after) in places {
                    let message = format!("{before}{value}{after}");
                    let found = scan_at(level, true, message.as_bytes(), 64, &mut Envelope::new());
                    let right = if well_formed {
                        found.is_ok()
                    } else {
                        found == Err(Refusal::Malformed)
                    };
                    assert!(right, "{message} at {level:?}: {found:?}");
                }
            }
        }
    }
}

/// What `push` gives for all chunks of one size; refusals are `None`.
fn outcomes(
    input: &[u8],
    size: usize,
    mut push: impl FnMut(&[u8]) -> Result<Vec<Vec<u8>>, Refusal>,
) -> Vec<Option<Vec<u8>>> {
    let mut all = Vec::new();
    for chunk in input.chunks(size).chain([&[][..]]) {
        let mut next = chunk;
        loop {
            match push(std::mem::take(&mut next)) {
                Ok(frames) if frames.is_empty() => break,
                Ok(frames) => all.extend(frames.into_iter().map(Some)),
                Err(Refusal::TooLarge) => all.push(None),
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    all
}

fn expected_outcomes(case: &Value) -> Vec<Option<Vec<u8>>> {
    let outcomes = case["outcomes"].as_array().expect("outcomes");
    outcomes
        .iter()
        .map(|outcome| outcome.as_str().map(|text| text.as_bytes().to_vec()))
        .collect()
}

#[test]
fn lines_are_cut_whatever_the_chunking() {
    let cases = vectors("lines");
    for case in list(&cases, "cases") {
        let input = text(case, "input").as_bytes();
        for size in [1, 2, 3, 5, 1000] {
            let mut lines = Lines::new(case["maxBytes"].as_u64().expect("maxBytes") as usize);
            let found = outcomes(input, size, |chunk| lines.push(chunk));
            assert_eq!(found, expected_outcomes(case), "{} by {size}", case["name"]);
            let end = lines.end();
            assert_eq!(
                end,
                case["end"].as_str().map(|text| text.as_bytes().to_vec()),
                "end of {}",
                case["name"]
            );
            assert_eq!(lines.held(), 0);
        }
    }
}

#[test]
fn events_are_parsed_whatever_the_chunking() {
    let cases = vectors("events");
    for case in list(&cases, "cases") {
        let input = text(case, "input").as_bytes();
        for size in [1, 2, 3, 5, 1000] {
            let mut events = Events::new(case["maxBytes"].as_u64().expect("maxBytes") as usize);
            let found = outcomes(input, size, |chunk| events.push(chunk));
            assert_eq!(found, expected_outcomes(case), "{} by {size}", case["name"]);
            if let Some(id) = case["lastEventId"].as_str() {
                assert_eq!(events.last_event_id(), id, "{}", case["name"]);
            }
            if let Some(name) = case["lastEventType"].as_str() {
                assert_eq!(events.last_event_type(), name, "{}", case["name"]);
            }
            if let Some(retry) = case["retry"].as_u64() {
                assert_eq!(events.retry(), Some(retry), "{}", case["name"]);
            }
            assert_eq!(events.end(), None);
            assert_eq!(events.held(), 0);
        }
    }
}

#[test]
fn canonical_forms() {
    let cases = vectors("canonical");
    for case in list(&cases, "cases") {
        let json = input(case);
        let wanted = match case["canonical"].as_str() {
            Some(text) => Ok(text.to_string()),
            None => Err(refusal(text(case, "refusal"))),
        };
        let found = canonical(&json, depth(case)).map(|form| String::from_utf8(form).expect("UTF-8"));
        assert_eq!(found, wanted, "{case}");
        if let Ok(form) = found {
            assert_eq!(
                canonical(form.as_bytes(), 1024),
                Ok(form.clone().into_bytes()),
                "not stable: {form}"
            );
        }
    }
    for case in list(&cases, "digests") {
        let hash = digest(text(case, "text").as_bytes(), 64).expect("a digest");
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, text(case, "sha256"));
    }
}

#[test]
fn answers_and_events_are_spliced() {
    let cases = vectors("encode");
    let build = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("UTF-8")
    };
    for case in list(&cases, "results") {
        let (id, result) = (text(case, "id").as_bytes(), text(case, "result").as_bytes());
        let found = build(&|out| encode_result(out, id, result));
        assert_eq!(found, text(case, "bytes"));
        assert_eq!(
            found.len(),
            thirdrail_codec::encode::result_length(id.len(), result.len())
        );
    }
    for case in list(&cases, "errors") {
        let (id, error) = (text(case, "id").as_bytes(), text(case, "error").as_bytes());
        assert_eq!(build(&|out| encode_error(out, id, error)), text(case, "bytes"));
    }
    for case in list(&cases, "events") {
        assert_eq!(
            build(&|out| encode_event(out, text(case, "id"), text(case, "data").as_bytes())),
            text(case, "bytes")
        );
    }
}

#[test]
fn errors_are_as_in_the_table_and_need_no_escaping() {
    let cases = vectors("errors");
    assert_eq!(list(&cases, "cases").len(), Refusal::ALL.len());
    for (case, refusal) in list(&cases, "cases").iter().zip(Refusal::ALL) {
        let error = refusal.error();
        assert_eq!(i64::from(refusal.number()), case["refusal"].as_i64().expect("a number"));
        assert_eq!(i64::from(error.code), case["code"].as_i64().expect("a code"));
        assert_eq!(u64::from(error.status), case["status"].as_u64().expect("a status"));
        assert_eq!(error.message, text(case, "message"));
        assert!(
            error
                .message
                .bytes()
                .all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\')
        );
        let mut out = Vec::new();
        encode_refusal(&mut out, refusal);
        let read: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(read["message"], error.message);
    }
}
