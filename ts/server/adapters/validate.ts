/**
 * Host and Origin of a request: the checks that frameworks can put in front of a handler, in the names of the official SDK,
 * and the mark that they were made. Lists hold host names without scheme and port; IPv6 addresses stand in brackets.
 */

import { LOOPBACK_NAMES } from '../hosts.js';

export type HostHeaderValidationResult =
  | { ok: true; hostname: string }
  | {
      ok: false;
      errorCode: 'missing_host' | 'invalid_host_header' | 'invalid_host';
      message: string;
      hostHeader?: string;
      hostname?: string;
    };

export type OriginValidationResult =
  | { ok: true; origin?: string; hostname?: string }
  | {
      ok: false;
      errorCode: 'invalid_origin_header' | 'invalid_origin';
      message: string;
      originHeader?: string;
      hostname?: string;
    };

export function localhostAllowedHostnames(): string[] {
  return [...LOOPBACK_NAMES];
}

export function localhostAllowedOrigins(): string[] {
  return [...LOOPBACK_NAMES];
}

/** Whether a `Host` header names one of the hosts, whatever its port. */
export function validateHostHeader(
  hostHeader: string | null | undefined,
  allowedHostnames: string[],
): HostHeaderValidationResult {
  if (!hostHeader) return { ok: false, errorCode: 'missing_host', message: 'Missing Host header' };
  const hostname = hostnameOf(`http://${hostHeader}`);
  if (hostname === undefined) {
    const message = `Invalid Host header: ${hostHeader}`;
    return { ok: false, errorCode: 'invalid_host_header', message, hostHeader };
  }
  if (allowedHostnames.includes(hostname)) return { ok: true, hostname };
  return { ok: false, errorCode: 'invalid_host', message: `Invalid Host: ${hostname}`, hostHeader, hostname };
}

/**
 * Whether an `Origin` header names one of the hosts, whatever its scheme and port. None at all passes: only browsers send
 * it. `null`, and whatever else is no URL, does not.
 */
export function validateOriginHeader(
  originHeader: string | null | undefined,
  allowedOriginHostnames: string[],
): OriginValidationResult {
  if (!originHeader) return { ok: true };
  const hostname = hostnameOf(originHeader);
  if (hostname === undefined || hostname === '') {
    const message = `Invalid Origin header: ${originHeader}`;
    return { ok: false, errorCode: 'invalid_origin_header', message, originHeader };
  }
  if (allowedOriginHostnames.includes(hostname)) return { ok: true, origin: originHeader, hostname };
  return { ok: false, errorCode: 'invalid_origin', message: `Invalid Origin: ${hostname}`, originHeader, hostname };
}

/** 403 unless the request's `Host` is allowed. */
export function hostHeaderValidationResponse(req: Request, allowedHostnames: string[]): Response | undefined {
  const result = validateHostHeader(req.headers.get('host'), allowedHostnames);
  return result.ok ? undefined : Response.json(forbidden(result.message), { status: 403 });
}

/** 403 unless the request's `Origin` is allowed or absent. */
export function originValidationResponse(req: Request, allowedOriginHostnames: string[]): Response | undefined {
  const result = validateOriginHeader(req.headers.get('origin'), allowedOriginHostnames);
  return result.ok ? undefined : Response.json(forbidden(result.message), { status: 403 });
}

/** The JSON-RPC error of a refused host or origin. */
export function forbidden(message: string): object {
  return { jsonrpc: '2.0', error: { code: -32000, message }, id: null };
}

function hostnameOf(url: string): string | undefined {
  try {
    return new URL(url).hostname;
  } catch {
    return undefined;
  }
}

// ------------------------------------------------------------------------------------------------- what was checked

const hostChecked = new WeakSet<object>();
const originChecked = new WeakSet<object>();

/** A validation of ours has let the request pass: the handler behind it need not guess which names are meant. */
export function markHost(request: object): void {
  hostChecked.add(request);
}
export function markOrigin(request: object): void {
  originChecked.add(request);
}
export function hostIsChecked(request: object): boolean {
  return hostChecked.has(request);
}
export function originIsChecked(request: object): boolean {
  return originChecked.has(request);
}

/** Whether an application bound to this name gets the loopback checks without being asked. */
export function bindsLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === 'localhost' || host === '::1' || host === '[::1]';
}
