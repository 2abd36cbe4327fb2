/**
 * What ends, and what must not stay behind: closing under load, sessions that nobody keeps, subscribers that never read.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it, vi } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import { attachmentOf } from '../../ts/server/mcp.js';
import { serveWebSocket } from '../../ts/server/websocket.js';
import { request, Wire } from '../engine/wire.js';
import { engineNames } from '../engines.js';
import { answerOf, call, FaultStage, legacy, modern, text } from './faults.js';
import { ask, atEnd, Child, callTool, fixture } from './stage.js';
import { RawSocket } from './websocket.js';

const ERAS = ['legacy', 'modern'] as const;

/** Calls until the connection ends; how many were answered, each with its own answer. */
async function talk(port: number, era: (typeof ERAS)[number], who: number): Promise<number> {
  const wire = await Wire.connect(port);
  for (let count = 0; ; count++) {
    if (wire.socket.writable) wire.send(call(era, count, 'later', { who, count }));
    const answer = await wire.response().catch(() => null);
    if (answer === null) {
      await wire.closed;
      return count;
    }
    expect(answerOf(answer.text)).toMatchObject({ id: count, result: text(JSON.stringify({ who, count })) });
    if (answer.headers.connection === 'close') {
      await wire.closed;
      return count + 1;
    }
  }
}

describe.each(engineNames)('closing under load, %s', (engine: EngineName) => {
  it('loses no accepted call', async () => {
    const stage = await new FaultStage(engine).listen();
    const { port, url } = stage.listener;
    const raw = Array.from({ length: 16 }, (_, who) => talk(port, ERAS[who % 2] as 'legacy', who));
    // Official clients besides, which keep a pool of connections.
    const official = ERAS.map(async (era) => {
      const mode = era === 'legacy' ? 'legacy' : { pin: '2026-07-28' };
      const client = new Client({ name: 'load', version: '1' }, { versionNegotiation: { mode } as never });
      await client.connect(new StreamableHTTPClientTransport(new URL(url)));
      atEnd(() => client.close());
      for (let count = 0; ; count++) {
        const result = await client.callTool({ name: 'later', arguments: { count } }).catch(() => null);
        if (result === null) return count;
        expect(result).toMatchObject(text(`{"count":${count}}`));
      }
    });
    await vi.waitFor(() => expect(stage.runs).toBeGreaterThan(400), 10_000);
    await stage.server.close({ grace: 60_000 });
    const answered = (await Promise.all([...raw, ...official])).reduce((sum, count) => sum + count, 0);
    expect(answered).toBe(stage.runs);
    expect(stage.listener.stats()).toMatchObject({ aborted: 0, inFlight: 0, connections: 0, panics: 0 });
  });

  it('ends streams and subscriptions in good order', async () => {
    const stage = await new FaultStage(engine).listen();
    const [subscriber, holder, standalone] = await stage.wires(3);
    subscriber?.send(modern(5, 'subscriptions/listen', { notifications: { toolsListChanged: true } }));
    await subscriber?.until('acknowledged');
    const session = await stage.session(standalone as Wire);
    const accept = ['accept', 'text/event-stream'] as const;
    standalone?.send(request('GET', '/mcp', [accept, ['mcp-session-id', session]]));
    await standalone?.until('text/event-stream');
    holder?.send(call('modern', 6, 'hold', {}, { progressToken: 1 }));
    await stage.settled({ inFlight: 1 });
    const closed = stage.listener.close({ grace: 60_000 });
    expect(answerOf((await subscriber?.response())?.text as string)).toMatchObject({
      id: 5,
      result: { resultType: 'complete' },
    });
    stage.held[0]?.();
    expect(answerOf((await holder?.response())?.text as string)).toMatchObject({ id: 6, result: text('let go') });
    await closed;
    expect((await standalone?.response('GET'))?.status).toBe(200);
    await Promise.all([subscriber?.closed, holder?.closed, standalone?.closed]);
    expect(stage.listener.stats()).toMatchObject({ connections: 0, inFlight: 0 });
  });
});

