/** Sealed state: what opens it and what does not. */
import { describe, expect, it } from 'vitest';
import { createStateSealer } from '../../ts/protocol/modern/state-seal.js';

const OLD = 'o'.repeat(32);
const NEW = Buffer.alloc(32, 7);

describe('sealing', () => {
  it('gives back what was sealed, for the same binding', () => {
    const sealer = createStateSealer();
    for (const value of [null, 0, '', 'ä🦀', [1, [2]], { a: { b: null } }]) {
      expect(sealer.open(sealer.seal(value, 'x'), 'x')).toEqual(value);
    }
    expect(() => sealer.open(sealer.seal(1, 'x'), 'y')).toThrow();
  });

  it('shares one random key in a process, and never seals alike', () => {
    const [one, two] = [createStateSealer(), createStateSealer()];
    expect(two.open(one.seal('v', 'b'), 'b')).toBe('v');
    expect(one.seal('v', 'b')).not.toBe(one.seal('v', 'b'));
  });

  it('rotates keys: the first seals, all open', () => {
    const before = createStateSealer({ keys: [OLD] });
    const during = createStateSealer({ keys: [NEW, OLD] });
    const after = createStateSealer({ keys: [NEW] });
    const sealed = before.seal('v', 'b');
    expect(during.open(sealed, 'b')).toBe('v');
    expect(after.open(during.seal('w', 'b'), 'b')).toBe('w');
    expect(() => after.open(sealed, 'b')).toThrow();
    expect(() => createStateSealer().open(sealed, 'b')).toThrow();
  });

  it('refuses every changed byte', () => {
    const sealer = createStateSealer();
    const sealed = sealer.seal({ amount: 1 }, 'b');
    for (let at = 0; at < sealed.length; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      expect(() => sealer.open(sealed.slice(0, at) + other + sealed.slice(at + 1), 'b')).toThrow();
      expect(() => sealer.open(sealed.slice(0, at), 'b')).toThrow();
    }
  });

  it('is bounded and dated', () => {
    const sealer = createStateSealer({ maxLength: 512 });
    expect(() => sealer.seal('x'.repeat(400), 'b')).toThrow(RangeError);
    expect(sealer.seal('x'.repeat(100), 'b').length).toBeLessThanOrEqual(512);
    expect(() => sealer.open(createStateSealer().seal('x'.repeat(900), 'b'), 'b')).toThrow();
  });

  it('wants keys that are keys', () => {
    expect(() => createStateSealer({ keys: [] })).toThrow(RangeError);
    expect(() => createStateSealer({ keys: ['short'] })).toThrow(RangeError);
    expect(() => createStateSealer({ keys: [OLD, 'a secret that is short'] })).toThrow(
      new RangeError('requestState.keys[1] must have at least 32 bytes'),
    );
    expect(() => createStateSealer({ keys: OLD as never })).toThrow(TypeError);
    expect(() => createStateSealer({ keys: [undefined as never] })).toThrow(
      new TypeError('requestState.keys[0] must be text or bytes, not undefined'),
    );
    expect(() => createStateSealer({ keys: ['ü'.repeat(16)] })).not.toThrow(); // bytes, not characters
    expect(() => createStateSealer({ ttl: 0 })).toThrow(RangeError);
  });
});
