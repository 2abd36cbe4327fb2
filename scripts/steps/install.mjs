// npm packages: installed when node_modules is missing or the lock file changed, otherwise not touched.
import { join } from 'node:path';
import { root } from './root.mjs';
import { runNpm, StepError, timed } from './run.mjs';
import { hashOf, stamp, stamped } from './stamp.mjs';

/**
 * Not `npm ci`: the lock file holds what one registry had, and a registry may lack the binaries of other systems (biome and
 * napi ship theirs as optional packages, the exact version named by their parent). `npm ci` refuses such a lock file;
 * `npm install --no-save` keeps to every version in it, completes it in memory and leaves the file as it is.
 */
export async function install() {
  // Inside node_modules, so that deleting the folder deletes the stamp as well.
  const stampFile = join(root, 'node_modules/.thirdrail-stamp');
  const wanted = hashOf(['package.json', 'package-lock.json']);
  if (stamped(stampFile, wanted)) return;

  // The build tools are devDependencies: ask for them whatever NODE_ENV and the user's settings say. No package of ours
  // needs an install script, so none is run.
  const flags = ['--no-save', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, output } = await timed('installing npm packages', () => runNpm(['install', ...flags]));
  if (code !== 0) throw new StepError('npm could not install the packages.', output);
  stamp(stampFile, wanted);
}
