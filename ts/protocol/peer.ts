/**
 * The other side of a legacy connection: how a server asks its client, and where the client's answers find who asked.
 *
 * Knows requests, ids and time; not streams. What a text is written to is either the stream of the call that asks or the
 * connection's standalone stream, both given from outside.
 */
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import { asMembers, type Members, own } from './incoming.js';
import type { Port } from './state.js';
import type { Progress, RequestId } from './types.js';

/** Milliseconds that a client gets to answer. */
export const DEFAULT_ASK_TIMEOUT = 60_000;
/** Longest delay that a timer takes: what is longer, Infinity among it, would come at once. */
const MAX_DELAY = 2 ** 31 - 1;
/** Most requests that wait for one client at a time. */
const MAX_PENDING = 1000;

export interface AskOptions {
  /** Milliseconds until the request is given up. Default 60,000. */
  timeout?: number;
  /** Gives the request up; the client is told. */
  signal?: AbortSignal;
  /** Asks the client for progress. */
  onprogress?: (progress: Progress) => void;
  /** Whether progress starts `timeout` again. Default false. */
  resetTimeoutOnProgress?: boolean;
  /** Milliseconds after which even progress does not help any more. Default: no such limit. */
  maxTotalTimeout?: number;
}

/** The call on whose own stream a request to the client goes. */
export interface Via {
  port: Pick<Port, 'event'>;
  slot: number;
}

export interface Peer {
  /**
   * Sends a request and waits for its result.
   * @param via the call on whose own stream it goes; null: the connection's standalone stream (GET, or the pipe)
   * @throws {ProtocolError} the client's own error; {@link PeerError} when there is no stream, or no answer in time;
   * whatever the signal was aborted with
   */
  request(
    method: string,
    params: object | undefined,
    via: Via | null,
    options?: AskOptions,
  ): Promise<Record<string, unknown>>;
  /** A notification on the standalone stream; false when there is none. */
  notify(method: string, params: object | undefined): boolean;
}

export type PeerErrorCode = 'REQUEST_TIMEOUT' | 'CONNECTION_CLOSED' | 'TOO_MANY_REQUESTS';

/** A request to the client that got no answer. */
export class PeerError extends Error {
  readonly code: PeerErrorCode;
  readonly data: Record<string, unknown> | undefined;

  constructor(code: PeerErrorCode, message: string, data?: Record<string, unknown>) {
    super(message);
    this.name = 'PeerError';
    this.code = code;
    this.data = data;
  }
}

interface Pending {
  readonly via: Via | null;
  readonly onprogress: ((progress: Progress) => void) | undefined;
  /** Starts the time again, when the options say so. */
  readonly prolong: () => void;
  /** Ends the request; nothing after the first does anything. */
  readonly succeed: (result: Record<string, unknown>) => void;
  readonly fail: (error: unknown) => void;
}

/** One connection's {@link Peer}. */
export class PeerLink implements Peer {
  readonly #standalone: (text: string) => boolean;
  readonly #pending = new Map<RequestId, Pending>();
  #next = 1;
  #closed: string | undefined;

  /** @param standalone writes a message to the connection's standalone stream; false when nobody reads it */
  constructor(standalone: (text: string) => boolean) {
    this.#standalone = standalone;
  }

  /** Requests that wait for an answer. */
  get waiting(): number {
    return this.#pending.size;
  }

