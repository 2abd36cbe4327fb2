/**
 * A task as it is stored and as clients see it (extension `io.modelcontextprotocol/tasks`), and the steps that it can take.
 * Pure: who takes them is in runner.ts and tasks.ts, where the outcome is kept in the stores.
 */
import { randomUUID } from 'node:crypto';
import { type Members, own } from '../../protocol/incoming.js';
import type { MetaObject } from '../../protocol/types.js';

export { TASKS_EXTENSION } from '../../protocol/modern/task-feed.js';

export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** A question that waits for `tasks/update`. */
export interface TaskInput {
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

/** The JSON-RPC error that a task failed with. */
export interface TaskError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What a store keeps. Plain JSON; never changed, only replaced. */
export interface TaskRecord {
  readonly taskId: string;
  /** Whose it is: others are told that there is no such task. Empty: of whoever knows its id. */
  readonly owner: string;
  /** Counts the changes, from 1: of two records of a task the one with the higher number is the later. */
  readonly version: number;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** Milliseconds from its creation after which it may be gone; null: never. */
  readonly ttlMs: number | null;
  readonly pollIntervalMs: number;
  readonly status: TaskStatus;
  readonly statusMessage?: string;
  /** Outstanding questions, while the status is `input_required`. */
  readonly inputRequests?: Readonly<Record<string, TaskInput>>;
  /** Answers on their way to the code that asked; gone with the next change that it makes. Never shown to clients. */
  readonly inputResponses?: Readonly<Record<string, Members>>;
  /** Of a completed task: what the request would have been answered with. */
  readonly result?: Record<string, unknown>;
  /** Of a failed task. */
  readonly error?: TaskError;
}

/** What a task becomes; undefined when it stays as it is. Called again when another change came first: no side effects. */
export type TaskStep = (task: TaskRecord) => TaskRecord | undefined;

/** How a task ends. */
export type TaskEnd = Pick<TaskRecord, 'statusMessage'> &
  ({ status: 'completed'; result: Members } | { status: 'failed'; error: TaskError } | { status: 'cancelled' });

/** The members that every view of a task has. */
export interface TaskView {
  taskId: string;
  status: TaskStatus;
  statusMessage?: string;
  createdAt: string;
  lastUpdatedAt: string;
  ttlMs: number | null;
  pollIntervalMs: number;
}

export interface CreatedTask extends TaskView {
  resultType: 'task';
  _meta?: MetaObject;
  [key: string]: unknown;
}

export interface TaskOpening {
  readonly owner: string;
  readonly ttlMs: number | null;
  readonly pollIntervalMs: number;
  readonly statusMessage: string | undefined;
}

/** A new task. Its id is 122 random bits: where nobody is authenticated it is all that protects the task. */
export function openedTask({ owner, ttlMs, pollIntervalMs, statusMessage }: TaskOpening): TaskRecord {
  const now = new Date().toISOString();
  const times = { createdAt: now, lastUpdatedAt: now, ttlMs, pollIntervalMs };
  const task: TaskRecord = { taskId: randomUUID(), owner, version: 1, ...times, status: 'working' };
  return statusMessage === undefined ? task : { ...task, statusMessage };
}

/** Nothing more will happen to it. */
export function isOver({ status }: Pick<TaskRecord, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Says how far it is. */
export function stating(statusMessage: string): TaskStep {
  return (task) => changed(task, { statusMessage });
}

/** Asks more questions; their keys must be new. */
export function asking(questions: Readonly<Record<string, TaskInput>>): TaskStep {
  return (task) => changed(task, { status: 'input_required', inputRequests: { ...task.inputRequests, ...questions } });
}

/** Takes the answers to questions that are outstanding; all others are ignored. */
export function answering(responses: Readonly<Record<string, Members>>): TaskStep {
  return (task) => {
    const open = Object.entries(task.inputRequests ?? {});
    const left = open.filter(([key]) => !Object.hasOwn(responses, key));
    if (left.length === open.length) return undefined;
    const taken = open.filter(([key]) => Object.hasOwn(responses, key)).map(([key]) => [key, own(responses, key)]);
    return changed(task, {
      status: left.length === 0 ? 'working' : 'input_required',
      inputRequests: Object.fromEntries(left),
      inputResponses: { ...task.inputResponses, ...(Object.fromEntries(taken) as Record<string, Members>) },
    });
  };
}

/** Ends it: what was asked is not asked any more. */
export function ending(end: TaskEnd): TaskStep {
  return (task) => changed(task, { ...end, inputRequests: {}, inputResponses: {} });
}

/** Drops answers that their questions have got, along with another step. */
export function without(taken: ReadonlySet<string>, step: TaskStep): TaskStep {
  return (task) => {
    const { inputResponses, ...rest } = task;
    if (inputResponses === undefined) return step(task);
    const left = Object.entries(inputResponses).filter(([key]) => !taken.has(key));
    return step(left.length === 0 ? rest : { ...rest, inputResponses: Object.fromEntries(left) });
  };
}

/** A task that is over does not change any more. */
function changed(task: TaskRecord, change: Partial<TaskRecord>): TaskRecord | undefined {
  if (isOver(task)) return undefined;
  // Clocks of several processes differ; time as clients see it does not run backwards.
  const lastUpdatedAt = new Date(Math.max(Date.now(), Date.parse(task.lastUpdatedAt))).toISOString();
  const { inputRequests, inputResponses, ...rest } = { ...task, ...change };
  const next: TaskRecord = { ...rest, version: task.version + 1, lastUpdatedAt };
  return {
    ...next,
    ...(isEmpty(inputRequests) ? undefined : { inputRequests }),
    ...(isEmpty(inputResponses) ? undefined : { inputResponses }),
  } as TaskRecord;
}

function isEmpty(members: object | undefined): boolean {
  return members === undefined || Object.keys(members).length === 0;
}

function viewOf(task: TaskRecord): TaskView {
  const { taskId, status, statusMessage, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs } = task;
  const view: TaskView = { taskId, status, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs };
  if (statusMessage !== undefined) view.statusMessage = statusMessage;
  return view;
}

/** The answer to the request that became a task. */
export function createdView(task: TaskRecord): CreatedTask {
  return { resultType: 'task', ...viewOf(task) };
}

/** The answer to `tasks/get`, and the params of `notifications/tasks`. */
export function detailedView(task: TaskRecord): Record<string, unknown> {
  const view: Record<string, unknown> = { ...viewOf(task) };
  if (task.status === 'input_required') view.inputRequests = task.inputRequests ?? {};
  if (task.status === 'completed') view.result = task.result ?? {};
  if (task.status === 'failed') view.error = task.error;
  return view;
}
