/** Keywords of arrays: `prefixItems`, `items` (both meanings), sizes, `uniqueItems`, `contains`. */
import { type Keywords, limit, type Place } from '../place.js';
import { below, type Check, enough, fail, type Json, quietly, seeItem } from '../run.js';

export const items: Keywords = (schema, place) => {
  const { tuples } = place.dialect;
  const least = limit(schema, 'minItems', place.at, true) ?? 0;
  const most = limit(schema, 'maxItems', place.at, true) ?? Number.POSITIVE_INFINITY;
  if (Array.isArray(schema.items) && !tuples) {
    throw new Error(`${place.at}/items must be an object or a boolean; in 2020-12 prefixItems is the array`);
  }
  const first = places(tuples ? 'items' : 'prefixItems', schema, place);
  const rest = restOf(schema, place, first);
  if (first === undefined && rest === undefined && least === 0 && most === Number.POSITIVE_INFINITY) return undefined;
  return (value, up, key, run, seen) => {
    if (!Array.isArray(value)) return true;
    if (value.length > most) return fail(run, up, key, `more than ${most} items`);
    let valid = value.length >= least || fail(run, up, key, `fewer than ${least} items`);
    const here = below(run, up, key);
    const fixed = first === undefined ? 0 : Math.min(first.length, value.length);
    const end = rest === undefined ? fixed : value.length;
    for (let i = 0; i < end && (valid || !enough(run)); i++) {
      const check = i < fixed ? (first as Check[])[i] : rest;
      if (!(check as Check)(value[i], here, i, run, null)) valid = false;
    }
    if (seen !== null) seen.upTo = Math.max(seen.upTo, end);
    return valid;
  };
};

function places(keyword: string, schema: Json, place: Place): Check[] | undefined {
  const list = schema[keyword];
  if (list === undefined || (keyword === 'items' && !Array.isArray(list))) return undefined;
  if (!Array.isArray(list)) throw new Error(`${place.at}/${keyword} must be an array`);
  return list.map((each, i) => place.sub(each, `/${keyword}/${i}`));
}

function restOf(schema: Json, place: Place, first: Check[] | undefined): Check | undefined {
  // Where `items` is the array, `additionalItems` is the rest; without that array it means nothing.
  const keyword = place.dialect.tuples && first !== undefined ? 'additionalItems' : 'items';
  return schema[keyword] === undefined ? undefined : place.sub(schema[keyword], `/${keyword}`);
}

export const uniqueItems: Keywords = (schema, { at }) => {
  const { uniqueItems: wanted } = schema;
  if (wanted !== undefined && typeof wanted !== 'boolean') throw new Error(`${at}/uniqueItems must be a boolean`);
  if (wanted !== true) return undefined;
  return (value, up, key, run) => {
    if (!Array.isArray(value) || value.length < 2) return true;
    const places = new Map<unknown, number>();
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      // Strings get a mark in front, so that none of them is taken for the text of an object.
      const mark = typeof item === 'string' ? `"${item}` : typeof item === 'object' ? sorted(item) : item;
      const before = places.get(mark);
      if (before !== undefined) return fail(run, up, key, `items ${before} and ${i} are the same`);
      places.set(mark, i);
    }
    return true;
  };
};

/** The same text for the same value, whatever the order of its members: what makes looking for duplicates linear. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const entries = Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
    // Pairs instead of an object: integer-like names would be reordered, and `__proto__` lost.
    return { '': entries.flat() };
  });
}

export const contains: Keywords = (schema, place) => {
  const most = limit(schema, 'maxContains', place.at, true) ?? Number.POSITIVE_INFINITY;
  const least = limit(schema, 'minContains', place.at, true) ?? 1;
  if (schema.contains === undefined) return undefined;
  const wanted = place.sub(schema.contains, '/contains');
  const marks = place.dialect.containsEvaluates;
  return (value, up, key, run, seen) => {
    if (!Array.isArray(value)) return true;
    let count = 0;
    for (let i = 0; i < value.length; i++) {
      if (!quietly(wanted, value[i], run, null)) continue;
      count++;
      if (count > most) return fail(run, up, key, `more than ${most} items of the kind that "contains" describes`);
      if (seen === null || !marks) {
        if (count >= least && most === Number.POSITIVE_INFINITY) return true;
      } else seeItem(seen, i);
    }
    return (
      count >= least ||
      fail(run, up, key, `fewer than ${least} item${least === 1 ? '' : 's'} of the kind that "contains" describes`)
    );
  };
};
