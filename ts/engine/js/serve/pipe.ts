/**
 * One byte-stream peer (stdio): newline-delimited messages in and out. Used with both engines, see `PipeEngine`.
 *
 * Order of events per line: scan, id in flight?, door, answer or hand over, reply. It writes to `output` and to nothing
 * else, and never ends it: who opened a stream closes it. The counters `wakes` and `flushes` stay 0, as nothing crosses.
 */
import {
  CallFlag,
  FIELD_COUNT,
  Field,
  Flag,
  Kind,
  type Listener,
  type PipeConfig,
  type PipeEngine,
  type Receiver,
  type Registry,
  Shape,
  ListenerStat as Stat,
} from '../../engine.js';
import { refusalError } from '../codec/errors.js';
import { codec } from '../codec/index.js';
import { createRegistry, type JsEntry, JsRegistry, recordCall } from '../registry/index.js';
import { Calls } from './calls.js';
import { Door, Verdict } from './door.js';
import { internal, overloaded } from './guard.js';
import { LineWriter } from './linewriter.js';
import { errorObject, errorText, shaped } from './reply.js';
import { Sessions } from './sessions.js';

/**
 * Slots for notifications and responses beyond `maxInFlight`: a peer whose calls fill every slot must still be able to
 * cancel one of them.
 */
const RESERVE = 256;

/** A message that the receiver has. */
class PipeCall {
  slot = -1;
  started = 0;
  entry: JsEntry | null = null;
  message: Buffer | null = null;
  metaStart = -1;
  metaEnd = -1;
  /** @param id raw token, empty when it is no request */
  constructor(readonly id: string) {}
}

export const pipe: PipeEngine = {
  createRegistry,
  serve(config: PipeConfig, registry: Registry, receiver: Receiver): Listener & { readonly closed: Promise<void> } {
    if (!(registry instanceof JsRegistry)) throw new TypeError('serve: the registry belongs to another engine');
    return new PipeListener(config, registry, receiver);
  },
};

class PipeListener implements Listener {
  readonly host = '';
  readonly port = 0;
  readonly closed: Promise<void>;
  private readonly counts = new Float64Array(16);
  private readonly sessions = new Sessions();
  private readonly door: Door;
  private readonly calls: Calls<PipeCall>;
  /** Raw ids of the requests that the receiver has. */
  private readonly ids = new Set<string>();
  private readonly lines;
  private readonly fields = new Int32Array(FIELD_COUNT);
  private readonly writer: LineWriter;
  /** No more input is taken. */
  private ended = false;
  private over = false;
  private finished: () => void = () => {};
  private grace: NodeJS.Timeout | null = null;
  private readonly onData = (chunk: Buffer | string) => this.data(chunk);
  private readonly onEnd = () => this.end();

  constructor(
    private readonly config: PipeConfig,
    registry: JsRegistry,
    private readonly receiver: Receiver,
  ) {
    this.door = new Door(config.modernVersions, config.legacyVersions, registry, this.sessions);
    this.calls = new Calls(config.maxInFlight + RESERVE);
    this.lines = codec.lines(config.maxMessageBytes);
    this.closed = new Promise((resolve) => {
      this.finished = resolve;
    });
    const events = {
      full: () => void config.input.pause(),
      drained: () => {
        if (!this.ended) config.input.resume();
      },
      idle: () => this.settle(),
      broken: () => this.cut(),
    };
    this.writer = new LineWriter(config.output, events, config.highWaterMark);
    this.counts[Stat.accepted] = 1;
    config.input.on('data', this.onData);
    config.input.on('end', this.onEnd);
    config.input.on('close', this.onEnd);
    config.input.on('error', this.onEnd);
  }

  // ------------------------------------------------------------------------------------------------- messages, in

  private data(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.add(Stat.bytesIn, bytes.length);
    // Asked again until it has nothing more: a refused line may have good ones before and behind it in the same chunk.
    for (let next = bytes; ; next = EMPTY) {
      const frames = this.lines.push(next);
      if (typeof frames === 'number') this.refuse(frames);
      else if (frames.length === 0) return;
      else for (const frame of frames) this.message(frame);
    }
  }

  private refuse(refusal: number): void {
    this.add(Stat.requests, 1);
    this.add(Stat.refused, 1);
    const { code, message } = refusalError(refusal);
    this.writer.line(errorText('', errorObject(code, message)));
  }

  private message(frame: Uint8Array): void {
    if (this.over) return;
    const message = Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    const { fields, door } = this;
    const kind = codec.scan(message, this.config.maxDepth, fields);
    if (kind < 0) {
      this.refuse(kind);
      return;
    }
    this.add(Stat.requests, 1);
    const bytes = message.toString('latin1');
    // The fields of responses and batches mean nothing.
    const single = kind === Kind.request || kind === Kind.notification;
    const ascii = single && ((fields[Field.flags] as number) & Flag.ascii) !== 0;
    const call = new PipeCall(kind === Kind.request ? text(message, bytes, ascii, fields, Field.id) : '');
    if (call.id !== '' && this.ids.has(call.id)) {
      this.add(Stat.refused, 1);
      this.writer.line(errorText(call.id, errorObject(-32600, 'Request id is already in use')));
      return;
    }
    call.started = performance.now();
    const verdict = door.decide(kind, message, bytes, fields, null);
    if (verdict === Verdict.answer) {
      const entry = door.entry as JsEntry;
      const result = (door.flags & CallFlag.legacy) !== 0 ? entry.legacyText : entry.modernText;
      this.writer.line(`{"jsonrpc":"2.0","id":${call.id},"result":${result}`);
      this.add(Stat.answered, 1);
      this.record(call, entry, 0);
      return;
    }
    const expectsReply = kind === Kind.request || kind === Kind.batch;
    if ((expectsReply && this.calls.inFlight >= this.config.maxInFlight) || !this.calls.open(call)) {
      this.add(Stat.overloaded, 1);
      if (expectsReply) this.writer.line(errorText(call.id, errorObject(overloaded.code, overloaded.message)));
      return;
    }
    if (call.id !== '') this.ids.add(call.id);
    if (kind === Kind.request && (fields[Field.meta] as number) >= 0) {
      call.message = message;
      call.metaStart = fields[Field.meta] as number;
      call.metaEnd = fields[Field.meta + 1] as number;
    }
    if (verdict === Verdict.call) {
      call.entry = door.entry as JsEntry;
      this.handOver(call, '', text(message, bytes, ascii, fields, Field.arguments), door.flags);
    } else this.handOver(call, ascii ? bytes : message.toString('utf8'), '', 0);
  }

