/**
 * The structure of a regular expression: what repeats, what is a choice, and where single characters are.
 *
 * It never judges whether a pattern is valid (the RegExp constructor did that before) and gives characters and classes
 * no meaning: each is kept as source text. Back references and flags inside the pattern are noted as `beyond`: what they
 * cost can be told, but no linear matcher does them. Gives up on what it does not understand.
 */

export type Part =
  | { readonly kind: 'char'; readonly source: string }
  | { readonly kind: 'seq' | 'or'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number }
  | { readonly kind: 'at'; readonly where: 'start' | 'end' | 'word' | 'inside' }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negative: boolean; readonly part: Part }
  | { readonly kind: 'beyond'; readonly part: Part };

/** Deepest nesting of groups. */
const MAX_GROUPS = 100;

class Strange extends Error {}

/** @returns undefined for what it does not understand */
export function parsePattern(source: string, flags: '' | 'u'): Part | undefined {
  try {
    const reader = new Reader(source, flags === 'u');
    const part = reader.choice(0);
    return reader.done ? part : undefined;
  } catch (error) {
    if (error instanceof Strange) return undefined;
    throw error;
  }
}

class Reader {
  readonly #source: string;
  readonly #unicode: boolean;
  #at = 0;

  constructor(source: string, unicode: boolean) {
    this.#source = source;
    this.#unicode = unicode;
  }

  get done(): boolean {
    return this.#at === this.#source.length;
  }

  choice(depth: number): Part {
    if (depth > MAX_GROUPS) throw new Strange();
    const parts: Part[] = [];
    do parts.push(this.#sequence(depth));
    while (this.#take('|'));
    return parts.length === 1 ? (parts[0] as Part) : { kind: 'or', parts };
  }

  #sequence(depth: number): Part {
    const parts: Part[] = [];
    while (!this.done && !this.#sees('|') && !this.#sees(')')) parts.push(this.#repeated(this.#atom(depth)));
    return parts.length === 1 ? (parts[0] as Part) : { kind: 'seq', parts };
  }

  #repeated(part: Part): Part {
    const [min, max] = this.#quantifier() ?? [1, 1];
    if (min === 1 && max === 1) return part;
    return { kind: 'repeat', part, min, max };
  }

  #quantifier(): [number, number] | undefined {
    const [text, low, comma, high] = this.#match(/[*+?]|\{(\d+)(,?)(\d*)\}/y) ?? [];
    if (text === undefined) return undefined;
    // Lazy or greedy is a question of which match, not of whether there is one.
    this.#take('?');
    if (low === undefined) return [text === '+' ? 1 : 0, text === '?' ? 1 : Number.POSITIVE_INFINITY];
    const min = Number(low);
    return [min, comma === '' ? min : high === '' ? Number.POSITIVE_INFINITY : Number(high)];
  }

  #atom(depth: number): Part {
    if (this.#take('(')) return this.#group(depth);
    if (this.#take('^')) return { kind: 'at', where: 'start' };
    if (this.#take('$')) return { kind: 'at', where: 'end' };
    if (this.#take('\\b')) return { kind: 'at', where: 'word' };
    if (this.#take('\\B')) return { kind: 'at', where: 'inside' };
    if (this.#match(/\\(?:[1-9]\d*|k<[^>]*>)/y) !== null) return { kind: 'beyond', part: { kind: 'seq', parts: [] } };
    const [source] = this.#match(this.#unicode ? CHARACTER : OLD_CHARACTER) ?? [];
    if (source === undefined) throw new Strange();
    return { kind: 'char', source: LITERAL.has(source) ? `\\${source}` : source };
  }

  #group(depth: number): Part {
    const [opening = ''] = this.#match(/\?(?:<?[=!]|[ims]*-?[ims]*:|<[\p{ID_Start}$_][\p{ID_Continue}$]*>)/uy) ?? [];
    if (opening === '' && this.#sees('?')) throw new Strange();
    const part = this.choice(depth + 1);
    if (!this.#take(')')) throw new Strange();
    const looking = /^\?(<?)([=!])$/.exec(opening);
    if (looking === null) return /^\?[ims-]/.test(opening) ? { kind: 'beyond', part } : part;
    return { kind: 'look', ahead: looking[1] === '', negative: looking[2] === '!', part };
  }

  #sees(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  #match(regex: RegExp): RegExpExecArray | null {
    regex.lastIndex = this.#at;
    const found = regex.exec(this.#source);
    if (found !== null) this.#at += found[0].length;
    return found;
  }
}

/** Brackets that only mean themselves in patterns without the `u` flag. */
const LITERAL = new Set(['{', '}', ']']);
const CLASS = String.raw`\[(?:[^\]\\]|\\[^])*\]`;
const PLAIN = String.raw`[^\\^$*+?()[\]{}|]`;
const SURROGATES = String.raw`u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}`;
const ESCAPE = String.raw`u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|0(?!\d)|[^\dkpPuxc]`;
/** One character, escape or class. */
const CHARACTER = new RegExp(
  String.raw`${CLASS}|\\(?:[pP]\{[^}]*\}|u\{[\da-fA-F]+\}|${SURROGATES}|${ESCAPE})|${PLAIN}`,
  'uy',
);
const OLD_CHARACTER = new RegExp(String.raw`${CLASS}|\\(?:${ESCAPE})|${PLAIN}|[{}\]]`, 'y');
