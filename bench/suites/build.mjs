// Building a server with 53 tools, once its schemas are known: what a factory costs for each request.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pinned, pinning } from '../measure/machine.mjs';
import { rounds } from '../measure/rounds.mjs';
import { BUILT, V2 } from '../servers.mjs';

const SCRIPT = fileURLToPath(new URL('../micro/build.mjs', import.meta.url));
const NAMES = { [BUILT]: 'thirdrail', [V2]: 'official v2' };

function said() {
  const [file, ...args] = pinned(pinning()?.server ?? null, [process.execPath, SCRIPT]);
  return new Promise((resolve, reject) => {
    execFile(file, args, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}

async function measure(target) {
  const text = await said();
  const figure = new RegExp(`^${NAMES[target]}: ([\\d.]+) us`, 'm').exec(text)?.[1];
  if (figure === undefined) throw new Error(`no figure of ${target} in: ${text.slice(0, 200)}`);
  return { microseconds: Number(figure) };
}

export function build(options, tell) {
  const jobs = [BUILT, V2].map((target) => ({ row: 'a server with 53 tools', target }));
  return rounds(jobs, options, ({ target }) => measure(target), tell);
}
