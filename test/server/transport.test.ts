/** Listening elsewhere than on a plain port: unix sockets, TLS and its renewal, pages of other origins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ListenOptions } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { selfSigned } from '../engine/certificate.js';
import { engineNames } from '../engines.js';

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const PONG = '{"jsonrpc":"2.0","id":1,"result":{}}';
const JSON_TYPE = { 'content-type': 'application/json' };

const servers: McpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function make(): McpServer {
  const server = new McpServer({ name: 'unit', version: '1' });
  servers.push(server);
  return server;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

function send(options: object, secure = false, method = 'POST', headers: object = JSON_TYPE): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { path: '/mcp', method, headers, agent: false, ...options };
    const sent = (secure ? secureRequest : request)(all as never, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? PING : undefined);
  });
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thirdrail-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('options', () => {
  const tls = selfSigned();
  const refused: [object, string][] = [
    [{ unix: '' }, 'Option unix must be the path of a socket'],
    [{ unix: 7 }, 'Option unix'],
    [{ unix: '/tmp/x', port: 0 }, 'Option unix stands in place of port'],
    [{ unix: '/tmp/x', host: 'localhost' }, 'Option unix stands in place of host'],
    [{ unix: '/tmp/x', reusePort: true }, 'Option unix stands in place of reusePort'],
    [{ http2: 1 }, 'Option http2 must be true or false'],
    [{ reusePort: 'yes' }, 'Option reusePort must be true or false'],
    [{ tls: 'pem' }, 'The options of tls must be an object'],
    [{ tls: {} }, 'Option tls needs cert or certFile'],
    [{ tls: { cert: tls.cert } }, 'Option tls needs key or keyFile'],
    [{ tls: { ...tls, keyFile: 'x' } }, 'and not both'],
    [{ tls: { ...tls, ca: 'x' } }, 'Unknown option of tls: ca'],
    [{ tls: { cert: 1, key: 1 } }, 'Option tls.cert must be PEM text or bytes'],
    [{ tls: { certFile: 1, keyFile: 'x' } }, 'Option tls.certFile must be a path'],
    [{ cors: {} }, 'Option cors.origins must be a non-empty array'],
    [{ cors: { origins: [] } }, 'Option cors.origins must be a non-empty array'],
    [{ cors: { origins: ['app.example'] } }, 'Option cors.origins holds "app.example"'],
    [{ cors: { origins: ['https://app.example/'] } }, 'an origin is https://host[:port], or *'],
    [{ cors: { origins: ['*'], credentials: true } }, 'Unknown option of cors: credentials'],
  ];
  it.each(refused)('%j is refused', async (options, message) => {
    await expect(make().listen({ ...options } as ListenOptions)).rejects.toThrow(TypeError);
    await expect(make().listen({ ...options } as ListenOptions)).rejects.toThrow(message);
  });

  it('say which file cannot be read', async () => {
    const missing = { certFile: join(folder, 'missing.pem'), keyFile: join(folder, 'missing.key') };
    await expect(make().listen({ port: 0, tls: missing })).rejects.toThrow('missing.pem');
  });

  it('hold beyond loopback too', async () => {
    const open = { host: '0.0.0.0', port: 0, tls: selfSigned(), cors: { origins: ['*'] } };
    await expect(make().listen(open)).rejects.toThrow('without authorization');
  });
});

describe.each(engineNames)('on the %s engine', (engine) => {
  it.skipIf(process.platform === 'win32')('a unix socket needs no permission, and has its url', async () => {
    const unix = join(folder, `${engine}.sock`);
    const listener = await make().listen({ unix, engine });
    expect(listener.url).toBe(`unix:${unix}`);
    expect(listener.port).toBe(0);
    expect((await send({ socketPath: unix })).text).toBe(PONG);
    expect((await send({ socketPath: unix, headers: { ...JSON_TYPE, host: 'evil.example' } })).status).toBe(403);
    await listener.close();
    await expect(send({ socketPath: unix })).rejects.toThrow();
  });

  it('TLS is served, renewed, and reloaded from its files', async () => {
    const [first, second, third] = [selfSigned(), selfSigned(), selfSigned()];
    const [certFile, keyFile] = [join(folder, `${engine}.pem`), join(folder, `${engine}.key`)];
    const store = (pem: { cert: string; key: string }) => {
      writeFileSync(certFile, pem.cert);
      writeFileSync(keyFile, pem.key);
    };
    store(first);
    const listener = await make().listen({ port: 0, engine, tls: { certFile, keyFile } });
    expect(listener.url).toBe(`https://127.0.0.1:${listener.port}/mcp`);
    const text = async (ca: string) =>
      (await send({ host: '127.0.0.1', port: listener.port, servername: 'localhost', ca }, true)).text;
    expect(await text(first.cert)).toBe(PONG);
    expect(await listener.reloadTls()).toBe(false);
    store(second);
    expect(await text(first.cert)).toBe(PONG);
    expect(await listener.reloadTls()).toBe(true);
    expect(await text(second.cert)).toBe(PONG);
    await expect(text(first.cert)).rejects.toThrow();
    // A half-written pair harms nobody, and is tried again.
    store({ cert: third.cert, key: first.key });
    await expect(listener.reloadTls()).rejects.toThrow('TLS:');
    expect(await text(second.cert)).toBe(PONG);
    store(third);
    expect(await listener.reloadTls()).toBe(true);
    expect(await text(third.cert)).toBe(PONG);
    await listener.renewTls({ cert: Buffer.from(first.cert), key: first.key });
    expect(await text(first.cert)).toBe(PONG);
    await expect(listener.reloadTls()).rejects.toThrow('use renewTls');
    await expect(listener.renewTls({ cert: 'x', key: 'y' })).rejects.toThrow('TLS:');
    expect(await text(first.cert)).toBe(PONG);
  });

  it('has no TLS to renew without it, and says what is wrong with a bad one', async () => {
    const listener = await make().listen({ port: 0, engine });
    await expect(listener.reloadTls()).rejects.toThrow('no TLS');
    await expect(listener.renewTls(selfSigned())).rejects.toThrow('no TLS');
    const mixed = { cert: selfSigned().cert, key: selfSigned().key };
    await expect(make().listen({ port: 0, engine, tls: mixed })).rejects.toThrow(/tls/i);
  });

  it('pages of named origins pass, their preflight is answered, and others are refused', async () => {
    const origin = 'https://app.example:8443';
    const listener = await make().listen({ port: 0, engine, cors: { origins: [origin] } });
    const at = { host: '127.0.0.1', port: listener.port };
    const read = await send(at, false, 'POST', { ...JSON_TYPE, origin });
    expect([read.text, read.headers['access-control-allow-origin']]).toEqual([PONG, origin]);
    const asked = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, mcp-method, mcp-param-region',
    };
    const preflight = await send(at, false, 'OPTIONS', asked);
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': asked['access-control-request-headers'],
    });
    expect(preflight.headers.vary).toContain('Origin');
    const odd = await send(at, false, 'OPTIONS', { ...asked, 'access-control-request-headers': 'a:b' });
    expect([odd.status, odd.headers['access-control-allow-headers']]).toEqual([204, undefined]);
    expect((await send(at, false, 'OPTIONS', { origin })).headers).not.toHaveProperty('access-control-allow-methods');
    expect((await send(at, false, 'POST', { ...JSON_TYPE, origin: 'https://evil.example' })).status).toBe(403);
    expect((await send(at, false, 'POST', { ...JSON_TYPE, origin: 'http://localhost:5' })).status).toBe(200);
  });

  it('without cors no page of another origin passes', async () => {
    const listener = await make().listen({ port: 0, engine });
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const answer = await send({ host: '127.0.0.1', port: listener.port }, false, 'OPTIONS', headers);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });
});
