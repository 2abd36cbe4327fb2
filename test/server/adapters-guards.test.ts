/** What every adapter refuses before a message is looked at, and what it takes from those in front of it. */
import { createServer } from 'node:http';
import express from 'express';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { AuthInfo } from '../../ts/protocol/types.js';
import { createMcpExpressApp, requireBearerAuth } from '../../ts/server/adapters/express.js';
import { createMcpFastifyApp, fastifyHandler } from '../../ts/server/adapters/fastify.js';
import { createMcpHandler } from '../../ts/server/adapters/handler.js';
import { createMcpHonoApp, honoHandler } from '../../ts/server/adapters/hono.js';
import { hostHeaderValidation, nodeHandler, originValidation, toNodeHandler } from '../../ts/server/adapters/node.js';
import { McpServer } from '../../ts/server/mcp.js';
import { ask, atEnd, call, legacy, listening, MOUNTINGS, modern, onNode, text } from './adapters-stage.js';

function server(): McpServer {
  const made = new McpServer({ name: 'guards', version: '1' });
  made.registerTool('echo', { inputSchema: z.object({ message: z.string() }) }, ({ message }) => text(message));
  made.registerTool('who', {}, (ctx) => text(JSON.stringify(ctx.authInfo?.clientId ?? null)));
  return made;
}

function guarded(): McpServer {
  const made = server();
  made.registerTool('write', { scopes: ['write'] }, () => text('written'));
  made.registerTool('hidden', { canAccess: (auth) => auth?.scopes.includes('admin') === true }, () => text('seen'));
  return made;
}

const echo = call('echo', { message: 'hello' });
const hello = { result: text('hello') };

describe.each(MOUNTINGS)('%s', (_, mount) => {
  it('checks Host and Origin on a loopback socket', async () => {
    const url = await mount(server());
    const withHost = (host: string, more = {}) => ask(url, { ...echo, headers: { ...echo.headers, host, ...more } });
    for (const host of ['localhost', '127.0.0.1', '[::1]:99', `localhost:${url.port}`]) {
      expect(await withHost(host)).toMatchObject({ status: 200, json: hello });
    }
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80']) {
      expect(await withHost(host)).toMatchObject({ status: 403, json: { id: null, error: { code: -32000 } } });
    }
    const from = (origin: string) => withHost('localhost', { origin });
    expect((await from('http://localhost:5173')).status).toBe(200);
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
      expect((await from(origin)).status).toBe(403);
    }
  });

  it('checks the names that it is given, and none when told so', async () => {
    const named = await mount(server(), { allowedHosts: ['api.example'], allowedOrigins: ['app.example'] });
    const at = (url: URL, host: string, origin?: string) =>
      ask(url, { ...echo, headers: { ...echo.headers, host, ...(origin !== undefined && { origin }) } });
    expect((await at(named, 'api.example')).status).toBe(200);
    expect((await at(named, 'api.example', 'https://app.example')).status).toBe(200);
    expect((await at(named, 'localhost')).status).toBe(403);
    expect((await at(named, 'api.example', 'http://localhost')).status).toBe(403);
    const open = await mount(server(), { allowedHosts: null, allowedOrigins: null });
    expect((await at(open, 'anything.example', 'https://elsewhere.example')).status).toBe(200);
  });

  it('refuses other types, and bodies over the limit, whether they say so or not', async () => {
    const url = await mount(server(), { maxRequestBodySize: 2000 });
    expect((await ask(url, { ...echo, headers: { ...echo.headers, 'content-type': 'text/plain' } })).status).toBe(415);
    const long = call('echo', { message: 'x'.repeat(3000) });
    const length = { 'content-length': `${long.body.length}` };
    const declared = await ask(url, { ...long, headers: { ...long.headers, ...length } });
    const parsed = declared.status === 200; // the parser in front has its own limit, and has taken it
    if (!parsed) expect(declared).toMatchObject({ status: 413, json: { error: { code: -32000 } } });
    if (!parsed) expect((await ask(url, long)).status).toBe(413);
    expect(await ask(url, echo)).toMatchObject({ status: 200, json: hello });
  });

  it('answers what is no message, and methods that mean nothing', async () => {
    const url = await mount(server(), { legacy: 'stateless' });
    const headers = echo.headers;
    expect((await ask(url, { headers, body: '{"jsonrpc":' })).status).toBe(400);
    expect(await ask(url, { headers, body: '{"jsonrpc":"1.0","id":1,"method":"x"}' })).toMatchObject({ status: 400 });
    const nobody = await ask(url, call('nobody'));
    expect(nobody.json).toMatchObject({ id: 1, error: { code: -32602 } });
    expect((await ask(url, { method: 'GET', headers: { accept: 'text/event-stream' } })).status).toBe(405);
    expect((await ask(url, legacy('notifications/initialized', undefined, null))).status).toBe(202);
    // Headers that contradict the body.
    const crossed = { ...echo.headers, 'mcp-name': 'other' };
    expect((await ask(url, { ...echo, headers: crossed })).json).toMatchObject({ error: { code: -32020 } });
  });
});

