// The native addon: built with cargo through the napi CLI into npm/<platform>/, skipped when no Rust source changed.
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { hostPlatform, readPackage } from './platform.mjs';
import { root, scratch, tools } from './root.mjs';
import { exists, runNode, StepError, timed } from './run.mjs';
import { hashOf, stamp, stamped } from './stamp.mjs';

const strict = () => process.env.CI === 'true';

/**
 * @returns {Promise<boolean>} whether the native engine is built from the sources as they are
 */
export async function addon() {
  const platform = hostPlatform();
  const missing = !exists('cargo')
    ? 'cargo not found'
    : platform === null
      ? `no native build for ${process.platform} ${process.arch}`
      : null;
  if (missing !== null) {
    const message = `${missing}: the native engine is not built, everything runs on the JavaScript engine`;
    if (strict()) throw new StepError(`${message}; with CI=true that is a failure`);
    console.error(message);
    return false;
  }

  const { version, napi, devDependencies } = readPackage();
  const settings = [version, devDependencies['@napi-rs/cli'], process.env.RUSTFLAGS ?? ''];
  // Taken before the build: a source that changes during it has not been built. Cargo may write the lock file itself.
  const sources = hashOf(['crates', 'Cargo.toml'], ...settings);
  const wanted = () => `${sources} ${hashOf(['Cargo.lock'])}`;
  const stampFile = join(scratch, `addon-${platform}.stamp`);
  const folder = join(root, 'npm', platform);
  if (!stamped(stampFile, wanted()) || !existsSync(join(folder, `${napi.binaryName}.${platform}.node`))) {
    const { code, output } = await timed(`building the native engine for ${platform}`, () => build(folder));
    if (code !== 0) throw new StepError('The native engine could not be built.', output);
    stamp(stampFile, wanted());
  }
  acceptTypes();
  return true;
}

/** Top of the generated types. */
const header = '// Generated from crates/node by scripts/steps/addon.mjs: change the Rust side and build.\n\n';

function build(folder) {
  const args = [
    'build',
    '--platform',
    '--release',
    '--manifest-path',
    'crates/node/Cargo.toml',
    '--output-dir',
    folder,
  ];
  // The loader is ours (ts/engine/native/load.ts), so no JavaScript is generated; the types go to the scratch folder.
  // (--dts is taken relative to the output folder, even when it is absolute.)
  const types = ['--no-js', '--dts', relative(folder, join(scratch, 'addon.d.ts')), '--dts-header', header];
  return runNode(tools.napi, [...args, ...types], { env: { NO_COLOR: '1' } });
}

/**
 * ts/engine/native/addon.d.ts is committed, so that the project compiles without cargo. A build on a developer's machine
 * brings it up to date, where git shows the change; with CI=true it is left alone and test/package compares the two.
 */
function acceptTypes() {
  const generated = join(scratch, 'addon.d.ts');
  const committed = join(root, 'ts/engine/native/addon.d.ts');
  if (strict() || !existsSync(generated)) return;
  if (!existsSync(committed) || readFileSync(committed, 'utf8') !== readFileSync(generated, 'utf8')) {
    copyFileSync(generated, committed);
    console.error('ts/engine/native/addon.d.ts changed: commit it with the Rust change');
  }
}
