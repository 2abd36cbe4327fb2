/** Event stores: what both keep, give back and forget, in memory and in a real Redis. */
import { describe, expect, it } from 'vitest';
import { MemoryEventStore } from '../../ts/protocol/events/memory.js';
import type { EventStore } from '../../ts/protocol/events/store.js';
import type { JSONRPCMessage } from '../../ts/protocol/types.js';
import { RedisEventStore } from '../../ts/server/redis/events.js';
import { hasRedis, redisForAll } from '../redis.js';

const message = (n: number): JSONRPCMessage => ({ jsonrpc: '2.0', method: 'notifications/message', params: { n } });

async function replayed(store: EventStore, after: string): Promise<[string, unknown[], string[]]> {
  const messages: unknown[] = [];
  const ids: string[] = [];
  const stream = await store.replayEventsAfter(after, {
    send: async (id, sent) => {
      ids.push(id);
      messages.push(sent);
    },
  });
  return [stream, messages, ids];
}

function storeCases(open: () => EventStore): void {
  it('gives back what came after an event, of its stream alone and in order', async () => {
    const store = open();
    const first = await store.storeEvent('a:1', message(1));
    await store.storeEvent('b:1', message(100));
    const second = await store.storeEvent('a:1', message(2));
    const third = await store.storeEvent('a:1', message(3));
    expect(await replayed(store, first)).toEqual(['a:1', [message(2), message(3)], [second, third]]);
    expect(await replayed(store, third)).toEqual(['a:1', [], []]);
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await store.getStreamIdForEventId?.(second)).toBe('a:1');
  });

  it('knows no event that it did not give out', async () => {
    const store = open();
    const real = await store.storeEvent('a:1', message(1));
    const foreign = real.replace(/a:1$/, 'b:1');
    for (const id of ['', 'x', '1', '1.', '9-9.a:1', '7777.a:1', '__proto__', foreign, `${real}x`]) {
      expect([id, await store.getStreamIdForEventId?.(id)]).toEqual([id, undefined]);
      expect(await replayed(store, id)).toEqual(['', [], []]);
    }
  });
}

describe('in memory', () => {
  storeCases(() => new MemoryEventStore());

  it('is bounded by count', async () => {
    const store = new MemoryEventStore({ maxEvents: 3 });
    const ids: string[] = [];
    for (let n = 0; n < 10; n += 1) ids.push(await store.storeEvent('a:1', message(n)));
    expect(store.size).toBe(3);
    expect((await replayed(store, ids[7] as string))[1]).toEqual([message(8), message(9)]);
    expect((await replayed(store, ids[6] as string))[0]).toBe('');
  });

  it('is bounded by bytes', async () => {
    const store = new MemoryEventStore({ maxBytes: 10_000 });
    for (let n = 0; n < 50; n += 1) {
      await store.storeEvent('a:1', { jsonrpc: '2.0', method: 'x'.repeat(1_000) });
      expect(store.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(store.size).toBeGreaterThan(1);
    await store.storeEvent('a:1', { jsonrpc: '2.0', method: 'x'.repeat(20_000) });
    expect([store.size, store.bytes]).toEqual([0, 0]);
  });

  it('refuses limits that are none', () => {
    for (const bad of [0, -1, 1.5, Number.NaN]) {
      expect(() => new MemoryEventStore({ maxEvents: bad })).toThrow(RangeError);
      expect(() => new MemoryEventStore({ maxBytes: bad })).toThrow(RangeError);
    }
  });
});

describe.skipIf(!hasRedis)('in Redis', () => {
  const client = redisForAll();
  let prefix = 0;
  const open = (options: { maxEvents?: number; ttl?: number } = {}) => {
    prefix += 1;
    return new RedisEventStore({ client: client(), prefix: `test${prefix}:`, ...options });
  };
  storeCases(open);

  it('is bounded in length', async () => {
    const store = open({ maxEvents: 3 });
    const ids: string[] = [];
    for (let n = 0; n < 10; n += 1) ids.push(await store.storeEvent('a:1', message(n)));
    expect(await client().xLen(`test${prefix}:a:1`)).toBe(3);
    expect((await replayed(store, ids[7] as string))[1]).toEqual([message(8), message(9)]);
    expect((await replayed(store, ids[6] as string))[0]).toBe('');
  });

  it('forgets a stream after its time', async () => {
    const store = open({ ttl: 1000 });
    await store.storeEvent('a:1', message(1));
    const left = await client().ttl(`test${prefix}:a:1`);
    expect(left).toBeGreaterThan(900);
    expect(left).toBeLessThanOrEqual(1000);
  });

  it('replays more than is read at a time', async () => {
    const store = open();
    const first = await store.storeEvent('a:1', message(0));
    await Promise.all(Array.from({ length: 250 }, (_, n) => store.storeEvent('a:1', message(n + 1))));
    const [, messages] = await replayed(store, first);
    expect(messages).toEqual(Array.from({ length: 250 }, (_, n) => message(n + 1)));
  });

  it('serves two processes: what one keeps the other gives back', async () => {
    const one = open();
    const other = new RedisEventStore({ client: client(), prefix: `test${prefix}:` });
    const first = await one.storeEvent('a:1', message(1));
    await one.storeEvent('a:1', message(2));
    expect((await replayed(other, first))[1]).toEqual([message(2)]);
  });

  it('refuses bad options', () => {
    expect(() => new RedisEventStore({ client: {} as never })).toThrow(/client/);
    expect(() => new RedisEventStore({ client: client(), ttl: 0 })).toThrow(/ttl/);
    expect(() => new RedisEventStore({ client: client(), maxEvents: 1.5 })).toThrow(/maxEvents/);
  });
});
