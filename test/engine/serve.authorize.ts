/**
 * The door with `authorize`: only an admitted token opens it. Called by serve.case.ts.
 */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Engine, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { until } from './echo.js';
import { group, post, type Stage, staged } from './stage.js';
import { request } from './wire.js';

const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}';
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

const digest = (token: string) => createHash('sha256').update(token).digest('hex');
const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;

/** Not `group`: nobody without a token gets through, and that is the check after every other case. */
export function authorizeCases(engine: Engine): void {
  group(engine, 'authorize: off', {}, (stage) => {
    it('asks nobody for a token', async () => {
      stage.listener.admit(digest('t'), 7, 0);
      await stage.ask(post(CALL, bearer('t')));
      expect(stage.receiver.seen.at(-1)).toMatchObject({ kind: 'call', principal: 0 });
    });
  });

  const authorized = (title: string, run: (stage: Stage) => Promise<void>) =>
    it(`authorize: ${title}`, () => staged(engine, { authorize: true, otherPaths: ['/other'] }, run));

  const outcome = async (stage: Stage, ...headers: (readonly [string, string])[]) => {
    const before = stage.receiver.seen.length;
    await stage.ask(post(CALL, ...headers));
    const [seen, more] = stage.receiver.seen.slice(before);
    expect(more).toBeUndefined();
    return [seen?.kind, seen?.principal];
  };

  authorized('everything without an admitted token goes up as a message', async (stage) => {
    stage.listener.admit(digest('good'), 42, 0);
    const headers: (readonly [string, string])[][] = [
      [],
      [bearer('bad')],
      [bearer('Good')],
      [bearer('good ')].map(([name, value]) => [name, `${value}x`] as const),
      [['authorization', 'Basic good']],
      [['authorization', 'Bearergood']],
      [['authorization', 'good']],
      [['authorization', 'Bearer ']],
      [['authorization', 'Bearer good, Bearer good']],
      [['authorization', '']],
      [['x-authorization', 'Bearer good']],
      [bearer('good'), bearer('good')],
      [bearer('good'), ['authorization', '']],
      [['authorization', ''], bearer('good')],
    ];
    for (const lines of headers) expect([lines, await outcome(stage, ...lines)]).toEqual([lines, ['message', 0]]);
    // Nor is anything answered from the registry.
    await stage.ask(post(PING));
    expect(stage.receiver.seen.at(-1)).toMatchObject({ kind: 'message', text: PING });
    expect(stage.stat(Stat.answered)).toBe(0);
    await stage.ask(request('GET', '/mcp', [bearer('bad')]), 'GET');
    expect(stage.receiver.seen.at(-1)).toMatchObject({ method: 'GET', principal: 0 });
  });

  authorized('an admitted one is called, answered and known by its number', async (stage) => {
    stage.listener.admit(digest('good'), 42, 0);
    stage.listener.admit(digest('a-b.c_d~e+f/g=='), 43, Date.now() + 3_600_000);
    expect(await outcome(stage, bearer('good'))).toEqual(['call', 42]);
    expect(await outcome(stage, ['Authorization', 'bearer  good'])).toEqual(['call', 42]);
    expect(await outcome(stage, bearer('a-b.c_d~e+f/g=='))).toEqual(['call', 43]);
    expect((await stage.ask(post(PING, bearer('good')))).text).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(stage.stat(Stat.answered)).toBe(1);
    for (const target of ['/mcp', '/other']) {
      await stage.ask(request('GET', target, [bearer('good')]), 'GET');
      expect(stage.receiver.seen.at(-1)).toMatchObject({ kind: 'message', method: 'GET', principal: 42 });
    }
  });

  authorized('a verdict is remembered no longer than it holds', async (stage) => {
    const { listener, receiver } = stage;
    const wire = await stage.wire();
    const ask = async (token: string) => {
      wire.send(post(CALL, bearer(token)));
      await wire.response();
      return [receiver.seen.at(-1)?.kind, receiver.seen.at(-1)?.principal];
    };
    expect(await ask('one')).toEqual(['message', 0]);
    listener.admit(digest('one'), 1, 0);
    await until(() => true);
    expect(await ask('one')).toEqual(['call', 1]);
    expect(await ask('one')).toEqual(['call', 1]);
    expect(await ask('two')).toEqual(['message', 0]);
    listener.admit(digest('one'), 5, 0); // the same token, another number
    expect(await ask('one')).toEqual(['call', 5]);
    expect(listener.expel(digest('one'))).toBe(true);
    expect(listener.expel(digest('one'))).toBe(false);
    expect(await ask('one')).toEqual(['message', 0]);
    listener.admit(digest('late'), 6, Date.now() + 250);
    expect(await ask('late')).toEqual(['call', 6]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await ask('late')).toEqual(['message', 0]);
    listener.admit(digest('gone'), 7, Date.now() - 1);
    expect(await ask('gone')).toEqual(['message', 0]);
    listener.admit(digest('late'), 8, 0);
    expect(await ask('late')).toEqual(['call', 8]);
  });

  authorized('a call keeps its number after its token is gone', async (stage) => {
    const { listener } = stage;
    listener.admit(digest('one'), 9, 0);
    const wire = await stage.wire();
    const held = CALL.replace('echo', 'hold');
    const slot = await stage.held(() => wire.send(post(held, bearer('one'))));
    listener.expel(digest('one'));
    expect(listener.principal(slot)).toBe(9);
    listener.reply(slot, 200, 0, 0, '', '1');
    await wire.response();
    await until(() => listener.principal(slot) === 0);
  });

  authorized('thousands of tokens are told apart', async (stage) => {
    for (let i = 1; i <= 3000; i++) stage.listener.admit(digest(`t${i}`), i, 0);
    for (const i of [1, 2, 1500, 3000]) expect(await outcome(stage, bearer(`t${i}`))).toEqual(['call', i]);
    expect(await outcome(stage, bearer('t3001'))).toEqual(['message', 0]);
  });
}
