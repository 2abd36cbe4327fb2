/**
 * The engine's side of the seam for protocol tests: a listener that keeps what it is told, with slots that die when they
 * are answered, and an offer of a few handlers. It decides nothing that an engine decides.
 */
import type { Listener, Receiver } from '../../ts/engine/engine.js';
import { CallFlag, Shape } from '../../ts/engine/engine.js';
import { LocalChanges } from '../../ts/protocol/changes.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import { createStateSealer } from '../../ts/protocol/modern/state-seal.js';
import type { ServerCapabilities } from '../../ts/protocol/types.js';
import type {
  Handler,
  HandlerMethod,
  InputRequiredOptions,
  ListKind,
  MethodHandler,
  Middleware,
  Offer,
} from '../../ts/server/offer.js';

// Answers are untyped here on purpose: what they hold is what the tests look at.
export type Json = any;

export interface Reply {
  status: number;
  shape: number;
  failed: 0 | 1;
  headers: string;
  text: string;
  /** The text as JSON; undefined when empty. */
  json: Json;
}

interface Request {
  id: string;
  meta: string;
  head: string;
}

export class Recorder implements Listener {
  readonly host = '127.0.0.1';
  readonly port = 1;
  readonly replies = new Map<number, Reply>();
  readonly events = new Map<number, Json[]>();
  /** What was written in pieces, and the header lines it was opened with. */
  readonly bodies = new Map<number, { headers: string; text: string }>();
  readonly sessions = new Set<string>();
  /** Replies to slots that were answered before. */
  stale = 0;
  readonly #live = new Map<number, Request>();
  #slots = 0;

  constructor(
    readonly receiver: Receiver,
    readonly pipe = false,
  ) {}

  /** Hands up a message as the engine would; returns its slot. */
  send(method: string, body: unknown, headers: Record<string, string> = {}): number {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const slot = this.arrive(body, this.pipe ? {} : headers);
    this.receiver.message(this, slot, this.pipe ? 'PIPE' : method, text);
    return slot;
  }

  post(body: unknown, headers: Record<string, string> = {}): number {
    return this.send('POST', body, headers);
  }

  /** Posts and takes the answer of a handler that answers at once. */
  ask(body: unknown, headers: Record<string, string> = {}): Reply {
    return this.taken(this.post(body, headers));
  }

  /** Hands up a proven call, the fast way. */
  call(handler: number, flags: number, args: string, body: unknown, headers: Record<string, string> = {}): number {
    const slot = this.arrive(body, headers);
    this.receiver.call(this, slot, handler, flags, args);
    return slot;
  }

  leave(slot: number): void {
    this.#live.delete(slot);
    this.receiver.abort(this, slot);
  }

  taken(slot: number): Reply {
    const reply = this.replies.get(slot);
    if (reply === undefined) throw new Error(`slot ${slot} was not answered`);
    return reply;
  }

  async answered(slot: number): Promise<Reply> {
    for (let turn = 0; turn < 200 && !this.replies.has(slot); turn += 1)
      await new Promise((done) => setTimeout(done, 1));
    return this.taken(slot);
  }

  /** A request that the receiver does not know of yet; returns its slot. */
  arrive(body: unknown, headers: Record<string, string>): number {
    this.#slots += 1;
    const slot = this.#slots * 2 ** 24 + 3;
    const message = body as { id?: unknown; params?: { _meta?: unknown } } | undefined;
    // The engine begins with the request target, where it tells it.
    const { ':path': path, ...rest } = headers;
    const lines = Object.entries(rest).map(([name, value]) => `${name.toLowerCase()}: ${value}\r\n`);
    const target = path === undefined ? '' : `:path: ${path}\r\n`;
    this.#live.set(slot, {
      id: JSON.stringify(message?.id) ?? '',
      meta: JSON.stringify(message?.params?._meta) ?? '',
      head: this.pipe ? '' : `${target}host: 127.0.0.1\r\n${lines.join('')}`,
    });
    return slot;
  }

  reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    if (!this.#live.delete(slot)) {
      this.stale += 1;
      return;
    }
    this.replies.set(slot, { status, shape, failed, headers, text, json: text === '' ? undefined : JSON.parse(text) });
  }

  event(slot: number, id: string, text: string): number {
    if (!this.#live.has(slot)) {
      this.stale += 1;
      return -1;
    }
    if (id !== '') throw new Error('events with ids are written, not sent');
    const list = this.events.get(slot) ?? [];
    list.push(JSON.parse(text));
    this.events.set(slot, list);
    return 0;
  }

  open(slot: number, _status: number, headers: string): void {
    if (this.#live.has(slot) && !this.bodies.has(slot)) this.bodies.set(slot, { headers, text: '' });
  }

  write(slot: number, text: string): number {
    const body = this.#live.has(slot) ? this.bodies.get(slot) : undefined;
    if (body === undefined) return -1;
    body.text += text;
    return 0;
  }

  /** The events of a body so far; `message` undefined: an event without data. */
  written(slot: number): { id?: string; retry?: number; event?: string; message?: Json }[] {
    const blocks = (this.bodies.get(slot)?.text ?? '').split('\n\n').filter((block) => block !== '');
    return blocks
      .filter((block) => !block.startsWith(':'))
      .map((block) => {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2)));
        const { id, retry, event, data } = fields as Record<string, string | undefined>;
        return {
          ...(id === undefined ? {} : { id }),
          ...(retry === undefined ? {} : { retry: Number(retry) }),
          ...(event === undefined || event === 'message' ? {} : { event }),
          ...(data === undefined || data === '' ? {} : { message: data.startsWith('{') ? JSON.parse(data) : data }),
        };
      });
  }

  meta(slot: number): string {
    return this.#live.get(slot)?.meta ?? '';
  }
  id(slot: number): string {
    return this.#live.get(slot)?.id ?? '';
  }
  head(slot: number): string {
    return this.#live.get(slot)?.head ?? '';
  }
  principal(): number {
    return 0;
  }
  admit(): void {}
  expel(): boolean {
    return false;
  }
  renewTls(): string {
    return '';
  }
  openSession(id: string): void {
    this.sessions.add(id);
  }
  closeSession(id: string): void {
    this.sessions.delete(id);
  }
  hasSession(id: string): boolean {
    return this.sessions.has(id);
  }
  stats(): void {}
  async close(): Promise<void> {}
  ref(): void {}
  unref(): void {}
}

