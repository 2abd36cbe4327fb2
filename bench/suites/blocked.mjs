// Lists while JavaScript is busy 50 of every 100 ms. Measured twice: as fast as replies come over 8 connections, and at a
// fixed rate over 8 connections with latency from the time a request was due. The first can hide a stall (while nothing is
// answered nothing is asked either), so the worse of the two p99 is the result.
import { fileURLToPath } from 'node:url';
import { load } from '../measure/load.mjs';
import { call, requests } from '../measure/requests.mjs';
import { quiet, rounds, warmUp } from '../measure/rounds.mjs';
import { freePort, launch, post, ready, stop } from '../measure/server.mjs';
import { definitionsFile, environment, JS, NATIVE } from '../servers.mjs';

const CONNECTIONS = 8;
const RATE = 1000;
const TOOLS = 51;
const ALL_TOOLS = TOOLS + 2; // and those of the blocking server itself
const ERA = 'modern';

async function use(port, tool) {
  const { reply } = await post(port, ERA, call(ERA, 1, tool, {}));
  const share = Number(reply.result?.content?.[0]?.text);
  if (Number.isNaN(share) && tool === 'share')
    throw new Error(`no share of time: ${JSON.stringify(reply).slice(0, 200)}`);
  return share;
}

async function measure(target, definitions, { secs, quick }) {
  const port = await freePort();
  const script = fileURLToPath(new URL('../servers/blocking.mjs', import.meta.url));
  const command = [process.execPath, script, '--port', String(port), '--tools-json', definitions];
  const server = launch(command, { env: environment(target) });
  try {
    const { bytes } = await ready(server, port, ERA, 'list', ALL_TOOLS);
    const job = { port, connections: CONNECTIONS, requests: requests({ port, era: ERA, work: 'list' }) };
    const { seen, bad } = await load({ ...job, seconds: 1, verify: true, length: bytes });
    const warmed = await warmUp((seconds) => load({ ...job, seconds }), quick);
    await use(port, 'block');
    const closed = await quiet(server.pid, async () => {
      const { calls, microseconds, status, sockets, timeouts, p50, p99, max } = await load({ ...job, seconds: secs });
      return {
        calls,
        perSecond: calls / (microseconds / 1e6),
        errors: status + sockets + timeouts,
        p50,
        closedP99: p99,
        max,
      };
    });
    const fixed = await load({ ...job, seconds: secs, rate: RATE });
    const blocked = await use(port, 'share');
    return {
      ...closed,
      ...warmed,
      errors: closed.errors + fixed.status + fixed.sockets + fixed.timeouts,
      p99: Math.max(closed.closedP99, fixed.p99),
      fixedP50: fixed.p50,
      fixedP99: fixed.p99,
      blocked,
      seen,
      bad,
    };
  } finally {
    await stop(server);
  }
}

export function blocked(options, tell) {
  const definitions = definitionsFile(TOOLS);
  const jobs = [JS, NATIVE].map((target) => ({ row: 'tools/list, JavaScript blocked half of the time', target }));
  return rounds(jobs, options, ({ target }) => measure(target, definitions, options), tell);
}
