// Every server under test: how it is started and which revision of the protocol it is spoken to in. thirdrail is started
// as anybody would start it, through its built command.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, launch, ready, says, stop } from './measure/server.mjs';
import { definitions } from './servers/catalogue.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Another build of the command can be measured: the path in THIRDRAIL_BENCH_ECHO. */
const ECHO = process.env.THIRDRAIL_BENCH_ECHO ?? file('../dist/cli/echo.js');

export const NATIVE = 'thirdrail native';
export const JS = 'thirdrail js';
export const V2 = 'official v2';
export const V1 = 'official v1';
export const HAND = 'hand-written';
export const HAND_READY = 'hand-written, ready bytes';
export const HANDLER = 'thirdrail handler, factory';
export const HANDLER_SERVER = 'thirdrail handler, server';
/** The package without any server that runs. */
export const BUILT = 'thirdrail';

const own = (engine) => ({ era: 'modern', engine, http: ECHO, stdio: ECHO });
const rival = (era, http, stdio, args = []) => ({
  era,
  engine: null,
  http: file(http),
  stdio: stdio && file(stdio),
  args,
});

const SERVERS = {
  [NATIVE]: own('native'),
  [JS]: own('js'),
  [V2]: rival('modern', 'servers/official-v2-http.mjs', 'servers/official-v2-stdio.mjs'),
  [V1]: rival('legacy', 'servers/official-v1-http.mjs', 'servers/official-v1-stdio.mjs'),
  [HAND]: rival('modern', 'servers/hand-written.mjs', null),
  [HAND_READY]: rival('modern', 'servers/hand-written.mjs', null, ['--ready-bytes']),
  // No rivals, but started in the same way: a program of one's own around the library.
  [HANDLER]: rival('modern', 'servers/handler.mjs', null),
  [HANDLER_SERVER]: rival('modern', 'servers/handler.mjs', null, ['--server']),
};

export const eraOf = (name) => SERVERS[name].era;

/** A file with the definitions of the first `count` tools; gone when this process ends. */
export function definitionsFile(count) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'thirdrail-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const target = path.join(folder, 'tools.json');
  writeFileSync(target, JSON.stringify(definitions(count)));
  return target;
}

let catalogueFile;
const sameTools = (count) => {
  catalogueFile ??= { count, path: definitionsFile(count) };
  if (catalogueFile.count !== count) throw new Error('one catalogue per run');
  return catalogueFile.path;
};

/**
 * The command of a server.
 * @param {{port?: number | null, tools: number, same?: boolean}} options `port` null: stdio; `same`: thirdrail offers the
 *   very tools of the rivals, as the list rows need, and not as many of its own; `token`: the one that it wants
 */
export function command(name, { port = null, tools, same = false, token = null }) {
  const { engine, http, stdio, args = [] } = SERVERS[name];
  const where = port === null ? (engine === null ? [] : ['--stdio']) : ['--port', String(port)];
  const what = engine !== null && same ? ['--tools-json', sameTools(tools)] : ['--tools', String(tools)];
  const guarded = token === null ? [] : ['--token', token];
  return [process.execPath, port === null ? stdio : http, ...where, ...what, ...guarded, ...args];
}

/** Environment that picks the engine. */
export function environment(name) {
  const { engine } = SERVERS[name];
  return engine === null ? {} : { THIRDRAIL_ENGINE: engine };
}

/** @throws Error when a server of ours runs on another engine than the row says */
export function proveEngine(name, said) {
  const { engine } = SERVERS[name];
  const runs = /\(engine: (\w+)/.exec(said)?.[1];
  if (engine !== null && runs !== engine)
    throw new Error(`${name} runs on ${runs ?? 'an engine that it does not name'}`);
}

/**
 * Starts an HTTP server on its core, hands it to `use` once it answers `work` rightly, and stops it whatever happens.
 * @param {(running: {pid: number, port: number, era: string, bytes: number, isStream: boolean}) => Promise<object>} use
 */
export async function withHttp(name, { work, ...options }, use) {
  const port = await freePort();
  const server = launch(command(name, { port, ...options }), { env: environment(name) });
  const era = eraOf(name);
  try {
    const { bytes, isStream } = await ready(server, port, era, work, options.tools, options.token);
    // The native engine can answer before its process has written the line that names it.
    if (SERVERS[name].engine !== null) await says(server, /\(engine: /);
    proveEngine(name, server.said);
    const sample = await use({ pid: server.pid, port, era, bytes, isStream });
    if (server.ended !== null) throw new Error(`the server ${server.ended}: ${server.said.trim()}`);
    return sample;
  } finally {
    await stop(server);
  }
}
