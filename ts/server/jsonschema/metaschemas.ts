/**
 * The metaschemas, for schemas that refer to one: what a schema may look like, said in JSON Schema.
 *
 * They are put together from tables of keywords, because their whole content is which keyword takes what. Annotations
 * (titles, comments, defaults) are left out. Checking a schema at registration does not use them: the compiler names
 * mistakes better.
 */
import type { Json } from './run.js';

const COUNT = { type: 'integer', minimum: 0 };
const NAMES = { type: 'array', items: { type: 'string' }, uniqueItems: true };
const TYPE = { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] };
const TEXT = { type: 'string' };
const FLAG = { type: 'boolean' };
const ANY = true;

const list = (items: unknown) => ({ type: 'array', minItems: 1, items });
const map = (additionalProperties: unknown) => ({ type: 'object', additionalProperties });
const each = (words: string, value: unknown): Json => Object.fromEntries(words.split(' ').map((word) => [word, value]));

const ASSERTIONS: Json = {
  ...each('minLength maxLength minItems maxItems minProperties maxProperties', COUNT),
  ...each('minimum maximum exclusiveMinimum exclusiveMaximum', { type: 'number' }),
  multipleOf: { type: 'number', exclusiveMinimum: 0 },
  pattern: { type: 'string', format: 'regex' },
  uniqueItems: FLAG,
  required: NAMES,
  const: ANY,
  enum: { type: 'array', items: ANY },
  type: { anyOf: [TYPE, { ...list(TYPE), uniqueItems: true }] },
};
const COUNTED: Json = { ...each('minContains maxContains', COUNT), dependentRequired: map(NAMES) };
const NOTES: Json = {
  ...each('title description', TEXT),
  ...each('deprecated readOnly writeOnly', FLAG),
  default: ANY,
  examples: { type: 'array', items: ANY },
};
const CONTENT: Json = each('contentMediaType contentEncoding', TEXT);

/** Keywords that hold schemas, for a `self` that refers to the metaschema. */
const applicators = (self: Json): Json => ({
  ...each('contains additionalProperties propertyNames if then else not', self),
  ...each('allOf anyOf oneOf', list(self)),
  ...each('properties', map(self)),
  patternProperties: { ...map(self), propertyNames: { format: 'regex' } },
});

type Vocabularies = Record<string, Json>;

/** A metaschema that is made of one document for each vocabulary. */
function family(base: string, anchor: Json, self: Json, vocabularies: Vocabularies, old: Json): [string, Json][] {
  const head = (name: string) => ({ $schema: `${base}/schema`, $id: `${base}/${name}`, ...anchor });
  const named = Object.keys(vocabularies);
  const vocabulary = Object.fromEntries(named.map((name) => [`${base}/vocab/${name}`, name !== 'format']));
  const whole: Json = {
    ...head('schema'),
    $vocabulary: vocabulary,
    type: ['object', 'boolean'],
    allOf: named.map((name) => ({ $ref: `meta/${name}` })),
    properties: { definitions: map(self), dependencies: map({ anyOf: [self, NAMES] }), ...old },
  };
  const parts = named.map((name): [string, Json] => [
    `${base}/meta/${name}`,
    { ...head(`meta/${name}`), type: ['object', 'boolean'], properties: vocabularies[name] },
  ]);
  return [[`${base}/schema`, whole], ...parts];
}

function draft2020(): [string, Json][] {
  const self = { $dynamicRef: '#meta' };
  const anchor = { type: 'string', pattern: '^[A-Za-z_][-A-Za-z0-9._]*$' };
  const vocabularies: Vocabularies = {
    core: {
      $id: { type: 'string', format: 'uri-reference', pattern: '^[^#]*#?$' },
      ...each('$schema $ref $dynamicRef $comment', TEXT),
      ...each('$anchor $dynamicAnchor', anchor),
      $vocabulary: { ...map(FLAG), propertyNames: TEXT },
      $defs: map(self),
    },
    applicator: { ...applicators(self), prefixItems: list(self), items: self, dependentSchemas: map(self) },
    unevaluated: each('unevaluatedItems unevaluatedProperties', self),
    validation: { ...ASSERTIONS, ...COUNTED },
    'meta-data': NOTES,
    'format-annotation': { format: TEXT },
    content: { ...CONTENT, contentSchema: self },
  };
  const old = { $recursiveAnchor: anchor, $recursiveRef: TEXT };
  return family('https://json-schema.org/draft/2020-12', { $dynamicAnchor: 'meta' }, self, vocabularies, old);
}

function draft2019(): [string, Json][] {
  const self = { $recursiveRef: '#' };
  const vocabularies: Vocabularies = {
    core: {
      $id: { type: 'string', format: 'uri-reference', pattern: '^[^#]*#?$' },
      $anchor: { type: 'string', pattern: '^[A-Za-z][-A-Za-z0-9.:_]*$' },
      ...each('$schema $ref $recursiveRef $comment', TEXT),
      $recursiveAnchor: FLAG,
      $vocabulary: { ...map(FLAG), propertyNames: TEXT },
      $defs: map(self),
    },
    applicator: {
      ...applicators(self),
      ...each('additionalItems unevaluatedItems unevaluatedProperties', self),
      items: { anyOf: [self, list(self)] },
      dependentSchemas: map(self),
    },
    validation: { ...ASSERTIONS, ...COUNTED },
    'meta-data': NOTES,
    format: { format: TEXT },
    content: { ...CONTENT, contentSchema: self },
  };
  return family('https://json-schema.org/draft/2019-09', { $recursiveAnchor: true }, self, vocabularies, {});
}

function draft07(): [string, Json][] {
  const self = { $ref: '#' };
  const uri = 'http://json-schema.org/draft-07/schema';
  const properties = {
    ...each('$id $schema $ref $comment format', TEXT),
    ...ASSERTIONS,
    ...NOTES,
    ...CONTENT,
    ...applicators(self),
    additionalItems: self,
    items: { anyOf: [self, list(self)] },
    definitions: map(self),
    dependencies: map({ anyOf: [self, NAMES] }),
  };
  return [[uri, { $schema: `${uri}#`, $id: `${uri}#`, type: ['object', 'boolean'], properties }]];
}

let all: Map<string, Json> | undefined;

/** The metaschema, or the part of one, with this URI; undefined when there is none. */
export function metaschema(uri: string): Json | undefined {
  all ??= new Map([...draft2020(), ...draft2019(), ...draft07()]);
  return all.get(uri);
}
