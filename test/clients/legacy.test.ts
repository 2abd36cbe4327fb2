/**
 * What a legacy server does with its client beyond answering: asks it, tells it what changed, lets it come back. The
 * official SDK's clients of both generations, over HTTP, over byte streams in this process, and over HTTP+SSE.
 */
import { PassThrough } from 'node:stream';
import { Client as V2Client, StreamableHTTPClientTransport as V2Http } from '@modelcontextprotocol/client';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as V1Http } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import { MemoryEventStore } from '../../ts/protocol/events/memory.js';
import type { ListenOptions } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { RedisEventStore } from '../../ts/server/redis/events.js';
import { serveStdio } from '../../ts/server/stdio.js';
import { engineNames } from '../engines.js';
import { hasRedis, redisForAll } from '../redis.js';
import { equipLegacy, LEGACY_SERVER } from './fixtures/legacy.mjs';
import { ask, atEnd, environment, fixture, INITIALIZE } from './stage.js';

// The transports of both generations have one shape and two declarations of it.
type AnyTransport = any;

interface Peer {
  /** The structured content of a tool's result, which the client validates. */
  structured(name: string): Promise<unknown>;
  call(name: string, args?: object, options?: object): Promise<string>;
  list(): Promise<string[]>;
  subscribe(uri: string): Promise<unknown>;
  unsubscribe(uri: string): Promise<unknown>;
  setLevel(level: 'debug' | 'error'): Promise<unknown>;
  /** What was heard, each as a short text; `next` waits for one more. */
  readonly heard: string[];
  next(): Promise<string>;
  /** Questions answered so far. */
  readonly asked: string[];
}

const CAPABILITIES = { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } };

/** What the client does in either generation. */
class Ears {
  readonly heard: string[] = [];
  readonly asked: string[] = [];
  #waiting: (() => void)[] = [];
  #read = 0;

  readonly hear = (what: string): void => {
    this.heard.push(what);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async next(): Promise<string> {
    while (this.heard.length <= this.#read) await new Promise<void>((wake) => this.#waiting.push(wake));
    this.#read += 1;
    return this.heard[this.#read - 1] as string;
  }

  readonly elicit = async ({ params }: { params: AnyTransport }): Promise<AnyTransport> => {
    this.asked.push(params.mode === 'url' ? `url ${params.url}` : `form ${params.message}`);
    if (params.message === 'Quick!' || params.message === 'Wait!') return new Promise(() => {});
    return params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } };
  };
  readonly sample = async (): Promise<AnyTransport> => {
    this.asked.push('sample');
    return { role: 'assistant', model: 'm', content: { type: 'text', text: 'said it' } };
  };
  readonly roots = async (): Promise<AnyTransport> => {
    this.asked.push('roots');
    return { roots: [{ uri: 'file:///here' }] };
  };
}

const textOf = (result: AnyTransport): string => result.content[0].text;

async function v1(transport: AnyTransport): Promise<Peer> {
  const client = new V1Client({ name: 'v1', version: '1' }, { capabilities: CAPABILITIES });
  const ears = new Ears();
  client.setRequestHandler(ElicitRequestSchema, ears.elicit);
  client.setRequestHandler(CreateMessageRequestSchema, ears.sample);
  client.setRequestHandler(ListRootsRequestSchema, ears.roots);
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => ears.hear('tools'));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => ears.hear(params.uri));
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => ears.hear(String(params.data)));
  atEnd(() => client.close());
  await client.connect(transport);
  return Object.assign(ears, {
    call: async (name: string, args: object = {}, options: object = {}) =>
      textOf(await client.callTool({ name, arguments: args as never }, undefined, options)),
    structured: async (name: string) => (await client.callTool({ name, arguments: {} })).structuredContent,
    list: async () => (await client.listTools()).tools.map((tool) => tool.name),
    subscribe: (uri: string) => client.subscribeResource({ uri }),
    unsubscribe: (uri: string) => client.unsubscribeResource({ uri }),
    setLevel: (level: 'debug' | 'error') => client.setLoggingLevel(level),
  });
}

async function v2(transport: AnyTransport): Promise<Peer> {
  const options = { capabilities: CAPABILITIES, versionNegotiation: { mode: 'legacy' as const } };
  const client = new V2Client({ name: 'v2', version: '2' }, options);
  const ears = new Ears();
  client.setRequestHandler('elicitation/create', ears.elicit);
  client.setRequestHandler('sampling/createMessage', ears.sample);
  client.setRequestHandler('roots/list', ears.roots);
  client.setNotificationHandler('notifications/tools/list_changed', () => ears.hear('tools'));
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => ears.hear(params.uri));
  client.setNotificationHandler('notifications/message', ({ params }) => ears.hear(String(params.data)));
  atEnd(() => client.close());
  await client.connect(transport);
  return Object.assign(ears, {
    call: async (name: string, args: object = {}, settings: object = {}) =>
      textOf(await client.callTool({ name, arguments: args as never }, settings)),
    structured: async (name: string) => (await client.callTool({ name, arguments: {} })).structuredContent,
    list: async () => (await client.listTools()).tools.map((tool) => tool.name),
    subscribe: (uri: string) => client.subscribeResource({ uri }),
    unsubscribe: (uri: string) => client.unsubscribeResource({ uri }),
    setLevel: (level: 'debug' | 'error') => client.setLoggingLevel(level),
  });
}

