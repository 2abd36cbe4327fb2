/**
 * McpServer: what users make, register tools, resources and prompts with, and serve.
 *
 * One object serves every request of every client and engine. It holds no state of any request: that is in the context
 * that each handler is given. It is also made for a single request by whoever prefers that, so that making it and
 * registering on it does as little as can be: what a registration means is worked out when it is first asked for.
 */
import type { RequestContext } from '../protocol/context.js';
import type {
  CallToolResult,
  GetPromptResult,
  Implementation,
  JSONObject,
  LoggingMessageNotificationParams,
} from '../protocol/types.js';
import { Attachment, addReader } from './attach.js';
import type { Catalog } from './catalog.js';
import type { ListenOptions, ServerListener } from './listen.js';
import { Server } from './lowlevel/server.js';
import type { Middleware } from './offer.js';
import { catalogOf, type McpServerOptions } from './options.js';
import { ResourceTemplate } from './template.js';
import type { Transport } from './transports/transport.js';
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

export { attachmentOf, offerOf } from './attach.js';
export type { McpServerOptions } from './options.js';

/** A method of an extension: gets the params as they came, undefined when absent, and gives the result object. */
export type ExtensionMethod = (
  params: Record<string, unknown> | undefined,
  ctx: RequestContext,
) => object | Promise<object>;

export class McpServer {
  readonly #catalog: Catalog;
  readonly #attachment: Attachment;
  readonly #options: McpServerOptions | undefined;
  #server: Server | undefined = undefined;

  static {
    addReader((server) => (#attachment in server ? server.#attachment : undefined));
  }

  /**
   * @param info name and version that clients are shown
   * @throws TypeError for a bad option, RangeError for a bad cache hint
   */
  constructor(info: Implementation, options?: McpServerOptions) {
    this.#options = options;
    this.#catalog = catalogOf(info, options, true);
    this.#attachment = new Attachment(this.#catalog);
  }

  /** The low-level side: handlers by method, which stand before what is registered here, and the client itself. */
  get server(): Server {
    this.#server ??= new Server(this.#catalog.info, this.#options, this.#attachment);
    return this.#server;
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
   * Declares an extension under `capabilities.extensions` and answers its methods.
   * @param id such as `com.example/search`; @param settings what clients are told of it, any JSON object
   * @throws TypeError for an id without a prefix; Error for a method that is registered already
   */
  registerExtension(
    id: string,
    settings: JSONObject = {},
    methods: Readonly<Record<string, ExtensionMethod>> = {},
  ): void {
    if (typeof id !== 'string' || !/^[A-Za-z0-9.-]+\/[A-Za-z0-9._-]+$/.test(id)) {
      throw new TypeError(`An extension needs an id such as com.example/name, not ${JSON.stringify(id)}`);
    }
    const entries = Object.entries(methods);
    for (const [method, run] of entries) {
      if (typeof run !== 'function') throw new TypeError(`Method ${method} of extension ${id} must be a function`);
      this.#catalog.checkMethod(method);
    }
    for (const [method, run] of entries) this.#catalog.addMethod(method, { run });
    const { extensions } = this.#catalog.declared;
    this.#catalog.declare({ extensions: { ...extensions, [id]: settings } });
  }

  /**
   * Runs around every call of a tool, prompt or resource, in the order of registration: it may look at the context, put
   * values there, change the result, or answer without calling `next`.
   * @throws TypeError unless it is a function
   */
  use(middleware: Middleware): this {
    if (typeof middleware !== 'function')
      throw new TypeError('use needs a function: server.use((ctx, next) => next())');
    this.#catalog.use(middleware);
    return this;
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
   * Serves the client at the other end of a transport, which is started here.
   * @throws SdkError when a client is connected already
   */
  connect(transport: Transport): Promise<void> {
    return this.server.connect(transport);
  }

  /**
   * Closes everything that serves this server, draining it. It can be served again afterwards.
   * @param options.grace milliseconds for running calls, default 5000; a connected transport is closed at once without it
   */
  async close(options: { grace?: number } = {}): Promise<void> {
    await this.#attachment.close(options);
  }

  /** Whether anything serves this server now. */
  isConnected(): boolean {
    return this.#attachment.served;
  }

  /** Makes all changes visible now instead of at the end of this turn. Registrations and handles say so themselves. */
  flush(): void {
    this.#attachment.flush();
  }

  /**
   * Sends a log message that belongs to no request to legacy clients; needs the capability `logging`.
   * @param sessionId the one session to tell; default: all
   */
  async sendLoggingMessage(params: LoggingMessageNotificationParams, sessionId?: string): Promise<void> {
    await this.server.sendLoggingMessage(params, sessionId);
  }

  /** Says that the list of tools is another now, for changes that no handle made. */
  sendToolListChanged(): void {
    this.#catalog.listChanged('tools');
  }
  /** Says that the lists of resources are others now, for instance what a template's list callback gives. */
  sendResourceListChanged(): void {
    this.#catalog.listChanged('resources');
  }
  /** Says that the list of prompts is another now. */
  sendPromptListChanged(): void {
    this.#catalog.listChanged('prompts');
  }
  /** Says that the content of a resource is another now, to those who subscribed to it. */
  sendResourceUpdated(params: { uri: string }): void {
    this.#catalog.publish({ kind: 'resource', uri: params.uri });
  }

  /** The JSON Schema of an enabled tool's input as it is listed; undefined when there is no such tool. */
  toolInputSchemaJson(name: string): Readonly<Record<string, unknown>> | undefined {
    const tool = this.#catalog.tools.entries.get(name);
    return tool?.enabled ? tool.inputSchemaJson : undefined;
  }
}
