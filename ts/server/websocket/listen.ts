/**
 * Listening on WebSocket: options checked, a server made or borrowed, every connection served as a pipe peer.
 *
 * The one folder that knows the library `ws`. Frames, masks, pings and the closing handshake are its business.
 */
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Dispatch } from '../../dispatch.js';
import type { Registry } from '../../engine/engine.js';
import { LISTENER_STAT_COUNT, type Listener, ListenerStat } from '../../engine/engine.js';
import { pipeEngine } from '../../engine/pipe.js';
import { LEGACY_VERSIONS, MODERN_VERSIONS } from '../../protocol/revisions.js';
import type { AuthInfo } from '../../protocol/types.js';
import { type Attachment, attachmentOf } from '../attach.js';
import { checkInteger, DEFAULT_GRACE, DEFAULT_LIMITS } from '../limits.js';
import type { ListenerStats } from '../listen.js';
import type { WebSocketListener, WebSocketOptions } from '../websocket.js';
import { Door, PROTOCOL } from './door.js';
import { Permission } from './permission.js';
import { placeAt, type Settings, settingsOf } from './settings.js';
import { Close, SocketChannel } from './socket.js';
import { Visitor } from './visitor.js';

/** Milliseconds that a client has to answer the closing handshake. */
const CLOSE_TIMEOUT = 2_000;
/** The least of it, when there is no grace. */
const LEAST_FAREWELL = 100;
/** Sockets besides `maxConnections` that are accepted, to be told that there is no room. */
const SPARE = 256;
/** Milliseconds between two looks at the token of a connection, unless clients are looked after more often than that. */
const RECHECK = 30_000;

/** As {@link WebSocketListener} promises. */
export async function listen(target: unknown, options: WebSocketOptions): Promise<WebSocketListener> {
  const attachment = attachmentOf(target);
  const settings = settingsOf(options);
  const permission =
    options.auth === undefined ? undefined : new Permission(options.auth, attachment, settings.dispatch);
  const server = settings.server ?? createServer({ connectionsCheckingInterval: 1000 });
  const listener = new SocketListener(attachment, settings, server, permission);
  try {
    if (settings.server === undefined) await bound(server, settings);
  } catch (error) {
    listener.abandon();
    throw error;
  }
  attachment.listeners.add(listener);
  return listener;
}

