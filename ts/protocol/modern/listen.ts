/**
 * `subscriptions/listen`: a request that stays open and tells its client what changes. Acknowledged first, every message
 * tagged with the id of the request, ended with a result when the server closes.
 *
 * Over HTTP a subscription is an event stream of its own; on a pipe its messages go among all others. What changed comes
 * from the offer's bus, what becomes of tasks from its feed; a client that does not read is cut off by the listener's limit
 * of unsent bytes, and one whose token expired is told nothing more.
 */
import type { Listener } from '../../engine/engine.js';
import { Shape } from '../../engine/engine.js';
import type { Change } from '../changes.js';
import { errorText, ProtocolError, ProtocolErrorCode } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { asMembers, type Incoming, type Members, own } from '../incoming.js';
import type { Cancellable } from '../live.js';
import { invalidParams } from '../requests.js';
import { SUBSCRIPTION_ID_META_KEY } from '../revisions.js';
import type { ServerState } from '../state.js';
import type { AuthInfo, RequestId, ServerCapabilities } from '../types.js';
import { type FollowedTasks, readTaskIds } from './task-feed.js';

const SSE_HEADERS =
  'content-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\n';
/** Most URIs of one subscription. */
const MAX_URIS = 1024;

type ListKind = 'tools' | 'prompts' | 'resources';
const LISTS: readonly ListKind[] = ['tools', 'prompts', 'resources'];

/** What a subscription is told of. */
interface Filter {
  readonly lists: ReadonlySet<ListKind>;
  readonly uris: ReadonlySet<string>;
}

export function listen(exchange: Exchange, message: Incoming): void {
  const { state, listener, slot, pipe } = exchange;
  const asked = asMembers(message.params === undefined ? undefined : own(message.params, 'notifications'));
  if (asked === undefined) throw invalidParams('"notifications" must be an object');
  const filter = readFilter(asked, state.offer.capabilities(), (uri) => {
    // Whoever may not read a resource is not told when it changes.
    const reading = exchange.context({ ...message, method: 'resources/read' }, undefined, uri);
    const verdict = state.guard?.allows(exchange.authInfo, 'resources/read', uri, reading);
    return verdict === undefined || verdict instanceof Promise;
  });
  const taskIds = readTaskIds(exchange, message, asked);
  if (!exchange.streams) {
    const error = new ProtocolError(ProtocolErrorCode.ServerError, 'Not acceptable: text/event-stream is needed');
    exchange.status(406, error);
    return;
  }
  if (!state.streams.add(listener, slot, pipe)) {
    exchange.fail(new ProtocolError(ProtocolErrorCode.InternalError, 'Too many subscriptions are open'));
    return;
  }
  const subscription = new Subscription(exchange, message.id as RequestId, filter);
  state.subscriptions.add(subscription);
  subscription.begin(taskIds);
  if (state.isClosing(listener)) subscription.close();
}

/** The part of what was asked for that the server can honour. @throws {ProtocolError} -32602 */
function readFilter(asked: Members, capabilities: ServerCapabilities, may: (uri: string) => boolean): Filter {
  const lists = LISTS.filter((kind) => {
    const wanted = own(asked, `${kind}ListChanged`);
    if (wanted !== undefined && typeof wanted !== 'boolean') {
      throw invalidParams(`"notifications.${kind}ListChanged" must be true or false`);
    }
    return wanted === true && capabilities[kind]?.listChanged === true;
  });
  return { lists: new Set(lists), uris: new Set(readUris(asked, capabilities).filter(may)) };
}

function readUris(asked: Members, capabilities: ServerCapabilities): string[] {
  const uris = own(asked, 'resourceSubscriptions');
  if (uris === undefined) return [];
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string')) {
    throw invalidParams('"notifications.resourceSubscriptions" must be an array of URIs');
  }
  if (uris.length > MAX_URIS) {
    throw invalidParams(`"notifications.resourceSubscriptions" must hold at most ${MAX_URIS} URIs`);
  }
  return capabilities.resources?.subscribe === true ? uris : [];
}

/** One open subscription. */
export class Subscription implements Cancellable {
  readonly listener: Listener;
  readonly filter: Filter;
  readonly #state: ServerState;
  readonly #slot: number;
  readonly #pipe: boolean;
  readonly #id: RequestId;
  readonly #auth: AuthInfo | undefined;
  /** `"_meta":{...}` with the id, which every message carries. */
  readonly #tag: string;
  #tasks: FollowedTasks | undefined;
  #begun = false;
  #over = false;

