/** The types that users see, judged by the compiler. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it('infers arguments, contexts and results', async () => {
  const root = new URL('../..', import.meta.url);
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'test/server/tsconfig.json'];
  const done = await run(process.execPath, tsc, { cwd: root }).catch((error) => error);
  expect(done.stdout).toBe('');
}, 120_000);
