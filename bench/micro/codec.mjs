// Codec: scan, canonical form, digest, lines, encoding. Beside each engine stands what one would write without either.
import { createHash } from 'node:crypto';
import { MESSAGES } from './messages.mjs';

const DEPTH = 128;
const FIELDS = 19;
const KB64 = 1 << 16;

/** Sorted keys by hand: enough for these messages, and all that a cache key usually gets. */
const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
};
const sortedText = (bytes) => JSON.stringify(sorted(JSON.parse(bytes.toString())));

/** Rows that every engine has: the name, and what is measured for one engine. */
function perMessage({ size, bytes }) {
  const out = new Int32Array(FIELDS);
  return [
    {
      row: `codec scan, ${size}`,
      engine:
        ({ codec }) =>
        () =>
          codec.scan(bytes, DEPTH, out),
      others: { 'JSON.parse': () => JSON.parse(bytes.toString()) },
      right: (result) => result === 0 || result.method === 'tools/call',
    },
    {
      row: `codec canonical, ${size}`,
      engine:
        ({ codec }) =>
        () =>
          codec.canonical(bytes, DEPTH),
      others: { 'parse, sort, stringify': () => sortedText(bytes) },
      right: (result) => result.length > 100,
    },
    {
      row: `codec digest, ${size}`,
      engine:
        ({ codec }) =>
        () =>
          codec.digest(bytes, DEPTH),
      others: { 'parse, sort, stringify, SHA-256': () => createHash('sha256').update(sortedText(bytes)).digest() },
      right: (result) => result.length === 32,
    },
  ];
}

/** 64 KB of lines, as a busy pipe delivers them. */
function lines() {
  const line = Buffer.concat([MESSAGES[0].bytes, Buffer.from('\n')]);
  const count = Math.floor(KB64 / line.length);
  const chunk = Buffer.concat(Array.from({ length: count }, () => line));
  return {
    row: `codec lines, ${count} in one chunk of 64 KB`,
    engine: ({ codec }) => {
      const framer = codec.lines(1 << 20);
      return () => framer.push(chunk);
    },
    others: { 'toString, split': () => chunk.toString().split('\n').slice(0, -1) },
    right: (result) => result.length === count,
  };
}

function encode() {
  const id = Buffer.from('4711');
  const value = { content: [{ type: 'text', text: 'x'.repeat(64) }], isError: false };
  const result = Buffer.from(JSON.stringify(value));
  return {
    row: 'codec encode, 110 B result',
    engine:
      ({ codec }) =>
      () =>
        codec.encodeResult(id, result),
    others: {
      'stringify, Buffer.from': () => Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 4711, result: value })),
    },
    right: (bytes) => bytes.length > result.length,
  };
}

export const rows = [...MESSAGES.flatMap(perMessage), lines(), encode()];
