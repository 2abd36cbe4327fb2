/** Serving over WebSocket: options, whom the door lets in, servers of others, and the end. */
import { createServer, request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { McpServer } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { serveWebSocket, type WebSocketListener, type WebSocketOptions } from '../../ts/server/websocket.js';
import { equip } from '../clients/fixtures/offer.mjs';
import { ask, atEnd, callTool, INITIALIZE, type Marks } from '../clients/stage.js';
import { RawSocket, refused } from '../clients/websocket.js';
import { selfSigned } from '../engine/certificate.js';

function make(): { server: McpServer; started: Marks; stopped: Marks } {
  const server = new McpServer({ name: 'clients', version: '1.0.0' });
  return { server, ...(equip(server, ResourceTemplate) as { started: Marks; stopped: Marks }) };
}

async function serve(options: WebSocketOptions = {}): Promise<WebSocketListener & { marks: ReturnType<typeof make> }> {
  const marks = make();
  const own = options.server === undefined ? { port: 0 } : {};
  const listener = await serveWebSocket(marks.server, { ...own, ...options });
  atEnd(() => listener.close({ grace: 0 }));
  return Object.assign(listener, { marks });
}

async function open(url: string, ...rest: [Parameters<typeof RawSocket.open>[1]?, string[]?]): Promise<RawSocket> {
  const raw = await RawSocket.open(url, ...rest);
  atEnd(() => raw.leave());
  return raw;
}

const said = (text: string) => ({ result: { content: [{ type: 'text', text }] } });

describe('options', () => {
  const wrong: [object, string][] = [
    [{ prot: 1 }, 'Unknown option of serveWebSocket: prot'],
    [{ port: 70_000 }, 'Option port must be a whole number from 0 to 65535'],
    [{ path: 'mcp' }, 'Option path must begin with "/"'],
    [{ host: '' }, 'Option host'],
    [{ server: {} }, 'Option server must be an http or https server'],
    [{ maxConnections: 0 }, 'Option maxConnections'],
    [{ maxMessageBytes: 1.5 }, 'Option maxMessageBytes'],
    [{ idleTimeout: 0 }, 'Option idleTimeout'],
    [{ toolTimeout: -1 }, 'Option toolTimeout'],
    [{ allowedHosts: [] }, 'Option allowedHosts must be a non-empty array'],
    [{ allowedOrigins: ['https://a'] }, 'Option allowedOrigins holds "https://a"'],
    [{ auth: {} }, 'Option auth needs tokens, jwt, introspection or verifier'],
  ];
  it.each(wrong)('%j is refused', async (options, message) => {
    const { server } = make();
    await expect(serveWebSocket(server, options)).rejects.toThrow(TypeError);
    await expect(serveWebSocket(server, options)).rejects.toThrow(message);
    expect(server.isConnected()).toBe(false);
  });

  it('take a server in place of an address', async () => {
    for (const name of ['port', 'host'] as const) {
      const options = { server: createServer(), ...(name === 'port' ? { port: 1 } : { host: 'localhost' }) };
      await expect(serveWebSocket(make().server, options)).rejects.toThrow(`Option server stands in place of ${name}`);
    }
  });

  it('need a server', async () => {
    await expect(serveWebSocket({} as never)).rejects.toThrow('Not a McpServer');
  });

  it('beyond loopback need somebody who means it, and names', async () => {
    const { server } = make();
    await expect(serveWebSocket(server, { host: '0.0.0.0', port: 0 })).rejects.toThrow('without authorization');
    const meant = { host: '0.0.0.0', port: 0, allowUnauthenticated: true };
    await expect(serveWebSocket(server, meant)).rejects.toThrow('needs allowedHosts');
    const listener = await serve({ ...meant, allowedHosts: ['127.0.0.1'] });
    expect(listener.url).toBe(`ws://127.0.0.1:${listener.port}/mcp`);
    const raw = await open(listener.url);
    raw.send(callTool(1, 'echo', { message: 'x' }));
    expect(await raw.answer(1)).toMatchObject(said('x'));
  });

  it('name a port that is taken', async () => {
    const { port } = await serve();
    const { server } = make();
    await expect(serveWebSocket(server, { port })).rejects.toThrow(/EADDRINUSE/);
    expect(server.isConnected()).toBe(false);
  });
});

describe('the door', () => {
  it('lets in whom it may, with the subprotocol or without any', async () => {
    const listener = await serve({ path: '/x' });
    expect(listener.url).toBe(`ws://127.0.0.1:${listener.port}/x`);
    for (const protocols of [['mcp'], ['other', 'mcp'], []]) {
      const raw = await open(listener.url, { origin: 'http://localhost:6274' }, protocols);
      expect(raw.ws.protocol).toBe(protocols.length === 0 ? '' : 'mcp');
      raw.send(INITIALIZE, callTool(1, 'add', { a: 1, b: 2 }));
      expect(await raw.answer('init')).toMatchObject({ result: { serverInfo: { name: 'clients' } } });
      expect(await raw.answer(1)).toMatchObject(said('3'));
    }
    expect(listener.stats()).toMatchObject({ accepted: 3, connections: 3, calls: 3, refused: 0, inFlight: 0 });
  });

  it('tells handlers of the request that opened the connection', async () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    server.registerTool('where', {}, (ctx) => ({
      content: [{ type: 'text', text: `${ctx.http?.req.url} ${ctx.http?.headers.get('x-who')} ${ctx.sessionId}` }],
    }));
    const listener = await serveWebSocket(server, { port: 0 });
    atEnd(() => listener.close({ grace: 0 }));
    const raw = await open(`${listener.url}?a=b`, { headers: { 'x-who': 'me', 'mcp-session-id': 'forged' } });
    raw.send(callTool(1, 'where'));
    expect(await raw.answer(1)).toMatchObject(said(`http://127.0.0.1:${listener.port}/mcp?a=b me undefined`));
  });

  it('refuses the rest in HTTP, each with its status', async () => {
    const listener = await serve();
    const { url } = listener;
    const wrong: [string, Parameters<typeof refused>, number, RegExp][] = [
      ['host', [url, { headers: { host: 'evil.example' } }], 403, /Host/],
      ['origin', [url, { origin: 'https://evil.example' }], 403, /Origin/],
      ['opaque origin', [url, { origin: 'null' }], 403, /Origin/],
      ['path', [`${url}/other`], 404, /Not found/],
      ['subprotocol', [url, {}, ['graphql-ws']], 400, /subprotocol must be mcp/],
    ];
    for (const [what, args, status, message] of wrong) {
      const told = await refused(...args);
      expect([what, told.status]).toEqual([what, status]);
      expect(JSON.parse(told.text)).toMatchObject({
        jsonrpc: '2.0',
        id: null,
        error: { message: expect.stringMatching(message) },
      });
    }
    const asked = (method: string, headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(url.replace('ws:', 'http:'), { method, headers, agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        sent.on('error', reject);
        sent.end();
      });
    const shake = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    expect(await asked('GET', {})).toBe(426);
    expect(await asked('POST', {})).toBe(426);
    expect(await asked('GET', { host: 'evil.example' })).toBe(403);
    expect(await asked('GET', shake)).toBe(400);
    expect(await asked('GET', { ...shake, 'sec-websocket-key': 'short' })).toBe(400);
    expect(await asked('GET', { ...shake, upgrade: 'h2c' })).toBe(400);
    expect(await asked('POST', { ...shake, 'sec-websocket-key': Buffer.alloc(16).toString('base64') })).toBe(405);
    const raw = await open(url);
    raw.send(ask(1, 'ping'));
    expect(await raw.answer(1)).toMatchObject({ result: {} });
    expect(listener.stats()).toMatchObject({ accepted: 1, refused: 8 });
  });
});

describe('a server of somebody else', () => {
  it('keeps what is its own', async () => {
    const host = createServer((_, response) => response.end('theirs'));
    const others = new WebSocketServer({ noServer: true });
    host.on('upgrade', (req, socket, head) => {
      if (req.url === '/theirs') others.handleUpgrade(req, socket, head, (ws) => ws.send('"theirs"'));
    });
    const listener = await serve({ server: host });
    expect([listener.port, listener.url]).toEqual([0, '']);
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    atEnd(() => host.close());
    const { port } = host.address() as AddressInfo;
    expect(listener.url).toBe(`ws://127.0.0.1:${port}/mcp`);
    const theirs = await open(`ws://127.0.0.1:${port}/theirs`, {}, []);
    expect(await theirs.first(() => true)).toBe('theirs');
    const raw = await open(listener.url);
    raw.send(callTool(1, 'echo', { message: 'ours' }));
    expect(await raw.answer(1)).toMatchObject(said('ours'));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('theirs');
    await listener.close();
    expect(await raw.closed).toBe(1001);
    expect(theirs.ws.readyState).toBe(theirs.ws.OPEN);
    expect(host.listening).toBe(true);
    expect(host.listenerCount('upgrade')).toBe(1);
    await theirs.leave();
  });

  it('answers for paths that nobody takes', async () => {
    const host = createServer();
    const listener = await serve({ server: host });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    atEnd(() => host.close());
    expect((await refused(`${listener.url}/other`)).status).toBe(404);
  });

  it('is refused when it listens to everybody, unless that is meant', async () => {
    const host = createServer();
    const early = await serve({ server: host, allowedHosts: null });
    await new Promise<void>((resolve) => host.listen(0, '0.0.0.0', resolve));
    atEnd(() => host.close());
    const { server } = make();
    await expect(serveWebSocket(server, { server: host })).rejects.toThrow('without authorization');
    // It came before that was known: only what comes over loopback is let in.
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal);
    if (outside !== undefined) {
      const told = await refused(`ws://${outside.address}:${early.port}/mcp`);
      expect([told.status, told.text]).toEqual([403, expect.stringContaining('beyond loopback')]);
    }
    const raw = await open(early.url);
    raw.send(ask(1, 'ping'));
    expect(await raw.answer(1)).toMatchObject({ result: {} });
  });

  it('may have TLS', async () => {
    const pem = selfSigned();
    const host = createSecureServer({ cert: pem.cert, key: pem.key });
    const listener = await serve({ server: host });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    atEnd(() => host.close());
    expect(listener.url).toMatch(/^wss:/);
    const raw = await open(listener.url, { ca: pem.cert });
    raw.send(callTool(1, 'echo', { message: 'secret' }));
    expect(await raw.answer(1)).toMatchObject(said('secret'));
  });
});

