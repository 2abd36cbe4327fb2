/**
 * Authorization from outside: static tokens, JWTs of a real issuer with rotating keys, introspection, scopes and challenges,
 * on each engine.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import { ListenerStat } from '../../ts/engine/engine.js';
import type { AuthOptions } from '../../ts/server/auth/options.js';
import type { ServerListener } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { engineNames } from '../engines.js';
import { ask, call, Issuer, RESOURCE } from './auth.stage.js';

const TOKEN = 'static-token-of-the-operator';
const SECOND = 'another-token-with-more-scopes';
const listeners: ServerListener[] = [];
let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer.stop());
afterEach(async () => {
  issuer.broken = 0;
  for (const listener of listeners.splice(0)) await listener.close({ grace: 100 });
});

async function serve(engine: EngineName, auth: AuthOptions, server = guarded()): Promise<ServerListener> {
  const listener = await server.listen({ port: 0, engine, auth });
  listeners.push(listener);
  return listener;
}

function guarded(): McpServer {
  const server = new McpServer({ name: 'guarded', version: '1.0.0' });
  const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
  server.registerTool('who', {}, (ctx) => said(JSON.stringify(ctx.authInfo ?? null)));
  server.registerTool('write', { scopes: ['mcp:write'] }, () => said('written'));
  server.registerTool('secret', { canAccess: (auth) => auth?.clientId === 'admin' }, () => said('secret'));
  return server;
}

function plain(): McpServer {
  const server = new McpServer({ name: 'plain', version: '1.0.0' });
  server.registerTool('who', {}, (ctx) => ({
    content: [{ type: 'text', text: JSON.stringify(ctx.authInfo ?? null) }],
  }));
  return server;
}

const textOf = (told: { json: { result: { content: { text: string }[] } } }): string =>
  told.json.result.content[0]?.text ?? '';

describe.each(engineNames)('%s engine', (engine) => {
  test('without a token: 401 and where to get one, whatever is asked', async () => {
    const { url } = await serve(engine, { tokens: [{ token: TOKEN }], resource: RESOURCE, requiredScopes: [] });
    for (const told of [
      await call(url, 'who'),
      await ask(url, 'tools/list', {}),
      await ask(url, 'server/discover', {}),
    ]) {
      expect(told.status).toBe(401);
      expect(told.challenge).toMatch(/^Bearer resource_metadata="http:\/\/127\.0\.0\.1\/\.well-known\/oauth-protected/);
      expect(told.challenge).not.toContain('error=');
    }
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(401);
  });

  test('a static token passes and is told to handlers; the engine lets it through by itself', async () => {
    const listener = await serve(engine, { tokens: [{ token: TOKEN, clientId: 'ops', scopes: ['a'] }] }, plain());
    for (let times = 0; times < 3; times += 1) {
      const told = await call(listener.url, 'who', TOKEN);
      expect(JSON.parse(textOf(told))).toEqual({ token: TOKEN, clientId: 'ops', scopes: ['a'] });
    }
    expect((await ask(listener.url, 'tools/list', {}, TOKEN)).json.result.tools).toHaveLength(1);
    const stats = listener.stats();
    expect(stats.calls).toBe(3);
    expect(stats.answered).toBe(1);
    expect(stats.messages).toBe(0);
    expect(Object.keys(ListenerStat)).toContain('answered');
  });

  test('wrong tokens, of any shape, are refused and never told back', async () => {
    const { url } = await serve(engine, { tokens: [{ token: TOKEN }] });
    for (const wrong of [`${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase(), 'x', 'a'.repeat(9000)]) {
      const told = await call(url, 'who', wrong);
      expect(told.status).toBe(401);
      if (wrong.length > 1) expect(told.text + told.challenge).not.toContain(wrong);
    }
    const odd = await fetch(url, { method: 'POST', body: '{}', headers: { authorization: `Basic ${TOKEN}` } });
    expect(odd.status).toBeGreaterThanOrEqual(400);
  });

  test('a token expires while its connection stays', async () => {
    const soon = Date.now() / 1000 + 1.2;
    const { url } = await serve(engine, { tokens: [{ token: TOKEN, expiresAt: soon }] });
    expect((await call(url, 'who', TOKEN)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const told = await call(url, 'who', TOKEN);
    expect(told.status).toBe(401);
    expect(told.challenge).toContain('error="invalid_token"');
  });

  test('two listeners of one server: the open one asks for nothing, the guarded one for a token', async () => {
    const server = plain();
    const open = await server.listen({ port: 0, engine });
    listeners.push(open);
    const closed = await serve(engine, { tokens: [{ token: TOKEN }] }, server);
    expect((await call(open.url, 'who')).status).toBe(200);
    expect((await call(closed.url, 'who')).status).toBe(401);
    expect((await call(closed.url, 'who', TOKEN)).status).toBe(200);
  });

  test('JWT: signature, issuer, audience, expiry; keys found by the issuer, rotated', async () => {
    const auth = { jwt: { issuer: issuer.url, cooldown: 1 }, resource: RESOURCE };
    const { url } = await serve(engine, auth, plain());
    const good = await issuer.sign();
    const who = JSON.parse(textOf(await call(url, 'who', good)));
    expect(who).toMatchObject({ clientId: 'client-1', scopes: ['mcp:use'], extra: { sub: 'user-1' } });
    const asked = issuer.requests.length;
    expect((await call(url, 'who', good)).status).toBe(200);
    expect(issuer.requests.length).toBe(asked);

    const wrong: Record<string, string> = {
      audience: await issuer.sign({ aud: 'http://other.example/mcp' }),
      issuer: await issuer.sign({ iss: 'http://other.example' }),
      expired: await issuer.sign({}, Math.floor(Date.now() / 1000) - 60),
      signature: `${good.slice(0, -6)}AAAAAA`,
      unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`,
      nonsense: 'abc.def.ghi',
    };
    for (const [what, token] of Object.entries(wrong)) {
      const told = await call(url, 'who', token);
      expect(told.status, what).toBe(401);
      expect(told.challenge, what).toContain('error="invalid_token"');
    }

    await issuer.rotate();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await call(url, 'who', await issuer.sign({ sub: 'user-2' }))).status).toBe(200);
  });

  test('an issuer that cannot be reached is nobody’s fault but ours: 503, and the operator is told', async () => {
    const errors: Error[] = [];
    const auth = {
      jwt: { issuer: issuer.url },
      resource: RESOURCE,
      onerror: (error: Error) => errors.push(error),
    };
    const { url } = await serve(engine, auth, plain());
    issuer.broken = 500;
    const token = await issuer.sign();
    const told = await call(url, 'who', token);
    expect(told.status).toBe(503);
    expect(errors).toHaveLength(1);
    expect(String(errors[0]?.stack)).not.toContain(token);
    issuer.broken = 0;
    expect((await call(url, 'who', token)).status).toBe(200);
  });

  test('introspection: active, for us, believed for a while', async () => {
    const introspection = { endpoint: `${issuer.url}/introspect`, clientId: 'rs', clientSecret: 's:cret' };
    const { url } = await serve(engine, { introspection, resource: RESOURCE }, plain());
    issuer.active.set('opaque-token-1', { active: true, aud: RESOURCE, scope: 'x y', client_id: 'c', sub: 's' });
    issuer.active.set('opaque-token-2', { active: true, aud: 'http://other.example', client_id: 'c' });
    issuer.active.set('opaque-token-3', { active: true, client_id: 'c' });
    expect(JSON.parse(textOf(await call(url, 'who', 'opaque-token-1')))).toMatchObject({
      clientId: 'c',
      scopes: ['x', 'y'],
    });
    const asked = issuer.requests.length;
    expect((await call(url, 'who', 'opaque-token-1')).status).toBe(200);
    expect(issuer.requests.length).toBe(asked);
    for (const token of ['opaque-token-2', 'opaque-token-3', 'opaque-token-4']) {
      expect((await call(url, 'who', token)).status).toBe(401);
    }
  });

  test('one question to the verifier for many requests with the same new token', async () => {
    let asked = 0;
    const verifier = {
      verifyAccessToken: async (token: string) => {
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { token, clientId: 'v', scopes: [] };
      },
    };
    const { url } = await serve(engine, { verifier, resource: RESOURCE }, plain());
    const all = await Promise.all(Array.from({ length: 10 }, () => call(url, 'who', 'token-of-a-verifier')));
    expect(all.map((told) => told.status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(asked).toBe(1);
  });

  test('scopes that every request needs, and step-up for single tools', async () => {
    const tokens = [
      { token: 'token-without-any-scope', scopes: [] },
      { token: TOKEN, scopes: ['mcp:use'] },
      { token: SECOND, scopes: ['mcp:use', 'mcp:write'] },
    ];
    const { url } = await serve(engine, { tokens, resource: RESOURCE, requiredScopes: ['mcp:use'] });
    const none = await call(url, 'who', 'token-without-any-scope');
    expect(none.status).toBe(403);
    expect(none.challenge).toMatch(/error="insufficient_scope".*scope="mcp:use"/);
    const step = await call(url, 'write', TOKEN);
    expect(step.status).toBe(403);
    expect(step.challenge).toMatch(/error="insufficient_scope".*scope="mcp:use mcp:write"/);
    expect(step.challenge).toContain('resource_metadata=');
    expect(textOf(await call(url, 'write', SECOND))).toBe('written');
  });

  test('what one may not know of is neither listed nor told apart from nothing', async () => {
    const tokens = [
      { token: TOKEN, clientId: 'user' },
      { token: SECOND, clientId: 'admin', scopes: ['mcp:write'] },
    ];
    const { url } = await serve(engine, { tokens });
    const names = async (token: string): Promise<string[]> =>
      (await ask(url, 'tools/list', {}, token)).json.result.tools.map((tool: { name: string }) => tool.name);
    expect(await names(TOKEN)).toEqual(['who', 'write']);
    expect(await names(SECOND)).toEqual(['who', 'write', 'secret']);
    const hidden = await call(url, 'secret', TOKEN);
    const missing = await call(url, 'no-such', TOKEN);
    expect(hidden.json.error).toEqual({ ...missing.json.error, message: 'Unknown tool: secret' });
    expect(textOf(await call(url, 'secret', SECOND))).toBe('secret');
  });

  test('protected-resource metadata is public, at both places', async () => {
    const auth = { jwt: { issuer: issuer.url }, resource: RESOURCE, scopesSupported: ['mcp:use'] };
    const { url } = await serve(engine, auth, plain());
    for (const path of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']) {
      const response = await fetch(new URL(path, url));
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(await response.json()).toEqual({
        resource: RESOURCE,
        authorization_servers: [issuer.url],
        scopes_supported: ['mcp:use'],
        bearer_methods_supported: ['header'],
      });
    }
    expect((await fetch(new URL('/.well-known/other', url))).status).toBe(404);
  });

  test('a legacy session belongs to whoever opened it', async () => {
    const tokens = [
      { token: TOKEN, clientId: 'one' },
      { token: SECOND, clientId: 'two' },
    ];
    const { url } = await serve(engine, { tokens }, plain());
    const send = (token: string, body: object, session?: string): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${token}`,
          ...(session === undefined ? {} : { 'mcp-session-id': session }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...body }),
      });
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const opened = await send(TOKEN, { id: 1, method: 'initialize', params });
    const session = opened.headers.get('mcp-session-id') ?? '';
    await opened.body?.cancel();
    expect(session).not.toBe('');
    const gone = await fetch(url, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${SECOND}`, 'mcp-session-id': session },
    });
    expect(gone.status).toBe(404);
    const stream = await fetch(url, {
      headers: { authorization: `Bearer ${SECOND}`, 'mcp-session-id': session, accept: 'text/event-stream' },
    });
    expect(stream.status).toBe(404);
    const own = await fetch(url, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${TOKEN}`, 'mcp-session-id': session },
    });
    expect(own.ok).toBe(true);
  });
});

test('mistakes in the options are told before anything listens, without the token', async () => {
  const server = plain();
  const refused = (auth: unknown): Promise<unknown> =>
    server.listen({ port: 0, engine: 'js', auth: auth as AuthOptions }).then(
      () => 'listened',
      (error: Error) => error.message,
    );
  expect(await refused({})).toMatch(/nobody could call/);
  expect(await refused({ tokens: [{ token: 'short' }] })).toMatch(/tokens\[0\]\.token must have at least 16/);
  expect(await refused({ tokens: [{ token: 'with spaces in the token' }] })).not.toContain('spaces');
  expect(await refused({ jwt: { issuer: 'https://as.example' } })).toMatch(/auth\.resource is missing/);
  expect(await refused({ jwt: { issuer: 'http://as.example' }, resource: RESOURCE })).toMatch(/https URL/);
  const jwt = { issuer: 'https://as.example', algorithms: ['HS256'] };
  expect(await refused({ jwt, resource: RESOURCE })).toMatch(/asymmetric/);
  expect(await refused({ tokens: [{ token: TOKEN }], nonsense: 1 })).toMatch(/nonsense/);
});

test('beyond loopback authorization is enough', async () => {
  const server = plain();
  await expect(server.listen({ host: '0.0.0.0', port: 0, engine: 'js' })).rejects.toThrow(/without authorization/);
  const auth = { tokens: [{ token: TOKEN }] };
  const listener = await server.listen({ host: '0.0.0.0', port: 0, engine: 'js', auth, allowedHosts: null });
  listeners.push(listener);
  expect((await call(listener.url, 'who')).status).toBe(401);
});
