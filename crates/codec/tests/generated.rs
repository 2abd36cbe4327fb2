//! Generated input against serde_json: what is accepted, what is found, what the canonical form means; and every SIMD
//! level against every other.

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use thirdrail_codec::{Envelope, Level, Refusal, canonical, flag, scan_at};

const TOKENS: [&str; 36] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"\"",
    "\"a\"",
    "\"id\"",
    "\"\\n\"",
    "\"\\ud800\"",
    "\"é\"",
    "\"\\x\"",
    "\"\t\"",
    "\\",
    "0",
    "-0",
    "01",
    "1.",
    ".5",
    "1e5",
    "1e400",
    "-",
    "12345678901234567890",
    "true",
    "false",
    "null",
    "nul",
    " ",
    "\n",
    "😀",
    "\u{feff}",
    "/",
    "\u{0}",
    "\"]}\"",
];

fn token_soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..14).prop_map(|tokens| tokens.concat())
}

/// String tokens with escapes where none are needed, long enough to reach across blocks.
fn string_token() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "a",
            "{",
            "]",
            "é",
            "😀",
            "\\\\",
            "\\\"",
            "\\n",
            "\\u0041",
            "\\ud83d\\ude00",
            "\\u0000",
            "xxxxxxxxxxxx",
            " ",
        ][..],
    );
    prop::collection::vec(piece, 0..24).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number_token() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u128>().prop_map(|number| number.to_string()),
        (0..999u32, "[0-9]{1,30}", -345..330i32).prop_map(|(whole, part, power)| format!("-{whole}.{part}E{power}")),
    ]
}

fn json() -> impl Strategy<Value = String> {
    let literal = prop::sample::select(&["true", "false", "null", "-0", "0"][..]).prop_map(str::to_string);
    let leaf = prop_oneof![literal, number_token(), string_token()];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let space = prop::sample::select(&["", " ", "\n\t", "\r\n  "][..]);
        let items = prop::collection::vec(inner.clone(), 0..5);
        let members = prop::collection::vec((string_token(), inner), 0..5);
        prop_oneof![
            (items, space.clone())
                .prop_map(|(items, space)| { format!("[{space}{}{space}]", items.join(&format!("{space},{space}"))) }),
            (members, space).prop_map(|(members, space)| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{key}{space}:{space}{value}"))
                    .collect();
                format!("{{{space}{}{space}}}", members.join(","))
            }),
        ]
    })
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (json(), any::<prop::sample::Index>(), any::<u8>(), 0..3u8).prop_map(|(text, at, byte, edit)| {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match edit {
            0 => bytes[at] = byte,
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        bytes
    })
}

fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}

/// What the scanner says, the same at every level.
fn scanned(bytes: &[u8]) -> Result<thirdrail_codec::Kind, Refusal> {
    let (mut first, mut other) = (Envelope::new(), Envelope::new());
    let found = scan_at(Level::Scalar, true, bytes, 64, &mut first);
    for level in Level::available() {
        assert_eq!(scan_at(level, true, bytes, 64, &mut other), found, "{level:?}");
        assert_eq!(other, first, "{level:?}");
    }
    found
}

fn well_formed(bytes: &[u8]) -> bool {
    // In an array nothing is acted on, so that only grammar and UTF-8 decide.
    scanned(&[b"[", bytes, b"]"].concat()).is_ok()
}

