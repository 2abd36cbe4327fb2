/**
 * What both framers share: bytes held until a frame is whole, and outcomes waiting to be taken. Twin of
 * crates/codec/src/frames.rs.
 */
import { ScanRefusal } from '../../engine.js';

const EMPTY = new Uint8Array(0);

/** Bytes appended one after another; grows by doubling, so appending is linear whatever the pieces. */
export class Held {
  #bytes: Uint8Array = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#bytes.length * 2, 256));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#length);
    this.#length = length;
  }

  /** Hands the bytes out without a copy and starts afresh: nothing large is kept. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return taken;
  }
}

/** Frames and refusals in the order in which they came. */
export class Outcomes {
  #waiting: (Uint8Array | null)[] = []; // null: refused
  #first = 0;
  #bytes = 0;

  /** Bytes of frames not yet taken. */
  get bytes(): number {
    return this.#bytes;
  }

  frame(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
  }

  refuse(): void {
    this.#waiting.push(null);
  }

  /** The refusal at the head, or all frames before the next one. */
  take(): Uint8Array[] | number {
    const waiting = this.#waiting;
    if (this.#first < waiting.length && waiting[this.#first] === null) {
      this.#advance(this.#first + 1);
      return ScanRefusal.tooLarge;
    }
    const end = waiting.indexOf(null, this.#first);
    if (end < 0 && this.#first === 0) {
      this.clear();
      return waiting as Uint8Array[];
    }
    const frames = waiting.slice(this.#first, end < 0 ? waiting.length : end) as Uint8Array[];
    for (const frame of frames) this.#bytes -= frame.length;
    this.#advance(this.#first + frames.length);
    return frames;
  }

  clear(): void {
    this.#waiting = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  #advance(to: number): void {
    this.#first = to;
    if (to === this.#waiting.length) this.clear();
  }
}

/** `Buffer`'s search is native code; it takes any Uint8Array. */
export function indexOfByte(bytes: Uint8Array, byte: number, from: number): number {
  return Buffer.prototype.indexOf.call(bytes, byte, from);
}
