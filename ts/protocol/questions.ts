/**
 * What a server may ask its client for: elicitation, sampling, roots. Which capability each needs, how it is worded in each
 * era, and whether an answer has the right shape. How the question gets to the client is not known here.
 */
import { randomUUID } from 'node:crypto';
import { conversationFault } from './conversation.js';
import { type FormSchema, formFault } from './form.js';
import { asMembers, type Members, own } from './incoming.js';
import { type ElicitInputParams, formParams } from './sdk/form.js';
import type { StandardSchemaV1 } from './types/standard.js';
import type { ClientCapabilities, ProtocolEra } from './types.js';

export const QUESTION_METHODS = ['elicitation/create', 'sampling/createMessage', 'roots/list'] as const;
export type QuestionMethod = (typeof QUESTION_METHODS)[number];

/** One question, ready to be sent. */
export interface Question {
  readonly method: QuestionMethod;
  /** Absent only for roots. */
  readonly params: Members | undefined;
  /** Path of the capability that the client must have declared. */
  readonly capability: CapabilityPath;
  /** What the answer's form must hold. */
  readonly form: FormSchema | undefined;
  /** The schema that the form was made of, which judges and converts the answer. */
  readonly standard: StandardSchemaV1 | undefined;
}

export type CapabilityPath = [keyof ClientCapabilities, ...string[]];

export function isQuestion(method: unknown): method is QuestionMethod {
  return QUESTION_METHODS.includes(method as QuestionMethod);
}

/**
 * A question in the words of an era.
 * @throws TypeError when its params cannot be a question of that kind
 */
export function questionOf(method: QuestionMethod, given: unknown, era: ProtocolEra): Question {
  const params = given === undefined ? undefined : asMembers(given);
  if (given !== undefined && params === undefined) throw new TypeError(`The params of ${method} must be an object`);
  if (method === 'roots/list') {
    return { method, params, capability: ['roots'], form: undefined, standard: undefined };
  }
  if (params === undefined) throw new TypeError(`${method} needs params`);
  if (method === 'sampling/createMessage') {
    if (!Array.isArray(params.messages)) throw new TypeError('sampling/createMessage needs an array of messages');
    const fault = conversationFault(params.messages);
    if (fault !== undefined) throw new TypeError(`sampling/createMessage: ${fault}`);
    const tools = params.tools !== undefined || params.toolChoice !== undefined;
    const capability: CapabilityPath = tools ? ['sampling', 'tools'] : ['sampling'];
    return { method, params, capability, form: undefined, standard: undefined };
  }
  return elicitation(params, era);
}

function elicitation(params: Members, era: ProtocolEra): Question {
  const method = 'elicitation/create';
  if (typeof params.message !== 'string') throw new TypeError('elicitation/create needs a message');
  if (params.mode === 'url') {
    if (typeof params.url !== 'string' || !URL.canParse(params.url)) {
      throw new TypeError('elicitation/create in URL mode needs a url');
    }
    const { elicitationId, ...rest } = params;
    // Only the legacy wire names the elicitation: its completion is a notification of its own there.
    const sent = era === 'modern' ? rest : { ...rest, elicitationId: elicitationId ?? randomUUID() };
    return { method, params: sent, capability: ['elicitation', 'url'], form: undefined, standard: undefined };
  }
  if (params.mode !== undefined && params.mode !== 'form') {
    throw new TypeError(`elicitation/create knows the modes form and url, not ${String(params.mode)}`);
  }
  const sent = formParams(params as unknown as ElicitInputParams) as unknown as Members;
  const form = asMembers(sent.requestedSchema);
  if (form?.type !== 'object' || asMembers(form.properties) === undefined) {
    throw new TypeError('requestedSchema of an elicitation must be of type object and have properties');
  }
  const given = params.requestedSchema as StandardSchemaV1;
  const standard = sent.requestedSchema === given ? undefined : given;
  return { method, params: sent, capability: ['elicitation', 'form'], form: form as unknown as FormSchema, standard };
}

/** Whether a value is an answer to that kind of question at all. */
export function answers(method: QuestionMethod, value: unknown): value is Members {
  const answer = asMembers(value);
  if (answer === undefined) return false;
  if (method === 'roots/list') {
    const roots = own(answer, 'roots');
    return Array.isArray(roots) && roots.every((root) => typeof asMembers(root)?.uri === 'string');
  }
  if (method === 'sampling/createMessage') {
    const content = own(answer, 'content');
    return (
      typeof own(answer, 'role') === 'string' &&
      (Array.isArray(content) ? content.every((block) => asMembers(block) !== undefined) : !!asMembers(content))
    );
  }
  const action = own(answer, 'action');
  if (action !== 'accept' && action !== 'decline' && action !== 'cancel') return false;
  const content = own(answer, 'content');
  return content === undefined || asMembers(content) !== undefined;
}

/** Why an accepted form does not hold what was asked for; undefined when it does, or nothing was accepted. */
export function formProblem(question: Question, answer: Members): string | undefined {
  if (question.form === undefined || own(answer, 'action') !== 'accept') return undefined;
  return formFault(question.form, asMembers(own(answer, 'content')) ?? {});
}

/**
 * An answer as the handler is given it: the form as the schema it was made of gives it, converted and with defaults.
 * @returns why the schema refuses it, as text
 */
export async function judged({ standard }: Question, answer: Members): Promise<Members | string> {
  if (standard === undefined || own(answer, 'action') !== 'accept') return answer;
  const outcome = await standard['~standard'].validate(own(answer, 'content') ?? {});
  if (outcome.issues === undefined) return { ...answer, content: outcome.value };
  return outcome.issues.map((issue) => issue.message).join('; ');
}