function bound(server: HttpServer, { host, port, maxConnections }: Settings): Promise<void> {
  server.headersTimeout = DEFAULT_LIMITS.headerTimeout;
  server.maxConnections = maxConnections + SPARE;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

interface Connection {
  readonly pipe: Listener & { readonly closed: Promise<void> };
  readonly channel: SocketChannel;
  readonly visitor: Visitor;
  /** When its token was looked at. */
  checked: number;
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>;
}

class SocketListener implements WebSocketListener {
  readonly #attachment: Attachment;
  readonly #settings: Settings;
  readonly #server: HttpServer;
  readonly #permission: Permission | undefined;
  readonly #receiver: Dispatch;
  readonly #registry: Registry;
  readonly #detach: (listener: Listener | null) => void;
  readonly #sockets: WebSocketServer;
  readonly #door: Door;
  readonly #connections = new Set<Connection>();
  readonly #load = { inFlight: 0 };
  /** Of connections that are gone. */
  readonly #totals = new Float64Array(LISTENER_STAT_COUNT);
  readonly #timer: NodeJS.Timeout;
  readonly #onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  #closed: Promise<void> | undefined;

  constructor(attachment: Attachment, settings: Settings, server: HttpServer, permission: Permission | undefined) {
    this.#attachment = attachment;
    this.#settings = settings;
    this.#server = server;
    this.#permission = permission;
    const registry = pipeEngine().createRegistry();
    const { dispatch } = settings;
    const receiver = permission?.receiver ?? attachment.receiver(dispatch);
    const attached = attachment.attach(registry, dispatch, receiver);
    this.#registry = registry;
    this.#receiver = receiver;
    this.#detach = attached.detach;
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: settings.maxMessageBytes,
      // Compression would let a small frame become a large one, and tell of secrets by their size.
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
      ...{ closeTimeout: CLOSE_TIMEOUT },
    });
    const door = new Door(settings, {
      server: this.#sockets,
      permission,
      accept: (ws, opening, auth) => this.#accept(ws, opening, auth),
    });
    this.#door = door;
    this.#onUpgrade = (request, socket, head) =>
      door.upgrade(request, socket, head, server.listenerCount('upgrade') === 1);
    server.on('upgrade', this.#onUpgrade);
    if (settings.server === undefined) server.on('request', (request, response) => door.request(request, response));
    const every = Math.min(Math.max(Math.ceil(settings.idleTimeout / 8), 20), 5000);
    this.#timer = setInterval(() => this.#sweep(), every).unref();
  }

  get host(): string {
    return placeAt(this.#server, this.#settings.path).host;
  }
  get port(): number {
    return placeAt(this.#server, this.#settings.path).port;
  }
  get url(): string {
    return placeAt(this.#server, this.#settings.path).url;
  }

  #accept(ws: WebSocket, opening: IncomingMessage, auth: AuthInfo | undefined): void {
    const visitor = new Visitor(opening, auth);
    const channel = new SocketChannel(ws, opening.socket, () => !visitor.expired);
    const { maxMessageBytes, maxDepth, maxInFlight, highWaterMark, maxStreamBytes } = this.#settings;
    const gone = new Promise<void>((resolve) => {
      ws.once('close', () => resolve());
    });
    const pipe = pipeEngine().channel(
      {
        channel,
        maxMessageBytes,
        maxDepth,
        maxInFlight,
        highWaterMark,
        maxStreamBytes,
        modernVersions: [...MODERN_VERSIONS],
        legacyVersions: [...LEGACY_VERSIONS],
        load: this.#load,
        carried: visitor,
      },
      this.#registry,
      this.#receiver,
    );
    const connection = { pipe, channel, visitor, checked: performance.now(), gone };
    this.#connections.add(connection);
    void pipe.closed.then(() => {
      this.#connections.delete(connection);
      this.#receiver.forget(pipe);
      this.#add(pipe);
    });
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      const { channel, visitor } = connection;
      if (visitor.expired) channel.close(Close.policy, 'The access token has expired');
      else {
        channel.look(now, this.#settings.idleTimeout);
        const due = now - connection.checked > Math.min(RECHECK, this.#settings.idleTimeout);
        if (this.#permission !== undefined && due) this.#recheck(connection, now);
      }
    }
  }

  /** A token may have been revoked, or lost a scope. */
  #recheck(connection: Connection, now: number): void {
    const { channel, visitor } = connection;
    connection.checked = now;
    this.#permission?.check(
      visitor.head,
      (auth) => {
        visitor.authInfo = auth;
      },
      (status) => {
        if (status === 503) channel.close(Close.later, 'The access token cannot be checked now');
        else channel.close(Close.policy, 'The access token is not valid any more');
      },
    );
  }

  // ---------------------------------------------------------------------------------------------------- questions

  stats(): ListenerStats {
    const sum = this.#totals.slice();
    const one = new Float64Array(LISTENER_STAT_COUNT);
    for (const { pipe } of this.#connections) {
      pipe.stats(one);
      for (let i = 0; i < LISTENER_STAT_COUNT; i++) sum[i] = (sum[i] as number) + (one[i] as number);
    }
    const refused = (sum[ListenerStat.refused] as number) + this.#door.refused;
    const overloaded = (sum[ListenerStat.overloaded] as number) + this.#door.overloaded;
    const named = Object.entries(ListenerStat).map(([name, index]) => [name, sum[index] as number]);
    const live = { connections: this.#door.sockets.size, inFlight: this.#load.inFlight };
    return { ...Object.fromEntries(named), ...live, refused, overloaded } as ListenerStats;
  }

  #add(pipe: Listener): void {
    const one = new Float64Array(LISTENER_STAT_COUNT);
    pipe.stats(one);
    for (let i = 0; i < LISTENER_STAT_COUNT; i++) this.#totals[i] = (this.#totals[i] as number) + (one[i] as number);
  }

  // ------------------------------------------------------------------------------------------------------ the end

  close(options: { grace?: number } = {}): Promise<void> {
    const grace = checkInteger('grace', options.grace ?? DEFAULT_GRACE, 0);
    this.#closed ??= this.#end(grace);
    return this.#closed;
  }

  async #end(grace: number): Promise<void> {
    const own = this.#settings.server === undefined;
    this.#door.close();
    const unbound = own ? new Promise<void>((resolve) => this.#server.close(() => resolve())) : undefined;
    await Promise.all([...this.#connections].map((connection) => this.#drain(connection, grace)));
    // Refused ones, which are on their way out, and those whose token is still being checked.
    for (const socket of this.#door.sockets) socket.destroy();
    if (own) this.#server.closeAllConnections();
    await unbound;
    this.abandon();
  }

  async #drain({ pipe, channel, gone }: Connection, grace: number): Promise<void> {
    this.#receiver.closing(pipe);
    await pipe.close(grace);
    channel.close(Close.goingAway, 'The server is closing');
    const timer = setTimeout(() => channel.cut(), Math.min(Math.max(grace, LEAST_FAREWELL), CLOSE_TIMEOUT));
    await gone;
    clearTimeout(timer);
  }

  /** Lets go of everything that was taken for listening. */
  abandon(): void {
    clearInterval(this.#timer);
    this.#server.off('upgrade', this.#onUpgrade);
    this.#detach(null);
    this.#attachment.listeners.delete(this);
  }

  ref(): this {
    if (this.#settings.server === undefined) this.#server.ref();
    return this;
  }

  unref(): this {
    if (this.#settings.server === undefined) this.#server.unref();
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
