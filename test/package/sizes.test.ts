/** Small rooms: the median file, the wall, and names that mean something. */
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { files, lineCount, read } from './tree.js';

// What a build generates is not written by anybody.
const written = (path: string) => path !== 'ts/engine/native/addon.d.ts';
const source = [...files('ts', '.ts'), ...files('crates', '.rs')].filter(written);
const everything = [
  ...source,
  ...['test', 'bench', 'examples', 'scripts'].flatMap((folder) => [...files(folder, '.ts'), ...files(folder, '.mjs')]),
];

it('has a median of about 150 lines, nine in ten under 400', () => {
  const sizes = source.map(lineCount).sort((a, b) => a - b);
  const at = (share: number) => sizes[Math.floor(sizes.length * share)] ?? 0;
  expect(sizes.length).toBeGreaterThan(50);
  expect(at(0.5)).toBeLessThanOrEqual(165);
  expect(at(0.9)).toBeLessThan(400);
});

it('has no file above 600 lines', () => {
  expect(everything.filter((path) => lineCount(path) > 600)).toEqual([]);
});

it('has no room whose name could mean anything', () => {
  const vague = /^(utils?|common|helpers?|core|misc|shared|.*manager)$/i;
  const names = everything.flatMap((path) => path.split('/').map((part) => basename(part).replace(/\..*$/, '')));
  expect(names.filter((name) => vague.test(name))).toEqual([]);
  const declared = /\b(class|interface|type|struct|enum|trait)\s+(\w*(Manager|Utils?|Helpers?))\b/g;
  expect(
    everything.flatMap((path) => [...read(path).matchAll(declared)].map((match) => `${path}: ${match[2]}`)),
  ).toEqual([]);
});

it('says at the top of every source file what it is', () => {
  const silent = source.filter((path) => !/^(\/\*\*|\/\/[/!]? ?\S|\/\*!)/.test(read(path)));
  expect(silent).toEqual([]);
});
