/**
 * Serving over WebSocket: the face of it. Everything behind, and the library `ws` with it, is loaded when it is used.
 *
 * One text frame is one JSON-RPC message, each way, under the subprotocol `mcp`. A connection is a peer as on stdio: one
 * legacy session, or modern requests, or subscriptions, all on the same stream.
 */
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AuthOptions } from './auth/options.js';
import type { CallLimits } from './limits.js';
import type { ListenerStats } from './listen.js';
import type { Server } from './lowlevel/server.js';
import type { McpServer } from './mcp.js';

export interface WebSocketOptions
  extends Partial<Pick<CallLimits, 'maxBatch' | 'maxResultBytes' | 'toolTimeout' | 'maxStreams'>> {
  /** 0: any free port. Default 3000. */
  port?: number;
  /** Address or name to bind. Default 127.0.0.1. */
  host?: string;
  /** The endpoint. Default /mcp. */
  path?: string;
  /**
   * Takes the upgrades to `path` of this server in place of one of its own, and nothing else: over https that is `wss://`.
   * It is listened with and closed by whoever made it.
   */
  server?: HttpServer | HttpsServer;
  /** As for `listen`. Default on loopback: localhost, 127.0.0.1 and [::1]. Must be given elsewhere; null: any. */
  allowedHosts?: string[] | null;
  /** As for `listen`: what keeps web pages of others out. Browsers always send an origin; other clients need not. */
  allowedOrigins?: string[] | null;
  /** Who may connect, by the bearer token of the upgrade request. The connection then acts for its owner. */
  auth?: AuthOptions;
  /** Needed beyond loopback without `auth`. Default false. */
  allowUnauthenticated?: boolean;
  /** Connections at a time; further ones are refused with 503. Default 10,000. */
  maxConnections?: number;
  /** Longest message in bytes; a longer one ends its connection (1009). Default 4 MiB. */
  maxMessageBytes?: number;
  /** Most nested brackets. Default 128. */
  maxDepth?: number;
  /** Most calls at a time, all connections together. Default 10,000. */
  maxInFlight?: number;
  /** Unsent bytes of a connection above which nothing more is read from it. Default 1 MiB. */
  highWaterMark?: number;
  /** Unsent bytes of events (progress, changes, logs) above which a connection is cut. Default 1 MiB. */
  maxStreamBytes?: number;
  /**
   * Milliseconds in which nothing comes from a client, not even the answer to a ping that is sent after half of them, or
   * none of the bytes that wait for it leave; then it is cut. Default 60,000.
   */
  idleTimeout?: number;
}

/** A server on WebSocket. */
export interface WebSocketListener {
  /** Empty while a given server does not listen. */
  readonly host: string;
  /** 0 while a given server does not listen. */
  readonly port: number;
  /** What a client is given: `ws://…`, or `wss://…` on a server with TLS. */
  readonly url: string;
  /** Totals since the start; `connections` and `inFlight` are of now. */
  stats(): ListenerStats;
  /**
   * Takes no more connections and messages, lets running calls end, then closes every connection with 1001. Idempotent.
   * @param options.grace milliseconds for running calls, default 5000
   */
  close(options?: { grace?: number }): Promise<void>;
  /** Keeps the process alive, as it does from the start. A given server is left as it is. */
  ref(): this;
  /** Lets the process end while this listens. */
  unref(): this;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts serving over WebSocket, besides whatever else serves this server.
 * @throws TypeError for a bad option; Error when the host needs `auth` or `allowUnauthenticated`, or cannot be bound
 */
export async function serveWebSocket(
  server: McpServer | Server,
  options: WebSocketOptions = {},
): Promise<WebSocketListener> {
  const { listen } = await import('./websocket/listen.js');
  return listen(server, options);
}
