/** Patterns: the linear matcher beside RegExp, and patterns that RegExp must never be given. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ways } from '../../ts/server/jsonschema/pattern/cost.js';
import { linear } from '../../ts/server/jsonschema/pattern/linear.js';
import { type Part, parsePattern } from '../../ts/server/jsonschema/pattern/parse.js';
import { patternTest } from '../../ts/server/jsonschema/pattern/pattern.js';

const parse = (source: string, flags: '' | 'u' = 'u') => parsePattern(source, flags) as Part;

describe('the linear matcher', () => {
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(
        'a',
        'b',
        '.',
        '\\d',
        '\\w',
        '[^a]',
        '[a-c\\]]',
        '\\u{1f600}',
        '\\x62',
        '\\p{L}',
        '\\/',
        'é',
        '\\n',
      ),
      fc.constantFrom('^', '$', '\\b', '\\B', ''),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{1,3}', '{0,2}?', '{1,}'))
        .map(([a, q]) => `(${a})${q}`),
      fc.tuple(fc.constantFrom('?=', '?!', '?<=', '?<!', '?<name>'), tie('pattern')).map(([l, a]) => `(${l}${a})`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '\n', 'é', '\u{1f600}', ']'), maxLength: 8 });

  it('finds a match when RegExp does', () => {
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 6 }), (source, texts) => {
        let regex: RegExp;
        try {
          regex = new RegExp(source, 'u');
        } catch {
          return; // a name twice
        }
        const matcher = linear(parse(source), 'u');
        // V8 tries places within a surrogate pair too when nothing is consumed, which the specification does not.
        const peeks = /\\B|\(\?<?[=!]/.test(source);
        for (const each of texts) {
          if (peeks && each.includes('\u{1f600}')) continue;
          expect([source, each, matcher?.test(each)]).toEqual([source, each, regex.test(each)]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes patterns that are only valid without the u flag', () => {
    for (const source of ['^[\\w-\\.]+\\-x$', 'a{,2}', '^]{2}$', '\\_']) {
      const matcher = linear(parse(source, ''), '');
      for (const text of ['ab.c-x', 'a{,2}', ']]', '_', '']) {
        expect([source, text, matcher?.test(text)]).toEqual([source, text, new RegExp(source).test(text)]);
      }
    }
  });

  it('does not do back references, flags, and what is huge when written out', () => {
    for (const source of ['(a)\\1', '(?<n>a)\\k<n>', '(?:(?:a{200}){200}){200}']) {
      expect(linear(parse(source), 'u')).toBeUndefined();
    }
  });
});

describe('the measure of a pattern', () => {
  it('multiplies what can be chosen', () => {
    expect(ways(parse('^abc$'), 10)).toBe(1);
    expect(ways(parse('abc'), 10)).toBe(11);
    expect(ways(parse('^a*b*$'), 10)).toBe(121);
    expect(ways(parse('^(a|b)$'), 10)).toBe(2);
    expect(ways(parse('^(a+)+$'), 100)).toBeGreaterThan(1e100);
    expect(ways(parse('^(?:a|aa)*$'), 100)).toBeGreaterThan(1e30);
    expect(ways(parse('^(\\d{3}-)*$'), 100)).toBe(101);
  });
});

describe('patterns against hostile text', () => {
  it.each([
    ['^(a+)+$', 'a'.repeat(50_000)],
    ['^(a|aa)+$', 'a'.repeat(50_000)],
    ['(x+x+)+y', 'x'.repeat(50_000)],
    ['\\s*\\s*\\s*$', `${' '.repeat(20_000)}`],
    ['^(?=(a+)+$)a', 'a'.repeat(20_000)],
    ['^([a-z0-9]+-?)+(?<!-)$', 'a'.repeat(20_000)],
  ])('%s is decided', (source, text) => {
    expect(patternTest(source, '/pattern')(`${text}!`)).toBe(source.endsWith('\\s*$'));
    expect(typeof patternTest(source, '/pattern')(text)).toBe('boolean');
  });

  it('is told when it cannot be decided in bounded time', () => {
    expect(patternTest('^(a+)+(b)\\2$', '/pattern')('a'.repeat(1_000))).toBeUndefined();
    expect(patternTest('^(["\']).*\\1$', '/pattern')(`"${'a'.repeat(500)}"`)).toBe(true);
    expect(patternTest('(a+)+$', '/pattern')('b'.repeat(100_000_000))).toBeUndefined();
  });

  it('says where a pattern is none', () => {
    expect(() => patternTest('(', '/properties/a/pattern')).toThrow(
      '/properties/a/pattern: Invalid regular expression',
    );
  });
});
