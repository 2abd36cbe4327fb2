// A load generator in Node, run as a process of its own: `node generator.mjs JOB.json`. It does what wrk cannot (an exact
// number of calls, a fixed rate) and stands in for wrk where that is missing. It is slower than wrk: the CPU share of the
// load that every row carries shows when it, and not the server, was the limit.
import { readFileSync } from 'node:fs';
import { Latencies } from './numbers.mjs';
import { Connection } from './sockets.mjs';

/**
 * @typedef {object} Job
 * @property {number} port
 * @property {string} requests file: `LENGTH\n` and that many bytes, again and again
 * @property {string | null} expect file: `ID\tTEXT\n`; every reply is looked at when there is one
 * @property {number | null} length bytes of every reply's body, when they must agree
 * @property {number} connections
 * @property {number | null} seconds stop after that time...
 * @property {number | null} calls ...or after so many calls
 * @property {number | null} rate calls per second; null: as fast as replies come. With a rate, latency counts from the
 *   time at which a call was due, so that a server that stands still cannot hide the calls that it kept waiting
 */

const MOST_BROKEN = 1000;
/** Without a single reply for so long, what is in flight counts as timed out and the run ends. */
const STALL_MS = 10_000;

function frames(path) {
  const bytes = readFileSync(path);
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf(10, at);
    const end = line + 1 + Number(bytes.latin1Slice(at, line));
    found.push(bytes.subarray(line + 1, end));
    at = end;
  }
  return found;
}

function expectations(path) {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => line.split('\t')));
}

/** @param {Job} job */
function run(job) {
  const requests = frames(job.requests);
  const expected = job.expect === null ? null : expectations(job.expect);
  const latencies = new Latencies();
  const result = { calls: 0, status: 0, sockets: 0, timeouts: 0, seen: 0, bad: 0 };
  const connections = new Set();
  const idle = [];
  const started = new Map();
  const begin = performance.now();
  const until = job.seconds === null ? Number.POSITIVE_INFINITY : begin + job.seconds * 1000;
  const most = job.calls ?? Number.POSITIVE_INFINITY;
  let sent = 0;
  let finish;
  const over = new Promise((resolve) => {
    finish = resolve;
  });

  const mayGoOn = () => sent < most && performance.now() < until;
  const send = (connection, due) => {
    started.set(connection, due);
    connection.send(requests[sent % requests.length]);
    sent += 1;
  };
  const look = (reply) => {
    result.seen += 1;
    const body = reply.body();
    const part = expected.get(/"id":(\d+)/.exec(body)?.[1] ?? '');
    const right = part !== undefined && body.includes(part) && !body.includes('"isError":true');
    if (!right || (job.length !== null && Buffer.byteLength(body) !== job.length)) result.bad += 1;
  };
  const free = (connection) => {
    if (job.rate !== null) idle.push(connection);
    else if (mayGoOn()) send(connection, performance.now());
    else if (result.calls + result.sockets >= sent || performance.now() >= until) finish();
  };
  const open = () => {
    const connection = new Connection(job.port, {
      onReady: free,
      onReply: (from, reply) => {
        const now = performance.now();
        latencies.add((now - started.get(from)) * 1000);
        result.calls += 1;
        if (reply.status < 200 || reply.status > 299) result.status += 1;
        if (expected !== null) look(reply);
        free(from);
      },
      onBroken: (from) => {
        connections.delete(from);
        if (idle.includes(from)) idle.splice(idle.indexOf(from), 1);
        if (from.busy || !started.has(from)) result.sockets += 1;
        // A server that refuses everything must not keep the generator for ever.
        if (result.sockets > MOST_BROKEN || !mayGoOn()) finish();
        else open();
      },
    });
    connections.add(connection);
  };

  const tick = () => {
    const now = performance.now();
    if (now >= until || sent >= most) {
      if (connections.size === idle.length || now >= until + 2000) return finish();
    } else {
      while (idle.length > 0 && sent < most) {
        const due = begin + (sent * 1000) / job.rate;
        if (due > now) break;
        send(idle.shift(), due);
      }
    }
    // Spins on purpose: timers are too coarse, and this process has a core of its own.
    setImmediate(tick);
  };

  let before = -1;
  const stalled = () => {
    if (result.calls === before) {
      result.timeouts = [...connections].filter((connection) => connection.busy).length;
      finish();
    }
    before = result.calls;
  };
  setInterval(stalled, STALL_MS);

  for (let index = 0; index < job.connections; index += 1) open();
  if (job.rate !== null) setImmediate(tick);
  return over.then(() => {
    const microseconds = (performance.now() - begin) * 1000;
    for (const connection of connections) connection.close();
    return { ...result, ...latencies.summary(), microseconds };
  });
}

const result = await run(JSON.parse(readFileSync(process.argv[2], 'utf8')));
process.stdout.write(`RESULT ${JSON.stringify(result)}\n`);
process.exit(0);
