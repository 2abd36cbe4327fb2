/**
 * A small receiver for the tests of `serve` and `pipe`: says back what it was handed, holds what it is told to hold, and
 * keeps a record of everything. And the registry that goes with it.
 */
import type { Listener, Receiver, Registry } from '../../ts/engine/engine.js';
import { Shape } from '../../ts/engine/engine.js';

/** Handler numbers that do something of their own; every other one echoes. */
export const Handler = { echo: 7, hold: 1, stream: 2, throws: 3, later: 4, fails: 5, headers: 6 } as const;

export interface Seen {
  readonly kind: 'call' | 'message';
  readonly slot: number;
  readonly handler: number;
  readonly flags: number;
  /** Arguments of a call, body of a message. */
  readonly text: string;
  readonly method: string;
  /** Of a message. */
  readonly head: string;
  readonly principal: number;
}

export class Echo implements Receiver {
  readonly seen: Seen[] = [];
  readonly aborted: number[] = [];
  readonly drained: number[] = [];

  call(listener: Listener, slot: number, handler: number, flags: number, args: string): void {
    const principal = listener.principal(slot);
    this.seen.push({ kind: 'call', slot, handler, flags, text: args, method: '', head: '', principal });
    const meta = listener.meta(slot);
    const result = `{"handler":${handler},"flags":${flags},"args":${args || 'null'},"meta":${meta || 'null'}}`;
    switch (handler) {
      case Handler.hold:
        return;
      case Handler.stream:
        listener.event(slot, '', '{"n":1}');
        setImmediate(() => {
          listener.event(slot, 'e2', '{"n":"zwölf"}');
          listener.reply(slot, 200, Shape.result, 0, '', result);
        });
        return;
      case Handler.throws:
        throw new Error('thrown by the receiver');
      case Handler.later:
        Promise.resolve().then(() => setImmediate(() => listener.reply(slot, 200, Shape.result, 0, '', result)));
        return;
      case Handler.fails:
        listener.reply(slot, 400, Shape.error, 1, '', '{"code":-32602,"message":"schlecht: ü"}');
        return;
      case Handler.headers:
        listener.reply(slot, 200, Shape.result, 0, 'mcp-session-id: s-1\r\nx-two: zwei\r\n', result);
        return;
      default:
        listener.reply(slot, 200, Shape.result, 0, '', result);
        return;
    }
  }

  message(listener: Listener, slot: number, method: string, body: string): void {
    const head = listener.head(slot);
    const principal = listener.principal(slot);
    this.seen.push({ kind: 'message', slot, handler: -1, flags: 0, text: body, method, head, principal });
    if (head.includes('x-hold: ')) return;
    if (method !== 'POST' && method !== 'PIPE') {
      listener.reply(slot, 405, Shape.raw, 0, 'allow: POST\r\ncontent-type: text/plain\r\n', `no ${method}`);
    } else if (listener.id(slot) === '') listener.reply(slot, 202, Shape.raw, 0, '', '');
    else listener.reply(slot, 200, Shape.result, 0, '', `{"up":${JSON.stringify(method)}}`);
  }

  abort(_listener: Listener, slot: number): void {
    this.aborted.push(slot);
  }

  drain(_listener: Listener, slot: number): void {
    this.drained.push(slot);
  }
}

/** One route of test/vectors/serve/door.json. */
export interface VectorRoute {
  readonly method: string;
  readonly name: string;
  readonly handler?: number;
  readonly modern?: string | null;
  readonly legacy?: string | null;
}

export function fill(registry: Registry, routes: readonly VectorRoute[]): Registry {
  const bytes = (text: string | null | undefined) => (text == null ? null : Buffer.from(text));
  for (const { method, name, handler, modern, legacy } of routes) {
    if (handler !== undefined) registry.handler(method, name, handler);
    else registry.answer(method, name, bytes(modern), bytes(legacy));
  }
  registry.publish();
  return registry;
}

/** Waits for something that another thread or a socket brings about. The test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
