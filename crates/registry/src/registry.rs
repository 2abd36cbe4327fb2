//! The writers' side: live entries, counters by id, interned names, and the swap. Readers use [`Snapshot`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arc_swap::{ArcSwap, Guard};
use dashmap::{DashMap, DashSet};
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::entry::{Entry, Route, close};
use crate::snapshot::{Reader, Snapshot};
use crate::stats::Stats;

/// How much a registry may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most live entries; further ones are refused.
    pub entries: usize,
    /// Removed (method, name)s whose id and counters are remembered; the longest removed is forgotten first.
    pub retired: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1 << 18,
            retired: 4096,
        }
    }
}

type Key = (Arc<str>, Arc<str>);

/// Ids of removed entries, in the order of their removal.
#[derive(Default)]
struct Retired {
    ids: HashMap<Key, (u64, u32)>,
    order: BTreeMap<u64, Key>,
    stamp: u64,
}

/// What only the holder of the writers' lock may touch.
#[derive(Default)]
struct Writer {
    retired: Retired,
    next_id: u32,
    changed: bool,
    removed: bool,
}

/// (method, name) -> route. Share it behind an `Arc`; every method takes `&self`.
pub struct Registry {
    published: Arc<ArcSwap<Snapshot>>,
    generation: AtomicU32,
    live: DashMap<Key, Arc<Entry>, RandomState>,
    // Read by whoever counts by id, at any time: hence outside the writers' lock.
    stats: DashMap<u32, Arc<Stats>, RandomState>,
    names: DashSet<Arc<str>, RandomState>,
    // One writer at a time: a snapshot must be a point in the order of changes, and walking a concurrent map while others
    // write to it would give a later change without the earlier one. Lock order: writer, then a map.
    writer: Mutex<Writer>,
    limits: Limits,
}

impl Default for Registry {
    fn default() -> Self {
        Self::with_limits(Limits::default())
    }
}

