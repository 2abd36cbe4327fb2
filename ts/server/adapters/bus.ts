/**
 * What changed, across the requests of a handler: the event bus of the official SDK, and how it stands in for the change
 * bus of a server. Events say what happened; what is sent to whom is the protocol's.
 */
import type { Change, ChangeBus } from '../../protocol/changes.js';

export type ServerEvent = (
  | { kind: 'tools_list_changed' }
  | { kind: 'prompts_list_changed' }
  | { kind: 'resources_list_changed' }
  | { kind: 'resource_updated'; uri: string }
) & { params?: Record<string, unknown> | undefined };

/** Implement it over a message broker to join several processes. */
export interface ServerEventBus {
  publish(event: ServerEvent): void;
  /** @returns ends the subscription; may be called twice */
  subscribe(listener: (event: ServerEvent) => void): () => void;
}

/** The bus of one process: listeners are called at once; one that throws stops no other. */
export class InMemoryServerEventBus implements ServerEventBus {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #onerror: ((error: Error) => void) | undefined;

  /** @param onerror told what listeners throw */
  constructor(onerror?: (error: Error) => void) {
    this.#onerror = onerror;
  }

  publish(event: ServerEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onerror?.(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    let live = true;
    return () => {
      if (live) this.#listeners.delete(listener);
      live = false;
    };
  }

  /** Subscriptions now. */
  get listenerCount(): number {
    return this.#listeners.size;
  }
}

/** Publishes events under the names of their notifications. */
export interface ServerNotifier {
  toolsChanged(): void;
  promptsChanged(): void;
  resourcesChanged(): void;
  resourceUpdated(uri: string): void;
}

export function createServerNotifier(bus: ServerEventBus): ServerNotifier {
  return {
    toolsChanged: () => bus.publish({ kind: 'tools_list_changed' }),
    promptsChanged: () => bus.publish({ kind: 'prompts_list_changed' }),
    resourcesChanged: () => bus.publish({ kind: 'resources_list_changed' }),
    resourceUpdated: (uri) => bus.publish({ kind: 'resource_updated', uri }),
  };
}

/** The event bus of a handler as the change bus that the protocol knows. */
export function changesOf(bus: ServerEventBus): ChangeBus {
  return {
    publish: (change) => bus.publish(eventOf(change)),
    subscribe: (listener) =>
      bus.subscribe((event) => {
        const change = changeOf(event);
        if (change !== undefined) listener(change);
      }),
  };
}

/** The change bus of a server as the event bus of its handler. */
export function busOf(changes: ChangeBus): ServerEventBus {
  return {
    publish(event) {
      const change = changeOf(event);
      if (change !== undefined) changes.publish(change);
    },
    subscribe: (listener) => changes.subscribe((change) => listener(eventOf(change))),
  };
}

function eventOf(change: Change): ServerEvent {
  if (change.kind === 'resource') return { kind: 'resource_updated', uri: change.uri };
  return { kind: `${change.kind}_list_changed` };
}

/** Undefined for what another process publishes and this version does not know. */
function changeOf(event: ServerEvent): Change | undefined {
  switch (event.kind) {
    case 'tools_list_changed':
      return { kind: 'tools' };
    case 'prompts_list_changed':
      return { kind: 'prompts' };
    case 'resources_list_changed':
      return { kind: 'resources' };
    case 'resource_updated':
      return { kind: 'resource', uri: event.uri };
    default:
      return undefined;
  }
}
