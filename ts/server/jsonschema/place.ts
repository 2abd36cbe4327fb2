/** What a keyword module is told about the schema it compiles, and how it reads limits from it. */
import type { Dialect } from './dialects.js';
import type { Check, Json } from './run.js';

export interface Place {
  /** JSON pointer of the schema, for mistakes. */
  readonly at: string;
  readonly dialect: Dialect;
  /** Compiles a subschema; `path` is its pointer below this one. */
  sub(schema: unknown, path: string): Check;
}

/** One keyword, or a few that only make sense together: their check, or undefined when the schema has none of them. */
export type Keywords = (schema: Json, place: Place) => Check | undefined;

/** A keyword's number, or undefined. @throws Error when it is something else */
export function limit(schema: Json, keyword: string, at: string, count: boolean): number | undefined {
  const value = schema[keyword];
  if (value === undefined) return undefined;
  const valid = count ? Number.isInteger(value) && (value as number) >= 0 : Number.isFinite(value);
  if (!valid) throw new Error(`${at}/${keyword} must be a ${count ? 'whole number, zero or more' : 'number'}`);
  return value as number;
}

/** The subschemas of `allOf` and its kin. */
export function branches(schema: Json, keyword: string, place: Place): Check[] | undefined {
  const list = schema[keyword];
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || list.length === 0) throw new Error(`${place.at}/${keyword} must be a non-empty array`);
  return list.map((each, i) => place.sub(each, `/${keyword}/${i}`));
}
