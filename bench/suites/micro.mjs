// Native beside JavaScript beside what one would write without either, each word of the engine in a process of its own.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pinned, pinning } from '../measure/machine.mjs';

const WORDS = ['codec', 'registry', 'pool', 'metrics'];
const CHILD = fileURLToPath(new URL('../micro/child.mjs', import.meta.url));

function run(word, { quick, native }, hear) {
  const seconds = quick ? 0.05 : 1;
  const [file, ...before] = pinned(pinning()?.server ?? null, [process.execPath]);
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [word, String(seconds), native ? 'native' : ''], {
      execPath: file,
      execArgv: before,
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    child.on('message', hear);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`the micro rows of ${word} ended with ${signal ?? code}`));
    });
  });
}

export async function micro(options, tell) {
  const rows = [];
  for (const word of WORDS) {
    const hear = (message) => {
      const { row, target, ...sample } = message;
      rows.push({ row, target, samples: [sample] });
      tell({ row, target }, 1, sample);
    };
    await run(word, options, hear).catch((error) => {
      const failed = { failed: error.message };
      rows.push({ row: word, target: 'all', samples: [failed] });
      tell({ row: word, target: 'all' }, 1, failed);
    });
  }
  return rows;
}
