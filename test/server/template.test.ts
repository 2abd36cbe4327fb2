/** URI templates: what matches, what the variables are, and that a hostile URI costs no more than its length. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ResourceTemplate, UriTemplate } from '../../ts/server/template.js';

const match = (template: string, uri: string) => {
  const variables = new UriTemplate(template).match(uri);
  return variables === null ? null : { ...variables };
};

describe('matching', () => {
  it.each([
    ['users://{id}', 'users://7', { id: '7' }],
    ['users://{id}', 'users://7/8', null],
    ['users://{id}', 'users://', null],
    ['users://{id}/posts/{post}', 'users://a/posts/b', { id: 'a', post: 'b' }],
    ['users://{id}/posts/{post}', 'users://a/likes/b', null],
    ['file:///{+path}', 'file:///a/b/c.txt', { path: 'a/b/c.txt' }],
    ['file:///{+path}.txt', 'file:///a.txt.txt', { path: 'a.txt' }],
    ['file:///{+a}/x/{+b}', 'file:///1/x/2/x/3', { a: '1/x/2', b: '3' }],
    ['repo://{owner}{/name}', 'repo://me/thing', { owner: 'me', name: 'thing' }],
    ['repo://{a}-{b}', 'repo://x-y-z', { a: 'x-y', b: 'z' }],
    ['repo://{a,b}', 'repo://1,2', { a: '1', b: '2' }],
    ['repo://{a*}', 'repo://1,2,3', { a: ['1', '2', '3'] }],
    ['repo://{a*}', 'repo://1', { a: '1' }],
    ['doc://{name}{.ext}', 'doc://a.b.md', { name: 'a.b', ext: 'md' }],
    ['doc://page{#part}', 'doc://page#intro', { part: '#intro' }],
    ['find://x{?q,page}', 'find://x?q=a&page=2', { q: 'a', page: '2' }],
    ['find://x{?q,page}', 'find://x?page=2&q=a', { q: 'a', page: '2' }],
    ['find://x{?q,page}', 'find://x?q=a', { q: 'a' }],
    ['find://x{?q,page}', 'find://x', {}],
    ['find://x{?q}', 'find://x?q=a&z=1', null],
    ['find://x{?q}', 'find://x?q=a&q=b', null],
    ['find://x{?q}', 'find://x?q', null],
    ['find://x?fixed=1{&q}', 'find://x?fixed=1&q=a', { q: 'a' }],
    ['find://x?a=1&b=2{&q}', 'find://x?a=1&b=2&q=c', { q: 'c' }],
    ['find://x?fixed=1{&q}', 'find://x?fixed=2&q=a', null],
    ['plain://x', 'plain://x', {}],
    ['plain://x', 'plain://xy', null],
    ['enc://{v}', 'enc://a%2Fb', { v: 'a%2Fb' }],
  ])('%s on %s', (template, uri, expected) => {
    expect(match(template, uri)).toEqual(expected);
  });

  it('gives no variable through the prototype', () => {
    const variables = new UriTemplate('x://{a}').match('x://1');
    expect(Object.getPrototypeOf(variables)).toBe(null);
  });

  it('gives back what was expanded', () => {
    const part = fc.stringMatching(/^[a-z0-9 é]{1,8}$/);
    const template = new UriTemplate('x://{a}/{b}{/c}{?d,e}');
    fc.assert(
      fc.property(
        fc.record({ a: part, b: part, c: part }),
        fc.record({ d: part, e: part }, { requiredKeys: [] }),
        (path, query) => {
          const encoded = Object.fromEntries(
            Object.entries({ ...path, ...query }).map(([k, v]) => [k, encodeURIComponent(v)]),
          );
          expect({ ...template.match(template.expand({ ...path, ...query })) }).toEqual(encoded);
        },
      ),
    );
  });
});

describe('cost', () => {
  it.each(['x://{+a}x{+b}x{+c}x{+d}y', 'x://{a}-{b}-{c}-{d}!', 'x://{a*}a{b*}a{c*}!', 'x://a{?q}'])(
    'of %s grows with the length of a hostile URI and no faster',
    (template) => {
      const steps = (length: number) => {
        const work = { steps: 0 };
        new UriTemplate(template).match(`x://${'x-a'.repeat(length)}`, work);
        return work.steps;
      };
      // Twice the input, twice the work: anything beyond linear would be far above.
      expect(steps(8000)).toBeLessThanOrEqual(2 * steps(4000));
      expect(steps(8000)).toBeLessThan(24_000 * 4 * template.length);
    },
  );

  it('of a URI beyond any limit is nothing', () => {
    const work = { steps: 0 };
    expect(new UriTemplate('x://{+a}').match(`x://${'a'.repeat(70_000)}`, work)).toBe(null);
    expect(work.steps).toBe(0);
  });
});

describe('mistakes', () => {
  it.each([
    ['x://{a', 'Unclosed'],
    ['x://a}', 'Unopened'],
    ['x://{}', 'Bad variable name'],
    ['x://{a b}', 'Bad variable name'],
    ['x://{a}/{a}', 'stands twice'],
    ['x://{?q}/more', 'Nothing can follow'],
    [`x://${'a'.repeat(5000)}`, 'at most 4096'],
    [Array.from({ length: 101 }, (_, i) => `{a${i}}`).join('/'), 'at most 100'],
    [7 as unknown as string, 'must be a string'],
  ])('%j are refused', (template, message) => {
    expect(() => new UriTemplate(template)).toThrow(TypeError);
    expect(() => new UriTemplate(template)).toThrow(message);
  });

  it('isTemplate tells templates from URIs', () => {
    expect(['x://{a}', 'x://a', 'x://{}', '}{'].map(UriTemplate.isTemplate)).toEqual([true, false, false, false]);
  });
});

it('a ResourceTemplate keeps its callbacks by variable', () => {
  const complete = { a: () => ['x'] };
  const template = new ResourceTemplate('x://{a}', { list: undefined, complete });
  expect(template.uriTemplate.variableNames).toEqual(['a']);
  expect([template.completeCallback('a'), template.completeCallback('toString')]).toEqual([complete.a, undefined]);
});
