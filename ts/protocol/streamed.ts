/**
 * Results whose text or bytes come in pieces: written to the client as they come, never held whole, no faster than the
 * client reads. Only the top-level blocks of `content` and `contents` may be such; their `text` is text, their `blob` or
 * `data` bytes, which are sent as base64.
 */
import { randomUUID } from 'node:crypto';
import type { Listener } from '../engine/engine.js';
import { Shape } from '../engine/engine.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import type { Members } from './incoming.js';
import type { Cancellable, LiveCalls } from './live.js';
import type { Streams } from './streams.js';
import type { CacheHint, ResourceContents, Result } from './types.js';

type Piece = string | Uint8Array;
/** Text or bytes in pieces: an async generator, a web ReadableStream, a Readable of Node; or bytes all at once. */
export type Pieces = AsyncIterable<Piece> | Uint8Array;

/** A resource whose text or bytes come in pieces. */
export interface ReadResourceInPieces extends Result, CacheHint {
  contents: (ResourceContents & ({ text: string | Pieces } | { blob: string | Pieces }))[];
}

/** Characters (or, of bytes, their base64) of one write: far below the limit at which a slow client is cut off. */
const PART = 48 * 1024;
/** Unsent bytes above which writing waits. */
const HIGH_WATER_MARK = 64 * 1024;
/** Milliseconds after which a writer that waits looks for itself. */
const LOOK = 50;

const MEMBERS = ['text', 'blob', 'data'] as const;

/** A result in which the pieces stand as unique marks, and what belongs there. */
export interface Marked {
  readonly result: object;
  readonly slots: readonly { readonly mark: string; readonly pieces: Pieces; readonly bytes: boolean }[];
}

/** Whether anything of a result comes in pieces. */
export function inPieces(result: Members): boolean {
  const blocks = blocksOf(result);
  return blocks?.some(holdsPieces) === true;
}

/** The result with its pieces marked; undefined when it has none. */
export function marked(result: Members): Marked | undefined {
  const key = Array.isArray(result.contents) ? 'contents' : 'content';
  const blocks = blocksOf(result);
  if (blocks?.some(holdsPieces) !== true) return undefined;
  const slots: Marked['slots'][number][] = [];
  const copies = blocks.map((block) => {
    if (!holdsPieces(block)) return block;
    const copy = { ...(block as Members) };
    for (const member of MEMBERS) {
      const pieces = copy[member];
      if (!isPieces(pieces)) continue;
      const mark = `pieces ${randomUUID()}`;
      slots.push({ mark, pieces, bytes: member !== 'text' });
      copy[member] = mark;
    }
    return copy;
  });
  return { result: { ...result, [key]: copies }, slots };
}

function blocksOf({ contents, content }: Members): unknown[] | undefined {
  if (Array.isArray(contents)) return contents;
  return Array.isArray(content) ? content : undefined;
}

function holdsPieces(block: unknown): boolean {
  if (typeof block !== 'object' || block === null) return false;
  const { text, blob, data } = block as Members;
  // Nearly every value is a string or absent, which is found out first.
  return (
    (typeof text === 'object' && isPieces(text)) ||
    (typeof blob === 'object' && isPieces(blob)) ||
    (typeof data === 'object' && isPieces(data))
  );
}

function isPieces(value: unknown): value is Pieces {
  return typeof value === 'object' && value !== null && (value instanceof Uint8Array || Symbol.asyncIterator in value);
}

/**
 * The JSON text of an encoded result with its pieces in place of their marks, part by part.
 * @throws TypeError for a piece that is neither text nor bytes, and whatever the source throws
 */
export async function* partsOf(encoded: string, slots: Marked['slots']): AsyncGenerator<string, void, void> {
  let from = 0;
  for (const { mark, pieces, bytes } of slots) {
    const quoted = JSON.stringify(mark);
    const at = encoded.indexOf(quoted, from);
    if (at === -1) throw new Error('The result lost its pieces on the way');
    yield `${encoded.slice(from, at)}"`;
    yield* bytes ? base64(pieces) : escaped(pieces);
    from = at + quoted.length;
    yield '"';
  }
  yield encoded.slice(from);
}

async function* escaped(pieces: Pieces): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  for await (const piece of each(pieces)) {
    const text = typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
    // A pair of surrogates that is cut apart becomes two escapes, which are one character again when they are read.
    for (let at = 0; at < text.length; at += PART) yield JSON.stringify(text.slice(at, at + PART)).slice(1, -1);
  }
  yield JSON.stringify(decoder.decode()).slice(1, -1);
}

