/**
 * Round trips of one modern request: a handler that asks its client something ends the round, and runs again from its start
 * when the client retries with the answers.
 *
 * Nothing is remembered here between two rounds: what was answered and done so far travels in the sealed `requestState`. A
 * handler's own state travels in the same text.
 */
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import { asMembers, type Members, own } from '../incoming.js';
import { answers, formProblem, judged, type Question } from '../questions.js';
import type { StateSealer } from './state-seal.js';

/** Requests that may be answered with `input_required`. */
export const ROUND_METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Most questions and steps of one request. */
const MAX_ENTRIES = 256;

/**
 * What a pending question rejects with when the round ends: the handler is to stop, its `finally` blocks run, and it runs
 * again from the start when the client has answered. Whatever it does afterwards is not sent to anybody.
 */
export class InputRequiredSignal extends Error {
  constructor() {
    super('The round ended: the handler runs again when the client has answered');
    this.name = 'InputRequiredSignal';
  }
}

/** What travels between rounds: answers by key with the method that was asked, results of steps, the handler's own state. */
interface Carried {
  a?: Record<string, [method: string, answer: Members]>;
  s?: Record<string, unknown>;
  u?: unknown;
}

interface Pending {
  readonly question: Question;
  readonly reject: (reason: InputRequiredSignal) => void;
}

/** What the rounds of a request need of its context. */
export interface RoundHost {
  readonly sealer: StateSealer;
  /** What a state belongs to: request, arguments, caller. */
  binding(): string;
  /** Ends the round with this result, or error, and gives up the handler; nothing when the request was over already. */
  conclude(result: object, reason: InputRequiredSignal): void;
  fail(error: unknown, reason: InputRequiredSignal): void;
}

export class Rounds {
  /** `inputResponses` of this request without what cannot be an answer; undefined when there were none. */
  readonly responses: Members | undefined;
  /** Keys of entries that cannot be answers; undefined when there were none. */
  readonly dropped: string[] | undefined;
  /** The handler's own state of the round before. */
  state: unknown;
  /** The result that ended this round in place of the handler's. */
  concluded: object | undefined = undefined;
  readonly #host: RoundHost;
  readonly #answered = new Map<string, [method: string, answer: Members]>();
  readonly #steps = new Map<string, unknown>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #pending = new Map<string, Pending>();
  readonly #asked = new Set<string>();
  /** {@link state} as it came: what it was verified to hold cannot be sent again. */
  readonly #rawState: unknown;
  #count = 0;
  #ending = false;
  #signal: InputRequiredSignal | undefined;

  /** @param responses what `inputResponses` holds; @param carried what {@link openState} gave for `requestState` */
  constructor(host: RoundHost, responses: Members | undefined, carried: Carried) {
    this.#host = host;
    const [accepted, dropped] = partition(responses);
    this.responses = accepted;
    this.dropped = dropped;
    this.state = carried.u;
    this.#rawState = carried.u;
    for (const [key, answer] of Object.entries(carried.a ?? {})) this.#answered.set(key, answer);
    for (const [key, result] of Object.entries(carried.s ?? {})) this.#steps.set(key, result);
  }

