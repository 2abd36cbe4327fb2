//! What both framers share: outcomes waiting to be taken, as the seam's `Framer.push` hands them out.

use crate::errors::Refusal;
use std::collections::VecDeque;

/// Frames and refusals in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    waiting: VecDeque<Result<Vec<u8>, Refusal>>,
    bytes: usize,
}

impl Outcomes {
    /// Bytes of frames not yet taken.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn add(&mut self, outcome: Result<&[u8], Refusal>) {
        self.bytes += outcome.map_or(0, <[u8]>::len);
        self.waiting.push_back(outcome.map(<[u8]>::to_vec));
    }

    /// The refusal at the head, or all frames before the next one.
    pub fn take(&mut self) -> Result<Vec<Vec<u8>>, Refusal> {
        if let Some(Err(refusal)) = self.waiting.front() {
            let refusal = *refusal;
            self.waiting.pop_front();
            return Err(refusal);
        }
        let mut frames = Vec::new();
        while let Some(Ok(_)) = self.waiting.front() {
            if let Some(Ok(frame)) = self.waiting.pop_front() {
                self.bytes -= frame.len();
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    pub fn clear(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }
}
