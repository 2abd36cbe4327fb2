// Results as Markdown tables, which the terminal shows as they are.
import { median } from '../measure/numbers.mjs';
import { atFault, judge, REFERENCE, reference } from './goals.mjs';

/** A number with as many digits as mean something. */
export function figure(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const own = (key) => (sample) => sample[key];
// What was not measured (null, undefined) becomes NaN, never 0.
const scaled = (key, by) => (sample) => (sample[key] ?? Number.NaN) / by;
const ms = (key) => scaled(key, 1000);
const mb = (key) => scaled(key, 2 ** 20);

/** Columns: a title, how to take it from a sample, and whether the spread is shown beside the median. */
const SPEED = [
  ['calls/s (min - max)', own('perSecond'), true],
  ['p50 ms', ms('p50')],
  ['p99 ms', ms('p99')],
  ['CPU us/call', own('cpuUs')],
  ['server CPU %', own('serverPct')],
  ['load CPU %', own('loadPct')],
  ['warm-up calls', own('warmCalls')],
  ['foreign + stolen %', (sample) => sample.foreignPct + sample.stealPct],
];
const COLUMNS = {
  micro: [
    ['ns (best of row bold)', own('nanoseconds')],
    ['+- %', own('rme')],
  ],
  scan: [['ns (min - max)', own('nanoseconds'), true]],
  http: [...SPEED, ['reply bytes', own('replyBytes')]],
  build: [['us (min - max)', own('microseconds'), true]],
  handler: SPEED,
  token: SPEED,
  memory: [
    ['resident MB (min - max)', mb('residentBytes'), true],
    ['most MB', mb('mostBytes')],
    ['before MB', mb('idleBytes')],
  ],
  idle: [
    ['KB each, silent for 8 s (min - max)', scaled('perConnection', 1024), true],
    ['KB each, just after a call', scaled('freshPerConnection', 1024)],
    ['resident MB', mb('residentBytes')],
    ['before MB', mb('idleBytes')],
  ],
  soak: [
    ['grown MB', mb('grownBytes')],
    ['resident MB', mb('residentBytes')],
    ['before MB', mb('idleBytes')],
  ],
  drain: [
    ['ms from last answer to end (min - max)', own('milliseconds'), true],
    ['ms from the signal', own('totalMs')],
    ['unanswered', own('lost')],
    ['calls before', own('calls')],
  ],
  blocked: [
    ['worse p99 ms (min - max)', ms('p99'), true],
    ['p99 ms, as fast as it goes', ms('closedP99')],
    ['calls/s', own('perSecond')],
    ['p99 ms, 1000/s', ms('fixedP99')],
    ['p50 ms, 1000/s', ms('fixedP50')],
    ['JavaScript blocked', own('blocked')],
  ],
  stdio: SPEED,
  cold: [
    ['ms (min - max)', own('milliseconds'), true],
    ['resident MB', mb('residentBytes')],
  ],
};
/** Suites whose rows have errors to count. */
const CHECKED = ['http', 'handler', 'token', 'memory', 'idle', 'soak', 'drain', 'blocked', 'stdio'];

const line = (cells) => `| ${cells.join(' | ')} |`;
const sum = (samples, key) => samples.reduce((total, sample) => total + (sample[key] ?? 0), 0);

function cell(samples, [, take, spread]) {
  const values = samples.map(take).filter(Number.isFinite);
  const middle = figure(median(values));
  return spread && values.length > 1
    ? `${middle} (${figure(Math.min(...values))} - ${figure(Math.max(...values))})`
    : middle;
}

function faults(samples) {
  const failed = samples.find((sample) => sample.failed)?.failed;
  if (failed) return `FAILED: ${failed.replaceAll('|', '/').replaceAll('\n', ' ').slice(0, 200)}`;
  return `${sum(samples, 'errors')}; ${sum(samples, 'bad')} of ${figure(sum(samples, 'seen'))}`;
}

/** The table of one suite. */
export function suiteTable(name, { rows }) {
  const columns = COLUMNS[name];
  const checked = CHECKED.includes(name) || rows.some(atFault);
  const titles = [
    'what',
    'target',
    ...columns.map(([title]) => title),
    ...(checked ? ['errors; wrong of replies looked at'] : []),
  ];
  const out = [line(titles), line(titles.map((_, index) => (index < 2 ? '---' : '--:')))];
  for (const { row, target, samples } of rows) {
    const cells = columns.map((column) => cell(samples, column));
    if (name === 'micro' && fastest(rows, row) === target) cells[0] = `**${cells[0]}**`;
    out.push(line([row, target, ...cells, ...(checked ? [faults(samples)] : [])]));
  }
  return out.join('\n');
}

function fastest(rows, row) {
  const contenders = rows.filter((found) => found.row === row && Number.isFinite(found.samples[0]?.nanoseconds));
  return contenders.sort((a, b) => a.samples[0].nanoseconds - b.samples[0].nanoseconds)[0]?.target;
}

/** The goals, each with what was measured. */
export function goalTable(results) {
  const entries = judge(results);
  const titles = ['what', 'engine', 'to reach', 'measured', 'reached'];
  const out = [line(titles), line(['---', '---', '--:', '--:', '---'])];
  const value = (number, unit) =>
    number === null ? '-' : unit === 'x' ? `${figure(number)}x` : `${figure(number)} ${unit}`;
  for (const { what, engine, unit, most, goal, scaled, measured, reached, doubts } of entries) {
    const sign = most ? '<=' : '>=';
    const here = scaled === goal ? '' : ` (here ${value(scaled, unit)})`;
    const wanted = goal === null ? 'reported' : `${sign} ${value(goal, unit)}${here}`;
    const plain = measured === null ? 'not measured' : goal === null ? '-' : reached ? 'yes' : '**no**';
    const verdict = measured === null || doubts.length === 0 ? plain : `${plain}, in doubt: ${doubts.join(', ')}`;
    out.push(line([what, engine, wanted, value(measured, unit), verdict]));
  }
  return `${out.join('\n')}\n\n${scaleOf(reference(results))}`;
}

function scaleOf({ perSecond, scale, doubts }) {
  const meant = `Absolute goals (ms, ns) are for a machine on which a hand-written node:http server reaches ${figure(REFERENCE)} calls/s`;
  if (perSecond === null) return `${meant}; it was not measured here, so they stand as they are.`;
  const here = `here it reaches ${figure(perSecond)}`;
  if (doubts.length > 0)
    return `${meant}; ${here}, which is in doubt (${doubts.join(', ')}), so they stand as they are.`;
  return `${meant}; ${here}, so they are multiplied by ${figure(scale)} ("here").`;
}

/** Rows measured elsewhere, against servers that this bench does not start. */
export function peersTable({ rows }) {
  const titles = ['what', 'target', 'calls/s', 'p50 ms', 'p99 ms', 'CPU us/call', 'runs'];
  const out = [line(titles), line(['---', '---', '--:', '--:', '--:', '--:', '--:'])];
  for (const key of new Set(rows.map(({ work, name }) => JSON.stringify([work, name])))) {
    const [work, name] = JSON.parse(key);
    const same = rows.filter((row) => row.work === work && row.name === name);
    const take = (read) => figure(median(same.map(read)));
    const cells = [take(own('rps')), take(ms('p50')), take(ms('p99')), take(own('cpuUs')), String(same.length)];
    out.push(line([work, name, ...cells]));
  }
  return out.join('\n');
}
