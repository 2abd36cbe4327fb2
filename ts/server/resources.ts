/**
 * Fixed resources and resource templates: registration, what the two lists say, and reading.
 *
 * A fixed resource is a handler of its own; templates are tried in registration order for URIs that no fixed resource has.
 */
import type { RequestContext } from '../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../protocol/errors.js';
import type { CacheHint, ReadResourceResult } from '../protocol/types.js';
import { accessOf } from './access.js';
import type { Changes } from './handles.js';
import { checkCallback, checkName, Entry, isPromise, Shelf } from './handles.js';
import { checkHint } from './hints.js';
import type { AccessRule, Handler } from './offer.js';
import { ResourceTemplate } from './template.js';
import type {
  AccessConfig,
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

interface Match {
  run(context: RequestContext): object | Promise<object>;
}

export class Resources {
  readonly fixed: Shelf<ResourceEntry>;
  readonly templates: Shelf<TemplateEntry>;

  constructor(changes: Changes, handlers: (Handler | undefined)[]) {
    this.fixed = new Shelf<ResourceEntry>('Resource', 'resources', 'resources/read', changes, handlers);
    // A template with a list callback has a part in the list of resources, too.
    const both: Changes = {
      nameChanged: (method, name) => changes.nameChanged(method, name),
      listChanged: (kind) => {
        changes.listChanged(kind);
        changes.listChanged('resources');
      },
    };
    this.templates = new Shelf<TemplateEntry>('Resource template', 'resourceTemplates', undefined, both, handlers);
  }

  register(name: string, uri: string, config: ResourceConfig, callback: ReadResourceCallback): RegisteredResource {
    checkName('resource', name);
    checkUri(uri);
    this.fixed.claim(uri);
    checkCallback('resource', name, callback);
    const entry = new ResourceEntry(this.fixed, name, uri, config, callback);
    this.fixed.add(entry, entry);
    return entry;
  }

  registerTemplate(
    name: string,
    template: ResourceTemplate,
    config: ResourceConfig,
    callback: ReadResourceTemplateCallback,
  ): RegisteredResourceTemplate {
    checkName('resource template', name);
    checkTemplate(name, template);
    this.templates.claim(name);
    checkCallback('resource template', name, callback);
    const entry = new TemplateEntry(this.templates, name, template, config, callback);
    this.templates.add(entry, undefined);
    return entry;
  }

  /** Handler number for a URI: as registered, else as the URL standard writes it. */
  find(uri: string): number {
    const number = this.fixed.find(uri);
    if (number !== -1 || !URL.canParse(uri)) return number;
    return this.fixed.find(new URL(uri).href);
  }

  matchTemplate(uri: string): Match | undefined {
    if (!URL.canParse(uri)) return undefined;
    for (const entry of this.templates.entries.values()) {
      const variables = entry.enabled ? entry.resourceTemplate.uriTemplate.match(uri) : null;
      if (variables !== null) return { run: (context) => entry.read(uri, variables, context) };
    }
    return undefined;
  }

  /** Whether `resources/list` depends on the request: some template has a list callback. */
  get dynamic(): boolean {
    for (const entry of this.templates.entries.values()) {
      if (entry.enabled && entry.listing !== undefined) return true;
    }
    return false;
  }

  /** Whether any variable of any template can be completed. */
  get completes(): boolean {
    for (const { resourceTemplate } of this.templates.entries.values()) {
      const names = resourceTemplate.uriTemplate.variableNames;
      if (names.some((name) => resourceTemplate.completeCallback(name) !== undefined)) return true;
    }
    return false;
  }

  /** JSON texts of what the templates list for this request; one after the other, in registration order. */
  async dynamicItems(context: RequestContext): Promise<string[]> {
    const items: string[] = [];
    for (const entry of [...this.templates.entries.values()]) {
      if (!entry.enabled || entry.listing === undefined) continue;
      const result = await entry.listing(context);
      if (!Array.isArray(result?.resources)) {
        throw broken(`The list callback of resource template ${entry.name} returned no resources array`);
      }
      for (const resource of result.resources) items.push(JSON.stringify({ ...entry.metadata, ...resource }));
    }
    return items;
  }

  /** What is registered for a URI: a fixed resource, else the template that matches, for its hint and access rule. */
  behind(uri: string): Pick<ResourceEntry, 'cacheHint' | 'access'> | undefined {
    const { entries } = this.fixed;
    const fixed = entries.get(uri) ?? (URL.canParse(uri) ? entries.get(new URL(uri).href) : undefined);
    if (fixed !== undefined) return fixed;
    for (const entry of this.templates.entries.values()) {
      const { uriTemplate } = entry.resourceTemplate;
      // Lists and completion name a template by its text, which not every template matches.
      if (entry.enabled && (uriTemplate.toString() === uri || uriTemplate.match(uri) !== null)) return entry;
    }
    return undefined;
  }

  /** The template with this text, as completion refers to it; null for a fixed resource, which has no variables. */
  template(text: string): ResourceTemplate | null | undefined {
    for (const { enabled, resourceTemplate } of this.templates.entries.values()) {
      if (enabled && resourceTemplate.uriTemplate.toString() === text) return resourceTemplate;
    }
    return this.fixed.entries.has(text) ? null : undefined;
  }
}

/** What a resource or template is besides its name and where it is. */
abstract class Readable<
  Update extends { enabled?: boolean; title?: string; metadata?: ResourceMetadata },
> extends Entry<Update> {
  #metadata: ResourceMetadata;
  readonly cacheHint: CacheHint | undefined;
  readonly access: AccessRule | undefined;

  constructor(shelf: Shelf<Entry<never>>, key: string, what: string, name: string, config: ResourceConfig) {
    super(shelf, key);
    const { cacheHint, scopes, canAccess, scopeChallenge, ...metadata } = config;
    checkHint(`${what} "${name}"`, cacheHint);
    this.#metadata = metadata;
    this.cacheHint = cacheHint;
    this.access = accessOf({ scopes, canAccess, scopeChallenge } as AccessConfig, what, name);
  }

  get title(): string | undefined {
    return this.#metadata.title;
  }
  set title(title: string | undefined) {
    this.metadata = { ...this.#metadata, title };
  }
  get metadata(): ResourceMetadata {
    return this.#metadata;
  }
  set metadata(metadata: ResourceMetadata) {
    this.#metadata = { ...metadata };
    this.touched();
  }

  protected revise({ title, metadata }: Update): void {
    this.#metadata = { ...(metadata ?? this.#metadata), ...(title === undefined ? undefined : { title }) };
  }
}

/** One fixed resource: the user's handle and the dispatcher's handler in one object. */
class ResourceEntry extends Readable<ResourceUpdate> implements RegisteredResource, Handler {
  readonly method = 'resources/read';
  #name: string;
  #callback: ReadResourceCallback;

  constructor(
    shelf: Shelf<ResourceEntry>,
    name: string,
    uri: string,
    config: ResourceConfig,
    callback: ReadResourceCallback,
  ) {
    super(shelf as never, uri, 'resource', name, config);
    this.#name = name;
    this.#callback = callback;
  }

  get uri(): string {
    return this.key;
  }
  get name(): string {
    return this.#name;
  }
  set name(name: string) {
    this.update({ name });
  }
  get readCallback(): ReadResourceCallback {
    return this.#callback;
  }
  set readCallback(callback: ReadResourceCallback) {
    this.update({ callback });
  }

  run(_args: unknown, context: RequestContext): object | Promise<object> {
    // A fresh URL for each read: it is mutable, and belongs to the handler.
    return checked(this.#callback(new URL(this.key), context), `Resource ${this.#name}`);
  }

  protected describe(): string {
    return JSON.stringify({ uri: this.key, name: this.#name, ...this.metadata });
  }

  protected keyIn(updates: ResourceUpdate): string | null | undefined {
    return updates.uri;
  }

  protected checkKey(uri: string): void {
    checkUri(uri);
  }

  protected plan(updates: ResourceUpdate): () => void {
    const { name, callback } = updates;
    if (name !== undefined) checkName('resource', name);
    if (callback !== undefined) checkCallback('resource', this.#name, callback);
    return () => {
      this.#name = name ?? this.#name;
      this.#callback = callback ?? this.#callback;
      this.revise(updates);
    };
  }
}

class TemplateEntry extends Readable<ResourceTemplateUpdate> implements RegisteredResourceTemplate {
  #template: ResourceTemplate;
  #callback: ReadResourceTemplateCallback;

  constructor(
    shelf: Shelf<TemplateEntry>,
    name: string,
    template: ResourceTemplate,
    config: ResourceConfig,
    callback: ReadResourceTemplateCallback,
  ) {
    super(shelf as never, name, 'resource template', name, config);
    this.#template = template;
    this.#callback = callback;
  }

  get name(): string {
    return this.key;
  }
  get resourceTemplate(): ResourceTemplate {
    return this.#template;
  }
  set resourceTemplate(template: ResourceTemplate) {
    this.update({ template });
  }
  get readCallback(): ReadResourceTemplateCallback {
    return this.#callback;
  }
  set readCallback(callback: ReadResourceTemplateCallback) {
    this.update({ callback });
  }
  get listing(): ListResourcesCallback | undefined {
    return this.#template.listCallback;
  }

  read(uri: string, variables: Record<string, string | string[]>, context: RequestContext): object | Promise<object> {
    return checked(this.#callback(new URL(uri), variables, context), `Resource template ${this.key}`);
  }

  protected describe(): string {
    return JSON.stringify({
      uriTemplate: this.#template.uriTemplate.toString(),
      name: this.key,
      ...this.metadata,
    });
  }

  protected keyIn(updates: ResourceTemplateUpdate): string | null | undefined {
    return updates.name;
  }

  protected checkKey(name: string): void {
    checkName('resource template', name);
  }

  protected plan(updates: ResourceTemplateUpdate): () => void {
    const { template, callback } = updates;
    if (template !== undefined) checkTemplate(this.key, template);
    if (callback !== undefined) checkCallback('resource template', this.key, callback);
    return () => {
      this.#template = template ?? this.#template;
      this.#callback = callback ?? this.#callback;
      this.revise(updates);
    };
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

function checked(value: unknown, what: string): object | Promise<object> {
  return isPromise(value) ? value.then((settled) => contents(settled, what)) : contents(value, what);
}

function contents(value: unknown, what: string): object {
  const result = value as ReadResourceResult | null;
  if (typeof result === 'object' && result !== null) {
    // Results of another kind (input_required) are the protocol's business.
    if (typeof result.resultType === 'string' && result.resultType !== 'complete') return result;
    if (Array.isArray(result.contents)) return result;
  }
  throw broken(`${what} returned no contents array`);
}