  constructor({ state, listener, slot, pipe, authInfo }: Exchange, id: RequestId, filter: Filter) {
    this.#state = state;
    this.listener = listener;
    this.#slot = slot;
    this.#pipe = pipe;
    this.#auth = authInfo;
    this.#id = id;
    this.filter = filter;
    this.#tag = `"_meta":{"${SUBSCRIPTION_ID_META_KEY}":${JSON.stringify(id)}}`;
  }

  /** @param taskIds tasks to follow; which of them may be is found out before anything is sent */
  begin(taskIds: readonly string[]): void {
    this.#state.live.add(this.listener, this.#slot, this);
    const { tasks } = this.#state.offer;
    if (taskIds.length === 0 || tasks === undefined) {
      this.#acknowledge();
      return;
    }
    const tell = (task: Members): void => {
      this.#send('notifications/tasks', `,${JSON.stringify(task).slice(1, -1)}`);
    };
    tasks.follow(taskIds, this.#auth, tell).then(
      (followed) => {
        if (this.#over) followed.end();
        else this.#acknowledge(followed);
      },
      () => this.#fail(),
    );
  }

  #acknowledge(tasks?: FollowedTasks): void {
    this.#tasks = tasks;
    this.#begun = true;
    // On a pipe too: a subscription is no call in flight that anything should wait for.
    this.listener.open(this.#slot, 200, this.#pipe ? '' : SSE_HEADERS);
    const { lists, uris } = this.filter;
    const honoured: Members = {};
    for (const kind of lists) honoured[`${kind}ListChanged`] = true;
    if (uris.size > 0) honoured.resourceSubscriptions = [...uris];
    if (tasks !== undefined && tasks.taskIds.length > 0) honoured.taskIds = tasks.taskIds;
    this.#send('notifications/subscriptions/acknowledged', `,"notifications":${JSON.stringify(honoured)}`);
    tasks?.begin();
  }

  #fail(): void {
    if (!this.#end()) return;
    this.#state.live.remove(this.listener, this.#slot);
    const text = errorText(ProtocolErrorCode.InternalError, 'Internal error');
    this.listener.reply(this.#slot, 200, Shape.error, 0, '', text);
  }

  tell(change: Change): void {
    if (change.kind === 'resource')
      this.#send('notifications/resources/updated', `,"uri":${JSON.stringify(change.uri)}`);
    else this.#send(`notifications/${change.kind}/list_changed`, '');
  }

  /** The server ends it: its client is told that this is no accident. */
  close(): void {
    if (!this.#end()) return;
    this.#state.live.remove(this.listener, this.#slot);
    // The tag is the whole `_meta`: server and subscription are named side by side.
    const info = `"io.modelcontextprotocol/serverInfo":${JSON.stringify(this.#state.offer.info)}`;
    const text = `{"resultType":"complete",${this.#tag.slice(0, -1)},${info}}}`;
    this.listener.reply(this.#slot, 200, Shape.result, 0, '', text);
  }

  abandon(): void {
    this.#end();
  }

  cancelRequest(id: RequestId): boolean {
    if (!this.#pipe || id !== this.#id) return false;
    this.#end();
    this.#state.live.remove(this.listener, this.#slot);
    // A cancelled request gets no response; its slot must end all the same.
    this.listener.reply(this.#slot, 202, Shape.raw, 0, '', '');
    return true;
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#tasks?.end();
    this.#state.subscriptions.delete(this);
    this.#state.streams.remove(this.listener, this.#slot);
    return true;
  }

  #send(method: string, rest: string): void {
    // Nothing comes before the acknowledgement.
    if (this.#over || !this.#begun) return;
    const { expiresAt } = this.#auth ?? {};
    // Whoever may not ask any more is not told any more either.
    if (expiresAt !== undefined && expiresAt * 1000 <= Date.now()) {
      this.close();
      return;
    }
    const text = `{"jsonrpc":"2.0","method":"${method}","params":{${this.#tag}${rest}}}`;
    if (this.#pipe) this.listener.event(this.#slot, '', text);
    else this.listener.write(this.#slot, `event: message\ndata: ${text}\n\n`);
  }
}
