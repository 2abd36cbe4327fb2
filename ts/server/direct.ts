/**
 * Validators for plain JSON Schemas that use the everyday keywords: closures, built once, nothing loaded and nothing
 * generated.
 *
 * Not a complete JSON Schema implementation and no approximation of one either: `compileDirect` returns undefined as soon
 * as a schema holds a keyword outside the set below, and ajv.ts takes that schema. Most tool schemas never need it, so
 * most servers start without loading Ajv (60 to 90 ms).
 */
import type { Issue } from './standard.js';
import { MAX_PROBLEMS, typeName } from './validate.js';

type Key = string | number | null;
/** Where a value stands; a linked list, so that a path is built only for a problem. */
interface Trail {
  readonly up: Trail | null;
  readonly key: Key;
}
type Node = (value: unknown, up: Trail | null, key: Key, out: Issue[]) => void;
type Json = Record<string, unknown>;

/** Keywords that constrain and are not handled here. Anything else unknown is an annotation, as the standard says. */
const BEYOND = new Set(
  (
    '$ref $dynamicRef $recursiveRef $id id $anchor $dynamicAnchor $recursiveAnchor $vocabulary allOf oneOf not if then else ' +
    'dependentSchemas dependentRequired dependencies prefixItems additionalItems contains minContains maxContains ' +
    'patternProperties propertyNames unevaluatedItems unevaluatedProperties multipleOf uniqueItems minProperties maxProperties'
  ).split(' '),
);
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);

/** Deepest nesting of a schema; deeper ones are refused rather than risking the stack. */
const MAX_SCHEMA_DEPTH = 200;

class Beyond extends Error {}

/**
 * @returns the check, which gives the problems (none: an empty array), or undefined when the schema needs ajv.ts
 * @throws Error when a keyword is malformed, with its place in the schema
 */
