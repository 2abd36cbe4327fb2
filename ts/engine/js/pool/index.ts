/** Pool of the JavaScript engine: the twin of crates/pool. */
import type { Buffers, Slots } from '../../engine.js';
import { JsBuffers } from './buffers.js';
import { JsSlots } from './slots.js';

export { Arena } from './arena.js';
export { JsBuffers } from './buffers.js';
export { JsSlots, MAX_SLOTS, SlotTable } from './slots.js';

/** Call slots, at most `capacity` (and 2^24) taken at once. */
export function createSlots(capacity: number): Slots {
  return new JsSlots(capacity);
}

/** Buffers, at most `maxBytes` in use; a number that is none, or negative, allows nothing. */
export function createBuffers(maxBytes: number): Buffers {
  return new JsBuffers(maxBytes);
}
