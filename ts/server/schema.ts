/**
 * One view of every schema that registration takes: its JSON Schema as text, and a check.
 *
 * How a value is told apart, in this order:
 * 1. `~standard` with a `validate` function: Standard Schema (zod 4, valibot, ArkType, ...). It must also carry
 *    `~standard.jsonSchema`; zod before 4.2 goes through `z.toJSONSchema`.
 * 2. A plain object whose values are all zod 4 schemas: a raw shape, wrapped with `z.object`. `{}` counts as one.
 * 3. Any other plain object: JSON Schema 2020-12, advertised verbatim.
 *
 * A contract is made once per schema and direction. It is found again by the schema object, and by content: a factory
 * that makes its schemas anew for every request compiles each once. What is kept for that is bounded. Nothing here runs
 * per call but {@link Contract.check}.
 */
import { createRequire } from 'node:module';
import { fingerprint } from './fingerprint.js';
import { compileSchema } from './jsonschema/compile.js';
import { Recent } from './recent.js';
import type { Issue, StandardResult, StandardSchemaV1 } from './standard.js';

export interface Contract {
  /** The JSON Schema as it is listed. */
  readonly text: string;
  /** The same, parsed: read-only by agreement. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly check: (value: unknown) => StandardResult | Promise<StandardResult>;
}

/** Direction: what a handler takes (always an object) or what a tool gives (any JSON value). */
export type Direction = 'input' | 'output';

type Zod = { object(shape: object): StandardSchemaV1; toJSONSchema(schema: unknown, options: object): object };
let zod: Zod | undefined;

// Only raw shapes and old zod versions need the library itself: importing it costs 70 ms and is left to them.
function loadZod(): Zod {
  zod ??= createRequire(import.meta.url)('zod') as Zod;
  return zod;
}

/** Contracts that are found again by content, for each direction. */
const MAX_KEPT = 1_000;
/** Characters of a schema that is kept for that: larger ones are found by their object alone. */
const MAX_TEXT = 32_768;

type Listing = Pick<Contract, 'text' | 'json'>;

class Known {
  readonly byObject = new WeakMap<object, Contract>();
  readonly byContent = new Recent<Contract>(MAX_KEPT);
  /** What zod schemas are listed as whose functions are their own. */
  readonly listings = new Recent<Listing>(MAX_KEPT);
}

const known = { input: new Known(), output: new Known() };

/** How many contracts are kept by content, for each direction. */
export function keptContracts(): Record<Direction, number> {
  return { input: known.input.byContent.size, output: known.output.byContent.size };
}

/** The contract of a tool without an input schema. */
export const NO_INPUT: Contract = {
  text: '{"type":"object","properties":{}}',
  json: { type: 'object', properties: {} },
  check: (value) => ({ value }),
};

/**
 * @param where names the schema in errors, for instance `inputSchema of tool "add"`
 * @throws TypeError when the schema is of no known kind, cannot be said in JSON Schema, or is malformed
 */
export function contractOf(schema: unknown, direction: Direction, where: string): Contract {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) {
    throw new TypeError(`${where} must be a zod or Standard Schema, a zod raw shape or a JSON Schema object`);
  }
  const { byObject } = known[direction];
  let contract = byObject.get(schema);
  if (contract !== undefined) return contract;
  try {
    contract = build(schema, direction);
  } catch (error) {
    throw new TypeError(`${where}: ${(error as Error).message}`, { cause: error });
  }
  byObject.set(schema, contract);
  return contract;
}

function build(schema: object, direction: Direction): Contract {
  if (isStandard(schema)) {
    return isZod(schema) ? fromZod(schema, () => schema, direction) : fromStandard(schema, direction);
  }
  if (Array.isArray(schema) || typeof schema === 'function') throw new Error('must be a schema object');
  const values = Object.values(schema);
  const zods = values.filter(isZod).length;
  if (zods === values.length) return fromZod(schema, () => loadZod().object(schema), direction);
  if (zods > 0) throw new Error('a raw shape must hold zod 4 schemas only');
  if (values.some(isOldZod)) throw new Error('zod 3 schemas cannot be listed; use zod 4 (4.2 or later)');
  return fromJson(schema as Record<string, unknown>, direction);
}

