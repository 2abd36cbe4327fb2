/**
 * What a server over stdio loads from its start to its first answer: it is started for every session of its client, and what
 * it does not need it must not wait for. Counted, not timed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from './tree.js';

const dist = (name: string): string => join(root, 'dist', name);

beforeAll(() => {
  if (!existsSync(dist('index.js'))) throw new Error('dist/ is missing: run npm run setup');
});

/** Sockets, and what only they need. */
const SOCKETS = /^(http|https|http2|tls|zlib|dns|dgram|_http_\w+|_tls_\w+)$/;
const MESSAGES = [
  {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'start', version: '1' } },
  },
  { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'say', arguments: {} } },
];

/** Serves one call from the built entries; the builtin modules of node that this loaded. */
function loaded(entries: readonly string[]): string[] {
  const specifiers = entries.map((entry) => JSON.stringify(pathToFileURL(dist(entry)).href));
  const script = `
    const before = new Set(process.moduleLoadList);
    const all = Object.assign({}, ${specifiers.map((specifier) => `await import(${specifier})`).join(', ')});
    const server = new all.McpServer({ name: 'start', version: '1' });
    server.registerTool('say', {}, () => ({ content: [{ type: 'text', text: 'said' }] }));
    all.serveStdio(server);
    process.on('exit', () => {
      const names = process.moduleLoadList.filter((name) => !before.has(name));
      process.stderr.write(JSON.stringify(names));
    });`;
  const input = MESSAGES.map((message) => `${JSON.stringify(message)}\n`).join('');
  const options = { input, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
  expect([status, stdout.includes('"text":"said"')], stderr).toEqual([0, true]);
  return (JSON.parse(stderr) as string[]).flatMap((name) => /^NativeModule (?!internal\/)(.+)$/.exec(name)?.[1] ?? []);
}

/** Files of the package that an entry loads before anything runs. */
function files(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const imports = readFileSync(entry, 'utf8').matchAll(/^(?:import|export)\b[^;'"]*?["'](\.[^"']+)["'];?$/gm);
  for (const [, specifier = ''] of imports) files(join(dirname(entry), specifier), seen);
  return seen;
}

describe.each([
  ['thirdrail/server/stdio', ['entries/server.js', 'entries/stdio.js']],
  ['thirdrail', ['index.js']],
])('a server over stdio from %s', (_name, entries) => {
  it('loads nothing of HTTP', () => {
    const names = loaded(entries);
    expect(names).toContain('crypto'); // the list is there
    expect(names.filter((name) => SOCKETS.test(name))).toEqual([]);
  });

  it('comes in few files', () => {
    const all = new Set(entries.flatMap((entry) => [...files(dist(entry))]));
    expect(all.size).toBeGreaterThan(3);
    expect(all.size).toBeLessThanOrEqual(24);
  });
});
