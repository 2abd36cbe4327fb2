/**
 * The node:http server with its limits, and the connections that it has, whatever they speak. Knows sockets and no MCP.
 *
 * Header time, header size and broken HTTP are node's to notice and ours to answer, briefly; everything about a request
 * whose head was read is in requests.ts.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ServeConfig } from '../../engine.js';
import type { Conn, Pending } from './call.js';
import type { Call, CallRequest, HttpServer } from './http1.js';
import { StreamCall, startSession } from './http2.js';
import { Lane, type LaneEvents } from './lane.js';
import type { LaneHead } from './lanehead.js';
import { Sweeper } from './sweep.js';
import { makeServer, renew } from './tls.js';
import { TokenMemo } from './tokens.js';

/** How long the rest of a refused body is read away, so that the client sees the refusal instead of a reset. */
const LINGER = 500;

/**
 * Turns of the event loop for what had reached the system before the end: node accepts one connection in each, and reads
 * what it brought in the next. Without them its client would be reset, and not know whether it was served.
 */
const QUIET_TURNS = 3;
/** And no more than this: others may connect for ever. As many connections wait at most (node's `backlog` is 511). */
const LAST_TURNS = 1000;

export interface ConnectionEvents {
  /** A request head is here. `expects`: the client waits for `100 Continue`. */
  request(request: CallRequest, response: ServerResponse, expects: boolean): void;
  /** The same on a stream of HTTP/2. */
  stream(conn: Conn, call: StreamCall, raw: readonly string[]): void;
  /** The connection is gone with these requests unanswered. */
  left(calls: readonly Pending[]): void;
  /** A connection was closed at once: there are `maxConnections`. */
  dropped(): void;
  /** Something that is no request was refused. */
  broken(): void;
  /** A request that came whole and in the plainest form. False: not regular, and nothing was done with it. */
  regular(lane: Lane, head: LaneHead, message: Buffer): boolean;
}

type ServeHttp = (this: HttpServer, socket: Socket) => void;

export class Connections {
  readonly server: HttpServer;
  private readonly serveHttp: ServeHttp;
  accepted = 0;
  /** Every answer is the last one of its connection. */
  closing = false;
  /** No more connections. */
  private shut = false;
  private readonly open = new Map<Socket, Conn>();
  /** Below TLS, from before the handshake on; empty without it. */
  private readonly raw = new Set<Socket>();
  private closed: Promise<void> | null = null;
  private emptied: (() => void) | null = null;
  /** Whether server and connections keep the process alive. */
  private held = true;
  private goneIn = 0;
  private goneOut = 0;

  private readonly laneEvents: LaneEvents;
  private readonly sweeper: Sweeper;

  constructor(
    private readonly config: ServeConfig,
    private readonly events: ConnectionEvents,
  ) {
    this.laneEvents = {
      regular: (lane, head, message) => events.regular(lane, head, message),
      leave: (conn, bytes, http2) => this.leaveLane(conn, bytes, http2),
      closing: () => this.closing,
    };
    this.sweeper = new Sweeper(config, () => this.open.values());
    this.server = makeServer(config);
    // No silent truncation: a Host or Mcp-Name beyond the limit must not be overlooked. The guard refuses by MAX_HEADERS.
    this.server.maxHeadersCount = 0;
    this.server.maxConnections = config.maxConnections;
    // `server.close()` calls it, and it destroys sockets that still have a response to write; `settle` waits for that.
    this.server.closeIdleConnections = () => {};
    // node's own listener gets a connection when it leaves the lane, not before: it takes the socket's bytes for itself.
    const ready = config.tls === null ? 'connection' : 'secureConnection';
    [this.serveHttp] = this.server.listeners(ready) as [ServeHttp];
    this.server.removeAllListeners(ready);
    if (config.tls !== null) this.server.on('connection', (socket: Socket) => this.below(socket));
    this.server.on(ready, (socket: Socket) => this.connected(socket));
    this.server.on('drop', () => events.dropped());
    this.server.on('request', (request, response) => events.request(request, response, false));
    this.server.on('checkContinue', (request, response) => events.request(request, response, true));
    this.server.on('checkExpectation', (request, response) => events.request(request, response, false));
    this.server.on('clientError', (error, socket) => this.fault(error as NodeJS.ErrnoException, socket as Socket));
  }

  get count(): number {
    return this.open.size;
  }

  of(socket: Socket): Conn | undefined {
    return this.open.get(socket);
  }

  /** Bytes on the sockets, both ways: [in, out]. */
  bytes(): [number, number] {
    let read = this.goneIn;
    let written = this.goneOut;
    for (const socket of this.open.keys()) {
      read += socket.bytesRead;
      written += socket.bytesWritten;
    }
    return [read, written];
  }

  /** Another certificate for new connections. Empty, or why it cannot be used. */
  renewTls(cert: string, key: string): string {
    return this.config.tls === null ? 'this listener has no TLS' : renew(this.server, cert, key);
  }

  /** The response of `call` is complete, but not ended: its connection ends when the request's body is through, or soon. */
  linger(call: Call): void {
    call.conn.lingering = call;
    call.conn.timer = setTimeout(() => this.lingered(call), LINGER);
    call.conn.timer.unref();
  }

