// What the numbers were measured on, and which tools are there.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Whether a command can be started. */
export function has(command, args = ['--version']) {
  return spawnSync(command, args, { stdio: 'ignore' }).error === undefined;
}

/** First line that a command prints, or null. */
function says(command, args) {
  const { error, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return error || !stdout ? null : stdout.split('\n')[0].trim();
}

const version = (file) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));

/** Cores of server and load: 0 and 1. Null where there is no `taskset` or only one core. */
export function pinning() {
  const possible = process.platform === 'linux' && os.cpus().length > 1 && has('taskset');
  return possible ? { server: 0, load: 1 } : null;
}

/** `command` with its arguments, bound to a core where that can be done. */
export function pinned(core, command) {
  return core === null || pinning() === null ? command : ['taskset', '-c', String(core), ...command];
}

/** Puts this process, which is part of the load, on the core of the load. */
export function pinSelf(pins) {
  if (pins !== null) spawnSync('taskset', ['-a', '-c', '-p', String(pins.load), String(process.pid)]);
}

export function machine() {
  const model = os.cpus()[0]?.model ?? process.arch;
  const { dependencies } = version('../package.json');
  return {
    cpu: model,
    cores: os.cpus().length,
    memoryMB: Math.round(os.totalmem() / 2 ** 20),
    os: `${os.type()} ${os.release()} ${process.arch}`,
    node: process.version,
    rustc: says('rustc', ['--version']),
    wrk: says('wrk', ['-v'])?.split(' [')[0] ?? null,
    thirdrail: version('../../package.json').version,
    rivals: dependencies,
  };
}

/** `amd-epyc-7b13-2c`: the model without trade marks and clock, and the number of cores. */
export function slug({ cpu, cores }) {
  const plain = cpu
    .toLowerCase()
    .replace(/\((r|tm)\)|@.*$|\b(cpu|processor|\d+-core)\b/g, ' ')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `${plain || 'unknown'}-${cores}c`;
}
