// SIGTERM while 64 connections send as fast as they are answered: which requests that were sent before it got no answer,
// and how long the process stayed after its last one.
import { requests } from '../measure/requests.mjs';
import { rounds } from '../measure/rounds.mjs';
import { Connection } from '../measure/sockets.mjs';
import { JS, NATIVE, withHttp } from '../servers.mjs';

const CONNECTIONS = 64;
const LOAD_MS = 2000;
const LOAD_QUICK_MS = 300;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function measure(target, time) {
  let outcome;
  // withHttp would call an ended server a failure: what happened is told from here.
  await withHttp(target, { work: 'echo', tools: 3 }, async ({ pid, port, era }) => {
    outcome = await drained(pid, requests({ port, era, work: 'echo' }), port, time);
    throw new Error('ended on purpose');
  }).catch((error) => {
    if (outcome === undefined) throw error;
  });
  return outcome;
}

async function drained(pid, all, port, time) {
  /** When each connection sent what it has no answer to. */
  const waiting = new Map();
  const open = new Set();
  let next = 0;
  let calls = 0;
  let lastAnswer = 0;
  let signalled = Number.POSITIVE_INFINITY;
  const send = (connection) => {
    waiting.set(connection, performance.now());
    connection.send(all[next++ % all.length].bytes);
  };
  const events = {
    onReady: (connection) => {
      open.add(connection);
      send(connection);
    },
    onReply: (connection) => {
      calls += 1;
      lastAnswer = performance.now();
      waiting.delete(connection);
      if (signalled === Number.POSITIVE_INFINITY) send(connection);
    },
    onBroken: (connection) => open.delete(connection),
  };
  for (let index = 0; index < CONNECTIONS; index += 1) new Connection(port, events);
  await pause(time);
  const before = calls;
  signalled = performance.now();
  process.kill(pid, 'SIGTERM');
  let gone = 0;
  for (let waited = 0; waited < 10_000; waited += 1) {
    if (!alive(pid)) {
      gone = performance.now();
      break;
    }
    await pause(1);
  }
  await pause(20);
  const lost = [...waiting.values()].filter((sent) => sent < signalled).length;
  return {
    calls: before,
    lost,
    errors: lost + (gone === 0 ? 1 : 0),
    milliseconds: gone - Math.max(lastAnswer, signalled),
    totalMs: gone - signalled,
  };
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function drain(options, tell) {
  const jobs = [JS, NATIVE].map((target) => ({ row: 'SIGTERM under full load', target }));
  return rounds(jobs, options, ({ target }) => measure(target, options.quick ? LOAD_QUICK_MS : LOAD_MS), tell);
}
