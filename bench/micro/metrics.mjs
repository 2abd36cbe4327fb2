// Metrics: recording, and reading it all.

const SERIES = 100;

function filled({ metrics }) {
  const created = metrics.create({ maxSeries: 1000 });
  const calls = created.counter('calls_total', 'Calls.', ['tool']);
  const seconds = created.histogram('call_seconds', 'Duration.', ['tool'], 1e9);
  const all = Array.from({ length: SERIES }, (_, index) => {
    const series = { call: created.series(calls, [`t${index}`]), time: created.series(seconds, [`t${index}`]) };
    for (let value = 1; value < 1e9; value *= 7) created.observe(series.time, value);
    created.add(series.call, 11);
    return series;
  });
  return { created, ...all[50] };
}

let turn = 0;
/** Values over four powers of ten, so that no branch predictor knows the bucket. */
const next = () => {
  turn = (turn * 1103515245 + 12345) % 2147483648;
  return turn >> (turn & 15);
};
const counted = new Map([['t50', 0]]);
const seen = new Map();

export const rows = [
  {
    row: 'metrics add',
    engine: (engine) => {
      const { created, call } = filled(engine);
      return () => created.add(call, 1);
    },
    others: { Map: () => counted.set('t50', counted.get('t50') + 1) },
    right: () => true,
  },
  {
    row: 'metrics observe',
    engine: (engine) => {
      const { created, time } = filled(engine);
      return () => created.observe(time, next());
    },
    // A Map of powers of two: bounded, but off by up to a factor of two where the histogram is off by one per cent.
    others: {
      'Map of powers of two': () => {
        const bucket = 32 - Math.clz32(next());
        seen.set(bucket, (seen.get(bucket) ?? 0) + 1);
      },
    },
    right: () => true,
  },
  {
    row: `metrics exposition, ${2 * SERIES} series`,
    engine: (engine) => {
      const { created } = filled(engine);
      return () => created.exposition();
    },
    others: {},
    right: (text) => text.includes('calls_total'),
  },
];
