/**
 * A handler from inside: the mount that serves it, and what an adapter has to know of it. Adapters bring requests; who
 * answers them was decided by handler.ts.
 */
import type { Dispatch } from '../../dispatch.js';
import type { Listener } from '../../engine/engine.js';
import type { Mount, MountRequest } from '../../engine/mount.js';
import { Skip } from '../../engine/mount.js';
import type { RequestContext } from '../../protocol/context.js';
import type { Exchange } from '../../protocol/exchange.js';
import type { Guard } from '../../protocol/guard.js';
import type { AuthInfo } from '../../protocol/types.js';
import { refusalOf } from '../auth/rules.js';
import type { Catalog } from '../catalog.js';
import type { HandlerSettings } from './options.js';
import { hostIsChecked, originIsChecked } from './validate.js';

/** A request as every adapter of ours brings it. */
export interface AdapterRequest extends MountRequest {
  /** Who asks, as far as somebody in front has found out. */
  readonly authInfo: AuthInfo | undefined;
  /**
   * What a factory has made for it. Kept here and not in a Map by slot: a table that is written to for every request ages,
   * and the garbage that its former selves hold survives with it.
   */
  serving: Serving | null;
  /** The request of the Fetch standard, made when it is asked for. Its body is read already. */
  webRequest(): Request;
}

/** A server that was made for one request, and what answers for it. */
export interface Serving {
  readonly server: { close(): Promise<void> };
  readonly receiver: Dispatch;
}

export interface Mounted {
  readonly mount: Mount;
  readonly settings: HandlerSettings;
  /** @throws Error when the handler was closed */
  assertOpen(): void;
}

/** What stands behind a handler's `fetch`, for adapters that can do better than a Request. */
const behind = new WeakMap<object, Mounted>();

export function remember(fetch: object, mounted: Mounted): void {
  behind.set(fetch, mounted);
}
export function mountedOf(fetch: object): Mounted | undefined {
  return behind.get(fetch);
}

/**
 * Which checks are not made: nobody asked for them, and the request does not come to a loopback address, as far as there is
 * a socket to look at.
 */
export function skipAt(settings: HandlerSettings, request: object, local: string | undefined): number {
  const loopback = local !== undefined && isLoopbackAddress(local);
  const host = settings.hostsGiven || (loopback && !hostIsChecked(request));
  const origin = settings.originsGiven || (loopback && !originIsChecked(request));
  return (host ? Skip.none : Skip.host) | (origin ? Skip.none : Skip.origin);
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** Who may use an entry of a server: what of its catalog is needed for that. */
export type Rules = Pick<Catalog, 'access' | 'guarded'>;

/**
 * Believes what somebody in front found out about who asks; for everybody else the handler's own authorization decides, if
 * it has any. What scopes are worth is in the rules of the entries.
 */
export class Voucher implements Guard {
  readonly #mount: () => Mount;
  readonly #rules: Rules;
  readonly #own: Guard | undefined;

  constructor(mount: () => Mount, rules: Rules, own?: Guard) {
    this.#mount = mount;
    this.#rules = rules;
    this.#own = own;
  }

  get hides(): boolean {
    return this.#rules.guarded;
  }

  check(exchange: Exchange, httpMethod: string, go: (auth: AuthInfo | undefined) => void): void {
    const auth = this.#authAt(exchange.slot);
    if (auth !== undefined || this.#own === undefined) go(auth);
    else this.#own.check(exchange, httpMethod, go);
  }

  /** See `Mount.principal`: below zero it is the slot. */
  who(listener: Listener, principal: number): AuthInfo | undefined {
    return principal < 0 ? this.#authAt(-1 - principal) : this.#own?.who(listener, principal);
  }

  allows(
    auth: AuthInfo | undefined,
    method: string,
    name: string,
    context?: RequestContext,
  ): ReturnType<Guard['allows']> {
    if (this.#own !== undefined) return this.#own.allows(auth, method, name, context);
    const rule = this.#rules.access(method, name);
    if (rule === undefined) return undefined;
    const metadataUrl = auth?.resourceMetadataUrl ?? '';
    return refusalOf({ rule, auth, method, name, context, always: [], metadataUrl });
  }

  #authAt(slot: number): AuthInfo | undefined {
    return (this.#mount().find(slot)?.request as AdapterRequest | undefined)?.authInfo;
  }
}
