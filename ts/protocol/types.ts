/**
 * Wire types of the protocol: what server code sees and sends, for every revision that is served. Types only.
 *
 * Names follow the specification's schema. Where the revisions differ the newer shape is the type and the older one's
 * extra members are optional, so that one handler serves both eras. Requests and notifications are not modelled one by
 * one: the protocol reads them as untrusted JSON and checks what it acts on.
 */

export type JSONValue = string | number | boolean | null | JSONObject | JSONArray;
export type JSONObject = { [key: string]: JSONValue };
export type JSONArray = JSONValue[];

/** Modern: every request carries version and capabilities. Legacy: an `initialize` handshake establishes them. */
export type ProtocolEra = 'modern' | 'legacy';

export type RequestId = string | number;
export type ProgressToken = string | number;
export type Cursor = string;
export type MetaObject = Record<string, unknown>;
export type Role = 'user' | 'assistant';
/** RFC 5424 severities, least severe first. */
export type LoggingLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';
export type CacheScope = 'public' | 'private';

/** Freshness of a cacheable result; absent members take the defaults `0` and `private`. */
export interface CacheHint {
  /** How long the result may be reused, in milliseconds. */
  ttlMs?: number;
  /** Whether shared caches may keep it. */
  cacheScope?: CacheScope;
}

export interface Notification {
  method: string;
  params?: { _meta?: MetaObject; [key: string]: unknown };
}

/** `complete`, `input_required`, or what an extension adds. Absent in legacy results. */
export type ResultType = 'complete' | 'input_required' | (string & {});

export interface Result {
  _meta?: MetaObject;
  resultType?: ResultType;
  [key: string]: unknown;
}
export type EmptyResult = Result;

export interface Progress {
  progress: number;
  total?: number;
  message?: string;
}

// ------------------------------------------------------------------------------------------ parties, capabilities

export interface Icon {
  /** An https: or data: URI. */
  src: string;
  mimeType?: string;
  /** `WxH` strings or `any`. */
  sizes?: string[];
  theme?: 'light' | 'dark';
}
export interface Icons {
  icons?: Icon[];
}
export interface BaseMetadata {
  name: string;
  title?: string;
}
/** Self-reported name and version of a client or server: for display, never for decisions. */
export interface Implementation extends BaseMetadata, Icons {
  version: string;
  description?: string;
  websiteUrl?: string;
}

export interface ClientCapabilities {
  experimental?: { [key: string]: object };
  roots?: { listChanged?: boolean };
  sampling?: { context?: object; tools?: object };
  /** An empty object means form mode. */
  elicitation?: { form?: object; url?: object };
  /** Legacy 2025-11-25 only; modern tasks are the extension `io.modelcontextprotocol/tasks`. */
  tasks?: object;
  extensions?: { [key: string]: object };
}

export interface ServerCapabilities {
  experimental?: { [key: string]: object };
  logging?: object;
  completions?: object;
  prompts?: { listChanged?: boolean };
  resources?: { subscribe?: boolean; listChanged?: boolean };
  tools?: { listChanged?: boolean };
  /** Legacy 2025-11-25 only. */
  tasks?: object;
  extensions?: { [key: string]: object };
}

/** A validated access token, as the authorization layer hands it to handlers. */
export interface AuthInfo {
  token: string;
  clientId: string;
  scopes: string[];
  /** Seconds since the epoch. */
  expiresAt?: number;
  /** RFC 8707 resource identifier for which the token is valid. */
  resource?: URL;
  extra?: Record<string, unknown>;
}

// -------------------------------------------------------------------------------------------------------- content

