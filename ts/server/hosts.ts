/**
 * Names of hosts: those that only this machine reaches, and those of the options that say whom to let in.
 */
import { show } from './limits.js';

/** Names and addresses that only this machine reaches, as they stand in `Host` and `Origin`. */
export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The host names of an option, in lower case; null and undefined as they are. An empty list would refuse everybody and is a
 * mistake.
 * @throws TypeError for a bad list, or what is no bare name
 */
export function hostNames(option: string, names: unknown): string[] | null | undefined {
  if (names === undefined || names === null) return names;
  if (!Array.isArray(names) || names.length === 0) {
    throw new TypeError(`Option ${option} must be a non-empty array of host names, or null, not ${show(names)}`);
  }
  return names.map((name) => {
    const bare = typeof name === 'string' && /^(\[[0-9a-f:.]+\]|[^\s/:[\]]+)$/i.test(name);
    if (!bare) throw new TypeError(`Option ${option} holds ${show(name)}: a host name has no scheme, port or path`);
    return name.toLowerCase();
  });
}

/** Whether only this machine reaches it: a name or an address, with or without brackets. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** A host as it stands in a URL; the addresses that mean "all" become the one to try. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
