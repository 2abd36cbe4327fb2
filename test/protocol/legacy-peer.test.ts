/** How a server asks its legacy client: ids, answers, time, cancellation, and what ends the waiting. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import { ProtocolError } from '../../ts/protocol/errors.js';
import type { AskOptions, Peer } from '../../ts/protocol/peer.js';
import { handshake, type Json, legacy, Recorder, TestOffer } from './recorder.js';

let dispatch: Dispatch;
let recorder: Recorder;
let headers: Record<string, string>;

beforeEach(() => {
  dispatch = createDispatch(new TestOffer());
  recorder = new Recorder(dispatch);
  headers = handshake(recorder);
});

const sessionId = (of = headers) => of['mcp-session-id'] as string;
const peerOf = (of = headers): Peer => dispatch.sessions.find(recorder, sessionId(of))?.peer as Peer;

/** A stream of a call, as far as asking needs it. */
function stream() {
  const sent: Json[] = [];
  return {
    sent,
    via: { port: { event: (_: number, __: string, text: string) => sent.push(JSON.parse(text)) }, slot: 1 },
  };
}
const answer = (id: unknown, members: object, of = headers) =>
  recorder.ask({ jsonrpc: '2.0', id, ...members }, of).status;
const told = (method: string, params: object, of = headers) =>
  recorder.ask({ jsonrpc: '2.0', method, params }, of).status;

