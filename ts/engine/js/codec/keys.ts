/**
 * The keys that are acted on, one bit each, compared decoded: an escaped spelling is the same key. Twin of
 * crates/codec/src/keys.rs.
 */

export const JSONRPC = 1;
export const ID = 2;
export const METHOD = 4;
export const PARAMS = 8;
export const RESULT = 16;
export const ERROR = 32;

export const NAME = 1;
export const URI = 2;
export const ARGUMENTS = 4;
export const META = 8;

export const VERSION = 1;
export const CAPABILITIES = 2;
export const PROGRESS_TOKEN = 4;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const NAMES = {
  jsonrpc: ascii('jsonrpc'),
  method: ascii('method'),
  params: ascii('params'),
  result: ascii('result'),
  error: ascii('error'),
  name: ascii('name'),
  arguments: ascii('arguments'),
  meta: ascii('_meta'),
  version: ascii('io.modelcontextprotocol/protocolVersion'),
  capabilities: ascii('io.modelcontextprotocol/clientCapabilities'),
  progressToken: ascii('progressToken'),
};
const VERSION_TEXT = ascii('2.0');

/** Compares from the back: names of one length differ late rather than early. */
function same(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let at = name.length - 1; at >= 0; at--) {
    if (bytes[start + at] !== name[at]) return false;
  }
  return true;
}

/** Finds the key in bytes[start, end); 0 for every key that is nobody's business. */
export type Find = (bytes: Uint8Array, start: number, end: number) => number;

export function findEnvelope(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 2:
      return bytes[start] === 0x69 && bytes[start + 1] === 0x64 ? ID : 0;
    case 5:
      return same(bytes, start, NAMES.error) ? ERROR : 0;
    case 6:
      if (same(bytes, start, NAMES.method)) return METHOD;
      if (same(bytes, start, NAMES.params)) return PARAMS;
      return same(bytes, start, NAMES.result) ? RESULT : 0;
    case 7:
      return same(bytes, start, NAMES.jsonrpc) ? JSONRPC : 0;
    default:
      return 0;
  }
}

export function findParams(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 3:
      return bytes[start] === 0x75 && bytes[start + 1] === 0x72 && bytes[start + 2] === 0x69 ? URI : 0;
    case 4:
      return same(bytes, start, NAMES.name) ? NAME : 0;
    case 5:
      return same(bytes, start, NAMES.meta) ? META : 0;
    case 9:
      return same(bytes, start, NAMES.arguments) ? ARGUMENTS : 0;
    default:
      return 0;
  }
}

export function findMeta(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case NAMES.progressToken.length:
      return same(bytes, start, NAMES.progressToken) ? PROGRESS_TOKEN : 0;
    case NAMES.version.length:
      return same(bytes, start, NAMES.version) ? VERSION : 0;
    case NAMES.capabilities.length:
      return same(bytes, start, NAMES.capabilities) ? CAPABILITIES : 0;
    default:
      return 0;
  }
}

/** Finds a key whose spelling has escapes; cold, so it may allocate. The body is proven well-formed, quotes excluded. */
export function findEscaped(bytes: Uint8Array, start: number, end: number, find: Find): number {
  // Six bytes for each character at most: what is longer is no key of ours.
  if (end - start > 64 * 6) return 0;
  const key = decode(bytes, start, end);
  for (let at = 0; at < key.length; at++) {
    if (key.charCodeAt(at) >= 0x80) return 0;
  }
  return find(ascii(key), 0, key.length);
}

/** Whether the string body in bytes[start, end) says "2.0". */
export function isVersion(bytes: Uint8Array, start: number, end: number, escaped: boolean): boolean {
  if (escaped) return end - start <= 64 && decode(bytes, start, end) === '2.0';
  return end - start === 3 && same(bytes, start, VERSION_TEXT);
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return JSON.parse(`"${new TextDecoder().decode(bytes.subarray(start, end))}"`) as string;
}
