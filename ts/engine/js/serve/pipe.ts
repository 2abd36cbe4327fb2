/**
 * One peer that is alone on its connection (stdio, WebSocket). Used with both engines, see `PipeEngine`.
 *
 * Order of events per message: scan, id in flight?, door, answer or hand over, reply. Where messages come from and go to is
 * in ends.ts. The counters `wakes` and `flushes` stay 0, as nothing crosses.
 */
import {
  CallFlag,
  FIELD_COUNT,
  Field,
  Flag,
  Kind,
  type Listener,
  type PipeConfig,
  type PipeLimits,
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
import { type ChannelConfig, ChannelEnds, type ChannelEngine, type Ends, type EndsEvents, LineEnds } from './ends.js';
import { internal, overloaded } from './guard.js';
import { errorObject, errorText, shaped } from './reply.js';
import { Sessions } from './sessions.js';

/**
 * Slots for notifications and responses beyond `maxInFlight`: a peer whose calls fill every slot must still be able to
 * cancel one of them.
 */
const RESERVE = 256;

/**
 * Milliseconds between what is said on behalf of a call and its reply. Clients forget how to hand on a call's progress as
 * soon as they have read its reply, and some (the official ones among them) read what comes with it only afterwards.
 */
const APART = 8;

/** A message that the receiver has. */
class PipeCall {
  slot = -1;
  counted = true;
  /** When something was last said before the reply; 0: nothing was. */
  told = 0;
  /** The reply is there, and waits a moment. */
  late = false;
  /** Its writer was asked to wait. */
  thirsty = false;
  /** Nobody waits for its reply: it is there to be written to. */
  stays = false;
  started = 0;
  entry: JsEntry | null = null;
  message: Buffer | null = null;
  metaStart = -1;
  metaEnd = -1;
  /** @param id raw token, empty when it is no request */
  constructor(readonly id: string) {}
}

export const pipe: ChannelEngine = {
  createRegistry,
  serve(config: PipeConfig, registry: Registry, receiver: Receiver) {
    const load = { inFlight: 0 };
    return new PipeListener(
      config,
      ours(registry),
      receiver,
      (events) => new LineEnds(config, events),
      load,
      undefined,
    );
  },
  channel(config: ChannelConfig, registry: Registry, receiver: Receiver) {
    const ends = (events: EndsEvents) => new ChannelEnds(config, events);
    return new PipeListener(config, ours(registry), receiver, ends, config.load, config.carried);
  },
};

function ours(registry: Registry): JsRegistry {
  if (!(registry instanceof JsRegistry)) throw new TypeError('serve: the registry belongs to another engine');
  return registry;
}

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
  private readonly fields = new Int32Array(FIELD_COUNT);
  private readonly ends: Ends;
  /** No more input is taken. */
  private ended = false;
  private over = false;
  private finished: () => void = () => {};
  private grace: NodeJS.Timeout | null = null;
  /** Our part of `load`. */
  private share = 0;

  /**
   * @param load calls in flight of everything that shares `maxInFlight`
   * @param extra what the side above finds again by {@link carried}
   */
  constructor(
    private readonly config: PipeLimits,
    registry: JsRegistry,
    private readonly receiver: Receiver,
    ends: (events: EndsEvents) => Ends,
    private readonly load: { inFlight: number },
    private readonly extra: unknown,
  ) {
    this.door = new Door(config.modernVersions, config.legacyVersions, registry, this.sessions);
    this.calls = new Calls(config.maxInFlight + RESERVE, RESERVE);
    this.closed = new Promise((resolve) => {
      this.finished = resolve;
    });
    this.counts[Stat.accepted] = 1;
    this.ends = ends({
      came: (bytes) => this.add(Stat.bytesIn, bytes),
      message: (frame) => this.message(frame),
      refused: (refusal) => this.refuse(refusal),
      ended: () => this.end(),
      drained: () => this.drained(),
      idle: () => this.settle(),
      broken: () => this.cut(),
    });
    this.ends.start();
  }

  // ------------------------------------------------------------------------------------------------- messages, in

  private refuse(refusal: number): void {
    this.add(Stat.requests, 1);
    this.add(Stat.refused, 1);
    const { code, message } = refusalError(refusal);
    this.ends.send(errorText('', errorObject(code, message)));
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
      this.ends.send(errorText(call.id, errorObject(-32600, 'Request id is already in use')));
      return;
    }
    call.started = performance.now();
    const verdict = door.decide(kind, message, bytes, fields, null);
    if (verdict === Verdict.answer) {
      const entry = door.entry as JsEntry;
      const result = (door.flags & CallFlag.legacy) !== 0 ? entry.legacyText : entry.modernText;
      this.ends.send(`{"jsonrpc":"2.0","id":${call.id},"result":${result}`);
      this.add(Stat.answered, 1);
      this.record(call, entry, 0);
      return;
    }
    const expectsReply = kind === Kind.request || kind === Kind.batch;
    if ((expectsReply && this.load.inFlight >= this.config.maxInFlight) || !this.calls.open(call)) {
      this.add(Stat.overloaded, 1);
      if (expectsReply) this.ends.send(errorText(call.id, errorObject(overloaded.code, overloaded.message)));
      return;
    }
    this.weigh();
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
    if (call === null || call.late) {
      this.add(Stat.staleReplies, 1);
      return;
    }
    const apart = call.told === 0 || !call.counted ? 0 : call.told + APART - performance.now();
    if (apart > 0) {
      call.late = true;
      setTimeout(() => this.answer(call, shape, failed, body), apart);
    } else {
      this.answer(call, shape, failed, body);
    }
  }

  private answer(call: PipeCall, shape: number, failed: 0 | 1, body: string): void {
    // The pipe ended meanwhile.
    if (this.calls.find(call.slot) !== call) return;
    this.release(call);
    if (call.entry !== null) this.record(call, call.entry, failed);
    const line = shaped(shape, call.id, body);
    if (line !== '') this.ends.send(line);
    else if (this.ended) this.settle();
  }

  event(slot: number, _id: string, body: string): number {
    const call = this.calls.find(slot);
    if (call === null || call.late) return -1;
    call.told = performance.now();
    this.ends.tell(body);
    const { unsent } = this.ends;
    if (unsent > this.config.highWaterMark) {
      call.thirsty = true;
      this.ends.hold();
    }
    return unsent;
  }

  /** There is no head: what is kept open, to be written to with {@link event}, does not hold the end of the pipe. */
  open(slot: number): void {
    const call = this.calls.find(slot);
    if (call?.counted !== true) return;
    call.stays = true;
    this.calls.uncount(call);
    this.weigh();
    if (this.ended) this.settle();
  }

  /** Bodies in pieces are HTTP's. */
  write(): number {
    return -1;
  }

  private drained(): void {
    for (const call of this.calls.all()) {
      if (!call.thirsty || this.calls.find(call.slot) !== call) continue;
      call.thirsty = false;
      try {
        this.receiver.drain(this, call.slot);
      } catch {
        this.add(Stat.panics, 1);
      }
    }
  }

  private release(call: PipeCall): void {
    this.calls.release(call);
    this.weigh();
    if (call.id !== '') this.ids.delete(call.id);
  }

  private weigh(): void {
    const now = this.calls.inFlight;
    this.load.inFlight += now - this.share;
    this.share = now;
  }

  private record(call: PipeCall, entry: JsEntry, failed: 0 | 1): void {
    recordCall(entry.stats, failed, (performance.now() - call.started) * 1e6);
  }

  // -------------------------------------------------------------------------------------------------------- the end

  /** The input is over, and what runs may end. */
  private end(): void {
    if (this.ended) return;
    this.stop();
    this.settle();
  }

  private stop(): void {
    this.ended = true;
    this.ends.stop();
  }

  /** Done when nothing more can come and everything is written. */
  private settle(): void {
    if (!this.ended || this.over || this.ends.busy) return;
    // What stays may be counted all the same: there are only so many places besides.
    if (this.calls.inFlight > 0 && this.calls.all().some((call) => !call.stays)) return;
    // What was kept open has no reader any more.
    this.cut();
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
    this.ends.close();
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

  /** What came along with the connection, the same for every slot. */
  carried(): unknown {
    return this.extra;
  }

  /** Whose connection it is was found out before: there are no tokens here. */
  principal(): number {
    return 0;
  }

  admit(): void {}

  expel(): boolean {
    return false;
  }

  renewTls(): string {
    return 'a pipe has no TLS';
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
    this.counts[Stat.bytesOut] = this.ends.written;
    out.set(this.counts.subarray(0, Math.min(out.length, this.counts.length)));
  }

  private add(stat: number, by: number): void {
    this.counts[stat] = (this.counts[stat] as number) + by;
  }

  ref(): void {
    this.ends.ref();
  }

  unref(): void {
    this.ends.unref();
  }
}

function text(message: Buffer, bytes: string, ascii: boolean, fields: Int32Array, field: number): string {
  const start = fields[field] as number;
  if (start < 0) return '';
  const end = fields[field + 1] as number;
  return ascii ? bytes.slice(start, end) : message.toString('utf8', start, end);
}
