/**
 * No function is assigned to a property where it is written in what serves single requests: V8 puts such a function among
 * its old objects at once, and it keeps all that it refers to, and what comes after that, from being collected quickly. A
 * factory's servers cost twice the time when one of these was in their way.
 */
import { expect, it } from 'vitest';
import { files, read } from './tree.js';

const FUNCTION = /^(?!\s*(?:const|let) ).*(?:\.#?\w+|\]) (?:[?|]{2})?= (?:async )?(?:function\b|(?:\([^()]*\)|\w+) =>)/;
const code = (line: string) => !/^\s*(\*|\/[/*])/.test(line);

/** Made for a listener or a connection, which stay. */
const STAYS = ['ts/server/websocket/'];

it('is how it is told', () => {
  for (const line of ['this.#f ??= (x) => x;', 'a.b = async () => {', 'a[0] = function () {', 'a.b = x => x;'])
    expect(line).toMatch(FUNCTION);
  for (const line of ['const f = () => {', 'a.b = c.map((x) => x);', 'a.b = f;']) expect(line).not.toMatch(FUNCTION);
});

it('is so in what serves requests', () => {
  const serving = ['ts/dispatch.ts', ...['ts/protocol', 'ts/server'].flatMap((folder) => files(folder, '.ts'))];
  const found = serving
    .filter((file) => !STAYS.some((folder) => file.startsWith(folder)))
    .flatMap((file) => {
      const lines = read(file).split('\n');
      return lines.filter((line) => code(line) && FUNCTION.test(line)).map((line) => `${file}: ${line.trim()}`);
    });
  expect(serving.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
