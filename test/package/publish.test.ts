/** What is published: the tarball, the platform packages, the versions, the lock file. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { PLATFORMS } from '../../ts/engine/native/platform.js';
import { files, json, type PackageJson, packageJson, read, root } from './tree.js';

const execute = promisify(execFile);
const manifest = packageJson();
/** Milliseconds: npm and napi are large programs, and the machine may be busy. */
const SLOW = 60_000;

describe('the tarball', () => {
  interface Packed {
    size: number;
    files: { path: string }[];
  }

  let packed: Packed;

  beforeAll(async () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const { stdout } = await execute('npm', args, { cwd: root, shell: process.platform === 'win32' });
    // npm 12 keys the report by package name, older ones list it.
    const report = Object.values(JSON.parse(stdout) as Packed[] | Record<string, Packed>);
    expect(report).toHaveLength(1);
    [packed] = report as [Packed];
  }, SLOW);

  it('holds the build and nothing else, in less than 1 MB', () => {
    const paths = packed.files.map((file) => file.path);
    expect(paths).toEqual(
      expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']),
    );
    const build = /^dist\/[^.][\w/-]*\.(js|js\.map|d\.ts)$/;
    const known = ['package.json', 'README.md', 'LICENSE'];
    expect(paths.filter((path) => !build.test(path) && !known.includes(path))).toEqual([]);
    expect(paths.filter((path) => /(^|[/.])(test|case|bench)\b/.test(path))).toEqual([]);
    expect(packed.size).toBeLessThan(1024 * 1024);
  });

  it('has a file for every entry of exports', () => {
    const { exports } = json<{ exports: Record<string, string | Record<string, string>> }>('package.json');
    const targets = Object.values(exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    const paths = packed.files.map((file) => `./${file.path}`);
    expect(targets.filter((target) => !paths.includes(target))).toEqual([]);
  });
});

describe('versions', () => {
  it('are one, everywhere', () => {
    const { version } = manifest;
    expect(read('Cargo.toml')).toMatch(new RegExp(`\\[workspace\\.package\\]\\nversion = "${version}"`));
    expect(json<{ version: string }>('package-lock.json').version).toBe(version);
    for (const platform of PLATFORMS) expect(json<PackageJson>(`npm/${platform}/package.json`).version).toBe(version);
  });
});

describe.each(PLATFORMS)('thirdrail-%s', (platform) => {
  const own = json<PackageJson>(`npm/${platform}/package.json`);
  const [os, cpu, abi] = platform.split('-');

  it('is installed only where it fits', () => {
    expect(own.name).toBe(`thirdrail-${platform}`);
    expect(own.os).toEqual([os]);
    expect(own.cpu).toEqual([cpu]);
    expect(own.libc).toEqual(os === 'linux' ? [abi === 'gnu' ? 'glibc' : 'musl'] : undefined);
    expect(own.engines).toEqual(manifest.engines);
  });

  it('holds the addon under the name that the loader looks for', () => {
    expect(own.main).toBe(`thirdrail.${platform}.node`);
    expect(own.files).toEqual([own.main]);
  });
});

describe('prepublishOnly', { timeout: SLOW }, () => {
  /** A copy with a file for every addon but `without`; the step checks that they are there, not what they do. */
  async function prepublish(without?: string): Promise<PackageJson> {
    const copy = mkdtempSync(join(tmpdir(), 'thirdrail-publish-'));
    try {
      cpSync(join(root, 'package.json'), join(copy, 'package.json'));
      for (const path of files('npm', '.json')) cpSync(join(root, path), join(copy, path), { recursive: true });
      for (const platform of PLATFORMS.filter((name) => name !== without)) {
        writeFileSync(join(copy, 'npm', platform, `thirdrail.${platform}.node`), '');
      }
      const [command, ...args] = (manifest.scripts?.prepublishOnly ?? '').split(' ');
      expect(command).toBe('napi');
      const napi = join(root, 'node_modules/@napi-rs/cli/dist/cli.js');
      // The CLI explains itself on stdout, which execFile leaves out of its message.
      await execute(process.execPath, [napi, ...args], { cwd: copy }).catch((error) => {
        throw new Error(error.stdout, { cause: error });
      });
      return JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as PackageJson;
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }

  it('names every platform package as an optional dependency of exactly this version', async () => {
    const wanted = Object.fromEntries(PLATFORMS.map((platform) => [`thirdrail-${platform}`, manifest.version]));
    expect((await prepublish()).optionalDependencies).toEqual(wanted);
  });

  it('refuses to publish when an addon is missing', async () => {
    await expect(prepublish('linux-arm64-musl')).rejects.toThrow(/thirdrail\.linux-arm64-musl\.node/);
  });

  it('is the only one that writes them: a lock file cannot name packages that are not published yet', () => {
    expect(manifest.optionalDependencies).toBeUndefined();
  });
});

it('has a lock file that names no registry', () => {
  const lock = read('package-lock.json');
  expect(lock).not.toContain('"resolved": "http');
  expect(read('.npmrc')).toMatch(/^omit-lockfile-registry-resolved=true$/m);
  const { packages } = JSON.parse(lock) as { packages: Record<string, PackageJson> };
  expect(packages['']?.dependencies).toEqual(manifest.dependencies);
  expect(packages['']?.devDependencies).toEqual(manifest.devDependencies);
});
