/**
 * The samples of the documents run. On a page, the blocks marked `runnable` are one program, from top to bottom; those marked
 * `runnable alone` and `runnable redis` (with REDIS_URL) are programs of their own. What a page's program must then be able to
 * do is asked by `docs/<page>.mjs` beside this file, which is given the variables that it names.
 *
 * They run as users' programs do: on the built package, in a process and a folder of their own. Ports become free ones.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'rolldown/utils';
import { afterAll, describe, expect, it } from 'vitest';
import { EXPECTED, REVISIONS } from '../conformance/expected.mjs';
import { selfSigned } from '../engine/certificate.js';
import { engineNames } from '../engines.js';
import { hasRedis, redisForAll } from '../redis.js';
import { files, read, root } from './tree.js';

/** Inside the package, so that `thirdrail` is found by its name. */
mkdirSync(join(root, '.setup'), { recursive: true });
const scratch = mkdtempSync(join(root, '.setup', 'docs-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

interface Sample {
  readonly mark: string;
  readonly code: string;
}

/** Blocks of code whose first line says that they run; a comment of the page may hold what is not worth showing. */
function samplesOf(markdown: string): Sample[] {
  const blocks = markdown.matchAll(/^(?:```(?:js|ts)|<!--) runnable(?: (\w+))?\n([\s\S]*?)^(?:```|-->)$/gm);
  return [...blocks].map(([, mark = '', code = '']) => ({ mark, code }));
}

const PAGES = ['README.md', ...files('docs', '.md')].filter((page) => samplesOf(read(page)).length > 0);

/** The programs of a page, the joined one first. */
function programsOf(page: string): { mark: string; code: string }[] {
  const samples = samplesOf(read(page));
  const joined = samples.filter(({ mark }) => mark === '').map(({ code }) => code);
  const own = samples.filter(({ mark }) => mark !== '');
  return [...(joined.length === 0 ? [] : [{ mark: '', code: joined.join('\n') }]), ...own];
}

/** What must hold once the program stands: `docs/<page>.mjs`, a function of the variables of the program. */
function checkOf(page: string): string {
  const name = basename(page, '.md').toLowerCase();
  const path = join(root, 'test/package/docs', `${name}.mjs`);
  if (!existsSync(path)) return '';
  const wanted = /export default async \(\{ ([\w, ]+) \}\)/.exec(read(`test/package/docs/${name}.mjs`))?.[1];
  if (wanted === undefined) throw new Error(`${path} must begin its function with the names of what it wants`);
  return `\nconst { default: check } = await import('${pathToFileURL(path).href}');\nawait check({ ${wanted} });`;
}

async function run(name: string, code: string, env: Record<string, string>): Promise<void> {
  const folder = join(scratch, name);
  mkdirSync(folder);
  const { cert, key } = selfSigned();
  writeFileSync(join(folder, 'chain.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  const free = code
    .replace(/\b(port: |listen\()30\d\d\b/g, '$10')
    .replace(/\/tmp\/[\w.-]+\.sock/g, './socket')
    .concat('\nprocess.exit(0);\n');
  const built = transformSync(`${name}.ts`, free, { lang: 'ts', typescript: { onlyRemoveTypeImports: true } });
  expect(built.errors).toEqual([]);
  writeFileSync(join(folder, 'program.mjs'), built.code);
  const child = spawn(process.execPath, ['program.mjs'], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', STATE_KEY: 'a secret of at least thirty-two bytes', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += String(chunk)));
  const [exit] = await once(child, 'close');
  running.delete(child);
  expect(exit, said).toBe(0);
}

it('finds the samples', () => {
  const text = '```js\nno\n```\n<!-- runnable\nzero\n-->\n```js runnable\none\n```\n\n```ts runnable alone\ntwo\n```\n';
  expect(samplesOf(text)).toEqual([
    { mark: '', code: 'zero\n' },
    { mark: '', code: 'one\n' },
    { mark: 'alone', code: 'two\n' },
  ]);
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'docs/server.md', 'docs/serving.md', 'docs/mounting.md']));
});

describe.each(engineNames)('on the engine %s', (engine) => {
  const redis = redisForAll();

  for (const page of PAGES) {
    for (const [index, { mark, code }] of programsOf(page).entries()) {
      const possible = (mark !== 'redis' || hasRedis) && (process.platform !== 'win32' || !code.includes('unix:'));
      it.runIf(possible)(`${page}${mark === '' ? '' : ` ${index}`}: the samples run`, async () => {
        const env: Record<string, string> = { THIRDRAIL_ENGINE: engine };
        if (mark === 'redis') env.REDIS_URL = redis().options?.url ?? '';
        const name = `${basename(page, '.md').toLowerCase()}-${index}-${engine}`;
        await run(name, mark === '' ? code + checkOf(page) : code, env);
      });
    }
  }
});

describe('the types', () => {
  it('fit every sample', async () => {
    const folder = join(scratch, 'types');
    mkdirSync(folder);
    const options = {
      extends: '../../../tsconfig.json',
      // Samples are read as JavaScript is: what is not annotated may be anything.
      compilerOptions: {
        ...{ noEmit: true, emitDeclarationOnly: false, declaration: false, incremental: false, tsBuildInfoFile: null },
        ...{ rootDir: root, noImplicitAny: false, noUnusedLocals: false, verbatimModuleSyntax: false },
      },
      include: ['*.mts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
    for (const page of PAGES) {
      for (const [index, { code }] of programsOf(page).entries()) {
        writeFileSync(join(folder, `${basename(page, '.md').toLowerCase()}-${index}.mts`), `${code}\nexport {};\n`);
      }
    }
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const child = spawn(process.execPath, [tsc, '-p', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += String(chunk)));
    const [exit] = await once(child, 'close');
    running.delete(child);
    expect(exit, said).toBe(0);
  });
});

it.runIf(process.platform === 'linux')('the port from the official SDK is the one line that is shown', async () => {
  const line = /^```sh\n(git ls-files .*)\n```$/m.exec(read('docs/from-the-official-sdk.md'))?.[1] ?? '';
  const folder = join(scratch, 'port');
  mkdirSync(folder);
  const before = `import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { Client } from '@modelcontextprotocol/client';
import { createMcpExpressApp } from '@modelcontextprotocol/express';
`;
  writeFileSync(join(folder, 'server.ts'), before);
  execFileSync('sh', ['-c', `git init -q && git add . && ${line}`], { cwd: folder });
  expect(readFileSync(join(folder, 'server.ts'), 'utf8')).toBe(
    before.replace(/@modelcontextprotocol\/(?!client)/g, 'thirdrail/'),
  );
});

it('has no check of a page that is gone', () => {
  const pages = PAGES.map((page) => basename(page, '.md').toLowerCase());
  const checks = files('test/package/docs', '.mjs').map((path) => basename(path, '.mjs'));
  expect(checks.filter((name) => !pages.includes(name))).toEqual([]);
});

it('counts in README.md the scenarios that conformance expects', () => {
  const readme = read('README.md');
  for (const revision of REVISIONS) {
    const rows = readme.match(new RegExp(`^\\| ${revision} \\| (\\d+) \\|$`, 'm'));
    expect(Number(rows?.[1]), revision).toBe(EXPECTED[revision].length);
  }
});
