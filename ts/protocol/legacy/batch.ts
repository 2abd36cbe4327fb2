/**
 * JSON-RPC batches, which one revision (2025-03-26) had: the parts are answered one by one and go out as one array.
 */

import type { Listener } from '../../engine/engine.js';
import { Shape } from '../../engine/engine.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { headerValue } from '../headers.js';
import { type Incoming, readIncoming } from '../incoming.js';
import type { Cancellable, LiveCalls } from '../live.js';
import { BATCH_VERSION, DEFAULT_NEGOTIATED_PROTOCOL_VERSION } from '../revisions.js';
import type { Port } from '../state.js';
import type { RequestId } from '../types.js';
import { admit, receiveMember } from './receive.js';

export function receiveBatch(exchange: Exchange, values: unknown[]): void {
  const session = admit(exchange);
  if (session instanceof ProtocolError) {
    exchange.refuse(session);
    return;
  }
  const version = session?.version ?? exchange.header('mcp-protocol-version') ?? DEFAULT_NEGOTIATED_PROTOCOL_VERSION;
  if (version !== BATCH_VERSION) {
    exchange.refuse(invalid(`revision ${version} has no batches`));
    return;
  }
  if (values.length === 0 || values.length > exchange.state.maxBatch) {
    exchange.refuse(invalid(`a batch holds 1 to ${exchange.state.maxBatch} messages`));
    return;
  }
  const messages = values.map(readIncoming);
  const batch = new Batch(exchange.listener, exchange.slot, exchange.state.live, messages);
  for (const [index, message] of messages.entries()) {
    const part = exchange.part(batch, index);
    if (message instanceof ProtocolError) part.refuse(message);
    else if (message.method === 'initialize') part.refuse(invalid('initialize must not be part of a batch'));
    else receivePart(part, message, session);
  }
  batch.seal();
}

function receivePart(part: Exchange, message: Incoming, session: Parameters<typeof receiveMember>[2]): void {
  try {
    receiveMember(part, message, session);
  } catch (error) {
    part.fail(
      error instanceof ProtocolError ? error : new ProtocolError(ProtocolErrorCode.InternalError, 'Internal error'),
    );
  }
}

function invalid(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidRequest, `Invalid request: ${why}`);
}

/** A port whose slots are the positions in the batch; the last answer sends them all. */
class Batch implements Port, Cancellable {
  readonly #listener: Listener;
  readonly #slot: number;
  readonly #live: LiveCalls;
  readonly #messages: readonly (Incoming | ProtocolError)[];
  readonly #texts: string[];
  #open: number;
  #failed: 0 | 1 = 0;
  #over = false;

  constructor(listener: Listener, slot: number, live: LiveCalls, messages: readonly (Incoming | ProtocolError)[]) {
    this.#listener = listener;
    this.#slot = slot;
    this.#live = live;
    this.#messages = messages;
    this.#texts = new Array<string>(messages.length).fill('');
    // One more than there are parts: synchronous answers must not send before every part was started.
    this.#open = messages.length + 1;
  }

  /** All parts are started; those that wait for their handlers can be cancelled from now on. */
  seal(): void {
    if (this.#open > 1) this.#live.add(this.#listener, this.#slot, this);
    this.#close();
  }

  reply(part: number, _status: number, shape: number, failed: 0 | 1, _headers: string, text: string): void {
    if (failed === 1) this.#failed = 1;
    if (shape !== Shape.raw) {
      const member = shape === Shape.result ? 'result' : 'error';
      this.#texts[part] = `{"jsonrpc":"2.0","id":${this.id(part) || 'null'},"${member}":${text}}`;
    }
    this.#close();
  }

  get sessionId(): string | undefined {
    return headerValue(this.head(), 'mcp-session-id');
  }

  /** Parts have no stream. */
  event(): number {
    return -1;
  }

  meta(part: number): string {
    const message = this.#messages[part];
    return message === undefined || message instanceof ProtocolError ? '' : (JSON.stringify(message.meta) ?? '');
  }

  id(part: number): string {
    const message = this.#messages[part];
    return message === undefined || message instanceof ProtocolError ? '' : (JSON.stringify(message.id) ?? '');
  }

  head(): string {
    return this.#listener.head(this.#slot);
  }

  abandon(): void {
    this.#over = true;
    for (const part of this.#messages.keys()) this.#live.abandon(this, part);
  }

  cancelRequest(id: RequestId, sessionId: string | undefined, reason: string | undefined): boolean {
    return this.#live.cancel(this, id, sessionId, reason);
  }

  #close(): void {
    this.#open -= 1;
    if (this.#open > 0 || this.#over) return;
    this.#live.remove(this.#listener, this.#slot);
    const answers = this.#texts.filter((text) => text !== '');
    // Nothing but notifications and responses: there is nothing to answer.
    if (answers.length === 0) this.#listener.reply(this.#slot, 202, Shape.raw, 0, '', '');
    else {
      const type = 'content-type: application/json\r\n';
      this.#listener.reply(this.#slot, 200, Shape.raw, this.#failed, type, `[${answers.join(',')}]`);
    }
  }
}
