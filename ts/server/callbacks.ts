/**
 * Types around handlers that only code for the official SDK names. Types only.
 */
import type { RequestContext } from '../protocol/context.js';
import type { McpRequest } from '../protocol/mcp-request.js';
import type { AuthInfo, Result, StandardSchemaWithJSON } from '../protocol/types.js';
import type { ToolCallback } from './types.js';

/** Reads the state that the round before sealed; its type is the caller's word. */
export type RequestStateAccessor = <T = unknown>() => T | undefined;

/** What every handler is told, on servers and on clients. */
export type BaseContext = {
  sessionId?: string;
  mcpReq: Pick<McpRequest, 'id' | 'method' | 'signal' | 'requestState' | 'send' | 'notify'> &
    Partial<Pick<McpRequest, '_meta' | 'envelope' | 'inputResponses' | 'droppedInputResponseKeys'>>;
  http?: { authInfo?: AuthInfo };
};
export type ClientContext = BaseContext;

/** A handler that gives `R`: with arguments when there is a schema for them. */
export type BaseToolCallback<
  R extends Result,
  Ctx extends RequestContext,
  Args extends StandardSchemaWithJSON | undefined,
> = Args extends StandardSchemaWithJSON
  ? (args: StandardSchemaWithJSON.InferOutput<Args>, ctx: Ctx) => R | Promise<R>
  : (ctx: Ctx) => R | Promise<R>;

export type AnyToolHandler<Args extends StandardSchemaWithJSON | undefined = undefined> = ToolCallback<Args>;
