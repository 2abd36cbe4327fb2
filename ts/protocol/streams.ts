/**
 * Response bodies that stay open: how many there may be, the comments that keep them alive, and writers that wait until
 * their client has read on. What is written to them is not known here.
 */
import type { Listener } from '../engine/engine.js';

/** Streams that one server holds open at a time. */
export const DEFAULT_MAX_STREAMS = 1024;
/** Milliseconds between two comments on a stream. */
export const DEFAULT_KEEP_ALIVE = 15_000;

const COMMENT = ': \n\n';

type Waiter = (alive: boolean) => void;

export class Streams {
  readonly #limit: number;
  readonly #keepAlive: number;
  readonly #open = new Map<Listener, Set<number>>();
  readonly #waiting = new Map<Listener, Map<number, Waiter>>();
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param limit most open streams; @param keepAlive milliseconds between two comments, 0: none */
  constructor(limit: number, keepAlive: number) {
    this.#limit = limit;
    this.#keepAlive = keepAlive;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Counts an event stream and, over HTTP, keeps it alive until {@link remove}.
   * @param pipe whether the stream shares a pipe, which needs no comments
   * @returns false when there are as many as there may be
   */
  add(listener: Listener, slot: number, pipe: boolean): boolean {
    if (this.#size >= this.#limit) return false;
    this.#size += 1;
    if (pipe || this.#keepAlive === 0) return true;
    let slots = this.#open.get(listener);
    if (slots === undefined) {
      slots = new Set();
      this.#open.set(listener, slots);
    }
    slots.add(slot);
    this.#timer ??= setInterval(() => this.#comment(), this.#keepAlive).unref();
    return true;
  }

  remove(listener: Listener, slot: number): void {
    this.#size -= 1;
    const slots = this.#open.get(listener);
    if (slots === undefined) return;
    slots.delete(slot);
    if (slots.size === 0) this.#open.delete(listener);
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /**
   * Waits until the listener asks for more, the client leaves, or `longest` milliseconds are over.
   * @returns false when the client left
   */
  drained(listener: Listener, slot: number, longest: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (alive: boolean): void => {
        clearTimeout(timer);
        this.#forget(listener, slot);
        resolve(alive);
      };
      const timer = setTimeout(end, longest, true);
      let slots = this.#waiting.get(listener);
      if (slots === undefined) {
        slots = new Map();
        this.#waiting.set(listener, slots);
      }
      slots.set(slot, end);
    });
  }

  /** The listener says that a stream can take more. */
  drain(listener: Listener, slot: number): void {
    this.#waiting.get(listener)?.get(slot)?.(true);
  }

  /** The client of a slot left. */
  abandon(listener: Listener, slot: number): void {
    if (this.#waiting.size > 0) this.#waiting.get(listener)?.get(slot)?.(false);
  }

  #forget(listener: Listener, slot: number): void {
    const slots = this.#waiting.get(listener);
    slots?.delete(slot);
    if (slots?.size === 0) this.#waiting.delete(listener);
  }

  #comment(): void {
    for (const [listener, slots] of this.#open) {
      // Copied: a write that finds its client too slow may end the stream at once.
      for (const slot of [...slots]) listener.write(slot, COMMENT);
    }
  }
}
