/**
 * HTTP/2: sessions on sockets that others accepted, and a request on one of their streams. Frames are node's business.
 *
 * The head of a stream becomes the same lines that HTTP/1.1 has, so that guard and door need not know where they are.
 */
import {
  constants,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { ServeConfig } from '../../engine.js';
import { BodyCall, type Conn } from './call.js';
import { targetLine } from './guard.js';
import { Head, headLines, headPairs, MAX_HEADERS } from './head.js';
import { bodiless } from './reply.js';

/** Requests at a time on one connection; the native engine has the same number. */
const MAX_STREAMS = 200;
/** A long body goes out in pieces of this size, so that one can see whether it does. */
const PIECE = 64 * 1024;

/** Begins a session on a socket. `request` gets every stream with its header lines as node:http's `rawHeaders`. */
export function startSession(
  socket: Socket,
  config: ServeConfig,
  request: (stream: ServerHttp2Stream, raw: string[], method: string, target: string, ended: boolean) => void,
): ServerHttp2Session {
  const session = performServerHandshake(socket, {
    maxHeaderListPairs: MAX_HEADERS,
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize: config.maxHeaderBytes,
      enablePush: false,
    },
  });
  session.on('error', ignore); // 'close' of the socket follows
  session.on('stream', (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw: readonly string[]) => {
    stream.on('error', ignore); // 'close' follows
    const { lines, method, target } = readHead(raw);
    request(stream, lines, method, target, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
  });
  return session;
}

function ignore(): void {}

/** The regular header lines, and what the pseudo-headers say; `:authority` becomes Host (RFC 9113, 8.3.1). */
function readHead(raw: readonly string[]): { lines: string[]; method: string; target: string } {
  const lines: string[] = [];
  let method = '';
  let target = '';
  let authority: string | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name === ':method') method = value;
    else if (name === ':path') target = value;
    else if (name === ':authority') {
      authority = value;
      lines.push('host', value);
    } else if (name.startsWith(':') || (name === 'host' && value === authority)) continue;
    else lines.push(name, value);
  }
  return { lines, method, target };
}

export class StreamCall extends BodyCall {
  /** Bytes given to the stream. */
  private given = 0;

  constructor(
    readonly stream: ServerHttp2Stream,
    private readonly raw: readonly string[],
    readonly method: string,
    readonly target: string,
    conn: Conn,
    ended: boolean,
  ) {
    super(conn, streamHead(raw, ended), performance.now());
    this.ended = ended;
  }

  get gone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  get unsent(): number {
    return this.stream.writableLength;
  }

  /** Bytes that have left for good: while some are unsent, this must grow. */
  get sent(): number {
    return this.given - this.stream.writableLength;
  }

  lines(): string {
    return targetLine(this.target, this.other) + headLines(this.raw);
  }

  send(status: number, json: boolean, lines: string, body: string | Buffer): void {
    if (this.done || this.gone) return;
    const none = bodiless(status);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const head: OutgoingHttpHeaders = { ':status': status };
    if (json) head['content-type'] = 'application/json';
    if (!none) head['content-length'] = bytes.length;
    add(head, lines + this.extra);
    const bare = none || bytes.length === 0 || this.method === 'HEAD';
    this.stream.respond(head, { endStream: bare });
    if (!bare) this.write(bytes, null, true);
    this.finish();
  }

  answer(start: string, _text: string, bytes: Buffer, _joined: boolean): void {
    this.send(200, true, '', Buffer.concat([Buffer.from(start), bytes]));
  }

  begin(status: number, lines: string): void {
    if (this.gone) return;
    const head: OutgoingHttpHeaders = { ':status': status };
    add(head, lines + this.extra);
    this.stream.respond(head);
  }

  piece(text: string, sent: (() => void) | null): void {
    if (!this.gone) this.write(Buffer.from(text), sent, false);
  }

  last(text: string): void {
    if (this.done || this.gone) return;
    if (text === '') this.stream.end();
    else this.write(Buffer.from(text), null, true);
    this.finish();
  }

  breakOff(): void {
    if (this.done || this.gone) return;
    this.reading = false;
    this.done = true;
    // A reset overtakes what is queued: the frames of this turn leave at its end, and the reset after them.
    setImmediate(() => this.cut());
  }

  cut(): void {
    this.stream.destroy(new Error('cut off'));
  }

  refuse(status: number, lines: string, text: string, _expects: boolean, _late: boolean): void {
    this.send(status, text !== '', lines, text);
  }

  drain(): void {
    this.stream.resume();
  }

  /** What is still to come of the request's body is not wanted any more (RFC 9113, 8.1). */
  private finish(): void {
    this.reading = false;
    this.done = true;
    this.stream.resume();
    if (!this.ended) this.stream.close(constants.NGHTTP2_NO_ERROR);
  }

  private write(bytes: Buffer, sent: (() => void) | null, end: boolean): void {
    const { stream } = this;
    this.given += bytes.length;
    let at = 0;
    for (; bytes.length - at > PIECE; at += PIECE) stream.write(bytes.subarray(at, at + PIECE));
    const rest = bytes.subarray(at);
    if (end) stream.end(rest);
    else if (sent === null) stream.write(rest);
    else stream.write(rest, sent);
  }
}

function add(head: OutgoingHttpHeaders, lines: string): void {
  if (lines === '') return;
  const pairs = headPairs(lines);
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = (pairs[i] as string).toLowerCase();
    const value = pairs[i + 1] as string;
    // One line more of the same name continues the list (RFC 9110, 5.3); cookies are no list.
    const before = head[name];
    if (before === undefined || name === 'content-type') head[name] = value;
    else if (name === 'set-cookie') head[name] = [...(Array.isArray(before) ? before : [`${before}`]), value];
    else head[name] = `${before}, ${value}`;
  }
}

/** The head that guard and door are asked about. A body of unknown length is like a chunked one. */
function streamHead(raw: readonly string[], ended: boolean): Head {
  const head = new Head(raw);
  if (!ended && head.contentLength < 0) head.chunked = true;
  return head;
}
