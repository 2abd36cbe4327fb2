/**
 * What a server offers, ready to run: the boundary between the registration API (ts/server) and the protocol
 * (ts/dispatch.ts, ts/protocol). Types only.
 *
 * An offer is built once and changed by registration, never by a request.
 */

import type { RequestContext } from '../protocol/context.js';
import type { CacheHint, Implementation, ServerCapabilities } from '../protocol/types.js';

/** Methods that reach a handler by name. */
export type HandlerMethod = 'tools/call' | 'prompts/get' | 'resources/read';

/** One registered tool, prompt or fixed resource. Its index in {@link Offer.handlers} is the engine's handler number. */
export interface Handler {
  readonly method: HandlerMethod;
  /** Tool or prompt name, or resource URI. */
  readonly name: string;
  /**
   * Validates the input and runs the user's function.
   * @param args decoded `params.arguments` (undefined when absent; always undefined for resources)
   * @returns the result object (without resultType/_meta of the era), or a promise of it. Input that does not validate
   * and a throwing tool come back as `{content, isError: true}`; a `ProtocolError` is thrown or rejects, and becomes a
   * JSON-RPC error; anything else thrown by a prompt or resource becomes -32603 without its stack.
   */
  run(args: unknown, context: RequestContext): object | Promise<object>;
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
}

export type ListKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';
