/**
 * What must not happen whatever clients, stores and handlers do: a rejection that nobody handles, something left behind by
 * a client that went while somebody else took his time, a session used by another caller.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type DispatchOptions } from '../../ts/dispatch.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import { MemoryEventStore } from '../../ts/protocol/events/memory.js';
import type { Guard } from '../../ts/protocol/guard.js';
import { ssePaths } from '../../ts/protocol/legacy/http-sse.js';
import { LiveCalls } from '../../ts/protocol/live.js';
import { PeerLink } from '../../ts/protocol/peer.js';
import { Body } from '../../ts/protocol/streamed.js';
import { Streams } from '../../ts/protocol/streams.js';
import type { AuthInfo } from '../../ts/protocol/types.js';
import { CallFlag, handshake, type Json, LEGACY_HEADERS, legacy, modern, Recorder, TestOffer } from './recorder.js';

const faults: unknown[] = [];
const fault = (reason: unknown) => void faults.push(reason);
beforeEach(() => {
  process.on('unhandledRejection', fault);
});
afterEach(async () => {
  await turns();
  process.off('unhandledRejection', fault);
  expect(faults.splice(0)).toEqual([]);
});

/** Rejections that nobody handles are told when the microtasks of a turn are through. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
}

function start(options: DispatchOptions = {}, prepare: (offer: TestOffer) => void = () => {}) {
  const offer = new TestOffer();
  offer.declared = {
    tools: { listChanged: true },
    prompts: {},
    resources: { subscribe: true },
    completions: {},
    logging: {},
  };
  prepare(offer);
  const dispatch = createDispatch(offer, options);
  return { offer, dispatch, recorder: new Recorder(dispatch) };
}

const user = (clientId: string): AuthInfo => ({ token: `token-${clientId}`, clientId, scopes: [] });

/** Lets in whoever names himself in `authorization`, when {@link open} is called. */
class SlowGuard implements Guard {
  readonly hides = false;
  #waiting: (() => void)[] = [];
  refused: Json;
  slow = true;
  principals: AuthInfo[] = [];

  check(exchange: Json, _method: string, go: (auth: AuthInfo | undefined) => void): void {
    const auth = user(exchange.header('authorization') ?? 'nobody');
    if (this.slow) this.#waiting.push(() => go(auth));
    else go(auth);
  }
  who(_listener: unknown, principal: number): AuthInfo | undefined {
    return this.principals[principal - 1];
  }
  allows(auth: AuthInfo | undefined, method: string, name: string): Json {
    return this.refused?.(auth, method, name);
  }
  open(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}

describe('a client that leaves while it is found out who it is', () => {
  it('leaves no standalone stream behind', async () => {
    const guard = new SlowGuard();
    guard.slow = false;
    const { dispatch, recorder } = start({ guard });
    const headers = { ...handshake(recorder), accept: 'text/event-stream' };
    guard.slow = true;
    const slot = recorder.send('GET', undefined, headers);
    recorder.leave(slot);
    guard.open();
    expect(dispatch.sessions.streams.size).toBe(0);
    const again = recorder.send('GET', undefined, headers);
    guard.open();
    expect(recorder.bodies.has(again)).toBe(true);
    expect(dispatch.pending(recorder)).toBe(1);
  });

  it('leaves no subscription behind', async () => {
    const guard = new SlowGuard();
    const { recorder, dispatch } = start({ guard, maxStreams: 1 });
    const { body, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
    recorder.leave(recorder.post(body, headers));
    guard.open();
    expect(dispatch.pending(recorder)).toBe(0);
    const slot = recorder.post(body, headers);
    guard.open();
    expect(recorder.written(slot)).toHaveLength(1);
  });

  it('leaves no HTTP+SSE connection behind', () => {
    const guard = new SlowGuard();
    const { recorder, dispatch } = start({ guard, paths: ssePaths() });
    for (let i = 0; i < 1000; i += 1) recorder.leave(recorder.send('GET', undefined, { ':path': '/sse' }));
    guard.open();
    const slot = recorder.send('GET', undefined, { ':path': '/sse' });
    guard.open();
    expect(recorder.written(slot)).toMatchObject([{ event: 'endpoint' }]);
    expect(dispatch.sessions.streams.size).toBe(1);
  });
});

describe('an event store that takes its time', () => {
  it('does not give a stream to a client that left meanwhile', async () => {
    const store = new MemoryEventStore();
    let answer = (): void => {};
    const slow = {
      storeEvent: store.storeEvent.bind(store),
      replayEventsAfter: store.replayEventsAfter.bind(store),
      getStreamIdForEventId: async (id: string) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return store.getStreamIdForEventId(id);
      },
    };
    const { recorder, dispatch } = start({ eventStore: slow });
    const headers = { ...handshake(recorder), accept: 'text/event-stream' };
    const first = recorder.send('GET', undefined, headers);
    await turns();
    const id = recorder.written(first)[0]?.id as string;
    expect(id).toBeDefined();
    recorder.leave(first);
    const second = recorder.send('GET', undefined, { ...headers, 'last-event-id': id });
    recorder.leave(second);
    answer();
    await turns();
    expect(dispatch.pending(recorder)).toBe(0);
    expect(dispatch.sessions.streams.size).toBe(0);
    const third = recorder.send('GET', undefined, headers);
    await turns();
    expect(recorder.bodies.has(third)).toBe(true);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('away'))],
    [
      'throws',
      () => {
        throw new Error('away');
      },
    ],
    ['gives nothing', () => undefined as never],
  ])('or %s, loses no answer', async (_how, fail) => {
    const { recorder } = start({ eventStore: { storeEvent: fail, replayEventsAfter: fail } }, (offer) => {
      offer.add('tools/call', 'slow', async (_, context) => {
        context.progress(1);
        await turns();
        return { content: [] };
      });
    });
    const headers = handshake(recorder);
    const slot = recorder.post(legacy('tools/call', { name: 'slow', _meta: { progressToken: 1 } }), headers);
    await turns();
    await turns();
    expect(recorder.written(slot).map(({ message }) => message?.method ?? message?.id)).toEqual([
      'notifications/progress',
      1,
    ]);
    const get = recorder.send('GET', undefined, { ...headers, accept: 'text/event-stream', 'last-event-id': 'x.y' });
    expect((await recorder.answered(get)).status).toBe(500);
  });
});

