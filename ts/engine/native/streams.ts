/**
 * What each stream has been given and not yet sent, as far as this side knows: bytes written here, less those that the I/O
 * thread reported. A call that is no stream is not in here and costs nothing.
 */
interface Stream {
  unsent: number;
  /** Its writer was told a number above the mark and waits. */
  waits: boolean;
}

export class Streams {
  readonly #mark: number;
  readonly #open = new Map<number, Stream>();

  constructor(highWaterMark: number) {
    this.#mark = highWaterMark;
  }

  has(slot: number): boolean {
    return this.#open.size > 0 && this.#open.has(slot);
  }

  begin(slot: number): void {
    this.#open.set(slot, { unsent: 0, waits: false });
  }

  /** Replied to, or the client left. */
  end(slot: number): void {
    if (this.#open.size > 0) this.#open.delete(slot);
  }

  /** Bytes were given. @returns the unsent bytes of the stream, -1 when it is none */
  given(slot: number, bytes: number): number {
    const stream = this.#open.get(slot);
    if (stream === undefined) return -1;
    stream.unsent += bytes;
    if (stream.unsent > this.#mark) stream.waits = true;
    return stream.unsent;
  }

  /**
   * Bytes were sent. @returns whether its writer waited and may go on: the rest that is never reported is less than half of
   * the mark, so whoever was asked to wait is told so at the latest with the last report
   */
  sent(slot: number, bytes: number): boolean {
    const stream = this.#open.get(slot);
    if (stream === undefined) return false;
    stream.unsent -= bytes;
    if (!stream.waits || stream.unsent > this.#mark) return false;
    stream.waits = false;
    return true;
  }
}
