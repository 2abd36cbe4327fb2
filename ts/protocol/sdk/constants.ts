/**
 * Constants under the official SDK's names. Where that SDK means something narrower than this package does (its latest
 * version is the latest of the legacy era), the narrower meaning is here and the package's own in ../revisions.ts.
 */
import { LATEST_LEGACY_VERSION, LEGACY_VERSIONS } from '../revisions.js';

export {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  DEFAULT_NEGOTIATED_PROTOCOL_VERSION,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
} from '../revisions.js';

/** What a handshake ends in when both sides know everything: the modern era has no handshake. */
export const LATEST_PROTOCOL_VERSION: string = LATEST_LEGACY_VERSION;
/** What a handshake may agree on, newest first. */
export const SUPPORTED_PROTOCOL_VERSIONS: string[] = [...LEGACY_VERSIONS];

/** Legacy 2025-11-25 only. */
export const RELATED_TASK_META_KEY = 'io.modelcontextprotocol/related-task';
/** W3C Trace Context, as in the HTTP header. */
export const TRACEPARENT_META_KEY = 'traceparent';
/** W3C Trace Context, as in the HTTP header. */
export const TRACESTATE_META_KEY = 'tracestate';
/** W3C Baggage, as in the HTTP header. */
export const BAGGAGE_META_KEY = 'baggage';

export const JSONRPC_VERSION = '2.0';
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

/** Largest line, in bytes, that a stdio read buffer keeps before it gives up. */
export const STDIO_DEFAULT_MAX_BUFFER_SIZE: number = 10 * 1024 * 1024;