describe('a handler that does not wait', () => {
  const careless: Record<string, (context: RequestContext) => unknown> = {
    elicit: (context) =>
      context.elicit({ message: 'm', requestedSchema: { type: 'object', properties: {} } }, { timeout: 60_000 }),
    send: (context) => context.mcpReq.send({ method: 'roots/list' }),
    'send of something else': (context) => context.mcpReq.send({ method: 'com.example/ask' }),
    'elicitInput of nonsense': (context) => context.mcpReq.elicitInput(undefined as never),
    once: (context) =>
      context.once('k', async () => {
        throw new Error('the step failed');
      }),
  };
  for (const [name, ask] of Object.entries(careless)) {
    it(`for ${name}, ends no process when its client leaves (legacy)`, async () => {
      const { recorder } = start({}, (offer) => {
        offer.add('tools/call', 'ask', async (_, context) => {
          void ask(context);
          await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
          return { content: [] };
        });
      });
      const params = { protocolVersion: '2025-11-25', capabilities: { roots: {}, elicitation: {} } };
      const reply = recorder.ask(legacy('initialize', params), { accept: LEGACY_HEADERS.accept });
      const session = /mcp-session-id: (\S+)/.exec(reply.headers)?.[1] as string;
      const headers = { ...LEGACY_HEADERS, 'mcp-session-id': session };
      const slot = recorder.post(legacy('tools/call', { name: 'ask' }), headers);
      await turns();
      recorder.leave(slot);
      recorder.send('DELETE', undefined, headers);
      await turns();
    });

    it(`for ${name}, ends no process when the round ends (modern)`, async () => {
      const { recorder } = start({}, (offer) => {
        offer.add('tools/call', 'ask', async (_, context) => {
          void ask(context);
          await turns();
          return { content: [] };
        });
      });
      const capabilities = { 'io.modelcontextprotocol/clientCapabilities': { roots: {}, elicitation: {} } };
      const { body, headers } = modern('tools/call', { name: 'ask' }, capabilities);
      const slot = recorder.post(body, headers);
      expect((await recorder.answered(slot)).status).toBe(200);
      await turns();
    });
  }
});

it('a question that may take for ever is not given up at once', async () => {
  const link = new PeerLink(() => true);
  let ended = false;
  const asked = link.request('ping', undefined, null, {
    timeout: Number.POSITIVE_INFINITY,
    maxTotalTimeout: Number.MAX_SAFE_INTEGER,
  });
  asked.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  await new Promise((done) => setTimeout(done, 20));
  expect(ended).toBe(false);
  link.answered(1, {}, undefined);
  expect(await asked).toEqual({});
});

