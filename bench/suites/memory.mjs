// Resident memory after a fixed number of HTTP calls: the same number for each server, however long it takes.
import { load } from '../measure/load.mjs';
import { memory as resident } from '../measure/proc.mjs';
import { requests } from '../measure/requests.mjs';
import { rounds } from '../measure/rounds.mjs';
import { HAND, JS, NATIVE, V1, V2, withHttp } from '../servers.mjs';

const CALLS = 100_000;
const CALLS_QUICK = 3000;
const CONNECTIONS = 64;
const TARGETS = [V2, V1, HAND, JS, NATIVE];

async function measure(target, calls) {
  return withHttp(target, { work: 'echo', tools: 3 }, async ({ pid, port, era }) => {
    const idle = resident(pid);
    const all = requests({ port, era, work: 'echo' });
    // The generator and not wrk: it can stop after an exact number, and looks at every reply on the way.
    const { status, sockets, timeouts, seen, bad } = await load({
      ...{ port, connections: CONNECTIONS, requests: all },
      ...{ calls, verify: true },
    });
    const errors = status + sockets + timeouts;
    return {
      residentBytes: resident(pid),
      mostBytes: resident(pid, 'VmHWM'),
      idleBytes: idle,
      calls: seen,
      seen,
      bad,
      errors,
    };
  });
}

export function memory(options, tell) {
  const calls = options.quick ? CALLS_QUICK : CALLS;
  const jobs = TARGETS.map((target) => ({ row: `memory after ${calls} HTTP calls`, target }));
  return rounds(jobs, options, ({ target }) => measure(target, calls), tell);
}
