/**
 * Types of the registration API: what `registerTool`, `registerResource` and `registerPrompt` take and give. Types only.
 *
 * Argument types are inferred from zod and Standard Schemas; a plain JSON Schema gives `Record<string, unknown>`.
 */
import type { z } from 'zod';
import type { RequestContext } from '../protocol/context.js';
import type { ScopeChallengeHandler } from '../protocol/sdk/scopes.js';
import type { ReadResourceInPieces } from '../protocol/streamed.js';
import type {
  AuthInfo,
  CacheHint,
  CallToolResult,
  ContentBlock,
  GetPromptResult,
  Icon,
  InputRequiredResult,
  ListResourcesResult,
  MetaObject,
  ReadResourceResult,
  Resource,
  ToolAnnotations,
  ToolExecution,
} from '../protocol/types.js';

import type { InferInput, InferOutput, StandardSchemaV1 } from './standard.js';
import type { ResourceTemplate, Variables } from './template.js';

/** Fields of a zod object: `{ name: z.string() }`. */
export type ZodRawShape = Record<string, z.ZodType>;
/** A plain JSON Schema object, draft 2020-12. */
export type JsonSchemaObject = { readonly [keyword: string]: unknown };
export type AnySchema = StandardSchemaV1 | ZodRawShape | JsonSchemaObject;

/** What a handler receives for a schema. */
export type SchemaOutput<S> = S extends StandardSchemaV1
  ? InferOutput<S>
  : S extends ZodRawShape
    ? z.output<z.ZodObject<S>>
    : Record<string, unknown>;
/** What validates against a schema: what a tool must return as its structured content. */
export type SchemaInput<S> = S extends StandardSchemaV1
  ? InferInput<S>
  : S extends ZodRawShape
    ? z.input<z.ZodObject<S>>
    : unknown;

type Awaitable<T> = T | Promise<T>;

/** Who may use an entry. Without authorization on the listener nothing here is asked. */
export interface AccessConfig {
  /** Scopes that the caller's token must have; a call without them is challenged for them. */
  scopes?: string[];
  /** Decides for each caller; whoever may not is told that there is no such entry. */
  canAccess?: (auth: AuthInfo | undefined, ctx?: RequestContext) => boolean;
  /** The official SDK's form of `scopes`: which scopes to challenge this call for, if any. */
  scopeChallenge?: ScopeChallengeHandler;
}

/** A result that reports a failure: it needs no structured content. */
export interface ToolFailure {
  content: ContentBlock[];
  isError: true;
  structuredContent?: unknown;
  _meta?: MetaObject;
}
/** A result of a tool with an output schema; without content its JSON becomes the text block. */
export interface StructuredResult<T> {
  content?: ContentBlock[];
  structuredContent: T;
  isError?: false;
  _meta?: MetaObject;
}
export type ToolResult<O> =
  | (O extends AnySchema ? StructuredResult<SchemaInput<O>> | ToolFailure : CallToolResult)
  | InputRequiredResult;

/** `(args, ctx)`, or `(ctx)` for a tool without input schema. */
export type ToolCallback<I = undefined, O = undefined> = I extends AnySchema
  ? (args: SchemaOutput<I>, ctx: RequestContext) => Awaitable<ToolResult<O>>
  : (ctx: RequestContext) => Awaitable<ToolResult<O>>;

export interface ToolConfig<I = AnySchema | undefined, O = AnySchema | undefined> extends AccessConfig {
  title?: string;
  description?: string;
  /** Default: an object without properties; whatever arguments come are ignored. */
  inputSchema?: I;
  /** When given, the result must carry `structuredContent` that matches it, unless `isError` is true. */
  outputSchema?: O;
  annotations?: ToolAnnotations;
  icons?: Icon[];
  /** Legacy 2025-11-25 only. */
  execution?: ToolExecution;
  _meta?: MetaObject;
}

/** Changes to a tool; absent members stay, `name: null` removes it. */
export interface ToolUpdate {
  name?: string | null;
  title?: string;
  description?: string;
  paramsSchema?: AnySchema;
  outputSchema?: AnySchema;
  annotations?: ToolAnnotations;
  icons?: Icon[];
  execution?: ToolExecution;
  _meta?: MetaObject;
  // biome-ignore lint/suspicious/noExplicitAny: the new schema is not known to the handle's type
  callback?: (...args: any[]) => Awaitable<CallToolResult | StructuredResult<unknown> | InputRequiredResult>;
  enabled?: boolean;
}

/**
 * What every registration gives back. Its members may be set, and its functions may be taken out of it:
 * `const { disable } = server.registerTool(...)`. After `remove` the handle does nothing any more.
 */
