/**
 * The engine of peers that are alone on their connection, stdio and WebSocket: JavaScript whatever the choice, see
 * `PipeEngine`. Apart from the choice, because a server over stdio is started for every session and loads nothing else.
 */
import type { ChannelEngine } from './js/serve/ends.js';
import { pipe } from './js/serve/pipe.js';

export type { Channel, ChannelEvents } from './js/serve/ends.js';

export function pipeEngine(): ChannelEngine {
  return pipe;
}
