/**
 * From the bytes of a message to the verdict of the door: one scan, one look at the token. Knows no connection.
 *
 * What goes up is left in `text`, what the door found in `door`; both hold until the next message is examined.
 */
import { FIELD_COUNT, Field, Flag, Kind, type ServeConfig } from '../../engine.js';
import { codec } from '../codec/index.js';
import type { JsEntry, JsRegistry } from '../registry/index.js';
import { Door, Verdict } from './door.js';
import type { Head } from './head.js';
import type { Sessions } from './sessions.js';
import type { TokenMemo, Tokens } from './tokens.js';

/** What is remembered of a message, for its reply and for the side above. */
export interface Asked {
  id: string;
  message: Buffer | null;
  metaStart: number;
  metaEnd: number;
  entry: JsEntry | null;
  principal: number;
}

export class Intake {
  readonly door: Door;
  /** The arguments of a call, else the whole message; empty when there is none. */
  text = '';
  /** Scan result of the message at hand; read before anything else can be scanned. */
  private readonly fields = new Int32Array(FIELD_COUNT);

  constructor(
    private readonly config: ServeConfig,
    registry: JsRegistry,
    sessions: Sessions,
    private readonly tokens: Tokens,
  ) {
    this.door = new Door(config.modernVersions, config.legacyVersions, registry, sessions);
  }

  /** A request without a message, or with one that nobody reads. */
  bare(call: Asked, head: Head, memo: TokenMemo): void {
    call.principal = this.who(head, memo);
    this.text = '';
  }

  /**
   * Scans a message and asks the door.
   * @param other for a path besides the endpoint: in which form something is asked there, only the side above knows
   * @returns a {@link Verdict}, or the refusal of the scan
   */
  examine(call: Asked, message: Buffer, head: Head, memo: TokenMemo, other: boolean): number {
    if (other) {
      this.bare(call, head, memo);
      this.text = message.toString('utf8');
      return Verdict.up;
    }
    const { fields } = this;
    const kind = codec.scan(message, this.config.maxDepth, fields);
    if (kind < 0) return kind;
    // One character per byte, so that ranges hold; for ASCII it is the text as well.
    const bytes = message.toString('latin1');
    const ascii = ((fields[Field.flags] as number) & Flag.ascii) !== 0;
    if (kind === Kind.request) this.remember(call, message, bytes, ascii);
    call.principal = this.who(head, memo);
    const shut = this.config.authorize && call.principal === 0;
    const verdict = shut ? Verdict.up : this.door.decide(kind, message, bytes, fields, head);
    if (verdict === Verdict.call) {
      call.entry = this.door.entry as JsEntry;
      const start = fields[Field.arguments] as number;
      const end = fields[Field.arguments + 1] as number;
      this.text = start < 0 ? '' : ascii ? bytes.slice(start, end) : message.toString('utf8', start, end);
    } else if (verdict === Verdict.up) {
      const plain = ascii && (kind === Kind.request || kind === Kind.notification);
      this.text = plain ? bytes : message.toString('utf8');
    }
    return verdict;
  }

  private who(head: Head, memo: TokenMemo): number {
    return this.config.authorize ? this.tokens.principal(head.authorization, memo) : 0;
  }

  /** What a reply and the side above may ask for later; `fields` is gone by then. */
  private remember(call: Asked, message: Buffer, bytes: string, ascii: boolean): void {
    const { fields } = this;
    const start = fields[Field.id] as number;
    const end = fields[Field.id + 1] as number;
    call.id = ascii ? bytes.slice(start, end) : message.toString('utf8', start, end);
    call.metaStart = fields[Field.meta] as number;
    call.metaEnd = fields[Field.meta + 1] as number;
    if (call.metaStart >= 0) call.message = message;
  }
}
