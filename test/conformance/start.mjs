// Starts the fixture server on a free port and stops it again.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** @param {'native' | 'js'} engine @returns {Promise<{url: string, stop(): Promise<void>}>} */
export async function startEverything(engine) {
  const child = spawn(process.execPath, [path.join(HERE, 'everything.mjs'), '--port', '0'], {
    env: { ...process.env, THIRDRAIL_ENGINE: engine },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^listening on (\S+)/.exec(line);
      if (found !== null) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the fixture server ended with code ${code}\n${said}`)));
  });
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
    },
  };
}
