/**
 * Documents of an authorization server: fetched within a time and a size, following nobody elsewhere.
 */

/** Bytes of one document. */
const MOST_BYTES = 256 * 1024;

/**
 * @param init its `signal` ends reading the body, too
 * @returns the status, and the text of an answer with a status of success
 * @throws Error when the network fails, time is over or the text is too long; never with the text
 */
export async function fetched(url: string, init: RequestInit): Promise<{ status: number; text: string | undefined }> {
  // A redirect is an answer like any other: where it leads to was not configured.
  const response = await fetch(url, { ...init, redirect: 'manual' });
  if (!response.ok) {
    await response.body?.cancel();
    return { status: response.status, text: undefined };
  }
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`The document at ${url} is longer than ${MOST_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return { status: response.status, text: text + decoder.decode() };
}

/** A text as a JSON object; undefined when it is none. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const object = typeof value === 'object' && value !== null && !Array.isArray(value);
    return object ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
