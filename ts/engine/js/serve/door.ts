/**
 * The door: is this message beyond doubt? Then answer it or call its handler; everything else goes up as it is.
 *
 * The door never decides an error. It says yes only when headers, envelope and route agree completely, so a message that
 * merely looks unusual costs a slower path, not a wrong answer. HTTP and the pipe share it.
 */
import { CallFlag, Field, Flag, Kind } from '../../engine.js';
import type { JsEntry, JsRegistry } from '../registry/index.js';
import type { DoorHead } from './head.js';
import type { Sessions } from './sessions.js';

export const Verdict = { up: 0, answer: 1, call: 2 } as const;

const ACCEPT_JSON = 1;
const ACCEPT_STREAM = 2;

export class Door {
  /** The entry of the last verdict that was not `up`. */
  entry: JsEntry | undefined;
  /** {@link CallFlag} bits of the last verdict that was not `up`. */
  flags = 0;
  private lastAccept = '*/*';
  private lastAccepted = ACCEPT_JSON | ACCEPT_STREAM;

  constructor(
    private readonly modernVersions: readonly string[],
    private readonly legacyVersions: readonly string[],
    private readonly registry: JsRegistry,
    private readonly sessions: Sessions,
  ) {}

  /**
   * @param bytes the message decoded as latin1: one character per byte, so that the ranges of `out` hold for it and a
   * header, which node decodes the same way, can be compared byte for byte
   * @param head null on a pipe, where the revision stands in the message alone
   * @returns a {@link Verdict}
   */
  decide(kind: number, message: Buffer, bytes: string, out: Int32Array, head: DoorHead | null): number {
    const flags = out[Field.flags] as number;
    if (kind !== Kind.request || (flags & (Flag.escaped | Flag.paramsArray)) !== 0) return Verdict.up;
    const method = range(bytes, out, Field.method);
    if (method === null) return Verdict.up;
    const legacy = head === null ? this.eraInside(bytes, out, flags) : this.eraOutside(method, bytes, out, flags, head);
    if (legacy < 0) return Verdict.up;

    const field = keyField(method);
    let key = '';
    if (field !== 0) {
      const raw = range(bytes, out, field);
      if (raw === null) return Verdict.up;
      key = raw;
    }
    const ascii = (flags & Flag.ascii) !== 0;
    const entry = this.registry.lookup(
      ascii ? method : utf8(message, out, Field.method),
      ascii || field === 0 ? key : utf8(message, out, field),
    );
    if (entry === undefined || (flags & Flag.otherParams) !== 0) return Verdict.up;
    const accepted = head === null ? ACCEPT_JSON | ACCEPT_STREAM : this.accepts(head.accept);
    if ((accepted & ACCEPT_JSON) === 0) return Verdict.up;

    if (entry.handler < 0) {
      // Anything that could change the answer (a name, arguments) makes it a question for the layer above.
      if (has(out, Field.name) || has(out, Field.uri) || has(out, Field.arguments)) return Verdict.up;
      if ((legacy === 1 ? entry.legacy : entry.modern) === null) return Verdict.up;
      this.entry = entry;
      this.flags = legacy;
      return Verdict.answer;
    }
    if (head !== null && legacy === 0 && field !== 0 && head.name !== key) return Verdict.up;
    this.entry = entry;
    this.flags =
      (legacy === 1 ? CallFlag.legacy : 0) |
      ((accepted & ACCEPT_STREAM) !== 0 ? CallFlag.stream : 0) |
      (has(out, Field.progressToken) ? CallFlag.progressToken : 0);
    return Verdict.call;
  }

  /** 0 modern, 1 legacy, -1 in doubt: by the headers, which have to agree with the message. */
  private eraOutside(method: string, bytes: string, out: Int32Array, flags: number, head: DoorHead): number {
    if (head.ambiguous) return -1;
    const version = head.version;
    if (version !== null && this.modernVersions.includes(version)) {
      const agreed =
        head.method === method &&
        (flags & Flag.metaCapabilities) !== 0 &&
        range(bytes, out, Field.metaVersion) === version;
      return agreed ? 0 : -1;
    }
    if (version !== null && !this.legacyVersions.includes(version)) return -1;
    if ((flags & Flag.metaVersionPresent) !== 0) return -1;
    return head.session !== null && !this.sessions.has(head.session) ? -1 : 1;
  }

  /** The same on a pipe: by the message alone. */
  private eraInside(bytes: string, out: Int32Array, flags: number): number {
    if ((flags & Flag.metaVersionPresent) === 0) return 1;
    const version = range(bytes, out, Field.metaVersion);
    const known = version !== null && this.modernVersions.includes(version);
    return known && (flags & Flag.metaCapabilities) !== 0 ? 0 : -1;
  }

  /** What an Accept header takes; absent takes everything (RFC 9110, 12.5.1). */
  private accepts(accept: string | null): number {
    if (accept === null) return ACCEPT_JSON | ACCEPT_STREAM;
    if (accept === this.lastAccept) return this.lastAccepted;
    const lower = accept.toLowerCase();
    const all = lower.includes('*/*');
    this.lastAccept = accept;
    this.lastAccepted =
      (all || lower.includes('application/json') ? ACCEPT_JSON : 0) |
      (all || lower.includes('text/event-stream') ? ACCEPT_STREAM : 0);
    return this.lastAccepted;
  }
}

/** The field of params that names what is asked for, 0 for methods that stand alone. */
function keyField(method: string): number {
  switch (method) {
    case 'tools/call':
    case 'prompts/get':
      return Field.name;
    case 'resources/read':
      return Field.uri;
    default:
      return 0;
  }
}

function has(out: Int32Array, field: number): boolean {
  return (out[field] as number) >= 0;
}

function range(bytes: string, out: Int32Array, field: number): string | null {
  const start = out[field] as number;
  return start < 0 ? null : bytes.slice(start, out[field + 1]);
}

function utf8(message: Buffer, out: Int32Array, field: number): string {
  return message.toString('utf8', out[field] as number, out[field + 1] as number);
}
