/**
 * The tasks extension (`io.modelcontextprotocol/tasks`, revision 2026-07-28): a call that takes long is answered at once
 * with a task, which its client asks for, answers questions of, and may cancel.
 *
 *     const tasks = enableTasks(server);
 *     server.registerTool('report', {}, (ctx) => tasks.start(ctx, async (task) => { ...; return result; }));
 */
import type { AskSettings, ElicitParams } from '../../protocol/asking.js';
import type { RequestContext } from '../../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import { partyOf } from '../../protocol/party.js';
import { invalidParams, methodNotFound } from '../../protocol/requests.js';
import type {
  AuthInfo,
  CallToolResult,
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitResult,
  ListRootsResult,
} from '../../protocol/types.js';
import { attachmentOf } from '../attach.js';
import { checkInteger, checkKnown } from '../limits.js';
import type { McpServer } from '../mcp.js';
import { answersOf } from './answers.js';
import { TaskLimitError } from './errors.js';
import { followTasks } from './feed.js';
import { MemoryTaskStore } from './memory.js';
import { answering, createdView, detailedView, ending, TASKS_EXTENSION, type TaskRecord } from './record.js';
import { outcomeOf } from './result.js';
import { type TaskHost, TaskRunner } from './runner.js';
import type { TaskStore } from './store.js';

export interface TasksOptions {
  /** Default: the memory of this process, 10,000 tasks. One that is given is closed by whoever made it. */
  store?: TaskStore;
  /** Milliseconds after its creation that a task may be asked for; null: for ever. Default 3,600,000. */
  ttlMs?: number | null;
  /** What clients are told to wait between two questions, in milliseconds. Default 1000. */
  pollIntervalMs?: number;
  /** Most tasks that run in this process at a time; beyond it `start` rejects. Default 10,000. */
  maxRunning?: number;
  /** Told when the store fails; clients are only told that something did. */
  onerror?: (error: Error) => void;
}

export interface StartOptions {
  /** As in {@link TasksOptions}, for this task. */
  ttlMs?: number | null;
  pollIntervalMs?: number;
  /** What clients are shown first. */
  statusMessage?: string;
  /**
   * What happens for a client that does not know tasks: `wait` runs the code within the call, `refuse` answers -32021.
   * Default `wait`.
   */
  otherwise?: 'wait' | 'refuse';
}

/** What the code of a task works with; the same when it runs within the call after all. */
export interface TaskContext {
  /** Undefined when the client does not know tasks, and the code runs within its call. */
  readonly taskId: string | undefined;
  /** Aborted when the client cancels, when the task expires, and when the server's tasks are closed. */
  readonly signal: AbortSignal;
  readonly authInfo: AuthInfo | undefined;
  /** Tells clients that ask how far it is. */
  setStatus(message: string): Promise<void>;
  /**
   * Asks through the task: it waits as `input_required` until the client answers, and goes on from there. Within a call it
   * is `ctx.elicit`: for a modern client the code then runs again from its start.
   * @param settings.key names the question, once in the life of the task. Default: its position
   * @throws {MissingRequiredClientCapabilityError} when the client did not declare it; AbortError when the task is over
   */
  elicit(params: ElicitParams, settings?: Pick<AskSettings, 'key'>): Promise<ElicitResult>;
  /** Asks the client's model. As {@link elicit}. */
  sample(params: CreateMessageRequestParams, settings?: Pick<AskSettings, 'key'>): Promise<CreateMessageResult>;
  /** Asks for the client's roots. As {@link elicit}. */
  listRoots(settings?: Pick<AskSettings, 'key'>): Promise<ListRootsResult>;
}

export type TaskCode = (task: TaskContext) => CallToolResult | Promise<CallToolResult>;

const OPTIONS = ['store', 'ttlMs', 'pollIntervalMs', 'maxRunning', 'onerror'];
const START_OPTIONS = ['ttlMs', 'pollIntervalMs', 'statusMessage', 'otherwise'];
const STORE = ['create', 'get', 'update', 'watch', 'close'] as const;
const TTL = 3_600_000;
const POLL = 1000;
const MOST_RUNNING = 10_000;
/** Longest task id that is looked up. */
const MOST_ID = 256;

