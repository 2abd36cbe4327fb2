//! The aarch64 level. NEON is part of the architecture, so there is nothing to detect.

use super::scalar::plain_tail;
use super::{BLOCK, Simd};
use std::arch::aarch64::*;

#[derive(Clone, Copy)]
pub(crate) struct Neon;

/// One bit per byte of four compare results (all ones or zero each), first byte lowest.
///
/// # Safety
/// Needs NEON, which aarch64 always has.
#[inline(always)]
unsafe fn gather(parts: [uint8x16_t; 4]) -> u64 {
    const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: a load of the 16 bytes of a constant, then registers only.
    unsafe {
        let weights = vld1q_u8(WEIGHTS.as_ptr());
        let [a, b, c, d] = parts.map(|part| vandq_u8(part, weights));
        // Three rounds of pairwise adds leave the sum of each eight weights, which is their mask.
        let sum = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
        vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)))
    }
}

/// Where the block, with these bits set in every byte, equals `first` and `second`.
#[inline(always)]
fn equal(block: &[u8; BLOCK], set: u8, first: u8, second: u8) -> (u64, u64) {
    // SAFETY: NEON is in the baseline of aarch64; four loads of 16 bytes inside the 64.
    unsafe {
        let parts = [0, 16, 32, 48].map(|at| vorrq_u8(vld1q_u8(block.as_ptr().add(at)), vdupq_n_u8(set)));
        let first = gather(parts.map(|part| vceqq_u8(part, vdupq_n_u8(first))));
        let second = gather(parts.map(|part| vceqq_u8(part, vdupq_n_u8(second))));
        (first, second)
    }
}

impl Simd for Neon {
    #[inline(always)]
    fn quotes(self, block: &[u8; BLOCK]) -> (u64, u64) {
        equal(block, 0, b'"', b'\\')
    }

    #[inline(always)]
    fn brackets(self, block: &[u8; BLOCK]) -> (u64, u64) {
        // `{` and `[` differ in one bit, as do `}` and `]`, and no other byte becomes one of them by setting it.
        equal(block, 0x20, b'{', b'}')
    }

    #[inline(always)]
    fn plain(self, bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
            // SAFETY: NEON is in the baseline of aarch64; a load of exactly 16 readable bytes.
            let stops = unsafe {
                let block = vld1q_u8(block.as_ptr());
                let quote = vceqq_u8(block, vdupq_n_u8(b'"'));
                let backslash = vceqq_u8(block, vdupq_n_u8(b'\\'));
                let control = vcltq_u8(block, vdupq_n_u8(0x20));
                let found = vreinterpretq_u16_u8(vorrq_u8(vorrq_u8(quote, backslash), control));
                // Narrowing by four bits leaves a nibble per byte: the cheapest movemask there is.
                vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(found)))
            };
            if stops != 0 {
                return at + (stops.trailing_zeros() / 4) as usize;
            }
            at += 16;
        }
        plain_tail(bytes, at)
    }
}
