/**
 * Bad input to a listener: refused with a clear error, and nobody else suffers. Called by serve.case.ts.
 */
import { describe, expect, it } from 'vitest';
import { type Engine, ListenerStat as Stat } from '../../ts/engine/engine.js';
import { call, echoed, group, JSON_TYPE, post, refusal, Stage } from './stage.js';
import { request } from './wire.js';

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const PONG = '{"jsonrpc":"2.0","id":1,"result":{}}';

const ONE_HOST = [400, -32600, 'Exactly one Host header is required'] as const;
const NOT_FOUND = [404, -32000, 'Not found'] as const;
const HOST = [403, -32000, 'Host not allowed'] as const;
const ORIGIN = [403, -32000, 'Origin not allowed'] as const;
const TYPE = [415, -32000, 'Content-Type must be application/json'] as const;
const ENCODING = [415, -32000, 'Content-Encoding is not supported'] as const;
const TOO_LARGE = [413, -32000, 'Request body exceeds 20000 bytes'] as const;

type Headers = (readonly [string, string])[];

/** What the guard refuses: [what, method, path, headers, [status, code, message] or null when it passes]. */
const guarded: [string, string, string, Headers, readonly [number, number, string] | null][] = [
  ['two Hosts', 'POST', '/mcp', [['host', 'localhost'], ['Host', 'localhost'], JSON_TYPE], ONE_HOST],
  ['two Hosts before a wrong path', 'POST', '/', [['host', 'a'], ['host', 'b'], JSON_TYPE], ONE_HOST],
  ['wrong path', 'POST', '/', [JSON_TYPE], NOT_FOUND],
  ['longer path', 'POST', '/mcp/', [JSON_TYPE], NOT_FOUND],
  ['path in other letters', 'POST', '/MCP', [JSON_TYPE], NOT_FOUND],
  ['wrong path before a wrong host', 'GET', '/x', [['host', 'evil.example']], NOT_FOUND],
  ['query', 'POST', '/mcp?a=/b', [JSON_TYPE], null],
  ['absolute form', 'POST', 'http://localhost/mcp?a', [JSON_TYPE], null],
  ['host with port', 'POST', '/mcp', [['host', 'localhost:3000'], JSON_TYPE], null],
  ['host in other letters', 'POST', '/mcp', [['HOST', 'LocalHost:1'], JSON_TYPE], null],
  ['IPv6 host', 'POST', '/mcp', [['host', '[::1]:3000'], JSON_TYPE], null],
  ['IPv6 host without port', 'POST', '/mcp', [['host', '[::1]'], JSON_TYPE], null],
  ['other host', 'POST', '/mcp', [['host', 'evil.example'], JSON_TYPE], HOST],
  ['host that starts like a good one', 'POST', '/mcp', [['host', 'localhost.evil.example'], JSON_TYPE], HOST],
  ['host that ends like a good one', 'POST', '/mcp', [['host', 'evil.localhost:3000'], JSON_TYPE], HOST],
  ['host with a name before it', 'POST', '/mcp', [['host', 'localhost@evil.example'], JSON_TYPE], HOST],
  ['empty host', 'POST', '/mcp', [['host', ''], JSON_TYPE], HOST],
  [
    'wrong host before a wrong origin',
    'GET',
    '/mcp',
    [
      ['host', 'x'],
      ['origin', 'http://x'],
    ],
    HOST,
  ],
  ['origin', 'POST', '/mcp', [['origin', 'http://localhost:5173'], JSON_TYPE], null],
  ['origin in other letters', 'POST', '/mcp', [['Origin', 'HTTPS://App.Example'], JSON_TYPE], null],
  ['IPv6 origin', 'POST', '/mcp', [['origin', 'http://[::1]:80'], JSON_TYPE], null],
  ['other origin', 'POST', '/mcp', [['origin', 'http://evil.example'], JSON_TYPE], ORIGIN],
  ['origin null', 'POST', '/mcp', [['origin', 'null'], JSON_TYPE], ORIGIN],
  ['empty origin', 'POST', '/mcp', [['origin', ''], JSON_TYPE], ORIGIN],
  ['origin without scheme', 'POST', '/mcp', [['origin', 'localhost'], JSON_TYPE], ORIGIN],
  ['origin with a name before it', 'POST', '/mcp', [['origin', 'http://localhost@evil.example'], JSON_TYPE], ORIGIN],
  ['origin with a path', 'POST', '/mcp', [['origin', 'http://localhost/x'], JSON_TYPE], ORIGIN],
  ['other origin on GET', 'GET', '/mcp', [['origin', 'http://evil.example']], ORIGIN],
  ['wrong origin before a wrong type', 'POST', '/mcp', [['origin', 'null']], ORIGIN],
  ['no content type', 'POST', '/mcp', [], TYPE],
  ['content type text/plain', 'POST', '/mcp', [['content-type', 'text/plain']], TYPE],
  ['content type that starts right', 'POST', '/mcp', [['content-type', 'application/jsonp']], TYPE],
  ['content type with parameters', 'POST', '/mcp', [['content-type', 'Application/JSON ; charset=utf-8']], null],
  ['content coding', 'POST', '/mcp', [JSON_TYPE, ['content-encoding', 'gzip']], ENCODING],
  ['content coding identity', 'POST', '/mcp', [JSON_TYPE, ['Content-Encoding', 'Identity']], null],
  [
    'type before coding and length',
    'POST',
    '/mcp',
    [
      ['content-encoding', 'gzip'],
      ['content-length', '99999'],
    ],
    TYPE,
  ],
];

