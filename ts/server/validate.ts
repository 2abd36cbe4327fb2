/**
 * How problems with a value are said: one line for people and models, every problem with its path.
 *
 * Knows issues of any schema kind, no schemas. Everything is bounded, because the value came from the wire.
 */
import type { Issue } from './standard.js';

/** Problems that are spelled out; the rest is counted. */
export const MAX_PROBLEMS = 20;
/** Characters of one problem's message and of one path segment that are kept: both may quote the value. */
const MAX_MESSAGE = 300;
const MAX_SEGMENT = 80;
/** Path segments that are shown. */
const MAX_PATH = 32;

/** JSON's name for the type of a value. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** `a.b[0]`; empty for the value itself. */
export function pathText(path: Issue['path']): string {
  if (path === undefined) return '';
  let text = '';
  for (const part of path.slice(0, MAX_PATH)) {
    const key = typeof part === 'object' ? part.key : part;
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? clip(String(key), MAX_SEGMENT) : `.${clip(String(key), MAX_SEGMENT)}`;
  }
  return path.length > MAX_PATH ? `${text}...` : text;
}

/** `a: expected number, received string; b: required` */
export function problemText(issues: readonly Issue[]): string {
  const parts: string[] = [];
  for (const issue of issues.slice(0, MAX_PROBLEMS)) {
    const where = pathText(issue.path);
    const what = clip(wording(issue.message), MAX_MESSAGE);
    parts.push(where === '' ? what : `${where}: ${what}`);
  }
  if (issues.length > MAX_PROBLEMS) parts.push(`and ${issues.length - MAX_PROBLEMS} more`);
  return parts.join('; ');
}

// zod says the same two things so often, and so long, that a model's context is better off without.
const ZOD_PREFIX = 'Invalid input: ';
const ZOD_MISSING = ', received undefined';

function wording(message: string): string {
  if (!message.startsWith(ZOD_PREFIX)) return message;
  return message.endsWith(ZOD_MISSING) ? 'required' : message.slice(ZOD_PREFIX.length);
}

function clip(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
