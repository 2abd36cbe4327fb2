/**
 * `createMcpHandler`: one handler for requests that another HTTP server accepted. Behind it stands a server, which serves
 * all of them, or a factory, which is asked for a server for every one.
 *
 * With a server, calls take the engine's fast way through a registry. With a factory there is nothing to register: the
 * message goes to the dispatcher of the server that was just made, without a transport in between.
 *
 * A note on closures, for all that is made for one request: V8 puts a function that is assigned to a property where it is
 * written (`this.f = () => ...`) among its old objects at once. It and all it refers to, here a whole server, then outlive
 * every quick collection, and so do those that come after it. A function that goes through a variable does not.
 */
import type { Dispatch, DispatchOptions } from '../../dispatch.js';
import { CallFlag, type Listener, type Receiver, Shape } from '../../engine/engine.js';
import { type Mount, type MountCall, type MountOptions, mountEngine } from '../../engine/mount.js';
import type { ChangeBus } from '../../protocol/changes.js';
import { errorText, ProtocolErrorCode } from '../../protocol/errors.js';
import type { Guard } from '../../protocol/guard.js';
import { claimsModern, MODERN_VERSIONS, PROTOCOL_VERSION_META_KEY } from '../../protocol/revisions.js';
import type { AuthInfo, ProtocolEra } from '../../protocol/types.js';
import { attachmentOf } from '../attach.js';
import { Gatekeeper } from '../auth/gatekeeper.js';
import { RequestClient } from '../lowlevel/request-client.js';
import type { McpServer } from '../mcp.js';
import type { HandlerMethod } from '../offer.js';
import type { ServerEventBus, ServerNotifier } from './bus.js';
import { busOf, changesOf, createServerNotifier, InMemoryServerEventBus } from './bus.js';
import { classifyInboundRequest, modernOnlyStrictRejection } from './classify.js';
import { type AdapterRequest, type Mounted, remember, type Serving, Voucher } from './mounted.js';
import { type CreateMcpHandlerOptions, type HandlerSettings, settingsOf } from './options.js';
import { type McpHandlerRequestOptions, serveWeb } from './webface.js';

/** What a factory is told about the request that it makes a server for. */
export interface McpRequestContext {
  /** The era that the request belongs to. */
  era: 'legacy' | 'modern';
  /** Who asks, as the caller of the handler has found out. */
  authInfo?: AuthInfo | undefined;
  /** The HTTP request, without its body. */
  requestInfo?: Request;
}

/** A server of either class: `McpServer`, or the low-level `Server`. */
export type McpServerLike = Pick<McpServer, 'close'>;

/** Makes a server for one request, or for one connection on stdio. */
export type McpServerFactory = (context: McpRequestContext) => McpServerLike | Promise<McpServerLike>;

export interface McpHttpHandler {
  /** Serves one request. Bound: it may be taken off and passed around. Rejects after `close`. */
  fetch: (request: Request, options?: McpHandlerRequestOptions) => Promise<Response>;
  /** Ends what is in flight, subscriptions too, and takes no more requests. */
  close: () => Promise<void>;
  /** Tells subscribers of changes. */
  notify: ServerNotifier;
  /** What subscribers listen to. */
  bus: ServerEventBus;
}

/**
 * @param server a server, or a function that makes one for every request
 * @throws TypeError or RangeError for a bad option; TypeError when there is neither server nor factory
 */
export function createMcpHandler(
  server: McpServerFactory | McpServerLike,
  options: CreateMcpHandlerOptions = {},
): McpHttpHandler {
  const shared = typeof server !== 'function';
  const settings = settingsOf(options, shared);
  return shared ? sharedHandler(server, settings, options) : factoryHandler(server, settings, options.bus);
}

