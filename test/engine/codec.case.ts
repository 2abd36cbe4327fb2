/** Codec: the shared vectors, generated input against `JSON.parse`, and the limits, on the engine under test. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Engine, FIELD_COUNT, Field, Flag, type Framer, Kind, ScanRefusal } from '../../ts/engine/engine.js';
import { refusalError } from '../../ts/engine/js/codec/errors.js';
import {
  bytesOf,
  chunkSizes,
  chunksOf,
  damaged,
  jsonText,
  messageText,
  scanInput,
  streamBytes,
  tokenText,
} from './codec.generated.js';

type Refusal = keyof typeof ScanRefusal;

interface Input {
  name?: string;
  text?: string;
  base64?: string;
  repeat?: [string, number];
  prefix?: string;
  suffix?: string;
  maxDepth?: number;
}
interface ScanCase extends Input {
  kind?: keyof typeof Kind;
  refusal?: Refusal;
  fields?: Record<string, string>;
  flags?: string[];
  truncate?: boolean;
}
interface StreamCase {
  name: string;
  input: string;
  maxBytes: number;
  outcomes: (string | null)[];
  end?: string | null;
}
interface CanonicalCase extends Input {
  canonical?: string;
  refusal?: Refusal;
}

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/codec/${name}.json`, import.meta.url), 'utf8'));

const input = (given: Input): Uint8Array => {
  if (given.text !== undefined) return bytesOf(given.text);
  if (given.base64 !== undefined) return Buffer.from(given.base64, 'base64');
  const [text, times] = given.repeat as [string, number];
  return bytesOf((given.prefix ?? '') + text.repeat(times) + (given.suffix ?? ''));
};

const RANGES = Object.entries(Field).filter(([name]) => name !== 'flags');
const DEPTH = 64;

/** What `JSON.parse` says: it is the other parser that messages meet. */
const parses = (bytes: Uint8Array): boolean => {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
};

/** The outcomes of a whole stream; null is a refusal. */
const outcomes = (framer: Framer, chunks: Uint8Array[]): (string | null)[] => {
  const all: (string | null)[] = [];
  for (const chunk of chunks) {
    for (let next = chunk; ; next = new Uint8Array(0)) {
      const frames = framer.push(next);
      if (typeof frames === 'number') {
        expect(frames).toBe(ScanRefusal.tooLarge);
        all.push(null);
      } else if (frames.length === 0) {
        break;
      } else {
        all.push(...frames.map((frame) => Buffer.from(frame).toString('utf8')));
      }
    }
  }
  return all;
};

