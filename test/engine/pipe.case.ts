/**
 * What one byte-stream peer sees: the pipe is the same whatever the engine. Real streams, no child process; that one is
 * tested with the stdio server.
 */
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  LISTENER_STAT_COUNT,
  type Listener,
  type PipeConfig,
  type PipeEngine,
  Shape,
  ListenerStat as Stat,
} from '../../ts/engine/engine.js';
import { Echo, fill, Handler, until } from './echo.js';
import { echoed, refusal, vectors } from './stage.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A peer with its two streams, and what came out line by line. */
class Peer {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly receiver = new Echo();
  readonly lines: string[] = [];
  readonly listener: Listener & { readonly closed: Promise<void> };
  private rest = '';

  constructor(pipe: PipeEngine, limits: Partial<PipeConfig> = {}) {
    const registry = fill(pipe.createRegistry(), vectors.routes);
    const config: PipeConfig = {
      input: this.input,
      output: this.output,
      modernVersions: vectors.modernVersions,
      legacyVersions: vectors.legacyVersions,
      maxMessageBytes: 20_000,
      maxDepth: 64,
      maxInFlight: 100,
      highWaterMark: 65_536,
      ...limits,
    };
    this.listener = pipe.serve(config, registry, this.receiver);
  }

  /** Starts reading what comes out; until then the output only fills. */
  read(): this {
    this.output.setEncoding('utf8');
    this.output.on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      this.lines.push(...lines);
    });
    return this;
  }

  async line(count: number): Promise<string> {
    await until(() => this.lines.length >= count);
    return this.lines[count - 1] as string;
  }

  stat(index: number): number {
    const out = new Float64Array(LISTENER_STAT_COUNT);
    this.listener.stats(out);
    return out[index] as number;
  }

  /** The good request, the end of input, and that nothing else came out. */
  async finish(before: number): Promise<void> {
    this.input.end(`${call('echo', '{"still":"here"}', '"alive"')}\n`);
    await this.listener.closed;
    expect(await this.line(before + 1)).toBe(echoed('"alive"', '{"still":"here"}'));
    expect(this.lines).toHaveLength(before + 1);
    expect(this.rest).toBe('');
    expect(this.stat(Stat.inFlight)).toBe(0);
    expect(this.stat(Stat.connections)).toBe(0);
  }
}

function call(tool: string, args = '{}', id = '1', meta?: object): string {
  const extra = meta === undefined ? '' : `,"_meta":${JSON.stringify(meta)}`;
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":${args}${extra}}}`;
}

const list = (meta?: object) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: meta === undefined ? {} : { _meta: meta } });

export function pipeCases(pipe: PipeEngine): void {
  describe('pipe', () => {
    doorCases(pipe);
    lineCases(pipe);
    flowCases(pipe);
    endCases(pipe);
  });
}

