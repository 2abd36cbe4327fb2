// Runs scenarios of the official suite (@modelcontextprotocol/conformance) and reads what they found.
//
// A scenario counts only when a check of its own succeeded and none failed: the check of the wire schema runs along with
// every scenario and says nothing about the one that it is in.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const SUITE = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);
/** Checks that run along with every scenario. */
const ALONG = new Set(['wire-schema-valid']);
/** A result's folder: the scenario and the time. */
const FOLDER = /^server-(.*)-\d{4}-\d\d-\d\dT[\d-]+Z$/;

/**
 * @param {string} url of the server; @param {string} revision; @param {readonly string[]} scenarios
 * @param {string} out folder for results
 * @returns {Promise<{scenario: string, passed: boolean, succeeded: number, failed: number, reasons: string[]}[]>}
 */
export async function runSuite(url, revision, scenarios, out) {
  const folder = path.join(out, revision);
  const shim = path.join(HERE, 'globsync.mjs');
  // A requirement set runs with the scenarios that are not scored, which are expected of us all the same.
  const said = await run(['--import', shim, SUITE, 'server', '--url', url, '--requirements', revision, '-o', folder]);
  const folders = await readdir(folder).catch(() => []);
  return Promise.all(
    scenarios.map(async (scenario) => {
      const own = folders.find((name) => FOLDER.exec(name)?.[1] === scenario);
      return judge(scenario, own === undefined ? [] : await readChecks(path.join(folder, own)), said);
    }),
  );
}

function judge(scenario, checks, said) {
  const own = checks.filter((check) => !ALONG.has(check.id));
  const failed = checks.filter((check) => check.status === 'FAILURE');
  const succeeded = own.filter((check) => check.status === 'SUCCESS').length;
  const reasons = failed.map((check) => `${check.id}: ${check.errorMessage ?? check.description}`);
  if (checks.length === 0) reasons.push(`no result was written: ${said.slice(-400)}`);
  else if (succeeded === 0 && failed.length === 0) reasons.push('no check of its own succeeded');
  return { scenario, passed: succeeded > 0 && failed.length === 0, succeeded, failed: failed.length, reasons };
}

function run(args) {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 120_000 }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

async function readChecks(folder) {
  return JSON.parse(await readFile(path.join(folder, 'checks.json'), 'utf8'));
}
