/**
 * Calls in flight by slot. A reply to a dead slot finds nothing and is counted; who is alive is the pool's business.
 *
 * HTTP and the pipe share it: both need a bounded number of slots, and to know what one stands for.
 */
import type { Slots } from '../../engine.js';
import { createSlots } from '../pool/index.js';

const INDEX_SPAN = 2 ** 24;

/** What has a slot. `counted`: among those in flight; only this table sets it. */
export interface Slotted {
  slot: number;
  counted: boolean;
}

export class Calls<C extends Slotted> {
  /** By slot index. The handle in the call is what makes an old handle miss. */
  private readonly table: (C | null)[] = [];
  private readonly slots: Slots;
  /** Now. */
  inFlight = 0;
  private uncounted = 0;

  /** @param streams most calls that are not counted, see {@link uncount} */
  constructor(
    private readonly capacity: number,
    private readonly streams = 0,
  ) {
    this.slots = createSlots(capacity + streams);
  }

  /** False when as many as may be are in flight. */
  open(call: C): boolean {
    if (this.inFlight >= this.capacity) return false;
    const slot = this.slots.take();
    if (slot < 0) return false;
    const index = slot % INDEX_SPAN;
    while (this.table.length <= index) this.table.push(null); // no holes: a table with holes is looked up slowly
    call.slot = slot;
    this.table[index] = call;
    this.inFlight++;
    return true;
  }

  find(slot: number): C | null {
    const call = this.table[slot % INDEX_SPAN];
    return call != null && call.slot === slot ? call : null;
  }

  /** Ends the life of the call's slot. */
  release(call: C): void {
    this.table[call.slot % INDEX_SPAN] = null;
    this.slots.give(call.slot);
    if (call.counted) this.inFlight--;
    else this.uncounted--;
  }

  /** A call that became a stream takes no place of others, unless there are too many of those as well. */
  uncount(call: C): void {
    if (this.uncounted >= this.streams) return;
    call.counted = false;
    this.uncounted++;
    this.inFlight--;
  }

  /** All that are open now, for the end of everything. */
  all(): C[] {
    return this.table.filter((call) => call !== null);
  }
}
