// From starting the process to the first answered call, over stdio: what a user waits for when a client starts a server.
import { open } from '../measure/pipe.mjs';
import { Meter, memory } from '../measure/proc.mjs';
import { rounds } from '../measure/rounds.mjs';
import { launch } from '../measure/server.mjs';
import { command, environment, eraOf, JS, NATIVE, V1, V2 } from '../servers.mjs';

const SPAWNS = 15;
const SPAWNS_QUICK = 3;
const NODE = 'node, empty program';
const TARGETS = [NODE, V2, V1, JS, NATIVE];

async function measure(target) {
  const start = performance.now();
  const passed = () => performance.now() - start;
  if (target === NODE) {
    const { child } = launch([process.execPath, '-e', '0']);
    await new Promise((resolve) => child.once('exit', resolve));
    return { milliseconds: passed() };
  }
  const pipe = await open(command(target, { tools: 3 }), eraOf(target), { env: environment(target) });
  try {
    const milliseconds = await pipe.echo(2).then(passed);
    return { milliseconds, residentBytes: memory(pipe.pid) };
  } finally {
    await pipe.close();
  }
}

/** With what else ran meanwhile; the sample itself is not repeated, there are enough of them. */
async function metered(target) {
  const meter = new Meter(null);
  const sample = await measure(target);
  const { foreignPct, stealPct } = meter.read();
  return { ...sample, foreignPct, stealPct };
}

export async function cold(options, tell) {
  const jobs = TARGETS.map((target) => ({ row: 'start to first answered call, stdio', target }));
  const spawns = options.quick ? SPAWNS_QUICK : Math.max(SPAWNS, options.reps * 5);
  const sometimes = (job, rep, sample) => {
    if (rep === 1 || sample.failed) tell(job, rep, sample);
  };
  // One round more than counts: the first brings files into the page cache and is thrown away.
  const rows = await rounds(jobs, { ...options, reps: spawns + 1 }, ({ target }) => metered(target), sometimes);
  return rows.map((row) => ({ ...row, samples: row.samples.slice(1) }));
}
