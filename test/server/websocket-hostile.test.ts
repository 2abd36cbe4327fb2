/**
 * What clients over WebSocket may do wrong, and how much of everything there may be: whoever does it is told, or loses the
 * connection, and nobody else notices.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { McpServer } from '../../ts/server/mcp.js';
import { serveWebSocket, type WebSocketListener, type WebSocketOptions } from '../../ts/server/websocket.js';
import { ask, atEnd, callTool, INITIALIZE } from '../clients/stage.js';
import { RawSocket, refused } from '../clients/websocket.js';

const said = (text: string) => ({ result: { content: [{ type: 'text', text }] } });
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

class Stage {
  readonly server = new McpServer({ name: 'unit', version: '1' }, { capabilities: { resources: { subscribe: true } } });
  listener!: WebSocketListener;
  /** Calls of `hold` that wait; each is let go by calling it. */
  readonly held: (() => void)[] = [];

  constructor() {
    const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
    this.server.registerTool('echo', { inputSchema: { type: 'object' } as const }, (args) =>
      text(JSON.stringify(args)),
    );
    this.server.registerTool('hold', {}, async () => {
      await new Promise<void>((resolve) => this.held.push(resolve));
      return text('let go');
    });
    this.server.registerTool('large', {}, () => text('x'.repeat(100_000)));
    this.server.registerResource('memo', 'memo://1', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'one' }] }));
  }

  async serve(options: WebSocketOptions = {}): Promise<this> {
    this.listener = await serveWebSocket(this.server, { port: 0, ...options });
    atEnd(() => this.listener.close({ grace: 0 }));
    return this;
  }

  async open(options: Parameters<typeof RawSocket.open>[1] = {}): Promise<RawSocket> {
    const raw = await RawSocket.open(this.listener.url, options);
    atEnd(() => raw.leave());
    return raw;
  }

  async alive(): Promise<void> {
    const raw = await this.open();
    raw.send(callTool('alive', 'echo', { still: 1 }));
    expect(await raw.answer('alive')).toMatchObject(said('{"still":1}'));
    await raw.leave();
  }

  async settled(stats: object): Promise<void> {
    await vi.waitFor(() => expect(this.listener.stats()).toMatchObject(stats), 10_000);
  }
}

/** After the handshake, over a plain socket: for frames that no client would send. */
async function shaken({ port }: WebSocketListener): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  atEnd(() => socket.destroy());
  const head = [
    'GET /mcp HTTP/1.1',
    'host: localhost',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${Buffer.alloc(16).toString('base64')}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
  return socket;
}

/** A masked text frame; the mask is zero. */
function frame(text: string, first = 0x81): Buffer {
  const payload = Buffer.from(text);
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), payload]);
}

