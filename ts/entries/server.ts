/**
 * `thirdrail/server`: everything that `@modelcontextprotocol/server` exports, under the same names and with the same
 * meaning. Lists names, holds no code.
 */

// ----------------------------------------------------------------------------------------------------- protocol
export type { RequestContext as ServerContext } from '../protocol/context.js';
export {
  MissingRequiredClientCapabilityError,
  type MissingRequiredClientCapabilityErrorData,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  UnsupportedProtocolVersionError,
  type UnsupportedProtocolVersionErrorData,
  UrlElicitationRequiredError,
} from '../protocol/errors.js';
export type { EventId, EventStore, StreamId } from '../protocol/events/store.js';
export {
  type BearerAuthOptions,
  bearerAuthChallengeResponse,
  type OAuthTokenVerifier,
  requireBearerAuth,
  type VerifyBearerTokenOptions,
  verifyBearerToken,
} from '../protocol/sdk/bearer.js';
export { DEFAULT_MAX_REQUEST_BODY_SIZE, readRequestBody } from '../protocol/sdk/body.js';
export {
  BAGGAGE_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  DEFAULT_NEGOTIATED_PROTOCOL_VERSION,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  JSONRPC_VERSION,
  LATEST_PROTOCOL_VERSION,
  LOG_LEVEL_META_KEY,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  PROTOCOL_VERSION_META_KEY,
  RELATED_TASK_META_KEY,
  SERVER_INFO_META_KEY,
  STDIO_DEFAULT_MAX_BUFFER_SIZE,
  SUBSCRIPTION_ID_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
  TRACEPARENT_META_KEY,
  TRACESTATE_META_KEY,
} from '../protocol/sdk/constants.js';
export {
  OAuthError,
  OAuthErrorCode,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  type SdkHttpErrorData,
} from '../protocol/sdk/errors.js';
export type { ElicitInputParams } from '../protocol/sdk/form.js';
export {
  assertCompleteRequestPrompt,
  assertCompleteRequestResourceTemplate,
  isCallToolResult,
  isInitializedNotification,
  isInitializeRequest,
  isInputRequiredResult,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  isJSONRPCResultResponse,
  isTaskAugmentedRequestParams,
  parseJSONRPCMessage,
} from '../protocol/sdk/guards.js';
export {
  checkResourceAllowed,
  createFetchWithInit,
  type FetchLike,
  getDisplayName,
  isJsonContentType,
  mergeCapabilities,
  resourceUrlFromServerUrl,
} from '../protocol/sdk/names.js';
export {
  createRequestStateCodec,
  type RequestStateCodec,
  type RequestStateCodecOptions,
} from '../protocol/sdk/request-state.js';
export {
  type AuthMetadataOptions,
  buildOAuthProtectedResourceMetadata,
  getOAuthProtectedResourceMetadataUrl,
  oauthMetadataResponse,
} from '../protocol/sdk/resource-metadata.js';
export {
  acceptedContent,
  type InputRequiredSpec,
  type InputResponseView,
  inputRequired,
  inputResponse,
} from '../protocol/sdk/round-trip.js';
export {
  isSpecType,
  preloadSchemas,
  type SpecTypeName,
  type SpecTypes,
  specTypeSchemas,
} from '../protocol/sdk/schemas.js';
export { requireScopes, type ScopeChallenge, type ScopeChallengeHandler } from '../protocol/sdk/scopes.js';
export type * from '../protocol/types.js';

// -------------------------------------------------------------------------------------------------------- server
export {
  InMemoryServerEventBus,
  type ServerEvent,
  type ServerEventBus,
  type ServerNotifier,
} from '../server/adapters/bus.js';
export {
  classifyInboundRequest,
  type InboundClassificationOutcome,
  type InboundHttpRequest,
  type InboundLadderRejection,
  type InboundLegacyRoute,
  type InboundLegacyRouteReason,
  type InboundModernRoute,
  type InboundValidationRung,
} from '../server/adapters/classify.js';
export {
  createMcpHandler,
  type McpHttpHandler,
  type McpRequestContext,
  type McpServerFactory,
} from '../server/adapters/handler.js';
export {
  type IsLegacyRequestOptions,
  isLegacyRequest,
  type LegacyHttpHandler,
  type LegacyStatelessFallbackOptions,
  legacyStatelessFallback,
} from '../server/adapters/legacy.js';
export type { CreateMcpHandlerOptions, PerRequestResponseMode } from '../server/adapters/options.js';
export {
  type HostHeaderValidationResult,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  type OriginValidationResult,
  originValidationResponse,
  validateHostHeader,
  validateOriginHeader,
} from '../server/adapters/validate.js';
export type { McpHandlerRequestOptions } from '../server/adapters/webface.js';
export type {
  AnyToolHandler,
  BaseContext,
  BaseToolCallback,
  ClientContext,
  RequestStateAccessor,
} from '../server/callbacks.js';
export { type CompletableSchema, type CompleteCallback, completable, isCompletable } from '../server/completable.js';
export { fromJsonSchema } from '../server/from-json-schema.js';
export {
  DEFAULT_REQUEST_TIMEOUT_MSEC,
  type NotificationOptions,
  type ProgressCallback,
  Protocol,
  type ProtocolOptions,
  type RequestHandlerSchemas,
  type RequestOptions,
} from '../server/lowlevel/protocol.js';
export { Server } from '../server/lowlevel/server.js';
export { McpServer } from '../server/mcp.js';
export type { McpServerOptions, ServerOptions } from '../server/options.js';
export { ResourceTemplate, UriTemplate, type Variables } from '../server/template.js';
export { InMemoryTransport } from '../server/transports/in-memory.js';
export {
  PerRequestHTTPServerTransport,
  type PerRequestHTTPServerTransportOptions,
  type PerRequestMessageExtra,
} from '../server/transports/per-request.js';
export { deserializeMessage, ReadBuffer, serializeMessage } from '../server/transports/stdio.js';
export {
  type HandleRequestOptions,
  WebStandardStreamableHTTPServerTransport,
  type WebStandardStreamableHTTPServerTransportOptions,
} from '../server/transports/streamable.js';
export type { Transport, TransportSendOptions } from '../server/transports/transport.js';
export type {
  CompleteResourceTemplateCallback,
  ListResourcesCallback,
  PromptCallback,
  ReadResourceCallback,
  ReadResourceTemplateCallback,
  RegisteredPrompt,
  RegisteredResource,
  RegisteredResourceTemplate,
  RegisteredTool,
  ResourceMetadata,
  ToolCallback,
} from '../server/types.js';
