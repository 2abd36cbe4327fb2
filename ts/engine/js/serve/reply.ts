/**
 * Response bodies and how they are written. A reply is spliced around the text that it was given.
 *
 * Head and body leave as one string in one write; what decides a status or a message is not here.
 */
import { type Codec, Shape } from '../../engine.js';
import type { Call } from './call.js';
import { headPairs } from './head.js';

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

/**
 * Sends a whole response. Without `close` an HTTP/1.1 connection persists silently: `Connection: keep-alive` says nothing
 * there, and `Keep-Alive` would be 40 bytes per reply.
 * @param lines extra header lines, each `name: value\r\n`
 */
export function send(call: Call, status: number, json: boolean, lines: string, text: string, close: boolean): void {
  const response = call.response;
  const length = begin(call, status, json, lines, text, close);
  if (call.isHead || length === 0) response.end();
  // Equal lengths: all ASCII, and then latin1 gives the same bytes with a plain copy.
  else response.end(text, length === text.length ? 'latin1' : 'utf8');
}

/** The same, but the response stays open: the caller ends it when the request's body has been read away. */
export function sendOpen(call: Call, status: number, text: string): void {
  begin(call, status, true, '', text, true);
  call.response.write(text);
}

/** Writes the head (node keeps it until the body) and returns the body's length in bytes. */
function begin(call: Call, status: number, json: boolean, lines: string, text: string, close: boolean): number {
  const response = call.response;
  const length = Buffer.byteLength(text);
  const head = json ? ['content-type', 'application/json'] : [];
  if (status !== 204 && status !== 304) head.push('content-length', `${length}`);
  if (lines !== '') head.push(...headPairs(lines));
  persist(call, head, close);
  response.writeHead(status, head);
  return length;
}

/** `200` with ready bytes from the registry, whose text ends with the response's closing brace. */
export function sendAnswer(call: Call, text: string, bytes: Buffer, ascii: boolean, close: boolean): void {
  const response = call.response;
  const start = `{"jsonrpc":"2.0","id":${call.id},"result":`;
  const startBytes = Buffer.byteLength(start);
  const head = ['content-type', 'application/json', 'content-length', `${startBytes + bytes.length}`];
  persist(call, head, close);
  response.writeHead(200, head);
  if (ascii && startBytes === start.length && bytes.length <= JOIN_UP_TO) {
    response.end(start + text, 'latin1');
    return;
  }
  // Two pieces in one write: the corked socket gathers them.
  const socket = call.conn.socket;
  socket.cork();
  response.write(start, 'utf8');
  response.end(bytes);
  socket.uncork();
}

/** Longer answers are not joined with their head to one string: flattening it would copy them twice more. */
export const JOIN_UP_TO = 4 * 1024;

/** Opens the SSE stream; the head leaves with the first event. Proxies must neither buffer nor transform it. */
export function openStream(call: Call, close: boolean): void {
  const head = [
    'content-type',
    'text/event-stream',
    'cache-control',
    'no-cache, no-transform',
    'x-accel-buffering',
    'no',
  ];
  persist(call, head, close);
  call.response.writeHead(200, head);
}

/** Whether and how the connection goes on. HTTP/1.0 needs to be told, so node's own header stays there. */
function persist(call: Call, head: string[], close: boolean): void {
  if (close) head.push('connection', 'close');
  else if (call.request.httpVersionMinor !== 0) call.response.removeHeader('connection');
}
