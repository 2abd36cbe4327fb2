/** Guards, parsers and specification schemas against the official package's, on generated messages. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import * as sdk from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as guards from '../../ts/protocol/sdk/guards.js';
import { isSpecType, specTypeSchemas } from '../../ts/protocol/sdk/schemas.js';

// Looked up by name below.
const official = { ...sdk };
const ours = { ...guards };

const odd = fc.constantFrom(undefined, null, true, 0, -1, 1.5, Number.NaN, 2 ** 60, '', 'x', [], {}, { a: 1 });
/** Mostly `good`, sometimes anything, sometimes not there. */
const part = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: odd });
const object = (members: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ ...members, stranger: odd }, { requiredKeys: [] }).map((value) => {
    // A stranger is rare: it makes most messages irregular.
    if (value.stranger !== 'x') delete value.stranger;
    return value;
  });

const id = part(fc.oneof(fc.string(), fc.integer()));
const requestMeta = part(
  object({
    progressToken: id,
    'io.modelcontextprotocol/related-task': part(object({ taskId: part(fc.string()) })),
    other: odd,
  }),
);
const resultMeta = part(object({ 'io.modelcontextprotocol/serverInfo': odd, other: odd }));
const content = part(fc.array(part(object({ type: part(fc.constantFrom('text', 'image')), text: part(fc.string()) }))));
const method = part(
  fc.constantFrom('ping', 'initialize', 'notifications/initialized', 'tools/call', 'notifications/progress'),
);
const params = part(
  object({
    _meta: requestMeta,
    task: part(object({ ttl: part(fc.double()) })),
    name: part(fc.string()),
    protocolVersion: part(fc.constant('2025-11-25')),
    capabilities: part(object({ elicitation: part(fc.constant({})), roots: part(fc.constant({ listChanged: true })) })),
    clientInfo: part(object({ name: part(fc.string()), version: part(fc.string()) })),
  }),
);
const error = part(object({ code: part(fc.integer()), message: part(fc.string()), data: odd }));
const result = part(object({ _meta: resultMeta, content, resultType: part(fc.constant('input_required')) }));
const jsonrpc = part(fc.constant('2.0'));
const message = fc.oneof(
  object({ jsonrpc, id, method, params }),
  object({ jsonrpc, method, params }),
  object({ jsonrpc, id, result }),
  object({ jsonrpc, id, error }),
  object({ jsonrpc, id, result, error, method }),
  fc.record({ jsonrpc: fc.constant('2.0'), id, method, params }),
  fc.record({ jsonrpc: fc.constant('2.0'), id: fc.integer(), result }),
  fc.record({ jsonrpc: fc.constant('2.0'), error }),
);
const anything = fc.oneof(message, params, result, odd);

// One regular value for each guard: chance makes few initialize requests.
const regular: [unknown][] = [
  [
    {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'n', version: '1' } },
    },
  ],
  [{ method: 'notifications/initialized' }],
  [{ content: [{ type: 'text', text: '' }] }],
  [{ resultType: 'input_required' }],
  [{ task: { ttl: 1 } }],
  [{ jsonrpc: '2.0', id: 1, method: 'ping' }],
  [{ jsonrpc: '2.0', method: 'notifications/x', params: { _meta: { progressToken: 1 } } }],
  [{ jsonrpc: '2.0', id: '', result: {} }],
  [{ jsonrpc: '2.0', error: { code: 1, message: '' } }],
];

