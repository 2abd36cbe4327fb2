// `npm run bench`: thirdrail on both engines beside its rivals, in one run on one machine. See README.md beside this file.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, USAGE } from './options.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const quit = (message, code) => {
  console.error(`bench: ${message}`);
  process.exit(code);
};

function optionsOrQuit() {
  try {
    return parse(process.argv.slice(2));
  } catch (error) {
    return quit(`${error.message}\n${USAGE}`, 2);
  }
}

/** The rivals are no dependencies of the project: they are installed by whoever measures. */
function installRivals() {
  if (existsSync(path.join(HERE, 'node_modules/.package-lock.json'))) return;
  console.log('bench: installing the rivals (once)');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: HERE,
    stdio: 'inherit',
  });
  if (status !== 0) quit('the rivals could not be installed (npm ci in bench/)', 1);
}

const options = optionsOrQuit();
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
installRivals();
// Only now: what follows imports the rivals.
const { measureAll } = await import('./measure-all.mjs');
process.exit(await measureAll(options));
