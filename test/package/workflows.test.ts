/** The workflows cannot run here; what they name can be compared with what is there. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { platformOf, hostPlatform as scriptHost } from '../../scripts/steps/platform.mjs';
import { hostPlatform, PLATFORMS } from '../../ts/engine/native/platform.js';
import { packageJson, read } from './tree.js';

interface Step {
  run?: string;
  uses?: string;
  with?: Record<string, unknown>;
}
interface Job {
  needs?: string;
  uses?: string;
  permissions?: Record<string, string>;
  strategy?: { matrix: Record<string, unknown[]> };
  steps?: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const workflow = (name: string) => parse(read(`.github/workflows/${name}.yml`)) as Workflow;
const ci = workflow('ci');
const release = workflow('release');
const { napi, scripts, engines } = packageJson();
const steps = (flow: Workflow) => Object.values(flow.jobs).flatMap((job) => job.steps ?? []);

describe('ci', () => {
  it('tests on every system and every supported Node', () => {
    const matrix = ci.jobs.test?.strategy?.matrix;
    expect(matrix?.os).toEqual(['ubuntu-latest', 'macos-latest', 'windows-latest']);
    expect(matrix?.node).toEqual([20, 22, 24, 26]);
    expect(engines?.node).toBe(`>=${matrix?.node?.[0]}.19`);
  });

  it('builds every target of package.json into its folder', () => {
    const rows = ci.jobs.build?.strategy?.matrix.include as { target: string; platform: string; flags: string }[];
    expect(rows.map((row) => row.target)).toEqual(napi?.targets);
    for (const row of rows) expect(row.platform).toBe((platformOf as Record<string, string>)[row.target]);
  });

  it('builds for old systems: the toolchain with glibc 2.17, zig for musl', () => {
    const rows = ci.jobs.build?.strategy?.matrix.include as { target: string; flags: string }[];
    for (const { target, flags } of rows) {
      expect(flags).toBe(target.endsWith('-gnu') ? '--use-napi-cross' : target.endsWith('-musl') ? '-x' : '');
    }
  });

  it('tests the built Linux addons in containers', () => {
    const linux = PLATFORMS.filter((platform) => platform.startsWith('linux-'));
    expect(ci.jobs['test-built']?.strategy?.matrix.platform).toEqual(linux);
  });
});

describe('release', () => {
  it('publishes only what ci built and proved, on a tag', () => {
    expect(release.on).toEqual({ push: { tags: ['v*'] } });
    expect(release.jobs.ci?.uses).toBe('./.github/workflows/ci.yml');
    expect(ci.on).toHaveProperty('workflow_call');
    expect(release.jobs.publish?.needs).toBe('ci');
  });

  it('publishes with provenance, platform packages first', () => {
    expect(release.jobs.publish?.permissions).toMatchObject({ 'id-token': 'write' });
    const publishing = steps(release).flatMap((step) => (step.run?.includes('npm publish') ? [step.run] : []));
    expect(publishing).toHaveLength(2);
    expect(publishing[0]).toContain('npm/*/');
    for (const command of publishing) expect(command).toContain('--provenance');
  });
});

it('grants nothing to jobs that do not ask for it', () => {
  for (const flow of [ci, release]) expect(flow.permissions).toEqual({ contents: 'read' });
});

it('runs only scripts that exist', () => {
  const commands = [...steps(ci), ...steps(release)].map((step) => step.run ?? '').join('\n');
  const named = [...commands.matchAll(/npm (run ([\w:]+)|test|start)/g)].map(([, word = '', name = word]) => name);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => scripts?.[name] === undefined)).toEqual([]);
});

it('pins every action to a version', () => {
  const actions = [...steps(ci), ...steps(release)].flatMap((step) => step.uses ?? []);
  expect(actions.length).toBeGreaterThan(5);
  expect(actions.filter((action) => !/^[\w-]+\/[\w-]+@v\d+$/.test(action))).toEqual([]);
});

describe('platform names', () => {
  it('are the same in the scripts, the loader and package.json', () => {
    expect(Object.keys(platformOf)).toEqual(napi?.targets);
    expect(Object.values(platformOf)).toEqual([...PLATFORMS]);
  });

  it('lead to the same host', () => {
    expect(scriptHost()).toBe(hostPlatform());
  });
});
