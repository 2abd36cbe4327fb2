/** What the code of a task came to, as its call would have been answered: plain JSON, checked like any result of the tool. */
import { ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import type { Members } from '../../protocol/incoming.js';
import { collected, inPieces, marked, partsOf } from '../../protocol/streamed.js';
import type { Catalog } from '../catalog.js';

/** Characters of a result; `maxResultBytes` of the listener is counted once more when it is asked for. */
const MOST_RESULT = 64 * 1024 * 1024;

/**
 * @param tool whose result it is; a name that is no registered tool (a handler of the low-level server) is not checked
 * @throws {ProtocolError} what the code threw, if it is one; -32603 for a result that cannot be encoded
 */
export async function outcomeOf(catalog: Catalog, tool: string, code: () => unknown): Promise<Members> {
  let result: unknown;
  try {
    result = await code();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    return failed(error instanceof Error ? error.message : String(error));
  }
  const { resultType } = (result ?? {}) as { resultType?: unknown };
  if (resultType !== undefined && resultType !== 'complete') {
    return failed(`A task cannot end with a result of type ${JSON.stringify(resultType)}: ask through the task itself`);
  }
  const entry = catalog.tools.entries.get(tool);
  if (entry !== undefined) result = await entry.settled(result);
  else if (!Array.isArray((result as { content?: unknown } | null | undefined)?.content)) {
    return failed('The task returned no object with a content array');
  }
  return plain(result as Members);
}

async function plain(result: Members): Promise<Members> {
  const found = inPieces(result) ? marked(result) : undefined;
  const text =
    found === undefined ? encoded(result) : await collected(partsOf(encoded(found.result), found.slots), MOST_RESULT);
  if (text.length > MOST_RESULT) return failed(`The result is larger than ${MOST_RESULT} characters`);
  return JSON.parse(text) as Members;
}

function encoded(result: object): string {
  try {
    return JSON.stringify(result);
  } catch {
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'The result of the task cannot be encoded');
  }
}

function failed(text: string): Members {
  return { content: [{ type: 'text', text }], isError: true };
}
