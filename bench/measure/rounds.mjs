// Repeats measurements so that they can be compared: repetitions outermost, targets side by side within each, and once
// more when something else used the machine meanwhile.
import { Meter } from './proc.mjs';

/** Per cent of one core that others may use, or the host take away, before a measurement is repeated. */
const FOREIGN_MAX = 8;
const TRIES = 3;

/** Whether something else had more of the machine than that while the sample was taken. */
export const disturbed = ({ foreignPct, stealPct }) => (foreignPct ?? 0) + (stealPct ?? 0) > FOREIGN_MAX;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Calls until V8 has compiled what they run. Counted in calls and not in seconds: in the same two seconds a server that
 * is hundreds of times slower gets too few of them, is measured cold, and every ratio to it flatters the fast one. (The
 * official v2 server took 2.6 times the CPU per call in its first 1500 calls.) Very slow servers stop at the time limit.
 */
const WARM_CALLS = 10_000;
const WARM_SECONDS = 12;

/**
 * @param {(seconds: number) => Promise<{calls: number}>} some puts load on the server for about so long
 * @param {boolean} quick one second and no more
 * @returns {Promise<{warmCalls: number}>}
 */
export async function warmUp(some, quick) {
  const step = quick ? 1 : 2;
  let warmCalls = 0;
  for (
    let seconds = 0;
    seconds < (quick ? step : WARM_SECONDS) && (seconds === 0 || warmCalls < WARM_CALLS);
    seconds += step
  ) {
    warmCalls += (await some(step)).calls;
  }
  return { warmCalls };
}

/**
 * Runs `one` under a meter, up to three times until the machine was quiet; the last try counts, with its foreign share.
 * @param {number} pid of the server
 */
export async function quiet(pid, one) {
  for (let tries = 1; ; tries += 1) {
    const meter = new Meter(pid);
    const sample = await one();
    const { serverSeconds, ...shares } = meter.read();
    const cpuUs = serverSeconds === null || !sample.calls ? null : (1e6 * serverSeconds) / sample.calls;
    if (tries === TRIES || !disturbed(shares)) {
      return { ...sample, ...shares, cpuUs, tries };
    }
    await pause(1000);
  }
}

/**
 * @template {{row: string, target: string}} Job
 * @param {Job[]} all
 * @param {{reps: number, leaveOut: string[]}} options `leaveOut`: targets that cannot run on this machine
 * @param {(job: Job) => Promise<object>} one a sample; when it fails the sample is `{ failed: message }`
 * @param {(job: Job, rep: number, sample: object) => void} tell hears of each sample
 * @returns {Promise<{row: string, target: string, samples: object[]}[]>}
 */
export async function rounds(all, { reps, leaveOut }, one, tell) {
  const jobs = all.filter(({ target }) => !leaveOut.includes(target));
  const rows = jobs.map(({ row, target }) => ({ row, target, samples: [] }));
  for (let rep = 1; rep <= reps; rep += 1) {
    for (const [index, job] of jobs.entries()) {
      const sample = await one(job).catch((error) => ({ failed: error.message }));
      rows[index].samples.push(sample);
      tell(job, rep, sample);
    }
  }
  return rows;
}
