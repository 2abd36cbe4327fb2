/**
 * A request on node:http, and how its answer is written there. Head and body leave as one string in one write.
 *
 * Not the lane, which serves what is regular without node:http; see lane.ts.
 */
import { IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BodyCall, type Conn } from './call.js';
import { targetLine } from './guard.js';
import { type Head, headLines, headPairs } from './head.js';
import { bodiless } from './reply.js';

/** node's request with a place for our state, so that two listeners serve all requests instead of two closures each. */
export class CallRequest extends IncomingMessage {
  call: Call | null = null;
}

export type HttpServer = Server<typeof CallRequest, typeof ServerResponse>;

/** What a request needs of the listener that it came by. */
export interface Http1Port {
  /** No more requests are taken. */
  readonly closing: boolean;
  readonly maxBodyBytes: number;
  readonly onEnd: (this: CallRequest) => void;
  /** Gives an unwanted body its time. */
  clock(call: BodyCall): void;
  /** Ends the connection when the rest of the body is through, or soon. */
  linger(call: Call): void;
  /** While closing: the connection may have nothing left to do. */
  settle(conn: Conn): void;
}

export class Call extends BodyCall {
  readonly isHead: boolean;
  readonly method: string;

  constructor(
    readonly request: CallRequest,
    readonly response: ServerResponse,
    conn: Conn,
    head: Head,
    started: number,
    private readonly port: Http1Port,
  ) {
    super(conn, head, started);
    this.method = request.method ?? '';
    this.isHead = this.method === 'HEAD';
  }

  get gone(): boolean {
    return this.conn.socket.destroyed;
  }

  get unsent(): number {
    return this.response.writableLength;
  }

  lines(): string {
    return targetLine(this.request.url ?? '', this.other) + headLines(this.request.rawHeaders);
  }

  send(status: number, json: boolean, lines: string, body: string | Buffer): void {
    if (!this.done) this.whole(status, json, lines, body, this.finish());
  }

  answer(start: string, text: string, bytes: Buffer, joined: boolean): void {
    const { response } = this;
    const close = this.finish();
    const startBytes = Buffer.byteLength(start);
    const head = ['content-type', 'application/json', 'content-length', `${startBytes + bytes.length}`];
    if (this.extra !== '') head.push(...headPairs(this.extra));
    this.persist(head, close);
    response.writeHead(200, head);
    if (joined && startBytes === start.length) response.end(start + text, 'latin1');
    else {
      // Two pieces in one write: the corked socket gathers them.
      const { socket } = this.conn;
      socket.cork();
      response.write(start, 'utf8');
      response.end(bytes);
      socket.uncork();
    }
    this.port.settle(this.conn);
  }

  begin(status: number, lines: string): void {
    const head = headPairs(lines + this.extra);
    this.persist(head, this.port.closing && this.conn.newest === this);
    this.response.writeHead(status, head);
    this.response.flushHeaders();
  }

  piece(text: string, sent: (() => void) | null): void {
    const { response } = this;
    if (sent === null) response.write(text, 'utf8');
    else response.write(text, 'utf8', sent);
    // node corks until the turn is over: only what the kernel does not take is unsent.
    const { socket } = response;
    while (socket !== null && socket.writableCorked > 0) socket.uncork();
  }

  last(text: string): void {
    if (this.done) return;
    this.finish();
    if (text === '') this.response.end();
    else this.response.end(text, 'utf8');
    this.port.settle(this.conn);
  }

  breakOff(): void {
    if (this.done) return;
    this.finish();
    this.conn.socket.destroySoon();
  }

  cut(): void {
    this.conn.socket.destroy();
  }

  refuse(status: number, lines: string, text: string, expects: boolean, late: boolean): void {
    const { head, response, port } = this;
    const endless = head.chunked || head.contentLength > port.maxBodyBytes;
    const coming = head.hasBody && !this.ended;
    const close = this.finish() || late || (coming && (endless || expects));
    // A client that sends on while we close gets a reset and may never see why: read on for a moment. Those that wait
    // for 100 Continue, or send nothing at all, do not need that.
    if (coming && close && !expects && !late) {
      this.writeHead(status, true, lines, text, true);
      response.write(text);
      port.linger(this);
      this.readAway();
      return;
    }
    this.whole(status, text !== '', lines, text, close);
    if (coming && !close && !this.waiting) this.drain();
  }

  /** For the sake of the next request on the connection; the clock watches it. */
  drain(): void {
    this.readAway();
    this.port.clock(this);
  }

  private readAway(): void {
    if (this.request.listenerCount('end') === 0) this.request.on('end', this.port.onEnd);
    this.request.resume();
  }

  private whole(status: number, json: boolean, lines: string, body: string | Buffer, close: boolean): void {
    const { response } = this;
    const length = this.writeHead(status, json, lines, body, close);
    if (this.isHead || length === 0) response.end();
    // Equal lengths: all ASCII, and then latin1 gives the same bytes with a plain copy.
    else if (typeof body === 'string') response.end(body, length === body.length ? 'latin1' : 'utf8');
    else response.end(body);
    this.port.settle(this.conn);
  }

  /** Writes the head (node keeps it until the body) and returns the body's length in bytes. */
  private writeHead(status: number, json: boolean, lines: string, body: string | Buffer, close: boolean): number {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const head = json ? ['content-type', 'application/json'] : [];
    if (!bodiless(status)) head.push('content-length', `${length}`);
    if (lines !== '' || this.extra !== '') head.push(...headPairs(lines + this.extra));
    this.persist(head, close);
    this.response.writeHead(status, head);
    return length;
  }

  /**
   * Whether and how the connection goes on. `Connection: keep-alive` says nothing in HTTP/1.1, and `Keep-Alive` would be
   * 40 bytes per reply. HTTP/1.0 needs to be told, so node's own header stays there.
   */
  private persist(head: string[], close: boolean): void {
    if (close) head.push('connection', 'close');
    else if (this.request.httpVersionMinor !== 0) this.response.removeHeader('connection');
  }

  /** Takes the request off its connection; returns whether its response must announce the connection's end. */
  private finish(): boolean {
    this.reading = false;
    this.done = true;
    const { calls, newest } = this.conn;
    const at = calls.indexOf(this);
    if (at >= 0) calls.splice(at, 1);
    // Only the last response may say so: node cuts off whatever was pipelined behind it.
    return this.port.closing && newest === this;
  }
}
