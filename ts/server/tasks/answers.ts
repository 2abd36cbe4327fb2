/** What a client sent with `tasks/update`, judged by what was asked. */
import { type FormSchema, formFault } from '../../protocol/form.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import { answers, isQuestion } from '../../protocol/questions.js';
import { invalidParams } from '../../protocol/requests.js';
import type { TaskInput, TaskRecord } from './record.js';

/**
 * The answers to outstanding questions; whatever else was sent is ignored, as it may be late or sent twice.
 * @throws {ProtocolError} -32602 naming the first answer that is none, or does not fit its form; then none is taken
 */
export function answersOf(task: TaskRecord, responses: Members): Record<string, Members> {
  const found: [string, Members][] = [];
  for (const [key, input] of Object.entries(task.inputRequests ?? {})) {
    const given = own(responses, key);
    if (given !== undefined) found.push([key, checked(key, input, given)]);
  }
  return Object.fromEntries(found);
}

function checked(key: string, { method, params }: TaskInput, given: unknown): Members {
  const where = `"inputResponses[${JSON.stringify(key)}]"`;
  if (!isQuestion(method) || !answers(method, given)) throw invalidParams(`${where} is no answer to ${method}`);
  const form =
    method === 'elicitation/create' ? (asMembers(params?.requestedSchema) as FormSchema | undefined) : undefined;
  if (form === undefined || own(given, 'action') !== 'accept') return given;
  const fault = formFault(form, asMembers(own(given, 'content')) ?? {});
  if (fault !== undefined) throw invalidParams(`${where} does not fit its form: ${fault}`);
  return given;
}
