/**
 * Plain JSON Schemas through Ajv: every keyword of draft 2020-12 (and 2019-09, draft-07 when `$schema` says so).
 *
 * Ajv is loaded when the first schema needs it and not before. Nothing is fetched: a `$ref` that leaves the schema fails
 * at registration. `format` is an annotation, as 2020-12 has it by default.
 */
import { createRequire } from 'node:module';
import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import type { Issue } from './standard.js';
import { typeName } from './validate.js';

const load = createRequire(import.meta.url);

/** Ajv's entry for each dialect that is known; the empty string is a schema without `$schema`. */
const DIALECTS: Record<string, string> = {
  '': 'ajv/dist/2020.js',
  'https://json-schema.org/draft/2020-12/schema': 'ajv/dist/2020.js',
  'https://json-schema.org/draft/2019-09/schema': 'ajv/dist/2019.js',
  'http://json-schema.org/draft-07/schema': 'ajv/dist/ajv.js',
};

/** All problems are looked for only in values of at most this many parts: a huge wrong array would make millions. */
const MAX_PARTS = 10_000;

/** @throws Error for a dialect that no validator here knows */
export function dialectOf(schema: object): string {
  const named = (schema as { $schema?: unknown }).$schema ?? '';
  const dialect = typeof named === 'string' ? named.replace(/#$/, '') : undefined;
  if (dialect === undefined || !Object.hasOwn(DIALECTS, dialect)) {
    throw new Error(`$schema ${JSON.stringify(named)} is not supported; known are 2020-12, 2019-09 and draft-07`);
  }
  return dialect;
}

const compilers = new Map<string, Ajv>();

function compiler(dialect: string, allErrors: boolean): Ajv {
  const entry = DIALECTS[dialect] as string;
  const key = `${entry} ${allErrors}`;
  let ajv = compilers.get(key);
  if (ajv === undefined) {
    const module = load(entry) as { default: new (options: Options) => Ajv };
    ajv = new module.default({
      strict: false,
      validateFormats: false,
      ownProperties: true,
      verbose: true,
      allErrors,
      logger: false,
    });
    compilers.set(key, ajv);
  }
  return ajv;
}

function compile(schema: object, allErrors: boolean): ValidateFunction {
  const ajv = compiler(dialectOf(schema), allErrors);
  try {
    return ajv.compile(schema);
  } finally {
    // Ajv remembers every schema it compiled, and refuses a second one with the same $id: both end here.
    ajv.removeSchema(schema);
  }
}

/** @returns the check, which gives the problems (none: an empty array); @throws Error when the schema is not valid */
export function compileAjv(schema: object): (value: unknown) => Issue[] {
  const fast = compile(schema, false);
  let thorough: ValidateFunction | undefined;
  return (value) => {
    if (fast(value)) return [];
    if (parts(value) > MAX_PARTS) return (fast.errors ?? []).map(issueOf);
    thorough ??= compile(schema, true);
    thorough(value);
    return (thorough.errors ?? []).map(issueOf);
  };
}

/** Counts members and items, up to one more than {@link MAX_PARTS}. */
function parts(root: unknown): number {
  const open: unknown[] = [root];
  let count = 0;
  while (open.length > 0 && count <= MAX_PARTS) {
    const value = open.pop();
    count++;
    if (typeof value !== 'object' || value === null) continue;
    const inner = Array.isArray(value) ? value : Object.values(value);
    if (inner.length > MAX_PARTS) return MAX_PARTS + 1;
    for (const part of inner) open.push(part);
  }
  return count;
}

function issueOf(error: ErrorObject): Issue {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  const { keyword, params } = error as { keyword: string; params: Record<string, unknown> };
  if (keyword === 'required') return { path: [...path, String(params.missingProperty)], message: 'required' };
  if (keyword === 'additionalProperties') {
    return { path: [...path, String(params.additionalProperty)], message: 'unknown property' };
  }
  if (keyword === 'unevaluatedProperties') {
    return { path: [...path, String(params.unevaluatedProperty)], message: 'unknown property' };
  }
  if (keyword === 'type') {
    const wanted = Array.isArray(params.type) ? params.type.join(' or ') : String(params.type);
    return { path, message: `expected ${wanted}, received ${typeName(error.data)}` };
  }
  if (keyword === 'enum') {
    return {
      path,
      message: `expected one of ${(params.allowedValues as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`,
    };
  }
  return { path, message: error.message ?? `fails ${keyword}` };
}

function unescapePointer(segment: string): string | number {
  return /^\d+$/.test(segment) ? Number(segment) : segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
