/**
 * Crossings are counted, not timed: a hundred calls that wait for JavaScript come up in one batch and go down in one, and
 * what the registry can answer never crosses, even while JavaScript is busy.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LISTENER_STAT_COUNT, type Listener, ListenerStat, type Receiver, Shape } from '../../ts/engine/engine.js';
import { native } from '../engines.js';
import { serveConfig } from './config.js';

/** Opens `connections` sockets, writes `request` on each, and posts the bodies once every answer is here. */
const CLIENT = `
const { connect } = require('node:net');
const { parentPort, workerData: { port, connections, request } } = require('node:worker_threads');
let left = connections;
const bodies = [];
for (let i = 0; i < connections; i += 1) {
  const socket = connect(port, '127.0.0.1', () => socket.write(request));
  let text = '';
  socket.on('data', (data) => {
    text += data;
    if (!text.endsWith('}')) return;
    bodies.push(text.slice(text.indexOf('\\r\\n\\r\\n') + 4));
    socket.destroy();
    if ((left -= 1) === 0) parentPort.postMessage(bodies);
  });
}`;

function request(body: string): string {
  return `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

describe.skipIf(native === undefined)('crossings of the native engine', () => {
  const receiver: Receiver = {
    call: (listener, slot, _handler, _flags, args) => listener.reply(slot, 200, Shape.result, 0, '', args),
    message: (listener, slot) => listener.reply(slot, 400, Shape.raw, 0, '', ''),
    abort() {},
    drain() {},
  };
  let listener: Listener;

  beforeAll(async () => {
    const registry = (native as NonNullable<typeof native>).registry.create();
    registry.handler('tools/call', 'echo', 0);
    registry.answer('ping', '', null, Buffer.from('{}'));
    registry.publish();
    listener = await (native as NonNullable<typeof native>).serve.listen(serveConfig(), registry, receiver);
  });

  afterAll(() => listener.close(0));

  function stats(): Float64Array {
    const out = new Float64Array(LISTENER_STAT_COUNT);
    listener.stats(out);
    return out;
  }

  /** Holds this thread until a counter has grown by so much: I/O threads go on, JavaScript does not. */
  function holdUntil(stat: number, by: number, before: Float64Array): void {
    const deadline = Date.now() + 15_000;
    while ((stats()[stat] as number) < (before[stat] as number) + by) {
      if (Date.now() > deadline) throw new Error(`counter ${stat} did not grow by ${by}`);
    }
  }

  async function run(connections: number, body: string, stat: number): Promise<{ bodies: string[]; grown: number[] }> {
    const before = stats();
    const workerData = { port: listener.port, connections, request: request(body) };
    const client = new Worker(CLIENT, { eval: true, workerData });
    const answered = once(client, 'message');
    holdUntil(stat, connections, before);
    const [bodies] = (await answered) as [string[]];
    await client.terminate();
    const grown = stats().map((value, at) => value - (before[at] as number));
    return { bodies, grown: [...grown] };
  }

  it('a hundred waiting calls come up in one batch and go down in one', async () => {
    const body = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"a":1}}}';
    const { bodies, grown } = await run(100, body, ListenerStat.calls);
    expect(bodies).toEqual(Array(100).fill('{"jsonrpc":"2.0","id":7,"result":{"a":1}}'));
    expect(grown[ListenerStat.flushes]).toBe(1);
    // One wake carries all; a second may find nothing, when a push raced with the drain.
    expect(grown[ListenerStat.wakes]).toBeLessThanOrEqual(2);
  });

  it('an answer of the registry never crosses, and does not wait for JavaScript', async () => {
    const { bodies, grown } = await run(100, '{"jsonrpc":"2.0","id":7,"method":"ping"}', ListenerStat.answered);
    expect(bodies).toEqual(Array(100).fill('{"jsonrpc":"2.0","id":7,"result":{}}'));
    expect(grown[ListenerStat.wakes]).toBe(0);
    expect(grown[ListenerStat.flushes]).toBe(0);
  });
});
