/**
 * Listening on HTTP: options checked, an engine chosen, the server's offer attached to it.
 */
import type { DispatchOptions } from '../dispatch.js';
import type { Engine, EngineName, Listener, ServeConfig } from '../engine/engine.js';
import { LISTENER_STAT_COUNT, ListenerStat } from '../engine/engine.js';
import type { EngineChoice } from '../engine/index.js';
import { selection } from '../engine/index.js';
import { LEGACY_VERSIONS, legacyOf, modernOf } from '../protocol/revisions.js';
import type { Attachment } from './attach.js';
import type { AuthOptions } from './auth/options.js';
import { Certificate, type Pem, type TlsOptions } from './certificate.js';
import { type CorsOptions, corsOrigins, originHosts, preflight } from './cors.js';
import { hostNames, isLoopback, LOOPBACK_NAMES, urlHost } from './hosts.js';
import { LEGACY_OPTIONS, type LegacyOptions, legacyOptions } from './legacy.js';
import type { CallLimits, Limits } from './limits.js';
import {
  callLimitsFrom,
  checkInteger,
  checkKnown,
  DEFAULT_CALL_LIMITS,
  DEFAULT_GRACE,
  DEFAULT_HOST,
  DEFAULT_LIMITS,
  DEFAULT_PATH,
  DEFAULT_PORT,
  DEFAULT_THREADS,
  limitsFrom,
  show,
} from './limits.js';

export { isLoopback, urlHost } from './hosts.js';

export interface ListenOptions extends Partial<Limits>, Partial<CallLimits>, LegacyOptions {
  /** 0: any free port. Default 3000. */
  port?: number;
  /** Address or name to bind. Default 127.0.0.1. */
  host?: string;
  /** Path of a unix socket, in place of host and port. What a dead process left there is removed. */
  unix?: string;
  /** The endpoint. Default /mcp. */
  path?: string;
  /** Default: the environment variable THIRDRAIL_ENGINE, and `auto` without it. */
  engine?: EngineChoice;
  /** I/O threads of the native engine. Default 1. */
  threads?: number;
  /** Certificate and key, as PEM or as files. Default: clear text. */
  tls?: TlsOptions;
  /** HTTP/2 besides HTTP/1.1: by ALPN over TLS, by prior knowledge in clear text. Default true. */
  http2?: boolean;
  /** Lets several processes listen on one port (SO_REUSEPORT). Default false. */
  reusePort?: boolean;
  /** Web pages of other origins that may use this server. Default: none. */
  cors?: CorsOptions;
  /**
   * Host names (without port) that the `Host` header may name; null: any. Default on loopback: localhost, 127.0.0.1 and
   * [::1], which is what keeps web pages from reaching a local server by DNS rebinding. Must be given elsewhere.
   */
  allowedHosts?: string[] | null;
  /**
   * Host names (without port) that an `Origin` header may name; null: any. Default: as for `allowedHosts`, and those of
   * `cors`.
   */
  allowedOrigins?: string[] | null;
  /**
   * Who may call: static tokens, JWTs or introspected tokens of an authorization server (OAuth 2.1 resource server). Holds
   * for this listener. Default: everybody who reaches it.
   */
  auth?: AuthOptions;
  /**
   * Needed to listen beyond loopback without `auth`, because whoever reaches the port may call every tool. Default false.
   */
  allowUnauthenticated?: boolean;
}

/** Counters of a listener by the names of the seam. */
export type ListenerStats = Record<keyof typeof ListenerStat, number>;

const OPTIONS = [
  'port',
  'host',
  'unix',
  'path',
  'engine',
  'threads',
  'tls',
  'http2',
  'reusePort',
  'cors',
  'allowedHosts',
  'allowedOrigins',
  'auth',
  'allowUnauthenticated',
  ...Object.keys(DEFAULT_LIMITS),
  ...Object.keys(DEFAULT_CALL_LIMITS),
  ...LEGACY_OPTIONS,
];

