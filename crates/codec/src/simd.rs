//! Block classification: which bytes of a block are quotes, backslashes and brackets, and where a run of plain string
//! bytes ends. One implementation per instruction set, chosen once at run time; the binary stays baseline.
//!
//! A level is a zero-sized token that exists only when the CPU has its instructions; code generic over [`Simd`] is
//! compiled once per level inside a function that enables them, which is why everything on that way is `inline(always)`.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::atomic::{AtomicU8, Ordering};

/// Bytes classified at once.
pub(crate) const BLOCK: usize = 64;

/// What a level can do. All levels give the same answers. Masks have one bit per byte of a block, first byte lowest;
/// strings are not known here, so what stands inside of them is found as well.
pub(crate) trait Simd: Copy {
    /// Quotes and backslashes of one block.
    fn quotes(self, block: &[u8; BLOCK]) -> (u64, u64);

    /// Opening and closing brackets, curly and square, of one block.
    fn brackets(self, block: &[u8; BLOCK]) -> (u64, u64);

    /// Bit i of the result is the parity of bits 0..=i: between quotes everything is one.
    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        let mut bits = bits;
        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        bits ^ (bits << 32)
    }

    /// Whether no byte has its high bit set. The standard library's own takes a fifth of a short scan.
    #[inline(always)]
    fn is_ascii(self, bytes: &[u8]) -> bool {
        bytes.is_ascii()
    }

    /// Index of the first quote, backslash or control character at or after `from`; the length when there is none.
    fn plain(self, bytes: &[u8], from: usize) -> usize;
}

/// Work that runs at whatever level; `run` must be `inline(always)` to be compiled with the level's instructions.
pub(crate) trait Job {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Instruction sets, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// AVX2 with carry-less multiply.
    Avx2 = 1,
    /// SSE4.2 with carry-less multiply.
    Sse42 = 2,
    /// NEON, always there on aarch64.
    Neon = 3,
    /// Plain integers.
    Scalar = 4,
}

impl Level {
    const ALL: [Level; 4] = [Level::Avx2, Level::Sse42, Level::Neon, Level::Scalar];

    /// Whether this CPU has it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::avx2_available(),
            #[cfg(target_arch = "x86_64")]
            Level::Sse42 => x86::sse42_available(),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => true,
            Level::Scalar => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// The levels of this CPU, best first.
    pub fn available() -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(|level| level.is_available())
    }

    /// The name that the seam uses.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Avx2 => "avx2",
            Level::Sse42 => "sse4.2",
            Level::Neon => "neon",
            Level::Scalar => "scalar",
        }
    }
}

static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The best level of this CPU; detected once.
#[inline(always)]
pub(crate) fn level() -> Level {
    match CHOSEN.load(Ordering::Relaxed) {
        1 => Level::Avx2,
        2 => Level::Sse42,
        3 => Level::Neon,
        4 => Level::Scalar,
        _ => detect(),
    }
}

#[cold]
fn detect() -> Level {
    let level = Level::available().next().unwrap_or(Level::Scalar);
    CHOSEN.store(level as u8, Ordering::Relaxed);
    level
}

/// Runs a job at the best level.
#[inline(always)]
pub(crate) fn dispatch<J: Job>(job: J) -> J::Output {
    // SAFETY: `level` only ever returns what `is_available` confirmed.
    unsafe { run(level(), job) }
}

/// Runs a job at a level of the caller's choice, so that every level can be tested; falls back when it is not available.
pub(crate) fn dispatch_at<J: Job>(level: Level, job: J) -> J::Output {
    let level = if level.is_available() { level } else { Level::Scalar };
    // SAFETY: the level was just checked.
    unsafe { run(level, job) }
}

/// # Safety
/// The CPU must have the level's instructions.
#[inline(always)]
unsafe fn run<J: Job>(level: Level, job: J) -> J::Output {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: promised by the caller.
        Level::Avx2 => unsafe { x86::with_avx2(job) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: promised by the caller.
        Level::Sse42 => unsafe { x86::with_sse42(job) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => job.run(neon::Neon),
        _ => job.run(scalar::Scalar),
    }
}