describe('the end', () => {
  const hold = async (listener: Awaited<ReturnType<typeof serve>>): Promise<RawSocket> => {
    const raw = await open(listener.url);
    raw.send(callTool(1, 'steps', { count: 1, token: 'a' }));
    while (listener.stats().inFlight === 0) await new Promise(setImmediate);
    return raw;
  };

  it('answers what runs, then closes every connection', async () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    let finish = (): void => {};
    server.registerTool('slow', {}, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return { content: [{ type: 'text', text: 'done' }] };
    });
    const listener = await serveWebSocket(server, { port: 0 });
    const [busy, idle] = [await open(listener.url), await open(listener.url)];
    busy.send(callTool(1, 'slow'));
    while (listener.stats().inFlight === 0) await new Promise(setImmediate);
    const closed = server.close({ grace: 60_000 });
    expect(await idle.closed).toBe(1001);
    await expect(RawSocket.open(listener.url)).rejects.toBeDefined();
    expect(busy.messages).toEqual([]);
    finish();
    expect(await busy.answer(1)).toMatchObject(said('done'));
    expect(await busy.closed).toBe(1001);
    await closed;
    await listener.close();
    expect(server.isConnected()).toBe(false);
    expect(listener.stats()).toMatchObject({ connections: 0, inFlight: 0, aborted: 0, accepted: 2 });
    const again = await serveWebSocket(server, { port: 0 });
    atEnd(() => again.close());
    const raw = await open(again.url);
    raw.send(ask(1, 'ping'));
    expect(await raw.answer(1)).toMatchObject({ result: {} });
  });

  it('cuts what does not end in the grace', async () => {
    const listener = await serve();
    const raw = await hold(listener);
    await listener.close({ grace: 20 });
    expect(await raw.closed).toBe(1001);
    expect(listener.stats()).toMatchObject({ inFlight: 0, aborted: 1, connections: 0 });
  });

  it('does not wait for clients that are asked something', async () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    server.registerTool('roots', {}, async (ctx) => {
      const text = await ctx.listRoots().then(
        () => 'listed',
        (error: Error) => error.message,
      );
      return { content: [{ type: 'text', text }] };
    });
    const listener = await serveWebSocket(server, { port: 0 });
    const raw = await open(listener.url);
    raw.send(
      ask('init', 'initialize', {
        protocolVersion: '2025-11-25',
        capabilities: { roots: {} },
        clientInfo: { name: 'raw', version: '1' },
      }),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      callTool(1, 'roots'),
    );
    await raw.first((message) => message.method === 'roots/list');
    await listener.close({ grace: 60_000 });
    expect(await raw.answer(1)).toMatchObject(said('The server is closing'));
    expect(await raw.closed).toBe(1001);
  });

  it('ends subscriptions with the result that says so', async () => {
    const listener = await serve();
    const raw = await open(listener.url);
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    raw.send(ask(7, 'subscriptions/listen', { _meta, notifications: { toolsListChanged: true } }));
    await raw.first(({ method }) => method === 'notifications/subscriptions/acknowledged');
    await listener.close({ grace: 60_000 });
    expect(await raw.answer(7)).toMatchObject({ result: { resultType: 'complete' } });
    expect(await raw.closed).toBe(1001);
  });

  it('does not wait for a client that never answers it', async () => {
    const listener = await serve();
    const raw = await open(listener.url);
    raw.ws.pause();
    await listener.close({ grace: 0 });
    expect(listener.stats().connections).toBe(0);
  });

  it('of a connection aborts what runs for it', async () => {
    const listener = await serve();
    const raw = await open(listener.url);
    raw.send(callTool(1, 'hold', { token: 'left' }));
    await listener.marks.started.settled('left');
    raw.ws.close();
    expect(await listener.marks.stopped.settled('left')).toBe('AbortError');
    while (listener.stats().connections > 0) await new Promise(setImmediate);
    expect(listener.stats()).toMatchObject({ inFlight: 0, aborted: 1 });
  });
});
