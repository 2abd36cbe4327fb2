/**
 * Seals what a handler keeps between the rounds of a request (`requestState`) with an HMAC, so that it may travel through
 * the client without being changed. Signed, not encrypted: the client can read it.
 *
 * The text is the official SDK's (`v1.` body `.` mac, both base64url), so servers of both kinds can share one key.
 */
import type { RequestContext } from '../context.js';

export interface RequestStateCodecOptions {
  /** At least 32 bytes, the same in every process that may get the retry. A string counts as UTF-8. */
  key: Uint8Array | string;
  /** Seconds for which a sealed state is taken back. Default: 600. */
  ttlSeconds?: number;
  /** Ties a state to what this gives (the user, the method): under another value it is refused. Kept as a tag only. */
  bind?: (ctx: RequestContext) => string;
}

export interface RequestStateCodec<T = unknown> {
  /**
   * Seals a JSON value.
   * @param ctx needed with `bind`
   */
  mint(payload: T, ctx?: RequestContext): Promise<string>;
  /**
   * Opens it again.
   * @throws Error whose message is the reason and nothing else: `malformed`, `mac`, `expired` or `bind`
   */
  verify(state: string, ctx: RequestContext): Promise<T>;
}

interface Envelope {
  /** The payload. */
  p: unknown;
  /** Seconds since the epoch. */
  exp: number;
  /** Tag of what it is bound to. */
  b?: string;
}

const PREFIX = 'v1.';
const MIN_KEY = 32;
/** Bytes of a tag. */
const TAG = 16;

/** @throws RangeError for a short key or a lifetime that is no number */
export function createRequestStateCodec<T = unknown>(options: RequestStateCodecOptions): RequestStateCodec<T> {
  const { subtle } = globalThis.crypto;
  // A copy: the caller may wipe its own.
  const bytes = typeof options.key === 'string' ? encode(options.key) : Uint8Array.from(options.key);
  if (bytes.byteLength < MIN_KEY) {
    throw new RangeError(`key of createRequestStateCodec must have ${MIN_KEY} bytes, it has ${bytes.byteLength}`);
  }
  const { ttlSeconds = 600, bind } = options;
  if (!Number.isFinite(ttlSeconds)) {
    throw new RangeError('ttlSeconds of createRequestStateCodec must be a finite number');
  }

  let imported: ReturnType<typeof subtle.importKey> | undefined;
  const key = () => {
    imported ??= subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
    return imported;
  };
  const mac = async (text: string) => new Uint8Array(await subtle.sign('HMAC', await key(), encode(text)));
  // No body begins with this label, so a tag can never stand for a mac.
  const tagOf = async (value: string) => toText((await mac(`mcp.requestState.bind:${value}`)).slice(0, TAG));

  return {
    async mint(payload, ctx) {
      const envelope: Envelope = { p: payload, exp: seconds() + ttlSeconds };
      if (bind !== undefined) {
        if (ctx === undefined) throw new TypeError('mint needs the context when the codec has a bind option');
        envelope.b = await tagOf(bind(ctx));
      }
      const signed = PREFIX + toText(encode(JSON.stringify(envelope)));
      return `${signed}.${toText(await mac(signed))}`;
    },

    async verify(state, ctx) {
      const end = state.lastIndexOf('.');
      if (!state.startsWith(PREFIX) || end <= PREFIX.length) throw new Error('malformed');
      const signature = toBytes(state.slice(end + 1));
      if (signature === undefined) throw new Error('malformed');
      const signed = state.slice(0, end);
      // First of all, and in constant time: nothing else can be learned from what was not sealed with the key.
      if (!(await subtle.verify('HMAC', await key(), signature, encode(signed)))) throw new Error('mac');
      const envelope = decode(signed.slice(PREFIX.length));
      if (envelope === undefined) throw new Error('malformed');
      if (typeof envelope.exp !== 'number' || envelope.exp < seconds()) throw new Error('expired');
      // A state that was bound is not taken by a codec that has forgotten how.
      const bound = bind === undefined ? envelope.b === undefined : isSame(envelope.b, await tagOf(bind(ctx)));
      if (!bound) throw new Error('bind');
      return envelope.p as T;
    },
  };
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
}

function decode(body: string): Envelope | undefined {
  try {
    const bytes = toBytes(body);
    return bytes && (JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Envelope);
  } catch {
    return undefined;
  }
}

/** Constant in time for texts of one length; tags have one length. */
function isSame(a: string | undefined, b: string): boolean {
  if (a === undefined || a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

function toText(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function toBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
