/** Constants, errors and small functions against the official package's. */
import * as client from '@modelcontextprotocol/client';
import * as sdk from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as errors from '../../ts/protocol/errors.js';
import * as body from '../../ts/protocol/sdk/body.js';
import * as constants from '../../ts/protocol/sdk/constants.js';
import * as sdkErrors from '../../ts/protocol/sdk/errors.js';
import * as names from '../../ts/protocol/sdk/names.js';

const official = { ...sdk } as Record<string, unknown>;

it('has the same constants', () => {
  for (const [name, value] of Object.entries({ ...constants, ...body })) {
    if (typeof value === 'function' || name === 'SUPPORTED_PROTOCOL_VERSIONS') continue;
    expect({ [name]: value }).toEqual({ [name]: official[name] });
  }
  expect(sdk.SUPPORTED_PROTOCOL_VERSIONS).toEqual(expect.arrayContaining(constants.SUPPORTED_PROTOCOL_VERSIONS));
  expect(sdkErrors.SdkErrorCode).toEqual(sdk.SdkErrorCode);
  expect(sdkErrors.OAuthErrorCode).toEqual(sdk.OAuthErrorCode);
  for (const [name, code] of Object.entries(sdk.ProtocolErrorCode)) {
    if (typeof code === 'number') expect({ ...errors.ProtocolErrorCode }).toHaveProperty(name, code);
  }
});

describe('error classes', () => {
  const made = (from: Record<string, any>) => ({
    ProtocolError: new from.ProtocolError(-32602, 'm', { a: 1 }),
    ResourceNotFoundError: new from.ResourceNotFoundError('file:///x', 'm'),
    UnsupportedProtocolVersionError: new from.UnsupportedProtocolVersionError(
      { supported: ['a'], requested: 'b' },
      'm',
    ),
    MissingRequiredClientCapabilityError: new from.MissingRequiredClientCapabilityError(
      { requiredCapabilities: { roots: {} } },
      'm',
    ),
    UrlElicitationRequiredError: new from.UrlElicitationRequiredError([{ url: 'https://x' }]),
    SdkError: new from.SdkError('REQUEST_TIMEOUT', 'm', { a: 1 }, { cause: 1 }),
    SdkHttpError: new from.SdkHttpError('SEND_FAILED', 'm', { status: 500, statusText: 's' }),
    OAuthError: new from.OAuthError('invalid_token', 'm', 'https://x'),
  });
  const ours = { ...errors, ...sdkErrors } as unknown as Record<string, any>;
  const mine = made(ours) as Record<string, any>;
  const theirs = made(official) as Record<string, any>;
  const classes = Object.keys(mine);

  it('carry the same', () => {
    for (const name of classes) {
      for (const member of ['message', 'code', 'data', 'cause', 'errorUri', 'status', 'statusText', 'elicitations']) {
        expect({ [`${name}.${member}`]: mine[name][member] }).toEqual({ [`${name}.${member}`]: theirs[name][member] });
      }
    }
    expect(mine.OAuthError.toResponseObject()).toEqual(theirs.OAuthError.toResponseObject());
    const response = { error: 'x', error_uri: 'u' };
    expect({ ...sdkErrors.OAuthError.fromResponse(response) }).toEqual({ ...sdk.OAuthError.fromResponse(response) });
  });

  it('are instances of each other in every copy of the package', () => {
    for (const other of [official, { ...client } as Record<string, any>]) {
      for (const name of classes) {
        for (const [type, Class] of Object.entries(ours)) {
          if (!classes.includes(type) || typeof other[type] !== 'function') continue;
          const expected = theirs[name] instanceof (official[type] as any);
          const where = `${name} of ${type}`;
          expect({ [where]: theirs[name] instanceof Class }).toEqual({ [where]: expected });
          expect({ [where]: mine[name] instanceof (other[type] as any) }).toEqual({ [where]: expected });
          expect({ [where]: Class.isInstance(mine[name]) }).toEqual({ [where]: expected });
        }
      }
    }
  });

  it('take no other value for one of theirs', () => {
    class Own extends errors.ProtocolError {}
    const hostile = new Proxy(
      {},
      {
        getOwnPropertyDescriptor() {
          throw new Error('no');
        },
      },
    );
    const stranger = Object.create({ [Symbol.for('mcp.sdk.errorBrands')]: new Set(['mcp.ProtocolError']) });
    for (const value of [hostile, stranger, {}, null, 1, new Error('x')]) {
      expect(value instanceof errors.ProtocolError).toBe(false);
    }
    expect(theirs.ProtocolError instanceof Own).toBe(false);
    expect(new Own(1, 'm') instanceof (official.ProtocolError as any)).toBe(true);
    const { isInstance } = sdkErrors.SdkError;
    expect(() => (isInstance as any)(mine.SdkError)).toThrow(TypeError);
  });

  it('are made again from what crossed the wire', () => {
    const data = fc.oneof(
      fc.constantFrom<unknown>(undefined, null, 1, {}, { uri: 'u' }, { uri: 'u', more: 1 }, { uri: 1 }),
      fc.constantFrom<unknown>(
        { elicitations: [] },
        { supported: ['a'], requested: 'b' },
        { requiredCapabilities: {} },
      ),
    );
    const code = fc.constantFrom(-32602, -32002, -32021, -32022, -32042, -32603, 7);
    fc.assert(
      fc.property(code, data, (number, value) => {
        const a = errors.ProtocolError.fromError(number, 'm', value);
        const b = sdk.ProtocolError.fromError(number, 'm', value);
        expect([a.constructor.name, a.code, a.message, a.data]).toEqual([
          b.constructor.name,
          b.code,
          b.message,
          b.data,
        ]);
      }),
    );
  });
});

