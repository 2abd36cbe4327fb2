/**
 * Runs tasks in this process: starts them, asks their questions, hands them what clients answered, and writes down how they
 * end. One per server.
 */
import { errorText, ProtocolError, ProtocolErrorCode, wireCode } from '../../protocol/errors.js';
import { type Members, own } from '../../protocol/incoming.js';
import { judged, type Question, type QuestionMethod, questionOf } from '../../protocol/questions.js';
import { TaskLimitError } from './errors.js';
import {
  asking,
  ending,
  isOver,
  openedTask,
  stating,
  type TaskEnd,
  type TaskError,
  type TaskInput,
  type TaskOpening,
  type TaskRecord,
  type TaskStep,
  without,
} from './record.js';
import type { TaskStore } from './store.js';

/** What the code of a task is given. */
export interface TaskHost {
  readonly taskId: string;
  readonly signal: AbortSignal;
  setStatus(message: string): Promise<void>;
  ask(method: QuestionMethod, params: unknown, key: string | undefined): Promise<Members>;
}

export interface TaskPlan extends TaskOpening {
  /** What the client can be asked: throws when it cannot. */
  readonly permit: (question: Question) => void;
  /** Gives the result as plain JSON; a `ProtocolError` fails the task. */
  readonly run: (host: TaskHost) => Promise<Members>;
  /** Whether there is nobody any more who could be told of the task. */
  readonly left: () => boolean;
}

export interface RunnerOptions {
  /** Most tasks that run here at a time. */
  readonly most: number;
  /** Told of failures of the store. */
  readonly report: (error: unknown) => void;
}

/** Most questions of one task over its life. */
const MOST_QUESTIONS = 1000;
/** How often the end of a task is tried to be written down, and the milliseconds before the second time; then twice them. */
const MOST_TRIES = 9;
const FIRST_PAUSE = 250;

export class TaskRunner {
  readonly #store: TaskStore;
  readonly #options: RunnerOptions;
  readonly #running = new Set<Running>();
  #starting = 0;
  #closed = false;

