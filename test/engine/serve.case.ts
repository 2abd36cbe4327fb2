/**
 * What a listener does, seen from a raw socket: the same cases on both engines. See `serve` in ts/engine/engine.ts.
 *
 * Bad input is in serve.hostile.ts, the end in serve.close.ts. After every case of a group the same server still has to
 * answer a good request.
 */
import { describe, expect, it } from 'vitest';
import { type Engine, Shape, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { Handler, until } from './echo.js';
import { answerCases } from './serve.answers.js';
import { authorizeCases } from './serve.authorize.js';
import { closeCases } from './serve.close.js';
import { faultCases } from './serve.faults.js';
import { hostileCases } from './serve.hostile.js';
import { http2Cases } from './serve.http2.js';
import { socketCases } from './serve.sockets.js';
import { openCases } from './serve.stream.js';
import { call, echoed, group, JSON_TYPE, post, refusal, Stage, vectors } from './stage.js';
import { request, type Wire } from './wire.js';

export function serveCases(engine: Engine): void {
  describe('serve', () => {
    doorCases(engine);
    replyCases(engine);
    streamCases(engine);
    openCases(engine);
    authorizeCases(engine);
    socketCases(engine);
    http2Cases(engine);
    answerCases(engine);
    connectionCases(engine);
    closeCases(engine);
    hostileCases(engine);
    faultCases(engine);
  });
}

function doorCases(engine: Engine): void {
  group(engine, 'door', {}, (stage) => {
    for (const vector of vectors.cases) {
      it(`${vector.expect}: ${vector.name}`, async () => {
        const before = stage.receiver.seen.length;
        const answered = stage.stat(Stat.answered);
        const response = await stage.ask(post(vector.body, ...vector.headers));
        const seen = stage.receiver.seen.slice(before);
        if (vector.expect === 'answer') {
          expect(seen).toEqual([]);
          expect(response.status).toBe(200);
          expect(response.headers['content-type']).toBe('application/json');
          const id = /"id":("(?:[^"\\]|\\.)*"|[^,]+)/.exec(vector.body)?.[1];
          expect(response.text).toBe(`{"jsonrpc":"2.0","id":${id},"result":${vector.result}}`);
          expect(stage.stat(Stat.answered)).toBe(answered + 1);
        } else if (vector.expect === 'call') {
          const { handler, flags, args: text } = vector;
          expect(seen).toMatchObject([{ kind: 'call', handler, flags, text }]);
          expect(response.status).toBe(200);
        } else {
          expect(seen).toMatchObject([{ kind: 'message', method: 'POST', text: vector.body }]);
        }
      });
    }

    it('opens and closes sessions', async () => {
      const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
      const up = '{"jsonrpc":"2.0","id":1,"result":{"up":"POST"}}';
      const ask = async () => (await stage.ask(post(body, ['mcp-session-id', 'new']))).text;
      expect(await ask()).toBe(up);
      stage.listener.openSession('new');
      expect(stage.listener.hasSession('new')).toBe(true);
      expect(await ask()).toContain('"era":"legacy"');
      stage.listener.closeSession('new');
      expect(stage.listener.hasSession('new')).toBe(false);
      expect(await ask()).toBe(up);
    });

    for (const method of ['GET', 'DELETE', 'OPTIONS', 'PUT', 'HEAD']) {
      it(`hands up ${method} without a body`, async () => {
        const before = stage.receiver.seen.length;
        const wire = await stage.wire();
        wire.send(request(method, '/mcp?x=1', []));
        const response = await wire.response(method);
        expect(response.status).toBe(405);
        expect(response.headers).toMatchObject({ allow: 'POST', 'content-type': 'text/plain' });
        expect(response.text).toBe(method === 'HEAD' ? '' : `no ${method}`);
        expect(stage.receiver.seen.slice(before)).toMatchObject([{ kind: 'message', method, text: '' }]);
        wire.send(call('echo', '{"next":1}'));
        expect((await wire.response()).text).toBe(echoed('1', '{"next":1}'));
      });
    }

    it('ignores the body of a DELETE', async () => {
      const wire = await stage.wire();
      wire.send(request('DELETE', '/mcp', [JSON_TYPE], '{"some":"body"}'), call('echo', '{"next":1}'));
      expect((await wire.response()).text).toBe('no DELETE');
      expect((await wire.response()).text).toBe(echoed('1', '{"next":1}'));
    });
  });
}