describe('guards say the same as the official package', () => {
  const names = [
    'isCallToolResult',
    'isInitializeRequest',
    'isInitializedNotification',
    'isInputRequiredResult',
    'isJSONRPCErrorResponse',
    'isJSONRPCNotification',
    'isJSONRPCRequest',
    'isJSONRPCResponse',
    'isJSONRPCResultResponse',
    'isTaskAugmentedRequestParams',
  ] as const;
  it.each(names)('%s', (name) => {
    let yes = 0;
    fc.assert(
      fc.property(anything, (value) => {
        const expected = official[name](value);
        if (expected) yes += 1;
        expect(ours[name](value)).toBe(expected);
      }),
      { numRuns: 1000, examples: regular },
    );
    // Inputs that are never good would prove nothing.
    expect(yes).toBeGreaterThan(0);
  });

  it('parseJSONRPCMessage, its copies and its errors', () => {
    const outcome = (parse: (value: unknown) => unknown, value: unknown) => {
      try {
        return { value: parse(value) };
      } catch (thrown) {
        return { name: (thrown as Error).name, message: (thrown as Error).message };
      }
    };
    fc.assert(
      fc.property(message, (value) => {
        expect(outcome(guards.parseJSONRPCMessage, value)).toEqual(outcome(sdk.parseJSONRPCMessage, value));
      }),
      { numRuns: 1000, examples: regular },
    );
  });

  it('the assertions of what is completed', () => {
    const request = (type: string) => ({
      method: 'completion/complete' as const,
      params: { ref: { type, name: 'n', uri: 'u' } as never, argument: { name: 'a', value: 'v' } },
    });
    for (const type of ['ref/prompt', 'ref/resource', 'ref/other']) {
      for (const name of ['assertCompleteRequestPrompt', 'assertCompleteRequestResourceTemplate'] as const) {
        const thrown = (run: (value: never) => void) => {
          try {
            run(request(type) as never);
            return undefined;
          } catch (reason) {
            return reason;
          }
        };
        expect(thrown(ours[name])).toEqual(thrown(official[name]));
      }
    }
  });
});

describe('schemas of the specification', () => {
  it('have the same names as the official package, one for each of its schemas', () => {
    const core = createRequire(import.meta.url)('@modelcontextprotocol/core') as object;
    const names = Object.keys(core).map((name) => name.replace(/Schema$/, ''));
    expect(Object.keys(specTypeSchemas).sort()).toEqual(names.sort());
    expect(Object.keys(isSpecType).sort()).toEqual(Object.keys(sdk.isSpecType).sort());
    expect(Object.isFrozen(specTypeSchemas) && Object.isFrozen(isSpecType)).toBe(true);
  });

  it('judge alike', () => {
    const name = fc.constantFrom(...(Object.keys(isSpecType) as (keyof typeof isSpecType)[]));
    fc.assert(
      fc.property(name, anything, (type, value) => {
        expect(isSpecType[type](value)).toBe(sdk.isSpecType[type](value));
        expect(specTypeSchemas[type]['~standard'].validate(value)).toEqual(
          sdk.specTypeSchemas[type]['~standard'].validate(value),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('are loaded when one is used and not before', { timeout: 120_000 }, async () => {
    const program = `
      import { createRequire } from 'node:module';
      const { cache } = createRequire(process.cwd() + '/x.js');
      const { build } = await import('rolldown');
      const { output } = await build({ input: 'ts/protocol/sdk/guards.ts', platform: 'node', write: false,
        external: (id) => !/^[./\\0]/.test(id) && !id.startsWith(process.cwd()) && !id.startsWith('ts/'),
        resolve: { extensionAlias: { '.js': ['.ts'] } } });
      const { writeFileSync, mkdtempSync, rmSync } = await import('node:fs');
      const folder = mkdtempSync('node_modules/.sdk-guards-');
      try {
        writeFileSync(folder + '/guards.mjs', output[0].code);
        const guards = await import(process.cwd() + '/' + folder + '/guards.mjs');
        const loaded = () => Object.keys(cache).filter((path) => path.includes('@modelcontextprotocol')).length > 0;
        const before = guards.isJSONRPCRequest({ jsonrpc: '2.0', id: 1, method: 'ping' }) && loaded();
        const after = guards.isCallToolResult({ content: [] }) && loaded();
        console.log(JSON.stringify({ before, after }));
      } finally {
        rmSync(folder, { recursive: true });
      }`;
    const args = ['--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('../..', import.meta.url) });
    expect(JSON.parse(stdout)).toEqual({ before: false, after: true });
  });
});