describe('a session', () => {
  const flags = CallFlag.legacy | CallFlag.stream;

  function guarded() {
    const guard = new SlowGuard();
    guard.slow = false;
    guard.principals = [user('alice'), user('mallory')];
    const seen: unknown[] = [];
    const made = start({ guard, eventStore: new MemoryEventStore() }, (offer) => {
      offer.add('tools/call', 'who', (_, context) => {
        seen.push(context.authInfo?.clientId, context.clientInfo?.name);
        return { content: [] };
      });
    });
    return { ...made, guard, seen };
  }

  it('serves nobody but its owner, calls that the engine has proven among them', async () => {
    const { recorder, dispatch, seen } = guarded();
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'of alice', version: '1' } };
    const accept = LEGACY_HEADERS.accept;
    const reply = recorder.ask(legacy('initialize', params), { accept, authorization: 'alice' });
    const session = /mcp-session-id: (\S+)/.exec(reply.headers)?.[1] as string;
    const headers = { ...LEGACY_HEADERS, 'mcp-session-id': session };
    const call = async (principal: number) => {
      recorder.principal = () => principal;
      const slot = recorder.call(0, flags, '', legacy('tools/call', { name: 'who' }), headers);
      return recorder.answered(slot);
    };
    expect((await call(1)).status).toBe(200);
    const stranger = await call(2);
    expect([stranger.status, stranger.json.code]).toEqual([404, -32001]);
    expect(seen).toEqual(['alice', 'of alice']);
    expect(dispatch.pending(recorder)).toBe(0);
  });

  it('keeps no more of its client than a name and capabilities need', () => {
    const { recorder, dispatch } = start();
    const icons = [{ src: `data:image/png;base64,${'A'.repeat(100_000)}` }];
    const clientInfo = { name: 'huge', version: '1', title: 'Huge', icons };
    const ask = (params: object) =>
      recorder.ask(legacy('initialize', { protocolVersion: '2025-11-25', ...params }), { accept: '*/*' });
    expect(ask({ capabilities: { roots: {} }, clientInfo }).json.protocolVersion).toBe('2025-11-25');
    const [session] = dispatch.sessions.all();
    expect(Object.keys(session?.clientInfo ?? {})).toEqual(['name', 'title', 'version']);
    expect(ask({ capabilities: {}, clientInfo: { name: 'n'.repeat(100_000), version: '1' } }).status).toBe(200);
    expect([...dispatch.sessions.all()][1]?.clientInfo).toBeUndefined();
    const bloated = ask({ capabilities: { experimental: { x: 'A'.repeat(100_000) } }, clientInfo });
    expect(bloated.json).toMatchObject({ code: -32602, message: expect.stringContaining('capabilities') });
    expect(dispatch.sessionCount).toBe(2);
  });

  it('subscribes to no URI that is longer than URIs are', () => {
    const { recorder } = start({}, (offer) => {
      offer.templates = () => () => ({ contents: [] });
    });
    const headers = handshake(recorder);
    const subscribe = (uri: string) => recorder.ask(legacy('resources/subscribe', { uri }), headers).json;
    expect(subscribe(`file:///${'a'.repeat(2000)}`)).toEqual({});
    expect(subscribe(`file:///${'a'.repeat(100_000)}`)).toMatchObject({ code: -32602 });
  });
});

describe('completion', () => {
  it('tells nobody of a prompt that he may not get', async () => {
    const guard = new SlowGuard();
    guard.slow = false;
    const { ProtocolError } = await import('../../ts/protocol/errors.js');
    guard.refused = (auth: AuthInfo, method: string, name: string) =>
      auth.clientId === 'alice' || (method !== 'prompts/get' && method !== 'resources/read')
        ? undefined
        : { error: new ProtocolError(-32602, `Unknown prompt: ${name}`), status: 200, headers: '' };
    const { recorder, offer } = start({ guard });
    offer.complete = async () => ({ values: ['secret'] });
    const refs = [
      { type: 'ref/prompt', name: 'hidden' },
      { type: 'ref/resource', uri: 'memo://{id}' },
    ];
    for (const ref of refs) {
      const { body, headers } = modern('completion/complete', { ref, argument: { name: 'a', value: '' } });
      const answer = (authorization: string) => recorder.answered(recorder.post(body, { ...headers, authorization }));
      expect((await answer('alice')).json).toMatchObject({ completion: { values: ['secret'] } });
      expect((await answer('mallory')).json).toMatchObject({ code: -32602 });
    }
  });
});

describe('a result in pieces', () => {
  it('is not held until its end', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const pieces: WeakRef<object>[] = [];
    let most = 0;
    const parts = {
      async next() {
        const piece = { done: false, value: 'x'.repeat(100) };
        pieces.push(new WeakRef(piece));
        if (pieces.length % 500 === 0) {
          await new Promise((done) => setImmediate(done));
          gc();
          most = Math.max(most, pieces.filter((ref) => ref.deref() !== undefined).length);
        }
        return pieces.length < 2000 ? piece : { done: true, value: undefined };
      },
      return: async () => ({ done: true, value: undefined }),
    };
    const { recorder } = start();
    const slot = recorder.arrive({ jsonrpc: '2.0', id: 1, method: 'tools/call' }, {});
    await new Body(recorder, slot, new LiveCalls(), new Streams(1, 0)).write('1', parts as never);
    expect(pieces).toHaveLength(2000);
    expect(most).toBeLessThan(100);
  });
});
