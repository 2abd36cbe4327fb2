/**
 * Whether a filled form of an elicitation holds what was asked for: a flat object of primitive values, described by the small
 * part of JSON Schema that the specification allows for it.
 */
import { asMembers, type Members } from './incoming.js';

export interface FormSchema {
  readonly type: 'object';
  readonly properties: Members;
  readonly required?: readonly string[];
}

const MAX_FIELDS = 1000;

/** What is wrong with a filled form, named by its field; undefined when it fits. Linear time. */
export function formFault(schema: FormSchema, content: Members): string | undefined {
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(content, name)) return `"${name}" is missing`;
  }
  const names = Object.keys(content);
  if (names.length > MAX_FIELDS) return `it has more than ${MAX_FIELDS} fields`;
  for (const name of names) {
    if (!Object.hasOwn(schema.properties, name)) continue;
    const property = asMembers(schema.properties[name]);
    if (property !== undefined && !fits(property, content[name])) return `"${name}" does not fit its schema`;
  }
  return undefined;
}

function fits(property: Members, value: unknown): boolean {
  switch (property.type) {
    case 'string':
      return typeof value === 'string' && fitsLength(property, value) && fitsChoice(property, value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'number':
    case 'integer':
      return typeof value === 'number' && fitsRange(property, value);
    case 'array':
      return fitsMany(property, value);
    default:
      return true;
  }
}

function fitsRange(property: Members, value: number): boolean {
  if (property.type === 'integer' && !Number.isInteger(value)) return false;
  return !(value < Number(property.minimum ?? value)) && !(value > Number(property.maximum ?? value));
}

function fitsLength(property: Members, value: string): boolean {
  if (property.minLength === undefined && property.maxLength === undefined) return true;
  // Characters in the sense of JSON Schema are code points.
  const length = [...value].length;
  return !(length < Number(property.minLength ?? 0)) && !(length > Number(property.maxLength ?? length));
}

/** The choices of `enum`, of `oneOf` and of `anyOf`; everything when there are none. */
function fitsChoice(property: Members, value: string): boolean {
  if (Array.isArray(property.enum)) return property.enum.includes(value);
  const titled = property.oneOf ?? property.anyOf;
  return !Array.isArray(titled) || titled.some((choice) => asMembers(choice)?.const === value);
}

function fitsMany(property: Members, value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const { length } = value;
  if (length < Number(property.minItems ?? 0) || length > Number(property.maxItems ?? length)) return false;
  const items = asMembers(property.items) ?? {};
  return value.every((item) => typeof item === 'string' && fitsChoice(items, item));
}
