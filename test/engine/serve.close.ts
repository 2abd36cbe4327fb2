/**
 * How a listener starts and ends. Called by serve.case.ts.
 */
import { describe, expect, it } from 'vitest';
import { type Engine, Shape, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { Handler, until } from './echo.js';
import { call, Stage } from './stage.js';
import { Wire } from './wire.js';

export function closeCases(engine: Engine): void {
  describe('close', () => {
    it('lets the running call end, closes the rest, and accepts no more', async () => {
      const stage = new Stage(engine);
      await stage.open();
      const { listener, receiver } = stage;
      const [idle, busy] = [await stage.wire(), await stage.wire()];
      idle.send(call('echo'));
      await idle.response();
      busy.send(call('hold'));
      await until(() => receiver.seen.some((one) => one.handler === Handler.hold));
      const closed = listener.close(60_000);
      await idle.closed;
      await expect(Wire.connect(listener.port)).rejects.toThrow();
      const { slot } = receiver.seen.find((one) => one.handler === Handler.hold) as { slot: number };
      listener.reply(slot, 200, Shape.result, 0, '', '1');
      const response = await busy.response();
      expect(response.status).toBe(200);
      expect(response.headers.connection).toBe('close');
      await busy.closed;
      await closed;
      await listener.close(0);
      expect(stage.stat(Stat.connections)).toBe(0);
      expect(receiver.aborted).toEqual([]);
      await stage.close();
    });

    it('answers what was sent before it, on old connections and on new ones', async () => {
      const stage = new Stage(engine);
      await stage.open();
      const old = await Promise.all(Array.from({ length: 20 }, () => stage.wire()));
      for (const wire of old) wire.send(call('echo'));
      await Promise.all(old.map((wire) => wire.response()));
      const all = [...old, ...(await Promise.all(Array.from({ length: 20 }, () => stage.wire())))];
      // All of it is with the system, and none of it was read, when the end comes.
      for (const [i, wire] of all.entries()) wire.send(call(i % 2 === 0 ? 'echo' : 'later', `{"i":${i}}`, `${i}`));
      const closed = stage.listener.close(60_000);
      const answers = await Promise.all(all.map((wire) => wire.response()));
      for (const [i, { text }] of answers.entries()) expect(text).toContain(`"id":${i},`);
      await Promise.all(all.map((wire) => wire.closed));
      await closed;
      expect(stage.receiver.aborted).toEqual([]);
    });

    it('ends an open stream in good order', async () => {
      const stage = new Stage(engine);
      await stage.open();
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      wire.send(call('hold'));
      await until(() => receiver.seen.length === 1);
      const { slot } = receiver.seen[0] as { slot: number };
      listener.event(slot, '', '1');
      await wire.until('data: 1\n\n');
      const closed = listener.close(60_000);
      listener.reply(slot, 200, Shape.result, 0, '', '2');
      expect((await wire.response()).text).toContain('"result":2}\n\n');
      await wire.closed;
      await closed;
    });

    it('finishes writing what was replied', async () => {
      const stage = new Stage(engine);
      await stage.open();
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      wire.send(call('hold'));
      await until(() => receiver.seen.length === 1);
      wire.socket.pause();
      const long = JSON.stringify('x'.repeat(8_000_000)); // more than the kernel takes at once
      listener.reply(receiver.seen[0]?.slot ?? -1, 200, Shape.result, 0, '', long);
      const closed = listener.close(60_000);
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
      wire.socket.resume();
      // Not `toBe`: a failure would print all of it.
      expect((await wire.response()).text === `{"jsonrpc":"2.0","id":1,"result":${long}}`).toBe(true);
      await closed;
    });

    it('cuts what is left after the grace', async () => {
      const stage = new Stage(engine);
      await stage.open();
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      wire.send(call('hold'));
      await until(() => receiver.seen.length === 1);
      await listener.close(10);
      await wire.closed;
      await until(() => receiver.aborted.length === 1);
      expect(receiver.aborted).toEqual([receiver.seen[0]?.slot]);
      expect(stage.stat(Stat.inFlight)).toBe(0);
    });

    it('says where it listens, and what went wrong when it cannot', async () => {
      const stage = new Stage(engine);
      await stage.open();
      expect(stage.listener.host).toBe('127.0.0.1');
      expect(stage.listener.port).toBeGreaterThan(0);
      await expect(new Stage(engine, { port: stage.listener.port }).open()).rejects.toThrow(/EADDRINUSE|in use/i);
      await stage.close();
    });
  });
}
