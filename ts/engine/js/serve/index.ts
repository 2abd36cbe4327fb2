/** Sockets and pipes in: the JavaScript twin of crates/serve, and the pipe that both engines use. */
export { listen } from './listen.js';
export { pipe } from './pipe.js';
