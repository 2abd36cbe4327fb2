/**
 * Serving one client over standard input and output, or over a transport that somebody else made.
 *
 * Standard output carries protocol messages and nothing else: while this serves it, whatever another part of the process
 * writes there (console.log above all) goes to standard error.
 */
import type { DispatchOptions } from '../dispatch.js';
import type { Listener, Receiver, Registry } from '../engine/engine.js';
import { pipeEngine } from '../engine/pipe.js';
import { LEGACY_VERSIONS, MODERN_VERSIONS, SUPPORTED_PROTOCOL_VERSIONS } from '../protocol/revisions.js';
import type { ProtocolEra } from '../protocol/types.js';
import type { Attached, Attachment, Closable } from './attach.js';
import { attachmentOf } from './attach.js';
import { checkInteger, checkKnown, DEFAULT_GRACE, DEFAULT_HIGH_WATER_MARK, DEFAULT_LIMITS } from './limits.js';
import { Connection } from './lowlevel/connect.js';
import { Opening } from './lowlevel/opening.js';
import { PipeClient } from './lowlevel/pipe-client.js';
import type { Server } from './lowlevel/server.js';
import type { McpServer } from './mcp.js';
import type { Transport } from './transports/transport.js';

export interface StdioOptions {
  /** Default: process.stdin. */
  input?: NodeJS.ReadableStream;
  /** Default: process.stdout. */
  output?: NodeJS.WritableStream;
  /** Longest message in bytes. Default 4 MiB. */
  maxMessageBytes?: number;
  /** Most nested brackets. Default 128. */
  maxDepth?: number;
  /** Most calls at a time. Default 10,000. */
  maxInFlight?: number;
  /** Unsent bytes above which reading pauses. Default 1 MiB. */
  highWaterMark?: number;
  /** Milliseconds that running calls get when a signal ends the process. Default 5000. */
  grace?: number;
  /**
   * Whether SIGTERM and SIGINT drain and then end the process with code 0. Default: when `input` is process.stdin, so
   * that a server inside something larger leaves the process alone.
   */
  signals?: boolean;
  /** `reject` refuses clients of the legacy era with an error that names what is served. Default: serve. */
  legacy?: 'serve' | 'reject';
  /** Serves this transport in place of streams; options that are about streams are not allowed then. */
  transport?: Transport;
  /** Told of trouble that belongs to no request. */
  onerror?: (error: Error) => void;
  /** Most subscriptions (`subscriptions/listen`) at a time. Default 1024. */
  maxSubscriptions?: number;
}

/** The server, or a function that makes one for the connection: the era in which its client speaks is known by then. */
export type StdioTarget =
  | McpServer
  | Server
  | ((context: { era: ProtocolEra }) => McpServer | Server | Promise<McpServer | Server>);

export interface StdioHandle extends Closable {
  /** Resolves when the input ended and everything is answered, or after `close`. */
  readonly closed: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const STREAMS = ['input', 'output', 'maxMessageBytes', 'maxDepth', 'maxInFlight', 'highWaterMark', 'signals'];
const OPTIONS = [...STREAMS, 'grace', 'legacy', 'transport', 'onerror', 'maxSubscriptions'];
const TRANSPORT_OPTIONS = OPTIONS.filter((name) => !STREAMS.includes(name));

/**
 * Starts serving; messages that came before are read now.
 * @throws TypeError for a bad option
 */
export function serveStdio(target: StdioTarget, options: StdioOptions = {}): StdioHandle {
  const { transport, legacy = 'serve', onerror } = options;
  checkKnown(options, transport === undefined ? OPTIONS : TRANSPORT_OPTIONS, 'serveStdio');
  if (legacy !== 'serve' && legacy !== 'reject') throw new TypeError('Option legacy must be "serve" or "reject"');
  if (onerror !== undefined && typeof onerror !== 'function') throw new TypeError('Option onerror must be a function');
  const most = options.maxSubscriptions;
  if (most !== undefined) checkInteger('maxSubscriptions', most, 1);
  const side = new ServingSide(target, legacy === 'serve', onerror, most === undefined ? {} : { maxStreams: most });
  return transport === undefined ? serveStreams(side, options) : serveTransport(side, transport);
}

/** What stands behind the connection: one server from the start, or the one that the opening decides. */
class ServingSide {
  /** Who answers before and after the opening. */
  readonly receiver: Receiver;
  readonly #options: DispatchOptions;
  readonly #onerror: ((error: Error) => void) | undefined;
  #opening: Opening | undefined;
  #server: Attachment | undefined;
  #registry: Registry | undefined;
  #attached: Attached | undefined;
  /** Called when it is known who serves; at once when it always was. */
  #settled: (server: Attachment) => void = () => {};

