/**
 * How a handler asks its client, in either era: a request to a legacy client, a round trip with a modern one. Made for a
 * request when it first asks, or is a retry.
 */
import type { RequestContext } from './context.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import type { Members } from './incoming.js';
import { requestBinding } from './modern/binding.js';
import {
  type InputRequiredSignal,
  invalidState,
  openState,
  type Retry,
  ROUND_METHODS,
  Rounds,
} from './modern/rounds.js';
import { type AskOptions, PeerError, type Via } from './peer.js';
import { answers, formProblem, judged, type Question, type QuestionMethod, questionOf } from './questions.js';
import { SdkError, SdkErrorCode } from './sdk/errors.js';
import type { ElicitInputParams } from './sdk/form.js';
import type { ServerState } from './state.js';
import type { ElicitRequestURLParams } from './types.js';

/** Milliseconds that a legacy client gets to answer: people read, think and type. */
export const DEFAULT_ANSWER_TIMEOUT = 600_000;

/** What {@link RequestContext.elicit} takes: the form may be a schema, the id of a URL elicitation may be left out. */
export type ElicitParams =
  | ElicitInputParams
  | (Omit<ElicitRequestURLParams, 'elicitationId'> & { elicitationId?: string });

/** Times and progress count in the legacy era alone, where the handler waits. */
export interface AskSettings extends AskOptions {
  /** Names the question between rounds (modern). Default: `ask-` and its position among the questions of the handler. */
  key?: string;
}

export class Asking {
  rounds: Rounds | undefined;
  readonly #context: RequestContext;
  readonly #state: ServerState;
  readonly #via: Via | null;
  #waiting = 0;

  /** @param via the request's own stream; null when it has none */
  constructor(context: RequestContext, state: ServerState, via: Via | null) {
    this.#context = context;
    this.#state = state;
    this.#via = via;
  }

  /** Whether a legacy client is being waited for. */
  get waiting(): boolean {
    return this.#waiting > 0;
  }

  /** @returns the answer; see {@link RequestContext.elicit} for what it rejects with */
  async ask(method: QuestionMethod, params: unknown, settings: AskSettings = {}): Promise<Members> {
    const { era } = this.#context;
    const question = questionOf(method, params, era);
    return era === 'legacy' ? this.#askLegacy(question, settings) : this.#askModern(question, settings);
  }

  once(key: string, step: () => unknown): Promise<unknown> {
    return this.#rounds().once(key, step);
  }

  /** Any request to a legacy client. @throws {SdkError} when there is no way to it, or no answer in time */
  async request(method: string, params: object | undefined, options: AskOptions): Promise<Members> {
    const session = this.#context.session();
    if (session === undefined) {
      throw new SdkError(SdkErrorCode.NotConnected, `Cannot send ${method}: the request belongs to no session`);
    }
    const { signal } = this.#context;
    this.#waiting += 1;
    try {
      return await session.peer.request(method, params, this.#via, {
        timeout: DEFAULT_ANSWER_TIMEOUT,
        ...options,
        signal: options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]),
      });
    } catch (error) {
      throw error instanceof PeerError ? unanswered(error) : error;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** What a retry brought: nothing runs before its state has proven itself. @throws {ProtocolError} -32602 */
  resume(retry: Retry): undefined | Promise<void> {
    const sealer = this.#state.offer.state;
    const carried = openState(sealer, retry.state, () => this.#binding());
    this.rounds = this.#open(retry.responses, carried);
    const { verify } = sealer;
    if (verify === undefined || typeof carried.u !== 'string') return undefined;
    return this.#verify(this.rounds, carried.u);
  }

  /** Another run of the handler for a legacy client: the answers, and the state that the last run returned. */
  async next(responses: Members | undefined, state: unknown): Promise<void> {
    const rounds = this.#open(responses, { u: state });
    this.rounds?.handOn(rounds);
    this.rounds = rounds;
    if (this.#state.offer.state.verify !== undefined && typeof state === 'string') await this.#verify(rounds, state);
  }

  /** `requestState` of a result that the handler returned. @throws {ProtocolError} -32603 when it is too large */
  stateOf(given: unknown): string | undefined {
    return this.#rounds().stateOf(given);
  }

  async #verify(rounds: Rounds, text: string): Promise<void> {
    try {
      const held = await this.#state.offer.state.verify?.(text, this.#context);
      if (held !== undefined) rounds.state = held;
    } catch {
      throw invalidState();
    }
  }

  async #askLegacy(question: Question, settings: AskSettings): Promise<Members> {
    const { method, params, capability } = question;
    if (!this.#context.hasCapability(...capability)) throw unsupported(method, capability.join('.'));
    const { key: _, ...options } = settings;
    const answer = await this.request(method, params, options);
    if (!answers(method, answer)) {
      throw new ProtocolError(ProtocolErrorCode.InvalidRequest, `The client answered ${method} with something else`);
    }
    const outcome = formProblem(question, answer) ?? (await judged(question, answer));
    if (typeof outcome !== 'string') return outcome;
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `The client's answer does not fit the form: ${outcome}`);
  }

  #askModern(question: Question, settings: AskSettings): Promise<Members> {
    const { method } = this.#context;
    if (!ROUND_METHODS.has(method)) {
      throw new SdkError(
        SdkErrorCode.MethodNotSupportedByProtocolVersion,
        `${method} cannot ask the client for input in this revision`,
      );
    }
    this.#context.requireCapability(...question.capability);
    return this.#rounds().ask(question, settings.key);
  }

  #rounds(): Rounds {
    this.rounds ??= this.#open(undefined, {});
    return this.rounds;
  }

  #open(responses: Members | undefined, carried: ConstructorParameters<typeof Rounds>[2]): Rounds {
    return new Rounds(
      {
        sealer: this.#state.offer.state,
        binding: () => this.#binding(),
        conclude: (result, reason) => this.#end(result, reason),
        fail: (error, reason) => this.#end(Promise.reject(error), reason),
      },
      responses,
      carried,
    );
  }

  #binding(): string {
    return requestBinding(this.#context);
  }

  #end(result: object | Promise<never>, reason: InputRequiredSignal): void {
    this.#state.conclude(this.#context, result, reason);
  }
}

export function unsupported(method: string, capability: string): SdkError {
  const why = `Cannot send ${method}: the client does not support ${capability}`;
  return new SdkError(SdkErrorCode.CapabilityNotSupported, why);
}

function unanswered(error: PeerError): SdkError {
  const codes = {
    REQUEST_TIMEOUT: SdkErrorCode.RequestTimeout,
    CONNECTION_CLOSED: SdkErrorCode.ConnectionClosed,
    TOO_MANY_REQUESTS: SdkErrorCode.SendFailed,
  };
  return new SdkError(codes[error.code], error.message, error.data, { cause: error });
}