it('closing under load loses no accepted call over WebSocket', async () => {
  const stage = new FaultStage('js');
  const listener = await serveWebSocket(stage.server, { port: 0 });
  const clients = await Promise.all(Array.from({ length: 8 }, () => RawSocket.open(listener.url)));
  for (const raw of clients) {
    // Each answer is followed by another call, eight at a time.
    raw.ws.on(
      'message',
      () => raw.ws.readyState === raw.ws.OPEN && raw.send(callTool(raw.messages.length + 8, 'later')),
    );
    for (let id = 0; id < 8; id++) raw.send(callTool(`first ${id}`, 'later'));
  }
  await vi.waitFor(() => expect(stage.runs).toBeGreaterThan(400), 10_000);
  await stage.server.close({ grace: 60_000 });
  for (const raw of clients) expect(await raw.closed).toBe(1001);
  expect(clients.reduce((sum, raw) => sum + raw.messages.length, 0)).toBe(stage.runs);
  expect(listener.stats()).toMatchObject({ aborted: 0, inFlight: 0, connections: 0 });
});

/** Handshakes, ten connections at a time; the ids of the sessions. */
async function openSessions(port: number, count: number): Promise<string[]> {
  const initialize = legacy(
    ask('init', 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'a', version: '1' },
    }),
  );
  const lines = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const wire = await Wire.connect(port);
      const ids: string[] = [];
      for (let i = 0; i < count / 10; i++) {
        wire.send(initialize);
        ids.push((await wire.response()).headers['mcp-session-id'] as string);
      }
      await wire.leave();
      return ids;
    }),
  );
  return lines.flat();
}

/** Waits until they are unknown. Each is asked for at most once, as asking is using. */
async function forgotten(port: number, ids: readonly string[]): Promise<void> {
  const wire = await Wire.connect(port);
  for (const id of ids.toReversed()) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    wire.send(legacy(ask(1, 'tools/list'), id));
    if ((await wire.response()).status === 404) break;
  }
  await wire.leave();
}

describe.each(engineNames)('1,000 sessions that nobody keeps, %s', (engine: EngineName) => {
  it('are gone after a while, at the door and behind it', async () => {
    const stage = await new FaultStage(engine).listen({ sessionIdleTimeout: 2000 });
    const receiver = attachmentOf(stage.server).receiver();
    const ids = await openSessions(stage.listener.port, 1000);
    expect(new Set(ids).size).toBe(1000);
    expect(receiver.sessionCount).toBeGreaterThan(0);
    await vi.waitFor(() => expect(receiver.sessionCount).toBe(0), 15_000);
    const wire = await stage.wire();
    for (const id of ids.slice(0, 20)) {
      for (const message of [ask(1, 'tools/list'), callTool(1, 'echo')]) {
        wire.send(legacy(message, id));
        expect((await wire.response()).status).toBe(404);
      }
    }
    await stage.settled({ connections: 1, inFlight: 0 });
    await stage.alive(wire);
  });

  it('make room for new ones while they are there', async () => {
    const stage = await new FaultStage(engine).listen({ maxSessions: 100 });
    const receiver = attachmentOf(stage.server).receiver();
    const wire = await stage.wire();
    const kept = await stage.session(wire);
    for (let round = 0; round < 10; round++) {
      await openSessions(stage.listener.port, 90);
      expect(receiver.sessionCount).toBeLessThanOrEqual(100);
      wire.send(legacy(callTool(round, 'echo', { round }), kept));
      expect(answerOf((await wire.response()).text).result).toMatchObject(text(`{"round":${round}}`));
    }
    await stage.alive(wire);
  });

  it('leave no memory behind', async () => {
    const child = new Child(['--expose-gc', fixture('sessions.mjs')], engine);
    const { url } = (await child.message(0)) as { url: string };
    const port = Number(new URL(url).port);
    let line = 1;
    const weigh = async (): Promise<{ bytes: number; rss: number }> => {
      child.send('weigh');
      return (await child.message(line++)) as never;
    };
    // Code, pools and tables find their size in the first rounds.
    const round = async () => forgotten(port, await openSessions(port, 1000));
    await round();
    await round();
    const before = await weigh();
    for (let i = 0; i < 4; i++) await round();
    const after = await weigh();
    // 4,000 sessions: a kilobyte of each would be four times as much.
    expect(after.bytes - before.bytes).toBeLessThan(1_000_000);
    expect(after.rss - before.rss).toBeLessThan(64_000_000);
    child.process.stdin.end();
    expect(await child.exit).toBe(0);
  });
});

