/**
 * Reading a request head as the engine hands it up (`name: value\r\n` lines, names in lower case), and the value encoding
 * of the headers that mirror the body (`Mcp-Name`, `Mcp-Param-*`).
 */

const PREFIX = '=?base64?';
const SUFFIX = '?=';
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The value of a header without outer blanks; undefined when absent. A header that stands twice gives its values joined
 * by a line feed, which no legal value contains: it equals nothing and decodes to nothing.
 */
export function headerValue(head: string, name: string): string | undefined {
  const key = `${name}:`;
  let found: string | undefined;
  let from = 0;
  while (from < head.length) {
    let end = head.indexOf('\r\n', from);
    if (end === -1) end = head.length;
    if (head.startsWith(key, from)) {
      const value = trimBlanks(head.slice(from + key.length, end));
      found = found === undefined ? value : `${found}\n${value}`;
    }
    from = end + 2;
  }
  return found;
}

/** All headers; a name that stands twice is joined with a comma, as `Headers` does. */
export function toHeaders(head: string): Headers {
  const headers = new Headers();
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    try {
      headers.append(line.slice(0, colon), trimBlanks(line.slice(colon + 1)));
    } catch {
      // Bytes that the engine's HTTP parser let through and the Fetch standard does not: such a header is not shown.
    }
  }
  return headers;
}

/** The same of names and values in turn, as node's `rawHeaders`; pseudo headers of HTTP/2 are no headers. */
export function pairsToHeaders(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (!name.startsWith(':')) headers.append(name, raw[i + 1] as string);
  }
  return headers;
}

/**
 * Decodes a mirrored header value: a literal of visible ASCII, blank and tab, or the base64 form of UTF-8 text.
 * @returns undefined when the value holds other characters, or is in the base64 form but not strictly valid (RFC 4648
 * with padding and zero trailing bits, well-formed UTF-8)
 */
export function decodeMirrored(value: string): string | undefined {
  if (!/^[\t\x20-\x7e]*$/.test(value)) return undefined;
  // Prefix and suffix may not share the question mark.
  if (value.length < PREFIX.length + SUFFIX.length || !value.startsWith(PREFIX) || !value.endsWith(SUFFIX))
    return value;
  const encoded = value.slice(PREFIX.length, -SUFFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  // Node's decoder skips what it does not know; only strict input survives the way back.
  if (bytes.toString('base64') !== encoded) return undefined;
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The counterpart of {@link decodeMirrored}: literal when that is safe, else the base64 form. */
export function encodeMirrored(value: string): string {
  const plain = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/.test(value);
  const ambiguous = value.startsWith(PREFIX) && value.endsWith(SUFFIX);
  return plain && !ambiguous ? value : `${PREFIX}${Buffer.from(value, 'utf8').toString('base64')}${SUFFIX}`;
}

/** Whether an Accept value takes event streams, by the rule of the engines' door. Absent: everything (RFC 9110, 12.5.1). */
export function acceptsStream(accept: string | undefined): boolean {
  return accepts(accept, 'text/event-stream');
}

/** Whether an Accept value takes JSON, in which every answer without events is given. */
export function acceptsJson(accept: string | undefined): boolean {
  return accepts(accept, 'application/json') || accepts(accept, 'application/*');
}

function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined) return true;
  const lower = accept.toLowerCase();
  return lower.includes(type) || lower.includes('*/*');
}

function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && (value.charCodeAt(start) === 32 || value.charCodeAt(start) === 9)) start += 1;
  while (end > start && (value.charCodeAt(end - 1) === 32 || value.charCodeAt(end - 1) === 9)) end -= 1;
  return value.slice(start, end);
}
