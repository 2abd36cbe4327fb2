/** The laws of the seam that can be read off its text. */
import { describe, expect, it } from 'vitest';
import { read, WORDS } from './tree.js';

const seam = read('ts/engine/engine.ts');
// Comments may speak of anything.
const code = seam.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');

describe('the seam', () => {
  it('has no optional member or parameter: absent is null', () => {
    expect(code.match(/\w+\?\s*[:(]/g)).toBeNull();
    expect(code.match(/\|\s*undefined/g)).toBeNull();
  });

  it('lets bytes and numbers cross, no object of any shape', () => {
    expect(code.match(/\b(any|unknown|object|Record<|Map<|Function)\b/g)).toBeNull();
  });

  it('has no behaviour', () => {
    expect(code).not.toMatch(/=>\s*\{|\bfunction\b|\bclass\b|\breturn\b/);
  });

  it('has a member per word, and no other section', () => {
    const engine = /export interface Engine \{([\s\S]*?)\n\}/.exec(code)?.[1] ?? '';
    const members = [...engine.matchAll(/^ {2}readonly (\w+):/gm)].map(([, name = '']) => name);
    expect(members.sort()).toEqual(['name', 'simd', ...WORDS].sort());
  });
});
