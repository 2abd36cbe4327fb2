// The command line of `npm run bench`.

export const SUITES = [
  ...[
    'micro',
    'scan',
    'http',
    'build',
    'handler',
    'token',
    'memory',
    'idle',
    'soak',
    'drain',
    'blocked',
    'stdio',
    'cold',
  ],
];

export const USAGE = `npm run bench -- [options]
  --only A,B           of ${SUITES.join(', ')}; what other suites measured the same day is kept
  --reps N             repetitions (3)
  --secs N             seconds per measurement (8)
  --quick              1 repetition of 1 second: shows that it works, says nothing about speed
  --out DIR            where results are written (bench/runs/<date>-<machine>)
  --record-peers FILE  adds rows that were measured against Rust servers elsewhere (JSON lines), and measures nothing`;

/** @throws Error with what is wrong */
export function parse(argv) {
  const options = { only: SUITES, reps: null, secs: null, quick: false, out: null, peers: null, help: false };
  const left = [...argv];
  const value = (name) => {
    if (left.length === 0) throw new Error(`${name} needs a value`);
    return left.shift();
  };
  const whole = (name) => {
    const text = value(name);
    if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`${name} must be a whole number from 1 to 9999, not ${text}`);
    return Number(text);
  };
  while (left.length > 0) {
    const name = left.shift();
    if (name === '--quick') options.quick = true;
    else if (name === '--help') options.help = true;
    else if (name === '--reps') options.reps = whole(name);
    else if (name === '--secs') options.secs = whole(name);
    else if (name === '--out') options.out = value(name);
    else if (name === '--record-peers') options.peers = value(name);
    else if (name === '--only') options.only = value(name).split(',');
    else throw new Error(`unknown option ${name}`);
  }
  const unknown = options.only.filter((suite) => !SUITES.includes(suite));
  if (unknown.length > 0) throw new Error(`--only: no suite ${unknown.join(', ')}; there are ${SUITES.join(', ')}`);
  options.only = SUITES.filter((suite) => options.only.includes(suite));
  options.reps ??= options.quick ? 1 : 3;
  options.secs ??= options.quick ? 1 : 8;
  return options;
}
