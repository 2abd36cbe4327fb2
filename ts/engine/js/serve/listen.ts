/**
 * The HTTP listener on node:http. The way of one request reads top to bottom: `accept` (guard), `ended` (scan, door),
 * `handOver` (slot, receiver), `reply`. Which error a doubtful message deserves is decided above; see door.ts.
 *
 * There is one thread and nothing is batched: the counters `wakes` and `flushes` stay 0.
 */
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  FIELD_COUNT,
  Field,
  Flag,
  Kind,
  type Listener,
  type Receiver,
  type Registry,
  type ServeConfig,
  Shape,
  ListenerStat as Stat,
} from '../../engine.js';
import { refusalError } from '../codec/errors.js';
import { codec } from '../codec/index.js';
import { type JsEntry, JsRegistry, recordCall } from '../registry/index.js';
import { BodyClock, Call, type CallRequest, type Pending } from './call.js';
import { Calls } from './calls.js';
import { Connections } from './connection.js';
import { Door, Verdict } from './door.js';
import { bodyLate, Guard, internal, overloaded, type Refusal } from './guard.js';
import { type DoorHead, Head, headLines, MAX_HEADERS } from './head.js';
import { type Lane, LaneCall } from './lane.js';
import type { LaneHead } from './lanehead.js';
import {
  errorObject,
  errorText,
  eventText,
  JOIN_UP_TO,
  openStream,
  send,
  sendAnswer,
  sendOpen,
  shaped,
} from './reply.js';
import { Sessions } from './sessions.js';

