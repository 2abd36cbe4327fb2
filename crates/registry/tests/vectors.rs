//! The shared vectors: the same steps run on the JavaScript twin and, through the binding, on the whole native engine.

use serde_json::{Value, json};
use thirdrail_registry::HandleRegistry;

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn step(registry: &HandleRegistry, operation: &str, with: &[Value]) -> Value {
    match operation {
        "answer" => {
            let bytes = |i: usize| with[i].as_str().map(str::as_bytes);
            json!(registry.answer(text(&with[0]), text(&with[1]), bytes(2), bytes(3)))
        }
        "handler" => json!(registry.handler(text(&with[0]), text(&with[1]), with[2].as_u64().expect("number") as u32)),
        "remove" => json!(registry.remove(text(&with[0]), text(&with[1]))),
        "publish" => json!(f64::from(registry.publish())),
        "route" => json!(registry.route(text(&with[0]), text(&with[1]))),
        "record" => {
            registry.record(number(&with[0]), with[1] == 1, number(&with[2]));
            Value::Null
        }
        "stats" => {
            let mut out = [0.0; 3];
            if registry.stats(number(&with[0]), &mut out) {
                json!(out)
            } else {
                json!(false)
            }
        }
        "size" => json!(f64::from(registry.size())),
        "generation" => json!(f64::from(registry.generation())),
        other => panic!("no such operation: {other}"),
    }
}

/// JSON has no NaN and no infinity: they are written as strings.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| text(value).parse().expect("a number"))
}

/// 1 and 1.0 are one number in JSON, but not to serde_json.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

#[test]
fn every_vector_gives_what_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors/registry");
    let mut steps = 0;
    for file in std::fs::read_dir(folder).expect("vectors") {
        let path = file.expect("entry").path();
        let cases: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        for case in cases.as_array().expect("a list of cases") {
            let registry = HandleRegistry::new();
            for (i, wanted) in case["steps"].as_array().expect("steps").iter().enumerate() {
                let with = wanted["with"].as_array().expect("arguments");
                let given = step(&registry, text(&wanted["do"]), with);
                assert!(
                    same(&given, &wanted["gives"]),
                    "{path:?} {} step {i} {wanted}: {given}",
                    case["title"]
                );
                steps += 1;
            }
        }
    }
    assert!(steps > 40, "the vectors were not found");
}
