// Whether memory grows with calls: resident memory after a warm-up, and after a million calls more.
import { load } from '../measure/load.mjs';
import { memory as resident } from '../measure/proc.mjs';
import { requests } from '../measure/requests.mjs';
import { rounds } from '../measure/rounds.mjs';
import { JS, NATIVE, withHttp } from '../servers.mjs';

const CONNECTIONS = 64;
const sizes = (quick) => (quick ? { warm: 5000, calls: 20_000 } : { warm: 200_000, calls: 1_000_000 });

async function measure(target, { warm, calls }) {
  return withHttp(target, { work: 'echo', tools: 3 }, async ({ pid, port, era }) => {
    const job = { port, connections: CONNECTIONS, requests: requests({ port, era, work: 'echo' }) };
    await load({ ...job, calls: warm });
    const before = resident(pid);
    const { status, sockets, timeouts } = await load({ ...job, calls });
    const after = resident(pid);
    const errors = status + sockets + timeouts;
    return { grownBytes: after - before, idleBytes: before, residentBytes: after, calls, errors };
  });
}

/** Once per target: a million calls are their own repetition. */
export function soak(options, tell) {
  const size = sizes(options.quick);
  const jobs = [JS, NATIVE].map((target) => ({ row: `memory growth over ${size.calls} calls`, target }));
  return rounds(jobs, { ...options, reps: 1 }, ({ target }) => measure(target, size), tell);
}