/** Bytes are encoded by threes; what is left of a piece goes before the next. Text is base64 already. */
async function* base64(pieces: Pieces): AsyncGenerator<string, void, void> {
  let rest = Buffer.alloc(0);
  for await (const piece of each(pieces)) {
    if (typeof piece === 'string') {
      if (rest.length > 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(piece))
        throw new TypeError('A piece of bytes is no base64');
      yield piece;
      continue;
    }
    let bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    if (rest.length > 0) bytes = Buffer.concat([rest, bytes]);
    const whole = bytes.length - (bytes.length % 3);
    for (let at = 0; at < whole; at += PART) yield bytes.toString('base64', at, Math.min(at + PART, whole));
    rest = Buffer.from(bytes.subarray(whole));
  }
  yield rest.toString('base64');
}

async function* each(pieces: Pieces): AsyncGenerator<Piece, void, void> {
  if (pieces instanceof Uint8Array) {
    yield pieces;
    return;
  }
  for await (const piece of pieces) {
    if (typeof piece !== 'string' && !(piece instanceof Uint8Array)) {
      throw new TypeError('A piece of a result is neither text nor bytes');
    }
    yield piece;
  }
}

/** All parts as one text, for where nothing can be written in pieces. @throws {ProtocolError} -32603 beyond the limit */
export async function collected(parts: AsyncIterable<string>, most: number): Promise<string> {
  const texts: string[] = [];
  let length = 0;
  for await (const part of parts) {
    texts.push(part);
    length += part.length;
    if (length > most) throw tooLarge(most);
  }
  return texts.join('');
}

export function tooLarge(most: number): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InternalError, `The result is larger than ${most} bytes`);
}

/** One answer that is being written. */
export class Body implements Cancellable {
  readonly #listener: Listener;
  readonly #slot: number;
  readonly #live: LiveCalls;
  readonly #streams: Streams;
  #leave: (gone: typeof GONE) => void = () => {};
  #since: number;
  #over = false;

  constructor(listener: Listener, slot: number, live: LiveCalls, streams: Streams) {
    this.#listener = listener;
    this.#slot = slot;
    this.#live = live;
    this.#streams = streams;
    this.#since = live.tick;
    live.add(listener, slot, this);
  }

  /**
   * Writes a whole JSON-RPC response. Never rejects: with a source that fails, or takes too long, the body is cut off, which
   * its client sees.
   * @param id raw token of the request's id
   */
  async write(id: string, parts: AsyncGenerator<string, void, void>): Promise<void> {
    this.#listener.open(this.#slot, 200, 'content-type: application/json\r\n');
    let text = `{"jsonrpc":"2.0","id":${id},"result":`;
    try {
      for (;;) {
        const next = await this.#next(parts);
        if (next === GONE || this.#over) break;
        if (next.done === true) {
          this.#end(200, `${text}}`);
          return;
        }
        text += next.value;
        this.#since = this.#live.tick;
        if (text.length < PART) continue;
        if (!(await this.#send(text))) break;
        text = '';
      }
    } catch {
      this.#end(CUT, '');
    }
    // Not waited for: a source that is stuck would never come back.
    parts.return().catch(() => {});
  }

  abandon(): void {
    this.#over = true;
    this.#streams.abandon(this.#listener, this.#slot);
    this.#leave(GONE);
  }

  cancelRequest(): boolean {
    return false;
  }

  expired(before: number): void {
    if (this.#since >= before || this.#over) return;
    this.#end(CUT, '');
    this.#leave(GONE);
  }

  /**
   * The next part, or that there is nobody any more. Not a race with a promise for the whole of the body: that would hold
   * every part until its end.
   */
  #next(parts: AsyncGenerator<string, void, void>): Promise<IteratorResult<string, void> | typeof GONE> {
    return new Promise((resolve, reject) => {
      this.#leave = resolve;
      if (this.#over) return resolve(GONE);
      parts.next().then(resolve, reject);
    });
  }

  /** @returns false when nobody reads any more */
  async #send(text: string): Promise<boolean> {
    let unsent = this.#listener.write(this.#slot, text);
    while (unsent > HIGH_WATER_MARK) {
      this.#since = this.#live.tick;
      if (!(await this.#streams.drained(this.#listener, this.#slot, LOOK))) return false;
      unsent = this.#listener.write(this.#slot, '');
    }
    return unsent !== -1 && !this.#over;
  }

  #end(status: number, text: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#live.remove(this.#listener, this.#slot);
    this.#listener.reply(this.#slot, status, Shape.raw, status === CUT ? 1 : 0, '', text);
  }
}

/** The status that cuts an opened body off, see {@link Listener.reply}. */
const CUT = 0;
const GONE = Symbol('gone');