function replyCases(engine: Engine): void {
  group(engine, 'reply', {}, (stage) => {
    it('adds header lines and says nothing about keep-alive', async () => {
      const response = await stage.ask(call('headers'));
      expect(response.headers).toMatchObject({ 'mcp-session-id': 's-1', 'x-two': 'zwei' });
      expect(response.headers).toHaveProperty('date');
      expect(response.headers).not.toHaveProperty('connection');
      expect(response.headers).not.toHaveProperty('keep-alive');
      expect(Number(response.headers['content-length'])).toBe(response.body.length);
    });

    it('splices errors, with bytes beyond ASCII', async () => {
      const response = await stage.ask(call('fails', '{}', '"é"'));
      expect(response.status).toBe(400);
      expect(response.headers['content-type']).toBe('application/json');
      expect(response.text).toBe(refusal(-32602, 'schlecht: ü', '"é"'));
      expect(Number(response.headers['content-length'])).toBe(response.body.length);
    });

    it('sends an empty raw reply', async () => {
      const response = await stage.ask(post('{"jsonrpc":"2.0","method":"notifications/initialized"}'));
      expect(response).toMatchObject({ status: 202, text: '' });
      expect(response.headers['content-length']).toBe('0');
      expect(response.headers).not.toHaveProperty('content-type');
    });

    it('gives id, _meta and head while the call runs, and nothing after', async () => {
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      const params = '{"name":"hold","arguments":{},"_meta":{"a":"ü", "b":[1]}}';
      wire.send(post(`{"jsonrpc":"2.0","id":"x\\n","method":"tools/call","params":${params}}`, ['X-Some', 'Thing']));
      await until(() => receiver.seen.at(-1)?.handler === Handler.hold);
      const { slot } = receiver.seen.at(-1) as { slot: number };
      expect(listener.id(slot)).toBe('"x\\n"');
      expect(listener.meta(slot)).toBe('{"a":"ü", "b":[1]}');
      expect(listener.head(slot)).toContain('x-some: Thing\r\n');
      expect(listener.head(slot)).toContain('content-type: application/json\r\n');
      expect(stage.stat(Stat.inFlight)).toBe(1);
      listener.reply(slot, 200, Shape.result, 0, '', '{"done":true}');
      expect((await wire.response()).text).toBe('{"jsonrpc":"2.0","id":"x\\n","result":{"done":true}}');
      await until(() => listener.id(slot) === '');
      expect([listener.meta(slot), listener.head(slot)]).toEqual(['', '']);
      const stale = stage.stat(Stat.staleReplies);
      listener.reply(slot, 200, Shape.result, 0, '', '{"again":true}');
      await until(() => stage.stat(Stat.staleReplies) === stale + 1);
      expect(stage.stat(Stat.inFlight)).toBe(0);
    });

    it('answers for a receiver that throws', async () => {
      const panics = stage.stat(Stat.panics);
      const response = await stage.ask(call('throws', '{}', '5'));
      expect(response.status).toBe(500);
      expect(response.text).toBe(refusal(-32603, 'Internal error', '5'));
      expect(stage.stat(Stat.panics)).toBe(panics + 1);
    });

    it('counts', async () => {
      const out = () => [Stat.requests, Stat.answered, Stat.calls, Stat.messages].map((index) => stage.stat(index));
      const [requests, answered, calls, messages] = out() as [number, number, number, number];
      await stage.ask(call('echo'));
      await stage.ask(post('{"jsonrpc":"2.0","id":1,"method":"ping"}'));
      await stage.ask(post('{"jsonrpc":"2.0","method":"notifications/x"}'));
      expect(out()).toEqual([requests + 3, answered + 1, calls + 1, messages + 1]);
      expect(stage.stat(Stat.bytesIn)).toBeGreaterThan(0);
      expect(stage.stat(Stat.bytesOut)).toBeGreaterThan(0);
    });
  });

  group(engine, 'overload', { maxInFlight: 2 }, (stage) => {
    it('answers 503 with the id, serves what needs nobody, and recovers', async () => {
      const { listener, receiver } = stage;
      const held = [await stage.wire(), await stage.wire()];
      for (const wire of held) wire.send(call('hold'));
      await until(() => receiver.seen.filter((one) => one.handler === Handler.hold).length === 2);
      const full = await stage.ask(call('echo', '{}', '"über"'));
      expect(full.status).toBe(503);
      expect(full.headers['retry-after']).toBe('1');
      expect(full.text).toBe(refusal(-32000, 'Server overloaded', '"über"'));
      expect((await stage.ask(request('GET', '/mcp', []), 'GET')).text).toBe(refusal(-32000, 'Server overloaded'));
      expect((await stage.ask(post('{"jsonrpc":"2.0","id":2,"method":"ping"}'))).status).toBe(200);
      expect(stage.stat(Stat.overloaded)).toBe(2);
      for (const { slot } of receiver.seen.slice(0, 2)) listener.reply(slot, 200, Shape.result, 0, '', '1');
      for (const wire of held) expect((await wire.response()).text).toBe('{"jsonrpc":"2.0","id":1,"result":1}');
    });
  });
}

