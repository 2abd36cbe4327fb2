/**
 * What only the native engine has to prove about streams: bytes are counted on this side of the crossing, less what the
 * I/O thread reported, and a slot is known to be dead before that has crossed.
 */
import { describe, expect, it } from 'vitest';
import { ListenerStat, Shape } from '../../ts/engine/engine.js';
import { Streams } from '../../ts/engine/native/streams.js';
import { native } from '../engines.js';
import { until } from './echo.js';
import { call, echoed, group } from './stage.js';

describe('the bytes of streams', () => {
  it('are those given less those sent; who was asked to wait is told once, when no more than the mark is left', () => {
    const streams = new Streams(100);
    expect(streams.given(1, 5)).toBe(-1);
    streams.begin(1);
    expect(streams.given(1, 60)).toBe(60);
    expect(streams.sent(1, 50)).toBe(false); // nobody waits
    expect(streams.given(1, 91)).toBe(101);
    expect(streams.given(1, 50)).toBe(151);
    expect(streams.sent(1, 50)).toBe(false); // 101
    expect(streams.sent(1, 50)).toBe(true);
    expect(streams.sent(1, 50)).toBe(false);
    expect(streams.given(1, 0)).toBe(1);
    streams.end(1);
    expect([streams.has(1), streams.given(1, 5), streams.sent(1, 5)]).toEqual([false, -1, false]);
  });

  it('a writer that waits is always told, whatever the sizes of its pieces', () => {
    // The other side reports when at least half of the mark was sent since the last report, and only then.
    for (const [mark, size] of [
      [100, 1],
      [100, 49],
      [100, 99],
      [101, 101],
      [1, 1],
      [10, 1000],
    ] as const) {
      const streams = new Streams(mark);
      streams.begin(7);
      let unreported = 0;
      for (let round = 0; round < 20; round++) {
        let waiting = 0;
        for (let unsent = 0; unsent <= mark; waiting++) unsent = streams.given(7, size);
        let told = 0;
        for (let piece = 0; piece < waiting + 200; piece++) {
          if (piece >= waiting && unreported === 0) break;
          if (piece < waiting) unreported += size;
          if (unreported < Math.max(mark / 2, 1)) continue;
          if (streams.sent(7, unreported)) told++;
          unreported = 0;
        }
        expect([mark, size, told]).toEqual([mark, size, 1]);
      }
    }
  });
});

describe.skipIf(native === undefined)('native transport', () => {
  if (native === undefined) return;
  group(native, 'pieces', { streamHighWaterMark: 1000 }, (stage) => {
    it('counts bytes as they are on the wire, in the ring and beside it', async () => {
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      const slot = await stage.held(() => wire.send(call('hold')));
      listener.open(slot, 200, 'content-type: text/plain\r\n');
      expect(listener.write(slot, 'zwölf')).toBe(6);
      expect(listener.write(slot, '€')).toBe(9);
      const large = 'ü'.repeat(200_000);
      expect(listener.write(slot, large)).toBe(400_009);
      await until(() => receiver.drained.includes(slot));
      // Half of the mark and more is always reported, so no more than that can be left.
      expect(listener.write(slot, '')).toBeLessThan(500);
      listener.reply(slot, 200, Shape.raw, 0, '', '.');
      expect((await wire.response()).text).toBe(`zwölf€${large}.`);
      await wire.leave();
    });

    it('knows a slot as dead before its reply has crossed', async () => {
      const { listener } = stage;
      const wire = await stage.wire();
      const slot = await stage.held(() => wire.send(call('hold')));
      const stale = stage.stat(ListenerStat.staleReplies);
      listener.reply(slot, 200, Shape.raw, 0, 'x-first: yes\r\n', 'one');
      expect(listener.event(slot, '', '{}')).toBe(-1);
      listener.open(slot, 200, '');
      expect(listener.write(slot, 'two')).toBe(-1);
      const response = await wire.response();
      expect([response.headers['x-first'], response.text]).toEqual(['yes', 'one']);
      expect(stage.stat(ListenerStat.staleReplies)).toBe(stale);
      wire.send(call('echo', '{"next":1}'));
      expect((await wire.response()).text).toBe(echoed('1', '{"next":1}'));
      await wire.leave();
    });

    it('refuses a digest that is none', () => {
      for (const digest of ['', 'abc', 'g'.repeat(64)]) {
        expect(() => stage.listener.admit(digest, 1, 0)).toThrow(/64 hex digits/);
      }
      expect(stage.listener.expel('abc')).toBe(false);
    });
  });
});
