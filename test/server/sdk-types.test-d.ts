/**
 * The wire types are the official SDK's: a value of either side's type may be used as the other's. Checked by the
 * compiler, never run: types.test.ts compiles it and fails when it does not.
 */
import type * as Sdk from '@modelcontextprotocol/server';
import type * as Ours from '../../ts/entries/server.js';

type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : 'theirs is not ours') : 'ours is not theirs';
/** An object whose every member is `true`, or it names the types that differ. */
function mutual<T extends { [K in keyof T]: true }>(_?: T): void {}

mutual<{
  Annotations: Mutual<Ours.Annotations, Sdk.Annotations>;
  AudioContent: Mutual<Ours.AudioContent, Sdk.AudioContent>;
  AuthInfo: Mutual<Ours.AuthInfo, Sdk.AuthInfo>;
  AuthorizationServerMetadata: Mutual<Ours.AuthorizationServerMetadata, Sdk.AuthorizationServerMetadata>;
  BaseMetadata: Mutual<Ours.BaseMetadata, Sdk.BaseMetadata>;
  BlobResourceContents: Mutual<Ours.BlobResourceContents, Sdk.BlobResourceContents>;
  BooleanSchema: Mutual<Ours.BooleanSchema, Sdk.BooleanSchema>;
  CacheHint: Mutual<Ours.CacheHint, Sdk.CacheHint>;
  CacheScope: Mutual<Ours.CacheScope, Sdk.CacheScope>;
  CallToolRequest: Mutual<Ours.CallToolRequest, Sdk.CallToolRequest>;
  CallToolRequestParams: Mutual<Ours.CallToolRequestParams, Sdk.CallToolRequestParams>;
  CallToolResult: Mutual<Ours.CallToolResult, Sdk.CallToolResult>;
  CancelTaskRequest: Mutual<Ours.CancelTaskRequest, Sdk.CancelTaskRequest>;
  CancelTaskResult: Mutual<Ours.CancelTaskResult, Sdk.CancelTaskResult>;
  CancelledNotification: Mutual<Ours.CancelledNotification, Sdk.CancelledNotification>;
  CancelledNotificationParams: Mutual<Ours.CancelledNotificationParams, Sdk.CancelledNotificationParams>;
  ClientCapabilities: Mutual<Ours.ClientCapabilities, Sdk.ClientCapabilities>;
  ClientNotification: Mutual<Ours.ClientNotification, Sdk.ClientNotification>;
  ClientRequest: Mutual<Ours.ClientRequest, Sdk.ClientRequest>;
  ClientResult: Mutual<Ours.ClientResult, Sdk.ClientResult>;
  CompatibilityCallToolResult: Mutual<Ours.CompatibilityCallToolResult, Sdk.CompatibilityCallToolResult>;
  CompleteRequest: Mutual<Ours.CompleteRequest, Sdk.CompleteRequest>;
  CompleteRequestParams: Mutual<Ours.CompleteRequestParams, Sdk.CompleteRequestParams>;
  CompleteRequestPrompt: Mutual<Ours.CompleteRequestPrompt, Sdk.CompleteRequestPrompt>;
  CompleteRequestResourceTemplate: Mutual<Ours.CompleteRequestResourceTemplate, Sdk.CompleteRequestResourceTemplate>;
  CompleteResult: Mutual<Ours.CompleteResult, Sdk.CompleteResult>;
  ContentBlock: Mutual<Ours.ContentBlock, Sdk.ContentBlock>;
  CreateMessageRequest: Mutual<Ours.CreateMessageRequest, Sdk.CreateMessageRequest>;
  CreateMessageRequestParams: Mutual<Ours.CreateMessageRequestParams, Sdk.CreateMessageRequestParams>;
  CreateMessageRequestParamsBase: Mutual<Ours.CreateMessageRequestParamsBase, Sdk.CreateMessageRequestParamsBase>;
  CreateMessageRequestParamsWithTools: Mutual<
    Ours.CreateMessageRequestParamsWithTools,
    Sdk.CreateMessageRequestParamsWithTools
  >;
  CreateMessageResult: Mutual<Ours.CreateMessageResult, Sdk.CreateMessageResult>;
  CreateMessageResultWithTools: Mutual<Ours.CreateMessageResultWithTools, Sdk.CreateMessageResultWithTools>;
  CreateTaskResult: Mutual<Ours.CreateTaskResult, Sdk.CreateTaskResult>;
  Cursor: Mutual<Ours.Cursor, Sdk.Cursor>;
  DiscoverRequest: Mutual<Ours.DiscoverRequest, Sdk.DiscoverRequest>;
  DiscoverResult: Mutual<Ours.DiscoverResult, Sdk.DiscoverResult>;
  ElicitRequest: Mutual<Ours.ElicitRequest, Sdk.ElicitRequest>;
  ElicitRequestFormParams: Mutual<Ours.ElicitRequestFormParams, Sdk.ElicitRequestFormParams>;
  ElicitRequestParams: Mutual<Ours.ElicitRequestParams, Sdk.ElicitRequestParams>;
  ElicitRequestURLParams: Mutual<Ours.ElicitRequestURLParams, Sdk.ElicitRequestURLParams>;
  ElicitResult: Mutual<Ours.ElicitResult, Sdk.ElicitResult>;
  ElicitationCompleteNotification: Mutual<Ours.ElicitationCompleteNotification, Sdk.ElicitationCompleteNotification>;
  ElicitationCompleteNotificationParams: Mutual<
    Ours.ElicitationCompleteNotificationParams,
    Sdk.ElicitationCompleteNotificationParams
  >;
  EmbeddedResource: Mutual<Ours.EmbeddedResource, Sdk.EmbeddedResource>;
  EmptyResult: Mutual<Ours.EmptyResult, Sdk.EmptyResult>;
  EnumSchema: Mutual<Ours.EnumSchema, Sdk.EnumSchema>;
  GetPromptRequest: Mutual<Ours.GetPromptRequest, Sdk.GetPromptRequest>;
  GetPromptRequestParams: Mutual<Ours.GetPromptRequestParams, Sdk.GetPromptRequestParams>;
  GetPromptResult: Mutual<Ours.GetPromptResult, Sdk.GetPromptResult>;
  GetTaskPayloadRequest: Mutual<Ours.GetTaskPayloadRequest, Sdk.GetTaskPayloadRequest>;
  GetTaskPayloadResult: Mutual<Ours.GetTaskPayloadResult, Sdk.GetTaskPayloadResult>;
  GetTaskRequest: Mutual<Ours.GetTaskRequest, Sdk.GetTaskRequest>;
  GetTaskResult: Mutual<Ours.GetTaskResult, Sdk.GetTaskResult>;
  HandlerResultTypeMap: Mutual<Ours.HandlerResultTypeMap, Sdk.HandlerResultTypeMap>;
  Icon: Mutual<Ours.Icon, Sdk.Icon>;
  Icons: Mutual<Ours.Icons, Sdk.Icons>;
  IdJagTokenExchangeResponse: Mutual<Ours.IdJagTokenExchangeResponse, Sdk.IdJagTokenExchangeResponse>;
  ImageContent: Mutual<Ours.ImageContent, Sdk.ImageContent>;
  Implementation: Mutual<Ours.Implementation, Sdk.Implementation>;
  InitializeRequest: Mutual<Ours.InitializeRequest, Sdk.InitializeRequest>;
  InitializeRequestParams: Mutual<Ours.InitializeRequestParams, Sdk.InitializeRequestParams>;
  InitializeResult: Mutual<Ours.InitializeResult, Sdk.InitializeResult>;
  InitializedNotification: Mutual<Ours.InitializedNotification, Sdk.InitializedNotification>;
  InputRequest: Mutual<Ours.InputRequest, Sdk.InputRequest>;
  InputRequests: Mutual<Ours.InputRequests, Sdk.InputRequests>;
  InputRequiredResult: Mutual<Ours.InputRequiredResult, Sdk.InputRequiredResult>;
  InputResponse: Mutual<Ours.InputResponse, Sdk.InputResponse>;
  InputResponses: Mutual<Ours.InputResponses, Sdk.InputResponses>;
  InternalError: Mutual<Ours.InternalError, Sdk.InternalError>;
  InvalidParamsError: Mutual<Ours.InvalidParamsError, Sdk.InvalidParamsError>;
  InvalidRequestError: Mutual<Ours.InvalidRequestError, Sdk.InvalidRequestError>;
  JSONArray: Mutual<Ours.JSONArray, Sdk.JSONArray>;
  JSONObject: Mutual<Ours.JSONObject, Sdk.JSONObject>;
  JSONRPCErrorResponse: Mutual<Ours.JSONRPCErrorResponse, Sdk.JSONRPCErrorResponse>;
  JSONRPCMessage: Mutual<Ours.JSONRPCMessage, Sdk.JSONRPCMessage>;
  JSONRPCNotification: Mutual<Ours.JSONRPCNotification, Sdk.JSONRPCNotification>;
  JSONRPCRequest: Mutual<Ours.JSONRPCRequest, Sdk.JSONRPCRequest>;
  JSONRPCResponse: Mutual<Ours.JSONRPCResponse, Sdk.JSONRPCResponse>;
  JSONRPCResultResponse: Mutual<Ours.JSONRPCResultResponse, Sdk.JSONRPCResultResponse>;
  JSONValue: Mutual<Ours.JSONValue, Sdk.JSONValue>;
  JsonSchemaType: Mutual<Ours.JsonSchemaType, Sdk.JsonSchemaType>;
  LegacyTitledEnumSchema: Mutual<Ours.LegacyTitledEnumSchema, Sdk.LegacyTitledEnumSchema>;
  ListChangedHandlers: Mutual<Ours.ListChangedHandlers, Sdk.ListChangedHandlers>;
  ListPromptsRequest: Mutual<Ours.ListPromptsRequest, Sdk.ListPromptsRequest>;
  ListPromptsResult: Mutual<Ours.ListPromptsResult, Sdk.ListPromptsResult>;
  ListResourceTemplatesRequest: Mutual<Ours.ListResourceTemplatesRequest, Sdk.ListResourceTemplatesRequest>;
  ListResourceTemplatesResult: Mutual<Ours.ListResourceTemplatesResult, Sdk.ListResourceTemplatesResult>;
  ListResourcesRequest: Mutual<Ours.ListResourcesRequest, Sdk.ListResourcesRequest>;
  ListResourcesResult: Mutual<Ours.ListResourcesResult, Sdk.ListResourcesResult>;
  ListRootsRequest: Mutual<Ours.ListRootsRequest, Sdk.ListRootsRequest>;
  ListRootsResult: Mutual<Ours.ListRootsResult, Sdk.ListRootsResult>;
  ListTasksRequest: Mutual<Ours.ListTasksRequest, Sdk.ListTasksRequest>;
  ListTasksResult: Mutual<Ours.ListTasksResult, Sdk.ListTasksResult>;
  ListToolsRequest: Mutual<Ours.ListToolsRequest, Sdk.ListToolsRequest>;
  ListToolsResult: Mutual<Ours.ListToolsResult, Sdk.ListToolsResult>;
  LoggingLevel: Mutual<Ours.LoggingLevel, Sdk.LoggingLevel>;
  LoggingMessageNotification: Mutual<Ours.LoggingMessageNotification, Sdk.LoggingMessageNotification>;
  LoggingMessageNotificationParams: Mutual<Ours.LoggingMessageNotificationParams, Sdk.LoggingMessageNotificationParams>;
  MessageClassification: Mutual<Ours.MessageClassification, Sdk.MessageClassification>;
  MessageExtraInfo: Mutual<Ours.MessageExtraInfo, Sdk.MessageExtraInfo>;
  MetaObject: Mutual<Ours.MetaObject, Sdk.MetaObject>;
  MethodNotFoundError: Mutual<Ours.MethodNotFoundError, Sdk.MethodNotFoundError>;
  ModelHint: Mutual<Ours.ModelHint, Sdk.ModelHint>;
  ModelPreferences: Mutual<Ours.ModelPreferences, Sdk.ModelPreferences>;
  MultiSelectEnumSchema: Mutual<Ours.MultiSelectEnumSchema, Sdk.MultiSelectEnumSchema>;
  Notification: Mutual<Ours.Notification, Sdk.Notification>;
  NotificationMethod: Mutual<Ours.NotificationMethod, Sdk.NotificationMethod>;
  NotificationParams: Mutual<Ours.NotificationParams, Sdk.NotificationParams>;
  NotificationTypeMap: Mutual<Ours.NotificationTypeMap, Sdk.NotificationTypeMap>;
  NumberSchema: Mutual<Ours.NumberSchema, Sdk.NumberSchema>;
  OAuthClientInformation: Mutual<Ours.OAuthClientInformation, Sdk.OAuthClientInformation>;
  OAuthClientInformationFull: Mutual<Ours.OAuthClientInformationFull, Sdk.OAuthClientInformationFull>;
  OAuthClientInformationMixed: Mutual<Ours.OAuthClientInformationMixed, Sdk.OAuthClientInformationMixed>;
  OAuthClientMetadata: Mutual<Ours.OAuthClientMetadata, Sdk.OAuthClientMetadata>;
  OAuthClientRegistrationError: Mutual<Ours.OAuthClientRegistrationError, Sdk.OAuthClientRegistrationError>;
  OAuthErrorResponse: Mutual<Ours.OAuthErrorResponse, Sdk.OAuthErrorResponse>;
  OAuthMetadata: Mutual<Ours.OAuthMetadata, Sdk.OAuthMetadata>;
  OAuthProtectedResourceMetadata: Mutual<Ours.OAuthProtectedResourceMetadata, Sdk.OAuthProtectedResourceMetadata>;
  OAuthTokenRevocationRequest: Mutual<Ours.OAuthTokenRevocationRequest, Sdk.OAuthTokenRevocationRequest>;
  OAuthTokens: Mutual<Ours.OAuthTokens, Sdk.OAuthTokens>;
  OpenIdProviderDiscoveryMetadata: Mutual<Ours.OpenIdProviderDiscoveryMetadata, Sdk.OpenIdProviderDiscoveryMetadata>;
  OpenIdProviderMetadata: Mutual<Ours.OpenIdProviderMetadata, Sdk.OpenIdProviderMetadata>;
  PaginatedRequest: Mutual<Ours.PaginatedRequest, Sdk.PaginatedRequest>;
  PaginatedRequestParams: Mutual<Ours.PaginatedRequestParams, Sdk.PaginatedRequestParams>;
  PaginatedResult: Mutual<Ours.PaginatedResult, Sdk.PaginatedResult>;
  ParseError: Mutual<Ours.ParseError, Sdk.ParseError>;
  PingRequest: Mutual<Ours.PingRequest, Sdk.PingRequest>;
  PrimitiveSchemaDefinition: Mutual<Ours.PrimitiveSchemaDefinition, Sdk.PrimitiveSchemaDefinition>;
  Progress: Mutual<Ours.Progress, Sdk.Progress>;
  ProgressNotification: Mutual<Ours.ProgressNotification, Sdk.ProgressNotification>;
  ProgressNotificationParams: Mutual<Ours.ProgressNotificationParams, Sdk.ProgressNotificationParams>;
  ProgressToken: Mutual<Ours.ProgressToken, Sdk.ProgressToken>;
  Prompt: Mutual<Ours.Prompt, Sdk.Prompt>;
  PromptArgument: Mutual<Ours.PromptArgument, Sdk.PromptArgument>;
  PromptListChangedNotification: Mutual<Ours.PromptListChangedNotification, Sdk.PromptListChangedNotification>;
  PromptMessage: Mutual<Ours.PromptMessage, Sdk.PromptMessage>;
  PromptReference: Mutual<Ours.PromptReference, Sdk.PromptReference>;
  ProtocolEra: Mutual<Ours.ProtocolEra, Sdk.ProtocolEra>;
  ReadResourceRequest: Mutual<Ours.ReadResourceRequest, Sdk.ReadResourceRequest>;
  ReadResourceRequestParams: Mutual<Ours.ReadResourceRequestParams, Sdk.ReadResourceRequestParams>;
  ReadResourceResult: Mutual<Ours.ReadResourceResult, Sdk.ReadResourceResult>;
  RelatedTaskMetadata: Mutual<Ours.RelatedTaskMetadata, Sdk.RelatedTaskMetadata>;
  Request: Mutual<Ours.Request, Sdk.Request>;
  RequestId: Mutual<Ours.RequestId, Sdk.RequestId>;
  RequestMeta: Mutual<Ours.RequestMeta, Sdk.RequestMeta>;
  RequestMetaObject: Mutual<Ours.RequestMetaObject, Sdk.RequestMetaObject>;
  RequestMethod: Mutual<Ours.RequestMethod, Sdk.RequestMethod>;
  RequestParams: Mutual<Ours.RequestParams, Sdk.RequestParams>;
  RequestTypeMap: Mutual<Ours.RequestTypeMap, Sdk.RequestTypeMap>;
  Resource: Mutual<Ours.Resource, Sdk.Resource>;
  ResourceContents: Mutual<Ours.ResourceContents, Sdk.ResourceContents>;
  ResourceLink: Mutual<Ours.ResourceLink, Sdk.ResourceLink>;
  ResourceListChangedNotification: Mutual<Ours.ResourceListChangedNotification, Sdk.ResourceListChangedNotification>;
  ResourceRequestParams: Mutual<Ours.ResourceRequestParams, Sdk.ResourceRequestParams>;
  ResourceTemplateReference: Mutual<Ours.ResourceTemplateReference, Sdk.ResourceTemplateReference>;
  ResourceTemplateType: Mutual<Ours.ResourceTemplateType, Sdk.ResourceTemplateType>;
  ResourceUpdatedNotification: Mutual<Ours.ResourceUpdatedNotification, Sdk.ResourceUpdatedNotification>;
  ResourceUpdatedNotificationParams: Mutual<
    Ours.ResourceUpdatedNotificationParams,
    Sdk.ResourceUpdatedNotificationParams
  >;
  Result: Mutual<Ours.Result, Sdk.Result>;
  ResultMetaObject: Mutual<Ours.ResultMetaObject, Sdk.ResultMetaObject>;
  ResultTypeMap: Mutual<Ours.ResultTypeMap, Sdk.ResultTypeMap>;
  Role: Mutual<Ours.Role, Sdk.Role>;
  Root: Mutual<Ours.Root, Sdk.Root>;
  RootsListChangedNotification: Mutual<Ours.RootsListChangedNotification, Sdk.RootsListChangedNotification>;
  SamplingContent: Mutual<Ours.SamplingContent, Sdk.SamplingContent>;
  SamplingMessage: Mutual<Ours.SamplingMessage, Sdk.SamplingMessage>;
  SamplingMessageContentBlock: Mutual<Ours.SamplingMessageContentBlock, Sdk.SamplingMessageContentBlock>;
  ServerCapabilities: Mutual<Ours.ServerCapabilities, Sdk.ServerCapabilities>;
  ServerNotification: Mutual<Ours.ServerNotification, Sdk.ServerNotification>;
  ServerRequest: Mutual<Ours.ServerRequest, Sdk.ServerRequest>;
  ServerResult: Mutual<Ours.ServerResult, Sdk.ServerResult>;
  SetLevelRequest: Mutual<Ours.SetLevelRequest, Sdk.SetLevelRequest>;
  SetLevelRequestParams: Mutual<Ours.SetLevelRequestParams, Sdk.SetLevelRequestParams>;
  SingleSelectEnumSchema: Mutual<Ours.SingleSelectEnumSchema, Sdk.SingleSelectEnumSchema>;
  StoredOAuthClientInformation: Mutual<Ours.StoredOAuthClientInformation, Sdk.StoredOAuthClientInformation>;
  StoredOAuthTokens: Mutual<Ours.StoredOAuthTokens, Sdk.StoredOAuthTokens>;
  StringSchema: Mutual<Ours.StringSchema, Sdk.StringSchema>;
  SubscribeRequest: Mutual<Ours.SubscribeRequest, Sdk.SubscribeRequest>;
  SubscribeRequestParams: Mutual<Ours.SubscribeRequestParams, Sdk.SubscribeRequestParams>;
  SubscriptionFilter: Mutual<Ours.SubscriptionFilter, Sdk.SubscriptionFilter>;
  SubscriptionsAcknowledgedNotification: Mutual<
    Ours.SubscriptionsAcknowledgedNotification,
    Sdk.SubscriptionsAcknowledgedNotification
  >;
  SubscriptionsAcknowledgedNotificationParams: Mutual<
    Ours.SubscriptionsAcknowledgedNotificationParams,
    Sdk.SubscriptionsAcknowledgedNotificationParams
  >;
  SubscriptionsListenRequest: Mutual<Ours.SubscriptionsListenRequest, Sdk.SubscriptionsListenRequest>;
  SubscriptionsListenRequestParams: Mutual<Ours.SubscriptionsListenRequestParams, Sdk.SubscriptionsListenRequestParams>;
  SubscriptionsListenResult: Mutual<Ours.SubscriptionsListenResult, Sdk.SubscriptionsListenResult>;
  SubscriptionsListenResultMeta: Mutual<Ours.SubscriptionsListenResultMeta, Sdk.SubscriptionsListenResultMeta>;
  Task: Mutual<Ours.Task, Sdk.Task>;
  TaskAugmentedRequestParams: Mutual<Ours.TaskAugmentedRequestParams, Sdk.TaskAugmentedRequestParams>;
  TaskCreationParams: Mutual<Ours.TaskCreationParams, Sdk.TaskCreationParams>;
  TaskMetadata: Mutual<Ours.TaskMetadata, Sdk.TaskMetadata>;
  TaskStatus: Mutual<Ours.TaskStatus, Sdk.TaskStatus>;
  TaskStatusNotification: Mutual<Ours.TaskStatusNotification, Sdk.TaskStatusNotification>;
  TaskStatusNotificationParams: Mutual<Ours.TaskStatusNotificationParams, Sdk.TaskStatusNotificationParams>;
  TextContent: Mutual<Ours.TextContent, Sdk.TextContent>;
  TextResourceContents: Mutual<Ours.TextResourceContents, Sdk.TextResourceContents>;
  TitledMultiSelectEnumSchema: Mutual<Ours.TitledMultiSelectEnumSchema, Sdk.TitledMultiSelectEnumSchema>;
  TitledSingleSelectEnumSchema: Mutual<Ours.TitledSingleSelectEnumSchema, Sdk.TitledSingleSelectEnumSchema>;
  Tool: Mutual<Ours.Tool, Sdk.Tool>;
  ToolAnnotations: Mutual<Ours.ToolAnnotations, Sdk.ToolAnnotations>;
  ToolChoice: Mutual<Ours.ToolChoice, Sdk.ToolChoice>;
  ToolExecution: Mutual<Ours.ToolExecution, Sdk.ToolExecution>;
  ToolListChangedNotification: Mutual<Ours.ToolListChangedNotification, Sdk.ToolListChangedNotification>;
  ToolResultContent: Mutual<Ours.ToolResultContent, Sdk.ToolResultContent>;
  ToolUseContent: Mutual<Ours.ToolUseContent, Sdk.ToolUseContent>;
  UnsubscribeRequest: Mutual<Ours.UnsubscribeRequest, Sdk.UnsubscribeRequest>;
  UnsubscribeRequestParams: Mutual<Ours.UnsubscribeRequestParams, Sdk.UnsubscribeRequestParams>;
  UntitledMultiSelectEnumSchema: Mutual<Ours.UntitledMultiSelectEnumSchema, Sdk.UntitledMultiSelectEnumSchema>;
  UntitledSingleSelectEnumSchema: Mutual<Ours.UntitledSingleSelectEnumSchema, Sdk.UntitledSingleSelectEnumSchema>;
}>();

