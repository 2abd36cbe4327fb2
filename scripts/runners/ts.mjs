// vitest over test/, both engines. With no native build the native parts leave themselves out (THIRDRAIL_TEST_NATIVE=0).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tools } from '../steps/root.mjs';
import { run } from '../steps/run.mjs';
import { readVitest } from './tally.mjs';

/**
 * @param {boolean} native whether the native engine is built
 * @param {string} [node] the Node that runs the suite; default: this one
 */
export async function testTypeScript(native, node = process.execPath) {
  const folder = mkdtempSync(join(tmpdir(), 'thirdrail-test-'));
  const report = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`, '--silent=passed-only'];
    const env = { THIRDRAIL_TEST_NATIVE: native ? '1' : '0', NO_COLOR: '1' };
    const result = await run(node, [tools.vitest, 'run', ...reporters], { env });
    return [readVitest('vitest', result, readIfThere(report))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
