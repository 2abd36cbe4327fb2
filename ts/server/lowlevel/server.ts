/**
 * The low-level server: handlers by method, and the client of a server that has just one.
 *
 * `McpServer.server` is one of these over what is registered there; a method's handler that is set here stands before
 * whatever is registered. Made alone it offers what its handlers answer.
 */
import type { RequestContext } from '../../protocol/context.js';
import { conversationFault } from '../../protocol/conversation.js';
import { ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import { type FormSchema, formFault } from '../../protocol/form.js';
import type { Members } from '../../protocol/incoming.js';
import { logToSessions } from '../../protocol/legacy/changes.js';
import { MODERN_VERSIONS, SUPPORTED_PROTOCOL_VERSIONS, severity } from '../../protocol/revisions.js';
import { SdkError, SdkErrorCode } from '../../protocol/sdk/errors.js';
import type {
  CallToolResult,
  ClientCapabilities,
  CreateMessageRequestParams,
  CreateMessageRequestParamsBase,
  CreateMessageRequestParamsWithTools,
  CreateMessageResult,
  CreateMessageResultWithTools,
  ElicitRequestFormParams,
  ElicitRequestURLParams,
  ElicitResult,
  EmptyResult,
  Implementation,
  JSONRPCRequest,
  ListRootsRequest,
  ListRootsResult,
  LoggingMessageNotificationParams,
  ResourceUpdatedNotificationParams,
  Result,
  ServerCapabilities,
} from '../../protocol/types.js';
import { Attachment, addReader, type Client } from '../attach.js';
import type { MethodSource } from '../catalog.js';
import type { MethodHandler, NotificationSource } from '../offer.js';
import { catalogOf, type ServerOptions } from '../options.js';
import { withText } from '../tools.js';
import type { Transport } from '../transports/transport.js';
import { builtInHandler } from './builtin.js';
import { checkAnswers, checkAsks, checkTells, lacking } from './capabilities.js';
import { Connection } from './connect.js';
import { type NotificationOptions, notConnected, Protocol, type RequestOptions, withoutProtocol } from './protocol.js';
import { finished } from './results.js';

/** The official SDK's names for what a McpServer answers by itself. */
const BUILT_IN = new Set(['initialize', 'ping', 'server/discover']);
const LISTS = /^notifications\/(tools|prompts|resources)\/list_changed$/;

export class Server extends Protocol<RequestContext> {
  readonly #attachment: Attachment;

  /** Called when a client has finished its handshake (legacy). */
  oninitialized?: () => void;

  static {
    addReader((server) => (#attachment in server ? server.#attachment : undefined));
  }

  /**
   * @param inner for McpServer, whose low-level side this is
   * @throws TypeError for a bad option, RangeError for a bad cache hint
   */
  constructor(info: Implementation, options: ServerOptions = {}, inner?: Attachment) {
    super(options);
    this.#attachment = inner ?? new Attachment(catalogOf(info, options, false));
    this.#attachment.catalog.setSource(this.#source());
    this.#attachment.watcher = {
      ended: () => this.guarded(() => this.onclose?.()),
      failed: (error) => this.report(error),
    };
  }

  /** What the protocol is shown of the handlers. */
  #source(): MethodSource {
    const server = this;
    return {
      methodHandler: (method) => this.#methodHandler(method),
      get fallback() {
        return server.#fallback();
      },
      notified: (method, params, source) => this.#notified(method, params, source),
      failed: (error) => this.report(error),
    };
  }

  #methodHandler(method: string): MethodHandler | undefined {
    const handler = this._getRequestHandler(method);
    return handler === undefined ? undefined : { run: (params, ctx) => this.#run(handler, method, params, ctx) };
  }

  protected override builtIn(method: string): ReturnType<typeof builtInHandler> {
    return builtInHandler(this.#attachment.catalog, method);
  }

  #fallback(): MethodHandler | undefined {
    const handler = this.fallbackRequestHandler;
    return handler === undefined ? undefined : { run: (params, ctx) => this.#run(handler, ctx.method, params, ctx) };
  }

  async #run(
    handler: (request: JSONRPCRequest, ctx: RequestContext) => Promise<Result>,
    method: string,
    params: Members | undefined,
    ctx: RequestContext,
  ): Promise<object> {
    const cleaned = withoutProtocol(params);
    const request = { jsonrpc: '2.0', id: ctx.requestId, method, ...(cleaned && { params: cleaned }) };
    const result = await handler(request as JSONRPCRequest, ctx);
    return finished(method, params, result, ctx, this.#attachment.catalog);
  }

  #notified(method: string, params: Members | undefined, _source: NotificationSource): void {
    if (method === 'notifications/initialized') this.guarded(() => this.oninitialized?.());
    this.receiveNotification(method, params);
  }

  // -------------------------------------------------------------------------------------------------- connections

  get transport(): Transport | undefined {
    return this.#attachment.client?.transport;
  }

  protected override get reachable(): boolean {
    return this.#attachment.served;
  }

  /**
   * Serves the client at the other end of a transport, which is started here.
   * @throws SdkError when there is a client already: `close` first, or use one server for each
   */
  async connect(transport: Transport): Promise<void> {
    const attachment = this.#attachment;
    if (attachment.client !== undefined) {
      throw new SdkError(
        SdkErrorCode.AlreadyConnected,
        'Use a separate Server instance per connection: this instance is already connected to a transport. ' +
          'To connect it to a new transport, call close() first.',
      );
    }
    const receiver = attachment.receiver();
    const connection = new Connection(transport, {
      receiver,
      session: (listener) => receiver.sessions.pipe(listener),
      ended: () => attachment.release(connection, connection.listener),
      failed: (error) => this.report(error),
    });
    attachment.take(connection);
    await connection.open(this.options.supportedProtocolVersions ?? SUPPORTED_PROTOCOL_VERSIONS);
  }

  /** Ends every connection, and whatever else serves this server. */
  async close(): Promise<void> {
    await this.#attachment.close();
  }

  /** Of the handshake, or of the last request (modern); undefined while there is not exactly one client. */
  getClientCapabilities(): ClientCapabilities | undefined {
    return this.#attachment.client?.capabilities;
  }
  getClientVersion(): Implementation | undefined {
    return this.#attachment.client?.info;
  }
  getNegotiatedProtocolVersion(): string | undefined {
    return this.#attachment.client?.version;
  }

  // ------------------------------------------------------------------------------------------------- capabilities

  /** All that are declared now, those that registrations imply among them. */
  getCapabilities(): ServerCapabilities {
    return { ...this.#attachment.catalog.capabilities() };
  }

  /** Declares more. @throws SdkError after `connect` */
  registerCapabilities(capabilities: ServerCapabilities): void {
    if (this.transport !== undefined) {
      const why = 'Cannot register capabilities after connecting to transport';
      throw new SdkError(SdkErrorCode.AlreadyConnected, why);
    }
    this.#attachment.catalog.declare(capabilities);
  }

  protected assertRequestHandlerCapability(method: string): void {
    checkAnswers(method, this.#attachment.catalog.capabilities());
  }
  protected assertNotificationCapability(method: string): void {
    checkTells(method, this.#attachment.catalog.capabilities(), this.getClientCapabilities());
  }
  protected assertCapabilityForMethod(method: string): void {
    checkAsks(method, this.getClientCapabilities());
  }

  override assertCanSetRequestHandler(method: string): void {
    super.assertCanSetRequestHandler(method);
    if (BUILT_IN.has(method)) {
      throw new Error(`A request handler for ${method} already exists, which would be overridden`);
    }
  }

  protected override handlerChanged(method: string): void {
    this.#attachment.catalog.methodChanged(method);
  }

  /** A tool result as clients of every age can read it: structured content also as text when there is none. */
  projectCallToolResult(result: CallToolResult, _advertised?: Readonly<Record<string, unknown>>): CallToolResult {
    return result.structuredContent === undefined ? result : (withText(result) as CallToolResult);
  }

  // ------------------------------------------------------------------------------------------- asking the client

  /** @throws SdkError when the client speaks the modern era, in which a server cannot ask */
  #client(method: string): Client {
    const client = this.#attachment.client;
    if (client === undefined) throw notConnected();
    if (!this.#legacy) {
      throw new SdkError(
        SdkErrorCode.MethodNotSupportedByProtocolVersion,
        `Server-to-client requests are not available on this protocol revision: '${method}' cannot be sent. ` +
          'Use ctx.elicit, ctx.sample or ctx.listRoots, or return inputRequired(...), which work in both eras.',
        { method, era: client.version ?? MODERN_VERSIONS[0] },
      );
    }
    return client;
  }

  /** Whether the one client speaks the legacy era. On a pipe only a handshake tells. */
  get #legacy(): boolean {
    const client = this.#attachment.client;
    if (client === undefined) return false;
    if (client.session !== undefined) return true;
    return client.transport !== undefined && !MODERN_VERSIONS.includes(client.version ?? '');
  }

  protected async sendRequest(
    method: string,
    params: Members | undefined,
    options: RequestOptions,
  ): Promise<Record<string, unknown>> {
    const client = this.#client(method);
    if (client.peer === undefined) throw notConnected();
    return client.peer.request(method, params, client.via(options.relatedRequestId), options);
  }

  /** Asks whether the client is there. */
  async ping(): Promise<EmptyResult> {
    return this.request({ method: 'ping' });
  }

  /** Asks the client's model. */
  createMessage(params: CreateMessageRequestParamsBase, options?: RequestOptions): Promise<CreateMessageResult>;
  createMessage(
    params: CreateMessageRequestParamsWithTools,
    options?: RequestOptions,
  ): Promise<CreateMessageResultWithTools>;
  createMessage(
    params: CreateMessageRequestParams,
    options?: RequestOptions,
  ): Promise<CreateMessageResult | CreateMessageResultWithTools>;
  async createMessage(
    params: CreateMessageRequestParams,
    options?: RequestOptions,
  ): Promise<CreateMessageResult | CreateMessageResultWithTools> {
    const { capabilities } = this.#client('sampling/createMessage');
    if ((params.tools || params.toolChoice) && capabilities?.sampling?.tools === undefined) {
      throw lacking('Client does not support sampling tools capability.');
    }
    const fault = conversationFault(params.messages);
    if (fault !== undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, fault);
    return this.request({ method: 'sampling/createMessage', params }, options);
  }

  /**
   * Asks the user, through a form or a URL.
   * @throws SdkError when the client did not declare the mode; ProtocolError -32602 when the answer does not fit the form
   */
  async elicitInput(
    params: ElicitRequestFormParams | ElicitRequestURLParams,
    options?: RequestOptions,
  ): Promise<ElicitResult> {
    const { capabilities } = this.#client('elicitation/create');
    const elicitation = capabilities?.elicitation;
    if (params.mode === 'url') {
      if (elicitation?.url === undefined) throw lacking('Client does not support url elicitation.');
      return this.request({ method: 'elicitation/create', params }, options);
    }
    // An object without modes means form mode, for clients from before there were any.
    const form = elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
    if (!form) throw lacking('Client does not support form elicitation.');
    const asked = { ...params, mode: 'form' as const } as ElicitRequestFormParams;
    const result = await this.request({ method: 'elicitation/create', params: asked }, options);
    if (result.action !== 'accept' || result.content === undefined) return result;
    const fault = formFault(asked.requestedSchema as unknown as FormSchema, result.content as Members);
    if (fault === undefined) return result;
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `Elicitation response content does not match requested schema: ${fault}`,
    );
  }

  /** A function that tells the client that an elicitation by URL is complete. */
  createElicitationCompletionNotifier(elicitationId: string, options?: NotificationOptions): () => Promise<void> {
    if (this.getClientCapabilities()?.elicitation?.url === undefined) {
      throw lacking('Client does not support URL elicitation (required for notifications/elicitation/complete)');
    }
    return () =>
      this.notification({ method: 'notifications/elicitation/complete', params: { elicitationId } }, options);
  }

  async listRoots(params?: ListRootsRequest['params'], options?: RequestOptions): Promise<ListRootsResult> {
    return this.request({ method: 'roots/list', params }, options);
  }

  // ----------------------------------------------------------------------------------------- telling the client(s)

  protected async sendNotification(
    method: string,
    params: object | undefined,
    { relatedRequestId }: NotificationOptions,
  ): Promise<void> {
    const { catalog, client } = this.#attachment;
    const list = LISTS.exec(method)?.[1] as 'tools' | 'prompts' | 'resources' | undefined;
    // Who wants to know of changes is known to sessions and subscriptions; a client without either is told itself.
    const itself = this.#legacy && client?.session === undefined;
    // A handler of one's own for `resources/subscribe` alone knows who subscribed.
    const own = this.#legacy && this._getRequestHandler('resources/subscribe') !== undefined;
    if (list !== undefined && !itself) catalog.announce(list);
    else if (method === 'notifications/resources/updated' && !itself && !own) {
      catalog.publish({ kind: 'resource', uri: (params as ResourceUpdatedNotificationParams).uri });
    } else if (client === undefined) throw notConnected();
    else await client.notify(method, params, relatedRequestId);
  }

  /**
   * Sends a log message that belongs to no request to legacy clients, each from the level that it set. Nothing is sent
   * unless `logging` is declared.
   * @param sessionId the one session to tell; default: all
   */
  async sendLoggingMessage(params: LoggingMessageNotificationParams, sessionId?: string): Promise<void> {
    const { catalog, client } = this.#attachment;
    if (catalog.capabilities().logging === undefined) return;
    if (client === undefined) {
      for (const { sessions } of this.#attachment.dispatches) logToSessions(catalog, sessions, params, sessionId);
      return;
    }
    if (!this.#legacy) return;
    if (severity(params.level) < severity(client.session?.logLevel ?? 'debug')) return;
    await this.notification({ method: 'notifications/message', params });
  }

  /** Says that a resource changed, to those who subscribed to it. */
  async sendResourceUpdated(params: ResourceUpdatedNotificationParams): Promise<void> {
    await this.notification({ method: 'notifications/resources/updated', params });
  }
  async sendResourceListChanged(): Promise<void> {
    await this.notification({ method: 'notifications/resources/list_changed' });
  }
  async sendToolListChanged(): Promise<void> {
    await this.notification({ method: 'notifications/tools/list_changed' });
  }
  async sendPromptListChanged(): Promise<void> {
    await this.notification({ method: 'notifications/prompts/list_changed' });
  }
}
