/**
 * Chooses the engine: the only file that knows both. A choice is made once per process, remembered with its reason, and
 * never changed by what happens later.
 */
import type { Engine } from './engine.js';
import { jsEngine } from './js/index.js';
import { nativeEngine } from './native/index.js';
import { type LoadResult, loadAddon } from './native/load.js';

export { headGuard } from './js/index.js';
export type { HeadGuard, Refusal } from './js/serve/guard.js';

/** What can be asked for: by argument, or by the environment variable `THIRDRAIL_ENGINE`. */
export type EngineChoice = 'auto' | 'native' | 'js';

/** The outcome of a choice. */
export interface Selection {
  readonly choice: EngineChoice;
  readonly engine: Engine;
  /** Why this engine, one sentence. */
  readonly reason: string;
  /** Why the addon did not load, one entry per attempt; empty when it did or was not asked for. */
  readonly failures: readonly Error[];
}

const CHOICES: readonly EngineChoice[] = ['auto', 'native', 'js'];
const selections = new Map<EngineChoice, Selection>();
let loaded: LoadResult | undefined;
let native: Engine | undefined;

/**
 * The engine for a choice.
 * @param choice default: `THIRDRAIL_ENGINE`, and `auto` when that is not set
 * @throws Error when `native` is asked for and does not load (`cause` is an AggregateError of every attempt), or when the
 *   choice is none of the three
 */
export function engineFor(choice?: EngineChoice): Engine {
  return selection(choice).engine;
}

/** As {@link engineFor}, with the reason. */
export function selection(choice?: EngineChoice): Selection {
  const wanted = checked(choice);
  const known = selections.get(wanted);
  if (known !== undefined) return known;
  const made = wanted === 'js' ? js('js', 'the JavaScript engine was asked for') : selectNative(wanted);
  selections.set(wanted, made);
  return made;
}

function selectNative(choice: 'auto' | 'native'): Selection {
  const unproven = choice === 'auto' ? unprovenRuntime() : null;
  if (unproven !== null) return js(choice, `the native engine is not proven on ${unproven}`);
  // Once per process, for both choices: a failed load is not repeated.
  loaded ??= loadAddon();
  if ('addon' in loaded) {
    native ??= nativeEngine(loaded.addon);
    const reason = choice === 'native' ? 'the native engine was asked for' : 'the addon is there';
    return { choice, engine: native, reason: `${reason} (${loaded.path})`, failures: [] };
  }
  const { failures } = loaded;
  const tried = failures.map((failure) => failure.message).join('; ');
  if (choice === 'native') {
    throw new Error(`The native engine was asked for and could not be loaded: ${tried}`, {
      cause: new AggregateError(failures, 'every attempt to load the addon failed'),
    });
  }
  const reason = `the native engine could not be loaded: ${tried}`;
  process.emitWarning(`Running on the JavaScript engine, ${reason}`, { code: 'THIRDRAIL_NATIVE_UNAVAILABLE' });
  return js(choice, reason, failures);
}

function js(choice: EngineChoice, reason: string, failures: readonly Error[] = []): Selection {
  return { choice, engine: jsEngine, reason, failures };
}

/** Runtimes that load N-API addons, yet have had faults in thread-safe functions and finalizers or refuse their memory. */
function unprovenRuntime(): string | null {
  const { bun, deno, electron } = process.versions as Record<string, string | undefined>;
  return bun ? 'Bun' : deno ? 'Deno' : electron ? 'Electron' : null;
}

function checked(choice: string | undefined): EngineChoice {
  const fromEnvironment = choice === undefined;
  const value = choice ?? (process.env.THIRDRAIL_ENGINE || 'auto');
  const found = CHOICES.find((known) => known === value);
  if (found !== undefined) return found;
  const source = fromEnvironment ? 'THIRDRAIL_ENGINE' : 'engine';
  throw new Error(`${source} is ${JSON.stringify(value)}; allowed are ${CHOICES.join(', ')}`);
}
