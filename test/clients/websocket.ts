/**
 * WebSocket clients of these tests: a transport for the official v2 client, which brings none, and raw ones that send
 * whatever they are given. Waiting is always for an event.
 */
import type { IncomingMessage } from 'node:http';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { type ClientOptions, WebSocket } from 'ws';
import type { Message } from './stage.js';

/** One JSON-RPC message per text frame. */
export class WebSocketTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #url: string;
  readonly #options: ClientOptions;
  #ws: WebSocket | undefined;

  constructor(url: string, options: ClientOptions = {}) {
    this.#url = url;
    this.#options = options;
  }

  start(): Promise<void> {
    const ws = new WebSocket(this.#url, 'mcp', this.#options);
    this.#ws = ws;
    ws.on('message', (data) => this.onmessage?.(JSON.parse(String(data)) as JSONRPCMessage));
    ws.on('close', () => this.onclose?.());
    return new Promise((resolve, reject) => {
      ws.once('open', resolve);
      ws.on('error', (error) => {
        this.onerror?.(error);
        reject(error);
      });
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ws?.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.#ws?.close();
  }
}

/** What a handshake was refused with. */
export interface Refused {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A connection that is talked over by hand. */
export class RawSocket {
  /** Resolves with the close code when the connection is gone. */
  readonly closed: Promise<number>;
  readonly messages: Message[] = [];
  #gone = false;
  #waiting: (() => void)[] = [];

  private constructor(readonly ws: WebSocket) {
    ws.on('error', () => {}); // `closed` follows
    ws.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)) as Message);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      ws.on('close', (code) => {
        this.#gone = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  /** @throws {Refused} when the server answers with anything but a connection */
  static async open(url: string, options: ClientOptions = {}, protocols: string[] = ['mcp']): Promise<RawSocket> {
    const ws = new WebSocket(url, protocols, options);
    const raw = new RawSocket(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('error', reject);
      ws.once('unexpected-response', (request, response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('close', () => {
          request.destroy();
          reject({ status: response.statusCode ?? 0, headers: response.headers, text } satisfies Refused);
        });
      });
    });
    return raw;
  }

  send(...messages: (string | object)[]): void {
    for (const message of messages) this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first message that answers this id. */
  answer(id: string | number | null): Promise<Message> {
    return this.first((message) => message.id === id && message.method === undefined, `the answer to ${id}`);
  }

  /** The first message that fits, come or yet to come. */
  async first(fits: (message: Message) => boolean, what = 'a message'): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      if (this.#gone) throw new Error(`the connection ended before ${what}; got ${JSON.stringify(this.messages)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async leave(): Promise<void> {
    this.ws.terminate();
    await this.closed;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The refusal of a handshake that must be refused. */
export async function refused(url: string, options: ClientOptions = {}, protocols?: string[]): Promise<Refused> {
  try {
    const raw = await RawSocket.open(url, options, protocols);
    await raw.leave();
  } catch (error) {
    if (typeof (error as Refused).status === 'number') return error as Refused;
    throw error;
  }
  throw new Error('the handshake was accepted');
}
