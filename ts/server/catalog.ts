/**
 * The offer of one server, made of its tools, resources and prompts: what the protocol and the engines are shown.
 *
 * Lists are put together when something changed and somebody looks, and kept until the next change.
 */
import type { RequestContext } from '../protocol/context.js';
import type { CacheHint, Implementation, ServerCapabilities } from '../protocol/types.js';
import type { Changes } from './handles.js';
import { HandlerTable } from './handles.js';
import type { CacheHints } from './hints.js';
import { CACHEABLE_METHODS, fullHint } from './hints.js';
import type { Handler, HandlerMethod, ListKind, Offer } from './offer.js';
import { Prompts } from './prompts.js';
import { Resources } from './resources.js';
import { Tools } from './tools.js';

export interface CatalogOptions {
  readonly capabilities: ServerCapabilities;
  readonly instructions: string | undefined;
  readonly pageSize: number | undefined;
  readonly cacheHints: CacheHints;
}

export class Catalog implements Offer {
  readonly info: Implementation;
  readonly instructions: string | undefined;
  readonly pageSize: number | undefined;
  readonly tools: Tools;
  readonly resources: Resources;
  readonly prompts: Prompts;
  readonly #table: HandlerTable;
  readonly #changes: Changes;
  readonly #declared: ServerCapabilities;
  readonly #hints: CacheHints;
  readonly #lists = new Map<ListKind, readonly string[]>();
  /** Features that ever had an entry: a capability once shown is not taken back when the last entry goes. */
  readonly #features = new Set<'tools' | 'resources' | 'prompts'>();

  constructor(info: Implementation, options: CatalogOptions, changes: Changes) {
    this.info = info;
    this.instructions = options.instructions;
    this.pageSize = options.pageSize;
    this.#changes = changes;
    this.#declared = options.capabilities;
    this.#hints = options.cacheHints;
    const watched: Changes = {
      name: (method, name) => changes.name(method, name),
      list: (kind) => {
        this.#lists.delete(kind);
        this.#features.add(kind === 'resourceTemplates' ? 'resources' : kind);
        changes.list(kind);
      },
    };
    this.#table = new HandlerTable(watched);
    this.tools = new Tools(this.#table, watched);
    this.resources = new Resources(this.#table, watched);
    this.prompts = new Prompts(this.#table, watched);
  }

  get handlers(): readonly (Handler | undefined)[] {
    return this.#table.handlers;
  }

  capabilities(): ServerCapabilities {
    const capabilities: ServerCapabilities = { ...this.#declared };
    for (const feature of this.#features) capabilities[feature] ??= {};
    return capabilities;
  }

  /** Whether a list belongs to a declared capability: only then is its method known. */
  offers(kind: ListKind): boolean {
    const feature = kind === 'resourceTemplates' ? 'resources' : kind;
    return this.#features.has(feature) || this.#declared[feature] !== undefined;
  }

  find(method: HandlerMethod, name: string): number {
    return method === 'resources/read' ? this.resources.find(name) : this.#table.find(method, name);
  }

  /** Callable names of a method with their handler numbers. */
  callable(method: HandlerMethod): ReadonlyMap<string, number> {
    return this.#table.callable(method);
  }

  matchTemplate(uri: string): { run(context: RequestContext): object | Promise<object> } | undefined {
    return this.resources.matchTemplate(uri);
  }

  list(kind: ListKind): readonly string[] {
    let items = this.#lists.get(kind);
    if (items === undefined) {
      items = this.#items(kind);
      this.#lists.set(kind, items);
    }
    return items;
  }

  #items(kind: ListKind): string[] {
    if (kind === 'tools') return this.tools.items();
    if (kind === 'prompts') return this.prompts.items();
    return kind === 'resources' ? this.resources.items() : this.resources.templateItems();
  }

  /** Publishes a list again although no entry changed. */
  touch(kind: ListKind): void {
    this.#changes.list(kind);
  }

  /** Whether a list depends on the request and cannot be ready bytes. */
  dynamic(kind: ListKind): boolean {
    return kind === 'resources' && this.resources.dynamic;
  }

  /** Serialised items that come after those of {@link list} for this request; empty unless {@link dynamic}. */
  async dynamicItems(kind: ListKind, context: RequestContext): Promise<readonly string[]> {
    return this.dynamic(kind) ? this.resources.dynamicItems(context) : [];
  }

  cacheHint(kind: ListKind | 'discover', uri?: string): CacheHint {
    if (uri !== undefined) return fullHint(this.resources.hint(uri), this.#hints['resources/read']);
    return fullHint(undefined, this.#hints[CACHEABLE_METHODS[kind]]);
  }
}
