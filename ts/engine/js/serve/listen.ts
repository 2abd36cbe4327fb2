/**
 * The HTTP listener: what came in goes to the receiver, and what the receiver says goes out. How requests come in is in
 * requests.ts, how answers are written in lane.ts, http1.ts and http2.ts.
 *
 * There is one thread and nothing is batched: the counters `wakes` and `flushes` stay 0.
 */
import {
  type Listener,
  type Receiver,
  type Registry,
  type ServeConfig,
  Shape,
  ListenerStat as Stat,
} from '../../engine.js';
import { codec } from '../codec/index.js';
import { JsRegistry, recordCall } from '../registry/index.js';
import { bind } from './bind.js';
import type { Pending } from './call.js';
import { Calls } from './calls.js';
import { gzipped } from './compress.js';
import { besides } from './cors.js';
import { internal } from './guard.js';
import { bodiless, errorObject, eventText, STREAM_LINES, shaped } from './reply.js';
import { Requests } from './requests.js';
import { Sessions } from './sessions.js';
import { Tokens } from './tokens.js';

/** Starts a listener. Rejects with node's error when the address cannot be had, or with why the certificate cannot be used. */
export async function listen(config: ServeConfig, registry: Registry, receiver: Receiver): Promise<Listener> {
  if (!(registry instanceof JsRegistry)) throw new TypeError('listen: the registry belongs to another engine');
  const listener = new HttpListener(config, registry, receiver);
  await listener.start();
  return listener;
}

class HttpListener implements Listener {
  host = '';
  port = 0;
  private readonly counts = new Float64Array(16);
  private readonly sessions = new Sessions();
  private readonly tokens = new Tokens();
  private readonly calls: Calls<Pending>;
  private readonly requests: Requests;

  constructor(
    private readonly config: ServeConfig,
    registry: JsRegistry,
    private readonly receiver: Receiver,
  ) {
    this.calls = new Calls(config.maxInFlight, config.maxConnections);
    this.requests = new Requests(config, registry, this.sessions, this.tokens, this.counts, {
      full: () => this.calls.inFlight >= config.maxInFlight,
      handOver: (call) => this.handOver(call),
      left: (calls) => this.left(calls),
    });
  }

  async start(): Promise<void> {
    const { host, port } = await bind(this.requests.connections.server, this.config);
    this.host = host;
    this.port = port;
  }

  // ------------------------------------------------------------------------------------------------------------- up

  /** To the receiver: as a call when it has an entry, else as a message. */
  private handOver(call: Pending): boolean {
    if (!this.calls.open(call)) return false;
    const { entry } = call;
    const { text, door } = this.requests.intake;
    this.count(entry === null ? Stat.messages : Stat.calls);
    try {
      if (entry !== null) this.receiver.call(this, call.slot, entry.handler, door.flags, text);
      else this.receiver.message(this, call.slot, call.method, text);
    } catch {
      this.panic(call.slot);
    }
    return true;
  }

  /** The client left: whatever it was waiting for is nobody's any more. */
  private left(calls: readonly Pending[]): void {
    for (const call of calls) {
      if (this.calls.find(call.slot) !== call) continue;
      this.calls.release(call);
      this.count(Stat.aborted);
      try {
        this.receiver.abort(this, call.slot);
      } catch {
        this.count(Stat.panics);
      }
    }
  }

  /** The receiver threw, which it must not: the client gets an answer all the same. */
  private panic(slot: number): void {
    this.count(Stat.panics);
    if (this.calls.find(slot) === null) return;
    this.reply(slot, internal.status, Shape.error, 1, '', errorObject(internal.code, internal.message));
  }

  // ----------------------------------------------------------------------------------------------------- down again

  reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    const call = this.calls.find(slot);
    if (call === null) {
      this.count(Stat.staleReplies);
      return;
    }
    this.calls.release(call);
    if (call.entry !== null) recordCall(call.entry.stats, failed, (performance.now() - call.started) * 1e6);
    const whole = shaped(shape, call.id, text);
    if (call.streaming) {
      if (status === 0) {
        call.breakOff();
        return;
      }
      const own = whole === '' || (call.opened && shape === Shape.raw);
      call.last(own ? whole : eventText(codec, '', whole));
      return;
    }
    const known = status >= 200 && status <= 599 ? status : 500;
    if (call.extra !== '') call.extra = besides(headers, call.extra);
    const { compressionThreshold: threshold } = this.config;
    if (threshold > 0 && whole.length >= threshold) this.large(call, known, shape !== Shape.raw, headers, whole);
    else call.send(known, shape !== Shape.raw, headers, whole);
  }

  private large(call: Pending, status: number, json: boolean, headers: string, text: string): void {
    call.extra += 'vary: Accept-Encoding\r\n';
    if (!call.gzip || bodiless(status) || /^content-encoding:/im.test(headers)) call.send(status, json, headers, text);
    else gzipped(text, (bytes) => call.send(status, json, `${headers}content-encoding: gzip\r\n`, bytes));
  }

  event(slot: number, id: string, text: string): number {
    const call = this.calls.find(slot);
    if (call === null) return -1;
    if (!call.streaming && !call.gone) {
      call.streaming = true;
      call.begin(200, STREAM_LINES);
    }
    return this.push(call, eventText(codec, id, text));
  }

  open(slot: number, status: number, headers: string): void {
    const call = this.calls.find(slot);
    if (call === null || call.streaming) return;
    call.streaming = true;
    call.opened = true;
    this.calls.uncount(call);
    if (call.extra !== '') call.extra = besides(headers, call.extra);
    if (!call.gone) call.begin(status >= 200 && status <= 599 ? status : 500, headers);
  }

  write(slot: number, text: string): number {
    const call = this.calls.find(slot);
    return call === null || !call.streaming ? -1 : this.push(call, text);
  }

  /** One piece of a stream. A client that reads too slowly is cut off, a writer that is too fast asked to wait. */
  private push(call: Pending, text: string): number {
    if (call.gone) return -1;
    const { streamHighWaterMark: mark, maxStreamBytes } = this.config;
    // A character is at most three bytes: rather one callback too many than a writer that nobody wakes.
    const near = call.thirsty || call.unsent + 3 * text.length > mark;
    if (near && call.onSent === null) {
      // By way of a variable: V8 puts a function that is assigned to a property where it is written among its old objects.
      const sent = () => this.sent(call);
      call.onSent = sent;
    }
    if (text !== '') call.piece(text, near ? call.onSent : null);
    const { unsent } = call;
    // Its abort follows from the end of the connection, not from here: the caller is in the middle of sending.
    if (unsent > maxStreamBytes) call.cut();
    if (unsent > mark) call.thirsty = true;
    return unsent;
  }

  private sent(call: Pending): void {
    if (!call.thirsty || call.gone || call.unsent >= this.config.streamHighWaterMark / 2) return;
    if (this.calls.find(call.slot) !== call) return;
    call.thirsty = false;
    try {
      this.receiver.drain(this, call.slot);
    } catch {
      this.count(Stat.panics);
    }
  }

  // ------------------------------------------------------------------------------------------------------ questions

  meta(slot: number): string {
    const call = this.calls.find(slot);
    return call?.message == null ? '' : call.message.toString('utf8', call.metaStart, call.metaEnd);
  }

  id(slot: number): string {
    return this.calls.find(slot)?.id ?? '';
  }

  head(slot: number): string {
    return this.calls.find(slot)?.lines() ?? '';
  }

  principal(slot: number): number {
    return this.calls.find(slot)?.principal ?? 0;
  }

  admit(digest: string, principal: number, expiresAt: number): void {
    this.tokens.admit(digest, principal, expiresAt);
  }

  expel(digest: string): boolean {
    return this.tokens.expel(digest);
  }

  renewTls(cert: string, key: string): string {
    return this.requests.connections.renewTls(cert, key);
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
    const { connections } = this.requests;
    const [read, written] = connections.bytes();
    this.counts[Stat.accepted] = connections.accepted;
    this.counts[Stat.connections] = connections.count;
    this.counts[Stat.bytesIn] = read;
    this.counts[Stat.bytesOut] = written;
    this.counts[Stat.inFlight] = this.calls.inFlight;
    out.set(this.counts.subarray(0, Math.min(out.length, this.counts.length)));
  }

  private count(stat: number): void {
    this.counts[stat] = (this.counts[stat] as number) + 1;
  }

  async close(grace: number): Promise<void> {
    await this.requests.connections.close(grace);
    this.requests.stop();
  }

  ref(): void {
    this.requests.connections.hold(true);
  }

  unref(): void {
    this.requests.connections.hold(false);
  }
}
