/** Contracts are made once: found again by object and by content, and what is kept for that is bounded. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fingerprint } from '../../ts/server/fingerprint.js';
import { Recent } from '../../ts/server/recent.js';
import { contractOf, keptContracts } from '../../ts/server/schema.js';

const contract = (schema: unknown) => contractOf(schema, 'input', 'inputSchema of tool "t"');
const print = (schema: object) => fingerprint(schema);

describe('a contract', () => {
  it('is found again by its schema object, for each direction', () => {
    const schema = z.object({ a: z.string() });
    expect(contract(schema)).toBe(contract(schema));
    expect(contractOf(schema, 'output', 'x')).not.toBe(contract(schema));
  });

  it.each<[string, () => object]>([
    ['JSON Schema', () => ({ type: 'object', properties: { a: { type: 'string' } } })],
    ['a zod object', () => z.object({ a: z.string().min(2).describe('name'), b: z.enum(['x', 'y']).optional() })],
    ['a zod shape', () => ({ a: z.string(), list: z.array(z.number().int().max(5)).nullable() })],
  ])('of %s is found again by content', (_name, make) => {
    expect(contract(make())).toBe(contract(make()));
  });

  it('is another one for the smallest difference', () => {
    const schemas = [
      { type: 'object', properties: { a: { type: 'string' } } },
      { type: 'object', properties: { a: { type: 'string', description: 'x' } } },
      z.object({ a: z.string() }),
      z.object({ a: z.string().describe('x') }),
      z.object({ a: z.string().min(1) }),
      z.object({ a: z.string().min(2) }),
      z.object({ a: z.string().optional() }),
      z.object({ a: z.coerce.string() }),
      z.strictObject({ a: z.string() }),
      z.looseObject({ a: z.string() }),
      z.object({ a: z.email() }),
      z.object({ a: z.string().regex(/^a/) }),
      z.object({ a: z.string().regex(/^a/i) }),
      z.object({ a: z.literal('string') }),
      z.object({ a: z.number().gt(1) }),
      z.object({ a: z.number().gte(1) }),
      z.object({ a: z.string() }).describe('x'),
      z.object({ a: z.string(), b: z.string() }),
      z.object({ b: z.string(), a: z.string() }),
    ];
    expect(new Set(schemas.map(contract)).size).toBe(schemas.length);
  });

  it('of a schema with functions is its own, though it is listed alike', async () => {
    const of = (who: string) =>
      contract(
        z.object({ a: z.string().refine((text) => text === who, `not ${who}`), b: z.string().default(() => who) }),
      );
    const [ann, bob] = [of('ann'), of('bob')];
    expect(await ann.check({ a: 'ann' })).toMatchObject({ value: { a: 'ann', b: 'ann' } });
    expect(await bob.check({ a: 'bob' })).toMatchObject({ value: { a: 'bob', b: 'bob' } });
    expect(await bob.check({ a: 'ann' })).toMatchObject({ issues: [{ message: 'not bob' }] });

    // A default that says the same now may say something else later: the closure must be the schema's own.
    let later = 'same';
    const first = contract(z.object({ a: z.string().default(() => later) }));
    const second = contract(z.object({ a: z.string().default(() => 'same') }));
    later = 'changed';
    expect(await second.check({})).toMatchObject({ value: { a: 'same' } });
    expect(await first.check({})).toMatchObject({ value: { a: 'changed' } });
    expect(second.json).toBe(first.json);
  });
});

describe('a fingerprint', () => {
  it('is pure for plain definitions', () => {
    for (const make of [
      () =>
        z.object({ a: z.string().min(1).max(9), b: z.number().int(), c: z.boolean(), d: z.array(z.string()).max(3) }),
      () =>
        z.object({ a: z.union([z.string(), z.null()]), b: z.record(z.string(), z.number()), c: z.tuple([z.any()]) }),
      () => z.object({ a: z.url(), b: z.uuid(), c: z.literal(['x', 1]), d: z.enum({ A: 'a' }), e: z.unknown() }),
    ]) {
      expect(print(make())?.pure).toBe(true);
      expect(print(make())?.key).toBe(print(make())?.key);
    }
  });

  it('is impure where a function decides over values, and absent where one decides over the JSON Schema', () => {
    for (const schema of [
      z.string().refine(() => true),
      z.string().superRefine(() => {}),
      z.string().trim(),
      z.string().min(2, 'too short'),
      z.string().default('x'),
      z.object({ a: z.string() }, { error: 'no' }),
      z.string().check(() => {}),
    ]) {
      expect(print(z.object({ a: schema }))?.pure).toBe(false);
    }
    for (const schema of [
      z.string().transform(() => 1),
      z.string().pipe(z.string()),
      z.lazy(() => z.string()),
      z.string().catch('x'),
      z.custom(() => true),
      z.date(),
      z.string().meta({ id: 'named' }),
      z.preprocess((value) => value, z.string()),
    ]) {
      expect(print(z.object({ a: schema }))).toBeUndefined();
    }
  });

  it('ends for definitions that hold themselves', () => {
    const node = z.object({
      get next() {
        return node.optional();
      },
    });
    expect(print(node)).toBeUndefined();
    expect(contract(node).json.type).toBe('object');
  });
});

it('what is asked for lately stays, the rest goes', () => {
  const recent = new Recent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  expect(recent.get('a')).toBe(1);
  recent.set('c', 3);
  expect([recent.get('a'), recent.get('b'), recent.get('c'), recent.size]).toEqual([1, undefined, 3, 2]);
});

describe('10,000 schemas', () => {
  it('of equal content keep one entry, of different content a bounded number', () => {
    const before = keptContracts().output;
    for (let i = 0; i < 10_000; i++) {
      contractOf({ type: 'object', properties: { same: { const: 1 } } }, 'output', 'x');
    }
    expect(keptContracts().output).toBe(before + 1);
    for (let i = 0; i < 3_000; i++) contractOf({ type: 'object', title: `t${i}` }, 'output', 'x');
    expect(keptContracts().output).toBe(1_000);
  });

  it('do not grow the heap', async () => {
    // The runner gives each test file a process of its own: what is collected here is this file's.
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const $defs = { a: { type: 'string' } };
    const make = () => [
      { type: 'object', $id: 'https://example.com/s', properties: { a: { $ref: '#/$defs/a' } }, $defs },
      z.object({ a: z.string(), b: z.number().default(1) }),
      { a: z.string().optional() },
    ];
    const round = async (times: number) => {
      for (let i = 0; i < times; i++) for (const schema of make()) await contract(schema).check({ a: 'b' });
    };
    const used = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    await round(500);
    const before = used();
    await round(3_500);
    expect(used() - before).toBeLessThan(5_000_000);
  });
});
