/** Families and series by number. Cold: asked when something is named or read, never on record. */
import { isLabel, isMetric } from './names.js';

/** Most families. */
const MAX_FAMILIES = 1024;
/** Most series of all families together, overflow series (one per family) not counted. */
const MAX_SERIES = 65_536;
/** Most labels of a family. */
const MAX_LABELS = 32;
/** Bytes of a label value above which the series counts as overflow. */
const MAX_VALUE = 1024;
/** The value of every label of an overflow series. */
const OTHER = '_other';

export const Kind = { counter: 0, gauge: 1, histogram: 2 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];
export const KIND_NAMES = ['counter', 'gauge', 'histogram'] as const;

/** The number of a series says what it is, so that recording need not look it up: `index * 4 + kind`. */
export function seriesId(index: number, kind: Kind): number {
  return index * 4 + kind;
}

export interface Series {
  readonly values: readonly string[];
  readonly index: number;
}

export interface Definition {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly labels: readonly string[];
  readonly scale: number;
}

export interface Family {
  readonly definition: Definition;
  /** In the order they were made. */
  readonly series: Series[];
  /** Keyed by the JSON of the values, which no two lists of strings share. */
  readonly byValues: Map<string, number>;
  overflow: number;
}

function isValid({ name, kind, labels, scale }: Definition): boolean {
  return (
    isMetric(name) &&
    labels.length <= MAX_LABELS &&
    new Set(labels).size === labels.length &&
    labels.every((label) => isLabel(label) && (kind !== Kind.histogram || label !== 'le')) &&
    Number.isFinite(scale) &&
    scale > 0
  );
}

function same(a: Definition, b: Definition): boolean {
  const labels = a.labels.length === b.labels.length && a.labels.every((label, i) => label === b.labels[i]);
  return labels && a.help === b.help && a.kind === b.kind && a.scale === b.scale;
}

/** Names that stand on lines of the exposition; no two families may share one. */
function samplesOf({ name, kind }: Definition): string[] {
  const suffixes = kind === Kind.histogram ? ['', '_bucket', '_sum', '_count'] : [''];
  return suffixes.map((suffix) => name + suffix);
}

export class Directory {
  readonly families: Family[] = [];
  readonly #byName = new Map<string, number>();
  readonly #samples = new Set<string>();
  readonly #most: number;
  /** Indices given so far. */
  indices = 0;
  #ordinary = 0;

  /** At most `most` ordinary series per family. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The number of a family, made when new. -1: not valid, not the same as before, or too many. */
  family(definition: Definition): number {
    const known = this.#byName.get(definition.name);
    if (known !== undefined) return same((this.families[known] as Family).definition, definition) ? known : -1;
    const samples = samplesOf(definition);
    if (this.families.length >= MAX_FAMILIES || !isValid(definition)) return -1;
    if (samples.some((name) => this.#samples.has(name))) return -1;
    this.#byName.set(definition.name, this.families.length);
    for (const name of samples) this.#samples.add(name);
    return this.families.push({ definition, series: [], byValues: new Map(), overflow: -1 }) - 1;
  }

  /** The series for these values, made when new; the overflow series when there are enough others already; -1: none. */
  series(number: number, values: readonly string[]): number {
    const family = this.families[number];
    if (family === undefined || values.length !== family.definition.labels.length) return -1;
    const { kind } = family.definition;
    const key = JSON.stringify(values);
    const known = family.byValues.get(key);
    if (known !== undefined) return seriesId(known, kind);
    const ordinary =
      values.some((value) => value !== OTHER) &&
      values.every((value) => Buffer.byteLength(value) <= MAX_VALUE) &&
      family.byValues.size < this.#most &&
      this.#ordinary < MAX_SERIES;
    if (!ordinary && family.overflow >= 0) return seriesId(family.overflow, kind);
    const index = this.indices++;
    if (ordinary) {
      this.#ordinary += 1;
      family.byValues.set(key, index);
    } else {
      // A family without labels has only this one: nothing tells its series apart.
      family.overflow = index;
    }
    family.series.push({ values: ordinary ? [...values] : values.map(() => OTHER), index });
    return seriesId(index, kind);
  }
}
