/**
 * One HTTP request between its head and its reply, the connection it came on, and the clock for bodies that do not come.
 *
 * State only; what happens to it is decided in listen.ts.
 */
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { JsEntry } from '../registry/index.js';
import type { Head } from './head.js';
import type { Lane } from './lane.js';

/** A connection and the requests on it that have no reply yet: more than one only when a client pipelines. */
export interface Conn {
  readonly socket: Socket;
  readonly calls: Call[];
  /** The request whose response is the last one so far. */
  newest: Call | null;
  /** The short way, until the connection leaves it. */
  lane: Lane | null;
  /** The refused request whose body is being read away: nothing may be written after its response. */
  lingering: Call | null;
  timer: NodeJS.Timeout | null;
}

/** What a request that waits for its reply has, however it came. */
export class Pending {
  /** Slot handle, -1 while it has none. */
  slot = -1;
  /** An event was sent: the reply is the last one. */
  streaming = false;
  /** Raw token of the request's id, empty when there is none. */
  id = '';
  /** The message, while somebody may ask for its metadata. */
  message: Buffer | null = null;
  metaStart = -1;
  metaEnd = -1;
  entry: JsEntry | null = null;

  constructor(
    /** Milliseconds, `performance.now()`. */
    readonly started: number,
  ) {}
}

/** A request on node:http. */
export class Call extends Pending {
  readonly isHead: boolean;
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
  earlier: Call | null = null;
  later: Call | null = null;

  constructor(
    readonly request: CallRequest,
    readonly response: ServerResponse,
    readonly conn: Conn,
    readonly head: Head,
    started: number,
  ) {
    super(started);
    this.isHead = request.method === 'HEAD';
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
}

const EMPTY = Buffer.alloc(0);

/** node's request with a place for our state, so that two listeners serve all requests instead of two closures each. */
export class CallRequest extends IncomingMessage {
  call: Call | null = null;
}

/**
 * Bodies that are still to come. All have the same time, so the order of arrival is the order of expiry: a linked list
 * and one timer, where a timer per request would cost more than scanning its message.
 */
export class BodyClock {
  private first: Call | null = null;
  private last: Call | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly limit: number,
    private readonly late: (call: Call) => void,
  ) {}

  add(call: Call): void {
    call.waiting = true;
    call.earlier = this.last;
    if (this.last === null) this.first = call;
    else this.last.later = call;
    this.last = call;
    // The timer is not stopped when the list empties: a timer that runs in vain is cheaper than two changes a request.
    if (this.timer === null) this.arm(this.limit);
  }

  remove(call: Call): void {
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
