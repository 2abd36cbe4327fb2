/**
 * One request of node:http (or of what looks like it: Express, Fastify's raw pair, HTTP/2) on its way through a mount: its
 * body in, its response out. No request or response of the Fetch standard is made for it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MountCall, Sink } from '../../engine/mount.js';
import { pairsToHeaders } from '../../protocol/headers.js';
import { requestAt } from '../../protocol/http-info.js';
import type { AuthInfo } from '../../protocol/types.js';
import { type AdapterRequest, type Mounted, type Serving, skipAt } from './mounted.js';

/** How long the rest of a body that is too long is read away, so that its client sees the refusal. */
const LINGER = 500;

export type NodeRequest = IncomingMessage & { auth?: AuthInfo | undefined; body?: unknown };

/**
 * Serves one request.
 * @param parsedBody what a body parser made of the body; undefined: it is read here, unless a parser was there before
 * @returns resolves when the response has ended or its client has left; never rejects
 */
export function serveNode(
  mounted: Mounted,
  request: NodeRequest,
  response: ServerResponse,
  parsedBody: unknown,
): Promise<void> {
  return new Promise((resolve) => {
    new NodeExchange(mounted, request, response, parsedBody, resolve).start();
  });
}

class NodeExchange implements AdapterRequest, Sink {
  readonly method: string;
  readonly target: string;
  readonly raw: readonly string[];
  readonly skip: number;
  readonly parsed: boolean;
  readonly vouched: boolean;
  readonly authInfo: AuthInfo | undefined;
  readonly sink: Sink = this;
  serving: Serving | null = null;
  readonly #request: NodeRequest;
  readonly #response: ServerResponse;
  readonly #mounted: Mounted;
  readonly #body: unknown;
  readonly #done: () => void;
  #call: MountCall | null = null;
  #finished = false;
  #chunk: Buffer | null = null;
  #chunks: Buffer[] | null = null;
  #held = 0;
  #sent: (() => void) | null = null;

  constructor(mounted: Mounted, request: NodeRequest, response: ServerResponse, parsedBody: unknown, done: () => void) {
    this.#mounted = mounted;
    this.#request = request;
    this.#response = response;
    this.#done = done;
    this.method = request.method ?? 'GET';
    this.target = request.url ?? '/';
    this.raw = request.httpVersionMajor > 1 ? withoutPseudo(request.rawHeaders) : request.rawHeaders;
    this.skip = skipAt(mounted.settings, request, request.socket?.localAddress);
    this.authInfo = request.auth;
    this.vouched = request.auth !== undefined;
    this.#body = this.method === 'POST' ? bodyOf(request, parsedBody) : undefined;
    this.parsed = this.#body !== undefined;
  }

