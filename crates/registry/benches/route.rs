//! Price of a lookup and of a publish, in nanoseconds: the least of many rounds, since other work can only add.

use std::hint::black_box;
use std::time::Instant;

use thirdrail_registry::Registry;

fn least(rounds: usize, operations: usize, mut run: impl FnMut()) -> f64 {
    (0..rounds)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / operations as f64
        })
        .fold(f64::INFINITY, f64::min)
}

fn main() {
    for count in [2, 500, 10_000] {
        let registry = Registry::new();
        let names: Vec<String> = (0..count).map(|i| format!("tool_number_{i}")).collect();
        for (i, name) in names.iter().enumerate() {
            registry.handler("tools/call", name, i as u32);
        }
        registry.answer("tools/list", "", Some(b"{}"), Some(b"{}"));
        registry.publish();
        let mut reader = registry.reader();
        let rounds = if cfg!(debug_assertions) { 3 } else { 60 };

        let hit = least(rounds, count * 10, || {
            for _ in 0..10 {
                for name in &names {
                    black_box(reader.snapshot().route(b"tools/call", black_box(name.as_bytes())));
                }
            }
        });
        let loaded = least(rounds, count * 10, || {
            for _ in 0..10 {
                for name in &names {
                    black_box(registry.snapshot().route(b"tools/call", black_box(name.as_bytes())));
                }
            }
        });
        let miss = least(rounds, 1000, || {
            for _ in 0..1000 {
                black_box(
                    reader
                        .snapshot()
                        .route(b"tools/call", black_box(b"nobody_is_called_so")),
                );
            }
        });
        let entry = registry
            .snapshot()
            .route(b"tools/call", b"tool_number_0")
            .cloned()
            .expect("registered");
        let record = least(rounds, 1000, || {
            for i in 0..1000 {
                entry.stats.record(false, black_box(i));
            }
        });
        let publish = least(rounds.min(10), 1, || {
            registry.handler("tools/call", "tool_number_0", 0);
            registry.publish();
        });
        println!(
            "registry {count:>6} entries: route {hit:.1} ns (reader), {loaded:.1} ns (load), miss {miss:.1} ns, \
             record {record:.1} ns, change + publish {publish:.0} ns"
        );
    }
}
