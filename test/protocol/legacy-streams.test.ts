/** The stream that a session asks for with GET, and what is told on it: changes, subscriptions, log messages. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import { logToSessions } from '../../ts/protocol/legacy/changes.js';
import { handshake, legacy, Recorder, TestOffer } from './recorder.js';

let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;
let headers: Record<string, string>;

beforeEach(() => {
  offer = new TestOffer();
  offer.declared = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    logging: {},
  };
  offer.add('resources/read', 'test://a', () => ({ contents: [] }));
  offer.add('resources/read', 'test://b', () => ({ contents: [] }));
  dispatch = createDispatch(offer);
  recorder = new Recorder(dispatch);
  headers = handshake(recorder);
});

const get = (of = headers, more: object = {}) =>
  recorder.send('GET', undefined, { ...of, accept: 'text/event-stream', ...more });
const heard = (slot: number) => recorder.written(slot).map(({ message }) => message);
const turn = () => Promise.resolve().then(() => {});

describe('GET', () => {
  it('opens the stream of a session', () => {
    const slot = get();
    expect(recorder.replies.has(slot)).toBe(false);
    expect(recorder.bodies.get(slot)).toEqual({ headers: expect.stringContaining('text/event-stream'), text: '' });
  });

  it('needs a session: 405', () => {
    for (const slot of [
      recorder.send('GET', undefined, { accept: 'text/event-stream' }),
      recorder.send('GET', undefined),
    ]) {
      const reply = recorder.taken(slot);
      expect([reply.status, reply.headers]).toEqual([405, 'allow: GET, POST, DELETE\r\n']);
    }
  });

  it('needs one that is there: 404', () => {
    expect(recorder.taken(get({ 'mcp-session-id': 'gone' })).status).toBe(404);
  });

  it('needs a client that takes events: 406', () => {
    for (const accept of ['application/json', '*/*', '']) {
      expect(recorder.taken(get(headers, { accept })).status).toBe(406);
    }
  });

  it('is for legacy revisions: 405, 400', () => {
    const modern = recorder.taken(get(headers, { 'mcp-protocol-version': '2026-07-28' }));
    expect([modern.status, modern.headers]).toEqual([405, 'allow: POST\r\n']);
    expect(recorder.taken(get(headers, { 'mcp-protocol-version': '1999-01-01' })).status).toBe(400);
  });

  it('gives a session one stream at a time: 409, until its client left', () => {
    const first = get();
    expect(recorder.taken(get()).status).toBe(409);
    expect(recorder.replies.has(get(handshake(recorder)))).toBe(false);
    recorder.leave(first);
    expect(recorder.replies.has(get())).toBe(false);
    expect(dispatch.pending(recorder)).toBe(2);
  });

  it('ends with DELETE, and with the session that makes room', () => {
    const slot = get();
    recorder.send('DELETE', undefined, headers);
    expect(recorder.taken(slot)).toMatchObject({ status: 200, text: '' });
    expect([dispatch.pending(recorder), dispatch.sessionCount]).toEqual([0, 0]);
    const small = createDispatch(offer, { maxSessions: 1 });
    const other = new Recorder(small);
    const stream = other.send('GET', undefined, { ...handshake(other), accept: 'text/event-stream' });
    handshake(other);
    expect(other.replies.has(stream)).toBe(true);
  });

  it('is kept alive by comments while it is open', () => {
    vi.useFakeTimers();
    try {
      const slot = get();
      vi.advanceTimersByTime(31_000);
      expect(recorder.bodies.get(slot)?.text.match(/^:/gm)).toHaveLength(2);
      expect(recorder.written(slot)).toEqual([]);
      recorder.leave(slot);
      vi.advanceTimersByTime(60_000);
      expect(recorder.bodies.get(slot)?.text.match(/^:/gm)).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('changed lists', () => {
  it('are told to every session that listens, once for all changes of a turn', async () => {
    const slots = [get(), get(handshake(recorder))];
    const pipe = new Recorder(dispatch, true);
    const opening = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'p', version: '1' } };
    pipe.ask(legacy('initialize', opening));
    const ready = pipe.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    for (let n = 0; n < 3; n += 1) offer.changes.publish({ kind: 'tools' });
    offer.changes.publish({ kind: 'prompts' });
    await turn();
    const expected = ['tools', 'prompts'].map((list) => ({
      jsonrpc: '2.0',
      method: `notifications/${list}/list_changed`,
    }));
    for (const slot of slots) expect(heard(slot)).toEqual(expected);
    expect(pipe.events.get(ready)).toEqual(expected);
    offer.changes.publish({ kind: 'resources' });
    await turn();
    expect(heard(slots[0] as number)).toHaveLength(3);
  });

  it('are not told when the server does not declare it', async () => {
    offer.declared = { tools: {}, prompts: { listChanged: true } };
    const slot = get();
    offer.changes.publish({ kind: 'tools' });
    offer.changes.publish({ kind: 'resources' });
    offer.changes.publish({ kind: 'prompts' });
    await turn();
    expect(heard(slot)).toEqual([{ jsonrpc: '2.0', method: 'notifications/prompts/list_changed' }]);
  });

  it('reach nobody who went', async () => {
    const slot = get();
    recorder.leave(slot);
    offer.changes.publish({ kind: 'tools' });
    await turn();
    expect(recorder.written(slot)).toEqual([]);
    expect(recorder.stale).toBe(0);
  });
});

describe('resources/subscribe', () => {
  const subscribe = (uri: unknown, of = headers, method = 'resources/subscribe') =>
    recorder.ask(legacy(method, { uri }), of);

  it('tells of the resource from then on, and unsubscribe ends it', async () => {
    const slot = get();
    const silent = get(handshake(recorder));
    expect(subscribe('test://a')).toMatchObject({ status: 200, text: '{}' });
    for (const uri of ['test://a', 'test://a', 'test://b']) offer.changes.publish({ kind: 'resource', uri });
    await turn();
    expect(heard(slot)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'test://a' } },
    ]);
    expect(heard(silent)).toEqual([]);
    expect(subscribe('test://a', headers, 'resources/unsubscribe').text).toBe('{}');
    expect(subscribe('test://never', headers, 'resources/unsubscribe').text).toBe('{}');
    offer.changes.publish({ kind: 'resource', uri: 'test://a' });
    await turn();
    expect(heard(slot)).toHaveLength(1);
  });

  it('needs a resource that there is', () => {
    expect(subscribe('test://none').json).toMatchObject({ code: -32002, data: { uri: 'test://none' } });
    expect(subscribe(7).json.code).toBe(-32602);
    offer.templates = (uri) => (uri.startsWith('test://t/') ? () => ({ contents: [] }) : undefined);
    expect(subscribe('test://t/1').text).toBe('{}');
  });

  it('exists only when it is declared', () => {
    offer.declared = { resources: {} };
    expect(subscribe('test://a').json.code).toBe(-32601);
    expect(subscribe('test://a', headers, 'resources/unsubscribe').json.code).toBe(-32601);
  });

  it('is bounded for each session', () => {
    offer.templates = () => () => ({ contents: [] });
    for (let n = 0; n < 1000; n += 1) subscribe(`test://t/${n}`);
    expect(subscribe('test://t/more').json.code).toBe(-32600);
    expect(subscribe('test://t/1').text).toBe('{}');
  });

  it('without a session leaves nothing', () => {
    expect(subscribe('test://a', {}).text).toBe('{}');
    expect(dispatch.sessionCount).toBe(1);
  });
});

describe('log messages of no request', () => {
  const log = (level: 'debug' | 'info' | 'error', sessionId?: string) =>
    logToSessions(offer, dispatch.sessions, { level, data: { n: 1 }, logger: 'l' }, sessionId);

  it('go to every session from its level on', () => {
    const other = handshake(recorder);
    const slots = [get(), get(other)];
    recorder.ask(legacy('logging/setLevel', { level: 'error' }), other);
    expect([log('debug'), log('info'), log('error')]).toEqual([0, 1, 2]);
    expect(slots.map((slot) => heard(slot).length)).toEqual([2, 1]);
    expect(heard(slots[1] as number)[0]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'error', logger: 'l', data: { n: 1 } },
    });
  });

  it('may be for one session', () => {
    const slots = [get(), get(handshake(recorder))];
    expect(log('info', headers['mcp-session-id'])).toBe(1);
    expect(slots.map((slot) => heard(slot).length)).toEqual([1, 0]);
  });

  it('need the capability, and a level', () => {
    get();
    offer.declared = {};
    expect(log('error')).toBe(0);
    expect(() => log('loud' as never)).toThrow(TypeError);
  });
});
