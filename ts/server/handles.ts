/**
 * What tools, prompts, resources and templates have in common: a place in a list, a handler number, and the handle that
 * registration gives back.
 *
 * A number is given once, at registration, and keeps meaning the same entry through disabling, renaming and updating; it
 * is never given again, so that a call in flight cannot reach another handler. Servers are also built for one request, so
 * an entry makes nothing before it is asked for: the functions of a handle are made when they are first looked at.
 */
import type { Handler, HandlerMethod, ListKind } from './offer.js';

/** Told of every change that a client could see. */
export interface Changes {
  /** A name became callable, or no longer is, or means another number. */
  nameChanged(method: HandlerMethod, name: string): void;
  /** The content of a list is no longer what it was. */
  listChanged(kind: ListKind): void;
}

/** Members that every update may have. `name` or `uri` is the key, see {@link Entry.keyIn}. */
interface AnyUpdate {
  enabled?: boolean;
}

interface Actions<Update> {
  readonly enable: () => void;
  readonly disable: () => void;
  readonly update: (updates: Update) => void;
  readonly remove: () => void;
}

/** All entries of one kind by their key, in the order of registration. */
export class Shelf<E extends Entry<never>> {
  readonly entries = new Map<string, E>();
  /** How an entry is called in messages. */
  readonly what: string;
  readonly kind: ListKind;
  /** The method that reaches an entry by its key; undefined for templates, which match. */
  readonly method: HandlerMethod | undefined;
  /** Whether there ever was an entry. */
  used = false;
  readonly #changes: Changes;
  readonly #handlers: (Handler | undefined)[];

  constructor(
    what: string,
    kind: ListKind,
    method: HandlerMethod | undefined,
    changes: Changes,
    handlers: (Handler | undefined)[],
  ) {
    this.what = what;
    this.kind = kind;
    this.method = method;
    this.#changes = changes;
    this.#handlers = handlers;
  }

  /** @throws Error when the key is taken */
  claim(key: string): void {
    if (this.entries.has(key)) throw new Error(`${this.what} ${key} is already registered`);
  }

  /** Takes in a new entry, whose key was claimed. @param handler what its number means; templates have none */
  add(entry: E, handler: Handler | undefined): void {
    this.entries.set(entry.key, entry);
    this.used = true;
    if (handler !== undefined) entry.number = this.#handlers.push(handler) - 1;
    this.changed(entry.key);
  }

  /** Under another key; an entry keeps its number and gets the last place. */
  move(entry: E, from: string, to: string): void {
    this.entries.delete(from);
    this.entries.set(to, entry);
    this.changed(from);
  }

  drop(entry: E): void {
    this.entries.delete(entry.key);
    if (entry.number !== -1) this.#handlers[entry.number] = undefined;
  }

  /** @param key whose meaning changed, when any did */
  changed(key: string | undefined): void {
    if (key !== undefined && this.method !== undefined) this.#changes.nameChanged(this.method, key);
    this.#changes.listChanged(this.kind);
  }

  /** The number of an enabled entry, or -1. */
  find(key: string): number {
    const entry = this.entries.get(key);
    return entry?.enabled ? entry.number : -1;
  }

  /** JSON texts of the enabled entries. */
  items(): string[] {
    const items: string[] = [];
    for (const entry of this.entries.values()) if (entry.enabled) items.push(entry.item());
    return items;
  }
}

/** One registered thing: the user's handle. */
export abstract class Entry<Update extends AnyUpdate> {
  key: string;
  number = -1;
  protected readonly shelf: Shelf<Entry<never>>;
  #enabled = true;
  #removed = false;
  #actions: Actions<Update> | undefined = undefined;
  #item: string | undefined = undefined;

  constructor(shelf: Shelf<Entry<never>>, key: string) {
    this.shelf = shelf;
    this.key = key;
  }

  /** The new key that an update asks for: undefined when it stays, null when the entry goes. */
  protected abstract keyIn(updates: Update): string | null | undefined;
  /**
   * Checks everything that an update may be refused for, and gives what then makes it true.
   * @throws TypeError
   */
  protected abstract plan(updates: Update): () => void;
  /** @throws TypeError for a key that no client could send */
  protected abstract checkKey(key: string): void;
  protected abstract describe(): string;

  get enabled(): boolean {
    return this.#enabled;
  }
  set enabled(enabled: boolean) {
    this.actions.update({ enabled } as Update);
  }

  // Handed out as functions of their own: handles are taken apart, `const { disable } = tool`.
  get enable(): () => void {
    return this.actions.enable;
  }
  get disable(): () => void {
    return this.actions.disable;
  }
  get update(): (updates: Update) => void {
    return this.actions.update;
  }
  get remove(): () => void {
    return this.actions.remove;
  }

  /** The entry as its list says it; made when first listed after a change. */
  item(): string {
    this.#item ??= this.describe();
    return this.#item;
  }

  private get actions(): Actions<Update> {
    this.#actions ??= {
      enable: () => this.#update({ enabled: true } as Update),
      disable: () => this.#update({ enabled: false } as Update),
      update: (updates) => this.#update(updates),
      remove: () => this.#remove(),
    };
    return this.#actions;
  }

  /** After a change that was made without `update`. */
  protected touched(): void {
    if (this.#removed) return;
    this.#item = undefined;
    this.shelf.changed(undefined);
  }

  #update(updates: Update): void {
    if (this.#removed) return;
    const key = this.keyIn(updates);
    if (key === null) {
      this.#remove();
      return;
    }
    // Everything that can be refused comes before anything is changed.
    const apply = this.plan(updates);
    const moves = key !== undefined && key !== this.key;
    if (moves) {
      this.checkKey(key);
      this.shelf.claim(key);
      this.shelf.move(this as Entry<never>, this.key, key);
      this.key = key;
    }
    apply();
    const toggles = updates.enabled !== undefined && updates.enabled !== this.#enabled;
    if (toggles) this.#enabled = updates.enabled as boolean;
    this.#item = undefined;
    this.shelf.changed(moves || toggles ? this.key : undefined);
  }

  #remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    this.#enabled = false;
    this.shelf.drop(this as Entry<never>);
    this.shelf.changed(this.key);
  }
}

/** Most characters of a name: it has to fit a request header. */
const MAX_NAME = 512;
const UNUSUAL = /[^A-Za-z0-9._-]/;
/** Names that were found good before: servers that are built again and again register the same ones. */
const MAX_KNOWN = 10_000;
const known = { tool: new Set<string>(), other: new Set<string>() };

/**
 * Checks a name at registration. The specification's form (1 to 128 of `A-Z a-z 0-9 _ - .`) is a recommendation, so
 * leaving it gives a process warning, once for each name; what no client could send at all is refused.
 * @throws TypeError
 */
export function checkName(what: string, name: unknown): asserts name is string {
  const good = what === 'tool' ? known.tool : known.other;
  if (good.has(name as string)) return;
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
  if (good.size >= MAX_KNOWN) good.clear();
  good.add(name);
}

/** @throws TypeError unless it is a function */
export function checkCallback(of: string, name: string, callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError(`The callback of ${of} "${name}" must be a function`);
}

/** Whether a value has to be waited for; any thenable counts, as for `await`. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
