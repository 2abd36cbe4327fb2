/**
 * Tools: registration, what `tools/list` says about each, and running one.
 *
 * What a call needs (checks, callback, messages) is prepared here when the tool is registered or updated; a call only
 * uses it.
 */
import type { RequestContext } from '../protocol/context.js';
import { ProtocolError } from '../protocol/errors.js';
import { needsWrapping, WRAPPED } from '../protocol/legacy/wrap.js';
import type { CallToolResult } from '../protocol/types.js';
import { accessOf } from './access.js';
import type { Changes } from './handles.js';
import { checkCallback, checkName, Entry, isPromise, Shelf } from './handles.js';
import { mirroredIn } from './mirrored.js';
import type { AccessRule, Handler, MirroredParam } from './offer.js';
import type { Contract } from './schema.js';
import { contractOf, NO_INPUT } from './schema.js';
import type { StandardResult } from './standard.js';
import type { RegisteredTool, ToolConfig, ToolUpdate } from './types.js';
import { problemText, typeName } from './validate.js';

type AnyCallback = (...args: unknown[]) => unknown;
type Failed = CallToolResult & { isError: true };

/** Members of a tool that are listed as they are, and may be set on its handle. */
const LISTED = ['title', 'description', 'annotations', 'icons', 'execution', '_meta'] as const;
type Listed = Pick<ToolConfig, (typeof LISTED)[number]>;

/** Input schemas that were found good, headers and all. */
const inputs = new WeakMap<object, Contract>();

/** @throws TypeError */
function inputOf(schema: unknown, tool: string): Contract {
  const good = inputs.get(schema as object);
  if (good !== undefined) return good;
  const where = `inputSchema of tool "${tool}"`;
  const contract = contractOf(schema, 'input', where);
  try {
    mirroredIn(contract.json);
  } catch (error) {
    throw new TypeError(`${where}: ${(error as Error).message}`, { cause: error });
  }
  inputs.set(schema as object, contract);
  return contract;
}

/** @throws TypeError */
function outputOf(schema: unknown, tool: string): Contract {
  return contractOf(schema, 'output', `outputSchema of tool "${tool}"`);
}

export class Tools extends Shelf<ToolEntry> {
  /** Most members and items that the arguments of one call may have. */
  readonly maxElements: number;

  constructor(changes: Changes, handlers: (Handler | undefined)[], maxElements: number) {
    super('Tool', 'tools', 'tools/call', changes, handlers);
    this.maxElements = maxElements;
  }

  register(name: string, config: ToolConfig, callback: AnyCallback): RegisteredTool {
    checkName('tool', name);
    this.claim(name);
    checkCallback('tool', name, callback);
    const entry = new ToolEntry(this, name, config, callback);
    this.add(entry, entry);
    return entry;
  }

  mirrored(name: string): readonly MirroredParam[] | undefined {
    return this.entries.get(name)?.mirrored;
  }
}

/** One tool: the user's handle and the dispatcher's handler in one object. */
class ToolEntry extends Entry<ToolUpdate> implements RegisteredTool, Handler {
  declare title?: string;
  declare description?: string;
  declare annotations?: ToolConfig['annotations'];
  declare icons?: ToolConfig['icons'];
  declare execution?: ToolConfig['execution'];
  declare _meta?: ToolConfig['_meta'];
  declare readonly method: 'tools/call';
  declare protected readonly shelf: Tools;
  readonly #listed: Listed;
  #inputSchema: ToolConfig['inputSchema'];
  #outputSchema: ToolConfig['outputSchema'];
  #callback: AnyCallback;
  #input: Contract | undefined = undefined;
  #output: Contract | undefined = undefined;
  readonly access: AccessRule | undefined;

  constructor(tools: Tools, name: string, config: ToolConfig, callback: AnyCallback) {
    super(tools as never, name);
    const { title, description, annotations, icons, execution, _meta, inputSchema, outputSchema } = config;
    this.#listed = { title, description, annotations, icons, execution, _meta };
    this.#inputSchema = inputSchema;
    this.#outputSchema = outputSchema;
    this.#callback = callback;
    if (inputSchema !== undefined) this.#input = inputOf(inputSchema, name);
    if (outputSchema !== undefined) this.#output = outputOf(outputSchema, name);
    this.access = accessOf(config, 'tool', name);
  }

  static {
    Object.defineProperty(ToolEntry.prototype, 'method', { value: 'tools/call' });
    for (const member of LISTED) {
      Object.defineProperty(ToolEntry.prototype, member, {
        get(this: ToolEntry) {
          return this.#listed[member];
        },
        set(this: ToolEntry, value: never) {
          this.#listed[member] = value;
          this.touched();
        },
      });
    }
  }

