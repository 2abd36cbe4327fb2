/**
 * A real Redis for the tests of a file, on a free port, without any file of its own. Where there is none the tests are
 * skipped, said once; with `CI=true` that is a failure.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createClient } from 'redis';
import { afterAll, beforeAll } from 'vitest';

export type RedisClient = ReturnType<typeof createClient>;

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis && process.env.CI === 'true') throw new Error('redis-server is missing');

/** Starts one for the describe block (or file) around it; the function gives a connected client. */
export function redisForAll(): () => RedisClient {
  if (!hasRedis) console.warn('redis-server is missing: what needs it is not tested');
  let server: ChildProcess | undefined;
  let client: RedisClient | undefined;
  beforeAll(async () => {
    if (!hasRedis) return;
    const port = await freePort();
    const started = spawn('redis-server', [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
    ]);
    server = started;
    await new Promise<void>((resolve, reject) => {
      started.once('exit', () => reject(new Error('redis-server ended')));
      started.stdout.on('data', (chunk) => String(chunk).includes('Ready to accept') && resolve());
    });
    client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on('error', () => {});
    await client.connect();
  });
  afterAll(async () => {
    client?.destroy();
    if (server === undefined) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  });
  return () => client as RedisClient;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
