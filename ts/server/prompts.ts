/**
 * Prompts: registration, what `prompts/list` says about each, and getting one.
 */
import type { RequestContext } from '../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../protocol/errors.js';
import type { GetPromptResult, PromptArgument } from '../protocol/types.js';
import { accessOf } from './access.js';
import type { CompleteCallback } from './completable.js';
import { completerOf, completes } from './completable.js';
import type { Changes } from './handles.js';
import { checkCallback, checkName, Entry, isPromise, Shelf } from './handles.js';
import type { AccessRule, Handler } from './offer.js';
import type { Contract } from './schema.js';
import { contractOf } from './schema.js';
import type { StandardResult } from './standard.js';
import type { PromptConfig, PromptUpdate, RegisteredPrompt } from './types.js';
import { problemText } from './validate.js';

type AnyCallback = (...args: unknown[]) => unknown;

/** Members of a prompt that are listed as they are, and may be set on its handle. */
const LISTED = ['title', 'description', 'icons', '_meta'] as const;
type Listed = Pick<PromptConfig, (typeof LISTED)[number]>;

export class Prompts extends Shelf<PromptEntry> {
  constructor(changes: Changes, handlers: (Handler | undefined)[]) {
    super('Prompt', 'prompts', 'prompts/get', changes, handlers);
  }

  register(name: string, config: PromptConfig, callback: AnyCallback): RegisteredPrompt {
    checkName('prompt', name);
    this.claim(name);
    checkCallback('prompt', name, callback);
    const entry = new PromptEntry(this, name, config, callback);
    this.add(entry, entry);
    return entry;
  }

  /** Whether any argument of any prompt can be completed. */
  get completes(): boolean {
    for (const entry of this.entries.values()) if (completes(entry.argsSchema)) return true;
    return false;
  }
}

/** @throws TypeError */
function argsOf(schema: unknown, prompt: string): Contract {
  return contractOf(schema, 'input', `argsSchema of prompt "${prompt}"`);
}

/** One prompt: the user's handle and the dispatcher's handler in one object. */
class PromptEntry extends Entry<PromptUpdate> implements RegisteredPrompt, Handler {
  declare title?: string;
  declare description?: string;
  declare icons?: PromptConfig['icons'];
  declare _meta?: PromptConfig['_meta'];
  declare readonly method: 'prompts/get';
  readonly #listed: Listed;
  #argsSchema: PromptConfig['argsSchema'];
  #callback: AnyCallback;
  #args: Contract | undefined = undefined;
  readonly access: AccessRule | undefined;

  constructor(prompts: Prompts, name: string, config: PromptConfig, callback: AnyCallback) {
    super(prompts as never, name);
    const { title, description, icons, _meta, argsSchema } = config;
    this.#listed = { title, description, icons, _meta };
    this.#argsSchema = argsSchema;
    this.#callback = callback;
    if (argsSchema !== undefined) this.#args = argsOf(argsSchema, name);
    this.access = accessOf(config, 'prompt', name);
  }

  static {
    Object.defineProperty(PromptEntry.prototype, 'method', { value: 'prompts/get' });
    for (const member of LISTED) {
      Object.defineProperty(PromptEntry.prototype, member, {
        get(this: PromptEntry) {
          return this.#listed[member];
        },
        set(this: PromptEntry, value: never) {
          this.#listed[member] = value;
          this.touched();
        },
      });
    }
  }

  get name(): string {
    return this.key;
  }
  get argsSchema(): PromptConfig['argsSchema'] {
    return this.#argsSchema;
  }
  set argsSchema(schema: PromptConfig['argsSchema']) {
    this.#args = schema === undefined ? undefined : argsOf(schema, this.key);
    this.#argsSchema = schema;
    this.touched();
  }

  /** Checks the arguments and calls the callback. */
  get handler(): (args: Record<string, unknown> | undefined, context: RequestContext) => Promise<GetPromptResult> {
    return async (args, context) => (await this.run(args, context)) as GetPromptResult;
  }

  completer(argument: string): CompleteCallback | undefined {
    return completerOf(this.#argsSchema, argument);
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
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid arguments for prompt ${this.key}: ${problems}`);
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
    throw new ProtocolError(ProtocolErrorCode.InternalError, `Prompt ${this.key} returned no messages array`);
  }

  protected describe(): string {
    const { title, description, icons, _meta } = this.#listed;
    const args = this.#args === undefined ? undefined : argumentsOf(this.#args.json);
    return JSON.stringify({ name: this.key, title, description, arguments: args, icons, _meta });
  }

  protected keyIn(updates: PromptUpdate): string | null | undefined {
    return updates.name;
  }

  protected checkKey(name: string): void {
    checkName('prompt', name);
  }

  protected plan(updates: PromptUpdate): () => void {
    const { argsSchema, callback } = updates;
    const args = argsSchema === undefined ? this.#args : argsOf(argsSchema, this.key);
    if (callback !== undefined) checkCallback('prompt', this.key, callback);
    return () => {
      for (const member of LISTED) if (updates[member] !== undefined) this.#listed[member] = updates[member] as never;
      if (argsSchema !== undefined) this.#argsSchema = argsSchema;
      if (callback !== undefined) this.#callback = callback as AnyCallback;
      this.#args = args;
    };
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
