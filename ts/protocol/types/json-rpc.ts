/**
 * JSON values, JSON-RPC messages, and what every request, notification and result has. Types only.
 *
 * Object types are aliases rather than interfaces wherever the wire shape is closed: an alias may be handed to whatever
 * takes `Record<string, unknown>`, an interface may not.
 */
import type { Implementation } from './parties.js';

export type JSONValue = string | number | boolean | null | JSONObject | JSONArray;
export type JSONObject = { [key: string]: JSONValue };
export type JSONArray = JSONValue[];

/** Modern: every request carries version and capabilities. Legacy: an `initialize` handshake establishes them. */
export type ProtocolEra = 'modern' | 'legacy';

export type RequestId = string | number;
export type ProgressToken = string | number;
export type Cursor = string;
export type MetaObject = Record<string, unknown>;

/** `_meta` of a request; besides these it may carry anything, trace context among it. */
export type RequestMeta = {
  /** Asks for progress notifications that carry this token. */
  progressToken?: ProgressToken;
  /** Legacy 2025-11-25 only: the task that the message belongs to. */
  'io.modelcontextprotocol/related-task'?: { taskId: string };
  [key: string]: unknown;
};
export type RequestMetaObject = RequestMeta;

/** `_meta` of a result. */
export type ResultMetaObject = {
  /** Name and version that the server claims to have. */
  'io.modelcontextprotocol/serverInfo'?: Implementation;
  [key: string]: unknown;
};

export type RequestParams = { _meta?: RequestMeta };
export type NotificationParams = { _meta?: RequestMeta };

export type Request = {
  method: string;
  params?: { _meta?: RequestMeta; [key: string]: unknown };
};
export type Notification = {
  method: string;
  params?: { _meta?: RequestMeta; [key: string]: unknown };
};

/** `complete`, `input_required`, or what an extension adds. Absent in legacy results. */
export type ResultType = 'complete' | 'input_required' | (string & {});

export interface Result {
  _meta?: ResultMetaObject;
  resultType?: ResultType;
  [key: string]: unknown;
}
export type EmptyResult = Result;

export type Progress = {
  progress: number;
  /** In the unit of `progress`, when it is known. */
  total?: number;
  message?: string;
};
export type ProgressNotificationParams = NotificationParams & Progress & { progressToken: ProgressToken };
export type ProgressNotification = { method: 'notifications/progress'; params: ProgressNotificationParams };

export type CancelledNotificationParams = NotificationParams & {
  requestId?: RequestId;
  /** For logs and displays. */
  reason?: string;
};
export type CancelledNotification = { method: 'notifications/cancelled'; params: CancelledNotificationParams };

export type PingRequest = { method: 'ping'; params?: RequestParams };

// ------------------------------------------------------------------------------------------------------ messages

export type JSONRPCRequest = Request & { jsonrpc: '2.0'; id: RequestId };
export type JSONRPCNotification = Notification & { jsonrpc: '2.0' };
export type JSONRPCResultResponse = { jsonrpc: '2.0'; id: RequestId; result: Result };
export type JSONRPCErrorResponse = {
  jsonrpc: '2.0';
  /** Absent when the request could not be read. */
  id?: RequestId;
  error: { code: number; message: string; data?: unknown };
};
export type JSONRPCResponse = JSONRPCResultResponse | JSONRPCErrorResponse;
export type JSONRPCMessage = JSONRPCRequest | JSONRPCNotification | JSONRPCResultResponse | JSONRPCErrorResponse;

interface ErrorObject {
  code: number;
  message: string;
  data?: unknown;
}
export interface ParseError extends ErrorObject {
  code: -32700;
}
export interface InvalidRequestError extends ErrorObject {
  code: -32600;
}
export interface MethodNotFoundError extends ErrorObject {
  code: -32601;
}
export interface InvalidParamsError extends ErrorObject {
  code: -32602;
}
export interface InternalError extends ErrorObject {
  code: -32603;
}

// --------------------------------------------------------------------------------------------- lists, freshness

export type PaginatedRequestParams = RequestParams & {
  /** What the last page gave as `nextCursor`. */
  cursor?: Cursor;
};
export type PaginatedRequest = { method: string; params?: PaginatedRequestParams };
export interface PaginatedResult extends Result {
  nextCursor?: Cursor;
}

export type CacheScope = 'public' | 'private';
/** Freshness of a cacheable result; absent members take the defaults `0` and `private`. */
export interface CacheHint {
  /** How long the result may be reused, in milliseconds. */
  ttlMs?: number;
  /** Whether shared caches may keep it. */
  cacheScope?: CacheScope;
}
