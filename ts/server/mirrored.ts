/**
 * `x-mcp-header`: properties of a tool's input that clients mirror into `Mcp-Param-*` headers, found in its JSON Schema.
 *
 * An annotation counts only where a chain of `properties` leads to it; everywhere else a schema may stand it makes the
 * tool invalid, as does a name that is no header name, stands twice, or belongs to a property of another type than string,
 * integer or boolean: clients must drop such a tool, so its author is told instead. Comparing values is the protocol's.
 */
import type { MirroredParam } from './offer.js';

const KEY = 'x-mcp-header';
/** A field name by RFC 9110, 5.1. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TYPES = new Set<unknown>(['string', 'integer', 'boolean']);
/** Keywords whose value is a schema or a list of schemas, and those whose value names schemas. */
const SCHEMAS = [
  'items prefixItems contains additionalProperties unevaluatedProperties unevaluatedItems propertyNames',
  'oneOf anyOf allOf not if then else contentSchema',
].flatMap((words) => words.split(' '));
const NAMED = ['patternProperties', 'dependentSchemas', '$defs', 'definitions'];

const found = new WeakMap<object, readonly MirroredParam[] | undefined>();

/**
 * The mirrored properties of an input schema; undefined when it has none. Looked for once for each schema.
 * @throws Error that says which annotation is wrong, and why
 */
export function mirroredIn(schema: object): readonly MirroredParam[] | undefined {
  if (found.has(schema)) return found.get(schema);
  const params: MirroredParam[] = [];
  visit(schema, [], true, params);
  const result = params.length === 0 ? undefined : params;
  found.set(schema, result);
  return result;
}

function visit(node: unknown, path: readonly string[], reachable: boolean, params: MirroredParam[]): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as Record<string, unknown>;
  if (Object.hasOwn(schema, KEY)) params.push(declaration(schema, path, reachable, params));
  for (const [name, child] of Object.entries(membersOf(schema, 'properties'))) {
    visit(child, [...path, name], reachable, params);
  }
  for (const keyword of SCHEMAS) {
    if (!Object.hasOwn(schema, keyword)) continue;
    const value = schema[keyword];
    for (const child of Array.isArray(value) ? value : [value]) visit(child, [...path, keyword], false, params);
  }
  for (const keyword of NAMED) {
    for (const child of Object.values(membersOf(schema, keyword))) visit(child, [...path, keyword], false, params);
  }
}

function declaration(
  schema: Record<string, unknown>,
  path: readonly string[],
  reachable: boolean,
  params: readonly MirroredParam[],
): MirroredParam {
  const where = path.length === 0 ? 'the root' : path.join('.');
  const header = schema[KEY];
  if (!reachable || path.length === 0) {
    throw new Error(`${KEY} at ${where}: allowed only on properties that a chain of "properties" leads to`);
  }
  if (typeof header !== 'string' || !TOKEN.test(header)) {
    throw new Error(`${KEY} at ${where}: ${JSON.stringify(header)} is no header name`);
  }
  if (!TYPES.has(schema.type)) {
    const type = JSON.stringify(schema.type) ?? 'none';
    throw new Error(`${KEY} at ${where}: the type must be "string", "integer" or "boolean", not ${type}`);
  }
  const lower = header.toLowerCase();
  if (params.some((param) => param.header.toLowerCase() === lower)) {
    throw new Error(`${KEY} at ${where}: "${header}" stands twice (upper and lower case are the same)`);
  }
  return { header, path, type: schema.type as MirroredParam['type'] };
}

function membersOf(schema: Record<string, unknown>, keyword: string): object {
  const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
