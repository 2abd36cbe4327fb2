/**
 * Requests on their way in, of whatever protocol: `accept` (guard), `ended` (scan, door), then an answer, a refusal, or
 * over to the listener. Which error a doubtful message deserves is decided above; see door.ts.
 */
import type { ServerResponse } from 'node:http';
import { type ServeConfig, ListenerStat as Stat } from '../../engine.js';
import { refusalError } from '../codec/errors.js';
import { type JsEntry, type JsRegistry, recordCall } from '../registry/index.js';
import { BodyCall, BodyClock, type Conn, type Pending } from './call.js';
import { Codings, gzippedAnswer } from './compress.js';
import { type ConnectionEvents, Connections } from './connection.js';
import { Cors } from './cors.js';
import { Verdict } from './door.js';
import { bodyLate, Guard, overloaded, type Refusal } from './guard.js';
import { Head, MAX_HEADERS } from './head.js';
import { Call, type CallRequest, type Http1Port } from './http1.js';
import type { StreamCall } from './http2.js';
import { Intake } from './intake.js';
import { type Lane, LaneCall } from './lane.js';
import type { LaneHead } from './lanehead.js';
import { errorObject, errorText, JOIN_UP_TO } from './reply.js';
import type { Sessions } from './sessions.js';
import type { Tokens } from './tokens.js';

/** What is left to do for a request that no answer of the engine's own was found for. */
export interface RequestEvents {
  /** As many calls are in flight as may be. */
  full(): boolean;
  /** To the receiver, with what the intake found; false when there is no place for it. */
  handOver(call: Pending): boolean;
  /** The connection is gone with these requests unanswered. */
  left(calls: readonly Pending[]): void;
}

export class Requests implements ConnectionEvents {
  readonly connections: Connections;
  readonly intake: Intake;
  private readonly guard: Guard;
  private readonly cors: Cors;
  private readonly codings = new Codings();
  private readonly bodies: BodyClock;
  private readonly http1: Http1Port;
  private readonly onData: (this: CallRequest, chunk: Buffer) => void;

  constructor(
    private readonly config: ServeConfig,
    registry: JsRegistry,
    sessions: Sessions,
    tokens: Tokens,
    private readonly counts: Float64Array,
    private readonly events: RequestEvents,
  ) {
    this.guard = new Guard(config);
    this.cors = new Cors(config.corsOrigins);
    this.intake = new Intake(config, registry, sessions, tokens);
    this.bodies = new BodyClock(config.bodyTimeout, (call) => this.late(call));
    this.connections = new Connections(config, this);
    const self = this;
    this.onData = function (chunk) {
      if (this.call !== null) self.data(this.call, chunk);
    };
    const { connections } = this;
    this.http1 = {
      get closing() {
        return connections.closing;
      },
      maxBodyBytes: config.maxBodyBytes,
      onEnd: function () {
        if (this.call !== null) self.ended(this.call);
      },
      clock: (call) => this.bodies.add(call),
      linger: (call) => connections.linger(call),
      settle: (conn) => {
        if (connections.closing) connections.settle(conn);
      },
    };
  }

  stop(): void {
    this.bodies.stop();
  }

  left(calls: readonly Pending[]): void {
    for (const call of calls) {
      if (!(call instanceof BodyCall)) continue;
      this.bodies.remove(call);
      call.reading = false;
      call.done = true;
    }
    this.events.left(calls);
  }

  dropped(): void {
    this.count(Stat.overloaded);
  }

  broken(): void {
    this.count(Stat.refused);
  }

  // ------------------------------------------------------------------------------------------------ from the wire

  request(request: CallRequest, response: ServerResponse, expects: boolean): void {
    const conn = this.connections.of(request.socket);
    if (conn === undefined || conn.lingering !== null) return; // after a closing refusal nothing is served any more
    const raw = request.rawHeaders;
    const call = new Call(request, response, conn, new Head(raw), performance.now(), this.http1);
    request.call = call;
    conn.newest = call;
    this.accept(call, raw, request.httpVersionMinor !== 0, request.url ?? '', expects, () => {
      if (expects) response.writeContinue();
      request.on('data', this.onData);
      request.on('end', this.http1.onEnd);
    });
  }

  stream(conn: Conn, call: StreamCall, raw: readonly string[]): void {
    call.stream.on('close', () => {
      const at = conn.calls.indexOf(call);
      if (at >= 0) conn.calls.splice(at, 1);
      conn.moved = performance.now();
      this.left([call]);
    });
    call.stream.on('end', () => this.ended(call));
    this.accept(call, raw, true, call.target, false, () => {
      call.stream.on('data', (chunk: Buffer) => this.data(call, chunk));
    });
  }