/** Declares the cases. */
export function codecCases(engine: Engine): void {
  const { codec } = engine;
  const out = new Int32Array(FIELD_COUNT);
  const text = (bytes: Uint8Array, at: number): string | undefined =>
    out[at] === -1 ? undefined : Buffer.from(bytes.subarray(out[at], out[at + 1])).toString('utf8');

  describe('codec.scan', () => {
    const { cases, wellFormed, malformed } = vectors('scan') as {
      cases: ScanCase[];
      wellFormed: string[];
      malformed: string[];
    };

    it.each(cases.map((one): [string, ScanCase] => [one.name ?? '', one]))('%s', (_, one) => {
      const bytes = input(one);
      const found = codec.scan(bytes, one.maxDepth ?? DEPTH, out);
      expect(found).toBe(one.kind === undefined ? ScanRefusal[one.refusal as Refusal] : Kind[one.kind]);
      if (one.fields !== undefined) {
        const fields = RANGES.flatMap(([name, at]) => {
          const range = text(bytes, at);
          return range === undefined ? [] : [[name, range]];
        });
        expect(Object.fromEntries(fields)).toEqual(one.fields);
      }
      if (one.flags !== undefined) {
        const flags = Object.entries(Flag).flatMap(([name, bit]) => ((out[Field.flags] as number) & bit ? [name] : []));
        expect(flags.sort()).toEqual([...one.flags].sort());
      }
    });

    it('refuses every prefix of a message', () => {
      const whole = cases.filter((one) => one.truncate === true).map(input);
      expect(whole.length).toBeGreaterThan(1);
      for (const bytes of whole) {
        for (let end = 0; end < bytes.length; end++) {
          expect(codec.scan(bytes.subarray(0, end), DEPTH, out)).toBe(ScanRefusal.malformed);
        }
      }
    });

    it('tells JSON from what is not, wherever it stands', () => {
      const places: [string, string][] = [
        ['', ''],
        ['[', ']'],
        ['{"jsonrpc":"2.0","method":"m","x":', '}'],
        ['{"jsonrpc":"2.0","method":"m","params":{"x":', '}}'],
        ['{"jsonrpc":"2.0","method":"m","params":{"_meta":{"x":[', ']}}}'],
        ['{"jsonrpc":"2.0","method":"m","params":{"arguments":{"x":', ',"y":"a longer tail, for the vectors"}}}'],
      ];
      for (const [texts, right] of [[wellFormed, true] as const, [malformed, false] as const]) {
        for (const [before, after] of places) {
          for (const value of texts) {
            const bytes = bytesOf(before + value + after);
            const isJson = codec.scan(bytes, DEPTH, out) !== ScanRefusal.malformed;
            expect([value, before, isJson, parses(bytes)]).toEqual([value, before, right, right]);
          }
        }
      }
    });

    it('agrees with JSON.parse about what is JSON', () => {
      const semantic = new Set<number>([
        ...[ScanRefusal.duplicateKey, ScanRefusal.badVersion, ScanRefusal.badId, ScanRefusal.badMethod],
        ScanRefusal.badParams,
      ]);
      fc.assert(
        fc.property(scanInput, (bytes) => {
          const found = codec.scan(bytes, DEPTH, out);
          // A message refused for what it says may be malformed further on: the first problem decides.
          if (semantic.has(found)) return;
          expect(found >= 0 || found === ScanRefusal.notAnObject).toBe(parses(bytes));
        }),
        { numRuns: 2000 },
      );
    });

    it('finds what JSON.parse finds', () => {
      let accepted = 0;
      fc.assert(
        fc.property(messageText, (message) => {
          const bytes = bytesOf(message);
          const kind = codec.scan(bytes, DEPTH, out);
          if (kind < 0) return;
          accepted++;
          const parsed = JSON.parse(message);
          const decoded = (at: number) => JSON.parse(`"${text(bytes, at)}"`);
          const params = parsed.params ?? {};
          expect(kind).toBe('method' in parsed ? ('id' in parsed ? Kind.request : Kind.notification) : Kind.response);
          if ('method' in parsed) expect(decoded(Field.method)).toBe(parsed.method);
          if (parsed.id != null) expect(JSON.parse(text(bytes, Field.id) as string)).toEqual(parsed.id);
          else expect(text(bytes, Field.id)).toBeUndefined();
          for (const [at, value] of [
            [Field.params, parsed.params],
            [Field.arguments, params.arguments],
            [Field.meta, params._meta],
          ]) {
            const range = text(bytes, at);
            expect(range === undefined ? undefined : JSON.parse(range)).toEqual(value);
          }
          for (const [at, value] of [
            [Field.name, params.name],
            [Field.uri, params.uri],
          ]) {
            expect(text(bytes, at) === undefined ? undefined : decoded(at)).toBe(value);
          }
          const isAscii = bytes.every((byte) => byte < 0x80);
          expect(((out[Field.flags] as number) & Flag.ascii) !== 0).toBe(isAscii);
        }),
        { numRuns: 2000 },
      );
      // A generator that is refused everywhere would prove nothing.
      expect(accepted).toBeGreaterThan(500);
    });

    it('takes views into larger buffers', () => {
      const message = bytesOf('{"jsonrpc":"2.0","id":1,"method":"m"}');
      const larger = new Uint8Array(message.length + 20).fill(0x5b);
      larger.set(message, 7);
      expect(codec.scan(larger.subarray(7, 7 + message.length), DEPTH, out)).toBe(Kind.request);
      expect(out[Field.id]).toBe(22);
    });
  });

  describe.each([
    ['lines', (maxBytes: number) => codec.lines(maxBytes)],
    ['events', (maxBytes: number) => codec.events(maxBytes)],
  ] as const)('codec.%s', (name, create) => {
    const { cases } = vectors(name) as { cases: StreamCase[] };

    it.each(cases.map((one): [string, StreamCase] => [one.name, one]))('%s', (_, one) => {
      for (const size of [1, 2, 3, 5, 1000]) {
        const framer = create(one.maxBytes);
        expect(outcomes(framer, chunksOf(bytesOf(one.input), [size]))).toEqual(one.outcomes);
        const end = framer.end();
        expect(end === null ? null : Buffer.from(end).toString('utf8')).toBe(one.end ?? null);
        expect(framer.held).toBe(0);
      }
    });

    it('gives the same whatever the chunking, and holds no more than it may', () => {
      fc.assert(
        fc.property(streamBytes, chunkSizes, fc.integer({ min: 1, max: 12 }), (stream, sizes, maxBytes) => {
          const whole = create(maxBytes);
          const cut = create(maxBytes);
          const expected = outcomes(whole, [stream]);
          const found: (string | null)[] = [];
          for (const chunk of chunksOf(stream, sizes)) {
            found.push(...outcomes(cut, [chunk]));
            expect(cut.held).toBeLessThanOrEqual(2 * maxBytes + 9);
          }
          expect(found).toEqual(expected);
          expect(Buffer.from(cut.end() ?? [])).toEqual(Buffer.from(whole.end() ?? []));
        }),
        { numRuns: 1000 },
      );
    });

    it('starts afresh after the end', () => {
      const framer = create(8);
      outcomes(framer, [bytesOf('data: a'), bytesOf('bcdefghijklmnopq')]);
      framer.end();
      expect(outcomes(framer, [bytesOf('data:x\n\n')])).toEqual([name === 'lines' ? 'data:x' : 'x']);
    });
  });

  describe('codec.lines and time', () => {
    it('is linear in the size of a message that comes in small pieces', () => {
      const framer = codec.lines(4 << 20);
      const piece = new Uint8Array(16).fill(0x61);
      for (let count = 0; count < 65_536; count++) expect(framer.push(piece)).toHaveLength(0);
      expect(framer.held).toBe(1 << 20);
      const [frame] = framer.push(Uint8Array.of(0x0a)) as Uint8Array[];
      expect(frame?.length).toBe(1 << 20);
      expect(framer.held).toBe(0);
    }, 20_000);
  });

  describe('codec.canonical', () => {
    const { cases, digests } = vectors('canonical') as {
      cases: CanonicalCase[];
      digests: { text: string; sha256: string }[];
    };
    const form = (bytes: Uint8Array, maxDepth = DEPTH): string | number => {
      const found = codec.canonical(bytes, maxDepth);
      return typeof found === 'number' ? found : Buffer.from(found).toString('utf8');
    };

    it.each(cases.map((one): [string, CanonicalCase] => [JSON.stringify(one).slice(0, 80), one]))('%s', (_, one) => {
      expect(form(input(one), one.maxDepth)).toBe(one.canonical ?? ScanRefusal[one.refusal as Refusal]);
    });

    it.each(digests)('digest of $text', (one) => {
      expect(Buffer.from(codec.digest(bytesOf(one.text), DEPTH) as Uint8Array).toString('hex')).toBe(one.sha256);
    });

    it('digests nothing that it refuses', () => {
      expect(codec.digest(bytesOf('{"a":1,"a":1}'), DEPTH)).toBe(ScanRefusal.duplicateKey);
    });

    it('means the same, is stable, and does not depend on spelling or order', () => {
      fc.assert(
        fc.property(jsonText, (json) => {
          const found = form(bytesOf(json));
          const parsed = JSON.parse(json);
          if (typeof found === 'number') {
            expect([ScanRefusal.duplicateKey, ScanRefusal.malformed]).toContain(found);
            return;
          }
          expect(JSON.parse(found)).toEqual(JSON.parse(JSON.stringify(parsed)));
          expect(form(bytesOf(found))).toBe(found);
          expect(form(bytesOf(JSON.stringify(parsed, null, 1)))).toBe(found);
        }),
        { numRuns: 1000 },
      );
    });

    it('refuses what JSON.parse refuses', () => {
      fc.assert(
        fc.property(fc.oneof(damaged(jsonText), tokenText.map(bytesOf)), (bytes) => {
          if (!parses(bytes)) expect(form(bytes)).toBeTypeOf('number');
        }),
        { numRuns: 1000 },
      );
    });
  });

  describe('codec.encode', () => {
    const { results, errors, events } = vectors('encode') as Record<string, Record<string, string>[]>;
    const field = (one: Record<string, string>, name: string): Uint8Array => bytesOf(one[name] as string);
    const said = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

    it.each(results ?? [])('result $bytes', (one) => {
      expect(said(codec.encodeResult(field(one, 'id'), field(one, 'result')))).toBe(one.bytes);
    });
    it.each(errors ?? [])('error $bytes', (one) => {
      expect(said(codec.encodeError(field(one, 'id'), field(one, 'error')))).toBe(one.bytes);
    });
    it.each(events ?? [])('event $bytes', (one) => {
      expect(said(codec.encodeEvent(one.id as string, field(one, 'data')))).toBe(one.bytes);
    });

    it('writes events that its parser reads back', () => {
      fc.assert(
        fc.property(jsonText, (json) => {
          const bytes = codec.encodeEvent('1', bytesOf(json));
          expect(outcomes(codec.events(1 << 20), [bytes])).toEqual([json.replace(/\r\n?/g, '\n')]);
        }),
      );
    });
  });

  describe('codec errors', () => {
    const { cases } = vectors('errors') as {
      cases: { name: Refusal; refusal: number; code: number; status: number; message: string }[];
    };

    it('has every refusal of the seam, with its number', () => {
      expect(Object.fromEntries(cases.map(({ name, refusal }) => [name, refusal]))).toEqual(ScanRefusal);
    });

    it.each(cases)('$name', ({ refusal, code, status, message }) => {
      expect(refusalError(refusal)).toEqual({ code, status, message });
    });

    it('knows no other', () => {
      expect(() => refusalError(-12)).toThrow(RangeError);
    });
  });
}