function doorCases(pipe: PipeEngine): void {
  const up = '{"jsonrpc":"2.0","id":1,"result":{"up":"PIPE"}}';
  const V = 'io.modelcontextprotocol/protocolVersion';
  const C = 'io.modelcontextprotocol/clientCapabilities';
  const cases: [string, string, string][] = [
    ['legacy call', call('echo', '{"a":1}'), echoed('1', '{"a":1}')],
    ['legacy call beyond ASCII', call('größe', '{"a":"ü😀"}'), echoed('1', '{"a":"ü😀"}', 8)],
    ['legacy list', list(), '{"jsonrpc":"2.0","id":1,"result":{"tools":[],"era":"legacy"}}'],
    ['modern list', list(META), '{"jsonrpc":"2.0","id":1,"result":{"tools":[],"era":"modern"}}'],
    ['answer that the era does not have', list(META).replace('tools/list', 'ping'), up],
    ['modern, unknown revision', list({ ...META, [V]: '2099-01-01' }), up],
    ['modern, no capabilities', list({ [V]: META[V] }), up],
    ['modern, capabilities are no object', list({ ...META, [C]: [] }), up],
    ['modern, version is no string', list({ ...META, [V]: 1 }), up],
    ['legacy version in modern _meta', list({ ...META, [V]: '2025-11-25' }), up],
    ['unknown tool', call('nobody'), up],
    ['escaped name', call('ech\\u006f'), up],
    ['other params', call('echo').replace('"arguments"', '"task":{},"arguments"'), up],
    ['list with cursor', list().replace('{}', '{"cursor":"c"}'), up],
  ];
  for (const [what, line, expected] of cases) {
    it(`door: ${what}`, async () => {
      const peer = new Peer(pipe).read();
      peer.input.write(`${line}\n`);
      expect(await peer.line(1)).toBe(expected);
      if (expected === up) expect(peer.receiver.seen).toMatchObject([{ kind: 'message', method: 'PIPE', text: line }]);
      await peer.finish(1);
    });
  }

  it('door: modern call, with and without progress token', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('echo', '{}', '1', META)}\n${call('echo', '{}', '2', { ...META, progressToken: 1 })}\n`);
    await peer.line(2);
    expect(peer.receiver.seen).toMatchObject([
      { kind: 'call', flags: 2 },
      { kind: 'call', flags: 6 },
    ]);
    expect(JSON.parse(peer.lines[0] as string).result.meta).toEqual(META);
    await peer.finish(2);
  });

  it('door: notifications, responses and batches go up and need no answer', async () => {
    const peer = new Peer(pipe).read();
    const lines = [
      '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      '{"jsonrpc":"2.0","id":7,"result":{"ü":1}}',
      `[${call('echo')}]`,
    ];
    peer.input.write(`${lines.join('\n')}\n`);
    await until(() => peer.receiver.seen.length === 3);
    expect(peer.receiver.seen.map((one) => one.text)).toEqual(lines);
    await peer.finish(0);
  });
}

function lineCases(pipe: PipeEngine): void {
  it('takes any chunking, CRLF and empty lines', async () => {
    const peer = new Peer(pipe).read();
    const bytes = Buffer.from(`\n${call('echo', '{"s":"ß€😀"}', '1')}\r\n\r\n${call('echo', '{}', '2')}\n`);
    for (const byte of bytes) peer.input.write(Buffer.from([byte]));
    expect(await peer.line(2)).toBe(echoed('2', '{}'));
    expect(peer.lines[0]).toBe(echoed('1', '{"s":"ß€😀"}'));
    await peer.finish(2);
  });

  it('refuses bad lines one by one and goes on', async () => {
    const peer = new Peer(pipe).read();
    const long = call('echo', `{"s":"${'x'.repeat(25_000)}"}`);
    const bad = [
      '{"jsonrpc":"2.0",',
      'hello',
      '42',
      '['.repeat(10_000),
      long,
      '{"jsonrpc":"2.0","id":null,"method":"x"}',
    ];
    const latin = Buffer.from('{"jsonrpc":"2.0","id":"\xff","method":"ping"}\n', 'latin1');
    peer.input.write(Buffer.concat([...bad.map((line) => Buffer.from(`${line}\n${call('echo')}\n`)), latin]));
    await peer.line(13);
    const codes = peer.lines.filter((line) => line.includes('"error"')).map((line) => JSON.parse(line));
    expect(codes.map(({ error }) => error.code)).toEqual([-32700, -32700, -32600, -32600, -32600, -32600, -32700]);
    expect(codes.every(({ id, jsonrpc }) => id === null && jsonrpc === '2.0')).toBe(true);
    expect(peer.lines.filter((line) => line === echoed('1', '{}'))).toHaveLength(6);
    expect(peer.stat(Stat.refused)).toBe(7);
    await peer.finish(13);
  });

  it('never breaks a line', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('hold')}\n`);
    await until(() => peer.receiver.seen.length === 1);
    const { slot } = peer.receiver.seen[0] as { slot: number };
    peer.listener.event(slot, 'e', '{\r\n"n": 1\n}');
    peer.listener.reply(slot, 200, Shape.result, 0, '', '{\n"a":1}');
    await peer.line(2);
    expect(peer.lines.map((line) => JSON.parse(line))).toEqual([{ n: 1 }, { jsonrpc: '2.0', id: 1, result: { a: 1 } }]);
    await peer.finish(2);
  });

  it('sends events in order before the reply', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('stream', '{}', '4')}\n`);
    await peer.line(3);
    expect(peer.lines).toEqual(['{"n":1}', '{"n":"zwölf"}', echoed('4', '{}', Handler.stream)]);
    await peer.finish(3);
  });
}

function flowCases(pipe: PipeEngine): void {
  it('refuses an id that is in flight, and takes it again afterwards', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('hold', '{}', '"x"')}\n${call('echo', '{}', '"x"')}\n${call('echo')}\n`);
    await peer.line(2);
    expect(peer.lines).toEqual([refusal(-32600, 'Request id is already in use', '"x"'), echoed('1', '{}')]);
    peer.listener.reply(peer.receiver.seen[0]?.slot ?? -1, 200, Shape.result, 0, '', '1');
    peer.input.write(`${call('echo', '{}', '"x"')}\n`);
    expect(await peer.line(4)).toBe(echoed('"x"', '{}'));
    await peer.finish(4);
  });

  it('is bounded in flight, but still hears notifications', async () => {
    const peer = new Peer(pipe, { maxInFlight: 2 }).read();
    const note = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}';
    peer.input.write(`${call('hold', '{}', '1')}\n${call('hold', '{}', '2')}\n${call('echo', '{}', '3')}\n${note}\n`);
    peer.input.write(`${list()}\n`);
    await peer.line(2);
    expect(peer.lines[0]).toBe(refusal(-32000, 'Server overloaded', '3'));
    expect(peer.lines[1]).toBe(refusal(-32600, 'Request id is already in use', '1'));
    await until(() => peer.receiver.seen.at(-1)?.text === note);
    expect(peer.stat(Stat.overloaded)).toBe(1);
    for (const { slot } of peer.receiver.seen.slice(0, 2)) peer.listener.reply(slot, 200, Shape.result, 0, '', '1');
    await peer.line(4);
    await peer.finish(4);
  });

  it('writes the replies of one turn at once', async () => {
    const writes: string[] = [];
    const output = new Writable({
      write(chunk, _encoding, done) {
        writes.push(String(chunk));
        done();
      },
    });
    const peer = new Peer(pipe, { output });
    peer.input.write(Array.from({ length: 50 }, (_, i) => `${call('echo', '{}', `${i}`)}\n`).join(''));
    peer.input.end();
    await peer.listener.closed;
    expect(writes.join('').trimEnd().split('\n')).toHaveLength(50);
    expect(writes).toHaveLength(1);
  });

  it('stops reading while the peer does not, and loses nothing', async () => {
    const peer = new Peer(pipe, { highWaterMark: 4096, maxMessageBytes: 200_000, maxInFlight: 5000 });
    const total = 2000;
    let sent = 0;
    const pad = 'x'.repeat(500);
    const feed = () => {
      while (sent < total && peer.input.write(`${call('echo', `{"pad":"${pad}"}`, `${sent++}`)}\n`)) {}
      if (sent < total) peer.input.once('drain', feed);
      else peer.input.end();
    };
    feed();
    // The streams have buffers of their own: it stops for good when those are full.
    let taken = -1;
    while (taken !== peer.stat(Stat.calls) || !peer.input.isPaused()) {
      taken = peer.stat(Stat.calls);
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    }
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(total / 2);
    peer.read();
    await peer.listener.closed;
    await until(() => peer.lines.length === total);
    expect(peer.lines.map((line) => JSON.parse(line).id)).toEqual(Array.from({ length: total }, (_, i) => i));
  });

  it('asks who writes events to wait while the peer does not read, and wakes them once', async () => {
    const peer = new Peer(pipe, { highWaterMark: 4096 });
    const { listener, receiver } = peer;
    peer.input.write(`${call('hold', '{}', '1')}\n${call('hold', '{}', '2')}\n`);
    await until(() => receiver.seen.length === 2);
    const [one, two] = receiver.seen.map(({ slot }) => slot) as [number, number];
    expect(listener.event(two, '', '{"few":1}')).toBeLessThan(100);
    let events = 0;
    await until(() => {
      events++;
      return listener.event(one, '', JSON.stringify('x'.repeat(500))) > 4096;
    });
    expect(receiver.drained).toEqual([]);
    peer.read();
    await until(() => receiver.drained.length > 0);
    for (const slot of [one, two]) listener.reply(slot, 200, Shape.result, 0, '', '{}');
    expect(listener.event(one, '', '{}')).toBe(-1);
    await peer.line(events + 3);
    expect(receiver.drained).toEqual([one]);
    await peer.finish(events + 3);
  });

  it('has no bodies, tokens or certificates', async () => {
    const peer = new Peer(pipe).read();
    const { listener } = peer;
    peer.input.write(`${call('hold', '{}', '1')}\n`);
    await until(() => peer.receiver.seen.length === 1);
    const { slot } = peer.receiver.seen[0] as { slot: number };
    listener.open(slot, 200, 'content-type: text/plain\r\n');
    expect(listener.write(slot, 'lost')).toBe(-1);
    listener.admit('00'.repeat(32), 5, 0);
    expect([listener.principal(slot), listener.expel('00'.repeat(32))]).toEqual([0, false]);
    expect(listener.renewTls('', '')).not.toBe('');
    listener.reply(slot, 200, Shape.result, 0, '', '1');
    expect(await peer.line(1)).toBe('{"jsonrpc":"2.0","id":1,"result":1}');
    await peer.finish(1);
  });

  it('answers for a receiver that throws', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('throws', '{}', '5')}\n`);
    expect(await peer.line(1)).toBe(refusal(-32603, 'Internal error', '5'));
    expect(peer.stat(Stat.panics)).toBe(1);
    await peer.finish(1);
  });

  it('counts a late reply and says nothing', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('echo')}\n`);
    await peer.line(1);
    const { slot } = peer.receiver.seen[0] as { slot: number };
    peer.listener.reply(slot, 200, Shape.result, 0, '', '{}');
    peer.listener.event(slot, '', '{}');
    expect([peer.listener.id(slot), peer.listener.meta(slot), peer.listener.head(slot)]).toEqual(['', '', '']);
    expect(peer.stat(Stat.staleReplies)).toBe(1);
    await peer.finish(1);
  });
}

