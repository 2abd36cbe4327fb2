/**
 * A table whose places are named by handles that die with what they named.
 *
 * A handle is `generation * 2^24 + index`, below 2^53, so that it is exact as a number. 0 is never one.
 */
import type { Slots } from '../../engine.js';

/** Places that a handle can tell apart; the most a table can hold. */
export const MAX_SLOTS = 2 ** 24;
/** The generation after which an index is not used again: handles end at 2^53. */
const LAST_GENERATION = 2 ** 29 - 1;

/**
 * Values by handle, at most `capacity` of them. A handle that was given back is dead for ever: when the generations of an
 * index are used up (after half a billion uses), a fresh index takes its place.
 */
export class SlotTable<T extends NonNullable<unknown>> {
  readonly capacity: number;
  readonly #lastGeneration: number;
  readonly #generations: number[] = [];
  readonly #values: (T | undefined)[] = [];
  /** Last in, first out, as in the native engine. */
  readonly #free: number[] = [];
  #taken = 0;
  #returned = 0;
  #refused = 0;
  #stale = 0;

  constructor(capacity: number, lastGeneration = LAST_GENERATION) {
    // The unsigned 32-bit number that the native engine would be given.
    this.capacity = Math.min(capacity >>> 0, MAX_SLOTS);
    this.#lastGeneration = lastGeneration;
  }

  /** Keeps a value and names it; -1 when the table is full. */
  insert(value: T): number {
    if (this.#taken - this.#returned >= this.capacity) return this.#refuse();
    let index = this.#free.pop();
    if (index === undefined) {
      index = this.#generations.length;
      if (index >= MAX_SLOTS) return this.#refuse();
      this.#generations.push(1);
      this.#values.push(value);
    } else {
      this.#values[index] = value;
    }
    this.#taken += 1;
    return (this.#generations[index] as number) * MAX_SLOTS + index;
  }

  #refuse(): -1 {
    this.#refused += 1;
    return -1;
  }

  /** The value of a living handle. */
  get(handle: number): T | undefined {
    const generation = Math.floor(handle / MAX_SLOTS);
    const index = handle - generation * MAX_SLOTS;
    // Whatever is no handle (a fraction, NaN) gives an index that no array has.
    return this.#generations[index] === generation ? this.#values[index] : undefined;
  }

  has(handle: number): boolean {
    return this.get(handle) !== undefined;
  }

  /** Gives a place back and its value out; a dead handle is counted as stale and nothing else happens. */
  remove(handle: number): T | undefined {
    const value = this.get(handle);
    if (value === undefined) {
      this.#stale += 1;
      return undefined;
    }
    const generation = Math.floor(handle / MAX_SLOTS);
    const index = handle - generation * MAX_SLOTS;
    this.#values[index] = undefined;
    if (generation < this.#lastGeneration) {
      this.#generations[index] = generation + 1;
      this.#free.push(index);
    }
    this.#returned += 1;
    return value;
  }

  /** The living values with their handles, by index. */
  *entries(): Generator<[number, T]> {
    for (const [index, value] of this.#values.entries()) {
      if (value !== undefined) yield [(this.#generations[index] as number) * MAX_SLOTS + index, value];
    }
  }

  /** Taken now. */
  get size(): number {
    return this.#taken - this.#returned;
  }

  /** Fills [taken, returned, refused, in use, capacity, stale]. */
  stats(out: Float64Array): void {
    // A typed array ignores what is written past its end: a shorter one gets what it has room for.
    out[0] = this.#taken;
    out[1] = this.#returned;
    out[2] = this.#refused;
    out[3] = this.size;
    out[4] = this.capacity;
    out[5] = this.#stale;
  }
}

/** The seam's slots: names without values. */
export class JsSlots implements Slots {
  readonly #table: SlotTable<true>;

  constructor(capacity: number) {
    this.#table = new SlotTable(capacity);
  }

  take(): number {
    return this.#table.insert(true);
  }

  give(handle: number): boolean {
    return this.#table.remove(handle) !== undefined;
  }

  alive(handle: number): boolean {
    return this.#table.has(handle);
  }

  stats(out: Float64Array): void {
    this.#table.stats(out);
  }
}
