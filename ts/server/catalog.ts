/**
 * The offer of one server, made of its tools, resources and prompts: what the protocol and the engines are shown.
 *
 * Lists are put together when something changed and somebody looks, and kept until the next change. A server may be built
 * for a single request, so that nothing here is made before it is needed.
 */
import { LIST_METHODS } from '../protocol/answers.js';
import type { Change, ChangeBus } from '../protocol/changes.js';
import { LocalChanges } from '../protocol/changes.js';
import type { RequestContext } from '../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../protocol/errors.js';
import type { StateSealer, StateSealOptions } from '../protocol/modern/state-seal.js';
import { createStateSealer } from '../protocol/modern/state-seal.js';
import type { TaskFeed } from '../protocol/modern/task-feed.js';
import { mergeCapabilities } from '../protocol/sdk/names.js';
import type { CacheHint, Implementation, ServerCapabilities } from '../protocol/types.js';
import type { Changes } from './handles.js';
import { isPromise } from './handles.js';
import type { CacheHints } from './hints.js';
import { CACHEABLE_METHODS, fullHint } from './hints.js';
import type {
  AccessRule,
  Completion,
  CompletionArgument,
  CompletionReference,
  Handler,
  HandlerMethod,
  InputRequiredOptions,
  ListKind,
  MethodHandler,
  Middleware,
  MirroredParam,
  NotificationSource,
  Offer,
} from './offer.js';
import { Prompts } from './prompts.js';
import { Resources } from './resources.js';
import { Tools } from './tools.js';
import type { CompleteResourceTemplateCallback } from './types.js';

export interface CatalogOptions {
  readonly capabilities: ServerCapabilities | undefined;
  readonly instructions: string | undefined;
  readonly pageSize: number | undefined;
  readonly cacheHints: CacheHints | undefined;
  readonly requestState: StateSealOptions | undefined;
  readonly inputRequired: InputRequiredOptions | undefined;
  readonly changes: ChangeBus | undefined;
  readonly versions: readonly string[] | undefined;
  readonly maxToolInputElements: number | undefined;
  /** Whether a feature that is declared or has entries also declares `listChanged`, as it does on a McpServer. */
  readonly declaresChanges: boolean;
}

/** Handlers by method: the low-level server's. */
export interface MethodSource {
  methodHandler(method: string): MethodHandler | undefined;
  readonly fallback: MethodHandler | undefined;
  notified(method: string, params: Record<string, unknown> | undefined, source: NotificationSource): void;
  /** Told of trouble that belongs to no request. */
  failed(error: Error): void;
}

type Feature = 'tools' | 'resources' | 'prompts';
const FEATURES: readonly Feature[] = ['tools', 'resources', 'prompts'];
/** Most values in an answer of `completion/complete`. */
const MAX_COMPLETIONS = 100;
const NONE: readonly never[] = [];
const KINDS = Object.keys(LIST_METHODS) as ListKind[];
const METHOD_OF = { tools: 'tools/call', prompts: 'prompts/get', resources: 'resources/read' } as const;

export class Catalog implements Offer, Changes {
  readonly info: Implementation;
  readonly instructions: string | undefined;
  readonly pageSize: number | undefined;
  readonly handlers: (Handler | undefined)[] = [];
  /** Set by the tasks extension. */
  tasks: TaskFeed | undefined = undefined;
  readonly #options: CatalogOptions;
  #declared: ServerCapabilities | undefined;
  #tools: Tools | undefined = undefined;
  #resources: Resources | undefined = undefined;
  #prompts: Prompts | undefined = undefined;
  #capabilities: ServerCapabilities | undefined = undefined;
  #lists: Map<ListKind, readonly string[]> | undefined = undefined;
  #bus: ChangeBus | undefined;
  #state: StateSealer | undefined = undefined;
  #middleware: Middleware[] | undefined = undefined;
  #methods: Map<string, MethodHandler> | undefined = undefined;
  #source: MethodSource | undefined = undefined;
  #watcher: Changes | undefined = undefined;
  #pending: Set<Feature> | undefined = undefined;
  #served = false;

