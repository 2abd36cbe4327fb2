/**
 * HTTP/2, with node's client: by prior knowledge and by ALPN. Called by serve.case.ts.
 *
 * What is answered is the same as on HTTP/1.1; here is what streams, frames and two protocols on one port add to it.
 */
import { constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { type Engine, Shape, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { selfSigned } from './certificate.js';
import { Handler, until } from './echo.js';
import { H2, whole } from './h2.js';
import { call, echoed, group, refusal, Stage, staged } from './stage.js';
import { Wire } from './wire.js';

const EVENTS = 'content-type: text/event-stream\r\n';
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const message = (tool: string, args = '{}', id = '1') =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":${args}}}`;

export function http2Cases(engine: Engine): void {
  const tls = selfSigned();
  for (const [title, limits] of [
    ['http2 by prior knowledge', {}],
    ['http2 by alpn', { tls }],
  ] as const) {
    group(engine, title, limits, (stage) => {
      const connect = () => H2.connect(stage.port, 'tls' in limits ? tls.cert : undefined);
      common(stage, connect);
    });
  }

  describe('http2', () => {
    it('is what ALPN says, and HTTP/1.1 when it says that', () =>
      staged(engine, { tls }, async (stage) => {
        for (const [offered, chosen] of [
          [['h2', 'http/1.1'], 'h2'],
          [['http/1.1'], 'http/1.1'],
        ] as const) {
          const wire = await Wire.connectTls(stage.port, tls.cert, [...offered]);
          expect((wire.socket as unknown as { alpnProtocol: string }).alpnProtocol).toBe(chosen);
          await wire.leave();
        }
      }));

    it('is not spoken when it is off', () =>
      staged(engine, { http2: false }, async (stage) => {
        const wire = await stage.wire();
        wire.send(PREFACE);
        expect(await wire.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 [45]\d\d /);
        await wire.closed;
      }));

    it('is not offered when it is off', () =>
      staged(engine, { http2: false, tls }, async (stage) => {
        const wire = await Wire.connectTls(stage.port, tls.cert, ['h2', 'http/1.1']);
        expect((wire.socket as unknown as { alpnProtocol: string }).alpnProtocol).toBe('http/1.1');
        wire.send(call('echo', '{}'));
        expect((await wire.response()).status).toBe(200);
        await wire.leave();
      }));

    it('is known by its preface, however slowly that comes', () =>
      staged(engine, {}, async (stage) => {
        const wire = await stage.wire();
        await wire.sendSlowly(Buffer.from(PREFACE), 5);
        wire.send(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])); // empty SETTINGS
        await until(() => wire.socket.bytesRead >= 9);
        await wire.leave();
        const like = await stage.wire();
        await like.sendSlowly(Buffer.from(`P${call('echo', '{"a":1}').slice(1)}`), 1);
        expect((await like.response()).text).toBe(echoed('1', '{"a":1}'));
      }));

    it('ends streams in good order when closed', async () => {
      const stage = new Stage(engine);
      await stage.open();
      const { listener } = stage;
      const client = await H2.connect(stage.port);
      let answer: Promise<{ status: number }> | undefined;
      const slot = await stage.held(() => {
        answer = client.post(message('hold'));
      });
      const idle = await H2.connect(stage.port);
      const closed = listener.close(60_000);
      await idle.closed;
      listener.reply(slot, 200, Shape.result, 0, '', '1');
      expect((await answer)?.status).toBe(200);
      await client.closed;
      await closed;
      expect(stage.receiver.aborted).toEqual([]);
    });

    it('is cut when the grace is over', async () => {
      const stage = new Stage(engine);
      await stage.open();
      const client = await H2.connect(stage.port);
      const slot = await stage.held(() => {
        client.post(message('hold')).catch(() => {});
      });
      await stage.listener.close(10);
      await until(() => stage.receiver.aborted.includes(slot));
      await client.closed;
    });

    it('ends a session that is idle', () =>
      staged(engine, { idleTimeout: 80 }, async (stage) => {
        const client = await H2.connect(stage.port);
        await client.post(PING);
        await client.closed;
      }));

    it('answers 408 for a body that does not come', () =>
      staged(engine, { bodyTimeout: 80 }, async (stage) => {
        const client = await H2.connect(stage.port);
        const stream = client.session.request({
          ':method': 'POST',
          ':path': '/mcp',
          'content-type': 'application/json',
        });
        stream.on('error', () => {});
        stream.write('{"jsonrpc"');
        expect((await whole(stream)).status).toBe(408);
        expect((await client.post(PING)).status).toBe(200);
        await client.leave();
      }));
  });
}