  /** A request on a lane, where only the regular is served: false leaves it, untouched, to node:http. */
  regular(lane: Lane, { raw, head }: LaneHead, message: Buffer): boolean {
    if (this.guard.head(head, true, this.config.path) !== null || this.guard.body(head) !== null) return false;
    const call = new LaneCall(lane, raw, performance.now());
    const verdict = this.intake.examine(call, message, head, lane.conn.memo, false);
    if (verdict < 0 || (verdict !== Verdict.answer && this.events.full())) return false;
    this.dress(call, head);
    this.count(Stat.requests);
    lane.call = call;
    if (verdict === Verdict.answer) this.answer(call);
    else this.events.handOver(call);
    return true;
  }

  /** Head lines and a body to come. `read` begins to read it. */
  private accept(
    call: BodyCall,
    raw: readonly string[],
    http11: boolean,
    url: string,
    expects: boolean,
    read: () => void,
  ): void {
    const { head, conn } = call;
    this.count(Stat.requests);
    conn.calls.push(call);
    this.dress(call, head);
    if (raw.length > 2 * MAX_HEADERS) {
      this.count(Stat.refused);
      call.refuse(431, '', '', true, true);
      return;
    }
    const refusal = this.guard.head(head, http11, url);
    if (refusal !== null) {
      this.refuse(call, refusal, expects);
      return;
    }
    call.other = this.guard.other;
    if (call.other ? !head.hasBody : call.method !== 'POST') {
      if (head.hasBody) {
        call.drain();
        if (!call.waiting) this.bodies.add(call);
      }
      this.intake.bare(call, head, conn.memo);
      this.handOver(call);
      return;
    }
    const unwanted = call.other ? this.guard.length(head) : this.guard.body(head);
    if (unwanted !== null) {
      this.refuse(call, unwanted, expects);
      return;
    }
    call.reading = true;
    read();
    this.bodies.add(call);
  }

  /** What every answer to it gets, whatever it is. */
  private dress(call: Pending, head: Head): void {
    if (this.config.corsOrigins !== null) call.extra = this.cors.lines(head.origin);
    if (this.config.compressionThreshold > 0) call.gzip = this.codings.gzip(head.acceptEncoding);
  }

  private data(call: BodyCall, chunk: Buffer): void {
    if (!call.reading) return;
    call.add(chunk);
    if (call.held > this.config.maxBodyBytes) this.refuse(call, this.guard.tooLarge, false);
  }

  private ended(call: BodyCall): void {
    call.ended = true;
    this.bodies.remove(call);
    if (call.conn.lingering === call) this.connections.lingered(call);
    if (!call.reading) return;
    call.reading = false;
    const { head, conn } = call;
    const verdict = this.intake.examine(call, call.take(), head, conn.memo, call.other);
    if (verdict < 0) this.refuse(call, refusalError(verdict), false);
    else if (verdict === Verdict.answer) this.answer(call);
    else this.handOver(call);
  }

  private late(call: BodyCall): void {
    if (call.reading) this.refuse(call, bodyLate, false);
    else call.cut();
  }

  // --------------------------------------------------------------------------------------------------- and answered

  private handOver(call: BodyCall): void {
    if (!this.events.handOver(call)) this.refuse(call, overloaded, false);
  }

  /** With what stands ready in the registry. */
  private answer(call: Pending): void {
    const { door } = this.intake;
    const entry = door.entry as JsEntry;
    const legacy = (door.flags & 1) !== 0;
    const bytes = (legacy ? entry.legacy : entry.modern) as Buffer;
    const start = `{"jsonrpc":"2.0","id":${call.id},"result":`;
    this.count(Stat.answered);
    const { compressionThreshold: threshold } = this.config;
    const large = threshold > 0 && start.length + bytes.length >= threshold;
    if (large) call.extra += 'vary: Accept-Encoding\r\n';
    const zipped = large && call.gzip ? gzippedAnswer(start, bytes) : null;
    if (zipped !== null) call.send(200, true, 'content-encoding: gzip\r\n', zipped);
    else {
      const text = (legacy ? entry.legacyText : entry.modernText) as string;
      call.answer(start, text, bytes, (legacy ? entry.legacyAscii : entry.modernAscii) && bytes.length <= JOIN_UP_TO);
    }
    recordCall(entry.stats, 0, (performance.now() - call.started) * 1e6);
  }

  private refuse(call: BodyCall, refusal: Refusal, expects: boolean): void {
    this.count(refusal.status === 503 ? Stat.overloaded : Stat.refused);
    const text = errorText(call.id, errorObject(refusal.code, refusal.message));
    const lines = refusal === overloaded ? 'retry-after: 1\r\n' : '';
    call.refuse(refusal.status, lines, text, expects, refusal === bodyLate);
  }

  private count(stat: number): void {
    this.counts[stat] = (this.counts[stat] as number) + 1;
  }
}
