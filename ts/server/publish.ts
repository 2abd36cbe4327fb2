/**
 * Keeps engine registries equal to the catalog: which names reach which handler, and the lists as ready bytes.
 *
 * Changes made in one turn of JavaScript are put together and published at once, so that registering a hundred tools
 * serialises each list once, and no client sees half of it.
 */
import type { Registry } from '../engine/engine.js';
import { discoverAnswer, LIST_METHODS, listAnswer, PING_ANSWER } from '../protocol/answers.js';
import { pageOf } from '../protocol/pages.js';
import type { ProtocolEra } from '../protocol/types.js';
import type { Catalog } from './catalog.js';
import type { Changes } from './handles.js';
import type { HandlerMethod, ListKind } from './offer.js';

const METHODS: readonly HandlerMethod[] = ['tools/call', 'prompts/get', 'resources/read'];
const KINDS = Object.keys(LIST_METHODS) as ListKind[];

export class Publisher implements Changes {
  readonly #registries = new Set<Registry>();
  readonly #names = new Map<HandlerMethod, Set<string>>();
  readonly #lists = new Set<ListKind>();
  readonly #encoder = new TextEncoder();
  #catalog: Catalog | undefined;
  #scheduled = false;

  /** The catalog whose changes come here; set once, because each needs the other. */
  watch(catalog: Catalog): void {
    this.#catalog = catalog;
  }

  name(method: HandlerMethod, name: string): void {
    if (this.#registries.size === 0) return;
    let names = this.#names.get(method);
    if (names === undefined) {
      names = new Set();
      this.#names.set(method, names);
    }
    names.add(name);
    this.#schedule();
  }

  list(kind: ListKind): void {
    if (this.#registries.size === 0) return;
    this.#lists.add(kind);
    this.#schedule();
  }

  /** Fills and publishes a registry, and keeps it equal from now on. */
  attach(registry: Registry): void {
    const catalog = this.#catalog as Catalog;
    this.flush();
    for (const method of METHODS) {
      for (const [name, number] of catalog.callable(method)) registry.handler(method, name, number);
    }
    registry.answer('ping', '', null, this.#encoder.encode(PING_ANSWER));
    this.#putLists(new Set([registry]), KINDS);
    registry.publish();
    this.#registries.add(registry);
  }

  detach(registry: Registry): void {
    this.#registries.delete(registry);
  }

  /** Publishes what was changed, now instead of at the end of this turn. */
  flush(): void {
    this.#scheduled = false;
    if (this.#names.size === 0 && this.#lists.size === 0) return;
    const catalog = this.#catalog as Catalog;
    for (const [method, names] of this.#names) {
      const callable = catalog.callable(method);
      for (const name of names) {
        const number = callable.get(name);
        for (const registry of this.#registries) {
          if (number === undefined) registry.remove(method, name);
          else registry.handler(method, name, number);
        }
      }
    }
    this.#putLists(this.#registries, this.#lists);
    this.#names.clear();
    this.#lists.clear();
    for (const registry of this.#registries) registry.publish();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      if (this.#scheduled) this.flush();
    });
  }

  /** Lists, and `server/discover`, whose capabilities may have grown with them. Serialised once for all registries. */
  #putLists(registries: ReadonlySet<Registry>, kinds: Iterable<ListKind>): void {
    const catalog = this.#catalog as Catalog;
    for (const kind of kinds) {
      const method = LIST_METHODS[kind];
      // What depends on the request, or is no part of the offer, is answered above the seam.
      const ready = catalog.offers(kind) && !catalog.dynamic(kind);
      const modern = ready ? this.#listBytes(kind, 'modern') : null;
      const legacy = ready ? this.#listBytes(kind, 'legacy') : null;
      for (const registry of registries) {
        if (ready) registry.answer(method, '', modern, legacy);
        else registry.remove(method, '');
      }
    }
    const hint = catalog.cacheHint('discover');
    const text = discoverAnswer(catalog.info, catalog.capabilities(), catalog.instructions, hint);
    const discover = this.#encoder.encode(text);
    for (const registry of registries) registry.answer('server/discover', '', discover, null);
  }

  #listBytes(kind: ListKind, era: ProtocolEra): Uint8Array {
    const catalog = this.#catalog as Catalog;
    // What a request without a cursor gets: with a page size that is the first page.
    const { items, nextCursor } = pageOf(kind, catalog.list(kind), catalog.pageSize, undefined);
    return this.#encoder.encode(listAnswer(era, kind, items, catalog.cacheHint(kind), catalog.info, nextCursor));
  }
}