function common(stage: Stage, connect: () => Promise<H2>): void {
  it('serves many requests at a time on one connection', async () => {
    const client = await connect();
    await client.post(PING);
    const accepted = stage.stat(Stat.accepted);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.post(message(i % 2 ? 'later' : 'echo', `{"i":"ü${i}"}`, `${i}`))),
    );
    for (const [i, { status, headers, text }] of answers.entries()) {
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('application/json');
      expect(text).toBe(echoed(`${i}`, `{"i":"ü${i}"}`, i % 2 ? Handler.later : Handler.echo));
    }
    expect(stage.stat(Stat.accepted)).toBe(accepted);
    await client.leave();
  });

  it('answers out of order', async () => {
    const client = await connect();
    let first: Promise<{ text: string }> | undefined;
    const slot = await stage.held(() => {
      first = client.post(message('hold'));
    });
    expect((await client.post(PING)).text).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(stage.listener.head(slot)).toMatch(/^host: (127\.0\.0\.1|localhost):\d+\r\n/m);
    expect(stage.listener.head(slot)).not.toMatch(/^:/m);
    stage.listener.reply(slot, 200, Shape.result, 0, '', '1');
    expect((await first)?.text).toBe('{"jsonrpc":"2.0","id":1,"result":1}');
    await client.leave();
  });

  it('hands up methods, heads and targets', async () => {
    const client = await connect();
    const got = await whole(client.request('GET', '/mcp?a=1', { 'x-one': 'two' }, null));
    expect(got).toMatchObject({ status: 405, text: 'no GET' });
    expect(got.headers).toMatchObject({ allow: 'POST', 'content-type': 'text/plain' });
    const seen = stage.receiver.seen.at(-1);
    expect(seen?.head.startsWith(':path: /mcp?a=1\r\n')).toBe(true);
    expect(seen?.head).toContain('x-one: two\r\n');
    expect(seen?.head).not.toContain(':method');
    const head = await whole(client.request('HEAD', '/mcp', {}, null));
    expect([head.status, head.text]).toEqual([405, '']);
    expect((await client.post(message('headers'))).headers).toMatchObject({ 'mcp-session-id': 's-1', 'x-two': 'zwei' });
    expect((await client.post('{"jsonrpc":"2.0","method":"notifications/x"}')).status).toBe(202);
    await client.leave();
  });

  it('ends its streams without an error, and drops what another protocol frames with', async () => {
    const client = await connect();
    let stream = null as unknown as ReturnType<H2['request']>;
    const slot = await stage.held(() => {
      stream = client.request('GET', '/mcp', { 'x-hold': '1' }, null);
    });
    const lines =
      'te: x\r\nupgrade: x\r\nkeep-alive: x\r\netag: a\r\netag: b\r\nvary: A\r\nVary: B\r\nset-cookie: c\r\n';
    const answer = whole(stream);
    stage.listener.reply(slot, 200, Shape.raw, 0, `${lines}set-cookie: d\r\nbad header: x\r\n`, 'text');
    const { headers, text } = await answer;
    expect([text, stream.rstCode]).toEqual(['text', constants.NGHTTP2_NO_ERROR]);
    expect(headers).toMatchObject({ vary: 'A, B', 'set-cookie': 'c, d' });
    for (const name of ['te', 'upgrade', 'keep-alive']) expect(headers).not.toHaveProperty(name);
    await client.leave();
  });

  it('refuses what the guard and the scan refuse, and goes on', async () => {
    const client = await connect();
    const json = { 'content-type': 'application/json' };
    const refused: [string, Record<string, string | string[]>, string, number, number][] = [
      ['/', json, PING, 404, -32000],
      ['/mcp', { ...json, ':authority': 'evil.example' }, PING, 403, -32000],
      ['/mcp', { ...json, ':authority': 'localhost', host: 'evil.example' }, PING, 400, -32600],
      ['/mcp', { ...json, origin: 'http://evil.example' }, PING, 403, -32000],
      ['/mcp', { 'content-type': 'text/plain' }, PING, 415, -32000],
      ['/mcp', { ...json, 'content-encoding': 'gzip' }, PING, 415, -32000],
      ['/mcp', json, '{', 400, -32700],
      ['/mcp', json, 'x'.repeat(30_000), 413, -32000],
      ['/mcp', { ...json, 'content-length': '30000' }, 'x'.repeat(30_000), 413, -32000],
    ];
    for (const [path, headers, body, status, code] of refused) {
      const answer = await whole(client.request('POST', path, headers, body));
      expect([path, headers, answer.status]).toEqual([path, headers, status]);
      expect(JSON.parse(answer.text)).toMatchObject({ id: null, error: { code } });
    }
    expect((await client.post(PING)).status).toBe(200);
    await client.leave();
  });

  it('streams events, and bodies in pieces', async () => {
    const { listener } = stage;
    const client = await connect();
    const events = await client.post(message('stream', '{"s":1}', '9'));
    expect(events.headers).toMatchObject({ ':status': '200', 'content-type': 'text/event-stream' });
    expect(events.headers).not.toHaveProperty('transfer-encoding');
    expect(events.text).toContain('id: e2\nevent: message\ndata: {"n":"zwölf"}\n\n');
    expect(events.text.endsWith(`data: ${echoed('9', '{"s":1}', Handler.stream)}\n\n`)).toBe(true);

    let stream = null as unknown as ReturnType<H2['request']>;
    const slot = await stage.held(() => {
      stream = client.request('GET', '/mcp', { 'x-hold': '1' }, null);
    });
    const opened = new Promise((resolve) => stream.once('response', resolve));
    const all = whole(stream);
    listener.open(slot, 200, `${EVENTS}connection: close\r\ntransfer-encoding: chunked\r\n`);
    await opened;
    listener.write(slot, ': eins\n\n');
    listener.event(slot, '', '{"n":1}');
    listener.reply(slot, 200, Shape.raw, 0, '', '');
    expect((await all).text).toBe(': eins\n\nevent: message\ndata: {"n":1}\n\n');
    await client.leave();
  });

  it('asks a writer to wait while a stream is not read, and cuts off one that does not', async () => {
    const { listener, receiver } = stage;
    const client = await connect();
    const piece = 'x'.repeat(8192);
    for (const waits of [true, false]) {
      const stream = client.request('GET', '/mcp', { 'x-hold': '1' }, null);
      const slot = await stage.held(() => {});
      const drained = receiver.drained.length;
      listener.open(slot, 200, EVENTS);
      await new Promise((resolve) => stream.once('response', resolve));
      let written = 0;
      // Nobody reads it: flow control of the stream holds it back, and nothing else on the connection.
      await until(() => {
        written++;
        const unsent = listener.write(slot, piece);
        return waits ? unsent > 65_536 : receiver.aborted.includes(slot);
      });
      expect((await client.post(PING)).status).toBe(200);
      if (waits) {
        let read = 0;
        stream.on('data', (chunk: Buffer) => {
          read += chunk.length;
        });
        await until(() => receiver.drained.length > drained);
        listener.reply(slot, 200, Shape.raw, 0, '', '');
        await until(() => read === written * piece.length);
        expect(receiver.drained.slice(drained)).toEqual([slot]);
      } else {
        stream.resume();
        await until(() => stream.destroyed);
      }
    }
    await client.leave();
  });

  it('aborts a stream that its client resets, and all of a session that is gone', async () => {
    const { receiver } = stage;
    const client = await connect();
    const hold = async () => {
      const stream = client.request('POST', '/mcp', { 'content-type': 'application/json' }, message('hold'));
      return { stream, slot: await stage.held(() => {}) };
    };
    const one = await hold();
    one.stream.close(constants.NGHTTP2_CANCEL);
    await until(() => receiver.aborted.includes(one.slot));
    expect((await client.post(PING)).status).toBe(200);
    const rest = [await hold(), await hold()];
    await client.leave();
    await until(() => rest.every(({ slot }) => receiver.aborted.includes(slot)));
    expect(receiver.aborted.filter((slot) => slot === one.slot)).toHaveLength(1);
    await until(() => stage.stat(Stat.inFlight) === 0);
  });

  it('resets a stream that is cut off, and nothing beside it', async () => {
    const { listener, receiver } = stage;
    const client = await connect();
    for (const atOnce of [false, true]) {
      const stream = client.request('POST', '/mcp', { 'content-type': 'application/json' }, message('hold'));
      const slot = await stage.held(() => {});
      const seen = whole(stream);
      listener.open(slot, 200, 'content-type: text/plain\r\n');
      listener.write(slot, 'one');
      if (!atOnce) await new Promise((resolve) => stream.once('readable', resolve));
      listener.write(slot, 'two');
      listener.reply(slot, 0, Shape.raw, 1, '', '');
      expect((await seen).text).toBe('onetwo');
      expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
      expect((await client.post(PING)).status).toBe(200);
      expect(receiver.aborted).not.toContain(slot);
    }
    await client.leave();
  });

  it('takes a long answer and a body in many frames', async () => {
    const client = await connect();
    let answer: Promise<{ text: string }> | undefined;
    const slot = await stage.held(() => {
      answer = client.post(message('hold'));
    });
    const long = JSON.stringify('ü'.repeat(1_500_000));
    stage.listener.reply(slot, 200, Shape.result, 0, '', long);
    expect((await answer)?.text === `{"jsonrpc":"2.0","id":1,"result":${long}}`).toBe(true);
    const stream = client.session.request({ ':method': 'POST', ':path': '/mcp', 'content-type': 'application/json' });
    stream.on('error', () => {});
    for (const letter of message('echo', '{"s":"ß€😀"}')) stream.write(letter);
    stream.end();
    expect((await whole(stream)).text).toBe(echoed('1', '{"s":"ß€😀"}'));
    await client.leave();
  });

  it('answers for a receiver that throws', async () => {
    const client = await connect();
    const answer = await client.post(message('throws', '{}', '5'));
    expect([answer.status, answer.text]).toEqual([500, refusal(-32603, 'Internal error', '5')]);
    await client.leave();
  });
}
