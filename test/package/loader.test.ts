/**
 * The choice of the engine and the loading of the addon, each in a process of its own: both happen once per process. Runs
 * the built files, as users do.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostPlatform, PLATFORMS } from '../../ts/engine/native/platform.js';
import { files, hasNative, json, type PackageJson, packageJson, root } from './tree.js';

const execute = promisify(execFile);
const { version } = packageJson();
const platform = hostPlatform() ?? 'none';
let scratch = '';

beforeAll(() => {
  if (!existsSync(join(root, 'dist/engine/index.js'))) throw new Error('dist/ is missing: run npm run setup');
  scratch = mkdtempSync(join(tmpdir(), 'thirdrail-loader-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Writes a CommonJS module that stands in for a broken addon. */
function addon(name: string, code: string): string {
  const path = join(scratch, `${name}.cjs`);
  writeFileSync(path, code);
  return path;
}

/** Runs code with `e` = the chooser of the package at `home`; what it gives to `out` comes back, and all of stderr. */
async function inProcess(code: string, env: Record<string, string>, home = root) {
  const chooser = pathToFileURL(join(home, 'dist/engine/index.js')).href;
  const script = `const out = (v) => process.stdout.write(JSON.stringify(v));
    const e = await import(${JSON.stringify(chooser)});\n${code}`;
  const clean = { ...process.env, THIRDRAIL_ENGINE: '', THIRDRAIL_NATIVE_PATH: '', NODE_OPTIONS: '', ...env };
  const args = ['--input-type=module', '-e', script];
  const { stdout, stderr } = await execute(process.execPath, args, { env: clean });
  return { result: JSON.parse(stdout), stderr };
}

const describeSelection = `
  const s = e.selection();
  out({ name: s.engine.name, reason: s.reason, failures: s.failures.map((f) => f.message), same: s === e.selection() });`;

/** The package without any native build: dist/ and package.json, as with --omit=optional. */
function bareCopy(name: string): string {
  const home = join(scratch, name);
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
  return home;
}

describe('auto', () => {
  it('falls back with one warning and keeps the reason', async () => {
    const path = join(scratch, 'missing.node');
    const { result, stderr } = await inProcess(`e.engineFor(); e.engineFor('auto');${describeSelection}`, {
      THIRDRAIL_NATIVE_PATH: path,
    });
    expect(result).toMatchObject({ name: 'js', same: true });
    expect(result.failures).toHaveLength(1);
    expect(result.failures[0]).toContain(path);
    expect(result.reason).toContain(path);
    expect(stderr.match(/THIRDRAIL_NATIVE_UNAVAILABLE/g)).toHaveLength(1);
  });

  it('keeps the failure of every place it tried', async () => {
    const { result } = await inProcess(describeSelection, {}, bareCopy('bare'));
    expect(result.name).toBe('js');
    expect(result.failures).toHaveLength(2);
    expect(result.failures[0]).toContain(`npm/${platform}/thirdrail.${platform}.node`);
    expect(result.failures[1]).toContain(`thirdrail-${platform}`);
  });

  it.each(['bun', 'deno', 'electron'])(
    'prefers JavaScript on %s, without a warning and without loading',
    async (name) => {
      const path = addon(`touched-${name}`, 'globalThis.touched = true; throw new Error("loaded");');
      const pretend = `Object.defineProperty(process.versions, '${name}', { value: '1.0.0' });`;
      const code = `${pretend} const s = e.selection(); out({ name: s.engine.name, reason: s.reason, touched: !!globalThis.touched });`;
      const { result, stderr } = await inProcess(code, { THIRDRAIL_NATIVE_PATH: path });
      expect(result).toMatchObject({ name: 'js', touched: false });
      expect(result.reason.toLowerCase()).toContain(name);
      expect(stderr).toBe('');
    },
  );
});

describe('native', () => {
  it('throws with every load failure as the cause', async () => {
    const code = `try { e.engineFor('native'); } catch (error) {
      out({ message: error.message, cause: error.cause.constructor.name, errors: error.cause.errors.map((x) => x.message) });
    }`;
    const { result, stderr } = await inProcess(code, {}, bareCopy('strict'));
    expect(result.cause).toBe('AggregateError');
    expect(result.errors).toHaveLength(2);
    for (const message of result.errors) expect(result.message).toContain(message);
    expect(stderr).toBe('');
  });

  it('refuses an addon of another version and names both', async () => {
    const path = addon('old', "module.exports = { version: () => '0.0.1-old' };");
    const { result } = await inProcess(describeSelection, { THIRDRAIL_NATIVE_PATH: path });
    expect(result.failures[0]).toContain('0.0.1-old');
    expect(result.failures[0]).toContain(version);
  });

  it('refuses a file that is no addon of ours', async () => {
    const path = addon('other', 'module.exports = {};');
    const { result } = await inProcess(describeSelection, { THIRDRAIL_NATIVE_PATH: path });
    expect(result.name).toBe('js');
    expect(result.failures[0]).toContain(path);
  });
});

describe('js', () => {
  it('never loads the addon', async () => {
    const path = addon('spy', 'globalThis.touched = true; throw new Error("loaded");');
    const code = (choice: string) => `e.engineFor('${choice}'); out({ touched: !!globalThis.touched });`;
    const env = { THIRDRAIL_NATIVE_PATH: path };
    expect((await inProcess(code('js'), env)).result).toEqual({ touched: false });
    // The same file is loaded when asked for: the assertion above can fail.
    expect((await inProcess(code('auto'), env)).result).toEqual({ touched: true });
  });

  it('is chosen by the environment', async () => {
    const { result, stderr } = await inProcess(describeSelection, { THIRDRAIL_ENGINE: 'js' });
    expect(result).toMatchObject({ name: 'js', failures: [] });
    expect(stderr).toBe('');
  });
});

it('refuses a choice that is none, naming it and the allowed ones', async () => {
  const code = `try { e.engineFor(); } catch (error) { out(error.message); }`;
  const { result } = await inProcess(code, { THIRDRAIL_ENGINE: 'rust' });
  expect(result).toBe('THIRDRAIL_ENGINE is "rust"; allowed are auto, native, js');
});

describe.runIf(hasNative)('with the addon', () => {
  it('takes the build of the working copy and says which file', async () => {
    const { result, stderr } = await inProcess(describeSelection, {});
    expect(result).toMatchObject({ name: 'native', failures: [] });
    expect(result.reason).toContain(`thirdrail.${platform}.node`);
    expect(stderr).toBe('');
  });

  it('takes the optional package as npm installs it', async () => {
    const home = bareCopy('installed');
    const target = join(home, 'node_modules', `thirdrail-${platform}`);
    mkdirSync(target, { recursive: true });
    // What `npm publish` would put there: the manifest and the files it names.
    const source = `npm/${platform}`;
    for (const name of ['package.json', ...(json<PackageJson>(`${source}/package.json`).files ?? [])]) {
      cpSync(join(root, source, name), join(target, name));
    }
    const { result } = await inProcess(describeSelection, { THIRDRAIL_ENGINE: 'native' }, home);
    expect(result).toMatchObject({ name: 'native', failures: [] });
    expect(result.reason).toContain(`thirdrail-${platform}`);
  });
});

it('names a folder for every platform', () => {
  const folders = new Set(files('npm', 'package.json').map((path) => path.split('/')[1]));
  expect([...folders].sort()).toEqual([...PLATFORMS].sort());
});