export function compileDirect(schema: unknown): ((value: unknown) => Issue[]) | undefined {
  let node: Node;
  try {
    node = compile(schema, '', 0);
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
  return (value) => {
    const out: Issue[] = [];
    node(value, null, null, out);
    return out;
  };
}

function compile(schema: unknown, at: string, depth: number): Node {
  if (schema === true) return () => {};
  if (schema === false) return (_value, up, key, out) => report(out, up, key, 'not allowed');
  if (!isObject(schema)) throw new Error(`${at || '/'} must be an object or a boolean`);
  if (depth > MAX_SCHEMA_DEPTH) throw new Error(`nested deeper than ${MAX_SCHEMA_DEPTH} levels`);
  for (const keyword of Object.keys(schema)) if (BEYOND.has(keyword)) throw new Beyond();
  const checks = [
    typeNode(schema, at),
    valuesNode(schema, at),
    numberNode(schema, at),
    stringNode(schema, at),
    arrayNode(schema, at, depth),
    objectNode(schema, at, depth),
    anyOfNode(schema, at, depth),
  ].filter((node) => node !== undefined);
  if (checks.length === 0) return () => {};
  const [first, second] = checks as [Node, Node];
  if (checks.length === 1) return first;
  // A wrong type is one problem: the other keywords would only repeat it.
  return (value, up, key, out) => {
    const before = out.length;
    first(value, up, key, out);
    if (out.length !== before) return;
    if (checks.length === 2) second(value, up, key, out);
    else for (let i = 1; i < checks.length; i++) (checks[i] as Node)(value, up, key, out);
  };
}

function report(out: Issue[], up: Trail | null, key: Key, message: string): void {
  if (out.length > MAX_PROBLEMS) return;
  const path: (string | number)[] = [];
  if (key !== null) path.push(key);
  for (let trail = up; trail !== null; trail = trail.up) if (trail.key !== null) path.push(trail.key);
  out.push({ message, path: path.reverse() });
}

function typeNode(schema: Json, at: string): Node | undefined {
  if (schema.type === undefined) return undefined;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  for (const type of types) {
    if (typeof type !== 'string' || !TYPES.has(type))
      throw new Error(`${at}/type: unknown type ${JSON.stringify(type)}`);
  }
  const wanted = types.join(' or ');
  const wrong = (value: unknown, up: Trail | null, key: Key, out: Issue[]) =>
    report(out, up, key, `expected ${wanted}, received ${typeName(value)}`);
  if (types.length === 1) {
    const test = typeTest(types[0] as string);
    return (value, up, key, out) => (test(value) ? undefined : wrong(value, up, key, out));
  }
  const tests = types.map(typeTest);
  return (value, up, key, out) => (tests.some((test) => test(value)) ? undefined : wrong(value, up, key, out));
}

function typeTest(type: string): (value: unknown) => boolean {
  if (type === 'string') return (value) => typeof value === 'string';
  if (type === 'number') return (value) => typeof value === 'number' && Number.isFinite(value);
  if (type === 'integer') return (value) => Number.isInteger(value);
  if (type === 'boolean') return (value) => typeof value === 'boolean';
  if (type === 'array') return Array.isArray;
  if (type === 'null') return (value) => value === null;
  return isObject;
}

function valuesNode(schema: Json, at: string): Node | undefined {
  const choices = 'const' in schema ? [schema.const] : schema.enum;
  if (choices === undefined) return undefined;
  if (!Array.isArray(choices)) throw new Error(`${at}/enum must be an array`);
  // Comparing objects and numbers by JSON's rules is ajv's: here only what === decides.
  if (choices.some((choice) => typeof choice === 'object' && choice !== null)) throw new Beyond();
  if ('const' in schema && 'enum' in schema) throw new Beyond();
  const allowed = new Set<unknown>(choices);
  const message = `expected ${choices.length === 1 ? '' : 'one of '}${choices.map((c) => JSON.stringify(c)).join(', ')}`;
  return (value, up, key, out) => (allowed.has(value) ? undefined : report(out, up, key, message));
}

/** A keyword's number, or undefined. */
function limit(schema: Json, keyword: string, at: string, count: boolean): number | undefined {
  const value = schema[keyword];
  if (value === undefined) return undefined;
  const valid = count ? Number.isInteger(value) && (value as number) >= 0 : Number.isFinite(value);
  if (!valid) throw new Error(`${at}/${keyword} must be a ${count ? 'whole number, zero or more' : 'number'}`);
  return value as number;
}

function numberNode(schema: Json, at: string): Node | undefined {
  const least = limit(schema, 'minimum', at, false) ?? Number.NEGATIVE_INFINITY;
  const most = limit(schema, 'maximum', at, false) ?? Number.POSITIVE_INFINITY;
  const above = limit(schema, 'exclusiveMinimum', at, false) ?? Number.NEGATIVE_INFINITY;
  const below = limit(schema, 'exclusiveMaximum', at, false) ?? Number.POSITIVE_INFINITY;
  if (![least, most, above, below].some(Number.isFinite)) return undefined;
  return (value, up, key, out) => {
    if (typeof value !== 'number') return;
    if (value < least) report(out, up, key, `must be >= ${least}`);
    if (value > most) report(out, up, key, `must be <= ${most}`);
    if (value <= above) report(out, up, key, `must be > ${above}`);
    if (value >= below) report(out, up, key, `must be < ${below}`);
  };
}

function stringNode(schema: Json, at: string): Node | undefined {
  const least = limit(schema, 'minLength', at, true) ?? 0;
  const most = limit(schema, 'maxLength', at, true) ?? Number.POSITIVE_INFINITY;
  const pattern = schema.pattern;
  if (pattern !== undefined && typeof pattern !== 'string') throw new Error(`${at}/pattern must be a string`);
  if (least === 0 && most === Number.POSITIVE_INFINITY && pattern === undefined) return undefined;
  let regex: RegExp | undefined;
  try {
    regex = pattern === undefined ? undefined : new RegExp(pattern, 'u');
  } catch (error) {
    throw new Error(`${at}/pattern: ${(error as Error).message}`);
  }
  return (value, up, key, out) => {
    if (typeof value !== 'string') return;
    // Lengths are in code points: never more than UTF-16 units and never fewer than half, so most strings need no count.
    if (value.length > most && codePoints(value) > most) report(out, up, key, `longer than ${most} characters`);
    if (value.length < 2 * least && codePoints(value) < least) report(out, up, key, `shorter than ${least} characters`);
    if (regex !== undefined && !regex.test(value)) report(out, up, key, `must match pattern ${pattern}`);
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++, count++) if ((text.codePointAt(i) as number) > 0xffff) i++;
  return count;
}

function arrayNode(schema: Json, at: string, depth: number): Node | undefined {
  const least = limit(schema, 'minItems', at, true) ?? 0;
  const most = limit(schema, 'maxItems', at, true) ?? Number.POSITIVE_INFINITY;
  if (Array.isArray(schema.items)) throw new Beyond();
  const item = schema.items === undefined ? undefined : compile(schema.items, `${at}/items`, depth + 1);
  if (item === undefined && least === 0 && most === Number.POSITIVE_INFINITY) return undefined;
  return (value, up, key, out) => {
    if (!Array.isArray(value)) return;
    if (value.length < least) report(out, up, key, `fewer than ${least} items`);
    if (value.length > most) return report(out, up, key, `more than ${most} items`);
    if (item === undefined) return;
    const here: Trail = { up, key };
    for (let i = 0; i < value.length && out.length <= MAX_PROBLEMS; i++) item(value[i], here, i, out);
  };
}

function objectNode(schema: Json, at: string, depth: number): Node | undefined {
  const { properties = {}, required = [], additionalProperties: rest = true } = schema;
  if (!isObject(properties)) throw new Error(`${at}/properties must be an object`);
  if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) {
    throw new Error(`${at}/required must be an array of strings`);
  }
  const names = Object.keys(properties);
  if (names.length === 0 && required.length === 0 && rest === true) return undefined;
  const must = new Set<string>(required);
  const nodes = names.map((name) => compile(properties[name], `${at}/properties/${name}`, depth + 1));
  const fields = names.map((name, i) => ({
    name,
    node: nodes[i] as Node,
    needed: must.has(name),
    inherited: name in {},
  }));
  const known = new Set(names);
  for (const name of must) {
    if (!known.has(name)) fields.push({ name, node: () => {}, needed: true, inherited: name in {} });
  }
  const other = rest === true ? undefined : compile(rest, `${at}/additionalProperties`, depth + 1);
  return (value, up, key, out) => {
    if (!isObject(value)) return;
    const here: Trail = { up, key };
    for (const field of fields) {
      // `toString` and its kin are there on every object: only an own property counts.
      const found = field.inherited && !Object.hasOwn(value, field.name) ? undefined : value[field.name];
      if (found !== undefined) field.node(found, here, field.name, out);
      else if (field.needed) report(out, here, field.name, 'required');
    }
    if (other === undefined) return;
    for (const name of Object.keys(value)) {
      if (known.has(name) || out.length > MAX_PROBLEMS) continue;
      if (rest === false) report(out, here, name, 'unknown property');
      else other(value[name], here, name, out);
    }
  };
}

function anyOfNode(schema: Json, at: string, depth: number): Node | undefined {
  if (schema.anyOf === undefined) return undefined;
  if (!Array.isArray(schema.anyOf) || schema.anyOf.length === 0)
    throw new Error(`${at}/anyOf must be a non-empty array`);
  const branches = schema.anyOf.map((branch, i) => compile(branch, `${at}/anyOf/${i}`, depth + 1));
  return (value, up, key, out) => {
    let fewest: Issue[] | undefined;
    for (const branch of branches) {
      const problems: Issue[] = [];
      branch(value, up, key, problems);
      if (problems.length === 0) return;
      if (fewest === undefined || problems.length < fewest.length) fewest = problems;
    }
    report(out, up, key, `matches none of the ${branches.length} allowed forms`);
    // What is wrong with the nearest form helps more than the list of all of them.
    for (const problem of fewest ?? []) if (out.length <= MAX_PROBLEMS) out.push(problem);
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