interface Item {
  a: 1;
}
mutual<{
  ListChangedCallback: Mutual<Ours.ListChangedCallback<Item>, Sdk.ListChangedCallback<Item>>;
  ListChangedOptions: Mutual<Ours.ListChangedOptions<Item>, Sdk.ListChangedOptions<Item>>;
  StandardSchemaV1: Mutual<Ours.StandardSchemaV1<Item>, Sdk.StandardSchemaV1<Item>>;
  StandardSchemaV1Sync: Mutual<Ours.StandardSchemaV1Sync<Item>, Sdk.StandardSchemaV1Sync<Item>>;
  StandardSchemaWithJSON: Mutual<Ours.StandardSchemaWithJSON<Item>, Sdk.StandardSchemaWithJSON<Item>>;
  InferOutput: Mutual<
    Ours.StandardSchemaV1.InferOutput<Sdk.StandardSchemaV1<1, Item>>,
    Sdk.StandardSchemaV1.InferOutput<Ours.StandardSchemaV1<1, Item>>
  >;
  JsonSchemaValidator: Mutual<Ours.JsonSchemaValidator<Item>, Sdk.JsonSchemaValidator<Item>>;
  JsonSchemaValidatorResult: Mutual<Ours.JsonSchemaValidatorResult<Item>, Sdk.JsonSchemaValidatorResult<Item>>;
  SpecTypes: Mutual<Ours.SpecTypes, Sdk.SpecTypes>;
  SpecTypeName: Mutual<Ours.SpecTypeName, Sdk.SpecTypeName>;
  ElicitInputParams: Mutual<Ours.ElicitInputParams, Sdk.ElicitInputParams>;
  InputRequiredSpec: Mutual<Ours.InputRequiredSpec, Sdk.InputRequiredSpec>;
  InputResponseView: Mutual<Ours.InputResponseView, Sdk.InputResponseView>;
  OAuthTokenVerifier: Mutual<Ours.OAuthTokenVerifier, Sdk.OAuthTokenVerifier>;
  BearerAuthOptions: Mutual<Ours.BearerAuthOptions, Sdk.BearerAuthOptions>;
  VerifyBearerTokenOptions: Mutual<Ours.VerifyBearerTokenOptions, Sdk.VerifyBearerTokenOptions>;
  AuthMetadataOptions: Mutual<Ours.AuthMetadataOptions, Sdk.AuthMetadataOptions>;
  ScopeChallenge: Mutual<Ours.ScopeChallenge, Sdk.ScopeChallenge>;
  ScopeChallengeHandler: Mutual<Ours.ScopeChallengeHandler, Sdk.ScopeChallengeHandler>;
  FetchLike: Mutual<Ours.FetchLike, Sdk.FetchLike>;
  SdkHttpErrorData: Mutual<Ours.SdkHttpErrorData, Sdk.SdkHttpErrorData>;
}>();

