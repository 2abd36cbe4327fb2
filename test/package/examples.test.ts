/** The examples run, each in a process of its own on the built package, and the official client gets what they promise. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import { engineNames } from '../engines.js';
import { files, read, root } from './tree.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const MODERN = { pin: '2026-07-28' } as const;
const ERAS = [
  ['legacy', 'legacy'],
  ['modern', MODERN],
] as const;

/** Starts an example on a free port; its URL, when it says that it listens. */
async function start(name: string, engine: EngineName, env: Record<string, string> = {}): Promise<URL> {
  const child: ChildProcess = spawn(process.execPath, [join(root, 'examples', name)], {
    env: { ...process.env, NODE_OPTIONS: '', PORT: '0', HOST: '', THIRDRAIL_ENGINE: engine, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'exit');
  ends.push(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  let said = '';
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        said += `${line}\n`;
        const url = /listening on (http:\S+)/.exec(line)?.[1];
        if (url !== undefined) resolve(new URL(url));
      });
    }
    child.once('exit', (code) => reject(new Error(`${name} ended with code ${code}\n${said}`)));
  });
}

async function connect(url: URL, mode: VersionNegotiationMode, token?: string): Promise<Client> {
  const client = new Client(
    { name: 'official', version: '2' },
    { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } },
  );
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  ends.push(() => client.close());
  return client;
}

async function text(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  return (content as { text: string }[])[0]?.text ?? '';
}

describe.each(engineNames)('on the engine %s', (engine) => {
  describe.each(ERAS)('a %s client', (_, mode) => {
    it('is greeted by hello.mjs', async () => {
      const client = await connect(await start('hello.mjs', engine), mode);
      expect(await text(client, 'greet', { name: 'Ada' })).toBe('Hello, Ada!');
    });

    it('looks around in server.mjs', async () => {
      const client = await connect(await start('server.mjs', engine), mode);
      const { structuredContent } = await client.callTool({ name: 'climate', arguments: { city: 'Lima' } });
      expect(structuredContent).toEqual({ celsius: 19, rain: 13 });
      const heard: number[] = [];
      await client.callTool(
        { name: 'count', arguments: { to: 3 } },
        { onprogress: ({ progress }) => heard.push(progress) },
      );
      expect(heard).toEqual([1, 2, 3]);
      expect((await client.readResource({ uri: 'climate://cities/cairo' })).contents[0]).toMatchObject({
        text: '{"city":"cairo","celsius":22,"rain":25}',
      });
      expect((await client.getPrompt({ name: 'packing', arguments: { city: 'Cairo' } })).messages).toHaveLength(1);
    });

    it('is asked by asking.mjs', async () => {
      const client = await connect(await start('asking.mjs', engine), mode);
      client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
      const era = client.getProtocolEra();
      expect(await text(client, 'book', { guests: 2 })).toBe(`Table 1 for 2, on Ada (${era}).`);
      expect(await text(client, 'book', { guests: 3 })).toBe(`Table 2 for 3, on Ada (${era}).`);
    });

    it('waits for tasks.mjs when it does not know tasks', async () => {
      const client = await connect(await start('tasks.mjs', engine), mode);
      expect(await text(client, 'report', { pages: 2 })).toBe('A report of 2 pages.');
    });

    it('counts with express.mjs', async () => {
      const url = await start('express.mjs', engine);
      await fetch(new URL('/', url)).then((response) => response.text());
      expect(await text(await connect(url, mode), 'visits')).toBe('1 visits');
    });

    it('needs a token for authorization.mjs, and a better one to write', async () => {
      const tokens = { READER_TOKEN: 'reader-0123456789', WRITER_TOKEN: 'writer-0123456789' };
      const url = await start('authorization.mjs', engine, tokens);
      await expect(connect(url, mode)).rejects.toThrow();
      const writer = await connect(url, mode, tokens.WRITER_TOKEN);
      expect(await text(writer, 'write', { note: 'milk' })).toBe('Noted.');
      const reader = await connect(url, mode, tokens.READER_TOKEN);
      expect(await text(reader, 'read')).toBe('writer: milk\n(for reader)');
      await expect(text(reader, 'write', { note: 'no' })).rejects.toThrow();
    });
  });

  it('tasks.mjs answers a client that knows tasks with one, and finishes it', async () => {
    const url = await start('tasks.mjs', engine);
    const ask = async (method: string, name: string, params: object) => {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
      };
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          'mcp-name': name,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
      });
      return ((await response.json()) as { result: Record<string, any> }).result;
    };
    const created = await ask('tools/call', 'report', { name: 'report', arguments: { pages: 2 } });
    expect(created).toMatchObject({ resultType: 'task', status: 'working' });
    let task = created;
    while (task.status === 'working') task = await ask('tasks/get', created.taskId, { taskId: created.taskId });
    expect(task).toMatchObject({ status: 'completed', result: { content: [{ text: 'A report of 2 pages.' }] } });
  });
});

it('stdio.mjs greets clients of both eras', async () => {
  for (const [, mode] of ERAS) {
    const client = new Client({ name: 'official', version: '2' }, { versionNegotiation: { mode } });
    const args = [join(root, 'examples/stdio.mjs')];
    await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
    ends.push(() => client.close());
    expect(await text(client, 'greet', { name: 'Ada' })).toBe('Hello, Ada!');
  }
});

it('are all here, and in their README', () => {
  const here = files('examples', '.mjs').map((path) => path.slice('examples/'.length));
  const tested = read('test/package/examples.test.ts');
  const listed = read('examples/README.md');
  expect(here.filter((name) => !tested.includes(`${name}`) || !listed.includes(`\`${name}\``))).toEqual([]);
});
