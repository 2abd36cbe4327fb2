/**
 * `ctx.mcpReq`: the request in the names and shapes of the official SDK. A view on the context without state of its own;
 * its functions may be taken out of the object, as handlers written for that SDK do.
 */
import type { RequestContext } from './context.js';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from './revisions.js';
import type { LoggingLevel, MetaObject, Notification, RequestId } from './types.js';

const ENVELOPE_KEYS = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
]);

export class McpRequest {
  /** Method name, such as `tools/call`. */
  readonly method: string;
  readonly #context: RequestContext;

  constructor(context: RequestContext, method: string) {
    this.#context = context;
    this.method = method;
  }

  /** The JSON-RPC id of the request. */
  get id(): RequestId {
    return this.#context.requestId;
  }

  /** Aborted when the client leaves or cancels. */
  get signal(): AbortSignal {
    return this.#context.signal;
  }

  /** `params._meta` without the keys of the modern envelope; undefined when nothing else was sent. */
  get _meta(): MetaObject | undefined {
    return pick(this.#context.meta, false);
  }

  /** The keys of the modern envelope that the request carried, as received; undefined when there were none. */
  get envelope(): MetaObject | undefined {
    return pick(this.#context.meta, true);
  }

  /** Sends a notification on the request's own stream. */
  readonly notify = async (notification: Notification): Promise<void> => {
    this.#context.notify(notification);
  };

  /** Sends a log message, under the conditions of {@link RequestContext.log}. */
  readonly log = async (level: LoggingLevel, data: unknown, logger?: string): Promise<void> => {
    this.#context.log(level, data, logger);
  };
}

function pick(meta: MetaObject, envelope: boolean): MetaObject | undefined {
  const entries = Object.entries(meta).filter(([key]) => ENVELOPE_KEYS.has(key) === envelope);
  // fromEntries defines own properties, so that a key named __proto__ stays a key.
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
