/**
 * Structured output for legacy clients, whose revisions know objects only: a value that is none travels as
 * `{"result": value}`, and a schema whose root is not `"type": "object"` is listed as the schema of that object.
 *
 * Schemas are moved, not changed: what refers to their root must find it at its new place.
 */
import { asMembers, type Members, own } from '../incoming.js';

/** Marks a tool's result whose schema is listed wrapped, so that an object in it is wrapped as well. */
export const WRAPPED: unique symbol = Symbol('wrapped for legacy clients');

const PLACE = '#/properties/result';

/** Keywords whose values are data. */
const DATA = new Set(['const', 'enum', 'default', 'examples']);
/** Keywords whose members are named by the schema's author. */
const NAMES = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);

/** Whether a legacy client must be shown the schema inside another one. */
export function needsWrapping(schema: Readonly<Members>): boolean {
  return own(schema, 'type') !== 'object';
}

/** A tool's result as a legacy client may see it: the same object unless its structured content must be wrapped. */
export function wrapResult(result: Members): Members {
  const { structuredContent } = result;
  if (structuredContent === undefined) return result;
  const marked = (result as { [WRAPPED]?: boolean })[WRAPPED] === true;
  if (!marked && asMembers(structuredContent) !== undefined) return result;
  return { ...result, structuredContent: { result: structuredContent } };
}

/** A listed tool (JSON text) as a legacy client may see it: the same text unless its output schema must be wrapped. */
export function wrapListed(tool: string): string {
  // Most tools have no output schema, and need not be read for that.
  if (!tool.includes('"outputSchema"')) return tool;
  const members = JSON.parse(tool) as Members;
  const schema = asMembers(own(members, 'outputSchema'));
  if (schema === undefined || !needsWrapping(schema)) return tool;
  return JSON.stringify({ ...members, outputSchema: wrapSchema(schema) });
}

/** The schema of `{result: value}` for the schema of a value. */
export function wrapSchema(schema: Readonly<Members>): Members {
  const dialect = own(schema, '$schema');
  const moved = hasBase(schema) ? schema : new Move(schema).schema(schema);
  // Whoever validates looks for the dialect at the root of the document.
  const head = typeof dialect === 'string' ? { $schema: dialect } : {};
  return { ...head, type: 'object', properties: { result: moved }, required: ['result'] };
}

/** With an `$id` that is more than a fragment, references start there and not at the root of the document. */
function hasBase(schema: Readonly<Members>): boolean {
  const id = own(schema, '$id');
  return id !== undefined && !(typeof id === 'string' && id.startsWith('#'));
}

class Move {
  /** `$recursiveRef: "#"` is a plain reference to the root in 2019-09, unless the root says that it may be overridden. */
  readonly #recursive: boolean;

  constructor(root: Readonly<Members>) {
    const dialect = own(root, '$schema');
    const is2019 = typeof dialect === 'string' && /\/draft\/2019-09\/schema#?$/.test(dialect);
    this.#recursive = is2019 && own(root, '$recursiveAnchor') !== true;
  }

  schema(schema: Readonly<Members>): Members {
    // Entries and fromEntries: a member named __proto__ stays a member.
    const entries = Object.entries(schema).filter(([key, value]) => !this.#isRecursion(key, value));
    const moved = Object.fromEntries(entries.map(([key, value]) => [key, this.#keyword(key, value)])) as Members;
    if (entries.length === Object.keys(schema).length) return moved;
    if (!Object.hasOwn(moved, '$ref')) return { ...moved, $ref: PLACE };
    // Beside another reference both hold.
    const all = own(moved, 'allOf');
    return { ...moved, allOf: [...(Array.isArray(all) ? all : []), { $ref: PLACE }] };
  }

  #isRecursion(key: string, value: unknown): boolean {
    return this.#recursive && key === '$recursiveRef' && value === '#';
  }

  #keyword(key: string, value: unknown): unknown {
    if ((key === '$ref' || key === '$dynamicRef') && typeof value === 'string') return moveReference(value);
    if (DATA.has(key)) return value;
    const members = NAMES.has(key) ? asMembers(value) : undefined;
    if (members === undefined) return this.#inner(value);
    return Object.fromEntries(Object.entries(members).map(([name, inner]) => [name, this.#inner(inner)]));
  }

  #inner(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#inner(item));
    const members = asMembers(value);
    return members === undefined || hasBase(members) ? value : this.schema(members);
  }
}

/** Pointers into this document only; names (`#item`) and other documents stay where they are. */
function moveReference(reference: string): string {
  if (reference === '#') return PLACE;
  return reference.startsWith('#/') ? PLACE + reference.slice(1) : reference;
}
