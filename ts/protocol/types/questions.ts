/**
 * What a server asks of its client: elicitation, sampling, roots, and the round trips that carry them in the modern era.
 * Types only.
 */
import type { AudioContent, ContentBlock, ImageContent, Role, TextContent } from './content.js';
import type { JSONObject, MetaObject, NotificationParams, RequestParams, Result } from './json-rpc.js';
import type { Tool } from './offers.js';
import type { TaskAugmentedRequestParams } from './tasks.js';

// --------------------------------------------------------------------------------------------------- elicitation

type Labelled = { title?: string; description?: string };
export type BooleanSchema = Labelled & { type: 'boolean'; default?: boolean };
export type StringSchema = Labelled & {
  type: 'string';
  minLength?: number;
  maxLength?: number;
  format?: 'email' | 'uri' | 'date' | 'date-time';
  default?: string;
};
export type NumberSchema = Labelled & {
  type: 'number' | 'integer';
  minimum?: number;
  maximum?: number;
  default?: number;
};
type Titled = { const: string; title: string };
export type UntitledSingleSelectEnumSchema = Labelled & { type: 'string'; enum: string[]; default?: string };
export type TitledSingleSelectEnumSchema = Labelled & { type: 'string'; oneOf: Titled[]; default?: string };
/** The form of before 2025-11-25. */
export type LegacyTitledEnumSchema = Labelled & {
  type: 'string';
  enum: string[];
  enumNames?: string[];
  default?: string;
};
type Many = Labelled & { type: 'array'; minItems?: number; maxItems?: number; default?: string[] };
export type UntitledMultiSelectEnumSchema = Many & { items: { type: 'string'; enum: string[] } };
export type TitledMultiSelectEnumSchema = Many & { items: { anyOf: Titled[] } };
export type SingleSelectEnumSchema = UntitledSingleSelectEnumSchema | TitledSingleSelectEnumSchema;
export type MultiSelectEnumSchema = UntitledMultiSelectEnumSchema | TitledMultiSelectEnumSchema;
export type EnumSchema = LegacyTitledEnumSchema | SingleSelectEnumSchema | MultiSelectEnumSchema;
/** All that a form may ask for. */
export type PrimitiveSchemaDefinition = EnumSchema | BooleanSchema | StringSchema | NumberSchema;

export type ElicitRequestFormParams = TaskAugmentedRequestParams & {
  mode?: 'form';
  message: string;
  requestedSchema: {
    type: 'object';
    properties: { [name: string]: PrimitiveSchemaDefinition };
    required?: string[];
    [key: string]: unknown;
  };
};
export type ElicitRequestURLParams = TaskAugmentedRequestParams & {
  mode: 'url';
  message: string;
  /** Names it in the notification of its completion (legacy). */
  elicitationId: string;
  url: string;
};
export type ElicitRequestParams = ElicitRequestFormParams | ElicitRequestURLParams;
export type ElicitRequest = { method: 'elicitation/create'; params: ElicitRequestParams };
export interface ElicitResult extends Result {
  action: 'accept' | 'decline' | 'cancel';
  /** The filled form, when `action` is `accept`. */
  content?: { [name: string]: string | number | boolean | string[] };
}
export type ElicitationCompleteNotificationParams = NotificationParams & { elicitationId: string };
export type ElicitationCompleteNotification = {
  method: 'notifications/elicitation/complete';
  params: ElicitationCompleteNotificationParams;
};

// ------------------------------------------------------------------------------------------------------ sampling

export type ModelHint = { name?: string };
export type ModelPreferences = {
  hints?: ModelHint[];
  /** 0 to 1, as the two that follow. */
  costPriority?: number;
  speedPriority?: number;
  intelligencePriority?: number;
};
export type ToolChoice = { mode?: 'auto' | 'required' | 'none' };
export type ToolUseContent = {
  type: 'tool_use';
  id: string;
  name: string;
  input: { [name: string]: unknown };
  _meta?: MetaObject;
};
export type ToolResultContent = {
  type: 'tool_result';
  toolUseId: string;
  content: ContentBlock[];
  structuredContent?: unknown;
  isError?: boolean;
  _meta?: MetaObject;
};
export type SamplingContent = TextContent | ImageContent | AudioContent;
export type SamplingMessageContentBlock = SamplingContent | ToolUseContent | ToolResultContent;
export type SamplingMessage = {
  role: Role;
  content: SamplingMessageContentBlock | SamplingMessageContentBlock[];
  _meta?: MetaObject;
};
export type CreateMessageRequestParams = TaskAugmentedRequestParams & {
  messages: SamplingMessage[];
  modelPreferences?: ModelPreferences;
  systemPrompt?: string;
  includeContext?: 'none' | 'thisServer' | 'allServers';
  temperature?: number;
  maxTokens: number;
  stopSequences?: string[];
  metadata?: JSONObject;
  tools?: Tool[];
  toolChoice?: ToolChoice;
};
export type CreateMessageRequestParamsBase = Omit<CreateMessageRequestParams, 'tools' | 'toolChoice'>;
export type CreateMessageRequestParamsWithTools = CreateMessageRequestParams & { tools: Tool[] };
export type CreateMessageRequest = { method: 'sampling/createMessage'; params: CreateMessageRequestParams };
interface Sampled extends Result {
  model: string;
  role: Role;
}
export interface CreateMessageResult extends Sampled {
  stopReason?: 'endTurn' | 'stopSequence' | 'maxTokens' | (string & {});
  content: SamplingContent;
}
export interface CreateMessageResultWithTools extends Sampled {
  stopReason?: 'endTurn' | 'stopSequence' | 'maxTokens' | 'toolUse' | (string & {});
  content: SamplingMessageContentBlock | SamplingMessageContentBlock[];
}

// --------------------------------------------------------------------------------------------------------- roots

export type Root = {
  /** A file: URI. */
  uri: string;
  name?: string;
  _meta?: MetaObject;
};
export type ListRootsRequest = { method: 'roots/list'; params?: RequestParams };
export interface ListRootsResult extends Result {
  roots: Root[];
}
export type RootsListChangedNotification = {
  method: 'notifications/roots/list_changed';
  params?: NotificationParams;
};

// --------------------------------------------------------------------------------------------------- round trips

export type InputRequest = CreateMessageRequest | ListRootsRequest | ElicitRequest;
export type InputResponse = CreateMessageResult | ListRootsResult | ElicitResult;
/** By keys that the server chooses; a retry answers under the same keys. */
export interface InputRequests {
  [key: string]: InputRequest;
}
export interface InputResponses {
  [key: string]: InputResponse;
}
/** A result that asks for more before the request can be answered. One of its two members must be there. */
export interface InputRequiredResult extends Result {
  resultType: 'input_required';
  inputRequests?: InputRequests;
  /** Comes back as it is, through the client's hands: seal what matters. */
  requestState?: string;
}
