/** `unevaluatedItems` and `unevaluatedProperties`: what no other keyword of the schema has looked at. */
import type { Place } from '../place.js';
import { below, type Check, enough, fail, isObject, type Json, nothingSeen, type Seen, takeOver } from '../run.js';

/** The schema's other keywords, followed by these; `inner` itself when there are none. */
export function withUnevaluated(schema: Json, place: Place, inner: Check): Check {
  const { unevaluatedItems: items, unevaluatedProperties: members } = schema;
  if (items === undefined && members === undefined) return inner;
  const checks: ((...all: Parameters<Check>) => boolean)[] = [];
  if (items !== undefined) checks.push(restItems(place.sub(items, '/unevaluatedItems'), items === false));
  if (members !== undefined) {
    checks.push(restMembers(place.sub(members, '/unevaluatedProperties'), members === false));
  }
  return (value, up, key, run, seen) => {
    if (typeof value !== 'object' || value === null) return inner(value, up, key, run, seen);
    // Only what this schema and its branches looked at counts, so the list begins anew here.
    const mine = nothingSeen();
    if (!inner(value, up, key, run, mine)) return false;
    for (const check of checks) if (!check(value, up, key, run, mine)) return false;
    if (seen !== null) takeOver(seen, mine);
    return true;
  };
}

function restItems(check: Check, none: boolean): Check {
  return (value, up, key, run, seen) => {
    if (!Array.isArray(value)) return true;
    const { upTo, items } = seen as Seen;
    const here = below(run, up, key);
    let valid = true;
    for (let i = upTo; i < value.length && (valid || !enough(run)); i++) {
      if (items?.has(i)) continue;
      if (none) valid = fail(run, here, i, 'unexpected item');
      else if (!check(value[i], here, i, run, null)) valid = false;
    }
    (seen as Seen).upTo = value.length;
    return valid;
  };
}

function restMembers(check: Check, none: boolean): Check {
  return (value, up, key, run, seen) => {
    const { allNames, names } = seen as Seen;
    if (!isObject(value) || allNames) return true;
    const here = below(run, up, key);
    let valid = true;
    for (const name of Object.keys(value)) {
      if (names?.has(name) || value[name] === undefined) continue;
      if (none) valid = fail(run, here, name, 'unknown property');
      else if (!check(value[name], here, name, run, null)) valid = false;
      if (!valid && enough(run)) return false;
    }
    (seen as Seen).allNames = true;
    return valid;
  };
}
