/**
 * Forms for elicitation: any Standard Schema in the few words that a form may use on the wire (an object of flat fields:
 * string, number, integer, boolean, choices). What those words cannot say is refused, never dropped silently; only
 * annotations are.
 */
import { createRequire } from 'node:module';
import type { ElicitRequestFormParams } from '../types/questions.js';
import type { StandardSchemaWithJSON } from '../types/standard.js';

/** A form on the wire's terms, or as a schema of any library that says itself in JSON Schema. */
export type ElicitInputParams = Omit<ElicitRequestFormParams, 'requestedSchema'> & {
  requestedSchema: ElicitRequestFormParams['requestedSchema'] | StandardSchemaWithJSON;
};

type Members = Record<string, unknown>;
type Check = (value: unknown) => boolean;

/** Words that describe and do not restrain: left out where the wire has no place for them. */
const ANNOTATIONS = new Set(['$comment', 'deprecated', 'description', 'examples', 'readOnly', 'title', 'writeOnly']);
const isAnnotation = (word: string) => ANNOTATIONS.has(word) || word.startsWith('x-');

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const areTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const areTitled: Check = (value) =>
  Array.isArray(value) && value.every((each) => isObject(each) && isText(each.const) && isText(each.title));
const FORMATS = ['email', 'uri', 'date', 'date-time'];
const isFormat: Check = (value) => FORMATS.includes(value as string);

const LABELS: Record<string, Check> = { type: isText, title: isText, description: isText };
const NUMBER: Record<string, Check> = { ...LABELS, minimum: isNumber, maximum: isNumber, default: isNumber };
const CHOICE: Record<string, Check> = { ...LABELS, enum: areTexts, enumNames: areTexts, default: isText };
const TITLED: Record<string, Check> = { ...LABELS, oneOf: areTitled, default: isText };
const STRING: Record<string, Check> = {
  ...LABELS,
  minLength: isNumber,
  maxLength: isNumber,
  format: isFormat,
  default: isText,
};
const MANY: Record<string, Check> = {
  ...LABELS,
  minItems: isNumber,
  maxItems: isNumber,
  items: (value) =>
    isObject(value) && (value.type === 'string' && 'enum' in value ? areTexts(value.enum) : areTitled(value.anyOf)),
  default: areTexts,
};

/** The words of a field's shape, by its type and what it has; undefined for a type that no form may have. */
function wordsOf(field: Members): Record<string, Check> | undefined {
  switch (field.type) {
    case 'string':
      return 'enum' in field ? CHOICE : 'oneOf' in field ? TITLED : STRING;
    case 'number':
    case 'integer':
      return NUMBER;
    case 'boolean':
      return { ...LABELS, default: isFlag };
    case 'array':
      return 'items' in field ? MANY : undefined;
    default:
      return undefined;
  }
}

/**
 * The parameters of `elicitation/create` in form mode.
 * @throws TypeError that names every field and word that a form on the wire cannot have
 */
export function formParams(input: ElicitInputParams): ElicitRequestFormParams {
  const schema = input.requestedSchema as Members | StandardSchemaWithJSON;
  if (!isStandard(schema)) return { ...input, mode: 'form' } as ElicitRequestFormParams;
  const requestedSchema = asForm(jsonSchemaOf(schema), schema['~standard'].vendor);
  return { ...input, mode: 'form', requestedSchema };
}

function asForm(schema: Members, vendor: string): ElicitRequestFormParams['requestedSchema'] {
  const wrong: string[] = [];
  if (schema.type !== undefined && schema.type !== 'object') wrong.push(`type ${JSON.stringify(schema.type)}`);
  const properties: Members = Object.create(null);
  const fields = isObject(schema.properties) ? schema.properties : {};
  for (const [name, field] of Object.entries(fields)) {
    properties[name] = asField(field, `properties.${name}`, vendor, wrong);
  }
  const required = schema.required === undefined ? undefined : (schema.required as string[]);
  for (const name of required ?? []) {
    // Some converters lose a field of an odd name and keep that it is required.
    if (!Object.hasOwn(fields, name)) wrong.push(`required ${JSON.stringify(name)}, which is not in properties`);
  }
  for (const word of Object.keys(schema)) {
    if (!['$schema', 'type', 'properties', 'required'].includes(word) && !isAnnotation(word)) wrong.push(word);
  }
  if (wrong.length > 0) {
    throw new TypeError(
      `requestedSchema of an elicitation may only have flat fields; it cannot have ${wrong.join(', ')}`,
    );
  }
  return {
    ...(schema.$schema === undefined ? {} : { $schema: schema.$schema }),
    type: 'object',
    properties: { ...properties } as ElicitRequestFormParams['requestedSchema']['properties'],
    ...(required === undefined ? {} : { required }),
  };
}

