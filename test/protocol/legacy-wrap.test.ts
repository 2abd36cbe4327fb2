/** What legacy clients are shown of structured output that is no object. */
import { describe, expect, it } from 'vitest';
import { WRAPPED, wrapListed, wrapResult, wrapSchema } from '../../ts/protocol/legacy/wrap.js';

const wrapped = (result: object, head: object = {}) => ({
  ...head,
  type: 'object',
  properties: { result },
  required: ['result'],
});

describe('schemas', () => {
  it('move as they are', () => {
    const schema = { type: 'array', items: { type: 'string' } };
    expect(wrapSchema(schema)).toEqual(wrapped(schema));
  });

  it('take their dialect to the root', () => {
    const $schema = 'https://json-schema.org/draft/2020-12/schema';
    expect(wrapSchema({ $schema, type: 'string' })).toEqual(wrapped({ $schema, type: 'string' }, { $schema }));
  });

  it('find their parts at the new place, and only there', () => {
    const schema = {
      anyOf: [
        { $ref: '#' },
        { $ref: '#/$defs/a' },
        { $ref: '#name' },
        { $dynamicRef: '#/$defs/a' },
        { $ref: 'other#/a' },
      ],
      $defs: { a: { const: { $ref: '#/$defs/a' } }, $ref: { $ref: '#/$defs/a' } },
      default: { $ref: '#' },
      properties: { default: { $ref: '#' }, $ref: { type: 'string' } },
    };
    expect(wrapSchema(schema).properties).toEqual({
      result: {
        anyOf: [
          { $ref: '#/properties/result' },
          { $ref: '#/properties/result/$defs/a' },
          { $ref: '#name' },
          { $dynamicRef: '#/properties/result/$defs/a' },
          { $ref: 'other#/a' },
        ],
        $defs: { a: { const: { $ref: '#/$defs/a' } }, $ref: { $ref: '#/properties/result/$defs/a' } },
        default: { $ref: '#' },
        properties: { default: { $ref: '#/properties/result' }, $ref: { type: 'string' } },
      },
    });
  });

  it('with an id of their own refer to that', () => {
    const own = { $id: 'https://example.com/s', anyOf: [{ $ref: '#/$defs/a' }] };
    expect(wrapSchema(own)).toEqual(wrapped(own));
    const inner = { type: 'array', items: own, contains: { $id: '#item', $ref: '#' } };
    expect(wrapSchema(inner)).toEqual(
      wrapped({ type: 'array', items: own, contains: { $id: '#item', $ref: '#/properties/result' } }),
    );
  });

  it('of 2019-09 recur to the new place', () => {
    const $schema = 'https://json-schema.org/draft/2019-09/schema';
    const tree = {
      $schema,
      type: 'array',
      items: { $recursiveRef: '#' },
      contains: { $ref: '#/x', $recursiveRef: '#' },
    };
    expect(wrapSchema(tree).properties).toEqual({
      result: {
        $schema,
        type: 'array',
        items: { $ref: '#/properties/result' },
        contains: { $ref: '#/properties/result/x', allOf: [{ $ref: '#/properties/result' }] },
      },
    });
    const open = { ...tree, $recursiveAnchor: true };
    expect((wrapSchema(open).properties as { result: { items: object } }).result.items).toEqual({ $recursiveRef: '#' });
    expect(wrapSchema({ type: 'array', items: { $recursiveRef: '#' } })).toEqual(
      wrapped({ type: 'array', items: { $recursiveRef: '#' } }),
    );
  });

  it('keep members with the names of prototypes', () => {
    const schema = JSON.parse('{"anyOf":[{"properties":{"__proto__":{"$ref":"#"},"constructor":{"type":"string"}}}]}');
    expect(JSON.stringify(wrapSchema(schema))).toContain(
      '{"__proto__":{"$ref":"#/properties/result"},"constructor":{"type":"string"}}',
    );
    expect(({} as { $ref?: string }).$ref).toBeUndefined();
  });
});

describe('tools and results', () => {
  it('of objects are the same', () => {
    const tool = '{"name":"a","inputSchema":{},"outputSchema":{"type":"object"}}';
    expect(wrapListed(tool)).toBe(tool);
    expect(wrapListed('{"name":"a","inputSchema":{}}')).toBe('{"name":"a","inputSchema":{}}');
    const result = { content: [], structuredContent: { a: 1 } };
    expect(wrapResult(result)).toBe(result);
  });

  it('of anything else are wrapped', () => {
    const tool = '{"name":"a","outputSchema":{"type":"number"},"_meta":{"b":1}}';
    expect(JSON.parse(wrapListed(tool))).toEqual({
      name: 'a',
      outputSchema: wrapped({ type: 'number' }),
      _meta: { b: 1 },
    });
    for (const value of [[1], 'text', 7, false, null]) {
      expect(wrapResult({ content: [], structuredContent: value })).toEqual({
        content: [],
        structuredContent: { result: value },
      });
    }
    expect(JSON.stringify(wrapResult({ structuredContent: { a: 1 }, [WRAPPED]: true } as never))).toBe(
      '{"structuredContent":{"result":{"a":1}}}',
    );
  });
});
