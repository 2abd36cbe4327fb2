/**
 * What a mounted handler can be told, checked once; and the configuration that a mount makes of it.
 */
import type { ServeConfig } from '../../engine/engine.js';
import { Mode } from '../../engine/mount.js';
import { LEGACY_VERSIONS, MODERN_VERSIONS } from '../../protocol/revisions.js';
import { DEFAULT_KEEP_ALIVE, DEFAULT_MAX_STREAMS } from '../../protocol/streams.js';
import type { AuthOptions } from '../auth/options.js';
import { hostNames, LOOPBACK_NAMES } from '../hosts.js';
import { checkInteger, DEFAULT_LIMITS, type Limits, limitsFrom, show } from '../limits.js';
import { bodyLimit } from './body.js';
import type { ServerEventBus } from './bus.js';

/** JSON unless there are events before the result; always events; never events (then those before a result are lost). */
export type PerRequestResponseMode = 'auto' | 'sse' | 'json';

export interface CreateMcpHandlerOptions {
  /**
   * How clients of the legacy era are served. `stateless`: every request stands alone, GET and DELETE are 405. `reject`:
   * not at all. `sessions` (only for a server object, and its default): with sessions, streams and questions to the client.
   * Default for a factory: `stateless`.
   */
  legacy?: 'stateless' | 'reject' | 'sessions';
  /** Told of refused requests and of failures; what it throws is ignored. */
  onerror?: (error: Error) => void;
  /** Of modern responses. Default `auto`. Subscriptions are always streams. */
  responseMode?: PerRequestResponseMode;
  /** Where changes are published and heard. Default: one of this process; for a server object the server's own. */
  bus?: ServerEventBus;
  /** Most open `subscriptions/listen` streams. Default 1024. */
  maxSubscriptions?: number;
  /** Milliseconds between comments on event streams, 0: none. Default 15,000. */
  keepAliveMs?: number;
  /** Most bytes of a request body. Default 4 MiB. */
  maxRequestBodySize?: number;
  /**
   * Host names (without port) that `Host` may name; null: any. Default: on a loopback socket localhost, 127.0.0.1 and
   * [::1], unless a validation of this package stands in front; nothing is checked where there is no socket to look at.
   */
  allowedHosts?: string[] | null;
  /** Host names (without port) that an `Origin` header may name; null: any. Default: as for `allowedHosts`. */
  allowedOrigins?: string[] | null;
  /**
   * Who may call, as for `listen({ auth })`; only for a server object. Whom something in front of the handler has found out
   * (`authInfo`, `req.auth`) is believed. Route the metadata's path (`/.well-known/oauth-protected-resource/...`) to the
   * handler as well. Default: everybody who reaches it.
   */
  auth?: AuthOptions;
  /** Other limits, see the table of limits. Default: that table. */
  limits?: Partial<Pick<Limits, 'maxDepth' | 'maxInFlight' | 'maxStreamBytes'>>;
}

/** Options with their defaults. */
export interface HandlerSettings {
  readonly legacy: 'stateless' | 'reject' | 'sessions';
  readonly mode: number;
  readonly keepAlive: number;
  readonly maxSubscriptions: number;
  readonly config: ServeConfig;
  /** The names were given (or switched off), and hold on every face; else they are those of loopback, where it applies. */
  readonly hostsGiven: boolean;
  readonly originsGiven: boolean;
  readonly report: (error: Error) => void;
}

const MODES = { auto: Mode.auto, sse: Mode.stream, json: Mode.json } as const;

/** @throws TypeError or RangeError naming the option */
export function settingsOf(options: CreateMcpHandlerOptions, shared: boolean): HandlerSettings {
  const { legacy = shared ? 'sessions' : 'stateless', responseMode = 'auto', onerror } = options;
  if (typeof legacy === 'function') {
    throw new TypeError(
      "Option legacy must be 'stateless' or 'reject', not a function. To serve legacy clients with a handler of your own, " +
        "route to it with isLegacyRequest(request) in front of a handler with legacy: 'reject'.",
    );
  }
  const known = shared ? ['stateless', 'reject', 'sessions'] : ['stateless', 'reject'];
  if (!known.includes(legacy)) {
    throw new TypeError(`Option legacy must be one of ${known.join(', ')}, not ${show(legacy)}`);
  }
  if (!Object.hasOwn(MODES, responseMode)) {
    throw new TypeError(`Option responseMode must be "auto", "sse" or "json", not ${show(responseMode)}`);
  }
  const { allowedHosts, allowedOrigins, auth } = options;
  if (auth !== undefined && !shared) {
    throw new TypeError(
      'Option auth needs a server object. In front of a factory put requireBearerAuth, and the factory is told who asks.',
    );
  }
  const config: ServeConfig = {
    ...limitsFrom({ ...DEFAULT_LIMITS, ...options.limits }),
    host: '',
    port: 0,
    path: '/',
    threads: 1,
    modernVersions: [...MODERN_VERSIONS],
    legacyVersions: legacy === 'reject' ? [] : [...LEGACY_VERSIONS],
    allowedHosts: namesOrLoopback('allowedHosts', allowedHosts),
    allowedOrigins: namesOrLoopback('allowedOrigins', allowedOrigins),
    maxBodyBytes: Math.floor(bodyLimit(options.maxRequestBodySize)),
    unixPath: null,
    reusePort: false,
    tls: null,
    http2: false,
    otherPaths: [],
    corsOrigins: null,
    authorize: false,
  };
  return {
    legacy,
    mode: MODES[responseMode],
    keepAlive: interval(options.keepAliveMs),
    maxSubscriptions: checkInteger('maxSubscriptions', options.maxSubscriptions ?? DEFAULT_MAX_STREAMS, 0),
    config,
    hostsGiven: allowedHosts !== undefined,
    originsGiven: allowedOrigins !== undefined,
    report(error) {
      try {
        onerror?.(error);
      } catch {
        // Whoever is told of an error must not cause the next one.
      }
    },
  };
}

/** As in the official SDK, an interval that no timer can have switches the comments off. */
function interval(milliseconds: number | undefined): number {
  if (milliseconds === undefined) return DEFAULT_KEEP_ALIVE;
  return Number.isFinite(milliseconds) && milliseconds >= 1 ? Math.min(milliseconds, 2 ** 31 - 1) : 0;
}

/** Without any the names of loopback, which hold where it applies. */
function namesOrLoopback(option: string, names: unknown): string[] | null {
  const given = hostNames(option, names);
  return given === undefined ? [...LOOPBACK_NAMES] : given;
}
