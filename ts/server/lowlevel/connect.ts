/**
 * One client over one transport, from `connect` to its end. Messages come as values and go up as text, once each way, to
 * the receiver that engines use, so that a message means the same whatever carried it.
 *
 * Which era a connection speaks is said by how its client opens it; a client that began in the modern one cannot fall back
 * any more.
 */
import type { Listener, Receiver } from '../../engine/engine.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import { PeerLink, type Via } from '../../protocol/peer.js';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '../../protocol/revisions.js';
import type { Session } from '../../protocol/sessions.js';
import type {
  ClientCapabilities,
  Implementation,
  JSONRPCMessage,
  ProtocolEra,
  RequestId,
} from '../../protocol/types.js';
import type { Client, Closable } from '../attach.js';
import { DEFAULT_LIMITS } from '../limits.js';
import type { MessageExtraInfo, Transport } from '../transports/transport.js';
import { claimOf, legacyRefused } from './claims.js';
import { quietly } from './protocol.js';
import { TransportListener } from './slots.js';

/** Most messages in work at a time; as over HTTP and stdio. */
const MAX_IN_FLIGHT = 10_000;
/** Most nested objects and arrays in a message; the same. */
const MAX_DEPTH = DEFAULT_LIMITS.maxDepth;

/** What a connection needs of the server behind it. */
export interface ConnectionHost {
  readonly receiver: Receiver;
  /** The legacy session of a listener, once its client did the handshake. */
  session(listener: Listener): Session | undefined;
  /** Called once, when the connection has ended. */
  ended(): void;
  failed(error: Error): void;
}

export class Connection implements Client, Closable {
  readonly transport: Transport;
  readonly listener: TransportListener;
  readonly #host: ConnectionHost;
  /** For clients that did no handshake; a session has its own. */
  readonly #peer: PeerLink;
  #era: ProtocolEra | undefined;
  #meta: Members | undefined;
  #ended = false;