const redis = redisForAll();
const CLIENTS = { v1: { connect: v1, Http: V1Http }, v2: { connect: v2, Http: V2Http } } as const;

function newServer(): McpServer {
  const server = new McpServer(LEGACY_SERVER.info, LEGACY_SERVER.options as never);
  equipLegacy(server);
  return server;
}

async function serveHttp(engine: EngineName, options: ListenOptions = {}) {
  const server = newServer();
  const listener = await server.listen({ port: 0, engine, ...options });
  atEnd(() => listener.close({ grace: 0 }));
  return { server, listener, url: new URL(listener.url) };
}

/** The client's end of two byte streams, as its stdio transport would be. */
function pipeTransport(): { transport: AnyTransport; closed: Promise<void> } {
  const [up, down] = [new PassThrough(), new PassThrough()];
  const handle = serveStdio(newServer(), { input: up, output: down });
  atEnd(() => handle.close({ grace: 0 }));
  let rest = '';
  const transport: AnyTransport = {
    start: async () => {
      down.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() as string;
        for (const line of lines) transport.onmessage?.(JSON.parse(line));
      });
    },
    send: async (message: object) => void up.write(`${JSON.stringify(message)}\n`),
    close: async () => {
      up.end();
      transport.onclose?.();
    },
  };
  return { transport, closed: handle.closed };
}

function questionCases(open: () => Promise<Peer>): void {
  it('is asked through forms and URLs, for samples and for roots', async () => {
    const peer = await open();
    expect(JSON.parse(await peer.call('form'))).toEqual({ action: 'accept', content: { name: 'Ada' } });
    expect(JSON.parse(await peer.call('url'))).toMatchObject({ action: 'accept' });
    expect(JSON.parse(await peer.call('sample'))).toEqual({ type: 'text', text: 'said it' });
    expect(JSON.parse(await peer.call('roots'))).toEqual([{ uri: 'file:///here' }]);
    expect(JSON.parse(await peer.call('pingback'))).toEqual({});
    expect(peer.asked).toEqual(['form Who are you?', 'url https://example.com/in', 'sample', 'roots']);
  });

  it('is not waited for without end', async () => {
    const peer = await open();
    expect(await peer.call('impatient')).toBe('REQUEST_TIMEOUT');
  });

  it('answers many questions at a time', async () => {
    const peer = await open();
    const calls = Array.from({ length: 20 }, (_, n) => peer.call(n % 2 === 0 ? 'roots' : 'form'));
    const answers = (await Promise.all(calls)).map((answer) => JSON.parse(answer));
    for (const [n, answer] of answers.entries()) {
      expect(n % 2 === 0 ? answer[0].uri : answer.content.name).toBe(n % 2 === 0 ? 'file:///here' : 'Ada');
    }
  });
}

function resultCases(open: () => Promise<Peer>): void {
  it('gets structured output in the shape that it knows', async () => {
    const peer = await open();
    // Having seen the lists, both generations hold results against the listed schemas.
    await peer.list();
    expect(await peer.structured('numbers')).toEqual({ result: [1, 2] });
    expect(await peer.structured('either')).toEqual({ result: { a: 1 } });
    expect(await peer.structured('plain')).toEqual({ a: 1 });
  });
}

function changeCases(open: () => Promise<Peer>): void {
  it('hears that the list changed, and then sees it', async () => {
    const peer = await open();
    const before = await peer.list();
    await peer.call('grow');
    expect(await peer.next()).toBe('tools');
    expect((await peer.list()).length).toBe(before.length + 1);
  });

  it('hears of resources while it subscribes to them', async () => {
    const peer = await open();
    await peer.call('touch', { uri: 'test://watched' });
    await peer.subscribe('test://watched');
    await peer.call('touch', { uri: 'test://other' });
    await peer.call('touch', { uri: 'test://watched' });
    expect(await peer.next()).toBe('test://watched');
    await peer.unsubscribe('test://watched');
    await peer.call('touch', { uri: 'test://watched' });
    await peer.call('grow');
    expect(await peer.next()).toBe('tools');
    expect(peer.heard).toEqual(['test://watched', 'tools']);
  });

  it('hears log messages from its level on', async () => {
    const peer = await open();
    await peer.call('say', { level: 'info' });
    expect(await peer.next()).toBe('said info');
    await peer.setLevel('error');
    for (const level of ['info', 'error']) await peer.call('say', { level });
    expect(await peer.next()).toBe('said error');
    await peer.setLevel('debug');
    await peer.call('say', { level: 'debug' });
    expect(await peer.next()).toBe('said debug');
  });
}

