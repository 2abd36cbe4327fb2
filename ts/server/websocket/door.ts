/**
 * The way from an upgrade request to a connection: everything that is refused before there is one, in HTTP.
 *
 * Order: is it ours, does it come from where it may, host and origin (the guard of the HTTP listener), room, subprotocol,
 * token, and then the handshake, which the library checks.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { type HeadGuard, headGuard, type Refusal } from '../../engine/index.js';
import type { AuthInfo } from '../../protocol/types.js';
import type { Permission } from './permission.js';
import { isLocal, type Settings } from './settings.js';
import { headOf } from './visitor.js';

export const PROTOCOL = 'mcp';
/** Milliseconds in which it must be known whose connection it is. */
const HANDSHAKE_TIMEOUT = 30_000;

const notFound: Refusal = { status: 404, code: -32000, message: 'Not found' };
const upgradeNeeded: Refusal = { status: 426, code: -32000, message: 'Upgrade to WebSocket is required' };
const unguarded: Refusal = { status: 403, code: -32000, message: 'Authorization is required beyond loopback' };
const badProtocol: Refusal = { status: 400, code: -32000, message: `The subprotocol must be ${PROTOCOL}` };
const full: Refusal = { status: 503, code: -32000, message: 'Server overloaded' };
const closing: Refusal = { status: 503, code: -32000, message: 'Server is closing' };

export interface DoorHost {
  readonly server: WebSocketServer;
  readonly permission: Permission | undefined;
  /** A connection that came through. */
  accept(ws: WebSocket, opening: IncomingMessage, auth: AuthInfo | undefined): void;
}

export class Door {
  /** Refused by checks, and for want of room. */
  refused = 0;
  overloaded = 0;
  /** Sockets that have a place: those of connections, and those that are about to be one. */
  readonly sockets = new Set<Socket>();
  readonly #settings: Settings;
  readonly #host: DoorHost;
  readonly #guard: HeadGuard;
  #closed = false;

  constructor(settings: Settings, host: DoorHost) {
    this.#settings = settings;
    this.#host = host;
    const { path, allowedHosts, allowedOrigins } = settings;
    const otherPaths = [...(host.permission?.paths.keys() ?? [])];
    this.#guard = headGuard({ path, otherPaths, allowedHosts, allowedOrigins });
  }

  /** No more connections; those that are being checked are dropped when they are. */
  close(): void {
    this.#closed = true;
  }

  /** @param alone whether nobody else takes upgrades of this server */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, alone: boolean): void {
    const ours = pathOf(request) === this.#settings.path;
    if (!ours && !alone) return;
    socket.on('error', () => socket.destroy());
    const refusal = ours ? this.#refusal(request, socket) : notFound;
    if (refusal !== undefined) {
      this.#refuse(socket, refusal);
      return;
    }
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const { permission } = this.#host;
    if (permission === undefined) {
      this.#shake(request, socket, head, undefined);
      return;
    }
    socket.setTimeout(HANDSHAKE_TIMEOUT, () => socket.destroy());
    permission.check(
      headOf(request),
      (auth) => this.#shake(request, socket, head, auth),
      (status, headers, text) => {
        this.refused += 1;
        respond(socket, status, headers, text);
      },
    );
  }

  #refusal(request: IncomingMessage, socket: Socket): Refusal | undefined {
    if (this.#closed) return closing;
    if (!this.#settings.exposed && !isLocal(socket.localAddress)) return unguarded;
    const refusal = this.#guarded(request);
    if (refusal !== null) return refusal;
    if (this.sockets.size >= this.#settings.maxConnections) return full;
    const offered = request.headers['sec-websocket-protocol'];
    const speaks = offered === undefined || offered.split(',').some((name) => name.trim() === PROTOCOL);
    return speaks ? undefined : badProtocol;
  }

  #guarded(request: IncomingMessage): Refusal | null {
    return this.#guard(request.rawHeaders, request.httpVersionMinor === 1, request.url ?? '/');
  }

  #refuse(socket: Socket, refusal: Refusal): void {
    if (refusal === full) this.overloaded += 1;
    else this.refused += 1;
    respond(socket, refusal.status, headersOf(refusal), bodyOf(refusal));
  }

  #shake(request: IncomingMessage, socket: Socket, head: Buffer, auth: AuthInfo | undefined): void {
    if (socket.destroyed) return;
    if (this.#closed) this.#refuse(socket, closing);
    else this.#host.server.handleUpgrade(request, socket, head, (ws) => this.#host.accept(ws, request, auth));
  }

  /** A request that is no upgrade, to a server of our own. */
  request(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    const refusal = this.#guarded(request);
    const answer = (status: number, headers: string, text: string): void => {
      const pairs = headers.split('\r\n').filter((line) => line !== '');
      for (const line of pairs) {
        const colon = line.indexOf(':');
        response.setHeader(line.slice(0, colon), line.slice(colon + 1).trim());
      }
      response.writeHead(status);
      response.end(text);
    };
    // Its body is not read.
    response.setHeader('connection', 'close');
    if (refusal === null && this.#host.permission?.publish(path, request.method ?? '', answer) === true) return;
    const told = refusal ?? upgradeNeeded;
    this.refused += 1;
    answer(told.status, headersOf(told), bodyOf(told));
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function headersOf(refusal: Refusal): string {
  const type = 'content-type: application/json\r\n';
  if (refusal === full) return `${type}retry-after: 1\r\n`;
  return refusal === upgradeNeeded ? `${type}upgrade: websocket\r\n` : type;
}

function bodyOf({ code, message }: Refusal): string {
  return JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } });
}

/** Answers an upgrade in place of the handshake, and ends its connection. */
function respond(socket: Socket, status: number, headers: string, text: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const length = `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headers}${length}\r\n${text}`);
}
