/** Servers in worker threads, and processes that end without having closed: nothing crashes, nothing hangs. */
import { describe, expect, it } from 'vitest';
import { request, Wire } from '../engine/wire.js';
import { engineNames } from '../engines.js';
import { atEnd, Child, callTool, fixture } from './stage.js';

const HEADERS = [['content-type', 'application/json']] as const;
const post = (message: object) => request('POST', '/mcp', HEADERS, JSON.stringify(message));

describe.each(engineNames)('worker threads, %s', (engine) => {
  it('serve side by side, and may be terminated in the middle of their work', async () => {
    const child = new Child([fixture('workers.mjs')], engine);
    const code = await child.exit;
    const steps = child.lines.map((line) => JSON.parse(line));
    expect(steps, child.stderr).toEqual([
      { step: 'listening', engines: [engine, engine, engine] },
      { step: 'all answer', right: [100, 100, 100] },
      { step: 'terminated', settled: 201, held: 'rejected', right: [100, 100] },
      { step: 'gone', refused: 'ECONNREFUSED' },
      { step: 'another', right: [50, 50, 50] },
      { step: 'closed', codes: [0, 0], right: 50 },
      { step: 'done' },
    ]);
    expect({ code, stderr: child.stderr }).toEqual({ code: 0, stderr: '' });
  }, 60_000);
});

describe.each(engineNames)('a process that forgot to close, %s', (engine) => {
  /** Starts it, leaves a call held and an idle connection behind, and lets it go on to its end. */
  async function forget(how: string): Promise<Child> {
    const child = new Child([fixture('forgot.mjs'), how], engine);
    const { url } = (await child.message(0)) as unknown as { url: string };
    const open = async () => {
      const wire = await Wire.connect(Number(new URL(url).port));
      atEnd(() => wire.leave());
      return wire;
    };
    const [idle, busy] = [await open(), await open()];
    busy.send(post(callTool(1, 'hold', { token: 'held' })));
    idle.send(post(callTool(1, 'started', { token: 'held' })));
    expect((await idle.response()).status).toBe(200);
    child.send('go on');
    await Promise.all([idle.closed, busy.closed]);
    return child;
  }

  it.each(['unref', 'worker'])('ends when nothing else is left to do: %s', async (how) => {
    const child = await forget(how);
    expect(await child.exit).toBe(0);
    expect(child.stderr).toBe('');
    if (how === 'worker') expect(child.messages().at(-1)).toEqual({ exit: 0 });
  });

  it('ends by process.exit in the middle of a call', async () => {
    const child = await forget('exit');
    expect(await child.exit).toBe(3);
    expect(child.stderr).toBe('');
  });

  it('ends by an error that nobody catches', async () => {
    const child = await forget('throw');
    expect(await child.exit).toBe(1);
    expect(child.stderr).toContain('nobody catches this');
  });
});
