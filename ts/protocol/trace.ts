/**
 * W3C Trace Context and Baggage as a request carries them: in `_meta`, else in HTTP headers. Checked, never acted on: that
 * is for whoever makes spans.
 */
import { type Members, own } from './incoming.js';

export interface TraceContext {
  /** `version-traceid-parentid-flags`, lower-case hex. */
  readonly traceparent: string;
  readonly tracestate: string | undefined;
  readonly baggage: string | undefined;
}

// Ids of zeros only are invalid, as is version ff; a later version may bring more fields behind the four that are known.
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
const MAX_PARENT = 256;
/** What the specification asks every system to carry on. */
const MAX_STATE = 8192;
const MAX_BAGGAGE = 8192;
const VISIBLE = /^[\t\x20-\x7e]+$/;

/**
 * The trace of a request; undefined without a valid `traceparent`. State and baggage come from the same place as the parent:
 * those of another one would belong to another trace.
 * @param header reads a request header; undefined on stdio
 */
export function readTrace(
  meta: Members,
  header: ((name: string) => string | undefined) | undefined,
): TraceContext | undefined {
  const inBody = traceparent(own(meta, 'traceparent'));
  if (inBody !== undefined) return traced(inBody, (name) => own(meta, name));
  const inHead = traceparent(header?.('traceparent'));
  return inHead === undefined || header === undefined ? undefined : traced(inHead, header);
}

function traced(parent: string, read: (name: string) => unknown): TraceContext {
  return {
    traceparent: parent,
    tracestate: carried(read('tracestate'), MAX_STATE),
    baggage: carried(read('baggage'), MAX_BAGGAGE),
  };
}

function traceparent(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_PARENT || !TRACEPARENT.test(value)) return undefined;
  // The version that is known has exactly four fields.
  return value.startsWith('00-') && value.length !== 55 ? undefined : value;
}

/** A list of `key=value` members, as it is: only what could not stand in a header is refused. */
function carried(value: unknown, most: number): string | undefined {
  return typeof value === 'string' && value.length <= most && VISIBLE.test(value) && value.includes('=')
    ? value
    : undefined;
}
