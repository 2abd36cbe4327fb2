//! The registry against a plain ordered map, and readers beside a writer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use proptest::prelude::*;
use thirdrail_registry::{Era, Limits, Registry, Route};

#[derive(Clone, Debug)]
enum Step {
    Answer(u8, u8, Option<u8>, Option<u8>),
    Handler(u8, u8, u32),
    Remove(u8, u8),
    Record(u8, u8, bool, u32),
    Publish,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || (0u8..3, 0u8..6);
    let step = prop_oneof![
        (key(), any::<Option<u8>>(), any::<Option<u8>>()).prop_map(|((m, n), a, b)| Step::Answer(m, n, a, b)),
        (key(), any::<u32>()).prop_map(|((m, n), h)| Step::Handler(m, n, h)),
        key().prop_map(|(m, n)| Step::Remove(m, n)),
        (key(), any::<bool>(), any::<u32>()).prop_map(|((m, n), f, t)| Step::Record(m, n, f, t)),
        Just(Step::Publish),
    ];
    proptest::collection::vec(step, 1..80)
}

fn text(number: u8) -> String {
    format!("{{\"value\":{number}}}")
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Answer(Option<u8>, Option<u8>),
    Handler(u32),
}

proptest! {
    #[test]
    fn behaves_like_an_ordered_map(steps in steps()) {
        let registry = Registry::with_limits(Limits { entries: 1000, retired: 1000 });
        let mut live: BTreeMap<(u8, u8), Expected> = BTreeMap::new();
        let mut published = live.clone();
        let mut ids: BTreeMap<(u8, u8), (u32, [f64; 3])> = BTreeMap::new();
        let mut reader = registry.reader();
        for step in steps {
            match step {
                Step::Answer(m, n, modern, legacy) => {
                    let (a, b) = (modern.map(text), legacy.map(text));
                    let id = registry
                        .answer(&m.to_string(), &n.to_string(), a.as_deref().map(str::as_bytes), b.as_deref().map(str::as_bytes))
                        .expect("room");
                    let next = ids.len() as u32;
                    prop_assert_eq!(id, ids.entry((m, n)).or_insert((next, [0.0; 3])).0);
                    live.insert((m, n), Expected::Answer(modern, legacy));
                }
                Step::Handler(m, n, handler) => {
                    let id = registry.handler(&m.to_string(), &n.to_string(), handler).expect("room");
                    let next = ids.len() as u32;
                    prop_assert_eq!(id, ids.entry((m, n)).or_insert((next, [0.0; 3])).0);
                    live.insert((m, n), Expected::Handler(handler));
                }
                Step::Remove(m, n) => {
                    prop_assert_eq!(registry.remove(&m.to_string(), &n.to_string()), live.remove(&(m, n)).is_some());
                }
                Step::Record(m, n, failed, time) => {
                    if let Some((id, stats)) = ids.get_mut(&(m, n)) {
                        registry.record(*id, failed, u64::from(time));
                        *stats = [stats[0] + 1.0, stats[1] + f64::from(u8::from(failed)), stats[2] + f64::from(time)];
                    }
                }
                Step::Publish => {
                    registry.publish();
                    published = live.clone();
                }
            }
            let snapshot = reader.snapshot();
            prop_assert_eq!(snapshot.size(), published.len());
            for method in 0..3u8 {
                for name in 0..6u8 {
                    let found = snapshot.route(method.to_string().as_bytes(), name.to_string().as_bytes());
                    let wanted = published.get(&(method, name));
                    prop_assert_eq!(found.is_some(), wanted.is_some());
                    let (Some(found), Some(wanted)) = (found, wanted) else { continue };
                    prop_assert_eq!(found.id, ids[&(method, name)].0);
                    match wanted {
                        Expected::Handler(handler) => prop_assert_eq!(found.handler(), Some(*handler)),
                        Expected::Answer(modern, legacy) => {
                            for (era, value) in [(Era::Modern, modern), (Era::Legacy, legacy)] {
                                let result = found.result(era).map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"));
                                prop_assert_eq!(&result, &value.map(text));
                                prop_assert_eq!(found.closed(era).map(|bytes| bytes.ends_with(b"}}")), value.map(|_| true));
                            }
                        }
                    }
                }
            }
        }
        for (id, stats) in ids.values() {
            prop_assert_eq!(registry.stats(*id), Some(*stats));
        }
        let order: Vec<u32> = { registry.publish(); registry.snapshot().entries().iter().map(|entry| entry.id).collect() };
        prop_assert!(order.is_sorted());
    }
}

#[test]
fn readers_see_one_generation_whole() {
    const NAMES: usize = 40;
    let registry = Arc::new(Registry::new());
    let names: Arc<Vec<String>> = Arc::new((0..NAMES).map(|i| format!("tool-{i}")).collect());
    let fill = |round: u32| {
        for name in names.iter() {
            registry.handler("tools/call", name, round);
        }
        registry.publish();
    };
    fill(0);
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|cached| {
            let (registry, names, stop) = (registry.clone(), names.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut reader = registry.reader();
                let (mut last, mut seen) = (0, 0);
                while !stop.load(Relaxed) {
                    let snapshot = if cached == 0 {
                        reader.snapshot().clone()
                    } else {
                        registry.snapshot().clone()
                    };
                    let mut rounds = names.iter().map(|name| {
                        let entry = snapshot.route(b"tools/call", name.as_bytes()).expect("never missing");
                        entry.stats.record(false, 1);
                        let Route::Handler(round) = entry.route else {
                            panic!("a handler")
                        };
                        round
                    });
                    let first = rounds.next().expect("some");
                    assert!(rounds.all(|round| round == first), "a mix of two generations");
                    assert!(first >= last, "went back");
                    last = first;
                    seen += 1;
                }
                seen
            })
        })
        .collect();
    for round in 1..400 {
        fill(round);
    }
    stop.store(true, Relaxed);
    let seen: u32 = readers.into_iter().map(|reader| reader.join().expect("reader")).sum();
    let counted: f64 = (0..NAMES as u32).map(|id| registry.stats(id).expect("known")[0]).sum();
    assert_eq!(
        counted,
        f64::from(seen) * NAMES as f64,
        "no call is lost when entries are replaced"
    );
}

#[test]
fn writers_on_many_threads_lose_nothing() {
    let registry = Arc::new(Registry::new());
    let writers: Vec<_> = (0..4u32)
        .map(|writer| {
            let registry = registry.clone();
            std::thread::spawn(move || {
                for i in 0..200 {
                    let id = registry
                        .handler("tools/call", &format!("{writer}-{i}"), writer * 1000 + i)
                        .expect("room");
                    registry.record(id, i % 2 == 0, 1);
                    if i % 50 == 0 {
                        registry.publish();
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("writer");
    }
    registry.publish();
    let entries = registry.snapshot().entries();
    assert!(entries.iter().map(|entry| entry.id).eq(0..800), "every id once");
    assert!(entries.iter().all(|entry| entry.stats.read()[0] == 1.0));
}