  // --------------------------------------------------------------------------------------------- up and down again

  private handOver(call: PipeCall, body: string, args: string, flags: number): void {
    const { slot, entry } = call;
    this.add(entry === null ? Stat.messages : Stat.calls, 1);
    try {
      if (entry === null) this.receiver.message(this, slot, 'PIPE', body);
      else this.receiver.call(this, slot, entry.handler, flags, args);
    } catch {
      // It must not throw; the peer gets an answer all the same, unless it has one already.
      this.add(Stat.panics, 1);
      if (this.calls.find(slot) === null) return;
      const silent = call.id === '';
      const error = silent ? '' : errorObject(internal.code, internal.message);
      this.reply(slot, internal.status, silent ? Shape.raw : Shape.error, 1, '', error);
    }
  }

  reply(slot: number, _status: number, shape: number, failed: 0 | 1, _headers: string, body: string): void {
    const call = this.calls.find(slot);
    if (call === null) {
      this.add(Stat.staleReplies, 1);
      return;
    }
    this.release(call);
    if (call.entry !== null) this.record(call, call.entry, failed);
    const line = shaped(shape, call.id, body);
    if (line !== '') this.writer.line(line);
    else if (this.ended) this.settle();
  }

  event(slot: number, _id: string, body: string): void {
    if (this.calls.find(slot) !== null) this.writer.line(body);
  }

  private release(call: PipeCall): void {
    this.calls.release(call);
    if (call.id !== '') this.ids.delete(call.id);
  }

  private record(call: PipeCall, entry: JsEntry, failed: 0 | 1): void {
    recordCall(entry.stats, failed, (performance.now() - call.started) * 1e6);
  }

  // -------------------------------------------------------------------------------------------------------- the end

  /** The input is over: its unfinished last line counts as a message, and what runs may end. */
  private end(): void {
    if (this.ended) return;
    const rest = this.lines.end();
    if (rest !== null && rest.length > 0) this.message(rest);
    this.stop();
    this.settle();
  }

  private stop(): void {
    this.ended = true;
    const { input } = this.config;
    input.off('data', this.onData);
    input.off('end', this.onEnd);
    input.off('close', this.onEnd);
    input.pause(); // a stream that nobody reads does not hold the process
  }

  /** Done when nothing more can come and everything is written. */
  private settle(): void {
    if (!this.ended || this.over || this.calls.inFlight > 0 || this.writer.busy) return;
    this.finish();
  }

  /** Ends now: the peer is gone, or the grace is over. */
  private cut(): void {
    if (this.over) return;
    if (!this.ended) this.stop();
    this.over = true; // before the aborts: a receiver may answer one by closing
    for (const call of this.calls.all()) {
      if (this.calls.find(call.slot) !== call) continue;
      this.release(call);
      this.add(Stat.aborted, 1);
      try {
        this.receiver.abort(this, call.slot);
      } catch {
        this.add(Stat.panics, 1);
      }
    }
    this.finish();
  }

  private finish(): void {
    this.over = true;
    if (this.grace !== null) clearTimeout(this.grace);
    this.writer.close();
    this.finished();
  }

  close(grace: number): Promise<void> {
    if (!this.ended) this.stop();
    if (!this.over && this.grace === null) {
      this.grace = setTimeout(() => this.cut(), Math.max(grace, 0));
      this.settle();
    }
    return this.closed;
  }

  // ------------------------------------------------------------------------------------------------------ questions

  meta(slot: number): string {
    const call = this.calls.find(slot);
    return call?.message == null ? '' : call.message.toString('utf8', call.metaStart, call.metaEnd);
  }

  id(slot: number): string {
    return this.calls.find(slot)?.id ?? '';
  }

  head(): string {
    return '';
  }

  openSession(id: string): void {
    this.sessions.open(id);
  }

  closeSession(id: string): void {
    this.sessions.close(id);
  }

  hasSession(id: string): boolean {
    return this.sessions.has(id);
  }

  stats(out: Float64Array): void {
    this.counts[Stat.connections] = this.over ? 0 : 1;
    this.counts[Stat.inFlight] = this.calls.inFlight;
    this.counts[Stat.bytesOut] = this.writer.written;
    out.set(this.counts.subarray(0, Math.min(out.length, this.counts.length)));
  }

  private add(stat: number, by: number): void {
    this.counts[stat] = (this.counts[stat] as number) + by;
  }

  ref(): void {
    (this.config.input as Partial<{ ref(): void }>).ref?.();
  }

  unref(): void {
    (this.config.input as Partial<{ unref(): void }>).unref?.();
  }
}

const EMPTY = Buffer.alloc(0);

function text(message: Buffer, bytes: string, ascii: boolean, fields: Int32Array, field: number): string {
  const start = fields[field] as number;
  if (start < 0) return '';
  const end = fields[field + 1] as number;
  return ascii ? bytes.slice(start, end) : message.toString('utf8', start, end);
}
