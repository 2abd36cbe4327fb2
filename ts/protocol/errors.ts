/**
 * Protocol errors: the table of codes with the HTTP status of each, and every error class of the protocol.
 *
 * Only JSON-RPC errors live here. A tool that fails is a result (`isError`), not one of these; a mistake in using this
 * library's API is an ordinary TypeError.
 */
import { BrandedError, brand, stamp } from './sdk/brand.js';
import type { ClientCapabilities, ElicitRequestURLParams, ProtocolEra } from './types.js';

/** JSON-RPC and MCP error codes that cross the wire. */
export const ProtocolErrorCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  /** Implementation-defined: overload, refused HTTP methods, unsupported legacy version. */
  ServerError: -32000,
  /** Legacy HTTP: the session id names no live session. */
  SessionNotFound: -32001,
  /** Legacy only; the modern era uses InvalidParams with `data.uri`. */
  ResourceNotFound: -32002,
  HeaderMismatch: -32020,
  MissingRequiredClientCapability: -32021,
  UnsupportedProtocolVersion: -32022,
  /** Legacy 2025-11-25 only. */
  UrlElicitationRequired: -32042,
} as const;
export type ProtocolErrorCode = (typeof ProtocolErrorCode)[keyof typeof ProtocolErrorCode];

/** One row of {@link ERROR_TABLE}. */
export interface ErrorRow {
  readonly code: number;
  readonly name: keyof typeof ProtocolErrorCode;
  /** HTTP status when the request is refused at the door, before any handler; 0: the era never sends the code. */
  readonly modern: number;
  readonly legacy: number;
}

/** Every code, once. The engines mirror the rows that they answer alone; a test compares the two. */
export const ERROR_TABLE: readonly ErrorRow[] = [
  { code: -32700, name: 'ParseError', modern: 400, legacy: 400 },
  { code: -32600, name: 'InvalidRequest', modern: 400, legacy: 400 },
  { code: -32601, name: 'MethodNotFound', modern: 404, legacy: 200 },
  { code: -32602, name: 'InvalidParams', modern: 400, legacy: 200 },
  { code: -32603, name: 'InternalError', modern: 200, legacy: 200 },
  { code: -32000, name: 'ServerError', modern: 400, legacy: 400 },
  { code: -32001, name: 'SessionNotFound', modern: 0, legacy: 404 },
  { code: -32002, name: 'ResourceNotFound', modern: 0, legacy: 200 },
  { code: -32020, name: 'HeaderMismatch', modern: 400, legacy: 0 },
  { code: -32021, name: 'MissingRequiredClientCapability', modern: 400, legacy: 200 },
  { code: -32022, name: 'UnsupportedProtocolVersion', modern: 400, legacy: 400 },
  { code: -32042, name: 'UrlElicitationRequired', modern: 0, legacy: 200 },
];

const MODERN_STATUS = new Map(ERROR_TABLE.map((row) => [row.code, row.modern]));
const LEGACY_STATUS = new Map(ERROR_TABLE.map((row) => [row.code, row.legacy]));

/** HTTP status of an error that was decided before a handler ran. Codes outside the table: 400 modern, 200 legacy. */
export function refusalStatus(code: number, era: ProtocolEra): number {
  const status = (era === 'modern' ? MODERN_STATUS : LEGACY_STATUS).get(code);
  return status === undefined || status === 0 ? (era === 'modern' ? 400 : 200) : status;
}

/**
 * HTTP status of an error that answers a routed request (unknown tool, a handler's own error): 200, because the JSON-RPC
 * error is the payload. The one exception is a missing client capability, for which the specification fixes 400.
 */
export function answerStatus(code: number, era: ProtocolEra): number {
  return era === 'modern' && code === ProtocolErrorCode.MissingRequiredClientCapability ? 400 : 200;
}

/**
 * An error that crosses the wire as a JSON-RPC error. Thrown by a handler it keeps its code.
 * @param code an integer; @param data any JSON value, absent when undefined
 */
export class ProtocolError extends BrandedError {
  readonly code: number;
  readonly data?: unknown;

  // Known by brand as well, so that an error of the official SDK's copy of this class is one.
  static {
    brand(ProtocolError, 'mcp.ProtocolError');
  }

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
    this.data = data;
    stamp(this, new.target);
  }

  /** The most specific class for a received error. */
  static fromError(code: number, message: string, data?: unknown): ProtocolError {
    const record = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined;
    if (record !== undefined) {
      if (code === ProtocolErrorCode.UrlElicitationRequired && Array.isArray(record.elicitations)) {
        return new UrlElicitationRequiredError(record.elicitations as ElicitRequestURLParams[], message);
      }
      // -32002 says it by itself; -32602 with more than the URI is about some other param.
      const notFound =
        code === ProtocolErrorCode.ResourceNotFound ||
        (code === ProtocolErrorCode.InvalidParams && Object.keys(record).length === 1);
      if (notFound && typeof record.uri === 'string') {
        return new ResourceNotFoundError(record.uri, message);
      }
      if (code === ProtocolErrorCode.UnsupportedProtocolVersion && Array.isArray(record.supported)) {
        return new UnsupportedProtocolVersionError(record as unknown as UnsupportedProtocolVersionErrorData, message);
      }
      if (
        code === ProtocolErrorCode.MissingRequiredClientCapability &&
        typeof record.requiredCapabilities === 'object'
      ) {
        return new MissingRequiredClientCapabilityError(
          record as unknown as MissingRequiredClientCapabilityErrorData,
          message,
        );
      }
    }
    return new ProtocolError(code, message, data);
  }
}