describe.each(engineNames)('over HTTP, %s', (engine) => {
  describe.each(['v1', 'v2'] as const)('the %s client', (generation) => {
    const { connect, Http } = CLIENTS[generation];
    const open = async (options: ListenOptions = {}) => {
      const { url, listener } = await serveHttp(engine, options);
      const peer = await connect(new Http(url));
      // Its GET goes out after the handshake, and only then it hears what belongs to no call.
      const streams = () => listener.stats().requests >= 3;
      while (!streams()) await new Promise((done) => setTimeout(done, 5));
      return peer;
    };
    questionCases(open);
    changeCases(open);
    resultCases(open);

    it.each(hasRedis ? ['memory', 'Redis'] : ['memory'])('gets what it missed when cut off, from %s', async (kind) => {
      const eventStore = kind === 'memory' ? new MemoryEventStore() : new RedisEventStore({ client: redis() });
      const { url } = await serveHttp(engine, { eventStore, retryInterval: 5 });
      const cuts: AbortController[] = [];
      let calls = 0;
      const cutting: typeof fetch = async (input, init) => {
        const cut = new AbortController();
        const response = await fetch(input, {
          ...init,
          signal: AbortSignal.any([cut.signal, ...(init?.signal ? [init.signal] : [])]),
        });
        if (String(init?.body).includes('"slow"')) {
          calls += 1;
          cuts.push(cut);
        }
        return response;
      };
      const options = {
        initialReconnectionDelay: 5,
        maxReconnectionDelay: 20,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 5,
      };
      const peer = await connect(new Http(url, { fetch: cutting, reconnectionOptions: options } as never));
      const other = await connect(new Http(url));
      const progress: number[] = [];
      const result = peer.call(
        'slow',
        { name: engine },
        {
          onprogress: ({ progress: step }: { progress: number }) => {
            progress.push(step);
            if (step !== 1) return;
            cuts[0]?.abort();
            void other.call('open', { name: engine });
          },
        },
      );
      expect(await result).toBe('done');
      expect([progress, calls]).toEqual([[1, 2], 1]);
    });

    it('polls for the result of a call that ended its connection', async () => {
      const { url } = await serveHttp(engine, { eventStore: new MemoryEventStore(), retryInterval: 20 });
      const peer = await connect(new Http(url));
      const kept = peer.call('hang-up', { name: 'polled' });
      await peer.call('open', { name: 'polled' });
      expect(await kept).toBe('kept');
    });
  });
});

describe.each(engineNames)('sessions over HTTP, %s', (engine) => {
  it('end when nobody uses them', async () => {
    const { url } = await serveHttp(engine, { sessionIdleTimeout: 40 });
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const post = (body: object, more: Record<string, string> = {}) =>
      fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
    const opened = await Promise.all(
      Array.from({ length: 50 }, async () => (await post(INITIALIZE)).headers.get('mcp-session-id') as string),
    );
    expect(new Set(opened).size).toBe(50);
    // Each is asked for once: asking is using.
    let status = 200;
    while (status === 200 && opened.length > 0) {
      await new Promise((done) => setTimeout(done, 20));
      status = (await post(ask(1, 'tools/list'), { 'mcp-session-id': opened.pop() as string })).status;
    }
    expect(status).toBe(404);
  });
});

describe.each(['v1', 'v2'] as const)('over byte streams, the %s client', (generation) => {
  const open = () => CLIENTS[generation].connect(pipeTransport().transport);
  questionCases(open);
  changeCases(open);

  it('leaves nobody waiting when it goes in the middle of a question', async () => {
    const { transport, closed } = pipeTransport();
    const peer = await CLIENTS[generation].connect(transport);
    const call = peer.call('patient').catch(() => 'gone');
    while (!peer.asked.includes('form Wait!')) await new Promise((done) => setImmediate(done));
    await transport.close();
    expect(await call).toBe('gone');
    await closed;
  });
});

describe.each(engineNames)('over stdio, THIRDRAIL_ENGINE=%s', (engine) => {
  const open = () =>
    v1(
      new StdioClientTransport({
        command: process.execPath,
        args: [fixture('legacy-stdio.mjs')],
        env: environment(engine),
        stderr: 'ignore',
      }),
    );
  questionCases(open);
});

describe.each(engineNames)('over the deprecated HTTP+SSE transport, %s', (engine) => {
  const open = async () => {
    const { url } = await serveHttp(engine, { sse: true });
    return v1(new SSEClientTransport(new URL('/sse', url)));
  };
  questionCases(open);
  changeCases(open);

  it('is served beside the endpoint, on paths of its own', async () => {
    const { url } = await serveHttp(engine, { sse: { path: '/old/stream', messages: '/old/post' } });
    const old = await v1(new SSEClientTransport(new URL('/old/stream', url)));
    const present = await v2(new V2Http(url));
    expect(await old.list()).toEqual(await present.list());
    expect((await fetch(new URL('/sse', url))).status).toBe(404);
  });

  it('must not stand where the endpoint is', async () => {
    await expect(newServer().listen({ port: 0, engine, path: '/sse', sse: true })).rejects.toThrow(/sse.path/);
    await expect(newServer().listen({ port: 0, engine, sse: { path: 'x' } })).rejects.toThrow(/sse.path/);
    await expect(newServer().listen({ port: 0, engine, sse: { other: 'x' } as never })).rejects.toThrow(/other/);
  });
});
