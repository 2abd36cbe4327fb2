/**
 * Layout of the two rings, the mirror of `crates/node/src/records.rs` (compared by a test). Fixed records of eight 32-bit
 * integers, and the bytes beside them. The memory is JavaScript's: native code sees it only during a call.
 */

export const WIDTH = 8;
/** Records a drain or a flush carries at most. */
export const BATCH = 256;
/** Bytes of each ring. Larger payloads cross by themselves. */
export const RING_BYTES = 256 * 1024;

/** Added to the count that `drain` returns when the ring was full before the queue was empty. */
export const MORE = 65536;

/** kind, slot index, slot generation, handler or HTTP method, flags, byte length, 1 when the bytes are ASCII, spare. */
export const Up = { call: 0, message: 1, abort: 2, flushed: 3, large: 16 } as const;

/** kind, slot index, slot generation, status, shape (+ failed), head length, text length, text offset. */
export const Down = { reply: 0, event: 1, open: 2, write: 3, failed: 256 } as const;

export const METHODS = ['GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PUT', 'PATCH', 'OTHER'] as const;

/** A slot handle is `generation * 2^24 + index`. */
export const SLOT_INDEXES = 2 ** 24;

export const RING_LAYOUT: readonly number[] = [
  WIDTH,
  Up.call,
  Up.message,
  Up.abort,
  Up.flushed,
  Up.large,
  Down.reply,
  Down.event,
  Down.open,
  Down.write,
  Down.failed,
  METHODS.length,
  MORE,
];