  constructor(transport: Transport, host: ConnectionHost) {
    this.transport = transport;
    this.#host = host;
    this.listener = new TransportListener(transport, host.receiver, (error) => host.failed(error));
    this.#peer = new PeerLink((text) => {
      this.listener.send(JSON.parse(text) as JSONRPCMessage, text.length, undefined);
      return true;
    });
  }

  /**
   * Takes over the callbacks of the transport, whose earlier ones are still called, and starts it.
   * @throws whatever the transport's `start` rejects with
   */
  async open(versions: readonly string[]): Promise<void> {
    const { transport } = this;
    const { onclose, onerror, onmessage } = transport;
    const failed = (error: unknown) => this.#host.failed(error as Error);
    // By way of variables: see the note on closures in adapters/handler.ts.
    const ended = () => {
      quietly(() => onclose?.(), failed);
      this.#end();
    };
    const troubled = (error: Error) => {
      quietly(() => onerror?.(error), failed);
      this.#host.failed(error);
    };
    const received: Transport['onmessage'] = (message, extra) => {
      onmessage?.(message, extra);
      this.#receive(message, extra);
    };
    transport.onclose = ended;
    transport.onerror = troubled;
    transport.onmessage = received;
    transport.setSupportedProtocolVersions?.([...versions]);
    try {
      await transport.start();
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #receive(message: JSONRPCMessage, extra: MessageExtraInfo | undefined): void {
    if (this.#ended) return;
    const members = asMembers(message);
    if (members === undefined) {
      this.#host.failed(new Error(`Not a JSON-RPC message: ${typeof message}`));
      return;
    }
    const id = own(members, 'id') as RequestId | undefined;
    const method = own(members, 'method');
    const request = method !== undefined && Object.hasOwn(members, 'id');
    if (method === undefined && this.#session === undefined) {
      this.#peer.answered(id, own(members, 'result'), own(members, 'error'));
      return;
    }
    const refusal = this.#refusal(method, members, request);
    if (refusal !== undefined) {
      this.#refuse(request ? id : undefined, refusal);
      return;
    }
    try {
      this.listener.take(members, request ? id : undefined, extra);
    } catch {
      // What JSON cannot say, which only a transport without a wire can bring.
      this.#refuse(request ? id : undefined, { code: -32600, message: 'Invalid request: it is no JSON' });
    }
  }

  /** Nobody may wait for an answer that does not come. */
  #refuse(id: RequestId | undefined, error: { code: number; message: string }): void {
    if (id !== undefined) this.listener.send({ jsonrpc: '2.0', id, error } as JSONRPCMessage, 0, id);
    if (error.code === -32600) this.#host.failed(new Error(error.message));
  }

  /** Why a message may not come in. */
  #refusal(
    method: unknown,
    members: Members,
    request: boolean,
  ): { code: number; message: string; data?: unknown } | undefined {
    // As engines do: what nests deeper could not even be encoded again.
    if (deeper(members, MAX_DEPTH)) return { code: -32600, message: 'Invalid request: circular, or nested too deeply' };
    if (!request) return undefined;
    if (this.listener.inFlight >= MAX_IN_FLIGHT) return { code: -32000, message: 'Too many requests in work' };
    const params = asMembers(own(members, 'params'));
    const meta = params === undefined ? undefined : asMembers(own(params, '_meta'));
    const claim = claimOf(meta, true);
    if (claim === 'modern') {
      this.#meta = meta;
      // Asking what there is commits to nothing: the client may still find that it shares no revision.
      if (method !== 'server/discover') this.#era ??= 'modern';
    }
    if (claim !== 'legacy' || method !== 'initialize') return undefined;
    if (this.#era !== 'modern') {
      this.#era = 'legacy';
      return undefined;
    }
    const { code, message, data } = legacyRefused(params);
    return { code, message, data };
  }

  /** The session of the handshake. */
  get #session(): Session | undefined {
    return this.#host.session(this.listener);
  }

  get info(): Implementation | undefined {
    const info = this.#era === 'legacy' ? this.#session?.clientInfo : this.#meta?.[CLIENT_INFO_META_KEY];
    return asMembers(info) as Implementation | undefined;
  }
  get capabilities(): ClientCapabilities | undefined {
    if (this.#era === 'legacy') return this.#session?.capabilities;
    return asMembers(this.#meta?.[CLIENT_CAPABILITIES_META_KEY]) as ClientCapabilities | undefined;
  }
  get version(): string | undefined {
    if (this.#era === 'legacy') return this.#session?.version;
    return this.#meta?.[PROTOCOL_VERSION_META_KEY] as string | undefined;
  }
  get session(): Session | undefined {
    return this.#session;
  }
  get peer(): PeerLink {
    return this.#session?.peer ?? this.#peer;
  }

  via(related: RequestId | undefined): Via | null {
    const slot = related === undefined ? undefined : this.listener.slotOf(related);
    return slot === undefined ? null : { port: this.listener, slot };
  }

  async notify(method: string, params: object | undefined, relatedRequestId: RequestId | undefined): Promise<void> {
    const message = { jsonrpc: '2.0', method, ...(params === undefined ? undefined : { params }) } as JSONRPCMessage;
    await this.transport.send(message, relatedRequestId === undefined ? undefined : { relatedRequestId });
  }

  /**
   * Ends the connection.
   * @param options.grace milliseconds that running calls get first; default 0, as in the official SDK
   */
  async close(options: { grace?: number } = {}): Promise<void> {
    await this.listener.close(options.grace ?? 0);
    await this.transport.close();
    // Not every transport tells its own end.
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.listener.abandon();
    this.#peer.close('Connection closed');
    this.#host.ended();
  }
}

/** Whether a value nests deeper than so many objects and arrays. */
function deeper(root: unknown, most: number): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    const inner: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (depth === most) return true;
      for (const part of Array.isArray(value) ? value : Object.values(value)) {
        if (typeof part === 'object' && part !== null) inner.push(part);
      }
    }
    level = inner;
  }
  return false;
}
