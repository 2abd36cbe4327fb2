//! AVX2 and SSE levels. Both want carry-less multiply for the quote mask and `popcnt` for bracket counting.

use super::scalar::plain_tail;
use super::{BLOCK, Job, Simd};
use std::arch::x86_64::*;

/// Proof that the CPU has AVX2, PCLMULQDQ, POPCNT and BMI1.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// Proof that the CPU has SSE4.2, PCLMULQDQ and POPCNT.
#[derive(Clone, Copy)]
pub(crate) struct Sse42(());

pub(crate) fn avx2_available() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("bmi1")
}

pub(crate) fn sse42_available() -> bool {
    is_x86_feature_detected!("sse4.2") && is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("popcnt")
}

/// # Safety
/// [`avx2_available`] must be true.
#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1")]
pub(crate) unsafe fn with_avx2<J: Job>(job: J) -> J::Output {
    job.run(Avx2(()))
}

/// # Safety
/// [`sse42_available`] must be true.
#[target_feature(enable = "sse4.2,pclmulqdq,popcnt")]
pub(crate) unsafe fn with_sse42<J: Job>(job: J) -> J::Output {
    job.run(Sse42(()))
}

/// # Safety
/// The CPU must have PCLMULQDQ.
#[inline(always)]
unsafe fn prefix_xor(bits: u64) -> u64 {
    // SAFETY: promised by the caller; the operation touches registers only.
    unsafe {
        let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product) as u64
    }
}

// Functions, not closures: a closure cannot be `inline(always)`, and one that stays out of line loses the level's
// instructions and costs a call per vector operation (measured: 15 times slower).

/// Where the block, with these bits set in every byte, equals `first` and `second`.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn equal32(block: &[u8; BLOCK], set: u8, first: u8, second: u8) -> (u64, u64) {
    // SAFETY: AVX2 is promised by the caller; both loads are unaligned and inside the 64 bytes.
    unsafe {
        let set = _mm256_set1_epi8(set as i8);
        let low = _mm256_or_si256(_mm256_loadu_si256(block.as_ptr().cast()), set);
        let high = _mm256_or_si256(_mm256_loadu_si256(block.as_ptr().add(32).cast()), set);
        (join32(low, high, first), join32(low, high, second))
    }
}

/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn join32(low: __m256i, high: __m256i, byte: u8) -> u64 {
    // SAFETY: promised by the caller; the operations touch registers only.
    unsafe {
        let wanted = _mm256_set1_epi8(byte as i8);
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) as u32 as u64;
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) as u32 as u64;
        low | high << 32
    }
}

/// Like `equal32`, with what every x86-64 CPU has.
#[inline(always)]
fn equal16(block: &[u8; BLOCK], set: u8, first: u8, second: u8) -> (u64, u64) {
    let (mut firsts, mut seconds) = (0, 0);
    for at in (0..BLOCK).step_by(16) {
        // SAFETY: SSE2 is in the baseline; the loads are unaligned and 16 bytes each inside the 64.
        unsafe {
            let part = _mm_or_si128(_mm_loadu_si128(block.as_ptr().add(at).cast()), _mm_set1_epi8(set as i8));
            let first = _mm_movemask_epi8(_mm_cmpeq_epi8(part, _mm_set1_epi8(first as i8)));
            let second = _mm_movemask_epi8(_mm_cmpeq_epi8(part, _mm_set1_epi8(second as i8)));
            firsts |= (first as u32 as u64) << at;
            seconds |= (second as u32 as u64) << at;
        }
    }
    (firsts, seconds)
}

/// Ends of string runs within 16 bytes, one bit per byte. SSE2 is part of x86-64, so this needs no token.
#[inline(always)]
fn stops16(bytes: &[u8; 16]) -> u32 {
    // SAFETY: an unaligned load of exactly 16 readable bytes, and SSE2 is in the baseline of this architecture.
    unsafe {
        let block = _mm_loadu_si128(bytes.as_ptr().cast());
        let quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\' as i8));
        // Unsigned: at most 0x1f when the minimum with 0x1f is the byte itself.
        let control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)) as u32
    }
}

