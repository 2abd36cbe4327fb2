/**
 * JSON Schema as closures: draft 2020-12 whole, 2019-09 and draft-07 by their `$schema`.
 *
 * A schema becomes a tree of small functions once, at registration; nothing is generated, evaluated or fetched, and
 * nothing is kept between two compilations. `format` and `content*` are annotations, as 2020-12 has them by default.
 * What a value can cost is bounded: the work is linear in schema times value but for what references add, and those are
 * counted ({@link MAX_STEPS}) and nested no deeper than {@link MAX_DEPTH}.
 */
import type { Issue } from '../standard.js';
import { contains, items, uniqueItems } from './keywords/arrays.js';
import { allOf, anyOf, condition, not, oneOf } from './keywords/branches.js';
import { multipleOf, range } from './keywords/numbers.js';
import { dependents, members, names } from './keywords/objects.js';
import { lengths, pattern } from './keywords/strings.js';
import { withUnevaluated } from './keywords/unevaluated.js';
import { type, values } from './keywords/values.js';
import { metaschema } from './metaschemas.js';
import type { Keywords, Place } from './place.js';
import { MAX_SCHEMA_DEPTH, type Resource, Resources, type Target } from './resources.js';
import { always, type Cell, type Check, enough, fail, isObject, type Json, type Run } from './run.js';

/** References within references: the nesting of a value that a recursive schema follows. */
export const MAX_DEPTH = 400;
/** References followed for one value: only schemas that branch into themselves ever come near it. */
export const MAX_STEPS = 10_000_000;

export interface CompileOptions {
  /** Further documents that references may name, by absolute URI without fragment. */
  readonly documents?: ReadonlyMap<string, unknown>;
}

/** What is wrong with a value; nothing: an empty array. */
export type Validator = (value: unknown) => readonly Issue[];

// A wrong type is said alone: the other keywords would only repeat it.
const FIRST: readonly Keywords[] = [type];
const REST: readonly Keywords[] = [
  values,
  range,
  multipleOf,
  lengths,
  pattern,
  items,
  uniqueItems,
  contains,
  members,
  names,
  dependents,
  allOf,
  anyOf,
  oneOf,
  not,
  condition,
];

const NO_ISSUES: readonly Issue[] = Object.freeze([]);

/**
 * @param schema is read now and again never: it must not change while this runs, and may afterwards
 * @throws Error when a keyword is malformed or a reference leads nowhere, with its place in the schema
 */
export function compileSchema(schema: unknown, options: CompileOptions = {}): Validator {
  const { documents } = options;
  const resources = new Resources((uri) => documents?.get(uri) ?? metaschema(uri));
  const check = new Compiler(resources).root(schema, resources.add(schema));
  return (value) => {
    if (verdict(check, value, null) === true) return NO_ISSUES;
    const out: Issue[] = [];
    const bound = verdict(check, value, out);
    // Whoever looks twice sees the same, unless the value changes itself while it is read.
    if (typeof bound === 'string') return [{ path: [], message: bound }];
    return out.length > 0 || bound ? out : [{ path: [], message: 'does not match the schema' }];
  };
}

/** Yes, no, or why it could not be told. */
function verdict(check: Check, value: unknown, out: Issue[] | null): boolean | string {
  const run: Run = { out, depth: 0, steps: 0, over: false, dynamic: null };
  try {
    const valid = check(value, null, null, run, null);
    return run.over ? 'nested too deeply, or too much, to be checked' : valid;
  } catch (error) {
    if (error instanceof RangeError) return 'nested too deeply to be checked';
    throw error;
  }
}

class Compiler {
  readonly #resources: Resources;
  readonly #cells = new Map<unknown, Cell>();
  /** What references wait for; made one after the other, so that a long chain of them needs no stack. */
  readonly #waiting: (() => void)[] = [];

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  root(schema: unknown, resource: Resource): Check {
    const check = this.#compile(schema, resource, undefined, '', 0);
    for (let make = this.#waiting.pop(); make !== undefined; make = this.#waiting.pop()) make();
    return check;
  }

  #compile(schema: unknown, around: Resource, from: Resource | undefined, at: string, depth: number): Check {
    if (schema === true) return always;
    if (schema === false) return (_value, up, key, run) => fail(run, up, key, 'not allowed');
    if (!isObject(schema)) throw new Error(`${at || '/'} must be an object or a boolean`);
    if (depth > MAX_SCHEMA_DEPTH) throw new Error(`nested deeper than ${MAX_SCHEMA_DEPTH} levels`);
    const resource = this.#resources.home(schema, around, at);
    const check = this.#keywords(schema, resource, at, depth);
    return resource === from ? check : this.#entering(resource, check);
  }

