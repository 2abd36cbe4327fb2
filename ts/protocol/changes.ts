/**
 * What changed on a server, told to whoever listens: `subscriptions/listen` of the modern era, the list_changed and updated
 * notifications of the legacy one. The bus carries the change; what is sent to whom is decided by its listeners.
 */

export type Change = { readonly kind: 'tools' | 'prompts' | 'resources' } | { readonly kind: 'resource'; uri: string };

/** Replace it to join several processes: publish to all of them, call the listeners for what comes from any. */
export interface ChangeBus {
  publish(change: Change): void;
  /** @returns ends the subscription; calling it twice does nothing more */
  subscribe(listener: (change: Change) => void): () => void;
}

/** The bus of one process: listeners are called at once, in the order in which they came. */
export class LocalChanges implements ChangeBus {
  readonly #listeners = new Set<(change: Change) => void>();

  publish(change: Change): void {
    // One listener's failure is its own: the others are told all the same.
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch {
        this.#listeners.delete(listener);
      }
    }
  }

  subscribe(listener: (change: Change) => void): () => void {
    // Wrapped, so that a function that is given twice is two subscriptions.
    const own = (change: Change): void => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
