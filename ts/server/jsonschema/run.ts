/**
 * What one validation carries with it, and how a failure is noted: the vocabulary that all keyword modules share.
 *
 * A check runs in one of two moods. Quiet (`out` is null): only yes or no, it stops at the first failure and allocates
 * nothing. Loud: it notes problems with their paths, up to the bound that is spelled out. Valid values, nearly all of
 * them, are only ever seen by the quiet one. Holds no keyword and knows no schema.
 */
import type { Issue } from '../standard.js';
import { MAX_PROBLEMS } from '../validate.js';

export type Json = Record<string, unknown>;
export type Key = string | number | null;

/** Where a value stands; a linked list, so that a path is built only for a problem. */
export interface Trail {
  readonly up: Trail | null;
  readonly key: Key;
}

export interface Run {
  /** Problems so far, or null when nobody asks for them. */
  out: Issue[] | null;
  /** References that are open at this moment. */
  depth: number;
  /** References that were followed. */
  steps: number;
  /** A bound was hit: the value counts as invalid whatever the checks say. */
  over: boolean;
  /** Dynamic anchors in force, outermost first wins; null in schemas without any. */
  dynamic: Map<string, Cell> | null;
}

/** Is `value`, which stands at `key` below `up`, valid? Evaluated members and items go into `seen` when that is given. */
export type Check = (value: unknown, up: Trail | null, key: Key, run: Run, seen: Seen | null) => boolean;

/** A check that may still be waiting to be made: what references point to. */
export interface Cell {
  check: Check;
}

export const always: Check = () => true;

/** Notes a problem (loud) and gives false. */
export function fail(run: Run, up: Trail | null, key: Key, message: string): false {
  const { out } = run;
  if (out === null || out.length > MAX_PROBLEMS) return false;
  const path: (string | number)[] = [];
  if (key !== null) path.push(key);
  for (let trail = up; trail !== null; trail = trail.up) if (trail.key !== null) path.push(trail.key);
  out.push({ message, path: path.reverse() });
  return false;
}

/** After a failure: is there any use in looking further? */
export function enough(run: Run): boolean {
  return run.out === null || run.out.length > MAX_PROBLEMS;
}

/** The trail for members of the value at `key`; only problems need one. */
export function below(run: Run, up: Trail | null, key: Key): Trail | null {
  return run.out === null ? null : { up, key };
}

/** A yes or no without problems, inside of any mood. */
export function quietly(check: Check, value: unknown, run: Run, seen: Seen | null): boolean {
  const { out } = run;
  run.out = null;
  const valid = check(value, null, null, run, seen);
  run.out = out;
  return valid;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Which members and items of one value were looked at by some keyword: what `unevaluated*` has to know. */
export interface Seen {
  names: Set<string> | null;
  allNames: boolean;
  /** Every item before this index. */
  upTo: number;
  items: Set<number> | null;
}

export function nothingSeen(): Seen {
  return { names: null, allNames: false, upTo: 0, items: null };
}

export function seeName(seen: Seen, name: string): void {
  seen.names ??= new Set();
  seen.names.add(name);
}

export function seeItem(seen: Seen, index: number): void {
  seen.items ??= new Set();
  seen.items.add(index);
}

/** Takes over what a branch that passed has seen. */
export function takeOver(into: Seen, from: Seen): void {
  into.allNames ||= from.allNames;
  into.upTo = Math.max(into.upTo, from.upTo);
  for (const name of from.names ?? []) seeName(into, name);
  for (const index of from.items ?? []) seeItem(into, index);
}
