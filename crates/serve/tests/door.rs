//! The door on the vectors that the JavaScript twin reads too (`test/vectors/serve/door.json`).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use thirdrail_codec::{Envelope, scan};
use thirdrail_registry::Registry;
use thirdrail_serve::{Config, Head, Verdict, decide};

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap().to_owned())
        .collect()
}

fn config(vectors: &Value) -> Config {
    Config {
        host: String::new(),
        port: 0,
        path: String::new(),
        threads: 1,
        modern_versions: strings(&vectors["modernVersions"]),
        legacy_versions: strings(&vectors["legacyVersions"]),
        allowed_hosts: None,
        allowed_origins: None,
        max_body: 0,
        max_header: 0,
        max_depth: 64,
        max_in_flight: 1,
        max_connections: 1,
        max_stream: 0,
        header_timeout: Duration::ZERO,
        body_timeout: Duration::ZERO,
        idle_timeout: Duration::ZERO,
        write_timeout: Duration::from_secs(10),
        stream_high_water: 64 << 10,
        compression_threshold: 0,
        unix_path: None,
        reuse_port: false,
        tls: None,
        http2: false,
        other_paths: vec![],
        cors_origins: None,
        authorize: false,
    }
}

fn registry(vectors: &Value) -> Registry {
    let registry = Registry::new();
    for route in vectors["routes"].as_array().unwrap() {
        let (method, name) = (route["method"].as_str().unwrap(), route["name"].as_str().unwrap());
        match route["handler"].as_u64() {
            Some(handler) => registry.handler(method, name, handler as u32),
            None => {
                let bytes = |era: &str| route[era].as_str().map(str::as_bytes);
                registry.answer(method, name, bytes("modern"), bytes("legacy"))
            }
        };
    }
    registry.publish();
    registry
}

fn headers(case: &Value) -> HeaderMap {
    let mut map = HeaderMap::new();
    for pair in case["headers"].as_array().unwrap() {
        let name = HeaderName::from_bytes(pair[0].as_str().unwrap().as_bytes()).unwrap();
        map.append(
            name,
            HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap(),
        );
    }
    map
}

#[test]
fn decides_every_vector() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors/serve/door.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (config, registry) = (config(&vectors), registry(&vectors));
    let sessions = strings(&vectors["sessions"]);
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() > 50);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let body = case["body"].as_str().unwrap().as_bytes();
        let mut envelope = Envelope::default();
        let kind = scan(body, config.max_depth, &mut envelope).unwrap_or_else(|r| panic!("{name}: {r}"));
        let (headers, snapshot) = (headers(case), registry.snapshot());
        let head = Head::read(&headers);
        let known = |id: &str| sessions.iter().any(|one| one == id);
        let verdict = decide(&config, &snapshot, kind, &envelope, body, &head, known);
        match (verdict, case["expect"].as_str().unwrap()) {
            (Verdict::Up, "up") => {}
            (Verdict::Answer(_, closed), "answer") => {
                let expected = format!("{}}}", case["result"].as_str().unwrap());
                assert_eq!(closed.as_ref(), expected.as_bytes(), "{name}");
            }
            (Verdict::Call(_, handler, flags), "call") => {
                assert_eq!(Some(u64::from(handler)), case["handler"].as_u64(), "{name}");
                assert_eq!(Some(u64::from(flags)), case["flags"].as_u64(), "{name}");
                let args = envelope.arguments().map_or(&b""[..], |range| &body[range]);
                assert_eq!(args, case["args"].as_str().unwrap().as_bytes(), "{name}");
            }
            (other, expected) => panic!("{name}: expected {expected}, got {other:?}"),
        }
    }
}
