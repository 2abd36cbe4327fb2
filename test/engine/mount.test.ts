/** Requests that another server accepted: what the mount decides itself, what it hands up, and how answers come down. */
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import {
  CallFlag,
  LISTENER_STAT_COUNT,
  type Listener,
  ListenerStat,
  type Receiver,
  Shape,
} from '../../ts/engine/engine.js';
import { Mode, type Mount, type MountOptions, mountEngine, type Sink, Skip } from '../../ts/engine/mount.js';
import { serveConfig } from './config.js';

const P = 'io.modelcontextprotocol/';
const HOST = ['host', 'localhost'];

class Recording implements Receiver {
  readonly seen: { slot: number; what: string; text: string; flags: number }[] = [];
  readonly aborted: number[] = [];
  readonly drained: number[] = [];
  answers = true;
  call(listener: Listener, slot: number, handler: number, flags: number, text: string): void {
    this.seen.push({ slot, what: `call ${handler}`, text, flags });
    if (this.answers) listener.reply(slot, 200, Shape.result, 0, '', '{"called":true}');
  }
  message(listener: Listener, slot: number, method: string, text: string): void {
    this.seen.push({ slot, what: method, text, flags: 0 });
    if (this.answers) listener.reply(slot, 200, Shape.raw, 0, 'x-up: yes\r\n', '');
  }
  abort(_listener: Listener, slot: number): void {
    this.aborted.push(slot);
  }
  drain(_listener: Listener, slot: number): void {
    this.drained.push(slot);
  }
  last(): number {
    return this.seen.at(-1)?.slot ?? -1;
  }
}

class Kept implements Sink {
  status = 0;
  head: readonly string[] = [];
  text = '';
  open_ = false;
  cuts = 0;
  unsent = 0;
  whole(status: number, head: readonly string[], text: string): void {
    Object.assign(this, { status, head, text });
  }
  open(status: number, head: readonly string[]): void {
    Object.assign(this, { status, head, open_: true });
  }
  write(text: string): number {
    this.text += text;
    this.unsent += text.length;
    return this.unsent;
  }
  end(text: string): void {
    this.text += text;
    this.open_ = false;
  }
  cut(): void {
    this.cuts += 1;
  }
  get json() {
    return JSON.parse(this.text);
  }
}

function mounted(config = {}, options: Partial<MountOptions> = {}, registry = mountEngine().createRegistry()) {
  const receiver = new Recording();
  registry.handler('tools/call', 'known', 7);
  registry.answer('tools/list', '', Buffer.from('{"tools":["m"]}'), Buffer.from('{"tools":["l"]}'));
  registry.publish();
  const base = { config: serveConfig(config), mode: Mode.auto, keepAlive: 0, ended: null, problem: null };
  return { receiver, mount: mountEngine().mount({ ...base, ...options }, registry, receiver) };
}

const JSON_HEAD = [...HOST, 'content-type', 'application/json'];
const modernHead = (method: string, name?: string) => [
  ...JSON_HEAD,
  ...['mcp-protocol-version', '2026-07-28', 'mcp-method', method],
  ...(name === undefined ? [] : ['mcp-name', name]),
];
const _meta = { [`${P}protocolVersion`]: '2026-07-28', [`${P}clientCapabilities`]: {} };
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta } });
const known = JSON.stringify({
  jsonrpc: '2.0',
  id: 'ü',
  method: 'tools/call',
  params: { name: 'known', arguments: { a: 'ö' }, _meta },
});

function send(mount: Mount, raw: string[], body?: string, more = {}) {
  const sink = new Kept();
  const request = { method: 'POST', target: '/anywhere', raw, sink, skip: Skip.none, parsed: false, vouched: false };
  const call = mount.accept({ ...request, ...more });
  if (call.wantsBody && body !== undefined) mount.message(call, Buffer.from(body));
  return { sink, call };
}

