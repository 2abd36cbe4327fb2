// npm test: set up, run everything on both engines, close with one line `N passed, N failed`.
// `-- --only lint|rust|ts` runs a part. Exit code 1 when anything failed.
import { lintRust, lintTypeScript } from './runners/lint.mjs';
import { testRust } from './runners/rust.mjs';
import { testTypeScript } from './runners/ts.mjs';
import { setup } from './setup.mjs';
import { exists, StepError } from './steps/run.mjs';

const parts = ['lint', 'rust', 'ts'];
const only = readOptions(process.argv.slice(2));
let passed = 0;
let failed = 0;

try {
  await main();
} catch (error) {
  // A failed setup is a failed run: it closes with the same line as any other.
  if (error instanceof StepError) console.log(`${error.output}\n${error.message}`);
  else console.log(error);
  failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function main() {
  const { native } = await setup();
  const cargo = exists('cargo');
  // One after the other: cargo uses every core by itself, and tests that measure time need a quiet machine.
  if (wanted('lint')) await part('lint', lintTypeScript);
  if (cargo) {
    if (wanted('lint')) await part('lint', lintRust);
    if (wanted('rust')) await part('rust', testRust);
  } else if (wanted('lint') || wanted('rust')) {
    console.log('rust: skipped, cargo not found');
  }
  if (wanted('ts')) await part('ts', () => testTypeScript(native));
}

async function part(name, runner) {
  const start = Date.now();
  for (const tally of await runner()) {
    passed += tally.passed;
    failed += tally.failed;
    if (tally.failed > 0) console.log(`\n---- ${tally.name} ----\n${tally.output.trimEnd()}\n`);
    console.log(`${name}: ${tally.name}: ${tally.passed} passed, ${tally.failed} failed`);
  }
  console.log(`${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

function wanted(name) {
  return only === null || only === name;
}

function readOptions(options) {
  if (options.length === 0) return null;
  if (options.length === 2 && options[0] === '--only' && parts.includes(options[1])) return options[1];
  console.error(`usage: npm test [-- --only ${parts.join('|')}], not: ${options.join(' ')}`);
  process.exit(2);
}
