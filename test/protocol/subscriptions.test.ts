/** `subscriptions/listen`: acknowledgement, filters, tags, ends. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch, type DispatchOptions } from '../../ts/dispatch.js';
import { type Json, modern, Recorder, TestOffer } from './recorder.js';

const ID = 'io.modelcontextprotocol/subscriptionId';

let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;

function start(options: DispatchOptions = {}, pipe = false): void {
  dispatch = createDispatch(offer, options);
  recorder = new Recorder(dispatch, pipe);
}
beforeEach(() => {
  offer = new TestOffer();
  offer.declared = { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true } };
  start();
});

function listen(notifications: Json, id: Json = 1): number {
  const { body, headers } = modern('subscriptions/listen', { notifications }, {}, id);
  return recorder.post(body, headers);
}
const messages = (slot: number): Json[] => recorder.written(slot).map((event) => event.message);
const told = (slot: number): string[] => messages(slot).map((message) => message.method);

describe('over HTTP', () => {
  it('acknowledges what it can do, first, and tags every message', () => {
    const slot = listen({ toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['a:b'] }, 'sub');
    expect(recorder.bodies.get(slot)?.headers).toContain('content-type: text/event-stream\r\n');
    offer.changes.publish({ kind: 'tools' });
    offer.changes.publish({ kind: 'resource', uri: 'a:b' });
    const params = { _meta: { [ID]: 'sub' } };
    expect(messages(slot)).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        // Lists of resources do not change here: the offer says so.
        params: { ...params, notifications: { toolsListChanged: true, resourceSubscriptions: ['a:b'] } },
      },
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params },
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { ...params, uri: 'a:b' } },
    ]);
    expect(recorder.replies.has(slot)).toBe(false);
  });

  it('tells nobody what they did not ask for', () => {
    const [tools, prompts, uris] = [
      listen({ toolsListChanged: true, promptsListChanged: false }),
      listen({ promptsListChanged: true }),
      listen({ resourceSubscriptions: ['a:b', 'a:b'] }),
    ];
    for (const kind of ['tools', 'prompts', 'resources'] as const) offer.changes.publish({ kind });
    offer.changes.publish({ kind: 'resource', uri: 'a:c' });
    const head = 'notifications/subscriptions/acknowledged';
    expect(told(tools as number)).toEqual([head, 'notifications/tools/list_changed']);
    expect(told(prompts as number)).toEqual([head, 'notifications/prompts/list_changed']);
    expect(told(uris as number)).toEqual([head]);
  });

  it('ends with its client', () => {
    const slot = listen({ toolsListChanged: true });
    expect(dispatch.pending(recorder)).toBe(1);
    recorder.leave(slot);
    offer.changes.publish({ kind: 'tools' });
    expect(told(slot)).toHaveLength(1);
    expect([dispatch.pending(recorder), recorder.stale]).toEqual([0, 0]);
  });

  it('ends with the server, and says so', () => {
    const [one, two] = [listen({ toolsListChanged: true }, 7), listen({}, 'b')];
    dispatch.closing(recorder);
    expect(recorder.taken(one).json).toMatchObject({ resultType: 'complete', _meta: { [ID]: 7 } });
    expect(recorder.taken(two).json._meta).toEqual({
      [ID]: 'b',
      'io.modelcontextprotocol/serverInfo': offer.info,
    });
    dispatch.forget(recorder);
    offer.changes.publish({ kind: 'tools' });
    expect(recorder.stale).toBe(0);
  });

  it.each([
    ['nothing', undefined],
    ['no object', []],
    ['no boolean', { toolsListChanged: 'yes' }],
    ['no list', { resourceSubscriptions: 'a:b' }],
    ['no strings', { resourceSubscriptions: [1] }],
    ['too many', { resourceSubscriptions: new Array(1025).fill('a:b') }],
  ])('refuses a filter that is %s', (_what, filter) => {
    expect(recorder.taken(listen(filter)).json.code).toBe(-32602);
  });

  it('needs a client that takes a stream', () => {
    const { body, headers } = modern('subscriptions/listen', { notifications: {} });
    expect(recorder.ask(body, { ...headers, accept: 'application/json' }).status).toBe(406);
  });

  it('holds so many and no more', () => {
    start({ maxStreams: 2 });
    const [one] = [listen({}), listen({})];
    expect(recorder.taken(listen({})).json.code).toBe(-32603);
    recorder.leave(one as number);
    expect(recorder.replies.has(listen({}))).toBe(false);
  });

  it('keeps silent streams alive', async () => {
    start({ keepAlive: 5 });
    const slot = listen({});
    const text = () => recorder.bodies.get(slot)?.text ?? '';
    while (!text().includes(': \n\n')) await new Promise((resolve) => setTimeout(resolve, 1));
    recorder.leave(slot);
    const after = text();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(text()).toBe(after);
  });

  it('asks the bus only while somebody listens', () => {
    let listeners = 0;
    const changes = {
      publish: () => {},
      subscribe: () => {
        listeners += 1;
        return () => {
          listeners -= 1;
        };
      },
    };
    start({ changes, sessions: false });
    const before = listeners;
    const slots = [listen({}), listen({})];
    expect(listeners).toBe(before + 1);
    for (const slot of slots) recorder.leave(slot);
    expect(listeners).toBe(before);
  });
});

describe('on a pipe', () => {
  beforeEach(() => start({}, true));

  it('shares the channel, and is cancelled by its id', () => {
    const [one, two] = [listen({ toolsListChanged: true }, 1), listen({ toolsListChanged: true }, 'b')];
    offer.changes.publish({ kind: 'tools' });
    expect(recorder.events.get(one)?.map((event) => event.params._meta[ID])).toEqual([1, 1]);
    expect(recorder.events.get(two)?.map((event) => event.method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
    ]);
    const { body } = modern('notifications/cancelled', { requestId: 1 }, {}, undefined);
    recorder.post({ jsonrpc: '2.0', method: body.method, params: body.params });
    offer.changes.publish({ kind: 'tools' });
    expect(recorder.events.get(one)).toHaveLength(2);
    expect(recorder.events.get(two)).toHaveLength(3);
    // Cancelled requests get no response.
    expect(recorder.taken(one).text).toBe('');
  });
});
