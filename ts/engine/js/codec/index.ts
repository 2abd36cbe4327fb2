/** The `codec` section of the JS engine: a list, see the files. */
import type { Codec } from '../../engine.js';
import { canonical } from './canonical.js';
import { digest } from './digest.js';
import { encodeError, encodeEvent, encodeResult } from './encode.js';
import { EventFramer } from './events.js';
import { LineFramer } from './lines.js';
import { scan } from './scan.js';

export { type RefusalError, refusalError } from './errors.js';
export { EventFramer } from './events.js';
export { LineFramer } from './lines.js';
export { SIMD_LEVEL } from './simd.js';
export { DEPTH_CEILING } from './skip.js';

export const codec: Codec = {
  scan,
  lines: (maxBytes) => new LineFramer(maxBytes),
  events: (maxBytes) => new EventFramer(maxBytes),
  canonical,
  digest,
  encodeResult,
  encodeError,
  encodeEvent,
};