  constructor(info: Implementation, options: CatalogOptions) {
    this.info = info;
    this.instructions = options.instructions;
    this.pageSize = options.pageSize;
    this.#options = options;
    this.#declared = options.capabilities;
    this.#bus = options.changes;
  }

  get tools(): Tools {
    this.#tools ??= new Tools(this, this.handlers, this.#options.maxToolInputElements ?? Number.POSITIVE_INFINITY);
    return this.#tools;
  }
  get resources(): Resources {
    this.#resources ??= new Resources(this, this.handlers);
    return this.#resources;
  }
  get prompts(): Prompts {
    this.#prompts ??= new Prompts(this, this.handlers);
    return this.#prompts;
  }

  /** Revisions that this server was told to serve, the preferred one first; undefined: all there are. */
  get versions(): readonly string[] | undefined {
    return this.#options.versions;
  }
  get inputRequired(): InputRequiredOptions | undefined {
    return this.#options.inputRequired;
  }
  get middleware(): readonly Middleware[] {
    return this.#middleware ?? NONE;
  }
  get state(): StateSealer {
    this.#state ??= createStateSealer(this.#options.requestState);
    return this.#state;
  }
  get changes(): ChangeBus {
    this.#bus ??= new LocalChanges();
    return this.#bus;
  }

  // ------------------------------------------------------------------------------------------ what others put here

  use(middleware: Middleware): void {
    this.#middleware ??= [];
    this.#middleware.push(middleware);
  }

  /** What was declared, without what registrations imply. */
  get declared(): ServerCapabilities {
    return this.#declared ?? {};
  }

