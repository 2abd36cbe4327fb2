/** The MCP Inspector's command line, over HTTP and stdio, as a person would type it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import { engineNames } from '../engines.js';
import { TOOLS } from './fixtures/offer.mjs';
import { atEnd, ECHO, environment, fixture, serveHttp } from './stage.js';

const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json');
const { bin } = createRequire(manifest)(manifest) as { bin: Record<string, string> };
const INSPECTOR = join(dirname(manifest), bin['mcp-inspector'] as string);

/** Runs the inspector and gives the JSON that it prints. */
async function inspect(engine: EngineName, args: string[]): Promise<Record<string, unknown>> {
  const env = environment(engine);
  // It starts itself again, and its server, as `node`: that must be the Node that runs these tests.
  env.PATH = `${dirname(process.execPath)}${delimiter}${env.PATH ?? ''}`;
  const child = spawn(process.execPath, [INSPECTOR, '--cli', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  atEnd(async () => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const names = (result: Record<string, unknown>) => (result.tools as { name: string }[]).map((tool) => tool.name);
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const CALL = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hi there'];

describe.each(engineNames)('inspector, %s', (engine) => {
  it('lists, calls and reads over HTTP', async () => {
    const { url } = await serveHttp(engine);
    const target = [url.href, '--transport', 'http'];
    const [list, called, read] = await Promise.all([
      inspect(engine, [...target, '--method', 'tools/list']),
      inspect(engine, [...target, ...CALL]),
      inspect(engine, [...target, '--method', 'resources/read', '--uri', 'memo://notes/3']),
    ]);
    expect(names(list)).toEqual(TOOLS);
    expect(called).toMatchObject(text('hi there'));
    expect(read).toMatchObject({ contents: [{ text: 'Note 3.' }] });
  }, 60_000);

  it('lists and calls tools over stdio', async () => {
    const [list, called] = await Promise.all([
      inspect(engine, ['node', fixture('stdio.mjs'), '--method', 'tools/list']),
      inspect(engine, ['node', ECHO, '--stdio', ...CALL]),
    ]);
    expect(names(list)).toEqual(TOOLS);
    expect(called).toMatchObject(text('hi there'));
  }, 60_000);
});
