/**
 * One WebSocket as a channel of messages: what is refused of it, what is kept back, and whether its client is alive. What
 * the messages mean is not known here.
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Channel, ChannelEvents } from '../../engine/pipe.js';

/** Close codes (RFC 6455, 7.4.1; 1013 is IANA's). */
export const Close = { goingAway: 1001, unsupported: 1003, policy: 1008, later: 1013 } as const;

export class SocketChannel implements Channel {
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #may: () => boolean;
  #events: ChannelEvents | undefined;
  #paused = false;
  /** Came in the same piece of the stream as what made us pause. */
  #kept: Buffer[] = [];
  #corked = false;
  #over = false;
  #moved = performance.now();
  #read = 0;
  #left = 0;
  #queued = 0;
  #pinged = false;

  /** @param may asked for each message: false ends the connection, whose token has had its time */
  constructor(ws: WebSocket, socket: Socket, may: () => boolean) {
    this.#ws = ws;
    this.#socket = socket;
    this.#may = may;
    // What went wrong is in the close code; `close` follows.
    ws.on('error', () => {});
  }

  start(events: ChannelEvents): void {
    this.#events = events;
    this.#ws.on('message', (data, binary) => this.#receive(data as Buffer, binary));
    this.#ws.on('close', () => this.#end());
  }

  #receive(data: Buffer, binary: boolean): void {
    if (this.#over) return;
    if (binary) this.close(Close.unsupported, 'A message is a text frame');
    else if (this.#paused) this.#kept.push(data);
    else this.#deliver(data);
  }

  #deliver(data: Buffer): void {
    if (this.#may()) this.#events?.message(data);
    else this.close(Close.policy, 'The access token has expired');
  }

  send(text: string, sent: (error?: Error | null) => void): void {
    // What is sent in one turn goes to the system at once.
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    this.#ws.send(text, sent);
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };

  pause(): void {
    this.#paused = true;
    this.#ws.pause();
  }

  resume(): void {
    this.#paused = false;
    const kept = this.#kept;
    if (kept.length > 0) {
      this.#kept = [];
      for (const data of kept) this.#receive(data, false);
    }
    if (!this.#paused) this.#ws.resume();
  }

  cut(): void {
    this.#ws.terminate();
  }

  /**
   * Ends the connection with a reason; what runs for it is aborted. One that does not answer is cut by the library soon.
   * @param reason at most 123 bytes
   */
  close(code: number, reason: string): void {
    this.#over = true;
    this.#kept = [];
    this.#ws.close(code, reason);
    // Whatever waits for the client to read must not keep its answer from being read.
    this.#ws.resume();
    this.#events?.gone();
  }

  #end(): void {
    this.#over = true;
    this.#kept = [];
    this.#events?.gone();
  }

  /**
   * Pings a client that is silent for half of the time, and cuts it when it is for all of it. While bytes wait for it,
   * their leaving is its sign of life: it may have to read them before it sees a ping.
   */
  look(now: number, idleTimeout: number): void {
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    const queued = (this.#socket as unknown as { _handle?: { writeQueueSize?: number } })._handle?.writeQueueSize ?? 0;
    const left = bytesWritten - writableLength;
    const waiting = writableLength > 0 || queued > 0;
    const moved = bytesRead !== this.#read || (waiting && (left !== this.#left || queued !== this.#queued));
    this.#read = bytesRead;
    this.#left = left;
    this.#queued = queued;
    if (moved) {
      this.#moved = now;
      this.#pinged = false;
    } else if (now - this.#moved > idleTimeout) this.cut();
    else if (!this.#pinged && !waiting && now - this.#moved > idleTimeout / 2) {
      this.#pinged = true;
      this.#ws.ping();
    }
  }
}
