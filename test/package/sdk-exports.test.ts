/**
 * Whoever uses the official TypeScript SDK changes the package's name in their imports and nothing else: every value and
 * every type that the official packages export is exported here, under the same name and subpath.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { json, read, root } from './tree.js';

/** Subpath of ours, the official package's module, its declarations. */
const MODULES = [
  ['server', '@modelcontextprotocol/server', 'server/dist/index.d.mts'],
  ['server/stdio', '@modelcontextprotocol/server/stdio', 'server/dist/stdio.d.mts'],
  ['server/validators/ajv', '@modelcontextprotocol/server/validators/ajv', 'server/dist/validators/ajv.d.mts'],
  [
    'server/validators/cf-worker',
    '@modelcontextprotocol/server/validators/cf-worker',
    'server/dist/validators/cfWorker.d.mts',
  ],
  ['node', '@modelcontextprotocol/node', 'node/dist/index.d.mts'],
  ['express', '@modelcontextprotocol/express', 'express/dist/index.d.mts'],
  ['hono', '@modelcontextprotocol/hono', 'hono/dist/index.d.mts'],
  ['fastify', '@modelcontextprotocol/fastify', 'fastify/dist/index.d.mts'],
  ['core', '@modelcontextprotocol/core', 'core/dist/index.d.mts'],
  ['core/internal', '@modelcontextprotocol/core/internal', 'core/dist/internal.d.mts'],
] as const;

/** What is left out on purpose, by subpath; docs/from-the-official-sdk.md says why. */
const LEFT_OUT: Record<string, string[]> = { 'server/validators/ajv': ['Ajv', 'addFormats'] };
const isMeant = (subpath: string) => (name: string) => !LEFT_OUT[subpath]?.includes(name);

/** The source of an entry, from what package.json says is built of it. */
function sourceOf(subpath: string): string {
  const { exports } = json<{ exports: Record<string, { types: string }> }>('package.json');
  const types = exports[`./${subpath}`]?.types ?? expect.fail(`package.json has no export ./${subpath}`);
  return types.replace(/^\.\/dist\//, 'ts/').replace(/\.d\.ts$/, '.ts');
}

/** Everything, types among it, that a bundled declaration file exports. */
function declared(file: string): string[] {
  const lists = [...read(`node_modules/@modelcontextprotocol/${file}`).matchAll(/^export \{([^}]*)\}/gm)];
  return lists.flatMap(([, list = '']) =>
    list.split(',').map((name) =>
      name
        .trim()
        .replace(/^type /, '')
        .replace(/^.* as /, ''),
    ),
  );
}

// Milliseconds: the modules of both packages are read and transformed, and the machine may be busy.
const SLOW = 120_000;

describe.each(MODULES)('thirdrail/%s', { timeout: SLOW }, (subpath, official) => {
  it('has every value', async () => {
    const theirs = Object.keys(await import(official));
    const ours = Object.entries(await import(join(root, sourceOf(subpath))));
    const values = new Map(ours.filter(([, value]) => value !== undefined));
    expect(theirs.length).toBeGreaterThan(0);
    expect(theirs.filter(isMeant(subpath)).filter((name) => !values.has(name))).toEqual([]);
  });

  it('has values of the same kind', async () => {
    const theirs: Record<string, unknown> = await import(official);
    const ours: Record<string, unknown> = await import(join(root, sourceOf(subpath)));
    const differ = Object.keys(theirs).filter((name) => name in ours && typeof ours[name] !== typeof theirs[name]);
    expect(differ).toEqual([]);
  });
});

describe('types', () => {
  let output = '';

  beforeAll(async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'thirdrail-exports-')));
    try {
      const files = MODULES.map(([subpath, , declarations], index) => {
        const entry = join(root, sourceOf(subpath)).replaceAll('\\', '/').replace(/\.ts$/, '.js');
        const names = declared(declarations).filter(isMeant(subpath));
        // One line for each name: the compiler tells them by line, whichever words it finds.
        const imports = names.map((name) => `import type { ${name} as _ } from '${entry}'; // ${name} of ${subpath}\n`);
        const file = `${index}.ts`;
        writeFileSync(join(folder, file), imports.map((line, at) => line.replace(' as _', ` as _${at}`)).join(''));
        return file;
      });
      const compilerOptions = {
        noEmit: true,
        rootDir: '/',
        incremental: false,
        tsBuildInfoFile: null,
        noUnusedLocals: false,
        typeRoots: [join(root, 'node_modules/@types')],
      };
      const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder];
      const done = await promisify(execFile)(process.execPath, tsc, { cwd: folder }).catch((error) => error);
      output = done.stdout;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, SLOW);

  it.each(MODULES)('has every type of thirdrail/%s', (subpath) => {
    const index = MODULES.findIndex(([name]) => name === subpath);
    const missing = [...output.matchAll(new RegExp(`^${index}\\.ts\\(.*no exported member (?:named )?'(\\w+)'`, 'gm'))];
    expect(missing.map(([, name]) => name)).toEqual([]);
    // Whatever else the compiler has to say about these lines.
    expect(output.split('\n').filter((line) => line.startsWith(`${index}.ts`))).toEqual([]);
  });
});

it.runIf(process.platform === 'linux')('is one command away, and the documents say which', async () => {
  const command = /```sh\n(git ls-files .*)\n```/.exec(read('docs/from-the-official-sdk.md'))?.[1] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'thirdrail-port-'));
  try {
    const names = MODULES.map(([subpath]) => subpath);
    const source = (prefix: string) => names.map((name) => `import * as a from '${prefix}/${name}';`).join('\n');
    const rest = `import { Client } from "@modelcontextprotocol/client";\nimport b from '@modelcontextprotocol/serverless';\n`;
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/a.ts'), `${source('@modelcontextprotocol')}\n${rest}`);
    const run = promisify(execFile);
    await run('git', ['init', '-q'], { cwd: folder });
    await run('git', ['add', '.'], { cwd: folder });
    await run('sh', ['-c', command], { cwd: folder });
    expect(readFileSync(join(folder, 'src/a.ts'), 'utf8')).toBe(`${source('thirdrail')}\n${rest}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
