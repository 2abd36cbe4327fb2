/** The addon as TypeScript sees it. `addon.d.ts` is generated from `crates/node` and committed; a test compares the two. */
import type * as addon from './addon.js';

export type Addon = typeof addon;
export type NativeListener = addon.NativeListener;
export type NativeRegistry = addon.NativeRegistry;

/** Methods of Node's Buffer that decode and encode without looking at an encoding's name first. */
export interface FastBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, at: number): number;
}

/** A ring of its own memory: never a slice of Node's shared pool. */
export function ring(bytes: number): FastBuffer {
  return Buffer.allocUnsafeSlow(bytes) as unknown as FastBuffer;
}
