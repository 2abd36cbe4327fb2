/**
 * The dialects of JSON Schema that are spoken: which keywords each of them does not know, and where it differs in more
 * than keywords. A metaschema of somebody's own counts as 2020-12 less the vocabularies that its `$vocabulary` leaves
 * out. Holds no behaviour of any keyword.
 */
import { isObject, type Json } from './run.js';

export interface Dialect {
  readonly name: '2020-12' | '2019-09' | 'draft-07';
  /** Keywords of other dialects, or of a vocabulary that is off: as good as absent. */
  readonly unknown: ReadonlySet<string>;
  /** `items` may be an array of schemas, one per place, with `additionalItems` for the rest. */
  readonly tuples: boolean;
  /** Keywords beside `$ref` count. */
  readonly refSiblings: boolean;
  /** Items that match `contains` are evaluated. */
  readonly containsEvaluates: boolean;
}

const words = (text: string) => new Set(text.split(' '));

const DRAFT_2020: Dialect = {
  name: '2020-12',
  unknown: words('additionalItems $recursiveRef $recursiveAnchor'),
  tuples: false,
  refSiblings: true,
  containsEvaluates: true,
};
const DRAFT_2019: Dialect = {
  name: '2019-09',
  unknown: words('prefixItems $dynamicRef $dynamicAnchor'),
  tuples: true,
  refSiblings: true,
  containsEvaluates: false,
};
const DRAFT_07: Dialect = {
  name: 'draft-07',
  unknown: words(
    'prefixItems $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor $anchor dependentSchemas dependentRequired ' +
      'minContains maxContains unevaluatedItems unevaluatedProperties',
  ),
  tuples: true,
  refSiblings: false,
  containsEvaluates: false,
};

const BASE_2020 = 'https://json-schema.org/draft/2020-12';
const BASE_2019 = 'https://json-schema.org/draft/2019-09';
const DIALECTS = new Map<string, Dialect>([
  [`${BASE_2020}/schema`, DRAFT_2020],
  [`${BASE_2019}/schema`, DRAFT_2019],
  ['http://json-schema.org/draft-07/schema', DRAFT_07],
]);

const NONE: ReadonlySet<string> = new Set();
const APPLICATOR =
  'prefixItems items contains minContains maxContains additionalProperties properties patternProperties ' +
  'dependentSchemas dependencies propertyNames if then else allOf anyOf oneOf not';
const UNEVALUATED = 'unevaluatedItems unevaluatedProperties';
const VALIDATION =
  'type const enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems ' +
  'minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired';

/** Keywords that go when their vocabulary is not in force, by the URI of the vocabulary. */
const VOCABULARIES_2020 = new Map([
  [`${BASE_2020}/vocab/core`, NONE],
  [`${BASE_2020}/vocab/applicator`, words(APPLICATOR)],
  [`${BASE_2020}/vocab/unevaluated`, words(UNEVALUATED)],
  [`${BASE_2020}/vocab/validation`, words(VALIDATION)],
  [`${BASE_2020}/vocab/meta-data`, NONE],
  [`${BASE_2020}/vocab/format-annotation`, NONE],
  [`${BASE_2020}/vocab/content`, NONE],
]);
const VOCABULARIES_2019 = new Map([
  [`${BASE_2019}/vocab/core`, NONE],
  [`${BASE_2019}/vocab/applicator`, words(`${APPLICATOR} additionalItems ${UNEVALUATED}`)],
  [`${BASE_2019}/vocab/validation`, words(VALIDATION)],
  [`${BASE_2019}/vocab/meta-data`, NONE],
  [`${BASE_2019}/vocab/format`, NONE],
  [`${BASE_2019}/vocab/content`, NONE],
]);

/**
 * @param named the value of `$schema`; undefined: the dialect `around`, or 2020-12
 * @param known finds a metaschema among the documents at hand
 * @throws Error for a dialect that is not known, naming it
 */
export function dialectOf(
  named: unknown,
  around?: Dialect,
  known: (uri: string) => unknown = () => undefined,
): Dialect {
  if (named === undefined) return around ?? DRAFT_2020;
  const uri = typeof named === 'string' ? named.replace(/#$/, '') : '';
  const dialect = DIALECTS.get(uri);
  if (dialect !== undefined) return dialect;
  const own = known(uri);
  if (!isObject(own)) {
    throw new Error(`$schema ${JSON.stringify(named)} is not supported; known are 2020-12, 2019-09 and draft-07`);
  }
  return restricted(own, uri);
}

function restricted(metaschema: Json, uri: string): Dialect {
  const { $vocabulary: vocabulary } = metaschema;
  if (vocabulary === undefined) return DRAFT_2020;
  if (!isObject(vocabulary)) throw new Error(`$vocabulary of ${uri} must be an object`);
  const listed = Object.entries(vocabulary);
  const old = listed.some(([name]) => VOCABULARIES_2019.has(name));
  const [base, ours] = old ? [DRAFT_2019, VOCABULARIES_2019] : [DRAFT_2020, VOCABULARIES_2020];
  const unknown = new Set(base.unknown);
  for (const [name, keywords] of ours) {
    if (!Object.hasOwn(vocabulary, name)) for (const keyword of keywords) unknown.add(keyword);
  }
  for (const [name, needed] of listed) {
    if (needed === true && !ours.has(name)) {
      throw new Error(`${uri} needs the vocabulary ${name}, which is not supported`);
    }
  }
  return { ...base, unknown };
}
