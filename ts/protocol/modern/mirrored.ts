/**
 * `Mcp-Param-*`: arguments of a tool that its schema mirrors into headers must stand there as they do in the body, so that
 * what routes on the header and what acts on the body see the same.
 */
import type { MirroredParam } from '../../server/offer.js';
import { HeaderMismatchError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { decodeMirrored } from '../headers.js';
import { asMembers, type Members } from '../incoming.js';

/** The first header of a call that does not agree with its arguments; undefined when all do. HTTP of the modern era only. */
export function checkMirrored(
  exchange: Exchange,
  tool: string,
  args: Members | undefined,
): HeaderMismatchError | undefined {
  if (exchange.pipe || exchange.era === 'legacy') return undefined;
  for (const param of exchange.state.offer.mirrored(tool) ?? []) {
    const name = `Mcp-Param-${param.header}`;
    const problem = compare(exchange.header(name.toLowerCase()), valueAt(args, param.path), param);
    if (problem !== undefined) return new HeaderMismatchError(`${name} ${problem}`);
  }
  return undefined;
}

function compare(header: string | undefined, value: unknown, { type }: MirroredParam): string | undefined {
  if (value === undefined || value === null) {
    return header === undefined ? undefined : 'has a value that the body does not have';
  }
  // What is no value of that type is refused with the other arguments, by the tool's schema.
  if (typeof value === 'object') return undefined;
  if (header === undefined) return 'is missing';
  const decoded = decodeMirrored(header);
  if (decoded === undefined) return 'is malformed';
  const same = type === 'integer' && typeof value === 'number' ? sameNumber(decoded, value) : decoded === String(value);
  return same ? undefined : 'does not match the body value';
}

/** `42` and `42.0` are one number; what only a lenient parser takes is none. */
function sameNumber(text: string, value: number): boolean {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) && Number(text) === value;
}

/** The value at a path of own properties. */
function valueAt(args: Members | undefined, path: readonly string[]): unknown {
  let at: unknown = args;
  for (const key of path) {
    const members = asMembers(at);
    if (members === undefined || !Object.hasOwn(members, key)) return undefined;
    at = members[key];
  }
  return at;
}
