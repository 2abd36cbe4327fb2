//! Fuzzing on stable Rust: a committed corpus, a mutator, and for each target the properties that must hold. Shared by
//! the bounded run (`tests/fuzz.rs`) and the long one (`examples/fuzz.rs`).

mod mutate;
mod targets;

use mutate::Random;
use std::path::PathBuf;
use std::time::Instant;

/// What can be fuzzed; the corpus folder has the same name.
pub const TARGETS: [&str; 3] = ["scan", "frames", "canonical"];

/// When to stop.
pub enum Until {
    /// After this many inputs.
    Runs(u64),
    /// At this time.
    #[allow(dead_code)] // the bounded run counts, so that it does the same on every machine
    Time(Instant),
}

/// What a run did.
pub struct Summary {
    /// Inputs tried.
    pub runs: u64,
    /// Of these, how many the target accepted: near zero would mean that only its refusals are tested.
    pub accepted: u64,
}

/// An input that broke a property.
pub struct Failure {
    /// The bytes.
    pub input: Vec<u8>,
    /// Which property, and how.
    pub problem: String,
}

/// Where the corpus of a target is.
pub fn corpus_folder(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "corpus", target].iter().collect()
}

/// All files of the corpus, sorted by name so that a seed means the same everywhere.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = corpus_folder(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a readable folder").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "the corpus of {target} is empty");
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a readable file"))
        .collect()
}

/// Runs a target over its corpus, then over mutations of it. Inputs that the target accepts join the pool, so that it
/// wanders away from where it began.
pub fn run(target: &str, until: Until, seed: u64) -> Result<Summary, Failure> {
    const POOL: usize = 512;
    let mut pool = corpus(target);
    let first = pool.len();
    let mut random = Random::new(seed);
    let mut summary = Summary { runs: 0, accepted: 0 };
    loop {
        let done = match until {
            Until::Runs(runs) => summary.runs >= runs,
            Until::Time(time) => summary.runs.is_multiple_of(256) && Instant::now() >= time,
        };
        if done {
            return Ok(summary);
        }
        let input = match pool.get(summary.runs as usize) {
            Some(input) if (summary.runs as usize) < first => input.clone(),
            _ => mutate::mutate(&mut random, &pool),
        };
        summary.runs += 1;
        match check(target, &input, random.next()) {
            Ok(false) => {}
            Ok(true) => {
                summary.accepted += 1;
                if pool.len() < POOL {
                    pool.push(input);
                } else {
                    let at = first + random.below(POOL - first);
                    pool[at] = input;
                }
            }
            Err(problem) => return Err(Failure { input, problem }),
        }
    }
}

/// Checks one input; a panic is a problem like any other.
fn check(target: &str, input: &[u8], choice: u64) -> Result<bool, String> {
    let mut random = Random::new(choice);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match target {
        "scan" => targets::scan(input),
        "frames" => targets::frames(input, &mut random),
        "canonical" => targets::canonical(input),
        _ => panic!("no target {target}; there are {TARGETS:?}"),
    }));
    outcome.unwrap_or_else(|_| Err("panicked".to_string()))
}
