/**
 * The limits of a listener and their defaults: the one place where the numbers stand.
 *
 * | option           | default | unit         | what happens beyond it                                   |
 * |------------------|--------:|--------------|----------------------------------------------------------|
 * | `maxBodyBytes`   |   4 MiB | bytes        | 413, before the body is read when its length is declared |
 * | `maxHeaderBytes` |  16 KiB | bytes        | 431                                                      |
 * | `maxDepth`       |     128 | brackets     | JSON-RPC -32600                                          |
 * | `maxInFlight`    |  10,000 | calls        | 503 with `Retry-After`                                   |
 * | `maxConnections` |  10,000 | connections  | closed at once                                           |
 * | `maxStreamBytes` |   1 MiB | unsent bytes | the stream is cut off                                    |
 * | `headerTimeout`  |  10,000 | ms           | 408, closed                                              |
 * | `bodyTimeout`    |  30,000 | ms           | 408, closed                                              |
 * | `idleTimeout`    |  60,000 | ms           | closed                                                   |
 *
 * Where to listen: host 127.0.0.1, port 3000, path /mcp, one I/O thread. Over stdio `maxBodyBytes` bounds a line.
 */
import type { ServeConfig } from '../engine/engine.js';

export type Limits = Pick<
  ServeConfig,
  | 'maxBodyBytes'
  | 'maxHeaderBytes'
  | 'maxDepth'
  | 'maxInFlight'
  | 'maxConnections'
  | 'maxStreamBytes'
  | 'headerTimeout'
  | 'bodyTimeout'
  | 'idleTimeout'
>;

export const DEFAULT_LIMITS: Readonly<Limits> = {
  maxBodyBytes: 4 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxDepth: 128,
  maxInFlight: 10_000,
  maxConnections: 10_000,
  maxStreamBytes: 1024 * 1024,
  headerTimeout: 10_000,
  bodyTimeout: 30_000,
  idleTimeout: 60_000,
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
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
    if (given[name] !== undefined) limits[name] = checkInteger(name, given[name], 1);
  }
  return limits;
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
