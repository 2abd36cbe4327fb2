/**
 * One HTTP request and its response, as the Streamable HTTP transports see them, whatever made them: Fetch's Request or
 * node's pair. Types, and the answers that need no session.
 */
import type { AuthInfo } from '../../protocol/types.js';

export interface Exchange {
  readonly method: string;
  readonly authInfo: AuthInfo | undefined;
  /** The decoded body, when somebody in front has read it. */
  readonly parsedBody: unknown;
  /** Made when asked for. */
  readonly request: Request;
  /** In lower case; undefined when absent. */
  header(name: string): string | undefined;
  /** The body as text; undefined when it is longer than `maxBytes`. Rejects when the client leaves. */
  text(maxBytes: number): Promise<string | undefined>;
  /** The whole response. Nothing happens when the client has left. */
  respond(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /**
   * Begins an event stream.
   * @param left called once when the client leaves before the end
   * @returns undefined when it has left already
   */
  stream(headers: Readonly<Record<string, string>>, left: () => void): EventWriter | undefined;
}

export interface EventWriter {
  /** @returns a promise when the client does not read as fast as it is written to; it resolves once there is room */
  write(text: string): Promise<void> | undefined;
  /** Characters or bytes that wait for the client. */
  readonly unsent: number;
  end(): void;
}

/** A request that is refused, as an error response. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const JSON_TYPE = { 'content-type': 'application/json' };
export const STREAM_TYPE = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** The codes that the official SDK has for them. */
export const badRequest = (message: string) => new Refusal(400, -32000, `Bad Request: ${message}`);
export const sessionNotFound = () => new Refusal(404, -32001, 'Session not found');
export const conflict = (message: string) => new Refusal(409, -32000, `Conflict: ${message}`);

export function refuse(exchange: Exchange, { status, code, message, headers }: Refusal): void {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null });
  exchange.respond(status, { ...JSON_TYPE, ...headers }, body);
}
