//! The shared vectors: the same steps run on the JavaScript twin and, through the binding, on the whole native engine.

use serde_json::{Value, json};
use thirdrail_pool::{Arena, HandleBuffers, HandleSlots, Span};

/// JSON has no NaN and no infinity: they are written as strings.
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| value.as_str().expect("a number or a string").parse().expect("a number"))
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

fn counters(fill: impl Fn(&mut [f64])) -> Value {
    let mut out = [0.0; 6];
    fill(&mut out);
    json!(out)
}

enum Subject {
    Slots(HandleSlots),
    Buffers(HandleBuffers),
    Arena(Arena),
}

impl Subject {
    fn create(case: &Value) -> Self {
        let size = number(&case["create"][1]);
        match case["create"][0].as_str().expect("what to create") {
            "slots" => Subject::Slots(HandleSlots::new(size as u32)),
            "buffers" => Subject::Buffers(HandleBuffers::new(size)),
            "arena" => Subject::Arena(Arena::new(size as usize)),
            other => panic!("no such thing: {other}"),
        }
    }

    fn step(&mut self, operation: &str, with: &[Value]) -> Value {
        match (self, operation) {
            (Subject::Slots(slots), "take") => json!(slots.take()),
            (Subject::Slots(slots), "give") => json!(slots.give(number(&with[0]))),
            (Subject::Slots(slots), "alive") => json!(slots.alive(number(&with[0]))),
            (Subject::Slots(slots), "stats") => counters(|out| slots.stats(out)),
            (Subject::Buffers(buffers), "take") => json!(buffers.take(number(&with[0]))),
            (Subject::Buffers(buffers), "give") => json!(buffers.give(number(&with[0]))),
            (Subject::Buffers(buffers), "capacity") => json!(buffers.capacity(number(&with[0]))),
            (Subject::Buffers(buffers), "stats") => counters(|out| buffers.stats(out)),
            (Subject::Arena(arena), "push") => {
                let len = number(&with[0]) as usize;
                json!(
                    arena
                        .push(&vec![with[1].as_u64().expect("a byte") as u8; len])
                        .map_or(-1, |span| i64::from(span.offset))
                )
            }
            (Subject::Arena(arena), "at") => {
                let span = Span {
                    offset: number(&with[0]) as u32,
                    len: number(&with[1]) as u32,
                };
                json!(arena.get(span))
            }
            (Subject::Arena(arena), "reset") => {
                arena.reset();
                Value::Null
            }
            (Subject::Arena(arena), "stats") => {
                let [refused, grown] = arena.stats();
                json!([arena.used(), arena.room(), refused, grown])
            }
            (_, other) => panic!("no such operation: {other}"),
        }
    }
}

#[test]
fn every_vector_gives_what_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors/pool");
    let mut steps = 0;
    for file in std::fs::read_dir(folder).expect("vectors") {
        let path = file.expect("entry").path();
        let cases: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        for case in cases.as_array().expect("a list of cases") {
            let mut subject = Subject::create(case);
            for (i, wanted) in case["steps"].as_array().expect("steps").iter().enumerate() {
                let with = wanted["with"].as_array().expect("arguments");
                let given = subject.step(wanted["do"].as_str().expect("operation"), with);
                assert!(
                    same(&given, &wanted["gives"]),
                    "{path:?} {} step {i} {wanted}: {given}",
                    case["title"]
                );
                steps += 1;
            }
        }
    }
    assert!(steps > 60, "the vectors were not found");
}
