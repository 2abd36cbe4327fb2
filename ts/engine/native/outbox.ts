/**
 * The way down: replies and pieces of streams are written into a ring as they come and cross together, once the microtasks of this
 * turn have run. One crossing for many replies; order is kept.
 */
import { type NativeListener, ring } from './binding.js';
import { BATCH, Down, RING_BYTES, SLOT_INDEXES, WIDTH } from './rings.js';

/** A string's UTF-8 is at most this many times its length: a reply that might not fit the ring is not tried in it. */
const UTF8_WORST = 3;

export class Outbox {
  readonly #native: NativeListener;
  readonly #records = new Int32Array(BATCH * WIDTH);
  readonly #large = new Int32Array(WIDTH);
  readonly #ring = ring(RING_BYTES);
  readonly #flush = (): void => this.flush();
  /** Through a microtask to nextTick: that queue runs when all microtasks of the batch (async handlers) are done. */
  readonly #soon = (): void => process.nextTick(this.#flush);
  #count = 0;
  #used = 0;
  #scheduled = false;

  constructor(native: NativeListener) {
    this.#native = native;
  }

  reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    this.#put(Down.reply, slot, status, failed === 1 ? shape + Down.failed : shape, headers, text);
  }

  /** @returns bytes of the text, as in UTF-8 */
  event(slot: number, id: string, text: string): number {
    return this.#put(Down.event, slot, 200, 0, id, text);
  }

  open(slot: number, status: number, headers: string): void {
    this.#put(Down.open, slot, status, 0, headers, '');
  }

  /** @returns bytes of the text, as in UTF-8 */
  write(slot: number, text: string): number {
    return this.#put(Down.write, slot, 200, 0, '', text);
  }

  /** Whether a reply to this slot waits to cross: below, the slot still looks alive. */
  replied(slot: number): boolean {
    const generation = Math.floor(slot / SLOT_INDEXES);
    const index = slot - generation * SLOT_INDEXES;
    for (let at = 0; at < this.#count * WIDTH; at += WIDTH) {
      const is = this.#records[at] === Down.reply && this.#records[at + 1] === index;
      if (is && this.#records[at + 2] === generation) return true;
    }
    return false;
  }

  /** Crosses now with what is there. */
  flush(): void {
    this.#scheduled = false;
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const used = this.#used;
    this.#used = 0;
    this.#native.complete(count, this.#records, this.#ring, used);
  }

  #put(kind: number, slot: number, status: number, shape: number, head: string, text: string): number {
    const worst = (head.length + text.length) * UTF8_WORST;
    if (worst > RING_BYTES) {
      return this.#putLarge(kind, slot, status, shape, head, text);
    }
    if (this.#count === BATCH || worst > RING_BYTES - this.#used) this.flush();
    let at = this.#used;
    const headBytes = head === '' ? 0 : this.#ring.utf8Write(head, at);
    at += headBytes;
    const textBytes = this.#ring.utf8Write(text, at);
    fill(this.#records, this.#count * WIDTH, kind, slot, status, shape, headBytes, textBytes, at);
    this.#used = at + textBytes;
    this.#count += 1;
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#soon);
    }
    return textBytes;
  }

  #putLarge(kind: number, slot: number, status: number, shape: number, head: string, text: string): number {
    // What was written before goes first: an event must not be overtaken by its reply.
    this.flush();
    fill(this.#large, 0, kind, slot, status, shape, 0, 0, 0);
    const bytes = Buffer.from(text);
    this.#native.completeLarge(this.#large, head, bytes);
    return bytes.length;
  }
}

function fill(
  records: Int32Array,
  at: number,
  kind: number,
  slot: number,
  status: number,
  shape: number,
  headBytes: number,
  textBytes: number,
  textAt: number,
): void {
  const generation = Math.floor(slot / SLOT_INDEXES);
  records[at] = kind;
  records[at + 1] = slot - generation * SLOT_INDEXES;
  records[at + 2] = generation;
  records[at + 3] = status;
  records[at + 4] = shape;
  records[at + 5] = headBytes;
  records[at + 6] = textBytes;
  records[at + 7] = textAt;
}
