//! A table whose places are named by handles that die with what they named. One owner; not for sharing among threads.
//!
//! A handle is `generation * 2^24 + index`, below 2^53, so that it is exact as a JavaScript number too. 0 is never one.

const INDEX_BITS: u32 = 24;

/// Places that a handle can tell apart; the most a table can hold.
pub const MAX_SLOTS: usize = 1 << INDEX_BITS;

/// The generation after which an index is not used again: handles end at 2^53.
const LAST_GENERATION: u32 = (1 << (53 - INDEX_BITS)) - 1;

struct Place<T> {
    generation: u32,
    value: Option<T>,
}

/// Totals since creation, except `in_use` and `capacity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotStats {
    /// Handles given out.
    pub taken: u64,
    /// Handles that were given back alive.
    pub returned: u64,
    /// Times that the table was full.
    pub refused: u64,
    /// Taken now.
    pub in_use: u64,
    /// Most that can be taken at once.
    pub capacity: u64,
    /// Dead handles that somebody tried to give back.
    pub stale: u64,
}

/// Values by handle, at most `capacity` of them.
///
/// A handle that was given back is dead for ever: when the generations of an index are used up (after half a billion
/// uses), a fresh index takes its place.
pub struct SlotTable<T> {
    places: Vec<Place<T>>,
    // Last in, first out: the place that was just left is the one still in the cache.
    free: Vec<u32>,
    capacity: usize,
    last_generation: u32,
    stats: SlotStats,
}

impl<T> SlotTable<T> {
    /// An empty table; it grows up to `capacity` (at most [`MAX_SLOTS`]) as it is used.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::with_last_generation(capacity, LAST_GENERATION)
    }

    fn with_last_generation(capacity: usize, last_generation: u32) -> Self {
        let capacity = capacity.min(MAX_SLOTS);
        let stats = SlotStats {
            capacity: capacity as u64,
            ..SlotStats::default()
        };
        Self {
            places: Vec::new(),
            free: Vec::new(),
            capacity,
            last_generation,
            stats,
        }
    }

    /// Keeps a value and names it. `None`: the table is full and the value is dropped.
    #[inline]
    pub fn insert(&mut self, value: T) -> Option<u64> {
        if self.stats.in_use as usize >= self.capacity {
            self.stats.refused += 1;
            return None;
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.fresh()?,
        };
        let place = &mut self.places[index as usize];
        place.value = Some(value);
        self.stats.taken += 1;
        self.stats.in_use += 1;
        Some(u64::from(place.generation) << INDEX_BITS | u64::from(index))
    }

    #[cold]
    fn fresh(&mut self) -> Option<u32> {
        if self.places.len() >= MAX_SLOTS {
            self.stats.refused += 1;
            return None;
        }
        // Room for every place at once, so that giving back never allocates.
        self.places.push(Place {
            generation: 1,
            value: None,
        });
        self.free.reserve(self.places.len());
        Some((self.places.len() - 1) as u32)
    }

    /// The value of a living handle.
    #[inline]
    #[must_use]
    pub fn get(&self, handle: u64) -> Option<&T> {
        let place = self.places.get(index_of(handle))?;
        if u64::from(place.generation) != handle >> INDEX_BITS {
            return None;
        }
        place.value.as_ref()
    }

    /// The value of a living handle, to change.
    #[inline]
    pub fn get_mut(&mut self, handle: u64) -> Option<&mut T> {
        let place = self.places.get_mut(index_of(handle))?;
        if u64::from(place.generation) != handle >> INDEX_BITS {
            return None;
        }
        place.value.as_mut()
    }

    /// Whether the handle is taken and not yet given back.
    #[inline]
    #[must_use]
    pub fn contains(&self, handle: u64) -> bool {
        self.get(handle).is_some()
    }

    /// Gives a place back and its value out; a dead handle is counted as stale and nothing else happens.
    #[inline]
    pub fn remove(&mut self, handle: u64) -> Option<T> {
        let Some(value) = self.take_value(handle) else {
            self.stats.stale += 1;
            return None;
        };
        self.stats.returned += 1;
        self.stats.in_use -= 1;
        Some(value)
    }

    #[inline]
    fn take_value(&mut self, handle: u64) -> Option<T> {
        let index = index_of(handle);
        let place = self.places.get_mut(index)?;
        if u64::from(place.generation) != handle >> INDEX_BITS {
            return None;
        }
        let value = place.value.take()?;
        if place.generation < self.last_generation {
            place.generation += 1;
            self.free.push(index as u32);
        }
        Some(value)
    }

    /// The living values with their handles, by index.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.places.iter().enumerate().filter_map(|(index, place)| {
            let handle = u64::from(place.generation) << INDEX_BITS | index as u64;
            place.value.as_ref().map(|value| (handle, value))
        })
    }

    /// Taken now.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.stats.in_use as usize
    }

    /// Whether none is taken.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stats.in_use == 0
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> SlotStats {
        self.stats
    }
}

#[inline]
fn index_of(handle: u64) -> usize {
    (handle as usize) & (MAX_SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_is_used_up_is_replaced() {
        let mut table = SlotTable::with_last_generation(1, 3);
        let mut seen = Vec::new();
        for round in 0..10 {
            let handle = table.insert(round).expect("room");
            assert!(!seen.contains(&handle));
            assert!(seen.iter().all(|dead| !table.contains(*dead)), "the dead stay dead");
            assert_eq!(table.insert(99), None, "one at a time");
            assert_eq!(table.remove(handle), Some(round));
            seen.push(handle);
        }
        assert_eq!(table.places.len(), 4);
        assert_eq!(seen[2..4], [(3 << 24), (1 << 24) | 1]);
    }

    #[test]
    fn the_last_handle_is_a_safe_integer() {
        let last = u64::from(LAST_GENERATION) << INDEX_BITS | (MAX_SLOTS as u64 - 1);
        assert_eq!(last, (1 << 53) - 1);
    }

    #[test]
    fn no_more_than_handles_can_name() {
        let table = SlotTable::<()>::new(usize::MAX);
        assert_eq!(table.stats().capacity, 1 << 24);
    }
}
