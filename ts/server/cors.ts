/**
 * Which web pages of other origins may use a server (CORS, Fetch standard 3.3), and the answer to their preflight.
 *
 * The lines on every other answer are the engine's. A page that is not allowed is not told so: its browser sees it.
 */
import type { Listener, Receiver } from '../engine/engine.js';
import { Shape } from '../engine/engine.js';
import { headerValue } from '../protocol/headers.js';
import { checkKnown, show } from './limits.js';

export interface CorsOptions {
  /** Origins as browsers send them, `https://app.example.com[:port]`; `*`: every page anywhere. */
  origins: string[];
}

/** Lower-case origins. @throws TypeError */
export function corsOrigins(cors: CorsOptions): string[] {
  checkKnown(cors, ['origins'], 'cors');
  const { origins } = cors;
  if (!Array.isArray(origins) || origins.length === 0) {
    throw new TypeError(`Option cors.origins must be a non-empty array of origins, not ${show(origins)}`);
  }
  return origins.map((origin) => {
    const good = typeof origin === 'string' && (origin === '*' || /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/i.test(origin));
    if (!good) throw new TypeError(`Option cors.origins holds ${show(origin)}: an origin is https://host[:port], or *`);
    return origin.toLowerCase();
  });
}

/** The host names that `Origin` may have: those of the server itself, and those of the pages. */
export function originHosts(own: string[] | null, cors: string[] | null): string[] | null {
  if (own === null || cors === null) return own;
  if (cors.includes('*')) return null;
  return [...new Set([...own, ...cors.map((origin) => origin.replace(/^[^/]*\/\//, '').replace(/:\d+$/, ''))])];
}

/** How long a browser may remember the answer, in seconds. */
const MAX_AGE = 86_400;

/** Answers what a browser asks before it lets a page send its request; the credentials come only with that request. */
export function preflight(receiver: Receiver): Receiver {
  return {
    call: (listener, slot, handler, flags, args) => receiver.call(listener, slot, handler, flags, args),
    message(listener, slot, method, body) {
      if (method === 'OPTIONS' && answered(listener, slot)) return;
      receiver.message(listener, slot, method, body);
    },
    abort: (listener, slot) => receiver.abort(listener, slot),
    drain: (listener, slot) => receiver.drain(listener, slot),
  };
}

function answered(listener: Listener, slot: number): boolean {
  const head = listener.head(slot);
  if (headerValue(head, 'origin') === undefined) return false;
  if (headerValue(head, 'access-control-request-method') === undefined) return false;
  const asked = headerValue(head, 'access-control-request-headers') ?? '';
  // Whatever a client of the protocol sends is wanted: the names of mirrored parameters are the tools' own.
  const names = /^[\w!#$%&'*+.^`|~, -]*$/.test(asked) ? asked : '';
  const lines =
    'access-control-allow-methods: GET, POST, DELETE\r\n' +
    (names === '' ? '' : `access-control-allow-headers: ${names}\r\n`) +
    `access-control-max-age: ${MAX_AGE}\r\nvary: Access-Control-Request-Headers\r\n`;
  listener.reply(slot, 204, Shape.raw, 0, lines, '');
  return true;
}
