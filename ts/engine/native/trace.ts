/** Logs every crossing to stderr: `engine> name(argument sizes)`. For looking, not for production: each line is a write. */
import type { Addon } from './binding.js';

/** What a logged object stands for: native code takes only the real one as an argument. */
const real = new WeakMap<object, unknown>();
const unwrap = (arg: unknown): unknown => (typeof arg === 'object' && arg !== null ? (real.get(arg) ?? arg) : arg);

export function traced(addon: Addon): Addon {
  const wrap = (name: string, value: unknown): unknown => {
    if (typeof value !== 'function') return value;
    return new Proxy(value, {
      apply: (target, self, args) => {
        log(name, args);
        return Reflect.apply(target, self, args.map(unwrap));
      },
      construct: (target, args) => {
        log(`new ${name}`, args);
        return instance(name, Reflect.construct(target, args.map(unwrap)));
      },
      get: (target, key) => {
        const member = Reflect.get(target, key, target);
        if (typeof member !== 'function' || key === 'prototype') return member;
        return (...args: unknown[]) => {
          log(`${name}.${String(key)}`, args);
          return instance(name, Reflect.apply(member, target, args.map(unwrap)));
        };
      },
    });
  };
  return new Proxy(addon, { get: (target, key) => wrap(String(key), Reflect.get(target, key)) });
}

/** Methods and accessors of a native object need the real object as `this`. */
function instance<T>(name: string, object: T): T {
  if (typeof object !== 'object' || object === null || ArrayBuffer.isView(object)) return object;
  const logged = new Proxy(object, {
    get: (target, key) => {
      const member = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        log(`${name}.${String(key)}`, args);
        return Reflect.apply(member, target, args.map(unwrap));
      };
    },
  });
  real.set(logged, object);
  return logged;
}

function log(name: string, args: readonly unknown[]): void {
  process.stderr.write(`engine> ${name}(${args.map(brief).join(', ')})\n`);
}

/** Sizes, never contents: arguments may hold secrets. */
function brief(value: unknown): string {
  if (typeof value === 'string') return `string[${value.length}]`;
  if (ArrayBuffer.isView(value)) return `bytes[${value.byteLength}]`;
  if (typeof value === 'object' && value !== null) return 'object';
  return typeof value === 'function' ? 'function' : String(value);
}
