/**
 * The two ends of a pipe: where its messages come from and where they go. Lines over a pair of streams (stdio), or a
 * channel that keeps messages apart by itself (WebSocket). What a message means is not known here.
 *
 * Streams are never ended from here: who opened a stream closes it.
 */
import type { Listener, PipeConfig, PipeEngine, PipeLimits, Receiver, Registry } from '../../engine.js';
import { codec } from '../codec/index.js';
import { LineWriter } from './linewriter.js';

/** A connection that keeps messages apart by itself. Nothing here throws. */
export interface Channel {
  /** Called once: messages may come from now on. */
  start(events: ChannelEvents): void;
  /** Sends a message. @param sent called once, when it was given to the system or never will be */
  send(text: string, sent: (error?: Error | null) => void): void;
  /** No messages until {@link resume}. Those that came all the same are kept back by the channel. */
  pause(): void;
  resume(): void;
  /** The peer does not read: ends the connection. {@link ChannelEvents.gone} may follow later, not from within. */
  cut(): void;
}

export interface ChannelEvents {
  /** One message, which the channel does not touch any more. */
  message(bytes: Uint8Array): void;
  /** The connection is over. */
  gone(): void;
}

export interface ChannelConfig extends PipeLimits {
  readonly channel: Channel;
  /** Unsent bytes of messages that nobody asked for, above which the channel is cut. */
  readonly maxStreamBytes: number;
  /** Calls in flight of all connections that share `maxInFlight`. */
  readonly load: { inFlight: number };
  /** What the side above finds again at the listener, by its method `carried`. */
  readonly carried: unknown;
}

/** The pipe, and besides it channels, which never leave JavaScript either and are no part of the seam. */
export interface ChannelEngine extends PipeEngine {
  /** As `serve`. */
  channel(config: ChannelConfig, registry: Registry, receiver: Receiver): Listener & { readonly closed: Promise<void> };
}

export interface EndsEvents {
  /** So many bytes came in. */
  came(bytes: number): void;
  message(frame: Uint8Array): void;
  /** Something came that is no message: a refusal of the codec. */
  refused(refusal: number): void;
  /** The peer sends nothing more. */
  ended(): void;
  /** The peer has caught up: half of the high-water mark is sent. */
  drained(): void;
  /** Everything is written. */
  idle(): void;
  /** The peer is gone. */
  broken(): void;
}

export interface Ends {
  /** Bytes given to the peer's side. */
  readonly written: number;
  /** Something is not written yet. */
  readonly busy: boolean;
  /** Bytes that are not written, as far as they are known. */
  readonly unsent: number;
  start(): void;
  /** Sends an answer. */
  send(json: string): void;
  /** Sends what nobody waits for. */
  tell(json: string): void;
  /** Too much is unsent: nothing is read until {@link EndsEvents.drained}. */
  hold(): void;
  /** Nothing is read any more. */
  stop(): void;
  /** Nothing is written any more. */
  close(): void;
  ref(): void;
  unref(): void;
}

/** Newline-delimited messages on two streams. */
export class LineEnds implements Ends {
  private readonly lines;
  private readonly writer: LineWriter;
  private stopped = false;
  private readonly onData = (chunk: Buffer | string) => this.data(chunk);
  private readonly onEnd = () => this.end();

  constructor(
    private readonly config: PipeConfig,
    private readonly events: EndsEvents,
  ) {
    this.lines = codec.lines(config.maxMessageBytes);
    const writing = {
      full: () => void config.input.pause(),
      drained: () => {
        if (!this.stopped) config.input.resume();
        events.drained();
      },
      idle: () => events.idle(),
      broken: () => events.broken(),
    };
    this.writer = new LineWriter(config.output, writing, config.highWaterMark);
  }

  start(): void {
    const { input } = this.config;
    input.on('data', this.onData);
    input.on('end', this.onEnd);
    input.on('close', this.onEnd);
    input.on('error', this.onEnd);
  }

  private data(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.events.came(bytes.length);
    // Asked again until it has nothing more: a refused line may have good ones before and behind it in the same chunk.
    for (let next = bytes; ; next = EMPTY) {
      const frames = this.lines.push(next);
      if (typeof frames === 'number') this.events.refused(frames);
      else if (frames.length === 0) return;
      else for (const frame of frames) this.events.message(frame);
    }
  }

  /** The unfinished last line counts as a message. */
  private end(): void {
    if (this.stopped) return;
    const rest = this.lines.end();
    if (rest !== null && rest.length > 0) this.events.message(rest);
    this.events.ended();
  }

  get written(): number {
    return this.writer.written;
  }
  get busy(): boolean {
    return this.writer.busy;
  }
  get unsent(): number {
    return this.writer.unsent;
  }

  send(json: string): void {
    this.writer.line(json);
  }
  tell(json: string): void {
    this.writer.line(json);
  }
  hold(): void {
    this.writer.stop();
  }

  stop(): void {
    this.stopped = true;
    const { input } = this.config;
    input.off('data', this.onData);
    input.off('end', this.onEnd);
    input.off('close', this.onEnd);
    input.pause(); // a stream that nobody reads does not hold the process
  }

  close(): void {
    this.writer.close();
  }
  ref(): void {
    (this.config.input as Partial<{ ref(): void }>).ref?.();
  }
  unref(): void {
    (this.config.input as Partial<{ unref(): void }>).unref?.();
  }
}

/** A channel: whole messages, each way. */
export class ChannelEnds implements Ends {
  written = 0;
  unsent = 0;
  /** Of them those that nobody waits for. */
  private told = 0;
  private pending = 0;
  private held = false;
  private stopped = false;
  private closed = false;

  constructor(
    private readonly config: ChannelConfig,
    private readonly events: EndsEvents,
  ) {}

  get busy(): boolean {
    return this.pending > 0;
  }

  start(): void {
    this.config.channel.start({
      message: (bytes) => {
        if (this.stopped) return;
        this.events.came(bytes.length);
        this.events.message(bytes);
      },
      gone: () => this.events.broken(),
    });
  }

  send(json: string): void {
    this.put(json, 0);
  }

  /** Answers are bounded by the calls in flight; what is sent unasked is bounded here. */
  tell(json: string): void {
    this.put(json, 1);
    if (this.told > this.config.maxStreamBytes) this.config.channel.cut();
  }

  private put(json: string, unasked: 0 | 1): void {
    if (this.closed) return;
    const bytes = Buffer.byteLength(json);
    this.written += bytes;
    this.unsent += bytes;
    this.told += unasked * bytes;
    this.pending++;
    this.config.channel.send(json, (error) => {
      this.pending--;
      this.unsent -= bytes;
      this.told -= unasked * bytes;
      this.sent(error);
    });
    if (this.unsent > this.config.highWaterMark) this.hold();
  }

  private sent(error?: Error | null): void {
    if (this.closed) return;
    if (error != null) {
      this.events.broken();
      return;
    }
    if (this.held && this.unsent < this.config.highWaterMark / 2) {
      this.held = false;
      if (!this.stopped) this.config.channel.resume();
      this.events.drained();
    }
    if (!this.busy) this.events.idle();
  }

  hold(): void {
    if (this.held || this.closed) return;
    this.held = true;
    this.config.channel.pause();
  }

  /** What comes from now on is read and dropped: the end of the connection is among it. */
  stop(): void {
    this.stopped = true;
    if (this.held) this.config.channel.resume();
  }

  close(): void {
    this.closed = true;
  }
  ref(): void {}
  unref(): void {}
}

const EMPTY = Buffer.alloc(0);
