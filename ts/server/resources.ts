/**
 * Fixed resources and resource templates: registration, what the two lists say, and reading.
 *
 * A fixed resource is a handler of its own; templates are tried in registration order for URIs that no fixed resource has.
 */
import type { RequestContext } from '../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../protocol/errors.js';
import type { CacheHint, ReadResourceResult } from '../protocol/types.js';
import type { Changes, HandlerTable } from './handles.js';
import { checkName } from './handles.js';
import { checkHint } from './hints.js';
import type { Handler } from './offer.js';
import { ResourceTemplate } from './template.js';
import { checkCallback, defined, isPromise } from './tools.js';
import type {
  ListResourcesCallback,
  ReadResourceCallback,
  ReadResourceTemplateCallback,
  RegisteredResource,
  RegisteredResourceTemplate,
  ResourceConfig,
  ResourceMetadata,
  ResourceTemplateUpdate,
  ResourceUpdate,
} from './types.js';

export class Resources {
  readonly #fixed = new Map<string, ResourceEntry>();
  readonly #templates = new Map<string, TemplateEntry>();
  readonly table: HandlerTable;
  readonly changes: Changes;

  constructor(table: HandlerTable, changes: Changes) {
    this.table = table;
    this.changes = changes;
  }

  register(name: string, uri: string, config: ResourceConfig, callback: ReadResourceCallback): RegisteredResource {
    checkName('resource', name);
    const entry = new ResourceEntry(this, name, uri, config, callback);
    this.claim(uri);
    this.#fixed.set(uri, entry);
    entry.number = this.table.add(entry);
    this.table.show('resources/read', uri, entry.number);
    this.changes.list('resources');
    return entry;
  }

  registerTemplate(
    name: string,
    template: ResourceTemplate,
    config: ResourceConfig,
    callback: ReadResourceTemplateCallback,
  ): RegisteredResourceTemplate {
    checkName('resource template', name);
    const entry = new TemplateEntry(this, name, template, config, callback);
    this.claimTemplate(name);
    this.#templates.set(name, entry);
    this.templatesChanged();
    return entry;
  }

  get size(): number {
    return this.#fixed.size + this.#templates.size;
  }

  /** Handler number for a URI: as registered, else as the URL standard writes it. */
  find(uri: string): number {
    const number = this.table.find('resources/read', uri);
    if (number !== -1 || !URL.canParse(uri)) return number;
    return this.table.find('resources/read', new URL(uri).href);
  }

  matchTemplate(uri: string): { run(context: RequestContext): object | Promise<object> } | undefined {
    if (!URL.canParse(uri)) return undefined;
    for (const entry of this.#templates.values()) {
      const variables = entry.enabled ? entry.resourceTemplate.uriTemplate.match(uri) : null;
      if (variables !== null) return { run: (context) => entry.read(uri, variables, context) };
    }
    return undefined;
  }

