/**
 * One request between its head and its reply, the connection it came on, and the clock for bodies that do not come.
 *
 * State, and the ways in which an answer can go out; what happens to a request is decided in requests.ts and listen.ts.
 */
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { JsEntry } from '../registry/index.js';
import type { Head } from './head.js';
import type { Call } from './http1.js';
import type { Lane } from './lane.js';
import type { TokenMemo } from './tokens.js';

/** A connection and the requests on it that have no reply yet: more than one only when a client pipelines, or in HTTP/2. */
export interface Conn {
  readonly socket: Socket;
  readonly memo: TokenMemo;
  readonly calls: BodyCall[];
  /** The HTTP/1.1 request whose response is the last one so far. */
  newest: Call | null;
  /** The short way, until the connection leaves it. */
  lane: Lane | null;
  session: ServerHttp2Session | null;
  /** The refused request whose body is being read away: nothing may be written after its response. */
  lingering: Call | null;
  timer: NodeJS.Timeout | null;
  /** What was written when somebody last looked, and when that last changed. */
  sent: number;
  queued: number;
  moved: number;
}

/** What a request that waits for its reply has, however it came. */
export abstract class Pending {
  /** Slot handle, -1 while it has none. */
  slot = -1;
  /** Among the calls in flight; {@link Calls} keeps it. */
  counted = true;
  /** The head of its answer was sent, and a body in pieces follows. */
  streaming = false;
  /** The pieces are the caller's own and not events. */
  opened = false;
  /** Its writer was asked to wait. */
  thirsty = false;
  /** Called when a piece is out, made when it is first needed. */
  onSent: (() => void) | null = null;
  /** Raw token of the request's id, empty when there is none. */
  id = '';
  /** The message, while somebody may ask for its metadata. */
  message: Buffer | null = null;
  metaStart = -1;
  metaEnd = -1;
  entry: JsEntry | null = null;
  /** With whose token it came; 0: none that was admitted. */
  principal = 0;
  /** For one of the paths besides the endpoint. */
  other = false;
  /** Header lines that its answer gets, whatever it is. */
  extra = '';
  /** Its client takes gzip. */
  gzip = false;

  constructor(
    readonly conn: Conn,
    /** Milliseconds, `performance.now()`. */
    readonly started: number,
  ) {}

  abstract readonly method: string;
  /** Nobody is there to read an answer. */
  abstract readonly gone: boolean;
  /** Bytes given to {@link piece} that have not left, as far as it is known. */
  abstract readonly unsent: number;
  /** `name: value\r\n` lines of the request head. */
  abstract lines(): string;
  /** A whole answer. */
  abstract send(status: number, json: boolean, lines: string, body: string | Buffer): void;
  /** `200` with ready bytes whose start alone is new; `joined`: both are ASCII and short. */
  abstract answer(start: string, text: string, bytes: Buffer, joined: boolean): void;
  /** The head of an answer in pieces. */
  abstract begin(status: number, lines: string): void;
  abstract piece(text: string, sent: (() => void) | null): void;
  /** The end of an answer in pieces, after a last one if there is any. */
  abstract last(text: string): void;
  /** Ends an answer in pieces in its middle: its client sees that it is not whole. */
  abstract breakOff(): void;
  /** Cuts the client off. */
  abstract cut(): void;
}

/** A request whose body is collected here. */
export abstract class BodyCall extends Pending {
  /** Its body is being collected. */
  reading = false;
  /** Its body has come completely. */
  ended = false;
  /** Its response was sent, or nobody is there to read one. */
  done = false;
  /** Body bytes so far: one chunk, or all of them. */
  chunk: Buffer | null = null;
  chunks: Buffer[] | null = null;
  held = 0;
  /** On the clock: neighbours in order of arrival. */
  waiting = false;
  earlier: BodyCall | null = null;
  later: BodyCall | null = null;

  constructor(
    conn: Conn,
    readonly head: Head,
    started: number,
  ) {
    super(conn, started);
  }

  /** The whole body. */
  take(): Buffer {
    const { chunk, chunks } = this;
    this.chunk = null;
    this.chunks = null;
    if (chunks !== null) return Buffer.concat(chunks, this.held);
    return chunk ?? EMPTY;
  }

  add(chunk: Buffer): void {
    this.held += chunk.length;
    if (this.chunk === null) this.chunk = chunk;
    else if (this.chunks === null) this.chunks = [this.chunk, chunk];
    else this.chunks.push(chunk);
  }

  /** A refusal. `expects`: the client waits for `100 Continue`; `late`: its body did not come. */
  abstract refuse(status: number, lines: string, text: string, expects: boolean, late: boolean): void;
  /** Takes a body that nobody wants. */
  abstract drain(): void;
}

const EMPTY = Buffer.alloc(0);

/**
 * Bodies that are still to come. All have the same time, so the order of arrival is the order of expiry: a linked list
 * and one timer, where a timer per request would cost more than scanning its message.
 */
export class BodyClock {
  private first: BodyCall | null = null;
  private last: BodyCall | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly limit: number,
    private readonly late: (call: BodyCall) => void,
  ) {}

  add(call: BodyCall): void {
    call.waiting = true;
    call.earlier = this.last;
    if (this.last === null) this.first = call;
    else this.last.later = call;
    this.last = call;
    // The timer is not stopped when the list empties: a timer that runs in vain is cheaper than two changes a request.
    if (this.timer === null) this.arm(this.limit);
  }

  remove(call: BodyCall): void {
    if (!call.waiting) return;
    call.waiting = false;
    if (call.earlier === null) this.first = call.later;
    else call.earlier.later = call.later;
    if (call.later === null) this.last = call.earlier;
    else call.later.earlier = call.earlier;
    call.earlier = null;
    call.later = null;
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private arm(after: number): void {
    this.timer = setTimeout(() => this.ring(), after);
    this.timer.unref(); // the sockets that it watches hold the process, if anything does
  }

  private ring(): void {
    this.timer = null;
    const now = performance.now();
    for (let call = this.first; call !== null; call = this.first) {
      const left = call.started + this.limit - now;
      if (left > 0) {
        this.arm(Math.ceil(left));
        return;
      }
      this.remove(call);
      this.late(call);
    }
  }
}
