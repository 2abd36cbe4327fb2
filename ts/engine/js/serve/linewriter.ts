/**
 * Lines out: collected, and written once per turn. Says when the peer does not keep up and when it is
 * gone. What a line means is not its business.
 */

export interface WriterEvents {
  /** More than the high-water mark is unsent: stop taking work. */
  full(): void;
  /** The peer has caught up: half of the mark is sent. */
  drained(): void;
  /** Everything is written. */
  idle(): void;
  /** The output failed or was closed under us. */
  broken(): void;
}

export class LineWriter {
  /** Bytes given to the output. */
  written = 0;
  private text = '';
  private scheduled = false;
  /** Writes whose callback has not come. */
  private pending = 0;
  // Our own count, not the stream's `writableLength`: others may write there too, and nobody would tell us of theirs.
  private pendingBytes = 0;
  private stopped = false;
  private closed = false;
  private failed = false;
  // A tick scheduled while promises settle runs when they are through: one write for all replies to one read. An
  // immediate would gather a little more, and costs 15 µs per message when only one is in flight (Node 20).
  private readonly flush = () => this.send();
  private readonly onBroken = () => this.fail();

  constructor(
    private readonly output: NodeJS.WritableStream,
    private readonly events: WriterEvents,
    private readonly highWaterMark: number,
  ) {
    output.on('error', this.onBroken);
    output.on('close', this.onBroken);
  }

  /** Something is not written yet. */
  get busy(): boolean {
    return this.pending > 0 || this.text !== '';
  }

  /** Characters collected and bytes given to the output that it has not written. */
  get unsent(): number {
    return this.pendingBytes + this.text.length;
  }

  /** Line breaks inside JSON can only be white space between tokens, and would cut the message in two. */
  line(json: string): void {
    if (this.closed) return;
    const line = json.includes('\n') || json.includes('\r') ? json.replace(/[\r\n]/g, ' ') : json;
    this.text += `${line}\n`;
    if (this.text.length > this.highWaterMark) this.send();
    else if (!this.scheduled) {
      this.scheduled = true;
      process.nextTick(this.flush);
    }
  }

  /** Nothing is written any more. */
  close(): void {
    this.closed = true;
    this.text = '';
    this.output.off('close', this.onBroken);
    this.unlisten();
  }

  private fail(): void {
    this.failed = true;
    if (!this.closed) this.events.broken();
  }

  /** After a failure the listener stays: the stream's own `error` event is still to come and must not end the process. */
  private unlisten(): void {
    if (this.closed && !this.failed && this.pending === 0) this.output.off('error', this.onBroken);
  }

  private send(): void {
    this.scheduled = false;
    if (this.text === '' || this.closed) return;
    const bytes = Buffer.from(this.text);
    this.text = '';
    this.written += bytes.length;
    this.pending++;
    this.pendingBytes += bytes.length;
    this.output.write(bytes, (error?: Error | null) => this.sent(bytes.length, error));
    if (this.pendingBytes > this.highWaterMark) this.stop();
  }

  /** Too much is unsent: says `full`, and `drained` when half of the mark is. */
  stop(): void {
    if (this.stopped || this.closed) return;
    this.stopped = true;
    this.events.full();
  }

  private sent(bytes: number, error?: Error | null): void {
    this.pending--;
    this.pendingBytes -= bytes;
    if (error != null) {
      this.fail();
      return;
    }
    if (this.closed) {
      this.unlisten();
      return;
    }
    if (this.stopped && this.unsent < this.highWaterMark / 2) {
      this.stopped = false;
      this.events.drained();
    }
    if (!this.busy) this.events.idle();
  }
}
