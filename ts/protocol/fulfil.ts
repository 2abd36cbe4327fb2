/**
 * A handler that returns `input_required`: checked and sealed for a modern client; for a legacy one, which knows no such
 * result, the server asks the questions itself and runs the handler again with the answers, until it gives a result.
 */
import type { InputRequiredOptions } from '../server/offer.js';
import { DEFAULT_ANSWER_TIMEOUT, unsupported } from './asking.js';
import type { RequestContext } from './context.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import { asMembers, type Members } from './incoming.js';
import { ROUND_METHODS } from './modern/rounds.js';
import { isQuestion, type Question, questionOf } from './questions.js';
import type { Runnable } from './state.js';

/** Milliseconds between two runs of a handler that asks for nothing but another run. */
const PAUSE = 100;

export function requiresInput(result: object): result is Members {
  return (result as { resultType?: unknown }).resultType === 'input_required';
}

/**
 * The result as a modern client gets it.
 * @throws {ProtocolError} -32603 for a result that no client could answer; -32021 when it could not answer one of its questions
 */
export function roundResult(context: RequestContext, result: Members): object {
  const { rounds } = context;
  // The context made it itself, of questions that it has checked.
  if (rounds?.concluded === result) return result;
  const questions = questionsOf(context, result);
  for (const { capability } of questions.values()) context.requireCapability(...capability);
  const { requestState, inputRequests: _, ...rest } = result;
  return {
    ...rest,
    ...(questions.size > 0 ? { inputRequests: requestsOf(questions) } : undefined),
    requestState: context.asking().stateOf(requestState),
  };
}

/** Asks a legacy client and runs the handler again. */
export async function fulfil(
  context: RequestContext,
  target: Runnable,
  args: unknown,
  first: Members,
  options: InputRequiredOptions = {},
): Promise<object> {
  const { method } = context;
  const { maxRounds = 8, roundTimeoutMs = DEFAULT_ANSWER_TIMEOUT, legacyShim = true } = options;
  if (!legacyShim) {
    throw broken(`Handler for ${method} returned an input-required result, which the client's revision does not have`);
  }
  let result = first;
  for (let round = 1; round <= maxRounds; round += 1) {
    const questions = questionsOf(context, result);
    const missing = [...questions].find(([, { capability }]) => !context.hasCapability(...capability));
    if (missing !== undefined) {
      return failure(method, unsupported(missing[1].method, missing[1].capability.join('.')).message);
    }
    let responses: Members | undefined;
    try {
      responses = await answersTo(context, questions, roundTimeoutMs);
    } catch (error) {
      if (context.signal.aborted) throw error;
      return failure(method, `Input for ${method} could not be had: ${error instanceof Error ? error.message : error}`);
    }
    await context.asking().next(responses, result.requestState);
    const next = await target.run(args, context);
    if (!requiresInput(next)) return next;
    result = next;
  }
  return failure(method, `${method} still required input after ${maxRounds} rounds`);
}

/** All at once; the first that fails ends the others. */
async function answersTo(
  context: RequestContext,
  questions: ReadonlyMap<string, Question>,
  timeout: number,
): Promise<Members | undefined> {
  if (questions.size === 0) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE).unref());
    if (context.signal.aborted) throw context.signal.reason;
    return undefined;
  }
  const failed = new AbortController();
  const asking = context.asking();
  const options = { timeout, signal: failed.signal, resetTimeoutOnProgress: true, onprogress: () => {} };
  const answered = [...questions].map(async ([key, { method, params }]) => {
    try {
      return [key, await asking.request(method, params, options)] as const;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  return Object.fromEntries(await Promise.all(answered));
}

function questionsOf(context: RequestContext, result: Members): Map<string, Question> {
  const { method, era } = context;
  if (!ROUND_METHODS.has(method)) throw broken(`${method} must not be answered with an input-required result`);
  const requests = result.inputRequests === undefined ? {} : asMembers(result.inputRequests);
  if (requests === undefined) throw broken(`Handler for ${method} returned inputRequests that are no object`);
  const questions = new Map<string, Question>();
  for (const [key, value] of Object.entries(requests)) questions.set(key, questionIn(method, key, value, era));
  if (questions.size === 0 && result.requestState === undefined) {
    throw broken(`Handler for ${method} returned an input-required result without inputRequests and requestState`);
  }
  return questions;
}

function questionIn(method: string, key: string, value: unknown, era: RequestContext['era']): Question {
  const request = asMembers(value);
  if (!isQuestion(request?.method)) {
    throw broken(
      `Handler for ${method} returned an invalid input request "${key}": its method is none that can be asked`,
    );
  }
  try {
    return questionOf(request.method, request.params, era);
  } catch (error) {
    throw broken(`Handler for ${method} returned an invalid input request "${key}": ${(error as Error).message}`);
  }
}

function requestsOf(questions: ReadonlyMap<string, Question>): Members {
  return Object.fromEntries([...questions].map(([key, { method, params }]) => [key, { method, params }]));
}

/** Tools tell their model; what else there is tells the client. */
function failure(method: string, text: string): object {
  if (method === 'tools/call') return { content: [{ type: 'text', text }], isError: true };
  throw broken(text);
}

function broken(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InternalError, why);
}
