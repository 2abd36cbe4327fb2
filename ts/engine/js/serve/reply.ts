/**
 * The text of answers: a reply is spliced around what it was given, an event gets its frame. Knows no socket.
 *
 * What decides a status or a message is not here, and how the bytes are written is in http1.ts, http2.ts and lane.ts.
 */
import { type Codec, Shape } from '../../engine.js';

/** The complete message for a shape; an empty id becomes null in an error. */
export function shaped(shape: number, id: string, text: string): string {
  if (shape === Shape.result) return `{"jsonrpc":"2.0","id":${id === '' ? 'null' : id},"result":${text}}`;
  return shape === Shape.error ? errorText(id, text) : text;
}

export function errorText(id: string, error: string): string {
  return `{"jsonrpc":"2.0","id":${id === '' ? 'null' : id},"error":${error}}`;
}

/** The error object. Messages come from the engine's own tables, but quoting them keeps that a choice. */
export function errorObject(code: number, message: string): string {
  return `{"code":${code},"message":${JSON.stringify(message)}}`;
}

/** One SSE event, the same bytes as {@link Codec.encodeEvent}, which is asked only where text has lines. */
export function eventText(codec: Codec, id: string, text: string): string {
  if (/[\r\n\0]/.test(id) || /[\r\n]/.test(text)) {
    return Buffer.from(codec.encodeEvent(id, Buffer.from(text)) as Buffer).toString('utf8');
  }
  return id === '' ? `event: message\ndata: ${text}\n\n` : `id: ${id}\nevent: message\ndata: ${text}\n\n`;
}

/** The head of a stream of events. Proxies must neither buffer nor transform it. */
export const STREAM_LINES =
  'content-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\n';

/** Longer answers are not joined with their head to one string: flattening it would copy them twice more. */
export const JOIN_UP_TO = 4 * 1024;

/** Statuses whose answers have no body, and say nothing of its length. */
export function bodiless(status: number): boolean {
  return status === 204 || status === 304;
}
