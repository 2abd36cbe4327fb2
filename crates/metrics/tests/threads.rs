//! Many recorders and one reader: nothing is lost, and what is read agrees with itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::Value;
use thirdrail_metrics::Metrics;

fn read(metrics: &Metrics) -> Value {
    serde_json::from_str(&metrics.snapshot()).expect("JSON")
}

fn series(report: &Value, family: usize) -> &Value {
    &report["families"][family]["series"][0]
}

/// (le, cumulative count) of a histogram in the exposition, and its `_count`.
fn buckets(text: &str, name: &str) -> (Vec<f64>, f64) {
    let value = |line: &str| {
        line.rsplit(' ')
            .next()
            .and_then(|v| v.parse::<f64>().ok())
            .expect("a value")
    };
    let lines = |suffix: &str| {
        let start = format!("{name}{suffix}");
        text.lines()
            .filter(|line| line.starts_with(&start))
            .map(value)
            .collect::<Vec<_>>()
    };
    (lines("_bucket"), lines("_count")[0])
}

#[test]
fn what_all_threads_recorded_is_merged() {
    let metrics = Metrics::new(10);
    let counter = metrics
        .counter("c_total", "", &[])
        .and_then(|f| metrics.series(f, &[]))
        .expect("valid");
    let gauge = metrics
        .gauge("g", "", &[])
        .and_then(|f| metrics.series(f, &[]))
        .expect("valid");
    let time = metrics
        .histogram("h", "", &[], 1.0)
        .and_then(|f| metrics.series(f, &[]))
        .expect("valid");
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (metrics, stop) = (metrics.clone(), stop.clone());
        std::thread::spawn(move || {
            let mut last = 0.0;
            while !stop.load(Relaxed) {
                let report = read(&metrics);
                let histogram = series(&report, 2);
                let count = histogram["count"].as_f64().expect("a number");
                assert!(count >= last, "a count never goes back");
                if count > 0.0 {
                    let of = |key: &str| histogram[key].as_f64().expect("a number");
                    let order = ["min", "p50", "p90", "p95", "p99", "p999", "max"].map(of);
                    assert!(order.is_sorted(), "{histogram}");
                }
                last = count;
                let (shown, total) = buckets(&metrics.exposition(), "h");
                assert!(shown.is_sorted() && shown.last() == Some(&total));
            }
        })
    };
    let writers: Vec<_> = (0..4u64)
        .map(|thread| {
            let metrics = metrics.clone();
            std::thread::spawn(move || {
                let recorder = metrics.recorder();
                for i in 0..5000 {
                    recorder.add(counter, 1.0);
                    recorder.observe(time, i * 4 + thread);
                }
                recorder.add(gauge, thread as f64 + 0.5);
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("writer"));
    stop.store(true, Relaxed);
    reader.join().expect("reader");

    let report = read(&metrics);
    assert_eq!(series(&report, 0)["value"], 20_000);
    assert_eq!(series(&report, 1)["value"], 8);
    let histogram = series(&report, 2);
    assert_eq!(
        (&histogram["count"], &histogram["min"], &histogram["max"]),
        (&20_000.into(), &0.into(), &19_999.into())
    );
    assert_eq!(histogram["sum"], (0..20_000u64).sum::<u64>());
}

#[test]
fn a_gauge_is_the_sum_of_its_threads() {
    let metrics = Metrics::new(10);
    let gauge = metrics
        .gauge("g", "", &[])
        .and_then(|f| metrics.series(f, &[]))
        .expect("valid");
    let (first, second) = (metrics.recorder(), metrics.recorder());
    first.set(gauge, 5.0);
    second.set(gauge, 7.0);
    second.add(gauge, -3.0);
    assert_eq!(series(&read(&metrics), 0)["value"], 9);
    first.set(gauge, 1.0);
    assert_eq!(series(&read(&metrics), 0)["value"], 5);
}

#[test]
fn what_was_recorded_outlives_its_recorder() {
    let metrics = Metrics::new(10);
    let counter = metrics
        .counter("c_total", "", &[])
        .and_then(|f| metrics.series(f, &[]))
        .expect("valid");
    for _ in 0..100 {
        // One after another they share one shard: threads that come and go cost no memory.
        metrics.recorder().add(counter, 1.0);
    }
    assert_eq!(series(&read(&metrics), 0)["value"], 100);
}

#[test]
fn a_series_made_later_is_known_to_older_recorders() {
    let metrics = Metrics::new(100_000);
    let family = metrics.counter("c_total", "", &["n"]).expect("valid");
    let recorder = metrics.recorder();
    let early = metrics.series(family, &["early"]).expect("valid");
    recorder.add(early, 1.0);
    for n in 0..5000 {
        let series = metrics.series(family, &[&n.to_string()]).expect("valid");
        recorder.add(series, f64::from(n));
    }
    recorder.add(early, 1.0);
    let report = read(&metrics);
    let all = report["families"][0]["series"].as_array().expect("series");
    assert_eq!(
        (&all[0]["value"], &all[5000]["value"], all.len()),
        (&2.into(), &4999.into(), 5001)
    );
}
