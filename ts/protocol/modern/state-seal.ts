/**
 * Sealing of `requestState`: what a server gives a client to keep between two rounds, so that no server has to remember it.
 *
 * AES-256-GCM: nobody without the key can read or change it. A sealed text is bound to the request that it belongs to and
 * expires; it is not single-use, which takes a memory. Knows nothing of rounds: it seals JSON values.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { RequestContext } from '../context.js';

/** Milliseconds for which a sealed state can be opened. */
export const DEFAULT_STATE_TTL = 600_000;
/** Longest sealed state in characters. */
export const DEFAULT_STATE_LENGTH = 64 * 1024;

export type StateVerify = (state: string, context: RequestContext) => unknown | Promise<unknown>;

export interface StateSealOptions {
  /**
   * Secrets of at least 32 bytes: the first seals, all of them open. Give all processes that serve the same clients the
   * same keys. Default: one random key per process, shared by all servers in it.
   */
  readonly keys?: readonly (string | Uint8Array)[];
  /** Milliseconds for which a state can be opened. Default 600,000. */
  readonly ttl?: number;
  /** Longest sealed state in characters. Default 65,536. */
  readonly maxLength?: number;
  /**
   * Checks a `requestState` that a handler made itself and gives what it holds; throws to refuse it. With it the strings that
   * handlers return are sent as they are; without it they are sealed.
   */
  readonly verify?: StateVerify | undefined;
}

export interface StateSealer {
  /**
   * @param value any JSON value; @param binding what the state belongs to, needed again to open it
   * @throws RangeError when the sealed text would be longer than allowed
   */
  seal(value: unknown, binding: string): string;
  /** The value. @throws Error when the text was not sealed by one of the keys for this binding, or has expired */
  open(text: string, binding: string): unknown;
  /** Whether a text has the form of a sealed state; says nothing of its truth. */
  sealed(text: string): boolean;
  readonly verify: StateVerify | undefined;
}

const PREFIX = 'sealed.1.';
const NONCE = 12;
const TAG = 16;
const LEAST_KEY = 32;
const LEAST_LENGTH = 256;

let processKey: Buffer | undefined;

/**
 * For whoever makes the sealer later.
 * @throws RangeError for a key that is too short, or a limit that is none; TypeError for what is no key or no function
 */
export function checkStateSeal({ keys, ttl, maxLength, verify }: StateSealOptions): void {
  if (keys !== undefined) {
    if (!Array.isArray(keys)) throw new TypeError('requestState.keys must be an array of keys');
    if (keys.length === 0) throw new RangeError('requestState.keys must hold at least one key');
    keys.forEach(checkKey);
  }
  if (ttl !== undefined && !(Number.isFinite(ttl) && ttl > 0)) {
    throw new RangeError(`requestState.ttl must be positive, not ${ttl}`);
  }
  if (maxLength !== undefined && !(Number.isSafeInteger(maxLength) && maxLength >= LEAST_LENGTH)) {
    throw new RangeError(`requestState.maxLength must be at least ${LEAST_LENGTH}, not ${maxLength}`);
  }
  if (verify !== undefined && typeof verify !== 'function') {
    throw new TypeError('requestState.verify must be a function');
  }
}

/** Names the key by its place: what it holds is a secret. */
function checkKey(key: unknown, index: number): void {
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw new TypeError(`requestState.keys[${index}] must be text or bytes, not ${key === null ? 'null' : typeof key}`);
  }
  if (Buffer.byteLength(key) < LEAST_KEY) {
    throw new RangeError(`requestState.keys[${index}] must have at least ${LEAST_KEY} bytes`);
  }
}

/** @throws as {@link checkStateSeal} */
export function createStateSealer(options: StateSealOptions = {}): StateSealer {
  return new Sealer(options);
}

class Sealer implements StateSealer {
  readonly verify: StateVerify | undefined;
  readonly #keys: readonly Buffer[] | undefined;
  readonly #ttl: number;
  readonly #maxLength: number;

  constructor(options: StateSealOptions) {
    checkStateSeal(options);
    const { keys, ttl = DEFAULT_STATE_TTL, maxLength = DEFAULT_STATE_LENGTH, verify } = options;
    this.#keys = keys?.map(derive);
    this.#ttl = ttl;
    this.#maxLength = maxLength;
    this.verify = verify;
  }

  seal(value: unknown, binding: string): string {
    const clear = JSON.stringify([Date.now() + this.#ttl, value]);
    // Before the work: base64 makes four characters of three bytes.
    if (clear.length > this.#maxLength) throw new RangeError(tooLong(this.#maxLength));
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.#all()[0] as Buffer, nonce);
    cipher.setAAD(Buffer.from(PREFIX + binding));
    const sealed = Buffer.concat([nonce, cipher.update(clear, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    const text = PREFIX + sealed.toString('base64url');
    if (text.length > this.#maxLength) throw new RangeError(tooLong(this.#maxLength));
    return text;
  }

  open(text: string, binding: string): unknown {
    if (!this.sealed(text) || text.length > this.#maxLength) throw new Error('no sealed state');
    const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
    // Node's decoder skips what it does not know: only one spelling of a state is that state.
    if (bytes.length < NONCE + TAG || bytes.toString('base64url') !== text.slice(PREFIX.length)) {
      throw new Error('malformed');
    }
    for (const key of this.#all()) {
      const clear = decrypt(key, bytes, binding);
      if (clear === undefined) continue;
      const [expires, value] = JSON.parse(clear) as [number, unknown];
      if (!(Date.now() < expires)) throw new Error('expired');
      return value;
    }
    throw new Error('no key opens it');
  }

  sealed(text: string): boolean {
    return text.startsWith(PREFIX);
  }

  #all(): readonly Buffer[] {
    if (this.#keys !== undefined) return this.#keys;
    processKey ??= randomBytes(32);
    return [processKey];
  }
}

function derive(key: string | Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', 'mcp request state', 32));
}

function decrypt(key: Buffer, bytes: Buffer, binding: string): string | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG });
    decipher.setAAD(Buffer.from(PREFIX + binding));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
    const clear = decipher.update(bytes.subarray(NONCE, bytes.length - TAG));
    return Buffer.concat([clear, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

function tooLong(limit: number): string {
  return `The state to carry to the next round is too large: sealed it may have ${limit} characters`;
}
