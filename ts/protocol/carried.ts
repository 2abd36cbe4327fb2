/**
 * What came along with a message that a connected transport brought, for the context of its request: a transport has no
 * request head, but may know the HTTP request behind the message, who sent it, and how to end its stream.
 */
import type { RequestContext } from './context.js';
import { HttpInfo } from './http-info.js';
import type { Port } from './state.js';
import type { AuthInfo } from './types.js';

export interface Carried {
  readonly sessionId: string | undefined;
  readonly authInfo: AuthInfo | undefined;
  readonly request: Request | undefined;
  readonly closeSSE: (() => void) | undefined;
  readonly closeStandaloneSSE: (() => void) | undefined;
}

/** A listener whose messages may bring something along. */
export interface Carrier {
  carried(slot: number): Carried | undefined;
}

export function carriedBy(port: object, slot: number): Carried | undefined {
  return (port as Partial<Carrier>).carried?.(slot);
}

/** `ctx.http` of a message that a transport brought; undefined when it knows nothing of HTTP. */
export function carriedHttp(context: RequestContext, port: Port, carried: Carried): HttpInfo | undefined {
  const { authInfo, request, closeSSE, closeStandaloneSSE } = carried;
  if (!(authInfo ?? request ?? closeSSE ?? closeStandaloneSSE)) return undefined;
  return new CarriedHttpInfo(context, port, carried);
}

class CarriedHttpInfo extends HttpInfo {
  readonly #carried: Carried;

  constructor(context: RequestContext, port: Port, carried: Carried) {
    super(context, '', port);
    this.#carried = carried;
  }

  override get headers(): Headers {
    return this.#carried.request?.headers ?? super.headers;
  }
  override get authInfo(): AuthInfo | undefined {
    return this.#carried.authInfo;
  }
  override get req(): Request {
    return this.#carried.request ?? super.req;
  }
  override get closeSSE(): (() => void) | undefined {
    return this.#carried.closeSSE;
  }
  override get closeStandaloneSSE(): (() => void) | undefined {
    return this.#carried.closeStandaloneSSE;
  }
}
