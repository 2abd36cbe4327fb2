/**
 * All messages by direction and by method. Types only.
 */

import type { Resource } from './content.js';
import type { CancelledNotification, EmptyResult, PingRequest, ProgressNotification } from './json-rpc.js';
import type {
  CallToolRequest,
  CallToolResult,
  CompleteRequest,
  CompleteResult,
  GetPromptRequest,
  GetPromptResult,
  ListPromptsRequest,
  ListPromptsResult,
  ListResourcesRequest,
  ListResourcesResult,
  ListResourceTemplatesRequest,
  ListResourceTemplatesResult,
  ListToolsRequest,
  ListToolsResult,
  Prompt,
  PromptListChangedNotification,
  ReadResourceRequest,
  ReadResourceResult,
  ResourceListChangedNotification,
  ResourceUpdatedNotification,
  SubscribeRequest,
  SubscriptionsAcknowledgedNotification,
  SubscriptionsListenRequest,
  SubscriptionsListenResult,
  Tool,
  ToolListChangedNotification,
  UnsubscribeRequest,
} from './offers.js';
import type {
  DiscoverRequest,
  DiscoverResult,
  InitializedNotification,
  InitializeRequest,
  InitializeResult,
  LoggingMessageNotification,
  SetLevelRequest,
} from './parties.js';
import type {
  CreateMessageRequest,
  CreateMessageResult,
  CreateMessageResultWithTools,
  ElicitationCompleteNotification,
  ElicitRequest,
  ElicitResult,
  InputRequiredResult,
  ListRootsRequest,
  ListRootsResult,
  RootsListChangedNotification,
} from './questions.js';

export type ClientRequest =
  | PingRequest
  | InitializeRequest
  | DiscoverRequest
  | CompleteRequest
  | SetLevelRequest
  | GetPromptRequest
  | ListPromptsRequest
  | ListResourcesRequest
  | ListResourceTemplatesRequest
  | ReadResourceRequest
  | SubscribeRequest
  | UnsubscribeRequest
  | SubscriptionsListenRequest
  | CallToolRequest
  | ListToolsRequest;
export type ClientNotification =
  | CancelledNotification
  | ProgressNotification
  | InitializedNotification
  | RootsListChangedNotification;
export type ClientResult =
  | EmptyResult
  | CreateMessageResult
  | CreateMessageResultWithTools
  | ElicitResult
  | ListRootsResult;

export type ServerRequest = PingRequest | CreateMessageRequest | ElicitRequest | ListRootsRequest;
export type ServerNotification =
  | CancelledNotification
  | ProgressNotification
  | LoggingMessageNotification
  | ResourceUpdatedNotification
  | ResourceListChangedNotification
  | ToolListChangedNotification
  | PromptListChangedNotification
  | SubscriptionsAcknowledgedNotification
  | ElicitationCompleteNotification;
export type ServerResult =
  | EmptyResult
  | InitializeResult
  | DiscoverResult
  | CompleteResult
  | GetPromptResult
  | ListPromptsResult
  | ListResourcesResult
  | ListResourceTemplatesResult
  | ReadResourceResult
  | CallToolResult
  | ListToolsResult
  | SubscriptionsListenResult;

export type RequestMethod = (ClientRequest | ServerRequest)['method'];
export type NotificationMethod = (ClientNotification | ServerNotification)['method'];

type ByMethod<U extends { method: string }> = { [T in U as T['method']]: T };
export type RequestTypeMap = ByMethod<ClientRequest | ServerRequest>;
export type NotificationTypeMap = ByMethod<ClientNotification | ServerNotification>;

/** What whoever sends a request gets for it. */
export type ResultTypeMap = {
  ping: EmptyResult;
  initialize: InitializeResult;
  'server/discover': DiscoverResult;
  'completion/complete': CompleteResult;
  'logging/setLevel': EmptyResult;
  'prompts/get': GetPromptResult;
  'prompts/list': ListPromptsResult;
  'resources/list': ListResourcesResult;
  'resources/templates/list': ListResourceTemplatesResult;
  'resources/read': ReadResourceResult;
  'resources/subscribe': EmptyResult;
  'resources/unsubscribe': EmptyResult;
  'subscriptions/listen': SubscriptionsListenResult;
  'tools/call': CallToolResult;
  'tools/list': ListToolsResult;
  'sampling/createMessage': CreateMessageResult | CreateMessageResultWithTools;
  'elicitation/create': ElicitResult;
  'roots/list': ListRootsResult;
};
/** What a handler may return for it: some methods may ask back first. */
export type HandlerResultTypeMap = {
  [M in keyof ResultTypeMap]: M extends 'tools/call' | 'prompts/get' | 'resources/read'
    ? ResultTypeMap[M] | InputRequiredResult
    : ResultTypeMap[M];
};

// ------------------------------------------------------------------------------------- what clients watch lists with

export type ListChangedCallback<T> = (error: Error | null, items: T[] | null) => void;
export type ListChangedOptions<T> = {
  /** Whether the list is fetched again on its own. Default: true. */
  autoRefresh?: boolean;
  /** Milliseconds; 0: at once. Default: 300. */
  debounceMs?: number;
  /** `items` is null without `autoRefresh`. */
  onChanged: ListChangedCallback<T>;
};
export type ListChangedHandlers = {
  tools?: ListChangedOptions<Tool>;
  prompts?: ListChangedOptions<Prompt>;
  resources?: ListChangedOptions<Resource>;
};