interface Registered<Update> {
  /** Setting it is `enable` or `disable`. */
  enabled: boolean;
  /** Shows it again. */
  readonly enable: () => void;
  /** Hides it from lists and refuses calls, keeping its place and name. */
  readonly disable: () => void;
  /** @throws TypeError for what registration would refuse, Error for a name that is taken; nothing is changed then */
  readonly update: (updates: Update) => void;
  readonly remove: () => void;
}
export interface RegisteredTool extends Registered<ToolUpdate> {
  readonly name: string;
  title?: string;
  description?: string;
  inputSchema?: AnySchema;
  outputSchema?: AnySchema;
  readonly outputSchemaJson?: Readonly<Record<string, unknown>>;
  annotations?: ToolAnnotations;
  icons?: Icon[];
  execution?: ToolExecution;
  _meta?: MetaObject;
  /** The callback as it was given. */
  // biome-ignore lint/suspicious/noExplicitAny: the schema is not known to the handle's type
  handler: (...args: any[]) => any;
  /** Calls the callback with arguments that were checked already. */
  readonly executor: (args: unknown, ctx: RequestContext) => Promise<CallToolResult | InputRequiredResult>;
}

/** Everything a listed resource says besides its URI and name. */
export type ResourceMetadata = Omit<Resource, 'uri' | 'name'>;
export type ResourceConfig = ResourceMetadata & AccessConfig & { cacheHint?: CacheHint };
export type ReadResourceCallback = (
  uri: URL,
  ctx: RequestContext,
) => Awaitable<ReadResourceResult | ReadResourceInPieces | InputRequiredResult>;
export type ReadResourceTemplateCallback = (
  uri: URL,
  variables: Variables,
  ctx: RequestContext,
) => Awaitable<ReadResourceResult | ReadResourceInPieces | InputRequiredResult>;
export type ListResourcesCallback = (ctx: RequestContext) => Awaitable<ListResourcesResult>;
export type CompleteResourceTemplateCallback = (
  value: string,
  context?: { arguments?: Record<string, string> },
) => Awaitable<string[]>;

export interface ResourceUpdate {
  name?: string;
  title?: string;
  /** A new URI, or null to remove the resource. */
  uri?: string | null;
  metadata?: ResourceMetadata;
  callback?: ReadResourceCallback;
  enabled?: boolean;
}
export interface RegisteredResource extends Registered<ResourceUpdate> {
  readonly uri: string;
  name: string;
  title?: string;
  metadata?: ResourceMetadata;
  readonly cacheHint?: CacheHint;
  readCallback: ReadResourceCallback;
}
export interface ResourceTemplateUpdate {
  name?: string | null;
  title?: string;
  template?: ResourceTemplate;
  metadata?: ResourceMetadata;
  callback?: ReadResourceTemplateCallback;
  enabled?: boolean;
}
export interface RegisteredResourceTemplate extends Registered<ResourceTemplateUpdate> {
  readonly name: string;
  title?: string;
  metadata?: ResourceMetadata;
  readonly cacheHint?: CacheHint;
  resourceTemplate: ResourceTemplate;
  readCallback: ReadResourceTemplateCallback;
}

/** `(args, ctx)`, or `(ctx)` for a prompt without arguments. */
export type PromptCallback<A = undefined> = A extends AnySchema
  ? (args: SchemaOutput<A>, ctx: RequestContext) => Awaitable<GetPromptResult | InputRequiredResult>
  : (ctx: RequestContext) => Awaitable<GetPromptResult | InputRequiredResult>;
export interface PromptConfig<A = AnySchema | undefined> extends AccessConfig {
  title?: string;
  description?: string;
  /** Its properties are listed as the prompt's arguments. */
  argsSchema?: A;
  icons?: Icon[];
  _meta?: MetaObject;
}
export interface PromptUpdate {
  name?: string | null;
  title?: string;
  description?: string;
  argsSchema?: AnySchema;
  icons?: Icon[];
  _meta?: MetaObject;
  // biome-ignore lint/suspicious/noExplicitAny: the new schema is not known to the handle's type
  callback?: (...args: any[]) => Awaitable<GetPromptResult | InputRequiredResult>;
  enabled?: boolean;
}
export interface RegisteredPrompt extends Registered<PromptUpdate> {
  readonly name: string;
  title?: string;
  description?: string;
  argsSchema?: AnySchema;
  icons?: Icon[];
  _meta?: MetaObject;
  /** Checks the arguments and calls the callback. */
  readonly handler: (
    args: Record<string, unknown> | undefined,
    ctx: RequestContext,
  ) => Promise<GetPromptResult | InputRequiredResult>;
}
