// Echo over stdio: 64 calls in flight, and one at a time.
import { Latencies } from '../measure/numbers.mjs';
import { open } from '../measure/pipe.mjs';
import { quiet, rounds, warmUp } from '../measure/rounds.mjs';
import { command, environment, eraOf, JS, NATIVE, V1, V2 } from '../servers.mjs';

const WINDOW = 64;
const TARGETS = [V2, V1, JS, NATIVE];

async function measure({ target, window }, { secs, quick }) {
  const pipe = await open(command(target, { tools: 3 }), eraOf(target), { env: environment(target) });
  try {
    const { seen, bad } = await pipe.verify(window);
    const warmed = await warmUp((seconds) => pipe.flood(window, seconds), quick);
    const sample = await quiet(pipe.pid, async () => {
      const latencies = window === 1 ? new Latencies() : null;
      const { calls, seconds, wrongLength } = await pipe.flood(window, secs, latencies && ((us) => latencies.add(us)));
      const { p50 = null, p99 = null } = latencies?.summary() ?? {};
      return { perSecond: calls / seconds, calls, errors: wrongLength, p50, p99 };
    });
    return { ...sample, ...warmed, seen, bad };
  } finally {
    await pipe.close();
  }
}

export function stdio(options, tell) {
  const jobs = [WINDOW, 1].flatMap((window) =>
    TARGETS.map((target) => ({ row: `stdio echo, ${window} in flight`, target, window })),
  );
  return rounds(jobs, options, (job) => measure(job, options), tell);
}
