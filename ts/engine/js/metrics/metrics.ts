/** The registry of families and the recorder of the one JavaScript thread. */
import type { Metrics, MetricsOptions } from '../../engine.js';
import { Directory, Kind } from './directory.js';
import { writeExposition } from './exposition.js';
import { Shard } from './shard.js';
import { writeSnapshot } from './snapshot.js';

/** Half a surrogate pair has no UTF-8 form: it is U+FFFD, as it would be after crossing into the native engine. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** See the seam. Numbers that are no series (of the right kind) are ignored. */
export class JsMetrics implements Metrics {
  readonly #directory: Directory;
  readonly #shard = new Shard();

  /** `maxSeries`: what is less than 1 or no number counts as 1. */
  constructor({ maxSeries }: MetricsOptions) {
    this.#directory = new Directory(maxSeries >= 1 ? Math.floor(maxSeries) : 1);
  }

  counter(name: string, help: string, labels: string[]): number {
    return this.#family(Kind.counter, name, help, labels, 1);
  }

  gauge(name: string, help: string, labels: string[]): number {
    return this.#family(Kind.gauge, name, help, labels, 1);
  }

  histogram(name: string, help: string, labels: string[], scale: number): number {
    return this.#family(Kind.histogram, name, help, labels, scale);
  }

  #family(kind: Kind, name: string, help: string, labels: string[], scale: number): number {
    return this.#directory.family({ kind, name, help: wellFormed(help), labels: [...labels], scale });
  }

  series(family: number, values: string[]): number {
    const series = this.#directory.series(family, values.map(wellFormed));
    this.#shard.reserve(this.#directory.indices);
    return series;
  }

  /** Whether `series` is one, of this kind: the low bits say which, and the rest is its index. */
  #is(series: number, kind: Kind): boolean {
    // Unsigned conversion changes whatever is no array index: fractions, NaN, negative and very large numbers.
    return series >>> 0 === series && (series & 3) === kind && series >>> 2 < this.#directory.indices;
  }

  add(series: number, by: number): void {
    if (!(this.#is(series, Kind.counter) ? by >= 0 : this.#is(series, Kind.gauge))) return;
    const sum = (this.#shard.numbers[series >>> 2] as number) + by;
    // A sum that would not be finite is not made: this also keeps NaN and infinities out.
    if (Number.isFinite(sum)) this.#shard.numbers[series >>> 2] = sum;
  }

  set(series: number, to: number): void {
    if (this.#is(series, Kind.gauge) && Number.isFinite(to)) this.#shard.numbers[series >>> 2] = to;
  }

  observe(series: number, value: number): void {
    // False for NaN too.
    if (!(value >= 0) || !this.#is(series, Kind.histogram)) return;
    this.#shard.observe(series >>> 2, Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER));
  }

  snapshot(): string {
    return writeSnapshot(this.#directory.families, this.#shard);
  }

  exposition(): string {
    return writeExposition(this.#directory.families, this.#shard);
  }
}
