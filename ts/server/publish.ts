/**
 * Keeps engine registries equal to the catalog: which names reach which handler, and the lists as ready bytes.
 *
 * Changes made in one turn of JavaScript are put together and published at once, so that registering a hundred tools
 * serialises each list once, and no client sees half of it.
 */
import type { Registry } from '../engine/engine.js';
import { discoverAnswer, LIST_METHODS, listAnswer, PING_ANSWER } from '../protocol/answers.js';
import { pageOf } from '../protocol/pages.js';
import { legacyOf, modernOf } from '../protocol/revisions.js';
import type { ProtocolEra } from '../protocol/types.js';
import type { Catalog } from './catalog.js';
import type { Changes } from './handles.js';
import type { HandlerMethod, ListKind } from './offer.js';

const METHODS: readonly HandlerMethod[] = ['tools/call', 'prompts/get', 'resources/read'];
const KINDS = Object.keys(LIST_METHODS) as ListKind[];

export class Publisher implements Changes {
  /** With each, whether it may answer lists: not where they depend on who asks. */
  readonly #registries = new Map<Registry, boolean>();
  readonly #names = new Map<HandlerMethod, Set<string>>();
  readonly #lists = new Set<ListKind>();
  readonly #encoder = new TextEncoder();
  readonly #catalog: Catalog;
  /** An era that the server does not serve gets no answer from an engine. */
  readonly #serves: { readonly modern: boolean; readonly legacy: boolean };
  #scheduled = false;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    const { versions } = catalog;
    this.#serves = { modern: modernOf(versions).length > 0, legacy: legacyOf(versions).length > 0 };
    catalog.watch(this);
  }

  nameChanged(method: HandlerMethod, name: string): void {
    if (this.#registries.size === 0) return;
    let names = this.#names.get(method);
    if (names === undefined) {
      names = new Set();
      this.#names.set(method, names);
    }
    names.add(name);
    this.#schedule();
  }

  listChanged(kind: ListKind): void {
    if (this.#registries.size === 0) return;
    this.#lists.add(kind);
    this.#schedule();
  }

  /**
   * Fills and publishes a registry, and keeps it equal from now on.
   * @param lists whether it may answer lists: false when they depend on who asks
   */
  attach(registry: Registry, lists: boolean): void {
    const catalog = this.#catalog;
    this.flush();
    for (const method of METHODS) {
      for (const name of catalog.names(method)) {
        const number = catalog.published(method, name);
        if (number !== -1) registry.handler(method, name, number);
      }
    }
    this.#putLists(new Map([[registry, lists]]), KINDS);
    registry.publish();
    this.#registries.set(registry, lists);
  }

  detach(registry: Registry): void {
    this.#registries.delete(registry);
  }

  /** Publishes what was changed, now instead of at the end of this turn. */
  flush(): void {
    this.#scheduled = false;
    if (this.#names.size === 0 && this.#lists.size === 0) return;
    const catalog = this.#catalog;
    for (const [method, names] of this.#names) {
      for (const name of names) {
        const number = catalog.published(method, name);
        for (const registry of this.#registries.keys()) {
          if (number === -1) registry.remove(method, name);
          else registry.handler(method, name, number);
        }
      }
    }
    this.#putLists(this.#registries, this.#lists);
    this.#names.clear();
    this.#lists.clear();
    for (const registry of this.#registries.keys()) registry.publish();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      if (this.#scheduled) this.flush();
    });
  }

  /** Lists, and what depends on the capabilities that may have grown with them. Serialised once for all registries. */
  #putLists(registries: ReadonlyMap<Registry, boolean>, kinds: Iterable<ListKind>): void {
    const catalog = this.#catalog;
    for (const kind of kinds) {
      const method = LIST_METHODS[kind];
      // What depends on the request, or is no part of the offer, is answered above the seam.
      const ready = catalog.ready(kind);
      const modern = ready && this.#serves.modern ? this.#listBytes(kind, 'modern') : null;
      const legacy = ready && this.#serves.legacy ? this.#listBytes(kind, 'legacy') : null;
      for (const [registry, lists] of registries) {
        if (ready && lists) registry.answer(method, '', modern, legacy);
        else registry.remove(method, '');
      }
    }
    const hint = catalog.cacheHint('discover');
    const { info, instructions, versions } = catalog;
    const text = discoverAnswer(info, catalog.capabilities(), instructions, hint, versions);
    for (const registry of registries.keys()) {
      this.#putAnswer(registry, 'server/discover', this.#serves.modern ? text : null, null);
      this.#putAnswer(registry, 'ping', null, this.#serves.legacy ? PING_ANSWER : null);
    }
  }

  /** An answer of every server, unless a handler of its own stands before it. */
  #putAnswer(registry: Registry, method: string, modern: string | null, legacy: string | null): void {
    if (this.#catalog.methodHandler(method) !== undefined) registry.remove(method, '');
    else registry.answer(method, '', this.#bytes(modern), this.#bytes(legacy));
  }

  #bytes(text: string | null): Uint8Array | null {
    return text === null ? null : this.#encoder.encode(text);
  }

  #listBytes(kind: ListKind, era: ProtocolEra): Uint8Array {
    const catalog = this.#catalog;
    // What a request without a cursor gets: with a page size that is the first page.
    const { items, nextCursor } = pageOf(kind, catalog.list(kind), catalog.pageSize, undefined);
    return this.#encoder.encode(listAnswer(era, kind, items, catalog.cacheHint(kind), catalog.info, nextCursor));
  }
}
