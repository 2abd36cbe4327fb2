/** What handlers ask for and read in round trips, and the sealed state between them, against the official package's. */
import * as sdk from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRequestStateCodec } from '../../ts/protocol/sdk/request-state.js';
import { acceptedContent, inputRequired, inputResponse } from '../../ts/protocol/sdk/round-trip.js';

describe('inputRequired', () => {
  it('builds the same results and requests', () => {
    const inputRequests = {
      form: inputRequired.elicit({ message: 'm', requestedSchema: { type: 'object', properties: {} } }),
      page: inputRequired.elicitUrl({ message: 'm', url: 'https://x' }),
      model: inputRequired.createMessage({ messages: [], maxTokens: 1 }),
      roots: inputRequired.listRoots(),
    };
    expect(inputRequests).toEqual({
      form: sdk.inputRequired.elicit({ message: 'm', requestedSchema: { type: 'object', properties: {} } }),
      page: sdk.inputRequired.elicitUrl({ message: 'm', url: 'https://x' }),
      model: sdk.inputRequired.createMessage({ messages: [], maxTokens: 1 }),
      roots: sdk.inputRequired.listRoots(),
    });
    for (const spec of [{ inputRequests }, { requestState: '' }, { inputRequests: {}, requestState: 's' }]) {
      expect(inputRequired(spec)).toEqual(sdk.inputRequired(spec));
    }
    for (const spec of [{}, { inputRequests: {} }]) expect(() => inputRequired(spec)).toThrow(TypeError);
  });
});