  items(): string[] {
    const items: string[] = [];
    for (const entry of this.#fixed.values()) if (entry.enabled) items.push(entry.item());
    return items;
  }

  templateItems(): string[] {
    const items: string[] = [];
    for (const entry of this.#templates.values()) if (entry.enabled) items.push(entry.item());
    return items;
  }

  /** Whether `resources/list` depends on the request: some template has a list callback. */
  get dynamic(): boolean {
    for (const entry of this.#templates.values()) if (entry.enabled && entry.listing !== undefined) return true;
    return false;
  }

  /** JSON texts of what the templates list for this request; one after the other, in registration order. */
  async dynamicItems(context: RequestContext): Promise<string[]> {
    const items: string[] = [];
    for (const entry of [...this.#templates.values()]) {
      if (!entry.enabled || entry.listing === undefined) continue;
      const result = await entry.listing(context);
      if (!Array.isArray(result?.resources)) {
        throw broken(`The list callback of resource template ${entry.name} returned no resources array`);
      }
      for (const resource of result.resources) items.push(JSON.stringify({ ...entry.metadata, ...resource }));
    }
    return items;
  }

  /** The hint registered with the resource or template behind a URI. */
  hint(uri: string): CacheHint | undefined {
    const fixed = this.#fixed.get(uri) ?? (URL.canParse(uri) ? this.#fixed.get(new URL(uri).href) : undefined);
    if (fixed !== undefined) return fixed.cacheHint;
    for (const entry of this.#templates.values()) {
      if (entry.enabled && entry.resourceTemplate.uriTemplate.match(uri) !== null) return entry.cacheHint;
    }
    return undefined;
  }

  claim(uri: string): void {
    if (this.#fixed.has(uri)) throw new Error(`Resource ${uri} is already registered`);
  }

  claimTemplate(name: string): void {
    if (this.#templates.has(name)) throw new Error(`Resource template ${name} is already registered`);
  }

  move(entry: ResourceEntry, uri: string): void {
    this.#fixed.delete(entry.uri);
    this.#fixed.set(uri, entry);
  }

  moveTemplate(entry: TemplateEntry, name: string): void {
    this.#templates.delete(entry.name);
    this.#templates.set(name, entry);
  }

  drop(uri: string): void {
    this.#fixed.delete(uri);
  }

  dropTemplate(name: string): void {
    this.#templates.delete(name);
  }

  templatesChanged(): void {
    this.changes.list('resourceTemplates');
    // A template with a list callback has a part in the list of resources, too.
    this.changes.list('resources');
  }
}

/** One fixed resource: the user's handle and the dispatcher's handler in one object. */
class ResourceEntry implements RegisteredResource, Handler {
  readonly method = 'resources/read';
  number = -1;
  enabled = true;
  name: string;
  uri: string;
  metadata: ResourceMetadata;
  readonly cacheHint: CacheHint | undefined;
  readonly #resources: Resources;
  #callback: ReadResourceCallback;
  #item: string | undefined;
  #removed = false;

  constructor(resources: Resources, name: string, uri: string, config: ResourceConfig, callback: ReadResourceCallback) {
    checkUri(uri);
    checkCallback(`resource "${name}"`, callback);
    const { cacheHint, ...metadata } = config;
    checkHint(`resource "${name}"`, cacheHint);
    this.#resources = resources;
    this.name = name;
    this.uri = uri;
    this.metadata = metadata;
    this.cacheHint = cacheHint;
    this.#callback = callback;
  }

  get title(): string | undefined {
    return this.metadata.title;
  }

  run(_args: unknown, context: RequestContext): object | Promise<object> {
    // A fresh URL for each read: it is mutable, and belongs to the handler.
    return checked(this.#callback(new URL(this.uri), context), `Resource ${this.name}`);
  }

  item(): string {
    this.#item ??= JSON.stringify({ uri: this.uri, name: this.name, ...this.metadata });
    return this.#item;
  }

  enable(): void {
    this.update({ enabled: true });
  }
  disable(): void {
    this.update({ enabled: false });
  }
  remove(): void {
    this.update({ uri: null });
  }

  update(updates: ResourceUpdate): void {
    if (this.#removed) return;
    const { table, changes } = this.#resources;
    if (updates.uri === null) {
      this.#removed = true;
      this.enabled = false;
      this.#resources.drop(this.uri);
      table.hide(this.method, this.uri);
      table.drop(this.number);
      changes.list('resources');
      return;
    }
    const uri = updates.uri ?? this.uri;
    if (updates.name !== undefined) checkName('resource', updates.name);
    if (updates.callback !== undefined) checkCallback(`resource "${this.name}"`, updates.callback);
    if (uri !== this.uri) {
      checkUri(uri);
      this.#resources.claim(uri);
      this.#resources.move(this, uri);
      table.hide(this.method, this.uri);
    }
    const shown = this.enabled && uri === this.uri;
    this.uri = uri;
    this.name = updates.name ?? this.name;
    this.metadata = { ...(updates.metadata ?? this.metadata), ...defined({ title: updates.title }) };
    this.#callback = updates.callback ?? this.#callback;
    this.enabled = updates.enabled ?? this.enabled;
    if (this.enabled && !shown) table.show(this.method, uri, this.number);
    if (!this.enabled) table.hide(this.method, uri);
    this.#item = undefined;
    changes.list('resources');
  }
}

class TemplateEntry implements RegisteredResourceTemplate {
  enabled = true;
  name: string;
  resourceTemplate: ResourceTemplate;
  metadata: ResourceMetadata;
  readonly cacheHint: CacheHint | undefined;
  readonly #resources: Resources;
  #callback: ReadResourceTemplateCallback;
  #item: string | undefined;
  #removed = false;

  constructor(
    resources: Resources,
    name: string,
    template: ResourceTemplate,
    config: ResourceConfig,
    callback: ReadResourceTemplateCallback,
  ) {
    checkTemplate(name, template);
    checkCallback(`resource template "${name}"`, callback);
    const { cacheHint, ...metadata } = config;
    checkHint(`resource template "${name}"`, cacheHint);
    this.#resources = resources;
    this.name = name;
    this.resourceTemplate = template;
    this.metadata = metadata;
    this.cacheHint = cacheHint;
    this.#callback = callback;
  }

  get title(): string | undefined {
    return this.metadata.title;
  }

  get listing(): ListResourcesCallback | undefined {
    return this.resourceTemplate.listCallback;
  }

  read(uri: string, variables: Record<string, string | string[]>, context: RequestContext): object | Promise<object> {
    return checked(this.#callback(new URL(uri), variables, context), `Resource template ${this.name}`);
  }

  item(): string {
    const uriTemplate = this.resourceTemplate.uriTemplate.toString();
    this.#item ??= JSON.stringify({ uriTemplate, name: this.name, ...this.metadata });
    return this.#item;
  }

  enable(): void {
    this.update({ enabled: true });
  }
  disable(): void {
    this.update({ enabled: false });
  }
  remove(): void {
    this.update({ name: null });
  }

  update(updates: ResourceTemplateUpdate): void {
    if (this.#removed) return;
    if (updates.name === null) {
      this.#removed = true;
      this.enabled = false;
      this.#resources.dropTemplate(this.name);
    } else {
      const name = updates.name ?? this.name;
      if (updates.template !== undefined) checkTemplate(name, updates.template);
      if (updates.callback !== undefined) checkCallback(`resource template "${name}"`, updates.callback);
      if (name !== this.name) {
        checkName('resource template', name);
        this.#resources.claimTemplate(name);
        this.#resources.moveTemplate(this, name);
      }
      this.name = name;
      this.resourceTemplate = updates.template ?? this.resourceTemplate;
      this.metadata = { ...(updates.metadata ?? this.metadata), ...defined({ title: updates.title }) };
      this.#callback = updates.callback ?? this.#callback;
      this.enabled = updates.enabled ?? this.enabled;
      this.#item = undefined;
    }
    this.#resources.templatesChanged();
  }
}

function checkUri(uri: unknown): asserts uri is string {
  if (typeof uri !== 'string' || !URL.canParse(uri)) {
    throw new TypeError(`A resource needs an absolute URI, not ${JSON.stringify(uri)}`);
  }
}

function checkTemplate(name: string, template: unknown): void {
  if (!(template instanceof ResourceTemplate)) {
    throw new TypeError(`Resource template "${name}" needs a URI string or a ResourceTemplate`);
  }
}

function broken(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InternalError, message);
}

function checked(value: ReadResourceResult | Promise<ReadResourceResult>, what: string): object | Promise<object> {
  return isPromise(value) ? value.then((settled) => contents(settled, what)) : contents(value, what);
}

function contents(result: ReadResourceResult, what: string): object {
  if (typeof result === 'object' && result !== null) {
    // Results of another kind (input_required) are the protocol's business.
    if (typeof result.resultType === 'string' && result.resultType !== 'complete') return result;
    if (Array.isArray(result.contents)) return result;
  }
  throw broken(`${what} returned no contents array`);
}
