/**
 * What a connection brought along: the request that opened it, and who it acts for.
 */
import type { IncomingMessage } from 'node:http';
import type { Carried } from '../../protocol/carried.js';
import { headerValue, toHeaders } from '../../protocol/headers.js';
import type { AuthInfo } from '../../protocol/types.js';

export class Visitor implements Carried {
  readonly sessionId = undefined;
  readonly closeSSE = undefined;
  readonly closeStandaloneSSE = undefined;
  /** `name: value\r\n` lines, names in lower case. */
  readonly head: string;
  readonly #target: string;
  readonly #secure: boolean;
  #request: Request | undefined;

  /** @param authInfo undefined without authorization; another object when the token was checked again */
  constructor(
    opening: IncomingMessage,
    public authInfo: AuthInfo | undefined,
  ) {
    this.head = headOf(opening);
    this.#target = opening.url ?? '/';
    this.#secure = (opening.socket as { encrypted?: boolean }).encrypted === true;
  }

  /** The upgrade request. */
  get request(): Request {
    if (this.#request === undefined) {
      const origin = `${this.#secure ? 'https' : 'http'}://${headerValue(this.head, 'host') ?? ''}`;
      const base = URL.canParse(origin) ? origin : 'http://localhost';
      this.#request = new Request(new URL(this.#target, base), { headers: toHeaders(this.head) });
    }
    return this.#request;
  }

  /** Whether the token it came with has had its time. */
  get expired(): boolean {
    const expires = this.authInfo?.expiresAt;
    return expires !== undefined && expires * 1000 <= Date.now();
  }
}

/** `name: value\r\n` lines, names in lower case; node lets no line break into a value. */
export function headOf({ rawHeaders }: IncomingMessage): string {
  let head = '';
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    head += `${(rawHeaders[i] as string).toLowerCase()}: ${rawHeaders[i + 1]}\r\n`;
  }
  return head;
}
