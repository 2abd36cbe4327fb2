/**
 * One connection whose server is made by a factory: once for the era in which its client opens it, and once more, for
 * nothing, when the client asked in the modern era what there is and then fell back to the legacy one.
 *
 * Stands between a listener and the receivers of the servers that are made. Messages keep their order: while a server is
 * being made, what comes waits.
 */
import type { Listener, Receiver } from '../../engine/engine.js';
import { Shape } from '../../engine/engine.js';
import { errorText, ProtocolErrorCode } from '../../protocol/errors.js';
import { type Incoming, readIncoming } from '../../protocol/incoming.js';
import type { ProtocolEra } from '../../protocol/types.js';
import { Attachment, attachmentOf } from '../attach.js';
import { catalogOf } from '../options.js';
import { claimOf, legacyRefused } from './claims.js';

/** Most messages that wait for a server to be made. */
const MAX_WAITING = 10_000;

export interface OpeningHost {
  /** Makes a server; what it rejects with is told to `failed`, and the request is answered with an error. */
  make(era: ProtocolEra): unknown;
  /** Whether legacy clients are served. */
  readonly legacy: boolean;
  /** From now on this server has the connection. */
  pinned(server: Attachment): void;
  failed(error: Error): void;
}

interface Waiting {
  readonly listener: Listener;
  readonly slot: number;
  readonly body: string;
}

export class Opening implements Receiver {
  readonly #host: OpeningHost;
  #server: Attachment | undefined;
  #era: ProtocolEra | undefined;
  #blank: Attachment | undefined;
  #waiting: Waiting[] = [];
  #working = false;
  #over = false;

  constructor(host: OpeningHost) {
    this.#host = host;
  }

  /** The server that has the connection, or answered the question what there is. */
  get server(): Attachment | undefined {
    return this.#server;
  }

  /** The connection ended: a server that is still being made is closed when it comes. */
  end(): void {
    this.#over = true;
    this.#waiting = [];
  }

  call(listener: Listener, slot: number, handler: number, flags: number, args: string): void {
    this.#server?.receiver().call(listener, slot, handler, flags, args);
  }

  message(listener: Listener, slot: number, _method: string, body: string): void {
    const message = { listener, slot, body };
    if (this.#era !== undefined && this.#waiting.length === 0) this.#deliver(message);
    else if (this.#waiting.length >= MAX_WAITING) refuse(message, ProtocolErrorCode.ServerError, 'Too many requests');
    else {
      this.#waiting.push(message);
      if (!this.#working) void this.#work();
    }
  }

  abort(listener: Listener, slot: number): void {
    this.#waiting = this.#waiting.filter((message) => message.slot !== slot);
    this.#server?.receiver().abort(listener, slot);
  }

  drain(listener: Listener, slot: number): void {
    this.#server?.receiver().drain(listener, slot);
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        await this.#open(next);
      } catch (error) {
        this.#host.failed(error instanceof Error ? error : new Error(String(error)));
        refuse(next, ProtocolErrorCode.InternalError, 'Internal server error');
      }
      // It stands there until it is dealt with, so that what comes meanwhile waits behind it.
      if (this.#waiting[0] === next) this.#waiting.shift();
    }
    this.#working = false;
  }

  async #open(message: Waiting): Promise<void> {
    if (this.#era !== undefined) return this.#deliver(message);
    const incoming = readIncoming(JSON.parse(message.body));
    // Nothing was asked yet that could be answered, and what is no message gets the error that it deserves.
    if (!('kind' in incoming) || incoming.kind === 'response') return this.#toBlank(message);
    const claim = claimOf(incoming.meta, incoming.kind === 'request');
    if (claim === 'bad') return this.#toBlank(message);
    if (claim === 'legacy') return this.#openLegacy(message, incoming);
    this.#server ??= await this.#make('modern');
    // Asking what there is commits to nothing.
    if (incoming.method !== 'server/discover' && incoming.kind === 'request') this.#pin('modern');
    this.#deliver(message);
  }

  async #openLegacy(message: Waiting, incoming: Incoming): Promise<void> {
    if (!this.#host.legacy) {
      if (incoming.kind !== 'request') return accept(message);
      const { code, message: why, data } = legacyRefused(incoming.params);
      refuse(message, code, why, data);
      return;
    }
    const probed = this.#server;
    this.#server = undefined;
    await probed?.close({ grace: 0 });
    probed?.watcher?.ended();
    this.#server = await this.#make('legacy');
    this.#pin('legacy');
    this.#deliver(message);
  }

  async #make(era: ProtocolEra): Promise<Attachment> {
    const server = attachmentOf(await this.#host.make(era));
    if (!this.#over) return server;
    await server.close({ grace: 0 });
    throw new Error('The connection was closed while its server was made');
  }

  #pin(era: ProtocolEra): void {
    this.#era = era;
    this.#host.pinned(this.#server as Attachment);
  }

  #deliver(message: Waiting): void {
    if (this.#era === 'modern' && isHandshake(message.body)) {
      const incoming = readIncoming(JSON.parse(message.body)) as Incoming;
      const { code, message: why, data } = legacyRefused(incoming.params);
      refuse(message, code, why, data);
    } else (this.#server as Attachment).receiver().message(message.listener, message.slot, 'PIPE', message.body);
  }

  /** To a server that offers nothing: it knows the errors. */
  #toBlank(message: Waiting): void {
    this.#blank ??= new Attachment(catalogOf({ name: 'opening', version: '0' }, undefined, false));
    this.#blank.receiver().message(message.listener, message.slot, 'PIPE', message.body);
  }
}

/** Whether a message is a legacy handshake. Read again only when it looks like one. */
function isHandshake(body: string): boolean {
  if (!body.includes('"initialize"')) return false;
  const incoming = readIncoming(JSON.parse(body));
  if (!('kind' in incoming) || incoming.kind !== 'request' || incoming.method !== 'initialize') return false;
  return claimOf(incoming.meta, true) === 'legacy';
}

function refuse(message: Waiting, code: number, why: string, data?: unknown): void {
  // A notification has no id and is not answered.
  if (message.listener.id(message.slot) === '') return accept(message);
  message.listener.reply(message.slot, 200, Shape.error, 0, '', errorText(code, why, data));
}

function accept({ listener, slot }: Waiting): void {
  listener.reply(slot, 202, Shape.raw, 0, '', '');
}
