//! The level that every CPU has: eight bytes at a time in a plain integer.

use super::{BLOCK, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Scalar;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// High bit of every byte that is zero. Exact for all bytes: the addition cannot carry out of seven bits.
#[inline(always)]
fn zeros(word: u64) -> u64 {
    !(((word & !HIGH) + !HIGH) | word | !HIGH)
}

/// One bit per byte whose high bit is set, first byte lowest.
#[inline(always)]
fn gather(high: u64) -> u64 {
    // Each high bit, moved to the bottom of its byte, lands in its own place of the top byte of the product.
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0u8; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// Where the block, with these bits set in every byte, equals a byte.
#[inline(always)]
fn equal(block: &[u8; BLOCK], set: u8, byte: u8) -> u64 {
    let mut mask = 0;
    for at in (0..BLOCK).step_by(8) {
        mask |= gather(zeros((word(block, at) | (ONES * set as u64)) ^ (ONES * byte as u64))) << at;
    }
    mask
}

impl Simd for Scalar {
    #[inline(always)]
    fn quotes(self, block: &[u8; BLOCK]) -> (u64, u64) {
        (equal(block, 0, b'"'), equal(block, 0, b'\\'))
    }

    #[inline(always)]
    fn brackets(self, block: &[u8; BLOCK]) -> (u64, u64) {
        // `{` and `[` differ in one bit, as do `}` and `]`, and no other byte becomes one of them by setting it.
        (equal(block, 0x20, b'{'), equal(block, 0x20, b'}'))
    }

    #[inline(always)]
    fn plain(self, bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while at + 8 <= bytes.len() {
            let word = word(bytes, at);
            // A byte is a control character when its upper three bits are zero.
            let stops =
                zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64)) | zeros(word & (ONES * 0xe0));
            if stops != 0 {
                return at + (stops.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        plain_tail(bytes, at)
    }
}

/// The last bytes of a message, one by one: vectors must not read past its end.
#[inline(always)]
pub(crate) fn plain_tail(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] >= 0x20 && bytes[at] != b'"' && bytes[at] != b'\\' {
        at += 1;
    }
    at
}
