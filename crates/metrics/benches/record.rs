//! Price of recording and of reading, in nanoseconds: the least of many rounds, since other work can only add.

use std::hint::black_box;
use std::time::Instant;

use thirdrail_metrics::Metrics;

const OPERATIONS: u64 = 100_000;

fn least(rounds: u32, operations: u64, mut run: impl FnMut()) -> f64 {
    (0..if cfg!(debug_assertions) { 2 } else { rounds })
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / operations as f64
        })
        .fold(f64::INFINITY, f64::min)
}

fn main() {
    let metrics = Metrics::new(1000);
    let calls = metrics.counter("calls_total", "Calls", &["tool"]).expect("valid");
    let time = metrics
        .histogram("call_seconds", "Time", &["tool"], 1e9)
        .expect("valid");
    let series: Vec<(u32, u32)> = (0..500)
        .map(|i| {
            let tool = format!("tool-{i}");
            (
                metrics.series(calls, &[&tool]).expect("valid"),
                metrics.series(time, &[&tool]).expect("valid"),
            )
        })
        .collect();
    let recorder = metrics.recorder();
    let add = least(50, OPERATIONS, || {
        for _ in 0..OPERATIONS {
            recorder.add(black_box(series[0].0), 1.0);
        }
    });
    let observe = least(50, OPERATIONS, || {
        for i in 0..OPERATIONS {
            recorder.observe(black_box(series[0].1), black_box(i * 997 % 5_000_000));
        }
    });
    let spread = least(50, OPERATIONS, || {
        for i in 0..OPERATIONS {
            recorder.observe(series[(i * 31 % 500) as usize].1, black_box(i * 997 % 5_000_000));
        }
    });
    let (other, first) = (metrics.clone(), series[0].1);
    let beside = std::thread::spawn(move || {
        let recorder = other.recorder();
        (0..OPERATIONS * 100).for_each(|i| recorder.observe(first, black_box(i)));
    });
    let shared = least(20, OPERATIONS, || {
        for i in 0..OPERATIONS {
            recorder.observe(first, black_box(i));
        }
    });
    beside.join().expect("the other thread");
    println!(
        "metrics: add {add:.1} ns, observe {observe:.1} ns, over 500 series {spread:.1} ns, beside a thread {shared:.1} ns"
    );
    let text = least(5, 1, || {
        black_box(metrics.exposition());
    });
    let json = least(5, 1, || {
        black_box(metrics.snapshot());
    });
    println!(
        "metrics: 1000 series, 500 of them histograms: exposition {:.1} ms, snapshot {:.1} ms",
        text / 1e6,
        json / 1e6
    );
}
