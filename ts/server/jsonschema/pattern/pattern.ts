/**
 * Patterns of schemas against text from the wire, in bounded time.
 *
 * RegExp backtracks: `(a+)+$` takes hours for forty characters. So each pattern is measured once, and RegExp only gets a
 * text when even the worst case is cheap for its length; otherwise the linear matcher decides. What that one cannot do
 * (back references, patterns that are huge when written out) is refused for long texts rather than risked.
 * Patterns are ECMAScript's with the `u` flag; those that are only valid without it are taken without.
 */
import { ways } from './cost.js';
import { type Linear, linear } from './linear.js';
import { type Part, parsePattern } from './parse.js';

/** Characters of text that a pattern gets which could not even be measured. */
const MAX_UNMEASURED = 24;
/** Steps that RegExp may take in the worst case: some milliseconds. */
const MAX_BACKTRACKING = 10_000_000;
/** The same for the linear matcher, and so the product of pattern and text that is still checked: under a second. */
const MAX_WORK = 100_000_000;
/**
 * @returns does the text match somewhere? undefined: the text is too long for this pattern to be checked in bounded time
 * @throws Error when the pattern is no regular expression, beginning with `at`
 */
export function patternTest(source: string, at: string): (text: string) => boolean | undefined {
  const regex = regexOf(source, at);
  const flags = regex.flags as '' | 'u';
  const part = parsePattern(source, flags);
  const limit = part === undefined ? MAX_UNMEASURED : quickLimit(part);
  let slow: Linear | undefined | null = null;
  return (text) => {
    if (text.length <= limit) return regex.test(text);
    if (slow === null) slow = part && linear(part, flags);
    return slow !== undefined && text.length * slow.size <= MAX_WORK ? slow.test(text) : undefined;
  };
}

function regexOf(source: string, at: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    try {
      return new RegExp(source);
    } catch {
      throw new Error(`${at}: ${(error as Error).message}`);
    }
  }
}

/** The longest text that RegExp gets. */
function quickLimit(part: Part): number {
  let limit = 0;
  for (let length = 1; length <= 1 << 20; length *= 2) {
    if (ways(part, length) * length > MAX_BACKTRACKING) break;
    limit = length;
  }
  return limit;
}
