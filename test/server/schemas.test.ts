/** Schemas of every kind: detection, what is listed, what is checked, and what a mistake is told. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import type { StandardSchemaWithJSON } from '../../ts/server/standard.js';
import type { AnySchema } from '../../ts/server/types.js';

/** A tool with this schema that gives back what its handler received. */
function tool(inputSchema: AnySchema): (args: unknown) => Promise<any> {
  const server = new McpServer({ name: 'unit', version: '1' });
  server.registerTool('t', { inputSchema }, (args: unknown) => ({
    content: [{ type: 'text' as const, text: JSON.stringify(args) }],
  }));
  const handler = offerOf(server).handlers[0];
  return async (args) => handler?.run(args, undefined as never);
}

async function refusal(inputSchema: AnySchema, args: unknown): Promise<string> {
  const result = await tool(inputSchema)(args);
  expect(result.isError).toBe(true);
  return result.content[0].text;
}

const numbers = { a: z.number(), b: z.number() };
const numbersJson = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
};

/** A Standard Schema of nobody's library. */
function own(validate: (value: any) => any): StandardSchemaWithJSON {
  const json = () => ({ type: 'object', properties: { n: { type: 'number' } } });
  return { '~standard': { version: 1, vendor: 'own', validate, jsonSchema: { input: json, output: json } } };
}

describe('input', () => {
  it.each([
    ['zod object', z.object(numbers)],
    ['zod shape', numbers],
    ['JSON Schema', numbersJson],
    ['JSON Schema with a reference', { $defs: { it: numbersJson }, $ref: '#/$defs/it' }],
  ])('by %s: every problem with its path', async (_name, schema) => {
    const [start, list] = (await refusal(schema, { a: 'x' })).split(' t: ') as [string, string];
    expect(start).toBe('Invalid arguments for tool');
    expect(list.split('; ')).toEqual(['a: expected number, received string', 'b: required']);
    expect(await refusal(schema, undefined)).toBe('Invalid arguments for tool t: a: required; b: required');
    expect((await tool(schema)({ a: 1, b: 2 })).content[0].text).toBe('{"a":1,"b":2}');
  });

  it('gives the handler what the schema made of it', async () => {
    const schema = z.object({ n: z.coerce.number(), d: z.string().default('def') });
    expect((await tool(schema)({ n: '7', extra: 1 })).content[0].text).toBe('{"n":7,"d":"def"}');
  });

  it('by any Standard Schema, synchronous or not', async () => {
    const sync = own((value) =>
      typeof value.n === 'number' ? { value: { n: value.n + 1 } } : { issues: [{ message: 'no n' }] },
    );
    const later = own(async (value) =>
      value.n > 0 ? { value } : { issues: [{ message: 'low', path: [{ key: 'n' }] }] },
    );
    expect((await tool(sync)({ n: 1 })).content[0].text).toBe('{"n":2}');
    expect(await refusal(sync, {})).toBe('Invalid arguments for tool t: no n');
    expect((await tool(later)({ n: 1 })).content[0].text).toBe('{"n":1}');
    expect(await refusal(later, { n: 0 })).toBe('Invalid arguments for tool t: n: low');
    expect(
      await refusal(
        own(() => {
          throw new Error('broken schema');
        }),
        {},
      ),
    ).toBe('broken schema');
    expect(
      await refusal(
        own(() => Promise.reject(new Error('broken later'))),
        {},
      ),
    ).toBe('broken later');
  });

  it('shows nested paths, custom messages, and at most twenty problems', async () => {
    const nested = z.object({ list: z.array(z.object({ id: z.string().min(2, 'too short') })) });
    expect(await refusal(nested, { list: [{ id: 'ok' }, { id: 'x' }] })).toContain('list[1].id: too short');
    const many = await refusal(z.object({ list: z.array(z.number()) }), { list: Array(1000).fill('x') });
    expect(many).toContain('and 980 more');
    expect(many.length).toBeLessThan(2000);
    for (const items of [{ type: 'number' }, { type: 'number', multipleOf: 2 }]) {
      const text = await refusal({ type: 'object', properties: { list: { items } } }, { list: Array(1000).fill('x') });
      expect(text).toContain('list[19]: expected number, received string; and');
      expect(text.length).toBeLessThan(2000);
    }
  });

  it('bounds what a huge wrong value makes', async () => {
    const schema = { type: 'object', properties: { list: { items: { type: 'number', multipleOf: 2 } } } };
    const text = await refusal(schema, { list: Array(200_000).fill('x') });
    expect(text).toContain('list[19]: expected number, received string; and 1 more');
    const key = await refusal(z.strictObject({}), { ['k'.repeat(100_000)]: 1 });
    expect(key.length).toBeLessThan(500);
  });
});

