/**
 * What a refusal looks like from outside: JSON-RPC code, HTTP status, message. Twin of crates/codec/src/errors.rs.
 *
 * The messages are plain ASCII without quotes or backslashes, so that they can be spliced into an answer.
 */
import { ScanRefusal } from '../../engine.js';

export interface RefusalError {
  /** HTTP status. */
  readonly status: number;
  /** JSON-RPC error code. */
  readonly code: number;
  /** JSON-RPC error message. */
  readonly message: string;
}

const error = (status: number, code: number, message: string): RefusalError => Object.freeze({ status, code, message });

const ERRORS: ReadonlyMap<number, RefusalError> = new Map([
  [ScanRefusal.malformed, error(400, -32700, 'Parse error: not well-formed JSON')],
  [ScanRefusal.utf8, error(400, -32700, 'Parse error: not valid UTF-8')],
  [ScanRefusal.bom, error(400, -32700, 'Parse error: starts with a byte order mark')],
  [ScanRefusal.tooDeep, error(400, -32600, 'Invalid request: nested too deeply')],
  [ScanRefusal.duplicateKey, error(400, -32600, 'Invalid request: duplicate key')],
  [ScanRefusal.notAnObject, error(400, -32600, 'Invalid request: not an object')],
  [ScanRefusal.badVersion, error(400, -32600, 'Invalid request: jsonrpc must be 2.0')],
  [ScanRefusal.badId, error(400, -32600, 'Invalid request: id must be a string or a number of at most 256 bytes')],
  [ScanRefusal.badMethod, error(400, -32600, 'Invalid request: method must be a string')],
  [
    ScanRefusal.badParams,
    error(400, -32600, 'Invalid request: params, name, uri, arguments or _meta has the wrong type'),
  ],
  [ScanRefusal.tooLarge, error(413, -32600, 'Invalid request: message too large')],
]);

/**
 * The error that the peer of a refused message sees.
 * @param refusal a negative `ScanRefusal`
 * @throws RangeError when it is none: a caller's bug, not a peer's
 */
export function refusalError(refusal: number): RefusalError {
  const found = ERRORS.get(refusal);
  if (found === undefined) throw new RangeError(`${refusal} is not a ScanRefusal`);
  return found;
}
