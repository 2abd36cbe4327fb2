/**
 * Serving one client over standard input and output.
 *
 * Standard output carries protocol messages and nothing else: while this serves it, whatever another part of the process
 * writes there (console.log above all) goes to standard error.
 */
import { pipeEngine } from '../engine/index.js';
import { LEGACY_VERSIONS, MODERN_VERSIONS } from '../protocol/revisions.js';
import type { Closable } from './attach.js';
import { checkInteger, checkKnown, DEFAULT_GRACE, DEFAULT_HIGH_WATER_MARK, DEFAULT_LIMITS } from './limits.js';
import { attachmentOf, type McpServer } from './mcp.js';

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
}

export interface StdioHandle extends Closable {
  /** Resolves when the input ended and everything is answered, or after `close`. */
  readonly closed: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const OPTIONS = ['input', 'output', 'maxMessageBytes', 'maxDepth', 'maxInFlight', 'highWaterMark', 'grace', 'signals'];

/**
 * Starts serving; messages that came before are read now.
 * @throws TypeError for a bad option
 */
export function serveStdio(server: McpServer, options: StdioOptions = {}): StdioHandle {
  checkKnown(options, OPTIONS, 'serveStdio');
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

  const attachment = attachmentOf(server);
  const engine = pipeEngine();
  const { registry, receiver, detach } = attachment.attach(engine.createRegistry());
  const guarded = output === process.stdout ? guardStdout() : undefined;
  const pipe = engine.serve(
    {
      input,
      output: guarded?.output ?? output,
      modernVersions: [...MODERN_VERSIONS],
      legacyVersions: [...LEGACY_VERSIONS],
      ...limits,
    },
    registry,
    receiver,
  );

  // An earlier handle may have let it go, see below.
  if (input === process.stdin) pipe.ref();
  const onSignal = () => {
    // Code 0: ending on request is what a client expects of a server it started.
    void handle.close().then(() => process.exit(0));
  };
  if (signals) for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);

  const closed = pipe.closed.finally(() => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    // Paused in the middle of a read, standard input reads ahead once more, and would hold the process for that.
    if (input === process.stdin) pipe.unref();
    guarded?.restore();
    detach(pipe);
    attachment.listeners.delete(handle);
  });
  const handle: StdioHandle = {
    closed,
    close: async (given = {}) => {
      await pipe.close(checkInteger('grace', given.grace ?? grace, 0));
      await closed;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
  attachment.listeners.add(handle);
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
