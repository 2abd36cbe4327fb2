/**
 * The request head, read in one pass over `rawHeaders`: the headers that are acted on, and whether one stands twice.
 *
 * Not a header map: `req.headers` joins repeated lines with commas, and a repeated `Host` or `Mcp-Name` is what the guard
 * and the door must see. Where a header that may not repeat does repeat without being one of those, the last line stands.
 */

/** Above this many header lines a request gets 431; the native engine has the same number. */
export const MAX_HEADERS = 128;

/** What the door asks of a head; the pipe has none. */
export interface DoorHead {
  readonly version: string | null;
  readonly method: string | null;
  readonly name: string | null;
  readonly session: string | null;
  readonly accept: string | null;
  /** One of the four MCP headers stands more than once. */
  readonly ambiguous: boolean;
}

export class Head implements DoorHead {
  /** How many Host lines there are. */
  hosts = 0;
  host = '';
  origin: string | null = null;
  contentType: string | null = null;
  contentEncoding: string | null = null;
  /** -1 when absent. */
  contentLength = -1;
  chunked = false;
  accept: string | null = null;
  version: string | null = null;
  method: string | null = null;
  name: string | null = null;
  session: string | null = null;
  ambiguous = false;
  /** Empty, which no token has, when it stands more than once. */
  authorization: string | null = null;
  acceptEncoding: string | null = null;

  constructor(raw: readonly string[]) {
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] as string;
      // The length picks the few candidates, so that the headers nobody asks for are not even lower-cased.
      switch (name.length) {
        case 4:
          if (name === 'Host' || name.toLowerCase() === 'host') {
            this.hosts++;
            this.host = raw[i + 1] as string;
          }
          break;
        case 6:
        case 8:
        case 10:
          this.short(name.toLowerCase(), raw[i + 1] as string);
          break;
        case 12:
        case 13:
        case 14:
        case 15:
        case 16:
        case 17:
        case 20:
          this.long(name.toLowerCase(), raw[i + 1] as string);
      }
    }
  }

  /** A body follows the head, of whatever length. */
  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  private short(name: string, value: string): void {
    if (name === 'accept') this.accept = value;
    else if (name === 'origin') this.origin = value;
    else if (name === 'mcp-name') {
      if (this.name !== null) this.ambiguous = true;
      this.name = value;
    } else if (name === 'mcp-method') {
      if (this.method !== null) this.ambiguous = true;
      this.method = value;
    }
  }

  private long(name: string, value: string): void {
    if (name === 'content-type') this.contentType = value;
    else if (name === 'content-length') this.contentLength = Number(value);
    else if (name === 'mcp-protocol-version') {
      if (this.version !== null) this.ambiguous = true;
      this.version = value;
    } else if (name === 'mcp-session-id') {
      if (this.session !== null) this.ambiguous = true;
      this.session = value;
    } else if (name === 'authorization') this.authorization = this.authorization === null ? value : '';
    else if (name === 'accept-encoding') {
      this.acceptEncoding = this.acceptEncoding === null ? value : `${this.acceptEncoding},${value}`;
    } else if (name === 'content-encoding') this.contentEncoding = value;
    else if (name === 'transfer-encoding') this.chunked = true;
  }
}

/** `name: value\r\n` lines for the side above, names in lower case. */
export function headLines(raw: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < raw.length; i += 2) lines += `${(raw[i] as string).toLowerCase()}: ${raw[i + 1]}\r\n`;
  return lines;
}

/** Where a message ends is the engine's to say, and nobody else's. */
const FRAMING =
  /^(content-length|transfer-encoding|connection|proxy-connection|keep-alive|upgrade|te|trailer|http2-settings)$/i;

/**
 * Name and value pairs of `name: value\r\n` lines. A line that HTTP cannot carry is dropped, and one that would change
 * the framing: throwing here would leave a client without any answer for a fault that is not its own.
 */
export function headPairs(lines: string): string[] {
  const pairs: string[] = [];
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (
      colon > 0 &&
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) &&
      /^[\t\x20-\x7e\x80-\xff]*$/.test(value) &&
      !FRAMING.test(name)
    ) {
      pairs.push(name, value);
    }
  }
  return pairs;
}
