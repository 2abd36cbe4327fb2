/**
 * Servers and child processes of these tests, all gone after each test.
 *
 * A server in this process runs from the sources, so that its counters can be read; a child runs the built package, as a
 * client would spawn it. Waiting is always for an event, never for a time.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import type { ListenOptions, ServerListener } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { equip } from './fixtures/offer.mjs';

export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
/** The built echo server: `node <this> --port P | --stdio`. */
export const ECHO = fileURLToPath(new URL('../../dist/cli/echo.js', import.meta.url));

/** Promises of the offer, see fixtures/offer.mjs. */
export interface Marks {
  settled(token: string): Promise<unknown>;
}
export interface Served {
  readonly server: McpServer;
  readonly listener: ServerListener;
  readonly url: URL;
  readonly started: Marks;
  readonly stopped: Marks;
}

type End = () => unknown;
const ends: End[] = [];
afterEach(async () => {
  // Last come, first gone: clients before their servers.
  for (const end of ends.splice(0).reverse()) await end();
});

/** Runs when the test is over, whatever became of it. */
export function atEnd(end: End): void {
  ends.push(end);
}

/** One client for all tests of the describe block around it, as starting a process for each would take most of the time. */
export function shared<T extends { readonly client: { close(): Promise<void> } }>(
  open: () => Promise<T>,
): () => Promise<T> {
  let opened: Promise<T> | undefined;
  afterAll(async () => (await opened)?.client.close());
  return () => {
    opened ??= open();
    return opened;
  };
}

/** The offer of fixtures/offer.mjs on a free port. */
export async function serveHttp(engine: EngineName, options: ListenOptions = {}): Promise<Served> {
  const server = new McpServer({ name: 'clients', version: '1.0.0' }, { instructions: 'Use the tools.' });
  const marks = equip(server, ResourceTemplate) as { started: Marks; stopped: Marks };
  const listener = await server.listen({ port: 0, engine, ...options });
  atEnd(() => listener.close({ grace: 0 }));
  return { server, listener, url: new URL(listener.url), ...marks };
}

/** What a stdio transport of the official SDK is given to spawn the offer. */
export function stdioOffer(engine: EngineName): { command: string; args: string[]; env: Record<string, string> } {
  return { command: process.execPath, args: [fixture('stdio.mjs')], env: environment(engine) };
}

export function environment(engine: EngineName): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(inherited), THIRDRAIL_ENGINE: engine, NODE_OPTIONS: '', NO_COLOR: '1' };
}

/** How a process ended: its code, or the signal that killed it. */
export type Exit = number | NodeJS.Signals;

/** A child process whose output is read line by line. */
export class Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves when the process is gone and all that it wrote is read. */
  readonly exit: Promise<Exit>;
  /** Every line of standard output so far. */
  readonly lines: string[] = [];
  stderr = '';
  #rest = '';
  #gone = false;
  #waiting: (() => void)[] = [];

  /** @param args a script and its arguments */
  constructor(args: readonly string[], engine: EngineName) {
    this.process = spawn(process.execPath, args, { env: environment(engine), stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.process;
    stdin.on('error', () => {}); // the child may end while it is written to; how it ended is what tests ask
    stdout.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
      this.#wake();
    });
    this.exit = once(this.process, 'close').then(([code, signal]) => {
      this.#gone = true;
      this.#wake();
      return (code ?? signal) as Exit;
    });
    atEnd(async () => {
      this.process.kill('SIGKILL');
      await this.exit;
    });
  }

  send(...messages: (string | object)[]): void {
    const text = messages.map((message) => `${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
    this.process.stdin.write(text.join(''));
  }

  /** Line `index` of standard output, as JSON. */
  async message(index: number): Promise<Message> {
    await this.until(() => this.lines.length > index, `line ${index} of standard output`);
    return JSON.parse(this.lines[index] as string) as Message;
  }

  /** The first message that has this id. */
  async answer(id: string | number | null): Promise<Message> {
    const find = () => this.messages().find((message) => message.id === id);
    await this.until(() => find() !== undefined, `the answer to ${JSON.stringify(id)}`);
    return find() as Message;
  }

  /** Everything on standard output; throws when a line is no JSON. */
  messages(): Message[] {
    return this.lines.map((line) => JSON.parse(line) as Message);
  }

  /** Looks again whenever the child has said something. Rejects when it ends before `done`. */
  async until(done: () => boolean, what: string): Promise<void> {
    while (!done()) {
      if (this.#gone)
        throw new Error(`the child ended before ${what}; it said: ${this.lines.join('\n')}${this.stderr}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() as string;
    this.lines.push(...lines);
    this.#wake();
  }
}

export interface Message {
  jsonrpc?: string;
  id?: string | number | null;
  method?: string;
  result?: { content?: { text: string }[]; isError?: boolean; [key: string]: unknown };
  error?: { code: number; message: string };
}

/** A legacy request. */
export const ask = (id: string | number, method: string, params?: object): object => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params !== undefined && { params }),
});
export const callTool = (id: string | number, name: string, args: object = {}): object =>
  ask(id, 'tools/call', { name, arguments: args });
export const INITIALIZE = ask('init', 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
});
