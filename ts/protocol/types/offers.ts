/**
 * What a server offers: tools, resources and prompts, with the messages that list, use and watch them. Types only.
 */
import type {
  Annotations,
  BlobResourceContents,
  ContentBlock,
  Resource,
  Role,
  TextResourceContents,
} from './content.js';
import type {
  CacheHint,
  JSONValue,
  MetaObject,
  NotificationParams,
  PaginatedRequestParams,
  PaginatedResult,
  RequestId,
  RequestParams,
  Result,
  ResultMetaObject,
} from './json-rpc.js';
import type { BaseMetadata, Icons } from './parties.js';
import type { TaskAugmentedRequestParams } from './tasks.js';

// --------------------------------------------------------------------------------------------------------- tools

/** Hints about a tool's behaviour: untrusted unless the server is trusted. */
export type ToolAnnotations = {
  title?: string;
  readOnlyHint?: boolean;
  destructiveHint?: boolean;
  idempotentHint?: boolean;
  openWorldHint?: boolean;
};
/** Legacy 2025-11-25 only. */
export type ToolExecution = { taskSupport?: 'forbidden' | 'optional' | 'required' };
export type Tool = BaseMetadata &
  Icons & {
    description?: string;
    inputSchema: {
      $schema?: string;
      type: 'object';
      properties?: { [name: string]: JSONValue };
      required?: string[];
      [key: string]: unknown;
    };
    outputSchema?: { $schema?: string; [key: string]: unknown };
    annotations?: ToolAnnotations;
    execution?: ToolExecution;
    _meta?: MetaObject;
  };
export type ListToolsRequest = { method: 'tools/list'; params?: PaginatedRequestParams };
export interface ListToolsResult extends PaginatedResult, CacheHint {
  tools: Tool[];
}
export type CallToolRequestParams = TaskAugmentedRequestParams & {
  name: string;
  arguments?: { [name: string]: unknown };
};
export type CallToolRequest = { method: 'tools/call'; params: CallToolRequestParams };
export interface CallToolResult extends Result {
  content: ContentBlock[];
  structuredContent?: unknown;
  /** The tool ran and failed: for the model to see, unlike a protocol error. */
  isError?: boolean;
}
/** A result, or the one of revision 2024-10-07. */
export type CompatibilityCallToolResult = CallToolResult | (Result & { toolResult: unknown });
export type ToolListChangedNotification = {
  method: 'notifications/tools/list_changed';
  params?: NotificationParams;
};

// ----------------------------------------------------------------------------------------------------- resources

/** A listed template (RFC 6570); the class of this name that matches URIs is the server API's. */
export type ResourceTemplateType = BaseMetadata &
  Icons & {
    uriTemplate: string;
    description?: string;
    mimeType?: string;
    annotations?: Annotations;
    _meta?: MetaObject;
  };
export type ListResourcesRequest = { method: 'resources/list'; params?: PaginatedRequestParams };
export interface ListResourcesResult extends PaginatedResult, CacheHint {
  resources: Resource[];
}
export type ListResourceTemplatesRequest = { method: 'resources/templates/list'; params?: PaginatedRequestParams };
export interface ListResourceTemplatesResult extends PaginatedResult, CacheHint {
  resourceTemplates: ResourceTemplateType[];
}
export type ResourceRequestParams = RequestParams & { uri: string };
export type ReadResourceRequestParams = ResourceRequestParams;
export type ReadResourceRequest = { method: 'resources/read'; params: ReadResourceRequestParams };
export interface ReadResourceResult extends Result, CacheHint {
  contents: (TextResourceContents | BlobResourceContents)[];
}
/** Legacy; the modern era has {@link SubscriptionsListenRequest}. */
export type SubscribeRequestParams = ResourceRequestParams;
export type SubscribeRequest = { method: 'resources/subscribe'; params: SubscribeRequestParams };
export type UnsubscribeRequestParams = ResourceRequestParams;
export type UnsubscribeRequest = { method: 'resources/unsubscribe'; params: UnsubscribeRequestParams };
export type ResourceListChangedNotification = {
  method: 'notifications/resources/list_changed';
  params?: NotificationParams;
};
export type ResourceUpdatedNotificationParams = NotificationParams & { uri: string };
export type ResourceUpdatedNotification = {
  method: 'notifications/resources/updated';
  params: ResourceUpdatedNotificationParams;
};

// ------------------------------------------------------------------------------------------------------- prompts

export type PromptArgument = {
  name: string;
  title?: string;
  description?: string;
  required?: boolean;
};
export type Prompt = BaseMetadata &
  Icons & {
    description?: string;
    arguments?: PromptArgument[];
    _meta?: MetaObject;
  };
export type PromptMessage = { role: Role; content: ContentBlock };
export type ListPromptsRequest = { method: 'prompts/list'; params?: PaginatedRequestParams };
export interface ListPromptsResult extends PaginatedResult, CacheHint {
  prompts: Prompt[];
}
export type GetPromptRequestParams = RequestParams & { name: string; arguments?: { [name: string]: string } };
export type GetPromptRequest = { method: 'prompts/get'; params: GetPromptRequestParams };
export interface GetPromptResult extends Result {
  description?: string;
  messages: PromptMessage[];
}
export type PromptListChangedNotification = {
  method: 'notifications/prompts/list_changed';
  params?: NotificationParams;
};

// ---------------------------------------------------------------------------------------------------- completion

export type ResourceTemplateReference = { type: 'ref/resource'; uri: string };
export type PromptReference = { type: 'ref/prompt'; name: string };
export type CompleteRequestParams = RequestParams & {
  ref: PromptReference | ResourceTemplateReference;
  argument: { name: string; value: string };
  /** What is chosen already. */
  context?: { arguments?: { [name: string]: string } };
};
export type CompleteRequest = { method: 'completion/complete'; params: CompleteRequestParams };
export type CompleteRequestPrompt = CompleteRequest & { params: CompleteRequestParams & { ref: PromptReference } };
export type CompleteRequestResourceTemplate = CompleteRequest & {
  params: CompleteRequestParams & { ref: ResourceTemplateReference };
};
export interface CompleteResult extends Result {
  completion: {
    /** At most 100. */
    values: string[];
    total?: number;
    hasMore?: boolean;
    [key: string]: unknown;
  };
}

// ------------------------------------------------------------------------------------------------ subscriptions

/** What a `subscriptions/listen` stream is asked to carry, and what it will. */
export type SubscriptionFilter = {
  toolsListChanged?: boolean;
  promptsListChanged?: boolean;
  resourcesListChanged?: boolean;
  /** URIs. */
  resourceSubscriptions?: string[];
};
export type SubscriptionsListenRequestParams = RequestParams & { notifications: SubscriptionFilter };
export type SubscriptionsListenRequest = { method: 'subscriptions/listen'; params: SubscriptionsListenRequestParams };
export type SubscriptionsAcknowledgedNotificationParams = NotificationParams & { notifications: SubscriptionFilter };
export type SubscriptionsAcknowledgedNotification = {
  method: 'notifications/subscriptions/acknowledged';
  params: SubscriptionsAcknowledgedNotificationParams;
};
export type SubscriptionsListenResultMeta = ResultMetaObject & {
  'io.modelcontextprotocol/subscriptionId': RequestId;
};
export interface SubscriptionsListenResult extends Result {
  _meta: SubscriptionsListenResultMeta;
}
