/**
 * The methods of the specification, of either direction and every revision, and what the params of each must hold at
 * least. Whoever sets a handler for another method brings schemas of his own.
 */
import { asMembers, own } from '../../protocol/incoming.js';

const REQUESTS: ReadonlySet<string> = new Set(
  `ping initialize server/discover completion/complete logging/setLevel prompts/get prompts/list resources/list
  resources/templates/list resources/read resources/subscribe resources/unsubscribe subscriptions/listen tools/call
  tools/list tasks/get tasks/result tasks/list tasks/cancel tasks/update sampling/createMessage elicitation/create
  roots/list`.split(/\s+/),
);
const NOTIFICATIONS: ReadonlySet<string> = new Set(
  `cancelled progress initialized roots/list_changed message resources/updated resources/list_changed tools/list_changed
  prompts/list_changed elicitation/complete tasks/status subscriptions/acknowledged`
    .split(/\s+/)
    .map((name) => `notifications/${name}`),
);

/** The member of params that must be a string. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'resources/subscribe': 'uri',
  'resources/unsubscribe': 'uri',
  'logging/setLevel': 'level',
  'tasks/get': 'taskId',
  'tasks/result': 'taskId',
  'tasks/cancel': 'taskId',
  'tasks/update': 'taskId',
};

export function isSpecRequest(method: string): boolean {
  return REQUESTS.has(method);
}

export function isSpecNotification(method: string): boolean {
  return NOTIFICATIONS.has(method);
}

/** What is wrong with the params of a request, or undefined. */
export function missingParam(method: string, params: unknown): string | undefined {
  const members = asMembers(params);
  const name = Object.hasOwn(NAMED, method) ? NAMED[method] : undefined;
  if (name !== undefined && typeof (members === undefined ? undefined : own(members, name)) !== 'string') {
    return `"${name}" must be a string`;
  }
  const args = members === undefined ? undefined : own(members, 'arguments');
  if (args !== undefined && asMembers(args) === undefined) return '"arguments" must be an object';
  if (method !== 'completion/complete') return undefined;
  for (const part of ['ref', 'argument']) {
    if (members === undefined || asMembers(own(members, part)) === undefined) return `"${part}" must be an object`;
  }
  return undefined;
}