/**
 * Declares the extension on a server and answers its methods.
 * @throws TypeError for a bad option; Error when the server has it already
 */
export function enableTasks(server: McpServer, options: TasksOptions = {}): Tasks {
  checkKnown(options, OPTIONS, 'enableTasks');
  checkTimes(options);
  const { store, maxRunning, onerror } = options;
  if (store !== undefined && STORE.some((method) => typeof store?.[method] !== 'function')) {
    throw new TypeError(`Option store must be a task store: an object with ${STORE.join(', ')}`);
  }
  if (maxRunning !== undefined) checkInteger('maxRunning', maxRunning, 1);
  if (onerror !== undefined && typeof onerror !== 'function') throw new TypeError('Option onerror must be a function');
  return new Tasks(server, options);
}

export class Tasks {
  readonly #server: McpServer;
  readonly #store: TaskStore;
  readonly #runner: TaskRunner;
  readonly #options: TasksOptions;

  /** Made by {@link enableTasks}. */
  constructor(server: McpServer, options: TasksOptions) {
    this.#server = server;
    this.#options = options;
    this.#store = options.store ?? new MemoryTaskStore();
    this.#runner = new TaskRunner(this.#store, {
      most: options.maxRunning ?? MOST_RUNNING,
      report: (error) => this.#report(error),
    });
    server.registerExtension(
      TASKS_EXTENSION,
      {},
      {
        'tasks/get': (params, context) => this.#get(params, context),
        'tasks/update': (params, context) => this.#update(params, context),
        'tasks/cancel': (params, context) => this.#cancel(params, context),
      },
    );
    attachmentOf(server).catalog.tasks = {
      follow: (taskIds, auth, tell) => this.#kept(followTasks(this.#store, taskIds, ownerOf(auth), MOST_ID, tell)),
    };
  }

  /** Tasks that run in this process now. */
  get running(): number {
    return this.#runner.size;
  }

  /**
   * Starts a task for the call of a tool; return what it gives from the tool. Ask for input that decides whether there is
   * to be a task at all (`await ctx.elicit(...)`) before.
   * @param code runs after the call was answered. What it gives is checked as the tool's own result would be; what it
   *   throws becomes a result with `isError`, except a `ProtocolError`, with which the task fails
   * @throws {MissingRequiredClientCapabilityError} with `otherwise: 'refuse'`, when the client does not know tasks;
   *   {TaskLimitError} when as many run as may
   */
  async start(context: RequestContext, code: TaskCode, options: StartOptions = {}): Promise<CallToolResult> {
    checkKnown(options, START_OPTIONS, 'start');
    checkTimes(options);
    const { otherwise = 'wait', statusMessage } = options;
    if (otherwise !== 'wait' && otherwise !== 'refuse') {
      throw new TypeError(`Option otherwise must be "wait" or "refuse", not ${JSON.stringify(otherwise)}`);
    }
    if (typeof code !== 'function')
      throw new TypeError('start needs the code of the task: start(ctx, async (task) => ...)');
    if (context.method !== 'tools/call') {
      throw new TypeError(`Only tools/call may be answered with a task, not ${context.method}`);
    }
    if (context.era === 'legacy' || !context.hasCapability('extensions', TASKS_EXTENSION)) {
      if (otherwise === 'refuse') context.requireCapability('extensions', TASKS_EXTENSION);
      return code(within(context));
    }
    // Read while the request is there: the task outlives it.
    const { authInfo, name } = context;
    const task = this.#runner.start({
      owner: ownerOf(authInfo),
      ttlMs: options.ttlMs ?? (options.ttlMs === null ? null : this.#ttlMs),
      pollIntervalMs: options.pollIntervalMs ?? this.#options.pollIntervalMs ?? POLL,
      statusMessage: statusMessage === undefined ? undefined : String(statusMessage),
      permit: (question) => context.requireCapability(...question.capability),
      left: () => context.over,
      run: (host) => outcomeOf(attachmentOf(this.#server).catalog, name, () => code(asTask(host, authInfo))),
    });
    try {
      return createdView(await task) as unknown as CallToolResult;
    } catch (error) {
      if (error instanceof TaskLimitError) throw error;
      // What a store says may be about the insides of the server: the operator is told.
      this.#report(error);
      throw new ProtocolError(ProtocolErrorCode.InternalError, 'The task could not be created');
    }
  }

  /** Cancels what runs here, and starts nothing more. A store that was given stays open. Idempotent. */
  async close(): Promise<void> {
    await this.#runner.close();
    if (this.#options.store === undefined) await this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #ttlMs(): number | null {
    const { ttlMs } = this.#options;
    return ttlMs === undefined ? TTL : ttlMs;
  }

  async #get(params: Members | undefined, context: RequestContext): Promise<object> {
    return detailedView(await this.#find(params, context));
  }

  async #update(params: Members | undefined, context: RequestContext): Promise<object> {
    const task = await this.#find(params, context);
    const responses = asMembers(own(params ?? {}, 'inputResponses'));
    if (responses === undefined) throw invalidParams('"inputResponses" must be an object');
    const answers = answersOf(task, responses);
    if (Object.keys(answers).length > 0) await this.#kept(this.#store.update(task.taskId, answering(answers)));
    return {};
  }

  async #cancel(params: Members | undefined, context: RequestContext): Promise<object> {
    const { taskId } = await this.#find(params, context);
    // Whoever runs it is told by the store. A task that is over stays what it became, and that is acknowledged too.
    const end = ending({ status: 'cancelled', statusMessage: 'The client cancelled the task' });
    await this.#kept(this.#store.update(taskId, end));
    return {};
  }

  async #find(params: Members | undefined, context: RequestContext): Promise<TaskRecord> {
    if (context.era === 'legacy') throw methodNotFound(context.method);
    context.requireCapability('extensions', TASKS_EXTENSION);
    const taskId = params === undefined ? undefined : own(params, 'taskId');
    if (typeof taskId !== 'string') throw invalidParams('"taskId" must be a string');
    const owner = ownerOf(context.authInfo);
    const task = taskId.length > MOST_ID ? undefined : await this.#kept(this.#store.get(taskId));
    // Another's task is told apart from none by nobody.
    if (task === undefined || task.owner !== owner) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task not found');
    }
    return task;
  }

  /** What the store gives; when it fails, the operator is told. */
  async #kept<T>(given: Promise<T>): Promise<T> {
    try {
      return await given;
    } catch (error) {
      this.#report(error);
      throw error;
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.onerror?.(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // A listener of errors that fails has nobody to be told.
    }
  }
}

