/**
 * What a scan fills in, and the checks that wait for the end of the message. Twin of crates/codec/src/envelope.rs; the
 * layout itself is the seam's `Field`, `Flag` and `Kind`.
 */
import { FIELD_COUNT, Field, Kind, ScanRefusal } from '../../engine.js';
import { ERROR, ID, JSONRPC, METHOD, RESULT } from './keys.js';

/** Longest `id` token in bytes, quotes included: it is echoed and used as a key. */
export const MAX_ID_BYTES = 256;

/** Everything absent. */
export function clear(out: Int32Array): void {
  // A loop: `fill` on so short a range costs more than the stores.
  for (let at = 1; at < FIELD_COUNT; at++) out[at] = -1;
  out[Field.flags] = 0;
}

export function setRange(out: Int32Array, at: number, start: number, end: number): void {
  out[at] = start;
  out[at + 1] = end;
}

export function raise(out: Int32Array, bits: number): void {
  out[Field.flags] = (out[Field.flags] as number) | bits;
}

/** What only the end of the envelope object can decide, in this order: version, method or result/error, null id. */
export function conclude(seen: number, nullId: boolean): number {
  if ((seen & JSONRPC) === 0) return ScanRefusal.badVersion;
  if ((seen & METHOD) !== 0) {
    // A null id is judged here because an error response may carry one and the method may stand after it.
    if (nullId) return ScanRefusal.badId;
    return (seen & ID) !== 0 ? Kind.request : Kind.notification;
  }
  return (seen & (RESULT | ERROR)) !== 0 ? Kind.response : ScanRefusal.badMethod;
}
