/**
 * The native listener in the shape of the seam: drains the ring up into the receiver, collects replies for the way down,
 * ends when the I/O threads have ended.
 */
import { type Listener, ListenerStat, type Receiver, type Registry, type ServeConfig, Shape } from '../engine.js';
import { type Addon, type NativeListener, type NativeRegistry, ring } from './binding.js';
import { Outbox } from './outbox.js';
import { BATCH, METHODS, MORE, RING_BYTES, SLOT_INDEXES, Up, WIDTH } from './rings.js';
import { Streams } from './streams.js';

/** The registry adapter says which native registry is behind it. */
export interface NativeBacked extends Registry {
  readonly native: NativeRegistry;
}

export async function listen(
  addon: Addon,
  config: ServeConfig,
  registry: Registry,
  receiver: Receiver,
): Promise<Listener> {
  const { native } = registry as NativeBacked;
  if (native === undefined) throw new TypeError('listen: the registry was made by another engine');
  return new ThreadListener(addon, config, native, receiver);
}

class ThreadListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #native: NativeListener;
  readonly #receiver: Receiver;
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  readonly #ring = ring(RING_BYTES);
  readonly #records = new Int32Array(BATCH * WIDTH);
  readonly #ended: Promise<void>;
  #resolveEnded!: () => void;
  #closing = false;
  #panics = 0;
  #finished = false;
  #cutTimer: NodeJS.Timeout | undefined;

  constructor(addon: Addon, config: ServeConfig, registry: NativeRegistry, receiver: Receiver) {
    this.#receiver = receiver;
    this.#streams = new Streams(config.streamHighWaterMark);
    this.#native = listening(() => addon.NativeListener.listen(toNative(config), registry, () => this.#wake()));
    this.#outbox = new Outbox(this.#native);
    this.host = this.#native.host;
    this.port = this.#native.port;
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Called on this thread when an I/O thread pushed something, or the last one ended. Must not throw. */
  #wake(): void {
    if (this.#finished) return;
    if (this.#drain()) {
      // There is more: let other work have its turn in between.
      this.#native.wakeAgain();
    } else if (this.#closing && this.#native.ended()) {
      // What the last thread pushed before it ended may have come after the drain above.
      while (this.#drain());
      this.#finish();
    }
  }

  /** One batch up. True when the queue may hold more. */
  #drain(): boolean {
    const drained = this.#native.drain(this.#ring, this.#records);
    const count = drained % MORE;
    let at = 0;
    for (let record = 0; record < count; record += 1) at = this.#one(record * WIDTH, at);
    return drained >= MORE || count === BATCH;
  }

  #one(record: number, at: number): number {
    const records = this.#records;
    const kind = records[record] as number;
    if (kind < 0) return at;
    const slot = (records[record + 2] as number) * SLOT_INDEXES + (records[record + 1] as number);
    let length = records[record + 5] as number;
    if (kind === Up.abort) {
      this.#streams.end(slot);
      this.#tell(() => this.#receiver.abort(this, slot));
      return at;
    }
    if (kind === Up.flushed) {
      if (this.#streams.sent(slot, length)) this.#tell(() => this.#receiver.drain(this, slot));
      return at;
    }
    const ascii = records[record + 6] === 1;
    let text: string;
    if (kind >= Up.large) {
      text = this.#native.take(slot).toString(ascii ? 'latin1' : 'utf8');
      length = 0;
    } else {
      text = ascii ? this.#ring.latin1Slice(at, at + length) : this.#ring.utf8Slice(at, at + length);
    }
    const handler = records[record + 3] as number;
    try {
      if ((kind & (Up.large - 1)) === Up.call) {
        this.#receiver.call(this, slot, handler, records[record + 4] as number, text);
      } else {
        this.#receiver.message(this, slot, METHODS[handler] ?? 'OTHER', text);
      }
    } catch {
      // A receiver must not throw. If it does, its caller gets an answer and the rest of the batch is served.
      this.#panics += 1;
      this.reply(slot, 500, Shape.error, 1, '', '{"code":-32603,"message":"Internal error"}');
    }
    return at + length;
  }

  /** Nobody waits for an answer to these: a receiver that throws is counted, and the rest of the batch is served. */
  #tell(what: () => void): void {
    try {
      what();
    } catch {
      this.#panics += 1;
    }
  }

  reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    if (this.#finished) return;
    this.#streams.end(slot);
    this.#outbox.reply(slot, status, shape, failed, headers, text);
  }

  event(slot: number, id: string, text: string): number {
    if (this.#finished || !this.#streaming(slot)) return -1;
    return this.#streams.given(slot, this.#outbox.event(slot, id, text));
  }

  open(slot: number, status: number, headers: string): void {
    if (!this.#finished && !this.#streams.has(slot) && this.#streaming(slot)) this.#outbox.open(slot, status, headers);
  }

  write(slot: number, text: string): number {
    if (this.#finished || !this.#streams.has(slot)) return -1;
    return this.#streams.given(slot, this.#outbox.write(slot, text));
  }

  /** Whether the slot is a stream, which it becomes here unless it is dead. */
  #streaming(slot: number): boolean {
    if (this.#streams.has(slot)) return true;
    if (this.#outbox.replied(slot) || !this.#native.isAlive(slot)) return false;
    this.#streams.begin(slot);
    return true;
  }

  meta(slot: number): string {
    return this.#native.meta(slot);
  }

  id(slot: number): string {
    return this.#native.id(slot);
  }

  head(slot: number): string {
    return this.#native.head(slot);
  }

  principal(slot: number): number {
    return this.#native.principal(slot);
  }

  admit(digest: string, principal: number, expiresAt: number): void {
    if (!this.#native.admit(digest, principal, expiresAt)) throw new TypeError('admit: digest must be 64 hex digits');
  }

  expel(digest: string): boolean {
    return this.#native.expel(digest);
  }

  renewTls(cert: string, key: string): string {
    return this.#native.renewTls(cert, key);
  }

  openSession(id: string): void {
    this.#native.openSession(id);
  }

  closeSession(id: string): void {
    this.#native.closeSession(id);
  }

  hasSession(id: string): boolean {
    return this.#native.hasSession(id);
  }

  stats(out: Float64Array): void {
    this.#native.stats(out);
    out[ListenerStat.panics] = (out[ListenerStat.panics] as number) + this.#panics;
  }

  close(grace: number): Promise<void> {
    if (this.#finished) return this.#ended;
    this.#closing = true;
    this.#outbox.flush();
    this.#native.close();
    this.#cutTimer ??= setTimeout(() => this.#native.cut(), grace);
    return this.#ended;
  }

  ref(): void {
    if (!this.#finished) this.#native.ref();
  }

  unref(): void {
    if (!this.#finished) this.#native.unref();
  }

  #finish(): void {
    this.#finished = true;
    clearTimeout(this.#cutTimer);
    this.#native.finish();
    this.#resolveEnded();
  }
}

/** The addon puts the system's code in front of its message; callers look for it in `error.code`, as with node:net. */
function listening(start: () => NativeListener): NativeListener {
  try {
    return start();
  } catch (error) {
    const [, code, message] = /^(E[A-Z]+): (.*)$/.exec((error as Error).message) ?? [];
    if (code === undefined) throw error;
    throw Object.assign(new Error(`${code}: ${message}`, { cause: error }), { code, syscall: 'listen' });
  }
}

function toNative(config: ServeConfig): Parameters<Addon['NativeListener']['listen']>[0] {
  const { allowedHosts, allowedOrigins, unixPath, tls, corsOrigins, ...rest } = config;
  return {
    ...rest,
    // Absent is null on the seam and undefined for the binding.
    ...(allowedHosts === null ? {} : { allowedHosts }),
    ...(allowedOrigins === null ? {} : { allowedOrigins }),
    ...(unixPath === null ? {} : { unixPath }),
    ...(tls === null ? {} : { tls }),
    ...(corsOrigins === null ? {} : { corsOrigins }),
  };
}
