/**
 * `instanceof` for error classes that several packages have their own copy of: the official SDK's packages and this one
 * name the class of an error in a set under one registered symbol, and ask that set besides the prototype chain.
 *
 * A class takes part with an own static `mcpBrand`; its subclasses without one are found by prototype, as usual.
 */

const BRANDS: unique symbol = Symbol.for('mcp.sdk.errorBrands') as never;

type Constructor = abstract new (...args: never[]) => unknown;

/** Gives a class its brand. Not declared as a static, so that nobody's class type depends on it. */
export function brand(target: Constructor, name: string): void {
  Object.defineProperty(target, 'mcpBrand', { value: name });
}

/** Names on an error every branded class that `made` (`new.target`) stands in the line of. */
export function stamp(error: object, made: unknown): void {
  const brands = new Set<string>();
  for (let at: unknown = made; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const name = ownBrand(at);
    if (name !== undefined) brands.add(name);
  }
  Object.defineProperty(error, BRANDS, { value: brands, enumerable: false, configurable: true });
}

/** What `Symbol.hasInstance` of a branded class answers. Never throws, whatever the value's traps do. */
function isBranded(target: Constructor, value: unknown): boolean {
  const name = ownBrand(target);
  if (name !== undefined && typeof value === 'object' && value !== null) {
    try {
      // An inherited set would let whoever can write to Object.prototype pass anything off as an error.
      const carried = Object.hasOwn(value, BRANDS) ? (value as { [BRANDS]: unknown })[BRANDS] : undefined;
      if (carried instanceof Set && carried.has(name)) return true;
    } catch {
      // A proxy that refuses to be looked at has no brand.
    }
  }
  return Function.prototype[Symbol.hasInstance].call(target, value);
}

/**
 * `isInstance` of a branded class: the same as `instanceof`.
 * @throws TypeError when it was taken off its class
 */
function isInstance(target: unknown, value: unknown): boolean {
  if (typeof target !== 'function') {
    throw new TypeError('isInstance must be called on its class: (value) => SdkError.isInstance(value)');
  }
  return isBranded(target as unknown as Constructor, value);
}

/** An error class that is asked by brand; subclasses name theirs with {@link brand}. */
export abstract class BrandedError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass asks for itself
    return isBranded(this, value);
  }
  /** The same as `instanceof`, for whoever prefers a call. */
  static isInstance<T extends abstract new (...args: never[]) => unknown>(
    this: T,
    value: unknown,
  ): value is InstanceType<T> {
    // biome-ignore lint/complexity/noThisInStatic: a subclass asks for itself
    return isInstance(this, value);
  }
}

function ownBrand(target: object): string | undefined {
  const name: unknown = Object.hasOwn(target, 'mcpBrand') ? (target as { mcpBrand?: unknown }).mcpBrand : undefined;
  return typeof name === 'string' ? name : undefined;
}