describe('mistakes at registration', () => {
  const register = (inputSchema: unknown, outputSchema?: unknown) => () =>
    new McpServer({ name: 'unit', version: '1' }).registerTool(
      't',
      { inputSchema: inputSchema as AnySchema, outputSchema: outputSchema as AnySchema },
      (() => ({ content: [] })) as never,
    );

  it.each([
    ['a string', 'x', 'must be a zod or Standard Schema'],
    ['an array', [], 'must be a schema object'],
    ['a class', class {}, 'must be a schema object'],
    ['another root type', { type: 'array' }, 'must describe an object'],
    ['a zod string', z.string(), 'must describe an object'],
    ['a mixed shape', { a: z.string(), b: 'x' }, 'a raw shape must hold zod 4 schemas only'],
    [
      'a schema without JSON',
      { '~standard': { version: 1, vendor: 'mute', validate() {} } },
      '"mute" gives no JSON Schema',
    ],
    ['an unknown type', { properties: { a: { type: 'strnig' } } }, '/properties/a/type: unknown type "strnig"'],
    ['a bad required', { required: 'a' }, '/required must be an array of strings'],
    ['a bad pattern', { properties: { a: { pattern: '(' } } }, '/properties/a/pattern'],
    ['a bad limit', { properties: { a: { minLength: -1 } } }, '/properties/a/minLength must be a whole number'],
    ['a property that is no schema', { properties: { a: 3 } }, '/properties/a must be an object or a boolean'],
    ['a bad list', { properties: { a: { allOf: 3 } } }, '/properties/a/allOf must be a non-empty array'],
    ['a $ref to nowhere', { $ref: '#/$defs/none' }, "can't resolve reference"],
    ['a $ref to the network', { properties: { a: { $ref: 'https://example.com/s.json' } } }, "can't resolve reference"],
    ['an unknown dialect', { $schema: 'http://json-schema.org/draft-03/schema#' }, 'is not supported'],
  ])('%s is refused, saying where', (_name, schema, message) => {
    expect(register(schema)).toThrow(TypeError);
    expect(register(schema)).toThrow(/^inputSchema of tool "t"/);
    expect(register(schema)).toThrow(message);
  });

  it('names the output schema, and leaves nothing behind', () => {
    expect(register(undefined, { type: 'x' })).toThrow(/^outputSchema of tool "t"/);
    const server = new McpServer({ name: 'unit', version: '1' });
    expect(() => server.registerTool('t', { inputSchema: { type: 'x' } }, () => ({ content: [] }))).toThrow();
    expect(offerOf(server).list('tools')).toEqual([]);
    server.registerTool('t', {}, () => ({ content: [] }));
    expect(offerOf(server).list('tools')).toHaveLength(1);
  });

  it('refuses a schema that is a cycle', () => {
    const cycle: Record<string, unknown> = { type: 'object' };
    cycle.properties = { again: cycle };
    expect(register(cycle)).toThrow(/circular/i);
  });
});

describe('output', () => {
  const withOutput = (outputSchema: AnySchema, result: unknown) => {
    const server = new McpServer({ name: 'unit', version: '1' });
    server.registerTool('t', { outputSchema }, () => result as never);
    return offerOf(server).handlers[0]?.run(undefined, undefined as never) as any;
  };
  const schemas: [string, AnySchema][] = [
    ['zod', z.object({ n: z.number() })],
    ['JSON Schema', { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }],
  ];

  it.each(schemas)('is checked by %s', (_name, schema) => {
    const content = [{ type: 'text', text: 'one' }];
    expect(withOutput(schema, { content, structuredContent: { n: 1 } })).toEqual({
      content,
      structuredContent: { n: 1 },
    });
    expect(withOutput(schema, { structuredContent: { n: 1 } }).content).toEqual([{ type: 'text', text: '{"n":1}' }]);
    const wrong = withOutput(schema, { structuredContent: { n: 'x' } });
    expect(wrong.isError).toBe(true);
    expect(wrong.content[0].text).toBe(
      'Output validation error: Invalid structured content for tool t: n: expected number, received string',
    );
    expect(withOutput(schema, { content }).content[0].text).toContain('no structured content was provided');
    expect(withOutput(schema, { content, isError: true })).toEqual({ content, isError: true });
  });

  it('of another kind than an object gets its text too', () => {
    const result = withOutput({ type: 'array' }, { content: [], structuredContent: [1, 2] });
    expect(result).toMatchObject({ content: [{ type: 'text', text: '[1,2]' }], structuredContent: [1, 2] });
  });
});
