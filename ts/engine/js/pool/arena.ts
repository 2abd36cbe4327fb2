/** A region of bytes for one batch: things are put in one after another and thrown away together. */

/** Below this an arena does not shrink. */
const SMALLEST = 4096;

function powerOfTwo(atLeast: number): number {
  let size = SMALLEST;
  while (size < atLeast) size *= 2;
  return size;
}

/**
 * A bounded bump region: `push` gives an offset that is good until `reset`.
 *
 * It grows by doubling and keeps what it has from batch to batch; after a batch of which it used less than a quarter of
 * that, it lets half of it go, so that one large batch is not paid for for ever.
 */
export class Arena {
  readonly #maxBytes: number;
  #region = Buffer.alloc(0);
  #used = 0;
  #refused = 0;
  #grown = 0;

  /** At most `maxBytes` per batch (no more than 4 GiB - 1, as in the native engine). */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes > 0 ? Math.min(Math.floor(maxBytes), 2 ** 32 - 1) : 0;
  }

  /** Copies bytes in. Their offset; -1, and nothing copied, when they do not fit into this batch any more. */
  push(bytes: Uint8Array): number {
    const offset = this.#claim(bytes.length);
    if (offset >= 0) this.#region.set(bytes, offset);
    return offset;
  }

  /** Room of `length` zero bytes, to be written through {@link at}. */
  alloc(length: number): number {
    const offset = this.#claim(length);
    if (offset >= 0) this.#region.fill(0, offset, offset + length);
    return offset;
  }

  #claim(length: number): number {
    const end = this.#used + length;
    if (end > this.#maxBytes) {
      this.#refused += 1;
      return -1;
    }
    if (end > this.#region.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(powerOfTwo(end), Math.max(this.#maxBytes, SMALLEST)));
      larger.set(this.#region.subarray(0, this.#used));
      this.#region = larger;
      this.#grown += 1;
    }
    const offset = this.#used;
    this.#used = end;
    return offset;
  }

  /** A view of a range of this batch, or null when it is none. Good until the next `push`, `alloc` or `reset`. */
  at(offset: number, length: number): Buffer | null {
    return offset + length <= this.#used ? this.#region.subarray(offset, offset + length) : null;
  }

  /** Ends the batch: every offset is void. */
  reset(): void {
    const room = this.#region.length;
    if (room > SMALLEST && this.#used < Math.floor(room / 4)) {
      this.#region = Buffer.allocUnsafeSlow(Math.max(Math.floor(room / 2), SMALLEST));
    }
    this.#used = 0;
  }

  /** Fills [bytes of this batch, bytes held, refused, grown]. */
  stats(out: Float64Array): void {
    out[0] = this.#used;
    out[1] = this.#region.length;
    out[2] = this.#refused;
    out[3] = this.#grown;
  }
}
