/**
 * The client of a server that was made for one request: what the low-level server knows of it is what that request says.
 */
import type { Listener } from '../../engine/engine.js';
import { headerValue } from '../../protocol/headers.js';
import { asMembers, type Members } from '../../protocol/incoming.js';
import type { Via } from '../../protocol/peer.js';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '../../protocol/revisions.js';
import type { ClientCapabilities, Implementation, RequestId } from '../../protocol/types.js';
import type { Client } from '../attach.js';

export class RequestClient implements Client {
  readonly transport = undefined;
  readonly session = undefined;
  /** There is nobody to wait for its answer: the server is gone by then. */
  readonly peer = undefined;
  readonly #listener: Listener;
  readonly #slot: number;
  #meta: Members | undefined;

  constructor(listener: Listener, slot: number) {
    this.#listener = listener;
    this.#slot = slot;
  }

  /** Read when it is first asked for, and known from then on: after the answer the listener has forgotten it. */
  get #envelope(): Members {
    if (this.#meta === undefined) {
      const text = this.#listener.meta(this.#slot);
      this.#meta = (text === '' ? undefined : asMembers(JSON.parse(text))) ?? {};
    }
    return this.#meta;
  }

  get info(): Implementation | undefined {
    return asMembers(this.#envelope[CLIENT_INFO_META_KEY]) as Implementation | undefined;
  }
  get capabilities(): ClientCapabilities | undefined {
    return asMembers(this.#envelope[CLIENT_CAPABILITIES_META_KEY]) as ClientCapabilities | undefined;
  }
  get version(): string | undefined {
    const claimed = this.#envelope[PROTOCOL_VERSION_META_KEY];
    if (typeof claimed === 'string') return claimed;
    return headerValue(this.#listener.head(this.#slot), 'mcp-protocol-version');
  }

  via(): Via | null {
    return { port: this.#listener, slot: this.#slot };
  }

  /** On the request's own stream; what belongs to no request has nowhere to go. */
  async notify(method: string, params: object | undefined, related: RequestId | undefined): Promise<void> {
    if (related === undefined) return;
    this.#listener.event(this.#slot, '', JSON.stringify({ jsonrpc: '2.0', method, params }));
  }
}
