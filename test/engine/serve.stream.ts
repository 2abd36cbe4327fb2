/**
 * Bodies in pieces: opened, written, drained, cut off. Called by serve.case.ts.
 */
import { describe, expect, it } from 'vitest';
import { type Engine, Shape, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { until } from './echo.js';
import { call, echoed, group, JSON_TYPE, post, refusal, staged } from './stage.js';
import { request, type Wire } from './wire.js';

const EVENTS = 'content-type: text/event-stream\r\ncache-control: no-cache\r\n';
const HOLD = ['x-hold', '1'] as const;
const PIECE = 'ü'.repeat(4096);
const MARK = 65_536;

export function openCases(engine: Engine): void {
  group(engine, 'open', {}, (stage) => {
    const ways: [string, (wire: Wire) => void][] = [
      ['a call', (wire) => wire.send(call('hold', '{}', '"s"'))],
      ['a GET', (wire) => wire.send(request('GET', '/mcp', [HOLD]))],
      ['a message', (wire) => wire.send(post('{"jsonrpc":"2.0","method":"notifications/x"}', HOLD))],
    ];
    for (const [what, send] of ways) {
      it(`sends the head at once, then piece by piece: ${what}`, async () => {
        const { listener } = stage;
        const wire = await stage.wire();
        const slot = await stage.held(() => send(wire));
        listener.open(slot, 203, `${EVENTS}x-own: yes\r\ncontent-length: 3\r\n`);
        listener.open(slot, 200, 'x-second: no\r\n');
        const head = await wire.until('\r\n\r\n');
        expect(head).toMatch(/^HTTP\/1\.1 203 /);
        expect(listener.write(slot, ': one\n\n')).toBeGreaterThanOrEqual(0);
        await wire.until(': one\n\n');
        listener.write(slot, '');
        expect(listener.event(slot, 'e1', '{"n":1}')).toBeGreaterThanOrEqual(0);
        await wire.until('{"n":1}\n\n');
        listener.write(slot, 'zwölf');
        listener.reply(slot, 500, Shape.raw, 0, 'x-late: no\r\n', '!');
        const response = await wire.response();
        expect(response.status).toBe(203);
        expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-own': 'yes' });
        for (const name of ['x-second', 'x-late', 'content-length', 'connection']) {
          expect(response.headers).not.toHaveProperty(name);
        }
        expect(response.text).toBe(': one\n\nid: e1\nevent: message\ndata: {"n":1}\n\nzwölf!');
        wire.send(call('echo', '{"next":1}'));
        expect((await wire.response()).text).toBe(echoed('1', '{"next":1}'));
        expect([listener.write(slot, 'x'), listener.event(slot, '', 'x')]).toEqual([-1, -1]);
      });
    }

    for (const [what, send] of ways) {
      it(`is cut off in its middle: ${what}`, async () => {
        const { listener, receiver } = stage;
        for (const atOnce of [false, true]) {
          const wire = await stage.wire();
          const slot = await stage.held(() => send(wire));
          listener.open(slot, 200, EVENTS);
          listener.write(slot, 'zwölf');
          if (!atOnce) await wire.until('zwölf');
          listener.write(slot, 'more');
          listener.reply(slot, 0, Shape.raw, 1, '', '');
          await wire.closed;
          const all = await wire.until('more');
          expect(all).toMatch(/^HTTP\/1\.1 200 .*zwölf.*more\r\n$/s);
          await expect(wire.response()).rejects.toThrow('ended before a complete response');
          expect(listener.write(slot, 'x')).toBe(-1);
          const stale = stage.stat(Stat.staleReplies);
          listener.reply(slot, 0, Shape.raw, 1, '', '');
          await until(() => stage.stat(Stat.staleReplies) === stale + 1);
          await stage.alive();
          expect(receiver.aborted).not.toContain(slot);
        }
      });
    }

    it('is cut off after events as well, and not before anything was sent', async () => {
      const { listener } = stage;
      const wire = await stage.wire();
      const slot = await stage.held(() => wire.send(call('hold')));
      listener.event(slot, '', '{"n":1}');
      await wire.until('{"n":1}\n\n');
      listener.reply(slot, 0, Shape.result, 1, '', '{"never":"sent"}');
      await wire.closed;
      await expect(wire.response()).rejects.toThrow('ended before a complete response');
      const other = await stage.wire();
      const whole = await stage.held(() => other.send(call('hold')));
      listener.reply(whole, 0, Shape.result, 1, '', '{}');
      const response = await other.response();
      expect([response.status, response.text]).toEqual([500, '{"jsonrpc":"2.0","id":1,"result":{}}']);
    });

    it('ends with the result as an event, or with nothing', async () => {
      const { listener } = stage;
      const wire = await stage.wire();
      const endings: [number, string, string][] = [
        [Shape.result, '{"r":1}', 'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{"r":1}}\n\n'],
        [Shape.error, '{"code":1,"message":"m"}', `event: message\ndata: ${refusal(1, 'm', '1')}\n\n`],
        [Shape.raw, '', ''],
      ];
      for (const [shape, text, expected] of endings) {
        const slot = await stage.held(() => wire.send(call('hold')));
        listener.open(slot, 200, EVENTS);
        listener.reply(slot, 200, shape, 0, '', text);
        expect((await wire.response()).text).toBe(expected);
      }
    });

    it('writes to nothing that was not opened', async () => {
      const { listener } = stage;
      const wire = await stage.wire();
      const slot = await stage.held(() => wire.send(call('hold')));
      listener.write(slot, 'lost');
      listener.reply(slot, 200, Shape.result, 0, '', '1');
      expect((await wire.response()).text).toBe('{"jsonrpc":"2.0","id":1,"result":1}');
      listener.open(slot, 200, EVENTS);
    });

    it('tells of a client that left, once', async () => {
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      const slot = await stage.held(() => wire.send(request('GET', '/mcp', [HOLD])));
      listener.open(slot, 200, EVENTS);
      await wire.until('\r\n\r\n');
      await wire.leave();
      await until(() => receiver.aborted.includes(slot));
      await stage.alive();
      expect(receiver.aborted.filter((one) => one === slot)).toHaveLength(1);
      expect(listener.write(slot, 'x')).toBe(-1);
    });

    it('takes half a connection for a client that left', async () => {
      const { listener, receiver } = stage;
      for (const opened of [false, true]) {
        const wire = await stage.wire();
        const slot = await stage.held(() => wire.send(call('hold')));
        if (opened) {
          listener.open(slot, 200, EVENTS);
          await wire.until('\r\n\r\n');
        }
        wire.end();
        await until(() => receiver.aborted.includes(slot));
        await wire.closed;
      }
    });
  });

  describe('open', () => {
    it('leaves the calls in flight', () =>
      staged(engine, { maxInFlight: 2 }, async (stage) => {
        const { listener } = stage;
        const slots: number[] = [];
        for (let i = 0; i < 5; i++) {
          const wire = await stage.wire();
          const slot = await stage.held(() => wire.send(call('hold')));
          listener.open(slot, 200, EVENTS);
          await wire.until('\r\n\r\n');
          slots.push(slot);
        }
        expect(stage.stat(Stat.inFlight)).toBe(0);
        const [one, two] = [await stage.wire(), await stage.wire()];
        const held = [await stage.held(() => one.send(call('hold'))), await stage.held(() => two.send(call('hold')))];
        expect((await stage.ask(call('echo'))).status).toBe(503);
        for (const slot of held) listener.reply(slot, 200, Shape.result, 0, '', '1');
        await one.response();
        await two.response();
        await stage.alive();
        for (const slot of slots) listener.reply(slot, 200, Shape.raw, 0, '', '');
        await until(() => stage.stat(Stat.inFlight) === 0);
        await stage.alive();
      }));

    it('asks a writer to wait for a slow reader, once, and loses nothing', () =>
      staged(engine, { streamHighWaterMark: MARK }, async (stage) => {
        const { listener, receiver } = stage;
        const wire = await stage.wire();
        const slot = await stage.held(() => wire.send(call('hold')));
        listener.open(slot, 200, EVENTS);
        await wire.until('\r\n\r\n');
        let written = 0;
        for (let round = 1; round <= 3; round++) {
          wire.socket.pause();
          await filled(() => {
            written++;
            return listener.write(slot, PIECE);
          }, MARK);
          wire.socket.resume();
          await until(() => receiver.drained.length === round);
        }
        await stage.alive();
        expect(receiver.drained).toEqual([slot, slot, slot]);
        listener.reply(slot, 200, Shape.raw, 0, '', 'end');
        const { text } = await wire.response();
        expect(text.length).toBe(written * PIECE.length + 3);
        expect(text === `${PIECE.repeat(written)}end`).toBe(true);
        expect(receiver.aborted).toEqual([]);
      }));

    it('does the same for events', () =>
      staged(engine, { streamHighWaterMark: MARK }, async (stage) => {
        const { listener, receiver } = stage;
        const wire = await stage.wire();
        const slot = await stage.held(() => wire.send(call('hold')));
        wire.socket.pause();
        await filled(() => listener.event(slot, '', JSON.stringify(PIECE)), MARK);
        wire.socket.resume();
        await until(() => receiver.drained.length === 1);
        listener.reply(slot, 200, Shape.result, 0, '', '{}');
        expect((await wire.response()).text.endsWith('"result":{}}\n\n')).toBe(true);
        expect(receiver.drained).toEqual([slot]);
      }));

    it('cuts off a writer that does not wait', () =>
      staged(engine, { maxStreamBytes: 4 * MARK }, async (stage) => {
        const { listener, receiver } = stage;
        const wire = await stage.wire();
        const slot = await stage.held(() => wire.send(call('hold')));
        listener.open(slot, 200, EVENTS);
        wire.socket.pause();
        await until(() => {
          listener.write(slot, PIECE);
          return receiver.aborted.includes(slot);
        });
        expect(listener.write(slot, PIECE)).toBe(-1);
        await stage.alive();
      }));
  });

  describe('write timeout', () => {
    it('cuts a connection that takes nothing', () =>
      staged(engine, { writeTimeout: 150, maxStreamBytes: 1 << 28 }, async (stage) => {
        const { listener, receiver } = stage;
        const [stream, whole] = [await stage.wire(), await stage.wire()];
        const slot = await stage.held(() => stream.send(call('hold')));
        listener.open(slot, 200, EVENTS);
        const other = await stage.held(() => whole.send(call('hold')));
        stream.socket.pause();
        whole.socket.pause();
        // More than any socket holds: a number above the mark may only mean that the bytes are on their way.
        for (let i = 0; i < 4096; i++) listener.write(slot, PIECE);
        listener.reply(other, 200, Shape.result, 0, '', JSON.stringify('x'.repeat(30_000_000)));
        await until(() => receiver.aborted.includes(slot));
        await until(() => stage.stat(Stat.connections) === 0);
        await stage.alive();
      }));

    it('leaves a slow reader alone that takes something', () =>
      staged(engine, { writeTimeout: 400 }, async (stage) => {
        const { listener } = stage;
        const wire = await stage.wire();
        const slot = await stage.held(() => wire.send(call('hold')));
        const long = JSON.stringify('x'.repeat(12_000_000));
        wire.socket.pause();
        listener.reply(slot, 200, Shape.result, 0, '', long);
        // Longer than the limit in all, and never so long without a megabyte: the kernel tells of less only when it likes.
        for (let i = 0; i < 10; i++) {
          await some(wire, 1 << 20);
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
        wire.socket.resume();
        expect((await wire.response()).body.length).toBe(long.length + '{"jsonrpc":"2.0","id":1,"result":}'.length);
      }));
  });

  pathCases(engine);
}

/** Writes until more than the mark is unsent: the reader has stopped, so it comes to that. */
async function filled(write: () => number, mark: number): Promise<void> {
  await until(() => {
    for (let i = 0; i < 16; i++) if (write() > mark) return true;
    return false;
  });
}

/** Lets about so many bytes in. */
function some(wire: Wire, bytes: number): Promise<void> {
  const { socket } = wire;
  return new Promise((resolve) => {
    let left = bytes;
    const take = (chunk: Buffer) => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', take);
      socket.pause();
      resolve();
    };
    socket.on('data', take);
    socket.resume();
  });
}

function pathCases(engine: Engine): void {
  const otherPaths = ['/other', '/.well-known/thing'];
  group(engine, 'other paths', { otherPaths, maxBodyBytes: 300 }, (stage) => {
    const last = () => stage.receiver.seen.at(-1);
    const askOther = (method: string, target: string, body = '', headers: [string, string][] = []) =>
      stage.ask(request(method, target, [...headers, ['accept', 'a/b']], body), method);

    it('go up, with their target, whatever the method', async () => {
      for (const method of ['GET', 'DELETE', 'PUT', 'OPTIONS']) {
        expect((await askOther(method, '/other')).text).toBe(`no ${method}`);
        expect(last()).toMatchObject({ kind: 'message', method, text: '' });
        expect(last()?.head.startsWith(':path: /other\r\n')).toBe(true);
        expect(last()?.head).toContain('accept: a/b\r\n');
      }
    });

    it('keep their query, and the endpoint its own', async () => {
      await askOther('GET', '/.well-known/thing?a=/b&c=%20d');
      expect(last()?.head.startsWith(':path: /.well-known/thing?a=/b&c=%20d\r\n')).toBe(true);
      await askOther('GET', 'http://localhost/other?x#y');
      expect(last()?.head.startsWith(':path: /other?x\r\n')).toBe(true);
      await askOther('GET', '/mcp?session=1');
      expect(last()?.head.startsWith(':path: /mcp?session=1\r\n')).toBe(true);
      await askOther('GET', '/mcp');
      expect(last()?.head).not.toContain(':path');
    });

    it('may have a body of any kind, up to the limit', async () => {
      const form: [string, string][] = [['content-type', 'application/x-www-form-urlencoded']];
      expect((await askOther('POST', '/other?q', 'a=ü&b=1', form)).status).toBe(202);
      expect(last()).toMatchObject({ kind: 'message', method: 'POST', text: 'a=ü&b=1' });
      // What would be a regular call at the endpoint is nothing of the engine's here.
      const regular = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
      expect((await askOther('POST', '/other', regular, [[...JSON_TYPE]])).status).toBe(202);
      expect(last()).toMatchObject({ kind: 'message', text: regular });
      expect((await askOther('POST', '/other', 'x'.repeat(301), form)).status).toBe(413);
      expect((await askOther('POST', '/other')).status).toBe(202);
      expect(last()?.text).toBe('');
    });

    it('are guarded like the endpoint, and matched exactly', async () => {
      expect((await askOther('GET', '/other', '', [['host', 'evil.example']])).status).toBe(403);
      expect((await askOther('GET', '/other', '', [['origin', 'http://evil.example']])).status).toBe(403);
      for (const path of ['/other/', '/Other', '/othe', '/other%2f']) {
        expect((await askOther('GET', path)).status).toBe(404);
      }
    });
  });
}