describe.each(engineNames)('subscribers that never read, %s', (engine: EngineName) => {
  const uri = `memo://${'x'.repeat(1900)}`;
  const stageOf = async () => new FaultStage(engine).listen({ maxStreamBytes: 200_000, streamHighWaterMark: 50_000 });

  it('are cut off; those that read miss nothing', async () => {
    const stage = await stageOf();
    const [deaf, reads] = await stage.wires(2);
    const listen = modern(1, 'subscriptions/listen', { notifications: { resourceSubscriptions: [uri] } });
    stage.server.registerResource('memo', uri, {}, (at) => ({ contents: [{ uri: at.href, text: 'one' }] }));
    stage.server.flush();
    for (const wire of [deaf, reads]) {
      wire?.send(listen);
      await wire?.until('acknowledged');
    }
    deaf?.socket.pause();
    let heard = 0;
    let rest = '';
    reads?.socket.on('data', (chunk) => {
      const parts = (rest + chunk.toString('latin1')).split('notifications/resources/updated');
      heard += parts.length - 1;
      rest = (parts.at(-1) as string).slice(-40);
    });
    let sent = 0;
    while (stage.listener.stats().connections === 2) {
      for (let i = 0; i < 50; i++) stage.server.sendResourceUpdated({ uri });
      sent += 50;
      while (heard < sent) await new Promise(setImmediate);
    }
    await stage.settled({ connections: 1 });
    stage.server.sendResourceUpdated({ uri });
    await vi.waitFor(() => expect(heard).toBe(sent + 1), 10_000);
    await stage.alive();
  });

  it('so are the streams of sessions, which live on', async () => {
    const stage = await stageOf();
    stage.server.registerResource('memo', uri, {}, (at) => ({ contents: [{ uri: at.href, text: 'one' }] }));
    stage.server.flush();
    const [wire, deaf] = await stage.wires(2);
    const session = await stage.session(wire as Wire);
    wire?.send(legacy(ask(1, 'resources/subscribe', { uri }), session));
    expect(answerOf((await wire?.response())?.text as string)).toMatchObject({ result: {} });
    deaf?.send(
      request('GET', '/mcp', [
        ['accept', 'text/event-stream'],
        ['mcp-session-id', session],
      ]),
    );
    await deaf?.until('text/event-stream');
    deaf?.socket.pause();
    while (stage.listener.stats().connections === 2) {
      stage.server.sendResourceUpdated({ uri });
      await new Promise(setImmediate);
    }
    await stage.settled({ connections: 1 });
    wire?.send(legacy(callTool(2, 'echo', { on: 1 }), session));
    expect(answerOf((await wire?.response())?.text as string).result).toMatchObject(text('{"on":1}'));
    // The session may have another stream.
    const again = await stage.wire();
    again.send(
      request('GET', '/mcp', [
        ['accept', 'text/event-stream'],
        ['mcp-session-id', session],
      ]),
    );
    await again.until('text/event-stream');
    stage.server.sendResourceUpdated({ uri });
    await again.until('notifications/resources/updated');
    await stage.alive(wire);
  });
});
