/** Results in pieces: the same JSON as if they had been whole, no faster than the client reads, cut when the source fails. */
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch, type DispatchOptions } from '../../ts/dispatch.js';
import { LEGACY_HEADERS, legacy, modern, Recorder, type Reply, TestOffer } from './recorder.js';

const URI = 'a:b';
let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;
let block: object;

/** The last part of a body is in the reply, which is no JSON by itself. */
class Pieces extends Recorder {
  readonly ends = new Map<number, Omit<Reply, 'json'>>();
  unsent = 0;
  override reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    const body = this.bodies.get(slot);
    if (body === undefined) return super.reply(slot, status, shape, failed, headers, text);
    body.text += text;
    this.ends.set(slot, { status, shape, failed, headers, text });
    super.reply(slot, status, shape, failed, headers, '');
  }
  override write(slot: number, text: string): number {
    const unsent = super.write(slot, text);
    return unsent === -1 ? -1 : this.unsent;
  }
}

function start(options: DispatchOptions = {}, pipe = false): void {
  dispatch = createDispatch(offer, options);
  recorder = new Pieces(dispatch, pipe);
}
beforeEach(() => {
  offer = new TestOffer();
  offer.add('resources/read', URI, () => ({ contents: [{ uri: URI, ...block }] }));
  start();
});

function post(): number {
  const { body, headers } = modern('resources/read', { uri: URI });
  return recorder.post(body, headers);
}
async function read() {
  const slot = post();
  await recorder.answered(slot);
  return JSON.parse(recorder.bodies.get(slot)?.text ?? '');
}

async function* each<T>(pieces: readonly T[]): AsyncGenerator<T> {
  for (const piece of pieces) {
    await Promise.resolve();
    yield piece;
  }
}

describe('pieces', () => {
  it('make the result that they would make together', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' })), async (texts) => {
        block = { text: each(texts), mimeType: 'text/plain' };
        const message = await read();
        expect(message).toMatchObject({ jsonrpc: '2.0', id: 1, result: { resultType: 'complete' } });
        expect(message.result.contents).toEqual([{ uri: URI, text: texts.join(''), mimeType: 'text/plain' }]);
      }),
      { numRuns: 30 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 9 })), async (bytes) => {
        block = { blob: each(bytes) };
        const { result } = await read();
        expect(result.contents[0].blob).toBe(Buffer.concat(bytes).toString('base64'));
        // The same bytes as text, cut anywhere.
        block = { text: each(bytes) };
        const text = new TextDecoder().decode(Buffer.concat(bytes));
        expect((await read()).result.contents[0].text).toBe(text);
      }),
      { numRuns: 30 },
    );
  });

  it('may be a stream of the web, of Node, bytes at once, and more than one', async () => {
    const bytes = Buffer.from('zwölf 🦀');
    for (const text of [Readable.from([bytes]), new Blob([bytes]).stream(), Readable.from(['zwölf ', '🦀'])]) {
      block = { text };
      expect((await read()).result.contents[0].text).toBe('zwölf 🦀');
    }
    block = { blob: new Uint8Array(bytes) };
    expect((await read()).result.contents[0].blob).toBe(bytes.toString('base64'));
    offer.add('tools/call', 't', () => ({
      content: [
        { type: 'text', text: each(['a']) },
        { type: 'text', text: 'b' },
        { type: 'image', data: each([bytes]), mimeType: 'image/png' },
      ],
    }));
    const { body, headers } = modern('tools/call', { name: 't' });
    const slot = recorder.post(body, headers);
    await recorder.answered(slot);
    expect(JSON.parse(recorder.bodies.get(slot)?.text ?? '').result.content).toMatchObject([
      { text: 'a' },
      { text: 'b' },
      { data: bytes.toString('base64') },
    ]);
  });

  it('go to legacy clients too, and together where there is no body to write to', async () => {
    block = { text: each(['a', 'b']) };
    const slot = recorder.post(legacy('resources/read', { uri: URI }), LEGACY_HEADERS);
    await recorder.answered(slot);
    expect(JSON.parse(recorder.bodies.get(slot)?.text ?? '').result).toEqual({ contents: [{ uri: URI, text: 'ab' }] });
    block = { text: each(['a', 'b']) };
    const batch = [legacy('resources/read', { uri: URI })];
    const old = { ...LEGACY_HEADERS, 'mcp-protocol-version': '2025-03-26' };
    const reply = await recorder.answered(recorder.post(batch, old));
    expect(reply.json[0].result.contents[0].text).toBe('ab');
    start({ maxResultBytes: 300 }, true);
    block = { text: each(['a', 'b']) };
    expect((await recorder.answered(post())).json.contents[0].text).toBe('ab');
    block = { text: each(new Array(20).fill('x'.repeat(100))) };
    expect((await recorder.answered(post())).json.code).toBe(-32603);
  });

  it('go after events that were sent as one event', async () => {
    offer.add('tools/call', 't', async (_args, ctx) => {
      ctx.progress(1);
      return { content: [{ type: 'text', text: each(['a', 'b']) }] };
    });
    const { body, headers } = modern('tools/call', { name: 't' }, { progressToken: 7 });
    const reply = await recorder.answered(recorder.post(body, headers));
    expect(reply.json.content[0].text).toBe('ab');
  });
});

