/**
 * A task store in Redis, for servers of many processes: any of them answers for a task that another one runs. The
 * connection is the user's: opened, watched and closed by them.
 *
 * A task is one JSON value that expires with it. Every change is also noted, by the id of its task, in one stream of bounded
 * length, which a process that runs or watches tasks reads a few times a second through the same connection. A process that
 * stops doing so is taken for dead, and its tasks for failed. Needs Redis 6.2 or later; in a cluster, give a prefix with a
 * hash tag (`{mcp}:tasks:`).
 */
import { randomUUID } from 'node:crypto';
import { ending, isOver, type TaskRecord, type TaskStep } from '../tasks/record.js';
import type { TaskStore } from '../tasks/store.js';
import { Watchers } from '../tasks/watchers.js';

/** What is used of a client: a connected one of the package `redis` (version 5 or later) has it. */
export interface RedisTaskCommands {
  sendCommand(command: string[]): Promise<unknown>;
}

export interface RedisTaskStoreOptions {
  /** A connected client. */
  client: RedisTaskCommands;
  /** What every key begins with. Default `mcp:tasks:`. */
  prefix?: string;
  /** Milliseconds between two looks for changes made by other processes. Default 250. */
  interval?: number;
  /** Milliseconds of silence after which a process is taken for dead, at least 4 intervals. Default 15,000. */
  deadAfter?: number;
}

