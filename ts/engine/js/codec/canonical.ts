/**
 * RFC 8785 canonical form: keys sorted by UTF-16 code units, numbers and strings as ECMAScript writes them. Twin of
 * crates/codec/src/canonical.rs.
 *
 * Refuses, in this order: what the scanner refuses as text; what is not well-formed or too deep; numbers that are not
 * finite doubles and lone surrogates (both `malformed`); duplicate keys. Iterative, `JSON.parse` sees single strings only:
 * as a parser of the whole it would hide duplicates.
 */
import { ScanRefusal } from '../../engine.js';
import { text } from './scan.js';
import { colon, DEPTH_CEILING, sawBackslash, space, string, value } from './skip.js';

/** One open container: what is written so far, with the keys beside it when it is an object. */
interface Open {
  readonly keys: string[] | null;
  readonly values: string[];
}

/** See `Codec.canonical`. */
export function canonical(bytes: Uint8Array, maxDepth: number): Uint8Array | number {
  const refused = text(bytes);
  if (refused < 0) return refused;
  const start = space(bytes, 0);
  const end = value(bytes, start, 0, Math.min(maxDepth, DEPTH_CEILING));
  if (end < 0) return end;
  if (space(bytes, end) !== bytes.length) return ScanRefusal.malformed;
  const written = write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), start);
  return typeof written === 'number' ? written : Buffer.from(written, 'utf8');
}

/** Writes the value at `at` of a proven text. */
function write(bytes: Buffer, at: number): string | number {
  const stack: Open[] = [];
  let duplicate = false;
  for (;;) {
    let written: string | null = null;
    const first = bytes[at];
    let open = stack[stack.length - 1];
    if (first === 0x7b || first === 0x5b) {
      stack.push({ keys: first === 0x7b ? [] : null, values: [] });
      at = space(bytes, at + 1);
    } else if (first === 0x7d || first === 0x5d) {
      stack.pop();
      const members = open as Open;
      duplicate ||= hasDuplicate(members);
      written = close(members);
      at++;
      open = stack[stack.length - 1];
    } else if (first === 0x2c) {
      at = space(bytes, at + 1);
      continue;
    } else if (open?.keys != null && open.keys.length === open.values.length) {
      const end = string(bytes, at);
      const key = decode(bytes, at, end, sawBackslash());
      if (key === null) return ScanRefusal.malformed;
      open.keys.push(key);
      at = colon(bytes, end);
      continue;
    } else {
      const end = value(bytes, at, 0, 0);
      written = scalar(bytes, at, end, sawBackslash());
      if (written === null) return ScanRefusal.malformed;
      at = end;
    }
    if (written === null) continue;
    if (open === undefined) return duplicate ? ScanRefusal.duplicateKey : written;
    open.values.push(written);
    at = space(bytes, at);
  }
}

function scalar(bytes: Buffer, at: number, end: number, escaped: boolean): string | null {
  const first = bytes[at] as number;
  if (first === 0x22) {
    const decoded = decode(bytes, at, end, escaped);
    return decoded === null ? null : JSON.stringify(decoded);
  }
  const token = bytes.toString('latin1', at, end);
  if (first >= 0x61) return token; // true, false, null
  const double = Number(token);
  return Number.isFinite(double) ? String(double) : null;
}

/** The text of a string token; null when it holds half a surrogate pair. */
function decode(bytes: Buffer, at: number, end: number, escaped: boolean): string | null {
  if (!escaped) return bytes.toString('utf8', at + 1, end - 1);
  const decoded = JSON.parse(bytes.toString('utf8', at, end)) as string;
  return /\p{Surrogate}/u.test(decoded) ? null : decoded;
}

function hasDuplicate({ keys }: Open): boolean {
  return keys !== null && keys.length > 1 && new Set(keys).size !== keys.length;
}

function close({ keys, values }: Open): string {
  if (keys === null) return `[${values.join(',')}]`;
  const order = keys.map((_, index) => index);
  // Relational comparison of strings is by UTF-16 code units, which is what the RFC asks for.
  order.sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1));
  return `{${order.map((index) => `${JSON.stringify(keys[index])}:${values[index]}`).join(',')}}`;
}
