/**
 * Finds and loads the native addon, and keeps every failure with the path that was tried. Decides nothing: whether a
 * missing addon is an error is for ts/engine/index.ts to say. Nothing is loaded by importing this module.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Addon } from './binding.js';
import { hostPlatform } from './platform.js';

export type LoadResult = { readonly addon: Addon; readonly path: string } | { readonly failures: readonly Error[] };

const require = createRequire(import.meta.url);
const packageRoot = rootAbove(fileURLToPath(import.meta.url));

/**
 * Tries, in this order: the file named by `THIRDRAIL_NATIVE_PATH` (and then nothing else: whoever names a file wants that
 * file), `npm/<platform>/thirdrail.<platform>.node` in this package, the optional package `thirdrail-<platform>`.
 * @returns the addon and where it came from, or one failure per attempt; never throws
 */
export function loadAddon(): LoadResult {
  const failures: Error[] = [];
  for (const path of candidates(failures)) {
    try {
      const addon = require(path) as Addon;
      checkVersion(addon);
      return { addon, path };
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
      failures.push(new Error(`${path}: ${reason}`, { cause: error }));
    }
  }
  return { failures };
}

/** The folder of our package.json, wherever the bundler put this file; ends with a separator. */
function rootAbove(path: string): string {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, '/');
    if (folder === dirname(folder)) return join(dirname(path), '/');
  }
}

function candidates(failures: Error[]): string[] {
  const named = process.env.THIRDRAIL_NATIVE_PATH;
  if (named) return [named];
  const platform = hostPlatform();
  if (platform === null) {
    failures.push(new Error(`no addon is built for ${process.platform} ${process.arch}`));
    return [];
  }
  return [`${packageRoot}npm/${platform}/thirdrail.${platform}.node`, `thirdrail-${platform}`];
}

/** An addon of another version would load and then disagree about the seam in ways nobody can debug. */
function checkVersion(addon: Addon): void {
  const { version } = require(`${packageRoot}package.json`) as { version: string };
  const built = addon.version();
  if (built !== version) throw new Error(`the addon is version ${built}, the package is version ${version}`);
}
