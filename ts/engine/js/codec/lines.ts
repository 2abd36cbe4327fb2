/**
 * Newline-delimited messages (stdio). Twin of crates/codec/src/lines.rs. A line's size is counted without its terminator.
 *
 * Frames may be views of the pushed chunk. When a chunk holds a refused line among good ones nothing is lost: `push`
 * returns what comes up to the refusal, the next call the refusal, the one after it the rest; calling with an empty chunk
 * until an empty array comes back takes everything.
 */
import type { Framer } from '../../engine.js';
import { Held, indexOfByte, Outcomes } from './frames.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

export class LineFramer implements Framer {
  readonly #maxBytes: number;
  readonly #outcomes = new Outcomes();
  readonly #rest = new Held();
  #skipping = false;

  /** @param maxBytes most bytes of one message */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get held(): number {
    return this.#rest.length + this.#outcomes.bytes;
  }

  push(chunk: Uint8Array): Uint8Array[] | number {
    let start = 0;
    while (start < chunk.length) {
      const stop = indexOfByte(chunk, NEWLINE, start);
      if (stop < 0) {
        this.#hold(start === 0 ? chunk : chunk.subarray(start));
        break;
      }
      this.#line(chunk.subarray(start, stop));
      start = stop + 1;
    }
    return this.#outcomes.take();
  }

  end(): Uint8Array | null {
    const rest = withoutReturn(this.#rest.take());
    this.#outcomes.clear();
    this.#skipping = false;
    return rest.length === 0 ? null : rest;
  }

  /** The last part of a line, its newline found. */
  #line(part: Uint8Array): void {
    if (this.#skipping) {
      this.#skipping = false;
      return;
    }
    let line = part;
    if (this.#rest.length > 0) {
      this.#hold(part);
      if (this.#skipping) {
        this.#skipping = false;
        return;
      }
      line = this.#rest.take();
    }
    line = withoutReturn(line);
    if (line.length > this.#maxBytes) this.#outcomes.refuse();
    else if (line.length > 0) this.#outcomes.frame(line);
  }

  /** Part of a line whose newline is not here yet. One byte more than allowed may be the `\r` of the terminator. */
  #hold(part: Uint8Array): void {
    if (this.#skipping || part.length === 0) return;
    const over = this.#rest.length + part.length - this.#maxBytes;
    if (over > 1 || (over === 1 && part[part.length - 1] !== RETURN)) {
      this.#rest.take();
      this.#outcomes.refuse();
      this.#skipping = true;
    } else {
      this.#rest.append(part);
    }
  }
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line[line.length - 1] === RETURN ? line.subarray(0, -1) : line;
}
