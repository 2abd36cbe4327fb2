/**
 * Reads the body of a web-standard request, never more than a limit of it.
 */

/** In bytes: 4 MiB. */
export const DEFAULT_MAX_REQUEST_BODY_SIZE: number = 4 * 1024 * 1024;

/**
 * The body as UTF-8 text. A declared length above the limit is refused unread; otherwise reading stops where the limit is
 * passed. Failures of the stream are thrown.
 * @param maxBytes the most that is read. Default: {@link DEFAULT_MAX_REQUEST_BODY_SIZE}
 */
export async function readRequestBody(
  request: Request,
  maxBytes: number = DEFAULT_MAX_REQUEST_BODY_SIZE,
): Promise<{ tooLarge: true } | { tooLarge: false; text: string }> {
  if (Number(request.headers.get('content-length')) > maxBytes) return { tooLarge: true };
  if (request.body === null) return { tooLarge: false, text: '' };
  const reader = request.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { tooLarge: false, text: text + decoder.decode() };
      size += value.byteLength;
      if (size > maxBytes) return { tooLarge: true };
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    // Not cancelled: that may end the connection before its refusal is on the way.
    reader.releaseLock();
  }
}
