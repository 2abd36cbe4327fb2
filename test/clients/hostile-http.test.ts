/**
 * Bad input over HTTP, end to end: a clear error for who sent it, and nothing for anybody else. One server stands for all
 * of a describe block, and a bystander's connection that was opened before any of it must be answered after each.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import { DEFAULT_LIMITS } from '../../ts/server/limits.js';
import type { ServerListener } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { request, Wire, type WireResponse } from '../engine/wire.js';
import { engineNames } from '../engines.js';
import { equip } from './fixtures/offer.mjs';
import { ask, atEnd, callTool, type Marks } from './stage.js';

type Header = readonly [string, string];
const JSON_TYPE: Header = ['content-type', 'application/json'];
const ACCEPT: Header = ['accept', 'application/json, text/event-stream'];
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

const post = (body: string, ...headers: Header[]) => request('POST', '/mcp', [JSON_TYPE, ACCEPT, ...headers], body);
const legacy = (message: object) => post(JSON.stringify(message));
/** A modern tools/call with all that it needs, and changes to its headers. */
function modern(name: string, args: object, changes: Record<string, string> = {}, meta: object = META): string {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name, ...changes };
  const body = JSON.stringify(ask(1, 'tools/call', { name, arguments: args, _meta: meta }));
  return post(body, ...Object.entries(headers));
}

