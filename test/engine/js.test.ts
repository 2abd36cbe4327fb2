/** Every case file on the JavaScript engine. */
import { describe } from 'vitest';
import { engineFor } from '../../ts/engine/index.js';
import { pipeEngine } from '../../ts/engine/pipe.js';
import { codecCases } from './codec.case.js';
import { metricsCases } from './metrics.case.js';
import { pipeCases } from './pipe.case.js';
import { poolCases } from './pool.case.js';
import { registryCases } from './registry.case.js';
import { serveCases } from './serve.case.js';

const engine = engineFor('js');

describe('js', () => {
  codecCases(engine);
  registryCases(engine);
  poolCases(engine);
  metricsCases(engine);
  serveCases(engine);
  pipeCases(pipeEngine());
});
