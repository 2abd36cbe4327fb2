/**
 * An event store in Redis, for streams that must outlive the memory of one process: a Redis stream for each, bounded in
 * length, gone a while after its last event. The connection is the user's: opened, watched and closed by them.
 */
import type { EventStore } from '../../protocol/events/store.js';
import type { JSONRPCMessage } from '../../protocol/types.js';

/** What is used of a client: a connected one of the package `redis` (version 5 or later) has it. */
export interface RedisEventCommands {
  xAdd(
    key: string,
    id: string,
    message: Record<string, string>,
    options?: { TRIM?: { strategy: 'MAXLEN'; strategyModifier?: '=' | '~'; threshold: number } },
  ): Promise<unknown>;
  /** Gives `{id, message}` for each entry. */
  xRange(key: string, start: string, end: string, options?: { COUNT?: number }): Promise<unknown>;
  expire(key: string, seconds: number): Promise<unknown>;
}

export interface RedisEventStoreOptions {
  /** A connected client. */
  client: RedisEventCommands;
  /** What every key begins with. Default `mcp:events:`. */
  prefix?: string;
  /** Most events kept of one stream, the oldest go first. Default 1000. */
  maxEvents?: number;
  /** Seconds after its last event that a stream is kept. Default 3600. */
  ttl?: number;
}

/** Events read at a time. */
const PAGE = 100;

/** @throws TypeError for a bad option */
export class RedisEventStore implements EventStore {
  readonly #client: RedisEventCommands;
  readonly #prefix: string;
  readonly #maxEvents: number;
  readonly #ttl: number;

  constructor(options: RedisEventStoreOptions) {
    const { client, prefix = 'mcp:events:', maxEvents = 1000, ttl = 3600 } = options;
    if (typeof client?.xAdd !== 'function' || typeof client.xRange !== 'function') {
      throw new TypeError('Option client must be a connected client of the package redis');
    }
    if (typeof prefix !== 'string') throw new TypeError('Option prefix must be a string');
    this.#client = client;
    this.#prefix = prefix;
    this.#maxEvents = positive('maxEvents', maxEvents);
    this.#ttl = positive('ttl', ttl);
  }

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const key = this.#prefix + streamId;
    const TRIM = { strategy: 'MAXLEN', strategyModifier: '=', threshold: this.#maxEvents } as const;
    const [entry] = await Promise.all([
      this.#client.xAdd(key, '*', { message: JSON.stringify(message) }, { TRIM }),
      this.#client.expire(key, this.#ttl),
    ]);
    return `${String(entry)}.${streamId}`;
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    const event = parse(eventId);
    if (event === undefined) return undefined;
    const found = await this.#range(this.#prefix + event.streamId, event.entry, event.entry);
    return found.length === 0 ? undefined : event.streamId;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const event = parse(lastEventId);
    // Without the event itself nobody can tell what else of its stream is gone.
    if (event === undefined || (await this.getStreamIdForEventId(lastEventId)) === undefined) return '';
    const key = this.#prefix + event.streamId;
    let after = event.entry;
    for (;;) {
      const page = await this.#range(key, `(${after}`, '+');
      for (const { id, message } of page) {
        after = String(id);
        await send(`${after}.${event.streamId}`, JSON.parse(String(message.message)) as JSONRPCMessage);
      }
      if (page.length < PAGE) return event.streamId;
    }
  }

  async #range(key: string, start: string, end: string): Promise<readonly Entry[]> {
    return ((await this.#client.xRange(key, start, end, { COUNT: PAGE })) ?? []) as readonly Entry[];
  }
}

interface Entry {
  readonly id: unknown;
  readonly message: { readonly message?: unknown };
}

/** Ids come from clients: what was not given out by `storeEvent` names no key. */
function parse(eventId: string): { entry: string; streamId: string } | undefined {
  const match = /^(\d{1,20}-\d{1,20})\.([\w.:-]{1,300})$/.exec(eventId);
  return match === null ? undefined : { entry: match[1] as string, streamId: match[2] as string };
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TypeError(`Option ${name} must be a whole number of at least 1, not ${String(value)}`);
}
