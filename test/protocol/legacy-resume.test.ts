/** Streams that outlive their connections: what an event store makes of calls and of the standalone stream. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import { MemoryEventStore } from '../../ts/protocol/events/memory.js';
import type { EventStore } from '../../ts/protocol/events/store.js';
import { CallFlag, handshake, type Json, legacy, Recorder, TestOffer } from './recorder.js';

interface Running {
  context: Json;
  finish: () => void;
  aborted: boolean;
}

let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;
let headers: Record<string, string>;
let running: Running[];

beforeEach(() => start(new MemoryEventStore()));

function start(eventStore: EventStore, version = '2025-11-25'): void {
  running = [];
  offer = new TestOffer();
  offer.declared = { tools: { listChanged: true }, logging: {} };
  offer.add('tools/call', 'slow', (_, context) => {
    const call: Running = { context, finish: () => {}, aborted: false };
    context.signal.addEventListener('abort', () => {
      call.aborted = true;
    });
    running.push(call);
    return new Promise<object>((resolve) => {
      call.finish = () => resolve({ content: [] });
    });
  });
  offer.add('tools/call', 'fast', () => ({ content: [] }));
  dispatch = createDispatch(offer, { eventStore, retryInterval: 250 });
  recorder = new Recorder(dispatch);
  headers = handshake(recorder, version);
}

const body = (name: string, id: unknown = 7) => legacy('tools/call', { name, _meta: { progressToken: 'p' } }, id);
const ways = {
  fast: (name: string, id?: unknown) => {
    const handler = offer.find('tools/call', name);
    const flags = CallFlag.legacy | CallFlag.stream | CallFlag.progressToken;
    return recorder.call(handler, flags, '', body(name, id), headers);
  },
  slow: (name: string, id?: unknown) => recorder.post(body(name, id), headers),
};
const call = ways.slow;
const get = (after?: string, of = headers) =>
  recorder.send('GET', undefined, {
    ...of,
    accept: 'text/event-stream',
    ...(after === undefined ? {} : { 'last-event-id': after }),
  });
/** Until everything that was said is stored and written; a store in memory needs turns, not time. */
const settled = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
};
const lastId = (slot: number) => recorder.written(slot).at(-1)?.id as string;
const RESULT = { message: { jsonrpc: '2.0', id: 7, result: { content: [] } }, id: expect.any(String) };

