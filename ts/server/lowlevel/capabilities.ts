/**
 * Which capability a method needs, and on which side: what the low-level server refuses to do before it was declared.
 */
import { SdkError, SdkErrorCode } from '../../protocol/sdk/errors.js';
import type { ClientCapabilities, ServerCapabilities } from '../../protocol/types.js';

/** Methods that a server answers -> the capability that it must have declared, and its name in errors. */
const ANSWERS: Readonly<Record<string, keyof ServerCapabilities>> = {
  'completion/complete': 'completions',
  'logging/setLevel': 'logging',
  'prompts/get': 'prompts',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resources',
  'resources/read': 'resources',
  'tools/call': 'tools',
  'tools/list': 'tools',
};
const TELLS: Readonly<Record<string, [keyof ServerCapabilities, string]>> = {
  'notifications/message': ['logging', 'logging'],
  'notifications/resources/updated': ['resources', 'notifying about resources'],
  'notifications/resources/list_changed': ['resources', 'notifying about resources'],
  'notifications/tools/list_changed': ['tools', 'notifying of tool list changes'],
  'notifications/prompts/list_changed': ['prompts', 'notifying of prompt list changes'],
};
const ASKS: Readonly<Record<string, [keyof ClientCapabilities, string]>> = {
  'sampling/createMessage': ['sampling', 'sampling'],
  'elicitation/create': ['elicitation', 'elicitation'],
  'roots/list': ['roots', 'listing roots'],
};

/** @throws SdkError when a handler of the method has no capability to stand for */
export function checkAnswers(method: string, own: ServerCapabilities): void {
  const capability = Object.hasOwn(ANSWERS, method) ? ANSWERS[method] : undefined;
  if (capability !== undefined && own[capability] === undefined) {
    throw lacking(`Server does not support ${capability} (required for ${method})`);
  }
}

/** @throws SdkError when the notification is of a capability that was not declared */
export function checkTells(method: string, own: ServerCapabilities, client: ClientCapabilities | undefined): void {
  const needed = Object.hasOwn(TELLS, method) ? TELLS[method] : undefined;
  if (needed !== undefined && own[needed[0]] === undefined) {
    throw lacking(`Server does not support ${needed[1]} (required for ${method})`);
  }
  if (method === 'notifications/elicitation/complete' && client?.elicitation?.url === undefined) {
    throw lacking(`Client does not support URL elicitation (required for ${method})`);
  }
}

/** @throws SdkError when the client did not declare what the request needs */
export function checkAsks(method: string, client: ClientCapabilities | undefined): void {
  const needed = Object.hasOwn(ASKS, method) ? ASKS[method] : undefined;
  if (needed !== undefined && client?.[needed[0]] === undefined) {
    throw lacking(`Client does not support ${needed[1]} (required for ${method})`);
  }
}

export function lacking(message: string): SdkError {
  return new SdkError(SdkErrorCode.CapabilityNotSupported, message);
}
