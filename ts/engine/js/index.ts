/** The JavaScript engine: every section the twin of the Rust crate of the same name. */
import type { Engine } from '../engine.js';
import { codec } from './codec/index.js';
import { createMetrics } from './metrics/index.js';
import { createBuffers, createSlots } from './pool/index.js';
import { createRegistry } from './registry/index.js';
import { listen } from './serve/index.js';

export const jsEngine: Engine = {
  name: 'js',
  simd: 'none',
  codec,
  registry: { create: createRegistry },
  pool: { slots: createSlots, buffers: createBuffers },
  metrics: { create: createMetrics },
  serve: { listen },
};

export { headGuard } from './serve/guard.js';
