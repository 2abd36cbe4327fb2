/**
 * Who may ask: what the protocol needs to know of authorization, types only. What a token is worth, and what is answered to
 * one that is worth nothing, is decided by the implementation.
 */
import type { Listener } from '../engine/engine.js';
import type { RequestContext } from './context.js';
import type { ProtocolError } from './errors.js';
import type { Exchange } from './exchange.js';
import type { AuthInfo } from './types.js';

/** Why a principal may not: the JSON-RPC error and how HTTP tells it. */
export interface Refusal {
  readonly error: ProtocolError;
  readonly status: number;
  /** Header lines, each `name: value\r\n`; `www-authenticate` among them. */
  readonly headers: string;
}

export interface Guard {
  /**
   * Credentials of a request that the engine could not vouch for: calls `go` once with who it is, or answers the challenge
   * itself. Asked before anything else of every HTTP request, other paths included ({@link Exchange.path}): what must be
   * public, such as the protected-resource metadata, it lets through itself. `go` may be called later; it never throws.
   */
  check(exchange: Exchange, httpMethod: string, go: (auth: AuthInfo | undefined) => void): void;
  /** Who an admitted number is. */
  who(listener: Listener, principal: number): AuthInfo | undefined;
  /**
   * May this principal call, get or read that entry? Undefined: yes.
   * @param context of the request that would use it; absent when the question is only whether to show it
   */
  allows(
    auth: AuthInfo | undefined,
    method: string,
    name: string,
    context?: RequestContext,
  ): Refusal | undefined | Promise<Refusal | undefined>;
  /**
   * Whether lists leave out what {@link allows} refuses. Lists must then not be ready bytes of a registry, which answers
   * everybody alike.
   */
  readonly hides: boolean;
}
