/**
 * What a mount and the adapters in front of it say to each other: a request, the sink of its response, and its state in
 * between. What happens to it is decided in mount.ts.
 */
import type { Receiver, Registry, ServeConfig } from '../../engine.js';
import type { JsEntry } from '../registry/index.js';
import type { Head } from './head.js';
import type { Asked } from './intake.js';
import type { Mount } from './mount.js';

/** Where the response of one request goes. Nothing here throws; a sink whose client left ignores what it is told. */
export interface Sink {
  /** A whole response. @param head names and values in turn; @param text empty: no body */
  whole(status: number, head: readonly string[], text: string): void;
  /** The head of a body in pieces. */
  open(status: number, head: readonly string[]): void;
  /** A piece. @returns bytes not sent yet; once they passed the high-water mark the sink calls {@link Mount.drained} */
  write(text: string): number;
  /** The end of a body in pieces. @param text the last piece, may be empty */
  end(text: string): void;
  /** Cuts the response off: the client sees that it is not complete. */
  cut(): void;
}

/** Which of the guard's checks somebody in front has made already, or nobody wants. */
export const Skip = { none: 0, host: 1, origin: 2, both: 3 } as const;

/** Response modes. auto: JSON unless there are events; stream: always events; json: events are dropped. */
export const Mode = { auto: 0, stream: 1, json: 2 } as const;

export interface MountRequest {
  /** HTTP method, upper case. */
  readonly method: string;
  /** Request target: path and query. */
  readonly target: string;
  /** Header names and values in turn, as `rawHeaders` of node. */
  readonly raw: readonly string[];
  readonly sink: Sink;
  /** A sum of {@link Skip}. */
  readonly skip: number;
  /** The body was read, unpacked and measured by somebody in front. */
  readonly parsed: boolean;
  /** Somebody in front has vouched for who it is. */
  readonly vouched: boolean;
}

/** A request between its head and its reply. */
export class MountCall implements Asked {
  /** Slot handle, -1 while it has none. */
  slot = -1;
  counted = true;
  id = '';
  message: Buffer | null = null;
  /** All of the message, for receivers that are asked about names which they do not know yet. */
  bytes: Buffer | null = null;
  metaStart = -1;
  metaEnd = -1;
  entry: JsEntry | null = null;
  principal = 0;
  /** For one of the paths besides the endpoint. */
  other = false;
  /** The body goes out in pieces. */
  streaming = false;
  /** The pieces are the caller's own and not events. */
  opened = false;
  /** The writer was asked to wait. */
  waiting = false;
  /** Answered, refused or left. */
  done = false;
  /** The message itself claims the modern era. */
  modern = false;
  /** It asks for a stream that stays, which no response mode can change. */
  subscription = false;

  constructor(
    readonly request: MountRequest,
    readonly head: Head,
    /** Milliseconds, `performance.now()`. */
    readonly started: number,
  ) {}

  get wantsBody(): boolean {
    return !this.done && this.slot < 0;
  }
}

export interface MountOptions {
  /** Of a listener; what concerns sockets is not read. */
  readonly config: ServeConfig;
  /** One of {@link Mode}. */
  readonly mode: number;
  /** Milliseconds between comments on an event stream; 0: none. */
  readonly keepAlive: number;
  /** A request that had a slot is over; nothing is found under the slot any more. `left`: its client is gone. */
  readonly ended: ((call: MountCall, left: boolean) => void) | null;
  /** An error was answered: its HTTP status and its text. */
  readonly problem: ((status: number, text: string) => void) | null;
}

/** What the choice of the engine gives for mounting: JavaScript whatever the engine, as the request is there already. */
export interface MountEngine {
  createRegistry(): Registry;
  /** A registry that takes every tool, prompt and resource for a handler's: whether it is there turns out above. */
  anyName(): Registry;
  mount(options: MountOptions, registry: Registry, receiver: Receiver): Mount;
}