#[inline(always)]
fn plain16(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let stops = stops16(block);
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += 16;
    }
    plain_tail(bytes, at)
}

/// High bits of 16 bytes.
#[inline(always)]
fn high16(bytes: &[u8; 16]) -> i32 {
    // SAFETY: SSE2 is in the baseline; an unaligned load of exactly 16 readable bytes.
    unsafe { _mm_movemask_epi8(_mm_loadu_si128(bytes.as_ptr().cast())) }
}

/// Whole blocks, then the last 16 bytes once more: overlapping is cheaper than a tail.
#[inline(always)]
fn is_ascii16(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().all(u8::is_ascii);
    };
    bytes
        .chunks_exact(16)
        .all(|block| block.first_chunk().is_some_and(|block| high16(block) == 0))
        && high16(last) == 0
}

impl Simd for Avx2 {
    #[inline(always)]
    fn is_ascii(self, bytes: &[u8]) -> bool {
        let Some(last) = bytes.last_chunk::<32>() else {
            return is_ascii16(bytes);
        };
        let mut blocks = bytes.chunks_exact(BLOCK);
        for block in &mut blocks {
            // SAFETY: the token proves AVX2; two unaligned loads inside the 64 bytes.
            let high = unsafe {
                let low = _mm256_loadu_si256(block.as_ptr().cast());
                let high = _mm256_loadu_si256(block.as_ptr().add(32).cast());
                _mm256_movemask_epi8(_mm256_or_si256(low, high))
            };
            if high != 0 {
                return false;
            }
        }
        // At most 63 bytes are left: the first 32 of them, if there are so many, and the last 32 of all.
        let first = blocks.remainder().first_chunk::<32>().unwrap_or(last);
        // SAFETY: the token proves AVX2; unaligned loads of exactly 32 readable bytes each.
        unsafe {
            let first = _mm256_loadu_si256(first.as_ptr().cast());
            let last = _mm256_loadu_si256(last.as_ptr().cast());
            _mm256_movemask_epi8(_mm256_or_si256(first, last)) == 0
        }
    }

    #[inline(always)]
    fn quotes(self, block: &[u8; BLOCK]) -> (u64, u64) {
        // SAFETY: the token proves AVX2.
        unsafe { equal32(block, 0, b'"', b'\\') }
    }

    #[inline(always)]
    fn brackets(self, block: &[u8; BLOCK]) -> (u64, u64) {
        // `{` and `[` differ in one bit, as do `}` and `]`, and no other byte becomes one of them by setting it.
        // SAFETY: the token proves AVX2.
        unsafe { equal32(block, 0x20, b'{', b'}') }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: the token proves PCLMULQDQ.
        unsafe { prefix_xor(bits) }
    }

    #[inline(always)]
    fn plain(self, bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
            // SAFETY: the token proves AVX2; an unaligned load of exactly 32 readable bytes.
            let stops = unsafe {
                let block = _mm256_loadu_si256(block.as_ptr().cast());
                let quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8(b'"' as i8));
                let backslash = _mm256_cmpeq_epi8(block, _mm256_set1_epi8(b'\\' as i8));
                let control = _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1f)), block);
                _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quote, backslash), control)) as u32
            };
            if stops != 0 {
                return at + stops.trailing_zeros() as usize;
            }
            at += 32;
        }
        plain16(bytes, at)
    }
}

impl Simd for Sse42 {
    #[inline(always)]
    fn is_ascii(self, bytes: &[u8]) -> bool {
        is_ascii16(bytes)
    }

    #[inline(always)]
    fn quotes(self, block: &[u8; BLOCK]) -> (u64, u64) {
        equal16(block, 0, b'"', b'\\')
    }

    #[inline(always)]
    fn brackets(self, block: &[u8; BLOCK]) -> (u64, u64) {
        equal16(block, 0x20, b'{', b'}')
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: the token proves PCLMULQDQ.
        unsafe { prefix_xor(bits) }
    }

    #[inline(always)]
    fn plain(self, bytes: &[u8], from: usize) -> usize {
        plain16(bytes, from)
    }
}
