/**
 * The public surface of thirdrail. Lists names, holds no code.
 */
export type { EngineName } from './engine/engine.js';
export type { EngineChoice } from './engine/index.js';
export type { AskSettings, ElicitParams } from './protocol/asking.js';
export { type Change, type ChangeBus, LocalChanges } from './protocol/changes.js';
export type { HttpInfo, RequestContext, RequestContext as ServerContext } from './protocol/context.js';
export {
  HeaderMismatchError,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  UnsupportedProtocolVersionError,
  UrlElicitationRequiredError,
} from './protocol/errors.js';
export { MemoryEventStore, type MemoryEventStoreOptions } from './protocol/events/memory.js';
export type { EventId, EventStore, StreamId } from './protocol/events/store.js';
export { InputRequiredSignal } from './protocol/modern/rounds.js';
export type { StateSealOptions } from './protocol/modern/state-seal.js';
export { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from './protocol/revisions.js';
export { OAuthError, OAuthErrorCode, SdkError, SdkErrorCode } from './protocol/sdk/errors.js';
export {
  createRequestStateCodec,
  type RequestStateCodec,
  type RequestStateCodecOptions,
} from './protocol/sdk/request-state.js';
export {
  acceptedContent,
  type InputRequiredSpec,
  type InputResponseView,
  inputRequired,
  inputResponse,
} from './protocol/sdk/round-trip.js';
export { requireScopes, type ScopeChallenge, type ScopeChallengeHandler } from './protocol/sdk/scopes.js';
export type { Pieces, ReadResourceInPieces } from './protocol/streamed.js';
export type { TraceContext } from './protocol/trace.js';
export type * from './protocol/types.js';
export { type FetchHandler, fetchHandler } from './server/adapters/fetch.js';
export {
  createMcpHandler,
  type McpHttpHandler,
  type McpRequestContext,
  type McpServerFactory,
} from './server/adapters/handler.js';
export type { CreateMcpHandlerOptions } from './server/adapters/options.js';
export type { McpHandlerRequestOptions } from './server/adapters/webface.js';
export {
  APPS_EXTENSION,
  type AppCsp,
  type AppResourceConfig,
  type AppResourceMeta,
  type AppToolConfig,
  type AppToolMeta,
  appsCapability,
  RESOURCE_MIME_TYPE,
  registerAppResource,
  registerAppTool,
} from './server/apps.js';
export { InvalidTokenError } from './server/auth/errors.js';
export type {
  AuthOptions,
  IntrospectionOptions,
  JwtOptions,
  StaticToken,
  TokenVerifier,
} from './server/auth/options.js';
export type { TlsOptions } from './server/certificate.js';
export { type CompletableSchema, type CompleteCallback, completable, isCompletable } from './server/completable.js';
export type { CorsOptions } from './server/cors.js';
export { fromJsonSchema } from './server/from-json-schema.js';
export type { CacheableMethod, CacheHints } from './server/hints.js';
export {
  type CallLimits,
  DEFAULT_CALL_LIMITS,
  DEFAULT_LIMITS,
  type Limits,
} from './server/limits.js';
export type { ListenerStats, ListenOptions, ServerListener } from './server/listen.js';
export { Server } from './server/lowlevel/server.js';
export { type ExtensionMethod, McpServer } from './server/mcp.js';
export type { Middleware } from './server/offer.js';
export type { McpServerOptions, ServerOptions } from './server/options.js';
export type { StandardSchemaV1, StandardSchemaWithJSON } from './server/standard.js';
export { type StdioHandle, type StdioOptions, serveStdio } from './server/stdio.js';
export { TaskLimitError } from './server/tasks/errors.js';
export { MemoryTaskStore, type MemoryTaskStoreOptions } from './server/tasks/memory.js';
export {
  TASKS_EXTENSION,
  type TaskError,
  type TaskInput,
  type TaskRecord,
  type TaskStatus,
  type TaskStep,
} from './server/tasks/record.js';
export type { TaskStore } from './server/tasks/store.js';
export {
  enableTasks,
  type StartOptions as TaskStartOptions,
  type TaskCode,
  type TaskContext,
  Tasks,
  type TasksOptions,
} from './server/tasks/tasks.js';
export { ResourceTemplate, UriTemplate, type Variables } from './server/template.js';
export { InMemoryTransport } from './server/transports/in-memory.js';
export type { Transport, TransportSendOptions } from './server/transports/transport.js';
export type {
  AnySchema,
  CompleteResourceTemplateCallback,
  JsonSchemaObject,
  ListResourcesCallback,
  PromptCallback,
  PromptConfig,
  PromptUpdate,
  ReadResourceCallback,
  ReadResourceTemplateCallback,
  RegisteredPrompt,
  RegisteredResource,
  RegisteredResourceTemplate,
  RegisteredTool,
  ResourceConfig,
  ResourceMetadata,
  ResourceTemplateUpdate,
  ResourceUpdate,
  SchemaInput,
  SchemaOutput,
  StructuredResult,
  ToolCallback,
  ToolConfig,
  ToolFailure,
  ToolResult,
  ToolUpdate,
  ZodRawShape,
} from './server/types.js';
export { serveWebSocket, type WebSocketListener, type WebSocketOptions } from './server/websocket.js';