const MALFORMED: [string, string | Buffer, number][] = [
  ['nothing', '', -32700],
  ['white space', ' \n', -32700],
  ['half a message', '{"jsonrpc":"2.0","id":1,"method":"pi', -32700],
  ['half a message that is balanced so far', '{"jsonrpc":"2.0","id":1,"method":"ping"', -32700],
  ['bytes after the message', `${PING}x`, -32700],
  ['two messages', PING + PING, -32700],
  ['trailing comma', '{"jsonrpc":"2.0","id":1,"method":"ping",}', -32700],
  ['single quotes', "{'jsonrpc':'2.0','id':1,'method':'ping'}", -32700],
  ['bare word', '{"jsonrpc":"2.0","id":1,"method":ping}', -32700],
  ['NaN', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}', -32700],
  ['leading zero', '{"jsonrpc":"2.0","id":01,"method":"ping"}', -32700],
  ['raw line break in a string', '{"jsonrpc":"2.0","id":1,"method":"pi\nng"}', -32700],
  ['bad escape', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\x41"}}', -32700],
  ['comment', `/* hi */${PING}`, -32700],
  ['mismatched brackets', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[}]}', -32700],
  ['byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(PING)]), -32700],
  ['not UTF-8', Buffer.from('{"jsonrpc":"2.0","id":"\xff\xfe","method":"ping"}', 'latin1'), -32700],
  ['UTF-16', Buffer.from(PING, 'utf16le'), -32700],
  ['zero bytes', Buffer.alloc(64), -32700],
  ['too deep', `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'['.repeat(80)}${']'.repeat(80)}}`, -32600],
  ['a number', '42', -32600],
  ['a string', '"ping"', -32600],
  ['null', 'null', -32600],
  ['no version', '{"id":1,"method":"ping"}', -32600],
  ['other version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
  ['id null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
  ['id is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
  ['method is a number', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
  ['method twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', -32600],
  ['method twice, once escaped', '{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"tools/call"}', -32600],
  ['params is a string', '{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}', -32600],
];

export function hostileCases(engine: Engine): void {
  group(engine, 'guard', {}, (stage) => {
    for (const [what, method, path, headers, expected] of guarded) {
      it(`${expected === null ? 'passes' : expected[0]}: ${what}`, async () => {
        const wire = await stage.wire();
        // A POST has its body: what is refused early must not leave it behind for the next request.
        wire.send(request(method, path, headers, method === 'POST' ? PING : ''));
        const response = await wire.response(method);
        if (expected === null) {
          expect(response).toMatchObject({ status: 200, text: PONG });
        } else {
          expect(response.status).toBe(expected[0]);
          expect(response.headers['content-type']).toBe('application/json');
          expect(response.text).toBe(refusal(expected[1], expected[2]));
        }
        if (response.headers.connection !== 'close') {
          wire.send(call('echo', '{"next":1}'));
          expect((await wire.response()).text).toBe(echoed('1', '{"next":1}'));
        }
        await wire.leave();
      });
    }

    it('wants a Host in HTTP/1.1', async () => {
      const response = await stage.ask(`POST /mcp HTTP/1.1\r\ncontent-length: 0\r\n\r\n`);
      expect(response.status).toBe(400);
      expect(response.text).toBe(refusal(-32600, ONE_HOST[2]));
    });

    it('counts what it refuses', async () => {
      const before = stage.stat(Stat.refused);
      await stage.ask(request('GET', '/nowhere', []));
      await stage.ask(post('{'));
      expect(stage.stat(Stat.refused)).toBe(before + 2);
    });
  });

  group(engine, 'unchecked names', { allowedHosts: null, allowedOrigins: null }, (stage) => {
    it('takes any host and origin when told so, and HTTP/1.0 without any', async () => {
      expect((await stage.ask(post(PING, ['host', 'x.example'], ['origin', 'null']))).text).toBe(PONG);
      const length = Buffer.byteLength(PING);
      const old = `POST /mcp HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${PING}`;
      const wire = await stage.wire();
      wire.send(old);
      expect((await wire.response()).text).toBe(PONG);
      await wire.closed;
    });
  });

  group(engine, 'message', {}, (stage) => {
    for (const [what, body, code] of MALFORMED) {
      it(`${code}: ${what}`, async () => {
        const wire = await stage.wire();
        const head = request('POST', '/mcp', [JSON_TYPE, ['content-length', `${Buffer.byteLength(body)}`]]);
        wire.send(Buffer.concat([Buffer.from(head), Buffer.from(body as string)]));
        const response = await wire.response();
        expect(response.status).toBe(400);
        expect(response.headers['content-type']).toBe('application/json');
        expect(JSON.parse(response.text)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } });
        wire.send(post(PING));
        expect((await wire.response()).text).toBe(PONG);
        await wire.leave();
      });
    }
  });

  group(engine, 'size', { maxBodyBytes: 300_000 }, (stage) => {
    it('refuses 100,000 nested brackets', async () => {
      for (const body of [
        '['.repeat(100_000),
        `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
        '{"a":'.repeat(50_000),
      ]) {
        const response = await stage.ask(post(body));
        expect(response.status).toBe(400);
        expect(JSON.parse(response.text)).toMatchObject({ id: null, error: { code: -32600 } });
      }
    });
  });

  group(engine, 'length', {}, (stage) => {
    it('refuses a Content-Length of 1 GB without waiting for it', async () => {
      const wire = await stage.wire();
      wire.send(request('POST', '/mcp', [JSON_TYPE, ['content-length', '1000000000']]));
      const response = await wire.response();
      expect(response.status).toBe(TOO_LARGE[0]);
      expect(response.headers.connection).toBe('close');
      expect(response.text).toBe(refusal(TOO_LARGE[1], TOO_LARGE[2]));
      await wire.closed;
    });

    it('refuses a chunked body when it passes the limit', async () => {
      const wire = await stage.wire();
      wire.send(request('POST', '/mcp', [JSON_TYPE, ['transfer-encoding', 'chunked']]));
      const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
      for (let i = 0; i < 6; i++) wire.send(chunk);
      const response = await wire.response();
      expect(response.status).toBe(TOO_LARGE[0]);
      expect(response.headers.connection).toBe('close');
      expect(response.text).toBe(refusal(TOO_LARGE[1], TOO_LARGE[2]));
      await wire.closed;
    });

    it('takes a body of exactly the limit', async () => {
      const body = PING + ' '.repeat(20_000 - PING.length);
      expect((await stage.ask(post(body))).text).toBe(PONG);
      expect((await stage.ask(post(`${body} `))).status).toBe(TOO_LARGE[0]);
    });

    it('honours Expect: 100-continue after the guard', async () => {
      const wire = await stage.wire();
      const expects = [
        ['expect', '100-continue'],
        ['content-length', `${PING.length}`],
      ] as const;
      wire.send(request('POST', '/mcp', [JSON_TYPE, ...expects]));
      expect((await wire.response()).status).toBe(100);
      wire.send(PING);
      expect((await wire.response()).text).toBe(PONG);
      wire.send(request('POST', '/mcp', [['content-type', 'text/plain'], ...expects]));
      expect((await wire.response()).status).toBe(TYPE[0]);
    });
  });

  group(engine, 'header', { maxHeaderBytes: 8192 }, (stage) => {
    it('refuses too many bytes', async () => {
      const wire = await stage.wire();
      wire.send(request('POST', '/mcp', [JSON_TYPE, ['x-long', 'x'.repeat(20_000)]], PING));
      expect((await wire.response()).status).toBe(431);
      await wire.closed;
    });

    it('refuses too many lines, not a hundred', async () => {
      const lines = (count: number) => Array.from({ length: count }, (_, i) => [`x${i}`, 'y'] as const);
      expect((await stage.ask(post(PING, ...lines(100)))).text).toBe(PONG);
      expect((await stage.ask(post(PING, ...lines(200)))).status).toBe(431);
    });

    const broken = [
      'HELLO\r\n\r\n',
      'POST /mcp HTTP/1.1\r\nhost localhost\r\n\r\n',
      'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n',
      'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client hello, say\r\n\r\n',
    ];
    for (const bytes of broken) {
      it(`400: ${JSON.stringify(bytes.slice(0, 70))}`, async () => {
        const wire = await stage.wire();
        wire.send(Buffer.from(bytes, 'latin1'));
        expect((await wire.response()).status).toBe(400);
        await wire.closed;
      });
    }

    it('survives a body that ends in the middle', async () => {
      for (const head of [['content-length', '500'] as const, ['transfer-encoding', 'chunked'] as const]) {
        const wire = await stage.wire();
        wire.send(`${request('POST', '/mcp', [JSON_TYPE, head])}${head[0] === 'content-length' ? '' : '20\r\n'}{"json`);
        wire.end();
        await wire.closed;
        const left = await stage.wire();
        left.send(`${request('POST', '/mcp', [JSON_TYPE, head])}${head[0] === 'content-length' ? '' : '20\r\n'}{"json`);
        await left.leave();
      }
      expect(stage.receiver.seen.every((one) => one.kind === 'call')).toBe(true);
    });
  });

  describe('time', () => {
    it('408: a head that does not come to its end', async () => {
      const stage = new Stage(engine, { headerTimeout: 80 });
      await stage.open();
      try {
        const [slow, silent] = [await stage.wire(), await stage.wire()];
        slow.send('POST /mcp HTTP/1.1\r\nhost: local');
        expect((await slow.response()).status).toBe(408);
        await Promise.all([slow.closed, silent.closed]);
        await stage.alive();
      } finally {
        await stage.close();
      }
    });

    it('408: a body that does not come', async () => {
      const stage = new Stage(engine, { bodyTimeout: 80 });
      await stage.open();
      try {
        const [slow, refused] = [await stage.wire(), await stage.wire()];
        slow.send(request('POST', '/mcp', [JSON_TYPE, ['content-length', '100']]), '{"jsonrpc"');
        refused.send(request('POST', '/else', [JSON_TYPE, ['content-length', '100']]));
        const response = await slow.response();
        expect(response.status).toBe(408);
        expect(response.headers.connection).toBe('close');
        expect(response.text).toBe(refusal(-32000, 'Request body not received in time'));
        expect((await refused.response()).status).toBe(404);
        await Promise.all([slow.closed, refused.closed]);
        expect(stage.receiver.seen).toEqual([]);
        await stage.alive();
      } finally {
        await stage.close();
      }
    });
  });
}
