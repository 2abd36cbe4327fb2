/**
 * The short way of a connection: requests that come whole, in one piece and in the plainest form are served straight from
 * the socket; the first that does not hands the connection, with all its bytes, to node:http for good.
 *
 * Why: of the time that node:http spends on a request, most goes into streams and objects that a small message with a
 * known length does not need. What is refused, odd, pipelined or large is node:http's, so errors are answered in one place.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ServeConfig } from '../../engine.js';
import { Pending } from './call.js';
import { headPairs } from './head.js';
import { type LaneHead, readHead } from './lanehead.js';

/** A request on a lane. */
export class LaneCall extends Pending {
  constructor(
    readonly lane: Lane,
    /** Header lines as node:http's `rawHeaders`. */
    readonly raw: readonly string[],
    started: number,
  ) {
    super(started);
  }
}

export interface LaneEvents {
  /** A whole request. False: it is not regular, and nothing was done with it. */
  regular(lane: Lane, head: LaneHead, message: Buffer): boolean;
  /** Not for a lane, from these bytes on. */
  leave(socket: Socket, bytes: Buffer): void;
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
  // Clients repeat themselves: the same head again is not read again.
  private lastText = '';
  private lastHead: LaneHead | null = null;

  constructor(
    readonly socket: Socket,
    private readonly config: ServeConfig,
    private readonly first: string,
    private readonly events: LaneEvents,
  ) {
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('error', ignore); // 'close' follows
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.call !== null || this.behind !== null) {
      this.behind = this.behind === null ? chunk : Buffer.concat([this.behind, chunk]);
      if (this.behind.length > BEHIND) this.socket.pause();
    } else if (!this.take(chunk)) this.leave(chunk);
  };

  /** A client that sends no more is gone, as on the native engine. */
  private readonly onEnd = (): void => {
    this.socket.destroy();
  };

  private take(chunk: Buffer): boolean {
    const end = chunk.indexOf(CRLF2);
    if (end < 0 || end > this.config.maxHeaderBytes) return false;
    const text = chunk.toString('latin1', 0, end);
    if (text !== this.lastText) {
      this.lastText = text;
      this.lastHead = readHead(text, this.first);
    }
    const head = this.lastHead;
    if (head === null) return false;
    const length = chunk.length - end - CRLF2.length;
    if (length === 0 || length !== head.head.contentLength) return false;
    return this.events.regular(this, head, chunk.subarray(end + CRLF2.length));
  }

  private leave(bytes: Buffer): void {
    const { socket } = this;
    socket.off('data', this.onData);
    socket.off('end', this.onEnd);
    socket.off('error', ignore);
    this.events.leave(socket, bytes);
  }

  /** Sends a whole response. `lines`: extra header lines, each `name: value\r\n`. */
  send(status: number, json: boolean, lines: string, text: string): void {
    const bodiless = status === 204 || status === 304;
    const length = bodiless ? 0 : Buffer.byteLength(text);
    let head = status === 200 ? OK : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
    if (json) head += JSON_TYPE;
    if (!bodiless) head += `content-length: ${length}\r\n`;
    if (lines !== '') head += pairs(lines);
    this.write(this.ended(head), bodiless ? '' : text, length);
  }

  /** `200` with ready bytes from the registry around which only the start is new. */
  answer(start: string, text: string, bytes: Buffer, joined: boolean): void {
    const startBytes = Buffer.byteLength(start);
    const head = this.ended(`${OK}${JSON_TYPE}content-length: ${startBytes + bytes.length}\r\n`);
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

  /** One event of a stream, which the first one opens. A client that reads too slowly is cut off. */
  event(call: LaneCall, text: string): void {
    const { socket } = this;
    socket.cork();
    if (!call.streaming) {
      call.streaming = true;
      socket.write(this.ended(STREAM), 'latin1');
    }
    socket.write(chunked(text), 'utf8');
    socket.uncork();
    if (socket.writableLength > this.config.maxStreamBytes) socket.destroy();
  }

  /** The end of a stream, after a last event if there is one. */
  endStream(text: string): void {
    this.socket.write(`${text === '' ? '' : chunked(text)}0\r\n\r\n`, 'utf8');
    this.finished();
  }

  private write(head: string, text: string, length: number): void {
    const { socket } = this;
    if (length === text.length) socket.write(head + text, 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(text, 'utf8');
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
      if (!this.take(behind)) this.leave(behind);
      if (socket.isPaused()) socket.resume();
    });
  }
}

const OK = 'HTTP/1.1 200 OK\r\n';
const JSON_TYPE = 'content-type: application/json\r\n';
const STREAM = `${OK}content-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n`;

function ignore(): void {}

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
