/**
 * Encoding what a handler returned: one `JSON.stringify`, then the members of the era spliced into the text.
 *
 * The result object itself is never copied for the usual shapes; only a result that brings its own `_meta` or
 * `resultType` is merged as an object.
 */
import { hintMembers, modernMembers } from './answers.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import { wrapResult } from './legacy/wrap.js';
import { SERVER_INFO_META_KEY } from './revisions.js';
import { inPieces, type Marked, marked } from './streamed.js';
import type { CacheHint, Implementation } from './types.js';

const TEXT_HEAD = '{"content":[{"type":"text","text":';
const TEXT_TAIL = '}]}';

export class ResultEncoder {
  readonly #info: Implementation;
  readonly #members: string;
  readonly #textTail: string;

  constructor(info: Implementation) {
    this.#info = info;
    this.#members = modernMembers(JSON.stringify(info));
    this.#textTail = `}],${this.#members}}`;
  }

  /**
   * The pieces of a result that is not to be held whole, with the text around them. Asked only when {@link encode} gave the
   * empty text.
   */
  encodeAround(value: object, legacy: boolean, hint: CacheHint | undefined): { text: string; slots: Marked['slots'] } {
    const found = marked(unfold(value));
    if (found === undefined) throw unencodable('it has no pieces');
    return { text: this.encode(found.result, legacy, hint), slots: found.slots };
  }

  /**
   * @param hint freshness to add to a modern result that is cacheable and does not say it itself
   * @returns the empty text when parts of the result come in pieces
   * @throws {ProtocolError} -32603 when the value is no object or cannot be encoded
   */
  encode(value: unknown, legacy: boolean, hint: CacheHint | undefined): string {
    try {
      const text = soleText(value);
      if (text !== undefined) return TEXT_HEAD + JSON.stringify(text) + (legacy ? TEXT_TAIL : this.#textTail);
      return this.#encodeAny(value, legacy, hint);
    } catch (error) {
      throw error instanceof ProtocolError ? error : unencodable(reason(error));
    }
  }

  #encodeAny(value: unknown, legacy: boolean, hint: CacheHint | undefined): string {
    const result = unfold(value);
    if (inPieces(result)) return '';
    if (legacy) return closed(JSON.stringify(wrapResult(result)));
    if (result._meta !== undefined || result.resultType !== undefined) return this.#merged(result, hint);
    if (hint !== undefined && (result.ttlMs !== undefined || result.cacheScope !== undefined)) {
      return this.#merged(result, hint);
    }
    const text = closed(JSON.stringify(result));
    const open = text.length === 2 ? '{' : `${text.slice(0, -1)},`;
    return hint === undefined ? `${open}${this.#members}}` : `${open}${hintMembers(hint)},${this.#members}}`;
  }

  /** What the handler says itself outweighs what the era adds. */
  #merged(result: Record<string, unknown>, hint: CacheHint | undefined): string {
    const resultType = typeof result.resultType === 'string' ? result.resultType : 'complete';
    const own = typeof result._meta === 'object' && result._meta !== null ? result._meta : undefined;
    const merged: Record<string, unknown> = {
      ...result,
      resultType,
      _meta: { [SERVER_INFO_META_KEY]: this.#info, ...own },
    };
    if (hint !== undefined && resultType === 'complete') {
      merged.ttlMs ??= hint.ttlMs ?? 0;
      merged.cacheScope ??= hint.cacheScope ?? 'private';
    }
    return closed(JSON.stringify(merged));
  }
}

/** The text of `{content: [{type: 'text', text}]}` when the value has exactly these members. */
function soleText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const result = value as { content?: unknown; toJSON?: unknown };
  const content = result.content;
  if (!Array.isArray(content) || content.length !== 1 || result.toJSON !== undefined) return undefined;
  const block = content[0] as { type?: unknown; text?: unknown; toJSON?: unknown } | null;
  if (typeof block !== 'object' || block === null || block.type !== 'text') return undefined;
  const text = block.text;
  if (typeof text !== 'string' || block.toJSON !== undefined) return undefined;
  let members = 0;
  for (const _ in result) members += 1;
  if (members !== 1) return undefined;
  for (const _ in block) members += 1;
  return members === 3 ? text : undefined;
}

/** The object that JSON would show, which is what members are looked up in. */
function unfold(value: unknown): Record<string, unknown> {
  const shown =
    typeof value === 'object' && value !== null && typeof (value as { toJSON?: unknown }).toJSON === 'function'
      ? (value as { toJSON(key: string): unknown }).toJSON('')
      : value;
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown)) {
    const what = shown === null ? 'null' : Array.isArray(shown) ? 'an array' : typeof shown;
    throw unencodable(`the handler returned ${what}, not an object`);
  }
  return shown as Record<string, unknown>;
}

function closed(text: string | undefined): string {
  if (text === undefined || !text.startsWith('{')) throw unencodable('it is no JSON object');
  return text;
}

function unencodable(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InternalError, `Result cannot be encoded: ${why}`);
}

/** V8's own words for the usual two; anything else may be a user's message and stays inside. */
function reason(error: unknown): string {
  const message = error instanceof TypeError ? error.message : '';
  if (message.includes('BigInt')) return 'it holds a BigInt';
  if (message.startsWith('Converting circular')) return 'it holds a cycle';
  return 'reading it threw';
}
