/**
 * Where a listener is bound: a TCP port, shared with other processes or not, or a unix socket.
 *
 * A unix socket whose owner died stays behind as a file. It is removed only when it is a socket and nobody answers there.
 */
import { lstat, unlink } from 'node:fs/promises';
import { type AddressInfo, connect, type ListenOptions, type Server } from 'node:net';
import type { ServeConfig } from '../../engine.js';

/** Longest path of a unix socket in bytes (`sun_path`, without its end); longer ones are cut off silently by some. */
const MAX_PATH = process.platform === 'linux' ? 107 : 103;

/** Rejects with node's error, or with one that says why this address cannot be had. */
export async function bind(server: Server, config: ServeConfig): Promise<{ host: string; port: number }> {
  const { unixPath } = config;
  if (unixPath !== null) await claim(unixPath);
  const options: ListenOptions & { reusePort?: boolean } =
    unixPath === null ? { host: config.host, port: config.port } : { path: unixPath };
  if (config.reusePort && unixPath === null) {
    if (!hasReusePort()) {
      throw new Error(`reusePort needs Node 22.12, 23.1 or later on the JavaScript engine; this is ${process.version}`);
    }
    options.reusePort = true;
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
  if (unixPath !== null) return { host: unixPath, port: 0 };
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

/** Whether this node's `listen` knows the option; others would take the port for themselves without a word. */
export function hasReusePort(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

/** Makes way for a new socket at `path`. */
async function claim(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH) {
    throw new Error(`The path of the unix socket is longer than ${MAX_PATH} bytes: ${path}`);
  }
  let isSocket: boolean;
  try {
    isSocket = (await lstat(path)).isSocket();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (!isSocket) throw new Error(`${path} exists and is no socket`);
  if (await answers(path)) throw new Error(`EADDRINUSE: another process listens on ${path}`);
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Only a refused connection proves that nobody is there; whatever else goes wrong may be a living server. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
