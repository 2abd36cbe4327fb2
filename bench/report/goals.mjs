// The numbers to reach, and whether they were.
import { median } from '../measure/numbers.mjs';
import { disturbed } from '../measure/rounds.mjs';
import { BUILT, HAND, HAND_READY, HANDLER, JS, NATIVE, V2 } from '../servers.mjs';

/** Calls per second of the hand-written server on the machine for which absolute goals (ms, ns) were set. */
export const REFERENCE = 60_000;

const ECHO = 'tools/call echo';
const LIST = 'tools/list of 53 tools';
const FACTORY = `${ECHO}, createMcpHandler with 53 tools`;
const ENGINES = { native: NATIVE, js: JS };

/** Half of a row's samples or more are not to be trusted, and so neither is their median. */
const doubtful = ({ samples }) => 2 * samples.filter(disturbed).length >= samples.length;

/**
 * Finds medians in what was measured; every question is answered with null when the row is missing or at fault. `doubts`
 * collects why what was read is not to be trusted.
 */
function reader({ suites, peers }, doubts = new Set()) {
  const find = (suite, row, target) =>
    suites[suite]?.rows.find(
      (found) => target === found.target && (row instanceof RegExp ? row.test(found.row) : row === found.row),
    );
  const value = (suite, row, target, key) => {
    const found = find(suite, row, target);
    if (found === undefined || atFault(found)) return null;
    if (suites[suite].options.quick) doubts.add('quick run');
    if (doubtful(found)) doubts.add('other work on the machine');
    return median(found.samples.map((sample) => sample[key]));
  };
  const peer = (work, names) => {
    const rows = (peers?.rows ?? []).filter((row) => row.work === work && names.test(row.name));
    const medians = [...new Set(rows.map(({ name }) => name))].map((name) =>
      median(rows.filter((row) => row.name === name).map(({ rps }) => rps)),
    );
    return medians.length === 0 ? null : Math.max(...medians);
  };
  return { value, peer };
}

/** A sample failed, or replies were lost or wrong: such a row reaches nothing. */
export const atFault = ({ samples }) =>
  samples.length === 0 || samples.some(({ failed, errors, bad }) => failed || errors > 0 || bad > 0);

const ratio = (above, below) => (above === null || below === null || below === 0 ? null : above / below);
const over =
  (suite, row, key, rival) =>
  ({ value }, ours) =>
    ratio(value(suite, row, ours, key), value(suite, row, rival, key));
const rust =
  (work) =>
  ({ peer }, _, engine) =>
    ratio(peer(work, new RegExp(`^thirdrail.*${engine}`, 'i')), peer(work, /^(rmcp|tower-mcp)/));

/**
 * `most`: the number must not be above the goal; otherwise not below. `unit` other than `x`: an absolute figure, whose
 * goal is scaled by how fast the hand-written server is here, unless it is `fixed`. A goal of null: reported, nothing to
 * reach; no goal: not asked of that engine.
 */
