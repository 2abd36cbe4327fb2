/**
 * Handler numbers: which number stands for which tool, prompt or fixed resource, and which of them can be called now.
 *
 * A number is given once, at registration, and keeps meaning the same entry through disabling, renaming and updating; it
 * is never given again, so that a call in flight cannot reach another handler.
 */
import type { Handler, HandlerMethod, ListKind } from './offer.js';

/** Told of every change that a client could see. */
export interface Changes {
  /** A name became callable, or no longer is, or means another number. */
  name(method: HandlerMethod, name: string): void;
  /** The content of a list is no longer what it was. */
  list(kind: ListKind): void;
}

export class HandlerTable {
  readonly handlers: (Handler | undefined)[] = [];
  readonly #callable: Readonly<Record<HandlerMethod, Map<string, number>>> = {
    'tools/call': new Map(),
    'prompts/get': new Map(),
    'resources/read': new Map(),
  };
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** A number for a new handler, not callable until {@link show}. */
  add(handler: Handler): number {
    return this.handlers.push(handler) - 1;
  }

  show(method: HandlerMethod, name: string, number: number): void {
    this.#callable[method].set(name, number);
    this.#changes.name(method, name);
  }

  hide(method: HandlerMethod, name: string): void {
    if (this.#callable[method].delete(name)) this.#changes.name(method, name);
  }

  /** Forgets a handler that was hidden. */
  drop(number: number): void {
    this.handlers[number] = undefined;
  }

  find(method: HandlerMethod, name: string): number {
    return this.#callable[method].get(name) ?? -1;
  }

  /** Callable names of a method with their numbers, in the order in which they became callable. */
  callable(method: HandlerMethod): ReadonlyMap<string, number> {
    return this.#callable[method];
  }
}

/** Most characters of a name: it has to fit a request header. */
const MAX_NAME = 512;
const UNUSUAL = /[^A-Za-z0-9._-]/;

/**
 * Checks a name at registration. The specification's form (1 to 128 of `A-Z a-z 0-9 _ - .`) is a recommendation, so
 * leaving it gives a process warning; what no client could send at all is refused.
 * @throws TypeError
 */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw new TypeError(`The name of a ${what} must be a non-empty string`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (name.length > MAX_NAME || /[\u0000-\u001f\u007f]|\p{Surrogate}/u.test(name)) {
    throw new TypeError(
      `Bad name of a ${what}: ${JSON.stringify(name.slice(0, 80))} (at most ${MAX_NAME} characters, no control characters)`,
    );
  }
  if (what === 'tool' && (name.length > 128 || UNUSUAL.test(name))) {
    process.emitWarning(
      `Tool name ${JSON.stringify(name)} is not of the recommended form: 1 to 128 of A-Z, a-z, 0-9, "_", "-", "."`,
      { code: 'THIRDRAIL_TOOL_NAME' },
    );
  }
}
