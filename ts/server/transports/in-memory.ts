/**
 * Two transports that are each other's other end, in one process: for tests, and for a client and a server that live
 * together. Messages are handed over as they are, at once.
 */
import { SdkError, SdkErrorCode } from '../../protocol/sdk/errors.js';
import type { AuthInfo, JSONRPCMessage } from '../../protocol/types.js';
import type { MessageExtraInfo, Transport, TransportSendOptions } from './transport.js';

/** Most messages that wait for the other side to start. */
const MAX_QUEUED = 10_000;

export class InMemoryTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  sessionId?: string;
  #other: InMemoryTransport | undefined;
  #queue: [JSONRPCMessage, MessageExtraInfo][] = [];
  #closed = false;

  /** Both ends: what one sends the other receives. */
  static createLinkedPair(): [InMemoryTransport, InMemoryTransport] {
    const pair: [InMemoryTransport, InMemoryTransport] = [new InMemoryTransport(), new InMemoryTransport()];
    pair[0].#other = pair[1];
    pair[1].#other = pair[0];
    return pair;
  }

  /** Receives what was sent before. */
  async start(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.onmessage?.(...next);
  }

  /**
   * @param options.authInfo who sends it, as a transport with authorization would say
   * @throws SdkError when either end is closed
   */
  async send(message: JSONRPCMessage, options?: TransportSendOptions & { authInfo?: AuthInfo }): Promise<void> {
    const other = this.#other;
    if (other === undefined) throw new SdkError(SdkErrorCode.NotConnected, 'Not connected');
    const extra = { authInfo: options?.authInfo };
    if (other.onmessage !== undefined) other.onmessage(message, extra);
    else if (other.#queue.length < MAX_QUEUED) other.#queue.push([message, extra]);
    else throw new SdkError(SdkErrorCode.SendFailed, `The other side has not started and ${MAX_QUEUED} messages wait`);
  }

  /** Closes both ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const other = this.#other;
    this.#other = undefined;
    try {
      await other?.close();
    } finally {
      this.onclose?.();
    }
  }
}
