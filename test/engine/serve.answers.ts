/**
 * What is added to answers: CORS lines and gzip. Called by serve.case.ts.
 */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Engine, Shape } from '../../ts/engine/engine.js';
import { H2, whole } from './h2.js';
import { call, echoed, group, JSON_TYPE, post, type Stage, staged } from './stage.js';
import { request, type WireResponse } from './wire.js';

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
const EXPOSED = 'Mcp-Session-Id, WWW-Authenticate';
const ALLOW = 'access-control-allow-origin';

const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);

export function answerCases(engine: Engine): void {
  corsCases(engine);
  gzipCases(engine);
}

function corsCases(engine: Engine): void {
  const origin = 'https://App.Example:8443';
  const from = (value: string): [string, string] => ['origin', value];
  const limits = { corsOrigins: ['https://app.example:8443', 'http://localhost'], allowedOrigins: null };

  /** One of every kind of answer. */
  const answers = (stage: Stage, ...headers: [string, string][]): Promise<WireResponse[]> =>
    Promise.all([
      stage.ask(post(PING, ...headers)),
      stage.ask(post(bodyOf(call('echo')), ...headers)),
      stage.ask(post('{"jsonrpc":"2.0","method":"notifications/x"}', ...headers)),
      stage.ask(post(bodyOf(call('stream')), ...headers)),
      stage.ask(post('{', ...headers)),
      stage.ask(request('GET', '/mcp', headers), 'GET'),
      stage.ask(request('OPTIONS', '/mcp', headers), 'OPTIONS'),
      stage.ask(request('GET', '/nowhere', headers), 'GET'),
      stage.ask(request('POST', '/mcp', [['content-type', 'text/plain'], ...headers], PING)),
    ]);

  group(engine, 'cors', limits, (stage) => {
    it('lets an allowed page read every answer', async () => {
      for (const { status, headers } of await answers(stage, from(origin))) {
        expect([status, headers[ALLOW]]).toEqual([status, origin]);
        expect(headers.vary).toBe('Origin');
        expect(headers['access-control-expose-headers']).toBe(EXPOSED);
        expect(headers).not.toHaveProperty('access-control-allow-credentials');
      }
      const own = await stage.ask(post(PING, from('http://localhost')));
      expect(own.headers[ALLOW]).toBe('http://localhost');
    });

    it('lets no other page, and tells caches that it depends', async () => {
      const others = ['https://app.example', 'http://app.example:8443', 'https://app.example:84430', 'null', ''];
      for (const one of [...others, `x${origin}`, `${origin}.evil.example`]) {
        const { headers } = await stage.ask(post(PING, from(one)));
        expect([one, headers[ALLOW], headers['access-control-expose-headers']]).toEqual([one, undefined, undefined]);
        expect(headers.vary).toBe('Origin');
      }
      for (const { headers } of await answers(stage)) {
        expect(headers[ALLOW]).toBeUndefined();
        expect(headers.vary).toBe('Origin');
      }
    });

    it('holds for bodies in pieces, and gives way to what is said above', async () => {
      const wire = await stage.wire();
      const hold: [string, string][] = [['x-hold', '1'], from(origin)];
      let slot = await stage.held(() => wire.send(request('GET', '/mcp', hold)));
      stage.listener.open(slot, 200, 'content-type: text/plain\r\n');
      stage.listener.reply(slot, 200, Shape.raw, 0, '', 'x');
      expect((await wire.response()).headers).toMatchObject({ [ALLOW]: origin, vary: 'Origin' });
      slot = await stage.held(() => wire.send(request('GET', '/mcp', hold)));
      stage.listener.reply(slot, 200, Shape.raw, 0, `Access-Control-Allow-Origin: *\r\n`, 'x');
      expect((await wire.response()).headers[ALLOW]).toBe('*');
    });

    it('is the same on HTTP/2', async () => {
      const client = await H2.connect(stage.port);
      const own = { [ALLOW]: origin, vary: 'Origin', 'access-control-expose-headers': EXPOSED };
      expect((await client.post(PING, { origin })).headers).toMatchObject(own);
      expect((await whole(client.request('GET', '/nowhere', { origin }, null))).headers).toMatchObject(own);
      await client.leave();
    });
  });

  describe('cors', () => {
    it('is off by default', () =>
      staged(engine, { allowedOrigins: null }, async (stage) => {
        for (const { headers } of await answers(stage, from(origin))) {
          expect(headers).not.toHaveProperty(ALLOW);
          expect(headers).not.toHaveProperty('vary');
        }
      }));

    it('may be for every page', () =>
      staged(engine, { corsOrigins: ['*'], allowedOrigins: null }, async (stage) => {
        for (const one of [origin, 'null', 'http://x.example']) {
          expect((await stage.ask(post(PING, from(one)))).headers).toMatchObject({ [ALLOW]: one, vary: 'Origin' });
        }
        expect((await stage.ask(post(PING))).headers).not.toHaveProperty(ALLOW);
      }));
  });
}

