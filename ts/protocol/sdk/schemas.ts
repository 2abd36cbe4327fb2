/**
 * The specification's own zod schemas, from the official package. They are loaded when something first needs one and not
 * before: loading takes some 100 ms, and a server over stdio is started for every session of its client.
 */
import { createRequire } from 'node:module';
import type { StandardSchemaV1Sync } from '../types/standard.js';

type Schemas = typeof import('@modelcontextprotocol/core');
type Parsing = { parse(value: unknown): unknown; safeParse(value: unknown): { success: boolean } };
type Of<K, Part extends 'input' | 'output'> = K extends { _zod: { [P in Part]: infer T } } ? T : never;

let loaded: Schemas | undefined;

function load(): Schemas {
  loaded ??= createRequire(import.meta.url)('@modelcontextprotocol/core') as Schemas;
  return loaded;
}

/** A schema by its name without `Schema`. */
export function specSchema(name: SpecTypeName): Parsing {
  return load()[`${name}Schema`] as unknown as Parsing;
}

/** Names of the specification's types, and of OAuth's, that have a schema. */
export type SpecTypeName = { [K in keyof Schemas]: K extends `${infer Name}Schema` ? Name : never }[keyof Schemas];
/** The type behind each name. */
export type SpecTypes = { [N in SpecTypeName]: Of<Schemas[`${N}Schema`], 'output'> };
type Inputs = { [N in SpecTypeName]: Of<Schemas[`${N}Schema`], 'input'> };

/** Written out so that naming one loads nothing; a test compares it with the package. */
const NAMES = `
Annotations AudioContent BaseMetadata BlobResourceContents BooleanSchema CallToolRequest CallToolRequestParams
CallToolResult CancelTaskRequest CancelTaskResult CancelledNotification CancelledNotificationParams ClientCapabilities
ClientNotification ClientRequest ClientResult CompatibilityCallToolResult CompleteRequest CompleteRequestParams
CompleteResult ContentBlock CreateMessageRequest CreateMessageRequestParams CreateMessageResult
CreateMessageResultWithTools CreateTaskResult Cursor DiscoverRequest DiscoverResult ElicitRequest
ElicitRequestFormParams ElicitRequestParams ElicitRequestURLParams ElicitResult ElicitationCompleteNotification
ElicitationCompleteNotificationParams EmbeddedResource EmptyResult EnumSchema GetPromptRequest GetPromptRequestParams
GetPromptResult GetTaskPayloadRequest GetTaskPayloadResult GetTaskRequest GetTaskResult Icon Icons
IdJagTokenExchangeResponse ImageContent Implementation InitializeRequest InitializeRequestParams InitializeResult
InitializedNotification JSONArray JSONObject JSONRPCErrorResponse JSONRPCMessage JSONRPCNotification JSONRPCRequest
JSONRPCResponse JSONRPCResultResponse JSONValue LegacyTitledEnumSchema ListPromptsRequest ListPromptsResult
ListResourceTemplatesRequest ListResourceTemplatesResult ListResourcesRequest ListResourcesResult ListRootsRequest
ListRootsResult ListTasksRequest ListTasksResult ListToolsRequest ListToolsResult LoggingLevel
LoggingMessageNotification LoggingMessageNotificationParams ModelHint ModelPreferences MultiSelectEnumSchema
Notification NumberSchema OAuthClientInformation OAuthClientInformationFull OAuthClientMetadata
OAuthClientRegistrationError OAuthErrorResponse OAuthMetadata OAuthProtectedResourceMetadata
OAuthTokenRevocationRequest OAuthTokens OpenIdProviderDiscoveryMetadata OpenIdProviderMetadata PaginatedRequest
PaginatedRequestParams PaginatedResult PingRequest PrimitiveSchemaDefinition Progress ProgressNotification
ProgressNotificationParams ProgressToken Prompt PromptArgument PromptListChangedNotification PromptMessage
PromptReference ReadResourceRequest ReadResourceRequestParams ReadResourceResult RelatedTaskMetadata Request RequestId
RequestMeta Resource ResourceContents ResourceLink ResourceListChangedNotification ResourceRequestParams
ResourceTemplate ResourceTemplateReference ResourceUpdatedNotification ResourceUpdatedNotificationParams Result
ResultMetaObject Role Root RootsListChangedNotification SamplingContent SamplingMessage SamplingMessageContentBlock
ServerCapabilities ServerNotification ServerRequest ServerResult SetLevelRequest SetLevelRequestParams
SingleSelectEnumSchema StringSchema SubscribeRequest SubscribeRequestParams SubscriptionFilter
SubscriptionsAcknowledgedNotification SubscriptionsAcknowledgedNotificationParams SubscriptionsListenRequest
SubscriptionsListenRequestParams SubscriptionsListenResult SubscriptionsListenResultMeta Task
TaskAugmentedRequestParams TaskCreationParams TaskMetadata TaskStatus TaskStatusNotification
TaskStatusNotificationParams TextContent TextResourceContents TitledMultiSelectEnumSchema
TitledSingleSelectEnumSchema Tool ToolAnnotations ToolChoice ToolExecution ToolListChangedNotification
ToolResultContent ToolUseContent UnsubscribeRequest UnsubscribeRequestParams UntitledMultiSelectEnumSchema
UntitledSingleSelectEnumSchema`
  .trim()
  .split(/\s+/) as SpecTypeName[];

/** A validator for every type of the specification: `specTypeSchemas.Tool['~standard'].validate(value)`. */
export const specTypeSchemas: { readonly [N in SpecTypeName]: StandardSchemaV1Sync<Inputs[N], SpecTypes[N]> } =
  Object.freeze(
    Object.defineProperties(
      {},
      Object.fromEntries(NAMES.map((name) => [name, { enumerable: true, get: () => specSchema(name) }])),
    ),
  ) as never;

/** A type guard for every type of the specification: `isSpecType.ContentBlock(value)`. */
export const isSpecType: { readonly [N in SpecTypeName]: (value: unknown) => value is Inputs[N] } = Object.freeze(
  Object.fromEntries(NAMES.map((name) => [name, (value: unknown) => specSchema(name).safeParse(value).success])),
) as never;

/** Loads all schemas now, for platforms on which start-up is free and the first request is not. */
export function preloadSchemas(): void {
  load();
}
