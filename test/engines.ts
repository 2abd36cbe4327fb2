/**
 * The engines that the suite runs on. Without the addon it is the JavaScript engine alone, said once; with `CI=true` that
 * is a failure, as it is when `THIRDRAIL_ENGINE=native` was asked for.
 */
import type { Engine } from '../ts/engine/engine.js';
import { engineFor } from '../ts/engine/index.js';

function load(): Engine[] {
  const js = engineFor('js');
  // Said by `npm test` when there is no cargo: what an earlier build left behind is not what the sources are.
  if (process.env.THIRDRAIL_TEST_NATIVE === '0') return [js];
  try {
    return [engineFor('native'), js];
  } catch (error) {
    if (process.env.CI === 'true' || process.env.THIRDRAIL_ENGINE === 'native') throw error;
    return [js];
  }
}

export const engines: readonly Engine[] = load();
/** `describe.each(engineNames)`: the names, for `listen({ engine: name })`. */
export const engineNames = engines.map((engine) => engine.name);
export const native: Engine | undefined = engines.find((engine) => engine.name === 'native');
