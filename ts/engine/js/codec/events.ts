/**
 * `text/event-stream` (WHATWG HTML, 9.2) into the data of its events. Twin of crates/codec/src/events.rs.
 *
 * Events without data are not handed up, but their id counts. An event that the stream ends in is dropped, as the
 * standard says. Refusals and order: as for lines.
 */
import type { Framer } from '../../engine.js';
import { Held, indexOfByte, Outcomes } from './frames.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const COLON = 0x3a;
/** What a line may have besides `maxBytes` of data: a byte order mark and `data: `. */
const LINE_EXTRA = 9;
/** More digits would not be a number of milliseconds that anybody means, nor a safe integer. */
const MAX_RETRY_DIGITS = 15;
const LINE_FEED = Uint8Array.of(NEWLINE);

export class EventFramer implements Framer {
  /** The id that a reconnecting client sends; empty when none came. Set by the event that ended last. */
  lastEventId = '';
  /** Type of the event with data that ended last. */
  lastEventType = '';
  /** Reconnection time that the server asked for in milliseconds, or -1. */
  retry = -1;

  readonly #maxBytes: number;
  readonly #outcomes = new Outcomes();
  readonly #line = new Held();
  readonly #data = new Held();
  #dataLines = 0;
  #id = '';
  #type = '';
  #started = false;
  #afterReturn = false;
  #comment = false; // the line being read is a comment: not held, whatever its length
  #lineRefused = false;
  #eventRefused = false;

  /** @param maxBytes most bytes of data of one event */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get held(): number {
    return this.#line.length + this.#data.length + this.#outcomes.bytes;
  }

  push(chunk: Uint8Array): Uint8Array[] | number {
    let start = 0;
    let newline = -1;
    let carriage = -1;
    if (chunk.length > 0) {
      // The second half of a CRLF that was cut in two.
      if (this.#afterReturn && chunk[0] === NEWLINE) start = 1;
      this.#afterReturn = false;
    }
    while (start < chunk.length) {
      // Each terminator is searched again only when it was passed, so that the whole chunk is searched once for each.
      if (newline < start) newline = found(indexOfByte(chunk, NEWLINE, start));
      if (carriage < start) carriage = found(indexOfByte(chunk, RETURN, start));
      const stop = Math.min(newline, carriage);
      if (stop === Number.POSITIVE_INFINITY) {
        this.#part(chunk.subarray(start));
        break;
      }
      this.#endLine(chunk.subarray(start, stop));
      start = stop + 1;
      if (stop === carriage) {
        if (start === chunk.length) this.#afterReturn = true;
        else if (chunk[start] === NEWLINE) start++;
      }
    }
    return this.#outcomes.take();
  }

  /** Always null: an event without its blank line is dropped. The id and retry stay, for the next connection. */
  end(): Uint8Array | null {
    this.#line.take();
    this.#outcomes.clear();
    this.#resetEvent();
    this.#id = this.lastEventId;
    this.#started = false;
    this.#afterReturn = false;
    this.#comment = false;
    this.#lineRefused = false;
    return null;
  }

  #part(part: Uint8Array): void {
    if (this.#comment || this.#lineRefused || part.length === 0) return;
    if (this.#line.length === 0 && part[0] === COLON) {
      this.#comment = true;
    } else if (this.#line.length + part.length > this.#maxBytes + LINE_EXTRA) {
      this.#line.take();
      this.#lineRefused = true;
      this.#refuse();
    } else {
      this.#line.append(part);
    }
  }

  #endLine(part: Uint8Array): void {
    let line = part;
    if (this.#line.length > 0 || part.length > this.#maxBytes || this.#comment || this.#lineRefused) {
      this.#part(part);
      line = this.#line.take();
    }
    const skipped = this.#comment || this.#lineRefused;
    this.#comment = false;
    this.#lineRefused = false;
    const first = !this.#started;
    this.#started = true;
    if (skipped) return;
    if (first && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    if (line.length === 0) this.#dispatch();
    else this.#field(line);
  }

  #field(line: Uint8Array): void {
    let end = indexOfByte(line, COLON, 0);
    if (end === 0) return;
    if (end < 0) end = line.length;
    const value = line.subarray(line[end + 1] === 0x20 ? end + 2 : end + 1);
    switch (text(line.subarray(0, Math.min(end, 6)))) {
      case 'data':
        this.#append(value);
        break;
      case 'id':
        if (indexOfByte(value, 0, 0) < 0) this.#id = text(value);
        break;
      case 'event':
        this.#type = text(value);
        break;
      case 'retry':
        if (value.length > 0 && value.length <= MAX_RETRY_DIGITS && value.every((byte) => byte >= 0x30 && byte <= 0x39))
          this.retry = Number(text(value));
        break;
    }
  }

  #append(value: Uint8Array): void {
    if (this.#eventRefused) return;
    const separator = this.#dataLines++ > 0 ? 1 : 0;
    if (this.#data.length + separator + value.length > this.#maxBytes) {
      this.#refuse();
      return;
    }
    if (separator === 1) this.#data.append(LINE_FEED);
    this.#data.append(value);
  }

  /** Once per event; its other lines are still read, because its id counts. */
  #refuse(): void {
    this.#data.take();
    if (!this.#eventRefused) this.#outcomes.refuse();
    this.#eventRefused = true;
  }

  #dispatch(): void {
    this.lastEventId = this.#id;
    if (this.#data.length > 0) {
      this.lastEventType = this.#type === '' ? 'message' : this.#type;
      this.#outcomes.frame(this.#data.take());
    }
    this.#resetEvent();
  }

  #resetEvent(): void {
    this.#data.take();
    this.#dataLines = 0;
    this.#type = '';
    this.#eventRefused = false;
  }
}

function found(index: number): number {
  return index < 0 ? Number.POSITIVE_INFINITY : index;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
