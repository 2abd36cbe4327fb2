/**
 * How much a backtracking matcher can have to try: an upper bound, as a function of the length of the text.
 *
 * Every place where it may choose (how often to repeat, which alternative) multiplies; a choice within a repetition
 * without end has no bound at all. Rough on purpose: it may overrate a harmless pattern, never the other way round.
 */
import type { Part } from './parse.js';

/** Ways through the pattern for a text of `length` characters; Infinity when repetitions are nested. */
export function ways(part: Part, length: number): number {
  // Without an anchor in front, every place in the text is a start.
  return choices(part, length) * (anchored(part) ? 1 : length + 1);
}

function choices(part: Part, length: number): number {
  switch (part.kind) {
    case 'seq':
      return part.parts.reduce((all, each) => all * choices(each, length), 1);
    case 'or':
      return part.parts.reduce((all, each) => all + choices(each, length), 0);
    case 'repeat': {
      const times = Math.min(part.max, Math.max(length, part.min));
      return choices(part.part, length) ** times * Math.max(1, times - part.min + 1);
    }
    case 'look':
    case 'beyond':
      return choices(part.part, length);
    default:
      return 1;
  }
}

function anchored(part: Part): boolean {
  if (part.kind === 'at') return part.where === 'start';
  if (part.kind === 'or') return part.parts.every(anchored);
  return part.kind === 'seq' && part.parts[0] !== undefined && anchored(part.parts[0]);
}
