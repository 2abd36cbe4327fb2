/**
 * The client at the other end of an engine's pipe, as the low-level server knows it.
 */
import type { Listener } from '../../engine/engine.js';
import type { PeerLink, Via } from '../../protocol/peer.js';
import type { Session, Sessions } from '../../protocol/sessions.js';
import type { ClientCapabilities, Implementation, RequestId } from '../../protocol/types.js';
import type { Client } from '../attach.js';
import { notConnected } from './protocol.js';

export class PipeClient implements Client {
  readonly transport = undefined;
  readonly #listener: () => Listener;
  readonly #sessions: () => Sessions;

  /** Both are asked when they are needed: a client is known before its pipe is there. */
  constructor(listener: () => Listener, sessions: () => Sessions) {
    this.#listener = listener;
    this.#sessions = sessions;
  }

  /** Undefined before the handshake, and for modern clients: what those say is in each request's context. */
  get session(): Session | undefined {
    return this.#sessions().pipe(this.#listener());
  }
  get info(): Implementation | undefined {
    return this.session?.clientInfo;
  }
  get capabilities(): ClientCapabilities | undefined {
    return this.session?.capabilities;
  }
  get version(): string | undefined {
    return this.session?.version;
  }
  get peer(): PeerLink | undefined {
    return this.session?.peer;
  }

  /** All streams of a pipe are one. */
  via(): Via | null {
    return null;
  }

  async notify(method: string, params: object | undefined, _related: RequestId | undefined): Promise<void> {
    if (this.session?.peer.notify(method, params) !== true) throw notConnected();
  }
}
