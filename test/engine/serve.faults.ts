/**
 * What goes wrong in numbers: floods, slow writers, handlers that throw too late, the end under load. Called by
 * serve.case.ts.
 */
import { describe, expect, it } from 'vitest';
import { type Engine, Shape, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { Handler, until } from './echo.js';
import { H2 } from './h2.js';
import { call, echoed, JSON_TYPE, refusal, Stage, staged } from './stage.js';
import { request, Wire } from './wire.js';

export function faultCases(engine: Engine): void {
  describe('faults', () => {
    floodCases(engine);
    slowCases(engine);

    it('a handler that throws after its events were sent ends the stream with an error', () =>
      staged(engine, {}, async (stage) => {
        const { receiver } = stage;
        const plain = receiver.call.bind(receiver);
        receiver.call = (listener, slot, handler, flags, args) => {
          if (handler === Handler.throws) listener.event(slot, '', '{"n":1}');
          plain(listener, slot, handler, flags, args);
        };
        const response = await stage.ask(call('throws', '{}', '7'));
        expect(response.status).toBe(200);
        expect(response.text).toBe(
          `event: message\ndata: {"n":1}\n\nevent: message\ndata: ${refusal(-32603, 'Internal error', '7')}\n\n`,
        );
        expect(stage.stat(Stat.panics)).toBe(1);
        await stage.alive();
      }));

    it('a receiver that throws from drain and abort harms nobody', () =>
      staged(engine, { streamHighWaterMark: 1000 }, async (stage) => {
        const { listener, receiver } = stage;
        let told = 0;
        const fail = () => {
          told++;
          throw new Error('thrown by the receiver');
        };
        receiver.drain = fail;
        receiver.abort = fail;
        const wire = await stage.wire();
        const slot = await stage.held(() => wire.send(call('hold')));
        wire.socket.pause();
        await until(() => listener.event(slot, '', JSON.stringify('x'.repeat(9000))) > 1000);
        wire.socket.resume();
        await until(() => told === 1);
        await wire.leave();
        await until(() => told === 2);
        expect(stage.stat(Stat.panics)).toBe(2);
        await stage.alive();
      }));

    closeCases(engine);
  });
}

function floodCases(engine: Engine): void {
  it('connections above the limit are closed, and those below it served', () =>
    staged(engine, { maxConnections: 10 }, async (stage) => {
      const kept = await Promise.all(Array.from({ length: 10 }, () => stage.wire()));
      for (const wire of kept) {
        wire.send(call('echo', '{}'));
        await wire.response();
      }
      const flood = await Promise.all(Array.from({ length: 200 }, () => Wire.connect(stage.port).catch(() => null)));
      await Promise.all(flood.map((wire) => wire?.closed));
      expect(stage.stat(Stat.connections)).toBe(10);
      for (const wire of kept) {
        wire.send(call('echo', '{"still":1}'));
        expect((await wire.response()).text).toBe(echoed('1', '{"still":1}'));
      }
      await Promise.all(kept.map((wire) => wire.leave()));
      await until(() => stage.stat(Stat.connections) === 0);
      await stage.alive();
    }));

  it('calls above the limit are refused, each with an answer, and those below it kept', () =>
    staged(engine, { maxInFlight: 20 }, async (stage) => {
      const { listener, receiver } = stage;
      const wires = await Promise.all(Array.from({ length: 100 }, () => stage.wire()));
      for (const [i, wire] of wires.entries()) wire.send(call('hold', '{}', `${i}`));
      await until(() => stage.stat(Stat.overloaded) === 80 && receiver.seen.length === 20);
      expect(stage.stat(Stat.inFlight)).toBe(20);
      for (const { slot } of [...receiver.seen]) listener.reply(slot, 200, Shape.result, 0, '', '1');
      const answers = await Promise.all(wires.map((wire) => wire.response()));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
      const full = answers.filter(({ status }) => status === 503);
      expect(full).toHaveLength(80);
      for (const { headers } of full) expect(headers['retry-after']).toBe('1');
      await stage.alive();
    }));

  it('the same on one connection of HTTP/2', () =>
    staged(engine, { maxInFlight: 20 }, async (stage) => {
      const { listener, receiver } = stage;
      const client = await H2.connect(stage.port);
      const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hold","arguments":{}}}';
      const answers = Array.from({ length: 90 }, () => client.post(body));
      await until(() => stage.stat(Stat.overloaded) === 70 && receiver.seen.length === 20);
      for (const { slot } of [...receiver.seen]) listener.reply(slot, 200, Shape.result, 0, '', '1');
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 503)).toHaveLength(70);
      expect(statuses.filter((status) => status === 200)).toHaveLength(20);
      await client.leave();
      await stage.alive();
    }));

  it('clients that leave at every moment leave nothing behind', () =>
    staged(engine, {}, async (stage) => {
      const whole = call('later', '{}');
      await Promise.all(
        Array.from({ length: 150 }, async (_, i) => {
          const wire = await Wire.connect(stage.port);
          wire.send(whole.slice(0, Math.floor((whole.length * i) / 149)));
          if (i % 3 === 0) await new Promise(setImmediate);
          await wire.leave();
        }),
      );
      await until(() => stage.stat(Stat.connections) === 0 && stage.stat(Stat.inFlight) === 0);
      await stage.alive();
    }));
}