describe('a mount', () => {
  it('answers from the registry, hands calls up with their arguments, and the rest as messages', () => {
    const { mount, receiver } = mounted();
    expect(send(mount, modernHead('tools/list'), list).sink.json).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { tools: ['m'] },
    });
    const old = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect(send(mount, JSON_HEAD, old).sink.json.result).toEqual({ tools: ['l'] });
    expect(send(mount, modernHead('tools/call', 'known'), known).sink.json).toEqual({
      jsonrpc: '2.0',
      id: 'ü',
      result: { called: true },
    });
    expect(receiver.seen.at(-1)).toMatchObject({ what: 'call 7', text: '{"a":"ö"}', flags: CallFlag.stream });
    const crossed = send(mount, modernHead('tools/call', 'other'), known);
    expect(receiver.seen.at(-1)).toMatchObject({ what: 'POST', text: known });
    expect(crossed.sink.head).toEqual(['x-up', 'yes']);
    send(mount, HOST, undefined, { method: 'GET' });
    expect(receiver.seen.at(-1)).toMatchObject({ what: 'GET', text: '' });
  });

  it('guards as a listener does, but for what somebody in front has done', () => {
    const problems: number[] = [];
    const { mount, receiver } = mounted({}, { problem: (status) => problems.push(status) });
    const evil = ['host', 'evil.example', 'origin', 'http://evil.example', 'content-type', 'application/json'];
    expect(send(mount, evil, list).sink.status).toBe(403);
    expect(send(mount, evil, list, { skip: Skip.host }).sink.status).toBe(403);
    expect(send(mount, evil, list, { skip: Skip.origin }).sink.status).toBe(403);
    expect(send(mount, evil, list, { skip: Skip.both }).sink.status).toBe(200);
    expect(send(mount, [...HOST, 'content-type', 'text/plain'], list).sink.status).toBe(415);
    const zipped = [...JSON_HEAD, 'content-encoding', 'gzip', 'content-length', '999999'];
    expect(send(mount, zipped, list).sink.status).toBe(415);
    expect(send(mount, zipped, list, { parsed: true }).sink.status).toBe(200);
    expect(send(mount, [...JSON_HEAD, 'content-length', '999999']).sink.status).toBe(413);
    const long = send(mount, JSON_HEAD);
    mount.tooLarge(long.call);
    mount.message(long.call, Buffer.from(list));
    expect(long.sink.status).toBe(413);
    expect(send(mount, JSON_HEAD, '{').sink.json).toMatchObject({ id: null, error: { code: -32700 } });
    const many = Array.from({ length: 130 }, (_, i) => [`x-${i}`, '']).flat();
    expect(send(mount, [...JSON_HEAD, ...many], list).sink.status).toBe(431);
    // Only those that got 200, whose headers do not say enough for the door.
    expect(receiver.seen).toHaveLength(2);
    expect(problems).toEqual([403, 403, 403, 415, 415, 413, 413, 400]);
  });

  it('has room for so many calls, and streams besides', () => {
    const ended: [number, boolean][] = [];
    const { mount, receiver } = mounted({ maxInFlight: 1 }, { ended: (call, left) => ended.push([call.slot, left]) });
    receiver.answers = false;
    const first = send(mount, modernHead('tools/call', 'known'), known);
    const refused = send(mount, modernHead('tools/call', 'known'), known);
    expect(refused.sink.status).toBe(503);
    expect(refused.sink.head).toContain('retry-after');
    mount.open(receiver.last(), 200, 'content-type: text/event-stream\r\n');
    expect(first.sink.open_).toBe(true);
    const second = send(mount, modernHead('tools/call', 'known'), known);
    expect(second.sink.status).toBe(0);
    mount.reply(receiver.last(), 200, Shape.result, 0, '', '{}');
    expect(second.sink.status).toBe(200);
    mount.left(first.call);
    mount.left(first.call);
    expect(receiver.aborted).toEqual([first.call.slot]);
    expect(ended).toEqual([
      [second.call.slot, false],
      [first.call.slot, true],
    ]);
    // What comes for dead slots is counted and nothing else.
    mount.reply(first.call.slot, 200, Shape.result, 0, '', '{}');
    expect([
      mount.event(first.call.slot, '', '{}'),
      mount.write(first.call.slot, 'x'),
      mount.head(first.call.slot),
    ]).toEqual([-1, -1, '']);
    const stats = new Float64Array(LISTENER_STAT_COUNT);
    mount.stats(stats);
    expect([stats[ListenerStat.staleReplies], stats[ListenerStat.overloaded], stats[ListenerStat.inFlight]]).toEqual([
      1, 1, 0,
    ]);
  });

  it('asks writers to wait, wakes them, and cuts off who never reads', () => {
    const { mount, receiver } = mounted({ streamHighWaterMark: 100, maxStreamBytes: 1000 });
    receiver.answers = false;
    const { sink, call } = send(mount, modernHead('tools/call', 'known'), known);
    const slot = receiver.last();
    expect(mount.event(slot, '', '{"n":1}')).toBe('event: message\ndata: {"n":1}\n\n'.length);
    mount.drained(call);
    expect(receiver.drained).toEqual([]); // nobody waits
    expect(mount.event(slot, '', `"${'x'.repeat(200)}"`)).toBeGreaterThan(100);
    mount.drained(call);
    mount.drained(call);
    expect(receiver.drained).toEqual([slot]);
    mount.event(slot, '', `"${'x'.repeat(2000)}"`);
    expect(sink.cuts).toBe(1);
    mount.reply(slot, 200, Shape.result, 0, '', '{"end":1}');
    expect(sink.text.endsWith('data: {"jsonrpc":"2.0","id":"ü","result":{"end":1}}\n\n')).toBe(true);
    expect(sink.open_).toBe(false);
  });

  it('takes admitted tokens, and hands up whoever has none', () => {
    const { mount, receiver } = mounted({ authorize: true });
    const head = [...modernHead('tools/list'), 'authorization', 'Bearer abc'];
    send(mount, head, list);
    expect(receiver.seen).toHaveLength(1);
    mount.admit(createHash('sha256').update('abc').digest('hex'), 5, 0);
    expect(send(mount, head, list).sink.json.result).toEqual({ tools: ['m'] });
    receiver.answers = false;
    send(mount, [...modernHead('tools/call', 'known'), 'authorization', 'Bearer abc'], known);
    expect(mount.principal(receiver.last())).toBe(5);
    send(mount, modernHead('tools/call', 'known'), known, { vouched: true });
    expect(mount.principal(receiver.last())).toBe(-1 - receiver.last());
    expect(mount.renewTls()).not.toBe('');
  });

  it('knows other paths by name, and tells targets that say more', () => {
    const { mount, receiver } = mounted({ otherPaths: ['/.well-known/x'] });
    receiver.answers = false;
    send(mount, HOST, undefined, { method: 'GET', target: '/.well-known/x?a=b' });
    expect(mount.head(receiver.last())).toBe(':path: /.well-known/x?a=b\r\nhost: localhost\r\n');
    send(mount, modernHead('tools/list'), list, { target: '/.well-known/x' });
    expect(receiver.seen.at(-1)).toMatchObject({ what: 'POST', text: list });
    send(mount, HOST, undefined, { method: 'GET', target: '/mcp' });
    expect(mount.head(receiver.last())).toBe('host: localhost\r\n');
  });

  it('serves no legacy message where there is no such era, and takes any name when told so', () => {
    const registry = mountEngine().createRegistry();
    const { mount, receiver } = mounted({ legacyVersions: [] }, {}, registry);
    const old = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    send(mount, JSON_HEAD, old);
    expect(receiver.seen.at(-1)).toMatchObject({ what: 'POST', text: old });
    const every = new Recording();
    const options = { config: serveConfig(), mode: Mode.json, keepAlive: 0, ended: null, problem: null };
    const any = mountEngine().mount(options, mountEngine().anyName(), every);
    every.answers = false;
    send(any, modernHead('tools/call', 'known'), known);
    expect(every.seen.at(-1)).toMatchObject({ what: 'call 0', flags: 0 });
    expect(any.find(every.last())?.entry).toMatchObject({ method: 'tools/call', name: 'known' });
    expect(any.event(every.last(), '', '{}')).toBe(0); // dropped: the mode says so
    send(any, modernHead('tools/list'), list);
    expect(every.seen.at(-1)).toMatchObject({ what: 'POST' });
  });

  it('cuts a body off in its middle, and takes no left client for it', async () => {
    const { mount, receiver } = mounted();
    receiver.answers = false;
    const { sink, call } = send(mount, modernHead('tools/call', 'known'), known);
    const slot = receiver.last();
    mount.open(slot, 200, 'content-type: text/plain\r\n');
    mount.write(slot, 'half');
    mount.reply(slot, 0, Shape.raw, 1, '', '');
    mount.left(call);
    await vi.waitUntil(() => sink.cuts === 1);
    expect([sink.text, sink.open_, mount.find(slot), receiver.aborted]).toEqual(['half', true, null, []]);
  });

  it('closes: waits for what runs, then cuts it', async () => {
    const { mount, receiver } = mounted();
    receiver.answers = false;
    send(mount, modernHead('tools/call', 'known'), known);
    const first = receiver.last();
    const closing = mount.close(10_000);
    expect(send(mount, modernHead('tools/call', 'known'), known).sink.status).toBe(503);
    mount.reply(first, 200, Shape.result, 0, '', '{}');
    await closing;
    const other = mounted();
    other.receiver.answers = false;
    const { sink } = send(other.mount, modernHead('tools/call', 'known'), known);
    await other.mount.close(0);
    expect(sink.cuts).toBe(1);
    expect(other.receiver.aborted).toHaveLength(1);
  });

  it('answers although the receiver threw', () => {
    const { mount, receiver } = mounted();
    receiver.call = () => {
      throw new Error('a secret');
    };
    const { sink } = send(mount, modernHead('tools/call', 'known'), known);
    expect([sink.status, sink.json.error.code]).toEqual([500, -32603]);
    expect(sink.text).not.toContain('secret');
  });
});
