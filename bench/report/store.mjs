// Results on disk: results.json holds every sample, README.md is made from it. A suite that is run again replaces its old
// rows, the others stay, each with the time and the options of its own run.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { slug } from '../measure/machine.mjs';
import { disturbed } from '../measure/rounds.mjs';
import { judge } from './goals.mjs';
import { goalTable, peersTable, suiteTable } from './table.mjs';

const RUNS = fileURLToPath(new URL('../runs', import.meta.url));

const TITLES = {
  micro: 'Native beside JavaScript, one operation',
  scan: 'Envelope scan in Rust',
  http: 'HTTP, 64 connections',
  build: 'Building a server',
  handler: 'A factory of 53 tools, mounted on node:http',
  token: 'Authorization by static token',
  memory: 'Memory',
  idle: 'Idle connections',
  soak: 'A million calls',
  drain: 'SIGTERM under load',
  blocked: 'Lists while JavaScript is busy, 8 connections',
  stdio: 'stdio',
  cold: 'Start to first answered call',
};

/** `bench/runs/<date>-<machine>`, with `-quick` for runs that say nothing about speed. */
export function folder(machine, { out, quick }) {
  if (out !== null) return path.resolve(out);
  const date = new Date().toISOString().slice(0, 10);
  return path.join(RUNS, `${date}-${slug(machine)}${quick ? '-quick' : ''}`);
}

export function load(where) {
  try {
    return JSON.parse(readFileSync(path.join(where, 'results.json'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return { suites: {}, peers: null };
    throw new Error(`${where}/results.json cannot be read: ${error.message}`);
  }
}

export function save(where, results) {
  mkdirSync(where, { recursive: true });
  const judged = { ...results, goals: judge(results) };
  writeFileSync(path.join(where, 'results.json'), `${JSON.stringify(judged, null, 1)}\n`);
  writeFileSync(path.join(where, 'README.md'), markdown(results));
}

function markdown(results) {
  const { machine, suites, peers } = results;
  const facts = [
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryMB} MB, ${machine.os}`,
    `- Versions: thirdrail ${machine.thirdrail}, Node ${machine.node}, ${machine.rustc ?? 'no Rust'}, ${machine.wrk ?? 'no wrk'}`,
    `- Rivals: ${Object.entries(machine.rivals)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  ];
  const parts = [`# Bench, ${results.date}`, facts.join('\n'), '## Numbers to reach', goalTable(results)];
  for (const [name, title] of Object.entries(TITLES)) {
    const suite = suites[name];
    if (suite !== undefined) parts.push(`## ${title}`, conditions(suite), suiteTable(name, suite));
  }
  if (peers !== null)
    parts.push('## Rust servers, measured by another tool', `Recorded ${peers.at}.`, peersTable(peers));
  return `${parts.join('\n\n')}\n`;
}

function conditions({ at, seconds, options, pins, load: generator, rows }) {
  const noisy = rows.flatMap(({ samples }) => samples).filter(disturbed).length;
  const where = pins === null ? 'nothing pinned' : `server on core ${pins.server}, load on core ${pins.load}`;
  return (
    `${at}, ${Math.round(seconds)} s in all; ${options.reps} repetitions of ${options.secs} s, median shown; ${where}; ` +
    `load by ${generator}.${noisy > 0 ? ` **${noisy} samples were taken while other work used the machine.**` : ''}` +
    `${options.quick ? ' A quick run: these numbers say nothing about speed.' : ''}`
  );
}