function sharedHandler(
  server: McpServerLike,
  open: HandlerSettings,
  { auth, bus: given }: CreateMcpHandlerOptions,
): McpHttpHandler {
  const attachment = attachmentOf(server);
  const engine = mountEngine();
  const own = auth === undefined ? undefined : new Gatekeeper(auth, attachment.catalog);
  const settings = own === undefined ? open : guardedSettings(open, own);
  const guard = new Voucher(() => mount, attachment.catalog, own);
  const changes = given === undefined ? undefined : changesOf(given);
  const options = { ...dispatchOptions(settings, changes, guard), ...(own !== undefined && { paths: own.paths }) };
  const receiver = attachment.own(options);
  const { registry, detach } = attachment.attach(engine.createRegistry(), options, receiver);
  const strict = settings.legacy === 'reject' ? new ModernOnly(receiver) : receiver;
  const mount: Mount = engine.mount(mountOptions(settings, null), registry, strict);
  const letGo = own?.attach(mount);
  const bus = given ?? busOf(attachment.catalog.changes);
  const handler = handlerOf(mount, settings, bus, {
    closing: () => receiver.closing(mount),
    closed() {
      letGo?.();
      detach(mount);
      attachment.listeners.delete(handler);
    },
  });
  attachment.listeners.add(handler);
  return handler;
}

/** What the mount has to know of an authorization of the handler's own. */
function guardedSettings(settings: HandlerSettings, own: Gatekeeper): HandlerSettings {
  return { ...settings, config: { ...settings.config, authorize: true, otherPaths: [...own.paths.keys()] } };
}

function factoryHandler(
  factory: McpServerFactory,
  settings: HandlerSettings,
  given: ServerEventBus | undefined,
): McpHttpHandler {
  const engine = mountEngine();
  const bus = given ?? new InMemoryServerEventBus(settings.report);
  const receiver = new Factory(factory, settings, changesOf(bus), () => mount);
  const ended = (call: MountCall, left: boolean) => receiver.ended(mount, call, left);
  const mount: Mount = engine.mount(mountOptions(settings, ended), engine.anyName(), receiver);
  return handlerOf(mount, settings, bus, { closing: () => receiver.closing(mount), closed() {} });
}

function mountOptions(settings: HandlerSettings, ended: MountOptions['ended']): MountOptions {
  const { config, mode, keepAlive, report } = settings;
  const problem = (status: number, text: string) => report(new Error(`Request refused with ${status}: ${text}`));
  return { config, mode, keepAlive, ended, problem };
}

function dispatchOptions(settings: HandlerSettings, changes: ChangeBus | undefined, guard: Guard): DispatchOptions {
  return {
    sessions: settings.legacy === 'sessions',
    maxStreams: settings.maxSubscriptions,
    keepAlive: 0, // the mount sends the comments of all its streams
    changes,
    guard,
  };
}

function handlerOf(
  mount: Mount,
  settings: HandlerSettings,
  bus: ServerEventBus,
  events: { closing(): void; closed(): void },
): McpHttpHandler & { close(options?: { grace?: number }): Promise<void> } {
  let open = true;
  const mounted: Mounted = {
    mount,
    settings,
    assertOpen() {
      if (!open) throw new Error('This MCP handler has been closed');
    },
  };
  const fetch = async (request: Request, options?: McpHandlerRequestOptions): Promise<Response> => {
    mounted.assertOpen();
    return serveWeb(mounted, request, options);
  };
  remember(fetch, mounted);
  return {
    fetch,
    bus,
    notify: createServerNotifier(bus),
    async close(options?: { grace?: number }): Promise<void> {
      if (!open) return;
      open = false;
      events.closing();
      await mount.close(options?.grace ?? 0);
      events.closed();
    },
  };
}

// ------------------------------------------------------------------------------------------------------- factories

const NOT_ALLOWED = errorText(ProtocolErrorCode.ServerError, 'Method not allowed.');
const FULL = errorText(ProtocolErrorCode.InternalError, 'Subscription limit reached');
const INTERNAL = errorText(ProtocolErrorCode.InternalError, 'Internal server error');

type Serve = (receiver: Dispatch, server: McpServerLike) => void;

