/**
 * The node:http server with its limits, and the connections that it has. Knows sockets and no MCP.
 *
 * Header time, header size and broken HTTP are node's to notice and ours to answer, briefly; everything about a request
 * whose head was read is in listen.ts.
 */
import { createServer, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ServeConfig } from '../../engine.js';
import { type Call, CallRequest, type Conn, type Pending } from './call.js';
import { Lane, type LaneEvents } from './lane.js';
import type { LaneHead } from './lanehead.js';

/** How long the rest of a refused body is read away, so that the client sees the refusal instead of a reset. */
const LINGER = 500;

export interface ConnectionEvents {
  /** A request head is here. `expects`: the client waits for `100 Continue`. */
  request(request: CallRequest, response: ServerResponse, expects: boolean): void;
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

export type HttpServer = Server<typeof CallRequest, typeof ServerResponse>;

export class Connections {
  readonly server: HttpServer;
  private readonly serveHttp: ServeHttp;
  accepted = 0;
  closing = false;
  private readonly open = new Map<Socket, Conn>();
  private closed: Promise<void> | null = null;
  /** Whether server and connections keep the process alive. */
  private held = true;
  private goneIn = 0;
  private goneOut = 0;

  private readonly laneEvents: LaneEvents;
  private sweeper: NodeJS.Timeout | null = null;

  constructor(
    private readonly config: ServeConfig,
    private readonly events: ConnectionEvents,
  ) {
    this.laneEvents = {
      regular: (lane, head, message) => events.regular(lane, head, message),
      leave: (socket, bytes) => this.toHttp(socket, bytes),
      closing: () => this.closing,
    };
    this.server = createServer({
      IncomingMessage: CallRequest,
      ServerResponse,
      noDelay: true,
      requireHostHeader: false, // the guard answers that, with a JSON-RPC body
      insecureHTTPParser: false,
      maxHeaderSize: config.maxHeaderBytes,
      headersTimeout: config.headerTimeout,
      requestTimeout: 0, // bodies are on the BodyClock: their lateness has a JSON-RPC answer
      keepAliveTimeout: config.idleTimeout,
      connectionsCheckingInterval: Math.min(Math.max(Math.ceil(config.headerTimeout / 4), 20), 5000),
    });
    // No silent truncation: a Host or Mcp-Name beyond the limit must not be overlooked. The guard refuses by MAX_HEADERS.
    this.server.maxHeadersCount = 0;
    this.server.maxConnections = config.maxConnections;
    // `server.close()` calls it, and it destroys sockets that still have a response to write; `settle` waits for that.
    this.server.closeIdleConnections = () => {};
    // node's own listener gets a connection when it leaves the lane, not before: it takes the socket's bytes for itself.
    [this.serveHttp] = this.server.listeners('connection') as [ServeHttp];
    this.server.removeAllListeners('connection');
    this.server.on('connection', (socket) => this.connected(socket));
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

  /** The response of `call` is complete, but not ended: its connection ends when the request's body is through, or soon. */
  linger(call: Call): void {
    call.conn.lingering = call;
    call.conn.timer = setTimeout(() => this.lingered(call), LINGER);
    call.conn.timer.unref();
  }

  lingered(call: Call): void {
    if (call.conn.timer !== null) clearTimeout(call.conn.timer);
    call.conn.timer = null;
    call.response.end();
  }

  /** While closing: ends a connection whose last request was answered, once that answer is out. */
  settle(conn: Conn): void {
    if (conn.calls.length > 0 || (conn.lane !== null && conn.lane.call !== null)) return;
    const last = conn.newest?.response;
    if (last === undefined || last.writableFinished) conn.socket.destroySoon();
    else last.once('finish', () => conn.socket.destroySoon());
  }

  close(grace: number): Promise<void> {
    if (this.closed !== null) return this.closed;
    this.closing = true;
    let timer: NodeJS.Timeout | null = null;
    this.closed = new Promise((resolve) => {
      this.server.close(() => {
        if (timer !== null) clearTimeout(timer);
        resolve();
      });
    });
    if (this.sweeper !== null) clearInterval(this.sweeper);
    for (const conn of this.open.values()) this.settle(conn);
    if (this.open.size > 0) timer = setTimeout(() => this.cut(), Math.max(grace, 0));
    return this.closed;
  }

  private cut(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** Connections with the server: one that a client keeps open would hold the process just as well. */
  hold(held: boolean): void {
    this.held = held;
    for (const handle of [this.server, ...this.open.keys()]) held ? handle.ref() : handle.unref();
  }

  private connected(socket: Socket): void {
    this.accepted++;
    if (!this.held) socket.unref();
    const conn: Conn = { socket, calls: [], newest: null, lane: null, lingering: null, timer: null };
    this.open.set(socket, conn);
    conn.lane = new Lane(socket, this.config, `POST ${this.config.path} HTTP/1.1`, this.laneEvents);
    this.sweep();
    socket.once('close', () => {
      this.open.delete(socket);
      this.goneIn += socket.bytesRead;
      this.goneOut += socket.bytesWritten;
      if (conn.timer !== null) clearTimeout(conn.timer);
      const left: Pending[] = conn.calls.splice(0);
      if (conn.lane?.call) left.push(conn.lane.call);
      if (left.length > 0) this.events.left(left);
    });
    if (this.closing) socket.destroy();
  }

  /** From here on the connection is node's: it reads `bytes` first, and then what the socket brings. */
  private toHttp(socket: Socket, bytes: Buffer): void {
    const conn = this.open.get(socket);
    if (conn === undefined || socket.destroyed) return;
    conn.lane = null;
    this.serveHttp.call(this.server, socket);
    socket.unshift(bytes);
  }

  /** Ends connections on a lane that bring nothing: node's own limits begin when it gets one. One timer for all. */
  private sweep(): void {
    if (this.sweeper !== null) return;
    const { headerTimeout, idleTimeout } = this.config;
    const every = Math.min(Math.max(Math.ceil(Math.min(headerTimeout, idleTimeout) / 4), 20), 5000);
    this.sweeper = setInterval(() => {
      const now = performance.now();
      for (const { lane, socket } of this.open.values()) {
        if (lane === null || lane.call !== null) continue;
        if (now - lane.since > (lane.served ? idleTimeout : headerTimeout)) socket.destroy();
      }
    }, every);
    this.sweeper.unref();
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
