// Calls and lists over HTTP, as fast as the server answers them: 64 connections, one request in flight on each.
import { load } from '../measure/load.mjs';
import { requests } from '../measure/requests.mjs';
import { quiet, rounds, warmUp } from '../measure/rounds.mjs';
import { check } from '../measure/server.mjs';
import { HAND, HAND_READY, JS, NATIVE, V1, V2, withHttp } from '../servers.mjs';

const CONNECTIONS = 64;
const FEW = 2;
const MANY = 500;

const ofAll = (row, targets) => targets.map((target) => ({ ...row, target }));
const echo = (tools, row) => ({ row, work: 'echo', tools, same: false });

/** Jobs of one round are measured side by side: what is compared stands in one round, next to each other. */
const ROUNDS = [
  ofAll(echo(3, 'tools/call echo'), [V2, V1, HAND, JS, NATIVE]),
  ofAll({ row: 'tools/list of 53 tools', work: 'list', tools: 53, same: true }, [V2, V1, HAND, HAND_READY, JS, NATIVE]),
  [JS, NATIVE].flatMap((target) =>
    [FEW, MANY].map((tools) => ({ ...echo(tools, `tools/call echo, ${tools} tools`), target })),
  ),
];

/** One sample of a server that is started for it. @param job `token`: the bearer token that it wants */
export async function measureHttp({ target, work, tools, same = false, token = null }, { secs, quick }) {
  return withHttp(target, { work, tools, same, token }, async ({ pid, port, era, bytes, isStream }) => {
    const job = { port, connections: CONNECTIONS, requests: requests({ port, era, work, token }) };
    // The check's list and those of the run differ only in ids of the same length; events of a stream may have more.
    const length = work === 'list' && !isStream ? bytes : null;
    const { seen, bad } = await load({ ...job, seconds: 1, verify: true, length });
    const warmed = await warmUp((seconds) => load({ ...job, seconds }), quick);
    const sample = await quiet(pid, async () => {
      const { calls, microseconds, status, sockets, timeouts, p50, p90, p99, max } = await load({
        ...job,
        seconds: secs,
      });
      return {
        perSecond: calls / (microseconds / 1e6),
        calls,
        errors: status + sockets + timeouts,
        p50,
        p90,
        p99,
        max,
      };
    });
    await check(port, era, work, tools, token);
    if (sample.calls === 0) throw new Error('not one call was answered in time');
    return { ...sample, ...warmed, seen, bad, replyBytes: bytes };
  });
}

export async function http(options, tell) {
  const rows = [];
  for (const jobs of ROUNDS) rows.push(...(await rounds(jobs, options, (job) => measureHttp(job, options), tell)));
  return rows;
}
