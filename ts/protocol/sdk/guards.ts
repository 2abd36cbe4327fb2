/**
 * Type guards for messages and results, as the specification's schemas decide, and the parser of JSON-RPC messages for
 * transports of one's own. JSON-RPC is checked by hand: it is asked for every message, and needs no schema loaded.
 */
import type {
  CallToolResult,
  CompleteRequest,
  CompleteRequestPrompt,
  CompleteRequestResourceTemplate,
  InitializedNotification,
  InitializeRequest,
  InputRequiredResult,
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
  JSONRPCResultResponse,
  TaskAugmentedRequestParams,
} from '../types.js';
import { RELATED_TASK_META_KEY, SERVER_INFO_META_KEY } from './constants.js';
import { specSchema } from './schemas.js';

type Members = Record<string, unknown>;

export const isJSONRPCRequest = (value: unknown): value is JSONRPCRequest =>
  isEnvelope(value, ['id', 'method', 'params']) && isId(value.id) && isCall(value);

export const isJSONRPCNotification = (value: unknown): value is JSONRPCNotification =>
  isEnvelope(value, ['method', 'params']) && isCall(value);

export const isJSONRPCResultResponse = (value: unknown): value is JSONRPCResultResponse =>
  isEnvelope(value, ['id', 'result']) &&
  isId(value.id) &&
  isObject(value.result) &&
  (value.result._meta === undefined || isObject(value.result._meta));

export const isJSONRPCErrorResponse = (value: unknown): value is JSONRPCErrorResponse =>
  isEnvelope(value, ['id', 'error']) &&
  (value.id === undefined || isId(value.id)) &&
  isObject(value.error) &&
  Number.isSafeInteger(value.error.code) &&
  typeof value.error.message === 'string';

export const isJSONRPCResponse = (value: unknown): value is JSONRPCResponse =>
  isJSONRPCResultResponse(value) || isJSONRPCErrorResponse(value);

/**
 * A decoded value as a JSON-RPC message.
 * @throws {ZodError} that says what is wrong with it
 */
export function parseJSONRPCMessage(value: unknown): JSONRPCMessage {
  const regular = isJSONRPCRequest(value) || isJSONRPCNotification(value) || isJSONRPCResponse(value);
  // What the schema would leave out of its copy, it leaves out itself.
  if (regular && !isTrimmed(value)) return value;
  return specSchema('JSONRPCMessage').parse(value) as JSONRPCMessage;
}

export const isCallToolResult = (value: unknown): value is CallToolResult =>
  // The schema has a default for content, the type has not.
  isObject(value) && value.content !== undefined && specSchema('CallToolResult').safeParse(value).success;

/** Tells by the discriminator alone. */
export const isInputRequiredResult = (value: unknown): value is InputRequiredResult =>
  isObject(value) && value.resultType === 'input_required';

export const isTaskAugmentedRequestParams = (value: unknown): value is TaskAugmentedRequestParams =>
  isObject(value) &&
  isRequestMeta(value._meta) &&
  (value.task === undefined ||
    (isObject(value.task) && (value.task.ttl === undefined || Number.isFinite(value.task.ttl))));

export const isInitializeRequest = (value: unknown): value is InitializeRequest =>
  isObject(value) && value.method === 'initialize' && specSchema('InitializeRequest').safeParse(value).success;

export const isInitializedNotification = (value: unknown): value is InitializedNotification =>
  isObject(value) &&
  value.method === 'notifications/initialized' &&
  (value.params === undefined || (isObject(value.params) && isRequestMeta(value.params._meta)));

/** @throws TypeError when it completes something else */
export function assertCompleteRequestPrompt(request: CompleteRequest): asserts request is CompleteRequestPrompt {
  if (request.params.ref.type !== 'ref/prompt') {
    throw new TypeError(`Expected CompleteRequestPrompt, but got ${request.params.ref.type}`);
  }
}

/** @throws TypeError when it completes something else */
export function assertCompleteRequestResourceTemplate(
  request: CompleteRequest,
): asserts request is CompleteRequestResourceTemplate {
  if (request.params.ref.type !== 'ref/resource') {
    throw new TypeError(`Expected CompleteRequestResourceTemplate, but got ${request.params.ref.type}`);
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEnvelope(value: unknown, members: readonly string[]): value is Members {
  if (!isObject(value) || value.jsonrpc !== '2.0') return false;
  for (const key in value) if (key !== 'jsonrpc' && !members.includes(key)) return false;
  return true;
}

function isId(value: unknown): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function isCall(value: Members): boolean {
  const { method, params } = value;
  return typeof method === 'string' && (params === undefined || (isObject(params) && isRequestMeta(params._meta)));
}

function isRequestMeta(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isObject(value)) return false;
  const task = value[RELATED_TASK_META_KEY];
  return (
    (value.progressToken === undefined || isId(value.progressToken)) &&
    (task === undefined || (isObject(task) && typeof task.taskId === 'string'))
  );
}

/** Whether a regular message holds one of the few closed objects that the schema copies without strangers. */
function isTrimmed(message: JSONRPCMessage): boolean {
  if ('error' in message) return Object.keys(message.error).some((key) => !['code', 'message', 'data'].includes(key));
  const meta = ('result' in message ? message.result : message.params)?._meta;
  return (
    meta !== undefined && (Object.hasOwn(meta, SERVER_INFO_META_KEY) || Object.hasOwn(meta, RELATED_TASK_META_KEY))
  );
}
