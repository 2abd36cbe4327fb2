/** Bad input over stdio, end to end: an error line for what was wrong, and the next line is served as if nothing had been. */
import { describe, expect, it } from 'vitest';
import { engineNames } from '../engines.js';
import { ask, Child, callTool, ECHO, fixture, INITIALIZE } from './stage.js';

const LIMIT = 4 * 1024 * 1024;
const ping = (id: string | number) => ask(id, 'ping');

/** [what, line, JSON-RPC code, id of the error] */
const REFUSED: readonly (readonly [string, string, number, string | number | null])[] = [
  ['garbage', 'GET / HTTP/1.1', -32700, null],
  ['malformed JSON', '{"jsonrpc":"2.0","id":1,"method":ping}', -32700, null],
  ['half a message', '{"jsonrpc":"2.0","id":1,"method":"ping"', -32700, null],
  ['two messages in one line', `${JSON.stringify(ping(1))}${JSON.stringify(ping(2))}`, -32700, null],
  ['100,000 brackets', '['.repeat(100_000), -32600, null],
  ['100,000 brackets, closed again', '['.repeat(100_000) + ']'.repeat(100_000), -32600, null],
  ['a byte order mark', `\uFEFF${JSON.stringify(ping(1))}`, -32700, null],
  ['two ids', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32600, null],
  ['no JSON-RPC', '{"id":1,"method":"ping"}', -32600, null],
  ['unknown method', JSON.stringify(ask('u', 'tools/explode')), -32601, 'u'],
  ['missing tool', JSON.stringify(callTool('m', 'nobody')), -32602, 'm'],
  [
    'arguments that are no object',
    JSON.stringify(ask('a', 'tools/call', { name: 'echo', arguments: 1 })),
    -32600,
    null,
  ],
];

describe.each(engineNames)('bad input over stdio, THIRDRAIL_ENGINE=%s', (engine) => {
  it('refuses each bad line and answers the line behind it', async () => {
    const child = new Child([ECHO, '--stdio'], engine);
    child.send(INITIALIZE);
    await child.message(0);
    for (const [at, [, line]] of REFUSED.entries())
      child.send(line, callTool(`next ${at}`, 'echo', { message: `${at}` }));
    child.send(callTool('args', 'add', { a: 1, b: 'two' }));
    child.process.stdin.end();
    expect(await child.exit).toBe(0);
    const messages = child.messages();
    expect(messages).toHaveLength(1 + 2 * REFUSED.length + 1);
    for (const [at, [what, , code, id]] of REFUSED.entries()) {
      const refused = messages[1 + 2 * at];
      expect(refused, what).toMatchObject({ jsonrpc: '2.0', id, error: { code, message: expect.any(String) } });
      expect(messages[2 + 2 * at]).toMatchObject({ id: `next ${at}`, result: { content: [{ text: `${at}` }] } });
    }
    expect(messages.at(-1)).toMatchObject({
      id: 'args',
      result: { isError: true, content: [{ text: expect.stringMatching(/\bb: /) }] },
    });
  });

  it('refuses a line that is too long without keeping it', async () => {
    const child = new Child([ECHO, '--stdio'], engine);
    const message = 'x'.repeat(LIMIT);
    child.send(callTool('long', 'echo', { message }), ping('after'));
    expect(await child.message(0)).toMatchObject({
      id: null,
      error: { message: expect.stringMatching(/too large|exceeds/) },
    });
    expect(await child.message(1)).toMatchObject({ id: 'after', result: {} });
    // One message that just fits is served whole.
    const room = LIMIT - JSON.stringify(callTool('fits', 'echo', { message: '' })).length;
    child.send(callTool('fits', 'echo', { message: message.slice(0, room) }));
    expect((await child.message(2)).result?.content?.[0]?.text).toHaveLength(room);
  });

  it('runs no half a line at the end of its input', async () => {
    const child = new Child([ECHO, '--stdio'], engine);
    child.send(ping(1));
    child.process.stdin.end('{"jsonrpc":"2.0","id":2,"meth');
    expect(await child.exit).toBe(0);
    expect(child.messages()).toMatchObject([
      { id: 1, result: {} },
      { id: null, error: { code: -32700 } },
    ]);
  });

  it('answers a last line that has no line break', async () => {
    const child = new Child([ECHO, '--stdio'], engine);
    child.process.stdin.end(JSON.stringify(ping('last')));
    expect(await child.exit).toBe(0);
    expect(child.messages()).toMatchObject([{ id: 'last', result: {} }]);
  });

  it('refuses an id that is in use, and frees it with the answer', async () => {
    const child = new Child([fixture('stdio.mjs')], engine);
    child.send(callTool('same', 'hold', { token: 'held' }), callTool('wait', 'started', { token: 'held' }));
    await child.answer('wait');
    child.send(callTool('same', 'echo', { message: 'second' }));
    expect(await child.answer('same')).toMatchObject({
      error: { code: -32600, message: expect.stringMatching(/in use/) },
    });
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'same' } };
    child.send(cancelled, callTool('gone', 'stopped', { token: 'held' }));
    expect(await child.answer('gone')).toMatchObject({ result: { content: [{ text: 'AbortError' }] } });
    const before = child.lines.length;
    child.send(callTool('same', 'echo', { message: 'third' }));
    expect(await child.message(before)).toMatchObject({ id: 'same', result: { content: [{ text: 'third' }] } });
  });
});
