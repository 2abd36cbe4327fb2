/**
 * The official conformance suite against the fixture server, on each engine and in both revisions: one test per scenario.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineNames } from '../engines.js';
import { EXPECTED, REVISIONS } from './expected.mjs';
import { startEverything } from './start.mjs';
import { type Outcome, runSuite } from './suite.mjs';

const SUITE_TIME = 120_000;

describe.each(engineNames)('%s engine', (engine) => {
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    const out = await mkdtemp(join(tmpdir(), 'thirdrail-conformance-'));
    const server = await startEverything(engine);
    try {
      for (const revision of REVISIONS) {
        for (const outcome of await runSuite(server.url, revision, EXPECTED[revision], out)) {
          outcomes.set(`${revision} ${outcome.scenario}`, outcome);
        }
      }
    } finally {
      await server.stop();
      await rm(out, { recursive: true, force: true });
    }
  }, SUITE_TIME);

  afterAll(() => outcomes.clear());

  for (const revision of REVISIONS) {
    test.each([...EXPECTED[revision]])(`${revision} %s`, (scenario) => {
      const outcome = outcomes.get(`${revision} ${scenario}`);
      expect(outcome?.reasons).toEqual([]);
      expect(outcome?.passed).toBe(true);
    });
  }
});