  /** Declares more capabilities, joined with those there are. */
  declare(capabilities: ServerCapabilities): void {
    this.#declared = mergeCapabilities(this.#declared ?? {}, capabilities);
    this.#capabilities = undefined;
    // A list whose feature was declared exists from now on, even if it is empty.
    for (const kind of KINDS) if (this.#declared[featureOf(kind)] !== undefined) this.#watcher?.listChanged(kind);
  }

  /** @throws Error when an extension has the method already */
  checkMethod(method: string): void {
    if (this.#methods?.has(method)) throw new Error(`Method ${method} is already registered`);
  }

  /** A method of an extension; the low-level server's handlers stand before it. */
  addMethod(method: string, handler: MethodHandler): void {
    this.checkMethod(method);
    this.#methods ??= new Map();
    this.#methods.set(method, handler);
    this.methodChanged(method);
  }

  /** Whose handlers stand before everything else. */
  setSource(source: MethodSource): void {
    this.#source = source;
  }

  /** A method got a handler of its own, or lost it: what engines answer for it must go, or come back. */
  methodChanged(method: string): void {
    const watcher = this.#watcher;
    if (watcher === undefined) return;
    for (const kind of KINDS) if (LIST_METHODS[kind] === method) watcher.listChanged(kind);
    for (const name of this.#shelf(method)?.entries.keys() ?? NONE) watcher.nameChanged(method as HandlerMethod, name);
    // The two that a registry always has are written anew with every list.
    if (method === 'ping' || method === 'server/discover') watcher.listChanged('tools');
  }

  /** Told of every change; set when the first engine registry has to be kept equal. */
  watch(watcher: Changes): void {
    this.#watcher = watcher;
  }

  /** From now on clients may be told about changes. What was registered before concerns nobody. */
  serve(): void {
    this.#served = true;
  }

  // ------------------------------------------------------------------------------------------------- what changed

  nameChanged(method: HandlerMethod, name: string): void {
    this.#watcher?.nameChanged(method, name);
  }

  listChanged(kind: ListKind): void {
    if (!this.#served) return this.#forget(kind);
    this.#forget(kind);
    this.#watcher?.listChanged(kind);
    this.announce(featureOf(kind));
  }

  #forget(kind: ListKind): void {
    this.#lists?.delete(kind);
    this.#capabilities = undefined;
  }

  /** Tells whoever listens, at the end of this turn: what they then look at is what they were told of. */
  announce(feature: Feature): void {
    if (this.#bus === undefined || !this.#served) return;
    if (this.#pending === undefined) {
      this.#pending = new Set();
      queueMicrotask(() => this.#tell());
    }
    this.#pending.add(feature);
  }

  #tell(): void {
    const features = this.#pending ?? NONE;
    this.#pending = undefined;
    for (const feature of features) this.publish({ kind: feature });
  }

  /** Never throws: a bus may be the user's, and what goes wrong in it concerns none of those who are told something. */
  publish(change: Change): void {
    try {
      const sent: unknown = this.changes.publish(change);
      if (isPromise(sent)) sent.then(undefined, (error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const why = error instanceof Error ? error : new Error(String(error));
    if (this.#source !== undefined) this.#source.failed(why);
    else process.emitWarning(`A change could not be published: ${why.message}`, { code: 'THIRDRAIL_CHANGE_BUS' });
  }

  // ---------------------------------------------------------------------------------------------------- the offer

  capabilities(): ServerCapabilities {
    this.#capabilities ??= this.#allCapabilities();
    return this.#capabilities;
  }

  #allCapabilities(): ServerCapabilities {
    const capabilities: ServerCapabilities = { ...this.#declared };
    if (!this.#options.declaresChanges) return capabilities;
    for (const feature of FEATURES) {
      // Ever had one: a capability once shown is not taken back when the last entry goes.
      if (capabilities[feature] === undefined && !this.#has(feature)) continue;
      capabilities[feature] = { listChanged: true, ...capabilities[feature] };
    }
    if (this.#prompts?.completes || this.#resources?.completes) capabilities.completions ??= {};
    return capabilities;
  }

  #has(feature: Feature): boolean {
    if (feature === 'tools') return this.#tools?.used === true;
    if (feature === 'prompts') return this.#prompts?.used === true;
    return this.#resources?.fixed.used === true || this.#resources?.templates.used === true;
  }

  /** Whether a list belongs to a declared capability: only then is its method known. */
  offers(kind: ListKind): boolean {
    return this.capabilities()[featureOf(kind)] !== undefined;
  }

  find(method: HandlerMethod, name: string): number {
    if (method === 'resources/read') return this.#resources?.find(name) ?? -1;
    return this.#shelf(method)?.find(name) ?? -1;
  }

  #shelf(method: string) {
    if (method === 'tools/call') return this.#tools;
    if (method === 'prompts/get') return this.#prompts;
    return method === 'resources/read' ? this.#resources?.fixed : undefined;
  }

  /**
   * The number under which an engine may hand a call straight to its handler, or -1: it must come up as a message when the
   * protocol has more to check (mirrored headers, access rules), or another handler stands before it.
   */
  published(method: HandlerMethod, name: string): number {
    if (this.methodHandler(method) !== undefined) return -1;
    const entry = this.#shelf(method)?.entries.get(name);
    if (entry === undefined || !entry.enabled || entry.access !== undefined) return -1;
    return method === 'tools/call' && this.mirrored(name) !== undefined ? -1 : entry.number;
  }

  /** All names of a method, enabled or not. */
  names(method: HandlerMethod): Iterable<string> {
    return this.#shelf(method)?.entries.keys() ?? NONE;
  }

  matchTemplate(uri: string): { run(context: RequestContext): object | Promise<object> } | undefined {
    return this.#resources?.matchTemplate(uri);
  }

  list(kind: ListKind): readonly string[] {
    let items = this.#lists?.get(kind);
    if (items === undefined) {
      items = this.#items(kind);
      this.#lists ??= new Map();
      this.#lists.set(kind, items);
    }
    return items;
  }

  #items(kind: ListKind): readonly string[] {
    if (kind === 'tools') return this.#tools?.items() ?? NONE;
    if (kind === 'prompts') return this.#prompts?.items() ?? NONE;
    return (kind === 'resources' ? this.#resources?.fixed : this.#resources?.templates)?.items() ?? NONE;
  }

  /** Whether a list can be ready bytes: it is offered, the same for everybody, and nobody else answers it. */
  ready(kind: ListKind): boolean {
    if (!this.offers(kind) || this.dynamic(kind) || this.methodHandler(LIST_METHODS[kind]) !== undefined) return false;
    const shelf = kind === 'resourceTemplates' ? this.#resources?.templates : this.#shelf(METHOD_OF[kind]);
    for (const entry of shelf?.entries.values() ?? NONE) if (entry.access !== undefined) return false;
    return true;
  }

  /** Whether a list depends on the request and cannot be ready bytes. */
  dynamic(kind: ListKind): boolean {
    return kind === 'resources' && this.#resources?.dynamic === true;
  }

  /** Serialised items that come after those of {@link list} for this request; empty unless {@link dynamic}. */
  async dynamicItems(kind: ListKind, context: RequestContext): Promise<readonly string[]> {
    return this.dynamic(kind) ? this.resources.dynamicItems(context) : NONE;
  }

  cacheHint(kind: ListKind | 'discover', uri?: string): CacheHint {
    const hints = this.#options.cacheHints;
    if (uri !== undefined) return fullHint(this.#resources?.behind(uri)?.cacheHint, hints?.['resources/read']);
    return fullHint(undefined, hints?.[CACHEABLE_METHODS[kind]]);
  }

  methodHandler(method: string): MethodHandler | undefined {
    return this.#source?.methodHandler(method) ?? this.#methods?.get(method);
  }

  get fallback(): MethodHandler | undefined {
    return this.#source?.fallback;
  }

  notified(method: string, params: Record<string, unknown> | undefined, source: NotificationSource): void {
    this.#source?.notified(method, params, source);
  }

  mirrored(tool: string): readonly MirroredParam[] | undefined {
    return this.#tools?.mirrored(tool);
  }

  /** Whether any entry has an access rule. */
  get guarded(): boolean {
    const shelves = [this.#tools, this.#prompts, this.#resources?.fixed, this.#resources?.templates];
    for (const shelf of shelves)
      for (const entry of shelf?.entries.values() ?? NONE) if (entry.access !== undefined) return true;
    return false;
  }

  access(method: string, name: string): AccessRule | undefined {
    if (method === 'resources/read') return this.#resources?.behind(name)?.access;
    return this.#shelf(method)?.entries.get(name)?.access;
  }

  async complete(
    ref: CompletionReference,
    argument: CompletionArgument,
    known: Record<string, string> | undefined,
  ): Promise<Completion> {
    const complete = this.#completer(ref, argument.name);
    if (complete === undefined) return { values: [], hasMore: false };
    const found = await complete(argument.value, known === undefined ? undefined : { arguments: known });
    if (!Array.isArray(found)) {
      throw new ProtocolError(ProtocolErrorCode.InternalError, `The completion of ${argument.name} gave no array`);
    }
    const values = found.slice(0, MAX_COMPLETIONS).map(String);
    return { values, total: found.length, hasMore: found.length > MAX_COMPLETIONS };
  }

  #completer(ref: CompletionReference, argument: string): CompleteResourceTemplateCallback | undefined {
    if (ref.type === 'ref/prompt') {
      const prompt = this.#prompts?.entries.get(ref.name);
      if (!prompt?.enabled) throw unknown(`Unknown prompt: ${ref.name}`);
      return prompt.completer(argument) as CompleteResourceTemplateCallback | undefined;
    }
    const template = this.#resources?.template(ref.uri);
    if (template === undefined) throw unknown(`Unknown resource template: ${ref.uri}`);
    return template?.completeCallback(argument);
  }
}

function featureOf(kind: ListKind): Feature {
  return kind === 'resourceTemplates' ? 'resources' : kind;
}

function unknown(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
