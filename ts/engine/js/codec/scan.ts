/**
 * The envelope scanner: one strict pass over a JSON-RPC message. Twin of crates/codec/src/scan.rs, whose top has the order
 * of refusals.
 *
 * Nothing is allocated per message. UTF-8 is checked last but decides first: a message of ASCII needs no check, and every
 * other answer, refusals included, is given only after the check has passed.
 */
import { isUtf8 } from 'node:buffer';
import { Field, Flag, Kind, ScanRefusal } from '../../engine.js';
import { clear, conclude, MAX_ID_BYTES, raise, setRange } from './envelope.js';
import * as keys from './keys.js';
import { colon, DEPTH_CEILING, resetUnion, sawBackslash, sawOnlyAscii, space, string, value } from './skip.js';

const { malformed, utf8, bom, tooDeep, duplicateKey, notAnObject, badVersion, badId, badMethod, badParams, tooLarge } =
  ScanRefusal;

/** Offsets are 32-bit. */
const MAX_BYTES = 2 ** 31 - 1;

/** See `Codec.scan`; `maxDepth` is capped at `DEPTH_CEILING`. */
export function scan(bytes: Uint8Array, maxDepth: number, out: Int32Array): number {
  clear(out);
  if (bytes.length > MAX_BYTES) return tooLarge;
  resetUnion();
  const kind = top(bytes, Math.min(maxDepth, DEPTH_CEILING), out);
  // Outside strings a byte above 0x7f is malformed, so what was accepted is ASCII when its strings are.
  if (kind >= 0 && sawOnlyAscii()) {
    raise(out, Flag.ascii);
    return kind;
  }
  const refused = text(bytes);
  return refused < 0 ? refused : kind;
}

/** What every reader of JSON text checks first: 0 or a refusal. */
export function text(bytes: Uint8Array): number {
  if (bytes.length > MAX_BYTES) return tooLarge;
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bom;
  return isUtf8(bytes) ? 0 : utf8;
}

function top(bytes: Uint8Array, maxDepth: number, out: Int32Array): number {
  const start = space(bytes, 0);
  const first = bytes[start];
  if (first === 0x7b) return message(bytes, start, maxDepth, out);
  const end = value(bytes, start, 0, maxDepth);
  if (end < 0) return end;
  if (space(bytes, end) !== bytes.length) return malformed;
  return first === 0x5b ? Kind.batch : notAnObject;
}

// What `enter`, `member` and `next` found besides the index that they return.
let foundKey = 0;
let done = false;

/** Past the opening brace of an acted-on object inside `depth` brackets. */
function enter(bytes: Uint8Array, at: number, depth: number, maxDepth: number): number {
  if (depth >= maxDepth) return tooDeep;
  at = space(bytes, at + 1);
  done = bytes[at] === 0x7d;
  return done ? at + 1 : at;
}

/** Past a key and its colon. */
function member(bytes: Uint8Array, at: number, seen: number, find: keys.Find): number {
  const end = string(bytes, at);
  if (end < 0) return end;
  foundKey = sawBackslash() ? keys.findEscaped(bytes, at + 1, end - 1, find) : find(bytes, at + 1, end - 1);
  if ((seen & foundKey) !== 0) return duplicateKey;
  return colon(bytes, end);
}

/** After a member: at the next key, or past the closing brace. */
function next(bytes: Uint8Array, at: number): number {
  if ((bytes[at] as number) <= 0x20) at = space(bytes, at);
  const byte = bytes[at];
  done = byte === 0x7d;
  if (done) return at + 1;
  if (byte !== 0x2c) return malformed;
  at++;
  return (bytes[at] as number) > 0x20 ? at : space(bytes, at);
}

/** A value that has to be a string: its range goes to `field`, without the quotes. */
function textValue(
  bytes: Uint8Array,
  at: number,
  depth: number,
  maxDepth: number,
  out: Int32Array,
  field: number,
  otherwise: number,
): number {
  const end = value(bytes, at, depth, maxDepth);
  if (end < 0) return end;
  if (bytes[at] !== 0x22) return otherwise;
  if (sawBackslash()) raise(out, Flag.escaped);
  setRange(out, field, at + 1, end - 1);
  return end;
}

