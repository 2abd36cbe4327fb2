//! What readers see: an immutable table, and ways to hold it. Nothing here changes a route.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};
use foldhash::fast::RandomState;

use crate::entry::Entry;
use crate::word::Word;

type Names = HashMap<Word, Arc<Entry>, RandomState>;

/// All routes of one generation.
#[derive(Debug, Default)]
pub struct Snapshot {
    generation: u32,
    size: usize,
    // Nested, so that both halves of the key are borrowed from the request: a joined key would have to be built.
    methods: HashMap<Word, Names, RandomState>,
}

impl Snapshot {
    pub(crate) fn build(generation: u32, entries: impl Iterator<Item = Arc<Entry>>) -> Self {
        let mut snapshot = Self {
            generation,
            ..Self::default()
        };
        for entry in entries {
            let names = match snapshot.methods.get_mut(entry.method.as_bytes()) {
                Some(names) => names,
                None => snapshot.methods.entry(Word(entry.method.clone())).or_default(),
            };
            names.insert(Word(entry.name.clone()), entry);
            snapshot.size += 1;
        }
        snapshot
    }

    /// The entry for a method and a name, both as decoded bytes; an empty name for methods without one.
    #[inline]
    #[must_use]
    pub fn route(&self, method: &[u8], name: &[u8]) -> Option<&Arc<Entry>> {
        self.methods.get(method)?.get(name)
    }

    /// Whether anything is registered under this method, whatever its name.
    #[inline]
    #[must_use]
    pub fn has_method(&self, method: &[u8]) -> bool {
        self.methods.contains_key(method)
    }

    /// All entries in the order of their ids (first registration), for reports.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.methods.values().flat_map(HashMap::values).cloned().collect();
        entries.sort_unstable_by_key(|entry| entry.id);
        entries
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many times the registry had been published when this was made.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }
}

/// A thread's own view of the registry, for threads that look up all the time.
///
/// It keeps the snapshot between calls and only compares one pointer, so that threads share nothing but a line that is
/// written when something is published. It keeps the last snapshot it saw alive until it is asked again.
pub struct Reader {
    cache: Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>>,
}

impl Reader {
    pub(crate) fn new(published: Arc<ArcSwap<Snapshot>>) -> Self {
        Self {
            cache: Cache::new(published),
        }
    }

    /// The newest published snapshot.
    #[inline]
    pub fn snapshot(&mut self) -> &Arc<Snapshot> {
        self.cache.load()
    }
}
