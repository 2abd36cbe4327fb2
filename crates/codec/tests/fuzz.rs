//! The bounded fuzz run: the same inputs on every machine. The long one is `cargo run --release --example fuzz`.

#[path = "../fuzz/mod.rs"]
mod fuzz;

fn bounded(target: &str) {
    let summary = fuzz::run(target, fuzz::Until::Runs(20_000), 1).unwrap_or_else(|failure| {
        panic!(
            "{target}: {} for b\"{}\"",
            failure.problem,
            failure.input.escape_ascii()
        );
    });
    assert!(fuzz::TARGETS.contains(&target));
    // A run that is refused everywhere would prove little.
    let share = summary.accepted as f64 / summary.runs as f64;
    assert!(
        share > 0.1,
        "{target} accepted {} of {} inputs",
        summary.accepted,
        summary.runs
    );
}

#[test]
fn scan() {
    bounded("scan");
}

#[test]
fn frames() {
    bounded("frames");
}

#[test]
fn canonical() {
    bounded("canonical");
}