impl Registry {
    /// An empty registry, generation 0, with the default [`Limits`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty registry, generation 0.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            published: Arc::default(),
            generation: AtomicU32::new(0),
            live: DashMap::default(),
            stats: DashMap::default(),
            names: DashSet::default(),
            writer: Mutex::default(),
            limits,
        }
    }

    /// Adds or replaces an answer: result objects as JSON bytes, `None` where the era does not have the method.
    /// Returns the entry's id, or `None` when the registry is full.
    pub fn answer(&self, method: &str, name: &str, modern: Option<&[u8]>, legacy: Option<&[u8]>) -> Option<u32> {
        self.put(
            method,
            name,
            Route::Answer {
                modern: modern.map(close),
                legacy: legacy.map(close),
            },
        )
    }

    /// Adds or replaces a handler, by a number of the caller's. `None` when the registry is full.
    pub fn handler(&self, method: &str, name: &str, handler: u32) -> Option<u32> {
        self.put(method, name, Route::Handler(handler))
    }

    fn put(&self, method: &str, name: &str, route: Route) -> Option<u32> {
        let mut writer = self.writer.lock();
        let key: Key = (Arc::from(method), Arc::from(name));
        let known = self.live.get(&key).map(|entry| entry.value().clone());
        let (id, stats, (method, name)) = match known {
            Some(old) => (old.id, old.stats.clone(), (old.method.clone(), old.name.clone())),
            None if self.live.len() >= self.limits.entries => return None,
            None => {
                let (id, stats) = self.identity(&mut writer, &key)?;
                (id, stats, (self.intern(key.0), self.intern(key.1)))
            }
        };
        let key = (method.clone(), name.clone());
        self.live.insert(
            key,
            Arc::new(Entry {
                id,
                method,
                name,
                route,
                stats,
            }),
        );
        writer.changed = true;
        Some(id)
    }

    /// Id and counters for a key that is not live: those it had before it was removed, else new ones.
    fn identity(&self, writer: &mut Writer, key: &Key) -> Option<(u32, Arc<Stats>)> {
        if let Some((stamp, id)) = writer.retired.ids.remove(key) {
            writer.retired.order.remove(&stamp);
            return Some((id, self.stats.entry(id).or_default().clone()));
        }
        let id = writer.next_id;
        // Ids are not used twice; they end where a signed 32-bit number does, so that -1 can mean "none" everywhere.
        writer.next_id = id.checked_add(1).filter(|next| *next <= i32::MAX as u32)?;
        Some((id, self.stats.entry(id).or_default().clone()))
    }

    /// Removes an entry; false when there was none. Its counters stay readable, and if it comes back it goes on counting.
    pub fn remove(&self, method: &str, name: &str) -> bool {
        let mut writer = self.writer.lock();
        let key: Key = (Arc::from(method), Arc::from(name));
        let Some((key, entry)) = self.live.remove(&key) else {
            return false;
        };
        let retired = &mut writer.retired;
        retired.stamp += 1;
        retired.ids.insert(key.clone(), (retired.stamp, entry.id));
        retired.order.insert(retired.stamp, key);
        while retired.order.len() > self.limits.retired {
            let Some((_, oldest)) = retired.order.pop_first() else {
                break;
            };
            if let Some((_, id)) = retired.ids.remove(&oldest) {
                self.stats.remove(&id);
            }
        }
        writer.changed = true;
        writer.removed = true;
        true
    }

    /// Makes all changes since the last time visible at once. Returns the generation now published; without changes
    /// nothing is swapped and it stays the same.
    pub fn publish(&self) -> u32 {
        let mut writer = self.writer.lock();
        if !writer.changed {
            return self.generation.load(Relaxed);
        }
        let generation = self.generation.load(Relaxed).wrapping_add(1);
        let snapshot = Snapshot::build(generation, self.live.iter().map(|entry| entry.value().clone()));
        self.published.store(Arc::new(snapshot));
        self.generation.store(generation, Relaxed);
        if writer.removed {
            // The snapshot just replaced may still be read and hold names; the next removal takes those.
            self.names.retain(|name| Arc::strong_count(name) > 1);
        }
        writer.changed = false;
        writer.removed = false;
        generation
    }

    /// The published snapshot. For a lookup now and then; a thread that looks up all the time takes a [`Reader`].
    #[must_use]
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.published.load()
    }

    /// A view for one thread.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.published.clone())
    }

    /// Counts one call by id; an id that is not known is ignored. Who holds the entry calls [`Stats::record`] itself.
    pub fn record(&self, id: u32, failed: bool, nanoseconds: u64) {
        if let Some(stats) = self.stats.get(&id) {
            stats.record(failed, nanoseconds);
        }
    }

    /// `[calls, errors, total nanoseconds]`, or `None` when the id was never given or is forgotten (see [`Limits`]).
    #[must_use]
    pub fn stats(&self, id: u32) -> Option<[f64; 3]> {
        self.stats.get(&id).map(|stats| stats.read())
    }

    /// Published entries.
    #[must_use]
    pub fn size(&self) -> usize {
        self.published.load().size()
    }

    /// The published generation; 0 before the first [`Registry::publish`].
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.published.load().generation()
    }

    fn intern(&self, name: Arc<str>) -> Arc<str> {
        if let Some(known) = self.names.get(&name) {
            return known.clone();
        }
        self.names.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_interned_and_let_go() {
        let registry = Registry::with_limits(Limits {
            entries: 10,
            retired: 0,
        });
        registry.handler("tools/call", "a", 0);
        registry.handler("tools/call", "b", 1);
        registry.publish();
        let entries = registry.snapshot().entries();
        assert!(Arc::ptr_eq(&entries[0].method, &entries[1].method));
        assert_eq!(registry.names.len(), 3);
        drop(entries);
        assert!(!registry.remove("tools/call", "nobody"));
        registry.remove("tools/call", "a");
        // The first publish drops the snapshot that still names it, the next one that removed something lets go.
        registry.publish();
        registry.remove("tools/call", "b");
        registry.publish();
        assert!(registry.names.len() <= 2, "{:?}", registry.names);
    }

    #[test]
    fn full_is_refused_and_leaves_nothing_behind() {
        let registry = Registry::with_limits(Limits { entries: 1, retired: 1 });
        assert_eq!(registry.handler("m", "a", 0), Some(0));
        assert_eq!(registry.handler("m", "b", 0), None);
        assert_eq!((registry.names.len(), registry.stats.len()), (2, 1));
        assert_eq!(registry.handler("m", "a", 7), Some(0), "replacing takes no room");
    }

    #[test]
    fn the_longest_removed_is_forgotten_first() {
        let registry = Registry::with_limits(Limits { entries: 9, retired: 2 });
        for name in ["a", "b", "c"] {
            registry.handler("m", name, 0);
        }
        registry.record(1, false, 5);
        for name in ["a", "b", "c"] {
            registry.remove("m", name);
        }
        assert_eq!(registry.stats(0), None);
        assert_eq!(registry.handler("m", "b", 0), Some(1), "remembered");
        assert_eq!(registry.stats(1), Some([1.0, 0.0, 5.0]));
        assert_eq!(
            registry.handler("m", "a", 0),
            Some(3),
            "forgotten: a new id, never an old one"
        );
        for name in ["c", "d", "e", "f"] {
            registry.handler("m", name, 0);
            registry.remove("m", name);
        }
        assert!(
            registry.stats(1).is_some(),
            "what has come back is not forgotten with the removed"
        );
        assert_eq!(registry.writer.lock().retired.ids.len(), 2);
    }

    #[test]
    fn ids_end_before_the_sign_bit() {
        let registry = Registry::new();
        registry.writer.lock().next_id = i32::MAX as u32 - 1;
        assert_eq!(registry.handler("m", "last", 0), Some(i32::MAX as u32 - 1));
        assert_eq!(registry.handler("m", "beyond", 0), None);
    }
}