function streamCases(engine: Engine): void {
  group(engine, 'stream', { maxStreamBytes: 200_000 }, (stage) => {
    it('sends events, then the reply as the last one, and keeps the connection', async () => {
      const wire = await stage.wire();
      wire.send(call('stream', '{"s":1}', '9'));
      const response = await wire.response();
      expect(response.status).toBe(200);
      expect(response.headers).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
        'transfer-encoding': 'chunked',
      });
      expect(response.headers).not.toHaveProperty('connection');
      expect(response.text).toBe(
        'event: message\ndata: {"n":1}\n\n' +
          'id: e2\nevent: message\ndata: {"n":"zwölf"}\n\n' +
          `event: message\ndata: ${echoed('9', '{"s":1}', Handler.stream)}\n\n`,
      );
      wire.send(call('echo', '{"next":1}'));
      expect((await wire.response()).text).toBe(echoed('1', '{"next":1}'));
    });

    it('delivers an event before the reply exists', async () => {
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      wire.send(call('hold'));
      await until(() => receiver.seen.at(-1)?.handler === Handler.hold);
      const { slot } = receiver.seen.at(-1) as { slot: number };
      listener.event(slot, '', '{"first":true}');
      expect(await wire.until('{"first":true}\n\n')).toContain('text/event-stream');
      listener.reply(slot, 500, Shape.error, 1, '', '{"code":1,"message":"m"}');
      const response = await wire.response();
      expect(response.status).toBe(200);
      expect(response.text.split('\n\n')[1]).toBe(`event: message\ndata: ${refusal(1, 'm', '1')}`);
    });

    it('cuts off a client that does not read', async () => {
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      wire.send(call('hold'));
      await until(() => receiver.seen.at(-1)?.handler === Handler.hold);
      const { slot } = receiver.seen.at(-1) as { slot: number };
      wire.socket.pause();
      const data = JSON.stringify('x'.repeat(50_000));
      await until(() => {
        listener.event(slot, '', data);
        return receiver.aborted.includes(slot);
      });
      await until(() => stage.stat(Stat.inFlight) === 0);
      await wire.leave();
    });
  });
}