  #keywords(schema: Json, resource: Resource, at: string, depth: number): Check {
    const { dialect } = resource;
    const own = known(schema, dialect.unknown, dialect.refSiblings);
    const place: Place = {
      at,
      dialect,
      sub: (each, path) => this.#compile(each, resource, resource, `${at}${path}`, depth + 1),
    };
    const first = FIRST.map((make) => make(own, place)).filter((check) => check !== undefined);
    const rest = REST.map((make) => make(own, place)).filter((check) => check !== undefined);
    for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef'] as const) {
      if (own[keyword] !== undefined) rest.push(this.#reference(keyword, own[keyword], resource, at));
    }
    return withUnevaluated(own, place, inTurn(first, together(rest)));
  }

  #reference(keyword: string, reference: unknown, resource: Resource, at: string): Check {
    if (typeof reference !== 'string') throw new Error(`${at}/${keyword} must be a string`);
    const target = this.#resources.resolve(reference, resource, at);
    const fixed = this.#cell(target);
    const name = keyword === '$ref' ? undefined : dynamicName(target);
    return (value, up, key, run, seen) => {
      if (run.over || run.depth >= MAX_DEPTH || run.steps >= MAX_STEPS) {
        run.over = true;
        return false;
      }
      run.steps++;
      run.depth++;
      const cell = name === undefined ? fixed : (run.dynamic?.get(name) ?? fixed);
      const valid = cell.check(value, up, key, run, seen);
      run.depth--;
      return valid;
    };
  }

  /** The check of a reference's target, made later and once. */
  #cell({ schema, resource, at }: Target): Cell {
    const made = this.#cells.get(schema);
    if (made !== undefined) return made;
    const cell: Cell = { check: always };
    this.#cells.set(schema, cell);
    this.#waiting.push(() => {
      cell.check = this.#compile(schema, resource, undefined, at, 0);
    });
    return cell;
  }

  /** Brings the dynamic anchors of a resource into force while a schema of it is at work. */
  #entering(resource: Resource, check: Check): Check {
    if (resource.dynamic.size === 0) return check;
    const doors = [...resource.dynamic].map(
      ([name, schema]) => [name, this.#cell({ schema, resource, anchor: name, at: `#${name}` })] as const,
    );
    return (value, up, key, run, seen) => {
      run.dynamic ??= new Map();
      const { dynamic } = run;
      // Outermost first: what is in force already stays.
      const opened = doors.filter(([name]) => !dynamic.has(name));
      for (const [name, cell] of opened) dynamic.set(name, cell);
      const valid = check(value, up, key, run, seen);
      for (const [name] of opened) dynamic.delete(name);
      return valid;
    };
  }
}

/** The name under which a dynamic reference looks outward; undefined when it is an ordinary one. */
function dynamicName({ schema, resource, anchor }: Target): string | undefined {
  if (anchor === undefined || !resource.dynamic.has(anchor)) return undefined;
  return resource.dynamic.get(anchor) === schema ? anchor : undefined;
}

/** The keywords that count in this dialect. */
function known(schema: Json, unknown: ReadonlySet<string>, refSiblings: boolean): Json {
  if (!refSiblings && schema.$ref !== undefined) return { $ref: schema.$ref };
  const names = Object.keys(schema);
  if (!names.some((name) => unknown.has(name))) return schema;
  return Object.fromEntries(names.filter((name) => !unknown.has(name)).map((name) => [name, schema[name]]));
}

function inTurn(first: Check[], rest: Check): Check {
  const [only] = first;
  if (only === undefined) return rest;
  if (rest === always) return only;
  return (value, up, key, run, seen) => only(value, up, key, run, seen) && rest(value, up, key, run, seen);
}

function together(checks: Check[]): Check {
  const [first, second] = checks;
  if (first === undefined) return always;
  if (second === undefined) return first;
  return (value, up, key, run, seen) => {
    let valid = true;
    for (let i = 0; i < checks.length; i++) {
      if ((checks[i] as Check)(value, up, key, run, seen)) continue;
      valid = false;
      if (enough(run)) return false;
    }
    return valid;
  };
}