function isStandard(schema: object): schema is StandardSchemaV1 {
  return typeof (schema as Partial<StandardSchemaV1>)['~standard']?.validate === 'function';
}

function isZod(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

function isOldZod(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_def' in value && 'safeParse' in value && !('_zod' in value);
}

interface Converter {
  jsonSchema?: Partial<Record<Direction, (options: { target: 'draft-2020-12' }) => unknown>>;
}

/** @param make the schema itself, when `given` is only the shape of it */
function fromZod(given: object, make: () => StandardSchemaV1, direction: Direction): Contract {
  const { byContent, listings } = known[direction];
  const print = fingerprint(given);
  if (print === undefined || print.key.length > MAX_TEXT) return fromStandard(make(), direction);
  if (print.pure) {
    const contract = byContent.get(print.key) ?? fromStandard(make(), direction);
    byContent.set(print.key, contract);
    return contract;
  }
  const schema = make();
  const listing = listings.get(print.key) ?? listed(jsonOf(schema, direction), direction);
  listings.set(print.key, listing);
  return checkedBy(schema, listing);
}

function fromStandard(schema: StandardSchemaV1, direction: Direction): Contract {
  return checkedBy(schema, listed(jsonOf(schema, direction), direction));
}

function checkedBy(schema: StandardSchemaV1, { text, json }: Listing): Contract {
  const standard = schema['~standard'];
  return { text, json, check: (value) => standard.validate(value) };
}

function jsonOf(schema: StandardSchemaV1, direction: Direction): Record<string, unknown> {
  const standard = schema['~standard'];
  const convert = (standard as Converter).jsonSchema?.[direction];
  let json: unknown;
  if (convert !== undefined) json = convert.call((standard as Converter).jsonSchema, { target: 'draft-2020-12' });
  else if (isZod(schema)) json = loadZod().toJSONSchema(schema, { target: 'draft-2020-12', io: direction });
  else if (standard.vendor === 'zod') throw new Error('zod 3 schemas cannot be listed; use zod 4 (4.2 or later)');
  else throw new Error(`the schema library "${standard.vendor}" gives no JSON Schema (~standard.jsonSchema)`);
  if (typeof json !== 'object' || json === null) throw new Error('its JSON Schema is not an object');
  return json as Record<string, unknown>;
}

function fromJson(schema: Record<string, unknown>, direction: Direction): Contract {
  const text = listedText(schema, direction);
  const { byContent } = known[direction];
  const before = byContent.get(text);
  if (before !== undefined) return before;
  // The parsed copy is compiled, so that changing the caller's object later changes neither the list nor the check.
  const json = JSON.parse(text) as Record<string, unknown>;
  const problems = compileSchema(json);
  const contract: Contract = { text, json, check: (value) => outcome(value, problems(value)) };
  if (text.length <= MAX_TEXT) byContent.set(text, contract);
  return contract;
}

function outcome(value: unknown, issues: readonly Issue[]): StandardResult {
  return issues.length === 0 ? { value } : { issues };
}

/** The schema as it is listed: verbatim, but an input's root must say that it is an object. */
function listedText(json: Record<string, unknown>, direction: Direction): string {
  if (direction === 'input' && json.type !== undefined && json.type !== 'object') {
    throw new Error(`must describe an object, its type is ${JSON.stringify(json.type)}`);
  }
  return JSON.stringify(direction === 'input' && json.type === undefined ? { type: 'object', ...json } : json);
}

function listed(json: Record<string, unknown>, direction: Direction): Listing {
  const text = listedText(json, direction);
  return { text, json: JSON.parse(text) as Record<string, unknown> };
}
