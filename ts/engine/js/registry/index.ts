/** Registry of the JavaScript engine: the twin of crates/registry. */
import type { Registry } from '../../engine.js';
import { JsRegistry } from './registry.js';

export type { JsEntry } from './entry.js';
export { DEFAULT_LIMITS, JsRegistry, type Limits } from './registry.js';
export type { Snapshot } from './snapshot.js';
export { type EntryStats, recordCall } from './stats.js';

/** An empty registry, generation 0. */
export function createRegistry(): Registry {
  return new JsRegistry();
}
