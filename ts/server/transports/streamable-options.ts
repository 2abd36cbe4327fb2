/** What the Streamable HTTP transports are told, in the names of the official SDK, and their defaults. */
import type { EventStore } from '../../protocol/events/store.js';
import { SUPPORTED_PROTOCOL_VERSIONS } from '../../protocol/revisions.js';
import { DEFAULT_MAX_REQUEST_BODY_SIZE } from '../../protocol/sdk/body.js';
import { DEFAULT_KEEP_ALIVE } from '../../protocol/streams.js';
import type { AuthInfo } from '../../protocol/types.js';

export type { EventId, EventStore, StreamId } from '../../protocol/events/store.js';

export interface WebStandardStreamableHTTPServerTransportOptions {
  /**
   * Makes the id of the session, once; visible ASCII that nobody can guess, for instance `crypto.randomUUID`. Default: no
   * session, any request is taken.
   */
  sessionIdGenerator?: (() => string) | undefined;
  /** Told of the new session before its first message is handed over; when it rejects, the session is refused. */
  onsessioninitialized?: ((sessionId: string) => void | Promise<void>) | undefined;
  /** Told that the client has ended its session with DELETE, before the transport closes. */
  onsessionclosed?: ((sessionId: string) => void | Promise<void>) | undefined;
  /** Answers with JSON instead of event streams; what a handler says before its answer is then not sent. Default false. */
  enableJsonResponse?: boolean | undefined;
  /** Keeps events, so that interrupted streams can be taken up again. Default: none. */
  eventStore?: EventStore | undefined;
  /** `Host` headers that are let in, port included. Only with {@link enableDnsRebindingProtection}. Default: any. */
  allowedHosts?: string[] | undefined;
  /** `Origin` headers that are let in. Only with {@link enableDnsRebindingProtection}. Default: any. */
  allowedOrigins?: string[] | undefined;
  /** Whether {@link allowedHosts} and {@link allowedOrigins} are looked at. Default false. */
  enableDnsRebindingProtection?: boolean | undefined;
  /** Milliseconds that clients are told to wait before they take up a stream again. Default: none told. */
  retryInterval?: number | undefined;
  /** Milliseconds between comments on open streams, 0: none. Default 15,000. */
  keepAliveMs?: number | undefined;
  /** Revisions that are let in by their header. Default: all that are known; `connect` sets those of its server. */
  supportedProtocolVersions?: string[] | undefined;
  /** Most bytes of a request's body. Default 4 MiB. */
  maxRequestBodySize?: number | undefined;
}

export interface HandleRequestOptions {
  /** The decoded body, when somebody in front has read it. */
  parsedBody?: unknown;
  /** Who asks, as somebody in front has found out. It is never read from the request. */
  authInfo?: AuthInfo | undefined;
}

export interface Settings {
  readonly newSessionId: (() => string) | undefined;
  readonly onsessioninitialized: (sessionId: string) => void | Promise<void>;
  readonly onsessionclosed: (sessionId: string) => void | Promise<void>;
  readonly json: boolean;
  readonly store: EventStore | undefined;
  /** Undefined: any. */
  readonly hosts: readonly string[] | undefined;
  readonly origins: readonly string[] | undefined;
  readonly retry: number | undefined;
  readonly keepAlive: number;
  readonly versions: readonly string[];
  readonly maxBody: number;
}

const nothing = () => {};

/** @throws RangeError for a number that makes no sense */
export function settingsOf(options: WebStandardStreamableHTTPServerTransportOptions): Settings {
  const { enableDnsRebindingProtection: guarded, allowedHosts, allowedOrigins } = options;
  return {
    newSessionId: options.sessionIdGenerator,
    onsessioninitialized: options.onsessioninitialized ?? nothing,
    onsessionclosed: options.onsessionclosed ?? nothing,
    json: options.enableJsonResponse ?? false,
    store: options.eventStore,
    hosts: guarded && allowedHosts?.length ? [...allowedHosts] : undefined,
    origins: guarded && allowedOrigins?.length ? [...allowedOrigins] : undefined,
    retry: options.retryInterval === undefined ? undefined : wait('retryInterval', options.retryInterval),
    keepAlive: wait('keepAliveMs', options.keepAliveMs ?? DEFAULT_KEEP_ALIVE),
    versions: options.supportedProtocolVersions ?? SUPPORTED_PROTOCOL_VERSIONS,
    maxBody: wait('maxRequestBodySize', options.maxRequestBodySize ?? DEFAULT_MAX_REQUEST_BODY_SIZE),
  };
}

/** Longest delay that a timer takes. */
const MAX_DELAY = 2 ** 31 - 1;

function wait(name: string, value: number): number {
  if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
    throw new RangeError(`${name} must be a number, zero or more, got ${String(value)}`);
  }
  return Math.min(Math.floor(value), MAX_DELAY);
}
