/** Serving over streams and over the real standard streams of a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpServer } from '../../ts/server/mcp.js';
import { serveStdio } from '../../ts/server/stdio.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const request = (id: number, method: string, params: object = {}) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: META } })}\n`;
const call = (id: number, name: string, args = {}) => request(id, 'tools/call', { name, arguments: args });

function server(): McpServer {
  const made = new McpServer({ name: 'unit', version: '1' });
  made.registerTool('echo', { inputSchema: { message: z.string() } }, ({ message }) => ({
    content: [{ type: 'text', text: message }],
  }));
  made.registerTool('slow', {}, async () => {
    await new Promise((done) => setTimeout(done, 30));
    return { content: [{ type: 'text', text: 'slow' }] };
  });
  return made;
}

describe('serveStdio on streams', () => {
  const start = () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const made = server();
    return { made, input, output, handle: serveStdio(made, { input, output }) };
  };
  const answers = (output: PassThrough) => {
    let text = '';
    // Until nothing is left: since Node 26 one read gives one of the chunks that were written.
    for (let chunk = output.read(); chunk !== null; chunk = output.read()) text += chunk;
    return text
      .split('\n')
      .filter(Boolean)
      .map((line: string) => JSON.parse(line));
  };

  it('answers what came before the end, then closes', async () => {
    const { made, input, output, handle } = start();
    expect(made.isConnected()).toBe(true);
    input.end(call(1, 'slow') + call(2, 'echo', { message: 'hé' }) + request(3, 'tools/list'));
    await handle.closed;
    const found = answers(output);
    expect(found.map((answer: any) => answer.id).sort()).toEqual([1, 2, 3]);
    expect(found.find((answer: any) => answer.id === 2).result.content[0].text).toBe('hé');
    expect(found.find((answer: any) => answer.id === 3).result.tools).toHaveLength(2);
    expect(made.isConnected()).toBe(false);
  });

  it('drains when the server is closed, and can be served again', async () => {
    const { made, input, output } = start();
    input.write(call(1, 'slow'));
    await new Promise((done) => setImmediate(done));
    await made.close();
    expect(answers(output).map((answer: any) => answer.id)).toEqual([1]);
    const [again, out] = [new PassThrough(), new PassThrough()];
    const handle = serveStdio(made, { input: again, output: out });
    again.end(call(2, 'slow'));
    await handle.closed;
    expect(answers(out)).toHaveLength(1);
  });

  it('refuses options that it does not know or cannot use', () => {
    const made = server();
    const start = (options: object) => () => serveStdio(made, options);
    expect(start({ maxMesageBytes: 1 })).toThrow('Unknown option of serveStdio: maxMesageBytes');
    expect(start({ maxDepth: 0 })).toThrow('Option maxDepth must be a whole number from 1');
    expect(start({ signals: 'yes' })).toThrow('Option signals');
    expect(start({ input: {} })).toThrow('Option input');
    expect(start({ output: 1 })).toThrow('Option output');
    expect(() => serveStdio({} as McpServer)).toThrow('Not a McpServer');
    expect(made.isConnected()).toBe(false);
  });
});

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A process that serves on its own streams; `body` runs after serveStdio. */
function child(
  options: string,
  body: string,
): { process: ChildProcess; stdout: Promise<string>; stderr: Promise<string> } {
  if (!existsSync(`${root}/dist/index.js`)) throw new Error('dist/ is not built: npm run build');
  const script = `import { McpServer, serveStdio } from './dist/index.js';
    const server = new McpServer({ name: 'child', version: '1' });
    server.registerTool('noisy', {}, async () => {
      console.log('to stdout by console');
      process.stdout.write('to stdout by write\\n');
      await new Promise((done) => setTimeout(done, 150));
      return { content: [{ type: 'text', text: 'done' }] };
    });
    const handle = serveStdio(server, ${options});
    ${body}`;
  const made = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  return { process: made, stdout: text(made.stdout), stderr: text(made.stderr) };
}
const ended = (made: ChildProcess) => new Promise((done) => made.on('exit', (code, signal) => done(signal ?? code)));

describe('serveStdio in a process', () => {
  it('lets nothing else write to stdout, ends at EOF by itself, and gives stdout back', async () => {
    const made = child('{}', 'handle.closed.then(() => console.log("AFTER"));');
    const exit = ended(made.process);
    made.process.stdin?.end(call(1, 'noisy'));
    expect(await exit).toBe(0);
    const lines = (await made.stdout).trim().split('\n');
    expect(JSON.parse(lines[0] as string).result.content[0].text).toBe('done');
    expect(lines.slice(1)).toEqual(['AFTER']);
    expect(await made.stderr).toBe('to stdout by console\nto stdout by write\n');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('answers what runs at %s, then ends with code 0', async (signal) => {
    const made = child('{}', 'setInterval(() => {}, 1000);');
    const exit = ended(made.process);
    made.process.stdin?.write(call(1, 'noisy'));
    await new Promise((done) => made.process.stderr?.once('data', done));
    made.process.kill(signal);
    expect(await exit).toBe(0);
    expect(JSON.parse(await made.stdout).result.content[0].text).toBe('done');
  });

  it('leaves signals alone when told', async () => {
    const made = child('{ signals: false }', '');
    const exit = ended(made.process);
    made.process.stdin?.write(call(1, 'noisy'));
    await new Promise((done) => made.process.stderr?.once('data', done));
    made.process.kill('SIGTERM');
    expect(await exit).toBe('SIGTERM');
  });
});
