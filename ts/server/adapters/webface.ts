/**
 * One request of the Fetch standard on its way through a mount: its body in, a Response out. For runtimes without node:http
 * and for frameworks that speak Request and Response.
 */
import type { MountCall, Sink } from '../../engine/mount.js';
import type { AuthInfo } from '../../protocol/types.js';
import { readBytes } from './body.js';
import { type AdapterRequest, type Mounted, type Serving, skipAt } from './mounted.js';

export interface McpHandlerRequestOptions {
  /** Who asks, as somebody in front has found out. It is never read from the request. */
  authInfo?: AuthInfo | undefined;
  /** The decoded body, when somebody in front has read it. */
  parsedBody?: unknown;
}

/**
 * Serves one request.
 * @param local the address that it came to, where there is a socket to look at
 * @throws what reading its body throws
 */
export async function serveWeb(
  mounted: Mounted,
  request: Request,
  options: McpHandlerRequestOptions | undefined,
  local?: string,
): Promise<Response> {
  const exchange = new WebExchange(mounted, request, options, local);
  const call = mounted.mount.accept(exchange);
  exchange.call = call;
  if (call.wantsBody) {
    let bytes: Buffer | undefined;
    if (exchange.parsed) bytes = Buffer.from(JSON.stringify(options?.parsedBody) ?? '');
    else bytes = await readBytes(request, mounted.settings.config.maxBodyBytes);
    if (bytes === undefined) mounted.mount.tooLarge(call);
    else mounted.mount.message(call, bytes);
  }
  if (!call.done) exchange.watch();
  return exchange.response;
}

class WebExchange implements AdapterRequest, Sink {
  readonly method: string;
  readonly target: string;
  readonly raw: readonly string[];
  readonly skip: number;
  readonly parsed: boolean;
  readonly vouched: boolean;
  readonly authInfo: AuthInfo | undefined;
  readonly sink: Sink = this;
  serving: Serving | null = null;
  readonly response: Promise<Response>;
  call: MountCall | null = null;
  readonly #request: Request;
  readonly #mounted: Mounted;
  #resolve: (response: Response) => void = () => {};
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #over = false;
  #unwatch: (() => void) | null = null;

  constructor(
    mounted: Mounted,
    request: Request,
    options: McpHandlerRequestOptions | undefined,
    local: string | undefined,
  ) {
    this.#mounted = mounted;
    this.#request = request;
    this.method = request.method.toUpperCase();
    const { host, target } = partsOf(request.url);
    this.target = target;
    this.raw = linesOf(request.headers, host);
    this.skip = skipAt(mounted.settings, request, local);
    this.authInfo = options?.authInfo;
    this.vouched = this.authInfo !== undefined;
    this.parsed = this.method === 'POST' && options?.parsedBody !== undefined;
    this.response = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  webRequest(): Request {
    return this.#request;
  }

  /** The answer is not there yet, or not complete: its client may leave before. */
  watch(): void {
    if (this.#over) return;
    const { signal } = this.#request;
    if (signal === undefined || signal === null) return;
    if (signal.aborted) {
      this.#left();
      return;
    }
    const left = () => this.#left();
    signal.addEventListener('abort', left, { once: true });
    // By way of a variable: see the note on closures in handler.ts.
    const unwatch = () => signal.removeEventListener('abort', left);
    this.#unwatch = unwatch;
  }

  // ------------------------------------------------------------------------------------------------------- response

  whole(status: number, head: readonly string[], text: string): void {
    this.#end();
    const bodiless = text === '' || this.method === 'HEAD' || status === 204 || status === 304;
    this.#resolve(new Response(bodiless ? null : text, { status, headers: pairs(head) }));
  }

  open(status: number, head: readonly string[]): void {
    const mark = this.#mounted.settings.config.streamHighWaterMark;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        // Asked whenever there is less in the queue than the mark; who waits goes on at half of it.
        pull: (controller) => {
          const { call } = this;
          if (call?.waiting && (controller.desiredSize ?? 0) >= mark / 2) this.#mounted.mount.drained(call);
        },
        cancel: () => this.#left(),
      },
      { highWaterMark: mark, size: (chunk) => chunk.byteLength },
    );
    this.#resolve(new Response(body, { status, headers: pairs(head) }));
  }

  write(text: string): number {
    const controller = this.#controller;
    if (controller === null || this.#over) return 0;
    try {
      controller.enqueue(ENCODER.encode(text));
    } catch {
      return 0; // cancelled in the same turn
    }
    return this.#mounted.settings.config.streamHighWaterMark - (controller.desiredSize ?? 0);
  }

  end(text: string): void {
    if (text !== '') this.write(text);
    this.#end();
    try {
      this.#controller?.close();
    } catch {
      // Its client has cancelled it.
    }
  }

  cut(): void {
    if (this.#controller === null) this.#resolve(new Response(null, { status: 499 }));
    else {
      try {
        this.#controller.error(new Error('The response was cut off'));
      } catch {
        // Its client has cancelled it.
      }
    }
    this.#left();
  }

  #left(): void {
    if (this.#over) return;
    this.#end();
    if (this.call !== null) this.#mounted.mount.left(this.call);
    // There is nobody to read it, but whoever waits for a Response must not wait for ever.
    if (this.#controller === null) this.#resolve(new Response(null, { status: 499 }));
  }

  #end(): void {
    this.#over = true;
    this.#unwatch?.();
    this.#unwatch = null;
  }
}

const ENCODER = new TextEncoder();

/** Host and target of a URL, without the cost of parsing all of it. */
function partsOf(url: string): { host: string; target: string } {
  const from = url.indexOf('://') + 3;
  let slash = url.indexOf('/', from);
  if (slash < 0) slash = url.length;
  const hash = url.indexOf('#', slash);
  return { host: url.slice(from, slash), target: url.slice(slash, hash < 0 ? undefined : hash) || '/' };
}

/** Header names and values in turn. Where the runtime keeps Host to itself, the URL has it. */
function linesOf(headers: Headers, host: string): string[] {
  const raw: string[] = [];
  let named = false;
  for (const [name, value] of headers) {
    named ||= name === 'host';
    raw.push(name, value);
  }
  if (!named) raw.push('host', host.slice(host.lastIndexOf('@') + 1));
  return raw;
}

function pairs(head: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < head.length; i += 2) list.push([head[i] as string, head[i + 1] as string]);
  return list;
}
