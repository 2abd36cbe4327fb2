/**
 * Tools: registration, what `tools/list` says about each, and running one.
 *
 * What a call needs (checks, callback, messages) is prepared here when the tool is registered or updated; a call only
 * uses it.
 */
import type { RequestContext } from '../protocol/context.js';
import { ProtocolError } from '../protocol/errors.js';
import type { CallToolResult } from '../protocol/types.js';
import type { Changes, HandlerTable } from './handles.js';
import { checkName } from './handles.js';
import type { Handler } from './offer.js';
import type { Contract } from './schema.js';
import { contractOf, NO_INPUT } from './schema.js';
import type { StandardResult } from './standard.js';
import type { RegisteredTool, ToolConfig, ToolUpdate } from './types.js';
import { problemText, typeName } from './validate.js';

type AnyCallback = (...args: unknown[]) => unknown;
type Failed = CallToolResult & { isError: true };

export class Tools {
  readonly #entries = new Map<string, ToolEntry>();
  readonly #table: HandlerTable;
  readonly #changes: Changes;

  constructor(table: HandlerTable, changes: Changes) {
    this.#table = table;
    this.#changes = changes;
  }

  register(name: string, config: ToolConfig, callback: AnyCallback): RegisteredTool {
    checkName('tool', name);
    this.#claim(name);
    checkCallback(`tool "${name}"`, callback);
    const entry = new ToolEntry(this, name, config, callback);
    this.#entries.set(name, entry);
    entry.number = this.#table.add(entry);
    this.#table.show('tools/call', name, entry.number);
    this.#changes.list('tools');
    return entry;
  }

  /** JSON texts of the enabled tools, in registration order. */
  items(): string[] {
    const items: string[] = [];
    for (const entry of this.#entries.values()) if (entry.enabled) items.push(entry.item());
    return items;
  }

  rename(entry: ToolEntry, name: string): void {
    checkName('tool', name);
    this.#claim(name);
    this.#entries.delete(entry.name);
    this.#entries.set(name, entry);
    if (entry.enabled) {
      this.#table.hide('tools/call', entry.name);
      this.#table.show('tools/call', name, entry.number);
    }
  }

  toggle(entry: ToolEntry, enabled: boolean): void {
    if (enabled) this.#table.show('tools/call', entry.name, entry.number);
    else this.#table.hide('tools/call', entry.name);
  }

  remove(entry: ToolEntry): void {
    this.#entries.delete(entry.name);
    this.#table.hide('tools/call', entry.name);
    this.#table.drop(entry.number);
    this.#changes.list('tools');
  }

  changed(): void {
    this.#changes.list('tools');
  }

  #claim(name: string): void {
    if (this.#entries.has(name)) throw new Error(`Tool ${name} is already registered`);
  }
}

/** One tool: the user's handle and the dispatcher's handler in one object. */
class ToolEntry implements RegisteredTool, Handler {
  readonly method = 'tools/call';
  number = -1;
  enabled = true;
  name: string;
  readonly #tools: Tools;
  #config: ToolConfig;
  #callback: AnyCallback;
  #input: Contract | undefined;
  #output: Contract | undefined;
  #item: string | undefined;
  #removed = false;
  // Bound once: a promise per call must not cost a closure per call.
  readonly #finish = (result: unknown) => {
    try {
      return this.#settle(result);
    } catch (error) {
      return failure(error);
    }
  };

  constructor(tools: Tools, name: string, config: ToolConfig, callback: AnyCallback) {
    this.#tools = tools;
    this.name = name;
    this.#config = { ...config };
    this.#callback = callback;
    this.#input = this.#contract('inputSchema', config.inputSchema);
    this.#output = this.#contract('outputSchema', config.outputSchema);
  }

  get title(): string | undefined {
    return this.#config.title;
  }
  get description(): string | undefined {
    return this.#config.description;
  }
  get annotations(): ToolConfig['annotations'] {
    return this.#config.annotations;
  }

  run(args: unknown, context: RequestContext): object | Promise<object> {
    const input = this.#input;
    if (input === undefined) return this.#invoke(undefined, context);
    try {
      const outcome = input.check(args ?? {});
      if (!isPromise(outcome)) return this.#proceed(outcome, context);
      return outcome.then((settled) => this.#proceed(settled, context), failure);
    } catch (error) {
      return failure(error);
    }
  }

  #proceed(outcome: StandardResult, context: RequestContext): object | Promise<object> {
    if (outcome.issues === undefined) return this.#invoke(outcome, context);
    return failed(`Invalid arguments for tool ${this.name}: ${problemText(outcome.issues)}`);
  }

  #invoke(input: { value: unknown } | undefined, context: RequestContext): object | Promise<object> {
    try {
      const callback = this.#callback;
      const result = input === undefined ? callback(context) : callback(input.value, context);
      return isPromise(result) ? result.then(this.#finish, failure) : this.#settle(result);
    } catch (error) {
      return failure(error);
    }
  }

