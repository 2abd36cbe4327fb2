/**
 * Listening on HTTP: options checked, an engine chosen, the server's offer attached to it.
 */
import type { Engine, EngineName, Listener, ServeConfig } from '../engine/engine.js';
import { LISTENER_STAT_COUNT, ListenerStat } from '../engine/engine.js';
import type { EngineChoice } from '../engine/index.js';
import { selection } from '../engine/index.js';
import { LEGACY_VERSIONS, MODERN_VERSIONS } from '../protocol/revisions.js';
import type { Attachment } from './attach.js';
import type { Limits } from './limits.js';
import {
  checkInteger,
  checkKnown,
  DEFAULT_GRACE,
  DEFAULT_HOST,
  DEFAULT_LIMITS,
  DEFAULT_PATH,
  DEFAULT_PORT,
  DEFAULT_THREADS,
  limitsFrom,
  show,
} from './limits.js';

export interface ListenOptions extends Partial<Limits> {
  /** 0: any free port. Default 3000. */
  port?: number;
  /** Address or name to bind. Default 127.0.0.1. */
  host?: string;
  /** The endpoint. Default /mcp. */
  path?: string;
  /** Default: the environment variable THIRDRAIL_ENGINE, and `auto` without it. */
  engine?: EngineChoice;
  /** I/O threads of the native engine. Default 1. */
  threads?: number;
  /**
   * Host names (without port) that the `Host` header may name; null: any. Default on loopback: localhost, 127.0.0.1 and
   * [::1], which is what keeps web pages from reaching a local server by DNS rebinding. Must be given elsewhere.
   */
  allowedHosts?: string[] | null;
  /** Host names (without port) that an `Origin` header may name; null: any. Default: as for `allowedHosts`. */
  allowedOrigins?: string[] | null;
  /** Needed to listen beyond loopback, because whoever reaches the port may call every tool. Default false. */
  allowUnauthenticated?: boolean;
}

/** Counters of a listener by the names of the seam. */
export type ListenerStats = Record<keyof typeof ListenerStat, number>;

const OPTIONS = [
  'port',
  'host',
  'path',
  'engine',
  'threads',
  'allowedHosts',
  'allowedOrigins',
  'allowUnauthenticated',
  ...Object.keys(DEFAULT_LIMITS),
];
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** A server on a port. */
export class ServerListener {
  readonly engine: EngineName;
  /** Why this engine. */
  readonly reason: string;
  readonly host: string;
  readonly port: number;
  /** What a client is given. */
  readonly url: string;
  readonly #listener: Listener;
  readonly #closed: () => void;

  /** Made by `McpServer.listen`, not by users. */
  constructor(listener: Listener, engine: Engine, reason: string, path: string, closed: () => void) {
    this.#listener = listener;
    this.#closed = closed;
    this.engine = engine.name;
    this.reason = reason;
    this.host = listener.host;
    this.port = listener.port;
    this.url = `http://${urlHost(listener.host)}:${listener.port}${path}`;
  }

  /** Totals since the start; `connections` and `inFlight` are of now. */
  stats(): ListenerStats {
    const values = new Float64Array(LISTENER_STAT_COUNT);
    this.#listener.stats(values);
    return Object.fromEntries(
      Object.entries(ListenerStat).map(([name, index]) => [name, values[index] as number]),
    ) as ListenerStats;
  }

  /**
   * Stops accepting, lets running calls end, then cuts. Idempotent.
   * @param options.grace milliseconds for running calls, default 5000
   */
  async close(options: { grace?: number } = {}): Promise<void> {
    const grace = checkInteger('grace', options.grace ?? DEFAULT_GRACE, 0);
    try {
      await this.#listener.close(grace);
    } finally {
      this.#closed();
    }
  }

  /** Keeps the process alive, as it does from the start. */
  ref(): this {
    this.#listener.ref();
    return this;
  }

