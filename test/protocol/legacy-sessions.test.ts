/** How sessions end by themselves, and what keeps them: time is a fake clock here. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDispatch, type Dispatch, type DispatchOptions } from '../../ts/dispatch.js';
import { CallFlag, handshake, legacy, Recorder, TestOffer } from './recorder.js';

const IDLE = 800_000;
let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;
let finish: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  offer = new TestOffer();
  offer.add('tools/call', 'slow', () => new Promise((done) => (finish = () => done({ content: [] }))));
  offer.add('tools/call', 'fast', () => ({ content: [] }));
  start();
});
afterEach(() => void vi.useRealTimers());

function start(options: DispatchOptions = {}): void {
  dispatch = createDispatch(offer, { sessionIdleTimeout: IDLE, ...options });
  recorder = new Recorder(dispatch);
}

const status = (headers: Record<string, string>) => recorder.ask(legacy('ping'), headers).status;
const counts = () => [dispatch.sessionCount, recorder.sessions.size, dispatch.pending(recorder)];

describe('an idle session', () => {
  it('ends after its time: a thousand abandoned ones leave nothing', () => {
    for (let n = 0; n < 1000; n += 1) handshake(recorder);
    expect(counts()).toEqual([1000, 1000, 0]);
    vi.advanceTimersByTime(IDLE);
    expect(dispatch.sessionCount).toBe(1000);
    vi.advanceTimersByTime(IDLE / 2);
    expect(counts()).toEqual([0, 0, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is unknown from then on', () => {
    const headers = handshake(recorder);
    vi.advanceTimersByTime(2 * IDLE);
    expect(status(headers)).toBe(404);
  });

  it('never ends when it is told so', () => {
    start({ sessionIdleTimeout: 0 });
    const headers = handshake(recorder);
    vi.advanceTimersByTime(1000 * IDLE);
    expect([status(headers), vi.getTimerCount()]).toEqual([200, 0]);
  });
});

describe('a session goes on', () => {
  it('while it is used', () => {
    const headers = handshake(recorder);
    const idle = handshake(recorder);
    for (let n = 0; n < 10; n += 1) {
      vi.advanceTimersByTime(IDLE * 0.9);
      expect(status(headers)).toBe(200);
    }
    expect(status(idle)).toBe(404);
    expect(counts()).toEqual([1, 1, 0]);
  });

  it('while the engine answers for it: its door forgets it after a while, and so asks about it again', () => {
    const headers = handshake(recorder);
    const id = headers['mcp-session-id'] as string;
    vi.advanceTimersByTime(IDLE / 4);
    expect([recorder.hasSession(id), dispatch.sessionCount]).toEqual([false, 1]);
    expect(status(headers)).toBe(200);
    expect(recorder.hasSession(id)).toBe(true);
  });

  it('while it has a stream', () => {
    const headers = handshake(recorder);
    const slot = recorder.send('GET', undefined, { ...headers, accept: 'text/event-stream' });
    vi.advanceTimersByTime(10 * IDLE);
    expect(status(headers)).toBe(200);
    recorder.leave(slot);
    vi.advanceTimersByTime(2 * IDLE);
    expect(status(headers)).toBe(404);
  });

  it.each(['fast', 'slow'])('while a call runs that came the %s way', async (way) => {
    const headers = handshake(recorder);
    const body = legacy('tools/call', { name: 'slow' });
    const slot = way === 'fast' ? recorder.call(0, CallFlag.legacy, '', body, headers) : recorder.post(body, headers);
    vi.advanceTimersByTime(10 * IDLE);
    expect(dispatch.sessionCount).toBe(1);
    finish();
    await vi.runAllTicks();
    await Promise.resolve();
    await Promise.resolve();
    expect(recorder.taken(slot).status).toBe(200);
    vi.advanceTimersByTime(3 * IDLE);
    expect(counts()).toEqual([0, 0, 0]);
  });
});

describe('sessions', () => {
  it('belong to the server: any listener of it serves them, until none is left', () => {
    const other = new Recorder(dispatch);
    const headers = handshake(recorder);
    const id = headers['mcp-session-id'] as string;
    expect(other.ask(legacy('ping'), headers).status).toBe(200);
    expect([recorder.hasSession(id), other.hasSession(id)]).toEqual([true, true]);
    dispatch.forget(recorder);
    expect([recorder.hasSession(id), other.ask(legacy('ping'), headers).status]).toEqual([false, 200]);
    dispatch.forget(other);
    expect([dispatch.sessionCount, other.hasSession(id)]).toEqual([0, false]);
  });

  it('are not opened when the server has none', () => {
    start({ sessions: false });
    const opening = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const reply = recorder.ask(legacy('initialize', opening));
    expect([reply.json.protocolVersion, reply.headers]).toEqual(['2025-11-25', '']);
    expect(recorder.ask(legacy('tools/call', { name: 'fast' })).json).toEqual({ content: [] });
    expect(counts()).toEqual([0, 0, 0]);
  });

  it('refuse limits that are none', () => {
    expect(() => createDispatch(offer, { maxSessions: 0 })).toThrow(/maxSessions/);
    expect(() => createDispatch(offer, { sessionIdleTimeout: -1 })).toThrow(/sessionIdleTimeout/);
    expect(() => createDispatch(offer, { retryInterval: 0.5 })).toThrow(/retryInterval/);
  });
});

describe('a server that was told its revisions', () => {
  const ask = (version: string) =>
    recorder.ask(
      legacy('initialize', { protocolVersion: version, capabilities: {}, clientInfo: { name: 'c', version: '1' } }),
    ).json;

  it('agrees on those alone', () => {
    offer.versions = ['2026-07-28', '2025-06-18', '2024-11-05'];
    expect(['2025-11-25', '2024-11-05', '2025-06-18'].map((version) => ask(version).protocolVersion)).toEqual([
      '2025-06-18',
      '2024-11-05',
      '2025-06-18',
    ]);
    const at = (version: string) => recorder.ask(legacy('ping'), { 'mcp-protocol-version': version }).status;
    expect([at('2024-11-05'), at('2025-11-25')]).toEqual([200, 400]);
  });

  it('opens no session when none of them has any', () => {
    offer.versions = ['2026-07-28'];
    expect(ask('2025-11-25')).toMatchObject({ code: -32022, data: { supported: ['2026-07-28'] } });
    expect(dispatch.sessionCount).toBe(0);
  });
});
