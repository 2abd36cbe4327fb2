/**
 * `ctx.http`: the HTTP request behind a call. Everything is made when it is asked for.
 */
import type { RequestContext } from './context.js';
import { headerValue, toHeaders } from './headers.js';
import type { Port } from './state.js';
import type { AuthInfo } from './types.js';

/** A port whose client may come back for what it missed. */
interface Disconnectable {
  disconnect(): void;
}

export class HttpInfo {
  readonly #context: RequestContext;
  readonly #head: string;
  readonly #port: Port;
  #headers: Headers | undefined;
  #request: Request | undefined;

  constructor(context: RequestContext, head: string, port: Port) {
    this.#context = context;
    this.#head = head;
    this.#port = port;
  }

  get headers(): Headers {
    this.#headers ??= toHeaders(this.#head);
    return this.#headers;
  }

  /** The validated access token, when the listener has authorization. */
  get authInfo(): AuthInfo | undefined {
    return this.#context.authInfo;
  }

  /** The request in the form of the Fetch standard, without its body, which is read already. */
  get req(): Request {
    this.#request ??= requestAt(
      `http://${headerValue(this.#head, 'host') ?? 'localhost'}${this.#target()}`,
      'POST',
      this.headers,
    );
    return this.#request;
  }

  /**
   * Ends the connection of this call and not the call: its client is to come back for the rest. Undefined when it could
   * not, for want of an event store.
   */
  get closeSSE(): (() => void) | undefined {
    const port = this.#port as Port & Partial<Disconnectable>;
    return port.disconnect === undefined ? undefined : () => port.disconnect?.();
  }

  /** The same for the standalone stream of the session. */
  get closeStandaloneSSE(): (() => void) | undefined {
    if (this.closeSSE === undefined) return undefined;
    return () => this.#context.session()?.streams.standalone?.disconnect();
  }

  #target(): string {
    const target = headerValue(this.#head, ':path');
    return target?.startsWith('/') === true ? target : '/';
  }
}

/**
 * A request in the form of the Fetch standard, without a body. Never throws: where a client sent a host or target that makes
 * no URL, or one with credentials, the URL is that of `localhost`.
 */
export function requestAt(url: string, method: string, headers: Headers): Request {
  try {
    return new Request(url, { method, headers });
  } catch {
    return new Request('http://localhost/', { method: 'POST', headers });
  }
}