/** Writes when the value is still the one that was read: optimistic, because two seldom change one task. */
const SWAP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'id', ARGV[3], 'by', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return 1`;
const MOST_TRIES = 20;
/** Changes that are kept for those who have not read them yet, and milliseconds after the last one that all go. */
const KEPT = '10000';
const KEPT_FOR = '86400000';
const PAGE = 500;
/** Pages after which it is quicker, and surer, to look at every watched task. */
const MOST_PAGES = 10;
/** The part of `deadAfter` after which a process says again that it lives. */
const BEAT = 1 / 3;

/** A value as it is kept: which process runs the task, and the task. */
interface Kept {
  readonly by: string;
  readonly task: TaskRecord;
}

export class RedisTaskStore implements TaskStore {
  readonly #client: RedisTaskCommands;
  readonly #prefix: string;
  readonly #interval: number;
  readonly #deadAfter: number;
  /** Names this process among all that use the prefix. */
  readonly #name = randomUUID();
  readonly #watchers = new Watchers();
  /** Watched tasks that this process runs: it need not find out whether it lives. */
  readonly #own = new Set<string>();
  /** Id of the last change that was read; undefined: every watched task is to be looked at. */
  #position: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beatAt = Number.NEGATIVE_INFINITY;
  #checkedAt = 0;
  #closed = false;

  /** @throws TypeError for a bad option */
  constructor({ client, prefix = 'mcp:tasks:', interval = 250, deadAfter = 15_000 }: RedisTaskStoreOptions) {
    if (typeof client?.sendCommand !== 'function') {
      throw new TypeError('Option client must be a connected client of the package redis');
    }
    if (typeof prefix !== 'string') throw new TypeError('Option prefix must be a string');
    this.#client = client;
    this.#prefix = prefix;
    this.#interval = positive('interval', interval);
    this.#deadAfter = positive('deadAfter', deadAfter);
    if (deadAfter < 4 * interval) throw new TypeError(`Option deadAfter must be at least ${4 * interval}: 4 intervals`);
  }

  async create(task: TaskRecord): Promise<void> {
    // Whoever finds the task must find its process alive.
    await this.#beat();
    const life = task.ttlMs === null ? [] : ['PX', String(task.ttlMs)];
    const done = await this.#client.sendCommand(['SET', this.#key(task.taskId), this.#text(this.#name, task), ...life]);
    if (String(done) !== 'OK') throw new Error('Redis did not keep the task');
    this.#own.add(task.taskId);
  }

  async get(taskId: string): Promise<TaskRecord | undefined> {
    const kept = parsed(await this.#read(taskId));
    if (kept === undefined || isOver(kept.task) || kept.by === this.#name) return kept?.task;
    if (Number(await this.#client.sendCommand(['EXISTS', this.#pulse(kept.by)])) === 1) return kept.task;
    const message = 'The process that ran this task is gone';
    const end = { status: 'failed', error: { code: -32_603, message }, statusMessage: message } as const;
    return (await this.update(taskId, ending(end))) ?? parsed(await this.#read(taskId))?.task;
  }

  async update(taskId: string, step: TaskStep): Promise<TaskRecord | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const text = await this.#read(taskId);
      const kept = parsed(text);
      const next = kept === undefined ? undefined : step(kept.task);
      if (text === undefined || kept === undefined || next === undefined) return undefined;
      const change = [text, this.#text(kept.by, next), taskId, this.#name, KEPT, KEPT_FOR];
      const swap = ['EVAL', SWAP, '2', this.#key(taskId), this.#changes, ...change];
      if (Number(await this.#client.sendCommand(swap)) !== 1) continue;
      this.#watchers.tell(next);
      return next;
    }
    throw new Error('The task is changed by too many at once');
  }

  watch(taskId: string, listener: (task: TaskRecord) => void): () => void {
    const end = this.#watchers.add(taskId, listener);
    this.#schedule();
    return () => {
      end();
      if (!this.#watchers.has(taskId)) this.#own.delete(taskId);
    };
  }

  /** Stops looking. Tasks that run here and are not over count as failed from now on. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watchers.clear();
    await this.#client.sendCommand(['DEL', this.#pulse(this.#name)]);
  }

  /** One look after the other: a slow Redis is asked less often, not by more questions at once. */
  #schedule(): void {
    if (this.#timer !== undefined || this.#closed) return;
    if (this.#watchers.size === 0) {
      this.#position = undefined;
      return;
    }
    this.#timer = setTimeout(async () => {
      try {
        await this.#look();
      } catch {
        // Redis is away for a while, and what was missed is not known. Its own error event tells the client's owner.
        this.#position = undefined;
      }
      this.#timer = undefined;
      this.#schedule();
    }, this.#interval).unref();
  }

  async #look(): Promise<void> {
    await this.#beat();
    for (const taskId of await this.#changed()) {
      const kept = parsed(await this.#read(taskId));
      if (kept !== undefined && !this.#closed) this.#watchers.tell(kept.task);
    }
    if (performance.now() - this.#checkedAt < this.#deadAfter * BEAT) return;
    this.#checkedAt = performance.now();
    // Those who only listen would never hear that a process has died.
    for (const taskId of this.#watchers.ids()) if (!this.#own.has(taskId)) await this.get(taskId);
  }

  /** Watched tasks that others may have changed since the last look. */
  async #changed(): Promise<Iterable<string>> {
    if (this.#position === undefined) return this.#skip();
    const changed = new Set<string>();
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const range = ['XRANGE', this.#changes, `(${this.#position}`, '+', 'COUNT', String(PAGE)];
      const entries = (await this.#client.sendCommand(range)) as [unknown, unknown[]][];
      for (const [position, [, id, , by]] of entries) {
        this.#position = String(position);
        if (String(by) !== this.#name && this.#watchers.has(String(id))) changed.add(String(id));
      }
      if (entries.length < PAGE) return changed;
    }
    return this.#skip();
  }

  /** Goes on from the newest change, whatever was before it: every watched task is to be looked at. */
  async #skip(): Promise<Iterable<string>> {
    const newest = await this.#client.sendCommand(['XREVRANGE', this.#changes, '+', '-', 'COUNT', '1']);
    const [entry] = newest as [unknown, unknown][];
    this.#position = entry === undefined ? '0-0' : String(entry[0]);
    return this.#watchers.ids();
  }

  async #beat(): Promise<void> {
    const now = performance.now();
    if (now - this.#beatAt < this.#deadAfter * BEAT || this.#closed) return;
    await this.#client.sendCommand(['SET', this.#pulse(this.#name), '1', 'PX', String(this.#deadAfter)]);
    this.#beatAt = now;
  }

  async #read(taskId: string): Promise<string | undefined> {
    const text = await this.#client.sendCommand(['GET', this.#key(taskId)]);
    return text === null || text === undefined ? undefined : String(text);
  }

  #text(by: string, task: TaskRecord): string {
    return JSON.stringify({ by, task } satisfies Kept);
  }
  #key(taskId: string): string {
    return `${this.#prefix}task:${taskId}`;
  }
  #pulse(name: string): string {
    return `${this.#prefix}pulse:${name}`;
  }
  get #changes(): string {
    return `${this.#prefix}changes`;
  }
}

function parsed(text: string | undefined): Kept | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Kept);
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TypeError(`Option ${name} must be a positive whole number, not ${String(value)}`);
}
