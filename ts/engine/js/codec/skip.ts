/**
 * Getting past one JSON value and proving it (RFC 8259, every byte). Twin of crates/codec/src/skip.rs.
 *
 * Functions take the bytes and an index and return the index after what they passed, or a negative refusal. Reading past
 * the end gives `undefined`, which no comparison takes for a byte of the grammar, so only loops check the end.
 * UTF-8 is not looked at here. Iterative: no input can exhaust the stack.
 */
import { ScanRefusal } from '../../engine.js';
import { ESCAPES, HEX, SPACES, STOPS } from './simd.js';

/** Deepest nesting that is ever accepted, whatever the caller allows. */
export const DEPTH_CEILING = 1024;

const { malformed, tooDeep } = ScanRefusal;

/** 1 where the open bracket of that level is a brace. Scratch of `prove`, which is never reentered. */
const nesting = new Uint8Array(DEPTH_CEILING);

/** All bytes of strings passed since the last reset, or-ed: below 0x80 they were ASCII. */
let union = 0;
/** 1 when the string passed last holds a backslash. */
let backslash = 0;

export function resetUnion(): void {
  union = 0;
}

export function sawOnlyAscii(): boolean {
  return union < 0x80;
}

export function sawBackslash(): boolean {
  return backslash !== 0;
}

export function space(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && SPACES[bytes[at] as number] === 1) at++;
  return at;
}

/** Past a colon and the whitespace around it. */
export function colon(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 0x3a) {
    at = space(bytes, at);
    if (bytes[at] !== 0x3a) return malformed;
  }
  at++;
  return (bytes[at] as number) > 0x20 ? at : space(bytes, at);
}

/** Past the closing quote of the string that must start at `at`. */
export function string(bytes: Uint8Array, at: number): number {
  backslash = 0;
  if (bytes[at] !== 0x22) return malformed;
  const end = bytes.length;
  let seen = 0;
  at++;
  while (at < end) {
    const byte = bytes[at] as number;
    if (STOPS[byte] === 0) {
      seen |= byte;
      at++;
    } else if (byte === 0x22) {
      union |= seen;
      return at + 1;
    } else if (byte === 0x5c) {
      backslash = 1;
      at = escapeSequence(bytes, at + 1);
      if (at < 0) return at;
    } else {
      return malformed;
    }
  }
  return malformed;
}

/** Past an escape whose backslash stands before `at`. Surrogates need not be paired (`JSON.parse` takes them too). */
function escapeSequence(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) return malformed;
  if (ESCAPES[byte] === 1) return at + 1;
  if (byte !== 0x75 || at + 4 >= bytes.length) return malformed;
  for (let digit = at + 1; digit <= at + 4; digit++) {
    if (HEX[bytes[digit] as number] === 0) return malformed;
  }
  return at + 5;
}

function digits(bytes: Uint8Array, at: number): number {
  const end = bytes.length;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte < 0x30 || byte > 0x39) break;
    at++;
  }
  return at;
}

/** Passes a number of any size; what follows it is the caller's to judge. */
export function number(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x2d) at++;
  if (bytes[at] === 0x30) {
    at++;
  } else {
    const end = digits(bytes, at);
    if (end === at) return malformed;
    at = end;
  }
  if (bytes[at] === 0x2e) {
    const end = digits(bytes, at + 1);
    if (end === at + 1) return malformed;
    at = end;
  }
  const exponent = bytes[at];
  if (exponent === 0x65 || exponent === 0x45) {
    const sign = bytes[at + 1];
    const first = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1;
    const end = digits(bytes, first);
    if (end === first) return malformed;
    at = end;
  }
  return at;
}

/** Passes `true`, `false` or `null`. */
function literal(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  const second = bytes[at + 1];
  const third = bytes[at + 2];
  const fourth = bytes[at + 3];
  if (first === 0x74) return second === 0x72 && third === 0x75 && fourth === 0x65 ? at + 4 : malformed;
  if (first === 0x6e) return second === 0x75 && third === 0x6c && fourth === 0x6c ? at + 4 : malformed;
  if (first !== 0x66) return malformed;
  return second === 0x61 && third === 0x6c && fourth === 0x73 && bytes[at + 4] === 0x65 ? at + 5 : malformed;
}

/** Passes whatever is no bracket. */
function scalar(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first === 0x22) return string(bytes, at);
  if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return number(bytes, at);
  return literal(bytes, at);
}

/** Passes one value. `depth` brackets are open around it, at most `maxDepth` (itself at most the ceiling) may be. */
export function value(bytes: Uint8Array, at: number, depth: number, maxDepth: number): number {
  const first = bytes[at];
  return first === 0x7b || first === 0x5b ? prove(bytes, at, depth, maxDepth) : scalar(bytes, at);
}

// Steps of `prove`.
const OPEN = 0;
const MEMBER = 1;
const VALUE = 2;
const AFTER = 3;

function prove(bytes: Uint8Array, at: number, depth: number, maxDepth: number): number {
  const room = maxDepth - depth;
  let open = 0;
  let close = 0; // the bracket that closes the innermost container
  let step: number = OPEN;
  for (;;) {
    if (step === MEMBER) {
      at = string(bytes, at);
      if (at < 0) return at;
      at = colon(bytes, at);
      if (at < 0) return at;
      step = VALUE;
    }
    if (step === VALUE) {
      const first = bytes[at];
      if (first === 0x7b || first === 0x5b) {
        step = OPEN;
      } else {
        at = scalar(bytes, at);
        if (at < 0) return at;
        step = AFTER;
      }
    }
    if (step === OPEN) {
      if (open >= room) return tooDeep;
      close = (bytes[at] as number) + 2; // `}` and `]` stand two after their opening brackets
      nesting[open++] = close;
      at = space(bytes, at + 1);
      if (bytes[at] === close) step = AFTER;
      else step = close === 0x7d ? MEMBER : VALUE;
    } else {
      // At what follows a value, or at the bracket that closes an empty container.
      at = space(bytes, at);
      const byte = bytes[at];
      if (byte === 0x2c) {
        at = space(bytes, at + 1);
        step = close === 0x7d ? MEMBER : VALUE;
      } else if (byte === close) {
        at++;
        if (--open === 0) return at;
        close = nesting[open - 1] as number;
      } else {
        return malformed;
      }
    }
  }
}
