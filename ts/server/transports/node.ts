/** The Streamable HTTP transport for node:http and whatever speaks its `(request, response)`: Express, Fastify's raw pair. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pairsToHeaders } from '../../protocol/headers.js';
import { requestAt } from '../../protocol/http-info.js';
import type { AuthInfo } from '../../protocol/types.js';
import { StreamableEndpoint } from './streamable-endpoint.js';
import type { EventWriter, Exchange } from './streamable-exchange.js';
import type { WebStandardStreamableHTTPServerTransportOptions } from './streamable-options.js';

export type StreamableHTTPServerTransportOptions = WebStandardStreamableHTTPServerTransportOptions;

type NodeRequest = IncomingMessage & { auth?: AuthInfo | undefined; body?: unknown };

/** How long the rest of a body that is too long is read away, so that its client sees the refusal. */
const LINGER = 500;

/**
 * @example
 * const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID() });
 * await server.connect(transport);
 * app.all('/mcp', (req, res) => transport.handleRequest(req, res, req.body));
 */
export class NodeStreamableHTTPServerTransport extends StreamableEndpoint {
  /**
   * Answers one request. `request.auth` is who asks, as middleware in front has found out.
   * @param parsedBody what a body parser in front made of the body; default: it is read here
   * @returns resolves when the response has ended or its client has left; never rejects
   */
  handleRequest(
    request: IncomingMessage & { auth?: AuthInfo | undefined },
    response: ServerResponse,
    parsedBody?: unknown,
  ): Promise<void> {
    return new Promise((resolve) => {
      if (response.destroyed || response.writableEnded) return resolve();
      // Somebody else may end the response under us; what is written then must not end the process.
      response.on('error', () => {});
      response.on('close', resolve);
      response.on('finish', resolve);
      void this.serve(new NodeExchange(request, response, parsedBody));
    });
  }
}

class NodeExchange implements Exchange {
  readonly method: string;
  readonly authInfo: AuthInfo | undefined;
  readonly parsedBody: unknown;
  readonly #request: NodeRequest;
  readonly #response: ServerResponse;
  #web: Request | undefined;

  constructor(request: NodeRequest, response: ServerResponse, parsedBody: unknown) {
    this.#request = request;
    this.#response = response;
    this.method = request.method ?? 'GET';
    this.authInfo = request.auth;
    // Express hands `next` to handlers of two arguments and more; a body that was read already cannot be read again.
    const given = typeof parsedBody === 'function' ? undefined : parsedBody;
    this.parsedBody = given ?? (request.readableEnded ? request.body : undefined);
  }

  get request(): Request {
    this.#web ??= webRequest(this.#request);
    return this.#web;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name] ?? (name === 'host' ? this.#request.headers[':authority'] : undefined);
    return Array.isArray(value) ? value.join(', ') : value;
  }

  async text(maxBytes: number): Promise<string | undefined> {
    const request = this.#request;
    if (Number(request.headers['content-length']) > maxBytes) return undefined;
    if (request.readableEnded || request.destroyed) return '';
    const chunks: Buffer[] = [];
    let size = 0;
    // Not by iterating: leaving an iteration early would destroy the connection before the refusal is on the way.
    return new Promise((resolve, reject) => {
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else {
          chunks.length = 0;
          resolve(undefined);
        }
      });
      request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      request.on('error', reject);
      request.on('close', () => reject(new Error('The client left before its request was read')));
    });
  }

  respond(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    const request = this.#request;
    const lines: Record<string, string> = { ...headers, 'content-length': `${Buffer.byteLength(body)}` };
    if (status !== 413) {
      response.writeHead(status, lines);
      response.end(body);
      // What nobody has read must not keep the connection from its next request.
      if (!request.readableEnded) request.resume();
      return;
    }
    // The rest of what is too long is read away for a while: closing at once would take the answer with it.
    if (request.httpVersionMajor === 1) lines.connection = 'close';
    response.writeHead(status, lines);
    response.write(body);
    const timer = setTimeout(() => response.end(), LINGER);
    request.on('end', () => {
      clearTimeout(timer);
      response.end();
    });
    response.on('close', () => clearTimeout(timer));
    request.resume();
  }

  stream(headers: Readonly<Record<string, string>>, left: () => void): EventWriter | undefined {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return undefined;
    response.writeHead(200, { ...headers });
    response.flushHeaders();
    return new NodeWriter(response, left);
  }
}

class NodeWriter implements EventWriter {
  readonly #response: ServerResponse;
  #waiting: (() => void)[] = [];
  #over = false;

  constructor(response: ServerResponse, left: () => void) {
    this.#response = response;
    response.on('drain', () => this.#wake());
    response.on('close', () => {
      this.#wake();
      if (this.#over) return;
      this.#over = true;
      left();
    });
  }

  get unsent(): number {
    return this.#over ? 0 : this.#response.writableLength;
  }

  write(text: string): Promise<void> | undefined {
    const response = this.#response;
    if (this.#over || response.destroyed || response.write(text)) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#response.end();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** For handlers that look at the request; the body was read before them. */
function webRequest(request: IncomingMessage): Request {
  const host = request.headers.host ?? request.headers[':authority'] ?? 'localhost';
  const secure = (request.socket as { encrypted?: boolean } | undefined)?.encrypted === true;
  const { originalUrl = request.url ?? '/' } = request as { originalUrl?: string };
  const url = `${secure ? 'https' : 'http'}://${host}${originalUrl}`;
  return requestAt(url, request.method ?? 'GET', pairsToHeaders(request.rawHeaders));
}
