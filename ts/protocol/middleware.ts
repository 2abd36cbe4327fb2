/**
 * Middleware: what a server's author puts around calls. The first that was registered is the outermost.
 */
import type { Middleware } from '../server/offer.js';
import type { RequestContext } from './context.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import type { Runnable } from './state.js';

/** Requests that are answered from what is registered: nobody's code runs, so nothing is put around it. */
const BARE: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'completion/complete',
]);

/** A handler with the middleware around it. */
export function around(chain: readonly Middleware[], context: RequestContext, target: Runnable): Runnable {
  if (BARE.has(context.method)) return target;
  return { run: (args, ctx) => step(chain, 0, ctx, async () => innermost(target, args, ctx)) };
}

async function step(
  chain: readonly Middleware[],
  index: number,
  context: RequestContext,
  run: () => Promise<object>,
): Promise<object> {
  const middleware = chain[index];
  if (middleware === undefined) return run();
  let called = false;
  const result = await middleware(context, () => {
    if (called) return Promise.reject(new Error('Middleware called next() twice'));
    called = true;
    return step(chain, index + 1, context, run);
  });
  if (typeof result === 'object' && result !== null) return result;
  throw new ProtocolError(ProtocolErrorCode.InternalError, 'Middleware returned no result: return what next() gives');
}

/** When the handler asked its client, middleware is shown the question and not how the handler was stopped. */
async function innermost(target: Runnable, args: unknown, context: RequestContext): Promise<object> {
  try {
    const result = await target.run(args, context);
    return context.rounds?.concluded ?? result;
  } catch (error) {
    const concluded = context.rounds?.concluded;
    if (concluded !== undefined) return concluded;
    throw error;
  }
}
