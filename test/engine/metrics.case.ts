/** Metrics: the shared vectors, percentiles against exact ones, and the exposition against its grammar. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine, Metrics } from '../../ts/engine/engine.js';

interface Step {
  do: string;
  with: any[];
  gives: unknown;
}
interface Case {
  title: string;
  maxSeries: number | string;
  steps: Step[];
}
interface Report {
  families: { name: string; series: Record<string, number | null | Record<string, string>>[] }[];
}

const FOLDER = new URL('../vectors/metrics/', import.meta.url);

/** JSON has no NaN and no infinity, and its readers may round many digits: such numbers are written as strings. */
function run(metrics: Metrics, step: Step): unknown {
  const [a, b, c, d] = step.with;
  switch (step.do) {
    case 'counter':
      return metrics.counter(a, b, c);
    case 'gauge':
      return metrics.gauge(a, b, c);
    case 'histogram':
      return metrics.histogram(a, b, c, Number(d));
    case 'series':
      return metrics.series(Number(a), b);
    case 'add':
      metrics.add(Number(a), Number(b));
      return null;
    case 'set':
      metrics.set(Number(a), Number(b));
      return null;
    case 'observe':
      metrics.observe(Number(a), Number(b));
      return null;
    case 'snapshot':
      return metrics.snapshot();
    case 'exposition':
      return metrics.exposition().split('\n');
    default:
      throw new Error(`no such operation: ${step.do}`);
  }
}

const report = (metrics: Metrics) => JSON.parse(metrics.snapshot()) as Report;

export function metricsCases(engine: Engine): void {
  describe('metrics', () => {
    for (const file of readdirSync(FOLDER)) {
      const cases = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Case[];
      it.each(cases)(`${file}: $title`, ({ maxSeries, steps }) => {
        const metrics = engine.metrics.create({ maxSeries: Number(maxSeries) });
        steps.forEach((step, i) => {
          expect(run(metrics, step), `step ${i}: ${JSON.stringify(step.with)}`).toEqual(step.gives);
        });
        // Whatever was recorded, both reports can be read by somebody who does not know us.
        expect(report(metrics).families.length).toBe(readExposition(metrics.exposition()).length);
      });
    }

    it('percentiles are within 1 % of the exact ones', () => {
      const value = fc.nat({ max: 52 }).chain((bits) => fc.integer({ min: 2 ** bits - 1, max: 2 ** (bits + 1) - 1 }));
      fc.assert(
        fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
          const metrics = engine.metrics.create({ maxSeries: 1 });
          const series = metrics.series(metrics.histogram('h', '', [], 1), []);
          for (const v of values) metrics.observe(series, v);
          const shown = report(metrics).families[0]?.series[0] as Record<string, number>;
          const sorted = Float64Array.from(values).sort();
          for (const [key, permille] of Object.entries({ p50: 500, p90: 900, p95: 950, p99: 990, p999: 999 })) {
            const exact = sorted[Math.ceil((sorted.length * permille) / 1000) - 1] as number;
            expect(Math.abs((shown[key] as number) - exact)).toBeLessThanOrEqual(exact * 0.01);
          }
          expect([shown.count, shown.min, shown.max]).toEqual([values.length, sorted[0], sorted.at(-1)]);
        }),
      );
    });

    it('the exposition says what was recorded, for labels and help of any characters', () => {
      const text = fc.string({ unit: 'binary', maxLength: 12 });
      fc.assert(
        fc.property(text, fc.uniqueArray(fc.tuple(text, text), { minLength: 1, maxLength: 6 }), (help, labels) => {
          const metrics = engine.metrics.create({ maxSeries: 100 });
          const wanted = new Map<string, number>();
          const family = metrics.counter('c_total', help, ['a', 'b']);
          const time = metrics.histogram('h_seconds', help, ['a'], 1e9);
          labels.forEach(([a, b], i) => {
            metrics.add(metrics.series(family, [a, b]), i + 1);
            metrics.observe(metrics.series(time, [a]), (i + 1) * 1e6);
            wanted.set(JSON.stringify([a, b].map(wellFormed)), i + 1);
          });
          const [counter, histogram] = readExposition(metrics.exposition());
          expect([counter?.help, counter?.type, histogram?.type]).toEqual([wellFormed(help), 'counter', 'histogram']);
          const shown = new Map(counter?.samples.map((s) => [JSON.stringify([s.labels.a, s.labels.b]), s.value]));
          expect(shown).toEqual(wanted);
          const counts = histogram?.samples.filter((s) => s.name === 'h_seconds_count').map((s) => s.value) ?? [];
          expect(counts.reduce((sum, n) => sum + n, 0)).toBe(labels.length);
        }),
        { numRuns: 60 },
      );
    });

    it('takes half a surrogate pair for U+FFFD', () => {
      const metrics = engine.metrics.create({ maxSeries: 10 });
      const family = metrics.gauge('g', 'a\udc00', ['v']);
      expect(metrics.gauge('g', 'a\ufffd', ['v'])).toBe(family);
      expect(metrics.series(family, ['\ud83d'])).toBe(metrics.series(family, ['\ufffd']));
      expect(metrics.snapshot()).toContain('{"v":"\ufffd"}');
    });

    it('makes 1024 families and no more', () => {
      const metrics = engine.metrics.create({ maxSeries: 10 });
      for (let i = 0; i < 1024; i++) expect(metrics.gauge(`g${i}`, '', [])).toBe(i);
      expect(metrics.gauge('g1024', '', [])).toBe(-1);
      expect(metrics.gauge('g7', '', [])).toBe(7);
    });

    it('makes 65536 series in all; each family still has one for the rest', () => {
      const metrics = engine.metrics.create({ maxSeries: 60_000 });
      const families = [metrics.counter('a', '', ['v']), metrics.counter('b', '', ['v'])] as const;
      for (let i = 0; i < 60_000; i++) metrics.series(families[0], [`${i}`]);
      for (let i = 0; i < 5536; i++) metrics.series(families[1], [`${i}`]);
      const rest = metrics.series(families[1], ['one more']);
      expect(metrics.series(families[1], ['another'])).toBe(rest);
      expect(metrics.series(families[1], ['5535'])).toBe(rest - 4);
      expect(metrics.series(families[0], ['one more'])).toBe(rest + 4);
      metrics.add(rest, 3);
      metrics.add(rest + 4, 4);
      expect(metrics.exposition()).toContain('\na{v="_other"} 4\n');
      expect(metrics.exposition()).toContain('\nb{v="_other"} 3\n');
    });
  });
}

