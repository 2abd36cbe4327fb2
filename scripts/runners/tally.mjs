// What a runner reports, and how reports are read. Numbers come from the runners' own reports, never from exit codes alone.

/** @typedef {{name: string, passed: number, failed: number, output: string}} Tally `output` is shown when something failed. */

/** A check that has no tests inside (a linter, a type check): one, passed or failed. */
export function check(name, { code, output }) {
  return { name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
}

/**
 * Adds up libtest's summary lines. A run that failed without a failed test (a compile error, a crash) counts as one.
 * @returns {Tally}
 */
export function readLibtest(name, { code, output }) {
  let passed = 0;
  let failed = 0;
  for (const [, ok, bad] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)) {
    passed += Number(ok);
    failed += Number(bad);
  }
  return { name, passed, failed: unexplained(code, failed), output };
}

/**
 * Reads vitest's JSON report. A file that could not be loaded has no tests in the report and counts as one failure; so
 * does a run that failed without saying where (an unhandled rejection, a crash, no report at all).
 * @param {string | null} report text of the report file, null when there is none
 * @returns {Tally}
 */
export function readVitest(name, { code, output }, report) {
  let json;
  try {
    json = JSON.parse(report ?? '');
  } catch {
    return { name, passed: 0, failed: 1, output: `${output}\nvitest left no readable report (exit code ${code})\n` };
  }
  const broken = json.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return { name, passed: json.numPassedTests, failed: unexplained(code, json.numFailedTests + broken), output };
}

const unexplained = (code, failed) => (code !== 0 && failed === 0 ? 1 : failed);
