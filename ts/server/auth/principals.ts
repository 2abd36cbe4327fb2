/**
 * Tokens that were checked, by digest, and the numbers under which listeners let them through. Bounded: the oldest makes
 * room. Tokens themselves are kept only inside the {@link AuthInfo} that handlers are given.
 */
import { createHash } from 'node:crypto';
import type { Listener } from '../../engine/engine.js';
import type { AuthInfo } from '../../protocol/types.js';

export interface Principal {
  readonly digest: string;
  /** Positive. */
  readonly number: number;
  readonly auth: AuthInfo;
  /** Milliseconds since the epoch after which it must be checked again; 0: never. */
  readonly until: number;
  /** Configured, not issued: makes no room for others. */
  readonly fixed: boolean;
}

/** Numbers that are still known after their token made room: a request may be on its way up with one. */
const MOST_RETIRED = 1024;

/** SHA-256, lower-case hex: looking up a digest takes no time that depends on how much of a token was right. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export class Principals {
  readonly #most: number;
  readonly #byDigest = new Map<string, Principal>();
  readonly #byNumber = new Map<number, Principal>();
  readonly #retired = new Map<number, AuthInfo>();
  readonly #listeners = new Set<Listener>();
  #last = 0;
  #fixed = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#byDigest.size;
  }

  /** Lets everything that is known through this listener as well. */
  attach(listener: Listener): void {
    this.#listeners.add(listener);
    for (const { digest, number, until } of this.#byDigest.values()) listener.admit(digest, number, until);
  }

  detach(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** @param expires milliseconds since the epoch after which it must be checked again; undefined: never */
  add(digest: string, auth: AuthInfo, expires: number | undefined, fixed = false): Principal {
    this.#drop(digest);
    if (fixed) this.#fixed += 1;
    else this.#makeRoom();
    this.#last += 1;
    // 0 means never, and so might a number that is none, to an engine: the beginning of time is long over as well.
    const until = expires === undefined ? 0 : Math.max(1, Math.floor(expires) || 1);
    const principal: Principal = { digest, number: this.#last, auth, until, fixed };
    this.#byDigest.set(digest, principal);
    this.#byNumber.set(principal.number, principal);
    for (const listener of this.#listeners) listener.admit(digest, principal.number, until);
    return principal;
  }

  /** Undefined when it is unknown, or has to be checked again. */
  find(digest: string): Principal | undefined {
    const principal = this.#byDigest.get(digest);
    if (principal === undefined || principal.until === 0 || principal.until > Date.now()) return principal;
    this.#drop(digest);
    return undefined;
  }

  who(number: number): AuthInfo | undefined {
    return this.#byNumber.get(number)?.auth ?? this.#retired.get(number);
  }

  #makeRoom(): void {
    if (this.#byDigest.size - this.#fixed < this.#most) return;
    // Insertion order is order of checking; configured tokens were first and stay.
    for (const oldest of this.#byDigest.values()) {
      if (oldest.fixed) continue;
      this.#drop(oldest.digest);
      return;
    }
  }

  #drop(digest: string): void {
    const principal = this.#byDigest.get(digest);
    if (principal === undefined) return;
    if (principal.fixed) this.#fixed -= 1;
    this.#byDigest.delete(digest);
    this.#byNumber.delete(principal.number);
    for (const listener of this.#listeners) listener.expel(digest);
    this.#retired.set(principal.number, principal.auth);
    for (const oldest of this.#retired.keys()) {
      if (this.#retired.size <= MOST_RETIRED) break;
      this.#retired.delete(oldest);
    }
  }
}
