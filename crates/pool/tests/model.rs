//! Slots and arenas against the plainest structures that do the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use thirdrail_pool::{Arena, SlotTable};

#[derive(Clone, Debug)]
enum Step {
    Insert(u32),
    Remove(usize),
    Change(usize, u32),
    Garbage(u64),
}

proptest! {
    #[test]
    fn a_slot_table_is_a_map_with_names_of_its_own(
        capacity in 0usize..8,
        steps in proptest::collection::vec(prop_oneof![
            any::<u32>().prop_map(Step::Insert),
            any::<usize>().prop_map(Step::Remove),
            (any::<usize>(), any::<u32>()).prop_map(|(i, v)| Step::Change(i, v)),
            prop_oneof![any::<u64>(), 0u64..300].prop_map(Step::Garbage),
        ], 1..200),
    ) {
        let mut table = SlotTable::new(capacity);
        let mut live = BTreeMap::new();
        let mut ever: Vec<u64> = Vec::new();
        let (mut refused, mut stale) = (0, 0);
        for step in steps {
            match step {
                Step::Insert(value) => match table.insert(value) {
                    Some(handle) => {
                        prop_assert!(live.len() < capacity);
                        prop_assert!(!ever.contains(&handle), "used twice");
                        prop_assert!(handle > 0 && handle < 1 << 53);
                        live.insert(handle, value);
                        ever.push(handle);
                    }
                    None => {
                        prop_assert_eq!(live.len(), capacity);
                        refused += 1;
                    }
                },
                Step::Remove(i) if !ever.is_empty() => {
                    let handle = ever[i % ever.len()];
                    let wanted = live.remove(&handle);
                    prop_assert_eq!(table.remove(handle), wanted);
                    stale += u64::from(wanted.is_none());
                }
                Step::Change(i, value) if !ever.is_empty() => {
                    let handle = ever[i % ever.len()];
                    prop_assert_eq!(table.get_mut(handle).map(|old| *old = value).is_some(), live.contains_key(&handle));
                    live.entry(handle).and_modify(|old| *old = value);
                }
                Step::Garbage(handle) if !ever.contains(&handle) => {
                    prop_assert_eq!(table.get(handle), None);
                    prop_assert_eq!(table.remove(handle), None);
                    stale += 1;
                }
                _ => {}
            }
            for handle in &ever {
                prop_assert_eq!(table.get(*handle), live.get(handle));
            }
            prop_assert_eq!(table.iter().map(|(handle, value)| (handle, *value)).collect::<BTreeMap<_, _>>(), live.clone());
            let stats = table.stats();
            prop_assert_eq!((stats.in_use as usize, stats.refused, stats.stale), (live.len(), refused, stale));
            prop_assert_eq!((stats.taken, stats.taken - stats.returned), (ever.len() as u64, stats.in_use));
        }
    }

    #[test]
    fn an_arena_keeps_what_it_was_given(
        max in 0usize..20_000,
        batches in proptest::collection::vec(proptest::collection::vec((0usize..9000, any::<bool>()), 0..12), 1..12),
    ) {
        let mut arena = Arena::new(max);
        for batch in batches {
            let mut model: Vec<(thirdrail_pool::Span, Vec<u8>)> = Vec::new();
            for (i, (len, own)) in batch.into_iter().enumerate() {
                let bytes = vec![i as u8 + 1; len];
                let used = arena.used();
                let span = if own {
                    arena.alloc(len).map(|(span, room)| {
                        room.copy_from_slice(&bytes);
                        span
                    })
                } else {
                    arena.push(&bytes)
                };
                prop_assert_eq!(span.is_some(), used + len <= max);
                model.extend(span.map(|span| (span, bytes)));
            }
            for (span, bytes) in &model {
                prop_assert_eq!(arena.get(*span), Some(&bytes[..]));
            }
            prop_assert_eq!(arena.bytes().len(), model.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
            prop_assert!(arena.room() <= max.max(4096));
            arena.reset();
            for (span, _) in model.iter().filter(|(span, _)| span.len > 0) {
                prop_assert_eq!(arena.get(*span), None);
            }
        }
    }
}
