/** The native engine: the addon in the shape of the seam. It converts and calls; the work is in `crates/`. */
import type { Buffers, Codec, Engine, Framer, Metrics, MetricsOptions, Registry, Slots } from '../engine.js';
import type { Addon } from './binding.js';
import { listen, type NativeBacked } from './listener.js';
import { traced } from './trace.js';

/** Wraps a loaded addon. With `THIRDRAIL_TRACE=engine` every crossing is logged to stderr. */
export function nativeEngine(loaded: Addon): Engine {
  const addon = process.env.THIRDRAIL_TRACE === 'engine' ? traced(loaded) : loaded;
  return {
    name: 'native',
    simd: addon.simd(),
    codec: codec(addon),
    registry: { create: () => registry(addon) },
    pool: {
      slots: (capacity: number): Slots => new addon.NativeSlots(capacity),
      buffers: (maxBytes: number): Buffers => new addon.NativeBuffers(maxBytes),
    },
    metrics: { create: (options: MetricsOptions): Metrics => new addon.NativeMetrics(options.maxSeries) },
    serve: { listen: (config, routes, receiver) => listen(addon, config, routes, receiver) },
  };
}

function codec(addon: Addon): Codec {
  return {
    scan: (message, maxDepth, out) => addon.codecScan(message, maxDepth, out),
    lines: (maxBytes): Framer => framer(new addon.NativeLines(maxBytes)),
    events: (maxBytes): Framer => framer(new addon.NativeEvents(maxBytes)),
    canonical: (json, maxDepth) => addon.codecCanonical(json, maxDepth),
    digest: (json, maxDepth) => addon.codecDigest(json, maxDepth),
    encodeResult: (id, result) => addon.codecEncodeResult(id, result),
    encodeError: (id, error) => addon.codecEncodeError(id, error),
    encodeEvent: (id, data) => addon.codecEncodeEvent(id, data),
  };
}

function framer(native: InstanceType<Addon['NativeLines']> | InstanceType<Addon['NativeEvents']>): Framer {
  return {
    push: (chunk) => native.push(chunk),
    end: () => native.end(),
    get held() {
      return native.held;
    },
  };
}

function registry(addon: Addon): NativeBacked {
  const native = new addon.NativeRegistry();
  const created: Registry = {
    answer: (method, name, modern, legacy) => native.answer(method, name, modern, legacy),
    handler: (method, name, handler) => native.handler(method, name, handler),
    remove: (method, name) => native.remove(method, name),
    publish: () => native.publish(),
    route: (method, name) => native.route(method, name),
    record: (entry, failed, nanoseconds) => native.record(entry, failed, nanoseconds),
    stats: (entry, out) => native.stats(entry, out),
    get size() {
      return native.size;
    },
    get generation() {
      return native.generation;
    },
  };
  return Object.defineProperty(created, 'native', { value: native }) as NativeBacked;
}
