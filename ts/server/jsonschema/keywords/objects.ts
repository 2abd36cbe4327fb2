/** Keywords of objects: members by name, by pattern and the rest, names, sizes, dependencies. */
import { patternTest } from '../pattern/pattern.js';
import { type Keywords, limit, type Place } from '../place.js';
import { always, below, type Check, enough, fail, isObject, type Json, quietly, seeName } from '../run.js';

interface Field {
  readonly name: string;
  readonly check: Check;
  readonly needed: boolean;
  /** `toString` and its kin are there on every object: only an own member counts. */
  readonly inherited: boolean;
  readonly named: boolean;
}

interface Rule {
  readonly test: (name: string) => boolean | undefined;
  readonly check: Check;
}

const NO_NAMES: readonly string[] = [];

export const members: Keywords = (schema, place) => {
  const fields = fieldsOf(schema, place);
  const rules = rulesOf(schema, place);
  const { additionalProperties } = schema;
  const closed = additionalProperties === false;
  const other =
    additionalProperties === undefined ? undefined : place.sub(additionalProperties, '/additionalProperties');
  if (fields.length === 0 && rules.length === 0 && other === undefined) return undefined;
  const ruled = rules.length > 0;
  const known = new Set(fields.filter((field) => field.named).map((field) => field.name));
  return (value, up, key, run, seen) => {
    if (!isObject(value)) return true;
    const here = below(run, up, key);
    let valid = true;
    let present = 0;
    for (let i = 0; i < fields.length; i++) {
      const { name, check, needed, inherited, named } = fields[i] as Field;
      const found = inherited && !Object.hasOwn(value, name) ? undefined : value[name];
      if (found === undefined) {
        if (needed) valid = fail(run, here, name, 'required');
      } else {
        if (!check(found, here, name, run, null)) valid = false;
        if (named) {
          present++;
          if (seen !== null) seeName(seen, name);
        }
      }
      if (!valid && enough(run)) return false;
    }
    if (other === undefined && !ruled) return valid;
    const all = Object.keys(value);
    // As many as were found by name: there are no others.
    const rest = ruled || all.length !== present ? all : NO_NAMES;
    for (const name of rest) {
      let matched = known.has(name);
      if (matched && !ruled) continue;
      const found = value[name];
      if (found === undefined) continue;
      for (const rule of rules) {
        const fits = rule.test(name);
        if (fits === false) continue;
        matched = true;
        if (fits === undefined) valid = fail(run, here, name, 'this name is too long to be checked');
        if (!rule.check(found, here, name, run, null)) valid = false;
        if (seen !== null) seeName(seen, name);
      }
      if (!matched && closed) valid = fail(run, here, name, 'unknown property');
      else if (!matched && other !== undefined && !other(found, here, name, run, null)) valid = false;
      if (!valid && enough(run)) return false;
    }
    // By name, by pattern or as the rest: every member was looked at.
    if (other !== undefined && seen !== null) seen.allNames = true;
    return valid;
  };
};

function fieldsOf(schema: Json, place: Place): Field[] {
  const { properties = {}, required = [] } = schema;
  if (!isObject(properties)) throw new Error(`${place.at}/properties must be an object`);
  if (!isNames(required)) throw new Error(`${place.at}/required must be an array of strings`);
  const must = new Set(required);
  const fields: Field[] = Object.keys(properties).map((name) => {
    const check = place.sub(properties[name], `/properties/${name}`);
    return { name, check, needed: must.delete(name), inherited: name in {}, named: true };
  });
  for (const name of must) fields.push({ name, check: always, needed: true, inherited: name in {}, named: false });
  return fields;
}

function rulesOf(schema: Json, place: Place): Rule[] {
  const { patternProperties = {} } = schema;
  if (!isObject(patternProperties)) throw new Error(`${place.at}/patternProperties must be an object`);
  return Object.keys(patternProperties).map((source) => ({
    test: patternTest(source, `${place.at}/patternProperties`),
    check: place.sub(patternProperties[source], `/patternProperties/${source}`),
  }));
}

export const names: Keywords = (schema, place) => {
  const least = limit(schema, 'minProperties', place.at, true) ?? 0;
  const most = limit(schema, 'maxProperties', place.at, true) ?? Number.POSITIVE_INFINITY;
  const name = schema.propertyNames === undefined ? undefined : place.sub(schema.propertyNames, '/propertyNames');
  if (least === 0 && most === Number.POSITIVE_INFINITY && name === undefined) return undefined;
  return (value, up, key, run) => {
    if (!isObject(value)) return true;
    const found = Object.keys(value);
    if (found.length > most) return fail(run, up, key, `more than ${most} properties`);
    let valid = found.length >= least || fail(run, up, key, `fewer than ${least} properties`);
    if (name === undefined) return valid;
    const here = below(run, up, key);
    for (const each of found) {
      if (!quietly(name, each, run, null)) valid = fail(run, here, each, 'this name is not allowed');
      if (!valid && enough(run)) return false;
    }
    return valid;
  };
};

/** `dependentRequired`, `dependentSchemas`, and `dependencies`, which was both. */
export const dependents: Keywords = (schema, place) => {
  const rules: { name: string; needs: string[]; check: Check }[] = [];
  const schemasOnly = 'dependentSchemas';
  for (const keyword of ['dependentRequired', schemasOnly, 'dependencies']) {
    const map = schema[keyword];
    if (map === undefined) continue;
    if (!isObject(map)) throw new Error(`${place.at}/${keyword} must be an object`);
    for (const name of Object.keys(map)) {
      const rule = map[name];
      if (keyword !== schemasOnly && isNames(rule)) rules.push({ name, needs: rule, check: always });
      else if (keyword === 'dependentRequired') {
        throw new Error(`${place.at}/${keyword}/${name} must be an array of strings`);
      } else rules.push({ name, needs: [], check: place.sub(rule, `/${keyword}/${name}`) });
    }
  }
  if (rules.length === 0) return undefined;
  return (value, up, key, run, seen) => {
    if (!isObject(value)) return true;
    let valid = true;
    for (const { name, needs, check } of rules) {
      if (!has(value, name)) continue;
      for (const need of needs) {
        if (!has(value, need)) valid = fail(run, below(run, up, key), need, `required when ${name} is given`);
      }
      if (!check(value, up, key, run, seen)) valid = false;
      if (!valid && enough(run)) return false;
    }
    return valid;
  };
};

function has(value: Json, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined;
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}
