/** The writers' side: live entries, counters by id, and the swap. Readers use the snapshot through `lookup`. */
import type { Registry } from '../../engine.js';
import { answerRoute, handlerRoute, type JsEntry, newEntry, type Route } from './entry.js';
import { buildSnapshot, EMPTY, type Snapshot } from './snapshot.js';
import { type EntryStats, newStats, recordCall } from './stats.js';

/** How much a registry may hold. */
export interface Limits {
  /** Most live entries; further ones are refused. */
  readonly entries: number;
  /** Removed (method, name)s whose id and counters are remembered; the longest removed is forgotten first. */
  readonly retired: number;
}

export const DEFAULT_LIMITS: Limits = { entries: 2 ** 18, retired: 4096 };

/** Ids are not used twice; they end where a signed 32-bit number does, so that -1 can mean "none" everywhere. */
const LAST_ID = 2 ** 31 - 2;

/** The length makes the joined key unambiguous, whatever characters the two halves hold. */
function keyOf(method: string, name: string): string {
  return `${method.length}:${method}${name}`;
}

/** Half a surrogate pair has no UTF-8 form: it is U+FFFD, as it would be after crossing into the native engine. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Registry of one JavaScript thread. */
export class JsRegistry implements Registry {
  readonly #limits: Limits;
  readonly #live = new Map<string, JsEntry>();
  readonly #stats = new Map<number, EntryStats>();
  /** Key -> id of removed entries, in the order of their removal. */
  readonly #retired = new Map<string, number>();
  #nextId = 0;
  #changed = false;
  #snapshot: Snapshot = EMPTY;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  answer(method: string, name: string, modern: Uint8Array | null, legacy: Uint8Array | null): number {
    return this.#put(method, name, answerRoute(modern, legacy));
  }

  handler(method: string, name: string, handler: number): number {
    return this.#put(method, name, handlerRoute(handler));
  }

  #put(rawMethod: string, rawName: string, route: Route): number {
    const method = wellFormed(rawMethod);
    const name = wellFormed(rawName);
    const key = keyOf(method, name);
    const old = this.#live.get(key);
    if (old === undefined && this.#live.size >= this.#limits.entries) return -1;
    const id = old?.id ?? this.#identity(key);
    if (id < 0) return -1;
    const stats = this.#stats.get(id) ?? newStats();
    this.#stats.set(id, stats);
    this.#live.set(key, newEntry(id, method, name, route, stats));
    this.#changed = true;
    return id;
  }

  /** Id for a key that is not live: the one it had before it was removed, else a new one. */
  #identity(key: string): number {
    const known = this.#retired.get(key);
    if (known !== undefined) {
      this.#retired.delete(key);
      return known;
    }
    return this.#nextId > LAST_ID ? -1 : this.#nextId++;
  }

  remove(method: string, name: string): boolean {
    const key = keyOf(wellFormed(method), wellFormed(name));
    const entry = this.#live.get(key);
    if (entry === undefined) return false;
    this.#live.delete(key);
    this.#retired.set(key, entry.id);
    for (const [oldest, id] of this.#retired) {
      if (this.#retired.size <= this.#limits.retired) break;
      this.#retired.delete(oldest);
      this.#stats.delete(id);
    }
    this.#changed = true;
    return true;
  }

  publish(): number {
    if (this.#changed) {
      this.#snapshot = buildSnapshot(this.#snapshot.generation + 1, this.#live.values());
      this.#changed = false;
    }
    return this.#snapshot.generation;
  }

  /** The published snapshot. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The published entry: what a request is routed by. */
  lookup(method: string, name: string): JsEntry | undefined {
    return this.#snapshot.methods.get(method)?.get(name);
  }

  route(method: string, name: string): number {
    return this.lookup(wellFormed(method), wellFormed(name))?.id ?? -1;
  }

  record(entry: number, failed: 0 | 1, nanoseconds: number): void {
    const stats = this.#stats.get(entry);
    if (stats !== undefined) recordCall(stats, failed, nanoseconds);
  }

  stats(entry: number, out: Float64Array): boolean {
    const stats = this.#stats.get(entry);
    if (stats === undefined || out.length < 3) return false;
    out[0] = stats.calls;
    out[1] = stats.errors;
    out[2] = stats.nanoseconds;
    return true;
  }

  get size(): number {
    return this.#snapshot.size;
  }

  get generation(): number {
    return this.#snapshot.generation;
  }
}
