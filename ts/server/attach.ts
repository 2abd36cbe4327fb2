/**
 * Joins one server's catalog to what serves it: engines, whose registries are kept equal to it, and transports.
 *
 * Internal: listeners, stdio, mounts and connections go through here, and nothing else reaches a registry.
 */
import type { Dispatch, DispatchOptions } from '../dispatch.js';
import { createDispatch } from '../dispatch.js';
import type { Listener, Receiver, Registry } from '../engine/engine.js';
import type { PeerLink, Via } from '../protocol/peer.js';
import type { Session } from '../protocol/sessions.js';
import type { ClientCapabilities, Implementation, RequestId } from '../protocol/types.js';
import type { Catalog } from './catalog.js';
import { Publisher } from './publish.js';
import type { Transport } from './transports/transport.js';

/** Something that serves and can be told to stop. */
export interface Closable {
  close(options?: { grace?: number }): Promise<void>;
}

/** The one client of a server that has only one: a connected transport, a pipe, or the request it was made for. */
export interface Client {
  /** What it was connected by; undefined for a pipe of the engine's. */
  readonly transport: Transport | undefined;
  /** Of the handshake, or of its last request (modern). */
  readonly info: Implementation | undefined;
  readonly capabilities: ClientCapabilities | undefined;
  readonly version: string | undefined;
  /** Legacy, after the handshake. */
  readonly session: Session | undefined;
  /** How it is asked; undefined when there is no way. */
  readonly peer: PeerLink | undefined;
  /** The stream of a request in work, by the id that the client gave it; null: none of its own. */
  via(related: RequestId | undefined): Via | null;
  /** Sends a notification as it is. @throws whatever goes wrong in sending */
  notify(method: string, params: object | undefined, related: RequestId | undefined): Promise<void>;
}

export interface Attached {
  readonly registry: Registry;
  readonly receiver: Receiver;
  /** Stops keeping the registry and forgets the sessions that were opened on the listener; calls in flight still end. */
  readonly detach: (listener: Listener | null) => void;
}

export class Attachment {
  readonly catalog: Catalog;
  /** Set while the server has exactly one client by the way it is served. */
  client: Client | undefined = undefined;
  /** The low-level server, told of the end of its client and of trouble. */
  watcher: { ended(): void; failed(error: Error): void } | undefined = undefined;
  #listeners: Set<Closable> | undefined = undefined;
  #publisher: Publisher | undefined = undefined;
  #dispatch: Dispatch | undefined = undefined;
  /** Dispatchers that serve some listener alone. */
  #own: Set<Dispatch> | undefined = undefined;

  constructor(catalog: Catalog) {
    this.catalog = catalog;
  }

  /** All that serves this server now; closing the server closes them. */
  get listeners(): Set<Closable> {
    this.#listeners ??= new Set();
    return this.#listeners;
  }

  get served(): boolean {
    return this.client !== undefined || (this.#listeners !== undefined && this.#listeners.size > 0);
  }

  /**
   * What answers calls and messages, without any registry: made at the first use and the same ever after.
   * @param options count only for that first use
   */
  receiver(options?: DispatchOptions): Dispatch {
    if (this.#dispatch === undefined) {
      this.#dispatch = createDispatch(this.catalog, options);
      this.catalog.serve();
    }
    return this.#dispatch;
  }

  /**
   * A dispatcher for one way of serving alone, which has a guard, limits or sessions of its own. {@link Attached.detach}
   * ends it.
   */
  own(options: DispatchOptions): Dispatch {
    const dispatch = createDispatch(this.catalog, options);
    this.#own ??= new Set();
    this.#own.add(dispatch);
    this.catalog.serve();
    return dispatch;
  }

  /** Whether there is a common dispatcher, whose options are settled. */
  get settled(): boolean {
    return this.#dispatch !== undefined;
  }

  /** All that answer for this server now. */
  get dispatches(): readonly Dispatch[] {
    return [...(this.#dispatch === undefined ? [] : [this.#dispatch]), ...(this.#own ?? [])];
  }

  /**
   * Publishes the catalog into a new registry before anything can ask it.
   * @param receiver in place of the common one: a mount has a guard and sessions of its own
   */
  attach(registry: Registry, options?: DispatchOptions, receiver: Dispatch = this.receiver(options)): Attached {
    this.#publisher ??= new Publisher(this.catalog);
    const publisher = this.#publisher;
    // Lists that some may not see are kept out by the catalog, entry by entry.
    publisher.attach(registry, true);
    const detach = (listener: Listener | null): void => {
      publisher.detach(registry);
      if (listener !== null) receiver.forget(listener);
      if (this.#own?.delete(receiver) === true) receiver.retire();
    };
    return { registry, receiver, detach };
  }

  /** A client by itself: what serves it is also closed with the server. */
  take(client: Client & Closable): void {
    this.client = client;
    this.listeners.add(client);
  }

  /** The end of a client that was taken. */
  release(client: Client & Closable, listener: Listener): void {
    this.listeners.delete(client);
    this.#dispatch?.forget(listener);
    if (this.client !== client) return;
    this.client = undefined;
    this.watcher?.ended();
  }

  flush(): void {
    this.#publisher?.flush();
  }

  async close(options?: { grace?: number }): Promise<void> {
    if (this.#listeners !== undefined) {
      await Promise.all([...this.#listeners].map((listener) => listener.close(options)));
    }
    // The client of a server that was made for its request has nothing that could be closed.
    if (this.client === undefined) return;
    this.client = undefined;
    this.watcher?.ended();
  }
}

type Reader = (server: object) => Attachment | undefined;
const readers: Reader[] = [];

/** For the classes that are servers: how to find the attachment of one. */
export function addReader(reader: Reader): void {
  readers.push(reader);
}

/**
 * The inner side of a server of either class.
 * @throws TypeError for anything else
 */
export function attachmentOf(server: unknown): Attachment {
  if (typeof server === 'object' && server !== null) {
    for (const read of readers) {
      const attachment = read(server);
      if (attachment !== undefined) return attachment;
    }
  }
  throw new TypeError('Not a McpServer');
}

/** What a server offers now: for tests and embedding. */
export function offerOf(server: unknown): Catalog {
  return attachmentOf(server).catalog;
}
