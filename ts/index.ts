/**
 * The public surface of thirdrail. Lists names, holds no code.
 */
export type { EngineName } from './engine/engine.js';
export type { EngineChoice } from './engine/index.js';
export type { HttpInfo, RequestContext, RequestContext as ServerContext } from './protocol/context.js';
export {
  HeaderMismatchError,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  UnsupportedProtocolVersionError,
} from './protocol/errors.js';
export { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from './protocol/revisions.js';
export type * from './protocol/types.js';
export type { CacheableMethod, CacheHints } from './server/hints.js';
export { DEFAULT_LIMITS, type Limits } from './server/limits.js';
export type { ListenerStats, ListenOptions, ServerListener } from './server/listen.js';
export { McpServer, type McpServerOptions } from './server/mcp.js';
export type { StandardSchemaV1, StandardSchemaWithJSON } from './server/standard.js';
export { type StdioHandle, type StdioOptions, serveStdio } from './server/stdio.js';
export { ResourceTemplate, UriTemplate, type Variables } from './server/template.js';
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