describe('what is no message', () => {
  let stage: Stage;
  let bystander: RawSocket;
  beforeEach(async () => {
    stage = await new Stage().serve({ maxMessageBytes: 50_000, maxDepth: 64 });
    bystander = await stage.open();
  });
  afterEach(async () => {
    bystander.send(callTool('on', 'echo', { on: 1 }));
    expect(await bystander.answer('on')).toMatchObject(said('{"on":1}'));
    await stage.settled({ inFlight: 0, panics: 0 });
  });

  it.each([
    ['nothing', '', -32700],
    ['malformed', '{"jsonrpc":"2.0","id":1,"method":ping}', -32700],
    ['half a message', '{"jsonrpc":"2.0","id":1,', -32700],
    ['two messages', `${JSON.stringify(ask(1, 'ping'))}\n${JSON.stringify(ask(2, 'ping'))}`, -32700],
    ['a line break in a string', '{"jsonrpc":"2.0","id":1,"method":"pi\nng"}', -32700],
    ['too deep', '['.repeat(1000) + ']'.repeat(1000), -32600],
    ['no JSON-RPC', '{"id":1,"method":"ping"}', -32600],
    ['an empty batch', '[]', -32600],
    ['id null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
  ])('is told so, and the connection stays: %s', async (_, text, code) => {
    const raw = await stage.open();
    raw.send(text, callTool(9, 'echo', { a: 1 }));
    expect(await raw.answer(9)).toMatchObject(said('{"a":1}'));
    expect(raw.messages[0]).toMatchObject({ jsonrpc: '2.0', error: { code } });
    expect(raw.messages).toHaveLength(2);
  });

  it('but a message may have line breaks, come in pieces, and need no answer', async () => {
    const raw = await stage.open();
    raw.send(JSON.stringify(callTool(1, 'echo', { a: 'ü🦀\n' }), null, 2).replaceAll('\n', '\r\n'));
    expect(await raw.answer(1)).toMatchObject(said('{"a":"ü🦀\\n"}'));
    const text = JSON.stringify(callTool(2, 'echo', { b: 'zwölf' }));
    for (let i = 0; i < text.length; i++) raw.ws.send(text[i] as string, { fin: i === text.length - 1 });
    expect(await raw.answer(2)).toMatchObject(said('{"b":"zwölf"}'));
    raw.send(
      { jsonrpc: '2.0', method: 'notifications/nothing' },
      { jsonrpc: '2.0', id: 5, result: {} },
      ask(3, 'ping'),
    );
    expect(await raw.answer(3)).toMatchObject({ result: {} });
    expect(raw.messages).toHaveLength(3);
  });

  it('takes an id that is in use only once', async () => {
    const raw = await stage.open();
    raw.send(callTool(1, 'hold'), callTool(1, 'echo', {}));
    expect(await raw.answer(1)).toMatchObject({ error: { code: -32600, message: expect.stringContaining('in use') } });
    stage.held[0]?.();
    await raw.first(({ result }) => result !== undefined);
  });

  it('loses its connection: binary frames (1003), what runs for it is aborted', async () => {
    const raw = await stage.open();
    raw.send(callTool(1, 'hold'));
    await stage.settled({ inFlight: 1 });
    raw.ws.send(Buffer.from(JSON.stringify(ask(2, 'ping'))));
    expect(await raw.closed).toBe(1003);
    await stage.settled({ inFlight: 0, aborted: 1 });
    expect(raw.messages).toEqual([]);
  });

  it('loses its connection: too long (1009), whole or in pieces', async () => {
    const long = JSON.stringify(callTool(1, 'echo', { x: 'x'.repeat(50_000) }));
    const whole = await stage.open();
    whole.send(long);
    expect(await whole.closed).toBe(1009);
    const pieces = await stage.open();
    for (let i = 0; i < 60; i++) pieces.ws.send('x'.repeat(1000), { fin: false });
    expect(await pieces.closed).toBe(1009);
    const fits = await stage.open();
    fits.send(callTool(1, 'echo', { x: 'x'.repeat(49_000) }));
    expect((await fits.answer(1)).result?.isError).toBeUndefined();
  });

  it.each([
    ['no UTF-8', Buffer.concat([frame('{"').subarray(0, 6), Buffer.from([0xff, 0xfe])]), 1007],
    ['no mask', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
    ['reserved bits', frame('{}', 0xc1), 1002],
    ['an opcode that is none', frame('{}', 0x83), 1002],
  ])('loses its connection: frames with %s', async (_, bytes, code) => {
    const socket = await shaken(stage.listener);
    socket.write(bytes);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, code]);
    socket.destroy();
    await stage.settled({ connections: 1 });
  });

  it('a socket that is closed halfway, or in the middle of a frame, leaves nothing', async () => {
    const message = frame(JSON.stringify(callTool(1, 'hold')));
    const half = await shaken(stage.listener);
    half.write(message);
    await stage.settled({ inFlight: 1 });
    half.end();
    await stage.settled({ inFlight: 0, aborted: 1 });
    const middle = await shaken(stage.listener);
    middle.end(message.subarray(0, 20));
    await stage.settled({ connections: 1, calls: 1 });
  });
});

