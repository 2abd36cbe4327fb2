// What a connection costs that nobody uses: resident memory of the server with 10,000 of them open, each after one call,
// when all have been silent for a while; and just after the last call, before anything could be given back.
import { fileURLToPath } from 'node:url';
import { pinned } from '../measure/machine.mjs';
import { memory as resident } from '../measure/proc.mjs';
import { rounds } from '../measure/rounds.mjs';
import { launch, says, stop } from '../measure/server.mjs';
import { HAND, JS, NATIVE, withHttp } from '../servers.mjs';

const CONNECTIONS = 10_000;
const CONNECTIONS_QUICK = 500;
/** Milliseconds without a byte on any of them. */
const SILENCE = 8000;
const SCRIPT = fileURLToPath(new URL('../measure/idle.mjs', import.meta.url));
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function measure(target, count) {
  return withHttp(target, { work: 'echo', tools: 3 }, async ({ pid, port }) => {
    const before = resident(pid);
    const holder = launch(pinned(1, [process.execPath, SCRIPT, String(port), String(count)]), { core: null });
    try {
      await says(holder, /open: \d+/);
      const open = Number(/open: (\d+)/.exec(holder.said)?.[1] ?? 0);
      const busy = resident(pid);
      await pause(SILENCE);
      const after = resident(pid);
      return {
        perConnection: (after - before) / count,
        freshPerConnection: (busy - before) / count,
        ...{ residentBytes: after, idleBytes: before, errors: count - open },
      };
    } finally {
      await stop(holder);
    }
  });
}

export function idle(options, tell) {
  const count = options.quick ? CONNECTIONS_QUICK : CONNECTIONS;
  const jobs = [HAND, JS, NATIVE].map((target) => ({ row: `${count} idle connections`, target }));
  return rounds(jobs, options, ({ target }) => measure(target, count), tell);
}