/** `resources/read` of a URI that nothing serves. Its wire code is the era's: -32602 modern, -32002 legacy. */
export class ResourceNotFoundError extends ProtocolError {
  static {
    brand(ResourceNotFoundError, 'mcp.ResourceNotFoundError');
  }
  constructor(uri: string, message = 'Resource not found') {
    super(ProtocolErrorCode.InvalidParams, message, { uri });
    this.name = 'ResourceNotFoundError';
  }
  get uri(): string {
    return (this.data as { uri: string }).uri;
  }
}

export interface UnsupportedProtocolVersionErrorData {
  supported: string[];
  requested: string;
}
export class UnsupportedProtocolVersionError extends ProtocolError {
  static {
    brand(UnsupportedProtocolVersionError, 'mcp.UnsupportedProtocolVersionError');
  }
  constructor(data: UnsupportedProtocolVersionErrorData, message = 'Unsupported protocol version') {
    super(ProtocolErrorCode.UnsupportedProtocolVersion, message, data);
    this.name = 'UnsupportedProtocolVersionError';
  }
  get supported(): string[] {
    return (this.data as UnsupportedProtocolVersionErrorData).supported;
  }
  get requested(): string {
    return (this.data as UnsupportedProtocolVersionErrorData).requested;
  }
}

/**
 * A request of an era that its server was told not to serve.
 * @param versions those that it serves; @param requested undefined: none was named
 */
export function unserved(versions: readonly string[], requested: string | undefined): UnsupportedProtocolVersionError {
  return new UnsupportedProtocolVersionError({ supported: [...versions], requested: requested ?? 'none' });
}

export interface MissingRequiredClientCapabilityErrorData {
  /** Only what is missing, in the shape of the capabilities object. */
  requiredCapabilities: ClientCapabilities;
}
export class MissingRequiredClientCapabilityError extends ProtocolError {
  static {
    brand(MissingRequiredClientCapabilityError, 'mcp.MissingRequiredClientCapabilityError');
  }
  constructor(data: MissingRequiredClientCapabilityErrorData, message = 'Missing required client capability') {
    super(ProtocolErrorCode.MissingRequiredClientCapability, message, data);
    this.name = 'MissingRequiredClientCapabilityError';
  }
  get requiredCapabilities(): ClientCapabilities {
    return (this.data as MissingRequiredClientCapabilityErrorData).requiredCapabilities;
  }
}

/** Legacy 2025-11-25 only: the user must visit a page before the call can work. */
export class UrlElicitationRequiredError extends ProtocolError {
  static {
    brand(UrlElicitationRequiredError, 'mcp.UrlElicitationRequiredError');
  }
  constructor(
    elicitations: ElicitRequestURLParams[],
    message = `URL elicitation${elicitations.length > 1 ? 's' : ''} required`,
  ) {
    super(ProtocolErrorCode.UrlElicitationRequired, message, { elicitations });
    this.name = 'UrlElicitationRequiredError';
  }
  get elicitations(): ElicitRequestURLParams[] {
    return (this.data as { elicitations?: ElicitRequestURLParams[] } | undefined)?.elicitations ?? [];
  }
}

/** A mirrored HTTP header is missing, malformed, or differs from the body (modern HTTP only). */
export class HeaderMismatchError extends ProtocolError {
  constructor(message: string) {
    super(ProtocolErrorCode.HeaderMismatch, `Header mismatch: ${message}`);
    this.name = 'HeaderMismatchError';
  }
}

// Codes that a modern server must not emit, and what takes their place.
const RETIRED = new Map<number, number>([
  [ProtocolErrorCode.ResourceNotFound, ProtocolErrorCode.InvalidParams],
  [ProtocolErrorCode.UrlElicitationRequired, ProtocolErrorCode.InternalError],
]);

/** The code under which an error crosses the wire in an era. A code that is no safe integer becomes -32603. */
export function wireCode(error: ProtocolError, era: ProtocolEra): number {
  if (!Number.isSafeInteger(error.code)) return ProtocolErrorCode.InternalError;
  if (era === 'modern') return RETIRED.get(error.code) ?? error.code;
  return error instanceof ResourceNotFoundError ? ProtocolErrorCode.ResourceNotFound : error.code;
}

/** JSON text of an error object. Data that cannot be encoded is left out rather than hiding the error itself. */
export function errorText(code: number, message: string, data?: unknown): string {
  const head = `{"code":${code},"message":${JSON.stringify(String(message))}`;
  if (data === undefined) return `${head}}`;
  let encoded: string | undefined;
  try {
    encoded = JSON.stringify(data);
  } catch {
    encoded = undefined;
  }
  return encoded === undefined ? `${head}}` : `${head},"data":${encoded}}`;
}