  /** Lets the process end while this listens. */
  unref(): this {
    this.#listener.unref();
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * @throws TypeError for a bad option; Error when the host needs `allowUnauthenticated`, the engine cannot be had or the
 *   port cannot be bound
 */
export async function listen(attachment: Attachment, options: ListenOptions): Promise<ServerListener> {
  const { config, choice } = configOf(options);
  const { engine, reason } = selection(choice);
  const { registry, receiver, detach } = attachment.attach(engine.registry.create());
  try {
    const listener = await engine.serve.listen(config, registry, receiver);
    const server = new ServerListener(listener, engine, reason, config.path, () => {
      detach(listener);
      attachment.listeners.delete(server);
    });
    attachment.listeners.add(server);
    return server;
  } catch (error) {
    detach(null);
    throw error;
  }
}

function configOf(options: ListenOptions): { config: ServeConfig; choice: EngineChoice | undefined } {
  checkKnown(options, OPTIONS, 'listen');
  const { host = DEFAULT_HOST, path = DEFAULT_PATH, engine, allowUnauthenticated = false } = options;
  if (typeof host !== 'string' || host === '') throw new TypeError(`Option host must be a name, not ${show(host)}`);
  if (typeof path !== 'string' || !/^\/[^?#\s]*$/.test(path)) {
    throw new TypeError(`Option path must begin with "/" and hold no "?", "#" or space, not ${show(path)}`);
  }
  if (engine !== undefined && engine !== 'auto' && engine !== 'native' && engine !== 'js') {
    throw new TypeError(`Option engine must be "auto", "native" or "js", not ${show(engine)}`);
  }
  if (typeof allowUnauthenticated !== 'boolean') {
    throw new TypeError(`Option allowUnauthenticated must be true or false, not ${show(allowUnauthenticated)}`);
  }
  const hosts = namesOf('allowedHosts', options.allowedHosts);
  const origins = namesOf('allowedOrigins', options.allowedOrigins);
  const local = isLoopback(host);
  if (!local) guardPublic(host, allowUnauthenticated, hosts);
  const defaults = local ? [...new Set([...LOOPBACK_NAMES, urlHost(host).toLowerCase()])] : [];
  const config: ServeConfig = {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: checkInteger('port', options.port ?? DEFAULT_PORT, 0, 65_535),
    path,
    threads: checkInteger('threads', options.threads ?? DEFAULT_THREADS, 1, 1024),
    modernVersions: [...MODERN_VERSIONS],
    legacyVersions: [...LEGACY_VERSIONS],
    allowedHosts: hosts === undefined ? defaults : hosts,
    // Beyond loopback the server's own names are the origins that can be meant.
    allowedOrigins: origins === undefined ? (local ? defaults : (hosts ?? null)) : origins,
    ...limitsFrom(options),
  };
  return { config, choice: engine };
}

function guardPublic(host: string, allowed: boolean, hosts: string[] | null | undefined): void {
  if (!allowed) {
    throw new Error(
      `Refusing to listen on ${host} without authorization: anyone who reaches the port could call every tool. ` +
        'Listen on 127.0.0.1, or say allowUnauthenticated: true if something else keeps strangers out.',
    );
  }
  if (hosts === undefined) {
    throw new Error(
      `Listening on ${host} needs allowedHosts: the host names by which clients reach it, or null for any.`,
    );
  }
}

/** Lower-case names; an empty list would refuse everybody and is a mistake. */
function namesOf(option: string, names: unknown): string[] | null | undefined {
  if (names === undefined || names === null) return names;
  if (!Array.isArray(names) || names.length === 0) {
    throw new TypeError(`Option ${option} must be a non-empty array of host names, or null, not ${show(names)}`);
  }
  return names.map((name) => {
    const bare = typeof name === 'string' && /^(\[[0-9a-f:.]+\]|[^\s/:[\]]+)$/i.test(name);
    if (!bare) throw new TypeError(`Option ${option} holds ${show(name)}: a host name has no scheme, port or path`);
    return name.toLowerCase();
  });
}

/** Names and addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** A host as it stands in a URL; the addresses that mean "all" become the one to try. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
