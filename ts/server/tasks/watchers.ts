/** Who watches which task in this process, for the stores. A task is told in the order of its versions, each at most once. */
import type { TaskRecord } from './record.js';

type Listener = (task: TaskRecord) => void;

interface Watched {
  /** The last that was told; 0: none. */
  version: number;
  readonly listeners: Set<Listener>;
}

export class Watchers {
  readonly #watched = new Map<string, Watched>();

  /** Tasks that somebody watches. */
  get size(): number {
    return this.#watched.size;
  }

  has(taskId: string): boolean {
    return this.#watched.has(taskId);
  }

  ids(): string[] {
    return [...this.#watched.keys()];
  }

  /** @returns ends it */
  add(taskId: string, listener: Listener): () => void {
    const watched = this.#watched.get(taskId) ?? { version: 0, listeners: new Set() };
    this.#watched.set(taskId, watched);
    // Wrapped, so that a function that is given twice is two watchers.
    const own: Listener = (task) => listener(task);
    watched.listeners.add(own);
    return () => {
      watched.listeners.delete(own);
      if (watched.listeners.size === 0 && this.#watched.get(taskId) === watched) this.#watched.delete(taskId);
    };
  }

  tell(task: TaskRecord): void {
    const watched = this.#watched.get(task.taskId);
    if (watched === undefined || task.version <= watched.version) return;
    watched.version = task.version;
    // Copied: who hears that a task is over stops watching it.
    for (const listener of [...watched.listeners]) listener(task);
  }

  clear(): void {
    this.#watched.clear();
  }
}
