//! Jobs that JavaScript has not replied to, by the index of their slot; and the numbers that a slot crosses as.

use std::ops::Deref;

use thirdrail_serve::Job;

const INDEX_BITS: u32 = 24;

/// Low part of a handle.
pub fn index(slot: u64) -> usize {
    (slot & ((1 << INDEX_BITS) - 1)) as usize
}

/// High part of a handle.
pub fn generation(slot: u64) -> i32 {
    (slot >> INDEX_BITS) as i32
}

/// The handle of its two parts.
pub fn slot(index: i32, generation: i32) -> u64 {
    ((generation as u64) << INDEX_BITS) | index as u64
}

/// A job and whether it still counts as in flight.
pub struct Live {
    job: Box<Job>,
    opened: bool,
}

impl Deref for Live {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.job
    }
}

/// What became of a slot that was ended.
pub enum Ended {
    Dead,
    /// It counted as in flight until now.
    InFlight,
    /// It was a stream already.
    Opened,
}

#[derive(Default)]
pub struct Jobs(Vec<Option<Live>>);

impl Jobs {
    pub fn keep(&mut self, job: Box<Job>) {
        let at = index(job.slot);
        if at >= self.0.len() {
            self.0.resize_with(at + 1, || None);
        }
        self.0[at] = Some(Live { job, opened: false });
    }

    pub fn get(&self, slot: u64) -> Option<&Live> {
        self.0.get(index(slot))?.as_ref().filter(|live| live.slot == slot)
    }

    /// The first time that a slot is opened: from then on it is not in flight. False for a dead or opened one.
    pub fn open(&mut self, slot: u64) -> bool {
        let found = self.0.get_mut(index(slot)).and_then(Option::as_mut);
        found.is_some_and(|live| live.slot == slot && !std::mem::replace(&mut live.opened, true))
    }

    pub fn end(&mut self, slot: u64) -> Ended {
        let found = self.0.get_mut(index(slot));
        match found.and_then(|place| place.take_if(|live| live.slot == slot)) {
            None => Ended::Dead,
            Some(live) if live.opened => Ended::Opened,
            Some(_) => Ended::InFlight,
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
