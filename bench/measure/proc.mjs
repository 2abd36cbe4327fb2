// CPU time and memory of processes, from /proc. Everything is null where there is no /proc.
import { readdirSync, readFileSync } from 'node:fs';

// USER_HZ: fixed at 100 for what /proc shows, whatever the kernel was built with.
const TICKS = 100;

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/** CPU seconds of all living threads, to the nanosecond (`schedstat`); a thread that ended is no longer counted. */
export function cpuSeconds(pid) {
  let tasks;
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return null;
  }
  let nanoseconds = 0;
  for (const task of tasks) nanoseconds += Number(read(`/proc/${pid}/task/${task}/schedstat`)?.split(' ')[0] ?? 0);
  return nanoseconds / 1e9;
}

/** CPU seconds of this process with the children that it has waited for, to 10 ms. */
function ownSeconds() {
  const stat = read('/proc/self/stat');
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/** Bytes of a line of /proc/PID/status: `VmRSS` (resident now) or `VmHWM` (the most it ever was). */
export function memory(pid, line = 'VmRSS') {
  const kilobytes = new RegExp(`${line}:\\s+(\\d+)`).exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

function wholeMachine() {
  const line = /^cpu\s+(.*)$/m.exec(read('/proc/stat') ?? '')?.[1];
  if (line === undefined) return null;
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).map(Number);
  return { busy: (user + nice + system + irq + softirq) / TICKS, steal: steal / TICKS };
}

/**
 * Watches one measurement: how much CPU the server took, and how much of one core went to processes that have nothing to
 * do with it or was taken away by the host. Read it after the load process has ended, or the load counts as foreign.
 */
export class Meter {
  #pid = 0;
  #start = null;

  /** @param {number | null} serverPid null: the server is started and ended within the measurement, as our child */
  constructor(serverPid) {
    this.#pid = serverPid;
    this.#start = this.#now();
  }

  #now() {
    const at = process.hrtime.bigint();
    return { at, server: this.#pid === null ? 0 : cpuSeconds(this.#pid), own: ownSeconds(), machine: wholeMachine() };
  }

  /** Percentages are of one core. */
  read() {
    const start = this.#start;
    const now = this.#now();
    const seconds = Number(now.at - start.at) / 1e9;
    if (start.server === null || now.server === null || now.machine === null) {
      return { seconds, serverSeconds: null, serverPct: null, loadPct: null, foreignPct: null, stealPct: null };
    }
    const server = now.server - start.server;
    const own = now.own - start.own;
    const foreign = now.machine.busy - start.machine.busy - server - own;
    const pct = (value) => (100 * Math.max(0, value)) / seconds;
    return {
      seconds,
      serverSeconds: server,
      serverPct: pct(server),
      loadPct: pct(own),
      foreignPct: pct(foreign),
      stealPct: pct(now.machine.steal - start.machine.steal),
    };
  }
}