  start(): void {
    const response = this.#response;
    if (response.destroyed) {
      this.#done();
      return;
    }
    const { mount, settings } = this.#mounted;
    // Somebody else may end the response under us; what is written then must not end the process.
    response.on('error', ignore);
    response.on('close', () => {
      if (!this.#finished && this.#call !== null) mount.left(this.#call);
      this.#done();
    });
    const call = mount.accept(this);
    this.#call = call;
    const request = this.#request;
    if (!call.wantsBody) {
      if (!request.readableEnded) request.resume();
      return;
    }
    if (this.parsed) {
      mount.message(call, toBytes(this.#body));
      return;
    }
    const most = settings.config.maxBodyBytes;
    request.on('data', (chunk: Buffer) => {
      if (this.#finished) return;
      this.#held += chunk.length;
      if (this.#held > most) {
        this.#chunks = null;
        mount.tooLarge(call);
      } else if (this.#chunk === null) this.#chunk = chunk;
      else if (this.#chunks === null) this.#chunks = [this.#chunk, chunk];
      else this.#chunks.push(chunk);
    });
    request.on('end', () => {
      if (this.#finished) return;
      const bytes = this.#chunks === null ? (this.#chunk ?? EMPTY) : Buffer.concat(this.#chunks, this.#held);
      this.#chunk = null;
      this.#chunks = null;
      mount.message(call, bytes);
    });
    request.on('error', ignore); // 'close' of the response follows
  }

  webRequest(): Request {
    const { headers } = this.#request;
    const host = headers.host ?? headers[':authority'] ?? 'localhost';
    const secure = (this.#request.socket as { encrypted?: boolean } | undefined)?.encrypted === true;
    return requestAt(`${secure ? 'https' : 'http'}://${host}${this.target}`, this.method, pairsToHeaders(this.raw));
  }

  // ------------------------------------------------------------------------------------------------------- response

  whole(status: number, head: readonly string[], text: string): void {
    const response = this.#response;
    this.#finished = true;
    if (response.destroyed || response.headersSent) {
      this.#done();
      return;
    }
    const length = Buffer.byteLength(text);
    const lines = status === 204 || status === 304 ? [...head] : [...head, 'content-length', `${length}`];
    if (status === 413) {
      this.#linger(status, lines, text);
      return;
    }
    response.writeHead(status, lines);
    // Equal lengths: all ASCII, and then latin1 gives the same bytes with a plain copy.
    if (length === 0 || this.method === 'HEAD') response.end(this.#done);
    else response.end(text, length === text.length ? 'latin1' : 'utf8', this.#done);
  }

  open(status: number, head: readonly string[]): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    response.writeHead(status, head as string[]);
    response.flushHeaders();
  }

  write(text: string): number {
    const response = this.#response;
    if (response.destroyed || this.#finished) return 0;
    if (this.#sent === null) {
      // By way of a variable: see the note on closures in handler.ts.
      const sent = () => {
        const call = this.#call;
        const mark = this.#mounted.settings.config.streamHighWaterMark;
        if (call?.waiting && response.writableLength <= mark / 2) this.#mounted.mount.drained(call);
      };
      this.#sent = sent;
    }
    response.write(text, 'utf8', this.#sent);
    return response.writableLength;
  }

  end(text: string): void {
    this.#finished = true;
    if (this.#response.destroyed) this.#done();
    else if (text === '') this.#response.end(this.#done);
    else this.#response.end(text, 'utf8', this.#done);
  }

  cut(): void {
    this.#response.destroy();
  }

  /** Answers while the body still comes: a client that is cut off while it sends may never see why. */
  #linger(status: number, lines: string[], text: string): void {
    const response = this.#response;
    const request = this.#request;
    if (request.httpVersionMajor === 1) lines.push('connection', 'close');
    response.writeHead(status, lines);
    response.write(text);
    const timer = setTimeout(() => response.end(this.#done), LINGER);
    timer.unref();
    request.on('end', () => {
      clearTimeout(timer);
      response.end(this.#done);
    });
    request.resume();
  }
}

const EMPTY = Buffer.alloc(0);

function ignore(): void {}

/** The body that somebody in front has read, if so; what a parser leaves is a value, or the bytes or text themselves. */
function bodyOf(request: NodeRequest, parsedBody: unknown): unknown {
  if (parsedBody !== undefined) return parsedBody;
  return request.readableEnded ? request.body : undefined;
}

function toBytes(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  // A string is the text of a message, as text parsers give it: JSON-RPC knows no message that is a string.
  if (typeof body === 'string') return Buffer.from(body);
  try {
    return Buffer.from(JSON.stringify(body) ?? '');
  } catch {
    return EMPTY;
  }
}

/** HTTP/2 names the host in a pseudo header. */
function withoutPseudo(raw: readonly string[]): string[] {
  const lines: string[] = [];
  let authority: string | undefined;
  let host = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name === ':authority') authority = value;
    else if (!name.startsWith(':')) {
      host ||= name.toLowerCase() === 'host';
      lines.push(name, value);
    }
  }
  if (!host && authority !== undefined) lines.push('host', authority);
  return lines;
}
