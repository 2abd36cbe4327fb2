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
import type { AuthInfo, ProtocolEra } from './types.js';

const PATH = ':path: ';

export class Exchange {
  era: ProtocolEra = 'legacy';
  /** Who asks, when the listener has authorization. */
  authInfo: AuthInfo | undefined = undefined;
  /** False for the parts of a batch, which are answered together, in one body. */
  #ownStream = true;
  readonly #head: string;

  /**
   * @param port the listener, or the batch that this message is a part of
   * @param head of the HTTP request; @param pipe whether the peer is a byte stream (no headers, no sessions)
   * @param body the message as text; empty for the parts of a batch
   */
  constructor(
    readonly state: ServerState,
    readonly listener: Listener,
    readonly port: Port,
    readonly slot: number,
    head: string,
    readonly pipe: boolean,
    readonly body: string,
  ) {
    this.#head = head;
  }

  /** The request target (path and query) where the engine tells it: at other paths, and whenever there is a query. */
  get target(): string | undefined {
    return this.#head.startsWith(PATH) ? this.#head.slice(PATH.length, this.#head.indexOf('\r\n')) : undefined;
  }

  /** The path of {@link target}; undefined at the endpoint without a query. */
  get path(): string | undefined {
    const target = this.target;
    const query = target?.indexOf('?') ?? -1;
    return query === -1 ? target : target?.slice(0, query);
  }

  /** Whether events may be sent before the answer. */
  get streams(): boolean {
    return this.#ownStream && (this.pipe || acceptsStream(this.header('accept')));
  }

  header(name: string): string | undefined {
    return headerValue(this.#head, name);
  }

  /** The same request head for one message of a batch. */
  part(port: Port, slot: number): Exchange {
    const part = new Exchange(this.state, this.listener, port, slot, this.#head, this.pipe, '');
    part.era = this.era;
    part.authInfo = this.authInfo;
    part.#ownStream = false;
    return part;
  }

  /** The same message, answered through another port that has a stream of its own. */
  through(port: Port): Exchange {
    const other = new Exchange(this.state, this.listener, port, this.slot, this.#head, this.pipe, this.body);
    other.era = this.era;
    other.authInfo = this.authInfo;
    return other;
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

  /**
   * The context for a handler of this request.
   * @param name the tool, prompt or URI that is asked for; empty for methods that name nothing
   */
  context(message: Incoming, session: Session | undefined, name = ''): RequestContext {
    let flags = this.era === 'legacy' ? CallFlag.legacy : 0;
    if (this.streams) flags |= CallFlag.stream;
    const token = message.meta?.progressToken;
    if (typeof token === 'string' || typeof token === 'number') flags |= CallFlag.progressToken;
    const known = { meta: message.meta, session, auth: this.authInfo, body: this.body };
    return new RequestContext(this.state, this.port, this.slot, flags, message.method, name, known);
  }

  #error(status: number, error: ProtocolError, headers: string): void {
    const code = wireCode(error, this.era);
    this.port.reply(this.slot, status, Shape.error, 0, headers, errorText(code, error.message, error.data));
  }
}
