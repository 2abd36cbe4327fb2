/** What readers see: an immutable table. Nothing here changes a route. */
import type { JsEntry } from './entry.js';

/** All routes of one generation. */
export interface Snapshot {
  readonly generation: number;
  readonly size: number;
  /** Nested, so that no key has to be joined per lookup. */
  readonly methods: ReadonlyMap<string, ReadonlyMap<string, JsEntry>>;
}

export const EMPTY: Snapshot = { generation: 0, size: 0, methods: new Map() };

export function buildSnapshot(generation: number, entries: Iterable<JsEntry>): Snapshot {
  const methods = new Map<string, Map<string, JsEntry>>();
  let size = 0;
  for (const entry of entries) {
    const names = methods.get(entry.method) ?? new Map<string, JsEntry>();
    if (names.size === 0) methods.set(entry.method, names);
    names.set(entry.name, entry);
    size += 1;
  }
  return { generation, size, methods };
}
