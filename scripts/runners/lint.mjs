// Formatters and linters and the type check of everything that is not compiled into dist/. Each counts as one check.
import { tools } from '../steps/root.mjs';
import { run, runNode } from '../steps/run.mjs';
import { check } from './tally.mjs';

export async function lintTypeScript() {
  return [
    check('biome', await runNode(tools.biome, ['ci', '--error-on-warnings', '--colors=off', '.'])),
    check('tsc (tests, benches, examples)', await runNode(tools.tsc, ['-p', 'tsconfig.test.json'])),
  ];
}

export async function lintRust() {
  const clippy = ['clippy', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings'];
  return [
    check('cargo fmt', await run('cargo', ['fmt', '--all', '--check'])),
    check('clippy', await run('cargo', clippy)),
  ];
}
