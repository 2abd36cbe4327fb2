/** Registry: the shared vectors, generated changes against a plain Map, and the limits, on the engine under test. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine, Registry } from '../../ts/engine/engine.js';

interface Step {
  do: string;
  with: (string | number | null)[];
  gives: unknown;
}
interface Case {
  title: string;
  steps: Step[];
}

const FOLDER = new URL('../vectors/registry/', import.meta.url);
const bytes = (text: unknown) => (text === null ? null : Buffer.from(text as string));

function run(registry: Registry, step: Step): unknown {
  const [a, b, c, d] = step.with;
  switch (step.do) {
    case 'answer':
      return registry.answer(a as string, b as string, bytes(c), bytes(d));
    case 'handler':
      return registry.handler(a as string, b as string, c as number);
    case 'remove':
      return registry.remove(a as string, b as string);
    case 'publish':
      return registry.publish();
    case 'route':
      return registry.route(a as string, b as string);
    case 'record':
      registry.record(Number(a), b as 0 | 1, Number(c));
      return null;
    case 'stats': {
      const out = new Float64Array(3);
      return registry.stats(Number(a), out) ? [...out] : false;
    }
    case 'size':
      return registry.size;
    case 'generation':
      return registry.generation;
    default:
      throw new Error(`no such operation: ${step.do}`);
  }
}

export function registryCases(engine: Engine): void {
  describe('registry', () => {
    for (const file of readdirSync(FOLDER)) {
      const cases = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Case[];
      it.each(cases)(`${file}: $title`, ({ steps }) => {
        const registry = engine.registry.create();
        steps.forEach((step, i) => {
          expect(run(registry, step), `step ${i}: ${JSON.stringify(step)}`).toEqual(step.gives);
        });
      });
    }

    it('behaves like a Map that is copied by publish', () => {
      const key = fc.tuple(fc.constantFrom('tools/call', 'prompts/get', ''), fc.constantFrom('a', 'b', '', 'ä', 'ab'));
      const step = fc.oneof(
        fc.record({ kind: fc.constant('put' as const), key, answer: fc.boolean() }),
        fc.record({ kind: fc.constant('remove' as const), key }),
        fc.record({ kind: fc.constant('record' as const), key, failed: fc.constantFrom(0 as const, 1 as const) }),
        fc.record({ kind: fc.constant('publish' as const) }),
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const registry = engine.registry.create();
          const live = new Set<string>();
          const ids = new Map<string, number>();
          const calls = new Map<number, [number, number, number]>();
          let published = new Set<string>();
          for (const s of steps) {
            const joined = 'key' in s ? JSON.stringify(s.key) : '';
            if (s.kind === 'put') {
              const [method, name] = s.key;
              const id = s.answer
                ? registry.answer(method, name, Buffer.from('{}'), null)
                : registry.handler(method, name, 1);
              expect(id).toBe(ids.get(joined) ?? ids.size);
              ids.set(joined, id);
              live.add(joined);
            } else if (s.kind === 'remove') {
              expect(registry.remove(...s.key)).toBe(live.delete(joined));
            } else if (s.kind === 'record') {
              const id = ids.get(joined);
              if (id === undefined) continue;
              registry.record(id, s.failed, 10);
              const [n, e, t] = calls.get(id) ?? [0, 0, 0];
              calls.set(id, [n + 1, e + s.failed, t + 10]);
            } else {
              registry.publish();
              published = new Set(live);
            }
            for (const [known, id] of ids) {
              const [method, name] = JSON.parse(known) as [string, string];
              expect(registry.route(method, name)).toBe(published.has(known) ? id : -1);
            }
            expect(registry.size).toBe(published.size);
          }
          const out = new Float64Array(3);
          for (const [id, wanted] of calls) {
            expect(registry.stats(id, out)).toBe(true);
            expect([...out]).toEqual(wanted);
          }
        }),
        { numRuns: 60 },
      );
    });

    it('takes half a surrogate pair for U+FFFD', () => {
      const registry = engine.registry.create();
      expect(registry.handler('tools/call', 'a\ud800b', 0)).toBe(0);
      expect(registry.handler('tools/call', 'a\ufffdb', 0)).toBe(0);
      registry.publish();
      expect(registry.route('tools/call', 'a\udfffb')).toBe(0);
      expect(registry.route('tools/call', 'a\ufffdb')).toBe(0);
      expect(registry.remove('tools/call', 'a\ud801b')).toBe(true);
    });

    it('leaves a stats array that is too short as it was', () => {
      const registry = engine.registry.create();
      registry.handler('tools/call', 'a', 0);
      const short = new Float64Array([7, 7]);
      expect(registry.stats(0, short)).toBe(false);
      expect([...short]).toEqual([7, 7]);
    });

    it('remembers 4096 removed entries and forgets the longest removed first', () => {
      const registry = engine.registry.create();
      const out = new Float64Array(3);
      for (let i = 0; i < 4100; i++) registry.handler('tools/call', `t${i}`, i);
      for (let i = 0; i < 4100; i++) {
        registry.record(i, 0, 1);
        registry.remove('tools/call', `t${i}`);
      }
      expect([0, 3, 4, 4099].map((id) => registry.stats(id, out))).toEqual([false, false, true, true]);
      expect(registry.handler('tools/call', 't4', 0)).toBe(4);
      expect(registry.handler('tools/call', 't3', 0)).toBe(4100);
      registry.stats(4, out);
      expect(out[0]).toBe(1);
      // What has come back is no longer among the removed: it is not forgotten with them.
      for (let i = 0; i < 4097; i++) registry.handler('tools/call', `u${i}`, i);
      for (let i = 0; i < 4097; i++) registry.remove('tools/call', `u${i}`);
      expect([4, 5].map((id) => registry.stats(id, out))).toEqual([true, false]);
    });

    it('holds 262144 entries and refuses the next', () => {
      const registry = engine.registry.create();
      let last = -1;
      for (let i = 0; i < 2 ** 18; i++) last = registry.handler('resources/read', `file:///${i}`, i);
      expect(last).toBe(2 ** 18 - 1);
      expect(registry.handler('resources/read', 'one more', 0)).toBe(-1);
      expect(registry.answer('tools/list', '', Buffer.from('{}'), null)).toBe(-1);
      expect(registry.handler('resources/read', 'file:///7', 1)).toBe(7);
      expect(registry.remove('resources/read', 'file:///9')).toBe(true);
      expect(registry.handler('resources/read', 'one more', 0)).toBe(2 ** 18);
      registry.publish();
      expect(registry.size).toBe(2 ** 18);
      expect(registry.route('resources/read', 'file:///262143')).toBe(2 ** 18 - 1);
    });
  });
}