/** Asks the factory for every message, and hands it to the server that comes. */
class Factory implements Receiver {
  readonly #factory: McpServerFactory;
  readonly #settings: HandlerSettings;
  readonly #changes: ChangeBus;
  readonly #mount: () => Mount;
  /** Slots of open subscriptions. Each has a dispatcher of its own, so that none of these could count them. */
  readonly #subscriptions = new Set<number>();

  constructor(factory: McpServerFactory, settings: HandlerSettings, changes: ChangeBus, mount: () => Mount) {
    this.#mount = mount;
    this.#factory = factory;
    this.#settings = settings;
    this.#changes = changes;
  }

  /** A call that is beyond doubt, but for the name. */
  call(listener: Listener, slot: number, _handler: number, flags: number, args: string): void {
    const call = (listener as Mount).find(slot);
    if (call === null) return;
    const era = (flags & CallFlag.legacy) === 0 ? 'modern' : 'legacy';
    this.#make(listener, slot, call, era, (receiver, server) => {
      const { method = '', name = '' } = call.entry ?? {};
      const number = attachmentOf(server).catalog.published(method as HandlerMethod, name);
      if (number !== -1) receiver.call(listener, slot, number, flags, args);
      // Unknown, or not for engines to decide: the protocol finds out what to say.
      else receiver.message(listener, slot, 'POST', call.bytes?.toString('utf8') ?? '');
    });
  }

  message(listener: Listener, slot: number, method: string, body: string): void {
    const call = (listener as Mount).find(slot);
    if (call === null) return;
    if (method !== 'POST') {
      listener.reply(slot, 405, Shape.error, 0, 'allow: POST\r\n', NOT_ALLOWED);
      return;
    }
    const { version } = call.head;
    const claims = (version !== null && claimsModern(version)) || claimedIn(listener.meta(slot));
    if (!claims && this.#settings.legacy === 'reject') {
      refuseLegacy(listener as Mount, slot, body);
      return;
    }
    // The headers of a modern request agree with its message, or it is refused.
    if (claims && call.head.method === 'subscriptions/listen') {
      if (this.#subscriptions.size >= this.#settings.maxSubscriptions) {
        listener.reply(slot, 200, Shape.error, 0, '', FULL);
        return;
      }
      this.#subscriptions.add(slot);
    }
    this.#make(listener, slot, call, claims ? 'modern' : 'legacy', (receiver) => {
      receiver.message(listener, slot, 'POST', body);
    });
  }

  #make(listener: Listener, slot: number, call: MountCall, era: ProtocolEra, serve: Serve): void {
    try {
      const made = this.#factory(new FactoryContext(call.request as AdapterRequest, era));
      if (typeof (made as { then?: unknown }).then !== 'function') {
        this.#serve(listener, slot, made as McpServerLike, serve);
        return;
      }
      Promise.resolve(made)
        .then((server) => this.#serve(listener, slot, server, serve))
        .catch((error: unknown) => this.#failed(listener, slot, error));
    } catch (error) {
      this.#failed(listener, slot, error);
    }
  }

  #serve(listener: Listener, slot: number, server: McpServerLike, serve: Serve): void {
    const request = (listener as Mount).find(slot)?.request as AdapterRequest | undefined;
    // The client may have left while the factory was at work.
    if (request === undefined) {
      this.#close(server);
      return;
    }
    const attachment = attachmentOf(server);
    attachment.client ??= new RequestClient(listener, slot);
    const guard = new Voucher(this.#mount, attachment.catalog);
    const receiver = attachment.receiver(dispatchOptions(this.#settings, this.#changes, guard));
    request.serving = { server, receiver };
    serve(receiver, server);
  }

  /** What went wrong is for the server's owner, not for the client. */
  #failed(listener: Listener, slot: number, error: unknown): void {
    this.#settings.report(error instanceof Error ? error : new Error(String(error)));
    listener.reply(slot, 500, Shape.error, 1, '', INTERNAL);
  }

  /** See {@link ended}: the slot leads nowhere any more. */
  abort(): void {}

  drain(listener: Listener, slot: number): void {
    servingAt(listener, slot)?.receiver.drain(listener, slot);
  }

  /** Ends subscriptions with the result that says so. */
  closing(listener: Listener): void {
    for (const slot of [...this.#subscriptions]) servingAt(listener, slot)?.receiver.closing(listener);
  }

  /** The request is over, and the server with it. */
  ended(mount: Mount, call: MountCall, left: boolean): void {
    if (this.#subscriptions.size > 0) this.#subscriptions.delete(call.slot);
    const request = call.request as AdapterRequest;
    const { serving } = request;
    if (serving === null) return;
    // What outlives its request for a while, such as the sockets of node:http, must not keep a whole server with it.
    request.serving = null;
    if (left) serving.receiver.abort(mount, call.slot);
    this.#close(serving.server);
  }

  #close(server: McpServerLike): void {
    server.close().catch(this.#settings.report);
  }
}

function servingAt(listener: Listener, slot: number): Serving | null | undefined {
  return ((listener as Mount).find(slot)?.request as AdapterRequest | undefined)?.serving;
}

/**
 * A class, so that nothing is made before it is asked for: an object literal with a getter would get a hidden class of its
 * own each time, which holds on to the getter, and through it to the request and its server, until the next full collection.
 */
class FactoryContext implements McpRequestContext {
  readonly era: ProtocolEra;
  readonly authInfo: AuthInfo | undefined;
  readonly #request: AdapterRequest;

  constructor(request: AdapterRequest, era: ProtocolEra) {
    this.era = era;
    this.authInfo = request.authInfo;
    this.#request = request;
  }

  get requestInfo(): Request {
    return this.#request.webRequest();
  }
}

const CLAIM = `"${PROTOCOL_VERSION_META_KEY}"`;

/**
 * Whether `_meta` names a revision, as the protocol finds it: a value of that text, or a key further down, does not, and a
 * key may be spelled with escapes.
 */
function claimedIn(meta: string): boolean {
  return (
    (meta.includes(CLAIM) || meta.includes('\\')) &&
    Object.hasOwn(JSON.parse(meta) as object, PROTOCOL_VERSION_META_KEY)
  );
}

// ------------------------------------------------------------------------------------------------ modern era alone

/** The error that tells a legacy client what is served here. Notifications are accepted and dropped. */
function refuseLegacy(mount: Mount, slot: number, body: string): void {
  const outcome = classified(mount, slot, 'POST', body);
  if (outcome.kind === 'modern') return;
  const refusal = outcome.kind === 'reject' ? outcome : modernOnlyStrictRejection(outcome, MODERN_VERSIONS);
  if (refusal === undefined) {
    mount.reply(slot, 202, Shape.raw, 0, '', '');
    return;
  }
  const { httpStatus, code, message, data } = refusal;
  mount.reply(slot, httpStatus, Shape.error, 0, '', errorText(code, message, data));
}

function classified(mount: Mount, slot: number, httpMethod: string, body: string) {
  const head = mount.find(slot)?.head;
  return classifyInboundRequest({
    httpMethod,
    ...(head?.version != null && { protocolVersionHeader: head.version }),
    ...(head?.method != null && { mcpMethodHeader: head.method }),
    ...(body !== '' && { body: JSON.parse(body) as unknown }),
  });
}

/** In front of a shared server that serves the modern era alone. */
class ModernOnly implements Receiver {
  readonly #receiver: Receiver;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  call(listener: Listener, slot: number, handler: number, flags: number, args: string): void {
    this.#receiver.call(listener, slot, handler, flags, args);
  }

  message(listener: Listener, slot: number, method: string, body: string): void {
    const mount = listener as Mount;
    if (method !== 'POST') mount.reply(slot, 405, Shape.error, 0, 'allow: POST\r\n', NOT_ALLOWED);
    else if (classified(mount, slot, method, body).kind !== 'legacy')
      this.#receiver.message(listener, slot, method, body);
    else refuseLegacy(mount, slot, body);
  }

  abort(listener: Listener, slot: number): void {
    this.#receiver.abort(listener, slot);
  }

  drain(listener: Listener, slot: number): void {
    this.#receiver.drain(listener, slot);
  }
}