  constructor(
    target: StdioTarget,
    legacy: boolean,
    onerror: ((error: Error) => void) | undefined,
    options: DispatchOptions,
  ) {
    this.#options = options;
    this.#onerror = onerror;
    if (typeof target !== 'function' && legacy) {
      this.#server = attachmentOf(target);
      this.receiver = this.#server.receiver(options);
      return;
    }
    if (typeof target !== 'function') attachmentOf(target);
    this.#opening = new Opening({
      make: (era) => (typeof target === 'function' ? target({ era }) : target),
      legacy,
      pinned: (server) => this.#pinned(server),
      failed: (error) => this.failed(error),
    });
    this.receiver = this.#opening;
  }

  get server(): Attachment | undefined {
    return this.#server ?? this.#opening?.server;
  }

  /** @param registry that an engine asks before the receiver; undefined for a transport, which has none */
  begin(registry: Registry | undefined, settled: (server: Attachment) => void): void {
    this.#registry = registry;
    this.#settled = settled;
    if (this.#server !== undefined) this.#pinned(this.#server);
    else registry?.publish();
  }

  #pinned(server: Attachment): void {
    this.#server = server;
    server.receiver(this.#options);
    if (this.#registry !== undefined) this.#attached = server.attach(this.#registry, this.#options);
    this.#settled(server);
  }

  /** The connection is over. */
  end(listener: Listener): void {
    this.#opening?.end();
    if (this.#attached !== undefined) this.#attached.detach(listener);
    else this.server?.receiver().forget(listener);
  }

  failed(error: Error): void {
    try {
      this.#onerror?.(error);
    } catch {
      // A handler of errors has nobody to tell of its own.
    }
  }
}

function serveTransport(side: ServingSide, transport: Transport): StdioHandle {
  let done = (): void => {};
  const closed = new Promise<void>((resolve) => {
    done = resolve;
  });
  const connection: Connection = new Connection(transport, {
    receiver: side.receiver,
    session: (listener) => side.server?.receiver().sessions.pipe(listener),
    ended: () => {
      side.end(connection.listener);
      side.server?.release(connection, connection.listener);
      done();
    },
    failed: (error) => side.failed(error),
  });
  side.begin(undefined, (server) => server.take(connection));
  const started = connection.open(SUPPORTED_PROTOCOL_VERSIONS).catch((error: Error) => side.failed(error));
  return {
    closed,
    close: async (given = {}) => {
      await started;
      await connection.close(given);
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
    },
  };
}

function serveStreams(side: ServingSide, options: StdioOptions): StdioHandle {
  const { input = process.stdin, output = process.stdout, signals = input === process.stdin } = options;
  if (typeof signals !== 'boolean') throw new TypeError('Option signals must be true or false');
  if (typeof input.on !== 'function') throw new TypeError('Option input must be a readable stream');
  if (typeof output.write !== 'function') throw new TypeError('Option output must be a writable stream');
  const grace = checkInteger('grace', options.grace ?? DEFAULT_GRACE, 0);
  const limits = {
    maxMessageBytes: checkInteger('maxMessageBytes', options.maxMessageBytes ?? DEFAULT_LIMITS.maxBodyBytes, 1),
    maxDepth: checkInteger('maxDepth', options.maxDepth ?? DEFAULT_LIMITS.maxDepth, 1),
    maxInFlight: checkInteger('maxInFlight', options.maxInFlight ?? DEFAULT_LIMITS.maxInFlight, 1),
    highWaterMark: checkInteger('highWaterMark', options.highWaterMark ?? DEFAULT_HIGH_WATER_MARK, 1),
  };

  const engine = pipeEngine();
  const registry = engine.createRegistry();
  const guarded = output === process.stdout ? guardStdout() : undefined;
  let serving: { server: Attachment; client: PipeClient } | undefined;
  const handle: StdioHandle = {
    get closed() {
      return closed;
    },
    close: async (given = {}) => {
      await pipe.close(checkInteger('grace', given.grace ?? grace, 0));
      await closed;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
  // Filled before the first message is read, and so before anybody could ask.
  const settled = (server: Attachment): void => {
    const client = new PipeClient(
      () => pipe,
      () => server.receiver().sessions,
    );
    serving = { server, client };
    server.listeners.add(handle);
    server.client ??= client;
  };
  side.begin(registry, settled);
  const pipe = engine.serve(
    {
      input,
      output: guarded?.output ?? output,
      modernVersions: [...MODERN_VERSIONS],
      legacyVersions: [...LEGACY_VERSIONS],
      ...limits,
    },
    registry,
    side.receiver,
  );

  // Whoever waits for an answer of the client's waits in vain from then on, and would hold the end of everything.
  const unheard = () => side.server?.receiver().sessions.pipe(pipe)?.peer.close('The client closed the connection');
  input.once('end', unheard);
  input.once('close', unheard);
  // An earlier handle may have let it go, see below.
  if (input === process.stdin) pipe.ref();
  const onSignal = () => {
    // Code 0: ending on request is what a client expects of a server it started.
    void handle.close().then(() => process.exit(0));
  };
  if (signals) for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);

  const closed: Promise<void> = pipe.closed.finally(() => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    input.off('end', unheard);
    input.off('close', unheard);
    // Paused in the middle of a read, standard input reads ahead once more, and would hold the process for that.
    if (input === process.stdin) pipe.unref();
    guarded?.restore();
    side.end(pipe);
    if (serving === undefined) return;
    const { server, client } = serving;
    server.listeners.delete(handle);
    if (server.client !== client) return;
    server.client = undefined;
    server.watcher?.ended();
  });
  return handle;
}

/** Sends every other writer of process.stdout to standard error, and gives the one stream that still writes there. */
function guardStdout(): { output: NodeJS.WritableStream; restore: () => void } {
  const stdout = process.stdout;
  const write = stdout.write;
  const real = write.bind(stdout);
  const output = new Proxy(stdout, {
    get(target, key) {
      if (key === 'write') return real;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const diverted = process.stderr.write.bind(process.stderr) as typeof stdout.write;
  stdout.write = diverted;
  return {
    output,
    restore: () => {
      // Somebody may have put a writer of their own over ours meanwhile; that one stays.
      if (stdout.write === diverted) stdout.write = write;
    },
  };
}