function gzipCases(engine: Engine): void {
  const gzip: [string, string] = ['accept-encoding', 'br, gzip'];
  const text = ({ headers, body }: Pick<WireResponse, 'headers' | 'body'>): string => {
    expect(headers['content-encoding']).toBe('gzip');
    expect(headers.vary).toBe('Accept-Encoding');
    return gunzipSync(body).toString('utf8');
  };

  group(engine, 'compression', { compressionThreshold: 200 }, (stage) => {
    it('is for answers of some length, for those who take it', async () => {
      const long = `{"a":"${'ü'.repeat(2000)}"}`;
      const short = '{"a":1}';
      const asked = (args: string, ...headers: [string, string][]) =>
        stage.ask(post(bodyOf(call('echo', args)), ...headers));
      const zipped = await asked(long, gzip);
      expect(text(zipped)).toBe(echoed('1', long));
      expect(Number(zipped.headers['content-length'])).toBe(zipped.body.length);
      expect(zipped.body.length).toBeLessThan(400);
      const plain = await asked(long);
      expect(plain.text).toBe(echoed('1', long));
      expect(plain.headers).not.toHaveProperty('content-encoding');
      expect(plain.headers.vary).toBe('Accept-Encoding');
      const small = await asked(short, gzip);
      expect(small.text).toBe(echoed('1', short));
      for (const name of ['vary', 'content-encoding']) expect(small.headers).not.toHaveProperty(name);
    });

    it('reads Accept-Encoding', async () => {
      const args = `{"a":"${'x'.repeat(300)}"}`;
      const body = bodyOf(call('echo', args));
      for (const [accepted, zipped] of [
        ['gzip', true],
        ['br;q=1, GZIP;q=0.5', true],
        ['*', true],
        ['x-gzip', true],
        ['gzip;q=0', false],
        ['gzip; q=0.0', false],
        ['gzip;q=0, *', false],
        ['identity', false],
        ['', false],
      ] as const) {
        const answer = await stage.ask(post(body, ['accept-encoding', accepted]));
        expect([accepted, answer.headers['content-encoding']]).toEqual([accepted, zipped ? 'gzip' : undefined]);
      }
    });

    it('leaves what is compressed already, and streams', async () => {
      const wire = await stage.wire();
      const hold: [string, string][] = [['x-hold', '1'], gzip];
      const long = 'x'.repeat(1000);
      let slot = await stage.held(() => wire.send(request('GET', '/mcp', hold)));
      stage.listener.reply(slot, 200, Shape.raw, 0, 'Content-Encoding: br\r\n', long);
      const coded = await wire.response();
      expect([coded.headers['content-encoding'], coded.text]).toEqual(['br', long]);
      slot = await stage.held(() => wire.send(request('GET', '/mcp', hold)));
      stage.listener.open(slot, 200, 'content-type: text/plain\r\n');
      stage.listener.write(slot, long);
      stage.listener.reply(slot, 200, Shape.raw, 0, '', long);
      const pieces = await wire.response();
      expect([pieces.headers['content-encoding'], pieces.text]).toEqual([undefined, long + long]);
      slot = await stage.held(() => wire.send(request('GET', '/mcp', hold)));
      stage.listener.reply(slot, 200, Shape.raw, 0, 'content-type: text/plain\r\n', long);
      expect(text(await wire.response())).toBe(long);
      const events = await stage.ask(post(bodyOf(call('stream', `{"a":"${long}"}`)), gzip, ['x', 'y']));
      expect(events.headers).not.toHaveProperty('content-encoding');
    });

    it('takes long answers beside the others, in order', async () => {
      const wire = await stage.wire();
      const long = JSON.stringify('ab'.repeat(500_000));
      const body = bodyOf(call('hold'));
      const slot = await stage.held(() => wire.send(post(body, gzip)));
      wire.send(post(PING, gzip));
      stage.listener.reply(slot, 200, Shape.result, 0, '', long);
      const first = await wire.response();
      expect(text(first) === `{"jsonrpc":"2.0","id":1,"result":${long}}`).toBe(true);
      expect((await wire.response()).text).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
      // Whoever leaves meanwhile harms nobody.
      const other = await stage.wire();
      const gone = await stage.held(() => other.send(post(body, gzip)));
      stage.listener.reply(gone, 200, Shape.result, 0, '', long);
      await other.leave();
    });

    it('is the same on HTTP/2', async () => {
      const client = await H2.connect(stage.port);
      const body = bodyOf(call('echo', `{"a":"${'x'.repeat(300)}"}`));
      expect(text(await client.post(body, { 'accept-encoding': 'gzip' }))).toContain('xxx');
      expect((await client.post(body)).headers).not.toHaveProperty('content-encoding');
      await client.leave();
    });
  });

  describe('compression', () => {
    it('is done once for what stands ready, whatever the id', () =>
      staged(engine, { compressionThreshold: 20 }, async (stage) => {
        const plain = await stage.ask(post(LIST));
        const wire = await stage.wire();
        for (const id of ['1', '"ü\\n"', '123456789', `"${'x'.repeat(200)}"`, '1']) {
          wire.send(post(LIST.replace('1,', `${id},`), gzip));
          expect(text(await wire.response())).toBe(plain.text.replace('"id":1,', `"id":${id},`));
        }
        const client = await H2.connect(stage.port);
        expect(text(await client.post(LIST, { 'accept-encoding': 'gzip' }))).toBe(plain.text);
        await client.leave();
      }));

    it('is off by default', () =>
      staged(engine, {}, async (stage) => {
        const body = bodyOf(call('echo', `{"a":"${'x'.repeat(5000)}"}`));
        for (const one of [body, LIST]) {
          const { headers } = await stage.ask(request('POST', '/mcp', [JSON_TYPE, gzip], one));
          for (const name of ['vary', 'content-encoding']) expect(headers).not.toHaveProperty(name);
        }
      }));
  });
}
