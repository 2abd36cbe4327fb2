/**
 * gzip for whole answers (RFC 1952). Streams are never compressed: an event must leave when it is written.
 *
 * A ready answer differs from request to request only in its first bytes (the id), so what follows them is compressed once
 * and kept: the start goes before it as a stored block, and the checksum of the whole is put together from two.
 */
import { constants, crc32, deflateRawSync, gzip, gzipSync } from 'node:zlib';

/** Longer answers are compressed beside the event loop: 32 KiB take about a third of a millisecond. */
const BESIDE_FROM = 32 * 1024;
/** Most bytes of a stored block (RFC 1951, 3.2.4). */
const STORED = 0xffff;
/** No name, no time, no flags; the last byte says "unknown system". */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** Compresses and gives the bytes to `then`: at once when they are few, later when they are many. */
export function gzipped(text: string, then: (bytes: Buffer) => void): void {
  if (text.length < BESIDE_FROM) then(gzipSync(text));
  else gzip(text, (error, bytes) => then(error === null ? bytes : gzipSync(text)));
}

interface Kept {
  readonly deflated: Buffer;
  readonly crc: number;
  /** x^(8 * length) modulo the polynomial: what shifts another checksum past these bytes. */
  readonly shift: number;
}

const kept = new WeakMap<Buffer, Kept>();

/** `start` and `rest` as one gzip member; `rest` is compressed the first time it is seen. */
export function gzippedAnswer(start: string, rest: Buffer): Buffer | null {
  const first = Buffer.from(start);
  if (first.length > STORED) return null;
  let known = kept.get(rest);
  if (known === undefined) {
    const deflated = deflateRawSync(rest, { level: constants.Z_BEST_COMPRESSION });
    known = { deflated, crc: crc32(rest), shift: power(rest.length) };
    kept.set(rest, known);
  }
  const block = Buffer.from([
    0,
    first.length & 0xff,
    first.length >> 8,
    ~first.length & 0xff,
    (~first.length >> 8) & 0xff,
  ]);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE((multiply(known.shift, crc32(first)) ^ known.crc) >>> 0, 0);
  tail.writeUInt32LE((first.length + rest.length) >>> 0, 4);
  return Buffer.concat([HEAD, block, first, known.deflated, tail]);
}

/** The CRC-32 polynomial, lowest power in the highest bit. */
const POLYNOMIAL = 0xedb88320;

/** Product of two polynomials modulo {@link POLYNOMIAL}. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 31, factor = b; bit >= 0; bit--) {
    if (((a >>> bit) & 1) !== 0) product ^= factor;
    factor = (factor & 1) !== 0 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}

/** x^(8 * bytes), by squaring. */
function power(bytes: number): number {
  let result = 0x80000000; // 1
  let square = 0x00800000; // x^8
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** Whether gzip is among the accepted codings (RFC 9110, 12.5.3); a header that was answered before is not read again. */
export class Codings {
  private last = '';
  private accepted = false;

  gzip(header: string | null): boolean {
    if (header === null) return false;
    if (header === this.last) return this.accepted;
    this.last = header;
    let named: boolean | null = null;
    let all = false;
    for (const part of header.split(',')) {
      const [coding = '', ...parameters] = part.split(';');
      const refused = parameters.some((one) => /^\s*q\s*=\s*0(\.0*)?\s*$/i.test(one));
      const name = coding.trim().toLowerCase();
      if (name === 'gzip' || name === 'x-gzip') named = !refused;
      else if (name === '*') all = !refused;
    }
    this.accepted = named ?? all;
    return this.accepted;
  }
}
