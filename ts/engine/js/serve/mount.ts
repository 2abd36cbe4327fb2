/**
 * Requests that another HTTP server accepted (node:http frameworks, `fetch` runtimes), served like those of a listener of
 * our own: `accept` (guard), `message` (scan, door), then an answer, a refusal, or over to the receiver. A sink writes the
 * response. Connections, header limits and the time that a body may take are the other server's.
 */
import { CallFlag, type Listener, type Receiver, type ServeConfig, Shape, ListenerStat as Stat } from '../../engine.js';
import { refusalError } from '../codec/errors.js';
import { codec } from '../codec/index.js';
import { handlerRoute, newEntry } from '../registry/entry.js';
import { createRegistry, type JsEntry, JsRegistry, recordCall } from '../registry/index.js';
import { Calls } from './calls.js';
import { Verdict } from './door.js';
import { Guard, internal, overloaded, type Refusal, targetLine } from './guard.js';
import { Head, headLines, headPairs, MAX_HEADERS } from './head.js';
import { Intake } from './intake.js';
import { Mode, MountCall, type MountEngine, type MountOptions, type MountRequest, Skip } from './mountcall.js';
import { errorObject, errorText, eventText, shaped } from './reply.js';
import { Sessions } from './sessions.js';
import { TokenMemo, Tokens } from './tokens.js';

/** Says yes to every name; the entry of a call holds method and name. */
class AnyName extends JsRegistry {
  readonly #stats = { calls: 0, errors: 0, nanoseconds: 0 };

  override lookup(method: string, name: string): JsEntry | undefined {
    const named = method === 'tools/call' || method === 'prompts/get' || method === 'resources/read';
    return named ? newEntry(0, method, name, HANDLER, this.#stats) : undefined;
  }
}
const HANDLER = handlerRoute(0);

export const mounting: MountEngine = {
  createRegistry,
  anyName: () => new AnyName(),
  mount(options, registry, receiver) {
    if (!(registry instanceof JsRegistry)) throw new TypeError('mount: the registry belongs to another engine');
    return new Mount(options, registry, receiver);
  },
};

const JSON_TYPE = ['content-type', 'application/json'];
/** Proxies must neither buffer nor transform events. */
const STREAM_HEAD = [
  ...['content-type', 'text/event-stream'],
  ...['cache-control', 'no-cache, no-transform'],
  ...['x-accel-buffering', 'no'],
];
const COMMENT = ': \n\n';
const CLAIM = '"io.modelcontextprotocol/protocolVersion"';

export class Mount implements Listener {
  readonly host = '';
  readonly port = 0;
  private readonly config: ServeConfig;
  private readonly mode: number;
  private readonly counts = new Float64Array(16);
  /** One per set of checks, made when first asked for. */
  private readonly guards: (Guard | undefined)[] = [];
  private readonly sessions = new Sessions();
  private readonly tokens = new Tokens();
  private readonly memo = new TokenMemo();
  private readonly intake: Intake;
  private readonly calls: Calls<MountCall>;
  /** Event streams that comments keep from being taken for dead. */
  private readonly streams = new Set<MountCall>();
  private timer: NodeJS.Timeout | null = null;
  private idle: (() => void) | null = null;
  private ended = false;

  constructor(
    private readonly options: MountOptions,
    registry: JsRegistry,
    private readonly receiver: Receiver,
  ) {
    const { config } = options;
    this.config = config;
    this.mode = options.mode;
    this.intake = new Intake(config, registry, this.sessions, this.tokens);
    this.calls = new Calls(config.maxInFlight, config.maxConnections);
  }

  // ------------------------------------------------------------------------------------------------- requests, in

  /** A request head. When the call then wants its body, {@link message} or {@link tooLarge} comes next. */
  accept(request: MountRequest): MountCall {
    this.count(Stat.requests);
    const head = new Head(request.raw);
    const call = new MountCall(request, head, performance.now());
    if (request.raw.length > 2 * MAX_HEADERS) {
      this.count(Stat.refused);
      call.done = true;
      request.sink.whole(431, [], '');
      return call;
    }
    if (request.parsed) {
      head.contentEncoding = null;
      head.contentLength = -1;
    }
    const guard = this.guard(request.skip);
    // By which path the endpoint is reached is the router's business in front of this; other paths are known by name.
    const { path, otherPaths } = this.config;
    call.other = otherPaths.length > 0 && otherPaths.includes(pathOf(request.target));
    const refusal = guard.head(head, (request.skip & Skip.host) === 0, call.other ? request.target : path);
    const unwanted = refusal ?? (request.method === 'POST' ? guard.body(head) : null);
    if (unwanted !== null) this.refuse(call, unwanted);
    else if (request.method !== 'POST') {
      this.intake.bare(call, head, this.memo);
      this.handOver(call, '');
    }
    return call;
  }