describe.each(['fast', 'slow'] as const)('a call that came the %s way', (way) => {
  it('answers at once without a stream', () => {
    const slot = ways[way]('fast');
    expect(recorder.taken(slot)).toMatchObject({ status: 200, json: { content: [] } });
    expect(recorder.bodies.size).toBe(0);
  });

  it('begins its stream with a place to come back to', async () => {
    const slot = ways[way]('slow');
    await settled();
    expect(recorder.written(slot)).toEqual([{ id: expect.any(String), retry: 250 }]);
    running[0]?.context.progress(1, 2);
    running[0]?.finish();
    await settled();
    const [, progress, result] = recorder.written(slot);
    expect(progress?.message.params).toEqual({ progressToken: 'p', progress: 1, total: 2 });
    expect(result).toEqual(RESULT);
    expect(recorder.taken(slot)).toMatchObject({ status: 200, text: '' });
    expect(dispatch.pending(recorder)).toBe(0);
  });

  it('goes on without its client, who then gets all that it missed', async () => {
    const slot = ways[way]('slow');
    await settled();
    recorder.leave(slot);
    expect(running[0]?.aborted).toBe(false);
    running[0]?.context.progress(1, 2);
    await settled();
    running[0]?.finish();
    await settled();
    const back = get(lastId(slot));
    await settled();
    expect(recorder.written(back).map(({ message }) => message?.method ?? message)).toEqual([
      'notifications/progress',
      RESULT.message,
    ]);
    expect(recorder.replies.has(back)).toBe(true);
    expect(dispatch.sessions.find(recorder, headers['mcp-session-id'] as string)?.streams.calls.size).toBe(0);
    expect([dispatch.pending(recorder), recorder.stale]).toEqual([0, 0]);
  });

  it('goes on with the client that came back before it was done', async () => {
    const slot = ways[way]('slow');
    await settled();
    const primed = lastId(slot);
    recorder.leave(slot);
    running[0]?.context.progress(1, 2);
    const back = get(primed);
    await settled();
    running[0]?.context.progress(2, 2);
    running[0]?.finish();
    await settled();
    expect(recorder.written(back).map(({ message }) => message?.params?.progress ?? message)).toEqual([
      1,
      2,
      RESULT.message,
    ]);
    expect(recorder.replies.has(back)).toBe(true);
  });

  it('knows its request when the client is gone', async () => {
    const slot = ways[way]('slow');
    await settled();
    recorder.leave(slot);
    const { context } = running[0] as Running;
    expect([context.requestId, context.meta, context.sessionId, context.clientInfo.name]).toEqual([
      7,
      { progressToken: 'p' },
      headers['mcp-session-id'],
      'client',
    ]);
  });

  it('may end its connection itself, and is polled for the rest', async () => {
    const slot = ways[way]('slow');
    running[0]?.context.http.closeSSE();
    await settled();
    expect(recorder.replies.has(slot)).toBe(true);
    expect(recorder.written(slot)).toEqual([{ id: expect.any(String), retry: 250 }]);
    running[0]?.finish();
    const back = get(lastId(slot));
    await settled();
    expect(recorder.written(back)).toEqual([RESULT]);
  });

  it('is cancelled by the notification, with or without a connection', async () => {
    const slots = [ways[way]('slow', 7), ways[way]('slow', 8)];
    await settled();
    recorder.leave(slots[1] as number);
    for (const requestId of [7, 8]) {
      const params = { requestId, reason: 'enough' };
      expect(recorder.ask({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, headers).status).toBe(202);
    }
    await settled();
    expect(running.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(recorder.replies.has(slots[0] as number)).toBe(true);
    expect(dispatch.pending(recorder)).toBe(0);
  });
});

describe('a call without its client', () => {
  it('can be resumed again and again, by the newest connection', async () => {
    const slot = call('slow');
    await settled();
    recorder.leave(slot);
    const first = get(lastId(slot));
    await settled();
    running[0]?.context.progress(1);
    await settled();
    const second = get(lastId(first));
    await settled();
    expect(recorder.replies.has(first)).toBe(true);
    recorder.leave(second);
    running[0]?.context.progress(2);
    running[0]?.finish();
    await settled();
    const third = get(lastId(first));
    await settled();
    expect(recorder.written(second)).toEqual([]);
    expect(recorder.written(third).map(({ message }) => message?.params?.progress ?? message)).toEqual([
      2,
      RESULT.message,
    ]);
  });

  it('keeps its session alive, and ends with it', async () => {
    const slot = call('slow');
    await settled();
    recorder.leave(slot);
    recorder.send('DELETE', undefined, headers);
    expect(running[0]?.aborted).toBe(true);
    await settled();
    expect(recorder.stale).toBe(0);
  });

  it('asks its client through the stream', async () => {
    const number = offer.add('tools/call', 'ask', async (_, context) => {
      await new Promise((done) => setImmediate(done));
      const { model } = await context.sample({ messages: [], maxTokens: 1 });
      return { content: [{ type: 'text', text: model }] };
    });
    const flags = CallFlag.legacy | CallFlag.stream;
    const slot = recorder.call(number, flags, '', body('ask'), headers);
    await settled();
    recorder.leave(slot);
    const back = get(recorder.written(slot)[0]?.id);
    await settled();
    const asked = [...recorder.written(slot), ...recorder.written(back)].find(({ message }) => message !== undefined);
    expect(asked?.message).toMatchObject({ method: 'sampling/createMessage', params: { maxTokens: 1 } });
    const result = { role: 'assistant', model: 'm', content: { type: 'text', text: 't' } };
    recorder.ask({ jsonrpc: '2.0', id: asked?.message.id, result }, headers);
    await settled();
    expect(recorder.written(back).at(-1)?.message.result).toEqual({ content: [{ type: 'text', text: 'm' }] });
  });

  it('of which there are too many in a session ends with its connection', async () => {
    const slots = Array.from({ length: 101 }, (_, n) => call('slow', n));
    await settled();
    for (const slot of slots) recorder.leave(slot);
    expect(running.filter(({ aborted }) => aborted)).toHaveLength(1);
  });
});

describe('Last-Event-ID', () => {
  it('of nobody, of nonsense, or of another session is refused', async () => {
    const slot = call('slow');
    await settled();
    const stranger = handshake(recorder);
    const real = lastId(slot);
    for (const [id, of] of [
      ['nonsense', headers],
      ['x y', headers],
      [`${real}0`, headers],
      ['a'.repeat(300), headers],
      [real, stranger],
    ] as const) {
      const back = get(id, of);
      await settled();
      expect([id, recorder.taken(back).status, recorder.taken(back).json.code]).toEqual([id, 400, -32000]);
    }
    expect(recorder.replies.has(slot)).toBe(false);
  });

  it('without a store means nothing', async () => {
    dispatch = createDispatch(offer);
    recorder = new Recorder(dispatch);
    headers = handshake(recorder);
    const slot = call('slow');
    await settled();
    expect(recorder.bodies.size).toBe(0);
    recorder.leave(slot);
    expect(running[0]?.aborted).toBe(true);
    expect(recorder.replies.has(get('1.x:1'))).toBe(false);
  });

  it('works with a store that cannot tell whose an event is', async () => {
    const memory = new MemoryEventStore();
    start({
      storeEvent: (stream, message) => memory.storeEvent(stream, message),
      replayEventsAfter: (id, to) => memory.replayEventsAfter(id, to),
    });
    const slot = call('slow');
    await settled();
    recorder.leave(slot);
    running[0]?.finish();
    const back = get(lastId(slot));
    await settled();
    expect(recorder.written(back)).toEqual([RESULT]);
  });
});

describe('the standalone stream', () => {
  const change = async () => {
    offer.changes.publish({ kind: 'tools' });
    await settled();
  };
  const CHANGED = { id: expect.any(String), message: { jsonrpc: '2.0', method: 'notifications/tools/list_changed' } };

  it('is resumed with what came meanwhile', async () => {
    const slot = get();
    await settled();
    expect(recorder.written(slot)).toEqual([{ id: expect.any(String), retry: 250 }]);
    await change();
    expect(recorder.written(slot)[1]).toEqual(CHANGED);
    recorder.leave(slot);
    await change();
    const back = get(lastId(slot));
    await settled();
    expect(recorder.written(back)).toEqual([CHANGED]);
    await change();
    expect(recorder.written(back)).toEqual([CHANGED, CHANGED]);
    expect(recorder.taken(get()).status).toBe(409);
  });

  it('may be ended by a handler, and is polled', async () => {
    const slot = get();
    call('slow');
    running[0]?.context.http.closeStandaloneSSE();
    await settled();
    expect(recorder.replies.has(slot)).toBe(true);
    await change();
    const back = get(lastId(slot));
    await settled();
    expect(recorder.written(back)).toEqual([CHANGED]);
  });
});

describe('older clients', () => {
  beforeEach(() => start(new MemoryEventStore(), '2025-06-18'));

  it('get no event without data, and resume from the ids that they have', async () => {
    const slot = call('slow');
    await settled();
    expect(recorder.written(slot)).toEqual([]);
    running[0]?.context.progress(1);
    await settled();
    recorder.leave(slot);
    running[0]?.finish();
    const back = get(lastId(slot));
    await settled();
    expect(recorder.written(back)).toEqual([RESULT]);
  });
});

describe('a store that fails', () => {
  it('loses nobody the answer', async () => {
    start({
      storeEvent: async () => Promise.reject(new Error('down')),
      replayEventsAfter: async () => Promise.reject(new Error('down')),
    });
    const slot = call('slow');
    await settled();
    running[0]?.context.progress(1);
    running[0]?.finish();
    await settled();
    expect(recorder.written(slot).map(({ id, message }) => [id, message?.params?.progress ?? message])).toEqual([
      [undefined, 1],
      [undefined, RESULT.message],
    ]);
    const back = get('1.x');
    await settled();
    expect(recorder.taken(back).status).toBe(500);
  });

  it('gives no ids that would break the stream', async () => {
    const ids = ['a\nb', '', 'x'.repeat(300), undefined as never];
    start({ storeEvent: async () => ids.shift() ?? '', replayEventsAfter: async () => '' });
    const slot = call('slow');
    running[0]?.context.progress(1);
    running[0]?.finish();
    await settled();
    expect(recorder.written(slot).map(({ id }) => id)).toEqual([undefined, undefined]);
  });
});
