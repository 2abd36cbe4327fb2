/** Sockets and pipes in: the JavaScript twin of crates/serve, and the pipe that both engines use. */
import type { Engine } from '../../engine.js';

/**
 * Sockets come with the first listener: node's HTTP, HTTP/2 and TLS are most of what a server over stdio would load at its
 * start and never use.
 */
export const listen: Engine['serve']['listen'] = async (config, registry, receiver) => {
  const sockets = await import('./listen.js');
  return sockets.listen(config, registry, receiver);
};
