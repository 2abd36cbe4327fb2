/**
 * What a handler says when it needs more before it can answer (`inputRequired`), and how it reads what came back.
 *
 * These only build and read values. What comes back was in a client's hands: nothing here trusts it, and a schema given to
 * `acceptedContent` is the way to check it.
 */
import type {
  CreateMessageRequestParams,
  CreateMessageResult,
  CreateMessageResultWithTools,
  ElicitRequestURLParams,
  InputRequest,
  InputRequests,
  InputRequiredResult,
  InputResponses,
  Root,
} from '../types/questions.js';
import type { StandardSchemaV1 } from '../types/standard.js';
import { type ElicitInputParams, formParams } from './form.js';

export interface InputRequiredSpec {
  /** What the client has to ask or look up, under keys of the handler's choice. */
  inputRequests?: InputRequests;
  /** Comes back as it is. Seal what matters, see `createRequestStateCodec`. */
  requestState?: string;
}

interface InputRequired {
  /** @throws TypeError when it asks for nothing and keeps nothing */
  (spec: InputRequiredSpec): InputRequiredResult;
  /**
   * A form for the user to fill.
   * @throws TypeError when the schema has what a form cannot
   */
  elicit(params: ElicitInputParams): InputRequest;
  /** A page for the user to visit. */
  elicitUrl(params: Omit<ElicitRequestURLParams, 'mode' | 'elicitationId'>): InputRequest;
  /** A completion by the client's model. */
  createMessage(params: CreateMessageRequestParams): InputRequest;
  /** The client's roots. */
  listRoots(): InputRequest;
}

/** The result that asks for more, and the requests that go into it. */
export const inputRequired: InputRequired = Object.assign(
  ({ inputRequests, requestState }: InputRequiredSpec): InputRequiredResult => {
    if (Object.keys(inputRequests ?? {}).length === 0 && typeof requestState !== 'string') {
      throw new TypeError('inputRequired needs inputRequests with at least one entry, or requestState');
    }
    const result: InputRequiredResult = { resultType: 'input_required' };
    if (inputRequests !== undefined) result.inputRequests = inputRequests;
    if (requestState !== undefined) result.requestState = requestState;
    return result;
  },
  {
    elicit: (params: ElicitInputParams): InputRequest => ({ method: 'elicitation/create', params: formParams(params) }),
    elicitUrl: (params: Omit<ElicitRequestURLParams, 'mode' | 'elicitationId'>): InputRequest => ({
      method: 'elicitation/create',
      // The modern era has no elicitationId; the type keeps it for the legacy one.
      params: { ...params, mode: 'url' } as ElicitRequestURLParams,
    }),
    createMessage: (params: CreateMessageRequestParams): InputRequest => ({ method: 'sampling/createMessage', params }),
    listRoots: (): InputRequest => ({ method: 'roots/list' }),
  },
);

type Responses = InputResponses | Record<string, unknown> | undefined;

/** What came back under a key. */
export type InputResponseView =
  | { kind: 'missing' }
  | { kind: 'elicit'; action: 'accept' | 'decline' | 'cancel'; content?: Record<string, unknown> }
  | { kind: 'sampling'; result: CreateMessageResult | CreateMessageResultWithTools }
  | { kind: 'roots'; roots: Root[] };

/** Reads what came back under a key, told apart by its members. Whatever is none of the three kinds is `missing`. */
export function inputResponse(responses: Responses, key: string): InputResponseView {
  const members = asObject(responses);
  const entry = members !== undefined && Object.hasOwn(members, key) ? asObject(members[key]) : undefined;
  if (entry === undefined) return { kind: 'missing' };
  const { action } = entry;
  if (action === 'accept' || action === 'decline' || action === 'cancel') {
    const content = asObject(entry.content);
    return content === undefined ? { kind: 'elicit', action } : { kind: 'elicit', action, content };
  }
  if (Array.isArray(entry.roots)) return { kind: 'roots', roots: entry.roots as Root[] };
  if (typeof entry.role === 'string' && entry.content !== undefined) {
    return { kind: 'sampling', result: entry as unknown as CreateMessageResult | CreateMessageResultWithTools };
  }
  return { kind: 'missing' };
}

/** The filled form under a key, unchecked; undefined when there is none or it was declined. */
export function acceptedContent<T extends Record<string, unknown> = Record<string, unknown>>(
  responses: Responses,
  key: string,
): T | undefined;
/**
 * The filled form under a key as the schema gives it; undefined also when it does not match.
 * @throws TypeError when the schema answers with a promise
 */
export function acceptedContent<S extends StandardSchemaV1>(
  responses: Responses,
  key: string,
  schema: S,
): StandardSchemaV1.InferOutput<S> | undefined;
export function acceptedContent(responses: Responses, key: string, schema?: StandardSchemaV1): unknown {
  const view = inputResponse(responses, key);
  if (view.kind !== 'elicit' || view.action !== 'accept' || view.content === undefined) return undefined;
  if (schema === undefined) return view.content;
  const outcome = schema['~standard'].validate(view.content);
  if (outcome instanceof Promise) {
    outcome.catch(() => undefined);
    throw new TypeError('acceptedContent needs a schema that validates at once, not with a promise');
  }
  return outcome.issues === undefined ? outcome.value : undefined;
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
