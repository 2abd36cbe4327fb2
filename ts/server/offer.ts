/**
 * What a server offers, ready to run: the boundary between the registration API (ts/server) and the protocol
 * (ts/dispatch.ts, ts/protocol). Types only.
 *
 * An offer is built once and changed by registration, never by a request.
 */

import type { ChangeBus } from '../protocol/changes.js';
import type { RequestContext } from '../protocol/context.js';
import type { StateSealer } from '../protocol/modern/state-seal.js';
import type { TaskFeed } from '../protocol/modern/task-feed.js';
import type { ScopeChallengeHandler } from '../protocol/sdk/scopes.js';
import type { AuthInfo, CacheHint, Implementation, ProtocolEra, ServerCapabilities } from '../protocol/types.js';

export type { ScopeChallenge, ScopeChallengeHandler } from '../protocol/sdk/scopes.js';

/** Methods that reach a handler by name. */
export type HandlerMethod = 'tools/call' | 'prompts/get' | 'resources/read';

/** One registered tool, prompt or fixed resource. Its index in {@link Offer.handlers} is the engine's handler number. */
export interface Handler {
  readonly method: HandlerMethod;
  /** Tool or prompt name, or resource URI: what a request asks for it by. */
  readonly key: string;
  /**
   * Validates the input and runs the user's function.
   * @param args decoded `params.arguments` (undefined when absent; always undefined for resources)
   * @returns the result object (without resultType/_meta of the era), or a promise of it. Input that does not validate
   * and a throwing tool come back as `{content, isError: true}`; a `ProtocolError` is thrown or rejects, and becomes a
   * JSON-RPC error; anything else thrown by a prompt or resource becomes -32603 without its stack.
   */
  run(args: unknown, context: RequestContext): object | Promise<object>;
}

/** A function that answers one method as a whole: set on the low-level server, or by an extension. */
export interface MethodHandler {
  /**
   * @param params as they came, undefined when absent
   * @returns the result object (without resultType/_meta of the era), or a promise of it; a `ProtocolError` that is thrown
   * becomes a JSON-RPC error, anything else -32603
   */
  run(params: Record<string, unknown> | undefined, context: RequestContext): unknown | Promise<unknown>;
}

/** Where a notification came from, as far as handlers are told. */
export interface NotificationSource {
  readonly era: ProtocolEra;
  /** The legacy session; undefined without one. */
  readonly sessionId: string | undefined;
  readonly authInfo: AuthInfo | undefined;
}

/** A property of a tool's input that must also stand in a header, `Mcp-Param-<header>`. */
export interface MirroredParam {
  /** The part after `Mcp-Param-`, as it was declared. */
  readonly header: string;
  /** Names of the properties from the arguments down. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

/** What `completion/complete` is asked about. */
export type CompletionReference = { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string };
export interface CompletionArgument {
  readonly name: string;
  readonly value: string;
}
export interface Completion {
  /** At most 100. */
  values: string[];
  total?: number;
  hasMore?: boolean;
}

/** Runs around every call; may look, change the result, or answer without calling `next`. */
export type Middleware = (context: RequestContext, next: () => Promise<object>) => object | Promise<object>;

/** Who may use an entry. Absent members ask for nothing. */
export interface AccessRule {
  /** Scopes that the access token must all have. */
  readonly scopes: readonly string[] | undefined;
  readonly canAccess: ((auth: AuthInfo | undefined, context?: RequestContext) => boolean) | undefined;
  /** The official SDK's form: gives the scopes to ask for, or undefined when the call may go on. */
  readonly scopeChallenge: ScopeChallengeHandler | undefined;
}
export interface InputRequiredOptions {
  /** Most runs of the handler for one request. Default 8. */
  maxRounds?: number;
  /** Milliseconds that a client gets for each answer. Default 600,000. */
  roundTimeoutMs?: number;
  /** False: such a result is an error for legacy clients. Default true. */
  legacyShim?: boolean;
}

export interface Offer {
  readonly info: Implementation;
  readonly instructions: string | undefined;
  /** Declared capabilities as they are true now. */
  capabilities(): ServerCapabilities;
  /** Sparse: a removed handler leaves `undefined`; numbers are not reused. */
  readonly handlers: readonly (Handler | undefined)[];
  /** Handler number for an enabled tool, prompt or fixed resource; -1 when there is none. */
  find(method: HandlerMethod, name: string): number;
  /** The handler for a URI that only a template matches, or undefined. Linear time in the URI. */
  matchTemplate(uri: string): { run(context: RequestContext): object | Promise<object> } | undefined;
  /** Serialised items (one JSON text per enabled entry, registration order) of a list. */
  list(kind: ListKind): readonly string[];
  /** Whether a list depends on who asks (resources that templates enumerate). */
  dynamic(kind: ListKind): boolean;
  /** Serialised items that come after those of `list`, for this request. */
  dynamicItems(kind: ListKind, context: RequestContext): Promise<readonly string[]>;
  /** Items per page when a client asks with a cursor; `undefined`: one page holds all. */
  readonly pageSize: number | undefined;
  /** Freshness of a list or a resource for modern results; default `{ttlMs: 0, cacheScope: 'private'}`. */
  cacheHint(kind: ListKind | 'discover', uri?: string): CacheHint;
  /** The handler that stands before everything the offer would answer itself, for any method of either era. */
  methodHandler(method: string): MethodHandler | undefined;
  /** For methods that nobody knows. */
  readonly fallback: MethodHandler | undefined;
  /** Runs the handler of a notification when there is one. Never throws, never waits. */
  notified(method: string, params: Record<string, unknown> | undefined, source: NotificationSource): void;
  /**
   * `completion/complete`: what could stand there.
   * @param known arguments that are filled in already (`params.context.arguments`)
   * @throws {ProtocolError} -32602 for a reference that names nothing; anything else is the callback's own
   */
  complete(
    ref: CompletionReference,
    argument: CompletionArgument,
    known: Record<string, string> | undefined,
    context: RequestContext,
  ): Promise<Completion>;
  /** The mirrored properties of a tool, or undefined when it has none. Its calls are never published to an engine. */
  mirrored(tool: string): readonly MirroredParam[] | undefined;
  /** In the order in which they run; empty for most servers. */
  readonly middleware: readonly Middleware[];
  /** Revisions that this server was told to serve, the preferred one first; undefined: all there are. */
  readonly versions: readonly string[] | undefined;
  /** How legacy clients are asked what a handler returned as `input_required`; undefined: the defaults of each member. */
  readonly inputRequired: InputRequiredOptions | undefined;
  /** Seals and opens `requestState`. */
  readonly state: StateSealer;
  /** Everything that clients may be told about: changed lists and resources. */
  readonly changes: ChangeBus;
  /** The tasks that clients may follow; undefined without the tasks extension. */
  readonly tasks?: TaskFeed | undefined;
  /** The rule of a tool, prompt or resource (or of the template that matches the URI); undefined: everybody may. */
  access(method: string, name: string): AccessRule | undefined;
}

export type ListKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';
