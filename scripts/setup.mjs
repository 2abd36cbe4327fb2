// npm run setup: everything that `npm start` and `npm test` need, from a fresh clone. Uses only what Node brings along,
// because nothing is installed yet. Steps that have nothing to do are skipped without a word.
import { pathToFileURL } from 'node:url';
import { addon } from './steps/addon.mjs';
import { compile } from './steps/compile.mjs';
import { install } from './steps/install.mjs';
import { fail } from './steps/run.mjs';
import { schemaSuite } from './steps/schema-suite.mjs';

/**
 * @param {{buildOnly?: boolean, jsOnly?: boolean}} [options] `buildOnly`: npm packages are left as they are; `jsOnly`: the
 *   addon is left as it is (workflows that bring their own)
 * @returns {Promise<{native: boolean}>} whether the native engine was built from the sources as they are
 * @throws {import('./steps/run.mjs').StepError} with the whole output of the tool that failed
 */
export async function setup({ buildOnly = false, jsOnly = false } = {}) {
  if (!buildOnly) {
    await install();
    await schemaSuite();
  }
  const native = jsOnly ? false : await addon();
  await compile();
  return { native };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const options = process.argv.slice(2);
  const known = ['--build-only', '--js-only'];
  const unknown = options.find((option) => !known.includes(option));
  if (unknown !== undefined) {
    console.error(`setup: unknown option ${unknown}; known: ${known.join(', ')}`);
    process.exit(2);
  }
  await setup({ buildOnly: options.includes('--build-only'), jsOnly: options.includes('--js-only') }).catch(fail);
}
