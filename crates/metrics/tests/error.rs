//! The bound on the error: every percentile within 1 % of the exact one, whatever was recorded.

use proptest::prelude::*;
use serde_json::Value;
use thirdrail_metrics::Metrics;

fn values() -> impl Strategy<Value = Vec<u64>> {
    // By size first, so that all powers of two are met, and not only the largest.
    let one = (0u32..53).prop_flat_map(|bits| (1u64 << bits) - 1..=(1u64 << (bits + 1)) - 1);
    let near = (1u64..1 << 40).prop_flat_map(|middle| proptest::collection::vec(middle..=middle + middle / 10, 1..200));
    prop_oneof![proptest::collection::vec(one, 1..300), near]
}

proptest! {
    #[test]
    fn percentiles_are_within_one_percent(values in values(), threads in 1usize..4) {
        let metrics = Metrics::new(1);
        let family = metrics.histogram("h", "", &[], 1.0).expect("valid");
        let series = metrics.series(family, &[]).expect("valid");
        let recorders: Vec<_> = (0..threads).map(|_| metrics.recorder()).collect();
        for (i, value) in values.iter().enumerate() {
            recorders[i % threads].observe(series, *value);
        }
        let report: Value = serde_json::from_str(&metrics.snapshot()).expect("JSON");
        let histogram = &report["families"][0]["series"][0];
        let mut sorted = values;
        sorted.sort_unstable();
        for (key, share) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)] {
            let rank = (share * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
            let exact = sorted[rank - 1] as f64;
            let shown = histogram[key].as_f64().expect("a number");
            prop_assert!((shown - exact).abs() <= exact * 0.01, "{key}: {shown} instead of {exact}");
        }
        prop_assert_eq!(histogram["min"].as_u64(), sorted.first().copied());
        prop_assert_eq!(histogram["max"].as_u64(), sorted.last().copied());
        prop_assert_eq!(histogram["count"].as_u64(), Some(sorted.len() as u64));
        let sum = sorted.iter().map(|value| *value as f64).sum::<f64>();
        prop_assert!((histogram["sum"].as_f64().expect("a number") - sum).abs() <= sum * 1e-12);
    }

    #[test]
    fn shown_buckets_hold_all_up_to_their_bound_and_little_more(values in values()) {
        let metrics = Metrics::new(1);
        let family = metrics.histogram("h", "", &[], 1.0).expect("valid");
        let series = metrics.series(family, &[]).expect("valid");
        let recorder = metrics.recorder();
        values.iter().for_each(|value| recorder.observe(series, *value));
        let text = metrics.exposition();
        let mut lines = 0;
        for line in text.lines().filter_map(|line| line.strip_prefix("h_bucket{le=\"")) {
            let (bound, count) = line.split_once("\"} ").expect("a bucket line");
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a bound") };
            let count: usize = count.parse().expect("a count");
            let up_to = |limit: f64| values.iter().filter(|value| **value as f64 <= limit).count();
            prop_assert!(up_to(bound) <= count && count <= up_to(bound * 1.01), "{line}");
            lines += 1;
        }
        prop_assert_eq!(lines, 26);
    }
}
