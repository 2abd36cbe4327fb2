//! The long fuzz run: `cargo run --release -p thirdrail-codec --example fuzz -- <target> [--seconds N | --runs N] [--seed N]`.
//! Targets: scan, frames, canonical. On failure the input is written into the corpus and the exit code is 1.

#[path = "../fuzz/mod.rs"]
mod fuzz;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

struct Options {
    target: String,
    until: fuzz::Until,
    seed: u64,
}

fn options() -> Result<Options, String> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().filter(|name| fuzz::TARGETS.contains(&name.as_str()));
    let target = target.ok_or(format!(
        "usage: fuzz {} [--seconds N | --runs N] [--seed N]",
        fuzz::TARGETS.join("|")
    ))?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let mut options = Options {
        target,
        until: fuzz::Until::Time(Instant::now() + Duration::from_secs(60)),
        seed: now,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|text| text.parse::<u64>().ok());
        let value = value.ok_or(format!("{name} needs a number"))?;
        match name.as_str() {
            "--seconds" => options.until = fuzz::Until::Time(Instant::now() + Duration::from_secs(value)),
            "--runs" => options.until = fuzz::Until::Runs(value),
            "--seed" => options.seed = value,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let Options { target, until, seed } = match options() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let start = Instant::now();
    match fuzz::run(&target, until, seed) {
        Ok(summary) => {
            let seconds = start.elapsed().as_secs_f64();
            let (runs, accepted) = (summary.runs, summary.accepted);
            println!("{target}: {runs} inputs ({accepted} accepted) in {seconds:.1} s, seed {seed}: no failure");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let path = fuzz::corpus_folder(&target).join(format!("failure-{seed}"));
            println!(
                "{target}, seed {seed}: {}\nb\"{}\"",
                failure.problem,
                failure.input.escape_ascii()
            );
            match std::fs::write(&path, &failure.input) {
                Ok(()) => println!("written to {}", path.display()),
                Err(error) => println!("could not write {}: {error}", path.display()),
            }
            ExitCode::FAILURE
        }
    }
}
