// npm run readme:numbers: fills the section of README.md between the bench marks from the newest bench/runs/*/results.json.
// Nobody types a number there; test/package/readme.test.ts compares the section with the run.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { judge } from '../bench/report/goals.mjs';
import { figure } from '../bench/report/table.mjs';
import { root } from './steps/root.mjs';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** Folder name of the newest run that says something about speed, or null. Names begin with the date. */
export function newestRun(runs = join(root, 'bench/runs')) {
  if (!existsSync(runs)) return null;
  const usable = (name) => !name.endsWith('-quick') && existsSync(join(runs, name, 'results.json'));
  return readdirSync(runs).filter(usable).sort().at(-1) ?? null;
}

/** The text of the section for a run; for null, that there is none. */
export function section(name) {
  if (name === null) return 'No benchmark run is recorded yet: `npm run bench` makes one.';
  const results = JSON.parse(readFileSync(join(root, 'bench/runs', name, 'results.json'), 'utf8'));
  const { cpu, os, node } = results.machine;
  const source = `Measured ${results.date} on ${cpu}, ${os}, Node ${node}; [all rows](bench/runs/${name}/README.md).`;
  return `${source}\n\n${table(judge(results))}`;
}

/** One row per question, an engine per column. What was not measured is shown as such; a dash where there is no question. */
export function table(entries) {
  const rows = [...new Set(entries.map(({ what }) => what))].map((what) => {
    const cell = (engine) => {
      const entry = entries.find((found) => found.what === what && found.engine === engine);
      if (entry === undefined) return '-';
      if (entry.measured === null) return 'not measured';
      return entry.unit === 'x' ? `${figure(entry.measured)}x` : `${figure(entry.measured)} ${entry.unit}`;
    };
    return `| ${what} | ${cell('native')} | ${cell('js')} |`;
  });
  return ['| what : compared with | native | js |', '|---|--:|--:|', ...rows].join('\n');
}

/** @throws Error when the marks are not there, once each and in order */
export function fill(readme, text) {
  const [before, rest, ...more] = readme.split(START);
  const [, after, ...again] = rest?.split(END) ?? [];
  if (after === undefined || more.length > 0 || again.length > 0) {
    throw new Error(`README.md must hold ${START} and ${END} once each, in this order`);
  }
  return `${before}${START}\n${text}\n${END}${after}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = join(root, 'README.md');
  writeFileSync(file, fill(readFileSync(file, 'utf8'), section(newestRun())));
}
