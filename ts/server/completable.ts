/**
 * Schemas that can suggest values for themselves: the arguments of a prompt for `completion/complete`.
 *
 * The mark is a property of the schema object under the symbol that the official SDK uses, so that schemas marked by
 * either work with both.
 */
import type { InferInput, StandardSchemaV1 } from './standard.js';

export const COMPLETABLE_SYMBOL: unique symbol = Symbol.for('mcp.completable') as never;

/** Gives values for what is typed so far; `context.arguments` are the arguments that are filled in already. */
export type CompleteCallback<S extends StandardSchemaV1 = StandardSchemaV1> = (
  value: InferInput<S>,
  context?: { arguments?: Record<string, string> },
) => InferInput<S>[] | Promise<InferInput<S>[]>;

export type CompletableMeta<S extends StandardSchemaV1 = StandardSchemaV1> = { complete: CompleteCallback<S> };
export type CompletableSchema<S extends StandardSchemaV1> = S & { [COMPLETABLE_SYMBOL]: CompletableMeta<S> };

/**
 * Marks a schema as able to complete its values, and gives it back.
 * @throws TypeError when the callback is no function, or the schema is marked already
 */
export function completable<S extends StandardSchemaV1>(
  schema: S,
  complete: CompleteCallback<S>,
): CompletableSchema<S> {
  if (typeof complete !== 'function') throw new TypeError('completable needs a function that suggests values');
  Object.defineProperty(schema, COMPLETABLE_SYMBOL, { value: { complete } });
  return schema as CompletableSchema<S>;
}

export function isCompletable(schema: unknown): schema is CompletableSchema<StandardSchemaV1> {
  return typeof schema === 'object' && schema !== null && COMPLETABLE_SYMBOL in schema;
}

/** What suggests values for one property of an arguments schema: marked itself, or inside `optional()` and the like. */
export function completerOf(argsSchema: unknown, name: string): CompleteCallback | undefined {
  const shape = shapeOf(argsSchema);
  let field: unknown = shape !== undefined && Object.hasOwn(shape, name) ? shape[name] : undefined;
  // Zod's wrappers hold the schema that they wrap in their definition.
  for (let depth = 0; depth < 8 && field !== undefined; depth++) {
    if (isCompletable(field)) return field[COMPLETABLE_SYMBOL].complete;
    field = (field as { def?: { innerType?: unknown } } | null)?.def?.innerType;
  }
  return undefined;
}

/** Whether any property of an arguments schema can be completed. */
export function completes(argsSchema: unknown): boolean {
  const shape = shapeOf(argsSchema);
  return shape !== undefined && Object.keys(shape).some((name) => completerOf(argsSchema, name) !== undefined);
}

/** The properties of a zod object, or of a raw shape. */
function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  const shape = (schema as { shape?: unknown }).shape;
  if (typeof shape === 'object' && shape !== null) return shape as Record<string, unknown>;
  return '~standard' in schema ? undefined : (schema as Record<string, unknown>);
}
