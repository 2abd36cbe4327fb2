/** Who may import whom, in TypeScript: index -> server, cli -> dispatch, protocol -> engine/engine.ts. */
import { describe, expect, it } from 'vitest';
import { type Import, imports, importsOf, packageJson, read, WORDS } from './tree.js';

const all = imports('ts');
const inside = (folder: string) => (path: string) => path.startsWith(folder);
const breaks = (law: (edge: Import) => boolean): string[] => all.filter(law).map((e) => `${e.from} -> ${e.target}`);

/** From the bottom up: a room may import what stands before it, and itself. */
const ROOMS = ['ts/engine/', 'ts/protocol/', 'ts/dispatch.ts', 'ts/server/', 'ts/cli/', 'ts/entries/', 'ts/index.ts'];

/** What a server hands to the protocol, as types: it stands beside the API that fills it and belongs to both. */
const OFFER = 'ts/server/offer.ts';
const rank = (path: string) => ROOMS.findIndex((room) => (path === OFFER ? 'ts/protocol/' : path).startsWith(room));

it('reads every form of import', () => {
  const text = `import a from './a.js';\nexport * from '../b.js';\nimport './c.js';\nawait import('node:fs');\nimport type {\n  X,\n} from 'zod';`;
  expect(importsOf('ts/x/y.ts', text).map((edge) => edge.target)).toEqual([
    'ts/x/a.ts',
    'ts/b.ts',
    'ts/x/c.ts',
    'node:fs',
    'zod',
  ]);
  expect(all.length).toBeGreaterThan(50);
});

describe('the engines', () => {
  it('are known to ts/engine/index.ts alone; pipes and mounts, which are JavaScript everywhere, to a file each', () => {
    const engine = /^ts\/engine\/(js|native)\//;
    const users = all.filter((e) => engine.test(e.target) && !engine.test(e.from));
    const others = users.filter((e) => e.from !== 'ts/engine/index.ts').map((e) => `${e.from} -> ${e.target}`);
    expect(new Set(others)).toEqual(
      new Set([
        'ts/engine/mount.ts -> ts/engine/js/serve/mount.ts',
        'ts/engine/mount.ts -> ts/engine/js/serve/mountcall.ts',
        'ts/engine/pipe.ts -> ts/engine/js/serve/ends.ts',
        'ts/engine/pipe.ts -> ts/engine/js/serve/pipe.ts',
      ]),
    );
  });

  it('do not know each other', () => {
    expect(breaks((e) => inside('ts/engine/js/')(e.from) && inside('ts/engine/native/')(e.target))).toEqual([]);
    expect(breaks((e) => inside('ts/engine/native/')(e.from) && inside('ts/engine/js/')(e.target))).toEqual([]);
  });

  it('are chosen where a server is started, never below', () => {
    const chooser = 'ts/engine/index.ts';
    const starters = ['ts/server/', 'ts/cli/', 'ts/index.ts'];
    expect(breaks((e) => e.target === chooser && !starters.some((room) => e.from.startsWith(room)))).toEqual([]);
  });

  it('have leaves that know no sibling', () => {
    const leaf = (word: string) => word !== 'serve';
    for (const word of WORDS.filter(leaf)) {
      const own = `ts/engine/js/${word}/`;
      expect(breaks((e) => inside(own)(e.from) && inside('ts/engine/js/')(e.target) && !inside(own)(e.target))).toEqual(
        [],
      );
    }
  });

  it('do input and output in serve alone', () => {
    const io = /^node:(fs|net|http|https|tls|dgram|child_process|stream|worker_threads)\b/;
    expect(
      breaks((e) => inside('ts/engine/js/')(e.from) && !inside('ts/engine/js/serve/')(e.from) && io.test(e.target)),
    ).toEqual([]);
  });
});

it('keeps the seam free of imports', () => {
  expect(all.filter((edge) => edge.from === 'ts/engine/engine.ts')).toEqual([]);
});

it('has no room outside the order', () => {
  expect(breaks((e) => rank(e.from) < 0)).toEqual([]);
});

it('imports downwards only', () => {
  expect(breaks((e) => inside('ts/')(e.target) && rank(e.target) > rank(e.from))).toEqual([]);
});

it('uses only declared dependencies and Node', () => {
  // Peers are optional: each is imported by the one adapter that its user chose.
  const { dependencies, peerDependencies } = packageJson();
  const declared = Object.keys({ ...dependencies, ...peerDependencies });
  const known = (name: string) =>
    name.startsWith('node:') || declared.some((d) => name === d || name.startsWith(`${d}/`));
  expect(breaks((e) => !inside('ts/')(e.target) && !known(e.target))).toEqual([]);
});

/** Packages that only their home may import, if only for its types. */
const HOMES: Record<string, RegExp> = {
  ws: /^ts\/server\/websocket\//,
  jose: /^ts\/server\/auth\//,
  express: /^ts\/server\/adapters\/express\.ts$/,
  fastify: /^ts\/server\/adapters\/fastify\.ts$/,
  hono: /^ts\/server\/adapters\/hono\.ts$/,
  '@modelcontextprotocol/core': /^ts\/(entries\/schemas(-internal)?|protocol\/sdk\/schemas)\.ts$/,
};

it.each(Object.entries(HOMES))('keeps %s in its home', (name, home) => {
  const users = all.filter((e) => e.target === name || e.target.startsWith(`${name}/`)).map((e) => e.from);
  expect(users).not.toEqual([]);
  expect(users.filter((from) => !home.test(from))).toEqual([]);
});

it('loads neither a schema library nor a validator in an engine', () => {
  expect(
    breaks((e) => inside('ts/engine/')(e.from) && !inside('ts/')(e.target) && !e.target.startsWith('node:')),
  ).toEqual([]);
});

it('keeps the offer free of code, so that nothing runs across its borrowed place in the order', () => {
  expect(read(OFFER)).not.toMatch(/^(import (?!type)|export (?!type|interface))/m);
});