  lingered(call: Pending): void {
    const { conn } = call;
    if (conn.timer !== null) clearTimeout(conn.timer);
    conn.timer = null;
    conn.lingering?.response.end();
  }

  /** While closing: ends a connection whose last request was answered, once that answer is out. */
  settle(conn: Conn): void {
    if (conn.session !== null) {
      conn.session.close(); // ends by itself, with its last stream
      return;
    }
    if (conn.calls.length > 0 || conn.lane?.busy === true) return;
    const last = conn.newest?.response;
    if (last === undefined || last.writableFinished) conn.socket.destroySoon();
    else last.once('finish', () => conn.socket.destroySoon());
  }

  close(grace: number): Promise<void> {
    this.closed ??= this.end(grace);
    return this.closed;
  }

  private async end(grace: number): Promise<void> {
    this.closing = true;
    for (let turn = 0, quiet = 0; turn < LAST_TURNS && quiet < QUIET_TURNS; turn++) {
      const { accepted } = this;
      await new Promise(setImmediate);
      quiet = accepted === this.accepted ? quiet + 1 : 0;
    }
    this.shut = true;
    let timer: NodeJS.Timeout | null = null;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const conn of this.open.values()) this.settle(conn);
    // Who has not even finished the handshake has asked for nothing yet.
    if (this.open.size > 0 || this.raw.size > 0) timer = setTimeout(() => this.cut(), Math.max(grace, 0));
    await closed;
    // node says so when the last socket is destroyed, which is told to nobody yet.
    if (this.open.size > 0) {
      await new Promise<void>((resolve) => {
        this.emptied = resolve;
      });
    }
    if (timer !== null) clearTimeout(timer);
    this.sweeper.stop();
  }

  private cut(): void {
    for (const { session, socket } of this.open.values()) {
      session?.destroy();
      socket.destroy();
    }
    for (const socket of this.raw) socket.destroy();
  }

  /** Connections with the server: one that a client keeps open would hold the process just as well. */
  hold(held: boolean): void {
    this.held = held;
    for (const handle of [this.server, ...this.open.keys(), ...this.raw]) held ? handle.ref() : handle.unref();
  }

  /** Under TLS, before the handshake: only so that the end of everything finds it. */
  private below(socket: Socket): void {
    if (!this.held) socket.unref();
    this.raw.add(socket);
    socket.once('close', () => this.raw.delete(socket));
  }

  private connected(socket: Socket): void {
    this.accepted++;
    if (!this.held) socket.unref();
    const conn: Conn = {
      socket,
      memo: new TokenMemo(),
      calls: [],
      newest: null,
      lane: null,
      session: null,
      lingering: null,
      timer: null,
      sent: 0,
      queued: 0,
      moved: performance.now(),
    };
    this.open.set(socket, conn);
    socket.once('close', () => this.disconnected(conn));
    if (this.shut) {
      socket.destroy();
      return;
    }
    this.sweeper.start();
    if ((socket as { alpnProtocol?: string | false }).alpnProtocol === 'h2') this.toHttp2(conn);
    else conn.lane = new Lane(conn, this.config, `POST ${this.config.path} HTTP/1.1`, this.laneEvents);
  }

  private disconnected(conn: Conn): void {
    const { socket } = conn;
    this.open.delete(socket);
    this.goneIn += socket.bytesRead;
    this.goneOut += socket.bytesWritten;
    if (conn.timer !== null) clearTimeout(conn.timer);
    const left: Pending[] = conn.calls.splice(0);
    if (conn.lane?.call) left.push(conn.lane.call);
    if (left.length > 0) this.events.left(left);
    if (this.open.size === 0) this.emptied?.();
  }

  /** From here on the connection is node's: it reads `bytes` first, and then what the socket brings. */
  private leaveLane(conn: Conn, bytes: Buffer, http2: boolean): void {
    const { socket } = conn;
    if (socket.destroyed) return;
    conn.lane = null;
    if (http2) this.toHttp2(conn);
    else this.serveHttp.call(this.server, socket);
    socket.unshift(bytes);
  }

  private toHttp2(conn: Conn): void {
    conn.session = startSession(conn.socket, this.config, (stream, raw, method, target, ended) => {
      this.events.stream(conn, new StreamCall(stream, raw, method, target, conn, ended), raw);
    });
    // A session that was refused as broken leaves its socket to us, and so does a client that sends no more.
    conn.session.once('close', () => conn.socket.destroySoon());
    conn.socket.once('end', () => conn.socket.destroy());
  }

  /** Late heads, heads that are too long, bytes that are not HTTP: a bare status, and the end of the connection. */
  private fault(error: NodeJS.ErrnoException, socket: Socket): void {
    const conn = this.open.get(socket);
    if (conn === undefined || error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    this.events.broken();
    // A call that runs on this connection is owed the next response: a status now would be taken for it.
    if (conn.lingering !== null || conn.calls.some((call) => call.slot >= 0)) {
      socket.destroy();
      return;
    }
    socket.write(`HTTP/1.1 ${STATUS_LINES[error.code ?? ''] ?? '400 Bad Request'}\r\n${BARE}`);
    socket.destroySoon();
  }
}

const BARE = 'content-length: 0\r\nconnection: close\r\n\r\n';

const STATUS_LINES: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
