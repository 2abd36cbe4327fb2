/** The documents: numbers come from a run, links lead somewhere, commands exist. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fill, newestRun, section, table } from '../../scripts/readme-numbers.mjs';
import { files, packageJson, read, root } from './tree.js';

const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...files('docs', '.md')];

describe('the numbers in README.md', () => {
  it('are those of the newest run', () => {
    const readme = read('README.md');
    expect(readme).toBe(fill(readme, section(newestRun())));
  });

  it('are filled between the marks and nowhere else', () => {
    const readme = 'a\n<!-- bench:start -->\nold\n<!-- bench:end -->\nb';
    expect(fill(readme, 'new')).toBe('a\n<!-- bench:start -->\nnew\n<!-- bench:end -->\nb');
    expect(() => fill('no marks', 'new')).toThrow(/bench:start/);
    expect(() => fill('<!-- bench:end --><!-- bench:start -->', 'new')).toThrow(/in this order/);
  });

  it('say what was not measured', () => {
    const entry = { what: 'calls', engine: 'native', unit: 'x', measured: 24.123 };
    expect(table([entry, { ...entry, engine: 'js', measured: null }])).toContain('| calls | 24.1x | not measured |');
  });
});

describe.each(documents)('%s', (path) => {
  const text = read(path);

  it('links to files that exist', () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => packageJson().scripts?.[name] === undefined)).toEqual([]);
  });
});

it('names in ARCHITECTURE.md only files and folders that exist', () => {
  const paths = [
    ...read('ARCHITECTURE.md').matchAll(/`((?:ts|crates|test|scripts|bench|npm|docs|examples)\/[^`\s*<>]*)`/g),
  ];
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
