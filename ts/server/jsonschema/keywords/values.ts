/** `type`, `enum` and `const`, and when two JSON values are the same. */
import { typeName } from '../../validate.js';
import type { Keywords } from '../place.js';
import { type Check, fail, isObject } from '../run.js';

const TYPES: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  null: (value) => value === null,
  object: isObject,
};

/** Characters of the choices that a message quotes. */
const MAX_QUOTED = 200;

export const type: Keywords = (schema, { at }) => {
  if (schema.type === undefined) return undefined;
  const types: unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  for (const name of types) {
    if (typeof name !== 'string' || !Object.hasOwn(TYPES, name)) {
      throw new Error(`${at}/type: unknown type ${JSON.stringify(name)}`);
    }
  }
  if (types.length === 0) throw new Error(`${at}/type must not be empty`);
  const wanted = types.join(' or ');
  const tests = types.map((name) => TYPES[name as string] as (value: unknown) => boolean);
  const [only] = tests as [(value: unknown) => boolean];
  const test = tests.length === 1 ? only : (value: unknown) => tests.some((each) => each(value));
  return (value, up, key, run) =>
    test(value) || fail(run, up, key, run.out === null ? '' : `expected ${wanted}, received ${typeName(value)}`);
};

export const values: Keywords = (schema, { at }) => {
  const { enum: choices } = schema;
  if (choices !== undefined && !Array.isArray(choices)) throw new Error(`${at}/enum must be an array`);
  const constant = schema.const === undefined ? undefined : oneOf([schema.const]);
  const listed = choices === undefined ? undefined : oneOf(choices);
  if (constant === undefined || listed === undefined) return constant ?? listed;
  return (value, up, key, run, seen) => constant(value, up, key, run, seen) && listed(value, up, key, run, seen);
};

function oneOf(choices: unknown[]): Check {
  const plain = new Set(choices.filter((choice) => typeof choice !== 'object' || choice === null));
  const nested = choices.filter((choice) => typeof choice === 'object' && choice !== null);
  const text = choices.map((choice) => JSON.stringify(choice)).join(', ');
  const quoted = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}...` : text;
  const message = `expected ${choices.length === 1 ? '' : 'one of '}${quoted}`;
  return (value, up, key, run) => {
    if (plain.has(value)) return true;
    if (typeof value === 'object' && value !== null && nested.some((choice) => same(choice, value))) return true;
    return fail(run, up, key, message);
  };
}

/** JSON's equality: order of members does not matter. Recurses no deeper than the shallower of the two. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => same(item, b[i]));
  }
  if (Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every(
    (name) =>
      Object.hasOwn(b, name) && same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
  );
}
