/**
 * One modern message in, one `Response` out: the transport of `@modelcontextprotocol/server` for those who route requests by
 * hand. `createMcpHandler` does not use it.
 *
 * Whoever uses it has checked the request (content type, envelope, headers) and says what it is; the transport gives the
 * answer the HTTP status that its error code stands for, opens an event stream when there is something to say before the
 * answer, and ends with it.
 */
import { refusalStatus } from '../../protocol/errors.js';
import { SdkError, SdkErrorCode } from '../../protocol/sdk/errors.js';
import { DEFAULT_KEEP_ALIVE } from '../../protocol/streams.js';
import type { AuthInfo, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, RequestId } from '../../protocol/types.js';
import { STREAM_TYPE } from './streamable-exchange.js';
import type { MessageExtraInfo, Transport, TransportSendOptions } from './transport.js';

export type { PerRequestResponseMode } from '../adapters/options.js';

import type { PerRequestResponseMode } from '../adapters/options.js';

export interface PerRequestHTTPServerTransportOptions {
  /** What the caller has found the message to be. */
  classification: NonNullable<MessageExtraInfo['classification']>;
  /** Default `auto`: JSON unless there is something before the answer. */
  responseMode?: PerRequestResponseMode;
  /** Milliseconds between comments on an event stream, 0: none. Default 15,000. */
  keepAliveMs?: number;
}

/** What the server is told about the request. */
export interface PerRequestMessageExtra {
  /** Its signal ends the exchange. */
  request?: globalThis.Request;
  authInfo?: AuthInfo;
}

/** Errors whose HTTP status holds although a handler may have made them; others of a handler's are the payload. */
const MISSING_CAPABILITY = -32021;
const ENCODER = new TextEncoder();

export class PerRequestHTTPServerTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: <T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void;
  readonly #options: PerRequestHTTPServerTransportOptions;
  #state: 'new' | 'started' | 'used' | 'closed' = 'new';
  #id: RequestId | undefined;
  /** The message is with the server: what it answers now was decided before any handler. */
  #delivering = false;
  #answered = false;
  #resolve: ((response: Response) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #unwatch: (() => void) | undefined;

  constructor(options: PerRequestHTTPServerTransportOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw new Error('PerRequestHTTPServerTransport is already started');
    this.#state = 'started';
  }

  /**
   * Hands the message to the server that is connected. Once only.
   * @throws Error before a server is connected, or for a second message; SdkError (connection closed) when the client left
   *   before there was an answer
   */
  async handleMessage(
    message: JSONRPCRequest | JSONRPCNotification,
    extra: PerRequestMessageExtra = {},
  ): Promise<Response> {
    if (this.#state === 'used') throw new Error('PerRequestHTTPServerTransport serves one message only');
    if (this.#state === 'closed') throw new Error('PerRequestHTTPServerTransport is closed');
    const { onmessage } = this;
    if (this.#state === 'new' || onmessage === undefined) {
      throw new Error('PerRequestHTTPServerTransport is not connected to a server');
    }
    this.#state = 'used';
    const { request, authInfo } = extra;
    const info: MessageExtraInfo = {
      classification: this.#options.classification,
      ...(request !== undefined && { request }),
      ...(authInfo !== undefined && { authInfo }),
    };
    const signal = request?.signal;
    if (signal?.aborted) {
      await this.close();
      throw new SdkError(SdkErrorCode.ConnectionClosed, 'The client left before its request was handled');
    }
    if (!('id' in message)) {
      onmessage(message, info);
      return new Response(null, { status: 202 });
    }
    this.#id = message.id;
    const response = new Promise<Response>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal !== undefined) {
      const left = () => void this.close();
      signal.addEventListener('abort', left, { once: true });
      // By way of a variable: see the note on closures in handler.ts.
      const unwatch = () => signal.removeEventListener('abort', left);
      this.#unwatch = unwatch;
    }
    this.#delivering = true;
    try {
      onmessage(message, info);
    } finally {
      this.#delivering = false;
    }
    if (this.#options.responseMode === 'sse' && this.#resolve !== undefined) this.#open();
    return response;
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#state === 'closed') return;
    const answer = !('method' in message);
    const about = answer ? message.id : options?.relatedRequestId;
    // What does not belong to the request has nowhere to go.
    if (this.#id === undefined || about !== this.#id) {
      if (answer) this.onerror?.(new Error(`An answer to an unknown request: ${String(about)}`));
      return;
    }
    if (!answer) {
      if (this.#options.responseMode === 'json') return;
      if (this.#stream === undefined) this.#open();
      this.#event(message);
      return;
    }
    if (this.#answered) return;
    this.#answered = true;
    const status = this.#stream === undefined ? this.#statusOf(message) : 200;
    if (status === 200 && (this.#stream !== undefined || this.#options.responseMode === 'sse')) {
      if (this.#stream === undefined) this.#open();
      this.#event(message);
    } else this.#settle(Response.json(message, { status }));
    // Not at once: whoever sends is in the middle of it.
    queueMicrotask(() => void this.close());
  }

  /** A comment on the event stream, if there is one. */
  writeCommentFrame(comment: string): void {
    const lines = comment.split(/\r\n|\r|\n/).map((line) => `: ${line}\n`);
    this.#write(`${lines.join('')}\n`);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#unwatch?.();
    clearInterval(this.#timer);
    try {
      this.#stream?.close();
    } catch {
      // Its reader has cancelled it.
    }
    this.#reject?.(new SdkError(SdkErrorCode.ConnectionClosed, 'The connection closed before there was a response'));
    this.onclose?.();
  }

  #statusOf(message: JSONRPCMessage): number {
    if (!('error' in message)) return 200;
    const { code } = message.error;
    // Wrong params are told by the method itself, and with the payload alone.
    const told = this.#delivering ? code !== -32602 && code !== -32603 : code === MISSING_CAPABILITY;
    return told ? refusalStatus(code, 'modern') : 200;
  }

  #settle(response: Response): void {
    this.#resolve?.(response);
    this.#resolve = undefined;
    this.#reject = undefined;
  }

  #open(): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#stream = controller;
      },
      cancel: () => this.close(),
    });
    const every = this.#options.keepAliveMs ?? DEFAULT_KEEP_ALIVE;
    if (Number.isFinite(every) && every >= 1) {
      this.#timer = setInterval(() => this.writeCommentFrame('keepalive'), Math.min(every, 2 ** 31 - 1));
      (this.#timer as { unref?: () => void }).unref?.();
    }
    this.#settle(new Response(body, { status: 200, headers: STREAM_TYPE }));
  }

  #event(message: JSONRPCMessage): void {
    this.#write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  #write(text: string): void {
    if (this.#stream === undefined || this.#state === 'closed') return;
    try {
      this.#stream.enqueue(ENCODER.encode(text));
    } catch (error) {
      this.onerror?.(new Error('The response stream takes no more', { cause: error }));
    }
  }
}