/** Options of the dispatcher. */
const PARTICULAR: readonly string[] = [...Object.keys(DEFAULT_CALL_LIMITS), ...LEGACY_OPTIONS];

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
  #certificate: Certificate | undefined;
  readonly #hooks: Hooks;

  /** Made by `McpServer.listen`, not by users. */
  constructor(listener: Listener, engine: Engine, reason: string, settings: Settings, hooks: Hooks) {
    const { config, certificate } = settings;
    this.#listener = listener;
    this.#certificate = certificate;
    this.#hooks = hooks;
    this.engine = engine.name;
    this.reason = reason;
    this.host = listener.host;
    this.port = listener.port;
    const scheme = config.tls === null ? 'http' : 'https';
    this.url =
      config.unixPath === null
        ? `${scheme}://${urlHost(listener.host)}:${listener.port}${config.path}`
        : `unix:${config.unixPath}`;
  }

  /**
   * Another certificate for new connections; those that are open keep theirs.
   * @throws Error when it cannot be used: the old one stays; TypeError for bad options
   */
  async renewTls(tls: TlsOptions): Promise<void> {
    if (this.#certificate === undefined) throw new Error('This listener has no TLS');
    const next = await Certificate.read(tls);
    this.#renew(next.pem);
    this.#certificate = next;
  }

  /**
   * Reads `certFile` and `keyFile` again.
   * @returns whether they had changed
   * @throws Error when they cannot be read or used: the old ones stay
   */
  async reloadTls(): Promise<boolean> {
    const certificate = this.#certificate;
    if (certificate === undefined) throw new Error('This listener has no TLS');
    const changed = await certificate.reload();
    if (changed === undefined) return false;
    this.#renew(changed);
    certificate.keep(changed);
    return true;
  }

  #renew({ cert, key }: Pem): void {
    const fault = this.#listener.renewTls(cert, key);
    if (fault !== '') throw new Error(`TLS: ${fault}`);
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
    this.#hooks.closing();
    try {
      await this.#listener.close(grace);
    } finally {
      this.#hooks.closed();
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
 * @throws TypeError for a bad option; Error when the host needs `allowUnauthenticated`, the engine cannot be had, the
 *   certificate cannot be used or the address cannot be bound
 */
export async function listen(attachment: Attachment, options: ListenOptions): Promise<ServerListener> {
  const settings = await settingsOf(options, attachment.catalog.versions);
  const { auth } = options;
  const guarded =
    auth === undefined
      ? undefined
      : (await import('./authorize.js')).authorizationOf(attachment, auth, settings.dispatch);
  const dispatch = guarded?.options ?? settings.dispatch;
  const config = {
    ...settings.config,
    authorize: guarded !== undefined,
    otherPaths: [...(dispatch.paths?.keys() ?? [])],
  };
  const { engine, reason } = selection(settings.choice);
  // The common dispatcher is as its first listener wanted it; who wants something else has one alone.
  const alone = attachment.settled && PARTICULAR.some((name) => options[name as keyof ListenOptions] !== undefined);
  const dispatcher = guarded?.receiver ?? (alone ? attachment.own(dispatch) : attachment.receiver(dispatch));
  const { registry, detach } = attachment.attach(engine.registry.create(), dispatch, dispatcher);
  try {
    const facing = config.corsOrigins === null ? dispatcher : preflight(dispatcher);
    const listener = await engine.serve.listen(config, registry, facing);
    const letGo = guarded?.attach(listener);
    const server = new ServerListener(listener, engine, reason, settings, {
      // What stays open until somebody leaves would hold it for the whole grace.
      closing: () => dispatcher.closing(listener),
      closed: () => {
        letGo?.();
        detach(listener);
        attachment.listeners.delete(server);
      },
    });
    attachment.listeners.add(server);
    return server;
  } catch (error) {
    detach(null);
    throw error;
  }
}

/** What the end of a listener means for the server. */
interface Hooks {
  /** Before it: nobody may be left waiting for something that does not come. */
  readonly closing: () => void;
  readonly closed: () => void;
}

/** What the options come to. */
interface Settings {
  readonly config: ServeConfig;
  readonly choice: EngineChoice | undefined;
  readonly certificate: Certificate | undefined;
  readonly dispatch: DispatchOptions;
}

/** @param versions what the server was told to serve; undefined: all there are */
async function settingsOf(options: ListenOptions, versions: readonly string[] | undefined): Promise<Settings> {
  checkKnown(options, OPTIONS, 'listen');
  const { path = DEFAULT_PATH, engine } = options;
  if (typeof path !== 'string' || !/^\/[^?#\s]*$/.test(path)) {
    throw new TypeError(`Option path must begin with "/" and hold no "?", "#" or space, not ${show(path)}`);
  }
  if (engine !== undefined && engine !== 'auto' && engine !== 'native' && engine !== 'js') {
    throw new TypeError(`Option engine must be "auto", "native" or "js", not ${show(engine)}`);
  }
  const http2 = checkBoolean('http2', options.http2 ?? true);
  const place = placeOf(options);
  const limits = limitsFrom(options);
  const certificate = options.tls === undefined ? undefined : await Certificate.read(options.tls);
  const dispatch: DispatchOptions = { ...callLimitsFrom(options), ...legacyOptions(options, path) };
  const config: ServeConfig = {
    ...place,
    path,
    threads: checkInteger('threads', options.threads ?? DEFAULT_THREADS, 1, 1024),
    modernVersions: [...modernOf(versions)],
    // One that only the server knows is above the seam's business.
    legacyVersions: legacyOf(versions).filter((version) => LEGACY_VERSIONS.includes(version)),
    tls: certificate?.pem ?? null,
    http2,
    otherPaths: [],
    authorize: false,
    ...limits,
  };
  return { config, choice: engine, certificate, dispatch };
}

type Place = Pick<
  ServeConfig,
  'host' | 'port' | 'unixPath' | 'reusePort' | 'allowedHosts' | 'allowedOrigins' | 'corsOrigins'
>;

/** Where to listen, and whom that lets in. */
export function placeOf(options: ListenOptions): Place {
  const { host = DEFAULT_HOST, unix } = options;
  if (typeof host !== 'string' || host === '') throw new TypeError(`Option host must be a name, not ${show(host)}`);
  const reusePort = checkBoolean('reusePort', options.reusePort ?? false);
  const unauthenticated = checkBoolean('allowUnauthenticated', options.allowUnauthenticated ?? false);
  if (unix !== undefined) {
    if (typeof unix !== 'string' || unix === '' || unix.includes('\0')) {
      throw new TypeError(`Option unix must be the path of a socket, not ${show(unix)}`);
    }
    for (const other of ['host', 'port', 'reusePort'] as const) {
      if (options[other] !== undefined)
        throw new TypeError(`Option unix stands in place of ${other}: give one of them`);
    }
  }
  const port = checkInteger('port', options.port ?? DEFAULT_PORT, 0, 65_535);
  const hosts = hostNames('allowedHosts', options.allowedHosts);
  const origins = hostNames('allowedOrigins', options.allowedOrigins);
  const cors = options.cors === undefined ? null : corsOrigins(options.cors);
  // Who may open the file of a socket is on this machine, and the file's permissions say who that is.
  const local = unix !== undefined || isLoopback(host);
  if (!local) guardPublic(host, unauthenticated || options.auth !== undefined, hosts);
  const defaults = local ? [...new Set([...LOOPBACK_NAMES, urlHost(host).toLowerCase()])] : [];
  // Beyond loopback the server's own names are the origins that can be meant.
  const own = local ? defaults : (hosts ?? null);
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port,
    unixPath: unix ?? null,
    reusePort,
    allowedHosts: hosts === undefined ? defaults : hosts,
    allowedOrigins: origins === undefined ? originHosts(own, cors) : origins,
    corsOrigins: cors,
  };
}

function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`Option ${option} must be true or false, not ${show(value)}`);
  return value;
}

function guardPublic(host: string, allowed: boolean, hosts: string[] | null | undefined): void {
  if (!allowed) {
    throw new Error(
      `Refusing to listen on ${host} without authorization: anyone who reaches the port could call every tool. ` +
        'Give auth, listen on 127.0.0.1, or say allowUnauthenticated: true if something else keeps strangers out.',
    );
  }
  if (hosts === undefined) {
    throw new Error(
      `Listening on ${host} needs allowedHosts: the host names by which clients reach it, or null for any.`,
    );
  }
}