/** Whose a task is; empty: of whoever knows its id. */
function ownerOf(auth: AuthInfo | undefined): string {
  return auth === undefined ? '' : partyOf(auth);
}

function asTask(host: TaskHost, authInfo: AuthInfo | undefined): TaskContext {
  return {
    taskId: host.taskId,
    signal: host.signal,
    authInfo,
    setStatus: (message) => host.setStatus(message),
    elicit: (params, settings) =>
      host.ask('elicitation/create', params, settings?.key) as Promise<unknown> as Promise<ElicitResult>,
    sample: (params, settings) =>
      host.ask('sampling/createMessage', params, settings?.key) as Promise<unknown> as Promise<CreateMessageResult>,
    listRoots: (settings) =>
      host.ask('roots/list', undefined, settings?.key) as Promise<unknown> as Promise<ListRootsResult>,
  };
}

/** The same within the call: what would be a status is nobody's to ask for. */
function within(context: RequestContext): TaskContext {
  return {
    taskId: undefined,
    signal: context.signal,
    authInfo: context.authInfo,
    setStatus: async () => {},
    elicit: (params, settings) => context.elicit(params, settings),
    sample: (params, settings) => context.sample(params, settings),
    listRoots: (settings) => context.listRoots(settings),
  };
}

function checkTimes({ ttlMs, pollIntervalMs }: { ttlMs?: number | null; pollIntervalMs?: number }): void {
  if (ttlMs !== undefined && ttlMs !== null) checkInteger('ttlMs', ttlMs, 1);
  if (pollIntervalMs !== undefined) checkInteger('pollIntervalMs', pollIntervalMs, 1);
}
