/**
 * One message being answered on the slow path: where it came from, and the few ways to answer it.
 *
 * Both eras use it; it knows neither's rules beyond the HTTP status that goes with an error code.
 */

import type { Listener } from '../engine/engine.js';
import { CallFlag, Shape } from '../engine/engine.js';
import { RequestContext } from './context.js';
import { answerStatus, errorText, type ProtocolError, refusalStatus, wireCode } from './errors.js';
import { acceptsStream, headerValue } from './headers.js';
import type { Incoming } from './incoming.js';
import type { Session } from './sessions.js';
import type { Port, ServerState } from './state.js';
import type { ProtocolEra } from './types.js';

export class Exchange {
  era: ProtocolEra = 'legacy';
  readonly #head: string;

  /**
   * @param port the listener, or the batch that this message is a part of
   * @param head of the HTTP request; @param pipe whether the peer is a byte stream (no headers, no sessions)
   */
  constructor(
    readonly state: ServerState,
    readonly listener: Listener,
    readonly port: Port,
    readonly slot: number,
    head: string,
    readonly pipe: boolean,
  ) {
    this.#head = head;
  }

  header(name: string): string | undefined {
    return headerValue(this.#head, name);
  }

  /** The same request head for one message of a batch. */
  part(port: Port, slot: number): Exchange {
    return new Exchange(this.state, this.listener, port, slot, this.#head, this.pipe);
  }

  result(text: string, headers = ''): void {
    this.port.reply(this.slot, 200, Shape.result, 0, headers, text);
  }

  /** Accepted, nothing to say: every notification, and what a pipe must not answer. */
  accept(): void {
    this.port.reply(this.slot, 202, Shape.raw, 0, '', '');
  }

  /** Refuses before any handler: the HTTP status tells it too. */
  refuse(error: ProtocolError, headers = ''): void {
    this.#error(refusalStatus(error.code, this.era), error, headers);
  }

  /** Answers a request that was understood with an error. */
  fail(error: ProtocolError): void {
    this.#error(answerStatus(error.code, this.era), error, '');
  }

  /** With a status of its own, for what HTTP alone decides. */
  status(status: number, error: ProtocolError | undefined, headers = ''): void {
    if (error === undefined) this.port.reply(this.slot, status, Shape.raw, 0, headers, '');
    else this.#error(status, error, headers);
  }

  /** The context for a handler of this request. */
  context(message: Incoming, session: Session | undefined): RequestContext {
    let flags = this.era === 'legacy' ? CallFlag.legacy : 0;
    // Members of a batch are answered together, in one body: none of them has a stream of its own.
    if (this.port === this.listener && (this.pipe || acceptsStream(this.header('accept')))) flags |= CallFlag.stream;
    const token = message.meta?.progressToken;
    if (typeof token === 'string' || typeof token === 'number') flags |= CallFlag.progressToken;
    return new RequestContext(this.state, this.port, this.slot, flags, message.method, { meta: message.meta, session });
  }

  #error(status: number, error: ProtocolError, headers: string): void {
    const code = wireCode(error, this.era);
    this.port.reply(this.slot, status, Shape.error, 0, headers, errorText(code, error.message, error.data));
  }
}