/** Starts a listener. Rejects with node's error when the address cannot be had. */
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
  private readonly guard: Guard;
  private readonly sessions = new Sessions();
  private readonly door: Door;
  private readonly calls: Calls<Call | LaneCall>;
  private readonly clock: BodyClock;
  private readonly connections: Connections;
  /** Scan result of the message at hand; read before anything else can be scanned. */
  private readonly fields = new Int32Array(FIELD_COUNT);
  /** What `examine` found to hand up. */
  private text = '';
  private readonly onData: (this: CallRequest, chunk: Buffer) => void;
  private readonly onEnd: (this: CallRequest) => void;

  constructor(
    private readonly config: ServeConfig,
    registry: JsRegistry,
    private readonly receiver: Receiver,
  ) {
    this.guard = new Guard(config);
    this.door = new Door(config.modernVersions, config.legacyVersions, registry, this.sessions);
    this.calls = new Calls(config.maxInFlight);
    this.clock = new BodyClock(config.bodyTimeout, (call) => this.late(call));
    this.connections = new Connections(config, {
      request: (request, response, expects) => this.accept(request, response, expects),
      left: (calls) => this.left(calls),
      dropped: () => this.count(Stat.overloaded),
      broken: () => this.count(Stat.refused),
      regular: (lane, head, message) => this.regular(lane, head, message),
    });
    const self = this;
    this.onData = function (chunk) {
      if (this.call !== null) self.data(this.call, chunk);
    };
    this.onEnd = function () {
      if (this.call !== null) self.ended(this.call);
    };
  }

  async start(): Promise<void> {
    const { server } = this.connections;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.config.port, this.config.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const address = server.address() as AddressInfo;
    this.host = address.address;
    this.port = address.port;
  }

  // ------------------------------------------------------------------------------------------------- requests, in

  private accept(request: CallRequest, response: ServerResponse, expects: boolean): void {
    const conn = this.connections.of(request.socket);
    if (conn === undefined || conn.lingering !== null) return; // after a closing refusal nothing is served any more
    this.count(Stat.requests);
    const raw = request.rawHeaders;
    const head = new Head(raw);
    const call = new Call(request, response, conn, head, performance.now());
    request.call = call;
    conn.calls.push(call);
    conn.newest = call;
    if (raw.length > 2 * MAX_HEADERS) {
      this.count(Stat.refused);
      this.finish(call);
      send(call, 431, false, '', '', true);
      return;
    }
    const refusal = this.guard.head(head, request.httpVersionMinor !== 0, request.url ?? '');
    if (refusal !== null) {
      this.refuse(call, refusal, expects);
      return;
    }
    if (request.method !== 'POST') {
      if (head.hasBody) this.drain(call);
      this.text = '';
      this.handOver(call);
      return;
    }
    const unwanted = this.guard.body(head);
    if (unwanted !== null) {
      this.refuse(call, unwanted, expects);
      return;
    }
    if (expects) response.writeContinue();
    call.reading = true;
    this.read(call);
  }

  private read(call: Call): void {
    call.request.on('data', this.onData);
    call.request.on('end', this.onEnd);
    this.clock.add(call);
  }

  /** Takes a body that nobody wants, for the sake of the next request on the connection; the clock watches it. */
  private drain(call: Call): void {
    call.request.on('end', this.onEnd);
    call.request.resume();
    this.clock.add(call);
  }

  private data(call: Call, chunk: Buffer): void {
    if (!call.reading) return;
    call.add(chunk);
    if (call.held > this.config.maxBodyBytes) this.refuse(call, this.guard.tooLarge, false);
  }

  private ended(call: Call): void {
    call.ended = true;
    this.clock.remove(call);
    if (call.conn.lingering === call) this.connections.lingered(call);
    if (!call.reading) return;
    call.reading = false;
    const verdict = this.examine(call, call.take(), call.head);
    if (verdict < 0) this.refuse(call, refusalError(verdict), false);
    else if (verdict === Verdict.answer) this.answer(call, this.door.entry as JsEntry);
    else this.handOver(call);
  }

  /** The same for a request on a lane, where only the regular is served: false leaves it, untouched, to node:http. */
  private regular(lane: Lane, { raw, head }: LaneHead, message: Buffer): boolean {
    if (this.guard.head(head, true, this.config.path) !== null || this.guard.body(head) !== null) return false;
    const call = new LaneCall(lane, raw, performance.now());
    const verdict = this.examine(call, message, head);
    if (verdict < 0 || (verdict !== Verdict.answer && this.calls.inFlight >= this.config.maxInFlight)) return false;
    this.count(Stat.requests);
    lane.call = call;
    if (verdict === Verdict.answer) this.answerOn(call, this.door.entry as JsEntry);
    else this.handOver(call);
    return true;
  }

  /**
   * Scans a message and asks the door. What goes up is left in `text`: the arguments of a call, else the whole message.
   * @returns the verdict, or the refusal of the scan
   */
  private examine(call: Pending, message: Buffer, head: DoorHead): number {
    const fields = this.fields;
    const kind = codec.scan(message, this.config.maxDepth, fields);
    if (kind < 0) return kind;
    // One character per byte, so that ranges hold; for ASCII it is the text as well.
    const bytes = message.toString('latin1');
    const ascii = ((fields[Field.flags] as number) & Flag.ascii) !== 0;
    if (kind === Kind.request) this.remember(call, message, bytes, ascii);
    const verdict = this.door.decide(kind, message, bytes, fields, head);
    if (verdict === Verdict.call) {
      call.entry = this.door.entry as JsEntry;
      const start = fields[Field.arguments] as number;
      const end = fields[Field.arguments + 1] as number;
      this.text = start < 0 ? '' : ascii ? bytes.slice(start, end) : message.toString('utf8', start, end);
    } else if (verdict === Verdict.up) {
      const plain = ascii && (kind === Kind.request || kind === Kind.notification);
      this.text = plain ? bytes : message.toString('utf8');
    }
    return verdict;
  }

  /** What a reply and the side above may ask for later; `fields` is gone by then. */
  private remember(call: Pending, message: Buffer, bytes: string, ascii: boolean): void {
    const fields = this.fields;
    const start = fields[Field.id] as number;
    const end = fields[Field.id + 1] as number;
    call.id = ascii ? bytes.slice(start, end) : message.toString('utf8', start, end);
    call.metaStart = fields[Field.meta] as number;
    call.metaEnd = fields[Field.meta + 1] as number;
    if (call.metaStart >= 0) call.message = message;
  }

  // ---------------------------------------------------------------------------------------------- answers, refusals

  private answer(call: Call, entry: JsEntry): void {
    const close = this.finish(call);
    this.count(Stat.answered);
    if ((this.door.flags & 1) !== 0) {
      sendAnswer(call, entry.legacyText as string, entry.legacy as Buffer, entry.legacyAscii, close);
    } else sendAnswer(call, entry.modernText as string, entry.modern as Buffer, entry.modernAscii, close);
    this.record(call, entry, 0);
    if (this.connections.closing) this.connections.settle(call.conn);
  }

  private answerOn(call: LaneCall, entry: JsEntry): void {
    this.count(Stat.answered);
    const legacy = (this.door.flags & 1) !== 0;
    const bytes = (legacy ? entry.legacy : entry.modern) as Buffer;
    const text = (legacy ? entry.legacyText : entry.modernText) as string;
    const joined = (legacy ? entry.legacyAscii : entry.modernAscii) && bytes.length <= JOIN_UP_TO;
    call.lane.answer(`{"jsonrpc":"2.0","id":${call.id},"result":`, text, bytes, joined);
    this.record(call, entry, 0);
  }

  private refuse(call: Call, refusal: Refusal, expects: boolean): void {
    this.count(refusal.status === 503 ? Stat.overloaded : Stat.refused);
    const head = call.head;
    const endless = head.chunked || head.contentLength > this.config.maxBodyBytes;
    const coming = head.hasBody && !call.ended;
    const closing = this.finish(call);
    const close = closing || refusal === bodyLate || (coming && (endless || expects));
    const text = errorText(call.id, errorObject(refusal.code, refusal.message));
    // A client that sends on while we close gets a reset and may never see why: read on for a moment. Those that wait
    // for 100 Continue, or send nothing at all, do not need that.
    if (coming && close && !expects && refusal !== bodyLate) {
      sendOpen(call, refusal.status, text);
      this.connections.linger(call);
      if (call.request.listenerCount('end') === 0) call.request.on('end', this.onEnd);
      call.request.resume();
      return;
    }
    send(call, refusal.status, true, refusal === overloaded ? 'retry-after: 1\r\n' : '', text, close);
    if (coming && !close && !call.waiting) this.drain(call);
    if (this.connections.closing) this.connections.settle(call.conn);
  }

  private late(call: Call): void {
    if (call.reading) this.refuse(call, bodyLate, false);
    else call.conn.socket.destroy();
  }

  // --------------------------------------------------------------------------------------------- up and down again

  /** To the receiver: as a call when it has an entry, else as a message. */
  private handOver(call: Call | LaneCall): void {
    if (!this.calls.open(call)) {
      // On a lane this was asked before anything was done.
      if (call instanceof Call) this.refuse(call, overloaded, false);
      return;
    }
    const { entry } = call;
    const { text } = this;
    this.count(entry === null ? Stat.messages : Stat.calls);
    try {
      if (entry !== null) this.receiver.call(this, call.slot, entry.handler, this.door.flags, text);
      else this.receiver.message(this, call.slot, call instanceof Call ? (call.request.method ?? '') : 'POST', text);
    } catch {
      this.panic(call.slot);
    }
  }

  reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    const call = this.calls.find(slot);
    if (call === null) {
      this.count(Stat.staleReplies);
      return;
    }
    this.calls.release(call);
    if (call.entry !== null) this.record(call, call.entry, failed);
    const whole = shaped(shape, call.id, text);
    const known = status >= 200 && status <= 599 ? status : 500;
    if (call instanceof LaneCall) {
      if (call.streaming) call.lane.endStream(whole === '' ? '' : eventText(codec, '', whole));
      else call.lane.send(known, shape !== Shape.raw, headers, whole);
      return;
    }
    const close = this.finish(call);
    if (call.streaming) {
      if (whole === '') call.response.end();
      else call.response.end(eventText(codec, '', whole));
    } else {
      send(call, known, shape !== Shape.raw, headers, whole, close);
    }
    if (this.connections.closing) this.connections.settle(call.conn);
  }

  event(slot: number, id: string, text: string): void {
    const call = this.calls.find(slot);
    if (call === null) return;
    if (call instanceof LaneCall) {
      if (!call.lane.socket.destroyed) call.lane.event(call, eventText(codec, id, text));
      return;
    }
    if (call.conn.socket.destroyed) return;
    if (!call.streaming) {
      call.streaming = true;
      openStream(call, this.connections.closing && call.conn.newest === call);
    }
    call.response.write(eventText(codec, id, text));
    // Its abort follows from the end of the connection, not from here: the caller is in the middle of sending.
    if (call.response.writableLength > this.config.maxStreamBytes) call.conn.socket.destroy();
  }

  /** The client left: whatever it was waiting for is nobody's any more. */
  private left(calls: readonly Pending[]): void {
    for (const call of calls as readonly (Call | LaneCall)[]) {
      if (call instanceof Call) {
        this.clock.remove(call);
        call.reading = false;
        call.done = true;
      }
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

  /** Takes the request off its connection; returns whether its response must announce the connection's end. */
  private finish(call: Call): boolean {
    call.reading = false;
    call.done = true;
    const { conn } = call;
    const { calls } = conn;
    if (calls.length === 1) calls.pop();
    else calls.splice(calls.indexOf(call), 1);
    // Only the last response may say so: node cuts off whatever was pipelined behind it.
    return this.connections.closing && conn.newest === call;
  }

  private record(call: Pending, entry: JsEntry, failed: 0 | 1): void {
    recordCall(entry.stats, failed, (performance.now() - call.started) * 1e6);
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
    const call = this.calls.find(slot);
    if (call === null) return '';
    return headLines(call instanceof LaneCall ? call.raw : call.request.rawHeaders);
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
    const [read, written] = this.connections.bytes();
    this.counts[Stat.accepted] = this.connections.accepted;
    this.counts[Stat.connections] = this.connections.count;
    this.counts[Stat.bytesIn] = read;
    this.counts[Stat.bytesOut] = written;
    this.counts[Stat.inFlight] = this.calls.inFlight;
    out.set(this.counts.subarray(0, Math.min(out.length, this.counts.length)));
  }

  private count(stat: number): void {
    this.counts[stat] = (this.counts[stat] as number) + 1;
  }

  async close(grace: number): Promise<void> {
    await this.connections.close(grace);
    this.clock.stop();
  }

  ref(): void {
    this.connections.hold(true);
  }

  unref(): void {
    this.connections.hold(false);
  }
}
