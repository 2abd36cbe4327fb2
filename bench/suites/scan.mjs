// The envelope scan in Rust alone, without any crossing: the numbers come from the bench of the codec crate.
import { spawn } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { has, pinned, pinning } from '../measure/machine.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CARGO = ['cargo', 'bench', '-q', '-p', 'thirdrail-codec', '--bench', 'scan'];
/** `call   178   84   213`: the message, its bytes, nanoseconds for ranges only, and with all of it proven. */
const LINE = /^(\S.*?)\s+(\d+)\s+(\d+(?:\.\d+)?)\s+(\d+(?:\.\d+)?)\s*$/;

function output([file, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors = (errors + text).slice(-4096);
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(out) : reject(new Error(`cargo bench failed: ${errors.trim()}`)),
    );
  });
}

export async function scan(options, tell) {
  const row = 'envelope scan in Rust';
  if (!has('cargo')) {
    tell({ row, target: 'cargo' }, 1, { skipped: 'cargo is not installed: the scan rows are left out' });
    return [];
  }
  // Built on all cores (this process is bound to that of the load), measured on one.
  await output(pinned(`0-${os.cpus().length - 1}`, [...CARGO, '--no-run']));
  const rows = new Map();
  for (let rep = 1; rep <= options.reps; rep += 1) {
    for (const line of (await output(pinned(pinning()?.server ?? null, CARGO))).split('\n')) {
      const found = LINE.exec(line);
      if (found === null) continue;
      const [, message, bytes, ranges, proven] = found;
      for (const [target, nanoseconds] of Object.entries({
        'ranges only': Number(ranges),
        'well-formedness': Number(proven),
      })) {
        const job = { row: `${row}, ${message}, ${bytes} B`, target };
        const key = `${job.row} | ${target}`;
        if (!rows.has(key)) rows.set(key, { ...job, samples: [] });
        rows.get(key).samples.push({ nanoseconds });
        tell(job, rep, { nanoseconds });
      }
    }
  }
  if (rows.size === 0) throw new Error('the scan bench printed nothing that this bench understands');
  return [...rows.values()];
}
