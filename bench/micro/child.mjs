// Runs the rows of one micro file in a process of its own and sends each to the parent: `node child.mjs codec SECONDS native`,
// without the last word where there is no native engine.
import Benchmark from 'benchmark';
import { engineFor } from '../../dist/engine/index.js';

const [word, seconds, native] = process.argv.slice(2);
const { rows } = await import(`./${word}.mjs`);

/** A row whose contenders do not do their work measures nothing. */
function proven(row, contenders) {
  for (const [target, run] of Object.entries(contenders)) {
    if (!row.right(run())) throw new Error(`${row.row}: ${target} gives a wrong result`);
  }
}

function measure(contenders) {
  const suite = new Benchmark.Suite();
  for (const [target, run] of Object.entries(contenders)) suite.add(target, run, { maxTime: Number(seconds) });
  return new Promise((resolve, reject) => {
    suite.on('error', ({ target }) => reject(target.error));
    suite.on('complete', () => resolve(Array.from(suite)));
    // Asynchronous: the event loop turns between cycles, so that what the addon gave to JavaScript can be collected.
    suite.run({ async: true });
  });
}

const available = { ...(native && { native: engineFor('native') }), js: engineFor('js') };
for (const row of rows) {
  const ours = Object.entries(available).map(([name, engine]) => [name, row.engine(engine)]);
  const contenders = { ...Object.fromEntries(ours), ...row.others };
  proven(row, contenders);
  for (const { name, hz, stats } of await measure(contenders)) {
    process.send({ row: row.row, target: name, nanoseconds: 1e9 / hz, rme: stats.rme, cycles: stats.sample.length });
  }
}
process.disconnect();
