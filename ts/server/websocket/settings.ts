/**
 * The options of serving over WebSocket: checked once, before anything listens.
 */
import type { Server as HttpServer } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import type { DispatchOptions } from '../../dispatch.js';
import {
  callLimitsFrom,
  checkInteger,
  checkKnown,
  DEFAULT_HIGH_WATER_MARK,
  DEFAULT_LIMITS,
  DEFAULT_PATH,
  show,
} from '../limits.js';
import { isLoopback, placeOf, urlHost } from '../listen.js';
import type { WebSocketOptions } from '../websocket.js';

const OWN = ['port', 'host'] as const;
const OPTIONS = [
  ...OWN,
  'path',
  'server',
  'allowedHosts',
  'allowedOrigins',
  'auth',
  'allowUnauthenticated',
  'maxConnections',
  'maxMessageBytes',
  'maxDepth',
  'maxInFlight',
  'highWaterMark',
  'maxStreamBytes',
  'idleTimeout',
  'maxBatch',
  'maxResultBytes',
  'toolTimeout',
  'maxStreams',
];

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly server: HttpServer | undefined;
  readonly allowedHosts: string[] | null;
  readonly allowedOrigins: string[] | null;
  /** Whether connections beyond loopback are taken: there is authorization, or nobody wants any. */
  readonly exposed: boolean;
  readonly maxConnections: number;
  readonly maxMessageBytes: number;
  readonly maxDepth: number;
  readonly maxInFlight: number;
  readonly highWaterMark: number;
  readonly maxStreamBytes: number;
  readonly idleTimeout: number;
  readonly dispatch: DispatchOptions;
}

/** @throws TypeError for a bad option; Error when the host needs `auth` or `allowUnauthenticated` */
export function settingsOf(options: WebSocketOptions): Settings {
  checkKnown(options, OPTIONS, 'serveWebSocket');
  const { path = DEFAULT_PATH, server, auth, allowUnauthenticated } = options;
  if (typeof path !== 'string' || !/^\/[^?#\s]*$/.test(path)) {
    throw new TypeError(`Option path must begin with "/" and hold no "?", "#" or space, not ${show(path)}`);
  }
  const place = placeOf({ ...reach(options), ...(server === undefined ? at(options) : hostOf(server)) });
  const limit = (name: keyof WebSocketOptions, byDefault: number) => checkInteger(name, options[name] ?? byDefault, 1);
  if (server !== undefined) {
    const stands = OWN.find((name) => options[name] !== undefined);
    if (stands !== undefined) throw new TypeError(`Option server stands in place of ${stands}: give one of them`);
  }
  return {
    host: place.host,
    port: place.port,
    path,
    server,
    allowedHosts: place.allowedHosts,
    allowedOrigins: place.allowedOrigins,
    exposed: auth !== undefined || allowUnauthenticated === true,
    maxConnections: limit('maxConnections', DEFAULT_LIMITS.maxConnections),
    maxMessageBytes: limit('maxMessageBytes', DEFAULT_LIMITS.maxBodyBytes),
    maxDepth: limit('maxDepth', DEFAULT_LIMITS.maxDepth),
    maxInFlight: limit('maxInFlight', DEFAULT_LIMITS.maxInFlight),
    highWaterMark: limit('highWaterMark', DEFAULT_HIGH_WATER_MARK),
    maxStreamBytes: limit('maxStreamBytes', DEFAULT_LIMITS.maxStreamBytes),
    idleTimeout: limit('idleTimeout', DEFAULT_LIMITS.idleTimeout),
    dispatch: callLimitsFrom(options),
  };
}

/** Whom a place lets in, as `listen` decides it. */
function reach({ allowedHosts, allowedOrigins, allowUnauthenticated, auth }: WebSocketOptions) {
  return {
    ...(allowedHosts !== undefined && { allowedHosts }),
    ...(allowedOrigins !== undefined && { allowedOrigins }),
    ...(allowUnauthenticated !== undefined && { allowUnauthenticated }),
    ...(auth !== undefined && { auth }),
  };
}

function at({ host, port }: WebSocketOptions) {
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port }) };
}

/** Where a given server listens. One that does not yet is judged by each connection, see {@link Settings.exposed}. */
function hostOf(server: unknown): { host?: string } {
  if (typeof (server as HttpServer | null)?.on !== 'function') {
    throw new TypeError(`Option server must be an http or https server, not ${show(server)}`);
  }
  const address = (server as HttpServer).address();
  return address === null || typeof address === 'string' ? {} : { host: address.address };
}

/** The address of a server and what a client is given. */
export function placeAt(server: HttpServer, path: string): { host: string; port: number; url: string } {
  const scheme = server instanceof TlsServer ? 'wss' : 'ws';
  const address = server.address();
  if (address === null) return { host: '', port: 0, url: '' };
  if (typeof address === 'string') return { host: '', port: 0, url: `${scheme}+unix:${address}:${path}` };
  const { address: host, port } = address;
  return { host, port, url: `${scheme}://${urlHost(host)}:${port}${path}` };
}

/** Whether a connection came to an address that only this machine reaches; a unix socket has none. */
export function isLocal(address: string | undefined): boolean {
  return address === undefined || isLoopback(address.replace(/^::ffff:/, ''));
}
