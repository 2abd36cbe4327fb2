/**
 * Joins one server's catalog to the engines that serve it: a registry kept equal to it, and the receiver of its calls.
 *
 * Internal: listeners and stdio go through here, and nothing else reaches a registry.
 */
import type { Dispatch } from '../dispatch.js';
import { createDispatch } from '../dispatch.js';
import type { Listener, Receiver, Registry } from '../engine/engine.js';
import type { Catalog } from './catalog.js';
import type { Publisher } from './publish.js';

/** Something that serves and can be told to stop. */
export interface Closable {
  close(options?: { grace?: number }): Promise<void>;
}

export interface Attached {
  readonly registry: Registry;
  readonly receiver: Receiver;
  /** Stops keeping the registry and forgets the sessions that were opened on the listener; calls in flight still end. */
  readonly detach: (listener: Listener | null) => void;
}

export class Attachment {
  readonly catalog: Catalog;
  /** All that serves this server now; `McpServer.close` closes them. */
  readonly listeners = new Set<Closable>();
  readonly #publisher: Publisher;
  #dispatch: Dispatch | undefined;

  constructor(catalog: Catalog, publisher: Publisher) {
    this.catalog = catalog;
    this.#publisher = publisher;
  }

  /** Publishes the catalog into a new registry before anything can ask it. */
  attach(registry: Registry): Attached {
    this.#dispatch ??= createDispatch(this.catalog);
    const receiver = this.#dispatch;
    this.#publisher.attach(registry);
    const detach = (listener: Listener | null): void => {
      this.#publisher.detach(registry);
      if (listener !== null) receiver.forget(listener);
    };
    return { registry, receiver, detach };
  }

  flush(): void {
    this.#publisher.flush();
  }
}