/** A string or a number, going by its first byte. */
function isToken(first: number | undefined): boolean {
  return first === 0x22 || first === 0x2d || ((first as number) >= 0x30 && (first as number) <= 0x39);
}

function message(bytes: Uint8Array, start: number, maxDepth: number, out: Int32Array): number {
  let seen = 0;
  let nullId = false;
  let at = enter(bytes, start, 0, maxDepth);
  while (at >= 0 && !done) {
    at = member(bytes, at, seen, keys.findEnvelope);
    if (at < 0) return at;
    const key = foundKey;
    seen |= key;
    const first = at;
    if (key === keys.PARAMS) {
      at = params(bytes, at, maxDepth, out);
    } else if (key === keys.METHOD) {
      at = textValue(bytes, at, 1, maxDepth, out, Field.method, badMethod);
    } else {
      at = value(bytes, at, 1, maxDepth);
      if (at < 0) return at;
      if (key === keys.JSONRPC) {
        const right = bytes[first] === 0x22 && keys.isVersion(bytes, first + 1, at - 1, sawBackslash());
        if (!right) return badVersion;
      } else if (key === keys.ID) {
        if (isToken(bytes[first]) && at - first <= MAX_ID_BYTES) setRange(out, Field.id, first, at);
        else if (bytes[first] === 0x6e) nullId = true;
        else return badId;
      }
    }
    if (at < 0) return at;
    at = next(bytes, at);
  }
  if (at < 0) return at;
  if (space(bytes, at) !== bytes.length) return malformed;
  return conclude(seen, nullId);
}

function params(bytes: Uint8Array, start: number, maxDepth: number, out: Int32Array): number {
  if (bytes[start] !== 0x7b) {
    const end = value(bytes, start, 1, maxDepth);
    if (end < 0) return end;
    if (bytes[start] !== 0x5b) return badParams;
    raise(out, Flag.paramsArray);
    setRange(out, Field.params, start, end);
    return end;
  }
  let seen = 0;
  let at = enter(bytes, start, 1, maxDepth);
  while (at >= 0 && !done) {
    at = member(bytes, at, seen, keys.findParams);
    if (at < 0) return at;
    const key = foundKey;
    seen |= key;
    const first = at;
    if (key === keys.NAME) {
      at = textValue(bytes, at, 2, maxDepth, out, Field.name, badParams);
    } else if (key === keys.URI) {
      at = textValue(bytes, at, 2, maxDepth, out, Field.uri, badParams);
    } else if (key === keys.META) {
      at = meta(bytes, at, maxDepth, out);
    } else {
      at = value(bytes, at, 2, maxDepth);
      if (at < 0) return at;
      if (key !== keys.ARGUMENTS) {
        raise(out, Flag.otherParams);
      } else {
        if (bytes[first] !== 0x7b) return badParams;
        setRange(out, Field.arguments, first, at);
      }
    }
    if (at < 0) return at;
    at = next(bytes, at);
  }
  if (at < 0) return at;
  setRange(out, Field.params, start, at);
  return at;
}

function meta(bytes: Uint8Array, start: number, maxDepth: number, out: Int32Array): number {
  if (bytes[start] !== 0x7b) {
    const end = value(bytes, start, 2, maxDepth);
    return end < 0 ? end : badParams;
  }
  let seen = 0;
  let at = enter(bytes, start, 2, maxDepth);
  while (at >= 0 && !done) {
    at = member(bytes, at, seen, keys.findMeta);
    if (at < 0) return at;
    const key = foundKey;
    seen |= key;
    const first = at;
    at = value(bytes, at, 3, maxDepth);
    if (at < 0) return at;
    if (key === keys.VERSION) {
      raise(out, Flag.metaVersionPresent);
      if (bytes[first] === 0x22) {
        if (sawBackslash()) raise(out, Flag.escaped);
        setRange(out, Field.metaVersion, first + 1, at - 1);
      }
    } else if (key === keys.CAPABILITIES) {
      if (bytes[first] === 0x7b) raise(out, Flag.metaCapabilities);
    } else if (key === keys.PROGRESS_TOKEN && isToken(bytes[first])) {
      setRange(out, Field.progressToken, first, at);
    }
    at = next(bytes, at);
  }
  if (at < 0) return at;
  setRange(out, Field.meta, start, at);
  return at;
}
