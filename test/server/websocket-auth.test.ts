/** Authorization over WebSocket: the token of the upgrade decides who a connection acts for, and for how long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthOptions } from '../../ts/server/auth/options.js';
import { McpServer } from '../../ts/server/mcp.js';
import { serveWebSocket, type WebSocketListener, type WebSocketOptions } from '../../ts/server/websocket.js';
import { ask, atEnd, callTool, INITIALIZE } from '../clients/stage.js';
import { RawSocket, refused } from '../clients/websocket.js';
import { Issuer, RESOURCE } from './auth.stage.js';

const ADMIN = 'token-of-the-administrator';
const USER = 'token-of-some-other-user';
const TOKENS = [
  { token: ADMIN, clientId: 'admin', scopes: ['mcp:use', 'mcp:write'] },
  { token: USER, clientId: 'user', scopes: ['mcp:use'] },
];
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const said = (text: string) => ({ result: { content: [{ type: 'text', text }] } });

function make(): McpServer {
  const server = new McpServer({ name: 'guarded', version: '1.0.0' });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('who', {}, (ctx) => text(`${ctx.authInfo?.clientId} ${ctx.http?.authInfo?.clientId}`));
  server.registerTool('write', { scopes: ['mcp:write'] }, (ctx) => text(`written by ${ctx.authInfo?.clientId}`));
  server.registerTool('secret', { canAccess: (auth) => auth?.clientId === 'admin' }, () => text('secret'));
  return server;
}

async function serve(auth: AuthOptions, options: WebSocketOptions = {}, server = make()): Promise<WebSocketListener> {
  const listener = await serveWebSocket(server, { port: 0, auth, ...options });
  atEnd(() => server.close({ grace: 0 }));
  return listener;
}

async function open(url: string, token: string): Promise<RawSocket> {
  const raw = await RawSocket.open(url, bearer(token));
  atEnd(() => raw.leave());
  return raw;
}

let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer.stop());

describe('the door', () => {
  it('refuses whoever brings no token that is worth anything, and says where to get one', async () => {
    const listener = await serve({ tokens: TOKENS, resource: RESOURCE, requiredScopes: ['mcp:use'] });
    const told = await refused(listener.url);
    expect(told.status).toBe(401);
    expect(told.headers['www-authenticate']).toMatch(/^Bearer scope="mcp:use", resource_metadata="http:/);
    const wrong: object[] = [
      bearer('not-a-token-of-anybody'),
      bearer(`${ADMIN}x`),
      { headers: { authorization: `Basic ${ADMIN}` } },
      { headers: { authorization: ['Bearer x', `Bearer ${ADMIN}`] } },
    ];
    for (const options of wrong) expect((await refused(listener.url, options)).status).toBe(401);
    // A query is no place for a token.
    expect((await refused(`${listener.url}?access_token=${ADMIN}`)).status).toBe(401);
    expect(listener.stats()).toMatchObject({ refused: 6, accepted: 0 });
  });

  it('refuses who lacks a scope that everybody needs', async () => {
    const listener = await serve({ tokens: TOKENS, requiredScopes: ['mcp:write'] });
    const told = await refused(listener.url, bearer(USER));
    expect([told.status, told.headers['www-authenticate']]).toEqual([
      403,
      expect.stringContaining('insufficient_scope'),
    ]);
    await open(listener.url, ADMIN);
  });

  it('publishes where tokens come from, on a server of its own', async () => {
    const listener = await serve({ tokens: TOKENS, resource: RESOURCE, authorizationServers: ['https://as.example'] });
    const at = (path: string) => fetch(`http://127.0.0.1:${listener.port}${path}`);
    const answer = await at('/.well-known/oauth-protected-resource/mcp');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ resource: RESOURCE, authorization_servers: ['https://as.example'] });
    expect((await at('/mcp')).status).toBe(426);
    expect((await at('/other')).status).toBe(404);
  });

  it('opens beyond loopback', async () => {
    const listener = await serve({ tokens: TOKENS }, { host: '0.0.0.0', allowedHosts: ['127.0.0.1'] });
    expect((await refused(listener.url)).status).toBe(401);
    const raw = await open(listener.url, USER);
    raw.send(callTool(1, 'who'));
    expect(await raw.answer(1)).toMatchObject(said('user user'));
  });

  it('asks verifiers, and says when they cannot tell', async () => {
    const told: Error[] = [];
    const listener = await serve({
      resource: RESOURCE,
      onerror: (error) => told.push(error),
      verifier: {
        async verifyAccessToken(token) {
          if (token === 'broken') throw new Error('no connection');
          return { token, clientId: token, scopes: [] };
        },
      },
    });
    expect((await refused(listener.url, bearer('broken'))).status).toBe(503);
    expect(told.map(({ message }) => message)).toEqual(['no connection']);
    const raw = await open(listener.url, 'somebody');
    raw.send(callTool(1, 'who'));
    expect(await raw.answer(1)).toMatchObject(said('somebody somebody'));
  });

  it('drops who leaves while that is asked', async () => {
    let asked = (): void => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const listener = await serve({
      resource: RESOURCE,
      verifier: {
        async verifyAccessToken(token) {
          asked();
          await answered;
          return { token, clientId: token, scopes: [] };
        },
      },
    });
    const left = new AbortController();
    const opening = RawSocket.open(listener.url, { ...bearer('slow'), signal: left.signal } as never).catch(
      () => 'left',
    );
    await asking;
    expect(listener.stats().connections).toBe(1);
    left.abort();
    expect(await opening).toBe('left');
    answer();
    while (listener.stats().connections > 0) await new Promise(setImmediate);
    const raw = await open(listener.url, 'slow');
    raw.send(ask(1, 'ping'));
    expect(await raw.answer(1)).toMatchObject({ result: {} });
    expect(listener.stats()).toMatchObject({ connections: 1, inFlight: 0 });
  });
});

describe('a connection', () => {
  it('acts for its owner, in both eras, fast way and slow', async () => {
    const listener = await serve({ tokens: TOKENS });
    const [admin, user] = [await open(listener.url, ADMIN), await open(listener.url, USER)];
    for (const raw of [admin, user]) {
      raw.send(
        INITIALIZE,
        callTool('legacy', 'who'),
        ask('modern', 'tools/call', { name: 'who', arguments: {}, _meta: META }),
        // An escaped name is not beyond doubt, and goes the other way.
        JSON.stringify(callTool('slow', 'who')).replace('"who"', '"wh\\u006f"'),
        callTool('write', 'write'),
        callTool('secret', 'secret'),
        ask('list', 'tools/list'),
      );
      await raw.answer('list');
    }
    for (const id of ['legacy', 'modern', 'slow']) {
      expect(await admin.answer(id)).toMatchObject(said('admin admin'));
      expect(await user.answer(id)).toMatchObject(said('user user'));
    }
    expect(await admin.answer('write')).toMatchObject(said('written by admin'));
    expect(await admin.answer('secret')).toMatchObject(said('secret'));
    expect(await user.answer('write')).toMatchObject({ error: { message: expect.stringContaining('mcp:write') } });
    expect(await user.answer('secret')).toMatchObject({ error: { code: -32602, message: 'Unknown tool: secret' } });
    const names = async (raw: RawSocket) =>
      ((await raw.answer('list')).result as { tools: { name: string }[] }).tools.map(({ name }) => name);
    expect(await names(admin)).toEqual(['who', 'write', 'secret']);
    expect(await names(user)).toEqual(expect.not.arrayContaining(['secret']));
  });

  it('may stand beside one without authorization, to which nobody is known', async () => {
    const server = make();
    const guarded = await serve({ tokens: TOKENS }, {}, server);
    const other = await serveWebSocket(server, { port: 0 });
    const raw = await RawSocket.open(other.url, bearer(ADMIN));
    atEnd(() => raw.leave());
    raw.send(callTool(1, 'who'));
    expect(await raw.answer(1)).toMatchObject(said('undefined undefined'));
    const admin = await open(guarded.url, ADMIN);
    admin.send(callTool(1, 'who'));
    expect(await admin.answer(1)).toMatchObject(said('admin admin'));
  });

  it('ends with its token', async () => {
    const token = await issuer.sign({}, Math.floor(Date.now() / 1000) + 2);
    const listener = await serve({ jwt: { issuer: issuer.url }, resource: RESOURCE }, { idleTimeout: 200 });
    const raw = await open(listener.url, token);
    raw.send(callTool(1, 'who'));
    expect(await raw.answer(1)).toMatchObject(said('client-1 client-1'));
    expect(await raw.closed).toBe(1008);
    while (listener.stats().connections > 0) await new Promise(setImmediate);
    expect((await refused(listener.url, bearer(token))).status).toBe(401);
  });

  it('ends when its token was revoked, or nobody can tell any more', async () => {
    const introspection = { endpoint: `${issuer.url}/introspect`, clientId: 'rs', clientSecret: 's:cret', cacheTtl: 1 };
    const listener = await serve({ introspection, resource: RESOURCE }, { idleTimeout: 100 });
    for (const token of ['revoked', 'unknown']) {
      issuer.active.set(token, { active: true, aud: RESOURCE, client_id: 'c', scope: 'a' });
    }
    const revoked = await open(listener.url, 'revoked');
    issuer.active.delete('revoked');
    expect(await revoked.closed).toBe(1008);
    const unknown = await open(listener.url, 'unknown');
    unknown.send(callTool(1, 'who'));
    expect(await unknown.answer(1)).toMatchObject(said('c c'));
    issuer.broken = 500;
    expect(await unknown.closed).toBe(1013);
    issuer.broken = 0;
  });

  it('is not served a message after that, however rarely anybody looks', async () => {
    const expiresAt = Date.now() / 1000 + 1;
    const listener = await serve({ tokens: [{ token: USER, clientId: 'user', expiresAt }] });
    const raw = await open(listener.url, USER);
    raw.send(callTool(0, 'who'));
    expect(await raw.answer(0)).toMatchObject(said('user user'));
    await new Promise((resolve) => setTimeout(resolve, expiresAt * 1000 - Date.now() + 1));
    raw.send(callTool(1, 'who'));
    expect(await raw.closed).toBe(1008);
    expect(raw.messages).toHaveLength(1);
  });
});
