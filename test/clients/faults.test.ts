/**
 * Clients and handlers at their worst, from outside: too slow, too many, gone halfway, or never done. Whoever is concerned
 * is told, nobody else notices, and nothing stays behind.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { EngineName } from '../../ts/engine/engine.js';
import { Wire, type WireResponse } from '../engine/wire.js';
import { engineNames } from '../engines.js';
import { answerOf, call, FaultStage, legacy, modern, text } from './faults.js';
import { ask, atEnd, callTool } from './stage.js';

const ERAS = ['legacy', 'modern'] as const;

async function client(stage: FaultStage, era: (typeof ERAS)[number]): Promise<Client> {
  const mode = era === 'legacy' ? 'legacy' : { pin: '2026-07-28' };
  const one = new Client({ name: 'bystander', version: '1' }, { versionNegotiation: { mode } as never });
  await one.connect(new StreamableHTTPClientTransport(new URL(stage.listener.url)));
  atEnd(() => one.close());
  return one;
}

describe.each(engineNames)('slow clients, %s', (engine: EngineName) => {
  it('a slow reader makes the source of its result wait, and gets all of it', async () => {
    const PIECE = 'zwölf '.repeat(10_000);
    const COUNT = 200;
    let made = 0;
    const stage = new FaultStage(engine);
    stage.server.registerResource('pieces', 'memo://pieces', {}, (uri) => ({
      contents: [
        {
          uri: uri.href,
          text: (async function* () {
            for (; made < COUNT; made++) yield PIECE;
          })(),
        },
      ],
    }));
    await stage.listen();
    const wire = await stage.wire();
    wire.socket.pause();
    wire.send(modern(1, 'resources/read', { uri: 'memo://pieces' }, 'memo://pieces'));
    let before = -1;
    while (made < 3 || made !== before) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // 14 MB in all: the system takes a part of it, and then the source rests.
    expect(before).toBeLessThan(COUNT);
    await stage.alive();
    wire.socket.resume();
    const { contents } = answerOf((await wire.response()).text).result as { contents: { text: string }[] };
    expect(contents[0]?.text === PIECE.repeat(COUNT)).toBe(true);
    await stage.settled({ inFlight: 0 });
    await stage.alive(wire);
  });

  it('slow readers of whole results keep nobody else', async () => {
    const stage = await new FaultStage(engine).listen();
    const wires = await stage.wires(5);
    for (const [i, wire] of wires.entries()) {
      wire.socket.pause();
      wire.send(call(ERAS[i % 2] as 'legacy', i, 'large'));
    }
    await stage.settled({ calls: 5 });
    const bystander = await client(stage, 'modern');
    for (let i = 0; i < 50; i++)
      expect(await bystander.callTool({ name: 'echo', arguments: { i } })).toMatchObject(text(`{"i":${i}}`));
    for (const [i, wire] of wires.entries()) {
      wire.socket.resume();
      const answer = answerOf((await wire.response()).text);
      expect(answer.id).toBe(i);
      const { content } = answer.result as { content: { text: string }[] };
      expect(content[0]?.text).toHaveLength(4_000_000);
    }
    await stage.alive(wires[0]);
  });

  it('slow writers are waited for, to a point', async () => {
    const stage = await new FaultStage(engine).listen({ bodyTimeout: 1500, headerTimeout: 1500 });
    const [good, ...stuck] = await stage.wires(11);
    // Enough for the head, and for half of the body.
    for (const wire of stuck) wire.send(call('modern', 1, 'echo', { never: 'arrives' }).slice(0, -20));
    await good?.sendSlowly(Buffer.from(call('modern', 1, 'echo', { slow: 'ü' })), 40);
    expect(answerOf((await good?.response())?.text as string).result).toMatchObject(text('{"slow":"ü"}'));
    for (const wire of stuck) {
      expect((await wire.response()).status).toBe(408);
      await wire.closed;
    }
    await stage.settled({ calls: 1, inFlight: 0 });
    await stage.alive();
  });

  it('a client that closes its half of the connection is gone, and its handler hears of it', async () => {
    const stage = await new FaultStage(engine).listen();
    const wires = await stage.wires(4);
    for (const [i, wire] of wires.entries()) wire.send(call(ERAS[i % 2] as 'legacy', i, i < 2 ? 'hold' : 'never'));
    await stage.settled({ inFlight: 4 });
    for (const wire of wires) wire.end();
    await Promise.all(wires.map((wire) => wire.closed));
    await vi.waitFor(() => expect(stage.aborted).toEqual(new Array(4).fill('AbortError')), 10_000);
    await stage.settled({ inFlight: 0, connections: 0, aborted: 4 });
    // What they give afterwards goes nowhere.
    for (const go of stage.held) go();
    await stage.alive();
  });

  it('so is one with an open subscription', async () => {
    const stage = await new FaultStage(engine).listen({ maxStreams: 1 });
    stage.server.registerResource('memo', 'memo://1', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'one' }] }));
    stage.server.flush();
    const listen = modern(1, 'subscriptions/listen', { notifications: { toolsListChanged: true } });
    for (let times = 0; times < 3; times++) {
      const wire = await stage.wire();
      wire.send(listen);
      await wire.until('acknowledged');
      wire.end();
      await wire.closed;
      await stage.settled({ connections: 0 });
    }
    await stage.alive();
  });
});

describe.each(engineNames)('floods, %s', (engine: EngineName) => {
  it('of connections: those that are there are served all the while', async () => {
    const stage = await new FaultStage(engine).listen({ maxConnections: 6 });
    const bystanders = await stage.wires(6);
    for (const wire of bystanders) {
      wire.send(call('modern', 1, 'echo'));
      await wire.response();
    }
    let over = false;
    const served = bystanders.map(async (wire, i) => {
      let count = 0;
      for (; !over; count++) {
        wire.send(call(ERAS[i % 2] as 'legacy', count, 'later', { i, count }));
        expect(answerOf((await wire.response()).text).result).toMatchObject(text(`{"i":${i},"count":${count}}`));
      }
      return count;
    });
    for (let wave = 0; wave < 10; wave++) {
      const flood = await Promise.all(
        Array.from({ length: 30 }, () => Wire.connect(stage.listener.port).catch(() => null)),
      );
      for (const wire of flood) wire?.send(call('modern', 1, 'later'));
      await Promise.all(flood.map((wire) => wire?.closed));
    }
    over = true;
    const counts = await Promise.all(served);
    expect(stage.runs).toBe(counts.reduce((sum, count) => sum + count, 0));
    expect(stage.listener.stats()).toMatchObject({ connections: 6, inFlight: 0, panics: 0 });
    await Promise.all(bystanders.map((wire) => wire.leave()));
    await stage.settled({ connections: 0 });
    await stage.alive();
  });

  it('of calls: 503 and Retry-After for those above the limit, in both eras', async () => {
    const stage = await new FaultStage(engine).listen({ maxInFlight: 10 });
    const bystander = await client(stage, 'legacy');
    const holders = await stage.wires(10);
    for (const [i, wire] of holders.entries()) wire.send(call(ERAS[i % 2] as 'legacy', i, 'hold'));
    await stage.settled({ inFlight: 10 });
    const more = await stage.wires(40);
    for (const [i, wire] of more.entries()) wire.send(call(ERAS[i % 2] as 'legacy', 100 + i, 'echo'));
    const refusals: WireResponse[] = await Promise.all(more.map((wire) => wire.response()));
    for (const [i, { status, headers, text: body }] of refusals.entries()) {
      expect([status, headers['retry-after']]).toEqual([503, '1']);
      expect(answerOf(body)).toMatchObject({ id: 100 + i, error: { code: -32000, message: 'Server overloaded' } });
    }
    // What an engine answers by itself takes no place.
    expect((await bystander.listTools()).tools).toHaveLength(6);
    await expect(bystander.callTool({ name: 'echo', arguments: {} })).rejects.toThrow();
    // A refused client keeps its connection, and is served when there is room.
    stage.held[0]?.();
    expect(answerOf((await (holders[0] as Wire).response()).text).result).toMatchObject(text('let go'));
    const again = more[0] as Wire;
    again.send(call('legacy', 1, 'echo', { again: 1 }));
    expect(answerOf((await again.response()).text).result).toMatchObject(text('{"again":1}'));
    for (const go of stage.held) go();
    for (const wire of holders.slice(1)) expect((await wire.response()).status).toBe(200);
    await stage.settled({ inFlight: 0, aborted: 0 });
    expect(await bystander.callTool({ name: 'echo', arguments: { on: 1 } })).toMatchObject(text('{"on":1}'));
  });

  it('of notifications: they take places like calls, and leave them at once', async () => {
    const stage = await new FaultStage(engine).listen({ maxInFlight: 10 });
    const wires = await stage.wires(10);
    const session = await stage.session(wires[0] as Wire);
    const note = legacy({ jsonrpc: '2.0', method: 'notifications/nothing' }, session);
    for (const wire of wires) wire.send(note.repeat(50));
    for (const wire of wires) for (let i = 0; i < 50; i++) expect((await wire.response()).status).toBe(202);
    await stage.settled({ inFlight: 0 });
    await stage.alive();
  });
});

describe.each(engineNames)('handlers, %s', (engine: EngineName) => {
  it('one that never returns is answered for, in every method and era, and told so', async () => {
    const stage = new FaultStage(engine);
    stage.server.registerPrompt('stuck', {}, () => new Promise(() => {}));
    stage.server.registerResource('stuck', 'memo://stuck', {}, () => new Promise(() => {}));
    await stage.listen({ toolTimeout: 80 });
    const wire = await stage.wire();
    const ask1 = async (bytes: string) => {
      wire.send(bytes);
      return answerOf((await wire.response()).text);
    };
    for (const era of ERAS) {
      const { result } = await ask1(call(era, 1, 'never'));
      expect(result).toMatchObject({
        isError: true,
        content: [{ text: 'tools/call never gave no answer within 80 ms' }],
      });
    }
    expect(stage.aborted).toEqual(['TimeoutError', 'TimeoutError']);
    const error = (what: string) => ({ error: { code: -32603, message: `${what} gave no answer within 80 ms` } });
    expect(await ask1(legacy(ask(1, 'prompts/get', { name: 'stuck' })))).toMatchObject(error('prompts/get stuck'));
    expect(await ask1(modern(1, 'prompts/get', { name: 'stuck' }, 'stuck'))).toMatchObject(error('prompts/get stuck'));
    const read = modern(1, 'resources/read', { uri: 'memo://stuck' }, 'memo://stuck');
    expect(await ask1(read)).toMatchObject(error('resources/read memo://stuck'));
    await stage.settled({ inFlight: 0 });
    await stage.alive(wire);
  });

  it('a hundred of them keep nobody else, and what comes too late goes nowhere', async () => {
    const stage = await new FaultStage(engine).listen({ toolTimeout: 300, maxInFlight: 110 });
    const wires = await stage.wires(100);
    for (const [i, wire] of wires.entries()) wire.send(call(ERAS[i % 2] as 'legacy', i, 'hold'));
    const bystander = await client(stage, 'modern');
    expect(await bystander.callTool({ name: 'echo', arguments: { on: 1 } })).toMatchObject(text('{"on":1}'));
    for (const [i, wire] of wires.entries()) {
      expect(answerOf((await wire.response()).text)).toMatchObject({ id: i, result: { isError: true } });
    }
    for (const go of stage.held) go();
    await stage.settled({ inFlight: 0 });
    expect(stage.held).toHaveLength(100);
    await stage.alive(wires[0]);
  });

  it.each(ERAS)('one that throws after its reply began ends its stream with the error, %s', async (era) => {
    const stage = await new FaultStage(engine).listen();
    const wire = await stage.wire();
    wire.send(call(era, 7, 'half', {}, { progressToken: 'p' }));
    const { status, headers, text: body } = await wire.response();
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect(body).toContain('half of it');
    expect(answerOf(body)).toMatchObject({ id: 7, result: { isError: true, ...text('thrown after the reply began') } });
    await stage.settled({ inFlight: 0, aborted: 0 });
    await stage.alive(wire);
  });

  it('a source that fails in the middle of a result leaves a body that nobody takes for whole', async () => {
    const stage = new FaultStage(engine);
    let closed = 0;
    stage.server.registerResource('broken', 'memo://broken', {}, (uri) => ({
      contents: [
        {
          uri: uri.href,
          text: (async function* () {
            try {
              for (let i = 0; i < 3; i++) yield 'x'.repeat(60_000);
              throw new Error('the source is dry: /etc/secret');
            } finally {
              closed++;
            }
          })(),
        },
      ],
    }));
    await stage.listen();
    for (const bytes of [
      modern(1, 'resources/read', { uri: 'memo://broken' }, 'memo://broken'),
      legacy(ask(1, 'resources/read', { uri: 'memo://broken' })),
    ]) {
      const wire = await stage.wire();
      wire.send(bytes);
      const body = await wire.response().then(
        (response) => response.text,
        (cut: Error) => cut.message,
      );
      expect(() => JSON.parse(body)).toThrow();
      expect(body).not.toContain('secret');
    }
    await stage.settled({ inFlight: 0 });
    expect(closed).toBe(2);
    await stage.alive();
  });

  it('one whose client left in the middle stops its source', async () => {
    const stage = new FaultStage(engine);
    let closed = 0;
    stage.server.registerResource('endless', 'memo://endless', {}, (uri) => ({
      contents: [
        {
          uri: uri.href,
          text: (async function* () {
            try {
              for (;;) yield 'x'.repeat(60_000);
            } finally {
              closed++;
            }
          })(),
        },
      ],
    }));
    await stage.listen();
    for (const leave of ['leave', 'end'] as const) {
      const wire = await stage.wire();
      wire.send(modern(1, 'resources/read', { uri: 'memo://endless' }, 'memo://endless'));
      await wire.until('xxx');
      await wire[leave]();
      await wire.closed;
    }
    await vi.waitFor(() => expect(closed).toBe(2), 10_000);
    await stage.settled({ inFlight: 0, connections: 0 });
    await stage.alive();
  });

  it('results that are none, and arguments that break a schema of their own, harm nobody', async () => {
    const stage = new FaultStage(engine);
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    stage.server.registerTool('loop', {}, () => ({ content: [], structuredContent: loop }) as never);
    stage.server.registerTool('nothing', {}, () => undefined as never);
    stage.server.registerTool('bigint', {}, () => ({ content: [], structuredContent: { n: 1n } }) as never);
    const throwing = z.string().refine(() => {
      throw new Error('thrown by the schema');
    });
    stage.server.registerTool('schema', { inputSchema: { a: throwing } }, () => text('never'));
    await stage.listen();
    const wire = await stage.wire();
    for (const era of ERAS) {
      for (const name of ['loop', 'nothing', 'bigint', 'schema']) {
        wire.send(call(era, 1, name, { a: 'x' }));
        const { error, result } = answerOf((await wire.response()).text);
        expect([name, error !== undefined || result?.isError === true]).toEqual([name, true]);
      }
    }
    wire.send(legacy(callTool(1, 'echo', { on: 1 })));
    expect((await wire.response()).status).toBe(200);
    await stage.settled({ inFlight: 0 });
    await stage.alive(wire);
  });
});
