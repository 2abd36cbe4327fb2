/**
 * Tells whether two zod schemas are the same definition made twice, as by a factory that builds its server for every
 * request: a text that is equal only for equal definitions, found in a few microseconds.
 *
 * Covers the plain types. Functions cannot be compared, so a schema that holds one (a refinement, an error message, a
 * default, which may be computed) is only the same as far as its JSON Schema goes: `pure` is false, and what it does must
 * be left to the object at hand. Where a function decides the JSON Schema too (transforms, pipes, lazy schemas) there is
 * no fingerprint. Reads zod 4's public definitions (`_zod.def`), and loads nothing.
 */

export interface Fingerprint {
  readonly key: string;
  /** The definition is all there is to it: another object with the same key does exactly the same. */
  readonly pure: boolean;
}

interface Internals {
  readonly def: Record<string, unknown>;
  readonly toJSONSchema?: unknown;
  readonly version?: { major?: number; minor?: number; patch?: number };
}

/** Parts of a definition that are looked at, and how deep they nest, before it counts as too large. */
const MAX_PARTS = 5_000;
const MAX_DEPTH = 40;

const TYPES = new Set(
  (
    'string number boolean object array optional nullable enum literal default prefault record union tuple null any unknown ' +
    'never nonoptional readonly'
  ).split(' '),
);
/** Checks that are all in their definition. */
const CHECKS = new Set(
  (
    'less_than greater_than multiple_of number_format min_length max_length length_equals string_format min_size max_size ' +
    'size_equals'
  ).split(' '),
);
/** Conditions that zod itself gives its length and size checks. */
const ITS_OWN = /^_whenHas(?:Length|Size)$/;

class Unknown extends Error {}

/** @param schema a zod schema, or the members of an object that is yet to be made of them */
export function fingerprint(schema: object): Fingerprint | undefined {
  const reader = new Reader();
  try {
    const internals = (schema as { _zod?: Internals })._zod;
    if (internals === undefined) return { key: `{${reader.fields(schema, 0)}}`, pure: reader.pure };
    const { major, minor, patch } = internals.version ?? {};
    return { key: `${major}.${minor}.${patch} ${reader.value(schema, 0)}`, pure: reader.pure };
  } catch {
    // A definition may hold getters of the user's: whatever they throw is met again where it can be reported.
    return undefined;
  }
}

class Reader {
  pure = true;
  #parts = 0;

  value(value: unknown, depth: number): string {
    if (++this.#parts > MAX_PARTS || depth > MAX_DEPTH) throw new Unknown();
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value);
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value);
      case 'boolean':
        return String(value);
      case 'bigint':
        return `${value}n`;
      case 'undefined':
        return '-';
      case 'object':
        return this.#object(value, depth);
      default:
        throw new Unknown();
    }
  }

  fields(object: object, depth: number): string {
    let text = '';
    for (const name of Object.keys(object)) {
      const value = (object as Record<string, unknown>)[name];
      if (value === undefined) continue;
      text += `${JSON.stringify(name)}:`;
      if (typeof value === 'function') {
        if (!(name === 'when' && ITS_OWN.test(value.name))) this.pure = false;
        text += 'f,';
      } else if (name === 'checks' && Array.isArray(value)) {
        text += `[${value.map((check: { _zod: Internals }) => this.#check(check._zod, depth)).join()}],`;
      } else text += `${this.value(value, depth + 1)},`;
    }
    return text;
  }

  #object(value: object | null, depth: number): string {
    if (value === null) return 'null';
    if (Array.isArray(value)) return `[${value.map((each) => this.value(each, depth + 1)).join()}]`;
    const internals = (value as { _zod?: Internals })._zod;
    if (internals !== undefined) return this.#schema(value, internals, depth);
    if (value instanceof RegExp) return String(value);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) throw new Unknown();
    return `{${this.fields(value, depth)}}`;
  }

  #check({ def }: Internals, depth: number): string {
    // A refinement is a function, and may not even be a part of its definition.
    if (!CHECKS.has(def.check as string)) this.pure = false;
    return `<${this.fields(def, depth + 1)}>`;
  }

  #schema(schema: object, internals: Internals, depth: number): string {
    const { def } = internals;
    const { type, check } = def;
    if (!TYPES.has(type as string) || typeof internals.toJSONSchema === 'function') throw new Unknown();
    // A string format is a check of itself. A default may be computed: its definition does not tell.
    if (check !== undefined && !CHECKS.has(check as string)) this.pure = false;
    if (type === 'default' || type === 'prefault') this.pure = false;
    return `<${this.fields(def, depth)}${this.#notes(schema, depth)}>`;
  }

  /** Titles, descriptions and whatever else was registered for it: they are listed. */
  #notes(schema: object, depth: number): string {
    const { meta } = schema as { meta?: () => unknown };
    if (typeof meta !== 'function') throw new Unknown();
    const notes = meta.call(schema);
    if (typeof notes !== 'object' || notes === null) return '';
    // An id makes it a definition that others refer to.
    if ('id' in notes) throw new Unknown();
    const pure = this.pure;
    this.pure = true;
    const text = this.value(notes, depth + 1);
    if (!this.pure) throw new Unknown();
    this.pure = pure;
    return text;
  }
}
