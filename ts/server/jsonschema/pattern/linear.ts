/**
 * A matcher whose time is proportional to pattern times text, whatever either of them is: all ways through the pattern
 * are followed at once, one character after the other. Slower than RegExp on kind input, and never slow on hostile input.
 *
 * Only answers whether there is a match. Look-around is decided beforehand, for every place in the text at once: a
 * look-ahead by running its reversed pattern from the end.
 */
import type { Part } from './parse.js';

const [CHAR, SPLIT, ASSERT, LOOK, MATCH] = [0, 1, 2, 3, 4];
/** Steps of one pattern after its counted repetitions are written out. */
const MAX_STEPS = 20_000;
const WORD = /\w/;

type Where = (points: Uint32Array, at: number) => boolean;
type Test = (point: number) => boolean;

interface Step {
  readonly kind: number | undefined;
  /** Where it goes on; a split goes both ways. */
  to: number;
  or: number;
  readonly test: Test | undefined;
  readonly where: Where | undefined;
  readonly look: number;
}

interface Look {
  readonly steps: Step[];
  readonly ahead: boolean;
  readonly negative: boolean;
}

export interface Linear {
  /** Steps of the pattern: what a character can cost. */
  readonly size: number;
  test(text: string): boolean;
}

/** @returns undefined when it cannot do the pattern, or that is too large once written out */
export function linear(part: Part, flags: '' | 'u'): Linear | undefined {
  const looks: Look[] = [];
  const steps = new Writer(flags, looks).program(part, false);
  if (steps === undefined) return undefined;
  const size = looks.reduce((sum, look) => sum + look.steps.length, steps.length);
  return {
    size,
    test(text) {
      const points = flags === 'u' ? Uint32Array.from(text, (c) => c.codePointAt(0) as number) : units(text);
      const tables: Uint8Array[] = [];
      for (const look of looks) {
        const table = new Uint8Array(points.length + 1);
        scan(look.steps, points, tables, look.ahead, (at) => {
          table[at] = 1;
          return false;
        });
        tables.push(look.negative ? table.map((found) => 1 - found) : table);
      }
      return scan(steps, points, tables, false, () => true);
    },
  };
}

function units(text: string): Uint32Array {
  const points = new Uint32Array(text.length);
  for (let i = 0; i < text.length; i++) points[i] = text.charCodeAt(i);
  return points;
}

/** Follows every way through the steps, from every place; `found` is told where one ends, and may end the search. */
function scan(
  steps: Step[],
  points: Uint32Array,
  tables: Uint8Array[],
  backward: boolean,
  found: (at: number) => boolean,
): boolean {
  const stride = backward ? -1 : 1;
  const end = backward ? 0 : points.length;
  const now = new Int32Array(steps.length);
  const next = new Int32Array(steps.length);
  const marks = new Int32Array(steps.length).fill(-1);
  const stack: number[] = [];
  let held = 0;
  for (let at = backward ? points.length : 0; ; at += stride) {
    let ended = false;
    let count = 0;
    // What is held came by a character to its next step: spread each over the steps that need none.
    const spread = (from: number) => {
      stack.push(from);
      for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
        if (marks[i] === at) continue;
        marks[i] = at;
        const step = steps[i] as Step;
        if (step.kind === CHAR) next[count++] = i;
        else if (step.kind === MATCH) ended = true;
        else if (step.kind === SPLIT) stack.push(step.or, step.to);
        else if (step.kind === ASSERT ? (step.where as Where)(points, at) : tables[step.look]?.[at] === 1) {
          stack.push(step.to);
        }
      }
    };
    for (let i = 0; i < held; i++) spread(now[i] as number);
    spread(0);
    if (ended && found(at)) return true;
    if (at === end) return false;
    const point = points[backward ? at - 1 : at] as number;
    held = 0;
    for (let i = 0; i < count; i++) {
      const step = steps[next[i] as number] as Step;
      if ((step.test as Test)(point)) now[held++] = step.to;
    }
  }
}

