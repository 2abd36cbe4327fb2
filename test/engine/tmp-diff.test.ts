import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codec, type EventFramer } from '../../ts/engine/js/codec/index.js';
import * as g from './codec.generated.js';

const out = new Int32Array(19);
const dbg = (b: Uint8Array) => `[${[...b].join(', ')}]`;
const hex = (b: Uint8Array) => Buffer.from(b).toString('hex');
function run(f: any, b: Uint8Array) {
  let o = '';
  for (const c of [...g.chunksOf(b, [4]), new Uint8Array(0)])
    for (let n = c; ; n = new Uint8Array(0)) {
      const r = f.push(n);
      if (typeof r === 'number') o += '!';
      else if (r.length === 0) break;
      else for (const x of r) o += dbg(x);
    }
  return o + '/';
}
const line = (b: Uint8Array) => {
  let o = '';
  for (const d of [3, 64]) {
    const n = codec.scan(b, d, out);
    o += `${n} `;
    if (n === 0 || n === 1) o += `[${[...out].join(',')}] `;
    const c = codec.canonical(b, d);
    o += typeof c === 'number' ? c : hex(c);
    o += ' ';
  }
  for (const m of [3, 9, 1000]) {
    const f = codec.lines(m);
    o += run(f, b);
    const e = f.end();
    o += e === null ? 'None|' : `Some(${dbg(e)})|`;
    const ev = codec.events(m) as EventFramer;
    o += run(ev, b);
    o += `${dbg(Buffer.from(ev.lastEventId))} ${dbg(Buffer.from(ev.lastEventType))} ${ev.retry}`;
  }
  return o + hex(codec.encodeEvent('a', b));
};
it('diff', () => {
  const inputs = [
    ...fc.sample(g.scanInput, 5000),
    ...fc.sample(g.damaged(g.messageText), 5000),
    ...fc.sample(g.jsonText.map(g.bytesOf), 8000),
    ...fc.sample(g.messageText.map(g.bytesOf), 8000),
    ...fc.sample(g.streamBytes, 5000),
  ].filter((b) => b.length > 0);
  const rust = execFileSync('/tmp/diff/target/debug/diff', {
    input: inputs.map(hex).join('\n') + '\n',
    maxBuffer: 1 << 30,
  })
    .toString()
    .split('\n');
  let bad = 0;
  const kinds: Record<string, number> = {};
  inputs.forEach((b, i) => {
    const l = line(b);
    const k = l.split(' ')[0]!;
    kinds[k] = (kinds[k] ?? 0) + 1;
    if (l !== rust[i] && bad++ < 5) console.log(JSON.stringify(Buffer.from(b).toString()), '\n', l, '\n', rust[i]);
  });
  console.log(inputs.length, bad, JSON.stringify(kinds));
  expect(bad).toBe(0);
}, 300000);