#[test]
fn one_letter_that_is_not_ascii_is_seen_wherever_it_stands() {
    for length in 0..150 {
        let plain = format!("[\"{}\"]", "a".repeat(length));
        for level in Level::available() {
            let mut out = Envelope::new();
            assert!(scan_at(level, true, plain.as_bytes(), 1, &mut out).is_ok());
            assert_eq!(out.flags(), flag::ASCII, "{level:?}, {length}");
            for at in 0..=length {
                let mut text = plain.clone();
                text.insert(2 + at, 'é');
                assert!(scan_at(level, true, text.as_bytes(), 1, &mut out).is_ok());
                assert_eq!(out.flags(), 0, "{level:?}, {length}, at {at}");
                // Half of the letter: not UTF-8.
                let mut bytes = plain.clone().into_bytes();
                bytes.insert(2 + at, 0xc3);
                assert_eq!(
                    scan_at(level, true, &bytes, 1, &mut out),
                    Err(Refusal::Utf8),
                    "{level:?}, {length}, at {at}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_are_json_or_not(text in token_soup()) {
        let wrapped = format!("[{text}]");
        prop_assert_eq!(well_formed(text.as_bytes()), is_json(wrapped.as_bytes()));
    }

    #[test]
    fn json_is_json(text in json()) {
        prop_assert!(well_formed(text.as_bytes()));
    }

    #[test]
    fn damaged_json_is_json_or_not(bytes in damaged()) {
        prop_assert_eq!(well_formed(&bytes), is_json(&[b"[", &bytes[..], b"]"].concat()));
    }

    #[test]
    fn skipping_ends_where_proving_ends(arguments in json(), other in json(), name in string_token()) {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"m","x":{other},"params":{{"y":{arguments},"name":{name},"arguments":{{"a":{arguments}}},"z":[{other}]}}}}"#
        );
        let (mut proven, mut skipped) = (Envelope::new(), Envelope::new());
        let found = scan_at(Level::Scalar, true, text.as_bytes(), 64, &mut proven);
        prop_assert!(found.is_ok());
        let range = proven.arguments().expect("arguments are there");
        let expected = format!("{{\"a\":{arguments}}}");
        prop_assert_eq!(&text[range], expected.as_str());
        for level in Level::available() {
            prop_assert_eq!(scan_at(level, false, text.as_bytes(), 64, &mut skipped), found);
            prop_assert_eq!(&skipped, &proven);
        }
    }

    #[test]
    fn skipping_counts_depth_as_proving_does(text in json(), max_depth in 0..6u32) {
        let text = format!("[[{text}]]");
        let found = scan_at(Level::Scalar, true, text.as_bytes(), max_depth, &mut Envelope::new());
        for level in Level::available() {
            prop_assert_eq!(scan_at(level, false, text.as_bytes(), max_depth, &mut Envelope::new()), found);
        }
    }

    #[test]
    fn skipping_survives_anything(bytes in prop::collection::vec(prop::sample::select(&b"{}[]\"\\,:a \xff"[..]), 0..300)) {
        let first = scan_at(Level::Scalar, false, &bytes, 8, &mut Envelope::new());
        for level in Level::available() {
            prop_assert_eq!(scan_at(level, false, &bytes, 8, &mut Envelope::new()), first);
        }
    }

    #[test]
    fn canonical_numbers_are_the_same_doubles(text in number_token()) {
        let double: f64 = text.parse().expect("a number");
        match canonical(text.as_bytes(), 1) {
            Ok(form) => {
                let form = String::from_utf8(form).expect("ASCII");
                let read: f64 = form.parse().expect("a number");
                prop_assert_eq!(read, double);
                prop_assert!(form != "-0" && !form.contains("e0") && !form.ends_with(".0"));
            }
            Err(refusal) => prop_assert!(refusal == Refusal::Malformed && double.is_infinite()),
        }
    }

    #[test]
    fn canonical_strings_and_order(members in prop::collection::btree_map(any::<String>(), any::<String>(), 0..8)) {
        let text = serde_json::to_string(&members).expect("JSON");
        let form = String::from_utf8(canonical(text.as_bytes(), 2).expect("a form")).expect("UTF-8");
        let mut keys: Vec<&String> = members.keys().collect();
        keys.sort_by_key(|key| key.encode_utf16().collect::<Vec<u16>>());
        // serde_json writes the same strings as ECMAScript: short escapes, lower case, nothing above 0x1f.
        let quoted = |text: &String| serde_json::to_string(text).expect("JSON");
        let expected: Vec<String> = keys.iter().map(|key| format!("{}:{}", quoted(key), quoted(&members[*key]))).collect();
        prop_assert_eq!(form, format!("{{{}}}", expected.join(",")));
    }

    #[test]
    fn canonical_means_the_same(text in json()) {
        let Ok(form) = canonical(text.as_bytes(), 64) else { return Ok(()) };
        prop_assert_eq!(canonical(&form, 64), Ok(form.clone()));
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let spelled = serde_json::to_string_pretty(&value).expect("JSON");
        prop_assert_eq!(canonical(spelled.as_bytes(), 64), Ok(form));
    }
}