describe('a stream', () => {
  it('waits for its client, and goes on when it has read', async () => {
    let given = 0;
    async function* source(): AsyncGenerator<string> {
      for (; given < 100; given += 1) yield 'x'.repeat(64 * 1024);
    }
    block = { text: source() };
    const pieces = recorder as Pieces;
    pieces.unsent = 1_000_000;
    const slot = post();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(given).toBeLessThan(3);
    pieces.unsent = 0;
    dispatch.drain(recorder, slot);
    await recorder.answered(slot);
    expect(given).toBe(100);
    const text = recorder.bodies.get(slot)?.text ?? '';
    expect(JSON.parse(text).result.contents[0].text).toHaveLength(100 * 64 * 1024);
  });

  it('stops its source when the client leaves', async () => {
    let ended: (value: unknown) => void = () => {};
    const end = new Promise((resolve) => {
      ended = resolve;
    });
    async function* source(): AsyncGenerator<string> {
      try {
        for (;;) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          yield 'x'.repeat(64 * 1024);
        }
      } finally {
        ended('ended');
      }
    }
    block = { text: source() };
    const slot = post();
    const sent = () => recorder.bodies.get(slot)?.text.length ?? 0;
    while (sent() < 1000) await new Promise((resolve) => setTimeout(resolve, 1));
    recorder.leave(slot);
    expect(await end).toBe('ended');
    expect(dispatch.pending(recorder)).toBe(0);
  });

  it.each([
    [
      'fails',
      async function* () {
        yield 'x'.repeat(100_000);
        throw new Error('secret');
      },
    ],
    [
      'gives what is no piece',
      async function* () {
        yield 'x'.repeat(100_000);
        yield 7;
      },
    ],
  ])('is cut in the middle when its source %s', async (_what, source) => {
    block = { text: source() };
    const slot = post();
    await recorder.answered(slot);
    const { text } = recorder.bodies.get(slot) ?? { text: '' };
    expect(() => JSON.parse(text)).toThrow();
    expect(text).not.toContain('secret');
    expect((recorder as Pieces).ends.get(slot)).toMatchObject({ status: 0, failed: 1, text: '' });
  });

  it('is cut when its source takes too long', async () => {
    start({ toolTimeout: 24 });
    block = { text: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) } };
    const slot = post();
    expect((await recorder.answered(slot)).failed).toBe(1);
  });

  it('is an error as any other while nothing was sent', async () => {
    offer.add('tools/call', 't', async () => {
      throw new Error('x');
    });
    block = { text: 7n };
    expect((await recorder.answered(post())).json.code).toBe(-32603);
  });
});
