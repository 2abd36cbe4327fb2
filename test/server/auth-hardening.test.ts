/**
 * Authorization against those who try: odd headers, tokens that were made for something else, issuers that misbehave, ids of
 * other people, answers that come too late. On each engine where the engine has a part in it.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import type { Listener } from '../../ts/engine/engine.js';
import type { Exchange } from '../../ts/protocol/exchange.js';
import { sameParty } from '../../ts/protocol/party.js';
import { OAuthError, OAuthErrorCode } from '../../ts/protocol/sdk/errors.js';
import { Gatekeeper } from '../../ts/server/auth/gatekeeper.js';
import { discoverKeys } from '../../ts/server/auth/jwt.js';
import type { AuthOptions } from '../../ts/server/auth/options.js';
import { Principals } from '../../ts/server/auth/principals.js';
import { completable } from '../../ts/server/completable.js';
import type { ServerListener } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { H2, whole } from '../engine/h2.js';
import { Wire } from '../engine/wire.js';
import { engineNames } from '../engines.js';
import { ask, call, RESOURCE } from './auth.stage.js';

const TOKEN = 'static-token-of-the-operator';
const OTHER = 'another-token-of-someone-else';
const ends: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  for (const end of ends.splice(0).reverse()) await end();
});

function plain(): McpServer {
  const server = new McpServer({ name: 'plain', version: '1.0.0' });
  server.registerTool('who', {}, (ctx) => ({
    content: [{ type: 'text', text: JSON.stringify(ctx.authInfo?.clientId ?? null) }],
  }));
  return server;
}

async function serve(engine: 'js' | 'native', auth: AuthOptions, server = plain()): Promise<ServerListener> {
  const listener = await server.listen({ port: 0, engine, auth });
  ends.push(() => listener.close({ grace: 0 }));
  return listener;
}

/** An HTTP server of somebody else. */
async function elsewhere(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'who', arguments: {}, _meta: META },
});
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'who',
};

const textOf = (told: { json: any }): string => told.json.result.content[0].text;