export const GOALS = [
  {
    what: 'tools/call echo over HTTP, 64 connections : official v2',
    native: 24,
    js: 13,
    measure: over('http', ECHO, 'perSecond', V2),
  },
  { what: 'tools/list of 53 tools : official v2', native: 250, js: 80, measure: over('http', LIST, 'perSecond', V2) },
  {
    what: 'tools/call : hand-written node:http',
    native: 1.35,
    js: 0.75,
    measure: over('http', ECHO, 'perSecond', HAND),
  },
  { what: 'tools/call : fastest Rust SDK', native: 2, js: 1, measure: rust('echo64') },
  { what: 'tools/list of 53 tools : fastest Rust SDK', native: 6, js: 1.5, measure: rust('list53') },
  {
    what: 'tools/list : hand-written sending ready bytes',
    native: 2.2,
    js: 0.75,
    measure: over('http', LIST, 'perSecond', HAND_READY),
  },
  {
    what: 'tools/call with 500 tools : with 2',
    ...{ native: 0.95, js: 0.95 },
    measure: ({ value }, ours) =>
      ratio(
        value('http', `${ECHO}, 500 tools`, ours, 'perSecond'),
        value('http', `${ECHO}, 2 tools`, ours, 'perSecond'),
      ),
  },
  {
    what: 'stdio echo, pipelined : official v2',
    native: 6,
    js: 6,
    measure: over('stdio', 'stdio echo, 64 in flight', 'perSecond', V2),
  },
  {
    what: 'start to first answered call, stdio : official v2',
    ...{ native: 0.55, js: 0.5, most: true },
    measure: over('cold', 'start to first answered call, stdio', 'milliseconds', V2),
  },
  {
    what: 'resident memory after 100,000 HTTP calls : official v2',
    ...{ native: 0.5, js: 0.5, most: true },
    measure: over('memory', 'memory after 100000 HTTP calls', 'residentBytes', V2),
  },
  {
    what: 'tools/list p99 while JavaScript is blocked half of the time',
    ...{ native: 10, js: null, most: true, unit: 'ms' },
    measure: ({ value }, ours) => ratio(value('blocked', /^tools\/list/, ours, 'p99'), 1000),
  },
  {
    what: 'tools/call, createMcpHandler with a factory of 53 tools : official v2',
    // No question for the native engine: the mount on node:http is JavaScript on either.
    js: 12,
    measure: ({ value }) =>
      ratio(value('handler', FACTORY, HANDLER, 'perSecond'), value('handler', FACTORY, V2, 'perSecond')),
  },
  {
    what: 'building a server with 53 tools, schemas known',
    ...{ js: 20, most: true, unit: 'us' },
    measure: ({ value }) => value('build', 'a server with 53 tools', BUILT, 'microseconds'),
  },
  {
    what: 'tools/call with a static token : without authorization',
    ...{ native: 0.95, js: 0.95 },
    measure: ({ value }, ours) =>
      ratio(
        value('token', `${ECHO}, static token`, ours, 'perSecond'),
        value('token', `${ECHO}, no authorization`, ours, 'perSecond'),
      ),
  },
  {
    what: 'resident memory of an idle connection, 10,000 open',
    ...{ native: 16, js: null, most: true, unit: 'KB', fixed: true },
    measure: ({ value }, ours) => ratio(value('idle', '10000 idle connections', ours, 'perConnection'), 1024),
  },
  {
    what: 'growth of resident memory over 1,000,000 calls',
    ...{ native: 5, js: 5, most: true, unit: 'MB', fixed: true },
    measure: ({ value }, ours) => ratio(value('soak', 'memory growth over 1000000 calls', ours, 'grownBytes'), 2 ** 20),
  },
  {
    what: 'end of the process after the last answer, SIGTERM under load',
    ...{ native: 250, js: 250, most: true, unit: 'ms', fixed: true },
    measure: ({ value }, ours) => value('drain', 'SIGTERM under full load', ours, 'milliseconds'),
  },
  ...[
    { part: 'ranges only', goal: 100 },
    { part: 'well-formedness', goal: 300 },
  ].map(({ part, goal }) => ({
    what: `envelope scan, 178-byte tools/call, in Rust, ${part}`,
    ...{ native: goal, js: null, most: true, unit: 'ns' },
    measure: ({ value }, _, engine) =>
      engine === 'native'
        ? value('scan', /, 178 B$/, part, 'nanoseconds')
        : value('micro', 'codec scan, 178 B', 'js', 'nanoseconds'),
  })),
];

/**
 * One entry per goal and engine.
 * @returns {{what: string, engine: string, unit: string, most: boolean, goal: number | null, scaled: number | null,
 *   measured: number | null, reached: boolean | null, doubts: string[]}[]} `reached` null: not measured, or nothing to
 *   reach; `doubts`: why the number is not to be trusted, empty when it is
 */
export function judge(results) {
  const hand = reference(results);
  return GOALS.flatMap(({ what, unit = 'x', most = false, fixed = false, measure, ...goals }) =>
    Object.entries(ENGINES)
      .filter(([engine]) => engine in goals)
      .map(([engine, ours]) => {
        const goal = goals[engine];
        const doubts = new Set();
        const measured = measure(reader(results, doubts), ours, engine);
        const scaled = goal === null || unit === 'x' || fixed ? goal : goal * hand.scale;
        const reached = measured === null || goal === null ? null : most ? measured <= scaled : measured >= scaled;
        return { what, engine, unit, most, goal, scaled, measured, reached, doubts: [...doubts] };
      }),
  );
}

/**
 * How fast the hand-written server is here, and what absolute goals are multiplied with for it. A speed in doubt scales
 * nothing: a busy machine would make every goal easy.
 */
export function reference(results) {
  const doubts = new Set();
  const perSecond = reader(results, doubts).value('http', ECHO, HAND, 'perSecond');
  const scale = perSecond === null || doubts.size > 0 ? 1 : REFERENCE / perSecond;
  return { perSecond, scale, doubts: [...doubts] };
}
