// npm run conformance: the official suite against the fixture server, on each engine and in both revisions. Prints a table
// of scenarios; exit code 1 when one of the expected list does not pass.
//
//     --engine native|js   one engine only      --only TEXT   scenarios whose name holds it
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EXPECTED, REVISIONS } from '../test/conformance/expected.mjs';
import { startEverything } from '../test/conformance/start.mjs';
import { runSuite } from '../test/conformance/suite.mjs';
import { root } from './steps/root.mjs';

const { engines, only } = readOptions(process.argv.slice(2));
if (!existsSync(path.join(root, 'dist/index.js'))) {
  console.error('conformance: nothing is built yet; run `npm run setup` first');
  process.exit(2);
}

const rows = new Map();
let wrong = 0;
for (const engine of engines) {
  const server = await startEverything(engine);
  const out = await mkdtemp(path.join(tmpdir(), 'thirdrail-conformance-'));
  try {
    for (const revision of REVISIONS) {
      const names = EXPECTED[revision].filter((scenario) => only === null || scenario.includes(only));
      for (const outcome of await runSuite(server.url, revision, names, out)) {
        const key = `${revision} ${outcome.scenario}`;
        const row = rows.get(key) ?? {};
        row[engine] = outcome;
        rows.set(key, row);
        if (!outcome.passed) wrong += 1;
      }
    }
  } finally {
    await server.stop();
    await rm(out, { recursive: true, force: true });
  }
}
print();
process.exitCode = wrong === 0 ? 0 : 1;

function print() {
  const width = Math.max(...[...rows.keys()].map((key) => key.length));
  console.log(`${'scenario'.padEnd(width)}  ${engines.map((engine) => engine.padEnd(16)).join('')}`);
  for (const [key, row] of rows) {
    const cells = engines.map((engine) => {
      const { passed, succeeded, failed } = row[engine];
      return `${passed ? 'pass' : 'FAIL'} (${succeeded} ok${failed === 0 ? '' : `, ${failed} not`})`.padEnd(16);
    });
    console.log(`${key.padEnd(width)}  ${cells.join('')}`);
    for (const engine of engines) for (const why of row[engine].reasons) console.log(`    ${engine}: ${why}`);
  }
  for (const engine of engines) {
    for (const revision of REVISIONS) {
      const all = [...rows].filter(([key]) => key.startsWith(revision)).map(([, row]) => row[engine]);
      const passed = all.filter((outcome) => outcome.passed).length;
      console.log(`${engine} ${revision}: ${passed} of ${all.length} scenarios`);
    }
  }
}

function readOptions(argv) {
  const options = { engines: ['native', 'js'], only: null };
  for (let at = 0; at < argv.length; at += 2) {
    const [flag, value] = [argv[at], argv[at + 1]];
    if (flag === '--engine' && (value === 'native' || value === 'js')) options.engines = [value];
    else if (flag === '--only' && value !== undefined) options.only = value;
    else {
      console.error('usage: npm run conformance [-- --engine native|js] [--only TEXT]');
      process.exit(2);
    }
  }
  return options;
}
