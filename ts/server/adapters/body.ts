/** Request bodies of the Fetch standard as bytes, read up to a limit, and the option that sets it. */
import { DEFAULT_MAX_REQUEST_BODY_SIZE } from '../../protocol/sdk/body.js';

/** The limit of an option. @throws RangeError when it is no positive number */
export function bodyLimit(value: number | undefined): number {
  if (value === undefined) return DEFAULT_MAX_REQUEST_BODY_SIZE;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw new RangeError(`maxRequestBodySize must be a positive number of bytes, got ${String(value)}`);
  }
  return value;
}

/** A body over the limit. */
export class RequestBodyTooLargeError extends Error {
  readonly status = 413;
  constructor(maxBytes: number) {
    super(`Payload Too Large: Request body must not exceed ${maxBytes} bytes`);
    this.name = 'RequestBodyTooLargeError';
  }
}

/** The body of a request; undefined when it is over the limit. Failures of its stream reject. */
export async function readBytes(request: Request, maxBytes: number): Promise<Buffer | undefined> {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > maxBytes) return undefined;
  if (request.body === null) return Buffer.alloc(0);
  if (declared !== null) {
    // The server in front holds the body to the length that it declared.
    const whole = Buffer.from(await request.arrayBuffer());
    return whole.length > maxBytes ? undefined : whole;
  }
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let held = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return chunks.length === 1 ? toBuffer(chunks[0] as Uint8Array) : Buffer.concat(chunks, held);
      held += value.byteLength;
      if (held > maxBytes) return undefined;
      chunks.push(value);
    }
  } finally {
    reader.releaseLock();
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
