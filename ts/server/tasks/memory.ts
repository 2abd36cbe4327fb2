/**
 * Tasks in the memory of this process: bounded in number, gone when their time is over.
 */
import { TaskLimitError } from './errors.js';
import { isOver, type TaskRecord, type TaskStep } from './record.js';
import type { TaskStore } from './store.js';
import { Watchers } from './watchers.js';

export interface MemoryTaskStoreOptions {
  /** Most tasks; when full, the oldest that is over makes room. Default 10,000. */
  maxTasks?: number;
}

/** Milliseconds between two looks for tasks whose time is over. */
const SWEEP = 1000;

export class MemoryTaskStore implements TaskStore {
  readonly #most: number;
  readonly #tasks = new Map<string, TaskRecord>();
  readonly #watchers = new Watchers();
  #timer: NodeJS.Timeout | undefined;

  /** @throws TypeError for a bad option */
  constructor({ maxTasks = 10_000 }: MemoryTaskStoreOptions = {}) {
    if (!Number.isSafeInteger(maxTasks) || maxTasks < 1) {
      throw new TypeError(`Option maxTasks must be at least 1, not ${String(maxTasks)}`);
    }
    this.#most = maxTasks;
  }

  /** Tasks that are kept now. */
  get size(): number {
    return this.#tasks.size;
  }

  async create(task: TaskRecord): Promise<void> {
    if (this.#tasks.size >= this.#most) this.#makeRoom();
    this.#tasks.set(task.taskId, task);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP).unref();
  }

  async get(taskId: string): Promise<TaskRecord | undefined> {
    return this.#find(taskId);
  }

  // Nothing here waits between reading and writing: what an await would let in between could undo the end of a task.
  async update(taskId: string, step: TaskStep): Promise<TaskRecord | undefined> {
    const task = this.#find(taskId);
    const next = task === undefined ? undefined : step(task);
    if (next === undefined) return undefined;
    this.#tasks.set(taskId, next);
    this.#watchers.tell(next);
    return next;
  }

  watch(taskId: string, listener: (task: TaskRecord) => void): () => void {
    return this.#watchers.add(taskId, listener);
  }

  async close(): Promise<void> {
    if (this.#timer !== undefined) clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tasks.clear();
    this.#watchers.clear();
  }

  #find(taskId: string): TaskRecord | undefined {
    const task = this.#tasks.get(taskId);
    return task === undefined || expired(task, Date.now()) ? undefined : task;
  }

  #makeRoom(): void {
    const now = Date.now();
    for (const task of this.#tasks.values()) {
      if (!isOver(task) && !expired(task, now)) continue;
      this.#tasks.delete(task.taskId);
      return;
    }
    throw new TaskLimitError(this.#most);
  }

  #sweep(): void {
    const now = Date.now();
    for (const task of this.#tasks.values()) if (expired(task, now)) this.#tasks.delete(task.taskId);
    if (this.#tasks.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function expired({ createdAt, ttlMs }: TaskRecord, now: number): boolean {
  return ttlMs !== null && Date.parse(createdAt) + ttlMs <= now;
}
