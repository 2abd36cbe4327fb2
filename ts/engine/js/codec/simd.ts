/**
 * Byte classes by table: what crates/codec/src/simd.rs does with vectors, one byte at a time.
 */

/** JavaScript has no vector instructions. */
export const SIMD_LEVEL = 'none';

/** 1 where a run of plain string bytes ends: quote, backslash, control characters. */
export const STOPS = new Uint8Array(256);
STOPS.fill(1, 0, 0x20);
STOPS[0x22] = 1;
STOPS[0x5c] = 1;

/** 1 for the four bytes of JSON whitespace. */
export const SPACES = new Uint8Array(256);
for (const byte of [0x20, 0x09, 0x0a, 0x0d]) SPACES[byte] = 1;

/** 1 for what may stand after a backslash, `u` excepted. */
export const ESCAPES = new Uint8Array(256);
for (const byte of Buffer.from('"\\/bfnrt', 'latin1')) ESCAPES[byte] = 1;

/** 1 for hexadecimal digits. */
export const HEX = new Uint8Array(256);
for (const byte of Buffer.from('0123456789abcdefABCDEF', 'latin1')) HEX[byte] = 1;