describe('small functions', () => {
  const titled = fc.record(
    { name: fc.string(), title: fc.string(), annotations: fc.record({ title: fc.string() }, { requiredKeys: [] }) },
    { requiredKeys: ['name'] },
  );

  it('getDisplayName', () => {
    fc.assert(
      fc.property(titled, (item) => {
        expect(names.getDisplayName(item)).toBe(sdk.getDisplayName(item));
      }),
    );
  });

  it('mergeCapabilities', () => {
    const some = fc.dictionary(
      fc.constantFrom('tools', 'prompts', 'logging', 'experimental'),
      fc.oneof(fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()), fc.constantFrom(undefined, null, [1])),
    ) as fc.Arbitrary<any>;
    fc.assert(
      fc.property(some, some, (a, b) => {
        expect(names.mergeCapabilities(a, b)).toEqual(sdk.mergeCapabilities(a, b));
      }),
    );
    const polluting = JSON.parse('{"__proto__":{"polluted":true}}');
    names.mergeCapabilities({}, polluting);
    expect(({} as any).polluted).toBeUndefined();
  });

  it('resource URLs', () => {
    const url = fc
      .tuple(
        fc.constantFrom('https://a.example', 'http://a.example', 'https://a.example:8443', 'https://b.example'),
        fc.constantFrom('', '/', '/mcp', '/mcp/', '/mcp/x', '/mcp2', '/MCP'),
        fc.constantFrom('', '?q=1', '#f', '?q#f'),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(url, url, fc.boolean(), (requestedResource, configuredResource, text) => {
        const given = text ? requestedResource : new URL(requestedResource);
        expect(names.resourceUrlFromServerUrl(given)).toEqual(sdk.resourceUrlFromServerUrl(given));
        const both = { requestedResource: given, configuredResource };
        expect(names.checkResourceAllowed(both)).toBe(sdk.checkResourceAllowed(both));
      }),
    );
  });

  it('isJsonContentType', () => {
    const piece = fc.constantFrom(
      ...[
        'application/json',
        'APPLICATION/json',
        'text/plain',
        ';',
        ' ',
        ',',
        '=',
        '"',
        '\\',
        'charset',
        'utf-8',
        '\t',
        'é',
      ],
    );
    const header = fc.oneof(
      fc.array(piece, { maxLength: 10 }).map((parts) => parts.join('')),
      fc.array(piece, { maxLength: 10 }).map((parts) => `application/json;${parts.join('')}`),
      fc.constantFrom(
        null,
        undefined,
        '',
        'application/json; a="b,c"',
        'application/json; a=b, c',
        'application/json ;x',
      ),
    );
    fc.assert(
      fc.property(header, (value) => {
        expect(names.isJsonContentType(value)).toBe(sdk.isJsonContentType(value));
      }),
      { numRuns: 5000 },
    );
  });

  it('isJsonContentType takes linear time', () => {
    const long = ' '.repeat(100_000);
    expect(names.isJsonContentType(`application/json;a=b${long},`)).toBe(false);
    expect(names.isJsonContentType(`application/json${`;a="b"${' '.repeat(10)}`.repeat(10_000)},`)).toBe(false);
  });

  it('createFetchWithInit', async () => {
    const sent = async (
      create: typeof names.createFetchWithInit,
      base: RequestInit | undefined,
      init?: RequestInit,
    ) => {
      let seen: unknown;
      const fetcher = create(async (url, given) => {
        seen = { url, ...given };
        return new Response();
      }, base);
      await fetcher('https://x', init);
      return seen;
    };
    const headers: RequestInit['headers'][] = [
      undefined,
      { a: '1' },
      [
        ['a', '2'],
        ['B', '3'],
      ],
      new Headers({ a: '4' }),
    ];
    for (const own of headers) {
      for (const given of headers) {
        for (const base of [undefined, { method: 'POST', ...(own && { headers: own }) }]) {
          for (const init of [undefined, { method: 'PUT', ...(given && { headers: given }) }]) {
            expect(await sent(names.createFetchWithInit, base, init)).toEqual(
              await sent(sdk.createFetchWithInit, base, init),
            );
          }
        }
      }
    }
  });

  it('readRequestBody', async () => {
    const request = (text: string | undefined, headers: Record<string, string> = {}) =>
      new Request('https://x', { method: 'POST', body: text, headers });
    for (const [text, limit] of [
      ['', 0],
      ['abc', 3],
      ['äbc', 3],
      ['abc', 2],
      ['x'.repeat(70_000), 69_999],
    ] as const) {
      expect(await body.readRequestBody(request(text), limit)).toEqual(await sdk.readRequestBody(request(text), limit));
    }
    expect(await body.readRequestBody(request(undefined))).toEqual({ tooLarge: false, text: '' });
    expect(await body.readRequestBody(request('a', { 'content-length': '5000000' }))).toEqual({ tooLarge: true });
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) });
    const cut = new Request('https://x', { method: 'POST', body: broken, duplex: 'half' } as RequestInit);
    await expect(body.readRequestBody(cut)).rejects.toThrow('cut');
  });
});
