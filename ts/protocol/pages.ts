/**
 * Pages of a list: opaque cursors over the positions of registered entries.
 */
import type { ListKey } from './answers.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';

export interface Page {
  readonly items: readonly string[];
  readonly nextCursor: string | undefined;
}

/**
 * One page. Without a page size everything is one page, no cursor is ever given out, and none is valid.
 * @throws {ProtocolError} -32602 for a cursor that this list did not give out
 */
export function pageOf(
  key: ListKey,
  items: readonly string[],
  pageSize: number | undefined,
  cursor: string | undefined,
): Page {
  if (pageSize === undefined) {
    if (cursor !== undefined) throw invalidCursor();
    return { items, nextCursor: undefined };
  }
  const from = cursor === undefined ? 0 : positionOf(key, cursor);
  // The list may have become shorter since: an empty last page ends the walk without an error.
  const end = Math.min(from + pageSize, items.length);
  return { items: items.slice(from, end), nextCursor: end < items.length ? cursorAt(key, end) : undefined };
}

function cursorAt(key: ListKey, position: number): string {
  return Buffer.from(`${key}:${position}`).toString('base64url');
}

function positionOf(key: ListKey, cursor: string): number {
  const text = cursor.length > 64 ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
  const position = text.startsWith(`${key}:`) ? Number(text.slice(key.length + 1)) : Number.NaN;
  // Only what comes out the same again was given out by cursorAt.
  if (!Number.isSafeInteger(position) || position < 1 || cursorAt(key, position) !== cursor) throw invalidCursor();
  return position;
}

function invalidCursor(): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid cursor');
}