describe('a request to the client', () => {
  it('goes on the stream of the call, and its answer comes as a message of the session', async () => {
    const { sent, via } = stream();
    const asked = peerOf().request('roots/list', undefined, via);
    expect(sent).toEqual([{ jsonrpc: '2.0', id: 1, method: 'roots/list' }]);
    expect(answer(1, { result: { roots: [] } })).toBe(202);
    expect(await asked).toEqual({ roots: [] });
    expect(answer(1, { result: {} })).toBe(202);
  });

  it('has an id of its own', async () => {
    const { sent, via } = stream();
    const asked = [1, 2, 3].map((n) => peerOf().request('ping', { n }, via));
    expect(sent.map(({ id }) => id)).toEqual([1, 2, 3]);
    for (const id of [3, 1, 2]) answer(id, { result: { id } });
    expect(await Promise.all(asked)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it('is answered by its session alone', async () => {
    const { via } = stream();
    const stranger = handshake(recorder);
    const settled = vi.fn();
    const asked = peerOf().request('ping', undefined, via).finally(settled);
    for (const [of, id] of [
      [stranger, 1],
      [{}, 1],
      [headers, '1'],
      [headers, 2],
      [headers, null],
    ] as const) {
      answer(id, { result: { wrong: true } }, of);
    }
    answer('__proto__', { result: {} });
    await Promise.resolve();
    expect(settled).not.toHaveBeenCalled();
    answer(1, { result: { right: true } });
    expect(await asked).toEqual({ right: true });
  });

  it('rejects with the error of the client, whatever it is', async () => {
    const { via } = stream();
    const asked = ['a', 'b', 'c', 'd'].map(() => peerOf().request('ping', undefined, via));
    answer(1, { error: { code: -1, message: 'User rejected', data: { why: 'no' } } });
    answer(2, { error: 'nonsense' });
    answer(3, { error: { code: 'x', message: 7 } });
    answer(4, { result: [1] });
    const errors = (await Promise.allSettled(asked)).map((outcome) => (outcome as PromiseRejectedResult).reason);
    expect(errors.every((error) => error instanceof ProtocolError)).toBe(true);
    expect(errors.map(({ code }) => code)).toEqual([-1, -32603, -32603, -32600]);
    expect(errors[0]).toMatchObject({ message: 'User rejected', data: { why: 'no' } });
  });

  it('is not sent without a stream', async () => {
    await expect(peerOf().request('ping', undefined, null)).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    const dead = { port: { event: () => -1 }, slot: 1 };
    await expect(peerOf().request('ping', undefined, dead)).rejects.toThrow(/ping.*no open stream/);
    expect(peerOf().notify('notifications/message', {})).toBe(false);
  });

  it('takes the standalone stream when its own cannot carry it', async () => {
    const slot = recorder.send('GET', undefined, { ...headers, accept: 'text/event-stream' });
    const asked = peerOf().request('ping', undefined, { port: { event: () => -1 }, slot: 1 });
    expect(recorder.written(slot).map(({ message }) => message)).toEqual([{ jsonrpc: '2.0', id: 1, method: 'ping' }]);
    answer(1, { result: {} });
    expect(await asked).toEqual({});
  });

  it('is bounded in number', async () => {
    const { via } = stream();
    const asked = Array.from({ length: 1000 }, () => peerOf().request('ping', undefined, via));
    await expect(peerOf().request('ping', undefined, via)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    answer(1, { result: {} });
    await asked[0];
    const more = peerOf().request('ping', undefined, via);
    recorder.send('DELETE', undefined, headers);
    const outcomes = await Promise.allSettled([...asked, more]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1000);
  });
});

describe('the waiting', () => {
  const ask = (options: AskOptions) => {
    const { sent, via } = stream();
    return { sent, asked: peerOf().request('ping', undefined, via, options) };
  };

  it('ends after the time, and the client is told', async () => {
    const { sent, asked } = ask({ timeout: 5 });
    await expect(asked).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', data: { timeout: 5 } });
    expect(sent[1]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1, reason: 'Request timed out' },
    });
    expect(answer(1, { result: {} })).toBe(202);
  });

  it('ends with the signal, and the client is told', async () => {
    const controller = new AbortController();
    const { sent, asked } = ask({ signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await expect(asked).rejects.toThrow('changed my mind');
    expect(sent[1].params).toEqual({ requestId: 1, reason: 'changed my mind' });
    const late = ask({ signal: controller.signal });
    await expect(late.asked).rejects.toThrow('changed my mind');
    expect(late.sent).toEqual([]);
  });

  it('ends with the session', async () => {
    const { asked } = ask({});
    recorder.send('DELETE', undefined, headers);
    await expect(asked).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  it('ends with the listener', async () => {
    const { asked } = ask({});
    const peer = peerOf();
    dispatch.forget(recorder);
    await expect(asked).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await expect(peer.request('ping', undefined, stream().via)).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  it('hears of progress when it asked for it', async () => {
    const heard: unknown[] = [];
    const { sent, asked } = ask({ onprogress: (progress) => heard.push(progress) });
    const { progressToken } = sent[0].params._meta;
    told('notifications/progress', { progressToken, progress: 1, total: 4, message: 'on it' });
    told('notifications/progress', { progressToken: 'other', progress: 2 });
    told('notifications/progress', { progressToken, progress: 'much' });
    told('notifications/progress', { progressToken, progress: 3 });
    answer(1, { result: {} });
    await asked;
    told('notifications/progress', { progressToken, progress: 4 });
    expect(heard).toEqual([{ progress: 1, total: 4, message: 'on it' }, { progress: 3 }]);
  });

  it('begins again with progress, up to a limit', async () => {
    vi.useFakeTimers();
    try {
      const { asked } = ask({ timeout: 100, resetTimeoutOnProgress: true, maxTotalTimeout: 250, onprogress: () => {} });
      const outcome = asked.catch((error: unknown) => error);
      for (let n = 1; n <= 3; n += 1) {
        vi.advanceTimersByTime(80);
        told('notifications/progress', { progressToken: 1, progress: n });
        expect((dispatch.sessions.find(recorder, sessionId()) as Json).peer.waiting).toBe(1);
      }
      vi.advanceTimersByTime(20);
      expect(await outcome).toMatchObject({ code: 'REQUEST_TIMEOUT', data: { maxTotalTimeout: 250 } });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a pipe', () => {
  const opening = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'p', version: '1' } };

  it('is asked from the moment that its peer is ready', async () => {
    const pipe = new Recorder(dispatch, true);
    pipe.ask(legacy('initialize', opening));
    const { peer } = dispatch.sessions.pipe(pipe) as { peer: Peer };
    await expect(peer.request('ping', undefined, null)).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    const ready = pipe.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const asked = peer.request('ping', undefined, null);
    expect(pipe.events.get(ready)).toEqual([{ jsonrpc: '2.0', id: 2, method: 'ping' }]);
    pipe.ask({ jsonrpc: '2.0', id: 2, result: { pong: true } });
    expect(await asked).toEqual({ pong: true });
    expect(peer.notify('notifications/message', { level: 'info', data: 1 })).toBe(true);
  });

  it('with a new handshake is a new peer', async () => {
    const pipe = new Recorder(dispatch, true);
    pipe.ask(legacy('initialize', opening));
    const ready = pipe.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const before = dispatch.sessions.pipe(pipe)?.peer as Peer;
    const asked = before.request('ping', undefined, null);
    pipe.ask(legacy('initialize', opening));
    await expect(asked).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(pipe.replies.has(ready)).toBe(true);
    const again = pipe.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const once = pipe.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect([pipe.replies.has(again), pipe.replies.has(once)]).toEqual([true, false]);
  });
});
