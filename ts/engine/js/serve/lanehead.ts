/**
 * Reads the head of a request that is beyond doubt, for the lane. Not an HTTP parser: it knows one shape and says null to
 * everything else, and then node's parser reads the same bytes from the start.
 *
 * Two parsers must not disagree about where a request ends (request smuggling). What decides that is taken only in its
 * plainest form: one content-length of digits, no transfer-encoding, no expect, no upgrade, no folded or odd line.
 */
import { Head, MAX_HEADERS } from './head.js';

/** A head that was read: its lines as node gives them, and what guard and door ask of it. */
export interface LaneHead {
  readonly raw: readonly string[];
  readonly head: Head;
}

/** A token, a colon, and visible text or blanks (RFC 9110, 5.1 and 5.5); blanks around the value are not part of it. */
const LINE =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;
const DIGITS = /^[0-9]{1,9}$/;

/**
 * @param text everything before the blank line, one character per byte, without its last line end
 * @param first the only request line that is taken
 */
export function readHead(text: string, first: string): LaneHead | null {
  const lines = text.split('\r\n');
  if (lines[0] !== first || lines.length - 1 > MAX_HEADERS) return null;
  const raw: string[] = [];
  let lengths = 0;
  for (let i = 1; i < lines.length; i++) {
    const match = LINE.exec(lines[i] as string);
    if (match === null) return null;
    const [, name, value] = match as unknown as [string, string, string];
    switch (name.toLowerCase()) {
      case 'content-length':
        lengths += 1;
        if (!DIGITS.test(value)) return null;
        break;
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return null;
        break;
      case 'transfer-encoding':
      case 'expect':
      case 'upgrade':
      case 'te':
      case 'trailer':
        return null;
    }
    raw.push(name, value);
  }
  return lengths === 1 ? { raw, head: new Head(raw) } : null;
}
