// ts/ -> dist/*.js. One file per entry and few chunks instead of a hundred modules: a server over stdio is started for
// every session of its client, and Node takes about a millisecond for each module that it opens.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './root.mjs';

/** What can be imported or run, every file of `entries/` among it. `engine/index` is for the benches and the loader's tests. */
const entries = {
  index: 'ts/index.ts',
  'cli/echo': 'ts/cli/echo.ts',
  'engine/index': 'ts/engine/index.ts',
  ...Object.fromEntries(
    readdirSync(join(root, 'ts/entries')).map((file) => [`entries/${file.slice(0, -3)}`, `ts/entries/${file}`]),
  ),
};

/**
 * What a server over stdio loads, in two files: the server, and the engine of pipes; each takes along what it imports. Left
 * to itself the bundler makes a file of whatever some entries have in common, which were thirteen.
 */
const groups = [
  { name: 'server', test: /[\\/]ts[\\/]server[\\/]mcp\.ts$/, priority: 2 },
  { name: 'pipe', test: /[\\/]ts[\\/]engine[\\/]pipe\.ts$/, priority: 1 },
];

export async function bundle() {
  const dist = join(root, 'dist');
  for (const entry of readdirSync(dist, { recursive: true })) {
    if (/\.js(\.map)?$/.test(entry)) rmSync(join(dist, entry));
  }
  const build = await rolldown({
    cwd: root,
    input: entries,
    platform: 'node',
    // Dependencies stay where npm put them: users share them, and audit them.
    external: (id) => !/^[./\0]/.test(id) && !id.startsWith(root) && !id.startsWith('ts/'),
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  });
  await build.write({
    dir: dist,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: { groups },
    // What they document is in the declarations, and the sources are in the maps.
    comments: { legal: true, annotation: true, jsdoc: false },
  });
  await build.close();
}
