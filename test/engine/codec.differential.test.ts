/** Both engines read the same bytes and must say the same: kinds, refusals, every range, every frame, every canonical byte. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Codec, FIELD_COUNT, type Framer } from '../../ts/engine/engine.js';
import { engineFor } from '../../ts/engine/index.js';
import { native } from '../engines.js';
import { chunkSizes, chunksOf, scanInput, streamBytes } from './codec.generated.js';

const seen = (outcome: Uint8Array | number): string | number =>
  typeof outcome === 'number' ? outcome : Buffer.from(outcome).toString('latin1');

function scanned(codec: Codec, message: Uint8Array, maxDepth: number): unknown[] {
  const out = new Int32Array(FIELD_COUNT);
  const kind = codec.scan(message, maxDepth, out);
  // Of anything but requests and notifications the fields mean nothing.
  return kind === 0 || kind === 1 ? [kind, ...out] : [kind];
}

function framed(framer: Framer, chunks: Uint8Array[]): unknown[] {
  const outcome: unknown[] = [];
  for (const chunk of chunks) {
    let frames = framer.push(chunk);
    while (typeof frames === 'number' || frames.length > 0) {
      outcome.push(typeof frames === 'number' ? frames : frames.map(seen));
      frames = framer.push(new Uint8Array(0));
    }
    outcome.push(framer.held);
  }
  const rest = framer.end();
  return [...outcome, rest === null ? null : seen(rest)];
}

describe.skipIf(native === undefined)('the codec of native and of JavaScript agree', () => {
  const [rust, js] = [native?.codec as Codec, engineFor('js').codec];
  const runs = { numRuns: 4000 };

  it('on what a message is', () => {
    fc.assert(
      fc.property(scanInput, fc.constantFrom(2, 64), (message, depth) => {
        expect(scanned(rust, message, depth)).toEqual(scanned(js, message, depth));
      }),
      runs,
    );
  });

  it('on canonical form and digest', () => {
    fc.assert(
      fc.property(scanInput, (json) => {
        expect(seen(rust.canonical(json, 32))).toEqual(seen(js.canonical(json, 32)));
        expect(seen(rust.digest(json, 32))).toEqual(seen(js.digest(json, 32)));
      }),
      runs,
    );
  });

  it('on frames, however the stream is cut', () => {
    fc.assert(
      fc.property(streamBytes, chunkSizes, fc.constantFrom(4, 40, 4000), (stream, sizes, max) => {
        const chunks = chunksOf(stream, sizes);
        expect(framed(rust.lines(max), chunks)).toEqual(framed(js.lines(max), chunks));
        expect(framed(rust.events(max), chunks)).toEqual(framed(js.events(max), chunks));
      }),
      runs,
    );
  });

  it('on what is encoded', () => {
    fc.assert(
      fc.property(fc.string(), streamBytes, scanInput, (id, data, json) => {
        expect(seen(rust.encodeEvent(id, data))).toEqual(seen(js.encodeEvent(id, data)));
        expect(seen(rust.encodeResult(data, json))).toEqual(seen(js.encodeResult(data, json)));
        expect(seen(rust.encodeError(data, json))).toEqual(seen(js.encodeError(data, json)));
      }),
      runs,
    );
  });
});