export type Run = (args: Json, context: RequestContext) => Json;

/** Handlers in the order given; numbers are their positions. */
export class TestOffer implements Offer {
  readonly info = { name: 'test', version: '1.2.3', title: 'Test "server"' };
  instructions: string | undefined = 'Be kind';
  pageSize: number | undefined;
  declared: ServerCapabilities = { tools: { listChanged: true }, prompts: {}, resources: {}, logging: {} };
  handlers: (Handler | undefined)[] = [];
  templates: ((uri: string) => ((context: RequestContext) => object | Promise<object>) | undefined) | undefined;
  lists: Record<ListKind, string[]> = { tools: [], prompts: [], resources: [], resourceTemplates: [] };
  hints: Partial<Record<ListKind | 'discover', { ttlMs?: number; cacheScope?: 'public' | 'private' }>> = {};

  add(method: HandlerMethod, name: string, run: Run): number {
    return this.handlers.push({ method, key: name, run }) - 1;
  }
  capabilities(): ServerCapabilities {
    return this.declared;
  }
  find(method: HandlerMethod, name: string): number {
    return this.handlers.findIndex((handler) => handler?.method === method && handler.key === name);
  }
  matchTemplate(uri: string) {
    const run = this.templates?.(uri);
    return run === undefined ? undefined : { run };
  }
  list(kind: ListKind): readonly string[] {
    return this.lists[kind];
  }
  dynamic(_kind: ListKind): boolean {
    return false;
  }
  async dynamicItems(_kind: ListKind, _context: RequestContext): Promise<readonly string[]> {
    return [];
  }
  readonly methods = new Map<string, MethodHandler>();
  fallback: MethodHandler | undefined;
  /** Notifications that came, by method. */
  readonly told: string[] = [];
  readonly middleware: Middleware[] = [];
  versions: readonly string[] | undefined;
  inputRequired: InputRequiredOptions | undefined = undefined;
  state = createStateSealer();
  readonly changes = new LocalChanges();
  methodHandler(method: string): MethodHandler | undefined {
    return this.methods.get(method);
  }
  notified(method: string): void {
    this.told.push(method);
  }
  async complete(): Promise<{ values: string[] }> {
    return { values: [] };
  }
  mirrored(): undefined {
    return undefined;
  }
  access(): undefined {
    return undefined;
  }
  cacheHint(kind: ListKind | 'discover') {
    return this.hints[kind] ?? { ttlMs: 0, cacheScope: 'private' as const };
  }
}

const P = 'io.modelcontextprotocol/';
export const SERVER_INFO = `${P}serverInfo`;

/** The envelope of a regular modern request. */
export function envelope(extra: object = {}): Record<string, unknown> {
  return { [`${P}protocolVersion`]: '2026-07-28', [`${P}clientCapabilities`]: {}, ...extra };
}

/** A regular modern request with its headers. */
export function modern(method: string, params: Record<string, unknown> = {}, meta: object = {}, id: unknown = 1) {
  const body = { jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope(meta) } };
  const headers: Record<string, string> = {
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
  };
  const name = params.name ?? params.uri;
  if (typeof name === 'string') headers['mcp-name'] = name;
  return { body, headers };
}

export function legacy(method: string, params?: object, id: unknown = 1) {
  return { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
}

export const LEGACY_HEADERS = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' };

/** Does the handshake and returns the headers of the session. */
export function handshake(recorder: Recorder, version = '2025-11-25'): Record<string, string> {
  const clientInfo = { name: 'client', version: '9' };
  const params = { protocolVersion: version, capabilities: { sampling: {} }, clientInfo };
  const reply = recorder.ask(legacy('initialize', params), { accept: LEGACY_HEADERS.accept });
  const id = /^mcp-session-id: ([\x21-\x7e]+)\r\n$/.exec(reply.headers)?.[1] ?? '';
  return { ...LEGACY_HEADERS, 'mcp-protocol-version': reply.json.protocolVersion, 'mcp-session-id': id };
}

export { CallFlag, Shape };
