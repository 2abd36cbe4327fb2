/** What a listener that is about to close is told of: streams that wait for news end, running calls have their time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import { MemoryEventStore } from '../../ts/protocol/events/memory.js';
import { ssePaths } from '../../ts/protocol/legacy/http-sse.js';
import { handshake, type Json, LEGACY_HEADERS, legacy, modern, Recorder, TestOffer } from './recorder.js';

let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;
let store: MemoryEventStore;
let finish: () => void;

beforeEach(() => {
  finish = () => {};
  store = new MemoryEventStore();
  offer = new TestOffer();
  offer.declared = { tools: { listChanged: true } };
  offer.add('tools/call', 'slow', (_, context) => {
    context.progress(1);
    return new Promise<object>((resolve) => {
      finish = () => resolve({ content: [] });
    });
  });
  offer.add('tools/call', 'ask', async (_, context) => {
    await context.listRoots();
    return { content: [] };
  });
  dispatch = createDispatch(offer, { eventStore: store, paths: ssePaths() });
  recorder = new Recorder(dispatch);
});

const turns = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
};
const get = (headers: Record<string, string>, more: Record<string, string> = {}) =>
  recorder.send('GET', undefined, { ...headers, accept: 'text/event-stream', ...more });
const openSse = () => {
  const slot = recorder.send('GET', undefined, { ':path': '/sse', accept: 'text/event-stream' });
  const address = recorder.written(slot)[0]?.message as string;
  return { slot, post: (body: unknown) => recorder.taken(recorder.post(body, { ':path': address })) };
};
const initialize = legacy('initialize', {
  protocolVersion: '2024-11-05',
  capabilities: { roots: {} },
  clientInfo: { name: 'old', version: '1' },
});
const subscription = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });

describe('a listener that is about to close', () => {
  it('ends the streams of its sessions, and no others', async () => {
    const other = new Recorder(dispatch);
    const mine = get(handshake(recorder));
    const others = other.send('GET', undefined, { ...handshake(other), accept: 'text/event-stream' });
    dispatch.closing(recorder);
    await turns();
    expect(recorder.taken(mine)).toMatchObject({ status: 200, text: '' });
    expect(other.replies.has(others)).toBe(false);
    expect(dispatch.pending(recorder)).toBe(0);
  });

  it('ends a stream that gives what is kept of a call that is over, and keeps it', async () => {
    const headers = handshake(recorder);
    const slot = recorder.post(legacy('tools/call', { name: 'slow', _meta: { progressToken: 'p' } }, 7), headers);
    await turns();
    const id = recorder.written(slot)[0]?.id as string;
    finish();
    await recorder.answered(slot);
    const replay = store.replayEventsAfter.bind(store);
    store.replayEventsAfter = () => new Promise(() => {}); // a store that does not come back
    const again = get(headers, { 'last-event-id': id });
    await turns();
    expect(recorder.replies.has(again)).toBe(false);
    dispatch.closing(recorder);
    expect(recorder.taken(again)).toMatchObject({ status: 200, text: '' });
    const kept: Json[] = [];
    await replay(id, { send: async (_, message) => void kept.push(message) });
    expect(kept.at(-1)).toMatchObject({ id: 7, result: { content: [] } });
  });

  it('gives a running call its time', async () => {
    const slot = recorder.post(
      legacy('tools/call', { name: 'slow', _meta: { progressToken: 'p' } }, 7),
      handshake(recorder),
    );
    await turns();
    dispatch.closing(recorder);
    await turns();
    expect(recorder.replies.has(slot)).toBe(false);
    finish();
    await recorder.answered(slot);
    expect(recorder.written(slot).at(-1)?.message).toMatchObject({ id: 7, result: { content: [] } });
  });

  it('ends HTTP+SSE connections, those in use with their last answer', async () => {
    const [idle, busy] = [openSse(), openSse()];
    for (const { post } of [idle, busy]) {
      post(initialize);
      post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    }
    busy.post(legacy('tools/call', { name: 'slow' }, 9));
    dispatch.closing(recorder);
    expect(recorder.taken(idle.slot)).toMatchObject({ status: 200, text: '' });
    expect(recorder.replies.has(busy.slot)).toBe(false);
    finish();
    await recorder.answered(busy.slot);
    expect(recorder.written(busy.slot).at(-1)?.message).toMatchObject({ id: 9, result: { content: [] } });
    expect(dispatch.pending(recorder)).toBe(0);
  });

  it('fails what waits for an answer that cannot come any more', async () => {
    const { slot, post } = openSse();
    post(initialize);
    post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    post(legacy('tools/call', { name: 'ask' }, 9));
    dispatch.closing(recorder);
    await recorder.answered(slot);
    expect(recorder.written(slot).at(-1)?.message).toMatchObject({ id: 9, error: { code: -32603 } });
  });

  it('begins nothing that would stay', async () => {
    const headers = handshake(recorder);
    dispatch.closing(recorder);
    expect(recorder.taken(get(headers)).status).toBe(503);
    expect(recorder.taken(get({}, { ':path': '/sse' })).status).toBe(503);
    const slot = recorder.post(subscription.body, subscription.headers);
    expect(recorder.taken(slot).json).toMatchObject({ resultType: 'complete' });
    // Whoever asks for something that ends by itself is answered.
    expect(recorder.ask(legacy('ping', {}), LEGACY_HEADERS).status).toBe(200);
  });
});
