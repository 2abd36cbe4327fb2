/**
 * The short way of a connection: requests that come whole, in one piece and in the plainest form are served straight from
 * the socket; the first that does not hands the connection, with all its bytes, to node:http for good.
 *
 * Why: of the time that node:http spends on a request, most goes into streams and objects that a small message with a
 * known length does not need. What is refused, odd, pipelined or large is node:http's, so errors are answered in one place.
 */
import { timingSafeEqual } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ServeConfig } from '../../engine.js';
import { type Conn, Pending } from './call.js';
import { headLines, headPairs } from './head.js';
import { type LaneHead, readHead } from './lanehead.js';
import { bodiless } from './reply.js';

/** A request on a lane. */
export class LaneCall extends Pending {
  readonly method = 'POST';

  constructor(
    readonly lane: Lane,
    /** Header lines as node:http's `rawHeaders`. */
    private readonly raw: readonly string[],
    started: number,
  ) {
    super(lane.conn, started);
  }

  get gone(): boolean {
    return this.lane.socket.destroyed;
  }

  get unsent(): number {
    return this.lane.socket.writableLength;
  }

  lines(): string {
    return headLines(this.raw);
  }

  send(status: number, json: boolean, lines: string, body: string | Buffer): void {
    this.lane.send(status, json, lines, this.extra, body);
  }

  answer(start: string, text: string, bytes: Buffer, joined: boolean): void {
    this.lane.answer(start, text, bytes, joined, this.extra);
  }

  begin(status: number, lines: string): void {
    this.lane.begin(status, lines, this.extra);
  }

  piece(text: string, sent: (() => void) | null): void {
    this.lane.piece(text, sent);
  }

  last(text: string): void {
    this.lane.last(text);
  }

  breakOff(): void {
    this.lane.socket.destroySoon();
  }

  cut(): void {
    this.lane.socket.destroy();
  }
}

export interface LaneEvents {
  /** A whole request. False: it is not regular, and nothing was done with it. */
  regular(lane: Lane, head: LaneHead, message: Buffer): boolean;
  /** Not for a lane, from these bytes on, which begin HTTP/2 or are for node:http. */
  leave(conn: Conn, bytes: Buffer, http2: boolean): void;
  /** Whether the next response must announce the connection's end. */
  closing(): boolean;
}

/** While a call runs, this much of what comes behind it is kept; then the socket is not read any further. */
const BEHIND = 64 * 1024;
const CRLF2 = Buffer.from('\r\n\r\n');

export class Lane {
  /** The request that has no reply yet. */
  call: LaneCall | null = null;
  /** When the last reply was sent, or the connection accepted: milliseconds, `performance.now()`. */
  since = performance.now();
  served = false;
  private behind: Buffer | null = null;
  /** The beginning of what may be the preface of HTTP/2. */
  private partial: Buffer | null = null;
  // Clients repeat themselves: the same head again is not read again.
  private lastText = '';
  private lastHead: LaneHead | null = null;
  /** The last head, when it holds a secret: comparing must not tell how much of it was right. */
  private lastBytes: Buffer | null = null;
  readonly socket: Socket;

  constructor(
    readonly conn: Conn,
    private readonly config: ServeConfig,
    private readonly first: string,
    private readonly events: LaneEvents,
  ) {
    const { socket } = conn;
    this.socket = socket;
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('error', ignore); // 'close' follows
  }