describe('validation in front', () => {
  const names = { headers: { ...echo.headers, host: 'shop.example', origin: 'https://shop.example' }, body: echo.body };
  const foreign = { headers: { ...echo.headers, host: 'evil.example' }, body: echo.body };

  it('of node:http is believed', async () => {
    const serve = toNodeHandler(createMcpHandler(server));
    const host = hostHeaderValidation(['shop.example']);
    const origin = originValidation(['shop.example']);
    const url = await onNode((req, res) => {
      if (host(req, res) && origin(req, res)) void serve(req, res as never);
    });
    expect(await ask(url, names)).toMatchObject({ status: 200, json: hello });
    expect(await ask(url, foreign)).toMatchObject({ status: 403, json: { error: { message: /evil\.example/ } } });
  });

  it('of Express, Fastify and Hono applications is believed', async () => {
    const options = { host: '0.0.0.0', allowedHosts: ['shop.example'], allowedOrigins: ['shop.example'] };
    const app = createMcpExpressApp(options);
    const serve = toNodeHandler(createMcpHandler(server));
    app.all('/mcp', (req, res) => void serve(req, res as never, req.body));
    expect(await ask(await onNode(app), names)).toMatchObject({ status: 200, json: hello });
    expect((await ask(await onNode(app), foreign)).status).toBe(403);

    const fastify = createMcpFastifyApp(options);
    fastify.all('/mcp', fastifyHandler(server));
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    atEnd(() => fastify.close());
    const address = fastify.server.address() as { port: number };
    const url = new URL(`http://127.0.0.1:${address.port}/mcp`);
    expect(await ask(url, names)).toMatchObject({ status: 200, json: hello });
    expect((await ask(url, foreign)).status).toBe(403);

    const hono = createMcpHonoApp(options);
    hono.all('/mcp', honoHandler(server));
    const there = (request: typeof names) => hono.request('http://shop.example/mcp', { method: 'POST', ...request });
    expect(await (await there(names)).json()).toMatchObject(hello);
    expect((await there(foreign as typeof names)).status).toBe(403);
  });

  it('of applications on loopback holds by default', async () => {
    const app = createMcpExpressApp();
    app.all('/mcp', (_, res) => void res.json({ reached: true }));
    expect((await ask(await onNode(app), foreign)).status).toBe(403);
    expect((await ask(await onNode(app), echo)).json).toEqual({ reached: true });
    const hono = createMcpHonoApp();
    hono.all('/mcp', (c) => c.json({ body: c.get('parsedBody' as never) }));
    const { headers, body } = echo;
    const request = (host: string) => hono.request('/mcp', { method: 'POST', headers: { ...headers, host }, body });
    expect((await request('evil.example')).status).toBe(403);
    expect(await (await request('localhost')).json()).toEqual({ body: JSON.parse(body) });
    const broken = await hono.request('/mcp', {
      method: 'POST',
      headers: { ...headers, host: 'localhost' },
      body: '{',
    });
    expect(broken.status).toBe(400);
  });
});

