/**
 * All open subscriptions of one server, by what they are told of: a change looks at those alone that asked for it.
 */
import type { Listener } from '../../engine/engine.js';
import type { Change, ChangeBus } from '../changes.js';
import type { Subscription } from './listen.js';

export class Subscriptions {
  readonly #bus: ChangeBus;
  readonly #all = new Set<Subscription>();
  /** By the kind of a list, or by `resource` and URI. */
  readonly #topics = new Map<string, Set<Subscription>>();
  #unsubscribe: (() => void) | undefined;

  /** @param bus asked to tell changes only while there is somebody to be told */
  constructor(bus: ChangeBus) {
    this.#bus = bus;
  }

  get size(): number {
    return this.#all.size;
  }

  add(subscription: Subscription): void {
    this.#all.add(subscription);
    for (const topic of topicsOf(subscription)) {
      let told = this.#topics.get(topic);
      if (told === undefined) {
        told = new Set();
        this.#topics.set(topic, told);
      }
      told.add(subscription);
    }
    this.#unsubscribe ??= this.#bus.subscribe((change) => this.#tell(change));
  }

  delete(subscription: Subscription): void {
    this.#all.delete(subscription);
    for (const topic of topicsOf(subscription)) {
      const told = this.#topics.get(topic);
      told?.delete(subscription);
      if (told?.size === 0) this.#topics.delete(topic);
    }
    if (this.#all.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** Ends those of a listener with the result that says so; without a listener all. */
  close(listener?: Listener): void {
    for (const subscription of [...this.#all]) {
      if (listener === undefined || subscription.listener === listener) subscription.close();
    }
  }

  #tell(change: Change): void {
    const told = this.#topics.get(change.kind === 'resource' ? topicOf(change.uri) : change.kind);
    // Copied: a client that is found to be gone leaves the set at once.
    if (told !== undefined) for (const subscription of [...told]) subscription.tell(change);
  }
}

function* topicsOf({ filter }: Subscription): Iterable<string> {
  yield* filter.lists;
  for (const uri of filter.uris) yield topicOf(uri);
}

function topicOf(uri: string): string {
  return `resource ${uri}`;
}