  /**
   * The answer, if an earlier round or this one brought it; else a promise that rejects when the round ends.
   * @param key default: the position among the questions of this run
   */
  async ask(question: Question, key: string | undefined): Promise<Members> {
    this.#count += 1;
    const name = key ?? `ask-${this.#count}`;
    if (this.#asked.has(name)) throw new Error(`The input "${name}" was asked for twice: give each its own key`);
    if (this.#asked.size >= MAX_ENTRIES) throw new Error(`A request may ask for ${MAX_ENTRIES} inputs at most`);
    this.#asked.add(name);
    const given = this.#answerTo(name, question);
    const answer = given === undefined ? undefined : await judged(question, given);
    // An answer that does not fit counts as not given.
    if (answer !== undefined && typeof answer !== 'string') return answer;
    this.#answered.delete(name);
    if (this.#signal !== undefined) throw this.#signal;
    this.#endSoon();
    return new Promise((_, reject) => {
      this.#pending.set(name, { question, reject });
    });
  }

  /** Runs a step once in all rounds of the request; its result is carried as JSON. */
  async once(key: string, step: () => unknown): Promise<unknown> {
    if (this.#steps.has(key)) return structuredClone(this.#steps.get(key));
    let running = this.#running.get(key);
    if (running === undefined) {
      if (this.#steps.size + this.#running.size >= MAX_ENTRIES) {
        throw new Error(`A request may have ${MAX_ENTRIES} steps at most`);
      }
      running = this.#run(key, step);
      this.#running.set(key, running);
    }
    return running;
  }

  /** What is done stays done when the handler runs again within one request. */
  handOn(next: Rounds): void {
    for (const [key, result] of this.#steps) next.#steps.set(key, result);
  }

  async #run(key: string, step: () => unknown): Promise<unknown> {
    try {
      const result = await step();
      // As it will be read back, so that no run sees another value than the next one.
      const text = JSON.stringify(result);
      const kept = text === undefined ? null : (JSON.parse(text) as unknown);
      this.#steps.set(key, kept);
      return structuredClone(kept);
    } finally {
      this.#running.delete(key);
    }
  }

  /** `requestState` of a result that a handler made itself. @throws {ProtocolError} -32603 when it is too large */
  stateOf(given: unknown): string | undefined {
    const carries = this.#answered.size > 0 || this.#steps.size > 0;
    const { verify } = this.#host.sealer;
    if (!carries && (given === undefined || (verify !== undefined && typeof given === 'string'))) {
      return given as string | undefined;
    }
    const carried: Carried = {};
    if (this.#answered.size > 0) carried.a = Object.fromEntries(this.#answered);
    if (this.#steps.size > 0) carried.s = Object.fromEntries(this.#steps);
    if (given !== undefined) carried.u = given;
    try {
      return this.#host.sealer.seal(carried, this.#host.binding());
    } catch (error) {
      const why = error instanceof RangeError ? error.message : 'The state of the round cannot be encoded as JSON';
      throw new ProtocolError(ProtocolErrorCode.InternalError, why);
    }
  }

  #answerTo(key: string, question: Question): Members | undefined {
    const before = this.#answered.get(key);
    if (before !== undefined && before[0] === question.method) return before[1];
    const given = this.responses === undefined ? undefined : own(this.responses, key);
    if (!answers(question.method, given) || formProblem(question, given) !== undefined) return undefined;
    this.#answered.set(key, [question.method, given]);
    return given;
  }

  /** All questions of this turn of the event loop, and what promises that are ready lead to, belong to one round. */
  #endSoon(): void {
    if (this.#ending) return;
    this.#ending = true;
    setImmediate(() => void this.#end());
  }

  async #end(): Promise<void> {
    // A step in the middle of its work is waited for: it must not have to run again.
    while (this.#running.size > 0) {
      await Promise.allSettled(this.#running.values());
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#signal = new InputRequiredSignal();
    try {
      const requests = [...this.#pending].map(([key, { question }]) => [
        key,
        { method: question.method, params: question.params },
      ]);
      // A state of the handler's own from the round before goes on: this result is not the handler's.
      const requestState = this.stateOf(this.#rawState);
      const result = { resultType: 'input_required', inputRequests: Object.fromEntries(requests), requestState };
      this.concluded = result;
      this.#host.conclude(result, this.#signal);
    } catch (error) {
      this.#host.fail(error, this.#signal);
    }
    for (const { reject } of this.#pending.values()) reject(this.#signal);
  }
}

/** Bare answers are objects; some peers wrap them as `{method, result}`, which is not what was asked for. */
function partition(responses: Members | undefined): [Members | undefined, string[] | undefined] {
  if (responses === undefined) return [undefined, undefined];
  const accepted: [string, unknown][] = [];
  const dropped: string[] = [];
  for (const [key, value] of Object.entries(responses)) {
    const answer = asMembers(value);
    const wrapped = answer !== undefined && Object.hasOwn(answer, 'method') && Object.hasOwn(answer, 'result');
    if (answer === undefined || wrapped) dropped.push(key);
    else accepted.push([key, answer]);
  }
  return [Object.fromEntries(accepted), dropped.length === 0 ? undefined : dropped];
}

/** What a retry brings, as far as it is the protocol's. */
export interface Retry {
  readonly responses: Members | undefined;
  readonly state: string | undefined;
}

/** @throws {ProtocolError} -32602 when a member is there and not what it must be; undefined when the request is no retry */
export function readRetry(params: Members): Retry | undefined {
  const hasResponses = Object.hasOwn(params, 'inputResponses');
  const hasState = Object.hasOwn(params, 'requestState');
  if (!hasResponses && !hasState) return undefined;
  const responses = hasResponses ? asMembers(params.inputResponses) : undefined;
  if (hasResponses && responses === undefined) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid params: "inputResponses" must be an object');
  }
  if (hasState && typeof params.requestState !== 'string') throw invalidState();
  return { responses, state: params.requestState as string | undefined };
}

/** The one answer to every state that is not ours, changed, of another request, or too old: which of these is not told. */
export function invalidState(): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState', {
    reason: 'invalid_request_state',
  });
}

/**
 * What a `requestState` carries.
 * @returns a string inside `u` is still to be verified when the server has a `verify` of its own
 * @throws {ProtocolError} -32602
 */
export function openState(sealer: StateSealer, text: string | undefined, binding: () => string): Carried {
  if (text === undefined) return {};
  if (!sealer.sealed(text)) {
    if (sealer.verify === undefined) throw invalidState();
    return { u: text };
  }
  try {
    return sealer.open(text, binding()) as Carried;
  } catch {
    throw invalidState();
  }
}
