/** The built addon as a file: loadable late, typed as committed. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostPlatform } from '../../ts/engine/native/platform.js';
import { hasNative, read, root } from './tree.js';

const platform = hostPlatform() ?? 'none';
const file = join(root, `npm/${platform}/thirdrail.${platform}.node`);
const hasReadelf = process.platform === 'linux' && spawnSync('readelf', ['--version']).status === 0;

describe.runIf(hasNative)('the addon', () => {
  it('has the types that are committed', () => {
    const generated = '.setup/addon.d.ts';
    expect(existsSync(join(root, generated)), 'run npm run setup').toBe(true);
    expect(read('ts/engine/native/addon.d.ts')).toBe(read(generated));
  });

  it('stays small enough to download without a thought', () => {
    expect(statSync(file).size).toBeLessThan(6 * 1024 * 1024);
  });

  // glibc has a small fixed room for static TLS of libraries that are loaded late: with the flag, `dlopen` fails at random.
  it.runIf(hasReadelf)('needs no static TLS', () => {
    const { stdout, status } = spawnSync('readelf', ['-d', file], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('Dynamic section');
    expect(stdout).not.toContain('STATIC_TLS');
  });

  it.runIf(hasReadelf)('exports the entry points of Node-API', () => {
    const { stdout } = spawnSync('readelf', ['--dyn-syms', '-W', file], { encoding: 'utf8' });
    expect(stdout).toMatch(/\bnapi_register_module_v1\b/);
  });
});
