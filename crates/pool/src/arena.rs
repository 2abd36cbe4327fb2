//! A region of bytes for one batch: things are put in one after another and thrown away together.

/// A range of an [`Arena`], good until its next [`Arena::reset`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub offset: u32,
    /// Number of bytes.
    pub len: u32,
}

/// A bounded bump region. One owner.
///
/// It grows by doubling and keeps what it has from batch to batch; after a batch of which it used less than a quarter of
/// that, it lets half of it go, so that one large batch is not paid for for ever.
#[derive(Debug, Default)]
pub struct Arena {
    bytes: Vec<u8>,
    max_bytes: usize,
    refused: u64,
    grown: u64,
}

/// Below this an arena does not shrink.
const SMALLEST: usize = 4096;

impl Arena {
    /// An arena for at most `max_bytes` per batch (no more than 4 GiB - 1, which offsets can name).
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes: max_bytes.min(u32::MAX as usize),
            ..Self::default()
        }
    }

    /// Copies bytes in. `None`, and nothing copied, when they do not fit into this batch any more.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> Option<Span> {
        let span = self.claim(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Some(span)
    }

    /// Room of `len` zero bytes, to be written by the caller.
    pub fn alloc(&mut self, len: usize) -> Option<(Span, &mut [u8])> {
        let span = self.claim(len)?;
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        Some((span, &mut self.bytes[start..]))
    }

    #[inline]
    fn claim(&mut self, len: usize) -> Option<Span> {
        let used = self.bytes.len();
        if len > self.max_bytes - used {
            self.refused += 1;
            return None;
        }
        if len > self.bytes.capacity() - used {
            self.grow(used + len);
        }
        Some(Span {
            offset: used as u32,
            len: len as u32,
        })
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        let wanted = needed.next_power_of_two().clamp(SMALLEST, self.max_bytes.max(SMALLEST));
        self.bytes.reserve_exact(wanted - self.bytes.len());
        self.grown += 1;
    }

    /// The bytes of a span of this batch; a span of another batch gives `None` or other bytes, never a panic.
    #[inline]
    #[must_use]
    pub fn get(&self, span: Span) -> Option<&[u8]> {
        let start = span.offset as usize;
        self.bytes.get(start..start.checked_add(span.len as usize)?)
    }

    /// All bytes of this batch.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Ends the batch: every span is void.
    pub fn reset(&mut self) {
        let (used, room) = (self.bytes.len(), self.bytes.capacity());
        self.bytes.clear();
        if room > SMALLEST && used < room / 4 {
            self.bytes.shrink_to((room / 2).max(SMALLEST));
        }
    }

    /// Bytes of this batch.
    #[must_use]
    pub fn used(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn room(&self) -> usize {
        self.bytes.capacity()
    }

    /// `[refused, grown]`: pushes that did not fit, and allocations, since creation.
    #[must_use]
    pub fn stats(&self) -> [u64; 2] {
        [self.refused, self.grown]
    }
}