  /** A request runs, or waits behind one that was answered just now. */
  get busy(): boolean {
    return this.call !== null || this.behind !== null;
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.call !== null || this.behind !== null) {
      this.behind = this.behind === null ? chunk : Buffer.concat([this.behind, chunk]);
      if (this.behind.length > BEHIND) this.socket.pause();
    } else if (this.partial !== null || !this.take(chunk)) this.odd(chunk);
  };

  /** A client that sends no more is gone, as on the native engine. */
  private readonly onEnd = (): void => {
    this.socket.destroy();
  };

  private take(chunk: Buffer): boolean {
    const end = chunk.indexOf(CRLF2);
    if (end < 0 || end > this.config.maxHeaderBytes) return false;
    const head = this.read(chunk, end);
    if (head === null) return false;
    const length = chunk.length - end - CRLF2.length;
    if (length === 0 || length !== head.head.contentLength) return false;
    return this.events.regular(this, head, chunk.subarray(end + CRLF2.length));
  }

  private read(chunk: Buffer, end: number): LaneHead | null {
    const { lastBytes } = this;
    if (lastBytes !== null) {
      const bytes = chunk.subarray(0, end);
      if (end === lastBytes.length && timingSafeEqual(bytes, lastBytes)) return this.lastHead;
    }
    const text = chunk.toString('latin1', 0, end);
    if (lastBytes === null && text === this.lastText) return this.lastHead;
    const head = readHead(text, this.first);
    const secret = head !== null && head.head.authorization !== null;
    this.lastText = text;
    this.lastHead = head;
    this.lastBytes = secret ? Buffer.from(text, 'latin1') : null;
    return head;
  }

  /** Not for a lane, unless it is too little to tell which protocol it is. */
  private odd(chunk: Buffer): void {
    const bytes = this.partial === null ? chunk : Buffer.concat([this.partial, chunk]);
    this.partial = null;
    const undecided = this.config.http2 && !this.served && bytes.length < PREFACE.length;
    if (undecided && PREFACE.subarray(0, bytes.length).equals(bytes)) this.partial = bytes;
    else this.leave(bytes);
  }

  private leave(bytes: Buffer): void {
    const { socket } = this;
    socket.off('data', this.onData);
    socket.off('end', this.onEnd);
    socket.off('error', ignore);
    const http2 = this.config.http2 && !this.served && bytes.subarray(0, PREFACE.length).equals(PREFACE);
    this.events.leave(this.conn, bytes, http2);
  }

  /** Sends a whole response. `lines`: extra header lines, each `name: value\r\n`; `extra`: more of them, known to be good. */
  send(status: number, json: boolean, lines: string, extra: string, body: string | Buffer): void {
    const none = bodiless(status);
    const length = none ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    let head = statusLine(status);
    if (json) head += JSON_TYPE;
    if (!none) head += `content-length: ${length}\r\n`;
    if (lines !== '') head += pairs(lines);
    this.write(this.ended(head + extra), none ? '' : body, length);
  }

  /** `200` with ready bytes from the registry around which only the start is new. */
  answer(start: string, text: string, bytes: Buffer, joined: boolean, extra: string): void {
    const startBytes = Buffer.byteLength(start);
    const head = this.ended(`${OK}${JSON_TYPE}content-length: ${startBytes + bytes.length}\r\n${extra}`);
    if (joined && startBytes === start.length) this.socket.write(head + start + text, 'latin1');
    else {
      this.socket.cork();
      this.socket.write(head, 'latin1');
      this.socket.write(start, 'utf8');
      this.socket.write(bytes);
      this.socket.uncork();
    }
    this.finished();
  }

  /** The head of a response in pieces. */
  begin(status: number, lines: string, extra: string): void {
    this.socket.write(
      this.ended(`${statusLine(status)}${pairs(lines)}${extra}transfer-encoding: chunked\r\n`),
      'latin1',
    );
  }

  piece(text: string, sent: (() => void) | null): void {
    if (sent === null) this.socket.write(chunked(text), 'utf8');
    else this.socket.write(chunked(text), 'utf8', sent);
  }

  /** The end of a response in pieces, after a last one if there is any. */
  last(text: string): void {
    this.socket.write(`${text === '' ? '' : chunked(text)}0\r\n\r\n`, 'utf8');
    this.finished();
  }

  private write(head: string, body: string | Buffer, length: number): void {
    const { socket } = this;
    if (typeof body === 'string' && length === body.length) socket.write(head + body, 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body, 'utf8');
      socket.uncork();
    }
    this.finished();
  }

  private ended(head: string): string {
    return `${head}${this.events.closing() ? 'connection: close\r\n' : ''}Date: ${date()}\r\n\r\n`;
  }

  /** The reply is out: the next request may already be here. */
  private finished(): void {
    const { socket } = this;
    this.call = null;
    this.served = true;
    this.since = performance.now();
    if (this.events.closing()) {
      socket.destroySoon();
      return;
    }
    if (this.behind === null) return;
    // Not from here: the caller is in the middle of replying, and a long queue would become a deep stack.
    setImmediate(() => {
      const { behind } = this;
      this.behind = null;
      if (behind === null || socket.destroyed) return;
      if (!this.take(behind)) this.odd(behind);
      if (socket.isPaused()) socket.resume();
    });
  }
}

const OK = 'HTTP/1.1 200 OK\r\n';
const JSON_TYPE = 'content-type: application/json\r\n';
/** How a client with prior knowledge of HTTP/2 begins (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function ignore(): void {}

function statusLine(status: number): string {
  return status === 200 ? OK : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
}

function chunked(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function pairs(lines: string): string {
  const list = headPairs(lines);
  let head = '';
  for (let i = 0; i < list.length; i += 2) head += `${list[i]}: ${list[i + 1]}\r\n`;
  return head;
}

let second = 0;
let dated = '';

/** The Date of this second (RFC 9110, 6.6.1). */
function date(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    dated = new Date(now * 1000).toUTCString();
  }
  return dated;
}
