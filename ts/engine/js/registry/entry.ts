/** One entry: a route with its identity and its counters. Entries are immutable; a changed route is a new entry. */
import { isAscii } from 'node:buffer';
import type { EntryStats } from './stats.js';

/**
 * One published (method, name).
 *
 * `modern` and `legacy` are ready results per era, null for a handler or where the era does not have the method. They END
 * WITH ONE MORE `}` than the result has: it closes the JSON-RPC response, so that `{"jsonrpc":"2.0","id":1,"result":` and
 * these bytes are a whole message and a long list is never copied. The text is the same decoded; when it is ASCII, head,
 * id and text may be joined and written as one latin1 string.
 */
export interface JsEntry {
  readonly id: number;
  readonly method: string;
  readonly name: string;
  /** Index of the caller's, -1 for an answer. */
  readonly handler: number;
  readonly modern: Buffer | null;
  readonly legacy: Buffer | null;
  readonly modernText: string | null;
  readonly legacyText: string | null;
  readonly modernAscii: boolean;
  readonly legacyAscii: boolean;
  readonly stats: EntryStats;
}

/** A route before it has an identity. */
export type Route = Pick<
  JsEntry,
  'handler' | 'modern' | 'legacy' | 'modernText' | 'legacyText' | 'modernAscii' | 'legacyAscii'
>;

const CLOSING_BRACE = 0x7d;

/** The result with the brace that ends the response. The one copy of an answer, when it is registered. */
function close(result: Uint8Array | null): Buffer | null {
  if (result === null) return null;
  const closed = Buffer.allocUnsafeSlow(result.length + 1);
  closed.set(result);
  closed[result.length] = CLOSING_BRACE;
  return closed;
}

export function answerRoute(modernResult: Uint8Array | null, legacyResult: Uint8Array | null): Route {
  const modern = close(modernResult);
  const legacy = close(legacyResult);
  return {
    handler: -1,
    modern,
    legacy,
    modernText: modern?.toString('utf8') ?? null,
    legacyText: legacy?.toString('utf8') ?? null,
    modernAscii: modern !== null && isAscii(modern),
    legacyAscii: legacy !== null && isAscii(legacy),
  };
}

export function handlerRoute(handler: number): Route {
  return {
    // An unsigned 32-bit number, as the native engine keeps it.
    handler: handler >>> 0,
    modern: null,
    legacy: null,
    modernText: null,
    legacyText: null,
    modernAscii: false,
    legacyAscii: false,
  };
}

/** Written out, not spread: all entries must have one shape, or every lookup pays for the difference. */
export function newEntry(id: number, method: string, name: string, route: Route, stats: EntryStats): JsEntry {
  return {
    id,
    method,
    name,
    handler: route.handler,
    modern: route.modern,
    legacy: route.legacy,
    modernText: route.modernText,
    legacyText: route.legacyText,
    modernAscii: route.modernAscii,
    legacyAscii: route.legacyAscii,
    stats,
  };
}
