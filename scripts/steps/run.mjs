// Runs a child process and keeps what it printed. The scripts are quiet while things go well and show all of it when not.
import { spawn, spawnSync } from 'node:child_process';
import { root } from './root.mjs';

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{env?: Record<string, string | undefined>, cwd?: string}} [options] `env` is laid over the environment
 * @returns {Promise<{code: number, output: string, stdout: string}>} `output` is stdout and stderr in the order of
 *   arrival; a command that could not be started has code 127
 */
export function run(command, args, { env = {}, cwd = root } = {}) {
  return new Promise((resolve) => {
    // npm on Windows is a shell script; everything else is started without a shell.
    const shell = process.platform === 'win32' && command === 'npm';
    // stdin is closed on purpose: no tool may stop and ask.
    const child = spawn(command, args, {
      cwd,
      shell,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const all = [];
    const out = [];
    child.stdout.on('data', (chunk) => {
      all.push(chunk);
      out.push(chunk);
    });
    child.stderr.on('data', (chunk) => all.push(chunk));
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}\n`, stdout: '' }));
    child.on('close', (code, signal) => {
      const output = Buffer.concat(all).toString();
      resolve({
        code: code ?? 1,
        output: signal ? `${output}\n${command} was ended by ${signal}\n` : output,
        stdout: Buffer.concat(out).toString(),
      });
    });
  });
}

/** Runs a JavaScript file with this very Node. */
export const runNode = (file, args, options) => run(process.execPath, [file, ...args], options);

/** Runs npm: the one that started us, when npm did, so that its version and settings are the user's. */
export function runNpm(args, options) {
  const self = process.env.npm_execpath;
  return self && /\.c?js$/.test(self) ? runNode(self, args, options) : run('npm', args, options);
}

/** Whether a command can be started at all. */
export function exists(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** A failed step: the message is one line, `output` is everything that the tool said. */
export class StepError extends Error {
  /** @param {string} message @param {string} [output] */
  constructor(message, output = '') {
    super(message);
    this.name = 'StepError';
    this.output = output;
  }
}

/** Runs a step that takes a while: one line, the name at once, then the time or `failed`. */
export async function timed(what, step) {
  const start = Date.now();
  process.stderr.write(`${what} ... `);
  const result = await step();
  process.stderr.write(result.code === 0 ? `${((Date.now() - start) / 1000).toFixed(1)} s\n` : 'failed\n');
  return result;
}

/** Reports a failure of any script and ends it. */
export function fail(error) {
  if (error instanceof StepError) {
    if (error.output) process.stderr.write(error.output.endsWith('\n') ? error.output : `${error.output}\n`);
    console.error(error.message);
  } else {
    console.error(error);
  }
  process.exit(1);
}