function connectionCases(engine: Engine): void {
  group(engine, 'connection', { maxConnections: 400 }, (stage) => {
    it('is used again', async () => {
      const wire = await stage.wire();
      wire.send(call('echo'));
      await wire.response(); // connected is not yet accepted
      const accepted = stage.stat(Stat.accepted);
      for (let i = 0; i < 20; i++) {
        wire.send(call('echo', `{"i":${i}}`, `${i}`));
        expect((await wire.response()).text).toBe(echoed(`${i}`, `{"i":${i}}`));
      }
      expect(stage.stat(Stat.accepted)).toBe(accepted);
    });

    it('answers pipelined requests in order, whichever is ready first', async () => {
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      wire.send(
        call('hold', '{}', '1') + call('echo', '{"n":2}', '2') + post('{"jsonrpc":"2.0","id":3,"method":"ping"}'),
      );
      await until(() => receiver.seen.some((one) => one.handler === Handler.hold));
      const { slot } = receiver.seen.find((one) => one.handler === Handler.hold) as { slot: number };
      listener.reply(slot, 200, Shape.result, 0, '', '{"first":true}');
      expect((await wire.response()).text).toBe('{"jsonrpc":"2.0","id":1,"result":{"first":true}}');
      expect((await wire.response()).text).toBe(echoed('2', '{"n":2}'));
      expect((await wire.response()).text).toBe('{"jsonrpc":"2.0","id":3,"result":{}}');
    });

    it('keeps what comes behind a running call until its turn, regular or not', async () => {
      const { listener, receiver } = stage;
      const wire = await stage.wire();
      for (const behind of [
        call('echo', '{"n":2}', '2'),
        call('echo', '{"n":2}', '2').replace('\r\n\r\n', '\r\nx: y \r\n\r\n'),
      ]) {
        const before = receiver.seen.length;
        wire.send(call('hold', '{}', '1'));
        await until(() => receiver.seen.length > before);
        const { slot } = receiver.seen.at(-1) as { slot: number };
        wire.send(behind.slice(0, 40));
        await stage.alive(); // the first part has surely come
        wire.send(behind.slice(40));
        await stage.alive();
        listener.reply(slot, 200, Shape.result, 0, '', '{"first":true}');
        expect((await wire.response()).text).toBe('{"jsonrpc":"2.0","id":1,"result":{"first":true}}');
        expect((await wire.response()).text).toBe(echoed('2', '{"n":2}'));
      }
    });

    it('takes a request byte by byte, chunked or not', async () => {
      const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"s":"ß€😀"}}}';
      const bytes = Buffer.from(body);
      const chunks = [bytes.subarray(0, 88), bytes.subarray(88, 90), bytes.subarray(90)];
      const coded = Buffer.concat([
        Buffer.from(request('POST', '/mcp', [JSON_TYPE, ['transfer-encoding', 'chunked']])),
        ...chunks.flatMap((c) => [Buffer.from(`${c.length.toString(16)};x=y\r\n`), c, Buffer.from('\r\n')]),
        Buffer.from('0\r\ntrailer: t\r\n\r\n'),
      ]);
      const wire = await stage.wire();
      for (const whole of [Buffer.from(post(body)), coded]) {
        await wire.sendSlowly(whole, 1);
        expect((await wire.response()).text).toBe(echoed('1', '{"s":"ß€😀"}'));
      }
    });

    it('aborts once when the client leaves, and ignores the late reply', async () => {
      const { listener, receiver } = stage;
      const [aborted, stale] = [stage.stat(Stat.aborted), stage.stat(Stat.staleReplies)];
      const before = receiver.seen.length;
      const wire = await stage.wire();
      wire.send(call('hold'));
      await until(() => receiver.seen.length > before);
      const { slot } = receiver.seen.at(-1) as { slot: number };
      await wire.leave();
      await until(() => receiver.aborted.includes(slot));
      await stage.alive();
      listener.event(slot, '', '{}');
      listener.reply(slot, 200, Shape.result, 0, '', '{}');
      await until(() => stage.stat(Stat.staleReplies) === stale + 1);
      expect(stage.stat(Stat.aborted)).toBe(aborted + 1);
      expect(receiver.aborted.filter((one) => one === slot)).toHaveLength(1);
      expect(stage.stat(Stat.inFlight)).toBe(0);
    });

    it('keeps 200 clients apart', async () => {
      const others = stage.stat(Stat.connections);
      const wires = await Promise.all(Array.from({ length: 200 }, () => stage.wire()));
      const talk = async (wire: Wire, client: number) => {
        for (let round = 0; round < 3; round++) {
          const args = `{"client":${client},"round":${round},"pad":"${'ü'.repeat(client)}"}`;
          wire.send(call(round === 1 ? 'later' : 'echo', args, `"${client}-${round}"`));
          const handler = round === 1 ? Handler.later : Handler.echo;
          expect((await wire.response()).text).toBe(echoed(`"${client}-${round}"`, args, handler));
        }
      };
      await Promise.all(wires.map(talk));
      await Promise.all(wires.map((wire) => wire.leave()));
      await until(() => stage.stat(Stat.connections) <= others);
    });
  });

  describe('connection limits', () => {
    it('closes what is above maxConnections, and serves again when there is room', async () => {
      const stage = new Stage(engine, { maxConnections: 2 });
      await stage.open();
      try {
        const wires = [await stage.wire(), await stage.wire()];
        for (const wire of wires) {
          wire.send(call('echo'));
          await wire.response();
        }
        const third = await stage.wire();
        await third.closed;
        for (const wire of wires) await wire.leave();
        await until(() => stage.stat(Stat.connections) === 0);
        await stage.alive();
      } finally {
        await stage.close();
      }
    });

    it('closes an idle connection, not a busy one', async () => {
      const stage = new Stage(engine, { idleTimeout: 60 });
      await stage.open();
      try {
        const busy = await stage.wire();
        busy.send(call('hold'));
        const idle = await stage.wire();
        idle.send(call('echo'));
        await idle.response();
        await idle.closed;
        const { slot } = stage.receiver.seen.find((one) => one.handler === Handler.hold) as { slot: number };
        stage.listener.reply(slot, 200, Shape.result, 0, '', '1');
        expect((await busy.response()).status).toBe(200);
        await stage.alive();
      } finally {
        await stage.close();
      }
    });
  });
}
