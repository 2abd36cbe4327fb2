// Where things are. Knows paths, runs nothing.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the repository, absolute. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Scratch folder of the scripts (stamps, other Node versions); ignored by git, safe to delete. */
export const scratch = join(root, '.setup');

/**
 * Tools are started as `node <file>`: no shell, no `.cmd` shims, the same on every system.
 * Paths, not lookups, because nothing is installed yet when this file is loaded.
 */
export const tools = {
  biome: join(root, 'node_modules/@biomejs/biome/bin/biome'),
  napi: join(root, 'node_modules/@napi-rs/cli/dist/cli.js'),
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
  vitest: join(root, 'node_modules/vitest/vitest.mjs'),
};