  constructor(store: TaskStore, options: RunnerOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Tasks that run here now. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Creates a task and starts it. When this resolves the task can be asked for; its code runs after this turn of the event
   * loop, when its client has been told.
   * @throws {TaskLimitError} when there is no room; whatever the store throws
   */
  async start(plan: TaskPlan): Promise<TaskRecord> {
    const { most } = this.#options;
    if (this.#closed) throw new Error('The tasks of this server are closed');
    if (this.#running.size + this.#starting >= most) throw new TaskLimitError(most);
    const task = openedTask(plan);
    this.#starting += 1;
    try {
      await this.#store.create(task);
    } finally {
      this.#starting -= 1;
    }
    const running = new Running(task.taskId, plan, this.#store, this.#options.report);
    this.#running.add(running);
    // A store may take its time to create one: whoever left meanwhile never learns its id, and cannot cancel it.
    if (this.#closed || plan.left()) void running.cancel('Nobody waits for the task');
    // What a store throws at the very end is nobody's but the operator's.
    const done = (): unknown => this.#running.delete(running);
    setImmediate(() => void running.run().catch(this.#options.report).finally(done));
    return task;
  }

  /** Cancels all that runs here, and starts nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((running) => running.cancel('The server is closing')));
  }
}

interface Open {
  readonly resolve: (answer: Members) => void;
  readonly reject: (reason: unknown) => void;
}

/** One task that runs. */
class Running implements TaskHost {
  readonly taskId: string;
  readonly #plan: TaskPlan;
  readonly #store: TaskStore;
  readonly #report: (error: unknown) => void;
  readonly #controller = new AbortController();
  readonly #open = new Map<string, Open>();
  /** Keys ever used: none may come a second time. */
  readonly #used = new Set<string>();
  /** Keys whose answers the code has been given. */
  readonly #taken = new Set<string>();
  readonly #unwatch: () => void;
  #asked: [key: string, input: TaskInput][] = [];
  #telling: Promise<void> | undefined;
  /** Steps go to the store one after the other, in the order in which they were taken. */
  #saving: Promise<unknown> = Promise.resolve();
  /** The code is done, well or not. */
  #settled = false;
  /** The task is over: nothing more is to be written down. */
  #over = false;

  constructor(taskId: string, plan: TaskPlan, store: TaskStore, report: (error: unknown) => void) {
    this.taskId = taskId;
    this.#plan = plan;
    this.#store = store;
    this.#report = report;
    this.#unwatch = store.watch(taskId, (task) => this.#changed(task));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async run(): Promise<void> {
    const { ttlMs } = this.#plan;
    // Nobody can ask for it after that: whatever it does is done for nobody.
    const timer = ttlMs === null ? undefined : setTimeout(() => this.#stop('The task expired'), ttlMs).unref();
    const end = await this.#outcome();
    this.#settled = true;
    await this.#end(end);
    clearTimeout(timer);
    this.#unwatch();
    this.#stop('The task is over');
  }

  async #outcome(): Promise<TaskEnd> {
    try {
      this.signal.throwIfAborted();
      return { status: 'completed', result: await this.#plan.run(this) };
    } catch (error) {
      const told = errorOf(error);
      return { status: 'failed', error: told, statusMessage: told.message };
    }
  }

  /** Written down first, so that what the code does on its way out changes nothing. */
  async cancel(reason: string): Promise<void> {
    const saved = this.#take(ending({ status: 'cancelled', statusMessage: reason }));
    this.#stop(reason);
    await saved.catch(this.#report);
  }

  async setStatus(message: string): Promise<void> {
    await this.#take(stating(String(message)));
  }

  async ask(method: QuestionMethod, params: unknown, key: string | undefined): Promise<Members> {
    const question = questionOf(method, params, 'modern');
    this.#plan.permit(question);
    if (key !== undefined && this.#used.has(key)) {
      throw new Error(`The input "${key}" was asked for twice: give each its own key`);
    }
    for (;;) {
      const answer = await this.#ask(question, key);
      const outcome = await judged(question, answer);
      // An answer that does not fit counts as not given: the client is asked again, as another question.
      if (typeof outcome !== 'string') return outcome;
    }
  }

  async #ask({ method, params }: Question, key: string | undefined): Promise<Members> {
    this.signal.throwIfAborted();
    if (this.#used.size >= MOST_QUESTIONS) throw new Error(`A task may ask ${MOST_QUESTIONS} questions at most`);
    const name = this.#freshKey(key);
    this.#used.add(name);
    const answer = new Promise<Members>((resolve, reject) => {
      this.#open.set(name, { resolve, reject });
    });
    // Rejected when the task ends before anybody looks.
    answer.catch(() => undefined);
    this.#asked.push([name, params === undefined ? { method } : { method, params }]);
    await this.#tellAsked();
    return answer;
  }

  #freshKey(key: string | undefined): string {
    if (key !== undefined && !this.#used.has(key)) return key;
    for (let number = this.#used.size + 1; ; number += 1) {
      const name = `${key ?? 'ask'}-${number}`;
      if (!this.#used.has(name)) return name;
    }
  }

  /** Questions of one turn are asked together. */
  #tellAsked(): Promise<void> {
    this.#telling ??= Promise.resolve().then(async () => {
      const asked = Object.fromEntries(this.#asked);
      this.#asked = [];
      this.#telling = undefined;
      if ((await this.#take(asking(asked))) === undefined) this.#stop('The task is over');
    });
    return this.#telling;
  }

  /** The task became another: its code did that, a client, or another process. */
  #changed(task: TaskRecord): void {
    if (isOver(task)) {
      this.#stop(task.statusMessage ?? 'The task is over');
      return;
    }
    if (task.inputResponses === undefined) return;
    for (const [key, { resolve }] of [...this.#open]) {
      const answer = own(task.inputResponses, key) as Members | undefined;
      if (answer === undefined) continue;
      this.#open.delete(key);
      this.#taken.add(key);
      resolve(answer);
    }
  }

  /** A store may be away for a while; what a task came to must not be lost for that. */
  async #end(end: TaskEnd): Promise<void> {
    for (let tries = 1; !this.#over; tries += 1) {
      try {
        await this.#take(ending(end));
        return;
      } catch (error) {
        this.#report(error);
        if (tries === MOST_TRIES) return;
        const pause = FIRST_PAUSE * 2 ** (tries - 1);
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
  }

  #take(step: TaskStep): Promise<TaskRecord | undefined> {
    const saved = this.#saving.then(() => this.#store.update(this.taskId, without(this.#taken, step)));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  #stop(reason: string): void {
    this.#over = true;
    const why = new DOMException(reason, 'AbortError');
    // Code that is done has nothing that could be aborted.
    if (!this.#settled) this.#controller.abort(why);
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(why);
  }
}

/** A protocol error keeps its code; of anything else nothing is told. Plain JSON, like all that is stored. */
function errorOf(error: unknown): TaskError {
  if (!(error instanceof ProtocolError)) return { code: ProtocolErrorCode.InternalError, message: 'Internal error' };
  return JSON.parse(errorText(wireCode(error, 'modern'), error.message, error.data)) as TaskError;
}
