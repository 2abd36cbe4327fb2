/** Every case file on the native engine. Without the addon there is nothing to run; with CI=true that is a failure. */
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../ts/engine/native/load.js';
import { RING_LAYOUT } from '../../ts/engine/native/rings.js';
import { native } from '../engines.js';
import { codecCases } from './codec.case.js';
import { metricsCases } from './metrics.case.js';
import { poolCases } from './pool.case.js';
import { registryCases } from './registry.case.js';
import { serveCases } from './serve.case.js';

describe.skipIf(native === undefined)('native', () => {
  if (native === undefined) return;
  codecCases(native);
  registryCases(native);
  poolCases(native);
  metricsCases(native);
  serveCases(native);

  it('has the ring layout that the addon was built with', () => {
    const loaded = loadAddon();
    expect('addon' in loaded && loaded.addon.ringLayout()).toEqual(RING_LAYOUT);
  });
});
