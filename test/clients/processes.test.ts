/**
 * Several processes on one port. The system spreads new connections over them, so that which process answers is known only
 * when it has; Linux alone promises that it spreads at all.
 */
import { describe, expect, it } from 'vitest';
import { hasReusePort } from '../../ts/engine/js/serve/bind.js';
import { request, Wire } from '../engine/wire.js';
import { engineNames } from '../engines.js';
import { atEnd, Child, callTool, fixture } from './stage.js';

const HEADERS = [
  ['content-type', 'application/json'],
  ['accept', 'application/json, text/event-stream'],
] as const;
/** Connections after which both must have been met: fewer than one run in 10^29 is unlucky. */
const MANY = 100;

const able = engineNames.filter((engine) => process.platform === 'linux' && (engine === 'native' || hasReusePort()));

async function who(wire: Wire, tool = 'who'): Promise<number> {
  wire.send(request('POST', '/mcp', HEADERS, JSON.stringify(callTool(1, tool))));
  return pidOf((await wire.response()).text);
}

function pidOf(text: string): number {
  return Number(/"text":"(\d+)"/.exec(text)?.[1]);
}

async function connect(port: number): Promise<Wire> {
  const wire = await Wire.connect(port);
  atEnd(() => wire.leave());
  return wire;
}

async function start(engine: (typeof able)[number], port: number) {
  const child = new Child([fixture('shared-port.mjs'), `${port}`], engine);
  const said = (await child.message(0)) as unknown as { port: number; pid: number; engine: string };
  expect(said.engine).toBe(engine);
  return { child, ...said };
}

describe.each(able)('several processes on one port, %s', (engine) => {
  it('answer all, and one ends without its neighbour noticing', async () => {
    const first = await start(engine, 0);
    const { port } = first;
    const second = await start(engine, port);
    expect(second.port).toBe(port);

    // A connection to each, by asking who it is.
    const known = new Map<number, Wire>();
    for (let tried = 0; known.size < 2 && tried < MANY; tried++) {
      const wire = await connect(port);
      known.set(await who(wire), wire);
    }
    expect([...known.keys()].sort()).toEqual([first.pid, second.pid].sort());
    const [one, other] = [known.get(first.pid) as Wire, known.get(second.pid) as Wire];

    // The first is told to end in the middle of a call; from the moment that it says so, all that is new is its neighbour's.
    one.send(request('POST', '/mcp', HEADERS, JSON.stringify({ ...callTool(2, 'wait') })));
    await who(other);
    first.child.process.kill('SIGTERM');
    await first.child.message(1);
    expect(await who(other)).toBe(second.pid);
    first.child.send('finish');
    expect(pidOf((await one.response()).text)).toBe(first.pid);
    await one.closed;
    expect(await first.child.exit).toBe(0);
    for (let i = 0; i < MANY; i++) {
      const wire = await Wire.connect(port);
      expect(await who(wire)).toBe(second.pid);
      await wire.leave();
    }
    expect(await who(other)).toBe(second.pid);

    // And another takes the place of the one that ended.
    const third = await start(engine, port);
    let met = 0;
    for (let tried = 0; met !== third.pid && tried < MANY; tried++) {
      const wire = await connect(port);
      met = await who(wire);
    }
    expect(met).toBe(third.pid);
  });
});
