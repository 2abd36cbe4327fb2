/**
 * The engine of requests that another HTTP server accepted: JavaScript whatever the choice, as it has them already. Apart
 * from the choice, so that whoever mounts nothing does not load it.
 */
import { mounting } from './js/serve/mount.js';
import type { MountEngine } from './js/serve/mountcall.js';

export type { Mount } from './js/serve/mount.js';
export type { MountCall, MountOptions, MountRequest, Sink } from './js/serve/mountcall.js';
export { Mode, Skip } from './js/serve/mountcall.js';

export function mountEngine(): MountEngine {
  return mounting;
}
