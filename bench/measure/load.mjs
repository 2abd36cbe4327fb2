// Puts load on a server: through wrk, or through the generator where wrk is missing or cannot do it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { has, pinned } from './machine.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
let wrkIsThere;

/** `wrk` or `generator`: what measures speed in this run. */
export function loader() {
  wrkIsThere ??= has('wrk', ['-v']);
  return wrkIsThere ? 'wrk' : 'generator';
}

/**
 * @param {object} options
 * @param {{id: number, bytes: Buffer, expect: string}[]} options.requests sent in turn
 * @param {boolean} [options.verify] look at every reply (slower)
 * @param {number | null} [options.length] bytes that every reply's body must have, when verified
 * @param {number | null} [options.calls] an exact number of calls; @param {number | null} [options.rate] calls per second
 * @returns {Promise<{calls: number, microseconds: number, status: number, sockets: number, timeouts: number, p50: number,
 *   p90: number, p99: number, max: number, seen: number, bad: number}>} latencies in microseconds
 */
export async function load({ port, requests, connections, seconds = null, calls = null, rate = null, ...looking }) {
  const { verify = false, length = null } = looking;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'thirdrail-bench-'));
  try {
    const files = { requests: path.join(folder, 'requests'), expect: path.join(folder, 'expect') };
    const framed = requests.flatMap(({ bytes }) => [Buffer.from(`${bytes.length}\n`), bytes]);
    writeFileSync(files.requests, Buffer.concat(framed));
    writeFileSync(files.expect, requests.map(({ id, expect }) => `${id}\t${expect}\n`).join(''));
    if (loader() === 'wrk' && calls === null && rate === null) {
      const env = { REQUESTS: files.requests };
      if (verify) env.EXPECT = files.expect;
      if (verify && length !== null) env.LENGTH = String(length);
      const times = [`-d${seconds}s`, '--timeout', '10s'];
      const url = `http://127.0.0.1:${port}`;
      return await result(['wrk', '-t1', `-c${connections}`, ...times, '-s', here('wrk.lua'), url], env);
    }
    const job = {
      port,
      requests: files.requests,
      expect: verify ? files.expect : null,
      length: verify ? length : null,
    };
    const file = path.join(folder, 'job.json');
    writeFileSync(file, JSON.stringify({ ...job, connections, seconds, calls, rate }));
    return await result([process.execPath, here('generator.mjs'), file], {});
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function result(command, env) {
  const [file, ...args] = pinned(1, command);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const keep = (chunk) => {
      text = (text + chunk).slice(-65_536);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', reject);
    child.once('close', () => {
      const line = /^RESULT (.*)$/m.exec(text)?.[1];
      if (line === undefined) reject(new Error(`the load generator failed: ${text.trim()}`));
      else resolve(JSON.parse(line));
    });
  });
}
