// The official JSON-Schema-Test-Suite, for test/server/json-schema.test.ts. No npm package carries its current drafts; the
// source distribution of Python's jsonschema does. Without pip, or without the registry, there is no suite: the test says
// so and is skipped. A checkout of the suite itself is used when JSON_SCHEMA_TEST_SUITE names its folder.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.mjs';
import { run, timed } from './run.mjs';

const VERSION = '4.26.0';
/** Inside node_modules, so that deleting the folder deletes the suite as well. */
export const suiteFolder = join(root, `node_modules/.cache/json-schema-test-suite-${VERSION}`);

/** @returns {Promise<string | undefined>} its folder, with `tests/` and `remotes/` */
export async function schemaSuite() {
  if (existsSync(suiteFolder)) return suiteFolder;
  const work = `${suiteFolder}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    const wanted = [`jsonschema==${VERSION}`, '--no-deps', '--no-binary', 'jsonschema', '--dest', work];
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...wanted];
    const loaded = await timed('fetching the JSON-Schema-Test-Suite', () => run('python3', pip));
    if (loaded.code !== 0) return undefined;
    const name = `jsonschema-${VERSION}`;
    const parts = [`${name}/json/tests`, `${name}/json/remotes`];
    const unpacked = await run('tar', ['-xzf', join(work, `${name}.tar.gz`), '-C', work, ...parts]);
    if (unpacked.code !== 0) return undefined;
    renameSync(join(work, name, 'json'), suiteFolder);
    return suiteFolder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log((await schemaSuite()) ?? 'no suite: pip or the registry is missing');
}
