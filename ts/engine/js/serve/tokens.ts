/**
 * Bearer tokens that were admitted, by digest, and what the last Authorization header of a connection came to.
 *
 * Not an authorization server and no judge of tokens: who may come in is decided above, here it is only remembered. A
 * token itself is kept nowhere but beside the verdict on the connection that sent it.
 */
import { createHash } from 'node:crypto';

interface Admitted {
  readonly principal: number;
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAt: number;
}

/** What the last Authorization header of one connection came to: keep-alive traffic is hashed once. */
export class TokenMemo {
  header = '';
  generation = -1;
  principal = 0;
  expiresAt = 0;
}

/** RFC 6750, 2.1: the scheme in any case, then one token68. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
/** Below this many tokens nobody looks for expired ones. */
const SWEEP_FROM = 1024;

export class Tokens {
  private readonly admitted = new Map<string, Admitted>();
  /** Counts changes: a memo of an earlier generation is asked again. */
  private generation = 0;
  private sweepAt = SWEEP_FROM;

  get size(): number {
    return this.admitted.size;
  }

  /** @param digest SHA-256 of the token, lower-case hex */
  admit(digest: string, principal: number, expiresAt: number): void {
    this.admitted.set(digest, { principal, expiresAt });
    this.generation++;
    if (this.admitted.size >= this.sweepAt) this.sweep();
  }

  expel(digest: string): boolean {
    this.generation++;
    return this.admitted.delete(digest);
  }

  /** The principal whose token stands in an Authorization header; 0: none that is admitted and has not expired. */
  principal(authorization: string | null, memo: TokenMemo): number {
    if (authorization === null || this.admitted.size === 0) return 0;
    if (memo.generation === this.generation && equal(authorization, memo.header)) {
      return memo.expiresAt === 0 || Date.now() < memo.expiresAt ? memo.principal : 0;
    }
    memo.header = authorization;
    memo.generation = this.generation;
    const token = BEARER.exec(authorization)?.[1];
    const found = token === undefined ? undefined : this.admitted.get(createHash('sha256').update(token).digest('hex'));
    memo.principal = found?.principal ?? 0;
    memo.expiresAt = found?.expiresAt ?? 0;
    return memo.expiresAt === 0 || Date.now() < memo.expiresAt ? memo.principal : 0;
  }

  /** Whoever admits tokens need not come back for those that expired. */
  private sweep(): void {
    const now = Date.now();
    for (const [digest, { expiresAt }] of this.admitted) {
      if (expiresAt !== 0 && expiresAt <= now) this.admitted.delete(digest);
    }
    this.sweepAt = Math.max(SWEEP_FROM, this.admitted.size * 2);
  }
}

/** In a time that tells only the length: behind a proxy, several clients may share one connection. */
function equal(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return different === 0;
}