/** 100,000 brackets that are closed again, and 100,000 that are not. */
const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
const inArguments = (value: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":${value}}}}`;
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

/** [what, request, status, JSON-RPC code, part of the message] */
const REFUSED: readonly (readonly [string, string, number, number, RegExp])[] = [
  ['malformed JSON', post('{"jsonrpc":"2.0","id":1,"method":ping}'), 400, -32700, /parse/i],
  ['malformed JSON in the arguments', post(inArguments('{"a":tru}')), 400, -32700, /parse/i],
  ['half a message', post(PING.slice(0, -1)), 400, -32700, /parse/i],
  ['two messages', post(PING + PING), 400, -32700, /parse/i],
  ['100,000 brackets', post('['.repeat(100_000)), 400, -32600, /nest|deep/i],
  ['100,000 brackets, closed again', post(DEEP), 400, -32600, /nest|deep/i],
  ['100,000 brackets in the arguments', post(inArguments(DEEP)), 400, -32600, /nest|deep/i],
  ['100,000 braces in the arguments', post(inArguments('{"a":'.repeat(100_000))), 400, -32600, /nest|deep/i],
  ['two ids in one message', post('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'), 400, -32600, /twice|duplicate/i],
  [
    'two names in one call',
    post(inArguments('1,"message":2},"name":"add","x":{"y":1')),
    400,
    -32600,
    /twice|duplicate/i,
  ],
  ['id null', post('{"jsonrpc":"2.0","id":null,"method":"ping"}'), 400, -32600, /id/i],
  ['no JSON-RPC', post('{"id":1,"method":"ping"}'), 400, -32600, /jsonrpc|version/i],
  ['text/plain', request('POST', '/mcp', [['content-type', 'text/plain']], PING), 415, -32000, /application\/json/],
  ['no content type', request('POST', '/mcp', [], PING), 415, -32000, /application\/json/],
  ['unknown method', legacy(ask(1, 'tools/explode')), 200, -32601, /tools\/explode/],
  ['missing tool', legacy(callTool(1, 'nobody')), 200, -32602, /nobody/],
  ['missing name', legacy(ask(1, 'tools/call', { arguments: {} })), 200, -32602, /name/],
  ['missing tool, modern', modern('nobody', {}), 200, -32602, /nobody/],
  ['unknown method, modern', modern('echo', {}).replaceAll('tools/call', 'tools/cast'), 404, -32601, /tools\/cast/],
  ['header of another tool', modern('echo', { message: 'x' }, { 'mcp-name': 'add' }), 400, -32020, /Mcp-Name/],
  ['header of another method', modern('echo', {}, { 'mcp-method': 'tools/list' }), 400, -32020, /Mcp-Method/],
  ['no method header', modern('echo', {}).replace(/mcp-method: .*\r\n/, ''), 400, -32020, /Mcp-Method/],
  [
    'no capabilities',
    modern('echo', {}, {}, { ...META, 'io.modelcontextprotocol/clientCapabilities': 1 }),
    400,
    -32602,
    /Cap/,
  ],
  ['a revision of the future', modern('echo', {}).replaceAll('2026-07-28', '2099-01-01'), 400, -32022, /version/i],
  ['a session that never was', post(PING, ['mcp-session-id', 'nobody']), 404, expect.any(Number) as never, /session/i],
  ['a page from elsewhere', post(PING, ['origin', 'https://evil.example']), 403, -32000, /Origin/],
  ['a name that was bound anew', post(PING, ['host', 'evil.example']), 403, -32000, /Host/],
];

describe.each(engineNames)('bad input over HTTP, %s', (engine: EngineName) => {
  let listener: ServerListener;
  let marks: { started: Marks; stopped: Marks };
  let bystander: Wire;
  let turn = 0;

  beforeAll(async () => {
    const server = new McpServer({ name: 'hostile', version: '1' });
    marks = equip(server, ResourceTemplate) as typeof marks;
    listener = await server.listen({ port: 0, engine });
    bystander = await Wire.connect(listener.port);
  });
  afterAll(async () => {
    await bystander.leave();
    await listener.close({ grace: 0 });
  });

  const open = async (): Promise<Wire> => {
    const wire = await Wire.connect(listener.port);
    atEnd(() => wire.leave());
    return wire;
  };
  /** Nothing is left behind, and the server serves on, those who were there before and those who come now. */
  async function unharmed(): Promise<void> {
    const message = `still here ${turn++}`;
    const body = JSON.stringify(callTool(turn, 'echo', { message }));
    bystander.send(post(body));
    expect((await bystander.response()).text).toContain(message);
    const stranger = await open();
    stranger.send(modern('add', { a: turn, b: 1 }));
    expect((await stranger.response()).text).toContain(`"text":"${turn + 1}"`);
    await stranger.leave();
    // A client's leaving is noticed in its own time; that it is noticed is what counts.
    await vi.waitFor(() => expect(listener.stats()).toMatchObject({ inFlight: 0, connections: 1, panics: 0 }), 10_000);
  }

  it.each(REFUSED)('refuses: %s', async (_, bytes, status, code, message) => {
    const wire = await open();
    wire.send(bytes);
    const response = await wire.response();
    expect([response.status, response.headers['content-type']]).toEqual([status, 'application/json']);
    expect(JSON.parse(response.text)).toMatchObject({
      jsonrpc: '2.0',
      error: { code, message: expect.stringMatching(message) },
    });
    await wire.leave();
    await unharmed();
  });

  it.each([
    ['missing', { a: 1 }, /\bb\b/],
    ['of another type', { a: 1, b: 'two' }, /\bb: /],
    ['none at all', {}, /\ba\b.*\bb\b/],
  ])('names the arguments that are wrong: %s', async (_, args, message) => {
    for (const bytes of [legacy(callTool(1, 'add', args)), modern('add', args)]) {
      const wire = await open();
      wire.send(bytes);
      const { result } = JSON.parse((await wire.response()).text);
      expect(result).toMatchObject({
        isError: true,
        content: [{ type: 'text', text: expect.stringMatching(message) }],
      });
      await wire.leave();
    }
    await unharmed();
  });

  it('refuses a gigabyte before it comes', async () => {
    for (const more of [[], [['expect', '100-continue']]] as Header[][]) {
      const wire = await open();
      wire.send(request('POST', '/mcp', [JSON_TYPE, ['content-length', '1073741824'], ...more]));
      const response = await wire.response();
      expect(response.status).toBe(413);
      expect(JSON.parse(response.text)).toMatchObject({
        id: null,
        error: { message: expect.stringMatching(/exceeds/) },
      });
      wire.end();
      await wire.closed;
    }
    await unharmed();
  });

  it('refuses a body of unknown length when it passes the limit', async () => {
    const wire = await open();
    wire.send(request('POST', '/mcp', [JSON_TYPE, ['transfer-encoding', 'chunked']]));
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    // The last of them passes it; the chunk that would end the body never comes.
    for (let sent = 0; sent <= DEFAULT_LIMITS.maxBodyBytes; sent += 0x10000) wire.send(chunk);
    const response = await wire.response();
    expect(response.status).toBe(413);
    expect(JSON.parse(response.text)).toMatchObject({ id: null, error: { message: expect.stringMatching(/exceeds/) } });
    await wire.leave();
    await unharmed();
  });

  const CUT: [string, string][] = [
    ['in the request line', 'POST /mc'],
    ['in the head', post(PING).slice(0, 60)],
    ['behind the head', request('POST', '/mcp', [JSON_TYPE, ['content-length', '50']])],
    ['in the body', post(JSON.stringify(callTool(1, 'echo', { message: 'x' }))).slice(0, -5)],
    ['in a chunk', request('POST', '/mcp', [JSON_TYPE, ['transfer-encoding', 'chunked']], '2f\r\n{"jsonrpc"')],
    ['before the last chunk', request('POST', '/mcp', [JSON_TYPE, ['transfer-encoding', 'chunked']], '2\r\n{}\r\n')],
  ];
  it.each(CUT)('runs nothing of a request that is cut off %s', async (_, bytes) => {
    const before = listener.stats();
    for (const how of ['end', 'leave'] as const) {
      const wire = await open();
      await new Promise((resolve) => wire.socket.write(bytes, resolve));
      await (how === 'end' ? wire.end() : wire.leave());
      await wire.closed;
    }
    await unharmed();
    // The two calls are those of `unharmed`.
    expect(listener.stats().calls - before.calls).toBe(2);
  });

  it('answers both of two requests with the same id', async () => {
    const [one, two] = [await open(), await open()];
    const same = (message: string) => legacy(callTool('same', 'echo', { message }));
    one.send(same('first'), same('second'));
    two.send(same('third'));
    const text = async (wire: Wire) => JSON.parse((await wire.response()).text);
    const said = (message: string) => ({ id: 'same', result: { content: [{ text: message }] } });
    expect(await text(one)).toMatchObject(said('first'));
    expect(await text(one)).toMatchObject(said('second'));
    expect(await text(two)).toMatchObject(said('third'));
    await Promise.all([one.leave(), two.leave()]);
    await unharmed();
  });

  it('tells the handler when its client leaves in the middle', async () => {
    const before = listener.stats();
    const wires = [await open(), await open()];
    (wires[0] as Wire).send(legacy(callTool(1, 'hold', { token: 'left legacy' })));
    (wires[1] as Wire).send(modern('hold', { token: 'left modern' }));
    const tokens = ['left legacy', 'left modern'];
    for (const token of tokens) await marks.started.settled(token);
    expect(listener.stats().inFlight).toBe(2);
    for (const wire of wires) await wire.leave();
    for (const token of tokens) expect(await marks.stopped.settled(token)).toBe('AbortError');
    await unharmed();
    expect(listener.stats().aborted - before.aborted).toBe(2);
  });

  it('tells the handler when its client leaves in the middle of a stream', async () => {
    const before = listener.stats();
    const wire = await open();
    const args = { count: 2, token: 'stream' };
    wire.send(modern('steps', args, {}, { ...META, progressToken: 'p' }));
    expect(await wire.until('"step 1"')).toContain('text/event-stream');
    await wire.leave();
    await vi.waitFor(
      () => expect(listener.stats()).toMatchObject({ inFlight: 0, aborted: before.aborted + 1 }),
      10_000,
    );
    // The tool ends when it is let go on; nobody waits for what it says by then.
    for (const step of [1, 2]) bystander.send(legacy(callTool(step, 'seen', { token: `stream ${step}` })));
    const answers: WireResponse[] = [await bystander.response(), await bystander.response()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await unharmed();
  });
});
