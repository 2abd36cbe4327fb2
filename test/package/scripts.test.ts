/** How `npm test` counts: from the runners' reports, and never a failure too few. */
import { describe, expect, it } from 'vitest';
import { check, readLibtest, readVitest } from '../../scripts/runners/tally.mjs';

describe('libtest', () => {
  const line = (passed: number, failed: number) =>
    `test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed; 0 ignored; 0 measured; 0 filtered out\n`;

  it('adds up every binary', () => {
    const output = `running 3 tests\n...\n${line(3, 0)}\nrunning 2 tests\n${line(1, 1)}`;
    expect(readLibtest('cargo', { code: 101, output })).toMatchObject({ passed: 4, failed: 1 });
  });

  it('counts a run that did not compile as one failure', () => {
    expect(readLibtest('cargo', { code: 101, output: 'error[E0432]: unresolved import' })).toMatchObject({
      passed: 0,
      failed: 1,
    });
  });

  it('counts a crash after good results as one failure', () => {
    expect(readLibtest('cargo', { code: 101, output: `${line(5, 0)}signal: 11` })).toMatchObject({
      passed: 5,
      failed: 1,
    });
  });
});

describe('vitest', () => {
  const report = (passed: number, failed: number, files: object[] = []) =>
    JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults: files });

  it('takes the totals', () => {
    expect(readVitest('vitest', { code: 0, output: '' }, report(7, 0))).toMatchObject({ passed: 7, failed: 0 });
  });

  it('counts a file that does not load', () => {
    const files = [{ status: 'failed', assertionResults: [] }];
    expect(readVitest('vitest', { code: 1, output: '' }, report(7, 0, files))).toMatchObject({ passed: 7, failed: 1 });
  });

  it('does not count a file twice whose tests failed', () => {
    const files = [{ status: 'failed', assertionResults: [{ status: 'failed' }] }];
    expect(readVitest('vitest', { code: 1, output: '' }, report(6, 1, files))).toMatchObject({ passed: 6, failed: 1 });
  });

  it('counts an unhandled error, a crash and a missing report as one failure', () => {
    expect(readVitest('vitest', { code: 1, output: '' }, report(7, 0))).toMatchObject({ failed: 1 });
    expect(readVitest('vitest', { code: 139, output: '' }, null)).toMatchObject({ passed: 0, failed: 1 });
    expect(readVitest('vitest', { code: 1, output: '' }, '{"numPassed')).toMatchObject({ passed: 0, failed: 1 });
  });
});

it('counts a check as one', () => {
  expect(check('lint', { code: 0, output: '' })).toMatchObject({ passed: 1, failed: 0 });
  expect(check('lint', { code: 1, output: '' })).toMatchObject({ passed: 0, failed: 1 });
});