describe('limits', () => {
  it('connections: 503 for one more, until one leaves', async () => {
    const stage = await new Stage().serve({ maxConnections: 3 });
    const kept = await Promise.all([1, 2, 3].map(() => stage.open()));
    const told = await Promise.all(Array.from({ length: 20 }, () => refused(stage.listener.url)));
    for (const { status, headers } of told) expect([status, headers['retry-after']]).toEqual([503, '1']);
    for (const raw of kept) {
      raw.send(ask(1, 'ping'));
      expect(await raw.answer(1)).toMatchObject({ result: {} });
    }
    expect(stage.listener.stats()).toMatchObject({ connections: 3, accepted: 3, overloaded: 20 });
    await kept[0]?.leave();
    await stage.settled({ connections: 2 });
    await stage.alive();
  });

  it('calls: an error for one more, all connections together, and notifications all the same', async () => {
    const stage = await new Stage().serve({ maxInFlight: 4 });
    const [one, two] = [await stage.open(), await stage.open()];
    for (const id of [1, 2, 3, 4, 5]) one.send(callTool(id, 'hold'));
    expect(await one.answer(5)).toMatchObject({ error: { code: -32000, message: 'Server overloaded' } });
    two.send(callTool(1, 'hold'));
    expect(await two.answer(1)).toMatchObject({ error: { code: -32000 } });
    one.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    await stage.settled({ inFlight: 3 });
    two.send(callTool(2, 'echo', {}));
    expect(await two.answer(2)).toMatchObject(said('{}'));
    for (const go of stage.held) go();
    for (const id of [2, 3, 4]) expect(await one.answer(id)).toMatchObject(said('let go'));
    await stage.settled({ inFlight: 0, overloaded: 2 });
  });

  it('unsent answers: nothing more is read from a client that does not read, and nothing is lost', async () => {
    const stage = await new Stage().serve({ highWaterMark: 200_000 });
    const raw = await stage.open();
    raw.ws.pause();
    const count = 300;
    for (let id = 0; id < count; id++) raw.send(callTool(id, 'large'));
    let before = -1;
    // 30 MB of answers: it stops long before, when what the system takes and the mark are full.
    while (before < 3 || stage.listener.stats().calls !== before) {
      before = stage.listener.stats().calls;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(before).toBeLessThan(count);
    await stage.alive();
    raw.ws.resume();
    for (let id = 0; id < count; id++) expect((await raw.answer(id)).result?.content?.[0]?.text).toHaveLength(100_000);
    await stage.settled({ inFlight: 0, calls: count + 1 });
  });

  it('unsent events: a subscriber that never reads is cut', async () => {
    const stage = await new Stage().serve({ maxStreamBytes: 100_000, highWaterMark: 50_000 });
    const uri = `memo://${'x'.repeat(1900)}`;
    const [deaf, reads] = [await stage.open(), await stage.open()];
    for (const raw of [deaf, reads]) {
      raw.send(ask(1, 'subscriptions/listen', { _meta: META, notifications: { resourceSubscriptions: [uri] } }));
      await raw.first(({ method }) => method === 'notifications/subscriptions/acknowledged');
    }
    deaf.ws.pause();
    let sent = 0;
    while (stage.listener.stats().connections === 2) {
      for (let i = 0; i < 20; i++) stage.server.sendResourceUpdated({ uri });
      sent += 20;
      // The one that reads has read it.
      while (reads.messages.length < sent + 1) await new Promise(setImmediate);
    }
    reads.send(ask(2, 'ping'));
    expect(await reads.answer(2)).toMatchObject({ result: {} });
    await stage.settled({ connections: 1 });
  });

  it('but a large answer on its way is no reason to cut', async () => {
    const stage = new Stage();
    stage.server.registerTool('huge', {}, () => ({ content: [{ type: 'text', text: 'x'.repeat(8_000_000) }] }));
    await stage.serve({ maxStreamBytes: 1000 });
    const raw = await stage.open();
    raw.ws.pause();
    raw.send(INITIALIZE, { jsonrpc: '2.0', method: 'notifications/initialized' }, callTool(1, 'huge'));
    await stage.settled({ calls: 1 });
    stage.server.registerTool('another', {}, () => ({ content: [] }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    raw.ws.resume();
    expect((await raw.answer(1)).result?.content?.[0]?.text).toHaveLength(8_000_000);
    expect(await raw.first(({ method }) => method === 'notifications/tools/list_changed')).toBeDefined();
  });

  it('silence: a client that does not answer pings is cut, others stay', async () => {
    const stage = await new Stage().serve({ idleTimeout: 200 });
    const [deaf, silent] = [await stage.open({ autoPong: false }), await stage.open()];
    let pings = 0;
    const often = new Promise<void>((resolve) => {
      silent.ws.on('ping', () => {
        pings += 1;
        if (pings === 4) resolve();
      });
    });
    expect(await deaf.closed).toBe(1006);
    await often;
    silent.send(ask(1, 'ping'));
    expect(await silent.answer(1)).toMatchObject({ result: {} });
  });

  it('silence: so is one that takes nothing of what waits for it', async () => {
    const stage = await new Stage().serve({ idleTimeout: 200, highWaterMark: 1_000_000_000 });
    const raw = await stage.open();
    raw.ws.pause();
    for (let id = 0; id < 300; id++) raw.send(callTool(id, 'large'));
    await stage.settled({ connections: 0, inFlight: 0 });
  });

  it('time: a handler that takes too long is answered for', async () => {
    const stage = await new Stage().serve({ toolTimeout: 50 });
    const raw = await stage.open();
    raw.send(callTool(1, 'hold'));
    const { result } = await raw.answer(1);
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('50 ms') }] });
    await stage.settled({ inFlight: 0 });
  });

  it('a flood of connections that come and go at every moment leaves nothing', async () => {
    const stage = await new Stage().serve({ maxConnections: 40 });
    const { port } = stage.listener;
    const head =
      'GET /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    const whole = Buffer.concat([Buffer.from(head), frame(JSON.stringify(callTool(1, 'hold')))]);
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        const gone = once(socket, 'close');
        socket.write(whole.subarray(0, Math.floor((whole.length * i) / 199)));
        if (i % 3 === 0) await new Promise(setImmediate);
        if (i % 2 === 0) socket.destroy();
        else socket.end();
        socket.resume();
        await gone;
      }),
    );
    await stage.settled({ connections: 0, inFlight: 0 });
    await stage.alive();
  });
});
