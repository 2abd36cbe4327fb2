/**
 * Prompts: registration, what `prompts/list` says about each, and getting one.
 */
import type { RequestContext } from '../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../protocol/errors.js';
import type { GetPromptResult, PromptArgument } from '../protocol/types.js';
import type { Changes, HandlerTable } from './handles.js';
import { checkName } from './handles.js';
import type { Handler } from './offer.js';
import type { Contract } from './schema.js';
import { contractOf } from './schema.js';
import type { StandardResult } from './standard.js';
import { checkCallback, defined, isPromise } from './tools.js';
import type { PromptConfig, PromptUpdate, RegisteredPrompt } from './types.js';
import { problemText } from './validate.js';

type AnyCallback = (...args: unknown[]) => unknown;

export class Prompts {
  readonly #entries = new Map<string, PromptEntry>();
  readonly table: HandlerTable;
  readonly changes: Changes;

  constructor(table: HandlerTable, changes: Changes) {
    this.table = table;
    this.changes = changes;
  }

  register(name: string, config: PromptConfig, callback: AnyCallback): RegisteredPrompt {
    checkName('prompt', name);
    this.claim(name);
    const entry = new PromptEntry(this, name, config, callback);
    this.#entries.set(name, entry);
    entry.number = this.table.add(entry);
    this.table.show('prompts/get', name, entry.number);
    this.changes.list('prompts');
    return entry;
  }

  items(): string[] {
    const items: string[] = [];
    for (const entry of this.#entries.values()) if (entry.enabled) items.push(entry.item());
    return items;
  }

  claim(name: string): void {
    if (this.#entries.has(name)) throw new Error(`Prompt ${name} is already registered`);
  }

  move(entry: PromptEntry, name: string): void {
    this.#entries.delete(entry.name);
    this.#entries.set(name, entry);
  }

  drop(name: string): void {
    this.#entries.delete(name);
  }
}

/** One prompt: the user's handle and the dispatcher's handler in one object. */
class PromptEntry implements RegisteredPrompt, Handler {
  readonly method = 'prompts/get';
  number = -1;
  enabled = true;
  name: string;
  readonly #prompts: Prompts;
  #config: PromptConfig;
  #callback: AnyCallback;
  #args: Contract | undefined;
  #item: string | undefined;
  #removed = false;

  constructor(prompts: Prompts, name: string, config: PromptConfig, callback: AnyCallback) {
    checkCallback(`prompt "${name}"`, callback);
    this.#prompts = prompts;
    this.name = name;
    this.#config = { ...config };
    this.#callback = callback;
    this.#args = this.#contract(config.argsSchema);
  }

  get title(): string | undefined {
    return this.#config.title;
  }
  get description(): string | undefined {
    return this.#config.description;
  }

  run(args: unknown, context: RequestContext): object | Promise<object> {
    if (this.#args === undefined) return this.#checked(this.#callback(context));
    const outcome = this.#args.check(args ?? {});
    return isPromise(outcome)
      ? outcome.then((settled) => this.#proceed(settled, context))
      : this.#proceed(outcome, context);
  }

  #proceed(outcome: StandardResult, context: RequestContext): object | Promise<object> {
    if (outcome.issues === undefined) return this.#checked(this.#callback(outcome.value, context));
    const problems = problemText(outcome.issues);
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid arguments for prompt ${this.name}: ${problems}`);
  }

  #checked(value: unknown): object | Promise<object> {
    return isPromise(value) ? value.then((settled) => this.#messages(settled)) : this.#messages(value);
  }

  #messages(value: unknown): object {
    const result = value as GetPromptResult | null;
    if (typeof result === 'object' && result !== null) {
      // Results of another kind (input_required) are the protocol's business.
      if (typeof result.resultType === 'string' && result.resultType !== 'complete') return result;
      if (Array.isArray(result.messages)) return result;
    }
    throw new ProtocolError(ProtocolErrorCode.InternalError, `Prompt ${this.name} returned no messages array`);
  }

  item(): string {
    if (this.#item === undefined) {
      const { title, description, icons, _meta } = this.#config;
      const args = this.#args === undefined ? undefined : argumentsOf(this.#args.json);
      this.#item = JSON.stringify({ name: this.name, title, description, arguments: args, icons, _meta });
    }
    return this.#item;
  }

  enable(): void {
    this.update({ enabled: true });
  }
  disable(): void {
    this.update({ enabled: false });
  }
  remove(): void {
    this.update({ name: null });
  }

  update(updates: PromptUpdate): void {
    if (this.#removed) return;
    const { table, changes } = this.#prompts;
    if (updates.name === null) {
      this.#removed = true;
      this.enabled = false;
      this.#prompts.drop(this.name);
      table.hide(this.method, this.name);
      table.drop(this.number);
      changes.list('prompts');
      return;
    }
    const { name = this.name, callback, enabled, argsSchema, ...rest } = updates;
    const args = this.#contract(argsSchema) ?? this.#args;
    if (callback !== undefined) checkCallback(`prompt "${name}"`, callback);
    const shown = this.enabled && name === this.name;
    if (name !== this.name) {
      checkName('prompt', name);
      this.#prompts.claim(name);
      this.#prompts.move(this, name);
      table.hide(this.method, this.name);
    }
    this.name = name;
    this.#config = { ...this.#config, ...defined(rest) };
    this.#args = args;
    if (callback !== undefined) this.#callback = callback as AnyCallback;
    this.enabled = enabled ?? this.enabled;
    if (this.enabled && !shown) table.show(this.method, name, this.number);
    if (!this.enabled) table.hide(this.method, name);
    this.#item = undefined;
    changes.list('prompts');
  }

  #contract(schema: unknown): Contract | undefined {
    return schema === undefined ? undefined : contractOf(schema, 'input', `argsSchema of prompt "${this.name}"`);
  }
}

/** The listed arguments of a prompt: the properties of its schema. */
function argumentsOf(json: Readonly<Record<string, unknown>>): PromptArgument[] {
  const properties = Object.entries(
    (json.properties ?? {}) as Record<string, { title?: string; description?: string }>,
  );
  const required = Array.isArray(json.required) ? json.required : [];
  return properties.map(([name, { title, description }]) => ({
    name,
    title,
    description,
    required: required.includes(name),
  }));
}