describe('what somebody in front has found out', () => {
  const auth: AuthInfo = { token: 'secret', clientId: 'alice', scopes: ['mcp'], expiresAt: 4_000_000_000 };

  it('reaches factory and handlers, with a parsed body or without', async () => {
    const seen: unknown[] = [];
    const factory = (context: { authInfo?: AuthInfo | undefined }) => {
      seen.push(context.authInfo?.clientId);
      return server();
    };
    for (const served of [factory, server()]) {
      const app = express();
      const serve = toNodeHandler(createMcpHandler(served));
      app.use(express.json());
      app.all('/mcp', (req, res) => {
        if (req.headers.authorization === 'Bearer secret') req.auth = auth;
        void serve(req, res as never, req.body);
      });
      const url = await onNode(app);
      const who = call('who');
      const known = await ask(url, { ...who, headers: { ...who.headers, authorization: 'Bearer secret' } });
      expect(known.json).toMatchObject({ result: text('"alice"') });
      expect((await ask(url, who)).json).toMatchObject({ result: text('null') });
      // The slow way knows it as well: a legacy message without a version is none of the engine's calls.
      const old = legacy('tools/call', { name: 'who', arguments: {} });
      const asked = await ask(url, { ...old, headers: { ...old.headers, authorization: 'Bearer secret' } });
      expect(asked.json).toMatchObject({ result: text('"alice"') });
    }
    expect(seen).toEqual(['alice', undefined, 'alice']);
  });

  it('decides which tools may be called and seen', async () => {
    for (const served of [guarded, guarded()]) {
      const app = express();
      const serve = toNodeHandler(createMcpHandler(served));
      app.all('/mcp', (req, res) => {
        const scopes = String(req.headers['x-scopes'] ?? '').split(' ');
        req.auth = { ...auth, scopes, resourceMetadataUrl: 'https://shop.example/meta' };
        void serve(req, res as never);
      });
      const url = await onNode(app);
      const as = (scopes: string, message: ReturnType<typeof call>) =>
        ask(url, { ...message, headers: { ...message.headers, 'x-scopes': scopes } });
      expect((await as('write', call('write'))).json).toMatchObject({ result: text('written') });
      const refused = await as('read', call('write'));
      expect(refused.status).toBe(403);
      expect(refused.headers['www-authenticate']).toMatch(/insufficient_scope.*write.*shop\.example\/meta/);
      expect((await as('read', call('hidden'))).json).toMatchObject({ error: { code: -32602 } });
      const { tools } = (await as('read', modern('tools/list'))).json.result;
      expect(tools.map((tool: { name: string }) => tool.name)).not.toContain('hidden');
    }
  });

  it('is what requireBearerAuth found, and who has no token is challenged', async () => {
    const app = express();
    const verifier = {
      verifyAccessToken: async (token: string) => {
        if (token !== 'secret') throw new Error('broken verifier');
        return auth;
      },
    };
    const resourceMetadataUrl = 'https://shop.example/.well-known/oauth-protected-resource/mcp';
    const gate = requireBearerAuth({ verifier, requiredScopes: ['mcp'], resourceMetadataUrl });
    const serve = toNodeHandler(createMcpHandler(server));
    app.all('/mcp', gate, (req, res) => void serve(req, res as never));
    const url = await onNode(app);
    const who = call('who');
    const refused = await ask(url, who);
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer .*resource_metadata="https:\/\/shop\.example/);
    const known = await ask(url, { ...who, headers: { ...who.headers, authorization: 'Bearer secret' } });
    expect(known.json).toMatchObject({ result: text('"alice"') });
    const broken = await ask(url, { ...who, headers: { ...who.headers, authorization: 'Bearer other' } });
    expect(broken.status).toBe(500);
    expect(broken.text).not.toContain('broken verifier');
  });

  it('may be a body that was parsed before, although nobody passes it on', async () => {
    const app = express();
    const serve = nodeHandler(server());
    app.use(express.json());
    app.all('/mcp', (req, res) => void serve(req, res as never));
    expect((await ask(await onNode(app), echo)).json).toMatchObject(hello);
    // Nor is Express's `next` taken for a body.
    const mounted = express();
    mounted.use('/mcp', nodeHandler(server()) as never);
    expect((await ask(await onNode(mounted), echo)).json).toMatchObject(hello);
  });

  it('in Fastify may be in the request or in the raw request', async () => {
    const app = Fastify();
    app.decorateRequest('auth', null as never);
    app.addHook('preHandler', async (request) => {
      (request as { auth?: AuthInfo }).auth = auth;
    });
    app.addHook('onRequest', async (_request, reply) => void reply.header('x-kept', 'yes'));
    app.all('/mcp', fastifyHandler(server));
    await app.listen({ port: 0, host: '127.0.0.1' });
    atEnd(() => app.close());
    const url = new URL(`http://127.0.0.1:${(app.server.address() as { port: number }).port}/mcp`);
    const answer = await ask(url, call('who'));
    expect(answer.json).toMatchObject({ result: text('"alice"') });
    expect(answer.headers['x-kept']).toBe('yes');
  });
});

it('serves any fetch, and what fetch throws is a 500 that says nothing', async () => {
  const errors: string[] = [];
  const fetch = async (request: Request) => {
    if (request.headers.has('x-break')) throw new Error('a secret');
    return new Response(`${request.method} ${await request.text()}`, {
      headers: { 'x-from': new URL(request.url).pathname },
    });
  };
  const serve = toNodeHandler({ fetch }, { onerror: (error) => errors.push(error.message), maxRequestBodySize: 100 });
  const url = await listening(createServer((req, res) => void serve(req as never, res as never)));
  expect(await ask(url, { body: 'abc' })).toMatchObject({
    status: 200,
    text: 'POST abc',
    headers: { 'x-from': '/mcp' },
  });
  const broken = await ask(url, { body: 'abc', headers: { 'x-break': '1' } });
  expect(broken).toMatchObject({ status: 500, json: { error: { code: -32603 } } });
  expect(broken.text).not.toContain('secret');
  expect(errors).toEqual(['a secret']);
  expect((await ask(url, { body: 'x'.repeat(200), headers: { 'content-length': '200' } })).status).toBe(413);
});

it('answers 500 after its end', async () => {
  const handler = createMcpHandler(server);
  const errors: string[] = [];
  const serve = toNodeHandler(handler, { onerror: (error) => errors.push(error.message) });
  const url = await onNode((req, res) => void serve(req as never, res as never));
  expect((await ask(url, modern('server/discover'))).status).toBe(200);
  await handler.close();
  expect((await ask(url, echo)).status).toBe(500);
  expect(errors).toEqual(['This MCP handler has been closed']);
  await expect(handler.fetch(new Request('http://localhost/mcp', { method: 'POST', ...echo }))).rejects.toThrow(
    /closed/,
  );
});
