/** The deprecated HTTP+SSE transport: two paths, one stream, and the revision that only it serves. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import { ssePaths } from '../../ts/protocol/legacy/http-sse.js';
import { type Json, legacy, Recorder, TestOffer } from './recorder.js';

let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;
let aborted: boolean;

beforeEach(() => {
  aborted = false;
  offer = new TestOffer();
  offer.declared = { tools: { listChanged: true } };
  offer.add('tools/call', 'echo', (args, context) => {
    context.progress(1);
    return { content: [{ type: 'text', text: args.text }] };
  });
  offer.add('tools/call', 'never', (_, context) => {
    context.signal.addEventListener('abort', () => {
      aborted = true;
    });
    return new Promise(() => {});
  });
  offer.add('tools/call', 'ask', async (_, context) => ({
    content: [{ type: 'text', text: (await context.listRoots()).roots[0]?.uri ?? '' }],
  }));
  dispatch = createDispatch(offer, { paths: ssePaths() });
  recorder = new Recorder(dispatch);
});

const open = () => {
  const slot = recorder.send('GET', undefined, { ':path': '/sse', accept: 'text/event-stream' });
  const address = recorder.written(slot)[0]?.message as string;
  return {
    slot,
    address,
    heard: () =>
      recorder
        .written(slot)
        .slice(1)
        .map(({ message }) => message as Json),
  };
};
const post = (address: string, body: unknown) => recorder.taken(recorder.post(body, { ':path': address }));
const opening = (version: string) =>
  legacy('initialize', {
    protocolVersion: version,
    capabilities: { roots: {} },
    clientInfo: { name: 'old', version: '1' },
  });
const turn = () => new Promise((done) => setImmediate(done));

describe('a client of the old transport', () => {
  it('is told where to post, and answered on its stream', () => {
    const { slot, address, heard } = open();
    expect(recorder.written(slot)[0]).toEqual({
      event: 'endpoint',
      message: expect.stringMatching(/^\/messages\?sessionId=[\w-]{36}$/),
    });
    expect(post(address, opening('2024-11-05'))).toMatchObject({ status: 202, text: '' });
    expect(heard()[0]).toMatchObject({ id: 1, result: { protocolVersion: '2024-11-05' } });
    expect(heard()[0].result.serverInfo).toEqual({ name: 'test', version: '1.2.3' });
    post(address, { jsonrpc: '2.0', method: 'notifications/initialized' });
    post(
      address,
      legacy('tools/call', { name: 'echo', arguments: { text: 'hi' }, _meta: { progressToken: 5 } }, 'two'),
    );
    expect(heard().slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 5, progress: 1 } },
      { jsonrpc: '2.0', id: 'two', result: { content: [{ type: 'text', text: 'hi' }] } },
    ]);
    expect([dispatch.sessionCount, recorder.sessions.size]).toEqual([0, 0]);
  });

  it('may speak a newer revision', () => {
    const { address, heard } = open();
    post(address, opening('2025-06-18'));
    post(address, opening('1999-01-01'));
    expect(heard().map(({ result }) => result.protocolVersion)).toEqual(['2025-06-18', '2025-11-25']);
  });

  it('is asked, and told of changes', async () => {
    const { address, heard } = open();
    post(address, opening('2024-11-05'));
    post(address, { jsonrpc: '2.0', method: 'notifications/initialized' });
    offer.changes.publish({ kind: 'tools' });
    await turn();
    expect(heard()[1]).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    post(address, legacy('tools/call', { name: 'ask' }, 2));
    await turn();
    expect(heard()[2]).toMatchObject({ method: 'roots/list' });
    post(address, { jsonrpc: '2.0', id: heard()[2].id, result: { roots: [{ uri: 'file:///a' }] } });
    await turn();
    expect(heard()[3]).toMatchObject({ id: 2, result: { content: [{ text: 'file:///a' }] } });
  });

  it('gets errors on its stream, and those that are no messages in the response', () => {
    const { address, heard } = open();
    post(address, legacy('no/such'));
    expect(heard()[0]).toMatchObject({ id: 1, error: { code: -32601 } });
    expect(post(address, '{').json.code).toBe(-32700);
    expect(post(address, [legacy('ping')]).json.code).toBe(-32600);
    expect(post(address, { jsonrpc: '1.0' }).status).toBe(400);
  });

  it('ends everything when it leaves', async () => {
    const { slot, address } = open();
    post(address, opening('2024-11-05'));
    post(address, legacy('tools/call', { name: 'never' }, 2));
    recorder.leave(slot);
    expect(aborted).toBe(true);
    expect(post(address, legacy('ping')).status).toBe(404);
    offer.changes.publish({ kind: 'tools' });
    await turn();
    expect([recorder.stale, dispatch.sessions.hasPipes, dispatch.pending(recorder)]).toEqual([0, false, 0]);
  });

  it('cancels its own calls, and nobody else’s', () => {
    const [one, other] = [open(), open()];
    for (const { address } of [one, other]) post(address, opening('2024-11-05'));
    post(one.address, legacy('tools/call', { name: 'never' }, 2));
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } };
    post(other.address, cancelled);
    expect(aborted).toBe(false);
    post(one.address, cancelled);
    expect(aborted).toBe(true);
  });
});

describe('the paths', () => {
  it('know their methods', () => {
    const at = (path: string, method: string) => recorder.taken(recorder.send(method, undefined, { ':path': path }));
    expect([at('/sse', 'POST').status, at('/sse', 'POST').headers]).toEqual([405, 'allow: GET\r\n']);
    expect([at('/messages', 'GET').status, at('/messages', 'GET').headers]).toEqual([405, 'allow: POST\r\n']);
    for (const path of ['/messages', '/messages?sessionId=', '/messages?sessionId=none']) {
      expect(post(path, legacy('ping')).status).toBe(404);
    }
  });

  it('may be one', () => {
    dispatch = createDispatch(offer, { paths: ssePaths({ path: '/old', messages: '/old' }) });
    recorder = new Recorder(dispatch);
    const slot = recorder.send('GET', undefined, { ':path': '/old' });
    const address = recorder.written(slot)[0]?.message as string;
    expect(address).toMatch(/^\/old\?/);
    expect(post(address, opening('2024-11-05')).status).toBe(202);
  });

  it('take no more connections than they may', () => {
    for (let n = 0; n < 1000; n += 1) open();
    expect(recorder.taken(recorder.send('GET', undefined, { ':path': '/sse' })).status).toBe(503);
  });
});
