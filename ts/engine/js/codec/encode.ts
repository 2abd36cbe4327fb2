/**
 * Answers by splice: what is ready as bytes is copied, never parsed. Twin of crates/codec/src/encode.rs.
 */

const HEAD = Buffer.from('{"jsonrpc":"2.0","id":', 'latin1');
const RESULT = Buffer.from(',"result":', 'latin1');
const ERROR = Buffer.from(',"error":', 'latin1');
const NULL = Buffer.from('null', 'latin1');
const EVENT = Buffer.from('event: message\n', 'latin1');
const DATA = Buffer.from('data: ', 'latin1');

const NEWLINE = 0x0a;
const RETURN = 0x0d;

function splice(id: Uint8Array, member: Uint8Array, body: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(HEAD.length + id.length + member.length + body.length + 1);
  let at = HEAD.length;
  out.set(HEAD, 0);
  out.set(id, at);
  at += id.length;
  out.set(member, at);
  at += member.length;
  out.set(body, at);
  out[at + body.length] = 0x7d;
  return out;
}

/** See `Codec.encodeResult`. */
export function encodeResult(id: Uint8Array, result: Uint8Array): Uint8Array {
  return splice(id, RESULT, result);
}

/** See `Codec.encodeError`. */
export function encodeError(id: Uint8Array, error: Uint8Array): Uint8Array {
  return splice(id.length === 0 ? NULL : id, ERROR, error);
}

/**
 * See `Codec.encodeEvent`. `\r\n` and `\r` in data end a line as `\n` does, because a reader takes them so. An id with a
 * line end or NUL in it is left out: it would be another field, or ignored.
 */
export function encodeEvent(id: string, data: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  if (id !== '' && !/[\r\n\0]/.test(id)) parts.push(Buffer.from(`id: ${id}\n`, 'utf8'));
  parts.push(EVENT);
  let start = 0;
  for (let at = 0; at <= data.length; at++) {
    if (at < data.length && data[at] !== NEWLINE && data[at] !== RETURN) continue;
    parts.push(DATA, data.subarray(start, at), LINE_END);
    if (data[at] === RETURN && data[at + 1] === NEWLINE) at++;
    start = at + 1;
  }
  parts.push(LINE_END);
  return Buffer.concat(parts);
}

const LINE_END = Uint8Array.of(NEWLINE);