function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

interface ShownFamily {
  name: string;
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const METRIC = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const HELP = new RegExp(`^# HELP (${METRIC}) ((?:[^\\\\]|\\\\[\\\\n])*)$`, 's');
const TYPE = new RegExp(`^# TYPE (${METRIC}) (counter|gauge|histogram)$`);
const PAIR = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const NUMBER = '[+-]Inf|NaN|-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:e[+-][0-9]+)?';
const SAMPLE = new RegExp(`^(${METRIC})(?:\\{(${PAIR}(?:,${PAIR})*)\\})? (${NUMBER})$`, 's');

/**
 * A strict reader of the text format 0.0.4, from its grammar alone: it throws on any line that is not in it, on samples
 * outside of their family, on a line twice, and on histograms whose buckets contradict their count.
 */
function readExposition(text: string): ShownFamily[] {
  expect(text === '' || text.endsWith('\n')).toBe(true);
  const families: ShownFamily[] = [];
  const seen = new Set<string>();
  let help: RegExpExecArray | null = null;
  for (const line of text.split('\n').slice(0, -1)) {
    const type = TYPE.exec(line);
    if (line.startsWith('# HELP')) {
      help = HELP.exec(line);
      if (help === null) throw new Error(`not a help line: ${line}`);
    } else if (type !== null) {
      const [, name, kind] = type as unknown as [string, string, string];
      if (help !== null && help[1] !== name) throw new Error(`help of another family: ${line}`);
      if (families.some((family) => family.name === name)) throw new Error(`a family twice: ${line}`);
      families.push({ name, type: kind, help: unescaped(help?.[2] ?? ''), samples: [] });
      help = null;
    } else {
      readSample(line, families.at(-1), seen);
    }
  }
  for (const family of families) if (family.type === 'histogram') checkBuckets(family);
  return families;
}

function unescaped(text: string): string {
  return text.replace(/\\([\\"n])/g, (_, c: string) => (c === 'n' ? '\n' : c));
}

function readSample(line: string, family: ShownFamily | undefined, seen: Set<string>): void {
  const sample = SAMPLE.exec(line);
  if (sample === null || family === undefined) throw new Error(`not a sample: ${JSON.stringify(line)}`);
  const [, name, pairs = '', value] = sample as unknown as [string, string, string | undefined, string];
  const suffix = name.slice(family.name.length);
  const allowed = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!name.startsWith(family.name) || !allowed.includes(suffix)) throw new Error(`not of ${family.name}: ${line}`);
  if (seen.has(name + pairs)) throw new Error(`twice: ${line}`);
  seen.add(name + pairs);
  const labels = Object.create(null) as Record<string, string>;
  for (const [pair] of pairs.matchAll(new RegExp(PAIR, 'gs'))) {
    const [label] = pair.split('=', 1) as [string];
    if (label in labels) throw new Error(`a label twice: ${line}`);
    labels[label] = unescaped(pair.slice(label.length + 2, -1));
  }
  family.samples.push({ name, labels, value: Number(value.replace('Inf', 'Infinity')) });
}

function checkBuckets({ name, samples }: ShownFamily): void {
  let last = { le: Number.NEGATIVE_INFINITY, count: 0 };
  for (const sample of samples) {
    if (sample.name === `${name}_bucket`) {
      const le = Number(sample.labels.le?.replace('Inf', 'Infinity'));
      if (!(le > last.le) || sample.value < last.count) throw new Error(`buckets do not ascend: ${name} ${le}`);
      last = { le, count: sample.value };
    } else if (sample.name === `${name}_count`) {
      if (last.le !== Number.POSITIVE_INFINITY || last.count !== sample.value) throw new Error(`no +Inf: ${name}`);
      last = { le: Number.NEGATIVE_INFINITY, count: 0 };
    }
  }
}