export interface Annotations {
  audience?: Role[];
  /** 0 (least) to 1 (most important). */
  priority?: number;
  /** ISO 8601. */
  lastModified?: string;
}
interface Block {
  annotations?: Annotations;
  _meta?: MetaObject;
}
export interface TextContent extends Block {
  type: 'text';
  text: string;
}
export interface ImageContent extends Block {
  type: 'image';
  /** base64 */
  data: string;
  mimeType: string;
}
export interface AudioContent extends Block {
  type: 'audio';
  /** base64 */
  data: string;
  mimeType: string;
}
export interface ResourceLink extends Resource {
  type: 'resource_link';
}
export interface EmbeddedResource extends Block {
  type: 'resource';
  resource: TextResourceContents | BlobResourceContents;
}
export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource;

// ---------------------------------------------------------------------------------------------------------- tools

/** Hints about a tool's behaviour: untrusted unless the server is trusted. */
export interface ToolAnnotations {
  title?: string;
  readOnlyHint?: boolean;
  destructiveHint?: boolean;
  idempotentHint?: boolean;
  openWorldHint?: boolean;
}
/** Legacy 2025-11-25 only. */
export interface ToolExecution {
  taskSupport?: 'forbidden' | 'optional' | 'required';
}
export interface Tool extends BaseMetadata, Icons {
  description?: string;
  inputSchema: { $schema?: string; type: 'object'; [key: string]: unknown };
  outputSchema?: { $schema?: string; [key: string]: unknown };
  annotations?: ToolAnnotations;
  execution?: ToolExecution;
  _meta?: MetaObject;
}
export interface CallToolResult extends Result {
  content: ContentBlock[];
  structuredContent?: unknown;
  /** The tool ran and failed: for the model to see, unlike a protocol error. */
  isError?: boolean;
}

// ------------------------------------------------------------------------------------------------------ resources

export interface Resource extends BaseMetadata, Icons {
  uri: string;
  description?: string;
  mimeType?: string;
  annotations?: Annotations;
  /** Bytes before encoding. */
  size?: number;
  _meta?: MetaObject;
}
/** A listed template (RFC 6570); the class of this name that matches URIs is the server API's. */
export interface ResourceTemplateType extends BaseMetadata, Icons {
  uriTemplate: string;
  description?: string;
  mimeType?: string;
  annotations?: Annotations;
  _meta?: MetaObject;
}
export interface ResourceContents {
  uri: string;
  mimeType?: string;
  _meta?: MetaObject;
}
export interface TextResourceContents extends ResourceContents {
  text: string;
}
export interface BlobResourceContents extends ResourceContents {
  /** base64 */
  blob: string;
}
export interface ReadResourceResult extends Result, CacheHint {
  contents: (TextResourceContents | BlobResourceContents)[];
}

// -------------------------------------------------------------------------------------------------------- prompts

export interface PromptArgument extends BaseMetadata {
  description?: string;
  required?: boolean;
}
export interface Prompt extends BaseMetadata, Icons {
  description?: string;
  arguments?: PromptArgument[];
  _meta?: MetaObject;
}
export interface PromptMessage {
  role: Role;
  content: ContentBlock;
}
export interface GetPromptResult extends Result {
  description?: string;
  messages: PromptMessage[];
}

// ---------------------------------------------------------------------------------------------- lists and openings

export interface PaginatedResult extends Result {
  nextCursor?: Cursor;
}
export interface ListToolsResult extends PaginatedResult, CacheHint {
  tools: Tool[];
}
export interface ListPromptsResult extends PaginatedResult, CacheHint {
  prompts: Prompt[];
}
export interface ListResourcesResult extends PaginatedResult, CacheHint {
  resources: Resource[];
}
export interface ListResourceTemplatesResult extends PaginatedResult, CacheHint {
  resourceTemplates: ResourceTemplateType[];
}
export interface DiscoverResult extends Result, CacheHint {
  supportedVersions: string[];
  capabilities: ServerCapabilities;
  instructions?: string;
}
export interface InitializeResult extends Result {
  protocolVersion: string;
  capabilities: ServerCapabilities;
  serverInfo: Implementation;
  instructions?: string;
}
export interface CompleteResult extends Result {
  completion: { values: string[]; total?: number; hasMore?: boolean };
}
