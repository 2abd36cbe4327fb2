//! The shared vectors: the same steps run on the JavaScript twin and, through the binding, on the whole native engine.

use serde_json::{Value, json};
use thirdrail_metrics::HandleMetrics;

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// JSON has no NaN and no infinity, and its readers may round many digits: such numbers are written as strings.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| text(value).parse().expect("a number"))
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| text(item).to_owned())
        .collect()
}

/// Families and series give numbers, reports text, recording nothing.
fn step(metrics: &HandleMetrics, operation: &str, with: &[Value]) -> Value {
    match operation {
        "counter" => json!(metrics.counter(text(&with[0]), text(&with[1]), &texts(&with[2])) as i64),
        "gauge" => json!(metrics.gauge(text(&with[0]), text(&with[1]), &texts(&with[2])) as i64),
        "histogram" => {
            json!(metrics.histogram(text(&with[0]), text(&with[1]), &texts(&with[2]), number(&with[3])) as i64)
        }
        "series" => json!(metrics.series(number(&with[0]), &texts(&with[1])) as i64),
        "add" | "set" | "observe" => {
            let record = match operation {
                "add" => HandleMetrics::add,
                "set" => HandleMetrics::set,
                _ => HandleMetrics::observe,
            };
            record(metrics, number(&with[0]), number(&with[1]));
            Value::Null
        }
        "snapshot" => json!(metrics.snapshot()),
        "exposition" => json!(metrics.exposition().split('\n').collect::<Vec<_>>()),
        other => panic!("no such operation: {other}"),
    }
}

#[test]
fn every_vector_gives_what_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors/metrics");
    let mut steps = 0;
    for file in std::fs::read_dir(folder).expect("vectors") {
        let path = file.expect("entry").path();
        let cases: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        for case in cases.as_array().expect("a list of cases") {
            let metrics = HandleMetrics::new(number(&case["maxSeries"]));
            for (i, wanted) in case["steps"].as_array().expect("steps").iter().enumerate() {
                let given = step(
                    &metrics,
                    text(&wanted["do"]),
                    wanted["with"].as_array().expect("arguments"),
                );
                assert_eq!(given, wanted["gives"], "{path:?} {} step {i}", case["title"]);
                steps += 1;
            }
        }
    }
    assert!(steps > 800, "the vectors were not found");
}
