/**
 * `ctx.mcpReq`: the request in the names and shapes of the official SDK. A view on the context without state of its own;
 * its functions may be taken out of the object, as handlers written for that SDK do.
 */
import type { AskSettings, ElicitParams } from './asking.js';
import type { RequestContext } from './context.js';
import { isQuestion } from './questions.js';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from './revisions.js';
import { SdkError, SdkErrorCode } from './sdk/errors.js';
import type { StandardSchemaV1 } from './types/standard.js';
import type {
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitResult,
  LoggingLevel,
  MetaObject,
  Notification,
  RequestId,
} from './types.js';

const ENVELOPE_KEYS = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
]);

interface Sent {
  method: string;
  params?: Record<string, unknown>;
}

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

  /** What the client answered to the `inputRequests` of the round before, by their keys: untrusted. */
  get inputResponses(): Record<string, unknown> | undefined {
    return this.#context.rounds?.responses;
  }

  /** Keys under which the client sent something that cannot be an answer. */
  get droppedInputResponseKeys(): string[] | undefined {
    return this.#context.rounds?.dropped;
  }

  /** The `requestState` that the round before returned, opened and verified; undefined when there was none. */
  readonly requestState = <T = unknown>(): T | undefined => this.#context.rounds?.state as T | undefined;

  /**
   * Sends a notification on the request's own stream. As in the official SDK a log message that is sent so goes out
   * whatever level the client asked for; {@link log} keeps to it.
   */
  readonly notify = async (notification: Notification): Promise<void> => {
    this.#context.notify(notification, true);
  };

  /** Sends a log message, under the conditions of {@link RequestContext.log}. */
  readonly log = async (level: LoggingLevel, data: unknown, logger?: string): Promise<void> => {
    this.#context.log(level, data, logger);
  };

  /** {@link RequestContext.elicit} */
  readonly elicitInput = (params: ElicitParams, options?: AskSettings): Promise<ElicitResult> =>
    this.#context.elicit(params, options);

  /** {@link RequestContext.sample} */
  readonly requestSampling = (
    params: CreateMessageRequestParams,
    options?: AskSettings,
  ): Promise<CreateMessageResult> => this.#context.sample(params, options);

  /**
   * Sends a request to the client and gives its result. What both eras can ask goes the way of {@link RequestContext.elicit};
   * anything else reaches legacy clients alone.
   * @param schemaOrOptions a schema that the result must fit, or the options
   * @throws {SdkError} when the revision has no such request, or there is no answer in time
   */
  readonly send = (
    request: Sent,
    schemaOrOptions?: StandardSchemaV1 | AskSettings,
    options?: AskSettings,
    // biome-ignore lint/suspicious/noExplicitAny: the result's type is that of the method or of the schema, as in the official SDK
  ): Promise<any> => {
    const answer = this.#send(request, schemaOrOptions, options);
    // A handler that did not wait for its answer is no reason to end the process.
    answer.catch(() => {});
    return answer;
  };

  async #send(
    request: Sent,
    schemaOrOptions: StandardSchemaV1 | AskSettings | undefined,
    options: AskSettings | undefined,
  ): Promise<unknown> {
    const schema = isSchema(schemaOrOptions) ? schemaOrOptions : undefined;
    const settings = schema === undefined ? (schemaOrOptions as AskSettings | undefined) : options;
    const { method, params } = request;
    const asking = this.#context.asking();
    if (isQuestion(method)) return checked(schema, method, await asking.ask(method, params, settings));
    if (this.#context.era === 'modern') {
      const why = `Requests to the client are not available on this revision: ${method} cannot be sent`;
      throw new SdkError(SdkErrorCode.MethodNotSupportedByProtocolVersion, why, { method });
    }
    return checked(schema, method, await asking.request(method, params, settings ?? {}));
  }
}

function isSchema(value: unknown): value is StandardSchemaV1 {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value;
}

async function checked(schema: StandardSchemaV1 | undefined, method: string, result: unknown): Promise<unknown> {
  if (schema === undefined) return result;
  const outcome = await schema['~standard'].validate(result);
  if (outcome.issues === undefined) return outcome.value;
  const why = outcome.issues.map((issue) => issue.message).join('; ');
  throw new SdkError(SdkErrorCode.InvalidResult, `Invalid result for ${method}: ${why}`);
}

function pick(meta: MetaObject, envelope: boolean): MetaObject | undefined {
  const entries = Object.entries(meta).filter(([key]) => ENVELOPE_KEYS.has(key) === envelope);
  // fromEntries defines own properties, so that a key named __proto__ stays a key.
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
