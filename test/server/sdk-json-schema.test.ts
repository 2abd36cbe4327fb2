/** Plain JSON Schemas under the official package's names: the same verdicts on the same values. */
import { fromJsonSchema as official } from '@modelcontextprotocol/server';
import { Ajv, AjvJsonSchemaValidator as OfficialAjv } from '@modelcontextprotocol/server/validators/ajv';
import { CfWorkerJsonSchemaValidator as OfficialCfWorker } from '@modelcontextprotocol/server/validators/cf-worker';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromJsonSchema } from '../../ts/server/from-json-schema.js';
import { AjvJsonSchemaValidator, CfWorkerJsonSchemaValidator } from '../../ts/server/validators.js';

const schemas: Record<string, unknown>[] = [
  { type: 'object', properties: { a: { type: 'number' }, b: { type: 'string' } }, required: ['a'] },
  { type: 'object', additionalProperties: false, properties: { a: { enum: [1, 'x', null] } } },
  { type: 'string', minLength: 2 },
  { type: ['number', 'null'], minimum: 0 },
  { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'number' } },
  { anyOf: [{ type: 'string' }, { $ref: '#/$defs/n' }], $defs: { n: { type: 'integer' } } },
  { $schema: 'http://json-schema.org/draft-07/schema#', type: 'array', items: [{ type: 'string' }] },
  { $schema: 'https://json-schema.org/draft/2019-09/schema', type: 'object', minProperties: 1 },
];
const value = fc.oneof(
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.constantFrom<unknown>(1, 'x', null), fc.jsonValue())),
  fc.array(fc.constantFrom<unknown>('x', 1, null)),
  fc.jsonValue(),
);

describe('fromJsonSchema', () => {
  it('judges alike and lists the schema as it is', () => {
    for (const schema of schemas) {
      const mine = fromJsonSchema(schema)['~standard'];
      const theirs = official(schema)['~standard'];
      expect(mine.jsonSchema.input({ target: 'draft-2020-12' })).toEqual(schema);
      expect(mine.jsonSchema.output({ target: 'draft-2020-12' })).toEqual(schema);
      fc.assert(
        fc.property(value, (given) => {
          const a = mine.validate(given) as { value?: unknown; issues?: unknown[] };
          const b = theirs.validate(given) as typeof a;
          expect(a.issues === undefined).toBe(b.issues === undefined);
          expect(a.value).toEqual(b.value);
        }),
        { numRuns: 100 },
      );
    }
  });

  it('uses the validator that it is given', () => {
    const validator = new OfficialAjv();
    const { validate } = fromJsonSchema({ type: 'string' }, validator)['~standard'];
    expect(validate('a')).toEqual({ value: 'a' });
    expect(validate(1)).toEqual(official({ type: 'string' }, validator)['~standard'].validate(1));
  });

  it('refuses a schema that is malformed, and a dialect that nobody knows', () => {
    expect(() => fromJsonSchema({ type: 'strin' })).toThrow(/fromJsonSchema/);
    expect(() => fromJsonSchema({ $schema: 'https://example.com/mine' })).toThrow(/fromJsonSchema/);
  });
});

describe('validator classes', () => {
  it.each([
    ['AjvJsonSchemaValidator', new AjvJsonSchemaValidator(), new OfficialAjv()],
    ['CfWorkerJsonSchemaValidator', new CfWorkerJsonSchemaValidator(), new OfficialCfWorker()],
    // A draft that is told goes before the one that the schema names.
    [
      'CfWorkerJsonSchemaValidator with a draft',
      new CfWorkerJsonSchemaValidator({ draft: '7' }),
      new OfficialCfWorker({ draft: '7' }),
    ],
    [
      'AjvJsonSchemaValidator with an Ajv',
      new AjvJsonSchemaValidator(new Ajv({ strict: false, validateSchema: false })),
      new OfficialAjv(new Ajv({ strict: false, validateSchema: false })),
    ],
  ])('%s judges alike', (name, mine, theirs) => {
    const drafts = /draft|an Ajv/.test(name) ? schemas.filter((schema) => !('prefixItems' in schema)) : schemas;
    const plain = name.includes('an Ajv')
      ? drafts.filter((schema) => !String(schema.$schema).includes('2019'))
      : drafts;
    for (const schema of plain) {
      const check = mine.getValidator(schema);
      const reference = theirs.getValidator(schema);
      fc.assert(
        fc.property(value, (given) => {
          const result = check(given);
          expect(result.valid).toBe(reference(given).valid);
          expect(result.data).toEqual(result.valid ? given : undefined);
          expect(typeof result.errorMessage).toBe(result.valid ? 'undefined' : 'string');
        }),
        { numRuns: 50 },
      );
    }
  });

  it('compile an id once with an Ajv that refuses it twice', () => {
    const validator = new AjvJsonSchemaValidator(new Ajv({ strict: false }));
    const schema = { $id: 'https://example.com/s', type: 'string' };
    expect(validator.getValidator(schema)('a').valid).toBe(true);
    expect(validator.getValidator({ ...schema })(1).errorMessage).toMatch(/string/);
  });
});