describe('forms from schemas', () => {
  const good: Record<string, z.ZodType> = {
    text: z.string().min(1).max(9).describe('d'),
    mail: z.email(),
    page: z.url(),
    day: z.iso.date(),
    moment: z.iso.datetime(),
    momentWithOffset: z.iso.datetime({ offset: true, precision: 3 }),
    number: z.number().min(0).max(1).default(0.5),
    whole: z.int(),
    flag: z.boolean().default(true),
    choice: z.enum(['a', 'b']).default('a'),
    optional: z.string().optional(),
    many: z
      .array(z.enum(['a', 'b']))
      .min(1)
      .max(2),
    titled: z.string().meta({ title: 't', examples: ['e'], 'x-mine': 1 }),
  };
  const bad: Record<string, z.ZodType> = {
    pattern: z.string().regex(/a/),
    ownMail: z.email({ pattern: /^a@b$/ }),
    uuid: z.uuid(),
    nested: z.object({ a: z.string() }),
    texts: z.array(z.string()),
    exclusive: z.number().gt(0),
    either: z.union([z.string(), z.number()]),
    nothing: z.null(),
    nullable: z.string().nullable(),
    anything: z.unknown(),
    record: z.record(z.string(), z.string()),
    literal: z.literal('a'),
    step: z.number().multipleOf(2),
  };
  const outcome = (elicit: typeof sdk.inputRequired.elicit, requestedSchema: any) => {
    try {
      return JSON.parse(JSON.stringify(elicit({ message: 'm', requestedSchema })));
    } catch (error) {
      return (error as Error).constructor.name;
    }
  };
  const compare = (schema: unknown) => {
    const mine = outcome(inputRequired.elicit as never, schema);
    expect(mine).toEqual(outcome(sdk.inputRequired.elicit, schema));
    return mine;
  };

  it.each(Object.keys(good))('take %s', (name) => {
    expect(compare(z.object({ [name]: good[name] as z.ZodType }))).toMatchObject({ method: 'elicitation/create' });
  });
  it.each(Object.keys(bad))('refuse %s', (name) => {
    expect(compare(z.object({ [name]: bad[name] as z.ZodType }))).toBe('TypeError');
  });
  it('refuse what is no flat object', () => {
    for (const schema of [z.string(), z.strictObject({ a: z.string() }), z.looseObject({}), z.array(z.string())]) {
      expect(compare(schema)).toBe('TypeError');
    }
  });
  it('judge any field of any library alike', () => {
    const word = fc.constantFrom(
      ...[
        'type',
        'title',
        'enum',
        'enumNames',
        'oneOf',
        'items',
        'format',
        'pattern',
        'minLength',
        'maximum',
        'default',
      ],
      ...['minItems', '$comment', 'x-a', 'const', 'description', 'anyOf'],
    );
    const titled = [{ const: 'a', title: 'A' }];
    const value = fc.constantFrom<unknown>(
      ...[
        'string',
        'number',
        'boolean',
        'array',
        'email',
        'x',
        1,
        true,
        ['a'],
        [1],
        titled,
        { type: 'string', enum: ['a'] },
      ],
      ...[
        { anyOf: titled },
        { anyOf: titled, minItems: 1 },
        { type: 'string' },
        { type: 'string', enum: ['a'], title: 't' },
      ],
    );
    const typed = fc
      .constantFrom('string', 'number', 'integer', 'boolean', 'array')
      .chain((type) => fc.dictionary(word, value, { maxKeys: 4 }).map((field) => ({ ...field, type })));
    const field = fc.oneof(typed, fc.dictionary(word, value, { maxKeys: 3 }), value);
    const root = fc.record(
      { additionalProperties: fc.boolean(), title: fc.string(), required: fc.constantFrom(['f'], ['g'], []) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(field, root, (f, more) => {
        const json = { type: 'object', properties: { f }, ...more };
        const standard = { version: 1, vendor: 'v', validate: (v: unknown) => ({ value: v }) };
        compare({ '~standard': { ...standard, jsonSchema: { input: () => json, output: () => json } } });
      }),
      { numRuns: 2000 },
    );
  });
  it('name what cannot be said, and where', () => {
    const requestedSchema = z.object({ a: z.string().regex(/x/), b: z.array(z.string()) });
    expect(() => inputRequired.elicit({ message: 'm', requestedSchema })).toThrow(
      /properties\.a\.pattern.*properties\.b/,
    );
  });
});

describe('reading what came back', () => {
  const entry = fc.oneof(
    fc.record(
      {
        action: fc.constantFrom('accept', 'decline', 'cancel', 'x'),
        content: fc.oneof(fc.dictionary(fc.string(), fc.integer()), fc.constantFrom(null, [], 1)),
        roots: fc.constantFrom([], [{ uri: 'file:///x' }], {}),
        role: fc.constantFrom('user', 1),
      },
      { requiredKeys: [] },
    ),
    fc.constantFrom(null, [], 1, 'x'),
  );
  const responses = fc.oneof(fc.dictionary(fc.constantFrom('a', 'b'), entry), fc.constantFrom(undefined));
  const schema = z.object({ n: z.coerce.number() });

  it('sees the same', () => {
    fc.assert(
      fc.property(responses, fc.constantFrom('a', 'b', 'c'), (given, key) => {
        expect(inputResponse(given, key)).toEqual(sdk.inputResponse(given, key));
        expect(acceptedContent(given, key)).toEqual(sdk.acceptedContent(given, key));
        expect(acceptedContent(given, key, schema)).toEqual(sdk.acceptedContent(given, key, schema));
      }),
    );
  });
  it('reads no prototype', () => {
    expect(inputResponse({}, 'constructor')).toEqual({ kind: 'missing' });
    expect(inputResponse(JSON.parse('{"__proto__":{"action":"accept"}}'), '__proto__').kind).toBe('elicit');
  });
  it('needs a schema that answers at once', () => {
    const later = z.object({}).refine(async () => true);
    const given = { a: { action: 'accept', content: {} } };
    expect(() => acceptedContent(given, 'a', later)).toThrow(TypeError);
  });
});

describe('sealed state', () => {
  const key = 'k'.repeat(32);
  const context = (user: string) => ({ user }) as never;
  const bind = (ctx: any) => ctx.user as string;

  it('is opened by the other implementation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.string(), fc.boolean(), async (payload, user, bound) => {
        const options = bound ? { key, bind } : { key };
        const mine = createRequestStateCodec(options);
        const theirs = sdk.createRequestStateCodec(options);
        const ctx = context(user);
        const expected = JSON.parse(JSON.stringify(payload));
        expect(await theirs.verify(await mine.mint(payload, ctx), ctx)).toEqual(expected);
        expect(await mine.verify(await theirs.mint(payload, ctx), ctx)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('is refused when anything of it was changed', async () => {
    const codec = createRequestStateCodec({ key });
    const sealed = await codec.mint({ amount: 1 });
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.constantFrom('A', 'z', '.', '!', 'é', ''), async (at, char) => {
        const changed = sealed.slice(0, at) + char + sealed.slice(at + 1);
        if (changed === sealed) return;
        // The last character of base64url carries bits that mean nothing.
        if (at === sealed.length - 1 && /[A-Za-z]/.test(char)) return;
        await expect(codec.verify(changed, context('u'))).rejects.toThrow(/^(mac|malformed)$/);
      }),
    );
    for (const text of ['', 'v1.', 'v1..', 'v2.a.b', 'x', `${sealed}.`, ` ${sealed}`]) {
      await expect(codec.verify(text, context('u'))).rejects.toThrow(/^(mac|malformed)$/);
    }
  });

  it('is refused by another key, user, after its time, or by who has forgotten the user', async () => {
    const codec = createRequestStateCodec({ key: new TextEncoder().encode(key), bind });
    const sealed = await codec.mint(1, context('alice'));
    expect(await codec.verify(sealed, context('alice'))).toBe(1);
    await expect(codec.verify(sealed, context('bob'))).rejects.toThrow(/^bind$/);
    await expect(createRequestStateCodec({ key }).verify(sealed, context('alice'))).rejects.toThrow(/^bind$/);
    await expect(
      createRequestStateCodec({ key: 'q'.repeat(32), bind }).verify(sealed, context('alice')),
    ).rejects.toThrow(/^mac$/);
    const short = createRequestStateCodec({ key, ttlSeconds: -1 });
    await expect(short.verify(await short.mint(1), context('u'))).rejects.toThrow(/^expired$/);
    await expect(codec.mint(1)).rejects.toThrow(TypeError);
    expect(sealed).not.toContain('alice');
  });

  it('needs a key and a lifetime', () => {
    expect(() => createRequestStateCodec({ key: 'short' })).toThrow(RangeError);
    expect(() => createRequestStateCodec({ key, ttlSeconds: Number.POSITIVE_INFINITY })).toThrow(RangeError);
  });

  it('keeps its own copy of the key', async () => {
    const bytes = new Uint8Array(32).fill(7);
    const codec = createRequestStateCodec({ key: bytes });
    bytes.fill(0);
    const same = createRequestStateCodec({ key: new Uint8Array(32).fill(7) });
    expect(await same.verify(await codec.mint('x'), context('u'))).toBe('x');
  });
});
