// Starts a server under test on its core, waits until it answers rightly, stops it.
import { spawn } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { pinned } from './machine.mjs';
import * as requests from './requests.mjs';

const START_MS = 20_000;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts `command`; what it writes to stderr is kept (the last 4 KB) for the message when something fails. */
export function launch(command, { core = 0, env = {}, stdio = ['ignore', 'ignore', 'pipe'] } = {}) {
  const [file, ...args] = pinned(core, command);
  const child = spawn(file, args, { env: { ...process.env, NODE_ENV: 'production', ...env }, stdio });
  const server = { child, pid: child.pid, said: '', ended: null };
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    server.said = (server.said + text).slice(-4096);
  });
  child.once('error', (error) => {
    server.ended ??= String(error);
  });
  child.once('exit', (code, signal) => {
    server.ended ??= `ended with ${signal ?? code}`;
  });
  return server;
}

/** Waits until the server has written what matches, or has ended, or for the time a start may take. */
export async function says(server, pattern) {
  const until = Date.now() + START_MS;
  while (!pattern.test(server.said) && server.ended === null && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function stop(server) {
  if (server.ended !== null) return;
  const over = new Promise((resolve) => server.child.once('exit', resolve));
  server.child.kill('SIGTERM');
  const hard = setTimeout(() => server.child.kill('SIGKILL'), 3000);
  await over;
  clearTimeout(hard);
}

/** One message over HTTP; the JSON of the reply, whichever of the two content types it has. */
export function post(port, era, message, token = null) {
  const length = Buffer.byteLength(message.body);
  const headers = Object.fromEntries([...requests.headers(era, message, token), ['Content-Length', length]]);
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/mcp', method: 'POST', headers, agent: false };
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isStream = (response.headers['content-type'] ?? '').startsWith('text/event-stream');
        try {
          if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${text.slice(0, 300)}`);
          const json = isStream ? text.slice(text.lastIndexOf('\ndata:') + 6) : text;
          resolve({ reply: JSON.parse(json), bytes: Buffer.byteLength(text), isStream });
        } catch (error) {
          reject(error);
        }
      });
    });
    request.setTimeout(START_MS, () => request.destroy(new Error('no answer')));
    request.once('error', reject);
    request.end(message.body);
  });
}

/**
 * Sends one request and looks at all of its reply.
 * @returns bytes of the reply's body
 * @throws Error when it is not what was asked for
 */
export async function check(port, era, work, tools, token = null) {
  const id = 987_654;
  const message = work === 'list' ? requests.list(era, id) : requests.call(era, id, 'echo', { message: 'checked' });
  const { reply, bytes, isStream } = await post(port, era, message, token);
  const { result } = reply;
  const content = result?.content?.[0];
  const right =
    work === 'list'
      ? result?.tools?.length === tools
      : result?.isError !== true && content?.type === 'text' && content.text === 'checked';
  if (reply.id !== id || !right) throw new Error(`wrong reply to ${work}: ${JSON.stringify(reply).slice(0, 300)}`);
  return { bytes, isStream };
}

/** Waits for the first right reply. @throws Error with what the server said when there is none in time */
export async function ready(server, port, era, work, tools, token = null) {
  const until = Date.now() + START_MS;
  let last = 'not asked';
  while (server.ended === null && Date.now() < until) {
    try {
      return await check(port, era, work, tools, token);
    } catch (error) {
      last = error.message;
      if (!/ECONNREFUSED|ECONNRESET/.test(last)) break;
      await pause(20);
    }
  }
  throw new Error(`${server.ended ?? last}; it said: ${server.said.trim() || 'nothing'}`);
}
