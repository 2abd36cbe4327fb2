// Names of platforms. The same words as ts/engine/native/platform.ts, which a test compares with this file: scripts run
// before anything is compiled.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/** Rust target triple -> platform name, for every target in package.json. */
export const platformOf = {
  'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
  'x86_64-unknown-linux-musl': 'linux-x64-musl',
  'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
  'aarch64-unknown-linux-musl': 'linux-arm64-musl',
  'x86_64-apple-darwin': 'darwin-x64',
  'aarch64-apple-darwin': 'darwin-arm64',
  'x86_64-pc-windows-msvc': 'win32-x64-msvc',
};

/** The platform of this process, or null where no addon is built. */
export function hostPlatform() {
  const name = `${process.platform}-${process.arch}`;
  const full =
    process.platform === 'linux'
      ? `${name}-${process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'}`
      : process.platform === 'win32'
        ? `${name}-msvc`
        : name;
  return Object.values(platformOf).includes(full) ? full : null;
}

/** package.json of the project. */
export const readPackage = () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