  request(
    method: string,
    params: object | undefined,
    via: Via | null,
    options: AskOptions = {},
  ): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) return reject(signal.reason);
      if (this.#closed !== undefined) return reject(new PeerError('CONNECTION_CLOSED', this.#closed));
      if (this.#pending.size >= MAX_PENDING) {
        return reject(
          new PeerError('TOO_MANY_REQUESTS', `${MAX_PENDING} requests to the client wait for an answer already`),
        );
      }
      const id = this.#next;
      const text = encode(method, id, params, options.onprogress !== undefined);
      this.#next += 1;
      const clock = new Clock(options, (message, data) => {
        this.#giveUp(id, new PeerError('REQUEST_TIMEOUT', message, data), message);
      });
      const aborted = (): void => this.#giveUp(id, signal?.reason, reasonText(signal?.reason));
      const settle = (): boolean => {
        clock.stop();
        signal?.removeEventListener('abort', aborted);
        return this.#pending.delete(id);
      };
      this.#pending.set(id, {
        via,
        onprogress: options.onprogress,
        prolong: () => clock.prolong(),
        succeed: (result) => settle() && resolve(result),
        fail: (error) => settle() && reject(error),
      });
      signal?.addEventListener('abort', aborted);
      if (!this.#send(text, via)) {
        const why = `Cannot send ${method}: the client has no open stream that could carry it`;
        this.#pending.get(id)?.fail(new PeerError('CONNECTION_CLOSED', why));
      }
    });
  }

  notify(method: string, params: object | undefined): boolean {
    return this.#closed === undefined && this.#standalone(encode(method, undefined, params, false));
  }

  /** The client's answer. Unknown ids are ignored: the request may have been given up meanwhile. */
  answered(id: RequestId | undefined, result: unknown, error: unknown): void {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (pending === undefined) return;
    const members = asMembers(result);
    if (error !== undefined) pending.fail(clientError(error));
    else if (members !== undefined) pending.succeed(members);
    else pending.fail(new ProtocolError(ProtocolErrorCode.InvalidRequest, 'The client answered with no result object'));
  }

  /** `notifications/progress` from the client, about a request of ours. */
  progressed(params: Members | undefined): void {
    if (params === undefined) return;
    const token = own(params, 'progressToken');
    const progress = own(params, 'progress');
    if ((typeof token !== 'number' && typeof token !== 'string') || typeof progress !== 'number') return;
    const pending = this.#pending.get(token);
    if (pending?.onprogress === undefined) return;
    const total = own(params, 'total');
    const message = own(params, 'message');
    pending.prolong();
    try {
      pending.onprogress({
        progress,
        ...(typeof total === 'number' ? { total } : undefined),
        ...(typeof message === 'string' ? { message } : undefined),
      });
    } catch {
      // A listener of the user's: what it throws concerns neither the client nor the request.
    }
  }

  /** The connection ended: all that waits fails, and so does all that comes. */
  close(why: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    for (const pending of [...this.#pending.values()]) pending.fail(new PeerError('CONNECTION_CLOSED', why));
  }

  #giveUp(id: RequestId, error: unknown, reason: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.fail(error);
    this.#send(encode('notifications/cancelled', undefined, { requestId: id, reason }, false), pending.via);
  }

  #send(text: string, via: Via | null): boolean {
    // A call that cannot stream, or whose client left, may still have the standalone stream beside it.
    if (via !== null && via.port.event(via.slot, '', text) !== -1) return true;
    return this.#standalone(text);
  }
}

/** The two limits of time of one request. */
class Clock {
  readonly #timeout: number;
  readonly #resets: boolean;
  readonly #expired: (message: string, data: Record<string, unknown>) => void;
  #timer: NodeJS.Timeout;
  #total: NodeJS.Timeout | undefined;

  constructor(options: AskOptions, expired: (message: string, data: Record<string, unknown>) => void) {
    this.#timeout = options.timeout ?? DEFAULT_ASK_TIMEOUT;
    this.#resets = options.resetTimeoutOnProgress === true;
    this.#expired = expired;
    this.#timer = this.#start();
    const most = options.maxTotalTimeout;
    if (most !== undefined) {
      const late = (): void => expired('Maximum total timeout exceeded', { maxTotalTimeout: most });
      this.#total = setTimeout(late, Math.min(most, MAX_DELAY)).unref();
    }
  }

  prolong(): void {
    if (!this.#resets) return;
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#total);
  }

  #start(): NodeJS.Timeout {
    const timeout = this.#timeout;
    const late = (): void => this.#expired('Request timed out', { timeout });
    return setTimeout(late, Math.min(timeout, MAX_DELAY)).unref();
  }
}

function encode(method: string, id: RequestId | undefined, params: object | undefined, progress: boolean): string {
  let sent = params;
  if (progress) {
    const meta = asMembers((params as Members | undefined)?._meta);
    sent = { ...params, _meta: { ...meta, progressToken: id } };
  }
  return JSON.stringify({ jsonrpc: '2.0', id, method, params: sent });
}

/** The error of an untrusted answer: its code and message are the client's, whatever they are. */
function clientError(error: unknown): ProtocolError {
  const members = asMembers(error) ?? {};
  const code = own(members, 'code');
  const message = own(members, 'message');
  return ProtocolError.fromError(
    Number.isSafeInteger(code) ? (code as number) : ProtocolErrorCode.InternalError,
    typeof message === 'string' ? message : 'The client answered with an error',
    own(members, 'data'),
  );
}

function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'Cancelled';
}
