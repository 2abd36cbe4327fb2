/**
 * McpServer: what users make, register tools, resources and prompts with, and serve.
 *
 * One object serves every request of every client and engine. It holds no state of any request: that is in the context
 * that each handler is given.
 */
import type { CallToolResult, GetPromptResult, Implementation, ServerCapabilities } from '../protocol/types.js';
import { Attachment } from './attach.js';
import { Catalog } from './catalog.js';
import type { CacheHints } from './hints.js';
import { checkHints } from './hints.js';
import { checkInteger, checkKnown } from './limits.js';
import type { ListenOptions, ServerListener } from './listen.js';
import type { Offer } from './offer.js';
import { Publisher } from './publish.js';
import { ResourceTemplate } from './template.js';
import type {
  AnySchema,
  PromptCallback,
  PromptConfig,
  ReadResourceCallback,
  ReadResourceTemplateCallback,
  RegisteredPrompt,
  RegisteredResource,
  RegisteredResourceTemplate,
  RegisteredTool,
  ResourceConfig,
  ToolCallback,
  ToolConfig,
} from './types.js';

export interface McpServerOptions {
  /** Declared besides those that registrations imply, for instance `{ logging: {} }`. */
  capabilities?: ServerCapabilities;
  /** How to use this server, for the model. */
  instructions?: string;
  /** Entries per page of every list. Default: one page holds all. */
  pageSize?: number;
  /** How long modern clients may reuse a result, by method. Default: not at all. */
  cacheHints?: CacheHints;
}

const OPTIONS = ['capabilities', 'instructions', 'pageSize', 'cacheHints'];
const attachments = new WeakMap<McpServer, Attachment>();

/** For serveStdio and tests: the inner side of a server. */
export function attachmentOf(server: McpServer): Attachment {
  const attachment = attachments.get(server);
  if (attachment === undefined) throw new TypeError('Not a McpServer');
  return attachment;
}

/** For tests and embedding: what a server offers now. */
export function offerOf(server: McpServer): Offer {
  return attachmentOf(server).catalog;
}

export class McpServer {
  readonly #catalog: Catalog;
  readonly #attachment: Attachment;

  /**
   * @param info name and version that clients are shown
   * @throws TypeError for a bad option, RangeError for a bad cache hint
   */
  constructor(info: Implementation, options: McpServerOptions = {}) {
    if (typeof info?.name !== 'string' || info.name === '' || typeof info.version !== 'string') {
      throw new TypeError('A server needs a name and a version: new McpServer({ name, version })');
    }
    checkKnown(options, OPTIONS, 'McpServer');
    const { capabilities = {}, instructions, pageSize, cacheHints = {} } = options;
    if (instructions !== undefined && typeof instructions !== 'string') {
      throw new TypeError('Option instructions must be a string');
    }
    if (pageSize !== undefined) checkInteger('pageSize', pageSize, 1);
    checkHints(cacheHints);
    const publisher = new Publisher();
    this.#catalog = new Catalog({ ...info }, { capabilities, instructions, pageSize, cacheHints }, publisher);
    publisher.watch(this.#catalog);
    this.#attachment = new Attachment(this.#catalog, publisher);
    attachments.set(this, this.#attachment);
  }

  /**
   * Registers a tool. Arguments are validated before the callback runs; arguments that do not fit, and whatever it throws,
   * become a result with `isError: true`, except a `ProtocolError`, which keeps its code.
   * @param config schemas are zod or Standard Schemas, zod raw shapes, or JSON Schema objects
   * @param callback `(args, ctx)`, or `(ctx)` without `inputSchema`
   * @throws Error when the name is taken; TypeError for a bad name, schema or callback
   */
  registerTool<I extends AnySchema | undefined = undefined, O extends AnySchema | undefined = undefined>(
    name: string,
    config: ToolConfig<I, O>,
    callback: ToolCallback<I, O>,
  ): RegisteredTool {
    return this.#catalog.tools.register(
      name,
      config as ToolConfig,
      callback as (...args: unknown[]) => CallToolResult | Promise<CallToolResult>,
    );
  }

  /**
   * Registers a resource under a URI, or all resources that a template matches.
   * @throws Error when the URI (or the template's name) is taken; TypeError for a bad name, URI or callback
   */
  registerResource(
    name: string,
    uri: string,
    config: ResourceConfig,
    callback: ReadResourceCallback,
  ): RegisteredResource;
  registerResource(
    name: string,
    template: ResourceTemplate,
    config: ResourceConfig,
    callback: ReadResourceTemplateCallback,
  ): RegisteredResourceTemplate;
  registerResource(
    name: string,
    where: string | ResourceTemplate,
    config: ResourceConfig,
    callback: ReadResourceCallback | ReadResourceTemplateCallback,
  ): RegisteredResource | RegisteredResourceTemplate {
    const { resources } = this.#catalog;
    return where instanceof ResourceTemplate
      ? resources.registerTemplate(name, where, config, callback as ReadResourceTemplateCallback)
      : resources.register(name, where, config, callback as ReadResourceCallback);
  }

  /**
   * Registers a prompt.
   * @param callback `(args, ctx)`, or `(ctx)` without `argsSchema`
   * @throws Error when the name is taken; TypeError for a bad name, schema or callback
   */
  registerPrompt<A extends AnySchema | undefined = undefined>(
    name: string,
    config: PromptConfig<A>,
    callback: PromptCallback<A>,
  ): RegisteredPrompt {
    return this.#catalog.prompts.register(
      name,
      config as PromptConfig,
      callback as (...args: unknown[]) => GetPromptResult | Promise<GetPromptResult>,
    );
  }

  /**
   * Serves over HTTP. May be called again for another port or engine.
   * @throws TypeError for a bad option; Error when the address is beyond loopback and that was not allowed, the engine
   *   cannot be had, or the port cannot be bound
   */
  async listen(options: ListenOptions = {}): Promise<ServerListener> {
    // Loaded here so that a server on stdio starts without the HTTP side.
    const { listen } = await import('./listen.js');
    return listen(this.#attachment, options);
  }

  /**
   * Closes everything that serves this server, draining it. It can be served again afterwards.
   * @param options.grace milliseconds for running calls, default 5000
   */
  async close(options: { grace?: number } = {}): Promise<void> {
    await Promise.all([...this.#attachment.listeners].map((listener) => listener.close(options)));
  }

  /** Whether anything serves this server now. */
  isConnected(): boolean {
    return this.#attachment.listeners.size > 0;
  }

  /** Makes all changes visible now instead of at the end of this turn. Registrations and handles say so themselves. */
  flush(): void {
    this.#attachment.flush();
  }

  /** Says that the list of tools is another now, for changes that no handle made. */
  sendToolListChanged(): void {
    this.#catalog.touch('tools');
  }
  /** Says that the lists of resources are others now, for instance what a template's list callback gives. */
  sendResourceListChanged(): void {
    this.#catalog.touch('resources');
  }
  /** Says that the list of prompts is another now. */
  sendPromptListChanged(): void {
    this.#catalog.touch('prompts');
  }
}
