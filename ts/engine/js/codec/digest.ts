/** SHA-256 of the canonical form: equal JSON gives equal keys, whatever its spelling. Twin of crates/codec/src/digest.rs. */
import { createHash } from 'node:crypto';
import { canonical } from './canonical.js';

/** See `Codec.digest`. */
export function digest(bytes: Uint8Array, maxDepth: number): Uint8Array | number {
  const form = canonical(bytes, maxDepth);
  return typeof form === 'number' ? form : createHash('sha256').update(form).digest();
}
