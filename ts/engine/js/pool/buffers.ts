/** Byte buffers in classes of powers of two. Bounded twice: what is taken, and what is kept free. */
import type { Buffers } from '../../engine.js';
import { MAX_SLOTS, SlotTable } from './slots.js';

/** Size of the smallest class. */
const SMALLEST = 256;
/** Size of the largest class, whatever the bound: what both engines can allocate on every platform. */
const LARGEST = 2 ** 30;
/** Buffers of one class that are kept free. */
const KEPT_PER_CLASS = 64;

/** Class that holds `bytes` (at most LARGEST): 0 for up to 256, 1 for up to 512, and so on. */
function classOf(bytes: number): number {
  return 24 - Math.clz32(Math.max(bytes, SMALLEST) - 1);
}

/** A pool that gives out at most `maxBytes` at once, counted in whole classes. */
export class JsBuffers implements Buffers {
  readonly #maxBytes: number;
  /** One list per class, smallest first. Only classes that fit into `maxBytes` exist. */
  readonly #free: Buffer[][] = [];
  readonly #held = new SlotTable<Buffer>(MAX_SLOTS);
  #taken = 0;
  #returned = 0;
  #grown = 0;
  #bytesInUse = 0;
  #bytesKept = 0;

  constructor(maxBytes: number) {
    // False for NaN too.
    this.#maxBytes = maxBytes > 0 ? Math.floor(maxBytes) : 0;
    for (let size = SMALLEST; size <= Math.min(this.#maxBytes, LARGEST); size *= 2) this.#free.push([]);
  }

  take(bytes: number): number {
    if (!(bytes >= 0 && bytes <= LARGEST) || !Number.isInteger(bytes) || this.#held.size >= MAX_SLOTS) return -1;
    const list = this.#free[classOf(bytes)];
    const size = SMALLEST * 2 ** classOf(bytes);
    if (list === undefined || this.#bytesInUse + size > this.#maxBytes) return -1;
    this.#bytesInUse += size;
    let buffer = list.pop();
    if (buffer === undefined) {
      buffer = this.#allocate(size);
      if (buffer === undefined) {
        this.#bytesInUse -= size;
        return -1;
      }
    } else {
      this.#bytesKept -= size;
    }
    this.#taken += 1;
    return this.#held.insert(buffer);
  }

  #allocate(size: number): Buffer | undefined {
    // Taken and kept together stay within the bound: what is kept makes room, the largest first.
    let largest = this.#free.length;
    while (largest > 0 && this.#bytesInUse + this.#bytesKept > this.#maxBytes) {
      const dropped = this.#free[largest - 1]?.pop();
      if (dropped === undefined) largest -= 1;
      else this.#bytesKept -= dropped.length;
    }
    try {
      const buffer = Buffer.allocUnsafeSlow(size);
      this.#grown += 1;
      return buffer;
    } catch {
      // Memory that is not there is a refusal like any other.
      return undefined;
    }
  }

  give(handle: number): boolean {
    const buffer = this.#held.remove(handle);
    if (buffer === undefined) return false;
    const size = buffer.length;
    this.#bytesInUse -= size;
    this.#returned += 1;
    const list = this.#free[classOf(size)] as Buffer[];
    // Keeping more of a class than may be taken of it would be waste.
    const most = Math.min(KEPT_PER_CLASS, Math.floor(this.#maxBytes / size));
    if (this.#bytesKept + size + this.#bytesInUse <= this.#maxBytes && list.length < most) {
      list.push(buffer);
      this.#bytesKept += size;
    }
    return true;
  }

  capacity(handle: number): number {
    return this.#held.get(handle)?.length ?? -1;
  }

  /** The memory behind a handle, with whatever its last owner left in it. */
  bytes(handle: number): Buffer | undefined {
    return this.#held.get(handle);
  }

  stats(out: Float64Array): void {
    out[0] = this.#taken;
    out[1] = this.#returned;
    out[2] = this.#grown;
    out[3] = this.#taken - this.#returned;
    out[4] = this.#bytesInUse;
    out[5] = this.#bytesKept;
  }
}
