/** Transports by themselves: the pair in memory, and standard streams cut into messages. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { SdkError } from '../../ts/protocol/sdk/errors.js';
import { McpServer } from '../../ts/server/mcp.js';
import { InMemoryTransport } from '../../ts/server/transports/in-memory.js';
import {
  deserializeMessage,
  ReadBuffer,
  StdioServerTransport,
  serializeMessage,
} from '../../ts/server/transports/stdio.js';

const note = (n: number) => ({ jsonrpc: '2.0' as const, method: 'n', params: { n } });

describe('a linked pair', () => {
  it('hands over in order, also what came before the start, and who sent it', async () => {
    const [a, b] = InMemoryTransport.createLinkedPair();
    const heard: unknown[] = [];
    await a.send(note(1), { authInfo: { token: 't', clientId: 'c', scopes: [] } });
    await a.send(note(2));
    b.onmessage = (message, extra) => void heard.push([(message as any).params.n, extra?.authInfo?.clientId]);
    await b.start();
    await a.send(note(3));
    expect(heard).toEqual([
      [1, 'c'],
      [2, undefined],
      [3, undefined],
    ]);
  });

  it('closes together, once, and then sends nothing', async () => {
    const [a, b] = InMemoryTransport.createLinkedPair();
    let closed = '';
    a.onclose = () => {
      closed += 'a';
    };
    b.onclose = () => {
      closed += 'b';
    };
    await a.close();
    await b.close();
    await a.close();
    expect(closed).toBe('ba');
    await expect(a.send(note(1))).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(b.send(note(1))).rejects.toBeInstanceOf(SdkError);
  });

  it('does not keep messages without end for a side that never starts', async () => {
    const [a] = InMemoryTransport.createLinkedPair();
    for (let i = 0; i < 10_000; i++) await a.send(note(i));
    await expect(a.send(note(0))).rejects.toMatchObject({ code: 'SEND_FAILED' });
  });
});

describe('a read buffer', () => {
  const read = (buffer: ReadBuffer) => {
    const messages = [];
    for (let next = buffer.readMessage(); next !== null; next = buffer.readMessage()) messages.push(next);
    return messages;
  };

  it('finds messages wherever the bytes are cut', () => {
    const messages = [note(1), { jsonrpc: '2.0' as const, method: 'é', params: { s: '日本 😀\n' } }, note(3)];
    const bytes = Buffer.from(messages.map(serializeMessage).join(''));
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const buffer = new ReadBuffer();
      const found = [];
      for (let at = 0; at < bytes.length; at += size) {
        buffer.append(bytes.subarray(at, at + size));
        found.push(...read(buffer));
      }
      expect(found).toEqual(messages);
    }
  });

  it('skips what is no JSON, and names what is no message', () => {
    const buffer = new ReadBuffer();
    buffer.append(Buffer.from(`hello\n\r\n${serializeMessage(note(1)).replace('\n', '\r\n')}{"jsonrpc":"1.0"}\n`));
    expect(buffer.readMessage()).toEqual(note(1));
    expect(() => buffer.readMessage()).toThrow();
    expect(buffer.readMessage()).toBeNull();
    expect(() => deserializeMessage('[]')).toThrow();
    expect(() => deserializeMessage('{')).toThrow(SyntaxError);
  });

  it('holds no more than it may, and is empty after that', () => {
    const buffer = new ReadBuffer({ maxBufferSize: 100 });
    buffer.append(Buffer.alloc(60, 'a'));
    expect(() => buffer.append(Buffer.alloc(60, 'a'))).toThrow('maximum size of 100 bytes');
    // What was read makes room.
    for (let i = 0; i < 20; i++) {
      buffer.append(Buffer.from(serializeMessage(note(i))));
      expect(buffer.readMessage()).toEqual(note(i));
    }
  });
});

describe('StdioServerTransport', () => {
  const start = async (options?: { maxBufferSize?: number }) => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const transport = new StdioServerTransport(input, output, options);
    const server = new McpServer({ name: 'unit', version: '1' });
    server.registerTool('t', {}, () => ({ content: [{ type: 'text', text: 'answer' }] }));
    const errors: string[] = [];
    server.server.onerror = (error) => errors.push(error.message);
    await server.connect(transport);
    return { input, output, transport, server, errors };
  };

  it('serves a server that is connected by hand', async () => {
    const { input, output, transport, server } = await start();
    input.write(`noise\n{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}\n`);
    const line = String(await new Promise((resolve) => output.once('data', resolve)));
    expect(JSON.parse(line)).toMatchObject({ id: 1, result: { content: [{ text: 'answer' }] } });
    expect(line.endsWith('\n')).toBe(true);
    await expect(transport.start()).rejects.toThrow('already started');
    await server.close();
    expect([server.isConnected(), input.isPaused()]).toEqual([false, true]);
    await expect(transport.send(note(1))).rejects.toThrow('is closed');
  });

  it('ends when too much comes at once, or nobody reads any more', async () => {
    const big = await start({ maxBufferSize: 50 });
    big.input.write('x'.repeat(100));
    await new Promise((done) => setImmediate(done));
    expect([big.server.isConnected(), big.errors.join()]).toEqual([false, expect.stringContaining('maximum size')]);
    const gone = await start();
    gone.output.destroy(new Error('EPIPE'));
    await new Promise((done) => setImmediate(done));
    expect([gone.server.isConnected(), gone.errors]).toEqual([false, ['EPIPE']]);
  });
});
