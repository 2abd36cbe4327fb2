/**
 * For the tests of tasks: servers with a task store, and a client of raw requests that declares the extension (or not).
 * Waiting is for what a task becomes, never for a time.
 */
import { afterEach } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import type { ListenOptions } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { enableTasks, type Tasks, type TasksOptions } from '../../ts/server/tasks/tasks.js';

export const TASKS = 'io.modelcontextprotocol/tasks';
export type Json = any;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
export const atEnd = (end: () => unknown): void => void ends.push(end);

/** A server whose tools are made by `equip`, listening on a free port. */
export async function serveTasks(
  engine: EngineName,
  equip: (server: McpServer, tasks: Tasks) => void,
  options: TasksOptions = {},
  listen: ListenOptions = {},
): Promise<{ url: string; server: McpServer; tasks: Tasks }> {
  const server = new McpServer({ name: 'tasks', version: '1.0.0' });
  const tasks = enableTasks(server, options);
  equip(server, tasks);
  const listener = await server.listen({ port: 0, engine, ...listen });
  atEnd(async () => {
    await tasks.close();
    await listener.close({ grace: 0 });
  });
  return { url: listener.url, server, tasks };
}

export const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
export const form = (properties: Json = { ok: { type: 'boolean' } }) => ({
  message: 'Well?',
  requestedSchema: { type: 'object' as const, properties },
});

export interface Answer {
  status: number;
  result: Json;
  error: Json;
}

/** Requests of one client. */
export class TaskClient {
  readonly capabilities: Json;
  readonly #url: string;
  readonly #token: string | undefined;

  /** @param also capabilities besides the extension and elicitation; null: none at all */
  constructor(url: string, also: object | null = {}, token?: string) {
    this.#url = url;
    this.#token = token;
    this.capabilities = also === null ? {} : { extensions: { [TASKS]: {} }, elicitation: { form: {} }, ...also };
  }

  headers(method: string, params: Json): Record<string, string> {
    const name = params.name ?? params.uri ?? params.taskId;
    return {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
    };
  }

  body(method: string, params: Json): string {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': this.capabilities,
    };
    return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
  }

  post(method: string, params: Json, signal?: AbortSignal): Promise<Response> {
    const init = { method: 'POST', headers: this.headers(method, params), body: this.body(method, params) };
    return fetch(this.#url, signal === undefined ? init : { ...init, signal });
  }

  async ask(method: string, params: Json = {}): Promise<Answer> {
    const response = await this.post(method, params);
    const { result, error } = (await response.json()) as Json;
    return { status: response.status, result, error };
  }

  call(name: string, args: object = {}, more: object = {}): Promise<Answer> {
    return this.ask('tools/call', { name, arguments: args, ...more });
  }

  /** Calls a tool that must become a task; its id. */
  async begin(name: string, args: object = {}): Promise<string> {
    const { result, error } = await this.call(name, args);
    if (result?.resultType !== 'task') throw new Error(`no task: ${JSON.stringify(result ?? error)}`);
    return result.taskId;
  }

  async get(taskId: string): Promise<Json> {
    const { result, error } = await this.ask('tasks/get', { taskId });
    if (error !== undefined) throw new Error(JSON.stringify(error));
    return result;
  }

  /** The task once it is what is waited for: a status, or whatever a function finds. */
  async until(taskId: string, wanted: string | ((task: Json) => boolean)): Promise<Json> {
    for (;;) {
      const task = await this.get(taskId);
      if (typeof wanted === 'string' ? task.status === wanted : wanted(task)) return task;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Follows tasks: the messages of `subscriptions/listen` as they come. */
  async listen(notifications: Json): Promise<AsyncGenerator<Json, void, void> & { end(): void }> {
    const controller = new AbortController();
    atEnd(() => controller.abort());
    const response = await this.post('subscriptions/listen', { notifications }, controller.signal);
    return Object.assign(messages(response), { end: () => controller.abort() });
  }
}

async function* messages(response: Response): AsyncGenerator<Json, void, void> {
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += decoder.decode(chunk, { stream: true });
      const events = rest.split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data !== undefined) yield JSON.parse(data);
      }
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}

/** A promise and what settles it. */
export function gate<T = void>(): { readonly passed: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => {};
  const passed = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
