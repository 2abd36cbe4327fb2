/**
 * The CORS lines of an answer: which page may read it (Fetch standard, 3.3). Off unless origins are configured.
 *
 * Not a guard: a request of a foreign page is refused by guard.ts or not at all. What a preflight may do is said above.
 */

const EXPOSED = 'access-control-expose-headers: Mcp-Session-Id, WWW-Authenticate\r\n';
/** Without it a cache could hand one page's answer to another. */
const VARY = 'vary: Origin\r\n';

export class Cors {
  private readonly any: boolean;
  private lastOrigin = '';
  private lastLines = VARY;

  /** @param origins lower case; `*`: every origin; null: off */
  constructor(private readonly origins: readonly string[] | null) {
    this.any = origins?.includes('*') ?? false;
  }

  /** Header lines for every answer to a request with this Origin; empty when CORS is off. */
  lines(origin: string | null): string {
    if (this.origins === null) return '';
    if (origin === null) return VARY;
    if (origin === this.lastOrigin) return this.lastLines;
    const allowed = this.any || this.origins.includes(origin.toLowerCase());
    this.lastOrigin = origin;
    this.lastLines = allowed ? `access-control-allow-origin: ${origin}\r\n${VARY}${EXPOSED}` : VARY;
    return this.lastLines;
  }
}

/** The lines without the origin where the answer says it itself: there may be one. */
export function besides(headers: string, lines: string): string {
  if (!/^access-control-allow-origin:/im.test(headers)) return lines;
  return lines.replace(/^access-control-allow-origin:.*\r\n/m, '');
}