  get name(): string {
    return this.key;
  }
  get handler(): AnyCallback {
    return this.#callback;
  }
  set handler(callback: AnyCallback) {
    this.update({ callback: callback as never });
  }
  get inputSchema(): ToolConfig['inputSchema'] {
    return this.#inputSchema;
  }
  set inputSchema(schema: ToolConfig['inputSchema']) {
    this.#input = schema === undefined ? undefined : inputOf(schema, this.key);
    this.#inputSchema = schema;
    this.touched();
  }
  get outputSchema(): ToolConfig['outputSchema'] {
    return this.#outputSchema;
  }
  set outputSchema(schema: ToolConfig['outputSchema']) {
    this.#output = schema === undefined ? undefined : outputOf(schema, this.key);
    this.#outputSchema = schema;
    this.touched();
  }
  /** The JSON Schema of the input as it is listed. */
  get inputSchemaJson(): Readonly<Record<string, unknown>> {
    return (this.#input ?? NO_INPUT).json;
  }
  get outputSchemaJson(): Readonly<Record<string, unknown>> | undefined {
    return this.#output?.json;
  }
  get mirrored(): readonly MirroredParam[] | undefined {
    return this.#input === undefined ? undefined : mirroredIn(this.#input.json);
  }

  /** Calls the callback with arguments that are valid already. */
  get executor(): (args: unknown, context: RequestContext) => Promise<CallToolResult> {
    return async (args, context) =>
      (this.#input === undefined ? this.#callback(context) : this.#callback(args, context)) as CallToolResult;
  }

  run(args: unknown, context: RequestContext): object | Promise<object> {
    const most = this.shelf.maxElements;
    if (most !== Number.POSITIVE_INFINITY && countElements(args, most) > most) {
      return failed(`Invalid arguments for tool ${this.key}: more than ${most} members and items`);
    }
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
    return failed(`Invalid arguments for tool ${this.key}: ${problemText(outcome.issues)}`);
  }

  #invoke(input: { value: unknown } | undefined, context: RequestContext): object | Promise<object> {
    try {
      const callback = this.#callback;
      const result = input === undefined ? callback(context) : callback(input.value, context);
      return isPromise(result) ? result.then((late) => this.#settleLate(late), failure) : this.#settle(result);
    } catch (error) {
      return failure(error);
    }
  }

  /** What a promise gave: there is no caller left to catch what settling it throws. */
  #settleLate(result: unknown): object | Promise<object> {
    try {
      return this.#settle(result);
    } catch (error) {
      return failure(error);
    }
  }

  /** Checks what the callback gave. Most results have content and nothing structured: they pass as they are. */
  #settle(value: unknown): object | Promise<object> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return failed(`Tool ${this.key} returned ${typeName(value)}; a tool returns an object with a content array`);
    }
    const result = value as Partial<CallToolResult>;
    // Results of another kind (input_required, task) are the protocol's business.
    if (typeof result.resultType === 'string' && result.resultType !== 'complete') return result;
    const structured = result.structuredContent;
    if (result.content !== undefined && !Array.isArray(result.content)) {
      return failed(`Tool ${this.key} returned content that is no array but ${typeName(result.content)}`);
    }
    if (this.#output !== undefined && result.isError !== true) return this.#checkOutput(this.#output, result);
    if (structured !== undefined) return withText(result);
    if (result.content !== undefined) return result;
    return failed(`Tool ${this.key} returned an object without a content array`);
  }

  #checkOutput(output: Contract, result: Partial<CallToolResult>): object | Promise<object> {
    if (result.structuredContent === undefined) {
      return failed(
        `Output validation error: Tool ${this.key} has an output schema but no structured content was provided`,
      );
    }
    const judge = (outcome: StandardResult): object =>
      outcome.issues === undefined
        ? needsWrapping(output.json)
          ? { ...withText(result), [WRAPPED]: true }
          : withText(result)
        : failed(
            `Output validation error: Invalid structured content for tool ${this.key}: ${problemText(outcome.issues)}`,
          );
    const outcome = output.check(result.structuredContent);
    return isPromise(outcome) ? outcome.then(judge, failure) : judge(outcome);
  }

  /** Checks what came later than its call: the result of a task. @throws {ProtocolError} that a schema threw */
  async settled(result: unknown): Promise<object> {
    return this.#settleLate(result);
  }

  protected describe(): string {
    const { title, description, annotations, icons, execution, _meta } = this.#listed;
    const head = JSON.stringify({ name: this.key, title, description });
    const tail = JSON.stringify({ annotations, icons, execution, _meta });
    const output = this.#output === undefined ? '' : `,"outputSchema":${this.#output.text}`;
    // Schemas are spliced as the text they were given in: their keys keep their order.
    const schemas = `,"inputSchema":${(this.#input ?? NO_INPUT).text}${output}`;
    return `${head.slice(0, -1)}${schemas}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`;
  }

  protected keyIn(updates: ToolUpdate): string | null | undefined {
    return updates.name;
  }

  protected checkKey(name: string): void {
    checkName('tool', name);
  }

  protected plan(updates: ToolUpdate): () => void {
    const { paramsSchema, outputSchema, callback } = updates;
    const input = paramsSchema === undefined ? this.#input : inputOf(paramsSchema, this.key);
    const output = outputSchema === undefined ? this.#output : outputOf(outputSchema, this.key);
    if (callback !== undefined) checkCallback('tool', this.key, callback);
    return () => {
      for (const member of LISTED) if (updates[member] !== undefined) this.#listed[member] = updates[member] as never;
      if (paramsSchema !== undefined) this.#inputSchema = paramsSchema;
      if (outputSchema !== undefined) this.#outputSchema = outputSchema;
      if (callback !== undefined) this.#callback = callback as AnyCallback;
      this.#input = input;
      this.#output = output;
    };
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

/** Members and items of a JSON value, up to one more than `most`. */
function countElements(root: unknown, most: number): number {
  const open: unknown[] = [root];
  let count = 0;
  while (open.length > 0 && count <= most) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inner = Array.isArray(value) ? value : Object.values(value);
    count += inner.length;
    if (count <= most) for (const part of inner) open.push(part);
  }
  return count;
}

/**
 * Structured content also as text, for clients from before there was any: always when the handler gave no content, and
 * for values that are no object (which old clients cannot be sent) when it gave no text.
 */
export function withText(result: Partial<CallToolResult>): object {
  const { content, structuredContent } = result;
  const plain =
    typeof structuredContent === 'object' && structuredContent !== null && !Array.isArray(structuredContent);
  if (content !== undefined && (plain || content.some((block) => block?.type === 'text'))) return result;
  return { ...result, content: [...(content ?? []), { type: 'text', text: JSON.stringify(structuredContent) }] };
}