  /** The whole body of an accepted POST. */
  message(call: MountCall, bytes: Buffer): void {
    if (!call.wantsBody) return;
    this.counts[Stat.bytesIn] = (this.counts[Stat.bytesIn] as number) + bytes.length;
    const { intake } = this;
    call.bytes = bytes;
    const verdict = intake.examine(call, bytes, call.head, this.memo, call.other);
    if (verdict < 0) {
      this.refuse(call, refusalError(verdict));
      return;
    }
    if (this.mode !== Mode.auto) this.classify(call);
    // Without a version the door takes a message for a legacy one, which is not served everywhere.
    const unserved = (intake.door.flags & CallFlag.legacy) !== 0 && this.config.legacyVersions.length === 0;
    if (verdict !== Verdict.up && unserved) {
      call.entry = null;
      this.handOver(call, bytes.toString('utf8'));
    } else if (verdict === Verdict.answer) this.answer(call, intake.door.entry as JsEntry);
    else this.handOver(call, intake.text);
  }

  /** The body is longer than may be. */
  tooLarge(call: MountCall): void {
    if (call.wantsBody) this.refuse(call, this.guard(call.request.skip).tooLarge);
  }

  /** The client is gone. */
  left(call: MountCall): void {
    if (call.done) return;
    call.done = true;
    if (call.slot < 0) return;
    this.release(call);
    this.count(Stat.aborted);
    this.safely(() => this.receiver.abort(this, call.slot));
    this.options.ended?.(call, true);
  }

  /** The sink has sent at least half of its mark, and takes more. */
  drained(call: MountCall): void {
    if (!call.waiting || call.done) return;
    call.waiting = false;
    this.safely(() => this.receiver.drain(this, call.slot));
  }

  private guard(skip: number): Guard {
    let guard = this.guards[skip];
    if (guard === undefined) {
      const { config } = this;
      const allowedHosts = (skip & Skip.host) === 0 ? config.allowedHosts : null;
      const allowedOrigins = (skip & Skip.origin) === 0 ? config.allowedOrigins : null;
      guard = new Guard({ ...config, allowedHosts, allowedOrigins });
      this.guards[skip] = guard;
    }
    return guard;
  }

  /** For the response mode alone; the era is decided above. */
  private classify(call: MountCall): void {
    const meta = call.message?.toString('utf8', call.metaStart, call.metaEnd) ?? '';
    call.modern = call.id !== '' && meta.includes(CLAIM);
    call.subscription = call.modern && call.head.method === 'subscriptions/listen';
  }

  // ---------------------------------------------------------------------------------------------- answers, refusals

  private answer(call: MountCall, entry: JsEntry): void {
    this.count(Stat.answered);
    call.done = true;
    const legacy = (this.intake.door.flags & CallFlag.legacy) !== 0;
    // The entry's text brings the brace that closes the response.
    const text = `{"jsonrpc":"2.0","id":${call.id},"result":${legacy ? entry.legacyText : entry.modernText}`;
    if (this.mode === Mode.stream && call.modern) this.oneEvent(call, text);
    else call.request.sink.whole(200, JSON_TYPE, text);
    this.record(call, entry, 0);
  }

  private refuse(call: MountCall, refusal: Refusal): void {
    this.count(refusal.status === 503 ? Stat.overloaded : Stat.refused);
    call.done = true;
    const head = refusal === overloaded ? [...JSON_TYPE, 'retry-after', '1'] : JSON_TYPE;
    const text = errorText(call.id, errorObject(refusal.code, refusal.message));
    call.request.sink.whole(refusal.status, head, text);
    this.options.problem?.(refusal.status, refusal.message);
  }

  private oneEvent(call: MountCall, text: string): void {
    call.request.sink.open(200, STREAM_HEAD);
    call.request.sink.end(eventText(codec, '', text));
  }

  // --------------------------------------------------------------------------------------------- up and down again

  /** To the receiver: as a call when it has an entry, else as a message. */
  private handOver(call: MountCall, text: string): void {
    if (this.ended || !this.calls.open(call)) {
      this.refuse(call, overloaded);
      return;
    }
    const { entry, slot } = call;
    const { door } = this.intake;
    this.count(entry === null ? Stat.messages : Stat.calls);
    try {
      if (entry === null) this.receiver.message(this, slot, call.request.method, text);
      else {
        const flags = this.mode === Mode.json ? door.flags & ~CallFlag.stream : door.flags;
        this.receiver.call(this, slot, entry.handler, flags, text);
      }
    } catch {
      this.count(Stat.panics);
      if (!call.done)
        this.reply(slot, internal.status, Shape.error, 1, '', errorObject(internal.code, internal.message));
    }
    // What was refused at once has kept its status; whatever comes from now on is an event.
    if (this.mode === Mode.stream && call.modern && !call.done && !call.streaming) this.openStream(call);
  }

  reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    const call = this.calls.find(slot);
    if (call === null) {
      this.count(Stat.staleReplies);
      return;
    }
    call.done = true;
    this.release(call);
    if (call.entry !== null) this.record(call, call.entry, failed);
    const { sink } = call.request;
    const whole = shaped(shape, call.id, text);
    const known = status >= 200 && status <= 599 ? status : 500;
    const raw = shape === Shape.raw;
    // What was written in this turn leaves at its end.
    if (call.streaming && status === 0) setTimeout(() => sink.cut(), 0);
    else if (call.streaming) sink.end(whole === '' || (call.opened && raw) ? whole : eventText(codec, '', whole));
    else if (this.mode === Mode.stream && call.modern && known === 200 && !raw) this.oneEvent(call, whole);
    else {
      const type = raw ? [] : JSON_TYPE;
      sink.whole(known, headers === '' ? type : [...type, ...headPairs(headers)], whole);
      if (known >= 400) this.options.problem?.(known, text);
    }
    this.options.ended?.(call, false);
  }

  event(slot: number, id: string, text: string): number {
    const call = this.calls.find(slot);
    if (call === null) return -1;
    if (this.mode === Mode.json && call.modern && !call.subscription && !call.opened) return 0;
    if (!call.streaming) this.openStream(call);
    return this.push(call, eventText(codec, id, text));
  }

  open(slot: number, status: number, headers: string): void {
    const call = this.calls.find(slot);
    if (call === null || call.streaming) return;
    call.streaming = true;
    call.opened = true;
    this.calls.uncount(call);
    call.request.sink.open(status >= 200 && status <= 599 ? status : 500, headPairs(headers));
    if (/^content-type: *text\/event-stream/im.test(headers)) this.keep(call);
  }

  write(slot: number, text: string): number {
    const call = this.calls.find(slot);
    return call === null || !call.streaming ? -1 : this.push(call, text);
  }

  private push(call: MountCall, text: string): number {
    const unsent = call.request.sink.write(text);
    // Its abort follows from the end of the response, not from here: the caller is in the middle of sending.
    if (unsent > this.config.maxStreamBytes) call.request.sink.cut();
    if (unsent > this.config.streamHighWaterMark) call.waiting = true;
    return unsent;
  }

  private openStream(call: MountCall): void {
    call.streaming = true;
    call.request.sink.open(200, STREAM_HEAD);
    this.keep(call);
  }

  private keep(call: MountCall): void {
    const { keepAlive } = this.options;
    if (keepAlive <= 0) return;
    this.streams.add(call);
    if (this.timer !== null) return;
    this.timer = setInterval(() => {
      for (const stream of [...this.streams]) if (!stream.waiting) this.push(stream, COMMENT);
    }, keepAlive);
    this.timer.unref?.(); // a number, and no object, on some runtimes
  }

  private release(call: MountCall): void {
    this.calls.release(call);
    if (this.streams.delete(call) && this.streams.size === 0 && this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
    if (this.calls.inFlight === 0) this.idle?.();
  }

  private record(call: MountCall, entry: JsEntry, failed: 0 | 1): void {
    recordCall(entry.stats, failed, (performance.now() - call.started) * 1e6);
  }

  private safely(tell: () => void): void {
    try {
      tell();
    } catch {
      this.count(Stat.panics);
    }
  }

  // ------------------------------------------------------------------------------------------------------ questions

  /** The request of a slot; null when dead. */
  find(slot: number): MountCall | null {
    return this.calls.find(slot);
  }

  meta(slot: number): string {
    const call = this.calls.find(slot);
    return call?.message == null ? '' : call.message.toString('utf8', call.metaStart, call.metaEnd);
  }

  id(slot: number): string {
    return this.calls.find(slot)?.id ?? '';
  }

  head(slot: number): string {
    const call = this.calls.find(slot);
    return call === null ? '' : targetLine(call.request.target, call.other) + headLines(call.request.raw);
  }

  /** Of a request that somebody in front vouched for: a number of that request alone, -1 - its slot. */
  principal(slot: number): number {
    const call = this.calls.find(slot);
    if (call === null) return 0;
    return call.request.vouched ? -1 - slot : call.principal;
  }

  admit(digest: string, principal: number, expiresAt: number): void {
    this.tokens.admit(digest, principal, expiresAt);
  }

  expel(digest: string): boolean {
    return this.tokens.expel(digest);
  }

  renewTls(): string {
    return 'certificates are the business of the server in front';
  }

  openSession(id: string): void {
    this.sessions.open(id);
  }

  closeSession(id: string): void {
    this.sessions.close(id);
  }

  hasSession(id: string): boolean {
    return this.sessions.has(id);
  }

  stats(out: Float64Array): void {
    this.counts[Stat.inFlight] = this.calls.inFlight;
    out.set(this.counts.subarray(0, Math.min(out.length, this.counts.length)));
  }

  private count(stat: number): void {
    this.counts[stat] = (this.counts[stat] as number) + 1;
  }

  /** Refuses what comes from now on; what is in flight may end, then it is cut. */
  async close(grace: number): Promise<void> {
    this.ended = true;
    if (this.calls.inFlight > 0 && grace > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, grace);
        this.idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const call of this.calls.all()) {
      this.left(call);
      call.request.sink.cut();
    }
  }

  /** Nothing here holds the process: the server in front does, or does not. */
  ref(): void {}
  unref(): void {}
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