function asField(field: unknown, path: string, vendor: string, wrong: string[]): Members {
  const words = isObject(field) ? wordsOf(field) : undefined;
  const kept: Members = {};
  if (!isObject(field) || words === undefined) {
    wrong.push(path);
    return kept;
  }
  for (const [word, value] of Object.entries(field)) {
    if (Object.hasOwn(words, word)) {
      const strangers = word === 'items' ? strangersIn(value) : [];
      if (words[word]?.(value) === true && strangers.length === 0) kept[word] = value;
      else wrong.push(...(strangers.length > 0 ? strangers.map((at) => `${path}.items.${at}`) : [`${path}.${word}`]));
    } else if (word === 'pattern' && typeof value === 'string' && isFormat(field.format)) {
      // Libraries say a format twice; a pattern of the user's own must not get lost.
      if (!isOwnPattern(field.format as string, value, vendor)) wrong.push(`${path}.${word}`);
    } else if (!isAnnotation(word)) {
      wrong.push(`${path}.${word}`);
    }
  }
  return kept;
}

function strangersIn(items: unknown): string[] {
  if (!isObject(items)) return [];
  const words = 'enum' in items ? ['type', 'enum'] : ['anyOf'];
  return Object.keys(items).filter((word) => !words.includes(word) && !isAnnotation(word));
}

interface Zod {
  toJSONSchema(schema: unknown, options: object): Members;
  email(): unknown;
  url(): unknown;
  iso: { date(): unknown; datetime(options: object): unknown };
}
let zod: Zod | undefined;

function loadZod(): Zod {
  zod ??= createRequire(import.meta.url)('zod') as Zod;
  return zod;
}

/** Whether a pattern beside a format is what the library writes for that format. Only zod's can be asked for. */
function isOwnPattern(format: string, pattern: string, vendor: string): boolean {
  if (vendor !== 'zod') return true;
  return formatsOfZod(format, pattern).some((schema) => jsonSchemaFromZod(schema).pattern === pattern);
}

function formatsOfZod(format: string, pattern: string): unknown[] {
  const { email, url, iso } = loadZod();
  if (format === 'email') return [email()];
  if (format === 'uri') return [url()];
  if (format === 'date') return [iso.date()];
  // Zod writes a time in as many ways as it has options; the digits of the second are the one open number among them.
  const digits = /\\\.\\d\{(\d+)\}/.exec(pattern);
  const precisions = [undefined, -1, 0, ...(digits === null ? [] : [Number(digits[1])])];
  return [false, true].flatMap((local) =>
    [false, true].flatMap((offset) => precisions.map((precision) => iso.datetime({ local, offset, precision }))),
  );
}

function jsonSchemaFromZod(schema: unknown): Members {
  return loadZod().toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
}

function jsonSchemaOf(schema: StandardSchemaWithJSON): Members {
  const standard = schema['~standard'];
  try {
    if (standard.jsonSchema !== undefined) return standard.jsonSchema.input({ target: 'draft-2020-12' });
    // Zod before 4.2.
    if (standard.vendor === 'zod' && '_zod' in schema) return jsonSchemaFromZod(schema);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TypeError(`requestedSchema of an elicitation cannot be said in JSON Schema: ${why}`, { cause: error });
  }
  throw new TypeError(`requestedSchema of an elicitation: ${standard.vendor} does not say its schemas in JSON Schema`);
}

function isStandard(value: unknown): value is StandardSchemaWithJSON {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = '~standard' in value ? (value['~standard'] as Members | undefined) : undefined;
  return typeof standard?.validate === 'function';
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
