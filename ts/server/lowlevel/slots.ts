/**
 * A transport as the protocol sees a listener: slots are the messages that it brought, replies and events go out through
 * it. Knows neither eras nor sessions.
 */
import type { Listener, Receiver } from '../../engine/engine.js';
import { Shape } from '../../engine/engine.js';
import type { Carried, Carrier } from '../../protocol/carried.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import type { JSONRPCMessage, RequestId } from '../../protocol/types.js';
import type { MessageExtraInfo, Transport } from '../transports/transport.js';
import { quietly } from './protocol.js';

/** Unsent characters above which a writer is asked to wait. */
const HIGH_WATER_MARK = 1024 * 1024;

interface Slot {
  /** Undefined for notifications and responses. */
  readonly id: RequestId | undefined;
  readonly message: Members;
  readonly extra: MessageExtraInfo | undefined;
}

export class TransportListener implements Listener, Carrier {
  readonly host = '';
  readonly port = 0;
  readonly #transport: Transport;
  readonly #receiver: Receiver;
  readonly #failed: (error: Error) => void;
  readonly #slots = new Map<number, Slot>();
  /** Slots that stay: the streams of sessions, which are no work. */
  readonly #opened = new Set<number>();
  /** Slots whose writer was asked to wait. */
  readonly #waiting = new Set<number>();
  #next = 1;
  #unsent = 0;
  #idle: (() => void)[] = [];

  /** @param failed told of what the transport could not send */
  constructor(transport: Transport, receiver: Receiver, failed: (error: Error) => void) {
    this.#transport = transport;
    this.#receiver = receiver;
    this.#failed = failed;
  }

  /** Messages in work. */
  get inFlight(): number {
    return this.#slots.size - this.#opened.size;
  }

  /** Hands a message up. @throws TypeError when it is no JSON */
  take(message: Members, id: RequestId | undefined, extra: MessageExtraInfo | undefined): void {
    const body = JSON.stringify(message);
    const slot = this.#next;
    this.#next += 1;
    this.#slots.set(slot, { id, message, extra });
    this.#receiver.message(this, slot, 'PIPE', body);
  }

  /** The slot of a request in work, by the id that its client gave it. */
  slotOf(id: RequestId): number | undefined {
    for (const [slot, entry] of this.#slots) if (entry.id === id) return slot;
    return undefined;
  }

  /** Sends without waiting; what goes wrong is told to `failed`. @param size about how many characters it has */
  send(message: JSONRPCMessage, size: number, relatedRequestId: RequestId | undefined): void {
    this.#unsent += size;
    const sent = (): void => {
      this.#unsent -= size;
      if (this.#waiting.size > 0 && this.#unsent < HIGH_WATER_MARK / 2) this.#drain();
    };
    // A transport may throw instead of rejecting.
    new Promise<void>((resolve) => {
      resolve(this.#transport.send(message, relatedRequestId === undefined ? undefined : { relatedRequestId }));
    }).then(sent, (error: unknown) => {
      sent();
      this.#failed(error instanceof Error ? error : new Error(String(error)));
    });
  }

  #drain(): void {
    const slots = [...this.#waiting];
    this.#waiting.clear();
    for (const slot of slots) if (this.#slots.has(slot)) this.#receiver.drain(this, slot);
  }

  /** The client is gone: nothing is answered any more. */
  abandon(): void {
    const slots = [...this.#slots.keys()];
    this.#slots.clear();
    this.#opened.clear();
    this.#waiting.clear();
    for (const slot of slots) this.#receiver.abort(this, slot);
    this.#wake();
  }

  #wake(): void {
    if (this.inFlight > 0) return;
    for (const wake of this.#idle.splice(0)) wake();
  }

  // ----------------------------------------------------------------------------------------------------- the seam

  reply(slot: number, _status: number, shape: number, _failed: 0 | 1, _headers: string, text: string): void {
    const entry = this.#slots.get(slot);
    if (entry === undefined) return;
    this.#slots.delete(slot);
    this.#opened.delete(slot);
    this.#waiting.delete(slot);
    const { id } = entry;
    // What was cancelled, and what is no request, gets no answer.
    if (id !== undefined && shape !== Shape.raw) {
      const value = JSON.parse(text);
      if (shape === Shape.error) this.send({ jsonrpc: '2.0', id, error: value }, text.length, id);
      else {
        if (own(entry.message, 'method') === 'initialize') {
          const tell = (): unknown => this.#transport.setProtocolVersion?.(value.protocolVersion);
          quietly(tell, (error) => this.#failed(error as Error));
        }
        this.send({ jsonrpc: '2.0', id, result: value }, text.length, id);
      }
    }
    this.#wake();
  }

  event(slot: number, _id: string, text: string): number {
    const entry = this.#slots.get(slot);
    if (entry === undefined) return -1;
    this.send(JSON.parse(text) as JSONRPCMessage, text.length, entry.id);
    if (this.#unsent > HIGH_WATER_MARK) this.#waiting.add(slot);
    return this.#unsent;
  }

  /** There are no bodies here: messages on an opened slot are events like any other. */
  open(slot: number): void {
    if (this.#slots.has(slot)) this.#opened.add(slot);
    this.#wake();
  }

  write(slot: number, text: string): number {
    return this.event(slot, '', text);
  }

  meta(slot: number): string {
    const params = asMembers(this.#slots.get(slot)?.message.params);
    return (params === undefined ? undefined : JSON.stringify(own(params, '_meta'))) ?? '';
  }

  id(slot: number): string {
    return JSON.stringify(this.#slots.get(slot)?.id) ?? '';
  }

  /** A transport has no request head; what it has instead is in {@link carried}. */
  head(): string {
    return '';
  }

  carried(slot: number): Carried | undefined {
    const entry = this.#slots.get(slot);
    if (entry === undefined) return undefined;
    return {
      sessionId: this.#transport.sessionId,
      authInfo: entry.extra?.authInfo,
      request: entry.extra?.request,
      closeSSE: entry.extra?.closeSSEStream,
      closeStandaloneSSE: entry.extra?.closeStandaloneSSEStream,
    };
  }

  /** Resolves when nothing is in work any more, or after `grace` milliseconds. */
  close(grace: number): Promise<void> {
    if (this.inFlight === 0 || grace === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, grace);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  principal(): number {
    return 0;
  }
  admit(): void {}
  expel(): boolean {
    return false;
  }
  renewTls(): string {
    return 'A transport has no certificate of its own';
  }
  openSession(): void {}
  closeSession(): void {}
  hasSession(): boolean {
    return false;
  }
  stats(): void {}
  ref(): void {}
  unref(): void {}
}