function slowCases(engine: Engine): void {
  it('heads that come too slowly take no place for ever', () =>
    staged(engine, { headerTimeout: 250 }, async (stage) => {
      const wires = await Promise.all(Array.from({ length: 20 }, () => stage.wire()));
      // A line now and then: progress does not buy time.
      const drip = setInterval(() => {
        for (const wire of wires) if (wire.socket.writable) wire.send('x: y\r\n');
      }, 40);
      for (const wire of wires) wire.send('POST /mcp HTTP/1.1\r\nhost: localhost\r\n');
      await Promise.all(wires.map((wire) => wire.closed));
      clearInterval(drip);
      await stage.alive();
    }));

  it('bodies that come too slowly neither', () =>
    staged(engine, { bodyTimeout: 250 }, async (stage) => {
      const wires = await Promise.all(Array.from({ length: 20 }, () => stage.wire()));
      const drip = setInterval(() => {
        for (const wire of wires) if (wire.socket.writable) wire.send(' ');
      }, 40);
      for (const wire of wires) wire.send(request('POST', '/mcp', [JSON_TYPE, ['content-length', '15000']]), '{');
      for (const wire of wires) expect((await wire.response()).status).toBe(408);
      await Promise.all(wires.map((wire) => wire.closed));
      clearInterval(drip);
      await stage.alive();
    }));
}

function closeCases(engine: Engine): void {
  for (const protocol of ['HTTP/1.1', 'HTTP/2']) {
    it(`close under load loses no accepted call: ${protocol}`, async () => {
      const stage = new Stage(engine);
      await stage.open();
      const { listener, receiver } = stage;
      let answered = 0;
      const talk = async (client: number): Promise<void> => {
        const body = (i: number) =>
          `{"jsonrpc":"2.0","id":${i},"method":"tools/call","params":{"name":"later","arguments":{"c":${client}}}}`;
        if (protocol === 'HTTP/2') {
          const session = await H2.connect(stage.port);
          const one = async () => {
            for (let i = 0; ; i++) {
              const answer = await session.post(body(i)).catch(() => null);
              if (answer === null) return;
              expect(answer.text).toBe(echoed(`${i}`, `{"c":${client}}`, Handler.later));
              answered++;
            }
          };
          await Promise.all([one(), one(), one()]);
          await session.closed;
          return;
        }
        const wire = await Wire.connect(stage.port);
        for (let i = 0; ; i++) {
          if (!wire.socket.writable) break;
          wire.send(call('later', `{"c":${client}}`, `${i}`));
          const answer = await wire.response().catch(() => null);
          if (answer === null) break;
          expect(answer.text).toBe(echoed(`${i}`, `{"c":${client}}`, Handler.later));
          answered++;
          if (answer.headers.connection === 'close') break;
        }
        await wire.closed;
      };
      const clients = Promise.all(Array.from({ length: 20 }, (_, client) => talk(client)));
      await until(() => answered > 200);
      await listener.close(60_000);
      await clients;
      // Whatever was handed up was answered, and its answer arrived.
      expect(answered).toBe(receiver.seen.length);
      expect(receiver.aborted).toEqual([]);
      expect(stage.stat(Stat.connections)).toBe(0);
    });
  }
}
