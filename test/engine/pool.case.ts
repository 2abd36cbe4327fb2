/** Pool: the shared vectors, and generated takes and gives against plain sets, on the engine under test. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Buffers, Engine, Slots } from '../../ts/engine/engine.js';
import { Arena, SlotTable } from '../../ts/engine/js/pool/index.js';

interface Step {
  do: string;
  with: (string | number)[];
  gives: unknown;
}
interface Case {
  title: string;
  create: ['slots' | 'buffers' | 'arena', string | number];
  steps: Step[];
}

const FOLDER = new URL('../vectors/pool/', import.meta.url);

function counters(from: { stats(out: Float64Array): void }, count: number): number[] {
  const out = new Float64Array(count);
  from.stats(out);
  return [...out];
}

function runSlots(slots: Slots, step: Step): unknown {
  const handle = Number(step.with[0]);
  switch (step.do) {
    case 'take':
      return slots.take();
    case 'give':
      return slots.give(handle);
    case 'alive':
      return slots.alive(handle);
    default:
      return counters(slots, 6);
  }
}

function runBuffers(buffers: Buffers, step: Step): unknown {
  const number = Number(step.with[0]);
  switch (step.do) {
    case 'take':
      return buffers.take(number);
    case 'give':
      return buffers.give(number);
    case 'capacity':
      return buffers.capacity(number);
    default:
      return counters(buffers, 6);
  }
}

function runArena(arena: Arena, step: Step): unknown {
  const [a, b] = step.with.map(Number) as [number, number];
  switch (step.do) {
    case 'push':
      return arena.push(Buffer.alloc(a, b));
    case 'at': {
      const bytes = arena.at(a, b);
      return bytes && [...bytes];
    }
    case 'reset':
      arena.reset();
      return null;
    default:
      return counters(arena, 4);
  }
}

export function poolCases(engine: Engine): void {
  describe('pool', () => {
    for (const file of readdirSync(FOLDER)) {
      const cases = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Case[];
      // Arenas are below the seam: cargo runs their vectors on the Rust one.
      if (cases[0]?.create[0] === 'arena' && engine.name !== 'js') continue;
      it.each(cases)(`${file}: $title`, ({ create, steps }) => {
        const [what, given] = create;
        const size = Number(given);
        const slots = engine.pool.slots(size);
        const buffers = engine.pool.buffers(size);
        const arena = new Arena(size);
        steps.forEach((step, i) => {
          const result =
            what === 'slots'
              ? runSlots(slots, step)
              : what === 'buffers'
                ? runBuffers(buffers, step)
                : runArena(arena, step);
          expect(result, `step ${i}: ${JSON.stringify(step)}`).toEqual(step.gives);
        });
      });
    }

    it('slots: no handle is given twice, and only the taken are alive', () => {
      fc.assert(
        fc.property(fc.nat({ max: 6 }), fc.array(fc.nat({ max: 20 }), { maxLength: 120 }), (capacity, choices) => {
          const slots = engine.pool.slots(capacity);
          const ever: number[] = [];
          const live = new Set<number>();
          let [refused, stale] = [0, 0];
          for (const choice of choices) {
            const old = ever[choice];
            if (old === undefined) {
              const handle = slots.take();
              if (live.size === capacity) {
                expect(handle).toBe(-1);
                refused += 1;
                continue;
              }
              expect(Number.isSafeInteger(handle) && handle > 0).toBe(true);
              expect(ever).not.toContain(handle);
              ever.push(handle);
              live.add(handle);
            } else {
              const was = live.delete(old);
              expect(slots.give(old)).toBe(was);
              if (!was) stale += 1;
            }
            for (const handle of ever) expect(slots.alive(handle)).toBe(live.has(handle));
          }
          const returned = ever.length - live.size;
          expect(counters(slots, 6)).toEqual([ever.length, returned, refused, live.size, capacity, stale]);
        }),
      );
    });

    it('buffers: the bound holds, and what is taken is as large as asked', () => {
      const step = fc.oneof(
        fc.record({ take: fc.oneof(fc.nat({ max: 600 }), fc.nat({ max: 9000 })) }),
        fc.record({ give: fc.nat() }),
      );
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 20000 }), fc.array(step, { maxLength: 100 }), (max, steps) => {
          const buffers = engine.pool.buffers(max);
          const held: { handle: number; size: number }[] = [];
          const bytes = () => held.reduce((sum, { size }) => sum + size, 0);
          let [taken, returned] = [0, 0];
          for (const s of steps) {
            if ('take' in s) {
              const size = 2 ** Math.max(8, Math.ceil(Math.log2(Math.max(1, s.take))));
              const handle = buffers.take(s.take);
              expect(handle !== -1).toBe(bytes() + size <= max);
              if (handle === -1) continue;
              expect(buffers.capacity(handle)).toBe(size);
              held.push({ handle, size });
              taken += 1;
            } else if (held.length > 0) {
              const [given] = held.splice(s.give % held.length, 1);
              expect(buffers.give(given?.handle as number)).toBe(true);
              expect(buffers.give(given?.handle as number)).toBe(false);
              returned += 1;
            }
            const [t, r, grown, inUse, bytesInUse, kept] = counters(buffers, 6) as [
              number,
              number,
              number,
              number,
              number,
              number,
            ];
            expect([t, r, inUse, bytesInUse]).toEqual([taken, returned, held.length, bytes()]);
            expect(bytesInUse + kept).toBeLessThanOrEqual(max);
            expect(grown).toBeLessThanOrEqual(taken);
          }
        }),
      );
    });

    it('fills as much of a short stats array as there is', () => {
      expect(counters(engine.pool.slots(3), 5)).toEqual([0, 0, 0, 0, 3]);
      expect(counters(engine.pool.buffers(3), 1)).toEqual([0]);
    });

    // The generations of an index last for half a billion uses: only below the seam can fewer be asked for.
    if (engine.name !== 'js') return;
    it('an index that is used up is replaced', () => {
      const table = new SlotTable<string>(1, 3);
      const seen: number[] = [];
      for (let round = 0; round < 10; round++) {
        const handle = table.insert('x');
        expect(seen).not.toContain(handle);
        for (const dead of seen) expect(table.get(dead)).toBeUndefined();
        expect(table.insert('y')).toBe(-1);
        expect([...table.entries()]).toEqual([[handle, 'x']]);
        expect(table.remove(handle)).toBe('x');
        seen.push(handle);
      }
      expect(seen.slice(2, 4)).toEqual([3 * 2 ** 24, 2 ** 24 + 1]);
    });
  });
}