  /** Checks what the callback gave. Most results have content and nothing structured: they pass as they are. */
  #settle(value: unknown): object | Promise<object> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return failed(`Tool ${this.name} returned ${typeName(value)}; a tool returns an object with a content array`);
    }
    const result = value as Partial<CallToolResult>;
    // Results of another kind (input_required, task) are the protocol's business.
    if (typeof result.resultType === 'string' && result.resultType !== 'complete') return result;
    const structured = result.structuredContent;
    if (result.content !== undefined && !Array.isArray(result.content)) {
      return failed(`Tool ${this.name} returned content that is no array but ${typeName(result.content)}`);
    }
    if (this.#output !== undefined && result.isError !== true) return this.#checkOutput(this.#output, result);
    if (structured !== undefined) return withText(result);
    if (result.content !== undefined) return result;
    return failed(`Tool ${this.name} returned an object without a content array`);
  }

  #checkOutput(output: Contract, result: Partial<CallToolResult>): object | Promise<object> {
    if (result.structuredContent === undefined) {
      return failed(
        `Output validation error: Tool ${this.name} has an output schema but no structured content was provided`,
      );
    }
    const judge = (outcome: StandardResult): object =>
      outcome.issues === undefined
        ? withText(result)
        : failed(
            `Output validation error: Invalid structured content for tool ${this.name}: ${problemText(outcome.issues)}`,
          );
    const outcome = output.check(result.structuredContent);
    return isPromise(outcome) ? outcome.then(judge, failure) : judge(outcome);
  }

  /** The tool as `tools/list` says it; made when first listed after a change. */
  item(): string {
    this.#item ??= this.#describe();
    return this.#item;
  }

  #describe(): string {
    const { title, description, annotations, icons, _meta } = this.#config;
    const head = JSON.stringify({ name: this.name, title, description });
    const tail = JSON.stringify({ annotations, icons, _meta });
    const output = this.#output === undefined ? '' : `,"outputSchema":${this.#output.text}`;
    // Schemas are spliced as the text they were given in: their keys keep their order.
    const schemas = `,"inputSchema":${(this.#input ?? NO_INPUT).text}${output}`;
    return `${head.slice(0, -1)}${schemas}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`;
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

  update(updates: ToolUpdate): void {
    if (this.#removed) return;
    if (updates.name === null) {
      this.#removed = true;
      this.enabled = false;
      this.#tools.remove(this);
      return;
    }
    // Everything that can be refused comes before anything is changed.
    const input = this.#contract('inputSchema', updates.paramsSchema) ?? this.#input;
    const output = this.#contract('outputSchema', updates.outputSchema) ?? this.#output;
    if (updates.callback !== undefined) checkCallback(`tool "${this.name}"`, updates.callback);
    if (updates.name !== undefined && updates.name !== this.name) {
      this.#tools.rename(this, updates.name);
      this.name = updates.name;
    }
    const { name: _name, callback, enabled, paramsSchema: _params, outputSchema: _output, ...rest } = updates;
    this.#config = { ...this.#config, ...defined(rest) };
    this.#input = input;
    this.#output = output;
    if (callback !== undefined) this.#callback = callback as AnyCallback;
    if (enabled !== undefined && enabled !== this.enabled) {
      this.enabled = enabled;
      this.#tools.toggle(this, enabled);
    }
    this.#item = undefined;
    this.#tools.changed();
  }

  #contract(which: 'inputSchema' | 'outputSchema', schema: unknown): Contract | undefined {
    if (schema === undefined) return undefined;
    return contractOf(schema, which === 'inputSchema' ? 'input' : 'output', `${which} of tool "${this.name}"`);
  }
}

/** A result that tells the model what went wrong; the stack stays here. */
function failed(text: string): Failed {
  return { content: [{ type: 'text', text }], isError: true };
}

function failure(error: unknown): Failed {
  if (error instanceof ProtocolError) throw error;
  return failed(error instanceof Error ? error.message : String(error));
}

/**
 * Structured content also as text, for clients from before there was any: always when the handler gave no content, and
 * for values that are no object (which old clients cannot be sent) when it gave no text.
 */
function withText(result: Partial<CallToolResult>): object {
  const { content, structuredContent } = result;
  const plain =
    typeof structuredContent === 'object' && structuredContent !== null && !Array.isArray(structuredContent);
  if (content !== undefined && (plain || content.some((block) => block?.type === 'text'))) return result;
  return { ...result, content: [...(content ?? []), { type: 'text', text: JSON.stringify(structuredContent) }] };
}

/** @throws TypeError unless it is a function */
export function checkCallback(of: string, callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError(`The callback of ${of} must be a function`);
}

/** Whether a value has to be waited for; any thenable counts, as for `await`. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Without the members that are undefined: an absent member of an update means "as it was". */
export function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}
