/** The Streamable HTTP transport for runtimes and frameworks that speak Fetch's Request and Response. */
import { readRequestBody } from '../../protocol/sdk/body.js';
import type { AuthInfo } from '../../protocol/types.js';
import { StreamableEndpoint } from './streamable-endpoint.js';
import type { EventWriter, Exchange } from './streamable-exchange.js';
import type { HandleRequestOptions } from './streamable-options.js';

export type {
  EventId,
  EventStore,
  HandleRequestOptions,
  StreamId,
  WebStandardStreamableHTTPServerTransportOptions,
} from './streamable-options.js';

/** Bytes of a stream that may wait for its client before writers are asked to wait too. */
const HIGH_WATER_MARK = 1024 * 1024;
const ENCODER = new TextEncoder();

/**
 * @example
 * const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => crypto.randomUUID() });
 * await server.connect(transport);
 * app.all('/mcp', (c) => transport.handleRequest(c.req.raw));
 */
export class WebStandardStreamableHTTPServerTransport extends StreamableEndpoint {
  /** Answers one request. Never rejects. */
  async handleRequest(request: Request, options: HandleRequestOptions = {}): Promise<Response> {
    const exchange = new WebExchange(request, options);
    // Not awaited: the response of a stream is there long before its end.
    void this.serve(exchange);
    return exchange.response;
  }
}

class WebExchange implements Exchange {
  readonly request: Request;
  readonly method: string;
  readonly authInfo: AuthInfo | undefined;
  readonly parsedBody: unknown;
  readonly response: Promise<Response>;
  #resolve: (response: Response) => void = () => {};

  constructor(request: Request, options: HandleRequestOptions) {
    this.request = request;
    this.method = request.method;
    this.authInfo = options.authInfo;
    this.parsedBody = options.parsedBody;
    this.response = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  header(name: string): string | undefined {
    return this.request.headers.get(name) ?? undefined;
  }

  async text(maxBytes: number): Promise<string | undefined> {
    const body = await readRequestBody(this.request, maxBytes);
    return body.tooLarge ? undefined : body.text;
  }

  respond(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.#resolve(new Response(body === '' ? null : body, { status, headers }));
  }

  stream(headers: Readonly<Record<string, string>>, left: () => void): EventWriter | undefined {
    const { signal } = this.request;
    if (signal?.aborted) {
      // There is nobody to read it, but whoever waits for a Response must not wait for ever.
      this.#resolve(new Response(null, { status: 499 }));
      return undefined;
    }
    const writer = new WebWriter(left);
    signal?.addEventListener('abort', () => writer.leave(), { once: true });
    this.#resolve(new Response(writer.body, { status: 200, headers }));
    return writer;
  }
}

class WebWriter implements EventWriter {
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting: (() => void)[] = [];
  #left: (() => void) | undefined;

  constructor(left: () => void) {
    this.#left = left;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wake(),
        cancel: () => this.leave(),
      },
      { highWaterMark: HIGH_WATER_MARK, size: (chunk) => chunk.byteLength },
    );
  }

  get unsent(): number {
    return this.#controller === undefined ? 0 : HIGH_WATER_MARK - (this.#controller.desiredSize ?? HIGH_WATER_MARK);
  }

  write(text: string): Promise<void> | undefined {
    if (this.#controller === undefined) return undefined;
    try {
      this.#controller.enqueue(ENCODER.encode(text));
    } catch {
      this.leave();
      return undefined;
    }
    if (this.unsent <= HIGH_WATER_MARK) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  end(): void {
    const controller = this.#controller;
    this.#controller = undefined;
    this.#left = undefined;
    this.#wake();
    try {
      controller?.close();
    } catch {
      // Its client has cancelled it.
    }
  }

  leave(): void {
    const left = this.#left;
    this.end();
    left?.();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