describe.each(engineNames)('%s engine', (engine) => {
  test('the Authorization header: one, of the scheme Bearer in any case, with one token', async () => {
    const { port } = await serve(engine, { tokens: [{ token: TOKEN }, { token: OTHER }] });
    const wire = await Wire.connect(port);
    const status = async (...lines: string[]): Promise<number> => {
      const head = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`);
      const length = `content-length: ${BODY.length}`;
      wire.send(['POST /mcp HTTP/1.1', 'host: 127.0.0.1', ...head, length, ...lines, '', BODY].join('\r\n'));
      return (await wire.response()).status;
    };
    for (const good of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}`, `  Bearer ${TOKEN}  `]) {
      expect(await status(`Authorization: ${good}`), good).toBe(200);
      expect(await status(`authorization: ${good}`), good).toBe(200);
    }
    const bad = [
      [],
      ['authorization:'],
      ['authorization: Bearer'],
      [`authorization: ${TOKEN}`],
      [`authorization: Bearer\t${TOKEN}`],
      [`authorization: Bearer${TOKEN}`],
      [`authorization: Token ${TOKEN}`],
      [`authorization: Bearer ${TOKEN} ${TOKEN}`],
      [`authorization: Bearer ${TOKEN}, Bearer ${TOKEN}`],
      [`authorization: Bearer "${TOKEN}"`],
      [`authorization: Bearer ${TOKEN}`, `authorization: Bearer ${TOKEN}`],
      [`authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${OTHER}`],
      [`authorization: Bearer ${TOKEN}`, 'authorization: Basic abc'],
      [`x-authorization: Bearer ${TOKEN}`],
      [`cookie: authorization=${TOKEN}`],
    ];
    for (const lines of bad) expect(await status(...lines), lines.join(' | ')).toBe(401);
    // The connection is what it was: nothing of a refused request stays.
    expect(await status(`authorization: Bearer ${OTHER}`)).toBe(200);
    expect(await status()).toBe(401);
    wire.end();
  });

  test('over HTTP/2 each stream is asked for its own token', async () => {
    const { port } = await serve(engine, { tokens: [{ token: TOKEN }] });
    const h2 = await H2.connect(port);
    ends.push(() => h2.leave());
    const post = async (authorization?: string | string[]) => {
      const headers = authorization === undefined ? HEADERS : { ...HEADERS, authorization };
      return (await whole(h2.request('POST', '/mcp', headers, BODY))).status;
    };
    expect(await post()).toBe(401);
    expect(await post(`Bearer ${TOKEN}`)).toBe(200);
    expect(await post()).toBe(401);
    expect(await post('Bearer wrong-token-of-nobody')).toBe(401);
    const all = await Promise.all([post(`Bearer ${TOKEN}`), post(), post(`bearer ${TOKEN}`)]);
    expect(all).toEqual([200, 401, 200]);
  });

  test('a token that made room is checked again, on the connection that it was remembered for, too', async () => {
    const asked: string[] = [];
    const verifier = {
      verifyAccessToken: async (token: string) => {
        asked.push(token);
        return { token, clientId: token, scopes: [] };
      },
    };
    const { url } = await serve(engine, { verifier, resource: RESOURCE, maxTokens: 1 });
    for (const token of ['first-token', 'first-token', 'second-token', 'first-token']) {
      expect(JSON.parse(textOf(await call(url, 'who', token)))).toBe(token);
    }
    expect(asked).toEqual(['first-token', 'second-token', 'first-token']);
  });

  test('a time that is long over, or no time at all, is no token without end', async () => {
    const tokens = [
      { token: TOKEN, expiresAt: 0 },
      { token: OTHER, expiresAt: -5 },
    ];
    const { url } = await serve(engine, { tokens });
    for (const { token } of tokens) expect((await call(url, 'who', token)).status).toBe(401);
    const errors: string[] = [];
    const verifier = {
      verifyAccessToken: async (token: string) => ({
        token,
        clientId: 'c',
        scopes: [],
        expiresAt: (token === 'a' ? Number.NaN : '2099-01-01') as number,
      }),
    };
    const auth = { verifier, resource: RESOURCE, onerror: (error: Error) => errors.push(error.message) };
    const odd = await serve(engine, auth);
    for (const token of ['a', 'b']) expect((await call(odd.url, 'who', token)).status).toBe(503);
    expect(errors).toEqual([expect.stringContaining('expiresAt'), expect.stringContaining('expiresAt')]);
  });

  test('a legacy session of another is not found, by calls that the engine lets through as well', async () => {
    const tokens = [{ token: TOKEN }, { token: OTHER }];
    const { url } = await serve(engine, { tokens });
    const send = (token: string, body: object, session?: string): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${token}`,
          'mcp-protocol-version': '2025-11-25',
          ...(session === undefined ? {} : { 'mcp-session-id': session }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...body }),
      });
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const opened = await send(TOKEN, { id: 1, method: 'initialize', params });
    const session = opened.headers.get('mcp-session-id') ?? '';
    await opened.body?.cancel();
    const who = { id: 2, method: 'tools/call', params: { name: 'who', arguments: {} } };
    const own = await send(TOKEN, who, session);
    expect(own.status).toBe(200);
    expect(await own.text()).toContain('static');
    // Two tokens without a name are two callers.
    const foreign = await send(OTHER, who, session);
    expect(foreign.status).toBe(404);
    expect(((await foreign.json()) as any).error.code).toBe(-32001);
    expect((await send(OTHER, { id: 3, method: 'tools/list' }, session)).status).toBeLessThan(500);
  });

  test('what one may not use is not completed, nor listed as a template', async () => {
    const server = plain();
    const admin = (auth?: { clientId: string }) => auth?.clientId === 'admin';
    const name = completable(z.string(), () => ['Ann', 'Bob']);
    server.registerPrompt('staff', { argsSchema: z.object({ name }), canAccess: admin }, () => ({ messages: [] }));
    server.registerPrompt('scoped', { argsSchema: z.object({ name }), scopes: ['staff'] }, () => ({ messages: [] }));
    const template = new ResourceTemplate('staff://all{?name}', {
      list: undefined,
      complete: { name: () => ['Ann', 'Bob'] },
    });
    server.registerResource('staff', template, { canAccess: admin }, () => ({ contents: [] }));
    const tokens = [
      { token: TOKEN, clientId: 'admin', scopes: ['staff'] },
      { token: OTHER, clientId: 'user' },
    ];
    const { url } = await serve(engine, { tokens }, server);
    const complete = async (ref: object, token: string) =>
      ask(url, 'completion/complete', { ref, argument: { name: 'name', value: '' } }, token);
    const prompt = { type: 'ref/prompt', name: 'staff' };
    const resource = { type: 'ref/resource', uri: 'staff://all{?name}' };
    for (const ref of [prompt, resource, { type: 'ref/prompt', name: 'scoped' }]) {
      expect((await complete(ref, TOKEN)).json.result.completion.values).toEqual(['Ann', 'Bob']);
    }
    expect((await complete(prompt, OTHER)).json.error).toMatchObject({ message: 'Unknown prompt: staff' });
    expect((await complete(resource, OTHER)).json.error.code).toBe(-32602);
    const scoped = await complete({ type: 'ref/prompt', name: 'scoped' }, OTHER);
    expect([scoped.status, scoped.challenge]).toEqual([403, expect.stringContaining('insufficient_scope')]);
    const listed = async (token: string) =>
      (await ask(url, 'resources/templates/list', {}, token)).json.result.resourceTemplates.length;
    expect([await listed(TOKEN), await listed(OTHER)]).toEqual([1, 0]);
  });

  test('only true lets through: a rule that answers with a promise hides its entry', async () => {
    const server = plain();
    const canAccess = (async () => false) as never;
    server.registerTool('secret', { canAccess }, () => ({ content: [{ type: 'text', text: 'secret' }] }));
    const { url } = await serve(engine, { tokens: [{ token: TOKEN }] }, server);
    expect((await call(url, 'secret', TOKEN)).json.error.message).toBe('Unknown tool: secret');
    expect((await ask(url, 'tools/list', {}, TOKEN)).json.result.tools).toHaveLength(1);
  });

  test('what a verifier says: invalid_token of the official SDK, a resource of somebody else, odd words', async () => {
    const verifier = {
      verifyAccessToken: async (token: string) => {
        if (token === 'sdk') throw new OAuthError(OAuthErrorCode.InvalidToken, 'gone\r\nset-cookie: "a"');
        if (token === 'down') throw new Error('connect ECONNREFUSED 10.0.0.5');
        const resource = new URL(token === 'mine' ? `${RESOURCE}/` : 'http://other.example/mcp');
        return { token, clientId: 'c', scopes: [], resource };
      },
    };
    const { url } = await serve(engine, { verifier, resource: RESOURCE });
    const sdk = await call(url, 'who', 'sdk');
    expect([sdk.status, sdk.challenge]).toEqual([401, expect.stringContaining('gone  set-cookie:  a ')]);
    expect(sdk.json.error_description).toBe('gone  set-cookie:  a ');
    const down = await call(url, 'who', 'down');
    expect([down.status, down.text]).toEqual([503, expect.not.stringContaining('10.0.0.5')]);
    expect((await call(url, 'who', 'other')).status).toBe(401);
    expect((await call(url, 'who', 'mine')).status).toBe(200);
  });
});

describe('JWT', () => {
  const issuer = 'https://as.example';
  async function keys(count: number) {
    const pairs = await Promise.all(
      Array.from({ length: count }, () => generateKeyPair('ES256', { extractable: true })),
    );
    const jwks = { keys: await Promise.all(pairs.map(async ({ publicKey }) => ({ ...(await exportJWK(publicKey)) }))) };
    const sign = (claims: object, header: object = {}, key = 0): Promise<string> =>
      new SignJWT({ iss: issuer, aud: RESOURCE, sub: 's', client_id: 'c', ...claims })
        .setProtectedHeader({ alg: 'ES256', ...header })
        .setExpirationTime('5m')
        .sign((pairs[key] as (typeof pairs)[number]).privateKey);
    return { jwks: jwks as { keys: Record<string, unknown>[] }, sign };
  }

  test('made for something else is no access token', async () => {
    const { jwks, sign } = await keys(1);
    const { url } = await serve('js', { jwt: { issuer, jwks }, resource: RESOURCE });
    const status = async (claims: object, header?: object) =>
      (await call(url, 'who', await sign(claims, header))).status;
    expect(await status({})).toBe(200);
    expect(await status({ n: 1 }, { typ: 'at+jwt' })).toBe(200);
    expect(await status({ n: 2 }, { typ: 'application/AT+JWT' })).toBe(200);
    expect(await status({ n: 3 }, { typ: 'JWT' })).toBe(200);
    for (const typ of ['logout+jwt', 'dpop+jwt', 'token-introspection+jwt', '']) {
      expect(await status({}, { typ }), typ).toBe(401);
    }
    expect(await status({ cnf: { jkt: 'thumbprint' } })).toBe(401);
    expect(await status({ aud: [`${RESOURCE}/other`] })).toBe(401);
    expect(await status({ aud: [] })).toBe(401);
    expect(await status({ nbf: Math.floor(Date.now() / 1000) + 600 })).toBe(401);
  });

  test('without a key id every key that may be is tried; a stranger’s is none of them', async () => {
    const { jwks, sign } = await keys(3);
    const known = { keys: jwks.keys.slice(0, 2) };
    const errors: Error[] = [];
    const onerror = (error: Error) => errors.push(error);
    const { url } = await serve('js', { jwt: { issuer, jwks: known }, resource: RESOURCE, onerror });
    expect((await call(url, 'who', await sign({}, {}, 0))).status).toBe(200);
    expect((await call(url, 'who', await sign({}, {}, 1))).status).toBe(200);
    expect((await call(url, 'who', await sign({}, {}, 2))).status).toBe(401);
    expect(errors).toEqual([]);
  });

  test('two issuers that name their people alike do not name the same people', () => {
    const of = (iss: string, sub = 's') => ({ token: 't', clientId: 'c', scopes: [], extra: { iss, sub } });
    expect(sameParty(of('https://a.example'), of('https://a.example'))).toBe(true);
    expect(sameParty(of('https://a.example'), of('https://b.example'))).toBe(false);
    expect(sameParty(of('https://a.example'), undefined)).toBe(false);
    expect(sameParty(undefined, undefined)).toBe(true);
  });

  test('discovery follows no redirect, takes no page for metadata, and reads only so much', async () => {
    const asked: string[] = [];
    const trap = await elsewhere((request, response) => {
      asked.push(`trap ${request.url}`);
      response.end('{}');
    });
    const here = await elsewhere((request, response) => {
      asked.push(String(request.url));
      if (request.url === '/.well-known/oauth-authorization-server/redirects') {
        response.writeHead(302, { location: `${trap}/metadata` }).end();
      } else if (request.url === '/.well-known/openid-configuration/redirects') {
        response.end('<html>Sign in</html>');
      } else if (request.url === '/redirects/.well-known/openid-configuration') {
        response.end(JSON.stringify({ issuer: `${here}/redirects`, jwks_uri: `${here}/keys` }));
      } else if (request.url?.endsWith('/long')) {
        response.end(`{"issuer":"${'x'.repeat(300 * 1024)}"}`);
      } else response.writeHead(404).end();
    });
    expect(await discoverKeys(`${here}/redirects`)).toBe(`${here}/keys`);
    expect(asked.filter((url) => url.startsWith('trap'))).toEqual([]);
    await expect(discoverKeys(`${here}/long`)).rejects.toThrow('is longer than');
    await expect(discoverKeys(`${here}/nothing`)).rejects.toThrow('publishes no metadata');
  });

  test('metadata of a real issuer cannot point at this machine, nor speak for another', async () => {
    const document = { issuer, jwks_uri: 'http://127.0.0.1:8080/admin' };
    vi.stubGlobal('fetch', async () => new Response(JSON.stringify(document)));
    await expect(discoverKeys(issuer)).rejects.toThrow('must be an https URL');
    document.jwks_uri = 'file:///etc/passwd';
    await expect(discoverKeys(issuer)).rejects.toThrow('must be an https URL');
    document.issuer = 'https://evil.example';
    await expect(discoverKeys(issuer)).rejects.toThrow('of another issuer');
  });
});

describe('introspection', () => {
  const introspection = (endpoint: string) => ({ endpoint, clientId: 'rs', clientSecret: 'secret' });

  test('takes access tokens only, though others are active as well', async () => {
    const answers: Record<string, object> = {
      plain: {},
      typed: { token_type: 'Bearer', token_use: 'access_token' },
      refresh: { token_type: 'refresh_token' },
      hydra: { token_type: 'Bearer', token_use: 'refresh_token' },
      dpop: { token_type: 'DPoP' },
      bound: { cnf: { 'x5t#S256': 'thumbprint' } },
      over: { exp: 1 },
    };
    const endpoint = await elsewhere(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const token = new URLSearchParams(body).get('token') ?? '';
      response.end(JSON.stringify({ active: true, aud: RESOURCE, client_id: 'c', ...answers[token] }));
    });
    const { url } = await serve('js', { introspection: introspection(endpoint), resource: RESOURCE });
    const statuses = await Promise.all(
      Object.keys(answers).map(async (token) => (await call(url, 'who', token)).status),
    );
    expect(statuses).toEqual([200, 200, 401, 401, 401, 401, 401]);
  });

  test('the token goes nowhere but to the endpoint; answers that are none are nobody’s fault', async () => {
    let trapped = 0;
    const trap = await elsewhere((_, response) => {
      trapped += 1;
      response.end('{"active":true}');
    });
    const answers = ['redirect', '<html>', '[]', 'null', `{"x":"${'x'.repeat(300 * 1024)}"}`];
    let turn = 0;
    const endpoint = await elsewhere((_, response) => {
      const answer = answers[turn++] as string;
      if (answer === 'redirect') response.writeHead(307, { location: trap }).end();
      else response.end(answer);
    });
    const errors: string[] = [];
    const onerror = (error: Error) => errors.push(error.message);
    const { url } = await serve('js', { introspection: introspection(endpoint), resource: RESOURCE, onerror });
    for (const answer of answers) {
      expect((await call(url, 'who', `token-for-${turn}`)).status, answer.slice(0, 10)).toBe(503);
    }
    expect(trapped).toBe(0);
    expect(errors).toHaveLength(5);
    expect(errors.join()).not.toMatch(/token-for|secret/);
  });
});

describe('the gatekeeper', () => {
  const rules = { access: () => undefined, guarded: false };

  test('does not wait for a verifier for ever', async () => {
    vi.useFakeTimers();
    const verifier = { verifyAccessToken: () => new Promise<never>(() => {}) };
    const errors: string[] = [];
    const onerror = (error: Error) => errors.push(error.message);
    const gatekeeper = new Gatekeeper({ verifier, resource: RESOURCE, onerror }, rules);
    const statuses: number[] = [];
    const port = { reply: (_slot: number, status: number) => statuses.push(status) };
    const exchange = { path: undefined, header: () => 'Bearer some-token', port, slot: 1 } as unknown as Exchange;
    gatekeeper.check(exchange, 'POST', () => statuses.push(0));
    await vi.advanceTimersByTimeAsync(29_000);
    expect(statuses).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(statuses).toEqual([503]);
    expect(errors).toEqual([expect.stringContaining('no answer within')]);
  });

  test('a caller who is not known any more may do nothing', () => {
    const gatekeeper = new Gatekeeper({ tokens: [{ token: TOKEN }], resource: RESOURCE }, rules);
    const refusal = gatekeeper.allows(undefined, 'tools/call', 'who');
    expect(refusal).toMatchObject({ status: 401, headers: expect.stringContaining('www-authenticate: Bearer') });
  });

  test('a request on its way up still finds its caller when the token has made room, for a while', () => {
    const principals = new Principals(1);
    const told: unknown[][] = [];
    const admit = (...given: unknown[]) => told.push(['admit', ...given]);
    const expel = (digest: string) => told.push(['expel', digest]);
    const listener = { admit, expel } as unknown as Listener;
    principals.attach(listener);
    const auth = (clientId: string) => ({ token: 't', clientId, scopes: [] });
    const first = principals.add('a', auth('a'), Number.NaN);
    expect(first.until).toBe(1);
    for (let n = 0; n < 1024; n += 1) principals.add(`d${n}`, auth('d'), Date.now() + 60_000);
    expect(principals.size).toBe(1);
    expect(principals.who(first.number)?.clientId).toBe('a');
    principals.add('z', auth('z'), undefined);
    expect(principals.who(first.number)).toBeUndefined();
    expect(told.slice(0, 3)).toEqual([
      ['admit', 'a', 1, 1],
      ['expel', 'a'],
      ['admit', 'd0', 2, expect.any(Number)],
    ]);
    principals.detach(listener);
    const before = told.length;
    principals.add('y', auth('y'), undefined);
    expect(told).toHaveLength(before);
  });
});

test('options that would let in too many are mistakes', async () => {
  const server = plain();
  const refused = (auth: unknown): Promise<unknown> =>
    server.listen({ port: 0, engine: 'js', auth: auth as AuthOptions }).then(
      (listener) => listener.close().then(() => 'listened'),
      (error: Error) => error.message,
    );
  const jwt = { issuer: 'https://as.example' };
  const withJwt = (more: object) => refused({ jwt: { ...jwt, ...more }, resource: RESOURCE });
  expect(await withJwt({ audience: '' })).toMatch(/audience/);
  expect(await withJwt({ audience: [] })).toMatch(/audience/);
  expect(await withJwt({ algorithms: [] })).toMatch(/algorithms/);
  expect(await withJwt({ algorithms: ['none'] })).toMatch(/algorithms/);
  expect(await withJwt({ clockTolerance: 1e9 })).toMatch(/clockTolerance/);
  expect(await withJwt({ audiance: 'x' })).toMatch(/audiance/);
  expect(await withJwt({ jwks: {} })).toMatch(/jwks/);
  expect(await refused({ tokens: [{ token: TOKEN }, { token: TOKEN, scopes: ['x'] }] })).toMatch(/same token twice/);
  expect(await refused({ tokens: [{ token: TOKEN, scope: ['x'] }] })).toMatch(/scope/);
  expect(await refused({ tokens: [{ token: TOKEN, clientId: '' }] })).toMatch(/clientId/);
  expect(await refused({ tokens: TOKEN })).toMatch(/array/);
  expect(await refused({ tokens: [{ token: TOKEN }], resource: 'https://a:b@mcp.example/' })).toMatch(/credentials/);
  const introspection = { endpoint: 'https://as.example/i', clientId: 'a', clientSecret: 'b', requireAud: false };
  expect(await refused({ introspection, resource: RESOURCE })).toMatch(/requireAud/);
});
