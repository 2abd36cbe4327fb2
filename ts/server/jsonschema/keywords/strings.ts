/** `minLength`, `maxLength` (in code points) and `pattern`. `format` and `content*` are annotations and not checked. */
import { patternTest } from '../pattern/pattern.js';
import { type Keywords, limit } from '../place.js';
import { fail } from '../run.js';

export const lengths: Keywords = (schema, { at }) => {
  const least = limit(schema, 'minLength', at, true) ?? 0;
  const most = limit(schema, 'maxLength', at, true) ?? Number.POSITIVE_INFINITY;
  if (least === 0 && most === Number.POSITIVE_INFINITY) return undefined;
  return (value, up, key, run) => {
    if (typeof value !== 'string') return true;
    // Never more code points than UTF-16 units and never fewer than half, so most strings need no count.
    if (value.length > most && codePoints(value) > most) return fail(run, up, key, `longer than ${most} characters`);
    if (value.length < 2 * least && codePoints(value) < least) {
      return fail(run, up, key, `shorter than ${least} characters`);
    }
    return true;
  };
};

export const pattern: Keywords = (schema, { at }) => {
  const { pattern: source } = schema;
  if (source === undefined) return undefined;
  if (typeof source !== 'string') throw new Error(`${at}/pattern must be a string`);
  const test = patternTest(source, `${at}/pattern`);
  const message = `must match pattern ${source}`;
  return (value, up, key, run) => {
    if (typeof value !== 'string') return true;
    const found = test(value);
    if (found === undefined) return fail(run, up, key, `too long to be checked against pattern ${source}`);
    return found || fail(run, up, key, message);
  };
};

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++, count++) if ((text.codePointAt(i) as number) > 0xffff) i++;
  return count;
}
