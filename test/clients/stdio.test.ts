/** The server as a process on stdio: how it ends, and that standard output carries messages and nothing else. */
import { describe, expect, it } from 'vitest';
import { engineNames } from '../engines.js';
import { ask, Child, callTool, ECHO, fixture, INITIALIZE } from './stage.js';

const REQUESTS = 1000;

describe.each(engineNames)('stdio process, THIRDRAIL_ENGINE=%s', (engine) => {
  it('answers everything before it ends with its input', async () => {
    const child = new Child([ECHO, '--stdio', '--tools', '20'], engine);
    const calls = Array.from({ length: REQUESTS }, (_, i) => {
      if (i % 100 === 50) return ask(i, 'tools/list');
      return callTool(i, 'echo', { message: `message ${i}` });
    });
    // All at once, and the input is closed before the process can have read any of it.
    child.send(...calls);
    child.process.stdin.end();
    expect(await child.exit).toBe(0);
    const answers = child.messages();
    expect(answers).toHaveLength(REQUESTS);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(REQUESTS);
    for (const { id, result } of answers) {
      if (Number(id) % 100 === 50) expect(result?.tools).toHaveLength(20);
      else expect(result?.content?.[0]?.text).toBe(`message ${id}`);
    }
    expect(child.stderr).toBe('');
  });

  it('ends with its input while it is idle', async () => {
    const child = new Child([ECHO, '--stdio'], engine);
    child.send(INITIALIZE);
    await child.answer('init');
    child.process.stdin.end();
    expect(await child.exit).toBe(0);
  });

  it('ends on SIGTERM with code 0, with running calls answered', async () => {
    const child = new Child([fixture('stdio.mjs')], engine);
    child.send(callTool('slow', 'untilTerminated'), ask('ping', 'ping'));
    await child.answer('ping');
    child.process.kill('SIGTERM');
    expect(await child.exit).toBe(0);
    expect(child.messages().at(-1)).toMatchObject({
      id: 'slow',
      result: { content: [{ text: 'answered after SIGTERM' }] },
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends on %s while it is idle', async (signal) => {
    const child = new Child([ECHO, '--stdio'], engine);
    child.send(ask(1, 'ping'));
    await child.answer(1);
    child.process.kill(signal);
    expect(await child.exit).toBe(0);
    expect(child.stderr).toBe('');
  });

  it('lets nothing but messages out, whatever a handler prints', async () => {
    const child = new Child([fixture('stdio.mjs')], engine);
    child.send(
      callTool(1, 'noisy'),
      callTool(2, 'echo', { message: 'line\nbreak\r\nand \u2028' }),
      callTool(3, 'noisy'),
    );
    child.process.stdin.end();
    expect(await child.exit).toBe(0);
    expect(child.messages()).toMatchObject([
      { id: 1, result: { content: [{ text: 'said' }] } },
      { id: 2, result: { content: [{ text: 'line\nbreak\r\nand \u2028' }] } },
      { id: 3, result: { content: [{ text: 'said' }] } },
    ]);
    const said = ['this is no protocol message', '{"jsonrpc":"2.0","id":1,"result":"neither is this"}', 'nor this'];
    expect(child.stderr.trimEnd().split('\n')).toEqual([...said, ...said]);
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const child = new Child([ECHO, '--stdio', '--tools', '60'], engine);
    child.send(ask('first', 'tools/list'));
    await child.answer('first');
    child.process.stdout.destroy();
    // More than a pipe holds, so that it must notice.
    child.send(...Array.from({ length: 50 }, (_, i) => ask(i, 'tools/list')));
    expect(await child.exit).toBe(0);
    expect(child.stderr).toBe('');
  });

  it('tells a running handler when its client is gone', async () => {
    const child = new Child([fixture('gone.mjs')], engine);
    child.send(callTool('held', 'hold', { token: 'held' }), callTool('wait', 'started', { token: 'held' }));
    await child.answer('wait');
    child.process.stdout.destroy();
    child.send(ask('noticed', 'tools/list'));
    expect(await child.exit).toBe(0);
    expect(child.stderr).toBe('stopped: AbortError\n');
  });
});
