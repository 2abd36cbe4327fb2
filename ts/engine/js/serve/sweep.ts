/**
 * Looks through the connections from time to time and ends those that bring nothing or take nothing. One timer for all.
 *
 * On node:http, heads and idleness are node's to watch; here are those on the lane, sessions of HTTP/2, and whatever waits
 * for its bytes to leave.
 */
import type { ServeConfig } from '../../engine.js';
import type { Conn } from './call.js';
import { StreamCall } from './http2.js';

export class Sweeper {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly config: ServeConfig,
    private readonly connections: () => Iterable<Conn>,
  ) {}

  start(): void {
    if (this.timer !== null) return;
    const { headerTimeout, idleTimeout, writeTimeout } = this.config;
    const least = Math.min(headerTimeout, idleTimeout, writeTimeout);
    const every = Math.min(Math.max(Math.ceil(least / 4), 20), 5000);
    this.timer = setInterval(() => {
      const now = performance.now();
      for (const conn of this.connections()) this.look(conn, now);
    }, every);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private look(conn: Conn, now: number): void {
    const { lane, session, socket } = conn;
    const { headerTimeout, idleTimeout } = this.config;
    if (session !== null) {
      if (conn.calls.length === 0) {
        if (now - conn.moved <= idleTimeout) return;
        // Told first; whoever does not take that either has no time left.
        if (session.closed) session.destroy();
        else session.close();
        conn.moved = now;
      } else if (this.stuck(conn, ...streams(conn), now)) session.destroy();
      return;
    }
    if (this.stuck(conn, socket.writableLength, socket.bytesWritten - socket.writableLength, queueOf(conn), now)) {
      socket.destroy();
      return;
    }
    if (lane === null || lane.call !== null) return;
    if (now - lane.since > (lane.served ? idleTimeout : headerTimeout)) socket.destroy();
  }

  /** Bytes wait, and none has left for too long. `sent` and `queued` change whenever some do. */
  private stuck(conn: Conn, unsent: number, sent: number, queued: number, now: number): boolean {
    if (unsent > 0 && sent === conn.sent && queued === conn.queued) return now - conn.moved > this.config.writeTimeout;
    conn.sent = sent;
    conn.queued = queued;
    conn.moved = now;
    return false;
  }
}

/** What the streams of a session have not sent, what they have, and what node has taken of it. */
function streams(conn: Conn): [number, number, number] {
  let unsent = 0;
  let sent = 0;
  for (const call of conn.calls) {
    if (!(call instanceof StreamCall)) continue;
    unsent += call.unsent;
    sent += call.sent;
  }
  return [unsent, sent, 0];
}

/** What the kernel has not taken of the write at hand: node tells of a write only when all of it is out. */
function queueOf({ socket }: Conn): number {
  return (socket as unknown as { _handle?: { writeQueueSize?: number } })._handle?.writeQueueSize ?? 0;
}
