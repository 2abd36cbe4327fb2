// Runs the wanted suites one after the other, prints each table when it is there, and keeps everything on disk.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loader } from './measure/load.mjs';
import { machine, pinning, pinSelf } from './measure/machine.mjs';
import { summary } from './measure/numbers.mjs';
import { disturbed } from './measure/rounds.mjs';
import { atFault } from './report/goals.mjs';
import { recorded } from './report/peers.mjs';
import * as store from './report/store.mjs';
import { figure, goalTable, peersTable, suiteTable } from './report/table.mjs';
import { NATIVE } from './servers.mjs';
import { blocked } from './suites/blocked.mjs';
import { build } from './suites/build.mjs';
import { cold } from './suites/cold.mjs';
import { drain } from './suites/drain.mjs';
import { handler } from './suites/handler.mjs';
import { http } from './suites/http.mjs';
import { idle } from './suites/idle.mjs';
import { memory } from './suites/memory.mjs';
import { micro } from './suites/micro.mjs';
import { scan } from './suites/scan.mjs';
import { soak } from './suites/soak.mjs';
import { stdio } from './suites/stdio.mjs';
import { token } from './suites/token.mjs';

const SUITES = { micro, scan, http, build, handler, token, memory, idle, soak, drain, blocked, stdio, cold };
const BUILT = fileURLToPath(new URL('../dist', import.meta.url));

/** One line per sample, so that who waits sees that something happens and what. */
function tell({ row, target }, rep, sample) {
  const { failed, skipped, perSecond, milliseconds, nanoseconds, residentBytes, p99, cpuUs, errors, bad } = sample;
  const parts = [`${row} | ${target} | ${rep}`];
  if (failed ?? skipped) parts.push((failed ? `FAILED: ${failed}` : skipped).replaceAll('\n', ' ').slice(0, 300));
  if (perSecond) parts.push(`${figure(perSecond)}/s`);
  if (p99) parts.push(`p99 ${figure(p99 / 1000)} ms`);
  if (cpuUs) parts.push(`${figure(cpuUs)} us CPU`);
  if (sample.microseconds) parts.push(`${figure(sample.microseconds)} us`);
  if (milliseconds) parts.push(`${figure(milliseconds)} ms`);
  if (nanoseconds) parts.push(`${figure(nanoseconds)} ns`);
  if (residentBytes) parts.push(`${figure(residentBytes / 2 ** 20)} MB`);
  if (errors || bad) parts.push(`${errors ?? 0} errors, ${bad ?? 0} wrong`);
  console.log(parts.join(' | '));
}

function remarks(pins) {
  if (loader() !== 'wrk') {
    console.log(
      'bench: wrk is not installed. The load comes from a generator in Node, which is slower: where "load CPU %" is',
    );
    console.log('bench: near 100 the row shows the generator, not the server. Install wrk for numbers to publish.');
  }
  if (pins === null)
    console.log('bench: nothing is pinned (that needs Linux, taskset and two cores): expect wider spreads.');
}

/** Whether the native engine loads; without it (no cargo) the JavaScript engine is measured alone, and that is said. */
async function nativeLoads() {
  const { engineFor } = await import('../dist/engine/index.js');
  try {
    return engineFor('native').name === 'native';
  } catch (error) {
    console.log(`bench: no row for the native engine. ${error.message}`);
    return false;
  }
}

async function suite(name, options, pins) {
  const begin = performance.now();
  const at = new Date().toISOString();
  const failed = (error) => [{ row: name, target: 'all', samples: [{ failed: error.message }] }];
  const rows = await SUITES[name](options, tell).catch(failed);
  const { reps, secs, quick } = options;
  const seconds = (performance.now() - begin) / 1000;
  const summed = rows.map((row) => ({ ...row, summary: summary(row.samples) }));
  return { at, seconds, options: { reps, secs, quick }, pins, load: loader(), rows: summed };
}

/** @returns {Promise<number>} the exit code: 1 when a measurement failed or replies were lost or wrong */
export async function measureAll(options) {
  const facts = machine();
  const where = store.folder(facts, options);
  const results = { ...store.load(where), date: new Date().toISOString().slice(0, 10), machine: facts };
  if (options.peers !== null) return record(where, results, options.peers);

  if (!existsSync(path.join(BUILT, 'engine/index.js'))) {
    console.error('bench: nothing is built; run `npm run setup` first');
    return 1;
  }
  const pins = pinning();
  remarks(pins);
  const native = await nativeLoads();
  pinSelf(pins);
  let faulty = 0;
  for (const name of options.only) {
    const measured = await suite(name, { ...options, native, leaveOut: native ? [] : [NATIVE] }, pins);
    faulty += measured.rows.filter(atFault).length;
    results.suites[name] = measured;
    console.log(`\n${suiteTable(name, measured)}\n`);
    const noisy = measured.rows.flatMap(({ samples }) => samples).filter(disturbed).length;
    if (noisy > 0) console.log(`bench: ${noisy} samples were taken while other work used the machine\n`);
    // After each suite: what was measured survives an interruption.
    store.save(where, results);
  }
  console.log(`Numbers to reach\n\n${goalTable(results)}\n`);
  console.log(`Kept in ${path.relative(process.cwd(), where)}`);
  if (faulty > 0) console.error(`bench: ${faulty} rows failed or had errors`);
  return faulty > 0 ? 1 : 0;
}

function record(where, results, file) {
  try {
    const { left, ...peers } = recorded(file);
    for (const line of left) console.log(`bench: left out: ${line}`);
    results.peers = peers;
    store.save(where, results);
    console.log(`${peersTable(peers)}\n\nNumbers to reach\n\n${goalTable(results)}\n`);
    return 0;
  } catch (error) {
    console.error(`bench: ${error.message}`);
    return 1;
  }
}
