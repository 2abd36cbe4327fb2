// ts/ -> dist/*.js. One file per entry and few chunks instead of a hundred modules: a server over stdio is started for
// every session of its client, and Node takes about a millisecond for each module that it opens.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './root.mjs';

/** What can be imported or run. `engine/index` is for the benches and the loader's tests. */
const entries = { index: 'ts/index.ts', 'cli/echo': 'ts/cli/echo.ts', 'engine/index': 'ts/engine/index.ts' };

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
  });
  await build.close();
}
