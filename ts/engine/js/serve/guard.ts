/**
 * What is refused before a body is looked at: no single Host, wrong path, host, origin or content type, too much announced.
 *
 * The order is part of the contract with the Rust twin (`crates/serve/src/guard.rs`) and with the case file. The guard
 * knows no MCP: revisions, sessions and names are the door's.
 */
import type { ServeConfig } from '../../engine.js';
import { Head } from './head.js';

/** A refusal that the engine makes itself, without anyone above knowing. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** JSON-RPC error. */
  readonly code: number;
  readonly message: string;
}

/** What the checks of a head need to know. */
export type GuardConfig = Pick<ServeConfig, 'path' | 'otherPaths' | 'allowedHosts' | 'allowedOrigins' | 'maxBodyBytes'>;

const oneHost: Refusal = { status: 400, code: -32600, message: 'Exactly one Host header is required' };
const notFound: Refusal = { status: 404, code: -32000, message: 'Not found' };
const badHost: Refusal = { status: 403, code: -32000, message: 'Host not allowed' };
const badOrigin: Refusal = { status: 403, code: -32000, message: 'Origin not allowed' };
const badType: Refusal = { status: 415, code: -32000, message: 'Content-Type must be application/json' };
const badEncoding: Refusal = { status: 415, code: -32000, message: 'Content-Encoding is not supported' };
export const bodyLate: Refusal = { status: 408, code: -32000, message: 'Request body not received in time' };
export const overloaded: Refusal = { status: 503, code: -32000, message: 'Server overloaded' };
export const internal: Refusal = { status: 500, code: -32603, message: 'Internal error' };

export class Guard {
  readonly tooLarge: Refusal;
  // The last values that passed: one client sends the same ones for ever, and a string compare is cheaper than parsing.
  private lastHost: string | null = null;
  private lastOrigin: string | null = null;
  private lastType = 'application/json';
  /** The last request that passed was for one of `otherPaths`. */
  other = false;

  constructor(private readonly config: GuardConfig) {
    this.tooLarge = { status: 413, code: -32000, message: `Request body exceeds ${config.maxBodyBytes} bytes` };
  }

  /** Checks that hold for every HTTP method. `url` is the request target as it was sent. */
  head(head: Head, http11: boolean, url: string): Refusal | null {
    if (head.hosts > 1 || (http11 && head.hosts === 0)) return oneHost;
    this.other = false;
    if (url !== this.config.path) {
      const path = pathOf(url);
      this.other = path !== this.config.path;
      if (this.other && !this.config.otherPaths.includes(path)) return notFound;
    }
    const { allowedHosts, allowedOrigins } = this.config;
    if (allowedHosts !== null && (head.hosts === 0 || head.host !== this.lastHost)) {
      if (head.hosts === 0 || !allowedHosts.includes(hostName(head.host))) return badHost;
      this.lastHost = head.host;
    }
    if (allowedOrigins !== null && head.origin !== null && head.origin !== this.lastOrigin) {
      const name = originName(head.origin);
      if (name === null || !allowedOrigins.includes(name)) return badOrigin;
      this.lastOrigin = head.origin;
    }
    return null;
  }

  /** Checks of a POST before its body is read. */
  body(head: Head): Refusal | null {
    const type = head.contentType;
    if (type !== this.lastType) {
      if (type === null || !isJson(type)) return badType;
      this.lastType = type;
    }
    const encoding = head.contentEncoding;
    if (encoding !== null && encoding.trim().toLowerCase() !== 'identity') return badEncoding;
    return this.length(head);
  }

  /** Of them the announced length alone. */
  length(head: Head): Refusal | null {
    return head.contentLength > this.config.maxBodyBytes ? this.tooLarge : null;
  }
}

/** The checks of a head for requests that another HTTP server accepted: `raw` and `target` are its `rawHeaders` and `url`. */
export type HeadGuard = (raw: readonly string[], http11: boolean, target: string) => Refusal | null;

export function headGuard(config: Omit<GuardConfig, 'maxBodyBytes'>): HeadGuard {
  const guard = new Guard({ ...config, maxBodyBytes: 0 });
  return (raw, http11, target) => guard.head(new Head(raw), http11, target);
}

/** The line of a head that tells the target of a request, for those whose target says more than the endpoint does. */
export function targetLine(url: string, other: boolean): string {
  return other || url.includes('?') ? `:path: ${originForm(url)}\r\n` : '';
}

/** A request target without scheme and authority, which the absolute form has (RFC 9112, 3.2.2), and without fragment. */
function originForm(url: string): string {
  const hash = url.indexOf('#');
  const target = hash < 0 ? url : url.slice(0, hash);
  if (target.startsWith('/')) return target;
  const scheme = target.indexOf('://');
  if (scheme < 0) return target;
  const from = target.slice(scheme + 3).search(/[/?]/);
  if (from < 0) return '/';
  const rest = target.slice(scheme + 3 + from);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function pathOf(url: string): string {
  const target = originForm(url);
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** The name in `name:port`, `[v6]:port` or either without a port, in lower case; brackets stay. */
function hostName(host: string): string {
  const bracket = host.startsWith('[') ? host.indexOf(']') : -1;
  const colon = host.indexOf(':');
  const end = host.startsWith('[') ? (bracket < 0 ? host.length : bracket + 1) : colon < 0 ? host.length : colon;
  return host.slice(0, end).toLowerCase();
}

/**
 * The host of a serialised origin (`scheme://host[:port]`, RFC 6454, 6.2); null for `null` and anything else. Not `new
 * URL()`: it would repair what no browser sends, and each repair is a chance to be talked into something.
 */
function originName(origin: string): string | null {
  const rest = /^[a-z0-9]+:\/\/([^/@?# ]+)$/i.exec(origin)?.[1];
  return rest === undefined ? null : hostName(rest);
}

function isJson(type: string): boolean {
  const semicolon = type.indexOf(';');
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase() === 'application/json';
}