// The API: what users write against either package is taken by the other, and what they are given has all that the
// official one has. Members of our own come on top.
function takes<To, From extends To>(_?: From): void {}
takes<Sdk.ServerContext, Ours.ServerContext>();
takes<Sdk.BaseContext, Ours.ServerContext>();
takes<Sdk.McpHttpHandler, Ours.McpHttpHandler>();
takes<Sdk.ServerNotifier, Ours.ServerNotifier>();
takes<Sdk.RequestStateCodec, Ours.RequestStateCodec>();
takes<Sdk.InboundClassificationOutcome, Ours.InboundClassificationOutcome>();
takes<Ours.CreateMcpHandlerOptions, Sdk.CreateMcpHandlerOptions>();
takes<Ours.RequestStateCodecOptions, Sdk.RequestStateCodecOptions>();
takes<Ours.InboundHttpRequest, Sdk.InboundHttpRequest>();
takes<Ours.ProtocolOptions, Sdk.ProtocolOptions>();
takes<Ours.NotificationOptions, Sdk.NotificationOptions>();
takes<Ours.ServerOptions, Sdk.ServerOptions>();
takes<Ours.McpServerOptions, Sdk.McpServerOptions>();
takes<Ours.ToolCallback, Sdk.ToolCallback>();
takes<Ours.PromptCallback, Sdk.PromptCallback>();
takes<Ours.ReadResourceCallback, Sdk.ReadResourceCallback>();
takes<Ours.ReadResourceTemplateCallback, Sdk.ReadResourceTemplateCallback>();
takes<Ours.ListResourcesCallback, Sdk.ListResourcesCallback>();
mutual<{
  BaseContext: Mutual<Ours.BaseContext, Sdk.BaseContext>;
  CompleteResourceTemplateCallback: Mutual<Ours.CompleteResourceTemplateCallback, Sdk.CompleteResourceTemplateCallback>;
  EventStore: Mutual<Ours.EventStore, Sdk.EventStore>;
  HostHeaderValidationResult: Mutual<Ours.HostHeaderValidationResult, Sdk.HostHeaderValidationResult>;
  McpHandlerRequestOptions: Mutual<Ours.McpHandlerRequestOptions, Sdk.McpHandlerRequestOptions>;
  McpRequestContext: Mutual<Ours.McpRequestContext, Sdk.McpRequestContext>;
  OriginValidationResult: Mutual<Ours.OriginValidationResult, Sdk.OriginValidationResult>;
  RequestHandlerSchemas: Mutual<Ours.RequestHandlerSchemas, Sdk.RequestHandlerSchemas>;
  RequestOptions: Mutual<Ours.RequestOptions, Sdk.RequestOptions>;
  ResourceMetadata: Mutual<Ours.ResourceMetadata, Sdk.ResourceMetadata>;
  ServerEventBus: Mutual<Ours.ServerEventBus, Sdk.ServerEventBus>;
  Transport: Mutual<Ours.Transport, Sdk.Transport>;
  TransportSendOptions: Mutual<Ours.TransportSendOptions, Sdk.TransportSendOptions>;
}>();

// Closed shapes are plain records too.
function record(_: Record<string, unknown>): void {}
declare const tool: Ours.Tool;
declare const params: Ours.CreateMessageRequestParams;
declare const block: Ours.ContentBlock;
record(tool);
record(params);
record(block);
