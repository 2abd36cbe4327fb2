/**
 * The limits of a server and their defaults: the one place where the numbers stand. docs/limits.md says what happens beyond
 * each, and a test keeps that table equal to this one.
 *
 * Where to listen: host 127.0.0.1, port 3000, path /mcp, one I/O thread. Over stdio `maxBodyBytes` bounds a line.
 */
import type { ServeConfig } from '../engine/engine.js';

/** What the engine checks. Sizes are bytes, times milliseconds. */
export type Limits = Pick<
  ServeConfig,
  | 'maxBodyBytes'
  | 'maxHeaderBytes'
  | 'maxDepth'
  | 'maxInFlight'
  | 'maxConnections'
  | 'maxStreamBytes'
  | 'streamHighWaterMark'
  | 'headerTimeout'
  | 'bodyTimeout'
  | 'idleTimeout'
  | 'writeTimeout'
  | 'compressionThreshold'
>;

export const DEFAULT_LIMITS: Readonly<Limits> = {
  maxBodyBytes: 4 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxDepth: 128,
  maxInFlight: 10_000,
  maxConnections: 10_000,
  maxStreamBytes: 1024 * 1024,
  streamHighWaterMark: 64 * 1024,
  headerTimeout: 10_000,
  bodyTimeout: 30_000,
  idleTimeout: 60_000,
  writeTimeout: 30_000,
  compressionThreshold: 0,
};

/** What is checked where calls run. A listener that gives none of these has those of the server's first one. */
export interface CallLimits {
  /** Messages of a legacy batch. */
  maxBatch: number;
  /** Bytes of one result. */
  maxResultBytes: number;
  /** Milliseconds for a handler; 0: as long as it takes. */
  toolTimeout: number;
  /** Open `subscriptions/listen` streams. */
  maxStreams: number;
  /** Milliseconds between two comments on a silent stream, which keep proxies from closing it; 0: none. */
  keepAlive: number;
  /** Legacy sessions; the one idle for longest makes room for a new one. */
  maxSessions: number;
  /** Milliseconds without a request after which a legacy session ends; 0: never. */
  sessionIdleTimeout: number;
}

export const DEFAULT_CALL_LIMITS: Readonly<CallLimits> = {
  maxBatch: 100,
  maxResultBytes: 64 * 1024 * 1024,
  toolTimeout: 0,
  maxStreams: 1024,
  keepAlive: 15_000,
  maxSessions: 10_000,
  sessionIdleTimeout: 30 * 60_000,
};

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 3000;
export const DEFAULT_PATH = '/mcp';
export const DEFAULT_THREADS = 1;
/** Milliseconds that `close` gives running calls. */
export const DEFAULT_GRACE = 5_000;
/** Unsent bytes on stdout above which stdin is not read on. */
export const DEFAULT_HIGH_WATER_MARK = 1024 * 1024;

/** Largest value that fits each limit's 32-bit field in either engine. */
const MOST = 2 ** 31 - 1;

/** @throws TypeError naming the option unless it is a whole number in the range */
export function checkInteger(name: string, value: unknown, least: number, most = MOST): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`Option ${name} must be a whole number from ${least} to ${most}, not ${show(value)}`);
  }
  return value;
}

/** @throws TypeError naming the option that is not known */
export function checkKnown(options: unknown, known: readonly string[], of: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`The options of ${of} must be an object, not ${show(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`Unknown option of ${of}: ${name}; known are ${known.join(', ')}`);
  }
}

/** The limits with what is given in place of the defaults. @throws TypeError */
export function limitsFrom(given: Partial<Limits>): Limits {
  return filled(DEFAULT_LIMITS, given);
}

/** As {@link limitsFrom}, for those of calls. @throws TypeError */
export function callLimitsFrom(given: Partial<CallLimits>): CallLimits {
  return filled(DEFAULT_CALL_LIMITS, given);
}

/** Those that mean "off" when they are 0. */
const MAY_BE_ZERO = new Set(['compressionThreshold', 'keepAlive', 'toolTimeout', 'sessionIdleTimeout']);

function filled<L extends object>(defaults: Readonly<L>, given: Partial<L>): L {
  const limits = { ...defaults } as Record<string, unknown>;
  for (const name of Object.keys(defaults)) {
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined) limits[name] = checkInteger(name, value, MAY_BE_ZERO.has(name) ? 0 : 1);
  }
  return limits as L;
}

/** A value in an error message. */
export function show(value: unknown): string {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return typeof value;
  try {
    return String(JSON.stringify(value)).slice(0, 80);
  } catch {
    return typeof value;
  }
}