class Writer {
  readonly #flags: '' | 'u';
  readonly #looks: Look[];
  #steps: Step[] = [];

  constructor(flags: '' | 'u', looks: Look[]) {
    this.#flags = flags;
    this.#looks = looks;
  }

  program(part: Part, backward: boolean): Step[] | undefined {
    const outer = this.#steps;
    this.#steps = [];
    const complete = this.#write(part, backward);
    this.#add(MATCH);
    const steps = this.#steps;
    this.#steps = outer;
    return complete ? steps : undefined;
  }

  #add(kind: number | undefined, more: Partial<Step> = {}): Step {
    const next = this.#steps.length + 1;
    const step = { kind, to: next, or: next, test: undefined, where: undefined, look: -1, ...more };
    this.#steps.push(step);
    return step;
  }

  #write(part: Part, backward: boolean): boolean {
    if (this.#steps.length > MAX_STEPS) return false;
    switch (part.kind) {
      case 'char':
        this.#add(CHAR, { test: character(part.source, this.#flags) });
        return true;
      case 'at':
        this.#add(ASSERT, { where: place(part.where) });
        return true;
      case 'seq':
        return (backward ? part.parts.toReversed() : part.parts).every((each) => this.#write(each, backward));
      case 'or':
        return this.#choice(part.parts, backward);
      case 'repeat':
        return this.#repeat(part.part, part.min, part.max, backward);
      case 'look': {
        const steps = this.program(part.part, part.ahead);
        if (steps === undefined) return false;
        this.#looks.push({ steps, ahead: part.ahead, negative: part.negative });
        this.#add(LOOK, { look: this.#looks.length - 1 });
        return true;
      }
      case 'beyond':
        return false;
    }
  }

  #choice(parts: readonly Part[], backward: boolean): boolean {
    const ends: Step[] = [];
    for (const [i, each] of parts.entries()) {
      const split = i < parts.length - 1 ? this.#add(SPLIT) : undefined;
      if (!this.#write(each, backward)) return false;
      if (split === undefined) break;
      ends.push(this.#add(SPLIT));
      split.or = this.#steps.length;
    }
    for (const end of ends) end.to = end.or = this.#steps.length;
    return true;
  }

  #repeat(part: Part, min: number, max: number, backward: boolean): boolean {
    for (let i = 0; i < min; i++) if (!this.#write(part, backward)) return false;
    if (max === Number.POSITIVE_INFINITY) {
      const again = this.#add(SPLIT);
      const start = this.#steps.length - 1;
      if (!this.#write(part, backward)) return false;
      this.#add(SPLIT, { to: start, or: start });
      again.or = this.#steps.length;
      return true;
    }
    const ways: Step[] = [];
    for (let i = min; i < max; i++) {
      ways.push(this.#add(SPLIT));
      if (!this.#write(part, backward)) return false;
    }
    for (const way of ways) way.or = this.#steps.length;
    return true;
  }
}

/** One character, as RegExp understands it; what it says of ASCII is kept. */
function character(source: string, flags: '' | 'u'): Test {
  const regex = new RegExp(`^${source}$`, flags);
  const fits = (point: number) => regex.test(String.fromCodePoint(point));
  const ascii = new Int8Array(128);
  return (point) => {
    if (point >= 128) return fits(point);
    if (ascii[point] === 0) ascii[point] = fits(point) ? 1 : -1;
    return ascii[point] === 1;
  };
}

function place(where: 'start' | 'end' | 'word' | 'inside'): Where {
  if (where === 'start') return (_points, at) => at === 0;
  if (where === 'end') return (points, at) => at === points.length;
  const word = (point: number | undefined) => point !== undefined && WORD.test(String.fromCodePoint(point));
  const edge: Where = (points, at) => word(points[at - 1]) !== word(points[at]);
  return where === 'word' ? edge : (points, at) => !edge(points, at);
}