function endCases(pipe: PipeEngine): void {
  it('keeps what was opened, and does not wait for it at the end', async () => {
    const peer = new Peer(pipe).read();
    let slot = -1;
    peer.receiver.message = (listener, taken) => {
      slot = taken;
      listener.open(taken, 200, '');
    };
    peer.input.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    await until(() => slot !== -1);
    expect([peer.stat(Stat.inFlight), peer.listener.event(slot, '', '{"a":1}') >= 0]).toEqual([0, true]);
    expect(await peer.line(1)).toBe('{"a":1}');
    peer.input.end();
    await peer.listener.closed;
    expect([peer.listener.event(slot, '', '{}'), peer.stat(Stat.aborted)]).toEqual([-1, 1]);
  });

  it('ends after the running calls when the input does', async () => {
    const peer = new Peer(pipe).read();
    peer.input.end(`${call('later', '{}', '1')}\n${call('hold', '{}', '2')}`); // the last line has no line break
    expect(await peer.line(1)).toBe(echoed('1', '{}', Handler.later));
    expect(peer.stat(Stat.connections)).toBe(1);
    await until(() => peer.receiver.seen.length === 2);
    peer.listener.reply(peer.receiver.seen[1]?.slot ?? -1, 200, Shape.result, 0, '', '2');
    await peer.listener.closed;
    expect(await peer.line(2)).toBe('{"jsonrpc":"2.0","id":2,"result":2}');
    expect(peer.receiver.aborted).toEqual([]);
  });

  it('refuses half a message at the end of input', async () => {
    const peer = new Peer(pipe).read();
    peer.input.end('{"jsonrpc":"2.0","id":1,"method":"tools/ca');
    await peer.listener.closed;
    expect(JSON.parse(await peer.line(1))).toMatchObject({ id: null, error: { code: -32700 } });
  });

  it('ends at once on an empty input', async () => {
    const peer = new Peer(pipe).read();
    peer.input.end();
    await peer.listener.closed;
    expect(peer.lines).toEqual([]);
  });

  it('aborts everything when the output fails, and does not crash', async () => {
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const output = new Writable({ write: (_chunk, _encoding, done) => done(error) });
    const peer = new Peer(pipe, { output });
    peer.input.write(`${call('hold', '{}', '1')}\n${call('hold', '{}', '2')}\n${call('echo', '{}', '3')}\n`);
    await peer.listener.closed;
    const held = peer.receiver.seen.filter((one) => one.handler === Handler.hold).map((one) => one.slot);
    expect(peer.receiver.aborted).toEqual(held);
    for (const slot of held) peer.listener.reply(slot, 200, Shape.result, 0, '', '{}');
    expect(peer.stat(Stat.staleReplies)).toBe(2);
    expect(peer.stat(Stat.aborted)).toBe(2);
  });

  it('aborts everything when the output is closed', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('hold')}\n`);
    await until(() => peer.receiver.seen.length === 1);
    peer.output.destroy();
    await peer.listener.closed;
    expect(peer.receiver.aborted).toHaveLength(1);
  });

  it('closes: takes nothing more, lets the running call end', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('hold')}\n`);
    await until(() => peer.receiver.seen.length === 1);
    const closed = peer.listener.close(60_000);
    peer.input.write(`${call('echo', '{}', '2')}\n`);
    peer.listener.reply(peer.receiver.seen[0]?.slot ?? -1, 200, Shape.result, 0, '', '1');
    await closed;
    await peer.listener.close(0);
    expect(await peer.line(1)).toBe('{"jsonrpc":"2.0","id":1,"result":1}');
    expect(peer.receiver.seen).toHaveLength(1);
    for (const name of ['data', 'end', 'close']) expect(peer.input.listenerCount(name)).toBe(0);
  });

  it('closes: aborts what is left after the grace', async () => {
    const peer = new Peer(pipe).read();
    peer.input.write(`${call('hold')}\n`);
    await until(() => peer.receiver.seen.length === 1);
    await peer.listener.close(10);
    expect(peer.receiver.aborted).toHaveLength(1);
    expect(peer.lines).toEqual([]);
  });
}
